use std::collections::{BTreeMap, BTreeSet};

use super::draft::{STEP, unknown};
use super::names::is_name;
use super::{Lowerer, Place};
use crate::catalog::FlowSignature;
use crate::check::rules::{
    bad_name, bad_value, deep_nesting, missing_input, missing_outcome, unknown_flow,
    unknown_outcome, unknown_step,
};
use crate::check::suggest::{elsewhere, same_letters};
use crate::diagnostic::{Text, text};
use crate::expr::Span;
use crate::plan::{Edge, NodeId};
use crate::yaml::{Content, Map, Node};

/// Deepest inline list that a person still follows.
const MAX_INLINE: usize = 2;

/// What `then:` says.
pub(super) enum Then {
    /// It is not there.
    Absent,
    /// One place, whatever happens.
    One(Edge),
    /// A line per outcome.
    Lines {
        lines: Vec<(String, Span, Edge)>,
        otherwise: Option<Edge>,
        /// The key `then`.
        span: Span,
    },
}

impl<'t> Lowerer<'t> {
    /// A name, `flow:name`, `repeat`, or a list of actions.
    pub(super) fn target(&mut self, key: &str, node: &'t Node<'t>, place: &Place) -> Edge {
        match &node.content {
            Content::Scalar(_) => {
                let Some(name) =
                    self.expect_text(key, node, Text::fixed("the name of a step", "步骤的名字"))
                else {
                    return self.lost();
                };
                self.named_target(name, node.span, place)
            }
            Content::List(items) => {
                if place.depth >= MAX_INLINE {
                    deep_nesting::deep(&mut self.report, node.span, MAX_INLINE);
                }
                let inner = Place {
                    depth: place.depth + 1,
                    repeat: false,
                    ..place.clone()
                };
                self.block(items, &inner, node.span)
            }
            Content::Map(_) => {
                self.wrong_shape(
                    key,
                    node,
                    Text::fixed(
                        "the name of a step, or a list of actions",
                        "步骤的名字，或动作列表",
                    ),
                );
                self.lost()
            }
        }
    }

    /// A target that nobody knows: any step may be meant.
    fn lost(&mut self) -> Edge {
        self.draft.lost_target = true;
        unknown()
    }

    pub(super) fn named_target(&mut self, name: &str, span: Span, place: &Place) -> Edge {
        if let Some(flow) = name.strip_prefix("flow:") {
            // Only the name, not the word before it.
            let at = Span {
                start: (span.end - flow.len().min(span.end)).max(span.start),
                end: span.end,
            };
            return match self.flow_named(flow, at) {
                Some(flow) => {
                    let needed = self.needed_by(&flow);
                    if !needed.is_empty() {
                        missing_input::left_for(&mut self.report, at, &flow, &needed);
                    }
                    self.draft.runs.leads.insert(flow.clone());
                    Edge::Flow(flow)
                }
                None => unknown(),
            };
        }
        if name == "repeat" {
            if place.repeat {
                return Edge::Repeat;
            }
            bad_value::why(
                &mut self.report,
                span,
                Text::fixed(
                    "`repeat` means something only in the lines of a step that listens or runs a plugin",
                    "`repeat` 只能写在听取按键或运行插件的步骤里",
                ),
                Some(Text::fixed(
                    "write the name of the step to go to",
                    "请写要去的步骤的名字",
                )),
            );
            return self.lost();
        }
        let mut index = self.steps.get(name).copied();
        if index.is_none() {
            if name.contains(char::is_whitespace) || !is_name(name) {
                return self.no_name_of_step(name, span);
            }
            let names = std::mem::take(&mut self.step_names);
            let meant = self.nearest(name, names.iter().map(String::as_str));
            if let Some(flow) = self.flow_meant(name, meant.is_some()) {
                self.step_names = names;
                unknown_step::flow(&mut self.report, span, name, &flow);
                self.draft.runs.leads.insert(flow.clone());
                return Edge::Flow(flow);
            }
            unknown_step::unknown(&mut self.report, span, name, meant, &names);
            index = meant.and_then(|meant| self.steps.get(meant).copied());
            let slips = |meant: &str| crate::check::suggest::misspelt(name, meant);
            let least = meant.and_then(slips);
            let doubtful = meant.is_some()
                && names
                    .iter()
                    .filter(|name| slips(name) == least)
                    .nth(1)
                    .is_some();
            // By its own name a step would go round: whether it does is nothing to tell of a guess.
            let own = meant.is_some() && meant == names.get(place.step).map(String::as_str);
            let doubtful = doubtful || (own && !place.repeat);
            self.step_names = names;
            if doubtful {
                self.draft.doubtful_targets.push(name.to_owned());
                return unknown();
            }
        }
        match index.and_then(|index| u32::try_from(index).ok()) {
            Some(index) => Edge::Node(NodeId(STEP + index)),
            None => self.lost(),
        }
    }

