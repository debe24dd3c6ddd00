//! The task of one contact: whatever happens goes into the core, whatever it asks for is done.

mod effects;
mod outputs;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value as Json, json};
use strowger_contact::call::CallError;
use strowger_contact::{
    Contact, Ending, Entry, EntryKind, Input, Millis, Output, SharedJson, StepFailure, StepResult,
    json_most, json_size,
};
use strowger_plugin::Holding;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio_util::sync::CancellationToken;

use self::effects::repeatable;
use super::engine::{A_WORD, Engine};
use super::guests::{GuestEvent, Guests};
use super::line::{Handover, Line, Nobody};
use crate::effects::{Refusal, StepUse};
use crate::records::Tally;
use crate::replay::{GRACE_MS, JOURNAL_LIMIT, Rebuilt, Standing};
use crate::store::Record;

/// Results of effects of one contact waiting to be handled: a contact has one effect at a time.
const EFFECTS: usize = 4;

/// What a step may ask or be answered though its contact's journal is full, so that the flow can say goodbye. Bytes of JSON.
const FEW_WORDS: usize = 16 << 10;
/// What such a contact may still write until it is ended. Bytes.
const LAST_WORDS: u64 = 1 << 20;
/// What a contact's values take before they are counted to the memory of its tenant: about as much as it takes itself. Nobody who keeps so
/// little is ended for what others keep. Bytes.
const FEW_VALUES: u64 = 16 << 10;

/// Everything that can happen to the task.
enum Event {
    Line(Input),
    Guest(GuestEvent),
    Effect {
        effect: u32,
        done: Done,
    },
    Deadline(Millis),
    /// A guest has waited long enough to lose its instance, and a contact that sleeps to be dropped whole.
    DropWaiting,
    Stop,
}

/// What comes of something that is done beside the contact.
enum Done {
    Result(Json),
    /// A hand-over waits for the disk for longer than anybody notices.
    Waits,
    /// What led to a hand-over is on the disk: it may be made; or it is not, and this is the answer.
    HandOver(Result<Handover, Json>),
}

/// How time passes for a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As on the wall.
    Real,
    /// A deadline is there as soon as nothing else is under way: a scripted walk takes no time.
    Virtual,
}

/// What became of a contact.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub ending: Ending,
    /// Its journal; only kept when asked for.
    pub entries: Vec<strowger_contact::Entry>,
}

/// For how long a caller whose line dropped may come back, and to which number.
#[derive(Debug, Clone)]
pub(crate) struct ComesBack {
    /// The route's number.
    pub binding: String,
    /// Milliseconds.
    pub window_ms: Millis,
}

/// What became of a call's line.
pub(crate) enum Left<L> {
    /// The contact is over, or goes on without it.
    Over,
    /// The line dropped, and the caller may come back until then, in milliseconds since 1970.
    Dropped(Millis),
    /// The caller came back and begins anew: the line is another contact's. What is left of this one goes on beside.
    Declined(L, Box<Driver<Nobody>>),
}

/// Why a walk stops.
enum Stop {
    Ended,
    /// Nothing happens, and nothing needs to be kept in memory.
    Asleep,
    /// As [`Left::Dropped`].
    Dropped,
    /// As [`Left::Declined`].
    Declined,
}

/// Drives one contact to its end.
pub struct Driver<L> {
    engine: Arc<Engine>,
    contact: Contact,
    line: L,
    guests: Guests,
    effects: mpsc::Sender<(u32, Done)>,
    effect_results: mpsc::Receiver<(u32, Done)>,
    /// What is under way beside the contact, by effect.
    under_way: HashMap<u32, AbortHandle>,
    /// What the running step has used of what is counted by the step.
    step_use: StepUse,
    /// The plugin of the running step: one of the tenant's own acts by what the operator grants.
    step_of: String,
    stop: CancellationToken,
    stopped: bool,
    pace: Pace,
    /// By how much the contact's clock is ahead: time that a virtual pace has skipped, or that the machine's clock went
    /// back.
    skipped: Millis,
    keep: Option<Vec<strowger_contact::Entry>>,
    /// The contact's record in the making, where records are kept.
    tally: Option<Tally>,
    /// Bytes of its journal, as far as it is kept.
    grown: u64,
    /// What its values hold of its tenant's memory.
    held: Holding,
    out: Vec<Output>,
    ending: Option<Ending>,
    /// The contact's end for the store, until its line is closed: only then is what it recorded as it stays.
    ended: Option<Record>,
    /// What was under way when it was dropped, where it was built again from its journal.
    standing: Option<Box<Standing>>,
    /// What happens first.
    first: Vec<Input>,
    /// Whether the caller may come back when the line drops.
    comes_back: Option<ComesBack>,
    /// Until when, once it has.
    until: Millis,
}

