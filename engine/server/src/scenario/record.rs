//! What happened to a contact in a test, and how a person reads it.

use std::collections::VecDeque;
use std::fmt::{self, Write as _};

use serde_json::Value as Json;
use strowger_contact::{HIDDEN, Millis};

/// Width of the transcript's left column, the caller's, in columns of a terminal.
const CALLER_WIDTH: usize = 26;
/// Most characters of one line in a transcript; what is longer is cut.
const MAX_SHOWN: usize = 400;

/// Something that happened.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub at: Millis,
    /// The flow and the line of its file that caused it; none for what the caller does.
    pub place: Option<(String, u32)>,
    pub what: What,
}

/// What it was.
#[derive(Debug, Clone)]
pub(super) enum What {
    /// The contact reached an action of this step.
    Step(String),
    /// Something was said: the words, and the names of the flow's prompts in it.
    Heard { words: String, prompts: Vec<String> },
    /// A step of a plugin began.
    Used { step: String, mocked: bool },
    /// A step of a plugin ended.
    Outcome(String),
    /// The contact was put into a queue.
    Queued(String),
    /// The contact was handed over.
    Transferred(String),
    /// Tags.
    Tagged(Json),
    /// The caller did something.
    Caller(String),
    /// The caller pressed keys, wrote or said words: what the journal shows of them.
    Entered(Entered),
    /// Anything else that the engine did.
    Engine(String),
}

/// What the caller gave, as far as it may be seen. Whether it is a secret is known when a step takes it: until the journal
/// tells it, each character is [`HIDDEN`].
#[derive(Debug, Clone)]
pub(super) struct Entered {
    how: &'static str,
    shown: Vec<char>,
    quoted: bool,
}

impl Entered {
    /// `how` is the act in words, such as `presses`; `given` stays out of the record.
    pub fn new(how: &'static str, given: &str, quoted: bool) -> Entered {
        Entered {
            how,
            shown: given.chars().map(|_| HIDDEN).collect(),
            quoted,
        }
    }
}

impl fmt::Display for Entered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: String = self.shown.iter().collect();
        match self.quoted {
            true => write!(f, "{} “{shown}”", self.how),
            false => write!(f, "{} {shown}", self.how),
        }
    }
}

/// Everything that happened, in order.
#[derive(Debug, Default)]
pub(super) struct Record {
    pub events: Vec<Event>,
    /// Where the last act of the caller stands: expectations look at what came after it.
    since: usize,
    /// Keys that the journal has not told of yet, in the order in which they were pressed: event, and character in it.
    untold: VecDeque<(usize, usize)>,
}

impl Record {
    pub fn note(&mut self, at: Millis, place: Option<(String, u32)>, what: What) {
        self.events.push(Event { at, place, what });
    }

    /// The caller acts: what happened so far is past.
    pub fn act(&mut self, at: Millis, what: String) {
        self.since = self.events.len();
        self.note(at, None, What::Caller(what));
    }

    /// The caller presses keys.
    pub fn press(&mut self, at: Millis, keys: &str) {
        let event = self.enter(at, Entered::new("presses", keys, false));
        let places = (0..keys.chars().count()).map(|place| (event, place));
        self.untold.extend(places);
    }

    /// The caller gives something; the event's number.
    pub fn enter(&mut self, at: Millis, entered: Entered) -> usize {
        self.since = self.events.len();
        self.note(at, None, What::Entered(entered));
        self.since
    }

    /// The journal tells of the next key: as it is, or hidden.
    pub fn told_key(&mut self, key: char) {
        let Some((event, place)) = self.untold.pop_front() else {
            return;
        };
        if let What::Entered(entered) = &mut self.events[event].what {
            entered.shown[place] = key;
        }
    }

    /// The journal tells of what was written, or the test of what was said.
    pub fn told_words(&mut self, words: &str) {
        let mut events = self.events.iter_mut().rev();
        let last = events.find_map(|event| match &mut event.what {
            What::Entered(entered) => Some(entered),
            _ => None,
        });
        if let Some(entered) = last {
            entered.shown = words.chars().collect();
        }
    }

    /// What happened since the last act.
    pub fn recent(&self) -> &[Event] {
        &self.events[self.since..]
    }

    /// What was heard since the last act.
    pub fn recently_heard(&self) -> impl Iterator<Item = (&str, &[String])> {
        heard(self.recent())
    }

    /// What was heard before the last act.
    pub fn heard_before(&self) -> impl Iterator<Item = (&str, &[String])> {
        heard(&self.events[..self.since])
    }

    /// The conversation in two columns, with the time since the beginning and the line of the flow for
    /// whatever the engine did. Lines of other flows than `flow` carry the flow's name.
    pub fn transcript(&self, flow: &str, started: Millis) -> String {
        let mut text = String::new();
        let _ = writeln!(
            text,
            "{:>8}  {:>5}  {:<CALLER_WIDTH$}  engine",
            "time", "line", "caller"
        );
        for event in &self.events {
            let at = event.at.saturating_sub(started);
            let (minutes, seconds, tenths) = (at / 60_000, at / 1_000 % 60, at / 100 % 10);
            let time = format!("{minutes}:{seconds:02}.{tenths}");
            let (line, other) = match &event.place {
                Some((name, line)) if name == flow => (line.to_string(), String::new()),
                Some((name, 0)) => (String::new(), format!("{name}  ")),
                Some((name, line)) => (line.to_string(), format!("{name}  ")),
                None => (String::new(), String::new()),
            };
            let (caller, engine) = match &event.what {
                What::Caller(what) => (what.clone(), String::new()),
                What::Entered(entered) => (entered.to_string(), String::new()),
                What::Step(step) => (String::new(), format!("{step}:")),
                What::Heard { words, prompts } if prompts.is_empty() => {
                    (String::new(), format!("“{words}”"))
                }
                What::Heard { words, prompts } => {
                    (String::new(), format!("“{words}” ({})", prompts.join(", ")))
                }
                What::Used { step, mocked } => {
                    let mocked = if *mocked { " (mocked)" } else { "" };
                    (String::new(), format!("runs {step}{mocked}"))
                }
                What::Outcome(what) | What::Engine(what) => (String::new(), what.clone()),
                What::Queued(queue) => (String::new(), format!("waits in queue {queue}")),
                What::Transferred(to) => (String::new(), format!("transfers to {to}")),
                What::Tagged(values) => (String::new(), format!("tags {values}")),
            };
            let caller = padded(&cut(&caller), CALLER_WIDTH);
            let row = format!("{time:>8}  {line:>5}  {caller}  {other}{}", cut(&engine));
            text.push_str(row.trim_end());
            text.push('\n');
        }
        text
    }
}

fn heard(events: &[Event]) -> impl Iterator<Item = (&str, &[String])> {
    events.iter().filter_map(|event| match &event.what {
        What::Heard { words, prompts } => Some((words.as_str(), prompts.as_slice())),
        _ => None,
    })
}

/// A text in one line, not too long.
pub(super) fn cut(text: &str) -> String {
    let one_line = text.replace(['\n', '\r'], " ");
    match one_line.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{} …", &one_line[..end]),
        None => one_line,
    }
}

/// Fills a text up with blanks; Chinese characters are two columns wide.
fn padded(text: &str, width: usize) -> String {
    let columns = unicode_width::UnicodeWidthStr::width(text);
    format!("{text}{}", " ".repeat(width.saturating_sub(columns)))
}
