//! Which step took what a contact wrote, by its journal.

use std::collections::{BTreeMap, VecDeque};

use strowger_contact::{Entry, EntryKind};

/// The texts that a step took, by the number of their entry: whether that was one of those that are `mocked`. One that is
/// not here was taken by no step: it came too late, when nothing was asked any more, or before a secret was asked for.
pub(super) fn takers(entries: &[Entry], mocked: impl Fn(&str) -> bool) -> BTreeMap<u32, bool> {
    let mut takers = BTreeMap::new();
    let mut ahead: VecDeque<u32> = VecDeque::new();
    let mut by_mock = false;
    for entry in entries {
        match &entry.kind {
            EntryKind::Ran { plugin, .. } => by_mock = mocked(plugin),
            EntryKind::Wrote { late: false, .. } => ahead.push_back(entry.seq),
            // What was written before a secret is asked for is no answer to it.
            EntryKind::Offered { secret: true, .. } => ahead.clear(),
            // A step that listens takes what is there at once, so the first is the one that was heard.
            EntryKind::Heard { heard } if heard == "nothing" => {}
            EntryKind::Heard { .. } | EntryKind::GlobalKey { .. } => {
                takers.extend(ahead.pop_front().map(|written| (written, by_mock)));
            }
            _ => {}
        }
    }
    takers
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn journal(kinds: Vec<serde_json::Value>) -> Vec<Entry> {
        let entries = kinds.into_iter().zip(0u32..).map(|(mut kind, seq)| {
            kind["seq"] = json!(seq);
            kind["at"] = json!(0);
            serde_json::from_value(kind).expect("an entry")
        });
        entries.collect()
    }

    #[test]
    fn a_text_is_taken_by_who_hears_it_and_one_that_nobody_hears_is_not() {
        let ran = |activation: u32| {
            let plugin = ["std/ask@1", "a/b@1"][activation as usize % 2];
            json!({"kind": "ran", "activation": activation, "plugin": plugin, "digest": "", "flow_hash": "", "input": {}})
        };
        let wrote = |text: &str| json!({"kind": "wrote", "text": text});
        let offered = |secret: bool| json!({"kind": "offered", "text": true, "secret": secret});
        let heard = |heard: serde_json::Value| json!({"kind": "heard", "heard": heard});
        let entries = journal(vec![
            ran(1),
            wrote("while it works"),
            wrote("and more"),
            ran(2),
            heard(json!({"text": "while it works"})),
            heard(json!("nothing")),
            offered(true),
            wrote("1234"),
            heard(json!({"secret": {"handle": "s:1", "length": 4, "last-four": ""}})),
            json!({"kind": "wrote", "text": "••", "late": true}),
            ran(3),
            wrote("*"),
            json!({"kind": "global-key", "key": "*"}),
            wrote("thanks"),
        ]);
        let takers = takers(&entries, |plugin| plugin == "a/b@1");
        assert_eq!(takers, BTreeMap::from([(1, false), (7, false), (11, true)]));
    }
}
