//! Talking with the contact: what a `media.listen` hears, and what becomes of keys and texts.

use serde_json::{Map, Value as Json, json};
use strowger_flow::check::CHAT_PATIENCE;
use strowger_flow::plan::Global;
use strowger_flow::unseen::quoted;
use strowger_flow::value::Secret;

use crate::Millis;
use crate::activation::{Activation, Pending};
use crate::call::{
    CallError, ListenOptions, MAX_CHOICES, MAX_DIGITS, MAX_TIMEOUT_MS, Prompt, Utterance,
};
use crate::contact::Contact;
use crate::entry::{EntryKind, HIDDEN, Offer};
use crate::facts::Channel;
use crate::io::{Output, Segment, ok};
use crate::listening::{Listening, Verdict};
use crate::timers::Timer;
use crate::veil::{hidden, is_hidden, veiled};

/// Most keys kept that were typed ahead; further ones are dropped.
pub(crate) const MAX_TYPED_AHEAD: usize = 64;
/// Most texts kept that were written ahead; further ones are dropped.
pub const MAX_WRITTEN_AHEAD: usize = 16;
/// Longest text of a contact, in characters; the rest is dropped.
const MAX_WRITTEN: usize = 4_000;

/// A text that waits for a step to take it.
#[derive(Debug)]
pub(crate) struct Ahead {
    text: String,
    /// The journal does not show it: it is in memory alone.
    pub hidden: bool,
}

/// Longest pause after which a digit still belongs to a secret entry that was complete before it, in milliseconds: between
/// two keys of a number people take less.
const REST_MS: Millis = 1_000;

impl Contact {
    /// A step listens.
    pub(crate) fn listen(
        &mut self,
        now: Millis,
        what: &Utterance,
        options: &ListenOptions,
        out: &mut Vec<Output>,
    ) -> Result<(), CallError> {
        check_listen(options)?;
        let segments = self.given_utter(now, what)?;
        let mut labels = Vec::with_capacity(options.choices.len());
        for choice in &options.choices {
            labels.push(match &choice.label {
                Some(label) => Some(self.label(now, label)?),
                None => None,
            });
        }
        let node = self.running().node;
        let plan = self.frame().plan.clone();
        let globals = match plan.nodes[node.0 as usize].global_keys {
            true => self.global_keys(now, &plan.global)?,
            false => Vec::new(),
        };
        if options.sensitive || !options.barge_in {
            self.drop_ahead(now, out);
        }
        if options.sensitive {
            self.written_ahead.clear();
            self.mask(out);
        }
        let offered = (self.facts.channel == Channel::Chat).then(|| EntryKind::Offered {
            choices: options
                .choices
                .iter()
                .zip(&labels)
                .map(|(choice, label)| Offer {
                    key: choice.key.clone(),
                    label: label.clone(),
                })
                .collect(),
            digits: options.digits.clone(),
            text: options.text,
            secret: options.sensitive,
        });
        self.running().listened = true;
        self.wait_for(Pending::Listen(Listening::new(options, labels, globals)));
        // What was typed ahead answers before anything is said.
        while let Some(key) = self.typed_ahead.pop_front() {
            self.take_key(now, key, out);
            if !self.listens() {
                return Ok(());
            }
        }
        if let Some(ahead) = self.written_ahead.pop_front() {
            self.listen_text(now, &ahead.text, out);
            return Ok(());
        }
        if self.listening().is_some_and(|listening| listening.begun()) {
            return Ok(());
        }
        if segments.is_empty() {
            self.offer(now, offered, out);
            self.await_first_key(now);
            return Ok(());
        }
        let play = self.start_play(now, segments, out);
        self.offer(now, offered, out);
        if let Some(listening) = self.listening() {
            listening.play = Some(play);
        }
        Ok(())
    }

    fn offer(&mut self, now: Millis, offered: Option<EntryKind>, out: &mut Vec<Output>) {
        if let Some(offered) = offered {
            self.write(now, offered, out);
        }
    }

    /// The step has asked for a secret: until it ends nothing of it may be seen or heard.
    pub(crate) fn mask(&mut self, out: &mut Vec<Output>) {
        self.asked_secret = true;
        if !std::mem::replace(&mut self.running().masked, true) {
            out.push(Output::Mask(true));
        }
    }

