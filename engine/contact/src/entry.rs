//! What is written down about a contact.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::Millis;
use crate::call::Digits;
use crate::facts::Channel;
use crate::io::{Ending, Segment};
use crate::shared::SharedJson;

/// The journal's format: 1 told what a contact did, 2 also holds every input with its time, so that the
/// contact can be replayed, 3 also the language it began in, and what a chat was offered, 4 also lines that
/// dropped, callers who came back, and the loss of secrets; since 5 texts that no step took are hidden, since 6 what comes right after a step
/// that asked for a secret and gave up, what became of an apology is told, and so is which failures
/// plugins returned; the configuration of plugins is named; since 7 answers are of the type that the flow expects, and a priority is what it was set to; since 8 a flow is
/// walked in a language of its own. Written into
/// [`EntryKind::Started`].
pub const FORMAT: u32 = 8;

/// Stands in the journal for a key or a character that must not be seen.
pub const HIDDEN: char = '•';

mod reading;

fn first_format() -> u32 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// One line of a contact's journal: numbered from 0 without gaps.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Its number.
    pub seq: u32,
    /// When.
    pub at: Millis,
    /// What.
    #[serde(flatten)]
    pub kind: EntryKind,
}

/// A button of a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// What choosing it sends.
    pub key: String,
    /// What stands on it; none when the flow has no words for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

