//! The record of a contact.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use utoipa::ToSchema;

/// What is kept of a contact that is over. Times are milliseconds since 1970 (UTC), durations milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContactRecord {
    /// The contact's id.
    pub id: String,
    /// Whose.
    pub tenant: String,
    /// The first flow; empty where it came to none.
    pub flow: String,
    /// SHA-256 of its text.
    pub flow_hash: String,
    /// SHA-256 over all flows, plugins and audio files of the project as it was; of a call that came to no flow, of what was live
    /// at its number. Empty where nothing was.
    pub content: String,
    /// `voice` or `chat`.
    pub channel: String,
    /// Caller.
    pub from: String,
    /// Called.
    pub to: String,
    /// SIP's own name of the call.
    #[serde(default)]
    pub sip_call_id: Option<String>,
    /// When it reached the flow.
    pub started_at: u64,
    /// When its line was open and the walk began; none when it never did.
    pub answered_at: Option<u64>,
    /// When it ended.
    pub ended_at: u64,
    /// `ended_at` less `started_at`: the sum of the next four.
    pub total_ms: u64,
    /// With the flow: neither waiting for a person nor talking with one.
    pub flow_ms: u64,
    /// In queues, and while a transfer rang.
    pub waiting_ms: u64,
    /// Joined with somebody by a bridged transfer.
    pub transferred_ms: u64,
    /// Without a line, from when it dropped until the caller went on or did not.
    #[serde(default)]
    pub away_ms: u64,
    /// The disposition: the flow's `hangup:` or `return:` word, or the engine's.
    pub reason: String,
    /// Who ended it: `caller`, `flow` or `engine`.
    pub ended_by: String,
    /// The code of what went wrong, when it ended by a fault.
    pub error_code: Option<String>,
    /// What went wrong in words, when it ended by a fault.
    pub error: Option<String>,
    /// Failures of steps on the way, those that were tried again included.
    pub failures: u32,
    /// What `tag:` said, and steps by their descriptions, the last value of each name.
    #[schema(value_type = Object)]
    pub tags: BTreeMap<String, Json>,
    /// The actions that were reached, in order.
    pub path: Vec<Hop>,
    /// Actions that are not in `path`, because it is full.
    pub path_cut: u32,
    /// SHA-256 of the way: each action with its outcome once, in the order they were first reached, and the reason.
    pub path_hash: String,
    /// Transfers that were tried, in order.
    pub transfers: Vec<Transferred>,
    /// The target of the last of them.
    #[serde(default)]
    pub transfer_target: Option<String>,
    /// The outcome of the last of them.
    #[serde(default)]
    pub transfer_outcome: Option<String>,
    /// Queues that were waited in, in order.
    pub queues: Vec<Queued>,
    /// Lines that dropped where the caller could go on, in order.
    #[serde(default)]
    pub drops: Vec<Drop>,
    /// Processor time of all plugins, microseconds.
    #[serde(default)]
    pub cpu_us: u64,
    /// Highest memory of one instance of any plugin, bytes.
    #[serde(default)]
    pub memory_bytes: u64,
    /// Host calls of all plugins.
    #[serde(default)]
    pub host_calls: u64,
    /// What each plugin used.
    pub plugins: BTreeMap<String, Meters>,
    /// The file of the whole call's recording.
    #[serde(default)]
    pub recording: Option<String>,
}

/// An action that was reached.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hop {
    /// The flow.
    pub flow: String,
    /// The named step.
    pub step: String,
    /// The line in the flow's file.
    pub line: u32,
    /// The verb.
    pub verb: String,
    /// How its plugin's step ended: an outcome, or `!` and the code of a failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
}

/// A transfer that was tried.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Transferred {
    /// A number, a SIP URI or a supplier's name.
    pub target: String,
    /// In the flow's words: `done`, `busy`, `no_answer`, `declined`, `failed`; `abandoned` when the contact ended before; or
    /// why it was not tried.
    pub outcome: String,
    /// Until somebody answered, or nobody did.
    pub ringing_ms: u64,
    /// How long they talked, when the engine joined the two.
    pub talked_ms: u64,
}

/// A queue that was waited in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Queued {
    /// Its name.
    pub queue: String,
    /// In the flow's words: `done`, `timeout`, `full`, `closed`, `no_agents`, `failed`; `abandoned` when the contact ended
    /// before; or why it was not tried.
    pub outcome: String,
    /// How long.
    pub waited_ms: u64,
}

/// A line that dropped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Drop {
    /// When.
    pub at: u64,
    /// How long nobody was there, the question whether to go on included.
    pub away_ms: u64,
    /// SIP's own name of the call by which the caller came back; none when nobody did.
    pub sip_call_id: Option<String>,
    /// `resumed`, `declined` when the caller began anew, `given-up` when nobody came back in time; `ended` when the contact
    /// ended otherwise.
    pub outcome: String,
}

