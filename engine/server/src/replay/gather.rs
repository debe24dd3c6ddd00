//! Many replays: what would change, by the first edge that is another one.

use std::collections::BTreeMap;

use serde::Serialize;

use super::walk::{Replayed, Verdict};

/// Most contacts named for a group: enough to look at, few enough to read.
const EXAMPLES: usize = 3;

/// Contacts that part from their journals in the same way.
#[derive(Debug, Clone, Serialize)]
pub struct Group {
    /// Where and how they part.
    pub edge: String,
    /// How many.
    pub contacts: usize,
    /// Some of them, the oldest first.
    pub examples: Vec<String>,
}

/// What became of many contacts.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Summary {
    /// All that were looked at.
    pub contacts: usize,
    /// Those that walked as they did.
    pub same: usize,
    /// Those that did not.
    pub differ: usize,
    /// Those that could not be replayed, by reason.
    pub not_replayed: BTreeMap<String, usize>,
    /// What would change, the most frequent first.
    pub groups: Vec<Group>,
}

impl Summary {
    /// Counts one contact.
    pub fn add(&mut self, replayed: &Replayed) {
        self.contacts += 1;
        match &replayed.verdict {
            Verdict::Same => self.same += 1,
            Verdict::NotReplayed { why } => {
                *self.not_replayed.entry(why.clone()).or_default() += 1;
            }
            Verdict::Differs(difference) => {
                self.differ += 1;
                let group = self
                    .groups
                    .iter_mut()
                    .find(|group| group.edge == difference.edge);
                match group {
                    Some(group) => {
                        group.contacts += 1;
                        if group.examples.len() < EXAMPLES {
                            group.examples.push(replayed.contact.clone());
                        }
                    }
                    None => self.groups.push(Group {
                        edge: difference.edge.clone(),
                        contacts: 1,
                        examples: vec![replayed.contact.clone()],
                    }),
                }
            }
        }
    }

    /// Brings the most frequent first.
    pub fn sort(&mut self) {
        self.groups.sort_by(|a, b| {
            b.contacts
                .cmp(&a.contacts)
                .then_with(|| a.edge.cmp(&b.edge))
        });
    }
}
