//! One contact in virtual time: the core, the real steps, and a world that does what the test says.
//!
//! Time moves only when somebody asks for it, from event to event. Whatever the engine can do without
//! the caller happens by itself; what only the caller's patience brings (the end of a silence, of an
//! unmocked queue, of a recording) happens when the test lets it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};
use strowger_contact::call::{CallError, RecordOptions};
use strowger_contact::{
    Channel, Contact, Effect, Ending, EntryKind, Facts, Input, Millis, Output, Program, Segment,
    StepResult, Way,
};
use strowger_flow::plan::{Action, Node, PromptId};
use strowger_flow::{Reply, Test};
use strowger_plugin::Limits;

use super::guest::{Guest, Question, Turn};
use super::memory::Memory;
use super::mocks::{self, Mocks};
use super::record::{Record, What};
use super::{hours, pace, stub};
use crate::project::Steps;
use crate::runtime::plain;

/// When a test begins that does not say: 5 January 2026, a Monday, 10:00 UTC. Fixed, so that a test says
/// the same every day.
const BEGINS: Millis = 1_767_607_200_000;
/// Who calls when the test does not say.
const FROM: &str = "+8613800138000";
/// What is called when the test does not say.
const TO: &str = "100";
/// Busy time of a step in a test, in milliseconds. Only processor time ends a step there: the wall's time
/// says nothing about a flow, and would make the result depend on how busy the machine is.
const BUSY_MS: u64 = 3_600_000;

/// A contact and what is around it.
pub(super) struct World<'t> {
    steps: &'t Steps,
    test: &'t Test,
    mocks: Mocks<'t>,
    pub contact: Contact,
    pub now: Millis,
    pub started: Millis,
    pub record: Record,
    pub ended: Option<Ending>,
    /// Why the test cannot go on: a sentence, and what to do.
    pub trouble: Option<Trouble>,
    memory: Memory,
    guest: Option<Guest>,
    asked: Asked,
    due: Vec<(Millis, Due)>,
    /// The flow and the line that the contact's journal was at last.
    place: Option<(String, u32)>,
    /// Answers given to guests so far.
    pub replies: u64,
    /// Kept for its capacity.
    out: Vec<Output>,
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
    },
    /// A queue or a transfer that the test does not mock; the words name it.
    Nobody(String),
    /// A key, with nothing that would end the wait.
    Input,
}

