//! Where the caller is gone, or the contact is cut off: in a recording, at a step that has heard its answer, in a queue.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use strowger_contact::{EntryKind, HIDDEN};
use strowger_flow::plan::Plan;

use super::{NEVER, NOTICED_MS, Pace, Reading, bare};
use crate::scenario::pace;

/// What follows on the longest time of a contact comes that much after it, in milliseconds, and a test has time for it.
const A_MOMENT_MS: u64 = 1_000;

impl<P: Fn(&str) -> Option<Arc<Plan>>> Reading<'_, P> {
    /// What was spoken is not known; words of its length stand for it. `acts` is how many there were before the recording.
    pub(super) fn recorded(&mut self, at: u64, acts: usize, result: &Json) {
        let recording = &result["ok"];
        let spoken = recording["duration-ms"].as_u64().unwrap_or_default();
        let by = recording["ended-by"].as_str().unwrap_or_default();
        // The key that ended it, or the caller who was gone.
        let end = self.acts.split_off(acts.min(self.acts.len()));
        if spoken > 0 {
            let mut words = "a message".to_owned();
            while pace::spoken_ms(&words) < spoken && words.len() < 2_000 {
                words.push_str(" and more");
            }
            self.acts.push(format!("say: {}", json!(words)));
            if self.form.pace != Pace::AtOnce && spoken >= NOTICED_MS && !end.is_empty() {
                self.acts.push(format!("wait: {spoken}ms"));
            }
        }
        if matches!(by, "silence" | "max") && end.is_empty() {
            self.acts.push("silence".to_owned());
        }
        self.acts.extend(end);
        self.clock.acted(at);
    }

    /// The caller is gone, by an act of a test.
    pub(super) fn hung_up(&mut self, at: u64, act: &str) {
        self.flush();
        let function = self.asked.as_ref().map(|asked| asked.function.as_str());
        match (function, &self.asked) {
            (Some("route.enqueue"), Some(asked)) => {
                self.acts
                    .push(format!("expect: {{ queue: {} }}", json!(asked.name)));
            }
            (Some("route.transfer"), Some(asked)) => {
                self.acts
                    .push(format!("expect: {{ transfer: {} }}", json!(asked.name)));
                // They talked with each other, so the call was not given up: until they are joined the caller gives up a
                // transfer that rings.
                if let Some(joined) = self.joined {
                    let talked = at.saturating_sub(joined).max(1);
                    self.acts.push(format!("wait: {talked}ms"));
                    self.left_joined = true;
                }
            }
            (Some("media.capture"), _) => {}
            // While the prompt was being said: it is said again when the caller goes on.
            (Some("media.listen"), Some(asked)) if act == "drop" && asked.playing => {
                self.while_it_is_said(at);
            }
            (Some("media.listen"), _) => self.pause(at),
            _ => match self.answered {
                Some(acts) => self.left_with_an_answer(acts, act),
                None => self.while_it_is_said(at),
            },
        }
        self.acts.push(act.to_owned());
        self.clock.acted(at);
        // A step that works goes on while the line is gone, and ends as it did.
        if act != "drop" {
            self.left_running();
        }
    }

    /// The caller is gone for good while a step runs: it is not over before.
    pub(super) fn left_running(&mut self) {
        if let Some(running) = &mut self.running {
            running.left = true;
        }
    }

    /// Something was being said, or a step worked: as soon as the contact is there.
    fn while_it_is_said(&mut self, at: u64) {
        let (flow, step) = &self.place;
        let mut there = Vec::new();
        if *flow == self.first {
            there.push(format!("step: {}", json!(step)));
        }
        let mocked = self.running.as_ref().filter(|running| running.mocked);
        // A step says several things, and a called flow has no name here: what was said since the last act tells where. What is
        // mocked says nothing.
        if let Some((acts, words)) = self.said.as_ref().filter(|_| mocked.is_none())
            && self.form.by_words
            && *acts == self.acts.len()
            && !words.is_empty()
            && !words.contains(HIDDEN)
        {
            there.push(format!("hear: {}", json!(words)));
        }
        if let Some(running) = mocked {
            there.push(format!("used: {}", json!(bare(&running.plugin))));
        }
        if !there.is_empty() {
            return self
                .acts
                .push(format!("expect: {{ {} }}", there.join(", ")));
        }
        // Only time tells: what is being said in a called flow is another text in the test, as where it tells a time.
        let over = self.clock.turn(at);
        let time = self.clock.at(at).min(over.saturating_sub(1)).max(1);
        self.acts.push(format!("wait: {time}ms"));
    }

    /// The running step had its answer, and was not over: a test goes on from there at once. What it made of the answer led
    /// nowhere any more. Where nothing of it is kept either, it is as if there had been no answer.
    fn left_with_an_answer(&mut self, acts: usize, act: &str) {
        if act == "drop"
            && let Some(running) = &self.running
        {
            // It leads somewhere once the caller is back.
            let used = json!(bare(&running.plugin));
            self.acts.push(format!("expect: {{ used: {used} }}"));
            return;
        }
        let rest = self.rest;
        let mut rest = rest.iter().map(|entry| &entry.kind);
        let outcome = rest.find_map(|kind| match kind {
            EntryKind::Outcome { plugin, data, .. } => Some(Some((plugin, data))),
            EntryKind::Failed { .. } | EntryKind::Asked { .. } => Some(None),
            _ => None,
        });
        let marks = matches!(rest.next(), Some(EntryKind::Tagged { .. }));
        let Some((plugin, data)) = outcome.flatten() else {
            // It asked for more, and nobody was there.
            return;
        };
        let kept = self.call(plugin).is_some_and(|call| {
            let into = call.into.as_ref();
            let into = into.is_some_and(|into| data.get(&into.field).is_some());
            into || call.bind.is_some()
        });
        match kept || marks {
            true => self
                .acts
                .push(format!("expect: {{ used: {} }}", json!(bare(plugin)))),
            false => self.acts.truncate(acts),
        }
    }

    /// What is mocked here and was not over when the contact left it takes longer than anybody waits.
    pub(super) fn never_ends(&mut self) {
        if let Some(running) = self.running.as_ref().filter(|running| running.mocked) {
            let key = bare(&running.plugin).to_owned();
            self.reply(key, format!("{{ outcome: error, after: {NEVER} }}"));
        }
    }

    /// The flow goes on elsewhere while a step listens, or works: the contact came to its longest time. Nothing but time leads a
    /// test there.
    pub(super) fn cut_off(&mut self, at: u64) -> bool {
        if self.running.is_none() || self.left.is_some() || self.gone {
            return false;
        }
        let asked = self.asked.take();
        let waits = asked.as_ref().is_some_and(|asked| {
            matches!(
                asked.function.as_str(),
                "media.listen" | "media.capture" | "route.enqueue" | "route.transfer"
            ) || asked.function.starts_with("wait.")
        });
        if !waits && !self.in_mock() {
            return false;
        }
        match asked {
            Some(asked) if asked.function == "route.enqueue" => {
                self.nobody(format!("queue.{}", asked.name));
            }
            Some(asked) if asked.function == "route.transfer" => {
                self.nobody(format!("transfer.{}", asked.name));
            }
            _ => self.never_ends(),
        }
        self.running = None;
        let late = self.late.filter(|(noticed, _)| *noticed == at);
        let due = at.saturating_sub(late.map_or(0, |(_, late)| late));
        let seconds = self
            .clock
            .at(due)
            .saturating_add(A_MOMENT_MS)
            .div_ceil(1_000);
        self.acts.push(format!("wait: {seconds}s"));
        self.clock.acted(at);
        true
    }

    /// The contact came to its longest time in the moment in which the running step was told that nothing is heard: both were
    /// due while nobody looked, and what the step would have done of it came no more.
    pub(super) fn lasted_too_long(&self) -> bool {
        let next = self.rest.iter().find_map(|entry| match &entry.kind {
            EntryKind::Entered { .. } | EntryKind::Said { .. } | EntryKind::Ended(_) => Some(true),
            EntryKind::Outcome { .. }
            | EntryKind::Failed { .. }
            | EntryKind::Asked { .. }
            | EntryKind::HungUp
            | EntryKind::Vanished
            | EntryKind::Dropped { .. } => Some(false),
            _ => None,
        });
        next == Some(true)
    }
}