impl<L: Line> Driver<L> {
    /// `stop` ends the contact at once; `keep` collects the journal for the caller as well.
    pub fn new(
        engine: Arc<Engine>,
        contact: Contact,
        line: L,
        stop: CancellationToken,
        pace: Pace,
        keep: bool,
    ) -> Driver<L> {
        let (effects, effect_results) = mpsc::channel(EFFECTS);
        let guests = Guests::new(
            &engine.node.host,
            &engine.share,
            engine.drop_waiting_after(),
        );
        let tally = engine
            .node
            .writer
            .is_some()
            .then(|| Tally::new(engine.subject(&contact)));
        let held = engine.share.hold();
        Driver {
            engine,
            contact,
            line,
            guests,
            effects,
            effect_results,
            under_way: HashMap::new(),
            step_use: StepUse::default(),
            step_of: String::new(),
            stop,
            stopped: false,
            pace,
            skipped: 0,
            keep: keep.then(Vec::new),
            tally,
            grown: 0,
            held,
            out: Vec::new(),
            ending: None,
            ended: None,
            standing: None,
            first: vec![Input::Connected],
            comes_back: None,
            until: 0,
        }
    }

    /// The caller may go on later, when the line drops where that makes sense.
    pub(crate) fn coming_back(mut self, comes_back: ComesBack) -> Driver<L> {
        self.comes_back = Some(comes_back);
        self
    }

    /// What happens first to a contact that goes on as its journal leaves it.
    pub(crate) fn first(mut self, first: impl Into<Vec<Input>>) -> Driver<L> {
        self.first = first.into();
        self
    }

    /// Its line has dropped, and the caller may come back until then.
    pub(crate) fn was_dropped(mut self, until: Millis) -> Driver<L> {
        self.until = until;
        self
    }

    /// A contact that goes on as its journal leaves it.
    pub(crate) fn again(
        engine: Arc<Engine>,
        rebuilt: Rebuilt,
        entries: &[Entry],
        line: L,
        stop: CancellationToken,
        pace: Pace,
    ) -> Driver<L> {
        let Rebuilt { contact, standing } = rebuilt;
        let mut driver = Driver::new(engine, contact, line, stop, pace, false);
        if let Some(tally) = &mut driver.tally {
            entries.iter().for_each(|entry| tally.note(entry));
            let lines = entries.iter().map(|entry| json_size(entry) as u64 + 1);
            driver.grown = lines.sum();
        }
        Driver {
            standing: Some(Box::new(standing)),
            first: Vec::new(),
            ..driver
        }
    }

    /// Lets the contact's clock be ahead of the machine's by so many milliseconds: that of the machine went back.
    pub(crate) fn ahead(mut self, by: Millis) -> Driver<L> {
        self.skipped = by;
        self
    }

    /// Walks until the contact is over and its line is closed. For lines that do not sleep.
    pub async fn run(self) -> Finished {
        let finished = self.run_until_asleep().await;
        finished.expect("a call does not sleep")
    }

    /// Walks until the contact is over and its line is closed, or, where its line sleeps, there is nothing to do for it.
    pub async fn run_until_asleep(mut self) -> Option<Finished> {
        match self.walk().await {
            Stop::Ended => {}
            Stop::Asleep | Stop::Dropped | Stop::Declined => return None,
        }
        let ending = self.ending.take().expect("the walk ends with it");
        let entries = self.keep.take().unwrap_or_default();
        self.close().await;
        Some(Finished { ending, entries })
    }

