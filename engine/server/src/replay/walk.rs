//! One contact, walked again in lockstep with its journal.

mod behind;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde_json::Value as Json;
use strowger_contact::{
    Contact, Ending, Entry, EntryKind, Input, Millis, Output, Program, SharedJson, StepFailure,
    StepResult,
    recorded::{self, Beginning},
};

use super::compare::{Renamed, configuration, other_retries, same};
use super::difference::{Cause, Difference, Side, becomes, gist, short};
use super::hurried::Hurried;
use super::replayed::{Replayed, Verdict};
use super::rerun::Rerun;
use super::source::Recording;
use super::stage::Stage;
use super::standing::{Rebuilt, Standing, acted};
use super::walked::hashes;
use crate::runtime::{Guest, StepRun, step_name};

/// How late a loaded engine may notice a deadline: what happened before was still in time. Milliseconds.
pub(crate) const GRACE_MS: Millis = 1_000;
/// The code of a step that took longer than its flow allows.
pub(crate) const TIMEOUT: &str = "step-timeout";

/// The code of a step that took more processor time than it may, which is the machine's as much as its plugin's.
const CPU_LIMIT: &str = "step-cpu-limit";

/// The code of a step that asked for more than there is room for in its journal, or in its contact's, which is the operator's
/// limit of then.
pub(crate) const JOURNAL_LIMIT: &str = "step-journal-limit";

/// Why a walk stops before the journal's end.
pub(super) enum Stop {
    Differs(Box<Difference>),
    Cannot(String),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stop::Differs(difference) => write!(
                f,
                "it does not walk as it did at entry {}: {}",
                difference.seq, difference.edge
            ),
            Stop::Cannot(why) => f.write_str(why),
        }
    }
}

/// Walks a contact again; nothing leaves the house.
pub async fn replay(stage: &Stage, recording: &Recording, rerun: Rerun) -> Replayed {
    let mut replayed = Replayed {
        contact: recording.name.clone(),
        verdict: Verdict::Same,
        entries: 0,
        unchanged: false,
        kind: recording.kind,
        notes: Vec::new(),
    };
    let mut entries = recording.entries.as_slice();
    if let Some(why) = &recording.hole {
        replayed.verdict = Verdict::NotReplayed { why: why.clone() };
        return replayed;
    }
    if recording.torn {
        let note = "the journal's last entry is broken off: the contact is replayed up to there";
        replayed.notes.push(note.to_owned());
    }
    let begun = match recorded::beginning(entries) {
        Ok(begun) => begun,
        Err(error) => {
            replayed.verdict = Verdict::NotReplayed {
                why: error.to_string(),
            };
            return replayed;
        }
    };
    replayed.unchanged = stage.is_of(&begun);
    if stage.has_other_audio(&begun) {
        let note = "audio files are not those of then: the contact would hear others, which a replay does not";
        replayed.notes.push(note.to_owned());
    }
    if let Some((before, ending)) = recorded::cut_short(entries) {
        let why = ending.error.as_deref().unwrap_or_default();
        let note = format!(
            "the engine ended the contact as `{}`, since it could not go on ({why}): it is replayed up to there",
            ending.reason
        );
        replayed.notes.push(note);
        entries = before;
    } else if !entries
        .iter()
        .any(|entry| matches!(entry.kind, EntryKind::Ended(_)))
    {
        let note =
            "the journal ends before the contact does: its engine was stopped, or it still lasts";
        replayed.notes.push(note.to_owned());
    }
    let Some(contact) = begun.contact(stage.program.clone()) else {
        replayed.verdict = Verdict::NotReplayed {
            why: format!(
                "the project has no flow `{}`: name another folder with --project or --on",
                begun.flow
            ),
        };
        return replayed;
    };
    let mut walk = Walk::new(Some(stage), rerun, entries, contact, begun);
    replayed.verdict = match walk.run().await {
        Ok(()) => Verdict::Same,
        Err(Stop::Differs(difference)) => Verdict::Differs(difference),
        Err(Stop::Cannot(why)) => Verdict::NotReplayed { why },
    };
    replayed.entries = walk.next;
    if walk.spent_then {
        let note = "a step was ended then because its processor time was over (step-cpu-limit): that is taken from the journal, for another machine \
                    may be faster";
        replayed.notes.push(note.to_owned());
    }
    replayed
}

