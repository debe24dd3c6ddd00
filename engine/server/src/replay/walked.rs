//! The flows that a contact walked.

use std::collections::BTreeMap;

use strowger_contact::{Entry, EntryKind};

/// The SHA-256 of the text that each flow had, by the flow's name, as far as the journal says: it has that of the first flow, and
/// of those in which a step ran.
pub(super) fn hashes(entries: &[Entry]) -> BTreeMap<&str, Option<&str>> {
    let mut flows: BTreeMap<&str, Option<&str>> = BTreeMap::new();
    let mut place = "";
    for entry in entries {
        match &entry.kind {
            EntryKind::Started { flow, hash, .. } => {
                flows.insert(flow, Some(hash));
            }
            EntryKind::Entered { flow, .. } => {
                flows.entry(flow).or_default();
                place = flow;
            }
            EntryKind::Ran { flow_hash, .. } => {
                flows.insert(place, Some(flow_hash));
            }
            _ => {}
        }
    }
    flows
}
