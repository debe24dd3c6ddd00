//! Answering a guest's host calls.

use rand_chacha::rand_core::RngCore;
use serde_json::{Value as Json, json};

use crate::Millis;
use crate::call::{
    Bytes, CallError, Condition, HostCall, ListenOptions, MAX_CHOICES, MAX_DIGITS, MAX_RANDOM,
    MAX_RECORDING_MS, MAX_TIMEOUT_MS, Utterance,
};
use crate::contact::{Contact, State};
use crate::entry::EntryKind;
use crate::facts::Channel;
use crate::io::{Effect, Output, Segment, err, ok};
use crate::listening::{Listening, Verdict};
use crate::step::Pending;
use crate::timers::Timer;

/// Longest log line, in characters.
const MAX_LOG_LINE: usize = 2_000;
/// Longest result that is journalled whole, in bytes of JSON.
const MAX_JOURNALLED: usize = 4_096;
/// In a chat people answer slowly: `timeout` counts so many times.
const CHAT_PATIENCE: u64 = 6;

impl Contact {
    /// A guest called the host.
    pub(crate) fn called(
        &mut self,
        now: Millis,
        activation: u32,
        interface: &str,
        function: &str,
        args: Vec<Json>,
        out: &mut Vec<Output>,
    ) {
        let Some(running) = self.activation().filter(|running| running.id == activation) else {
            return;
        };
        running.calls += 1;
        let name = format!("{interface}.{function}");
        match HostCall::read(interface, function, args) {
            Ok(call) => self.perform(now, call, &name, out),
            Err(message) => self.reply(now, &name, err(CallError::InvalidArgument(message)), out),
        }
    }

