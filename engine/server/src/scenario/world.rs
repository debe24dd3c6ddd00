//! One contact in virtual time: the core, the real steps, and a world that does what the test says.
//!
//! Time moves only when somebody asks for it, from event to event. Whatever the engine can do without
//! the caller happens by itself; what only the caller's patience brings (the end of a silence, of an
//! unmocked queue, of a recording) happens when the test lets it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value as Json;
use strowger_contact::{
    Channel, Contact, Ending, Facts, Input, Millis, Output, Program, StepResult, Way,
};
use strowger_flow::Test;
use strowger_flow::plan::Node;

use super::memory::Memory;
use super::mocks::Mocks;
use super::record::{Record, What};
use super::suite::Suite;
use crate::project::Steps;
use crate::runtime::Guest;

/// When a test begins that does not say: 5 January 2026, a Monday, 10:00 UTC. Fixed, so that a test says
/// the same every day.
const BEGINS: Millis = 1_767_607_200_000;
/// Who calls when the test does not say.
const FROM: &str = "+8613800138000";
/// What is called when the test does not say.
const TO: &str = "100";
/// A contact and what is around it.
pub(super) struct World<'t> {
    pub(super) steps: &'t Steps,
    /// The suppliers that transfers may name; none where they are not known.
    pub(super) suppliers: Option<&'t BTreeSet<String>>,
    pub(super) test: &'t Test,
    pub(super) mocks: Mocks<'t>,
    pub contact: Contact,
    pub now: Millis,
    pub started: Millis,
    pub record: Record,
    pub ended: Option<Ending>,
    /// Why the test cannot go on: a sentence, and what to do.
    pub trouble: Option<Trouble>,
    pub(super) memory: Memory,
    pub(super) guest: Option<Guest>,
    /// Whether instances are dropped at each of their calls and built anew.
    pub(super) rebuild: bool,
    pub(super) asked: Asked,
    /// What the contact waited for when the line dropped: it does again when the caller goes on.
    pub(super) held: Asked,
    pub(super) due: Vec<(Millis, Due)>,
    /// The transfer whose other side talks with the caller.
    pub(super) joined: Option<u32>,
    /// The flow and the line that the contact's journal was at last.
    pub(super) place: Option<(String, u32)>,
    /// Answers given to guests so far.
    pub replies: u64,
    /// Whether what the core is told now comes from a mock.
    pub(super) mocked: bool,
    /// Kept for its capacity.
    pub(super) out: Vec<Output>,
}

/// Why a test cannot go on.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub help: String,
}

/// What the contact waits for.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Asked {
    /// Nothing that concerns the caller.
    Nothing,
    /// That something is said, or keys: the prompts of the flow in it.
    Talk { prompts: Vec<u32>, listens: bool },
    /// A recording.
    Recording {
        effect: u32,
        options: Box<(bool, u32, u32)>,
        spoken: Millis,
        /// Whether what is said is a secret.
        sensitive: bool,
    },
    /// A queue or a transfer that the test does not mock; the words name it.
    Nobody(String),
    /// A key, with nothing that would end the wait.
    Input,
}

/// Something that will happen.
pub(super) enum Due {
    PlayDone(u32),
    /// The end of a mocked step. One that `waits` for the contact ends as soon as the caller is gone.
    Step {
        activation: u32,
        result: Box<StepResult>,
        waits: bool,
    },
    Effect(u32, Json),
    /// Whoever a transfer called has answered: people talk until its end.
    Joined(u32),
    /// The end of a wait for the caller: only the caller's patience brings it.
    Patience(u32, Json),
}

/// How far a step in time went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moved {
    /// Something happened.
    On,
    /// The limit was reached.
    Limit,
    /// The contact waits for the caller.
    Waits,
    /// The contact is over, or the test cannot go on.
    Over,
}

