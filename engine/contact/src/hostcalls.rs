//! Answering a guest's host calls.

use std::io;
use std::sync::Arc;

use rand_chacha::rand_core::RngCore;
use serde::Serialize;
use serde_json::{Value as Json, json};
use strowger_flow::unseen::quoted;

use crate::Millis;
use crate::activation::{Activation, Pending};
use crate::call::{
    Bytes, CallError, Condition, HostCall, MAX_CHOICES, MAX_RANDOM, MAX_WAIT_MS, Utterance,
};
use crate::card::is_card_number;
use crate::contact::{Contact, State};
use crate::entry::EntryKind;
use crate::given::{Given, not_given};
use crate::io::{Effect, Output, Segment, err, ok};
use crate::shared::SharedJson;
use crate::timers::Timer;

/// The code of a step that needed a secret which was lost with the process that heard it.
pub(crate) const SECRET_LOST: &str = "secret-lost";
/// Longest log line, in characters.
const MAX_LOG_LINE: usize = 2_000;
/// The first format of journals in which a condition of a step that has no value is false.
const NO_VALUE_IS_NO: u32 = 8;
/// Longest request or result that is journalled whole, in bytes of JSON: a replay needs them all, and the
/// body of a response, at most 1 MiB, is a third longer as text.
const MAX_JOURNALLED: usize = 2 << 20;

impl Contact {
    /// A guest called the host.
    pub(crate) fn called(
        &mut self,
        now: Millis,
        activation: u32,
        interface: &str,
        function: &str,
        args: SharedJson,
        out: &mut Vec<Output>,
    ) {
        let Some(running) = self.activation().filter(|running| running.id == activation) else {
            return;
        };
        // A guest waits for one answer at a time: a second question is not its own.
        if !matches!(running.pending, Pending::None) {
            return;
        }
        running.calls += 1;
        running.lost_secret = false;
        running.function = format!("{interface}.{function}");
        let asked = EntryKind::Asked {
            activation,
            call: running.calls,
            function: running.function.clone(),
            request: journalled(&args),
        };
        self.write(now, asked, out);
        match HostCall::read(interface, function, &args) {
            Ok(call) if needs_caller(&call) && self.hung_up => {
                self.reply(now, err(CallError::Hangup), out);
            }
            Ok(call) if needs_caller(&call) => {
                let call = Arc::new(call);
                self.running().asks = Some(Arc::clone(&call));
                match self.away.is_some() {
                    true => self.wait_for(Pending::Held),
                    false => self.try_perform(now, &call, out),
                }
            }
            Ok(call) => self.try_perform(now, &call, out),
            Err(message) => self.reply(now, err(CallError::InvalidArgument(message)), out),
        }
    }

    /// Answers a call, if only with why it cannot be, or begins what will answer it.
    pub(crate) fn try_perform(&mut self, now: Millis, call: &HostCall, out: &mut Vec<Output>) {
        if let Err(error) = self.perform(now, call, out) {
            self.reply(now, err(error), out);
        }
    }

    /// Answers a call, or begins what will answer it.
    fn perform(
        &mut self,
        now: Millis,
        call: &HostCall,
        out: &mut Vec<Output>,
    ) -> Result<(), CallError> {
        match call {
            HostCall::Read => {
                let facts = self.read_facts();
                self.reply(now, facts, out);
            }
            HostCall::Say(what, barge_in) => {
                let segments = self.with_given(|this, given| this.utter(now, what, given))?;
                if segments.is_empty() {
                    self.reply(now, ok("finished"), out);
                    return Ok(());
                }
                if !barge_in {
                    self.drop_ahead(now, out);
                }
                let play = self.start_play(now, segments, out);
                let barge_in = *barge_in;
                self.wait_for(Pending::Say { play, barge_in });
            }
            HostCall::Listen(what, options) => self.listen(now, what, options, out)?,
            HostCall::Capture(options) => self.capture(now, options, out)?,
            HostCall::IsCardNumber(handle) => {
                let given = self.running().given.secrets.contains(handle);
                let secret = self.secrets.get(handle).filter(|_| given);
                let secret = secret.ok_or_else(|| not_given("secret", handle))?;
                let is = secret.as_ref().map(|secret| is_card_number(secret));
                let is = is.ok_or_else(|| self.lost_secret())?;
                self.reply(now, ok(is), out);
            }
            HostCall::Evaluate(handle, bindings) => {
                self.reason_of_evaluating(now, handle, bindings);
                let value = self
                    .with_given(|this, given| this.evaluate_given(now, handle, bindings, given));
                let value = match value {
                    Err(CallError::Failed(why)) if self.format >= NO_VALUE_IS_NO => {
                        self.no_value(handle, &why, out);
                        Json::Bool(false)
                    }
                    value => value?,
                };
                self.reply(now, ok(value.to_string()), out);
            }
            HostCall::Transfer(target, options) => {
                self.transfer(now, target.clone(), options.clone(), out)?;
            }
            HostCall::Enqueue(queue, options) => {
                self.enqueue(queue.clone(), options.clone(), out)?;
            }
            HostCall::Sleep(ms) => {
                check_wait(*ms)?;
                self.timers.set(Timer::Wait, now.saturating_add(*ms));
                self.wait_for(Pending::Sleep);
            }
            HostCall::WaitAny(conditions) => self.wait_any(now, conditions, out)?,
            HostCall::Fetch(request) => self.fetch(request.clone(), out)?,
            HostCall::Kv(call) => {
                let plugin = self.running().plugin().to_owned();
                let call = call.clone();
                self.start_effect(Effect::Kv { plugin, call }, false, out);
            }
            HostCall::Now => self.reply(now, json!(now), out),
            HostCall::LocalTime(zone) => {
                let local = local_time(now, zone)?;
                self.reply(now, ok(local), out);
            }
            HostCall::Random(length) => {
                if *length > MAX_RANDOM {
                    let message = format!("at most {MAX_RANDOM} random bytes a call");
                    return Err(CallError::Limit(message));
                }
                let mut bytes = Bytes(vec![0; *length as usize]);
                self.rng.fill_bytes(&mut bytes.0);
                self.reply(now, ok(bytes), out);
            }
            HostCall::Config => {
                let config = match &self.state {
                    State::Step(running) => self.program.config(running.plugin()),
                    _ => "{}",
                };
                let config = json!(config);
                self.reply(now, config, out);
            }
            HostCall::Log(level, message) => {
                let running = self.running();
                let step = running.step.clone();
                let message = message.chars().take(MAX_LOG_LINE).collect();
                out.push(Output::Log {
                    level: level.clone(),
                    message,
                    step,
                });
                self.reply(now, Json::Null, out);
            }
        }
        Ok(())
    }