    /// Walks a call until its line is closed, or wanted for another contact.
    pub(crate) async fn run_call(mut self) -> Left<L> {
        match self.walk().await {
            Stop::Declined => {
                let (line, rest) = self.without_line();
                Left::Declined(line, Box::new(rest))
            }
            Stop::Ended => {
                self.close().await;
                Left::Over
            }
            Stop::Asleep | Stop::Dropped => {
                let until = self.until;
                self.close().await;
                Left::Dropped(until)
            }
        }
    }

    /// Closes the line, and then writes down that the contact is over.
    async fn close(self) {
        self.line.close().await;
        if let Some(ended) = self.ended {
            self.engine.ended(ended).await;
        }
    }

    /// Takes the line away: the contact goes on without its caller.
    fn without_line(self) -> (L, Driver<Nobody>) {
        let rest = Driver {
            line: Nobody,
            engine: self.engine,
            contact: self.contact,
            guests: self.guests,
            effects: self.effects,
            effect_results: self.effect_results,
            under_way: self.under_way,
            step_use: self.step_use,
            step_of: self.step_of,
            stop: self.stop,
            stopped: self.stopped,
            pace: self.pace,
            skipped: self.skipped,
            keep: self.keep,
            tally: self.tally,
            grown: self.grown,
            held: self.held,
            out: self.out,
            ending: self.ending,
            ended: self.ended,
            standing: self.standing,
            first: self.first,
            comes_back: self.comes_back,
            until: self.until,
        };
        (self.line, rest)
    }

    /// Walks at the tenant's cost.
    async fn walk(&mut self) -> Stop {
        let share = self.engine.share.clone();
        share.charged(self.walk_on()).await
    }

    async fn walk_on(&mut self) -> Stop {
        if let Some(standing) = self.standing.take() {
            self.take_up(*standing).await;
        }
        for first in std::mem::take(&mut self.first) {
            self.handle(first).await;
        }
        loop {
            if self.ending.is_some() {
                return Stop::Ended;
            }
            if self.contact.rests() && self.comes_back.is_some() {
                return Stop::Dropped;
            }
            let event = self.event().await;
            // What comes from the contact counts as of when it came, however long it cannot be written down.
            let came = matches!(event, Event::Line(_)).then(|| self.now());
            let input = match event {
                Event::Line(input) => self.unless_dropped(input).await,
                Event::Guest(GuestEvent::Called {
                    activation,
                    interface,
                    function,
                    args,
                    answer,
                }) => {
                    let args = SharedJson::from(args);
                    match self.fits(&args) {
                        Ok(()) => {
                            self.guests
                                .awaits(activation, &interface, &function, answer);
                            Input::Called {
                                activation,
                                interface,
                                function,
                                args,
                            }
                        }
                        Err(refusal) => {
                            self.guests.cancel(activation);
                            self.engine.allowance.refuse(&refusal);
                            Input::StepEnded {
                                activation,
                                result: no_room(refusal),
                            }
                        }
                    }
                }
                Event::Guest(GuestEvent::Ended { activation, result }) => {
                    self.guests.ended(activation);
                    Input::StepEnded { activation, result }
                }
                Event::Effect { effect, done } => {
                    if matches!(done, Done::Waits) {
                        if self.under_way.contains_key(&effect) {
                            self.line.hand_over_waits();
                        }
                        continue;
                    }
                    let wanted = self.under_way.remove(&effect).is_some();
                    match done {
                        Done::Result(result) => {
                            let result = SharedJson::from(result);
                            let result = match self.fits(&result) {
                                Ok(()) => result,
                                Err(refusal) => self.engine.allowance.tell(refusal).into(),
                            };
                            Input::EffectDone { effect, result }
                        }
                        Done::HandOver(Ok(handover)) => {
                            if wanted {
                                self.line.transfer(effect, handover);
                            }
                            continue;
                        }
                        Done::HandOver(Err(result)) => {
                            self.line.cancel_transfer(effect);
                            Input::EffectDone {
                                effect,
                                result: result.into(),
                            }
                        }
                        Done::Waits => continue,
                    }
                }
                Event::Deadline(at) => {
                    if self.pace == Pace::Virtual {
                        let now = self.now();
                        self.skipped += at.saturating_sub(now);
                    }
                    Input::Tick
                }
                Event::DropWaiting => {
                    let dropped = self.guests.drop_waiting();
                    self.engine.node.count_dropped(dropped);
                    let deadline = self.contact.deadline();
                    let deadline = deadline.map(|at| at.saturating_sub(self.skipped));
                    if self.quiet() && self.line.sleep(deadline) {
                        return Stop::Asleep;
                    }
                    continue;
                }
                Event::Stop if self.line.sleeps() => return Stop::Asleep,
                // Its caller may come back to the next engine, which goes on as the journal leaves it.
                Event::Stop if self.contact.away() => {
                    if self.contact.asks_to_go_on() {
                        self.handle(Input::Dropped { vanished: true }).await;
                    }
                    return Stop::Dropped;
                }
                Event::Stop => {
                    self.stopped = true;
                    Input::Shutdown
                }
            };
            if !self.stood_still().await {
                return Stop::Asleep;
            }
            let at = came.unwrap_or_else(|| self.now());
            if !matches!(input, Input::Tick) && self.missed(at).await {
                return Stop::Ended;
            }
            let asked = self.contact.asks_to_go_on();
            self.handle_at(at, input).await;
            if asked && !self.contact.away() {
                self.answered().await;
                if self.contact.declined() {
                    return Stop::Declined;
                }
                self.engine.node.count_resumed();
            }
        }
    }