// The kinds of entries, once for writers and once for readers. A journal's line has `kind` beside its fields, and what
// serde makes of that by itself reads each line into a copy of all that stands in it, and what it is from there; replays
// of many contacts read little else than lines. So the readers' form is one that `reading` can give its fields one by one.
macro_rules! both {
    ($(#[$doc:meta])* pub enum EntryKind { $($kinds:tt)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Serialize)]
        #[serde(tag = "kind", rename_all = "kebab-case")]
        pub enum EntryKind { $($kinds)* }

        #[derive(Deserialize)]
        #[serde(remote = "EntryKind", rename_all = "kebab-case")]
        pub(super) enum Read { $($kinds)* }
    };
}

both! {
    /// What an entry tells. Secrets appear as handles only.
    pub enum EntryKind {
        /// The contact began.
        Started {
            /// Channel.
            channel: Channel,
            /// Caller.
            from: String,
            /// Called.
            to: String,
            /// The first flow.
            flow: String,
            /// SHA-256 of its text.
            hash: String,
            /// The journal's [`FORMAT`].
            #[serde(default = "first_format")]
            format: u32,
            /// The contact's id; empty in format 1.
            #[serde(default, skip_serializing_if = "String::is_empty")]
            id: String,
            /// When it reached us: the line may have opened later.
            #[serde(default)]
            since: Millis,
            /// SHA-256 over all flows, plugins and audio files it may walk through.
            #[serde(default, skip_serializing_if = "String::is_empty")]
            content: String,
            /// SHA-256 over the configurations of its plugins; empty where none has one, and before format 6.
            #[serde(default, skip_serializing_if = "String::is_empty")]
            configuration: String,
            /// SHA-256 over the audio files alone; empty in journals of older programs, which do not say.
            #[serde(default, skip_serializing_if = "String::is_empty")]
            audio: String,
            /// Where its random numbers come from, in hexadecimal. Who reads it while the contact lasts can
            /// foretell them.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            seed: Option<String>,
            /// The language it begins in, where that is not the flow's first.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            language: Option<String>,
        },
        /// A key arrived; [`EntryKind::Pressed`] follows when a step takes it or when it is dropped. A digit is
        /// [`HIDDEN`] when it may be part of a secret.
        Key {
            /// The key.
            key: char,
        },
        /// A play came to its end.
        Played {
            /// Its number within the contact.
            play: u32,
            /// Why it could not be played.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            error: Option<String>,
        },
        /// A deadline of the contact was there.
        Tick {
            /// By how much the engine was late, in milliseconds: the deadline was so long before. None in journals of older
            /// programs, which do not say.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            late_ms: Option<Millis>,
        },
        /// A step was started on a fresh instance.
        Ran {
            /// Activation.
            activation: u32,
            /// `plugin/step@major`.
            plugin: String,
            /// SHA-256 of the plugin's component.
            digest: String,
            /// SHA-256 of the text of the flow that runs it.
            flow_hash: String,
            /// The step's input; secrets as handles.
            input: SharedJson,
            /// How long its flow lets it work, in milliseconds: what counts is the time outside the calls that wait. None in
            /// journals of older programs, which do not say.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            timeout_ms: Option<u64>,
        },
        /// A step called the host; [`EntryKind::Call`] with the same numbers is the answer.
        Asked {
            /// Activation.
            activation: u32,
            /// Number of the call within the activation, from 1.
            call: u32,
            /// `interface.function`.
            function: String,
            /// The arguments in JSON, as the guest gave them; `{"cut": BYTES}` when they were too long to keep.
            request: SharedJson,
        },
        /// An action was reached.
        Entered {
            /// The flow.
            flow: String,
            /// The named step.
            step: String,
            /// Line in the flow's file.
            line: u32,
            /// The verb.
            verb: String,
        },
        /// Something was said.
        Said {
            /// What.
            segments: Vec<Segment>,
        },
        /// A prompt could not be said to its end.
        Unsaid {
            /// Why.
            error: String,
        },
        /// The contact pressed a key that a step took, at the time it took it; `•` for a key of a secret entry,
        /// and for one that no step took: it may have been the beginning of a secret.
        Pressed {
            /// The key.
            key: char,
        },
        /// The contact wrote something.
        Wrote {
            /// What; each character `•` when it may be a secret, and the digits of what no step took.
            text: String,
            /// The name its sender gave it.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            message: Option<String>,
            /// It came right after a step that asked for a secret and gave up: no step takes it.
            #[serde(default, skip_serializing_if = "is_false")]
            late: bool,
        },
        /// A step listens in a chat: what its contact may choose or write.
        Offered {
            /// Buttons.
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            choices: Vec<Offer>,
            /// Digits are an answer.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            digits: Option<Digits>,
            /// Any text is an answer.
            #[serde(default)]
            text: bool,
            /// The answer is a secret.
            #[serde(default)]
            secret: bool,
        },
        /// A listening step heard something, or nothing.
        Heard {
            /// The value of `media.heard`, secrets as handles.
            heard: Json,
        },
        /// A host call of a step and its result.
        Call {
            /// Activation.
            activation: u32,
            /// Number of the call within the activation, from 1.
            call: u32,
            /// `interface.function`.
            function: String,
            /// The result in JSON, as the guest got it; `{"cut": BYTES}` when it was too long to keep.
            result: SharedJson,
        },
        /// A step ended with an outcome.
        Outcome {
            /// `plugin/step@major`.
            plugin: String,
            /// The outcome.
            outcome: String,
            /// Its data.
            data: SharedJson,
            /// CPU time in microseconds.
            cpu_us: u64,
            /// Highest memory in bytes.
            memory_bytes: u64,
            /// Host calls.
            host_calls: u32,
        },
        /// A step failed.
        Failed {
            /// `plugin/step@major`, or the flow's own verb.
            plugin: String,
            /// The code.
            code: String,
            /// The message.
            message: String,
            /// How many more times it will be tried.
            retries_left: u32,
            /// Of a failure that the plugin returned: whether it says that trying again may help. None where the engine ended
            /// the step, and before format 6.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            returned_retryable: Option<bool>,
            /// CPU time in microseconds; 0 for what never ran, and in older journals.
            #[serde(default)]
            cpu_us: u64,
            /// Highest memory in bytes.
            #[serde(default)]
            memory_bytes: u64,
            /// Host calls.
            #[serde(default)]
            host_calls: u32,
        },
        /// A global key took the contact out of a step.
        GlobalKey {
            /// The key.
            key: String,
        },
        /// `set:` changed something.
        Set {
            /// Names and new values.
            values: Json,
        },
        /// `tag:` marked the contact.
        Tagged {
            /// Names and values.
            values: Json,
        },
        /// Whoever was called by a transfer answered, and talks with the caller.
        Joined,
        /// The caller hung up.
        HungUp,
        /// The caller was heard no more, and the call was ended for it.
        Vanished,
        /// The line was gone, and the caller may come back: everything waits.
        Dropped {
            /// Nothing was heard of the caller any more; else the caller's side ended the call.
            #[serde(default, skip_serializing_if = "is_false")]
            vanished: bool,
        },
        /// The same caller called again, and is asked whether to go on.
        CalledBack {
            /// The Call-ID of the new call.
            sip_call_id: String,
            /// What is asked, where that is not the standing question.
            #[serde(default, skip_serializing_if = "Option::is_none")]
            question: Option<String>,
        },
        /// The caller goes on where the line dropped.
        Resumed,
        /// The caller begins anew, in another contact.
        Declined,
        /// Nobody came back in time.
        GivenUp,
        /// The contact was built again from this journal, which has no secrets: what stood for them until here is of no use.
        SecretsLost,
        /// The contact ended.
        Ended(Ending),
    }
}
