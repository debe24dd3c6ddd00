//! What a shadow has found.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::{Extent, Shadow};
use crate::replay::Group;

/// What a shadow has found so far, or had when it was stopped.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Shadow)]
pub struct Report {
    /// The candidate.
    pub revision: u64,
    /// How much it follows.
    #[serde(flatten)]
    pub extent: Extent,
    /// Whether it follows still.
    pub running: bool,
    /// Milliseconds since 1970.
    pub started_at: u64,
    /// Milliseconds since 1970; null while it runs.
    #[schema(required)]
    pub stopped_at: Option<u64>,
    /// Contacts of the tenant that ended meanwhile.
    pub ended: u64,
    /// Those that are over and not looked at yet.
    pub waiting: u64,
    /// Those that were walked again to the end or the first difference.
    pub compared: u64,
    /// Of these, those that would have gone as they did.
    pub same: u64,
    /// Of these, those that would not.
    pub different: u64,
    /// Those that were not compared.
    pub skipped: Skipped,
    /// Processor time used, in milliseconds.
    pub cpu_ms: u64,
    /// What would change, by the first other edge; the most frequent first, 1,000 at most.
    pub groups: Vec<Group>,
    /// Contacts that differ in further ways.
    pub in_other_groups: u64,
    /// Requests that the live contacts never made, by flow, step and function: they were not sent.
    pub new_requests: BTreeMap<String, u64>,
}

/// Contacts that were not compared, by reason.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Skipped {
    /// Beyond the percentage.
    pub not_chosen: u64,
    /// Beyond what may wait.
    pub queue_full: u64,
    /// The processor time was used up.
    pub over_budget: u64,
    /// They walked the candidate themselves.
    pub on_candidate: u64,
    /// Their journal was not in the store in time, or cannot be read.
    pub no_journal: u64,
    /// The machine had no room or no time for them.
    pub busy: u64,
    /// The engine has a fault: the log has it.
    pub fault: u64,
    /// Their journals do not hold what a replay needs, by reason.
    pub not_replayed: BTreeMap<String, u64>,
}

impl Shadow {
    pub(super) fn report(&self) -> Report {
        let state = self.state();
        let mut summary = state.summary.clone();
        summary.sort();
        let waiting = match state.stopped_at {
            None => self.queue.max_capacity() - self.queue.capacity(),
            Some(_) => 0,
        };
        let count = |count: usize| count as u64;
        let not_replayed = summary.not_replayed.into_iter();
        Report {
            revision: self.revision,
            extent: self.extent,
            running: self.runs(),
            started_at: self.started_at,
            stopped_at: state.stopped_at,
            ended: state.ended,
            waiting: count(waiting),
            compared: count(summary.same + summary.differ),
            same: count(summary.same),
            different: count(summary.differ),
            skipped: Skipped {
                not_replayed: not_replayed.map(|(why, n)| (why, count(n))).collect(),
                ..state.skipped.clone()
            },
            cpu_ms: match state.stopped_at {
                None => self.used_ms(),
                Some(_) => state.used_ms,
            },
            groups: summary.groups,
            in_other_groups: count(summary.in_other_groups),
            new_requests: summary
                .new_requests
                .into_iter()
                .map(|(request, n)| (request, count(n)))
                .collect(),
        }
    }
}