    /// Times that were over long before something else happens come first: a contact that stood still, or a machine that did, has missed
    /// them. Whether the contact is over then.
    async fn missed(&mut self, at: Millis) -> bool {
        let over = |deadline: Millis| deadline.saturating_add(GRACE_MS) < at;
        while self.contact.deadline().is_some_and(over) {
            self.handle_at(at, Input::Tick).await;
        }
        self.ending.is_some()
    }

    /// While the store is gone a contact stands still whose line sleeps: nobody is on the line, and all there is of it is its
    /// journal. False when the engine is stopped before the store is back.
    async fn stood_still(&mut self) -> bool {
        if !self.line.sleeps() || !self.engine.node.store_gone() {
            return true;
        }
        let _pause = self.guests.pauses().begin();
        tokio::select! {
            () = self.stop.cancelled() => false,
            () = self.line.stand_still() => true,
        }
    }

    /// What a line that is gone means: where the caller may come back, that is written down with it.
    async fn unless_dropped(&mut self, input: Input) -> Input {
        let vanished = match &input {
            Input::HungUp => false,
            Input::Vanished => true,
            _ => return input,
        };
        let Some(comes_back) = &self.comes_back else {
            return input;
        };
        let Some(writer) = &self.engine.node.writer else {
            return input;
        };
        if !self.contact.may_come_back() {
            return input;
        }
        // Whoever was asked and did not answer has no longer than at first.
        if !self.contact.asks_to_go_on() {
            self.until = self.now().saturating_add(comes_back.window_ms);
        }
        let record = Record::Dropped {
            id: self.contact.facts().id.clone(),
            binding: comes_back.binding.clone(),
            until: self.until,
        };
        writer.write(record).await;
        Input::Dropped { vanished }
    }

    /// The caller has said whether to go on: nobody can come back to this drop any more.
    async fn answered(&mut self) {
        if self.until == 0 {
            return;
        }
        self.until = 0;
        if let Some(writer) = &self.engine.node.writer {
            let id = self.contact.facts().id.clone();
            writer.write(Record::NotDropped { id }).await;
        }
    }

