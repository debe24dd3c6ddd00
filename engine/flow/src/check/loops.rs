//! Loops that nobody causes, and places without a way out.

use std::collections::{BTreeMap, BTreeSet, HashSet, VecDeque};

use super::counters::{Circle, Counters, Way};
use super::graph::{Arrow, Cause, Flows, Graph, Target};
use super::report::Report;
use super::rules::silent_loop::Within;
use super::rules::{no_way_out, silent_loop, waits_for_ever};
use super::strong::Ways;
use crate::catalog::FlowSignature;
use crate::expr::Span;
use crate::lower::Draft;
use crate::plan::Action;

/// Most steps named in the way round a loop.
const MAX_SHOWN: usize = 8;

/// A loop that nothing proves to end.
pub(super) struct Loop {
    /// Where it begins.
    pub at: Span,
    /// The steps that are named in the way round it.
    pub named: Vec<(String, Span)>,
    /// What there is on that way.
    pub within: Within,
    /// The nodes that lead to each other there.
    pub nodes: Vec<usize>,
}

/// Finds loops and tells of places without a way out. Loops within the flow are told by
/// [`settle`](super::mistaken::settle).
pub(super) fn check(
    graph: &Graph<'_>,
    counters: &Counters<'_, '_>,
    draft: &Draft<'_>,
    flows: Flows<'_>,
    report: &mut Report<'_>,
) -> Vec<Loop> {
    let mut loops = Vec::new();
    let mut told = vec![false; graph.arrows.len()];
    let reachable: Vec<usize> = (0..graph.arrows.len())
        .filter(|index| graph.reachable[*index])
        .collect();
    let ways = Ways::new(graph.arrows.len(), |index, to| {
        if graph.reachable[index] {
            to.extend(silent_next(graph, index));
        }
    });
    let groups = ways.groups();
    let knots = groups
        .iter()
        .filter(|group| group.len() > 1 || ways.from(group[0]).contains(&group[0]));
    for group in knots {
        loops.extend(silent(graph, counters, draft, report, group, &mut told));
    }
    across(graph, draft, flows, &reachable, report);
    stuck(graph, draft, report, &told);
    loops
}

/// One knot of nodes that lead to each other with nobody's doing; gives the loops in it.
fn silent(
    graph: &Graph<'_>,
    counters: &Counters<'_, '_>,
    draft: &Draft<'_>,
    report: &mut Report<'_>,
    group: &[usize],
    told: &mut [bool],
) -> Vec<Loop> {
    let itself = |_: usize, arrow: &Arrow<'_>| arrow.cause == Cause::Itself;
    // A queue that leads back to itself after its longest wait is a wait, not silence.
    let circles = counters.endless(group, &|_, arrow| at_once(arrow));
    let mut loops = Vec::new();
    for circle in &circles {
        for index in group {
            told[*index] = true;
        }
        let way = way_round(graph, circle);
        let mut named: Vec<(String, Span)> = Vec::new();
        for index in way.iter().take(MAX_SHOWN) {
            let name = &draft.nodes[*index].step;
            if named.last().is_none_or(|(last, _)| last != name) {
                named.push((name.clone(), draft.facts[*index].head));
            }
        }
        if let Some(first) = named.first().cloned() {
            if named.len() == 1 || named.last().is_some_and(|(last, _)| *last != first.0) {
                named.push(first.clone());
            }
            let listens = |index: &usize| draft.facts[*index].listens;
            let within = match way.iter().any(|index| counters.counts(*index)) {
                true => Within::Counting(counters.refused(circle, &|_, arrow| at_once(arrow))),
                false if way.iter().any(listens) => Within::Listening,
                false => Within::Nothing,
            };
            loops.push(Loop {
                at: first.1,
                within,
                named,
                nodes: group.to_vec(),
            });
        }
    }
    let waits = |index: &usize| graph.arrows[*index].iter().any(|arrow| arrow.waited);
    if circles.is_empty() && group.iter().any(waits) {
        for circle in counters.endless(group, &itself) {
            for index in circle.nodes.iter().filter(|index| waits(index)) {
                waits_for_ever::waits(report, draft.facts[*index].head);
            }
        }
    }
    loops
}

