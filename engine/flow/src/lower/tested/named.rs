//! Names that tests give to what a flow ends with and gives: one test alone is wrong, and several that agree are right, so that the slip is where
//! the name is defined.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Lowerer;
use crate::check::rules::{unknown_field, unknown_outcome};
use crate::expr::Span;
use crate::plan::Action;

/// What a test names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::lower) enum What {
    /// How the flow ends.
    End,
    /// A variable that takes what a mock gives.
    Given(String),
}

/// The names that tests write.
#[derive(Default)]
pub(in crate::lower) struct Names {
    /// Those that are there.
    right: BTreeSet<(What, String)>,
    /// Those that are nearly one that is there, by both, and where they stand.
    slips: BTreeMap<(What, String, String), Vec<Span>>,
}

impl Names {
    /// A name that is there.
    pub fn right(&mut self, what: What, name: &str) {
        self.right.insert((what, name.to_owned()));
    }

    /// A name that is not, and the one that it is nearly.
    pub fn slip(&mut self, what: What, name: &str, meant: &str, at: Span) {
        let slip = (what, name.to_owned(), meant.to_owned());
        self.slips.entry(slip).or_default().push(at);
    }
}

impl Lowerer<'_> {
    /// Tells of the slips: where the name is defined when several tests agree on another and none has the defined one.
    pub(in crate::lower) fn settle_named(&mut self) {
        let named = std::mem::take(&mut self.named);
        for ((what, name, meant), places) in named.slips {
            let agreed = places.len() > 1 && !named.right.contains(&(what.clone(), meant.clone()));
            let defined = if agreed {
                self.defined(&what, &meant)
            } else {
                None
            };
            match (defined, &what) {
                (Some(at), What::End) => {
                    unknown_outcome::defined(&mut self.report, at, &meant, &name);
                }
                (Some(at), What::Given(mock)) => {
                    unknown_field::defined(&mut self.report, at, mock, &meant, &name);
                }
                (None, What::End) => {
                    for at in places {
                        unknown_outcome::ends(&mut self.report, at, &name, &meant);
                    }
                }
                (None, What::Given(mock)) => {
                    for at in places {
                        unknown_field::mocked(&mut self.report, at, mock, &name, &meant);
                    }
                }
            }
        }
    }

    /// The one place where a name is defined.
    fn defined(&self, what: &What, name: &str) -> Option<Span> {
        let mut places: Vec<Span> = Vec::new();
        match what {
            What::End => {
                for (node, facts) in self.draft.nodes.iter().zip(&self.draft.facts) {
                    if matches!(&node.action, Action::HangUp { reason } if reason == name) {
                        // The verb and its one word.
                        let start = facts.head.end.checked_sub(name.len())?;
                        places.push(Span {
                            start,
                            end: facts.head.end,
                        });
                    }
                }
            }
            What::Given(_) => {
                let bindings = self.draft.bindings.iter();
                places.extend(bindings.filter(|one| one.name == name).map(|one| one.span));
            }
        }
        places.dedup();
        let text = self.report.lines().source();
        match places.as_slice() {
            [at] if text.get(at.start..at.end) == Some(name) => Some(*at),
            _ => None,
        }
    }
}
