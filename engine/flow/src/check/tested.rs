//! Variables and inputs that a flow's tests name: uses of the name like any other, when it is the question which of two names is the slip.

use std::collections::BTreeMap;

use super::report::Report;
use super::rules::unknown_key::UNKNOWN_KEY;
use crate::expr::Span;
use crate::yaml::{Map, Node};

/// The names below `vars:` and `inputs:` of a flow's tests.
pub(super) struct Tested<'n> {
    places: BTreeMap<&'n str, Vec<Span>>,
}

impl<'n> Tested<'n> {
    pub fn of(root: &'n Node<'_>) -> Tested<'n> {
        let mut places: BTreeMap<&str, Vec<Span>> = BTreeMap::new();
        for test in maps(root.map().and_then(|root| root.value("tests"))) {
            let given = test.value("given").and_then(Node::map);
            let run = test.value("run").and_then(Node::list).unwrap_or_default();
            let expected = run
                .iter()
                .filter_map(|act| act.map()?.value("expect")?.map());
            for map in given.into_iter().chain(expected) {
                let named = ["vars", "inputs"]
                    .into_iter()
                    .filter_map(|key| map.value(key)?.map());
                for entry in named.flat_map(|named| &named.entries) {
                    places.entry(&entry.key).or_default().push(entry.key_span);
                }
            }
        }
        Tested { places }
    }

    /// How often a name stands there.
    pub fn times(&self, name: &str) -> usize {
        self.places.get(name).map_or(0, Vec::len)
    }

    /// The names that stand there, with how often.
    pub fn names(&self) -> impl Iterator<Item = (&'n str, usize)> {
        self.places
            .iter()
            .map(|(name, places)| (*name, places.len()))
    }

    /// Takes back that a name is unknown there: it is told where it is defined.
    pub fn known(&self, name: &str, report: &mut Report<'_>) {
        if let Some(places) = self.places.get(name) {
            report.remove(|found| {
                found.rule == UNKNOWN_KEY.slug && places.contains(&found.primary.span)
            });
        }
    }
}

fn maps<'n>(node: Option<&'n Node<'_>>) -> impl Iterator<Item = &'n Map<'n>> {
    let entries = node
        .and_then(Node::map)
        .into_iter()
        .flat_map(|map| &map.entries);
    entries.filter_map(|entry| entry.value.map())
}