/// Something that will happen.
enum Due {
    PlayDone(u32),
    Step(u32, Box<StepResult>),
    Effect(u32, Json),
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
        steps: &'t Steps,
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
            steps,
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
            asked: Asked::Nothing,
            due: Vec::new(),
            place: None,
            replies: 0,
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
            let activation = guest.activation;
            let turn = guest.turn().await;
            match turn {
                Turn::Called(question) => self.called(activation, question),
                Turn::Ended(result) => {
                    self.guest = None;
                    self.step_ended(activation, result, false);
                }
            }
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
                Due::PlayDone(play) => self.give(Input::PlayDone { play, error: None }).await,
                Due::Effect(effect, result) | Due::Patience(effect, result) => {
                    self.give(Input::EffectDone { effect, result }).await;
                }
                Due::Step(activation, result) => {
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

    /// The caller speaks while a recording runs.
    pub fn speak(&mut self, words: &str) {
        let length = pace::spoken_ms(words);
        if let Asked::Recording {
            effect,
            options,
            spoken,
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

    fn handle(&mut self, input: Input) {
        // Only what a step asks for is said at once; see `said`.
        let cause = match &input {
            Input::Called { .. } => Cause::Call,
            Input::PlayDone { .. } => Cause::PlayDone,
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
            } => self.run(activation, step, input, timeout_ms),
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
                    guest.answer(value);
                }
            }
            Output::Play {
                play,
                segments,
                repeat,
            } => self.said(play, &segments, repeat, cause),
            Output::StopPlaying => self.due.retain(|(_, due)| !matches!(due, Due::PlayDone(_))),
            Output::Perform { effect, what } => self.effect(effect, what),
            Output::CancelEffect { effect } => self
                .due
                .retain(|(_, due)| !matches!(due, Due::Effect(number, ..) if *number == effect)),
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
    fn node(&self) -> Option<(&str, &Node)> {
        let marks = self.contact.trail().iter().rev();
        let mark = marks.into_iter().find(|mark| mark.way == Way::Entered)?;
        let node = mark.plan.nodes.get(mark.node?.0 as usize)?;
        Some((&mark.plan.flow, node))
    }

    fn note(&mut self, what: What) {
        self.record.note(self.now, self.place.clone(), what);
    }

    fn run(&mut self, activation: u32, step: String, input: String, timeout_ms: u64) {
        self.asked = Asked::Nothing;
        if let Some(key) = stub::key(&step) {
            let (key, step) = (key.to_owned(), step.clone());
            return self.run_stub(activation, &key, &step);
        }
        let bare = step.split('@').next().unwrap_or(&step).to_owned();
        if let Some(reply) = self.mocks.step(&step) {
            self.note(What::Used {
                step: bare,
                mocked: true,
            });
            let description = self.steps.descriptions.get(&step);
            let node = self.node();
            let call = node.and_then(|(_, node)| match &node.action {
                Action::Step(call) => Some(&**call),
                _ => None,
            });
            match mocks::step_result(&step, reply, call, description, timeout_ms) {
                Ok((after, result)) => {
                    let at = self.now.saturating_add(after);
                    self.due.push((at, Due::Step(activation, Box::new(result))));
                }
                Err(why) => self.trouble("a mock does not fit", &why),
            }
            return;
        }
        // The program was checked against these very steps.
        let Some(plugin) = self.steps.plugins.get(&step).cloned() else {
            return self.trouble(
                &format!("no plugin offers `{step}`"),
                &format!("mock it: `mock: {{ {bare}: {{ outcome: … }} }}`"),
            );
        };
        let name = bare
            .split_once('/')
            .map_or(bare.as_str(), |(_, name)| name)
            .to_owned();
        self.note(What::Used {
            step: bare,
            mocked: false,
        });
        let input = hours::ruled(input, &self.test.given.hours);
        let limits = Limits {
            busy_ms: BUSY_MS,
            ..Limits::default()
        };
        self.guest = Some(Guest::start(plugin, activation, name, input, limits));
    }

    /// A mocked flow gives its next answer.
    fn run_stub(&mut self, activation: u32, key: &str, step: &str) {
        let Some((number, reply)) = self.mocks.next(key) else {
            return self.trouble(
                &format!("the mock `{key}` has no answer"),
                "write `{ outcome: … }`",
            );
        };
        let answer = Reply {
            outcome: match reply.outcome.as_str() {
                "error" => "error".to_owned(),
                _ => stub::outcome(number),
            },
            after_ms: reply.after_ms,
            data: BTreeMap::new(),
        };
        let node = self.node();
        let call = node.and_then(|(_, node)| match &node.action {
            Action::Step(call) => Some(&**call),
            _ => None,
        });
        match mocks::step_result(step, &answer, call, None, 0) {
            Ok((after, result)) => {
                let at = self.now.saturating_add(after);
                self.due.push((at, Due::Step(activation, Box::new(result))));
            }
            Err(why) => self.trouble("a mock does not fit", &why),
        }
    }

    fn step_ended(&mut self, activation: u32, result: StepResult, mocked: bool) {
        let before = self.record.events.len();
        self.handle(Input::StepEnded { activation, result });
        let unfit = self.record.events[before..]
            .iter()
            .find_map(|event| match &event.what {
                What::Outcome(what) if mocked && what.contains("bad-output") => Some(what.clone()),
                _ => None,
            });
        if let Some(what) = unfit {
            self.trouble("a mock does not fit what the plugin says of itself", &what);
        }
    }

    fn called(&mut self, activation: u32, question: Question) {
        let Question {
            interface,
            function,
            args,
        } = question;
        self.asked = match (interface.as_str(), function.as_str()) {
            ("media", "say") => Asked::Talk {
                prompts: prompts(args.first()),
                listens: false,
            },
            ("media", "listen") => Asked::Talk {
                prompts: prompts(args.first()),
                listens: true,
            },
            ("wait", "wait-any") if endless(args.first()) => Asked::Input,
            _ => Asked::Nothing,
        };
        self.handle(Input::Called {
            activation,
            interface,
            function,
            args,
        });
    }

    /// Something is said. Who wants it: a step that asked for it just now, or before a `meanwhile`
    /// sentence that is over now; else it is such a sentence.
    fn said(&mut self, play: u32, segments: &[Segment], repeat: bool, cause: Cause) {
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

    fn effect(&mut self, effect: u32, what: Effect) {
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
                let slow = u64::from(options.max_wait_ms);
                let mock = self
                    .mocks
                    .next(&format!("queue.{queue}"))
                    .map(|(_, reply)| reply);
                let end = mock.map(mocks::queue_end);
                self.let_go(
                    effect,
                    mock,
                    end,
                    "timeout",
                    slow,
                    json!({ "ok": "timeout" }),
                    &format!("queue.{queue}"),
                );
            }
            Effect::Transfer { target, options } => {
                self.note(What::Transferred(target.clone()));
                let slow = u64::from(options.ring_ms);
                let mock = self
                    .mocks
                    .next(&format!("transfer.{target}"))
                    .map(|(_, reply)| reply);
                let end = mock.map(mocks::transfer_end);
                let rang = json!({ "ok": { "refused": "no-answer" } });
                self.let_go(
                    effect,
                    mock,
                    end,
                    "no_answer",
                    slow,
                    rang,
                    &format!("transfer.{target}"),
                );
            }
        }
    }

    /// When a queue or a transfer lets go of the contact: as the test says, or not before its longest time.
    #[allow(clippy::too_many_arguments)]
    fn let_go(
        &mut self,
        effect: u32,
        mock: Option<&Reply>,
        end: Option<Result<Json, String>>,
        slow: &str,
        slow_ms: u64,
        unmocked: Json,
        name: &str,
    ) {
        match (mock, end) {
            (Some(reply), Some(Ok(end))) => {
                let after = match reply.after_ms {
                    0 if reply.outcome == slow => slow_ms,
                    after => after,
                };
                self.due
                    .push((self.now.saturating_add(after), Due::Effect(effect, end)));
            }
            (_, Some(Err(why))) => self.trouble(&format!("the mock `{name}` is none"), &why),
            _ => {
                self.asked = Asked::Nobody(name.to_owned());
                let at = self.now.saturating_add(slow_ms);
                self.due.push((at, Due::Patience(effect, unmocked)));
            }
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
        };
    }

    fn stop_recording(&mut self, effect: u32) {
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

    /// The caller hangs up.
    pub async fn hang_up(&mut self) {
        // A recording ends with what was said until then.
        if let Asked::Recording { effect, spoken, .. } = self.asked {
            self.due
                .retain(|(_, due)| !matches!(due, Due::Patience(..)));
            let result = recording(effect, spoken, "hangup");
            self.due.push((self.now, Due::Effect(effect, result)));
            self.asked = Asked::Nothing;
        }
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
                *due = Due::Effect(*effect, hangup.clone());
            }
        }
        self.give(Input::HungUp).await;
    }

