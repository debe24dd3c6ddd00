//! The other side of a step that is tried alone: a scripted caller, virtual time, an empty store, no network.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rand::{RngCore as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value as Json, json};
use strowger_contact::call::{
    Bound, Bytes, CallError, Condition, HostCall, ListenOptions, MAX_RANDOM, Prompt, Utterance,
};
use strowger_contact::{Millis, TransferResult};
use strowger_plugin::{HostCallFuture, HostCalls};

use crate::clock::Clock;
use crate::runtime::{Act, Script};
use crate::scenario::Memory;

/// The seed of chance: a step that is tried twice does the same.
const SEED: u64 = 1;

/// Answers a step's host calls.
pub struct Caller {
    acts: VecDeque<Act>,
    transfers: VecDeque<TransferResult>,
    config: String,
    now: Millis,
    chance: StdRng,
    memory: Memory,
    gone: bool,
    /// Whether the step asked for what only a flow or the network could answer.
    outside: Arc<AtomicBool>,
    told: fn(std::fmt::Arguments<'_>),
}

impl Caller {
    /// A caller who follows a script; what is said and logged goes to `told`.
    pub fn new(script: Script, config: String, told: fn(std::fmt::Arguments<'_>)) -> Self {
        let Script { acts, transfers } = script;
        Self {
            acts,
            transfers,
            config,
            now: Clock::start().now(),
            chance: StdRng::seed_from_u64(SEED),
            memory: Memory::default(),
            gone: false,
            outside: Arc::default(),
            told,
        }
    }

    /// The time at which it begins, for two that shall see the same clock.
    #[must_use]
    pub fn begins_at(self, now: Millis) -> Self {
        Self { now, ..self }
    }

    /// Becomes true when the step asks for what only a flow or the network could answer.
    pub fn outside(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.outside)
    }

    fn tell(&self, line: std::fmt::Arguments<'_>) {
        (self.told)(line);
    }

    fn answer(&mut self, interface: &str, function: &str, args: Vec<Json>) -> Json {
        let call = match HostCall::read(interface, function, &Json::Array(args)) {
            Ok(call) => call,
            Err(why) => return json!({ "err": CallError::InvalidArgument(why) }),
        };
        let answer = match call {
            HostCall::Read => return self.facts(),
            HostCall::Now => return json!(self.now),
            HostCall::Config => return json!(self.config),
            HostCall::Log(level, line) => {
                self.tell(format_args!("log {level}: {line}"));
                return Json::Null;
            }
            HostCall::Kv(call) => return self.memory.perform("plugin", call, self.now),
            HostCall::LocalTime(zone) => strowger_contact::local_time(self.now, &zone),
            HostCall::Random(length) if length > MAX_RANDOM => Err(CallError::Limit(format!(
                "at most {MAX_RANDOM} random bytes a call"
            ))),
            HostCall::Random(length) => {
                let mut bytes = Bytes(vec![0; length as usize]);
                self.chance.fill_bytes(&mut bytes.0);
                Ok(json!(bytes))
            }
            HostCall::Evaluate(..) | HostCall::IsCardNumber(_) | HostCall::Fetch(_) => {
                self.outside.store(true, Ordering::Relaxed);
                let why = "there is no flow and no network when a step is tried alone";
                Err(CallError::Unavailable(why.to_owned()))
            }
            _ if self.gone => Err(CallError::Hangup),
            HostCall::Say(what, _) => {
                self.tell(format_args!("says: {}", heard(&what)));
                Ok(json!("finished"))
            }
            HostCall::Listen(what, options) => {
                self.tell(format_args!("says: {}", heard(&what)));
                self.listen(&options)
            }
            HostCall::Capture(options) => {
                self.now += Millis::from(options.silence_ms);
                let end = if options.silence_ms > 0 {
                    "silence"
                } else {
                    "max"
                };
                Ok(json!({ "id": "recording-1", "duration-ms": 0, "ended-by": end }))
            }
            HostCall::Transfer(target, _) => {
                let result = self.transfers.pop_front().unwrap_or(TransferResult::Done);
                let json = result.to_json();
                self.tell(format_args!("transfer to {target}: {}", json["ok"]));
                return json;
            }
            HostCall::Enqueue(queue, _) => {
                self.tell(format_args!("queue {queue}: nobody is there"));
                Ok(json!("no-agents"))
            }
            HostCall::Sleep(ms) => {
                self.now = self.now.saturating_add(ms);
                Ok(Json::Null)
            }
            HostCall::WaitAny(conditions) => self.wait_any(&conditions),
        };
        match answer {
            Ok(value) => json!({ "ok": value }),
            Err(error) => json!({ "err": error }),
        }
    }

