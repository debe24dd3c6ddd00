//! The graph of one flow.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Arrow, Card, Graph, Kind};
use crate::catalog::Catalog;
use crate::plan::{Action, Edge, Node, NodeId, Plan, StepCall, Template};
use crate::value::Value;

/// Most ways through the actions of one step that are followed: a step has a handful, a hostile one could have many.
const MAX_WAYS: usize = 10_000;

pub(super) struct Builder<'p> {
    plan: &'p Plan,
    catalog: &'p Catalog,
    cards: Vec<Card>,
    /// Card by name.
    index: HashMap<String, usize>,
    /// Labels by arrow, in the order in which they were met.
    arrows: BTreeMap<(usize, usize), Vec<String>>,
}

impl<'p> Builder<'p> {
    pub(super) fn new(plan: &'p Plan, catalog: &'p Catalog) -> Builder<'p> {
        Builder {
            plan,
            catalog,
            cards: Vec::new(),
            index: HashMap::new(),
            arrows: BTreeMap::new(),
        }
    }

    pub(super) fn build(mut self) -> Graph {
        let mut order: Vec<usize> = (0..self.plan.nodes.len()).collect();
        let start = self.plan.nodes.get(self.plan.start.0 as usize);
        let first = start.map_or("", |node| node.step.as_str());
        order.sort_by_key(|index| {
            let node = &self.plan.nodes[*index];
            (node.step != first, node.line, node.column)
        });
        let mut heads = Vec::new();
        for index in order {
            let node = &self.plan.nodes[index];
            let at = match self.index.get(&node.step) {
                Some(at) => *at,
                None => {
                    heads.push((node.step.as_str(), index));
                    let kind = match node.step == first {
                        true => Kind::Start,
                        false => Kind::Step,
                    };
                    self.new_card(node.step.clone(), kind)
                }
            };
            if let Some(line) = self.line(node) {
                self.cards[at].lines.push(line);
            }
        }
        for (step, head) in heads {
            self.ways(step, head);
        }
        self.global();
        for (index, found) in self.cards.iter_mut().enumerate() {
            let leaves = self.arrows.keys().any(|(from, _)| *from == index);
            if !leaves && found.kind == Kind::Step {
                found.kind = Kind::End;
            }
        }
        Graph {
            title: self.plan.flow.clone(),
            cards: self.cards,
            arrows: self
                .arrows
                .into_iter()
                .map(|((from, to), labels)| Arrow { from, to, labels })
                .collect(),
        }
    }

    fn new_card(&mut self, name: String, kind: Kind) -> usize {
        self.index.insert(name.clone(), self.cards.len());
        self.cards.push(Card {
            name,
            lines: Vec::new(),
            kind,
        });
        self.cards.len() - 1
    }

    /// Follows the actions of a step from its first one, and draws an arrow wherever they leave it.
    fn ways(&mut self, step: &str, head: usize) {
        let from = self.index[step];
        let mut seen = BTreeSet::new();
        let mut open = vec![(head, String::new())];
        while let Some((index, label)) = open.pop() {
            if seen.len() >= MAX_WAYS || !seen.insert((index, label.clone())) {
                continue;
            }
            let mut inner = Vec::new();
            for (name, edge) in edges(&self.plan.nodes[index]) {
                let label = joined(&label, &name);
                match &edge {
                    Edge::Node(NodeId(node))
                        if self
                            .plan
                            .nodes
                            .get(*node as usize)
                            .is_some_and(|node| node.step == step)
                            && *node as usize != head =>
                    {
                        inner.push((*node as usize, label));
                    }
                    Edge::Repeat => self.arrow(from, from, label),
                    edge => {
                        if let Some(to) = self.target(edge) {
                            self.arrow(from, to, label);
                        }
                    }
                }
            }
            // The first way is followed first, so that labels stand in the order of the file.
            open.extend(inner.into_iter().rev());
        }
    }

    fn global(&mut self) {
        let global = &self.plan.global;
        let mut all: Vec<(String, Edge)> = global
            .press
            .iter()
            .map(|(key, edge)| (format!("key {key}"), edge.clone()))
            .collect();
        for (name, edge) in [
            ("error", &global.error),
            ("hangup", &global.hangup),
            ("too_long", &global.too_long),
        ] {
            all.extend(edge.clone().map(|edge| (name.to_owned(), edge)));
        }
        if all.is_empty() {
            return;
        }
        let from = self.new_card("global".to_owned(), Kind::Global);
        for (name, edge) in all {
            if let Some(to) = self.target(&edge) {
                self.arrow(from, to, name);
            }
        }
    }

    /// The card that an edge leads to.
    fn target(&mut self, edge: &Edge) -> Option<usize> {
        match edge {
            Edge::Node(NodeId(node)) => {
                let step = &self.plan.nodes.get(*node as usize)?.step;
                self.index.get(step).copied()
            }
            Edge::Flow(flow) => {
                let name = format!("flow:{flow}");
                Some(match self.index.get(&name) {
                    Some(at) => *at,
                    None => self.new_card(name, Kind::Flow),
                })
            }
            Edge::Repeat | Edge::End => None,
        }
    }

    fn arrow(&mut self, from: usize, to: usize, label: String) {
        let labels = self.arrows.entry((from, to)).or_default();
        if !label.is_empty() && !labels.contains(&label) {
            labels.push(label);
        }
    }

    /// What an action does, in a few words.
    fn line(&self, node: &Node) -> Option<String> {
        let verb = node.verb.as_str();
        Some(match &node.action {
            Action::Step(call) if verb == "use" => format!("use {}", call.step),
            Action::Step(call) => match self.subject(call) {
                Some(subject) => format!("{verb} {subject}"),
                None => verb.to_owned(),
            },
            Action::Call { flow, .. } => format!("call {flow}"),
            Action::Choose { arms, .. } if verb == "if" => match arms.first() {
                Some((condition, _)) => format!("if {condition}"),
                None => verb.to_owned(),
            },
            Action::Switch { value, .. } => format!("switch {value}"),
            Action::Wait(ms) => format!("wait {} s", *ms as f64 / 1000.0),
            Action::Return { outcome, .. } => format!("return {outcome}"),
            Action::HangUp { reason } => format!("hangup {reason}"),
            Action::Set(all) => {
                let names: Vec<&str> = all.keys().map(String::as_str).collect();
                format!("set {}", names.join(", "))
            }
            Action::Goto => return None,
            Action::Choose { .. } | Action::Tag { .. } => verb.to_owned(),
        })
    }

    /// The main input of a step, where it is a name.
    fn subject(&self, call: &StepCall) -> Option<String> {
        let main = self.catalog.steps.get(&call.step)?.main.as_ref()?;
        let Template::Object(inputs) = &call.input else {
            return None;
        };
        match inputs.get(main)? {
            Template::Literal(Value::Text(text)) => Some(text.clone()),
            Template::Literal(Value::Object(fields)) => match fields.get("name")? {
                Value::Text(name) => Some(name.clone()),
                _ => None,
            },
            Template::Expr(value) => Some(format!("${{{value}}}")),
            Template::Prompt(id) => self.plan.prompts.get(id.0 as usize)?.name.clone(),
            _ => None,
        }
    }
}