    fn perform(&mut self, now: Millis, call: HostCall, name: &str, out: &mut Vec<Output>) {
        let talks = matches!(
            call,
            HostCall::Say(..)
                | HostCall::Listen(..)
                | HostCall::Capture(_)
                | HostCall::Transfer(..)
                | HostCall::Enqueue(..)
                | HostCall::Sleep(_)
                | HostCall::WaitAny(_)
        );
        if talks && self.hung_up {
            return self.reply(now, name, err(CallError::Hangup), out);
        }
        match call {
            HostCall::Read => {
                let facts = json!({
                    "id": self.facts.id,
                    "channel": self.facts.channel,
                    "from": self.facts.from,
                    "to": self.facts.to,
                    "language": self.language,
                    "priority": self.priority,
                    "started-at": self.facts.started_at,
                });
                self.reply(now, name, facts, out);
            }
            HostCall::Say(what, barge_in) => match self.given_utter(now, &what) {
                Ok(segments) if segments.is_empty() => self.reply(now, name, ok("finished"), out),
                Ok(segments) => {
                    if !barge_in {
                        self.typed_ahead.clear();
                    }
                    let play = self.start_play(now, segments, out);
                    self.wait_for(Pending::Say { play, barge_in });
                }
                Err(error) => self.reply(now, name, err(error), out),
            },
            HostCall::Listen(what, options) => self.listen(now, &what, options, name, out),
            HostCall::Capture(options) => {
                if self.facts.channel != Channel::Voice {
                    let error = CallError::Unavailable("a chat has nothing to record".into());
                    return self.reply(now, name, err(error), out);
                }
                if options.max_ms == 0 || options.max_ms > MAX_RECORDING_MS {
                    let error =
                        CallError::InvalidArgument(format!("max-ms is 1 to {MAX_RECORDING_MS}"));
                    return self.reply(now, name, err(error), out);
                }
                let end_key = options.end_key.as_ref().and_then(|key| key.chars().next());
                self.typed_ahead.clear();
                let effect = self.start_effect(Effect::Record { options }, out);
                self.wait_for(Pending::Capture { effect, end_key });
            }
            HostCall::Evaluate(handle, bindings) => {
                let given = std::mem::take(&mut self.running().given);
                let result = self.evaluate_given(now, &handle, &bindings, &given);
                self.running().given = given;
                let reply = match result {
                    Ok(value) => ok(value.to_string()),
                    Err(error) => err(error),
                };
                self.reply(now, name, reply, out);
            }
            HostCall::Transfer(target, options) => {
                let effect = self.start_effect(Effect::Transfer { target, options }, out);
                self.wait_for(Pending::Effect {
                    effect,
                    transfer: true,
                });
            }
            HostCall::Enqueue(queue, options) => {
                let priority = options.priority.unwrap_or(self.priority).min(100);
                let effect = self.start_effect(
                    Effect::Enqueue {
                        queue,
                        options,
                        priority,
                    },
                    out,
                );
                self.wait_for(Pending::Effect {
                    effect,
                    transfer: true,
                });
            }
            HostCall::Sleep(ms) => {
                self.timers.set(Timer::Wait, now.saturating_add(ms));
                self.wait_for(Pending::Sleep);
            }
            HostCall::WaitAny(conditions) => self.wait_any(now, &conditions, name, out),
            HostCall::Fetch(request) => {
                let running = self.running();
                let (plugin, id, call) = (running.plugin().to_owned(), running.id, running.calls);
                let idempotency_key = format!("{}:{id}:{call}", self.facts.id);
                let effect = self.start_effect(
                    Effect::Http {
                        plugin,
                        request,
                        idempotency_key,
                    },
                    out,
                );
                self.wait_for(Pending::Effect {
                    effect,
                    transfer: false,
                });
            }
            HostCall::Kv(call) => {
                let plugin = self.running().plugin().to_owned();
                let effect = self.start_effect(Effect::Kv { plugin, call }, out);
                self.wait_for(Pending::Effect {
                    effect,
                    transfer: false,
                });
            }
            HostCall::Now => self.reply(now, name, json!(now), out),
            HostCall::LocalTime(zone) => {
                let reply = local_time(now, &zone);
                self.reply(now, name, reply, out);
            }
            HostCall::Random(length) if length > MAX_RANDOM => {
                let error = CallError::Limit(format!("at most {MAX_RANDOM} random bytes a call"));
                self.reply(now, name, err(error), out);
            }
            HostCall::Random(length) => {
                let mut bytes = Bytes(vec![0; length as usize]);
                self.rng.fill_bytes(&mut bytes.0);
                self.reply(now, name, ok(bytes), out);
            }
            HostCall::Config => {
                let config = self.program.config(self.plugin_of_running()).to_owned();
                self.reply(now, name, json!(config), out);
            }
            HostCall::Log(level, message) => {
                let step = self.running().step.clone();
                let message = message.chars().take(MAX_LOG_LINE).collect();
                out.push(Output::Log {
                    level,
                    message,
                    step,
                });
                let activation = self.running().id;
                out.push(Output::Reply {
                    activation,
                    value: Json::Null,
                });
            }
        }
    }

    fn running(&mut self) -> &mut crate::step::Activation {
        self.activation()
            .expect("a host call is only handled while its step runs")
    }

    fn plugin_of_running(&self) -> &str {
        match &self.state {
            State::Step(activation) => activation.plugin(),
            _ => "",
        }
    }

    fn given_utter(&mut self, now: Millis, what: &Utterance) -> Result<Vec<Segment>, CallError> {
        let given = std::mem::take(&mut self.running().given);
        let result = self.utter(now, what, &given);
        self.running().given = given;
        result
    }

    fn wait_for(&mut self, pending: Pending) {
        self.running().pending = pending;
    }

    fn start_effect(&mut self, what: Effect, out: &mut Vec<Output>) -> u32 {
        self.last_effect += 1;
        out.push(Output::Perform {
            effect: self.last_effect,
            what,
        });
        self.last_effect
    }

    /// Says something; a `meanwhile` sentence is finished first.
    pub(crate) fn start_play(
        &mut self,
        now: Millis,
        segments: Vec<Segment>,
        out: &mut Vec<Output>,
    ) -> u32 {
        self.last_play += 1;
        let play = self.last_play;
        self.aside.music = false;
        if self.aside.sentence.is_some() {
            self.aside.queued = Some((play, segments));
            return play;
        }
        self.write(
            now,
            EntryKind::Said {
                segments: segments.clone(),
            },
            out,
        );
        out.push(Output::Play {
            play,
            segments,
            repeat: false,
        });
        play
    }

