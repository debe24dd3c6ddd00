//! Which variables have a value where: reaching assignments over the graph.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::graph::{Graph, Target};
use crate::expr::Span;
use crate::hashed::{HashMap, HashSet};
use crate::lower::Draft;
use crate::value::Type;

/// What reaches each node.
pub(super) struct Assignments<'d> {
    /// Per node a set of slots, one after the other, each of `words`; all empty for nodes that nobody comes to.
    reaching: Vec<u64>,
    words: usize,
    /// Per name its slots; the first means "no value yet".
    names: BTreeMap<&'d str, Name<'d>>,
    /// The slot of each binding; none when nobody reads the variable.
    slot_of: Vec<Option<usize>>,
}

#[derive(Default)]
struct Name<'d> {
    unassigned: usize,
    /// Slots with a value, and its type.
    values: Vec<(usize, &'d Type)>,
    /// All places that assign it.
    places: Vec<Span>,
    /// Whether it has a value from the start.
    default: bool,
    /// Whether some expression reads it; if not, it has no slots.
    read: bool,
}

/// What is known of whether a variable has a value at a node.
pub(super) struct Known {
    /// Whether some way here gives it none.
    pub unassigned: bool,
    /// Whether no way anywhere gives it one.
    pub never: bool,
}

impl<'d> Assignments<'d> {
    pub fn new(graph: &Graph<'_>, draft: &'d Draft<'_>) -> Assignments<'d> {
        // What nobody reads needs no proof: most of what a large flow assigns costs nothing.
        Assignments::of(graph, draft, &names_read(draft))
    }

    /// The same of all variables, whoever reads them.
    fn of_all(graph: &Graph<'_>, draft: &'d Draft<'_>) -> Assignments<'d> {
        let bound = draft.bindings.iter().map(|binding| binding.name.as_str());
        let all = draft.vars.keys().map(String::as_str).chain(bound);
        Assignments::of(graph, draft, &all.collect())
    }

    fn of(graph: &Graph<'_>, draft: &'d Draft<'_>, read: &HashSet<&str>) -> Assignments<'d> {
        let mut names: BTreeMap<&str, Name<'_>> = BTreeMap::new();
        let mut slots = 0;
        let mut fresh = || {
            slots += 1;
            slots - 1
        };
        for (name, var) in &draft.vars {
            let mut known = Name {
                default: var.default.is_some(),
                read: read.contains(name.as_str()),
                ..Name::default()
            };
            if known.read {
                known.unassigned = fresh();
                if known.default {
                    // Of an object that is written in the flow, its fields are known.
                    known
                        .values
                        .push((fresh(), var.default_type.as_ref().unwrap_or(&var.ty)));
                }
            }
            names.insert(name, known);
        }
        let mut slot_of = Vec::with_capacity(draft.bindings.len());
        for binding in &draft.bindings {
            let name = names.entry(&binding.name).or_insert_with(|| {
                let read = read.contains(binding.name.as_str());
                Name {
                    unassigned: if read { fresh() } else { 0 },
                    read,
                    ..Name::default()
                }
            });
            name.places.push(binding.span);
            if !name.read {
                slot_of.push(None);
                continue;
            }
            let slot = match name.values.iter().find(|(_, ty)| **ty == binding.ty) {
                Some((slot, _)) => *slot,
                None => {
                    let slot = fresh();
                    name.values.push((slot, &binding.ty));
                    slot
                }
            };
            slot_of.push(Some(slot));
        }
        let words = slots.div_ceil(64);
        let mut assignments = Assignments {
            reaching: vec![0; graph.arrows.len() * words],
            words,
            names,
            slot_of,
        };
        assignments.run(graph, draft);
        assignments
    }

    /// The slots that reach a node.
    fn at(&self, node: usize) -> &[u64] {
        &self.reaching[node * self.words..][..self.words]
    }

    /// Hands on what reaches each node until nothing new comes. Nodes are taken in the order in which contacts come to them,
    /// so that each needs as many turns as there are loops around it, not as there are nodes.
    fn run(&mut self, graph: &Graph<'_>, draft: &Draft<'_>) {
        let words = self.words;
        let mut start = vec![0u64; words];
        for name in self.names.values().filter(|name| name.read) {
            let slot = match name.values.first() {
                Some((slot, _)) if name.default => *slot,
                _ => name.unassigned,
            };
            set(&mut start, slot);
        }
        // What an assignment of a binding takes away: every other slot of its name.
        let slots_of = |binding: usize| {
            let name = self.names.get(draft.bindings[binding].name.as_str());
            let read = name.filter(|name| name.read).into_iter();
            read.flat_map(|name| {
                name.values
                    .iter()
                    .map(|(slot, _)| *slot)
                    .chain([name.unassigned])
            })
        };
        let mut reaching = std::mem::take(&mut self.reaching);
        let of = |node: usize| node * words..(node + 1) * words;
        let mut reached = vec![false; graph.arrows.len()];
        let mut waiting = vec![false; graph.arrows.len()];
        for root in &graph.roots {
            reaching[of(*root)].copy_from_slice(&start);
            reached[*root] = true;
            waiting[*root] = true;
        }
        let order = order(graph);
        let mut after = Vec::new();
        let mut more = true;
        while std::mem::take(&mut more) {
            for index in &order {
                if !std::mem::take(&mut waiting[*index]) {
                    continue;
                }
                for arrow in &graph.arrows[*index] {
                    let Target::Node(next) = arrow.to else {
                        continue;
                    };
                    after.clear();
                    after.extend_from_slice(&reaching[of(*index)]);
                    for slot in arrow.assigned.iter().flat_map(|one| slots_of(*one)) {
                        clear(&mut after, slot);
                    }
                    for slot in arrow.assigned.iter().filter_map(|one| self.slot_of[*one]) {
                        set(&mut after, slot);
                    }
                    let first = !std::mem::replace(&mut reached[next], true);
                    if grow(&mut reaching[of(next)], &after) || first {
                        waiting[next] = true;
                        more = true;
                    }
                }
            }
        }
        self.reaching = reaching;
    }

    /// What is known of whether a variable has a value at a node; `None` when there is no such variable in the whole flow.
    pub fn known(&self, name: &str, node: usize) -> Option<Known> {
        let known = self.names.get(name)?;
        Some(Known {
            unassigned: has(self.at(node), known.unassigned),
            never: known.places.is_empty() && !known.default,
        })
    }

    /// The type of a variable's value at a node on the ways on which it has one; `None` when there is no such variable in
    /// the whole flow.
    pub fn type_of(&self, name: &str, node: usize) -> Option<Type> {
        let values = &self.names.get(name)?.values;
        let here = self.at(node);
        let reaching = || values.iter().filter(|(slot, _)| has(here, *slot));
        Some(match reaching().next() {
            None => joined(values.iter().map(|(_, ty)| *ty)),
            Some(_) => joined(reaching().map(|(_, ty)| *ty)),
        })
    }

    /// The same where it has one type, without a copy of it; `None` where there are several or none.
    pub fn one_type_of(&self, name: &str, node: usize) -> Option<&'d Type> {
        let values = &self.names.get(name)?.values;
        let here = self.at(node);
        let mut reaching = values.iter().filter(|(slot, _)| has(here, *slot));
        let (_, ty) = reaching.next()?;
        reaching.next().is_none().then_some(*ty)
    }

    /// All names that may have a value somewhere.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &'d str> {
        self.names.keys().copied()
    }

    /// Whether some place, other than a default, gives a variable a value.
    pub fn is_set(&self, name: &str) -> bool {
        self.names
            .get(name)
            .is_some_and(|known| !known.places.is_empty())
    }

    /// The only place that gives a variable a value, if there is but one.
    pub fn only_place(&self, name: &str) -> Option<Span> {
        let places = &self.names.get(name)?.places;
        let first = places.first()?;
        places.iter().all(|place| place == first).then_some(*first)
    }

    /// A shortest way from an entry to a node on which a variable gets no value: steps and outcomes.
    pub fn way_without(
        &self,
        graph: &Graph<'_>,
        draft: &Draft<'_>,
        name: &str,
        node: usize,
    ) -> String {
        let assigns = |binding: &usize| draft.bindings[*binding].name == name;
        let mut before: HashMap<usize, (usize, &str)> = HashMap::default();
        let mut seen = vec![false; graph.arrows.len()];
        let mut queue: VecDeque<usize> = VecDeque::new();
        for root in &graph.roots {
            if !std::mem::replace(&mut seen[*root], true) {
                queue.push_back(*root);
            }
        }
        while let Some(index) = queue.pop_front() {
            if index == node {
                break;
            }
            for arrow in &graph.arrows[index] {
                if let Target::Node(next) = arrow.to
                    && !arrow.assigned.iter().any(assigns)
                    && !std::mem::replace(&mut seen[next], true)
                {
                    before.insert(next, (index, arrow.label));
                    queue.push_back(next);
                }
            }
        }
        let mut parts = vec![format!("`{}`", draft.nodes[node].step)];
        let mut at = node;
        while let Some((previous, label)) = before.get(&at) {
            let step = &draft.nodes[*previous].step;
            if draft.nodes[at].step != *step {
                parts.push(match *label {
                    "" => format!("`{step}` →"),
                    label => format!("`{step}` (`{label}`) →"),
                });
            }
            at = *previous;
        }
        parts.reverse();
        parts.join(" ")
    }
}

/// Largest flow of which it is known while somebody types which variables have no value where: actions, times places that give a
/// variable a value. An answer takes some 10 ms then.
const MAX_ASKED: usize = 10_000_000;

/// The variables that have no value on some way to the action around a byte. None in a flow that is too large to be looked
/// through while somebody types.
pub(crate) fn unassigned_at(draft: &Draft<'_>, at: usize) -> BTreeSet<String> {
    let around = draft.facts.iter().enumerate().filter(|(_, facts)| {
        let span = facts.span;
        span.start <= at && at <= span.end && span.start < span.end
    });
    let innermost = around.min_by_key(|(_, facts)| facts.span.end - facts.span.start);
    let size = draft.nodes.len() * draft.bindings.len().max(1);
    let Some((node, _)) = innermost.filter(|_| size <= MAX_ASKED) else {
        return BTreeSet::new();
    };
    let graph = Graph::new(draft, None);
    let assigned = Assignments::of_all(&graph, draft);
    let lacking = assigned.names().filter(|name| {
        let known = assigned.known(name, node);
        known.is_some_and(|known| known.never || known.unassigned)
    });
    lacking.map(str::to_owned).collect()
}

/// The nodes that contacts come to, each after those that lead to it as far as loops allow.
fn order(graph: &Graph<'_>) -> Vec<usize> {
    let mut seen = vec![false; graph.arrows.len()];
    let mut order = Vec::new();
    let mut work: Vec<(usize, usize)> = Vec::new();
    for root in &graph.roots {
        if !std::mem::replace(&mut seen[*root], true) {
            work.push((*root, 0));
        }
        while let Some((index, arrow)) = work.pop() {
            match graph.arrows[index].get(arrow) {
                None => order.push(index),
                Some(arrow_to) => {
                    work.push((index, arrow + 1));
                    if let Target::Node(next) = arrow_to.to
                        && !std::mem::replace(&mut seen[next], true)
                    {
                        work.push((next, 0));
                    }
                }
            }
        }
    }
    order.reverse();
    order
}

/// Adds slots to those that reach a node; whether some of them are new there.
fn grow(known: &mut [u64], more: &[u64]) -> bool {
    let mut grown = false;
    for (word, more) in known.iter_mut().zip(more) {
        grown |= more & !*word != 0;
        *word |= more;
    }
    grown
}

/// The variables that some expression reads.
fn names_read<'d>(draft: &'d Draft<'_>) -> HashSet<&'d str> {
    let mut read = HashSet::default();
    let prompts = draft.prompts.iter().flat_map(|prompt| &prompt.exprs);
    for expr in prompts.chain(draft.uses.iter().map(|used| &used.expr)) {
        expr.each_root(&mut |name| {
            read.insert(name);
        });
    }
    read
}

/// The type that a variable has when it may come from several places.
fn joined<'a>(types: impl Iterator<Item = &'a Type>) -> Type {
    let mut types = types.cloned();
    let Some(first) = types.next() else {
        return Type::Any;
    };
    types.fold(first, |all, one| match (&all, &one) {
        // Of fields that only one of them has the other says nothing.
        (Type::Object { .. }, Type::Object { .. }) if all != one => merged(&all, &one),
        _ => all.join(&one).unwrap_or_else(|| merged(&all, &one)),
    })
}

