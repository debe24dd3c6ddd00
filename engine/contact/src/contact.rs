//! A contact: its state, and what an input does to it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::SeedableRng;
use strowger_flow::plan::{Edge, NodeId, Plan};
use strowger_flow::value::Value;

use crate::Millis;
use crate::activation::{Activation, Pending};
use crate::aside::Aside;
use crate::away::Away;
use crate::entry::{Entry, EntryKind, FORMAT};
use crate::facts::Facts;
use crate::io::{Ending, Input, Output};
use crate::parting::Parting;
use crate::program::Program;
use crate::reasons::Reasons;
use crate::shared::SharedJson;
use crate::talk::Ahead;
use crate::timers::{Timer, Timers};
use crate::trail::Trail;
use crate::vars::Vars;

/// Deepest nesting of `call:`.
pub(crate) const MAX_CALL_DEPTH: usize = 32;
/// The first format of journals in which every flow is walked in a language of its own.
const LANGUAGE_OF_FLOW: u32 = 8;

/// One contact's walk through a plan. See the crate's documentation for how to drive it.
#[derive(Debug)]
pub struct Contact {
    pub(crate) program: Arc<Program>,
    pub(crate) facts: Facts,
    /// The language it began in, or the last that a flow set. What is spoken is [`Contact::language`].
    pub(crate) chosen_language: String,
    pub(crate) priority: u32,
    pub(crate) frames: Vec<Frame>,
    pub(crate) state: State,
    pub(crate) timers: Timers,
    pub(crate) typed_ahead: VecDeque<char>,
    pub(crate) written_ahead: VecDeque<Ahead>,
    /// An end key pressed after an entry that was already complete is part of that entry.
    pub(crate) swallow: Option<(char, Millis)>,
    /// Until when digits belong to a secret entry that was complete before them; and all that comes, to one that never was.
    pub(crate) secret_rest: Option<Millis>,
    pub(crate) hung_up: bool,
    pub(crate) handed_over: bool,
    /// What was left of the longest duration when the caller began to talk with people; none while he does not.
    pub(crate) people: Option<Millis>,
    /// The caller did not hang up, but was gone.
    pub(crate) vanished: bool,
    /// The line dropped, and the caller may come back.
    pub(crate) away: Option<Box<Away>>,
    /// How often the line has dropped so.
    pub(crate) drops: u32,
    /// The caller came back, and began anew in another contact.
    pub(crate) declined: bool,
    pub(crate) actions: u32,
    /// So many it may have, as the flow says in which it began.
    pub(crate) most_actions: u32,
    pub(crate) too_long: bool,
    /// The frame whose `global.error` was followed, until the contact is heard again.
    pub(crate) error_path: Option<usize>,
    pub(crate) rng: ChaCha12Rng,
    /// By handle; none for one whose text was lost with the process that heard it.
    pub(crate) secrets: BTreeMap<String, Option<String>>,
    pub(crate) last_play: u32,
    pub(crate) last_effect: u32,
    pub(crate) last_activation: u32,
    pub(crate) aside: Aside,
    pub(crate) trail: Trail,
    pub(crate) reasons: Reasons,
    /// A step has asked for a secret: texts that no step takes may be one.
    pub(crate) asked_secret: bool,
    /// The journal's, by which it hides more or less.
    pub(crate) format: u32,
    /// What `contact.read` answered last.
    pub(crate) facts_read: Option<SharedJson>,
    pub(crate) next_entry: u32,
}

/// A flow that is being walked.
#[derive(Debug)]
pub(crate) struct Frame {
    pub plan: Arc<Plan>,
    pub vars: Vars,
    /// The `call:` of the frame below that this one answers.
    pub called_by: Option<NodeId>,
    /// State that the last listening step left for `repeat`.
    kept: Option<Kept>,
}

/// What a listening step left.
#[derive(Debug)]
struct Kept {
    state: SharedJson,
    /// What it takes of memory.
    bytes: usize,
}

/// What a contact is doing.
#[derive(Debug)]
pub(crate) enum State {
    /// Not yet connected.
    New,
    /// A step runs.
    Step(Box<Activation>),
    /// A `wait:` of the flow.
    Waiting(Edge),
    /// A pause before a step is tried again.
    Retrying {
        /// The step's action.
        node: NodeId,
        /// Repetitions before the next attempt.
        retries: u32,
        /// The activation of the first attempt.
        first: u32,
    },
    /// The last words before the end.
    Parting(Parting),
    /// Over.
    Ended,
}

