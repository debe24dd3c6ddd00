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
    /// The first flow.
    pub flow: String,
    /// SHA-256 of its text.
    pub flow_hash: String,
    /// SHA-256 over all flows, plugins and audio files of the project as it was.
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
    /// What `tag:` said, the last value of each name.
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
    /// Queues that were waited in, in order.
    pub queues: Vec<Queued>,
    /// Lines that dropped where the caller could go on, in order.
    #[serde(default)]
    pub drops: Vec<Drop>,
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
    /// `done`, `busy`, `no-answer`, `declined`, `failed`; `abandoned` when the contact ended before; or why it was not tried.
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
    /// How that ended, as `route.enqueue` answers; `abandoned` when the contact ended before.
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
    /// SHA-256 of its component.
    pub digest: String,
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

impl ContactRecord {
    /// Whether something went wrong: it ended by a fault, or a step of it failed.
    pub fn failed(&self) -> bool {
        self.error.is_some() || self.failures > 0 || self.reason == "error"
    }

    /// Processor time of all plugins, in microseconds.
    pub fn cpu_us(&self) -> u64 {
        self.plugins.values().map(|plugin| plugin.cpu_us).sum()
    }

    /// Highest memory of one instance of any plugin, in bytes.
    pub fn memory_bytes(&self) -> u64 {
        let memory = self.plugins.values().map(|plugin| plugin.memory_bytes);
        memory.max().unwrap_or_default()
    }

    /// Host calls of all plugins.
    pub fn host_calls(&self) -> u64 {
        self.plugins.values().map(|plugin| plugin.host_calls).sum()
    }
}
