//! The worst that can happen to a caller, in time: until a person or a goodbye, and in silence.
//!
//! Both are longest ways through the graph. Ways that only the caller can take do not count for the time to
//! a person: it is that of somebody who does nothing, for whom a flow has no loops. Where a way can still
//! go in circles, the flow's longest duration is the bound.

use super::graph::{Cause, Graph, Target};
use super::report::Report;
use super::rules::dead_air;
use super::spent::{Spent, spent};
use super::strong;
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
pub(super) fn check(graph: &Graph, draft: &Draft<'_>, report: &mut Report<'_>) -> WorstCase {
    let spent: Vec<Spent> = (0..draft.nodes.len())
        .map(|index| spent(draft, index))
        .collect();
    let cap = draft.max_duration_ms;
    let to_end_ms = cap.saturating_add(GOODBYE_MS + APOLOGY_MS);
    let start = draft.start.map(|start| start.0 as usize);
    let arrived = longest(graph, start, to_end_ms, |index| {
        let people = spent[index].people;
        graph.arrows[index]
            .iter()
            .filter(move |_| !people)
            .filter(|arrow| {
                arrow.cause == Cause::Itself
                    || matches!(draft.nodes[index].action, Action::Call { .. })
            })
            .filter_map(|arrow| node_of(arrow.to))
            .map(|next| (next, spent[index].ms))
            .collect()
    });
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
fn longest_silence(graph: &Graph, spent: &[Spent], cap: u64) -> Vec<Option<u64>> {
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
    let passing = |index: usize| -> Vec<(usize, u64)> {
        let silent = spent[index].passes_silence;
        let skips = spent[index].skippable;
        graph.arrows[index]
            .iter()
            .filter(|arrow| silent || (skips && arrow.label.is_empty()))
            .filter_map(|arrow| node_of(arrow.to))
            .map(|next| (next, if silent { spent[index].silence_ms } else { 0 }))
            .collect()
    };
    longest_from(graph.arrows.len(), begin, cap, passing)
}

fn node_of(target: Target) -> Option<usize> {
    match target {
        Target::Node(index) => Some(index),
        Target::Out | Target::End | Target::Unknown => None,
    }
}

fn longest(
    graph: &Graph,
    start: Option<usize>,
    cap: u64,
    next: impl Fn(usize) -> Vec<(usize, u64)>,
) -> Vec<Option<u64>> {
    let mut begin = vec![None; graph.arrows.len()];
    if let Some(start) = start {
        begin[start] = Some(0);
    }
    longest_from(graph.arrows.len(), begin, cap, next)
}

/// Per node the longest way to it; `cap` where a circle makes it as long as one likes.
fn longest_from(
    count: usize,
    mut at: Vec<Option<u64>>,
    cap: u64,
    next: impl Fn(usize) -> Vec<(usize, u64)>,
) -> Vec<Option<u64>> {
    let ways: Vec<Vec<(usize, u64)>> = (0..count).map(next).collect();
    let plain: Vec<Vec<usize>> = ways
        .iter()
        .map(|ways| ways.iter().map(|(next, _)| *next).collect())
        .collect();
    let mut group_of = vec![0; count];
    let groups = strong::groups(&plain);
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
            ways[*index]
                .iter()
                .any(|(to, ms)| group_of[*to] == number && *ms > 0)
        });
        let most = if circles { cap } else { most };
        for index in group {
            at[*index] = Some(most);
            for (to, ms) in &ways[*index] {
                if group_of[*to] != number {
                    let there = most.saturating_add(*ms).min(cap);
                    at[*to] = Some(at[*to].unwrap_or(0).max(there));
                }
            }
        }
    }
    at
}
