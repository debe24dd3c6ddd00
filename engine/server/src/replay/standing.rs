//! What a contact has begun and not done, at any place of its journal: what whoever goes on from there takes up.

use serde_json::Value as Json;
use strowger_contact::{Contact, Effect, Entry, EntryKind, Input, Millis, Output, StepResult};
use strowger_plugin::Recorded;

use super::compare::Renamed;
use super::hurried::Spent;
use super::walk::failed;

/// A contact that was built again from its journal. What stands in it for secrets is made up, until it is told so by
/// [`Input::Rebuilt`].
pub(crate) struct Rebuilt {
    pub contact: Contact,
    pub standing: Standing,
}

/// What is under way.
#[derive(Default)]
pub(crate) struct Standing {
    pub step: Option<StandingStep>,
    /// The effect whose result the step waits for.
    pub effect: Option<(u32, Effect)>,
    /// What is being said.
    pub play: Option<u32>,
    /// What the step took of its time.
    spent: Spent,
    /// When the last thing happened.
    last: Millis,
}

/// A step that runs.
pub(crate) struct StandingStep {
    pub activation: u32,
    /// `plugin/step@major`.
    pub step: String,
    /// Its input as JSON.
    pub input: String,
    pub timeout_ms: u64,
    /// Its calls in order; the last one has no answer while the step waits.
    pub calls: Vec<Recorded>,
}

impl StandingStep {
    /// Interface and function of the call whose answer it awaits; none while it computes.
    pub fn waits(&self) -> Option<(String, String)> {
        let last = self.calls.last()?;
        let open = last.answer.is_none();
        open.then(|| (last.interface.clone(), last.function.clone()))
    }
}

impl Standing {
    /// What the step has taken of its time at a time, in milliseconds. In a call that does not wait that is all since it was
    /// asked, whether its process was there or not; while it computes, that until its process was gone, as far as its journal tells.
    pub fn spent(&self, at: Millis) -> u64 {
        let asked = self
            .step
            .as_ref()
            .is_some_and(|step| step.waits().is_some());
        self.spent.at(if asked { at } else { at.min(self.last) })
    }

    /// Notes what an entry tells of the step's time.
    pub(super) fn passes(&mut self, entry: &Entry) {
        self.last = entry.at;
        match &entry.kind {
            EntryKind::Ran { .. } => self.spent = Spent::since(entry.at),
            EntryKind::Asked { .. } | EntryKind::Call { .. } => {
                let most = self.step.as_ref().map_or(u64::MAX, |step| step.timeout_ms);
                // It went on all the same: it stood still then, as while the store was gone, which no journal tells.
                if self.spent.at(entry.at) >= most {
                    self.spent = Spent::since(entry.at);
                }
                self.spent.goes_on(entry);
            }
            _ => {}
        }
    }

    /// Notes what an input brings to its end, or begins.
    pub(super) fn takes(&mut self, input: &Input) {
        match input {
            Input::PlayDone { play, .. } if self.play == Some(*play) => self.play = None,
            // Nobody is there to be spoken to.
            Input::Dropped { .. } => self.play = None,
            Input::StepEnded { .. } => self.step = None,
            Input::Called {
                activation,
                interface,
                function,
                args,
            } => {
                if let Some(step) = self.step_of(*activation) {
                    step.calls.push(Recorded {
                        interface: interface.clone(),
                        function: function.clone(),
                        args: args.as_array().cloned().unwrap_or_default(),
                        answer: None,
                    });
                }
            }
            _ => {}
        }
    }

    /// Notes what the contact asks for.
    pub(super) fn gives(&mut self, output: &Output) {
        match output {
            Output::Run {
                activation,
                step,
                input,
                timeout_ms,
            } => {
                self.effect = None;
                self.step = Some(StandingStep {
                    activation: *activation,
                    step: step.clone(),
                    input: input.to_string(),
                    timeout_ms: *timeout_ms,
                    calls: Vec::new(),
                });
            }
            Output::Cancel { activation } if self.step_of(*activation).is_some() => {
                self.step = None;
                self.effect = None;
            }
            Output::Reply { activation, value } => {
                let call = self
                    .step_of(*activation)
                    .and_then(|step| step.calls.last_mut());
                if let Some(call) = call {
                    call.answer = Some(Json::clone(value));
                }
            }
            Output::Perform { effect, what } => self.effect = Some((*effect, what.clone())),
            Output::CancelEffect { .. } => self.effect = None,
            Output::Play { play, repeat, .. } => self.play = (!repeat).then_some(*play),
            Output::StopPlaying => self.play = None,
            _ => {}
        }
    }