    /// A target that cannot be the name of a step: one that is written `Front desk` for `front_desk` leads there.
    fn no_name_of_step(&mut self, name: &str, span: Span) -> Edge {
        let what = Text::fixed("a step", "步骤");
        let names = self.step_names.iter().map(String::as_str);
        match same_letters(name, names).and_then(|meant| self.steps.get_key_value(meant)) {
            Some((meant, index)) => {
                bad_name::meant(&mut self.report, span, name, what, meant);
                u32::try_from(*index)
                    .map_or_else(|_| unknown(), |index| Edge::Node(NodeId(STEP + index)))
            }
            None => {
                bad_name::name(&mut self.report, span, name, what, false);
                self.lost()
            }
        }
    }

    /// The flow that a target without `flow:` means: one of that name, or of nearly that name where no step has it either.
    fn flow_meant(&mut self, name: &str, is_like_a_step: bool) -> Option<String> {
        let flows = self.catalog.flows.as_ref()?;
        let meant = match flows.contains_key(name) {
            true => Some(name),
            false if is_like_a_step => None,
            false => self.nearest(name, flows.keys().map(String::as_str)),
        };
        meant.map(str::to_owned)
    }

    /// A flow of the project, or the one that was probably meant.
    pub(super) fn flow_named(&mut self, name: &str, span: Span) -> Option<String> {
        if !is_name(name) {
            bad_name::name(
                &mut self.report,
                span,
                name,
                Text::fixed("a flow", "流程"),
                false,
            );
            return None;
        }
        let Some(flows) = &self.catalog.flows else {
            return Some(name.to_owned());
        };
        if flows.contains_key(name) {
            return Some(name.to_owned());
        }
        let meant = self.nearest(name, flows.keys().map(String::as_str));
        let names: Vec<String> = flows.keys().cloned().collect();
        unknown_flow::unknown(&mut self.report, span, name, meant, &names);
        meant.map(str::to_owned)
    }

    /// The inputs that a flow cannot begin without.
    fn needed_by(&self, flow: &str) -> Vec<String> {
        match &self.catalog.flows {
            Some(flows) => flows
                .get(flow)
                .map(FlowSignature::needed)
                .unwrap_or_default(),
            // A file that stands alone knows itself.
            None if self.draft.flow.as_deref() == Some(flow) => self.own_needed(),
            None => Vec::new(),
        }
    }