    /// The keys that work everywhere, with what a chat may write instead.
    fn global_keys(
        &self,
        now: Millis,
        global: &Global,
    ) -> Result<Vec<(String, Vec<String>)>, CallError> {
        let written = self.facts.channel == Channel::Chat;
        let keys = global.press.keys().map(|key| {
            let mut all = Vec::new();
            if let Some(words) = global.words.get(key).filter(|_| written) {
                all.clone_from(&words.words);
                if let Some(label) = words.label {
                    all.push(self.words_of(now, label)?);
                }
            }
            Ok((key.clone(), all))
        });
        keys.collect()
    }

    /// What the button of a choice says.
    fn label(&mut self, now: Millis, label: &Prompt) -> Result<String, CallError> {
        let what = Utterance {
            prompts: vec![label.clone()],
            bindings: Vec::new(),
        };
        let segments = self.given_utter(now, &what)?;
        Ok(segments.iter().map(Segment::words).collect())
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

    pub(crate) fn await_first_key(&mut self, now: Millis) {
        let patience = if self.facts.channel == Channel::Chat {
            CHAT_PATIENCE
        } else {
            1
        };
        let Some(timeout) = self.listening().map(|listening| listening.timeout_ms) else {
            return;
        };
        self.timers
            .set(Timer::Listen, now.saturating_add(timeout * patience));
    }

    /// The caller pressed a key.
    pub(crate) fn key(&mut self, now: Millis, key: char, out: &mut Vec<Output>) {
        // A key for the people is not the flow's.
        if self.hung_up || self.people.is_some() || !is_key(key) {
            return;
        }
        if let Some((end_key, until)) = self.swallow.take()
            && key == end_key
            && now <= until
        {
            self.secret_rest = None;
            self.write(now, EntryKind::Key { key }, out);
            return self.write(now, EntryKind::Pressed { key }, out);
        }
        if self.is_rest_of_secret(now, key) {
            self.write(now, EntryKind::Key { key: HIDDEN }, out);
            return self.drop_key(now, out);
        }
        let key_shown = match self.taken_in_clear(key) {
            true => key,
            false => veiled(key),
        };
        self.write(now, EntryKind::Key { key: key_shown }, out);
        let Some(activation) = self.activation() else {
            return self.type_ahead(now, key, out);
        };
        match &activation.pending {
            Pending::Listen(listening) if listening.play.is_some() && !listening.barge_in => {
                self.drop_key(now, out);
            }
            Pending::Listen(_) => self.take_key(now, key, out),
            Pending::Say {
                barge_in: false, ..
            } => self.drop_key(now, out),
            Pending::Say { barge_in: true, .. } => {
                self.type_ahead(now, key, out);
                self.stop_playing(out);
                self.reply(now, ok("interrupted"), out);
            }
            Pending::Capture {
                effect, end_key, ..
            } if end_key.is_none_or(|end| end == key) => {
                let effect = *effect;
                self.write(now, EntryKind::Pressed { key }, out);
                out.push(Output::StopRecording { effect });
            }
            Pending::Capture { .. } => self.drop_key(now, out),
            Pending::WaitAny {
                input: Some(index), ..
            } => {
                let index = *index;
                self.type_ahead(now, key, out);
                self.timers.clear(Timer::Wait);
                self.reply(now, ok(index), out);
            }
            _ => self.type_ahead(now, key, out),
        }
    }

    /// Whether a key is one too many of a secret that was complete before it: somebody whose number is longer than the flow
    /// believes keys on. It is nobody's answer.
    fn is_rest_of_secret(&mut self, now: Millis, key: char) -> bool {
        let step = self.activation();
        let asked =
            step.is_some_and(|step| step.masked && matches!(step.pending, Pending::Listen(_)));
        let rest = self
            .secret_rest
            .is_some_and(|until| now <= until && veiled(key) == HIDDEN && !asked);
        self.secret_rest = rest.then(|| now.saturating_add(REST_MS));
        rest
    }

    /// Whether a text may be the secret for which a step asked that has given up: while that step comes to its end, and for as long as
    /// for a digit. It is nobody's answer.
    fn is_late_secret(&mut self, now: Millis) -> bool {
        if !self.hides_late() {
            return false;
        }
        let rest = self.secret_rest.is_some_and(|until| now <= until);
        match self.activation() {
            Some(step) if step.masked => {
                step.unanswered && !matches!(step.pending, Pending::Listen(_))
            }
            _ => rest,
        }
    }

    /// A step is over. Where it asked for a secret and got none, that may be on its way: a number that was looked for too long, or keyed
    /// too slowly. So what came meanwhile is dropped, and what comes within a second is no answer to what is asked next.
    pub(crate) fn expects_rest(
        &mut self,
        now: Millis,
        activation: &Activation,
        out: &mut Vec<Output>,
    ) {
        let asked = matches!(activation.pending, Pending::Listen(_));
        if activation.masked && (activation.unanswered || asked) && self.hides_late() {
            self.drop_ahead(now, out);
            self.secret_rest = Some(now.saturating_add(REST_MS));
        }
    }

    /// Whether the running step takes a key at once and for all to see.
    fn taken_in_clear(&mut self, key: char) -> bool {
        let Some(activation) = self.activation() else {
            return false;
        };
        match &activation.pending {
            Pending::Listen(listening) => {
                !activation.masked && (listening.play.is_none() || listening.barge_in)
            }
            Pending::Capture { end_key, .. } => end_key.is_none_or(|end| end == key),
            _ => false,
        }
    }

    /// Keeps a key for the step that will ask for it. It is written down when that step takes it: until
    /// then it may be part of a secret.
    fn type_ahead(&mut self, now: Millis, key: char, out: &mut Vec<Output>) {
        if self.typed_ahead.len() < MAX_TYPED_AHEAD {
            self.typed_ahead.push_back(key);
        } else {
            self.drop_key(now, out);
        }
    }

    /// Drops what was typed ahead.
    pub(crate) fn drop_ahead(&mut self, now: Millis, out: &mut Vec<Output>) {
        for _ in 0..std::mem::take(&mut self.typed_ahead).len() {
            self.drop_key(now, out);
        }
    }

    /// A key that nobody asked for.
    fn drop_key(&mut self, now: Millis, out: &mut Vec<Output>) {
        self.write(now, EntryKind::Pressed { key: HIDDEN }, out);
    }

    /// The listening step takes a key.
    fn take_key(&mut self, now: Millis, key: char, out: &mut Vec<Output>) {
        let shown = match self.running().masked {
            true => HIDDEN,
            false => key,
        };
        self.write(now, EntryKind::Pressed { key: shown }, out);
        self.listen_key(now, key, out);
    }

    fn listen_key(&mut self, now: Millis, key: char, out: &mut Vec<Output>) {
        let Some(listening) = self.listening() else {
            return;
        };
        let heard_prompt = listening.play.take().is_some();
        let verdict = listening.key(key);
        let gap = listening.gap_ms;
        let ended = listening.end_key() == Some(key);
        let end_key = listening.end_key().filter(|end_key| *end_key != key);
        if heard_prompt {
            self.stop_playing(out);
        }
        match verdict {
            Verdict::More => self.timers.set(Timer::Listen, now.saturating_add(gap)),
            verdict => {
                let digits = matches!(verdict, Verdict::Digits(_));
                if let Some(end_key) = end_key.filter(|_| digits) {
                    self.swallow_end_key(now, end_key, gap, out);
                }
                if digits && !ended && self.running().masked && self.hides_texts() {
                    self.secret_rest = Some(now.saturating_add(REST_MS));
                }
                self.heard(now, verdict, out);
            }
        }
    }

    /// An end key that follows an entry that is already complete is part of that entry.
    fn swallow_end_key(&mut self, now: Millis, end_key: char, gap: u64, out: &mut Vec<Output>) {
        match self.typed_ahead.front() {
            Some(next) if *next == end_key => {
                self.typed_ahead.pop_front();
                self.write(now, EntryKind::Pressed { key: end_key }, out);
            }
            Some(_) => {}
            None => self.swallow = Some((end_key, now.saturating_add(gap))),
        }
    }

    /// The contact wrote something.
    pub(crate) fn written(
        &mut self,
        now: Millis,
        text: String,
        message: Option<String>,
        out: &mut Vec<Output>,
    ) {
        if self.hung_up {
            return;
        }
        let text: String = match text.char_indices().nth(MAX_WRITTEN) {
            Some((end, _)) => text[..end].to_owned(),
            None => text,
        };
        let masked = self.activation().is_some_and(|step| step.masked);
        if self.is_late_secret(now) {
            let wrote = EntryKind::Wrote {
                text: hidden(&text),
                message,
                late: true,
            };
            return self.write(now, wrote, out);
        }
        let unmatched = self
            .listening()
            .map(|listening| matches!(listening.written(&text), Verdict::Unmatched(_)));
        let seen = match unmatched {
            _ if masked => hidden(&text),
            Some(false) => text.clone(),
            Some(true) => self.seen_unmatched(&text),
            None => self.seen_ahead(&text),
        };
        // What stands for one that was hidden is in memory alone no less.
        let ahead = Ahead {
            hidden: seen != text || is_hidden(&text),
            text,
        };
        let wrote = EntryKind::Wrote {
            text: seen,
            message,
            late: false,
        };
        self.write(now, wrote, out);
        match self.activation().map(|activation| &activation.pending) {
            Some(Pending::Listen(_)) => self.listen_text(now, &ahead.text, out),
            Some(Pending::WaitAny {
                input: Some(index), ..
            }) => {
                let index = *index;
                self.write_ahead(ahead);
                self.timers.clear(Timer::Wait);
                self.reply(now, ok(index), out);
            }
            _ => self.write_ahead(ahead),
        }
    }

    fn write_ahead(&mut self, ahead: Ahead) {
        if self.written_ahead.len() < MAX_WRITTEN_AHEAD {
            self.written_ahead.push_back(ahead);
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
        // A step gets no more of it than the journal, or a replay would give it something else.
        let verdict = match verdict {
            Verdict::Unmatched(text) => Verdict::Unmatched(self.seen_unmatched(&text)),
            verdict => verdict,
        };
        self.heard(now, verdict, out);
    }

    /// The time for the first key, or for the next, is over.
    pub(crate) fn listen_timeout(&mut self, now: Millis, out: &mut Vec<Output>) {
        let Some(listening) = self.listening() else {
            return;
        };
        if !listening.begun() {
            self.running().unanswered = true;
            return self.answer(now, json!("nothing"), out);
        }
        let verdict = listening.complete();
        let gap = listening.gap_ms;
        if let (Verdict::Digits(_), Some(end_key)) = (&verdict, listening.end_key()) {
            self.swallow_end_key(now, end_key, gap, out);
        }
        self.heard(now, verdict, out);
    }

    /// A listening step has its answer, or a global key takes the contact out of it.
    fn heard(&mut self, now: Millis, verdict: Verdict, out: &mut Vec<Output>) {
        self.timers.clear(Timer::Listen);
        self.error_path = None;
        let sensitive = self
            .listening()
            .is_some_and(|listening| listening.sensitive);
        self.running().unanswered = matches!(verdict, Verdict::Unmatched(_));
        let heard = match verdict {
            Verdict::More => return,
            Verdict::Choice(key) => json!({ "choice": key }),
            Verdict::Digits(digits) | Verdict::Text(digits) if sensitive => {
                json!({ "secret": self.keep_secret(digits) })
            }
            Verdict::Unmatched(_) if self.running().masked => json!({ "unmatched": "" }),
            Verdict::Digits(digits) => json!({ "digits": digits }),
            Verdict::Text(text) => json!({ "text": text }),
            Verdict::Unmatched(keys) => json!({ "unmatched": keys }),
            Verdict::Global(key) => return self.leave_by_key(now, key, out),
        };
        self.answer(now, heard, out);
    }

    fn answer(&mut self, now: Millis, heard: Json, out: &mut Vec<Output>) {
        let value: Map<String, Json> = [("ok".to_owned(), heard.clone())].into_iter().collect();
        self.write(now, EntryKind::Heard { heard }, out);
        self.reply(now, Json::Object(value), out);
    }

    fn leave_by_key(&mut self, now: Millis, key: String, out: &mut Vec<Output>) {
        let edge = self.frame().plan.global.press.get(&key).cloned();
        self.mark_global(|| format!("press {key}"));
        self.write(now, EntryKind::GlobalKey { key }, out);
        self.cancel_step(out);
        self.go_on(now, edge, out);
    }

    pub(crate) fn keep_secret(&mut self, text: String) -> Json {
        let handle = format!("s:{}", self.secrets.len() + 1);
        let length = text.chars().count();
        let last_four: String = match length >= Secret::SHOWN_FROM {
            true => text.chars().skip(length - 4).collect(),
            false => String::new(),
        };
        self.secrets.insert(handle.clone(), Some(text));
        self.running().given.secrets.insert(handle.clone());
        json!({ "handle": handle, "length": length, "last-four": last_four })
    }
}

/// Whether a telephone has this key, or a journal tells of it without saying which digit it was.
pub(crate) fn is_key(key: char) -> bool {
    matches!(key, '0'..='9' | '*' | '#' | 'A'..='D' | HIDDEN)
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
        let shown = quoted(&choice.key);
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