    /// A condition that has no value for what the caller said is not true of it: nobody's answer ends a contact. The log tells
    /// whoever wrote it.
    fn no_value(&mut self, handle: &str, why: &str, out: &mut Vec<Output>) {
        let message = format!("the condition {handle} has no value and counts as false: {why}");
        out.push(Output::Log {
            level: "warn".to_owned(),
            message: message.chars().take(MAX_LOG_LINE).collect(),
            step: self.running().step.clone(),
        });
    }

    /// Why a secret that was entered cannot be used; a step that ends by it fails with this code, whatever its own.
    pub(crate) fn lost_secret(&mut self) -> CallError {
        self.running().lost_secret = true;
        CallError::Failed(format!(
            "{SECRET_LOST}: what was entered was lost when the engine stopped, and is in no journal; ask for it again"
        ))
    }

    /// What `contact.read` answers. Most steps ask, and little of it ever changes: it is made once for each language and
    /// priority.
    fn read_facts(&mut self) -> SharedJson {
        if let Some(read) = &self.facts_read
            && read["language"] == self.language()
            && read["priority"] == self.priority
        {
            return read.clone();
        }
        let read = SharedJson::from(json!({
            "id": self.facts.id,
            "channel": self.facts.channel,
            "from": self.facts.from,
            "to": self.facts.to,
            "language": self.language(),
            "priority": self.priority,
            "started-at": self.facts.started_at,
        }));
        self.facts_read = Some(read.clone());
        read
    }

    /// The step whose guest called.
    pub(crate) fn running(&mut self) -> &mut Activation {
        self.activation()
            .expect("a host call is only handled while its step runs")
    }

    /// Does something with what the running step was given.
    pub(crate) fn with_given<T>(&mut self, does: impl FnOnce(&Contact, &Given) -> T) -> T {
        let given = std::mem::take(&mut self.running().given);
        let result = does(self, &given);
        self.running().given = given;
        result
    }

    pub(crate) fn given_utter(
        &mut self,
        now: Millis,
        what: &Utterance,
    ) -> Result<Vec<Segment>, CallError> {
        self.with_given(|this, given| this.utter(now, what, given))
    }

    /// The guest waits from now on.
    pub(crate) fn wait_for(&mut self, pending: Pending) {
        if pending.talks() {
            self.timers.clear(Timer::Meanwhile);
        }
        self.running().pending = pending;
    }

    /// Answers the guest and writes the answer down.
    pub(crate) fn reply(
        &mut self,
        now: Millis,
        value: impl Into<SharedJson>,
        out: &mut Vec<Output>,
    ) {
        let value = value.into();
        let running = self.running();
        let (activation, call) = (running.id, running.calls);
        let function = std::mem::take(&mut running.function);
        running.asks = None;
        let talked = std::mem::replace(&mut running.pending, Pending::None).talks();
        let result = journalled(&value);
        let entry = EntryKind::Call {
            activation,
            call,
            function,
            result,
        };
        self.write(now, entry, out);
        out.push(Output::Reply { activation, value });
        if talked {
            self.falls_silent(now);
        }
    }

