//! What goes into a contact and what comes out of it.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::call::{CallError, HttpRequest, KvCall, QueueOptions, RecordOptions, TransferOptions};
use crate::entry::Entry;
use crate::shared::SharedJson;

/// Everything that can happen to a contact.
#[derive(Debug, Clone)]
pub enum Input {
    /// The line is open: the walk begins.
    Connected,
    /// The caller pressed a key: `0`–`9`, `*`, `#`, `A`–`D`.
    Key(char),
    /// The contact wrote something.
    Text(String),
    /// The contact wrote something, and gave it a name by which its sender knows it again.
    Message {
        /// The name.
        id: String,
        /// What.
        text: String,
    },
    /// What [`Output::Play`] asked for is over.
    PlayDone {
        /// The number of the play.
        play: u32,
        /// The reason when it could not be played.
        error: Option<String>,
    },
    /// The caller hung up or left the chat.
    HungUp,
    /// Nothing has come from the caller for so long that nobody is there any more; the line is still open.
    Vanished,
    /// The line of a call is gone, and its caller may come back: everything waits for [`Input::CalledBack`] or
    /// [`Input::GivenUp`]. Where [`crate::Contact::may_come_back`] says no, it is [`Input::HungUp`] or [`Input::Vanished`].
    Dropped {
        /// Nothing was heard of the caller any more; else the caller's side ended the call.
        vanished: bool,
    },
    /// The same caller is on a new line, and is asked whether to go on.
    CalledBack {
        /// The Call-ID of the new call.
        sip_call_id: String,
        /// What is asked; a standing question in the contact's language without it.
        question: Option<String>,
    },
    /// Nobody came back in time: the flow goes on without its caller.
    GivenUp,
    /// The contact was made again from its journal, to go on: what was entered as a secret is nowhere any more.
    Rebuilt,
    /// A guest called the host and waits for [`Output::Reply`].
    Called {
        /// Which activation.
        activation: u32,
        /// Short name of the interface: `media`, `http` …
        interface: String,
        /// The function.
        function: String,
        /// Its arguments: a JSON array.
        args: SharedJson,
    },
    /// A step came to its end.
    StepEnded {
        /// Which activation.
        activation: u32,
        /// How.
        result: StepResult,
    },
    /// An effect came to its end.
    EffectDone {
        /// The number of the effect.
        effect: u32,
        /// Its result, in the JSON form of the function's WIT result: `{"ok": …}` or `{"err": …}`.
        result: SharedJson,
    },
    /// The call that a transfer placed was answered, and is joined with the caller's; [`Input::EffectDone`] tells when
    /// that is over. The contact's longest duration stands still meanwhile. A transfer that the caller's own telephone
    /// makes has no such moment.
    Joined {
        /// The number of the effect.
        effect: u32,
    },
    /// The deadline that [`crate::Contact::deadline`] gave is here.
    Tick,
    /// The engine wants to stop: the contact ends at once.
    Shutdown,
    /// The engine cannot let the contact go on, and says why: it ends at once, by an error.
    Fault(String),
}

/// How a step ended.
#[derive(Debug, Clone)]
pub struct StepResult {
    /// The outcome's name and its data, or why there is none.
    pub outcome: Result<(String, SharedJson), StepFailure>,
    /// CPU time spent, in microseconds.
    pub cpu_us: u64,
    /// Highest memory of the instance, in bytes.
    pub memory_bytes: u64,
    /// Host calls made.
    pub host_calls: u32,
}

impl StepResult {
    /// The end of a step that did not run, or of which nothing but its failure counts.
    pub fn failed(failure: StepFailure) -> StepResult {
        StepResult {
            outcome: Err(failure),
            cpu_us: 0,
            memory_bytes: 0,
            host_calls: 0,
        }
    }
}

/// Why a step has no outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepFailure {
    /// A stable word for machines, such as `cpu-limit` or the plugin's own.
    pub code: String,
    /// One sentence for the operator.
    pub message: String,
    /// Whether the time was over: the flow's `timeout` edge rather than `error`.
    pub timeout: bool,
    /// Whether trying again may help.
    pub retryable: bool,
    /// Whether the plugin said so itself, by returning it; else the engine ended the step.
    pub own: bool,
}

