//! Proofs that a loop ends because it counts.
//!
//! A counter of a part of the graph is a variable of the type `number` to which this part does nothing but add
//! constants, all up or all down, and which begins with a constant. A way is *held* by
//! the counter when it can be taken only while the counter has not passed a constant in the direction in which it
//! counts. Nobody can go for ever over a held way and a step that counts: the counter would pass the constant. So a part ends
//! if it ends without the held ways, and also without the steps that count. What is left of it is looked at
//! the same way, with another counter or none, until no circle is left.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::graph::{Arrow, Graph, Target};
use super::rules::silent_loop::Refused;
use super::strong::Ways;
use crate::expr::{Expr, Limit};
use crate::lower::Draft;
use crate::plan::{Action, Template};
use crate::value::{Type, Value};

/// A way out of a node: the node, and the place among its arrows.
pub(super) type Way = (usize, usize);

/// Largest number that a counter may begin with or be held against: far below where adding one to a number changes
/// nothing any more.
const MAX_NUMBER: f64 = 1e9;

/// Smallest step of a counter.
const MIN_STEP: f64 = 1e-3;

/// Sums of fractions that are made one by one to see how many rounds they are. More rounds are reckoned.
const MAX_SUMS: u32 = 1_000;

/// Looks at parts of the graph for the proofs of one file, as a multiple of its nodes. Beyond that a loop counts as one
/// without a proof.
const MAX_LOOKS: usize = 64;

/// What a node does to a variable.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Change {
    To(f64),
    By(f64),
    Unknown,
}

/// The counters of a flow.
pub(super) struct Counters<'g, 'd> {
    graph: &'g Graph<'g>,
    draft: &'g Draft<'d>,
    /// Per variable of the type `number` the nodes that change it; only those that something counts.
    changes: BTreeMap<&'g str, Vec<(usize, Change)>>,
    /// Per node that counts, which variables.
    counts: BTreeMap<usize, Vec<&'g str>>,
    /// Looks that are left.
    looks: std::cell::Cell<usize>,
}

/// A counter in a part of the graph.
struct Counter {
    /// The nodes that count.
    steps: BTreeSet<usize>,
    /// The ways that it holds.
    held: HashSet<Way>,
    /// How often a held way can be taken when the first time comes before any step that counts.
    rounds: u64,
}

/// What a way is held against, as a counter that counts up sees it.
#[derive(Clone, Copy)]
struct Held {
    limit: f64,
    /// Whether the counter may have reached the limit.
    reached: bool,
}

impl Held {
    const NONE: Held = Held {
        limit: f64::NEG_INFINITY,
        reached: false,
    };

    fn max(self, other: Held) -> Held {
        let farther = other.limit > self.limit || (other.limit == self.limit && other.reached);
        if farther { other } else { self }
    }

    fn holds(self, number: f64) -> bool {
        number < self.limit || (self.reached && number == self.limit)
    }

    /// How often, at most, the way can be taken by a counter that begins with `start` and adds at least `step` between
    /// two times. Beyond `enough` nobody asks how many more they are.
    fn rounds(self, start: f64, step: f64, enough: f64) -> f64 {
        let times = |step: f64| {
            let times = (self.limit - start) / step;
            let times = if self.reached {
                times.floor() + 1.0
            } else {
                times.ceil()
            };
            times.max(0.0)
        };
        let numbers = [start, step, self.limit];
        if numbers.iter().all(|number| number.fract() == 0.0) || times(step) > enough {
            return times(step);
        }
        // Sums of fractions are rounded: eight times 0.1 is less than 0.8. More on another way, or from a larger
        // number, never makes a smaller sum: these sums are the least.
        let mut number = start;
        for taken in 0..MAX_SUMS {
            if !self.holds(number) {
                return f64::from(taken);
            }
            number += step;
        }
        // A sum loses half of its last binary place at most, and so does each number of this reckoning.
        let size = numbers.iter().map(|number| number.abs()).sum::<f64>();
        times(step - size * 8.0 * f64::EPSILON)
    }
}

/// A part of the graph that may go round for ever: its nodes, and the ways that do not count.
pub(super) struct Circle {
    pub nodes: Vec<usize>,
    pub cut: HashSet<Way>,
}

