//! Why a contact went as it did, of its journal and the flows that it walked.

use std::collections::BTreeSet;
use std::sync::Arc;

use strowger_contact::recorded::{Beginning, RecordedError, beginning};
use strowger_contact::{Entry, Program, Reason};
use strowger_flow::unseen::quoted;

use super::rerun::Rerun;
use super::walk::Walk;
use super::walked::hashes;

/// What the expressions of a contact's flows gave.
#[derive(Debug, Clone, Default)]
pub struct Reasons {
    /// In order.
    pub found: Vec<Reason>,
    /// Why some or all of them cannot be told; none where they all are.
    pub lacking: Option<String>,
}

impl Reasons {
    /// None can be told.
    pub fn none(why: impl Into<String>) -> Reasons {
        Reasons {
            found: Vec::new(),
            lacking: Some(why.into()),
        }
    }
}

/// How a contact began, by which its engine is found; else all that can be told of its reasons.
pub fn explainable(entries: &[Entry]) -> Result<Beginning, Reasons> {
    beginning(entries).map_err(|error| match error {
        // It evaluated nothing.
        RecordedError::Empty | RecordedError::NeverStarted(_) => Reasons::default(),
        error => Reasons::none(error.to_string()),
    })
}

/// Walks a contact again along its journal, and keeps what its expressions give. No guest runs and nothing leaves the house.
///
/// Only flows count that are, to the byte, those of then: another text would have other conditions.
pub async fn reasons(program: Arc<Program>, entries: &[Entry], begun: Beginning) -> Reasons {
    let walked = Walked::of(&program, entries, &begun.content);
    let Some(mut contact) = begun.contact(program) else {
        let why = format!("the project has no flow `{}` any more", begun.flow);
        return Reasons::none(why);
    };
    contact.keep_reasons();
    let mut walk = Walk::new(None, Rerun::Changed, entries, contact, begun);
    let stopped = walk.run().await.err();
    let mut found = walk.contact.take_reasons();
    // What the journal does not tell any more, as where the engine was stopped, did not happen.
    let end = entries.last().map_or(0, |entry| entry.seq + 1);
    found.retain(|reason| reason.before <= end && walked.is_as_then(&reason.flow));
    let lacking = match (walked.changed.is_empty(), stopped) {
        (true, None) => None,
        (true, Some(stop)) => Some(stop.to_string()),
        (false, _) => {
            let flows: Vec<_> = walked.changed.iter().map(|flow| quoted(flow)).collect();
            Some(format!(
                "it walked flows that are not there any more as they were then: {}",
                flows.join(", ")
            ))
        }
    };
    Reasons { found, lacking }
}

/// The flows that a contact walked, held against those that are there.
struct Walked {
    /// Those that are, to the byte, what they were; none where all are.
    same: Option<BTreeSet<String>>,
    /// Those that are others, or may be: the journal has the SHA-256 of the first flow, and of those in which a step ran.
    changed: BTreeSet<String>,
}

impl Walked {
    fn of(program: &Program, entries: &[Entry], content: &str) -> Walked {
        if !content.is_empty() && content == program.content() {
            return Walked {
                same: None,
                changed: BTreeSet::new(),
            };
        }
        let is_same = |flow: &str, then: Option<&str>| {
            let now = program.flow(flow).map(|plan| plan.hash.as_str());
            now.is_some() && now == then
        };
        let (mut same, mut changed) = (BTreeSet::new(), BTreeSet::new());
        for (flow, then) in hashes(entries) {
            match is_same(flow, then) {
                true => same.insert(flow.to_owned()),
                false => changed.insert(flow.to_owned()),
            };
        }
        Walked {
            same: Some(same),
            changed,
        }
    }

    fn is_as_then(&self, flow: &str) -> bool {
        self.same.as_ref().is_none_or(|same| same.contains(flow))
    }
}
