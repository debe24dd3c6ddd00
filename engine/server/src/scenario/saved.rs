//! From a contact's journal to a test of its flow: what the caller did, and the answers that came from outside.
//!
//! A step that asked the outside is mocked with how it ended; all others run for real. What the caller did comes at the
//! caller's turn, as in every test; but what was written in a chat while a mocked step worked is sent while the mock takes
//! its time. Digits of secrets are in no journal: others of the same length and last four stand for
//! them. Whether the test passes is seen by running it: where it does not, another one is made in which the caller takes
//! as long as then, since a flow may look at the clock.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};
use strowger_contact::{Channel, Ending, Entry, EntryKind, HIDDEN, recorded};
use strowger_flow::plan::{Action, Plan, StepCall};

use self::clock::Clock;
use self::timed::Timed;
use crate::replay::TIMEOUT;
use crate::runtime::plain;

mod clock;
mod escaped;
mod left;
mod placed;
mod timed;
mod written;

pub use placed::{Placed, has_case, with_case};

/// How long a mocked step takes during which the caller hung up: longer than anybody waits.
const NEVER: &str = "1h";
/// How long a mocked step takes at least that the caller left, in milliseconds.
const LEFT_MS: u64 = 1_000;
/// Mocked steps that took less are mocked without a time, and shorter pauses are left out, in milliseconds.
const NOTICED_MS: u64 = 1_000;
/// After it keys are pressed at that moment, and not at the caller's turn.
const AT_THAT_MOMENT: &str = "wait: 1ms";
/// Most acts of a test: a longer contact makes no test that anybody reads.
const MAX_ACTS: usize = 500;

/// A test made of a contact.
#[derive(Debug, Clone)]
pub struct Saved {
    /// The flow it belongs to.
    pub flow: String,
    /// The case, as it stands below `tests:`.
    pub case: String,
    /// What to know about it.
    pub notes: Vec<String>,
}

/// When the caller of a test does something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As soon as it is their turn.
    AtOnce,
    /// As long after their turn came as then.
    AsThen,
    /// As long after what they did before as then, whether or not that is their turn in the test.
    ByTheClock,
}

/// How a test is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Form {
    /// When the caller does something.
    pub pace: Pace,
    /// Where the caller left is told by what was being said; else by the step alone, since a time of day, say, is another one
    /// in the test.
    pub by_words: bool,
    /// Tags that tell a time are expected as they were; else they are left out, since the clock of no test shows that.
    pub by_times: bool,
}

impl Form {
    /// All, the one that reads best first.
    pub fn all() -> impl Iterator<Item = Form> {
        let paces = [Pace::AtOnce, Pace::AsThen, Pace::ByTheClock];
        [true, false].into_iter().flat_map(move |by_times| {
            let forms = paces.into_iter();
            forms.flat_map(move |pace| {
                [true, false].map(|by_words| Form {
                    pace,
                    by_words,
                    by_times,
                })
            })
        })
    }
}

