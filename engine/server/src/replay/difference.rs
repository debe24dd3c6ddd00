//! The first place where a replay and its journal part.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;
use strowger_contact::{Entry, EntryKind};
use utoipa::ToSchema;

use super::compare::differing;
use crate::runtime::told;

/// Longest text of one side that is shown to people, in characters.
const MAX_SHOWN: usize = 400;
/// Longest name of an edge, in characters.
const MAX_EDGE: usize = 300;

/// What one side did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Side {
    /// In words.
    pub text: String,
    /// Its journal entry, when it wrote one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry: Option<EntryKind>,
}

impl Side {
    /// What an entry tells.
    pub(super) fn of(kind: &EntryKind) -> Side {
        let (who, what) = told(kind);
        // Another action where one was is told by its verb alone.
        let verb = match kind {
            EntryKind::Entered { verb, .. } => format!(" ({verb})"),
            _ => String::new(),
        };
        Side {
            text: format!("{who} {}{verb}", shown(&what)),
            entry: Some(kind.clone()),
        }
    }

    /// Something that left no entry.
    pub(super) fn words(text: impl Into<String>) -> Side {
        Side {
            text: text.into(),
            entry: None,
        }
    }
}

/// Why two walks part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The flow leads elsewhere, says something else or waits otherwise.
    Flow,
    /// The plugin that runs is another one.
    Plugin,
    /// The plugin's `config` in `strowger.toml` is another one.
    Configuration,
    /// The plugin is not granted what it asks for (`grants` or `limits.http.private` in `strowger.toml`), and was answered
    /// then.
    Grants,
    /// The step's processor time was over then and is not now, or the other way round: how far a plugin comes in it is the
    /// machine's too.
    Time,
    /// The plugin is the same, and so was all that it was told: it does not repeat itself.
    NotRepeated,
}

/// The first place where a replay and its journal part.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// The number of the journal entry.
    pub seq: u32,
    /// Milliseconds since the contact began.
    pub at_ms: u64,
    /// The flow that is walked now.
    pub flow: String,
    /// The named step.
    pub step: String,
    /// The verb.
    pub verb: String,
    /// The flow's file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// The line in it; 0 before the first action.
    pub line: u32,
    /// Why.
    pub cause: Cause,
    /// A request that the old contact never made: it was not sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new_request: Option<String>,
    /// What the journal holds.
    pub then: Side,
    /// What happens now.
    pub now: Side,
    /// The same for all contacts that part in the same way.
    pub edge: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.as_deref();
        let file = file.map_or_else(|| self.flow.clone(), |file| file.display().to_string());
        writeln!(
            f,
            "  {file}:{}  step `{}`, {}; {}.{} s into the contact",
            self.line,
            self.step,
            self.verb,
            self.at_ms / 1_000,
            self.at_ms / 100 % 10
        )?;
        writeln!(f, "  then: {}", self.then.text)?;
        write!(f, "  now:  {}", self.now.text)?;
        if let Some(request) = &self.new_request {
            write!(
                f,
                "\n  the old contact never made this {request} request: it was not sent"
            )?;
        }
        match self.cause {
            Cause::NotRepeated => write!(
                f,
                "\n  the plugin is the same, and so was all that it was told: it does not repeat itself"
            ),
            Cause::Time => write!(
                f,
                "\n  the step's processor time was over on one side alone (step-cpu-limit), which is a matter of the machine too"
            ),
            Cause::Plugin => write!(f, "\n  the plugin is another one than then"),
            Cause::Configuration => write!(
                f,
                "\n  the plugin's `config` in strowger.toml is another one than then"
            ),
            Cause::Grants => write!(
                f,
                "\n  the plugin is not granted this (`grants` or `limits.http.private` in strowger.toml): then it was answered"
            ),
            Cause::Flow => Ok(()),
        }
    }
}

/// What an entry is in place of another: where both amount to the same, what of it differs is named too.
pub(super) fn becomes(old: &Entry, new: &Entry) -> String {
    let now = gist(Some(new));
    match differing(&old.kind, &new.kind) {
        Some(names) if now == gist(Some(old)) => format!("{now} with another {names}"),
        _ => now,
    }
}

/// What an entry amounts to, without what differs from contact to contact.
pub(super) fn gist(entry: Option<&Entry>) -> String {
    let Some(entry) = entry else {
        return "nothing".to_owned();
    };
    match &entry.kind {
        EntryKind::Entered { step, verb, .. } => format!("step {step} ({verb})"),
        EntryKind::Said { .. } => "other words".to_owned(),
        EntryKind::Ran { plugin, .. } => format!("run {plugin}"),
        EntryKind::Asked { function, .. } => format!("ask {function}"),
        EntryKind::Call { function, .. } if function == "env.config" => "configuration".to_owned(),
        EntryKind::Call { function, .. } => format!("answer of {function}"),
        EntryKind::Outcome {
            plugin, outcome, ..
        } => format!("{plugin} {outcome}"),
        EntryKind::Failed { plugin, code, .. } => format!("{plugin} fails: {code}"),
        EntryKind::GlobalKey { key } => format!("global key {key}"),
        EntryKind::Set { .. } => "set".to_owned(),
        EntryKind::Tagged { .. } => "tag".to_owned(),
        EntryKind::Ended(ending) => format!("end {}", ending.reason),
        EntryKind::Heard { .. } => "heard".to_owned(),
        EntryKind::Tick { .. } => "deadline".to_owned(),
        EntryKind::Started { .. } => "start".to_owned(),
        EntryKind::Key { .. } | EntryKind::Pressed { .. } => "key".to_owned(),
        EntryKind::Wrote { .. } => "text".to_owned(),
        EntryKind::Offered { .. } => "other choices".to_owned(),
        EntryKind::Played { .. } | EntryKind::Unsaid { .. } => "prompt's end".to_owned(),
        EntryKind::Joined => "answer of a transfer".to_owned(),
        EntryKind::Dropped { .. } => "drop of the line".to_owned(),
        EntryKind::CalledBack { .. } => "another call".to_owned(),
        EntryKind::Resumed => "resumed".to_owned(),
        EntryKind::Declined => "begins anew".to_owned(),
        EntryKind::SecretsLost => "loss of secrets".to_owned(),
        EntryKind::GivenUp => "not back in time".to_owned(),
        EntryKind::HungUp | EntryKind::Vanished => "hang-up".to_owned(),
    }
}

/// An edge that a plugin's own words made long: groups are kept by it.
pub(super) fn short(edge: String) -> String {
    match edge.char_indices().nth(MAX_EDGE) {
        Some((end, _)) => format!("{}…", &edge[..end]),
        None => edge,
    }
}

fn shown(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
