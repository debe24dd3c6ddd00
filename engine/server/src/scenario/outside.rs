//! What leaves the contact: queues, transfers, recordings, requests, data. Nothing of it is real in a test.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use strowger_contact::call::{CallError, RecordOptions};
use strowger_contact::{Effect, Input, Millis, TransferResult};
use strowger_flow::Reply;
use strowger_flow::destination::{Destination, NoDestination};
use strowger_flow::plan::Action;

use super::record::What;
use super::world::{Asked, Due, World};
use super::{mocks, pace};

/// A queue or a transfer that nobody takes.
struct Nobody {
    /// Its name as a mock has it.
    name: String,
    /// The outcome that means that the longest time is over.
    slow: &'static str,
    /// That time, in milliseconds.
    slow_ms: Millis,
    /// The end then, in the JSON of the host call.
    end: Json,
}

impl World<'_> {
    pub(super) fn effect(&mut self, effect: u32, what: Effect) {
        match what {
            Effect::Http {
                plugin, request, ..
            } => {
                let step = self.node().and_then(|(_, node)| match &node.action {
                    Action::Step(call) => call.step.split('@').next().map(str::to_owned),
                    _ => None,
                });
                let step = step.unwrap_or(plugin);
                self.trouble(
                    &format!(
                        "`{step}` sends a request ({} {}), and tests touch no network",
                        request.method, request.url
                    ),
                    &format!("give its answer in the test: `mock: {{ {step}: {{ outcome: … }} }}`"),
                );
            }
            Effect::Kv { plugin, call } => {
                let result = self.memory.perform(&plugin, call, self.now);
                self.due.push((self.now, Due::Effect(effect, result)));
            }
            Effect::Record { options } => self.start_recording(effect, &options),
            Effect::Enqueue { queue, options, .. } => {
                self.note(What::Queued(queue.clone()));
                let nobody = Nobody {
                    name: format!("queue.{queue}"),
                    slow: "timeout",
                    slow_ms: options.max_wait_ms.into(),
                    end: json!({ "ok": "timeout" }),
                };
                self.let_go(effect, nobody, mocks::queue_end);
            }
            Effect::Transfer {
                target, options, ..
            } => {
                self.note(What::Transferred(target.clone()));
                if self.chat() || !callable(&target, self.suppliers) {
                    // Nobody is joined to a telephone by writing, whatever the target; nor anybody to what is no address.
                    let failed = TransferResult::Failed.to_json();
                    return self.due.push((self.now, Due::Effect(effect, failed)));
                }
                let nobody = Nobody {
                    name: format!("transfer.{target}"),
                    slow: "no_answer",
                    slow_ms: options.ring_ms.into(),
                    end: json!({ "ok": { "refused": "no-answer" } }),
                };
                self.let_go(effect, nobody, mocks::transfer_end);
            }
        }
    }

    /// When a queue or a transfer lets go of the contact: as the test says, or not before its longest time.
    fn let_go(&mut self, effect: u32, nobody: Nobody, end_of: fn(&Reply) -> Result<Json, String>) {
        let Nobody {
            name,
            slow,
            slow_ms,
            end,
        } = nobody;
        let Some((_, reply)) = self.mocks.next(&name) else {
            let at = self.now.saturating_add(slow_ms);
            self.due.push((at, Due::Patience(effect, end)));
            self.asked = Asked::Nobody(name);
            return;
        };
        match end_of(reply) {
            Ok(end_of_reply) => {
                // Whoever has answered a transfer talks for as long as they like.
                let waits = slow != "no_answer" || reply.outcome != "done";
                let (after, end) = match reply.after_ms {
                    0 if reply.outcome == slow => (slow_ms, end_of_reply),
                    // However long the test would have it take: nobody waits longer than that.
                    after if after > slow_ms && waits => (slow_ms, end),
                    after => (after, end_of_reply),
                };
                if !waits && after > 0 {
                    self.due.push((self.now, Due::Joined(effect)));
                }
                let at = self.now.saturating_add(after);
                self.due.push((at, Due::Effect(effect, end)));
            }
            Err(why) => self.trouble(&format!("the mock `{name}` is none"), &why),
        }
    }

    fn start_recording(&mut self, effect: u32, options: &RecordOptions) {
        if options.beep {
            self.note(What::Engine("beeps and records".to_owned()));
        }
        let (most, silence) = (options.max_ms, options.silence_ms);
        self.due
            .push(recording_end(effect, self.now, 0, most, silence));
        self.asked = Asked::Recording {
            effect,
            options: Box::new((options.beep, most, silence)),
            spoken: 0,
            sensitive: options.sensitive,
        };
    }

    pub(super) fn stop_recording(&mut self, effect: u32) {
        if let Asked::Recording { spoken, .. } = self.asked {
            let ended_by = match self.contact.ended() {
                true => "hangup",
                false => "key",
            };
            self.due
                .retain(|(_, due)| !matches!(due, Due::Patience(..)));
            let result = recording(effect, spoken, ended_by);
            self.due.push((self.now, Due::Effect(effect, result)));
            self.asked = Asked::Nothing;
        }
    }

    /// The caller speaks while a recording runs.
    pub(super) fn speak(&mut self, words: &str) {
        let length = pace::spoken_ms(words);
        if let Asked::Recording {
            effect,
            options,
            spoken,
            ..
        } = &mut self.asked
        {
            let (_, most, silence) = **options;
            *spoken += length;
            let (effect, spoken) = (*effect, *spoken);
            self.due
                .retain(|(_, due)| !matches!(due, Due::Patience(..)));
            let end = recording_end(effect, self.now, spoken, most, silence);
            self.due.push(end);
        }
    }

    /// The line of the call drops, and the caller may come back.
    pub(super) async fn drop_line(&mut self) {
        self.end_recording();
        // What is said is heard by nobody, and said again when they are back.
        self.due.retain(|(_, due)| !matches!(due, Due::PlayDone(_)));
        // One that drops again before the answer holds the same.
        if !self.contact.asks_to_go_on() {
            self.held = std::mem::replace(&mut self.asked, Asked::Nothing);
        }
        self.asked = Asked::Nothing;
        self.give(Input::Dropped { vanished: false }).await;
    }

    /// The caller is back, and is asked whether to go on.
    pub(super) async fn call_back(&mut self) {
        self.asked = Asked::Talk {
            prompts: Vec::new(),
            listens: true,
        };
        let input = Input::CalledBack {
            sip_call_id: "test-again".to_owned(),
            question: None,
        };
        self.give(input).await;
    }

    /// A recording ends with what was said until now: the line is gone.
    fn end_recording(&mut self) {
        if let Asked::Recording { effect, spoken, .. } = self.asked {
            self.due
                .retain(|(_, due)| !matches!(due, Due::Patience(..)));
            let result = recording(effect, spoken, "hangup");
            self.due.push((self.now, Due::Effect(effect, result)));
            self.asked = Asked::Nothing;
        }
    }

    /// The caller hangs up.
    pub(super) async fn hang_up(&mut self) {
        self.end_recording();
        // Nobody waits in a queue any more, and no telephone rings.
        if matches!(self.asked, Asked::Nobody(_)) {
            self.asked = Asked::Nothing;
        }
        let hangup = json!({ "err": CallError::Hangup });
        for (at, due) in &mut self.due {
            if let Due::Effect(effect, _) | Due::Patience(effect, _) = due
                && *at > self.now
            {
                *at = self.now;
                // Who has talked with whoever answered a transfer was handed over.
                if self.joined != Some(*effect) {
                    *due = Due::Effect(*effect, hangup.clone());
                }
            }
        }
        self.give(Input::HungUp).await;
    }
}