/// Flows that lead to each other with nobody's doing: each of them looks well by itself.
fn across(
    graph: &Graph<'_>,
    draft: &Draft<'_>,
    flows: Flows<'_>,
    reachable: &[usize],
    report: &mut Report<'_>,
) {
    let Some(own) = &draft.flow else {
        return;
    };
    // A file that stands alone still knows itself.
    let alone = BTreeMap::new();
    let flows = flows.unwrap_or(&alone);
    let by_itself = by_itself(graph, draft);
    for index in reachable.iter().copied().filter(|index| by_itself[*index]) {
        for flow in leads(graph, draft, index) {
            if let Some(way) = way_back(flow, own, flows) {
                silent_loop::across(report, draft.facts[index].head, own, &way);
            }
        }
    }
}

/// Per node whether a caller who does nothing may come to it from the start.
pub(super) fn by_itself(graph: &Graph<'_>, draft: &Draft<'_>) -> Vec<bool> {
    let mut seen = vec![false; graph.arrows.len()];
    if let Some(start) = draft.start {
        go_on_silently(graph, start.0 as usize, &mut seen);
    }
    seen
}

/// Marks the nodes to which a caller who does nothing may come from one.
pub(super) fn go_on_silently(graph: &Graph<'_>, from: usize, seen: &mut [bool]) {
    let mut open = vec![from];
    while let Some(index) = open.pop() {
        if index < seen.len() && !std::mem::replace(&mut seen[index], true) {
            open.extend(silent_next(graph, index));
        }
    }
}

/// The flows that a node leads to with nobody's doing.
pub(super) fn leads<'g>(
    graph: &'g Graph<'_>,
    draft: &'g Draft<'_>,
    index: usize,
) -> impl Iterator<Item = &'g str> {
    let called = match &draft.nodes[index].action {
        Action::Call { flow, .. } => Some(flow.as_str()),
        _ => None,
    };
    let left_for = graph.arrows[index]
        .iter()
        .filter(|arrow| arrow.cause == Cause::Itself)
        .filter_map(|arrow| arrow.flow);
    called.into_iter().chain(left_for)
}

/// A shortest way from one flow to another with nobody's doing, both named.
fn way_back(from: &str, to: &str, flows: &BTreeMap<String, FlowSignature>) -> Option<Vec<String>> {
    let mut before: BTreeMap<&str, Option<&str>> = BTreeMap::from([(from, None)]);
    let mut queue = VecDeque::from([from]);
    while let Some(name) = queue.pop_front() {
        if name == to {
            let mut way = vec![name.to_owned()];
            let mut at = name;
            while let Some(previous) = before.get(at).copied().flatten() {
                way.push(previous.to_owned());
                at = previous;
            }
            way.reverse();
            return Some(way);
        }
        let signature = flows.get(name);
        let passive = signature.and_then(|signature| signature.passive.as_ref());
        for next in passive.into_iter().flat_map(|passive| &passive.leads) {
            before.entry(next).or_insert_with(|| {
                queue.push_back(next);
                Some(name)
            });
        }
    }
    None
}

/// A shortest way from the first node of a circle back to it.
fn way_round(graph: &Graph<'_>, circle: &Circle) -> Vec<usize> {
    let inside: BTreeSet<usize> = circle.nodes.iter().copied().collect();
    let Some(first) = inside.first().copied() else {
        return Vec::new();
    };
    let mut before: BTreeMap<usize, usize> = BTreeMap::new();
    let mut queue = VecDeque::from([first]);
    while let Some(index) = queue.pop_front() {
        for next in at_once_next(graph, index, &circle.cut).filter(|next| inside.contains(next)) {
            if next == first {
                let mut way = vec![index];
                let mut at = index;
                while let Some(previous) = before.get(&at) {
                    at = *previous;
                    way.push(at);
                }
                way.reverse();
                return way;
            }
            before.entry(next).or_insert_with(|| {
                queue.push_back(next);
                index
            });
        }
    }
    vec![first]
}

