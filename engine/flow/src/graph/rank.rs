//! Which row a card stands in: one below everything that leads to it, loops left out.

use super::Graph;

/// A graph without loops: the arrows that close one are turned round.
pub(super) struct Ranked {
    /// Row of each card.
    pub row: Vec<usize>,
    /// Whether an arrow is turned round.
    pub turned: Vec<bool>,
}

pub(super) fn rank(graph: &Graph) -> Ranked {
    let count = graph.cards.len();
    let mut leaving: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (index, arrow) in graph.arrows.iter().enumerate() {
        leaving[arrow.from].push(index);
    }
    let turned = turned(graph, &leaving);
    let ends = |index: usize| {
        let arrow = &graph.arrows[index];
        match turned[index] {
            true => (arrow.to, arrow.from),
            false => (arrow.from, arrow.to),
        }
    };
    let mut waiting = vec![0usize; count];
    let mut below: Vec<Vec<usize>> = vec![Vec::new(); count];
    for index in 0..graph.arrows.len() {
        let (from, to) = ends(index);
        if from != to {
            below[from].push(to);
            waiting[to] += 1;
        }
    }
    let mut row = vec![0usize; count];
    let mut open: Vec<usize> = (0..count).filter(|card| waiting[*card] == 0).collect();
    while let Some(card) = open.pop() {
        for to in &below[card] {
            row[*to] = row[*to].max(row[card] + 1);
            waiting[*to] -= 1;
            if waiting[*to] == 0 {
                open.push(*to);
            }
        }
    }
    // What nothing leads to stands right above what it leads to, not at the top.
    for card in 1..count {
        let lonely =
            !(0..graph.arrows.len()).any(|index| ends(index).1 == card && ends(index).0 != card);
        if lonely && let Some(next) = below[card].iter().map(|to| row[*to]).min() {
            row[card] = next.saturating_sub(1);
        }
    }
    Ranked { row, turned }
}

/// The arrows that lead back to a card on the way to them, found by walking from the first card.
fn turned(graph: &Graph, leaving: &[Vec<usize>]) -> Vec<bool> {
    #[derive(Clone, Copy, PartialEq)]
    enum Seen {
        No,
        OnTheWay,
        Done,
    }
    let mut turned = vec![false; graph.arrows.len()];
    let mut seen = vec![Seen::No; graph.cards.len()];
    for root in 0..graph.cards.len() {
        if seen[root] != Seen::No {
            continue;
        }
        seen[root] = Seen::OnTheWay;
        let mut way = vec![(root, 0usize)];
        while let Some((card, next)) = way.last_mut() {
            let Some(index) = leaving[*card].get(*next).copied() else {
                seen[*card] = Seen::Done;
                way.pop();
                continue;
            };
            *next += 1;
            let to = graph.arrows[index].to;
            match seen[to] {
                Seen::OnTheWay => turned[index] = true,
                Seen::Done => {}
                Seen::No => {
                    seen[to] = Seen::OnTheWay;
                    way.push((to, 0));
                }
            }
        }
    }
    turned
}
