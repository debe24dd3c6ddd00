//! Loops that nobody causes, and places without a way out.

use std::collections::BTreeSet;

use super::graph::{Cause, Graph, Target};
use super::report::Report;
use super::rules::{no_way_out, silent_loop, waits_for_ever};
use super::strong::Ways;
use crate::expr::{Expr, Span};
use crate::lower::Draft;
use crate::plan::{Action, Piece, Template};

/// Most steps named in the way round a loop.
const MAX_SHOWN: usize = 8;

pub(super) fn check(graph: &Graph<'_>, draft: &Draft<'_>, report: &mut Report<'_>) {
    let mut told = vec![false; graph.arrows.len()];
    let mut within = Within {
        place: vec![None; graph.arrows.len()],
    };
    let reachable: Vec<usize> = (0..graph.arrows.len())
        .filter(|index| graph.reachable[*index])
        .collect();
    for group in within.knots(graph, &reachable) {
        silent(graph, draft, report, &group, &mut within, &mut told);
    }
    stuck(graph, draft, report, &told);
}

/// A part of the graph that is looked at apart, so that a look takes no longer in a large graph.
struct Within {
    /// Per node of the graph its place among those looked at.
    place: Vec<Option<usize>>,
}

impl Within {
    /// Knots among some nodes: those that lead to each other, or to themselves, with nobody's doing.
    fn knots(&mut self, graph: &Graph<'_>, nodes: &[usize]) -> Vec<Vec<usize>> {
        for (place, index) in nodes.iter().enumerate() {
            self.place[*index] = Some(place);
        }
        let ways = Ways::new(nodes.len(), |place, to| {
            to.extend(silent_next(graph, nodes[place]).filter_map(|next| self.place[next]));
        });
        for index in nodes {
            self.place[*index] = None;
        }
        let groups = ways.groups();
        let knots = groups
            .iter()
            .filter(|group| group.len() > 1 || ways.from(group[0]).contains(&group[0]));
        knots
            .map(|group| group.iter().map(|place| nodes[*place]).collect())
            .collect()
    }
}

/// One knot of nodes that lead to each other with nobody's doing.
fn silent(
    graph: &Graph<'_>,
    draft: &Draft<'_>,
    report: &mut Report<'_>,
    group: &[usize],
    within: &mut Within,
    told: &mut [bool],
) {
    // A queue that leads back to itself is a wait, not silence.
    let people = |index: usize| {
        draft.facts[index]
            .description
            .is_some_and(|step| !step.people.is_empty())
    };
    let waits: Vec<usize> = group
        .iter()
        .copied()
        .filter(|index| people(*index))
        .collect();
    let counted = counted(graph, draft, group);
    let stays = |index: &usize| !people(*index) && counted.binary_search(index).is_err();
    let left: Vec<usize> = group.iter().copied().filter(stays).collect();
    let rest = within.knots(graph, &left);
    for index in group {
        told[*index] |= !rest.is_empty();
    }
    for cycle in &rest {
        let way = way_round(graph, cycle);
        let path: Vec<(String, Span)> = way
            .iter()
            .take(MAX_SHOWN)
            .map(|index| (draft.nodes[*index].step.clone(), draft.facts[*index].head))
            .collect();
        let mut named: Vec<(String, Span)> = Vec::new();
        for (name, span) in path {
            if named.last().is_none_or(|(last, _)| *last != name) {
                named.push((name, span));
            }
        }
        if let Some(first) = named.first().cloned() {
            if named.len() == 1 || named.last().is_some_and(|(last, _)| *last != first.0) {
                named.push(first.clone());
            }
            silent_loop::looped(report, first.1, &named);
        }
    }
    if rest.is_empty() && counted.is_empty() {
        for index in waits {
            waits_for_ever::waits(report, draft.facts[index].head);
        }
    }
}

/// Choices that leave a loop once a variable, which the loop changes by itself, has got far enough.
fn counted(graph: &Graph<'_>, draft: &Draft<'_>, group: &[usize]) -> Vec<usize> {
    let mut counters: BTreeSet<&str> = BTreeSet::new();
    for index in group {
        if let Action::Set(values) = &draft.nodes[*index].action {
            let changed = values.iter().filter(|(name, value)| reads(value, name));
            counters.extend(changed.map(|(name, _)| name.as_str()));
        }
    }
    let leaves = |index: usize| {
        graph.arrows[index]
            .iter()
            .any(|arrow| !matches!(arrow.to, Target::Node(to) if group.binary_search(&to).is_ok()))
    };
    let looks_at = |expr: &Expr| expr.roots().iter().any(|(name, _)| counters.contains(name));
    group
        .iter()
        .copied()
        .filter(|index| match &draft.nodes[*index].action {
            Action::Choose { arms, .. } => {
                leaves(*index) && arms.iter().any(|(condition, _)| looks_at(condition))
            }
            _ => false,
        })
        .collect()
}

fn reads(template: &Template, name: &str) -> bool {
    let has = |expr: &Expr| expr.roots().iter().any(|(root, _)| *root == name);
    match template {
        Template::Expr(expr) => has(expr),
        Template::Text(pieces) => pieces
            .iter()
            .any(|piece| matches!(piece, Piece::Expr(expr) if has(expr))),
        _ => false,
    }
}

/// A shortest way from the first node of a knot back to it.
fn way_round(graph: &Graph<'_>, group: &[usize]) -> Vec<usize> {
    let inside: BTreeSet<usize> = group.iter().copied().collect();
    let Some(first) = group.iter().copied().min() else {
        return Vec::new();
    };
    let mut before: std::collections::BTreeMap<usize, usize> = std::collections::BTreeMap::new();
    let mut queue = std::collections::VecDeque::from([first]);
    while let Some(index) = queue.pop_front() {
        for next in silent_next(graph, index).filter(|next| inside.contains(next)) {
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

fn silent_next(graph: &Graph<'_>, index: usize) -> impl Iterator<Item = usize> {
    graph.arrows[index]
        .iter()
        .filter_map(|arrow| match (arrow.to, arrow.cause) {
            (Target::Node(next), Cause::Itself) => Some(next),
            _ => None,
        })
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
            .filter_map(|arrow| match arrow.to {
                Target::Node(next) => Some(next),
                Target::Out | Target::End | Target::Unknown => None,
            })
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