/// Makes a test of a journal. `plan` gives the flow of a name as it is now, `callable` says whether a transfer can go there.
pub fn saved(
    name: &str,
    entries: &[Entry],
    form: Form,
    plan: impl Fn(&str) -> Option<Arc<Plan>>,
    callable: &dyn Fn(&str) -> bool,
) -> Result<Saved, String> {
    let begun = recorded::beginning(entries).map_err(|error| error.to_string())?;
    // What the engine ended goes on in a test.
    let cut_short = recorded::cut_short(entries);
    let entries = cut_short.map_or(entries, |(before, _)| before);
    let (keys, texts) = recorded::heard(entries);
    let mocked = outside(entries);
    let mut reading = Reading {
        first: begun.flow.clone(),
        writes: begun.facts.channel == Channel::Chat,
        plan: &plan,
        callable,
        keys,
        texts,
        takers: written::takers(entries, |plugin| mocked.contains(bare(plugin))),
        mocked,
        ahead: VecDeque::new(),
        pending: String::new(),
        pressed_at: 0,
        acts: Vec::new(),
        mocks: BTreeMap::new(),
        notes: BTreeSet::new(),
        running: None,
        asked: None,
        masked: false,
        place: (String::new(), String::new()),
        line: 0,
        tags: Map::new(),
        ends: None,
        rest: entries,
        form,
        clock: Clock::new(
            begun.facts.channel == Channel::Chat || form.pace == Pace::ByTheClock,
            entries.first().map_or(0, |entry| entry.at),
        ),
        late: None,
        answered: None,
        over: false,
        gone: false,
        resumes: entries.iter().any(|entry| entry.kind == EntryKind::Resumed),
        said: None,
        left: None,
        joined: None,
        left_joined: false,
    };
    while let Some((entry, rest)) = reading.rest.split_first().filter(|_| !reading.over) {
        reading.rest = rest;
        reading.note(entry);
    }
    reading.flush();
    if let Some((_, ending)) = cut_short {
        reading.no_test_ends_so(&ending.reason);
    }
    if !entries
        .iter()
        .any(|entry| matches!(entry.kind, EntryKind::Ended(_)))
    {
        // The contact goes on, or its caller may come back: what it is in is not over.
        reading.never_ends();
    }
    if reading.acts.len() > MAX_ACTS {
        return Err(format!(
            "the contact did {} things: a test has at most {MAX_ACTS}",
            reading.acts.len()
        ));
    }
    reading.leave_out_passing_tags(&begun.facts.id, entries);
    let facts = &begun.facts;
    let at = i64::try_from(facts.started_at).unwrap_or(i64::MAX);
    let now = jiff::Timestamp::from_millisecond(at).map_err(|error| error.to_string())?;
    let now = now.strftime("%Y-%m-%dT%H:%M:%S+00:00");
    let channel = match facts.channel {
        Channel::Voice => "voice",
        Channel::Chat => "chat",
    };
    let mut case = String::new();
    let text = |text: &str| json!(text).to_string();
    let _ = writeln!(case, "  {}:", text(name));
    let language = match &begun.language {
        Some(language) => format!("language: {}, ", text(language)),
        None => String::new(),
    };
    let _ = writeln!(
        case,
        "    given: {{ now: {now}, {language}channel: {channel}, call.from: {}, call.to: {} }}",
        text(&facts.from),
        text(&facts.to)
    );
    if !reading.mocks.is_empty() {
        let _ = writeln!(case, "    mock:");
        for (key, replies) in &reading.mocks {
            let _ = writeln!(case, "      {}:", text(key));
            for reply in replies {
                let _ = writeln!(case, "        - {reply}");
            }
        }
    }
    let _ = writeln!(case, "    run:");
    for act in &reading.acts {
        let _ = writeln!(case, "      - {act}");
    }
    let mut expected = Vec::new();
    if let Some(ends) = &reading.ends {
        expected.push(format!("ends: {}", text(ends)));
    }
    if !reading.tags.is_empty() {
        expected.push(format!("tag: {}", object(&reading.tags)));
    }
    match expected.is_empty() {
        true => {
            if reading.acts.is_empty() {
                let _ = writeln!(case, "      - wait: 1s");
            }
        }
        false => {
            let _ = writeln!(case, "      - expect: {{ {} }}", expected.join(", "));
        }
    }
    if !facts.from.is_empty() {
        let note = "the caller's number stands in the test, since the flow may decide by it: write another one";
        reading.notes.insert(note.to_owned());
    }
    Ok(Saved {
        flow: begun.flow,
        case: escaped::escaped(&case),
        notes: reading.notes.into_iter().collect(),
    })
}

/// Steps of which some run asked the outside, without their major version: all their runs are mocked, since a test
/// mocks a step as a whole.
fn outside(entries: &[Entry]) -> BTreeSet<String> {
    let mut plugins: BTreeMap<u32, &str> = BTreeMap::new();
    let mut mocked = BTreeSet::new();
    for entry in entries {
        match &entry.kind {
            EntryKind::Ran {
                activation, plugin, ..
            } => {
                plugins.insert(*activation, plugin);
            }
            EntryKind::Asked {
                activation,
                function,
                ..
            } => {
                let interface = function.split('.').next().unwrap_or(function);
                let asks = matches!(interface, "http" | "client" | "kv" | "store" | "route")
                    || function == "env.random";
                if let Some(plugin) = plugins.get(activation).filter(|_| asks)
                    && !plugin.starts_with("std/")
                {
                    mocked.insert(bare(plugin).to_owned());
                }
            }
            _ => {}
        }
    }
    mocked
}