impl Contact {
    /// A contact that will walk `flow` once it is connected. `None` when the program has no such flow.
    pub fn new(program: Arc<Program>, flow: &str, facts: Facts) -> Option<Contact> {
        let plan = program.flow(flow)?.clone();
        let rng = ChaCha12Rng::from_seed(facts.seed);
        let most_actions = plan.max_steps;
        Some(Contact {
            chosen_language: first_language(&plan).to_owned(),
            priority: 50,
            frames: vec![Frame::new(plan, BTreeMap::new(), None)],
            state: State::New,
            timers: Timers::default(),
            typed_ahead: VecDeque::new(),
            written_ahead: VecDeque::new(),
            swallow: None,
            secret_rest: None,
            hung_up: false,
            handed_over: false,
            people: None,
            vanished: false,
            away: None,
            drops: 0,
            declined: false,
            actions: 0,
            most_actions,
            too_long: false,
            error_path: None,
            rng,
            secrets: BTreeMap::new(),
            last_play: 0,
            last_effect: 0,
            last_activation: 0,
            aside: Aside::default(),
            trail: Trail::default(),
            reasons: Reasons::default(),
            asked_secret: false,
            format: FORMAT,
            facts_read: None,
            next_entry: 0,
            program,
            facts,
        })
    }

    /// When the contact wants [`Input::Tick`], if nothing else happens before.
    pub fn deadline(&self) -> Option<Millis> {
        match self.state {
            State::Ended => None,
            _ => self.timers.next(),
        }
    }

    /// Whether that deadline is the end of the time in which a listening step is to be answered.
    pub fn awaits_answer(&self) -> bool {
        self.deadline().is_some() && self.timers.at(Timer::Listen) == self.timers.next()
    }

    /// Whether an entry has begun that the gap between two keys will complete, without the caller doing anything more.
    pub fn entry_begun(&self) -> bool {
        let State::Step(activation) = &self.state else {
            return false;
        };
        matches!(&activation.pending, Pending::Listen(listening) if listening.begun())
    }

    /// Whether the walk is over.
    pub fn ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    /// What is known of the contact.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The language that is spoken now: the chosen one, but the first of a running flow that does not speak that. So no flow has to
    /// do with a language that is none of its own, whoever led to it or comes back to it, and the choice is kept for the flows that know it.
    pub fn language(&self) -> &str {
        let plan = &self.frame().plan;
        // In journals of older programs every flow was given the chosen one.
        match self.format < LANGUAGE_OF_FLOW || plan.languages.contains(&self.chosen_language) {
            true => &self.chosen_language,
            false => first_language(plan),
        }
    }

    /// The priority it has now, 0 to 100.
    pub fn priority(&self) -> u32 {
        self.priority
    }

    /// About how many bytes of memory its variables take, those of all flows that it is to come back to counted.
    pub(crate) fn held_bytes(&self) -> usize {
        let values = self.frames.iter().flat_map(|frame| frame.vars.values());
        values.map(Value::held_bytes).sum()
    }

    /// At most how many bytes of memory its values take, but for what the allocator adds: those of all flows that it is to come back
    /// to, with what listening steps left for `repeat`.
    pub fn memory_bytes(&self) -> usize {
        let frames = self.frames.iter().map(Frame::memory_bytes);
        frames.sum()
    }

    /// A value of the flow `flow`, as long as the contact walks that flow or is to come back to it.
    pub fn value(&self, flow: &str, name: &str) -> Option<&Value> {
        let frame = self
            .frames
            .iter()
            .rev()
            .find(|frame| frame.plan.flow == flow)?;
        frame.vars.get(name)
    }

    /// What is known before the contact is connected: its language, and values of the first flow's inputs
    /// and variables. Afterwards it changes nothing.
    pub fn begin_with(&mut self, language: Option<String>, values: BTreeMap<String, Value>) {
        if matches!(self.state, State::New) {
            self.chosen_language =
                language.unwrap_or_else(|| std::mem::take(&mut self.chosen_language));
            let vars = &mut self.frame_mut().vars;
            values
                .into_iter()
                .for_each(|(name, value)| vars.set(name, value));
        }
    }

    /// The text that a secret's handle stands for, for the one place that puts it into a request.
    pub fn secret(&self, handle: &str) -> Option<&str> {
        self.secrets.get(handle)?.as_deref()
    }

    /// Whether it knows what was entered as a secret: in its memory alone.
    pub fn holds_secrets(&self) -> bool {
        self.secrets.values().any(Option::is_some)
            || self.written_ahead.iter().any(|ahead| ahead.hidden)
    }

    /// Forgets the texts of all secrets, whose handles stay, and what was written ahead and hidden. What stands for them in
    /// a contact that was made again from its journal is not what was entered.
    fn forget_secrets(&mut self, now: Millis, out: &mut Vec<Output>) {
        if self.holds_secrets() {
            self.secrets.values_mut().for_each(|text| *text = None);
            self.written_ahead.retain(|ahead| !ahead.hidden);
            self.write(now, EntryKind::SecretsLost, out);
        }
    }