/// What the contact asks of the world.
#[derive(Debug, Clone)]
pub enum Output {
    /// Run a step of a plugin on a fresh instance.
    Run {
        /// Numbers the activation within the contact.
        activation: u32,
        /// `plugin/step@major`.
        step: String,
        /// The input: a JSON object.
        input: SharedJson,
        /// Busy time allowed, in milliseconds.
        timeout_ms: u64,
    },
    /// The step is no longer wanted: end its instance, report nothing.
    Cancel {
        /// Which activation.
        activation: u32,
    },
    /// Answer the guest's host call.
    Reply {
        /// Which activation.
        activation: u32,
        /// The value of the function's result type.
        value: SharedJson,
    },
    /// Say something, instead of whatever is being said.
    Play {
        /// Numbers the play; comes back in [`Input::PlayDone`].
        play: u32,
        /// In order.
        segments: Vec<Segment>,
        /// Again and again until stopped.
        repeat: bool,
    },
    /// Be quiet. No [`Input::PlayDone`] follows.
    StopPlaying,
    /// Do something that takes time; [`Input::EffectDone`] answers.
    Perform {
        /// Numbers the effect within the contact.
        effect: u32,
        /// What.
        what: Effect,
    },
    /// The step that asked for the effect is gone: end what can be ended. A later [`Input::EffectDone`] changes nothing.
    CancelEffect {
        /// The number of the effect.
        effect: u32,
    },
    /// Stop the recording that runs as this effect; [`Input::EffectDone`] still answers.
    StopRecording {
        /// The number of the effect.
        effect: u32,
    },
    /// From now on (or no longer) nothing of what the caller enters may be recorded.
    Mask(bool),
    /// Write this down.
    Journal(Entry),
    /// A line for the log, from a plugin.
    Log {
        /// `debug`, `info`, `warn` or `error`.
        level: String,
        /// What it says; already cut to the limit.
        message: String,
        /// The step that says it.
        step: String,
    },
    /// Close the line.
    HangUp,
    /// The walk is over; no input matters any more.
    Ended(Ending),
}

/// How a contact ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ending {
    /// The disposition: the flow's `hangup:` or `return:` word, or `abandoned`, `vanished`, `error`, `too-long`,
    /// `fell-off`, `shutdown`.
    pub reason: String,
    /// Whether the caller ended it.
    pub by_caller: bool,
    /// What went wrong, when `reason` is `error`.
    pub error: Option<String>,
}

/// One part of what is said, ready for a synthesiser, a player or a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Segment {
    /// A text.
    Text {
        /// Plain text or the checked SSML subset.
        text: String,
        /// BCP 47.
        language: String,
        /// A voice of the synthesiser.
        voice: Option<String>,
    },
    /// An audio file of the project.
    Audio {
        /// Its path below the project's folder.
        path: String,
        /// What it says, when the flow tells: for the transcript, and in its place when it is missing.
        text: Option<String>,
        /// BCP 47.
        language: String,
    },
}

impl Segment {
    /// What a person would read.
    pub fn words(&self) -> String {
        match self {
            Segment::Text { text, .. } => text.clone(),
            Segment::Audio {
                text: Some(text), ..
            } => text.clone(),
            Segment::Audio { path, .. } => format!("[{path}]"),
        }
    }
}

/// Something that takes time or leaves the house.
#[derive(Debug, Clone)]
pub enum Effect {
    /// An HTTP request for a plugin.
    Http {
        /// The plugin that asks: its grants apply.
        plugin: String,
        /// The request.
        request: HttpRequest,
        /// Identifies this request for ever: contact, activation and call number.
        idempotency_key: String,
    },
    /// A look into, or a change of, the plugin's store.
    Kv {
        /// The plugin that asks: it has a space of its own.
        plugin: String,
        /// What.
        call: KvCall,
    },
    /// Hand the contact over.
    Transfer {
        /// A number, a SIP URI or a supplier's name.
        target: String,
        /// How.
        options: TransferOptions,
        /// What whoever answers hears first, alone.
        whisper: Vec<Segment>,
    },
    /// Put the contact into a queue.
    Enqueue {
        /// Its name.
        queue: String,
        /// How.
        options: QueueOptions,
        /// The contact's priority, unless the options have one.
        priority: u32,
    },
    /// Record what the caller says.
    Record {
        /// How.
        options: RecordOptions,
    },
}

/// How a transfer ended, as [`Effect::Transfer`] reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransferResult {
    /// Somebody took the contact.
    Done,
    /// Engaged.
    Busy,
    /// It rang to the end.
    NoAnswer,
    /// Refused.
    Declined,
    /// Anything else.
    Failed,
}

impl TransferResult {
    /// The JSON form of the WIT type `result<transferred, error>`.
    pub fn to_json(self) -> Json {
        match self {
            TransferResult::Done => serde_json::json!({"ok": "done"}),
            other => serde_json::json!({"ok": {"refused": other}}),
        }
    }
}

/// Shorthand: `{"err": …}`.
pub(crate) fn err(error: CallError) -> Json {
    serde_json::json!({ "err": error })
}

/// Shorthand: `{"ok": …}`.
pub(crate) fn ok(value: impl Serialize) -> Json {
    serde_json::json!({ "ok": value })
}