/// The keys that the options of `media.listen` name.
fn keys_of(options: &Json) -> String {
    let choices = options["choices"].as_array().into_iter().flatten();
    let keys = choices.map(|choice| &choice["key"]);
    let keys = keys.chain([&options["digits"]["end-key"]]);
    keys.filter_map(Json::as_str).collect()
}

fn bare(step: &str) -> &str {
    step.split('@').next().unwrap_or(step)
}

struct Running {
    plugin: String,
    mocked: bool,
    since: u64,
    /// What was written while it works: when in its time the last act of the test is; none where nothing was.
    sent: Option<u64>,
    /// The caller is gone for good.
    left: bool,
}

struct Asked {
    function: String,
    name: String,
    since: u64,
    /// The number of its entry.
    seq: u32,
    /// It gives the caller time to answer, where it listens.
    waits: bool,
    /// Its prompt can be cut short.
    barge_in: bool,
    /// What was typed before it is dropped.
    drops_ahead: bool,
    /// Its prompt is being said.
    playing: bool,
    /// The words of that.
    words: String,
    /// How many acts there were before.
    acts: usize,
    /// When the caller's turn comes, by the test's clock, and how long they have then.
    turn: u64,
    patience: Option<u64>,
    /// The keys that choose something, and the one that ends an entry.
    obeys: String,
}

struct Reading<'a, P> {
    first: String,
    /// Keys of a chat are written.
    writes: bool,
    plan: &'a P,
    callable: &'a dyn Fn(&str) -> bool,
    keys: BTreeMap<u32, char>,
    texts: BTreeMap<u32, String>,
    mocked: BTreeSet<String>,
    /// Whether a mocked step took what was written, by the number of the text's entry; those that no step took are not here.
    takers: BTreeMap<u32, bool>,
    /// Keys that came and that no step took yet, by the number of their entry.
    ahead: VecDeque<u32>,
    pending: String,
    /// When the last key was taken.
    pressed_at: u64,
    acts: Vec<String>,
    mocks: BTreeMap<String, Vec<String>>,
    notes: BTreeSet<String>,
    running: Option<Running>,
    asked: Option<Asked>,
    /// The running step has asked for a secret.
    masked: bool,
    /// The flow and its named step.
    place: (String, String),
    /// The line of the action there.
    line: u32,
    tags: Map<String, Json>,
    ends: Option<String>,
    /// The entries that come.
    rest: &'a [Entry],
    form: Form,
    clock: Clock,
    /// The last deadline that was met too late: when it was noticed, and by how much.
    late: Option<(u64, u64)>,
    /// The running step has heard the caller: how many acts there were before.
    answered: Option<usize>,
    /// No test can play what comes.
    over: bool,
    /// The caller has hung up, or is heard no more.
    gone: bool,
    /// The caller went on after the line had dropped. Else a drop is played as a hang-up, which is the same to the flow.
    resumes: bool,
    /// What was said last, and how many acts there were.
    said: Option<(usize, String)>,
    /// When the line dropped, until the caller goes on.
    left: Option<u64>,
    /// When whoever the contact is transferred to was joined with the caller.
    joined: Option<u64>,
    /// The caller hung up on them: the transfer would have gone on.
    left_joined: bool,
}