    /// Answers the guest and writes the answer down.
    pub(crate) fn reply(&mut self, now: Millis, name: &str, value: Json, out: &mut Vec<Output>) {
        let running = self.running();
        let (activation, call) = (running.id, running.calls);
        running.pending = Pending::None;
        let size = value.to_string().len();
        let result = match size > MAX_JOURNALLED {
            true => json!({ "cut": size }),
            false => value.clone(),
        };
        self.write(
            now,
            EntryKind::Call {
                activation,
                call,
                function: name.to_owned(),
                result,
            },
            out,
        );
        out.push(Output::Reply { activation, value });
    }

    fn listen(
        &mut self,
        now: Millis,
        what: &Utterance,
        options: ListenOptions,
        name: &str,
        out: &mut Vec<Output>,
    ) {
        if let Err(error) = check_listen(&options) {
            return self.reply(now, name, err(error), out);
        }
        let segments = match self.given_utter(now, what) {
            Ok(segments) => segments,
            Err(error) => return self.reply(now, name, err(error), out),
        };
        let mut labels = Vec::with_capacity(options.choices.len());
        for choice in &options.choices {
            let label = choice.label.clone().map(|label| Utterance {
                prompts: vec![label],
                bindings: Vec::new(),
            });
            match label.map(|label| self.given_utter(now, &label)).transpose() {
                Ok(label) => {
                    labels.push(label.map(|segments| segments.iter().map(Segment::words).collect()))
                }
                Err(error) => return self.reply(now, name, err(error), out),
            }
        }
        let node = self.running().node;
        let plan = self.frame().plan.clone();
        let globals = match plan.nodes[node.0 as usize].global_keys {
            true => plan.global.press.keys().cloned().collect(),
            false => Vec::new(),
        };
        if options.sensitive || !options.barge_in {
            self.typed_ahead.clear();
        }
        if options.sensitive {
            out.push(Output::Mask(true));
        }
        self.wait_for(Pending::Listen(Listening::new(&options, labels, globals)));
        // What was typed ahead answers before anything is said.
        while let Some(key) = self.typed_ahead.pop_front() {
            self.listen_key(now, key, out);
            if !self.listens() {
                return;
            }
        }
        if let Some(text) = self.written_ahead.pop_front() {
            return self.listen_text(now, &text, out);
        }
        let begun = self.listening().is_some_and(|listening| listening.begun());
        if begun {
            return;
        }
        if segments.is_empty() {
            return self.await_first_key(now);
        }
        let play = self.start_play(now, segments, out);
        if let Some(listening) = self.listening() {
            listening.play = Some(play);
        }
    }

    fn listens(&mut self) -> bool {
        self.listening().is_some()
    }

    fn listening(&mut self) -> Option<&mut Listening> {
        match self.activation() {
            Some(activation) => match &mut activation.pending {
                Pending::Listen(listening) => Some(listening),
                _ => None,
            },
            None => None,
        }
    }

    fn await_first_key(&mut self, now: Millis) {
        let patience = if self.facts.channel == Channel::Chat {
            CHAT_PATIENCE
        } else {
            1
        };
        let Some(timeout) = self.listening().map(|listening| listening.timeout_ms) else {
            return;
        };
        self.timers.set(Timer::Listen, now + timeout * patience);
    }

    /// The caller pressed a key.
    pub(crate) fn key(&mut self, now: Millis, key: char, out: &mut Vec<Output>) {
        if self.hung_up || !matches!(key, '0'..='9' | '*' | '#' | 'A'..='D') {
            return;
        }
        let secret = self
            .listening()
            .is_some_and(|listening| listening.sensitive);
        self.write(
            now,
            EntryKind::Pressed {
                key: if secret { '•' } else { key },
            },
            out,
        );
        if let Some((end_key, until)) = self.swallow.take()
            && key == end_key
            && now <= until
        {
            return;
        }
        let Some(activation) = self.activation() else {
            return self.type_ahead(key);
        };
        match &activation.pending {
            Pending::Listen(listening) if listening.play.is_some() && !listening.barge_in => {}
            Pending::Listen(_) => self.listen_key(now, key, out),
            Pending::Say {
                barge_in: false, ..
            } => {}
            Pending::Say { barge_in: true, .. } => {
                self.type_ahead(key);
                self.stop_playing(out);
                self.reply(now, "media.say", ok("interrupted"), out);
            }
            Pending::Capture { effect, end_key } => {
                if end_key.is_none_or(|end_key| end_key == key) {
                    let effect = *effect;
                    out.push(Output::StopRecording { effect });
                }
            }
            Pending::WaitAny {
                input: Some(index), ..
            } => {
                let index = *index;
                self.type_ahead(key);
                self.timers.clear(Timer::Wait);
                self.reply(now, "wait.wait-any", ok(index), out);
            }
            _ => self.type_ahead(key),
        }
    }