/// Whether somebody can be called by this name, of the project or of any network.
pub(super) fn callable(target: &str, suppliers: Option<&BTreeSet<String>>) -> bool {
    let named = suppliers.map(|names| names.contains(target));
    named == Some(true)
        || match Destination::read(target) {
            Ok(_) => true,
            // Whom a file that stands alone calls by a name is not known.
            Err(NoDestination::Name) => named.is_none(),
            Err(NoDestination::Malformed(_)) => false,
        }
}

/// When a recording ends by itself, and with what.
fn recording_end(
    effect: u32,
    now: Millis,
    spoken: Millis,
    most: u32,
    silence: u32,
) -> (Millis, Due) {
    let most = Millis::from(most);
    let quiet = match silence {
        0 => most,
        silence => Millis::from(silence),
    };
    let (length, ended_by) = match spoken.saturating_add(quiet) < most {
        true => (spoken.saturating_add(quiet), "silence"),
        false => (most, "max"),
    };
    let at = now.saturating_add(length);
    (
        at,
        Due::Patience(effect, recording(effect, spoken.min(most), ended_by)),
    )
}

fn recording(effect: u32, spoken: Millis, ended_by: &str) -> Json {
    json!({ "ok": { "id": format!("test-{effect}"), "duration-ms": spoken, "ended-by": ended_by } })
}