    /// Takes an input at a time; what shall be done is added to `out`, in order.
    ///
    /// Times must not go back; an earlier one counts as given all the same. Inputs that come too late
    /// (for a play, step or effect that is over) or too early (before [`Input::Connected`]) change nothing.
    pub fn handle(&mut self, now: Millis, input: Input, out: &mut Vec<Output>) {
        let heard_before = matches!(self.state, State::New)
            && !matches!(
                input,
                Input::Connected | Input::HungUp | Input::Shutdown | Input::Fault(_)
            );
        if self.ended() || heard_before {
            return;
        }
        match input {
            Input::Connected => self.connected(now, out),
            Input::Key(key) if self.away.is_some() => self.answer_key(now, key, out),
            Input::PlayDone { play, error } if self.away.is_some() => {
                self.asked_back(now, play, error, out);
            }
            Input::Text(_) | Input::Message { .. } | Input::HungUp | Input::Vanished
                if self.away.is_some() => {}
            Input::Key(key) => self.key(now, key, out),
            Input::Text(text) => self.written(now, text, None, out),
            Input::Message { id, text } => self.written(now, text, Some(id), out),
            Input::PlayDone { play, error } => self.play_done(now, play, error, out),
            Input::HungUp => self.caller_gone(now, EntryKind::HungUp, out),
            Input::Vanished => self.caller_gone(now, EntryKind::Vanished, out),
            Input::Dropped { vanished } => self.dropped(now, vanished, out),
            Input::CalledBack {
                sip_call_id,
                question,
            } => self.called_back(now, sip_call_id, question, out),
            // It may leave no entry, and what is due must not come without one.
            Input::Rebuilt => return self.forget_secrets(now, out),
            Input::GivenUp => self.given_up(now, EntryKind::GivenUp, out),
            Input::Called {
                activation,
                interface,
                function,
                args,
            } => {
                self.called(now, activation, &interface, &function, args, out);
            }
            Input::StepEnded { activation, result } => {
                self.step_ended(now, activation, result, out)
            }
            Input::EffectDone { effect, result } => self.effect_done(now, effect, result, out),
            Input::Joined { effect } => self.joined(now, effect, out),
            Input::Tick => {
                if let Some(late) = self.timers.next().and_then(|at| now.checked_sub(at)) {
                    let late_ms = Some(late);
                    self.write(now, EntryKind::Tick { late_ms }, out);
                }
            }
            Input::Shutdown => {
                self.end(now, "shutdown", false, None, out);
                return;
            }
            Input::Fault(error) => {
                self.end(now, "error", false, Some(error), out);
                return;
            }
        }
        while !self.ended()
            && let Some(timer) = self.timers.expired(now)
        {
            self.expired(now, timer, out);
        }
    }

    fn connected(&mut self, now: Millis, out: &mut Vec<Output>) {
        if !matches!(self.state, State::New) {
            return;
        }
        let plan = self.frame().plan.clone();
        let started = EntryKind::Started {
            channel: self.facts.channel,
            from: self.facts.from.clone(),
            to: self.facts.to.clone(),
            flow: plan.flow.clone(),
            hash: plan.hash.clone(),
            format: self.format,
            id: self.facts.id.clone(),
            since: self.facts.started_at,
            content: self.program.content().to_owned(),
            configuration: self.program.configuration().to_owned(),
            audio: self.program.audio().to_owned(),
            seed: Some(
                self.facts
                    .seed
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect(),
            ),
            language: (first_language(&plan) != self.chosen_language)
                .then(|| self.chosen_language.clone()),
        };
        self.write(now, started, out);
        self.timers
            .set(Timer::Duration, now.saturating_add(plan.max_duration_ms));
        self.walk(now, Edge::Node(plan.start), out);
    }

    fn expired(&mut self, now: Millis, timer: Timer, out: &mut Vec<Output>) {
        match timer {
            Timer::Listen if self.away.is_some() => self.given_up(now, EntryKind::Declined, out),
            Timer::Listen => self.listen_timeout(now, out),
            Timer::Wait => match &self.state {
                State::Waiting(edge) => {
                    let edge = edge.clone();
                    self.walk(now, edge, out);
                }
                _ => self.slept(now, out),
            },
            Timer::Retry => {
                if let State::Retrying {
                    node,
                    retries,
                    first,
                } = self.state
                {
                    let edge = self.start_step(now, node, retries, Some(first), out);
                    self.go_on_unless_away(now, edge, out);
                }
            }
            Timer::Meanwhile => self.meanwhile(now, out),
            Timer::Duration if matches!(self.state, State::Parting(_)) => self.cut_off(now, out),
            Timer::Duration => {
                let edge = self.leave_too_long(now, out);
                self.go_on(now, edge, out);
            }
        }
    }