    fn type_ahead(&mut self, key: char) {
        if self.typed_ahead.len() < crate::contact::MAX_TYPED_AHEAD {
            self.typed_ahead.push_back(key);
        }
    }

    fn stop_playing(&mut self, out: &mut Vec<Output>) {
        self.aside.queued = None;
        self.aside.sentence = None;
        out.push(Output::StopPlaying);
    }

    fn listen_key(&mut self, now: Millis, key: char, out: &mut Vec<Output>) {
        let Some(listening) = self.listening() else {
            return;
        };
        let heard_prompt = listening.play.take().is_some();
        let verdict = listening.key(key);
        let gap = listening.gap_ms;
        let end_key = listening.end_key().filter(|end_key| *end_key != key);
        if heard_prompt {
            self.stop_playing(out);
        }
        match verdict {
            Verdict::More => self.timers.set(Timer::Listen, now + gap),
            verdict => {
                if let (Verdict::Digits(_), Some(end_key)) = (&verdict, end_key) {
                    self.swallow = Some((end_key, now + gap));
                }
                self.heard(now, verdict, out);
            }
        }
    }

    /// The contact wrote something.
    pub(crate) fn written(&mut self, now: Millis, text: String, out: &mut Vec<Output>) {
        if self.hung_up {
            return;
        }
        let secret = self
            .listening()
            .is_some_and(|listening| listening.sensitive);
        let shown = if secret {
            "•".repeat(text.chars().count())
        } else {
            text.clone()
        };
        self.write(now, EntryKind::Wrote { text: shown }, out);
        let Some(activation) = self.activation() else {
            return self.write_ahead(text);
        };
        match &activation.pending {
            Pending::Listen(_) => self.listen_text(now, &text, out),
            Pending::WaitAny {
                input: Some(index), ..
            } => {
                let index = *index;
                self.write_ahead(text);
                self.timers.clear(Timer::Wait);
                self.reply(now, "wait.wait-any", ok(index), out);
            }
            _ => self.write_ahead(text),
        }
    }

    fn write_ahead(&mut self, text: String) {
        if self.written_ahead.len() < crate::contact::MAX_WRITTEN_AHEAD {
            self.written_ahead.push_back(text);
        }
    }

    fn listen_text(&mut self, now: Millis, text: &str, out: &mut Vec<Output>) {
        let Some(listening) = self.listening() else {
            return;
        };
        let verdict = listening.written(text);
        if listening.play.take().is_some() {
            self.stop_playing(out);
        }
        self.heard(now, verdict, out);
    }

    /// The time for the first key, or for the next, is over.
    pub(crate) fn listen_timeout(&mut self, now: Millis, out: &mut Vec<Output>) {
        let Some(listening) = self.listening() else {
            return;
        };
        if listening.begun() {
            let verdict = listening.complete();
            return self.heard(now, verdict, out);
        }
        if listening.sensitive {
            out.push(Output::Mask(false));
        }
        self.write(
            now,
            EntryKind::Heard {
                heard: json!("nothing"),
            },
            out,
        );
        self.reply(now, "media.listen", ok("nothing"), out);
    }

