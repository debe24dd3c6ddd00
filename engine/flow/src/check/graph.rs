use std::collections::BTreeMap;

use super::report::Report;
use super::rules::{dead_end, unreachable};
use super::spent::durations;
use super::strange::Strange;
use super::suggest::misspelt;
use crate::catalog::FlowSignature;
use crate::diagnostic::{Text, text};
use crate::expr::Expr;
use crate::lower::{Draft, Facts, UNKNOWN};
use crate::plan::{Action, Edge, Node, NodeId, Template};

/// The other flows of the project; `None` when they cannot be known.
pub(super) type Flows<'c> = Option<&'c BTreeMap<String, FlowSignature>>;

/// Most names that steps are compared with which may be meant by them.
const MAX_DOUBTFUL: usize = 16;

/// Shortest wait for people, in milliseconds, that is a wait: below it a caller hears nothing but the same again.
const MIN_WAIT_MS: u64 = 1_000;

/// A draft as a graph.
pub(super) struct Graph<'d> {
    /// Ways out of each node.
    pub arrows: Vec<Vec<Arrow<'d>>>,
    /// Where contacts come in: the start, and what follows a hang-up or a limit.
    pub roots: Vec<usize>,
    /// The one of them to which contacts go that have lasted too long, from wherever they are.
    pub too_long: Option<usize>,
    /// Where contacts go when something fails: `global.error`.
    pub error: Option<usize>,
    /// Nodes that some contact may come to.
    pub reachable: Vec<bool>,
    /// Those of them to which somebody may come who is still on the line: not only after a hang-up.
    pub heard: Vec<bool>,
    /// Whether some target is a name that could not be resolved, so that anything may be its meaning.
    lost: bool,
}

/// A way from one node to the next.
pub(super) struct Arrow<'d> {
    pub to: Target,
    /// The flow that it leads to for good.
    pub flow: Option<&'d str>,
    /// The outcome; empty where there is but one way.
    pub label: &'d str,
    pub cause: Cause,
    /// Whether somebody was waited for on this way, for a second at least: it does not come at once.
    pub waited: bool,
    /// Indices into [`Draft::bindings`] that have a value from here on.
    pub assigned: Vec<usize>,
}