impl<P: Fn(&str) -> Option<Arc<Plan>>> Reading<'_, P> {
    fn note(&mut self, entry: &Entry) {
        match &entry.kind {
            // What is pressed then answers whether to go on.
            EntryKind::Pressed { key } if self.left.is_some() && self.resumes && *key != HIDDEN => {
                self.acts.push(format!("press: {key}"));
                self.clock.acted(entry.at);
            }
            EntryKind::Key { .. } | EntryKind::Pressed { .. } if self.left.is_some() => {}
            EntryKind::CalledBack { .. } if self.resumes => {
                let away = self.left.map_or(0, |left| entry.at.saturating_sub(left));
                self.acts.push(format!("wait: {}ms", away.max(1)));
                self.acts.push("call_back".to_owned());
                self.clock.acted(entry.at);
            }
            EntryKind::Resumed => {
                self.left = None;
                self.clock.acted(entry.at);
                if let Some(asked) = &mut self.asked {
                    (asked.acts, asked.turn) = (self.acts.len(), 0);
                }
            }
            EntryKind::Declined => self.left_running(),
            EntryKind::GivenUp => {
                if self.resumes {
                    self.acts.push("hangup".to_owned());
                }
                self.left_running();
            }
            EntryKind::Tick { late_ms } => {
                self.late = late_ms.map(|late| (entry.at, late));
            }
            EntryKind::Entered {
                flow, step, line, ..
            } => {
                self.flush();
                let cut_off = self.cut_off(entry.at);
                self.place = (flow.clone(), step.clone());
                self.line = *line;
                if cut_off && *flow == self.first {
                    self.acts
                        .push(format!("expect: {{ step: {} }}", json!(step)));
                }
            }
            EntryKind::Ran { plugin, .. } => {
                self.flush();
                self.masked = false;
                self.answered = None;
                self.running = Some(Running {
                    plugin: plugin.clone(),
                    mocked: self.mocked.contains(bare(plugin)),
                    since: entry.at,
                    sent: None,
                    left: false,
                });
            }
            EntryKind::Key { .. } => self.ahead.push_back(entry.seq),
            EntryKind::Pressed { key } => self.pressed(entry.at, *key),
            EntryKind::Said { segments } => {
                let words = segments.iter().map(|segment| plain(&segment.words()));
                let words = words.collect::<Vec<_>>().join(" ");
                self.said = Some((self.acts.len(), words.clone()));
                if !self.in_mock() {
                    self.clock.said(entry.at, &words);
                }
                if let Some(asked) = &mut self.asked {
                    asked.playing = true;
                    asked.words = words;
                    asked.turn = self.clock.turn(entry.at);
                }
            }
            EntryKind::Played { .. } => {
                self.clock.played(entry.at);
                if let Some(asked) = &mut self.asked {
                    asked.playing = false;
                    asked.turn = self.clock.turn(entry.at);
                }
            }
            EntryKind::Wrote { text, .. } => self.wrote(entry, text),
            EntryKind::Heard { heard } if !self.in_mock() => {
                if heard == "nothing" && self.lasted_too_long() {
                    let note = "while the engine was stopped the contact came to its longest time, which no test can play: what \
                                came then is left out";
                    self.notes.insert(note.to_owned());
                    self.over = true;
                    return;
                }
                // Nothing came, or keys came and then a pause that made the entry complete.
                // A step that listens without waiting, so that its prompt can be cut short, hears nothing at once.
                let waits = self.asked.as_ref().is_none_or(|asked| asked.waits);
                let waited = match self.pending.is_empty() {
                    true => heard == "nothing" && waits,
                    false => entry.at > self.pressed_at,
                };
                self.cut_short();
                self.flush();
                if waited {
                    self.acts.push("silence".to_owned());
                    self.clock.acted(entry.at);
                }
            }
            // In a chat it was written, and that is an act.
            EntryKind::GlobalKey { key } => {
                if !self.writes && !self.in_mock() {
                    if self.pending.is_empty() {
                        self.pending.clone_from(key);
                        self.pressed_at = entry.at;
                    }
                    self.cut_short();
                    self.flush();
                }
                (self.running, self.asked) = (None, None);
            }
            EntryKind::Asked {
                function, request, ..
            } if !self.in_mock() => {
                self.flush();
                if function.starts_with("media.") {
                    self.answered = None;
                }
                let name = request.get(0).and_then(Json::as_str).unwrap_or_default();
                let options = request.get(1).or_else(|| request.get(0));
                let secret = options.and_then(|options| options.get("sensitive"));
                // Until its end nothing is seen of what a step hears that asked for a secret.
                let secret = secret.and_then(Json::as_bool) == Some(true);
                self.masked |= secret;
                let barge_in = options.and_then(|options| options.get("barge-in"));
                let barge_in = barge_in.and_then(Json::as_bool) != Some(false);
                let patience = options.and_then(|options| options.get("timeout-ms"));
                let patience = patience.and_then(Json::as_u64);
                (self.joined, self.left_joined) = (None, false);
                self.asked = Some(Asked {
                    function: function.clone(),
                    name: name.to_owned(),
                    since: entry.at,
                    seq: entry.seq,
                    barge_in,
                    drops_ahead: secret || !barge_in,
                    playing: false,
                    words: String::new(),
                    acts: self.acts.len(),
                    turn: self.clock.turn(entry.at),
                    patience,
                    obeys: options.map(keys_of).unwrap_or_default(),
                    waits: patience != Some(0),
                });
            }
            EntryKind::Call { result, .. } if !self.in_mock() => self.answered(entry.at, result),
            EntryKind::Joined => self.joined = Some(entry.at),
            EntryKind::HungUp | EntryKind::Vanished => {
                self.gone = true;
                self.hung_up(entry.at, "hangup");
            }
            EntryKind::Dropped { .. } => {
                let again = self.left.replace(entry.at).is_some();
                // A key that no step had taken is forgotten.
                self.ahead.clear();
                match (again, self.resumes) {
                    (false, false) => self.hung_up(entry.at, "hangup"),
                    (false, true) => self.hung_up(entry.at, "drop"),
                    // While they were asked whether to go on.
                    (true, true) => {
                        self.acts.push("drop".to_owned());
                        self.clock.acted(entry.at);
                    }
                    (true, false) => {}
                }
            }
            EntryKind::Outcome { outcome, data, .. } => {
                self.step_over(entry.at, outcome, Some(data));
            }
            EntryKind::Failed { code, .. } => match code.as_str() {
                // The caller had left; what it would have given is not known.
                "hangup" | "cancelled" => match self.in_mock() {
                    true => self.step_over(entry.at, "error", None),
                    false => (self.running, self.asked) = (None, None),
                },
                // As in a test, the step never ran, and no mock answers for it.
                "step-bad-input" | "step-input-limit" => self.refused(entry.at),
                TIMEOUT => self.step_over(entry.at, "timeout", None),
                _ => self.step_over(entry.at, "error", None),
            },
            EntryKind::Tagged {
                values: Json::Object(values),
            } => self.tags.extend(values.clone()),
            EntryKind::Ended(ending) => {
                self.flush();
                if ending.reason == "too-long" {
                    self.cut_off(entry.at);
                }
                if self.running.as_ref().is_some_and(|running| running.left) {
                    self.never_ends();
                }
                self.ended(ending);
            }
            _ => {}
        }
    }

    fn ended(&mut self, ending: &Ending) {
        match ending.reason.as_str() {
            reason @ ("shutdown" | "vanished") => self.no_test_ends_so(reason),
            reason => self.ends = Some(reason.to_owned()),
        }
    }

    fn no_test_ends_so(&mut self, reason: &str) {
        let note = format!(
            "the contact ended as `{reason}`, which no test can play: its end is not expected"
        );
        self.notes.insert(note);
    }

    /// The contact waits before what it does, where it did.
    fn pause(&mut self, at: u64) {
        let time = self.clock.at(at);
        self.pause_for(time);
        self.clock.acted(at);
    }

    fn pause_for(&mut self, time: u64) {
        if self.form.pace != Pace::AtOnce && time >= NOTICED_MS {
            self.acts.push(format!("wait: {time}ms"));
        }
    }

    /// A chat's contact wrote something.
    fn wrote(&mut self, entry: &Entry, text: &str) {
        self.flush();
        match self.takers.get(&entry.seq) {
            Some(false) => {}
            // What a mocked step heard is part of how it ended.
            Some(true) => return,
            None => {
                let note = "a message that no step took, as one that came too late, is left out";
                self.notes.insert(note.to_owned());
                return;
            }
        }
        if let Some(running) = self.running.as_mut().filter(|running| running.mocked) {
            let at = entry.at.saturating_sub(running.since);
            if running.sent.is_none() {
                let (flow, step) = &self.place;
                let used = json!(bare(&running.plugin));
                self.acts.push(match *flow == self.first {
                    true => format!("expect: {{ step: {}, used: {used} }}", json!(step)),
                    false => format!("expect: {{ used: {used} }}"),
                });
            }
            // Two messages of one millisecond come one after the other.
            let before = running.sent.unwrap_or_default();
            let wait = at.saturating_sub(before).max(1);
            running.sent = Some(before + wait);
            self.acts.push(format!("wait: {wait}ms"));
            self.clock.acted(entry.at);
        } else {
            self.pause(entry.at);
        }
        let text = self.texts.get(&entry.seq).map_or(text, String::as_str);
        if text.contains(HIDDEN) {
            let note = "a text that no step took is hidden, and stands as `•`";
            self.notes.insert(note.to_owned());
        }
        self.acts.push(format!("send: {}", json!(text)));
    }

    /// Leaves out tags that are others in every contact: what has its id in it, and moments, but for those that a mocked step
    /// gives. Of a call back that was booked these are `callback_id` and `callback_due`. In a test of such a form all that tell a
    /// time.
    fn leave_out_passing_tags(&mut self, id: &str, entries: &[Entry]) {
        let timed = match self.form.by_times {
            true => Timed::default(),
            false => {
                let flows = entries.iter().filter_map(|entry| match &entry.kind {
                    EntryKind::Entered { flow, .. } => Some(flow.as_str()),
                    _ => None,
                });
                let flows: BTreeSet<&str> = flows.collect();
                let plans: Vec<_> = flows.into_iter().filter_map(self.plan).collect();
                Timed::of(&plans)
            }
        };
        let mocked = |text: &str| {
            let mut replies = self.mocks.values().flatten();
            replies.any(|reply| reply.contains(text))
        };
        let passes = |text: &str| {
            let is_moment = text.parse::<jiff::Timestamp>().is_ok() && !mocked(text);
            is_moment || (!id.is_empty() && text.contains(id))
        };
        let is_passing = |value: &Json| value.as_str().is_some_and(passes);
        let tags = self.tags.iter();
        let passing: Vec<String> = tags
            .filter(|(name, value)| is_passing(value) || timed.contains(name))
            .map(|(name, _)| name.clone())
            .collect();
        if passing.is_empty() {
            return;
        }
        self.tags.retain(|name, _| !passing.contains(name));
        self.notes.insert(format!(
            "left out of the expected tags, since they are others in every contact: {}",
            passing.join(", ")
        ));
    }

    fn in_mock(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.mocked)
    }

    fn pressed(&mut self, at: u64, key: char) {
        self.pressed_at = at;
        let came = self.ahead.pop_front();
        if self.in_mock() {
            return;
        }
        let takes = |asked: &Asked| {
            matches!(
                asked.function.as_str(),
                "media.listen" | "media.capture" | "wait.wait-any"
            )
        };
        let note = "a key that no step asked for, as one that only cut a prompt short, is left out";
        let Some(asked) = self.asked.as_ref().filter(|asked| takes(asked)) else {
            self.notes.insert(note.to_owned());
            return;
        };
        // Hidden in a step that asked for a secret, a key may be part of that, or one that the step did not take: what was typed
        // before it listened, or while a prompt was said that cannot be cut short. Recordings take no hidden key.
        let early = asked.drops_ahead && came.is_some_and(|seq| seq < asked.seq);
        let deaf = asked.playing && !asked.barge_in;
        let key = match key {
            // Dropped: no step took it.
            HIDDEN if !self.masked => return,
            HIDDEN if early || deaf || asked.function != "media.listen" => {
                self.notes.insert(note.to_owned());
                return;
            }
            HIDDEN => {
                let note = "digits of a secret are made up: as many, and with the same last four";
                self.notes.insert(note.to_owned());
                let known = came.and_then(|seq| self.keys.get(&seq)).copied();
                known
                    .filter(|known| *known != HIDDEN)
                    .unwrap_or_else(|| self.obeyed_by_nothing(&asked.obeys))
            }
            key => key,
        };
        self.pending.push(key);
    }

    /// A digit that is neither a key of the step that listens nor one that works everywhere.
    fn obeyed_by_nothing(&self, obeys: &str) -> char {
        let plan = (self.plan)(&self.place.0);
        let everywhere = plan.iter().flat_map(|plan| plan.global.press.keys());
        let everywhere: String = everywhere.map(String::as_str).collect();
        let mut digits = recorded::ANY_DIGITS.into_iter();
        let free = digits.find(|digit| !obeys.contains(*digit) && !everywhere.contains(*digit));
        free.unwrap_or(recorded::ANY_DIGITS[0])
    }

    /// The keys so far were pressed into a prompt after which the step does not listen any more: it records, say. So they are
    /// pressed as soon as that prompt is being said, and not at the caller's turn.
    fn cut_short(&mut self) {
        let Some(asked) = self.asked.as_ref().filter(|asked| !asked.waits) else {
            return;
        };
        if self.writes || self.pending.is_empty() {
            return;
        }
        let (flow, step) = &self.place;
        // What was typed ahead answers before anything is said.
        match asked.words.as_str() {
            "" if *flow == self.first => self
                .acts
                .push(format!("expect: {{ step: {} }}", json!(step))),
            "" => {}
            words => self
                .acts
                .push(format!("expect: {{ hear: {} }}", json!(words))),
        }
        self.acts.push(AT_THAT_MOMENT.to_owned());
    }

    /// The keys so far are an act.
    fn flush(&mut self) {
        if !self.pending.is_empty() {
            let keys = std::mem::take(&mut self.pending);
            // Of several keys the last is the one that counts; but the first came in time.
            let time = self.clock.at(self.pressed_at);
            let listening = self.asked.as_ref();
            let listening = listening.filter(|asked| asked.waits && !asked.playing);
            let longest = listening.and_then(|asked| {
                let patience = asked.patience?.saturating_sub(1);
                Some(asked.turn.saturating_add(patience))
            });
            // Into a prompt: that moment is there.
            if self.acts.last().is_none_or(|act| act != AT_THAT_MOMENT) {
                self.pause_for(longest.map_or(time, |longest| time.min(longest)));
            }
            self.clock.acted(self.pressed_at);
            self.acts.push(format!("press: {}", json!(keys)));
        }
    }

    fn answered(&mut self, at: u64, result: &Json) {
        self.flush();
        let Some(asked) = self.asked.take() else {
            return;
        };
        let took = at.saturating_sub(asked.since);
        if asked.function == "media.listen" || asked.function == "media.capture" {
            self.answered = Some(asked.acts);
        }
        if asked.function.starts_with("media.") {
            self.clock.stopped(at);
        }
        if asked.function.starts_with("route.") && took < NOTICED_MS {
            self.clock.lost(at, took);
        }
        let after = match took >= NOTICED_MS {
            _ if self.left_joined => format!(", after: {NEVER}"),
            true => format!(", after: {took}ms"),
            false => String::new(),
        };
        let ok = result.get("ok");
        let (key, outcome) = match asked.function.as_str() {
            "route.enqueue" => (format!("queue.{}", asked.name), ok.and_then(Json::as_str)),
            // As in a test, it fails at once: no address, or a chat.
            "route.transfer" if self.writes || !(self.callable)(&asked.name) => return,
            "route.transfer" => {
                let outcome = ok.map(|ok| ok.get("refused").unwrap_or(ok));
                (
                    format!("transfer.{}", asked.name),
                    outcome.and_then(Json::as_str),
                )
            }
            "media.capture" => return self.recorded(at, asked.acts, result),
            _ => return,
        };
        match outcome {
            Some(outcome) => {
                let outcome = outcome.replace('-', "_");
                self.reply(key, format!("{{ outcome: {outcome}{after} }}"));
            }
            // The caller hung up: nobody took the call.
            None if result["err"] == "hangup" => self.nobody(key),
            None => {
                let note = format!("`{key}` was answered {result}, which a test cannot mock");
                self.notes.insert(note);
            }
        }
    }

    /// A queue or transfer in which the caller gave up: later in the list than answers that came, it takes for ever.
    fn nobody(&mut self, key: String) {
        if self.mocks.contains_key(&key) {
            self.reply(key, format!("{{ outcome: failed, after: {NEVER} }}"));
        }
    }

    fn step_over(&mut self, at: u64, outcome: &str, data: Option<&Json>) {
        self.flush();
        self.asked = None;
        self.answered = None;
        let Some(running) = self.running.take().filter(|running| running.mocked) else {
            return;
        };
        let mut reply = format!("{{ outcome: {outcome}");
        let took = at.saturating_sub(running.since);
        // What was written meanwhile came before its end.
        let took = running.sent.map_or(took, |sent| took.max(sent + 1));
        // A test that has come to it goes on at once: it must last until the caller is gone.
        let took = match running.left {
            true => took.max(LEFT_MS),
            false => took,
        };
        let call = self.call(&running.plugin);
        // While the engine was down, or waited for its store, no time went by for the step: it answered in time all the same.
        let most = call.as_ref().map_or(u64::MAX, |call| call.timeout_ms);
        let took = match outcome {
            "timeout" => took,
            _ => took.min(most.saturating_sub(1)),
        };
        if took >= NOTICED_MS || running.sent.is_some() {
            let _ = write!(reply, ", after: {took}ms");
        } else {
            self.clock.lost(at, took);
        }
        if let (Some(call), Some(Json::Object(data))) = (&call, data) {
            reply.push_str(&self.given(call, data));
        }
        reply.push_str(" }");
        self.reply(bare(&running.plugin).to_owned(), reply);
    }

    /// What a step gave, as a mock has it: by the variable that takes it, or by its fields where that is called as something of
    /// the mock's own.
    fn given(&mut self, call: &StepCall, data: &Map<String, Json>) -> String {
        let own = |name: &str| matches!(name, "outcome" | "after");
        let field = |(name, value)| format!(", {}: {}", json!(name), as_written(value));
        let (variable, value, fields) = match (&call.bind, &call.into) {
            (Some(_), _) if data.is_empty() => return String::new(),
            (Some(variable), _) => (variable, object(data), data.iter().collect()),
            (None, Some(into)) => match data.get_key_value(&into.field) {
                Some(taken) => (&into.variable, as_written(taken.1), vec![taken]),
                None => return String::new(),
            },
            (None, None) => return String::new(),
        };
        if !own(variable) {
            return format!(", {variable}: {value}");
        }
        let (lost, fields): (Vec<_>, Vec<(&String, &Json)>) =
            fields.into_iter().partition(|(name, _)| own(name));
        for (name, _) in lost {
            let note = format!(
                "`{name}` of `{variable}` is left out of the mock of {}, which has a key of that name itself: give the variable \
                 another name",
                call.step
            );
            self.notes.insert(note);
        }
        fields.into_iter().map(field).collect()
    }

    /// A step did not take what its flow gave it.
    fn refused(&mut self, at: u64) {
        self.flush();
        (self.asked, self.answered) = (None, None);
        if let Some(running) = self.running.take() {
            self.clock.lost(at, at.saturating_sub(running.since));
        }
    }

    /// How the flow as it is now runs this step where the contact is.
    fn call(&mut self, plugin: &str) -> Option<StepCall> {
        let (flow, step) = &self.place;
        let plan = (self.plan)(flow)?;
        let calls = plan.nodes.iter().filter_map(|node| match &node.action {
            Action::Step(call) if call.step == plugin => Some((node, call)),
            _ => None,
        });
        // The one of this line and this named step goes before others.
        let call = calls.min_by_key(|(node, _)| (node.step != *step, node.line != self.line));
        call.map(|(_, call)| StepCall::clone(call))
    }

    fn reply(&mut self, key: String, reply: String) {
        self.mocks.entry(key).or_default().push(reply);
    }
}

/// A value as flows write it: JSON, but that numbers have no exponent there.
fn as_written(value: &Json) -> String {
    match value {
        Json::Number(number) if number.is_f64() => number
            .as_f64()
            .map_or_else(|| number.to_string(), |number| number.to_string()),
        Json::Array(items) => {
            let items: Vec<String> = items.iter().map(as_written).collect();
            format!("[{}]", items.join(","))
        }
        Json::Object(fields) => object(fields),
        value => value.to_string(),
    }
}

fn object(fields: &Map<String, Json>) -> String {
    let fields = fields.iter();
    let fields: Vec<String> = fields
        .map(|(name, value)| format!("{}:{}", json!(name), as_written(value)))
        .collect();
    format!("{{{}}}", fields.join(","))
}