/// Where the walk is now.
struct Place {
    flow: String,
    step: String,
    verb: String,
    line: u32,
}

/// Where the action stands that there is now in place of another one of the same named step; the walk is still before it.
fn instead(old: &EntryKind, new: &EntryKind) -> Option<Place> {
    match (old, new) {
        (
            EntryKind::Entered {
                flow: old_flow,
                step: old_step,
                ..
            },
            EntryKind::Entered {
                flow,
                step,
                verb,
                line,
            },
        ) if (old_flow, old_step) == (flow, step) => Some(Place {
            flow: flow.clone(),
            step: step.clone(),
            verb: verb.clone(),
            line: *line,
        }),
        _ => None,
    }
}

/// How the running step was started, then and now.
struct Ran {
    same_plugin: bool,
    same_input: bool,
    /// Where it does now as it did then: how what it was given is called now.
    as_then: Option<Renamed>,
}

/// The step that runs, and who says what it does.
enum Running {
    /// None runs, or the journal alone says what it does, as [`Standing`] notes.
    Nobody,
    /// Its component, on a fresh instance.
    Guest(Box<Guest>),
    /// Its component does not run: it does as it did.
    AsThen {
        activation: u32,
        /// How what it was given then is called now.
        renamed: Renamed,
    },
}

impl Running {
    fn is(&self, activation: u32) -> bool {
        match self {
            Running::Nobody => false,
            Running::Guest(guest) => guest.activation == activation,
            Running::AsThen { activation: of, .. } => *of == activation,
        }
    }
}

/// What is told where a time is over at `now`, which was `then`.
fn told_over(then: Millis, now: Millis) -> String {
    let by = then.abs_diff(now) as f64 / 1_000.0;
    let way = match now < then {
        true => "before",
        false => "after",
    };
    format!("its time is over {by:.1} s {way} that")
}