    fn journal(&mut self, kind: EntryKind) {
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
                let plugin = plugin.split('@').next().unwrap_or(&plugin);
                let data = match &data {
                    Json::Object(fields) if fields.is_empty() => String::new(),
                    data => format!(" {data}"),
                };
                if stub::key(&format!("{plugin}@0")).is_none() {
                    self.note(What::Outcome(format!("{plugin}: {outcome}{data}")));
                }
            }
            EntryKind::Failed {
                plugin,
                code,
                message,
                retries_left,
            } => {
                let again = match retries_left {
                    0 => "",
                    _ => "; tries again",
                };
                self.note(What::Outcome(format!("{plugin}: {code}: {message}{again}")));
            }
            EntryKind::Tagged { values } => self.note(What::Tagged(values)),
            EntryKind::Set { values } => self.note(What::Engine(format!("sets {values}"))),
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
            EntryKind::Started { .. }
            | EntryKind::Said { .. }
            | EntryKind::Key { .. }
            | EntryKind::Played { .. }
            | EntryKind::Tick
            | EntryKind::Ran { .. }
            | EntryKind::Asked { .. }
            | EntryKind::Pressed { .. }
            | EntryKind::Wrote { .. }
            | EntryKind::Heard { .. }
            | EntryKind::Call { .. }
            | EntryKind::Vanished
            | EntryKind::HungUp => {}
        }
    }

    fn trouble(&mut self, what: &str, help: &str) {
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
enum Cause {
    Call,
    PlayDone,
    Other,
}

/// The flow's prompts in an utterance, by number.
fn prompts(utterance: Option<&Json>) -> Vec<u32> {
    let prompts = utterance.and_then(|utterance| utterance.get("prompts")?.as_array());
    prompts
        .into_iter()
        .flatten()
        .filter_map(|prompt| {
            prompt
                .get("given")?
                .as_str()?
                .strip_prefix("p:")?
                .parse()
                .ok()
        })
        .collect()
}

/// Whether no time ends a wait.
fn endless(conditions: Option<&Json>) -> bool {
    let conditions = conditions.and_then(Json::as_array);
    !conditions
        .into_iter()
        .flatten()
        .any(|condition| condition.get("elapsed").is_some())
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