    /// What the running guest did, by the journal; none when none runs.
    pub(super) fn acted(&self, kind: &EntryKind) -> Result<Option<Input>, String> {
        match &self.step {
            Some(step) => acted(step.activation, &Renamed::default(), kind),
            None => Ok(None),
        }
    }

    fn step_of(&mut self, activation: u32) -> Option<&mut StandingStep> {
        self.step
            .as_mut()
            .filter(|step| step.activation == activation)
    }
}

/// What a guest did then, by the journal's entry; none where the entry tells of nothing that a guest does.
pub(super) fn acted(
    activation: u32,
    renamed: &Renamed,
    kind: &EntryKind,
) -> Result<Option<Input>, String> {
    Ok(match kind {
        EntryKind::Asked {
            function, request, ..
        } => {
            if let Some(bytes) = request.get("cut") {
                return Err(format!(
                    "the journal kept none of a request of {bytes} bytes: it is too long"
                ));
            }
            let (interface, function) = function.split_once('.').unwrap_or((function, ""));
            Some(Input::Called {
                activation,
                interface: interface.to_owned(),
                function: function.to_owned(),
                args: renamed.now(request),
            })
        }
        EntryKind::Outcome {
            outcome,
            data,
            cpu_us,
            memory_bytes,
            host_calls,
            ..
        } => Some(Input::StepEnded {
            activation,
            result: StepResult {
                outcome: Ok((outcome.clone(), renamed.now(data))),
                cpu_us: *cpu_us,
                memory_bytes: *memory_bytes,
                host_calls: *host_calls,
            },
        }),
        EntryKind::Failed {
            code,
            message,
            retries_left,
            returned_retryable,
            ..
        } => Some(failed(
            activation,
            code,
            message,
            *retries_left,
            *returned_retryable,
        )),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn asked(function: &str) -> EntryKind {
        EntryKind::Asked {
            activation: 1,
            call: 1,
            function: function.to_owned(),
            request: json!([]).into(),
        }
    }

    fn called() -> EntryKind {
        EntryKind::Call {
            activation: 1,
            call: 1,
            function: String::new(),
            result: json!({}).into(),
        }
    }

    /// A step of five seconds that began at 1 s, after these entries.
    fn after(entries: Vec<(Millis, EntryKind)>) -> Standing {
        let mut standing = Standing {
            spent: Spent::since(1_000),
            last: 1_000,
            ..Standing::default()
        };
        standing.gives(&Output::Run {
            activation: 1,
            step: "a/b@1".to_owned(),
            input: json!({}).into(),
            timeout_ms: 5_000,
        });
        for (at, kind) in entries {
            if let EntryKind::Call { result, .. } = &kind {
                let value = result.clone();
                standing.gives(&Output::Reply {
                    activation: 1,
                    value,
                });
            }
            if let Ok(Some(input)) = standing.acted(&kind) {
                standing.takes(&input);
            }
            standing.passes(&Entry { seq: 0, at, kind });
        }
        standing
    }

    #[test]
    fn a_request_takes_of_the_step_s_time_and_a_person_does_not() {
        let listening = after(vec![(1_200, asked("media.listen"))]);
        assert_eq!(listening.spent(600_000), 200);
        let fetching = after(vec![
            (1_200, asked("media.listen")),
            (90_000, called()),
            (90_100, asked("http.fetch")),
        ]);
        assert_eq!(fetching.spent(93_000), 3_200);
        assert_eq!(fetching.spent(100_000), 10_200);
    }

    #[test]
    fn a_step_that_asks_nothing_takes_no_time_while_its_process_is_gone() {
        assert_eq!(after(Vec::new()).spent(600_000), 0);
        let computing = after(vec![(1_200, asked("http.fetch")), (2_500, called())]);
        assert_eq!(computing.spent(600_000), 1_500);
        // The clock may have gone back meanwhile.
        assert_eq!(computing.spent(2_000), 1_000);
    }

    #[test]
    fn what_a_step_stood_still_is_not_of_its_time() {
        let stood = after(vec![
            (1_100, asked("kv.get")),
            (31_100, called()),
            (31_300, asked("http.fetch")),
        ]);
        assert_eq!(stood.spent(31_400), 300);
    }
}