/// What a node leads to with nobody's doing.
fn silent_next(graph: &Graph<'_>, index: usize) -> impl Iterator<Item = usize> {
    let arrows = graph.arrows[index].iter();
    arrows
        .filter(|arrow| arrow.cause == Cause::Itself)
        .filter_map(|arrow| arrow.to.node())
}

/// What a node leads to at once with nobody's doing, but for some ways.
fn at_once_next(
    graph: &Graph<'_>,
    index: usize,
    cut: &HashSet<Way>,
) -> impl Iterator<Item = usize> {
    graph.arrows[index]
        .iter()
        .enumerate()
        .filter(move |(place, arrow)| at_once(arrow) && !cut.contains(&(index, *place)))
        .filter_map(|(_, arrow)| arrow.to.node())
}

/// Whether a way comes with nobody's doing and without waiting for anybody.
fn at_once(arrow: &Arrow<'_>) -> bool {
    arrow.cause == Cause::Itself && !arrow.waited
}

/// Nodes from which no way leads to a person, a goodbye, a return or another flow.
fn stuck(graph: &Graph<'_>, draft: &Draft<'_>, report: &mut Report<'_>, told: &[bool]) {
    let count = graph.arrows.len();
    let back = backwards(graph);
    let mut ahead: Vec<bool> = vec![false; count];
    for (index, arrows) in graph.arrows.iter().enumerate() {
        for arrow in arrows {
            ahead[index] |= !matches!(arrow.to, Target::Node(_)) || arrow.cause == Cause::Person;
        }
        ahead[index] |= draft.facts[index].broken;
    }
    let mut queue: Vec<usize> = (0..count).filter(|index| ahead[*index]).collect();
    while let Some(index) = queue.pop() {
        for previous in back.from(index) {
            if !std::mem::replace(&mut ahead[*previous], true) {
                queue.push(*previous);
            }
        }
    }
    // Whatever leads into a loop that has been told needs no second finding.
    let mut explained = vec![false; count];
    let mut queue: Vec<usize> = (0..count).filter(|index| told[*index]).collect();
    while let Some(index) = queue.pop() {
        if !std::mem::replace(&mut explained[index], true) {
            queue.extend(back.from(index));
        }
    }
    let mut followed = vec![false; count];
    for index in 0..count {
        if graph.reachable[index] && !ahead[index] && !explained[index] {
            no_way_out::stuck(report, draft.facts[index].head, &draft.nodes[index].step);
            for reached in graph.spread(index, &mut followed) {
                explained[reached] = true;
            }
            let mut queue = vec![index];
            while let Some(at) = queue.pop() {
                for previous in back.from(at) {
                    if !std::mem::replace(&mut explained[*previous], true) {
                        queue.push(*previous);
                    }
                }
            }
        }
    }
}

/// The ways of the graph in the other direction.
fn backwards(graph: &Graph<'_>) -> Ways {
    let count = graph.arrows.len();
    let targets = |index: usize| {
        graph.arrows[index]
            .iter()
            .filter_map(|arrow| arrow.to.node())
    };
    let mut arrows: Vec<(usize, usize)> = (0..count)
        .flat_map(|from| targets(from).map(move |to| (to, from)))
        .collect();
    arrows.sort_unstable();
    let mut rest = arrows.as_slice();
    Ways::new(count, |index, before| {
        let own = rest.iter().take_while(|(to, _)| *to == index).count();
        before.extend(rest[..own].iter().map(|(_, from)| *from));
        rest = &rest[own..];
    })
}
