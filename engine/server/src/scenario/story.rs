//! What the core writes down and says, as the story that a test's expectations look at.

use strowger_contact::{EntryKind, Segment, Way};
use strowger_flow::plan::{Action, PromptId};

use super::record::What;
use super::world::{Asked, Cause, Due, World};
use super::{mocks, pace, stub};
use crate::runtime::{failure_told, outcome_told, plain};

impl World<'_> {
    pub(super) fn journal(&mut self, kind: EntryKind) {
        match kind {
            EntryKind::Entered {
                flow, step, line, ..
            } => {
                let last = self.record.events.iter().rev();
                let last = last.into_iter().find_map(|event| match &event.what {
                    What::Step(last) => Some((last, event.place.as_ref().map(|place| &place.0))),
                    _ => None,
                });
                // The actions of one step are told once, but each round of the caller anew.
                let told = last == Some((&step, Some(&flow)));
                let recent = self.record.recent().iter();
                let round = recent
                    .map(|event| &event.what)
                    .any(|what| matches!(what, What::Step(_)));
                self.place = Some((flow, line));
                if !told || !round {
                    self.note(What::Step(step));
                }
            }
            EntryKind::Outcome {
                plugin,
                outcome,
                data,
                ..
            } => {
                let described = self.steps.descriptions.get(&plugin);
                let schema = described.and_then(|step| step.outcomes.get(&outcome));
                let data = match schema {
                    Some(schema) => mocks::veiled(&data, schema),
                    None => data.into_json(),
                };
                let plugin = plugin.split('@').next().unwrap_or(&plugin);
                if stub::key(&format!("{plugin}@0")).is_none() {
                    self.note(What::Outcome(outcome_told(plugin, &outcome, &data)));
                }
            }
            EntryKind::Failed {
                plugin,
                code,
                message,
                retries_left,
                ..
            } => {
                let told = failure_told(&plugin, &code, &message, retries_left);
                if self.mocked && code == "bad-output" {
                    self.trouble("a mock does not fit what the plugin says of itself", &told);
                }
                self.note(What::Outcome(told));
            }
            EntryKind::Tagged { values } => self.note(What::Tagged(values)),
            EntryKind::Set { values } => self.note(What::Engine(format!("sets {values}"))),
            EntryKind::Pressed { key } => self.record.told_key(key),
            EntryKind::Wrote { text, .. } => self.record.told_words(&text),
            EntryKind::GlobalKey { key } => {
                self.note(What::Engine(format!("key {key} works everywhere")));
            }
            EntryKind::Unsaid { error } => {
                self.note(What::Engine(format!("cannot say it: {error}")))
            }
            EntryKind::Ended(ending) => {
                let error = ending
                    .error
                    .map(|error| format!(" ({error})"))
                    .unwrap_or_default();
                self.note(What::Engine(format!(
                    "the contact ends: {}{error}",
                    ending.reason
                )));
            }
            EntryKind::Resumed => self.asked = std::mem::replace(&mut self.held, Asked::Nothing),
            EntryKind::Declined | EntryKind::GivenUp => {
                self.asked = Asked::Nothing;
                self.held = Asked::Nothing;
                self.nobody_waits();
            }
            EntryKind::HungUp | EntryKind::Vanished => self.nobody_waits(),
            EntryKind::Started { .. }
            | EntryKind::Said { .. }
            | EntryKind::Key { .. }
            | EntryKind::Played { .. }
            | EntryKind::Tick { .. }
            | EntryKind::Ran { .. }
            | EntryKind::Asked { .. }
            | EntryKind::Offered { .. }
            | EntryKind::Heard { .. }
            | EntryKind::Call { .. }
            | EntryKind::Joined
            | EntryKind::Dropped { .. }
            | EntryKind::CalledBack { .. }
            | EntryKind::SecretsLost => {}
        }
    }

    /// Something is said. Who wants it: a step that asked for it just now, or before a `meanwhile`
    /// sentence that is over now; else it is such a sentence.
    pub(super) fn said(&mut self, play: u32, segments: &[Segment], repeat: bool, cause: Cause) {
        let words: Vec<String> = segments
            .iter()
            .map(|segment| plain(&segment.words()))
            .collect();
        let words = words.join(" ");
        self.due.retain(|(_, due)| !matches!(due, Due::PlayDone(_)));
        if repeat {
            return self.note(What::Engine(format!("plays {words}")));
        }
        let asked = match (&self.asked, cause) {
            (Asked::Talk { prompts, .. }, Cause::Call | Cause::PlayDone) => prompts.clone(),
            _ => {
                let meanwhile = self.node().and_then(|(_, node)| match &node.action {
                    Action::Step(call) => call.meanwhile.as_ref()?.say,
                    _ => None,
                });
                meanwhile.into_iter().map(|PromptId(id)| id).collect()
            }
        };
        let length = match self.chat() {
            true => 0,
            false => pace::spoken_ms(&words),
        };
        self.due
            .push((self.now.saturating_add(length), Due::PlayDone(play)));
        let marks = self.contact.trail().iter().rev();
        let plan = marks
            .into_iter()
            .find(|mark| mark.way == Way::Entered)
            .map(|mark| mark.plan.clone());
        let prompts = asked
            .iter()
            .filter_map(|id| plan.as_ref()?.prompts.get(*id as usize)?.name.clone())
            .collect();
        self.note(What::Heard { words, prompts });
    }
}