/// The edges of an action with what takes them.
pub(super) fn edges(node: &Node) -> Vec<(String, Edge)> {
    let named = |edges: &BTreeMap<String, Edge>, otherwise: &Option<Edge>| {
        let mut all: Vec<(String, Edge)> = edges
            .iter()
            .map(|(name, edge)| (name.clone(), edge.clone()))
            .collect();
        all.extend(otherwise.clone().map(|edge| ("else".to_owned(), edge)));
        all
    };
    let mut all = match &node.action {
        Action::Step(call) => named(&call.edges, &call.otherwise),
        Action::Call {
            edges, otherwise, ..
        } => named(edges, otherwise),
        Action::Choose { arms, otherwise } => {
            let condition = |(index, (when, edge)): (usize, &(crate::expr::Expr, Edge))| {
                let label = match node.verb == "if" && index == 0 {
                    true => "yes".to_owned(),
                    false => when.to_string(),
                };
                (label, edge.clone())
            };
            let mut all: Vec<_> = arms.iter().enumerate().map(condition).collect();
            let other = if node.verb == "if" { "no" } else { "else" };
            all.push((other.to_owned(), otherwise.clone()));
            all
        }
        Action::Switch {
            arms, otherwise, ..
        } => named(arms, otherwise),
        Action::Return { .. } | Action::HangUp { .. } => Vec::new(),
        Action::Set(_) | Action::Tag { .. } | Action::Wait(_) | Action::Goto => {
            vec![(String::new(), node.next.clone())]
        }
    };
    let ends = matches!(node.action, Action::Return { .. } | Action::HangUp { .. });
    // An action that may be skipped, and a step that has no outcomes of its own, go on to what is next.
    if !ends && (all.is_empty() || node.when.is_some()) {
        let label = match (&node.when, all.is_empty()) {
            (Some(when), false) => format!("not ({when})"),
            _ => String::new(),
        };
        if !all.iter().any(|(_, edge)| *edge == node.next) {
            all.push((label, node.next.clone()));
        }
    }
    // `done` of a step with nothing else to happen says nothing.
    if let [(only, _)] = all.as_mut_slice()
        && only == "done"
    {
        only.clear();
    }
    all
}

fn joined(before: &str, name: &str) -> String {
    match (before, name) {
        ("", name) => name.to_owned(),
        (before, "") => before.to_owned(),
        (before, name) => format!("{before}, then {name}"),
    }
}