    /// The inputs that this flow cannot begin without.
    pub(super) fn own_needed(&self) -> Vec<String> {
        let inputs = self.draft.inputs.iter();
        inputs
            .filter(|(_, input)| input.required)
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// The `then:` of an action.
    pub(super) fn then(&mut self, map: &'t Map<'t>, place: &Place) -> Then {
        let Some(entry) = map.entry("then") else {
            return Then::Absent;
        };
        let Some(lines) = entry.value.map() else {
            return Then::One(self.target("then", &entry.value, place));
        };
        let mut then = Vec::new();
        let mut otherwise = None;
        for line in &lines.entries {
            let edge = self.target(&line.key, &line.value, place);
            if line.key == "else" {
                otherwise = Some(edge);
            } else {
                then.push((line.key.to_string(), line.key_span, edge));
            }
        }
        Then::Lines {
            lines: then,
            otherwise,
            span: entry.key_span,
        }
    }

    /// One place for an action without outcomes; what follows when `then:` is not there.
    pub(super) fn plain_then(&mut self, map: &'t Map<'t>, place: &Place, verb: &str) -> Edge {
        match self.then(map, place) {
            Then::Absent => place.after.clone(),
            Then::One(edge) => edge,
            Then::Lines {
                lines,
                otherwise,
                span,
            } => {
                // `then: { done: … }` is a harmless way to say it.
                let done = lines
                    .iter()
                    .find(|(name, _, _)| name == "done")
                    .map(|line| line.2.clone());
                for (name, at, _) in lines.iter().filter(|(name, _, _)| name != "done") {
                    unknown_outcome::unknown(
                        &mut self.report,
                        *at,
                        name,
                        span,
                        &["done".to_owned()],
                        None,
                    );
                }
                match done.or(otherwise) {
                    Some(edge) => edge,
                    None if lines.is_empty() => {
                        let why = text!(
                            "`{verb}` simply goes on: `then:` takes the name of a step",
                            "`{verb}` 只有一个去向：`then:` 应写步骤的名字"
                        );
                        bad_value::why(&mut self.report, span, why, None);
                        unknown()
                    }
                    None => unknown(),
                }
            }
        }
    }

    /// The edges of an action with outcomes: own lines first, then what falls to others, then findings.
    pub(super) fn edges(
        &mut self,
        then: Then,
        place: &Place,
        known: &Outcomes<'_>,
    ) -> (BTreeMap<String, Edge>, Option<Edge>) {
        let mut edges = BTreeMap::new();
        let mut otherwise = None;
        let mut at = known.verb;
        let mut guessed = BTreeSet::new();
        let mut unmatched: Vec<(String, Span, Edge)> = Vec::new();
        // Of outcomes that the step does not have, and that are near to none of its own.
        let mut strays: Vec<Edge> = Vec::new();
        match then {
            Then::Absent => {
                for name in known.all.iter().filter(|name| known.ordinary(name)) {
                    edges.insert(name.clone(), place.after.clone());
                }
            }
            Then::One(edge) => {
                for name in known.all.iter().filter(|name| known.ordinary(name)) {
                    edges.insert(name.clone(), edge.clone());
                }
            }
            Then::Lines {
                lines,
                otherwise: rest,
                span,
            } => {
                at = span;
                otherwise = rest;
                for (name, span, edge) in lines {
                    if known.all.contains(&name) || known.soft.contains(&name.as_str()) {
                        edges.insert(name, edge);
                    } else {
                        unmatched.push((name, span, edge));
                    }
                }
            }
        }
        for (name, span, edge) in unmatched {
            let open: Vec<&str> = known
                .all
                .iter()
                .map(String::as_str)
                .chain(known.soft.iter().copied())
                .filter(|known| !edges.contains_key(*known))
                .collect();
            let called = open.iter().find(|known| elsewhere(&name, known)).copied();
            let meant = called.or_else(|| self.nearest(&name, open.iter().copied()));
            let meant = meant.map(str::to_owned);
            if !known.unknowable {
                unknown_outcome::unknown(
                    &mut self.report,
                    span,
                    &name,
                    known.verb,
                    known.all,
                    meant.as_deref(),
                );
            }
            if let Some(meant) = meant {
                guessed.insert(meant.clone());
                edges.insert(meant, edge);
            } else if known.unknowable {
                edges.insert(name, edge);
            } else {
                strays.push(edge);
            }
        }
        for (name, falls_to) in known.falls {
            if !edges.contains_key(*name) && otherwise.is_none() {
                let edge = edges.get(*falls_to).cloned();
                let edge = edge.or_else(|| known.ordinary(falls_to).then(|| place.after.clone()));
                if let Some(edge) = edge {
                    edges.insert((*name).to_owned(), edge);
                }
            }
        }
        if otherwise.is_some() || known.unknowable {
            return (edges, otherwise);
        }
        let mut missing: Vec<String> = Vec::new();
        for name in known.all {
            if edges.contains_key(name) {
                continue;
            }
            // In a list, the ordinary end of an action leads to the next one.
            if known.ordinary(name) && place.after != Edge::End {
                edges.insert(name.clone(), place.after.clone());
            } else {
                missing.push(name.clone());
            }
        }
        let global = self.draft.global.error.is_some();
        for name in known.soft.iter().filter(|_| known.soft_needed && !global) {
            if !edges.contains_key(*name) {
                missing.push((*name).to_owned());
            }
        }
        // As many as are missing: those were meant, by other names.
        if missing.len() == strays.len() {
            edges.extend(missing.drain(..).zip(strays));
        }
        if !missing.is_empty() {
            missing_outcome::missing(&mut self.report, at, (known.verb, known.all), &missing);
            for name in missing {
                edges.insert(name, unknown());
            }
        }
        (edges, otherwise)
    }
}

/// What an action with outcomes can end with.
pub(super) struct Outcomes<'n> {
    /// The names.
    pub all: &'n [String],
    /// Names that `global.error` may cover: `error`, `timeout`.
    pub soft: &'n [&'n str],
    /// Whether those must be covered at all.
    pub soft_needed: bool,
    /// Outcomes that go where another goes, unless they have a line of their own.
    pub falls: &'n [(&'n str, &'n str)],
    /// Where the verb and what it acts on stand.
    pub verb: Span,
    /// Whether the names cannot be known.
    pub unknowable: bool,
}

impl Outcomes<'_> {
    /// Whether an outcome is the ordinary end of its step: it may lead to the next action of a list, and
    /// a plain `then:` is about it.
    fn ordinary(&self, name: &str) -> bool {
        matches!(name, "done" | "ok") || self.all.len() == 1
    }
}
