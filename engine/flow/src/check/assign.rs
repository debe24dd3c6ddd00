//! Which variables have a value where: reaching assignments over the graph.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use super::graph::{Graph, Target};
use crate::expr::Span;
use crate::lower::Draft;
use crate::value::Type;

/// What reaches each node.
pub(super) struct Assignments {
    /// Per node a set of slots; empty for nodes that nobody comes to.
    reaching: Vec<Vec<u64>>,
    /// Per name its slots; the first means "no value yet".
    names: BTreeMap<String, Name>,
    /// The slot of each binding; none when nobody reads the variable.
    slot_of: Vec<Option<usize>>,
}

struct Name {
    unassigned: usize,
    /// Slots with a value, and its type.
    values: Vec<(usize, Type)>,
    /// All places that assign it.
    places: Vec<Span>,
    /// Whether it has a value from the start.
    default: bool,
    /// Whether some expression reads it; if not, it has no slots.
    read: bool,
}

impl Name {
    fn unread(default: bool) -> Name {
        Name {
            unassigned: 0,
            values: Vec::new(),
            places: Vec::new(),
            default,
            read: false,
        }
    }
}

/// What is known of a variable at a node.
pub(super) struct Known {
    /// The type of its value on the ways on which it has one.
    pub ty: Type,
    /// Whether some way here gives it none.
    pub unassigned: bool,
    /// Whether no way anywhere gives it one.
    pub never: bool,
}

impl Assignments {
    pub fn new(graph: &Graph, draft: &Draft<'_>) -> Assignments {
        let mut names: BTreeMap<String, Name> = BTreeMap::new();
        let mut slots = 0;
        let mut fresh = || {
            slots += 1;
            slots - 1
        };
        // What nobody reads needs no proof: most of what a large flow assigns costs nothing.
        let read = names_read(draft);
        for (name, var) in &draft.vars {
            if !read.contains(name) {
                names.insert(name.clone(), Name::unread(var.default.is_some()));
                continue;
            }
            let unassigned = fresh();
            let mut known = Name {
                unassigned,
                values: Vec::new(),
                places: Vec::new(),
                default: var.default.is_some(),
                read: true,
            };
            if known.default {
                known.values.push((fresh(), var.ty.clone()));
            }
            names.insert(name.clone(), known);
        }
        let mut slot_of = Vec::with_capacity(draft.bindings.len());
        for binding in &draft.bindings {
            let name = names.entry(binding.name.clone()).or_insert_with(|| {
                if !read.contains(&binding.name) {
                    return Name::unread(false);
                }
                Name {
                    unassigned: fresh(),
                    values: Vec::new(),
                    places: Vec::new(),
                    default: false,
                    read: true,
                }
            });
            name.places.push(binding.span);
            if !name.read {
                slot_of.push(None);
                continue;
            }
            let slot = match name.values.iter().find(|(_, ty)| *ty == binding.ty) {
                Some((slot, _)) => *slot,
                None => {
                    let slot = fresh();
                    name.values.push((slot, binding.ty.clone()));
                    slot
                }
            };
            slot_of.push(Some(slot));
        }
        let words = slots.div_ceil(64);
        let mut assignments = Assignments {
            reaching: vec![Vec::new(); graph.arrows.len()],
            names,
            slot_of,
        };
        assignments.run(graph, draft, words);
        assignments
    }