    fn facts(&self) -> Json {
        json!({
            "id": "trial", "channel": "voice", "from": "+8613800138000", "to": "trial",
            "language": "en", "priority": 50, "started-at": self.now,
        })
    }

    fn listen(&mut self, options: &ListenOptions) -> Result<Json, CallError> {
        match self.acts.pop_front().unwrap_or(Act::Silence) {
            Act::Silence => {
                self.tell(format_args!("caller: silence"));
                self.now += Millis::from(options.timeout_ms);
                Ok(json!("nothing"))
            }
            Act::HangUp => {
                self.tell(format_args!("caller: hangs up"));
                self.gone = true;
                Err(CallError::Hangup)
            }
            Act::Keys(keys) => {
                self.tell(format_args!(
                    "caller: {}",
                    if options.sensitive { "a secret" } else { &keys }
                ));
                Ok(entered(&keys, options))
            }
        }
    }

    fn wait_any(&mut self, conditions: &[Condition]) -> Result<Json, CallError> {
        let input = conditions
            .iter()
            .position(|condition| matches!(condition, Condition::Input));
        if let (Some(index), Some(Act::Keys(_))) = (input, self.acts.front()) {
            return Ok(json!(index));
        }
        let elapsed = |condition: &Condition| match condition {
            Condition::Elapsed(ms) => Some(*ms),
            Condition::Input => None,
        };
        let first = (0_u32..)
            .zip(conditions)
            .filter_map(|(index, condition)| Some((elapsed(condition)?, index)))
            .min();
        match first {
            Some((ms, index)) => {
                self.now = self.now.saturating_add(ms);
                Ok(json!(index))
            }
            None => {
                self.gone = true;
                Err(CallError::Hangup)
            }
        }
    }
}

/// What keys mean to a step that listens so.
fn entered(keys: &str, options: &ListenOptions) -> Json {
    if options.choices.iter().any(|choice| choice.key == keys) {
        return json!({ "choice": keys });
    }
    let Some(digits) = &options.digits else {
        return json!({ "unmatched": keys });
    };
    let end = digits.end_key.as_deref().unwrap_or("");
    let entry = keys.strip_suffix(end).unwrap_or(keys);
    let length = entry.len();
    if length < digits.min as usize || length > digits.max as usize {
        return json!({ "unmatched": keys });
    }
    if options.sensitive {
        let last_four = if length < 8 { "" } else { &entry[length - 4..] };
        return json!({ "secret": { "handle": "s:1", "length": length, "last-four": last_four } });
    }
    json!({ "digits": entry })
}

/// What the caller hears, as far as it is known without a flow: its prompts are handles.
fn heard(what: &Utterance) -> String {
    let prompt = |prompt: &Prompt| match prompt {
        Prompt::Given(handle) => handle.clone(),
        Prompt::Text(text) => format!("“{}”", text.text),
        Prompt::Audio(path) => format!("[{path}]"),
        Prompt::Spoken(value) => value.value.clone(),
    };
    let mut parts: Vec<_> = what.prompts.iter().map(prompt).collect();
    for binding in &what.bindings {
        let value = match &binding.value {
            Bound::Value(value) => value.clone(),
            Bound::Prompts(prompts) => prompts.iter().map(prompt).collect::<Vec<_>>().join(" "),
        };
        parts.push(format!("{} = {value}", binding.name));
    }
    parts.join(" ")
}

impl HostCalls for Caller {
    fn call<'a>(
        &'a mut self,
        interface: &'a str,
        function: &'a str,
        args: Vec<Json>,
    ) -> HostCallFuture<'a> {
        Box::pin(std::future::ready(Ok(
            self.answer(interface, function, args)
        )))
    }
}
