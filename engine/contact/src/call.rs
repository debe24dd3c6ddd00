//! The host calls of `wit/1.0`, read from the JSON in which they cross the wall.
//!
//! One enum per interface; names are those of the WIT. Reading is strict about types and tolerant
//! about further record fields, so that a newer guest works on an older engine.

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

pub use crate::bytes::Bytes;

/// Most prompts in one utterance. More is a plugin gone wild.
pub const MAX_PROMPTS: usize = 256;
/// Most choices in one `listen`.
pub const MAX_CHOICES: usize = 64;
/// Most digits of a free entry.
pub const MAX_DIGITS: u32 = 64;
/// Most random bytes in one call.
pub const MAX_RANDOM: u32 = 1_024;
/// Longest recording, in milliseconds.
pub const MAX_RECORDING_MS: u32 = 600_000;
/// Longest time a single listen may wait for the first key, in milliseconds.
pub const MAX_TIMEOUT_MS: u32 = 600_000;

/// Longest single `wait.sleep` or `elapsed`, in milliseconds: a day, longer than any contact lasts.
pub const MAX_WAIT_MS: u64 = 86_400_000;

/// Why a host call did not do what was asked: `strowger:types/types.error`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CallError {
    /// Not granted.
    Denied(String),
    /// The contact is gone.
    Hangup,
    /// Time is over.
    Timeout,
    /// The flow left the step.
    Cancelled,
    /// Unknown whether it took place.
    Interrupted,
    /// A malformed argument.
    InvalidArgument(String),
    /// A limit was reached.
    Limit(String),
    /// The other side could not be reached.
    Unavailable(String),
    /// Anything else.
    Failed(String),
}

/// `media.prompt`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Prompt {
    /// A handle `p:N`.
    Given(String),
    /// A text of the step's own.
    Text(TextPrompt),
    /// An audio file.
    Audio(String),
    /// A value.
    Spoken(SpokenValue),
}

/// `media.text-prompt`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TextPrompt {
    /// Plain text.
    pub text: String,
    /// BCP 47.
    #[serde(default)]
    pub language: Option<String>,
}

/// `media.spoken-value`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SpokenValue {
    /// JSON.
    pub value: String,
    /// A say-as filter.
    pub style: String,
    /// BCP 47.
    #[serde(default)]
    pub language: Option<String>,
}

/// `media.bound`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bound {
    /// JSON.
    Value(String),
    /// Prompts.
    Prompts(Vec<Prompt>),
}

/// `media.binding`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Binding {
    /// The name.
    pub name: String,
    /// What it stands for.
    pub value: Bound,
}

/// `media.utterance`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Utterance {
    /// In order.
    #[serde(default)]
    pub prompts: Vec<Prompt>,
    /// Values for open names.
    #[serde(default)]
    pub bindings: Vec<Binding>,
}

/// `media.choice`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Choice {
    /// Keys.
    pub key: String,
    /// A chat button's words.
    #[serde(default)]
    pub label: Option<Prompt>,
    /// Words that mean it.
    #[serde(default)]
    pub words: Vec<String>,
}

/// `media.digits`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Digits {
    /// Fewest.
    pub min: u32,
    /// Most.
    pub max: u32,
    /// The completing key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_key: Option<String>,
}

/// `media.listen-options`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct ListenOptions {
    /// Whether a key stops the prompt.
    pub barge_in: bool,
    /// What may be chosen.
    #[serde(default)]
    pub choices: Vec<Choice>,
    /// A free entry.
    #[serde(default)]
    pub digits: Option<Digits>,
    /// Whether free text is an answer.
    #[serde(default)]
    pub text: bool,
    /// Silence before the first key, in milliseconds.
    pub timeout_ms: u32,
    /// Silence between keys, in milliseconds.
    pub gap_ms: u32,
    /// Whether the entry is secret.
    #[serde(default)]
    pub sensitive: bool,
}

/// `media.record-options`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RecordOptions {
    /// A tone first.
    pub beep: bool,
    /// Longest, in milliseconds.
    pub max_ms: u32,
    /// Ending silence, in milliseconds; 0 for never.
    pub silence_ms: u32,
    /// Ending key.
    #[serde(default)]
    pub end_key: Option<String>,
    /// Whether what is said is secret.
    #[serde(default)]
    pub sensitive: bool,
}

/// `route.transfer-options`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct TransferOptions {
    /// Longest ringing, in milliseconds.
    pub ring_ms: u32,
    /// The number to show.
    #[serde(default)]
    pub caller_id: Option<String>,
    /// The handle of a prompt that whoever answers hears first.
    #[serde(default)]
    pub whisper: Option<String>,
}

/// `route.attachment`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// JSON.
    pub value: String,
}

/// `route.queue-options`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct QueueOptions {
    /// 0 to 100.
    #[serde(default)]
    pub priority: Option<u32>,
    /// What the seat must be able to do.
    #[serde(default)]
    pub skills: Vec<String>,
    /// What the seat is shown.
    #[serde(default)]
    pub attach: Vec<Attachment>,
    /// Longest wait, in milliseconds.
    pub max_wait_ms: u32,
    /// Audio while waiting.
    #[serde(default)]
    pub music: Option<String>,
    /// A prompt's handle.
    #[serde(default)]
    pub say: Option<String>,
    /// How often, in milliseconds.
    #[serde(default)]
    pub every_ms: u32,
}

