//! The time of a step, as its journal tells it: of one that has less now than when its contact was there, and of one that
//! goes on in another process.

use strowger_contact::{Entry, EntryKind, Millis};
use strowger_plugin::{Class, class};

use super::walk::TIMEOUT;

/// What a step took of its time: all but the calls that wait.
#[derive(Debug, Default)]
pub(super) struct Spent {
    busy_ms: u64,
    /// Since when it works, while no such call is under way.
    since: Option<Millis>,
}

impl Spent {
    /// Of a step that begins.
    pub(super) fn since(begins: Millis) -> Spent {
        Spent {
            busy_ms: 0,
            since: Some(begins),
        }
    }

    /// What it had taken at a time.
    pub(super) fn at(&self, at: Millis) -> u64 {
        let working = self.since.map_or(0, |since| at.saturating_sub(since));
        self.busy_ms.saturating_add(working)
    }

    /// What an entry tells has happened.
    pub(super) fn goes_on(&mut self, entry: &Entry) {
        match &entry.kind {
            EntryKind::Asked { function, .. } => {
                let (interface, name) = function.split_once('.').unwrap_or((function, ""));
                if class(interface, name) == Class::Wait {
                    self.busy_ms = self.at(entry.at);
                    self.since = None;
                }
            }
            EntryKind::Call { .. } => {
                self.since.get_or_insert(entry.at);
            }
            _ => {}
        }
    }
}

/// A step that has less time now than it had then.
pub(super) struct Hurried {
    most_ms: u64,
    /// What it took then.
    spent: Spent,
}

impl Hurried {
    /// A step that begins, with this much time now, in milliseconds.
    pub(super) fn since(begins: Millis, most_ms: u64) -> Hurried {
        Hurried {
            most_ms,
            spent: Spent::since(begins),
        }
    }

    pub(super) fn most_ms(&self) -> u64 {
        self.most_ms
    }

    /// What it had taken then at a time.
    pub(super) fn spent(&self, at: Millis) -> u64 {
        self.spent.at(at)
    }

    /// Whether its time is over before it does what an entry tells.
    pub(super) fn is_over(&self, due: &Entry) -> bool {
        let acts = match &due.kind {
            EntryKind::Asked { .. } | EntryKind::Call { .. } | EntryKind::Outcome { .. } => true,
            EntryKind::Failed { code, .. } => code != TIMEOUT,
            _ => false,
        };
        acts && self.spent(due.at) > self.most_ms
    }

    /// What an entry tells has happened.
    pub(super) fn goes_on(&mut self, entry: &Entry) {
        self.spent.goes_on(entry);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_step_s_time_is_that_outside_the_calls_that_wait() {
        let asked = |function: &str| EntryKind::Asked {
            activation: 1,
            call: 1,
            function: function.to_owned(),
            request: json!([]).into(),
        };
        let called = || EntryKind::Call {
            activation: 1,
            call: 1,
            function: String::new(),
            result: json!({}).into(),
        };
        let at = |at, kind| Entry { seq: 0, at, kind };
        let mut hurried = Hurried::since(100, 1_000);
        for entry in [
            at(200, asked("media.listen")),
            at(9_200, called()),
            at(9_300, asked("http.fetch")),
        ] {
            assert!(!hurried.is_over(&entry));
            hurried.goes_on(&entry);
        }
        assert!(!hurried.is_over(&at(10_100, called())));
        assert!(hurried.is_over(&at(10_101, called())));
    }
}
