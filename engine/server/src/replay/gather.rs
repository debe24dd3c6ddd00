//! Many replays: what would change, by the first edge that is another one.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::difference::{Cause, Difference};
use super::replayed::{Replayed, Verdict};

/// Most contacts named for a group: enough to look at, few enough to read.
const EXAMPLES: usize = 3;
/// Most groups: whoever changes more at once reads no further.
const MAX_GROUPS: usize = 1_000;
/// Most reasons why contacts could not be replayed: some of them tell sizes.
const MAX_REASONS: usize = 100;
/// Stands for all further ones.
const OTHER_REASONS: &str = "for other reasons";

/// Contacts that part from their journals in the same way.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Group {
    /// Where and how they part.
    pub edge: String,
    /// Where that stands now: the flow's file and line; the flow alone where it has no line.
    pub place: String,
    /// Why.
    pub cause: Cause,
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
    /// Contacts that differ in further ways, which are not listed.
    pub in_other_groups: usize,
    /// Requests that the old contacts never made, by flow, step and function: they were not sent.
    pub new_requests: BTreeMap<String, usize>,
}

impl Summary {
    /// Counts one contact.
    pub fn add(&mut self, replayed: &Replayed) {
        self.contacts += 1;
        match &replayed.verdict {
            Verdict::Same => self.same += 1,
            Verdict::NotReplayed { why } => {
                let why = replayed.kind.unwrap_or(why);
                let known = self.not_replayed.contains_key(why);
                let why = match known || self.not_replayed.len() < MAX_REASONS {
                    true => why,
                    false => OTHER_REASONS,
                };
                *self.not_replayed.entry(why.to_owned()).or_default() += 1;
            }
            Verdict::Differs(difference) => {
                self.differ += 1;
                if let Some(function) = &difference.new_request {
                    let request = format!("{}/{}: {function}", difference.flow, difference.step);
                    if self.new_requests.len() < MAX_GROUPS
                        || self.new_requests.contains_key(&request)
                    {
                        *self.new_requests.entry(request).or_default() += 1;
                    }
                }
                let full = self.groups.len() >= MAX_GROUPS;
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
                    None if full => self.in_other_groups += 1,
                    None => self.groups.push(Group {
                        edge: difference.edge.clone(),
                        place: place(difference),
                        cause: difference.cause,
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

fn place(difference: &Difference) -> String {
    match (&difference.file, difference.line) {
        (Some(file), line) if line > 0 => format!("{}:{line}", file.display()),
        _ => difference.flow.clone(),
    }
}