    /// A listening step has its answer, or a global key takes the contact out of it.
    fn heard(&mut self, now: Millis, verdict: Verdict, out: &mut Vec<Output>) {
        self.timers.clear(Timer::Listen);
        let sensitive = self
            .listening()
            .is_some_and(|listening| listening.sensitive);
        if sensitive {
            out.push(Output::Mask(false));
        }
        let heard = match verdict {
            Verdict::More => return,
            Verdict::Choice(key) => json!({ "choice": key }),
            Verdict::Digits(digits) | Verdict::Text(digits) if sensitive => {
                json!({ "secret": self.keep_secret(digits) })
            }
            Verdict::Unmatched(_) if sensitive => json!({ "unmatched": "" }),
            Verdict::Digits(digits) => json!({ "digits": digits }),
            Verdict::Text(text) => json!({ "text": text }),
            Verdict::Unmatched(keys) => json!({ "unmatched": keys }),
            Verdict::Global(key) => return self.leave_by_key(now, key, out),
        };
        self.write(
            now,
            EntryKind::Heard {
                heard: heard.clone(),
            },
            out,
        );
        self.reply(now, "media.listen", ok(heard), out);
    }

    fn leave_by_key(&mut self, now: Millis, key: String, out: &mut Vec<Output>) {
        let edge = self.frame().plan.global.press.get(&key).cloned();
        self.write(now, EntryKind::GlobalKey { key }, out);
        // The listening is over, so that leaving the step does not unmask or silence twice.
        self.wait_for(Pending::None);
        self.cancel_step(out);
        if let Some(edge) = edge {
            self.walk(now, edge, out);
        }
    }

    fn keep_secret(&mut self, text: String) -> Json {
        let handle = format!("s:{}", self.secrets.len() + 1);
        let length = text.chars().count();
        let last_four: String = match length >= 8 {
            true => text.chars().skip(length - 4).collect(),
            false => String::new(),
        };
        self.secrets.insert(handle.clone(), text);
        json!({ "handle": handle, "length": length, "last-four": last_four })
    }

    fn wait_any(
        &mut self,
        now: Millis,
        conditions: &[Condition],
        name: &str,
        out: &mut Vec<Output>,
    ) {
        if conditions.is_empty() || conditions.len() > MAX_CHOICES {
            let error = CallError::InvalidArgument(format!("1 to {MAX_CHOICES} conditions"));
            return self.reply(now, name, err(error), out);
        }
        let input = conditions
            .iter()
            .position(|condition| matches!(condition, Condition::Input));
        let ready = !self.typed_ahead.is_empty() || !self.written_ahead.is_empty();
        if let (Some(index), true) = (input, ready) {
            return self.reply(now, name, ok(index), out);
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
            self.timers.set(Timer::Wait, now.saturating_add(ms));
        }
        self.wait_for(Pending::WaitAny {
            elapsed: elapsed.map(|(_, index)| index),
            input: input.map(|index| index as u32),
        });
    }

    /// The time a guest wanted to wait is over.
    pub(crate) fn slept(&mut self, now: Millis, out: &mut Vec<Output>) {
        match self.activation().map(|activation| &activation.pending) {
            Some(Pending::Sleep) => self.reply(now, "wait.sleep", ok(Json::Null), out),
            Some(Pending::WaitAny {
                elapsed: Some(index),
                ..
            }) => {
                let index = *index;
                self.reply(now, "wait.wait-any", ok(index), out);
            }
            _ => {}
        }
    }

    /// Something was said to its end, or could not be.
    pub(crate) fn play_done(
        &mut self,
        now: Millis,
        play: u32,
        error: Option<String>,
        out: &mut Vec<Output>,
    ) {
        if let Some(error) = &error {
            self.write(
                now,
                EntryKind::Unsaid {
                    error: error.clone(),
                },
                out,
            );
        }
        if self.aside.sentence == Some(play) {
            self.aside.sentence = None;
            match self.aside.queued.take() {
                Some((play, segments)) => {
                    self.write(
                        now,
                        EntryKind::Said {
                            segments: segments.clone(),
                        },
                        out,
                    );
                    out.push(Output::Play {
                        play,
                        segments,
                        repeat: false,
                    });
                }
                None => self.start_music(out),
            }
            return;
        }
        let Some(activation) = self.activation() else {
            return;
        };
        match &mut activation.pending {
            Pending::Say { play: said, .. } if *said == play => {
                let reply = match error {
                    None => ok("finished"),
                    Some(error) => err(CallError::Unavailable(error)),
                };
                self.reply(now, "media.say", reply, out);
            }
            Pending::Listen(listening) if listening.play == Some(play) => {
                listening.play = None;
                match error {
                    None => self.await_first_key(now),
                    Some(error) => {
                        if self
                            .listening()
                            .is_some_and(|listening| listening.sensitive)
                        {
                            out.push(Output::Mask(false));
                        }
                        self.reply(now, "media.listen", err(CallError::Unavailable(error)), out);
                    }
                }
            }
            _ => {}
        }
    }