/// Two kinds of object as one, in which a field that only one of them has may be missing, or anything where the other may have
/// fields that nobody declared.
fn merged(a: &Type, b: &Type) -> Type {
    let (
        Type::Object {
            fields: a,
            open: more,
        },
        Type::Object { fields: b, open },
    ) = (a, b)
    else {
        return if a.holds_secret() || b.holds_secret() {
            Type::Secret
        } else {
            Type::Any
        };
    };
    let anything = || Type::Optional(Box::new(Type::Any));
    let mut fields = BTreeMap::new();
    for name in a.keys().chain(b.keys()) {
        let ty = match (a.get(name), b.get(name)) {
            (Some(a), Some(b)) => joined([a, b].into_iter()),
            (Some(one), None) if *open && !one.holds_secret() => anything(),
            (None, Some(one)) if *more && !one.holds_secret() => anything(),
            (Some(one), None) | (None, Some(one)) => one.clone().or_none(),
            (None, None) => Type::Any,
        };
        fields.insert(name.clone(), ty);
    }
    Type::Object {
        fields,
        open: *open || *more,
    }
}

fn set(bits: &mut [u64], slot: usize) {
    bits[slot / 64] |= 1 << (slot % 64);
}

fn clear(bits: &mut [u64], slot: usize) {
    bits[slot / 64] &= !(1 << (slot % 64));
}

fn has(bits: &[u64], slot: usize) -> bool {
    bits.get(slot / 64)
        .is_some_and(|word| word & (1 << (slot % 64)) != 0)
}