/// What the steps of one plugin used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Meters {
    /// SHA-256 of the component of each of its steps that ran, by the step's name, such as `std/menu@1`: the standard
    /// steps are a component each, a plugin of a project is one for all of its steps. Records that older programs wrote
    /// have one alone, of the step that ran last, under the plugin's name.
    #[serde(default)]
    pub digests: BTreeMap<String, String>,
    /// What older programs wrote in place of `digests`.
    #[serde(default, rename = "digest", skip_serializing)]
    #[schema(ignore)]
    pub(crate) last_digest: String,
    /// Steps that were started, repetitions included.
    pub runs: u32,
    /// Those that failed.
    pub failures: u32,
    /// Processor time, microseconds, the sum.
    pub cpu_us: u64,
    /// Highest memory of one instance, bytes.
    pub memory_bytes: u64,
    /// Host calls, the sum.
    pub host_calls: u64,
}

/// Bytes of tags, and actions of the path, that a lean record has.
const LEAN_TAGS: usize = 4 << 10;
const LEAN_HOPS: usize = 32;

impl ContactRecord {
    /// Without what makes a record large: the first tags by name that fit, and the first actions of the path.
    pub(crate) fn lean(mut self) -> ContactRecord {
        let mut room = LEAN_TAGS;
        self.tags.retain(|name, value| {
            let fits = name.len() + value.to_string().len();
            let kept = fits <= room;
            room -= if kept { fits } else { 0 };
            kept
        });
        let cut = self.path.len().saturating_sub(LEAN_HOPS);
        self.path.truncate(LEAN_HOPS);
        self.path_cut = self.path_cut.saturating_add(cut as u32);
        self
    }

    /// Whether something went wrong: it ended by a fault, or a step of it failed.
    pub fn failed(&self) -> bool {
        self.error.is_some() || self.failures > 0 || self.reason == "error"
    }

    /// Fills in what is made of the rest.
    pub(super) fn sum_up(&mut self) {
        let last = self.transfers.last();
        self.transfer_target = last.map(|transfer| transfer.target.clone());
        self.transfer_outcome = last.map(|transfer| transfer.outcome.clone());
        let plugins = || self.plugins.values();
        self.cpu_us = plugins().map(|plugin| plugin.cpu_us).sum();
        self.memory_bytes = plugins()
            .map(|plugin| plugin.memory_bytes)
            .max()
            .unwrap_or_default();
        self.host_calls = plugins().map(|plugin| plugin.host_calls).sum();
    }

    /// The record that an older program kept, as it is written now.
    pub(crate) fn renewed(mut self) -> Self {
        for transfer in &mut self.transfers {
            transfer.outcome = flow_word(&transfer.outcome);
        }
        for queue in &mut self.queues {
            queue.outcome = flow_word(&queue.outcome);
        }
        for (name, plugin) in &mut self.plugins {
            if !plugin.last_digest.is_empty() {
                let digest = std::mem::take(&mut plugin.last_digest);
                plugin.digests.insert(name.clone(), digest);
            }
        }
        self.sum_up();
        self
    }
}

/// A word of the contract with plugins (`no-answer`) as flows write it (`no_answer`): a record has it once in its path, and the
/// same word everywhere else.
pub(super) fn flow_word(word: &str) -> String {
    word.replace('-', "_")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_an_older_program_kept_is_told_as_it_is_now() {
        let mut kept = json!(ContactRecord::default());
        for name in [
            "transfer_target",
            "transfer_outcome",
            "cpu_us",
            "memory_bytes",
            "host_calls",
        ] {
            kept.as_object_mut().expect("a record").remove(name);
        }
        let meters = json!({
            "digest": "ab", "runs": 1, "failures": 0, "cpu_us": 5, "memory_bytes": 9, "host_calls": 2,
        });
        kept["plugins"] = json!({ "std": meters.clone(), "orders": meters });
        kept["transfers"] = json!([
            { "target": "sales", "outcome": "no-answer", "ringing_ms": 1, "talked_ms": 0 },
        ]);
        kept["queues"] = json!([{ "queue": "front", "outcome": "no-agents", "waited_ms": 1 }]);
        let record: ContactRecord = serde_json::from_value(kept).expect("a record");
        let record = record.renewed();
        assert_eq!(record.transfer_outcome.as_deref(), Some("no_answer"));
        assert_eq!(record.queues[0].outcome, "no_agents");
        assert_eq!(
            (record.cpu_us, record.memory_bytes, record.host_calls),
            (10, 9, 4)
        );
        let told = json!(record.plugins["std"]);
        assert_eq!(told["digests"], json!({ "std": "ab" }));
        assert!(told.get("digest").is_none(), "{told}");
    }
}