impl<'t> World<'t> {
    /// A contact before it is connected; `None` when the program has no such flow.
    pub fn new(
        program: Arc<Program>,
        suite: &'t Suite,
        flow: &str,
        test: &'t Test,
    ) -> Option<World<'t>> {
        let given = &test.given;
        let now = given
            .now
            .as_ref()
            .and_then(|now| u64::try_from(now.timestamp().as_millisecond()).ok())
            .unwrap_or(BEGINS);
        let name = format!("{flow}/{}", test.name);
        let facts = Facts {
            id: "test".to_owned(),
            channel: match given.channel.as_deref() {
                Some("chat") => Channel::Chat,
                _ => Channel::Voice,
            },
            from: given.from.clone().unwrap_or_else(|| FROM.to_owned()),
            to: given.to.clone().unwrap_or_else(|| TO.to_owned()),
            started_at: now,
            seed: <sha2::Sha256 as sha2::Digest>::digest(name.as_bytes()).into(),
        };
        let mut contact = Contact::new(program, flow, facts)?;
        let values: BTreeMap<_, _> = given
            .inputs
            .iter()
            .chain(&given.vars)
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        contact.begin_with(given.language.clone(), values);
        contact.keep_trail();
        Some(World {
            steps: &suite.steps,
            suppliers: suite.suppliers.as_ref(),
            test,
            mocks: Mocks::new(test),
            contact,
            now,
            started: now,
            record: Record::default(),
            ended: None,
            trouble: None,
            memory: Memory::default(),
            guest: None,
            rebuild: suite.rebuild,
            asked: Asked::Nothing,
            held: Asked::Nothing,
            due: Vec::new(),
            joined: None,
            place: None,
            replies: 0,
            mocked: false,
            out: Vec::new(),
        })
    }

    /// Whether the contact talks in writing.
    pub fn chat(&self) -> bool {
        self.contact.facts().channel == Channel::Chat
    }

    /// What the contact waits for.
    pub fn asked(&self) -> &Asked {
        &self.asked
    }

    /// Mocks that nothing asked for.
    pub fn unused_mocks(&self) -> impl Iterator<Item = &'t str> {
        self.mocks.unused()
    }

    /// Whether nothing more happens.
    pub fn over(&self) -> bool {
        self.ended.is_some() || self.trouble.is_some()
    }

    /// Whether only the caller can bring the contact on.
    pub fn waits(&self) -> bool {
        let silent = !self
            .due
            .iter()
            .any(|(_, due)| matches!(due, Due::PlayDone(_)));
        match &self.asked {
            Asked::Talk { listens: true, .. } => silent,
            Asked::Recording { .. } | Asked::Nobody(_) | Asked::Input => true,
            Asked::Talk { listens: false, .. } | Asked::Nothing => false,
        }
    }

    /// Gives the contact an input now, and lets the engine do what it does without time passing.
    pub async fn give(&mut self, input: Input) {
        self.handle(input);
        while self.ended.is_none()
            && self.trouble.is_none()
            && let Some(guest) = self.guest.as_mut().filter(|guest| !guest.waits)
        {
            let input = guest.turn().await;
            match &input {
                Input::Called {
                    interface,
                    function,
                    args,
                    ..
                } => {
                    let args = args.as_array().map(Vec::as_slice).unwrap_or_default();
                    self.asked = Asked::by_call(interface, function, args);
                }
                _ => self.guest = None,
            }
            self.handle(input);
        }
    }

    /// Goes on to the next thing that happens, not beyond `limit`. With `patience` that may be the end of
    /// a wait for the caller; without, such a wait stands still.
    pub async fn step(&mut self, limit: Option<Millis>, patience: bool) -> Moved {
        if self.over() {
            return Moved::Over;
        }
        if !patience && self.waits() {
            return Moved::Waits;
        }
        let due = self.due.iter().enumerate();
        let first = due
            .filter(|(_, (_, due))| patience || !matches!(due, Due::Patience(..)))
            .min_by_key(|(index, (at, _))| (*at, *index))
            .map(|(index, (at, _))| (index, *at));
        let deadline = self.contact.deadline();
        let at = match (first, deadline) {
            (Some((_, at)), Some(deadline)) => at.min(deadline),
            (Some((_, at)), None) => at,
            (None, Some(deadline)) => deadline,
            (None, None) => return Moved::Waits,
        };
        if let Some(limit) = limit
            && at > limit
        {
            self.now = self.now.max(limit);
            return Moved::Limit;
        }
        self.now = self.now.max(at);
        // What has happened comes before time that has passed.
        match first.filter(|(_, due)| *due <= at) {
            None => self.give(Input::Tick).await,
            Some((index, _)) => match self.due.remove(index).1 {
                Due::Joined(effect) => {
                    self.joined = Some(effect);
                    self.give(Input::Joined { effect }).await;
                }
                Due::PlayDone(play) => self.give(Input::PlayDone { play, error: None }).await,
                Due::Effect(effect, result) | Due::Patience(effect, result) => {
                    let result = result.into();
                    self.give(Input::EffectDone { effect, result }).await;
                }
                Due::Step {
                    activation, result, ..
                } => {
                    self.step_ended(activation, *result, true);
                    // A step that follows may compute.
                    self.give(Input::Tick).await;
                }
            },
        }
        match self.over() {
            true => Moved::Over,
            false => Moved::On,
        }
    }

    pub(super) fn handle(&mut self, input: Input) {
        // Only what a step asks for is said at once; see `said`.
        let cause = match &input {
            Input::Called { .. } => Cause::Call,
            Input::PlayDone { .. } => Cause::PlayDone,
            // What was asked for is said again when the caller goes on.
            Input::Key(_) if self.contact.asks_to_go_on() => Cause::Call,
            _ => Cause::Other,
        };
        let mut out = std::mem::take(&mut self.out);
        self.contact.handle(self.now, input, &mut out);
        for output in out.drain(..) {
            self.perform(output, cause);
        }
        self.out = out;
    }

    fn perform(&mut self, output: Output, cause: Cause) {
        match output {
            Output::Run {
                activation,
                step,
                input,
                timeout_ms,
            } => self.run(activation, step, input.to_string(), timeout_ms),
            Output::Cancel { activation } => {
                if self
                    .guest
                    .as_ref()
                    .is_some_and(|guest| guest.activation == activation)
                {
                    self.guest = None;
                }
                self.asked = Asked::Nothing;
                self.due.retain(|(_, due)| matches!(due, Due::PlayDone(_)));
            }
            Output::Reply { activation, value } => {
                self.replies += 1;
                self.asked = Asked::Nothing;
                self.due
                    .retain(|(_, due)| !matches!(due, Due::Patience(..)));
                if let Some(guest) = self
                    .guest
                    .as_mut()
                    .filter(|guest| guest.activation == activation)
                {
                    guest.answer(value.into_json());
                }
            }
            Output::Play {
                play,
                segments,
                repeat,
            } => self.said(play, &segments, repeat, cause),
            Output::StopPlaying => self.due.retain(|(_, due)| !matches!(due, Due::PlayDone(_))),
            Output::Perform { effect, what } => self.effect(effect, what),
            Output::CancelEffect { effect } => self.due.retain(|(_, due)| {
                !matches!(due, Due::Effect(number, ..) | Due::Joined(number) if *number == effect)
            }),
            Output::StopRecording { effect } => self.stop_recording(effect),
            Output::Mask(_) => {}
            Output::Journal(entry) => self.journal(entry.kind),
            Output::Log { level, message, .. } => {
                self.note(What::Engine(format!("logs {level}: {message}")));
            }
            Output::HangUp => {}
            Output::Ended(ending) => {
                self.guest = None;
                self.due.clear();
                self.asked = Asked::Nothing;
                self.ended = Some(ending);
            }
        }
    }

    /// The action that the contact is at.
    pub(super) fn node(&self) -> Option<(&str, &Node)> {
        let marks = self.contact.trail().iter().rev();
        let mark = marks.into_iter().find(|mark| mark.way == Way::Entered)?;
        let node = mark.plan.nodes.get(mark.node?.0 as usize)?;
        Some((&mark.plan.flow, node))
    }

    pub(super) fn note(&mut self, what: What) {
        self.record.note(self.now, self.place.clone(), what);
    }

    pub(super) fn trouble(&mut self, what: &str, help: &str) {
        self.guest = None;
        self.due.clear();
        self.trouble.get_or_insert_with(|| Trouble {
            what: what.to_owned(),
            help: help.to_owned(),
        });
    }
}

/// What made the core say something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    Call,
    PlayDone,
    Other,
}
