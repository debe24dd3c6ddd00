//! What takes time or leaves the house: recordings, hand-overs, requests.

use crate::Millis;
use crate::activation::Pending;
use crate::call::{
    CallError, HttpRequest, MAX_RECORDING_MS, Prompt, QueueOptions, RecordOptions, TransferOptions,
    Utterance, VAULT,
};
use crate::contact::Contact;
use crate::entry::EntryKind;
use crate::facts::Channel;
use crate::given::not_given;
use crate::io::{Effect, Output};
use crate::shared::SharedJson;
use crate::timers::Timer;

impl Contact {
    pub(crate) fn capture(
        &mut self,
        now: Millis,
        options: &RecordOptions,
        out: &mut Vec<Output>,
    ) -> Result<(), CallError> {
        if self.facts.channel != Channel::Voice {
            let message = "a chat has nothing to record";
            return Err(CallError::Unavailable(message.into()));
        }
        if options.max_ms == 0 || options.max_ms > MAX_RECORDING_MS {
            let message = format!("max-ms is 1 to {MAX_RECORDING_MS}");
            return Err(CallError::InvalidArgument(message));
        }
        let end_key = options.end_key.as_ref().and_then(|key| key.chars().next());
        self.drop_ahead(now, out);
        // Nothing but the caller belongs into the recording.
        if self.aside.music.is_some() || self.aside.sentence.is_some() {
            self.stop_playing(out);
        }
        let sensitive = options.sensitive;
        if sensitive {
            self.mask(out);
        }
        let effect = self.perform_effect(
            Effect::Record {
                options: options.clone(),
            },
            out,
        );
        self.wait_for(Pending::Capture {
            effect,
            end_key,
            sensitive,
        });
        Ok(())
    }

    pub(crate) fn transfer(
        &mut self,
        now: Millis,
        target: String,
        options: TransferOptions,
        out: &mut Vec<Output>,
    ) -> Result<(), CallError> {
        let whisper = match &options.whisper {
            Some(handle) => {
                let what = Utterance {
                    prompts: vec![Prompt::Given(handle.clone())],
                    bindings: Vec::new(),
                };
                self.given_utter(now, &what)?
            }
            None => Vec::new(),
        };
        let effect = Effect::Transfer {
            target,
            options,
            whisper,
        };
        self.start_effect(effect, true, out);
        Ok(())
    }

    /// The engine's own call to the target was answered, and the caller is joined with it: from now on people talk, and
    /// what they do with their time is no matter of the flow.
    pub(crate) fn joined(&mut self, now: Millis, effect: u32, out: &mut Vec<Output>) {
        let waits = self.activation().is_some_and(|activation| {
            matches!(activation.pending, Pending::Effect { effect: pending, transfer: true } if pending == effect)
        });
        if !waits || self.hung_up || self.people.is_some() {
            return;
        }
        self.write(now, EntryKind::Joined, out);
        self.timers.clear(Timer::Meanwhile);
        if self.aside.music.is_some() || self.aside.sentence.is_some() {
            self.stop_playing(out);
        }
        let left = self.timers.at(Timer::Duration);
        self.timers.clear(Timer::Duration);
        self.people = Some(left.map_or(0, |at| at.saturating_sub(now)));
    }

    /// The people are done: the contact's own time goes on.
    pub(crate) fn parted(&mut self, now: Millis) {
        if let Some(left) = self.people.take() {
            self.timers.set(Timer::Duration, now.saturating_add(left));
        }
    }

    pub(crate) fn enqueue(
        &mut self,
        queue: String,
        options: QueueOptions,
        out: &mut Vec<Output>,
    ) -> Result<(), CallError> {
        if let Some(handle) = &options.say {
            let given = &self.running().given;
            given.prompt(handle)?;
        }
        let priority = options.priority.unwrap_or(self.priority).min(100);
        let effect = Effect::Enqueue {
            queue,
            options,
            priority,
        };
        self.start_effect(effect, true, out);
        Ok(())
    }

    pub(crate) fn fetch(
        &mut self,
        request: HttpRequest,
        out: &mut Vec<Output>,
    ) -> Result<(), CallError> {
        let running = self.running();
        let forged = request
            .secrets
            .iter()
            .filter(|field| !field.handle.starts_with(VAULT))
            .find(|field| !running.given.secrets.contains(&field.handle));
        if let Some(field) = forged {
            return Err(not_given("secret", &field.handle));
        }
        let lost = |handle: &String| matches!(self.secrets.get(handle), Some(None));
        if request.secrets.iter().any(|field| lost(&field.handle)) {
            return Err(self.lost_secret());
        }
        let running = self.running();
        let (plugin, first, call) = (running.plugin().to_owned(), running.first, running.calls);
        let idempotency_key = format!("{}:{first}:{call}", self.facts.id);
        let effect = Effect::Http {
            plugin,
            request,
            idempotency_key,
        };
        self.start_effect(effect, false, out);
        Ok(())
    }

    fn perform_effect(&mut self, what: Effect, out: &mut Vec<Output>) -> u32 {
        self.last_effect += 1;
        out.push(Output::Perform {
            effect: self.last_effect,
            what,
        });
        self.last_effect
    }

    /// Begins an effect whose result is the answer.
    pub(crate) fn start_effect(&mut self, what: Effect, transfer: bool, out: &mut Vec<Output>) {
        let effect = self.perform_effect(what, out);
        self.wait_for(Pending::Effect { effect, transfer });
    }

    /// An effect came to its end.
    pub(crate) fn effect_done(
        &mut self,
        now: Millis,
        effect: u32,
        mut result: SharedJson,
        out: &mut Vec<Output>,
    ) {
        let Some(activation) = self.activation() else {
            return;
        };
        let (transfer, secret) = match &activation.pending {
            Pending::Capture {
                effect: pending,
                sensitive,
                ..
            } if *pending == effect => (false, *sensitive),
            Pending::Effect {
                effect: pending,
                transfer,
            } if *pending == effect => (*transfer, false),
            _ => return,
        };
        // A recording's name goes the way of secret digits: from here on a handle stands for it.
        if secret && result.pointer("/ok/id").is_some() {
            let mut named = result.into_json();
            if let Some(id) = named.pointer_mut("/ok/id") {
                let name = id.as_str().unwrap_or_default().to_owned();
                *id = self.keep_secret(name)["handle"].take();
            }
            result = named.into();
        }
        self.parted(now);
        if transfer && result.get("ok").is_some_and(|how| how == "done") {
            self.handed_over = true;
        }
        self.reply(now, result, out);
    }
}