/// `wait.condition`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Condition {
    /// Milliseconds.
    Elapsed(u64),
    /// A key or a text.
    Input,
}

/// `http.header`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Name.
    pub name: String,
    /// Value.
    pub value: String,
}

/// What a handle begins with that names an entry of the tenant's vault, which whoever sends the request looks up. Handles of
/// what a contact entered begin otherwise.
pub const VAULT: &str = "vault:";

/// `http.secret-field`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SecretField {
    /// Text in the body.
    pub placeholder: String,
    /// The secret that replaces it.
    pub handle: String,
}

/// `http.request`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct HttpRequest {
    /// Method.
    pub method: String,
    /// Absolute URL.
    pub url: String,
    /// Header lines.
    #[serde(default)]
    pub headers: Vec<Header>,
    /// Body.
    #[serde(default)]
    pub body: Option<Bytes>,
    /// Secrets to put into the body.
    #[serde(default)]
    pub secrets: Vec<SecretField>,
    /// Milliseconds.
    #[serde(default)]
    pub timeout_ms: Option<u32>,
}

/// `http.response`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HttpResponse {
    /// Status.
    pub status: u16,
    /// Header lines.
    pub headers: Vec<Header>,
    /// Body.
    pub body: Bytes,
}

/// The functions of `kv.store`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KvCall {
    /// `get`
    Get(String),
    /// `set`
    Set(String, Bytes, Option<u64>),
    /// `delete`
    Delete(String),
    /// `compare-and-set`
    CompareAndSet(String, Option<Bytes>, Bytes),
}

/// Any host call.
#[derive(Debug, Clone)]
pub enum HostCall {
    /// `contact.read`
    Read,
    /// `media.say`
    Say(Utterance, bool),
    /// `media.listen`
    Listen(Utterance, ListenOptions),
    /// `media.capture`
    Capture(RecordOptions),
    /// `media.is-card-number`
    IsCardNumber(String),
    /// `media.evaluate`
    Evaluate(String, Vec<Binding>),
    /// `route.transfer`
    Transfer(String, TransferOptions),
    /// `route.enqueue`
    Enqueue(String, QueueOptions),
    /// `wait.sleep`
    Sleep(u64),
    /// `wait.wait-any`
    WaitAny(Vec<Condition>),
    /// `http.fetch`
    Fetch(HttpRequest),
    /// `kv.*`
    Kv(KvCall),
    /// `env.now`
    Now,
    /// `env.local-time`
    LocalTime(String),
    /// `env.random`
    Random(u32),
    /// `env.config`
    Config,
    /// `env.log`
    Log(String, String),
}

impl HostCall {
    /// Reads a call; the error names the function and what does not fit.
    ///
    /// `args` is a JSON array of the arguments.
    pub fn read(interface: &str, function: &str, args: &Json) -> Result<HostCall, String> {
        fn one<'a, T: Deserialize<'a>>(args: &'a Json) -> Result<T, serde_json::Error> {
            let args = args.as_array().map(Vec::as_slice).unwrap_or_default();
            let [argument] = args else {
                return Err(serde::de::Error::custom(format!(
                    "takes 1 arguments, got {}",
                    args.len()
                )));
            };
            T::deserialize(argument)
        }
        fn all<'a, T: Deserialize<'a>>(args: &'a Json) -> Result<T, serde_json::Error> {
            T::deserialize(args)
        }
        let read = match (interface, function) {
            ("contact", "read") => Ok(HostCall::Read),
            ("media", "say") => all(args).map(|(u, b)| HostCall::Say(u, b)),
            ("media", "listen") => all(args).map(|(u, o)| HostCall::Listen(u, o)),
            ("media", "capture") => one(args).map(HostCall::Capture),
            ("media", "is-card-number") => one(args).map(HostCall::IsCardNumber),
            ("media", "evaluate") => all(args).map(|(e, b)| HostCall::Evaluate(e, b)),
            ("route", "transfer") => all(args).map(|(t, o)| HostCall::Transfer(t, o)),
            ("route", "enqueue") => all(args).map(|(q, o)| HostCall::Enqueue(q, o)),
            ("wait", "sleep") => one(args).map(HostCall::Sleep),
            ("wait", "wait-any") => one(args).map(HostCall::WaitAny),
            ("client" | "http", "fetch") => one(args).map(HostCall::Fetch),
            ("store" | "kv", "get") => one(args).map(|k| HostCall::Kv(KvCall::Get(k))),
            ("store" | "kv", "set") => {
                all(args).map(|(k, v, t)| HostCall::Kv(KvCall::Set(k, v, t)))
            }
            ("store" | "kv", "delete") => one(args).map(|k| HostCall::Kv(KvCall::Delete(k))),
            ("store" | "kv", "compare-and-set") => {
                all(args).map(|(k, e, v)| HostCall::Kv(KvCall::CompareAndSet(k, e, v)))
            }
            ("env", "now") => Ok(HostCall::Now),
            ("env", "local-time") => one(args).map(HostCall::LocalTime),
            ("env", "random") => one(args).map(HostCall::Random),
            ("env", "config") => Ok(HostCall::Config),
            ("env", "log") => all(args).map(|(l, m)| HostCall::Log(l, m)),
            _ => {
                return Err(format!(
                    "the engine has no host function {interface}.{function}"
                ));
            }
        };
        read.map_err(|e| format!("{interface}.{function}: {e}"))
    }
}