impl<'d> Arrow<'d> {
    /// The way that an edge of a node is: nobody was waited for on it, and it gives no variable a value.
    fn along(edge: &'d Edge, own: usize, label: &'d str, cause: Cause) -> Arrow<'d> {
        Arrow {
            to: target(edge, own),
            flow: match edge {
                Edge::Flow(flow) => Some(flow),
                _ => None,
            },
            label,
            cause,
            waited: false,
            assigned: Vec::new(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Node(usize),
    /// Another flow, a goodbye, a return.
    Out,
    /// Off the end.
    End,
    /// Not known because of a finding.
    Unknown,
}

impl Target {
    /// The node of this flow.
    pub fn node(self) -> Option<usize> {
        match self {
            Target::Node(index) => Some(index),
            Target::Out | Target::End | Target::Unknown => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The caller did something.
    Caller,
    /// A person on our side took the contact.
    Person,
    /// It happens by itself.
    Itself,
    /// Saying or asking itself failed, or an expression has no value, and `global.error` takes over. The contact core lets that happen
    /// once on the way to the next listening step, so no loop comes of it.
    Fault,
}

impl<'d> Graph<'d> {
    /// `flows` are the other flows of the project, as far as they are known.
    pub fn new(draft: &'d Draft<'_>, flows: Flows<'d>) -> Graph<'d> {
        let mut arrows: Vec<Vec<Arrow<'d>>> = (0..draft.nodes.len())
            .map(|index| arrows_of(draft, index, flows))
            .collect();
        skipped(draft, &mut arrows);
        let node_of = |edge: &Option<Edge>| target(edge.as_ref()?, 0).node();
        let start = draft.start.map(|start| start.0 as usize);
        let mut roots: Vec<usize> = start.into_iter().collect();
        let too_long = node_of(&draft.global.too_long);
        roots.extend(too_long);
        let mut graph = Graph {
            too_long,
            error: node_of(&draft.global.error),
            reachable: Vec::new(),
            heard: Vec::new(),
            lost: draft.lost_target,
            arrows,
            roots,
        };
        let mut heard = vec![false; graph.arrows.len()];
        for root in &graph.roots {
            graph.spread(*root, &mut heard);
        }
        let mut reachable = heard.clone();
        if let Some(root) = node_of(&draft.global.hangup) {
            graph.roots.push(root);
            graph.spread(root, &mut reachable);
        }
        graph.heard = heard;
        graph.reachable = reachable;
        graph
    }

    /// Marks the nodes that can be come to from one and are not marked yet; gives them. What a marked node leads to has to
    /// be marked too.
    pub fn spread(&self, from: usize, marked: &mut [bool]) -> Vec<usize> {
        let mut reached = Vec::new();
        if !std::mem::replace(&mut marked[from], true) {
            reached.push(from);
        }
        let mut done = 0;
        while let Some(index) = reached.get(done).copied() {
            done += 1;
            for arrow in &self.arrows[index] {
                if let Target::Node(next) = arrow.to
                    && !std::mem::replace(&mut marked[next], true)
                {
                    reached.push(next);
                }
            }
        }
        reached
    }

    /// Whether some target is not known, so that contacts may come by it to where no other way leads.
    pub fn has_lost_ways(&self, draft: &Draft<'_>) -> bool {
        self.lost || !draft.doubtful_targets.is_empty()
    }

    /// Tells of steps and actions that nobody comes to. A step that only unreachable steps lead to is
    /// not told: its cause is.
    pub fn unreachable(&self, draft: &Draft<'_>, strange: &Strange<'_>, report: &mut Report<'_>) {
        if self.lost || draft.start.is_none() {
            return;
        }
        let entry = |step: usize| draft.steps[step].2.0 as usize;
        let mut led_to = vec![false; self.arrows.len()];
        for (index, arrows) in self.arrows.iter().enumerate() {
            for arrow in arrows {
                if let Target::Node(next) = arrow.to
                    && draft.facts[index].step != draft.facts[next].step
                {
                    led_to[next] = true;
                }
            }
        }
        let mut explained = self.reachable.clone();
        for (step, (name, ..)) in draft.steps.iter().enumerate() {
            if explained[entry(step)] {
                continue;
            }
            let meant = |target: &String| misspelt(target, name).is_some();
            if strange.mentions(name) || draft.doubtful_targets.iter().take(MAX_DOUBTFUL).any(meant)
            {
                self.spread(entry(step), &mut explained);
            }
        }
        for only_causes in [true, false] {
            for (step, (name, span, _)) in draft.steps.iter().enumerate() {
                let first = entry(step);
                if explained[first] || (only_causes && led_to[first]) {
                    continue;
                }
                unreachable::step(report, *span, name);
                self.spread(first, &mut explained);
            }
        }
        for (index, facts) in draft.facts.iter().enumerate() {
            if let Some(before) = facts.before.map(|before| before.0 as usize)
                && !self.reachable[index]
                && self.reachable[before]
                && !draft.facts[before].broken
            {
                let leaves = draft.facts[before].head;
                unreachable::action(report, facts.head, Some(leaves));
            }
        }
    }

    /// Tells of actions after which nothing comes.
    pub fn dead_ends(&self, draft: &Draft<'_>, report: &mut Report<'_>) {
        for (index, arrows) in self.arrows.iter().enumerate() {
            let ends = arrows.iter().any(|arrow| arrow.to == Target::End);
            if ends && self.reachable[index] && !draft.facts[index].broken {
                let verb = &draft.nodes[index].verb;
                let what = match arrows.iter().any(|arrow| arrow.to != Target::End) {
                    true => text!("`{verb}` when it is skipped", "`{verb}` 被跳过"),
                    false => Text::same(format!("`{verb}`")),
                };
                dead_end::dead(report, draft.facts[index].head, what);
            }
        }
    }
}

fn target(edge: &Edge, own: usize) -> Target {
    match edge {
        Edge::Node(id) if *id == UNKNOWN => Target::Unknown,
        Edge::Node(NodeId(index)) => Target::Node(*index as usize),
        Edge::Flow(_) => Target::Out,
        Edge::Repeat => Target::Node(own),
        Edge::End => Target::End,
    }
}

/// How long a step waits for people before its `timeout`, in milliseconds, as far as that is written in the flow.
fn people_wait_ms(node: &Node, facts: &Facts<'_>) -> u64 {
    let Some(step) = facts.description.filter(|step| !step.people.is_empty()) else {
        return 0;
    };
    match &node.action {
        Action::Step(call) => match &call.input {
            Template::Object(input) if node.verb != "use" => durations(Some(step), input, 0),
            _ => 0,
        },
        _ => 0,
    }
}

/// The ways on from actions that fail where nothing takes over: after `global.error` was followed, until the contact is heard
/// again, and after a hang-up. There they count as skipped, and give no variable a value.
fn skipped<'d>(draft: &'d Draft<'_>, arrows: &mut [Vec<Arrow<'d>>]) {
    let roots = [&draft.global.error, &draft.global.hangup];
    let roots = roots.into_iter().flatten();
    let mut there: Vec<usize> = roots.filter_map(|edge| target(edge, 0).node()).collect();
    let mut seen = vec![false; arrows.len()];
    while let Some(index) = there.pop() {
        if std::mem::replace(&mut seen[index], true) {
            continue;
        }
        let node = &draft.nodes[index];
        let to = target(node.after_failure(), index);
        let gives = arrows[index].iter().any(|arrow| !arrow.assigned.is_empty());
        if gives && node.may_fail() && matches!(to, Target::Node(_)) {
            let skipped = Arrow::along(node.after_failure(), index, "", Cause::Itself);
            arrows[index].push(skipped);
        }
        let on = arrows[index].iter();
        let on = on.filter(|arrow| arrow.cause != Cause::Caller);
        there.extend(on.filter_map(|arrow| arrow.to.node()));
    }
}

/// Every way on from a node.
fn arrows_of<'d>(draft: &'d Draft<'_>, index: usize, flows: Flows<'d>) -> Vec<Arrow<'d>> {
    let node = &draft.nodes[index];
    let facts = &draft.facts[index];
    let mut arrows = Vec::new();
    let always: Vec<usize> = facts
        .assigned
        .iter()
        .filter(|assigned| assigned.outcome.is_none())
        .map(|assigned| assigned.binding)
        .collect();
    let assigned_on = |label: &str| -> Vec<usize> {
        let on = facts.assigned.iter().filter(|one| {
            one.outcome
                .as_deref()
                .is_none_or(|outcome| outcome == label)
        });
        on.map(|one| one.binding).collect()
    };
    // Where people are waited for, only `timeout` says that it took its time. All else may come at once: nobody there, nobody free.
    let waited = people_wait_ms(node, facts) >= MIN_WAIT_MS;
    let mut add = |edge: &'d Edge, label: &'d str, cause: Cause, assigned: Vec<usize>| {
        arrows.push(Arrow {
            waited: waited && label == "timeout" && cause == Cause::Itself,
            assigned,
            ..Arrow::along(edge, index, label, cause)
        });
    };
    if node.when.is_some() {
        add(&node.next, "", Cause::Itself, Vec::new());
    }
    match &node.action {
        Action::Step(call) => {
            let people = facts
                .description
                .map(|description| description.people.as_slice())
                .unwrap_or_default();
            let cause = |label: &str| {
                if facts.keys.contains_key(label) {
                    Cause::Caller
                } else if people.iter().any(|name| name == label) {
                    Cause::Person
                } else if facts.listens && !matches!(label, "no_input" | "error" | "timeout") {
                    Cause::Caller
                } else {
                    Cause::Itself
                }
            };
            let plain = facts
                .description
                .is_some_and(|step| step.outcomes.keys().all(|name| name == "done"));
            for (label, edge) in &call.edges {
                let shown = if plain && label == "done" { "" } else { label };
                add(edge, shown, cause(label), assigned_on(label));
            }
            let covered = |label: &str| call.edges.contains_key(label);
            if let Some(otherwise) = &call.otherwise {
                let outcomes = facts
                    .description
                    .into_iter()
                    .flat_map(|step| step.outcomes.keys());
                for label in outcomes.map(String::as_str).chain(["error", "timeout"]) {
                    if !covered(label) {
                        add(otherwise, label, cause(label), assigned_on(label));
                    }
                }
            } else if let Some(error) = &draft.global.error {
                let cause = if node.verb == "use" {
                    Cause::Itself
                } else {
                    Cause::Fault
                };
                for label in ["error", "timeout"] {
                    if !covered(label) {
                        add(error, label, cause, Vec::new());
                    }
                }
            }
            if facts.listens && node.global_keys {
                for (key, edge) in &draft.global.press {
                    if !facts.keys.contains_key(key) {
                        add(edge, key, Cause::Caller, Vec::new());
                    }
                }
            }
        }
        Action::Call {
            flow,
            edges,
            otherwise,
            with,
            ..
        } => {
            // What the other flow does by itself it says; of one that is not known nobody can tell. What it is given may have no value.
            let signature = flows.and_then(|flows| flows.get(flow));
            let passive = signature.and_then(|signature| signature.passive.as_ref());
            let ungiven = with.values().any(Template::may_fail);
            let by_itself = |label: &str| {
                passive.is_some_and(|flow| flow.outcomes.contains(label))
                    || label == "error" && ungiven
            };
            let cause = |itself: bool| if itself { Cause::Itself } else { Cause::Caller };
            for (label, edge) in edges {
                add(edge, label, cause(by_itself(label)), assigned_on(label));
            }
            if let Some(edge) = otherwise {
                let others = passive.into_iter().flat_map(|flow| &flow.outcomes);
                let itself = others.into_iter().any(|label| !edges.contains_key(label))
                    || ungiven && !edges.contains_key("error");
                add(edge, "else", cause(itself), always.clone());
            } else if let Some(error) = &draft.global.error
                && !edges.contains_key("error")
            {
                add(error, "error", Cause::Itself, Vec::new());
            }
        }
        Action::Choose { arms, otherwise } => {
            for (_, edge) in arms {
                add(edge, "", Cause::Itself, Vec::new());
            }
            add(otherwise, "else", Cause::Itself, Vec::new());
        }
        Action::Switch {
            arms, otherwise, ..
        } => {
            for (label, edge) in arms {
                add(edge, label, Cause::Itself, Vec::new());
            }
            if let Some(edge) = otherwise {
                add(edge, "else", Cause::Itself, Vec::new());
            }
        }
        Action::Set(_) | Action::Tag { .. } | Action::Wait(_) | Action::Goto => {
            add(&node.next, "", Cause::Itself, always);
        }
        Action::Return { .. } | Action::HangUp { .. } => arrows.push(Arrow {
            to: Target::Out,
            flow: None,
            label: "",
            cause: Cause::Itself,
            waited: false,
            assigned: Vec::new(),
        }),
    }
    // What steps and calls end with has its way already.
    let fails = match &node.action {
        Action::Step(_) | Action::Call { .. } => node.when.as_ref().is_some_and(Expr::may_fail),
        _ => node.may_fail(),
    };
    let error = draft.global.error.as_ref().filter(|_| fails);
    arrows.extend(error.map(|error| Arrow::along(error, index, "error", Cause::Fault)));
    arrows
}