    fn wait_any(
        &mut self,
        now: Millis,
        conditions: &[Condition],
        out: &mut Vec<Output>,
    ) -> Result<(), CallError> {
        if conditions.is_empty() || conditions.len() > MAX_CHOICES {
            let message = format!("1 to {MAX_CHOICES} conditions");
            return Err(CallError::InvalidArgument(message));
        }
        let input = conditions
            .iter()
            .position(|condition| matches!(condition, Condition::Input));
        let ready = !self.typed_ahead.is_empty() || !self.written_ahead.is_empty();
        if let (Some(index), true) = (input, ready) {
            self.reply(now, ok(index), out);
            return Ok(());
        }
        let elapsed = conditions
            .iter()
            .enumerate()
            .filter_map(|(index, condition)| match condition {
                Condition::Elapsed(ms) => Some((*ms, index as u32)),
                Condition::Input => None,
            })
            .min();
        if let Some((ms, _)) = elapsed {
            check_wait(ms)?;
            self.timers.set(Timer::Wait, now.saturating_add(ms));
        }
        self.wait_for(Pending::WaitAny {
            elapsed: elapsed.map(|(_, index)| index),
            input: input.map(|index| index as u32),
        });
        Ok(())
    }

    /// The time a guest wanted to wait is over.
    pub(crate) fn slept(&mut self, now: Millis, out: &mut Vec<Output>) {
        match self.activation().map(|activation| &activation.pending) {
            Some(Pending::Sleep) => self.reply(now, ok(Json::Null), out),
            Some(Pending::WaitAny {
                elapsed: Some(index),
                ..
            }) => {
                let index = *index;
                self.reply(now, ok(index), out);
            }
            _ => {}
        }
    }

    /// The caller hung up while a step runs: what waits for the caller is over, what does not goes on.
    pub(crate) fn interrupt_for_hang_up(&mut self, now: Millis, out: &mut Vec<Output>) {
        let activation = self.running();
        activation.interrupted = true;
        let waits = match &activation.pending {
            Pending::Say { .. }
            | Pending::Listen(_)
            | Pending::Sleep
            | Pending::WaitAny { .. }
            | Pending::Held => true,
            Pending::None | Pending::Capture { .. } | Pending::Effect { .. } => false,
        };
        if waits {
            self.timers.clear(Timer::Listen);
            self.timers.clear(Timer::Wait);
            self.reply(now, err(CallError::Hangup), out);
        }
    }
}

/// Whether a call makes sense only while somebody is on the line.
fn needs_caller(call: &HostCall) -> bool {
    matches!(
        call,
        HostCall::Say(..)
            | HostCall::Listen(..)
            | HostCall::Capture(_)
            | HostCall::Transfer(..)
            | HostCall::Enqueue(..)
            | HostCall::Sleep(_)
            | HostCall::WaitAny(_)
    )
}

fn check_wait(ms: u64) -> Result<(), CallError> {
    match ms > MAX_WAIT_MS {
        true => Err(CallError::Limit(format!("waits at most {MAX_WAIT_MS} ms"))),
        false => Ok(()),
    }
}

/// A value as the journal keeps it.
fn journalled(value: &SharedJson) -> SharedJson {
    if json_most(value) <= MAX_JOURNALLED {
        return value.clone();
    }
    match json_size(value) {
        size if size > MAX_JOURNALLED => json!({ "cut": size }).into(),
        _ => value.clone(),
    }
}

/// What the JSON text of a value has at most, in bytes: told without a look at each letter.
pub fn json_most(value: &Json) -> usize {
    /// The longest escape of a byte, `\u001f` (RFC 8259, section 7).
    const ESCAPED: usize = 6;
    /// The longest number, `-2.2250738585072014e-308`, and some.
    const NUMBER: usize = 32;
    let text = |text: &str| 2 + ESCAPED * text.len();
    match value {
        Json::Null | Json::Bool(_) | Json::Number(_) => NUMBER,
        Json::String(value) => text(value),
        Json::Array(values) => 2 + values.iter().map(|one| 1 + json_most(one)).sum::<usize>(),
        Json::Object(fields) => {
            let fields = fields.iter();
            let fields = fields.map(|(name, value)| text(name) + 2 + json_most(value));
            2 + fields.sum::<usize>()
        }
    }
}

/// The length of a value as JSON text, in bytes, without making the text; of what cannot be written so, that of what comes before.
pub fn json_size(value: &impl Serialize) -> usize {
    struct Count(usize);
    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    let _ = serde_json::to_writer(&mut count, value);
    count.0
}

/// What the clocks of a time zone show: the JSON of `env.civil`.
pub fn local_time(now: Millis, zone: &str) -> Result<Json, CallError> {
    let at = i64::try_from(now)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok())
        .ok_or_else(|| CallError::Failed("the time is out of range".into()))?;
    let local = at.in_tz(zone).map_err(|_| {
        let shown = quoted(zone);
        let message = format!("`{shown}` is no time zone of the IANA database");
        CallError::InvalidArgument(message)
    })?;
    Ok(json!({
        "year": local.year(),
        "month": local.month(),
        "day": local.day(),
        "weekday": local.weekday().to_monday_one_offset(),
        "hour": local.hour(),
        "minute": local.minute(),
        "second": local.second(),
    }))
}