pub(super) struct Walk<'a> {
    /// Where guests run; without one, what they did is taken from the journal as well.
    stage: Option<&'a Stage>,
    rerun: Rerun,
    /// Flows, plugins and configuration are those of then.
    unchanged: bool,
    /// The texts of the flows that were walked then, as far as the journal says; nothing where it does not matter.
    hashes: BTreeMap<&'a str, Option<&'a str>>,
    /// The running step, where it has less time now.
    hurried: Option<Hurried>,
    old: &'a [Entry],
    begun: Millis,
    pub(super) contact: Contact,
    running: Running,
    /// The input that is being handled comes from the guest.
    by_guest: bool,
    ran: Option<Ran>,
    /// What is begun and not done, where no guest runs.
    standing: Standing,
    /// The effect whose result the running guest waits for.
    effect: Option<u32>,
    /// What it is answered instead of the journal's result, where its plugin is not granted it.
    refused: Option<Json>,
    /// The input that is being handled is such an answer.
    was_refused: bool,
    /// A step's processor time was over then, and so it is said to be now.
    spent_then: bool,
    /// The plugin of the running step.
    plugin: String,
    keys: BTreeMap<u32, char>,
    texts: BTreeMap<u32, String>,
    /// Entries that were the same so far.
    next: usize,
    place: Place,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        stage: Option<&'a Stage>,
        rerun: Rerun,
        old: &'a [Entry],
        contact: Contact,
        begun: Beginning,
    ) -> Walk<'a> {
        let (keys, texts) = recorded::heard(old);
        let unchanged = stage.is_some_and(|stage| stage.is_of(&begun));
        Walk {
            unchanged,
            hashes: match stage {
                Some(_) if !unchanged => hashes(old),
                _ => BTreeMap::new(),
            },
            hurried: None,
            stage,
            rerun,
            old,
            begun: begun.facts.started_at,
            contact,
            running: Running::Nobody,
            by_guest: false,
            ran: None,
            standing: Standing::default(),
            effect: None,
            refused: None,
            was_refused: false,
            spent_then: false,
            plugin: String::new(),
            keys,
            texts,
            next: 0,
            place: Place {
                flow: begun.flow,
                step: String::new(),
                verb: "the beginning".to_owned(),
                line: 0,
            },
        }
    }

    pub(super) async fn run(&mut self) -> Result<(), Stop> {
        let mut out = Vec::new();
        while let Some(due) = self.old.get(self.next) {
            if self.contact.ended() {
                return Err(self.differs(due, Side::words("nothing: the contact is over"), None));
            }
            // A contact that is built again to go on does as it did, however late that was.
            if let Some(stage) = self.stage
                && let Some(over) = self.over(stage, due)
            {
                return Err(self.differs(due, Side::words(over), None));
            }
            let input = self.input(due).await?;
            let before = self.next;
            if self.stage.is_none() {
                self.standing.takes(&input);
            }
            self.contact.handle(due.at, input, &mut out);
            let mut outputs = out.drain(..);
            while let Some(output) = outputs.next() {
                if let Err(stop) = self.perform(output) {
                    return Err(self.and_behind(stop, outputs.collect(), due.at).await);
                }
            }
            (self.by_guest, self.was_refused) = (false, false);
            if self.next == before {
                return Err(self.differs(due, Side::words("nothing: it goes on waiting"), None));
            }
        }
        Ok(())
    }

    /// That a time is over before or after what an entry tells of, and was not then.
    fn over(&self, stage: &Stage, due: &Entry) -> Option<String> {
        if let Some(pace) = &self.hurried
            && pace.is_over(due)
        {
            return Some(told_over(pace.spent(due.at), pace.most_ms()));
        }
        let now = self.contact.deadline()?;
        match due.kind {
            EntryKind::Tick {
                late_ms: Some(late),
            } => {
                let then = due.at.saturating_sub(late);
                // Later than the engine looked then it is no deadline at all.
                (now != then && now <= due.at).then(|| told_over(then, now))
            }
            // Older journals do not say how late an engine was, and after its stop its first word may be late: only then are
            // secrets lost.
            EntryKind::Tick { late_ms: None } | EntryKind::SecretsLost => None,
            _ => {
                let grace = match self.is_deadline_of_then(stage) {
                    true => GRACE_MS,
                    false => 0,
                };
                (now.saturating_add(grace) < due.at).then(|| told_over(due.at, now))
            }
        }
    }

    /// Whether the next deadline cannot be another one than then: it stands in the flow, which is the same to the last byte, or in
    /// what a step asked, which was found equal.
    fn is_deadline_of_then(&self, stage: &Stage) -> bool {
        let flow = &self.place.flow;
        let now = stage.program.flow(flow).map(|plan| plan.hash.as_str());
        let then = self.hashes.get(flow.as_str()).copied().flatten();
        self.unchanged || self.contact.awaits_answer() || (now.is_some() && then == now)
    }

    /// The input that an entry tells of: it is the first one that its input caused.
    async fn input(&mut self, due: &Entry) -> Result<Input, Stop> {
        // What is not granted is refused at once, whatever came next then.
        if let (Some(refused), Some(effect)) = (self.refused.take(), self.effect) {
            self.effect = None;
            self.was_refused = true;
            return Ok(Input::EffectDone {
                effect,
                result: refused.into(),
            });
        }
        Ok(match &due.kind {
            EntryKind::Started { .. } => Input::Connected,
            EntryKind::Key { key } => Input::Key(self.keys.get(&due.seq).copied().unwrap_or(*key)),
            EntryKind::Wrote { text, message, .. } => {
                let text = self.texts.remove(&due.seq).unwrap_or_else(|| text.clone());
                match message.clone() {
                    Some(id) => Input::Message { id, text },
                    None => Input::Text(text),
                }
            }
            EntryKind::Played { play, error } => Input::PlayDone {
                play: *play,
                error: error.clone(),
            },
            EntryKind::Tick { .. } => Input::Tick,
            EntryKind::HungUp => Input::HungUp,
            EntryKind::Vanished => Input::Vanished,
            EntryKind::Dropped { vanished } => Input::Dropped {
                vanished: *vanished,
            },
            EntryKind::CalledBack {
                sip_call_id,
                question,
            } => Input::CalledBack {
                sip_call_id: sip_call_id.clone(),
                question: question.clone(),
            },
            EntryKind::GivenUp => Input::GivenUp,
            EntryKind::SecretsLost => Input::Rebuilt,
            EntryKind::Joined => match self.under_way() {
                Some(effect) => Input::Joined { effect },
                None => {
                    return Err(self.differs(
                        due,
                        Side::words("nothing: no transfer is under way"),
                        None,
                    ));
                }
            },
            EntryKind::Ended(ending) if ending.reason == "shutdown" => Input::Shutdown,
            // What else ends by an error tells of something before that.
            EntryKind::Ended(ending) if let Some(fault) = fault_of(ending) => fault,
            // Keys typed ahead are dropped before a hang-up or a shutdown is told.
            EntryKind::Pressed { .. } => {
                let rest = self.old[self.next..].iter().map(|entry| &entry.kind);
                let mut rest = rest.filter(|kind| !matches!(kind, EntryKind::Pressed { .. }));
                match rest.next() {
                    Some(EntryKind::Ended(ending)) => fault_of(ending).unwrap_or(Input::Shutdown),
                    Some(EntryKind::Vanished) => Input::Vanished,
                    _ => Input::HungUp,
                }
            }
            EntryKind::Call { result, .. } => self.effect_done(due, result)?,
            EntryKind::Asked { .. } | EntryKind::Outcome { .. } | EntryKind::Failed { .. } => {
                self.guest_acts(due).await?
            }
            _ => return Err(self.differs(due, Side::words("nothing more: it waits"), None)),
        })
    }

    /// The journal's answer stands for the effect.
    fn effect_done(&mut self, due: &Entry, result: &SharedJson) -> Result<Input, Stop> {
        if let Some(bytes) = result.get("cut") {
            return Err(Stop::Cannot(format!(
                "the journal kept none of an answer of {bytes} bytes: it is too long to replay"
            )));
        }
        let under_way = self.under_way();
        (self.effect, self.standing.effect) = (None, None);
        match under_way {
            Some(effect) => Ok(Input::EffectDone {
                effect,
                result: result.clone(),
            }),
            None => Err(self.differs(due, Side::words("nothing: no request is under way"), None)),
        }
    }

    /// The effect whose result the running step waits for.
    fn under_way(&self) -> Option<u32> {
        match self.stage {
            Some(_) => self.effect,
            None => self.standing.effect.as_ref().map(|(effect, _)| *effect),
        }
    }

    /// The guest's turn: it asks, or it ends.
    async fn guest_acts(&mut self, due: &Entry) -> Result<Input, Stop> {
        if self.stage.is_none() {
            let acted = self.standing.acted(&due.kind).map_err(Stop::Cannot)?;
            return acted
                .ok_or_else(|| self.differs(due, Side::words("nothing: no step runs"), None));
        }
        let as_then = self
            .ran
            .as_ref()
            .is_some_and(|ran| ran.same_plugin && ran.same_input);
        let guest = match &mut self.running {
            Running::Guest(guest) => guest,
            Running::Nobody => {
                return Err(self.differs(due, Side::words("nothing: no step runs"), None));
            }
            Running::AsThen {
                activation,
                renamed,
            } => {
                let acted = acted(*activation, renamed, &due.kind).map_err(Stop::Cannot)?;
                let acted = acted.expect("it is the guest's turn by an entry of a guest's act");
                if matches!(acted, Input::StepEnded { .. }) {
                    self.running = Running::Nobody;
                }
                return Ok(acted);
            }
        };
        let activation = guest.activation;
        if let EntryKind::Failed {
            code,
            message,
            retries_left,
            returned_retryable,
            ..
        } = &due.kind
            // The engine ended the step while it waited for an answer, and so it does now. Where its time was over, the
            // answer may have come in the same moment: the guest had it no more. How far a guest comes in its processor time
            // is the machine's, and with a journal's room the limits of then: the same one with the same input is not asked. A failure that the plugin returned is its own,
            // whatever it calls it.
            && returned_retryable.is_none()
            && (guest.waits
                || code == TIMEOUT
                || (as_then && matches!(code.as_str(), CPU_LIMIT | JOURNAL_LIMIT)))
        {
            self.spent_then |= code == CPU_LIMIT;
            self.running = Running::Nobody;
            return Ok(failed(
                activation,
                code,
                message,
                *retries_left,
                *returned_retryable,
            ));
        }
        if guest.waits {
            return Err(self.differs(
                due,
                Side::words("nothing: the step waits for an answer"),
                None,
            ));
        }
        self.by_guest = true;
        let input = guest.turn().await;
        if matches!(input, Input::StepEnded { .. }) {
            self.running = Running::Nobody;
        }
        Ok(input)
    }

    fn perform(&mut self, output: Output) -> Result<(), Stop> {
        if self.stage.is_none() {
            self.standing.gives(&output);
        }
        match output {
            Output::Journal(entry) => self.hold(entry)?,
            Output::Run {
                activation,
                step,
                input,
                timeout_ms,
            } => {
                (self.effect, self.refused) = (None, None);
                let Some(stage) = self.stage else {
                    return Ok(());
                };
                self.plugin = plugin_of(&step).to_owned();
                let as_then = self.ran.as_mut().and_then(|ran| ran.as_then.take());
                if let Some(renamed) = as_then {
                    self.running = Running::AsThen {
                        activation,
                        renamed,
                    };
                    return Ok(());
                }
                let Some(plugin) = stage.steps.plugins.get(&step).cloned() else {
                    let why = format!("no plugin of the project offers {step}");
                    return Err(Stop::Cannot(why));
                };
                let limits = stage.limits(timeout_ms);
                let name = step_name(&step).to_owned();
                let step = StepRun {
                    plugin,
                    activation,
                    step: name,
                    input: input.to_string(),
                    limits,
                };
                self.running = Running::Guest(Box::new(Guest::start(step, false)));
            }
            Output::Cancel { activation } => {
                if self.running.is(activation) {
                    self.running = Running::Nobody;
                    self.effect = None;
                }
            }
            Output::Reply { activation, value } => {
                if let Running::Guest(guest) = &mut self.running
                    && guest.activation == activation
                {
                    guest.answer(value.into_json());
                }
            }
            Output::Perform { effect, what } => {
                self.effect = Some(effect);
                let refused = |stage: &Stage| stage.granted.refused(&self.plugin, &what);
                let refused = self.stage.and_then(refused);
                self.refused = refused.filter(|refused| self.answered_then() != Some(refused));
            }
            Output::CancelEffect { .. } => (self.effect, self.refused) = (None, None),
            Output::Play { .. }
            | Output::StopPlaying
            | Output::StopRecording { .. }
            | Output::Mask(_)
            | Output::Log { .. }
            | Output::HangUp
            | Output::Ended(_) => {}
        }
        Ok(())
    }

    /// Holds a new entry against the old one.
    fn hold(&mut self, new: Entry) -> Result<(), Stop> {
        if self.stage.is_none() {
            self.standing.passes(&new);
        }
        let Some(old) = self.old.get(self.next) else {
            // The old engine was stopped in the middle of this.
            return Ok(());
        };
        if !same(&old.kind, &new.kind) {
            return Err(self.differs(old, Side::of(&new.kind), Some(&new)));
        }
        if let (
            EntryKind::Ran {
                activation,
                digest: then,
                input: given_then,
                timeout_ms: time_then,
                ..
            },
            EntryKind::Ran {
                digest: now,
                input: given_now,
                timeout_ms: time_now,
                ..
            },
        ) = (&old.kind, &new.kind)
        {
            self.hurried = match (time_then, time_now) {
                (Some(then), Some(now)) if now < then => Some(Hurried::since(old.at, *now)),
                _ => None,
            };
            let same_plugin = then == now;
            let needless = self.rerun == Rerun::Changed
                && same_plugin
                && self.stage.is_some()
                && self.ended_by_itself(*activation);
            self.ran = Some(Ran {
                same_plugin,
                same_input: given_then == given_now,
                as_then: needless
                    .then(|| Renamed::between(given_then, given_now))
                    .flatten(),
            });
        }
        if let EntryKind::Entered {
            flow,
            step,
            line,
            verb,
        } = new.kind
        {
            self.place = Place {
                flow,
                step,
                verb,
                line,
            };
        }
        match &old.kind {
            EntryKind::Outcome { .. } | EntryKind::Failed { .. } => self.hurried = None,
            _ => {
                if let Some(hurried) = &mut self.hurried {
                    hurried.goes_on(old);
                }
            }
        }
        self.next += 1;
        // What follows is the flow's doing, not the guest's.
        self.by_guest = false;
        Ok(())
    }

    /// What the host call was answered then that was asked last.
    fn answered_then(&self) -> Option<&Json> {
        let EntryKind::Asked {
            activation, call, ..
        } = &self.old.get(self.next.checked_sub(1)?)?.kind
        else {
            return None;
        };
        self.old[self.next..]
            .iter()
            .find_map(|entry| match &entry.kind {
                EntryKind::Call {
                    activation: of,
                    call: number,
                    result,
                    ..
                } if (of, number) == (activation, call) => Some(&**result),
                _ => None,
            })
    }

    /// Whether the step that starts at the entry where the walk is came to an end of its own, an outcome or a failure. One that
    /// was ended by the engine or lasts beyond the journal shows only by running what it would do.
    fn ended_by_itself(&self, activation: u32) -> bool {
        let rest = self.old[self.next + 1..].iter().map(|entry| &entry.kind);
        let mut calls = 0;
        for kind in rest {
            match kind {
                EntryKind::Asked { activation: of, .. } if *of == activation => calls += 1,
                EntryKind::Outcome { host_calls, .. }
                | EntryKind::Failed {
                    returned_retryable: Some(_),
                    host_calls,
                    ..
                } => return *host_calls == calls,
                EntryKind::Failed { .. } | EntryKind::Ran { .. } | EntryKind::Ended(_) => {
                    return false;
                }
                _ => {}
            }
        }
        false
    }

    fn differs(&self, old: &Entry, now: Side, new: Option<&Entry>) -> Stop {
        let instead = new.and_then(|new| instead(&old.kind, &new.kind));
        let place = instead.as_ref().unwrap_or(&self.place);
        let cause = match &self.ran {
            _ if self.was_refused => Cause::Grants,
            _ if new.is_some_and(|new| configuration(&old.kind, &new.kind)) => Cause::Configuration,
            // The step failed as it did; how often it is tried is the flow's to say.
            _ if new.is_some_and(|new| other_retries(&old.kind, &new.kind)) => Cause::Flow,
            // That it comes further than it came, by whichever version, may be the machine's doing; that it does not come as far
            // is another version's own.
            Some(_) if self.by_guest && is_spent(&old.kind) => Cause::Time,
            Some(ran) if self.by_guest && !ran.same_plugin => Cause::Plugin,
            Some(_) if self.by_guest && new.is_some_and(|new| is_spent(&new.kind)) => Cause::Time,
            Some(ran) if self.by_guest && ran.same_input => Cause::NotRepeated,
            _ => Cause::Flow,
        };
        let new_request = new.and_then(|new| match &new.kind {
            EntryKind::Asked { function, .. } if leaves_the_house(function) => {
                Some(function.clone())
            }
            _ => None,
        });
        let becomes = match new {
            Some(new) => becomes(old, new),
            None => now.text.clone(),
        };
        // The time before a deadline differs from contact to contact.
        let becomes = match becomes.starts_with("its time is over") {
            true => "time is over".to_owned(),
            false => becomes,
        };
        Stop::Differs(Box::new(Difference {
            seq: old.seq,
            at_ms: old.at.saturating_sub(self.begun),
            flow: place.flow.clone(),
            step: place.step.clone(),
            verb: place.verb.clone(),
            file: self
                .stage
                .and_then(|stage| stage.file(&place.flow))
                .map(ToOwned::to_owned),
            line: place.line,
            cause,
            new_request,
            then: Side::of(&old.kind),
            now,
            edge: short(format!(
                "{}/{}: {} -> {becomes}",
                place.flow,
                place.step,
                gist(Some(old))
            )),
        }))
    }
}

