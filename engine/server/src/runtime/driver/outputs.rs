//! What the contact's core asks for, done: on its line, by its guests, beside it, in the log and in the store.

use strowger_contact::{Ending, Output};
use strowger_flow::unseen::in_one_line;

use super::Driver;
use crate::effects::StepUse;
use crate::runtime::engine::Engine;
use crate::runtime::guests::{StepRun, step_name};
use crate::runtime::line::Line;
use crate::store::Record;

impl<L: Line> Driver<L> {
    pub(super) async fn perform(&mut self, output: Output) {
        match output {
            Output::Run {
                activation,
                step,
                input,
                timeout_ms,
            } => self.run_step(activation, step, input.to_string(), timeout_ms),
            Output::Cancel { activation } => self.guests.cancel(activation),
            Output::Reply { activation, value } => {
                self.guests.answer(activation, value.into_json());
            }
            Output::Play {
                play,
                segments,
                repeat,
            } => self.line.play(play, segments, repeat),
            Output::StopPlaying => self.line.stop(),
            Output::Perform { effect, what } => self.start(effect, what),
            Output::CancelEffect { effect } => {
                self.line.cancel_transfer(effect);
                if let Some(task) = self.under_way.remove(&effect) {
                    // Dropped where it waits: a request is cut off, its connection closed.
                    task.abort();
                }
            }
            Output::StopRecording { effect } => self.line.stop_recording(effect),
            Output::Mask(masked) => self.line.mask(masked),
            // Written down before.
            Output::Journal(_) => {}
            Output::Log {
                level,
                message,
                step,
            } => self.log(&level, &message, &step),
            Output::HangUp => self.line.hang_up(),
            Output::Ended(ending) => self.end(ending).await,
        }
    }

    /// Writes a line of a plugin's into the log, if its tenant may have one more.
    fn log(&mut self, level: &str, message: &str, step: &str) {
        let now = self.now();
        let Engine {
            allowance, tenant, ..
        } = &*self.engine;
        if !allowance.log(tenant, &mut self.step_use, message.len(), now) {
            return;
        }
        let contact = &self.contact.facts().id;
        let message = in_one_line(message);
        match level {
            "error" => tracing::error!(target: "plugin", %tenant, %contact, %step, "{message}"),
            "warn" => tracing::warn!(target: "plugin", %tenant, %contact, %step, "{message}"),
            "info" => tracing::info!(target: "plugin", %tenant, %contact, %step, "{message}"),
            _ => tracing::debug!(target: "plugin", %tenant, %contact, %step, "{message}"),
        }
    }

    async fn end(&mut self, ending: Ending) {
        let at = self.now();
        let record = self
            .tally
            .take()
            .map(|tally| tally.finish(at, &ending.reason));
        let ended = Record::Ended {
            id: self.contact.facts().id.clone(),
            reason: ending.reason.clone(),
            at,
            record: record.map(Box::new),
        };
        // Whoever is told of the end is told where its recording lies. A line that sleeps has none, and its close waits for
        // what is written.
        match self.line.sleeps() {
            true => self.engine.ended(ended).await,
            false => self.ended = Some(ended),
        }
        self.answered().await;
        self.ending = Some(ending);
    }

    fn run_step(&mut self, activation: u32, step: String, input: String, timeout_ms: u64) {
        self.step_use = StepUse::default();
        if let Some(run) = self.step_run(activation, &step, input, timeout_ms) {
            self.guests.run(run);
        }
    }

    pub(super) fn step_run(
        &mut self,
        activation: u32,
        step: &str,
        input: String,
        timeout_ms: u64,
    ) -> Option<StepRun> {
        // The program was checked against these very steps.
        let Some(plugin) = self.engine.steps.plugins.get(step).cloned() else {
            debug_assert!(false, "no plugin for {step}");
            return None;
        };
        self.step_of.clone_from(&plugin.description().name);
        let name = step_name(step).to_owned();
        let limits = strowger_plugin::Limits {
            busy_ms: timeout_ms,
            ..self.engine.limits.clone()
        };
        Some(StepRun {
            plugin,
            activation,
            step: name,
            input,
            limits,
        })
    }
}