    /// An effect came to its end.
    pub(crate) fn effect_done(
        &mut self,
        now: Millis,
        effect: u32,
        result: Json,
        out: &mut Vec<Output>,
    ) {
        let Some(activation) = self.activation() else {
            return;
        };
        let (name, transfer) = match &activation.pending {
            Pending::Capture {
                effect: pending, ..
            } if *pending == effect => ("media.capture", false),
            Pending::Effect {
                effect: pending,
                transfer,
            } if *pending == effect => ("effect", *transfer),
            _ => return,
        };
        if transfer && result.get("ok").is_some_and(|how| how == "done") {
            self.handed_over = true;
        }
        self.reply(now, name, result, out);
    }

    /// The caller hung up while a step runs: what waits for the caller is over, what does not goes on.
    pub(crate) fn interrupt_for_hang_up(&mut self, now: Millis, out: &mut Vec<Output>) {
        let activation = self.running();
        activation.interrupted = true;
        let waits = match &activation.pending {
            Pending::Say { .. } => Some("media.say"),
            Pending::Listen(_) => Some("media.listen"),
            Pending::Sleep => Some("wait.sleep"),
            Pending::WaitAny { .. } => Some("wait.wait-any"),
            Pending::None | Pending::Capture { .. } | Pending::Effect { .. } => None,
        };
        if let Some(name) = waits {
            self.timers.clear(Timer::Listen);
            self.timers.clear(Timer::Wait);
            self.reply(now, name, err(CallError::Hangup), out);
        }
    }
}

fn check_listen(options: &ListenOptions) -> Result<(), CallError> {
    let invalid = |message: String| Err(CallError::InvalidArgument(message));
    if options.choices.len() > MAX_CHOICES {
        return invalid(format!("at most {MAX_CHOICES} choices"));
    }
    let is_key = |key: &str| {
        !key.is_empty()
            && key.len() <= MAX_DIGITS as usize
            && key.chars().all(|c| matches!(c, '0'..='9' | '*' | '#'))
    };
    if let Some(choice) = options.choices.iter().find(|choice| !is_key(&choice.key)) {
        let shown: String = choice.key.chars().take(16).collect();
        return invalid(format!("`{shown}` is no key: use digits, `*` and `#`"));
    }
    if let Some(digits) = &options.digits {
        if digits.min == 0 || digits.min > digits.max || digits.max > MAX_DIGITS {
            return invalid(format!("digits: 1 <= min <= max <= {MAX_DIGITS}"));
        }
        if digits
            .end_key
            .as_deref()
            .is_some_and(|key| !is_key(key) || key.len() != 1)
        {
            return invalid("end-key is one key".into());
        }
    }
    if options.timeout_ms > MAX_TIMEOUT_MS || options.gap_ms > MAX_TIMEOUT_MS {
        return invalid(format!(
            "timeout-ms and gap-ms are at most {MAX_TIMEOUT_MS}"
        ));
    }
    Ok(())
}

fn local_time(now: Millis, zone: &str) -> Json {
    let at = i64::try_from(now)
        .ok()
        .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    let Some(at) = at else {
        return err(CallError::Failed("the time is out of range".into()));
    };
    match at.in_tz(zone) {
        Ok(local) => ok(json!({
            "year": local.year(),
            "month": local.month(),
            "day": local.day(),
            "weekday": local.weekday().to_monday_one_offset(),
            "hour": local.hour(),
            "minute": local.minute(),
            "second": local.second(),
        })),
        Err(_) => {
            let shown: String = zone.chars().take(64).collect();
            err(CallError::InvalidArgument(format!(
                "`{shown}` is no time zone of the IANA database"
            )))
        }
    }
}