/// What ended a contact at once, where that was an error of the engine's.
fn fault_of(ending: &Ending) -> Option<Input> {
    let error = ending.error.as_ref()?;
    (ending.reason == "error").then(|| Input::Fault(error.clone()))
}

/// Whether a step was ended because its processor time was over.
fn is_spent(kind: &EntryKind) -> bool {
    matches!(kind, EntryKind::Failed { code, returned_retryable: None, .. } if code == CPU_LIMIT)
}

/// The end of a step that failed, as the journal has it. `returned_retryable` is what the plugin said of its own failure.
pub(super) fn failed(
    activation: u32,
    code: &str,
    message: &str,
    retries_left: u32,
    returned_retryable: Option<bool>,
) -> Input {
    let own = returned_retryable.is_some();
    let failure = StepFailure {
        code: code.to_owned(),
        message: message.to_owned(),
        timeout: code == TIMEOUT && !own,
        retryable: returned_retryable.unwrap_or(retries_left > 0),
        own,
    };
    Input::StepEnded {
        activation,
        result: StepResult::failed(failure),
    }
}

/// Builds a contact again as its journal leaves it, and what was under way then. It walks as it walked: whatever differs,
/// as when a flow was changed meanwhile, is an error that says what. Nothing leaves the house, and no guest runs.
pub(crate) async fn rebuild(program: Arc<Program>, entries: &[Entry]) -> Result<Rebuilt, String> {
    let begun = recorded::beginning(entries).map_err(|error| error.to_string())?;
    if begun.content != program.content() {
        return Err(
            "the project's flows, plugins or audio files were changed meanwhile".to_owned(),
        );
    }
    let contact = begun
        .contact(program)
        .ok_or_else(|| format!("the project has no flow `{}` any more", begun.flow))?;
    let mut walk = Walk::new(None, Rerun::Changed, entries, contact, begun);
    match walk.run().await {
        Ok(()) => {}
        Err(stop) => return Err(stop.to_string()),
    }
    if walk.contact.ended() {
        return Err("it is over".to_owned());
    }
    Ok(Rebuilt {
        contact: walk.contact,
        standing: walk.standing,
    })
}

/// The plugin of `plugin/step@major`.
fn plugin_of(step: &str) -> &str {
    step.split_once('/').map_or(step, |(plugin, _)| plugin)
}

/// Whether a host call does something in the world rather than with the contact.
fn leaves_the_house(function: &str) -> bool {
    let interface = function.split('.').next().unwrap_or(function);
    matches!(interface, "http" | "client" | "kv" | "store" | "route")
}