    /// Goes on where a process that is gone left off.
    async fn take_up(&mut self, standing: Standing) {
        self.handle(Input::Rebuilt).await;
        let spent = Duration::from_millis(standing.spent(self.now()));
        let mut effect = standing.effect;
        if let Some(step) = standing.step {
            let waits = step.waits();
            let Some(run) = self.step_run(step.activation, &step.step, step.input, step.timeout_ms)
            else {
                return;
            };
            let waits = waits.as_ref().map(|(i, f)| (i.as_str(), f.as_str()));
            let goes_on = self.guests.again(run, step.calls, waits, spent);
            // Nothing is asked for a step that is over.
            effect = effect.filter(|_| goes_on);
        }
        if let Some((effect, what)) = effect {
            match repeatable(&what, self.contact.facts().channel) {
                true => self.start(effect, what),
                // It may have been done, and is not done twice.
                false => {
                    let error = json!({ "err": CallError::Interrupted });
                    self.handle(Input::EffectDone {
                        effect,
                        result: error.into(),
                    })
                    .await;
                }
            }
        }
        // What was due meanwhile comes before what comes in now.
        let now = self.now();
        if self.contact.deadline().is_some_and(|at| at <= now) {
            self.handle(Input::Tick).await;
        }
    }

    /// Whether nothing is under way: only time, or somebody, can bring the contact on.
    fn quiet(&self) -> bool {
        // What was entered as a secret is in its memory alone.
        self.line.sleeps()
            && self.under_way.is_empty()
            && self.guests.asleep()
            && !self.contact.holds_secrets()
    }

    fn now(&self) -> Millis {
        self.engine.node.clock.now() + self.skipped
    }