    fn run(&mut self, graph: &Graph, draft: &Draft<'_>, words: usize) {
        let mut start = vec![0u64; words];
        for name in self.names.values().filter(|name| name.read) {
            let slot = match name.values.first() {
                Some((slot, _)) if name.default => *slot,
                _ => name.unassigned,
            };
            set(&mut start, slot);
        }
        // What an assignment of a binding takes away: every other slot of its name.
        let slots_of: Vec<Vec<usize>> = draft
            .bindings
            .iter()
            .map(|binding| match self.names.get(&binding.name) {
                Some(known) if known.read => {
                    let values = known.values.iter().map(|(slot, _)| *slot);
                    values.chain([known.unassigned]).collect()
                }
                _ => Vec::new(),
            })
            .collect();
        let mut reaching: Vec<Vec<u64>> = vec![Vec::new(); graph.arrows.len()];
        let mut queue: VecDeque<usize> = VecDeque::new();
        let mut queued = vec![false; graph.arrows.len()];
        for root in &graph.roots {
            reaching[*root] = start.clone();
            if !std::mem::replace(&mut queued[*root], true) {
                queue.push_back(*root);
            }
        }
        let (mut before, mut after) = (Vec::new(), Vec::new());
        while let Some(index) = queue.pop_front() {
            queued[index] = false;
            before.clone_from(&reaching[index]);
            for arrow in &graph.arrows[index] {
                let Target::Node(next) = arrow.to else {
                    continue;
                };
                after.clone_from(&before);
                for binding in &arrow.assigned {
                    for slot in &slots_of[*binding] {
                        clear(&mut after, *slot);
                    }
                }
                for slot in arrow.assigned.iter().filter_map(|one| self.slot_of[*one]) {
                    set(&mut after, slot);
                }
                let known = &mut reaching[next];
                let grown = if known.is_empty() && words > 0 {
                    known.clone_from(&after);
                    true
                } else {
                    let mut grown = false;
                    for (word, more) in known.iter_mut().zip(&after) {
                        grown |= more & !*word != 0;
                        *word |= more;
                    }
                    grown
                };
                if grown && !std::mem::replace(&mut queued[next], true) {
                    queue.push_back(next);
                }
            }
        }
        self.reaching = reaching;
    }

    /// What is known of a variable at a node; `None` when there is no such variable in the whole flow.
    pub fn known(&self, name: &str, node: usize) -> Option<Known> {
        let known = self.names.get(name)?;
        let here = &self.reaching[node];
        let all = || known.values.iter().map(|(_, ty)| ty);
        let reaching: Vec<&Type> = known
            .values
            .iter()
            .filter(|(slot, _)| has(here, *slot))
            .map(|(_, ty)| ty)
            .collect();
        let ty = match reaching.is_empty() {
            true => joined(all()),
            false => joined(reaching.into_iter()),
        };
        Some(Known {
            ty,
            unassigned: has(here, known.unassigned),
            never: known.places.is_empty() && !known.default,
        })
    }

    /// All names that may have a value somewhere.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.names.keys()
    }

    /// The only place that gives a variable a value, if there is but one.
    pub fn only_place(&self, name: &str) -> Option<Span> {
        let places = &self.names.get(name)?.places;
        let first = places.first()?;
        places.iter().all(|place| place == first).then_some(*first)
    }

    /// A shortest way from an entry to a node on which a variable gets no value: steps and outcomes.
    pub fn way_without(&self, graph: &Graph, draft: &Draft<'_>, name: &str, node: usize) -> String {
        let assigns = |binding: &usize| draft.bindings[*binding].name == name;
        let mut before: HashMap<usize, (usize, &str)> = HashMap::new();
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
                    before.insert(next, (index, &arrow.label));
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

/// The variables that some expression reads.
fn names_read(draft: &Draft<'_>) -> BTreeSet<String> {
    let prompts = draft.prompts.iter().flat_map(|prompt| &prompt.exprs);
    prompts
        .chain(draft.uses.iter().map(|used| &used.expr))
        .flat_map(|expr| expr.roots())
        .map(|(name, _)| name.clone())
        .collect()
}

/// The type that a variable has when it may come from several places.
fn joined<'a>(types: impl Iterator<Item = &'a Type>) -> Type {
    let mut types = types.cloned();
    let Some(first) = types.next() else {
        return Type::Any;
    };
    types.fold(first, |all, one| match all.join(&one) {
        Some(joined) => joined,
        None => merged(&all, &one),
    })
}

/// Two kinds of object as one, in which a field that only one of them has may be missing.
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
    let mut fields = BTreeMap::new();
    for name in a.keys().chain(b.keys()) {
        let ty = match (a.get(name), b.get(name)) {
            (Some(a), Some(b)) => joined([a, b].into_iter()),
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