/// How often a part can be gone round.
pub(super) struct Rounds {
    /// How often a contact can come through each node.
    pub visits: u64,
    /// Without these ways no circle is left.
    pub held: HashSet<Way>,
}

/// Which arrows of a node are looked at.
pub(super) type Passes<'p> = &'p dyn Fn(usize, &Arrow<'_>) -> bool;

impl<'g, 'd> Counters<'g, 'd> {
    pub fn new(graph: &'g Graph<'g>, draft: &'g Draft<'d>) -> Counters<'g, 'd> {
        let mut changes: BTreeMap<&str, Vec<(usize, Change)>> = BTreeMap::new();
        let mut counts: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
        for (index, node) in draft.nodes.iter().enumerate() {
            let Action::Set(values) = &node.action else {
                continue;
            };
            for (name, value) in values {
                let change = change(name, value);
                if matches!(change, Change::By(_)) && is_number(draft, name) {
                    counts.entry(index).or_default().push(name);
                    changes.entry(name).or_default();
                }
            }
        }
        for (index, (node, facts)) in draft.nodes.iter().zip(&draft.facts).enumerate() {
            match &node.action {
                Action::Set(values) => {
                    for (name, value) in values {
                        if let Some(known) = changes.get_mut(name.as_str()) {
                            known.push((index, change(name, value)));
                        }
                    }
                }
                _ => {
                    for assigned in &facts.assigned {
                        let name = draft.bindings[assigned.binding].name.as_str();
                        if let Some(known) = changes.get_mut(name) {
                            known.push((index, Change::Unknown));
                        }
                    }
                }
            }
        }
        Counters {
            graph,
            draft,
            changes,
            counts,
            looks: std::cell::Cell::new(MAX_LOOKS * draft.nodes.len().max(16)),
        }
    }

    /// Whether a node counts something.
    pub fn counts(&self, index: usize) -> bool {
        self.counts.contains_key(&index)
    }

    /// The circles among some nodes that nothing proves to end.
    pub fn endless(&self, nodes: &[usize], passes: Passes<'_>) -> Vec<Circle> {
        self.unproven(nodes, &HashSet::new(), passes)
    }

    fn unproven(&self, nodes: &[usize], cut: &HashSet<Way>, passes: Passes<'_>) -> Vec<Circle> {
        let mut endless = Vec::new();
        for knot in self.knots(nodes, cut, passes) {
            let mut left: Option<Vec<Circle>> = None;
            for name in self.names(&knot) {
                let Some(left_looks) = self.looks.get().checked_sub(knot.len()) else {
                    break;
                };
                self.looks.set(left_looks);
                let Ok(counter) = self.counter(name, &knot, cut, passes) else {
                    continue;
                };
                let more: HashSet<Way> = cut.union(&counter.held).copied().collect();
                let mut rest = self.unproven(&knot, &more, passes);
                if rest.is_empty() {
                    let other: Vec<usize> = knot
                        .iter()
                        .copied()
                        .filter(|index| !counter.steps.contains(index))
                        .collect();
                    rest = self.unproven(&other, cut, passes);
                }
                if rest.is_empty() {
                    left = Some(rest);
                    break;
                }
                // The first attempt says most: its counter is the first in the order of names.
                left.get_or_insert(rest);
            }
            match left {
                Some(rest) => endless.extend(rest),
                None => endless.push(Circle {
                    nodes: knot,
                    cut: cut.clone(),
                }),
            }
        }
        endless
    }

    /// Why a circle that something counts is not proven to end, where it is counted as it should be.
    pub fn refused(&self, circle: &Circle, passes: Passes<'_>) -> Option<Refused> {
        let mut knot = circle.nodes.clone();
        knot.sort_unstable();
        let names = self.names(&knot).into_iter();
        let mut counters = names.map(|name| self.counter(name, &knot, &circle.cut, passes));
        counters.find_map(|counter| counter.err().flatten())
    }

    /// How often a knot can be gone round, by one counter that holds every circle; `entries` are the nodes at which
    /// contacts come in.
    pub fn rounds(&self, knot: &[usize], entries: &[usize], passes: Passes<'_>) -> Option<Rounds> {
        let none = HashSet::new();
        for name in self.names(knot) {
            let looks = self.looks.get().checked_sub(knot.len())?;
            self.looks.set(looks);
            let Ok(counter) = self.counter(name, knot, &none, passes) else {
                continue;
            };
            if !self.knots(knot, &counter.held, passes).is_empty() {
                continue;
            }
            // Between two held ways the counter has to count, or they are not as many as it counts.
            let tails: HashSet<usize> = counter.held.iter().map(|(from, _)| *from).collect();
            let heads = counter.held.iter().filter_map(|(from, arrow)| {
                match self.graph.arrows[*from][*arrow].to {
                    Target::Node(to) => Some(to),
                    _ => None,
                }
            });
            let comes_to_one = |from: Vec<usize>| {
                let reached = self.uncounted(knot, from, &counter, passes);
                reached.iter().any(|index| tails.contains(index))
            };
            if comes_to_one(heads.collect()) {
                continue;
            }
            let taken = match comes_to_one(entries.to_vec()) {
                true => counter.rounds,
                false => counter.rounds.saturating_sub(1),
            };
            return Some(Rounds {
                visits: taken + 1,
                held: counter.held,
            });
        }
        None
    }

    /// The nodes of a knot that can be come to without counting and without a held way.
    fn uncounted(
        &self,
        knot: &[usize],
        from: Vec<usize>,
        counter: &Counter,
        passes: Passes<'_>,
    ) -> HashSet<usize> {
        let mut reached: HashSet<usize> = HashSet::new();
        let mut open = from;
        while let Some(index) = open.pop() {
            if counter.steps.contains(&index)
                || knot.binary_search(&index).is_err()
                || !reached.insert(index)
            {
                continue;
            }
            let next = self.ways_of(index, &counter.held, passes);
            open.extend(next.map(|(_, to)| to));
        }
        reached
    }

    /// Knots among some nodes: those that lead to each other, or to themselves.
    fn knots(&self, nodes: &[usize], cut: &HashSet<Way>, passes: Passes<'_>) -> Vec<Vec<usize>> {
        let ways = Ways::new(nodes.len(), |place, to| {
            let next = self.ways_of(nodes[place], cut, passes);
            to.extend(next.filter_map(|(_, next)| nodes.binary_search(&next).ok()));
        });
        let groups = ways.groups();
        let knots = groups
            .iter()
            .filter(|group| group.len() > 1 || ways.from(group[0]).contains(&group[0]));
        knots
            .map(|group| group.iter().map(|place| nodes[*place]).collect())
            .collect()
    }

    /// The ways out of a node that are looked at: place among its arrows, and where to.
    fn ways_of<'w>(
        &'w self,
        index: usize,
        cut: &'w HashSet<Way>,
        passes: Passes<'w>,
    ) -> impl Iterator<Item = (usize, usize)> + 'w {
        let arrows = self.graph.arrows[index].iter().enumerate();
        arrows.filter_map(move |(place, arrow)| match arrow.to {
            Target::Node(to) if passes(index, arrow) && !cut.contains(&(index, place)) => {
                Some((place, to))
            }
            _ => None,
        })
    }

    /// The variables that something counts in a knot.
    fn names(&self, knot: &[usize]) -> Vec<&'g str> {
        if self.counts.is_empty() {
            return Vec::new();
        }
        let mut names: Vec<&str> = knot
            .iter()
            .filter_map(|index| self.counts.get(index))
            .flatten()
            .copied()
            .collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// A variable as the counter of a knot, if it is one; why not, where it counts as it should.
    fn counter(
        &self,
        name: &str,
        knot: &[usize],
        cut: &HashSet<Way>,
        passes: Passes<'_>,
    ) -> Result<Counter, Option<Refused>> {
        let changes = self.changes.get(name).ok_or(None)?;
        let inside = |index: usize| knot.binary_search(&index).is_ok();
        let mut starts: Vec<f64> = Vec::new();
        let declared = self.draft.vars.get(name).ok_or(None)?;
        if let Some(Value::Number(number)) = &declared.default {
            starts.push(*number);
        }
        let (mut steps, mut smallest, mut up) = (BTreeSet::new(), f64::INFINITY, None);
        let mut least = f64::INFINITY;
        for (index, change) in changes {
            match change {
                Change::By(step) => {
                    // Also elsewhere it must not be counted back, or nobody knows where it begins.
                    if *step == 0.0 || *up.get_or_insert(*step > 0.0) != (*step > 0.0) {
                        return Err(None);
                    }
                    least = least.min(step.abs());
                    if inside(*index) && self.draft.nodes[*index].when.is_none() {
                        steps.insert(*index);
                        smallest = smallest.min(step.abs());
                    }
                }
                Change::To(number) if !inside(*index) => starts.push(*number),
                Change::To(_) | Change::Unknown => return Err(None),
            }
        }
        let up = up.ok_or(None)?;
        // Counted down is counted up on the other side of zero.
        let sign = if up { 1.0 } else { -1.0 };
        let start = starts
            .into_iter()
            .map(|number| number * sign)
            .reduce(f64::min)
            .ok_or(None)?;
        let (mut held, mut farthest, mut largest) = (HashSet::new(), Held::NONE, start);
        for index in knot {
            for (place, to) in self.ways_of(*index, cut, passes) {
                if !inside(to) {
                    continue;
                }
                let Some((limit, reached)) = self.held(name, up, *index, place) else {
                    continue;
                };
                let limit = limit * sign;
                if limit.abs() > largest.abs() {
                    largest = limit;
                }
                farthest = farthest.max(Held { limit, reached });
                held.insert((*index, place));
            }
        }
        if steps.is_empty() || held.is_empty() {
            return Err(None);
        }
        let name = || name.to_owned();
        if largest.abs() > MAX_NUMBER {
            return Err(Some(Refused::Large {
                name: name(),
                number: largest * sign,
                most: MAX_NUMBER,
            }));
        }
        // A loop that `max_steps` ends before the counter does is none that ends by itself.
        let max_steps = self.draft.max_steps;
        let rounds = farthest.rounds(start, smallest, f64::from(max_steps));
        if rounds > f64::from(max_steps) {
            return Err(Some(Refused::Rounds {
                name: name(),
                rounds,
                max_steps,
            }));
        }
        if least < MIN_STEP {
            return Err(Some(Refused::Small {
                name: name(),
                step: least,
                least: MIN_STEP,
            }));
        }
        Ok(Counter {
            steps,
            held,
            rounds: rounds as u64,
        })
    }

    /// What a way is held by: the constant that the counter has not passed where it is taken, and whether it may have
    /// reached it.
    fn held(&self, name: &str, up: bool, index: usize, place: usize) -> Option<(f64, bool)> {
        let node = &self.draft.nodes[index];
        let when = node.when.as_ref();
        // The first arrow is that of an action that is skipped.
        let skipped = when.is_some() && place == 0;
        // One that has no value is neither true nor false: the action fails.
        let when = when
            .filter(|when| !when.may_fail())
            .map(|when| (when, !skipped));
        let arms = match &node.action {
            Action::Choose { arms, .. } if !skipped => arms.as_slice(),
            _ => &[],
        };
        let arm = place.saturating_sub(usize::from(node.when.is_some()));
        let before = arms
            .iter()
            .take(arm)
            .map(|(condition, _)| (condition, false));
        let own = arms.get(arm).map(|(condition, _)| (condition, true));
        let mut bounds = when
            .into_iter()
            .chain(before)
            .chain(own)
            .flat_map(|(condition, truth): (&Expr, bool)| condition.bounds(truth));
        bounds.find_map(|bound| {
            let limit = match bound.limit {
                Limit::Number(number) => number,
                Limit::Name(other) => self.constant(other)?,
            };
            (bound.name == name && bound.above == up).then_some((limit, bound.reached))
        })
    }

    /// The value of a variable that nothing ever changes.
    fn constant(&self, name: &str) -> Option<f64> {
        let var = self.draft.vars.get(name)?;
        let Some(Value::Number(number)) = &var.default else {
            return None;
        };
        let changed = self
            .draft
            .bindings
            .iter()
            .any(|binding| binding.name == name);
        (!changed).then_some(*number)
    }
}

fn is_number(draft: &Draft<'_>, name: &str) -> bool {
    draft
        .vars
        .get(name)
        .is_some_and(|var| var.ty == Type::Number)
}

fn change(name: &str, value: &Template) -> Change {
    match value {
        Template::Literal(Value::Number(number)) => Change::To(*number),
        Template::Expr(expr) => match (expr.adds_to(name), expr.as_number()) {
            (Some(step), _) => Change::By(step),
            (None, Some(number)) => Change::To(number),
            (None, None) => Change::Unknown,
        },
        _ => Change::Unknown,
    }
}