    async fn event(&mut self) -> Event {
        let deadline = self.contact.deadline();
        let idle =
            self.pace == Pace::Virtual && !self.guests.computing() && self.under_way.is_empty();
        let clock = self.engine.node.clock;
        let pace = self.pace;
        let skipped = self.skipped;
        let time = async move {
            match (deadline, pace) {
                (Some(at), Pace::Real) => {
                    tokio::time::sleep_until(clock.instant(at.saturating_sub(skipped))).await
                }
                // Only what is under way can still come before it.
                (Some(at), Pace::Virtual) if idle || at <= clock.now() + skipped => {}
                _ => std::future::pending().await,
            }
            deadline.unwrap_or_default()
        };
        let drop_at = match self.guests.drop_at() {
            None if self.quiet() => {
                Some(tokio::time::Instant::now() + self.engine.drop_waiting_after())
            }
            at => at,
        };
        let waited = async move {
            match drop_at {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let wanted = self.guests.wanted();
        tokio::select! {
            // In this order: what has happened comes before time that has passed.
            biased;
            () = self.stop.cancelled(), if !self.stopped => Event::Stop,
            guest = self.guests.event() => Event::Guest(guest),
            Some((effect, done)) = self.effect_results.recv() => Event::Effect { effect, done },
            input = self.line.event() => Event::Line(input),
            at = time => Event::Deadline(at),
            () = waited => Event::DropWaiting,
            () = wanted => Event::DropWaiting,
        }
    }

    async fn handle(&mut self, input: Input) {
        self.handle_at(self.now(), input).await;
    }

    /// What has happened at this time.
    async fn handle_at(&mut self, at: Millis, input: Input) {
        let mut next = Some((at, input));
        while let Some((now, input)) = next {
            let mut out = std::mem::take(&mut self.out);
            self.contact.handle(now, input, &mut out);
            self.journal(&mut out).await;
            for output in out.drain(..) {
                self.perform(output).await;
            }
            self.out = out;
            let more = self.overgrown().or_else(|| self.overheld());
            next = more.map(|input| (self.now(), input));
        }
        self.line.handled();
    }

    /// Whether the journal has room for what a step asks or is answered; a few words always have.
    fn fits(&self, words: &Json) -> Result<(), Refusal> {
        // Nearly always it is known without a look at each letter.
        let most = json_most(words);
        if most <= A_WORD {
            // It goes in whatever its tenant takes of the store.
            return Ok(());
        }
        let crowded = self.engine.crowded(FEW_WORDS);
        let few = crowded.as_ref().map_or(FEW_WORDS, |(few, _)| *few);
        if most <= few {
            return Ok(());
        }
        let with = |bytes: usize| self.grown.saturating_add(bytes as u64);
        let allowance = &self.engine.allowance;
        if crowded.is_none() && allowance.may_write(with(most)).is_ok() {
            return Ok(());
        }
        match (json_size(words), crowded) {
            (bytes, _) if bytes <= few => Ok(()),
            (_, Some((_, refusal))) => Err(refusal),
            (bytes, None) => allowance.may_write(with(bytes)),
        }
    }

    /// The end of a contact whose journal has grown beyond its bound all the same, and beyond what last words take.
    fn overgrown(&self) -> Option<Input> {
        if self.contact.ended() {
            return None;
        }
        let allowance = &self.engine.allowance;
        let within = allowance.may_write(self.grown.saturating_sub(LAST_WORDS));
        let refusal = within.err()?;
        allowance.refuse(&refusal);
        Some(Input::Fault(refusal.words()))
    }

    /// The end of a contact whose values its tenant's memory has no room for.
    fn overheld(&mut self) -> Option<Input> {
        self.hold_values().err().map(Input::Fault)
    }

    /// Counts what its values hold now; why they may not, where its tenant's memory has no room for them.
    pub(crate) fn hold_values(&mut self) -> Result<(), String> {
        let bytes = match self.contact.ended() {
            true => 0,
            false => self.contact.memory_bytes() as u64,
        };
        let held = self.held.set(bytes.saturating_sub(FEW_VALUES));
        held.map_err(|full| {
            format!(
                "{}: this contact's values take {bytes} bytes: {full}",
                full.code()
            )
        })
    }

    /// Writes down what the input led to, all of it at once and before any of it is done: a journal ends where an input
    /// was dealt with, never in the middle.
    async fn journal(&mut self, out: &mut Vec<Output>) {
        let mut entries = Vec::new();
        for output in out.extract_if(.., |output| matches!(output, Output::Journal(_))) {
            if let Output::Journal(entry) = output {
                self.engine.observe(&self.contact, &entry);
                self.line.wrote(&entry);
                if let Some(tally) = &mut self.tally {
                    tally.note(&entry);
                }
                entries.push(entry);
            }
        }
        if let Some(keep) = &mut self.keep {
            keep.extend(entries.iter().cloned());
        }
        if let Some(writer) = self
            .engine
            .node
            .writer
            .as_ref()
            .filter(|_| !entries.is_empty())
        {
            let id = self.contact.facts().id.clone();
            let tenant = &self.engine.tenant;
            self.grown += writer.write_entries(tenant, id, entries).await as u64;
        }
    }
}

/// Longest time that an ended call may take to send its last packets.
pub(crate) const CLOSING: Duration = Duration::from_secs(5);

/// The end of a step that asked for more than its contact's journal has room for.
fn no_room(refusal: Refusal) -> StepResult {
    StepResult::failed(StepFailure {
        code: JOURNAL_LIMIT.to_owned(),
        message: refusal.words(),
        timeout: false,
        retryable: false,
        own: false,
    })
}

/// Something that went wrong.
pub(crate) struct Complaint<'a> {
    /// `plugin/step@major`, or the flow's own verb; none for a prompt.
    pub step: Option<&'a str>,
    pub code: &'a str,
    pub message: &'a str,
}

/// What went wrong, where an entry says so, for the log.
pub(crate) fn complaint(kind: &EntryKind) -> Option<Complaint<'_>> {
    match kind {
        // A caller who hangs up, or leaves by a global key, is no trouble.
        EntryKind::Failed { code, .. } if matches!(code.as_str(), "hangup" | "cancelled") => None,
        EntryKind::Failed {
            plugin,
            code,
            message,
            ..
        } => Some(Complaint {
            step: Some(plugin),
            code,
            message,
        }),
        EntryKind::Unsaid { error } => Some(Complaint {
            step: None,
            code: "prompt",
            message: error,
        }),
        _ => None,
    }
}
