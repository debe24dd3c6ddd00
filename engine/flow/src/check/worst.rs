//! The worst that can happen to a caller, in time: until a person or a goodbye, and in silence.
//!
//! Both are longest ways through the graph. Ways that only the caller can take do not count for the time to
//! a person: it is that of somebody who does nothing, for whom a flow has no loops. Where a way can still
//! go in circles, the flow's longest duration is the bound.

use super::graph::{Arrow, Cause, Graph, Target};
use super::report::Report;
use super::rules::dead_air;
use super::spent::{Spent, spent};
use super::strong::Ways;
use crate::lower::Draft;
use crate::plan::Action;

/// Longest silence, in milliseconds: after that callers think the line is dead.
pub(super) const MAX_SILENCE_MS: u64 = 8_000;

/// Time for a goodbye once a contact has lasted too long, in milliseconds.
pub const GOODBYE_MS: u64 = 60_000;

/// Longest time for the apology after a fault, in milliseconds.
pub const APOLOGY_MS: u64 = 20_000;

/// The worst that can happen to a caller.
///
/// Speech counts by its length in letters, an inserted value as three seconds, audio without a text as ten.
/// The time in another flow that is called does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorstCase {
    /// Longest time, in milliseconds, until somebody who does nothing comes to a person or a step that waits
    /// for one, a goodbye, a `return:` or another flow.
    pub to_person_ms: u64,
    /// Longest time, in milliseconds, until any contact that began in this flow is over, unless a step with a
    /// person holds it: the longest duration, a goodbye, an apology.
    pub to_end_ms: u64,
    /// Longest silence, in milliseconds, that is not the caller's turn to speak.
    pub silence_ms: u64,
    /// The line after which that silence ends, from 1; 0 when nothing is ever silent.
    pub silence_line: u32,
    /// Flows that are called, whose own time comes on top.
    pub calls: Vec<String>,
}

/// The bounds of a flow; silences that add up to too much are told.
pub(super) fn check(graph: &Graph<'_>, draft: &Draft<'_>, report: &mut Report<'_>) -> WorstCase {
    let spent: Vec<Spent> = (0..draft.nodes.len())
        .map(|index| spent(draft, index))
        .collect();
    let cap = draft.max_duration_ms;
    let to_end_ms = cap.saturating_add(GOODBYE_MS + APOLOGY_MS);
    let leads_on = |index: usize, arrow: &Arrow<'_>| {
        !spent[index].people
            && (arrow.cause == Cause::Itself
                || matches!(draft.nodes[index].action, Action::Call { .. }))
    };
    let ways = ways(graph, leads_on);
    let mut begin = vec![None; graph.arrows.len()];
    if let Some(start) = draft.start {
        begin[start.0 as usize] = Some(0);
    }
    let arrived = longest(&ways, begin, to_end_ms, |index| spent[index].ms);
    let to_person_ms = arrived
        .iter()
        .enumerate()
        .filter_map(|(index, at)| {
            let at = (*at)?;
            match spent[index].people {
                true => Some(at),
                false => Some(at.saturating_add(spent[index].ms)),
            }
        })
        .max()
        .unwrap_or(0)
        .min(to_end_ms);
    let silent = longest_silence(graph, &spent, cap);
    let mut worst = (0, 0);
    for (index, before) in silent.iter().enumerate() {
        let Some(before) = *before else { continue };
        let own = spent[index].silence_ms;
        let total = before
            .saturating_add(own)
            .max(spent[index].silence_after_ms);
        if total > worst.0 {
            worst = (total, draft.nodes[index].line);
        }
        let crosses = total > MAX_SILENCE_MS && before <= MAX_SILENCE_MS && before > 0;
        if crosses && own <= MAX_SILENCE_MS && own > 0 && !draft.facts[index].broken {
            dead_air::added_up(report, draft.facts[index].head, before, own);
        }
    }
    let mut calls: Vec<String> = draft
        .nodes
        .iter()
        .enumerate()
        .filter(|(index, _)| graph.reachable[*index])
        .filter_map(|(_, node)| match &node.action {
            Action::Call { flow, .. } => Some(flow.clone()),
            _ => None,
        })
        .collect();
    calls.sort();
    calls.dedup();
    WorstCase {
        to_person_ms,
        to_end_ms,
        silence_ms: worst.0,
        silence_line: worst.1,
        calls,
    }
}

/// How long it has been silent, at most, when a contact comes to each node.
fn longest_silence(graph: &Graph<'_>, spent: &[Spent], cap: u64) -> Vec<Option<u64>> {
    // A node after which something was heard hands on its own last silence and nothing of what was before:
    // such silences are where the ways begin.
    let mut begin: Vec<Option<u64>> = vec![None; graph.arrows.len()];
    for root in &graph.roots {
        begin[*root] = Some(0);
    }
    for (index, arrows) in graph.arrows.iter().enumerate() {
        if !graph.reachable[index] || spent[index].passes_silence {
            continue;
        }
        for next in arrows.iter().filter_map(|arrow| node_of(arrow.to)) {
            let handed = spent[index].silence_after_ms;
            begin[next] = Some(begin[next].unwrap_or(0).max(handed));
        }
    }
    let passes = |index: usize, arrow: &Arrow<'_>| {
        spent[index].passes_silence || (spent[index].skippable && arrow.label.is_empty())
    };
    longest(&ways(graph, passes), begin, cap, |index| {
        match spent[index].passes_silence {
            true => spent[index].silence_ms,
            false => 0,
        }
    })
}

/// The arrows that a condition lets pass.
fn ways(graph: &Graph<'_>, passes: impl Fn(usize, &Arrow<'_>) -> bool) -> Ways {
    Ways::new(graph.arrows.len(), |index, to| {
        let arrows = graph.arrows[index].iter();
        let passed = arrows.filter(|arrow| passes(index, arrow));
        to.extend(passed.filter_map(|arrow| node_of(arrow.to)));
    })
}

fn node_of(target: Target) -> Option<usize> {
    match target {
        Target::Node(index) => Some(index),
        Target::Out | Target::End | Target::Unknown => None,
    }
}

/// Per node the longest way to it, each node taking its time; `cap` where a circle makes it as long as one likes.
fn longest(
    ways: &Ways,
    mut at: Vec<Option<u64>>,
    cap: u64,
    takes: impl Fn(usize) -> u64,
) -> Vec<Option<u64>> {
    let mut group_of = vec![0; at.len()];
    let groups = ways.groups();
    for (number, group) in groups.iter().enumerate() {
        for index in group {
            group_of[*index] = number;
        }
    }
    // Groups come with what they lead to first.
    for (number, group) in groups.iter().enumerate().rev() {
        let Some(most) = group.iter().filter_map(|index| at[*index]).max() else {
            continue;
        };
        let circles = group.iter().any(|index| {
            takes(*index) > 0 && ways.from(*index).iter().any(|to| group_of[*to] == number)
        });
        let most = if circles { cap } else { most };
        for index in group {
            at[*index] = Some(most);
            let there = most.saturating_add(takes(*index)).min(cap);
            for to in ways.from(*index) {
                if group_of[*to] != number {
                    at[*to] = Some(at[*to].unwrap_or(0).max(there));
                }
            }
        }
    }
    at
}
