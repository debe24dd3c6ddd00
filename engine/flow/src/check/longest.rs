//! Longest ways through a flow's graph: how late a contact may come to each node.

use super::counters::{Counters, Passes};
use super::graph::Graph;
use super::strong::Ways;

/// Longest ways through a graph, at most `cap`.
pub(super) struct Longest<'g, 'd, 'c> {
    pub graph: &'g Graph<'g>,
    pub counters: &'c Counters<'g, 'd>,
    pub cap: u64,
}

impl Longest<'_, '_, '_> {
    /// Per node the longest way to it over the arrows that pass, each node taking its time.
    pub fn to_each(
        &self,
        passes: Passes<'_>,
        at: Vec<Option<u64>>,
        takes: &dyn Fn(usize) -> u64,
    ) -> Vec<Option<u64>> {
        self.along(passes, at, takes, &mut |_, _| {})
    }

    /// The same; `circles` is told the nodes of every circle that takes time, and the longest way into it.
    pub fn along(
        &self,
        passes: Passes<'_>,
        mut at: Vec<Option<u64>>,
        takes: &dyn Fn(usize) -> u64,
        circles: &mut dyn FnMut(&[usize], u64),
    ) -> Vec<Option<u64>> {
        let ways = Ways::new(at.len(), |index, to| {
            let arrows = self.graph.arrows[index].iter();
            let passed = arrows.filter(|arrow| passes(index, arrow));
            to.extend(passed.filter_map(|arrow| arrow.to.node()));
        });
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
            let takes_time = group.iter().any(|index| {
                takes(*index) > 0 && ways.from(*index).iter().any(|to| group_of[*to] == number)
            });
            if takes_time {
                circles(group, most);
                let entries: Vec<usize> = group
                    .iter()
                    .copied()
                    .filter(|index| at[*index].is_some())
                    .collect();
                self.round(group, &entries, most, passes, &mut at, takes);
            } else {
                group.iter().for_each(|index| at[*index] = Some(most));
            }
            for index in group {
                let there = at[*index].unwrap_or(most).saturating_add(takes(*index));
                for to in ways.from(*index) {
                    if group_of[*to] != number {
                        at[*to] = Some(at[*to].unwrap_or(0).max(there.min(self.cap)));
                    }
                }
            }
        }
        at
    }

    /// The longest ways within a circle that is entered after `most`: as many rounds as it counts, or as long as one likes.
    fn round(
        &self,
        group: &[usize],
        entries: &[usize],
        most: u64,
        passes: Passes<'_>,
        at: &mut [Option<u64>],
        takes: &dyn Fn(usize) -> u64,
    ) {
        let Some(rounds) = self.counters.rounds(group, entries, passes) else {
            group.iter().for_each(|index| at[*index] = Some(self.cap));
            return;
        };
        // Without the ways that are held no circle is left: a round is a way through what is.
        let ways = Ways::new(group.len(), |place, to| {
            let index = group[place];
            let arrows = self.graph.arrows[index].iter().enumerate();
            let passed = arrows.filter(|(arrow, way)| {
                passes(index, way) && !rounds.held.contains(&(index, *arrow))
            });
            let next = passed.filter_map(|(_, arrow)| arrow.to.node());
            to.extend(next.filter_map(|next| group.binary_search(&next).ok()));
        });
        // The first round begins where contacts come in, the others behind a held way.
        let place_of = |index: usize| group.binary_search(&index).ok();
        let heads = rounds.held.iter().filter_map(|(from, arrow)| {
            let to = self.graph.arrows[*from][*arrow].to;
            to.node().and_then(place_of)
        });
        let (first, first_ms) = through(
            &ways,
            &mut entries.iter().filter_map(|index| place_of(*index)),
            &|place| takes(group[place]),
        );
        let (later, later_ms) = through(&ways, &mut { heads }, &|place| takes(group[place]));
        let before = later_ms
            .saturating_mul(rounds.visits.saturating_sub(2))
            .saturating_add(first_ms);
        for (place, index) in group.iter().enumerate() {
            let later = later[place].filter(|_| rounds.visits > 1);
            let later = later.map(|ms| before.saturating_add(ms));
            let within = first[place].max(later).unwrap_or(0);
            at[*index] = Some(most.saturating_add(within).min(self.cap));
        }
    }
}

/// Per node the longest way to it from some others through a graph without circles, and the longest of all with the time of its last node.
fn through(
    ways: &Ways,
    from: &mut dyn Iterator<Item = usize>,
    takes: &dyn Fn(usize) -> u64,
) -> (Vec<Option<u64>>, u64) {
    let groups = ways.groups();
    let mut within = vec![None; groups.iter().len()];
    for place in from {
        within[place] = Some(0);
    }
    let mut longest = 0u64;
    // Groups, each a single node, come with what they lead to first.
    for place in groups.iter().rev().flatten().copied() {
        let Some(at) = within[place] else { continue };
        let there: u64 = takes(place).saturating_add(at);
        longest = longest.max(there);
        for to in ways.from(place) {
            within[*to] = within[*to].max(Some(there));
        }
    }
    (within, longest)
}