    /// The flow goes on without its caller, who hung up or vanished.
    pub(crate) fn caller_gone(&mut self, now: Millis, how: EntryKind, out: &mut Vec<Output>) {
        if self.hung_up {
            return;
        }
        // Nothing can be heard any more, and what was typed ahead will never be asked for.
        self.drop_ahead(now, out);
        self.written_ahead.clear();
        self.aside = Aside::default();
        self.timers.clear(Timer::Meanwhile);
        self.hung_up = true;
        self.vanished = how == EntryKind::Vanished;
        self.write(now, how, out);
        if self.vanished {
            // The line does not close by itself.
            out.push(Output::HangUp);
        }
        match &self.state {
            State::Step(_) => self.interrupt_for_hang_up(now, out),
            State::New => self.end(now, "abandoned", true, None, out),
            State::Parting(_) => self.leave(now, out),
            _ => {
                self.timers.clear(Timer::Wait);
                self.timers.clear(Timer::Retry);
                let edge = self.after_hang_up(now, out);
                self.go_on(now, edge, out);
            }
        }
    }

    /// Where the flow goes when the caller is gone; without such a place the contact is over.
    pub(crate) fn after_hang_up(&mut self, now: Millis, out: &mut Vec<Output>) -> Option<Edge> {
        let place = self.frames.iter().enumerate().rev();
        let place = place
            .filter_map(|(depth, frame)| Some((depth, frame.plan.global.hangup.clone()?)))
            .next();
        match place {
            Some((depth, edge)) if !self.handed_over => {
                self.frames.truncate(depth + 1);
                self.state = State::Waiting(Edge::End);
                self.mark_global(|| "hangup".to_owned());
                Some(edge)
            }
            _ => {
                let (reason, by_caller) = self.gone();
                self.end(now, reason, by_caller, None, out);
                None
            }
        }
    }

    /// The disposition of a contact that ends because the caller is gone, and whether the caller ended it.
    pub(crate) fn gone(&self) -> (&'static str, bool) {
        // A transferred contact's line closes by itself: nobody abandoned anything.
        match (self.handed_over, self.vanished) {
            (true, vanished) => ("transferred", !vanished),
            (false, true) => ("vanished", false),
            (false, false) => ("abandoned", true),
        }
    }

    /// Ends the contact, whatever it is doing.
    pub(crate) fn end(
        &mut self,
        now: Millis,
        reason: &str,
        by_caller: bool,
        error: Option<String>,
        out: &mut Vec<Output>,
    ) {
        self.cancel_step(out);
        self.drop_ahead(now, out);
        let ending = Ending {
            reason: reason.to_owned(),
            by_caller,
            error,
        };
        self.write(now, EntryKind::Ended(ending.clone()), out);
        self.state = State::Ended;
        let no_line = self.away() && !self.asks_to_go_on();
        self.away = None;
        if !self.hung_up && !no_line {
            out.push(Output::HangUp);
        }
        out.push(Output::Ended(ending));
    }

    /// Writes a journal entry.
    pub(crate) fn write(&mut self, now: Millis, kind: EntryKind, out: &mut Vec<Output>) {
        let seq = self.next_entry;
        self.next_entry += 1;
        out.push(Output::Journal(Entry { seq, at: now, kind }));
    }

    pub(crate) fn frame(&self) -> &Frame {
        self.frames
            .last()
            .expect("a contact always walks at least one flow")
    }

    pub(crate) fn frame_mut(&mut self) -> &mut Frame {
        self.frames
            .last_mut()
            .expect("a contact always walks at least one flow")
    }
}

/// The language a flow begins in.
fn first_language(plan: &Plan) -> &str {
    plan.languages.first().map_or("en", String::as_str)
}

impl Frame {
    pub fn new(
        plan: Arc<Plan>,
        mut vars: BTreeMap<String, Value>,
        called_by: Option<NodeId>,
    ) -> Frame {
        for (name, declaration) in plan.vars.iter().chain(&plan.inputs) {
            if let (None, Some(default)) = (vars.get(name), &declaration.default) {
                vars.insert(name.clone(), default.clone());
            }
        }
        Frame {
            plan,
            vars: Vars::new(vars),
            called_by,
            kept: None,
        }
    }

    /// What the last listening step left for `repeat`.
    pub fn kept(&self) -> Option<&SharedJson> {
        self.kept.as_ref().map(|kept| &kept.state)
    }

    /// Keeps what a listening step left, or nothing any more.
    pub fn keep(&mut self, state: Option<SharedJson>) {
        self.kept = state.map(|state| Kept {
            bytes: state.memory_bytes(),
            state,
        });
    }

    fn memory_bytes(&self) -> usize {
        self.vars.memory_bytes() + self.kept.as_ref().map_or(0, |kept| kept.bytes)
    }
}
