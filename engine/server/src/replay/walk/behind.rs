//! What follows from the first difference: requests that the old contact never made.

use std::collections::VecDeque;

use serde_json::Value as Json;
use strowger_contact::{EntryKind, Input, Millis, Output, SharedJson};

use super::{Running, Stop, Walk, leaves_the_house};

/// Most turns that are walked behind a difference for a request that follows from it.
const MAX_BEHIND: usize = 256;

impl Walk<'_> {
    /// A difference, with the first request that follows from it and was not made then. The contact walks on for that as far as it needs
    /// nothing new from outside: a prompt is over at once, and a request that was made then has the answer that it had.
    pub(super) async fn and_behind(&mut self, stop: Stop, rest: Vec<Output>, now: Millis) -> Stop {
        match stop {
            Stop::Differs(mut difference)
                if difference.new_request.is_none() && self.stage.is_some() =>
            {
                difference.new_request = self.request_behind(rest, now).await;
                Stop::Differs(difference)
            }
            stop => stop,
        }
    }

    async fn request_behind(&mut self, mut outputs: Vec<Output>, now: Millis) -> Option<String> {
        // What it was given then is nothing to compare with any more.
        self.ran = None;
        let mut playing = VecDeque::new();
        let (mut asked, mut answer) = (None, None);
        for _ in 0..MAX_BEHIND {
            for output in std::mem::take(&mut outputs) {
                match output {
                    Output::Journal(entry) => {
                        if let EntryKind::Asked {
                            function, request, ..
                        } = entry.kind
                            && leaves_the_house(&function)
                        {
                            answer = self.answered_ever(&function, &request).cloned();
                            if answer.is_none() {
                                return Some(function);
                            }
                        }
                    }
                    Output::Play { play, .. } => playing.push_back(play),
                    Output::Perform { effect, .. } => asked = Some(effect),
                    output => self.perform(output).ok()?,
                }
            }
            let input = match (asked.take(), answer.take(), &mut self.running) {
                (Some(effect), Some(result), _) => Input::EffectDone { effect, result },
                (_, _, Running::Guest(guest)) if !guest.waits => {
                    let input = guest.turn().await;
                    if matches!(input, Input::StepEnded { .. }) {
                        self.running = Running::Nobody;
                    }
                    input
                }
                _ => {
                    let (play, error) = (playing.pop_front()?, None);
                    Input::PlayDone { play, error }
                }
            };
            self.contact.handle(now, input, &mut outputs);
        }
        None
    }

    /// What the same request was answered then, whenever that was.
    fn answered_ever(&self, function: &str, request: &Json) -> Option<&SharedJson> {
        let mut asked = self.old.iter().filter_map(|entry| match &entry.kind {
            EntryKind::Asked {
                activation,
                call,
                function: of,
                request: with,
                ..
            } if of == function && **with == *request => Some((activation, call)),
            _ => None,
        });
        let asked = asked.next()?;
        self.old.iter().find_map(|entry| match &entry.kind {
            EntryKind::Call {
                activation,
                call,
                result,
                ..
            } if (activation, call) == asked => Some(result),
            _ => None,
        })
    }
}
