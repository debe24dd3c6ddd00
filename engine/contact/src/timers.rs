//! All deadlines of a contact in one table.

use crate::Millis;

/// What a deadline is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timer {
    /// Silence before the first key or between keys, while a step listens.
    Listen,
    /// A `wait:` of the flow, or a guest's `wait.sleep`.
    Wait,
    /// The pause before a step is tried again.
    Retry,
    /// The silence of a busy step after which `meanwhile` is heard.
    Meanwhile,
    /// The longest duration of the contact; not set while the caller talks with people.
    Duration,
}

const KINDS: [Timer; 5] = [
    Timer::Listen,
    Timer::Wait,
    Timer::Retry,
    Timer::Meanwhile,
    Timer::Duration,
];

/// The deadlines of a contact; at most one of each kind.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    at: [Option<Millis>; KINDS.len()],
}

impl Timers {
    /// Sets a deadline, instead of an earlier one of the kind.
    pub fn set(&mut self, timer: Timer, at: Millis) {
        self.at[timer as usize] = Some(at);
    }

    /// Whether a deadline is set.
    pub fn is_set(&self, timer: Timer) -> bool {
        self.at(timer).is_some()
    }

    /// When it is.
    pub fn at(&self, timer: Timer) -> Option<Millis> {
        self.at[timer as usize]
    }

    /// Removes a deadline.
    pub fn clear(&mut self, timer: Timer) {
        self.at[timer as usize] = None;
    }

    /// What is left of each deadline, all of which are removed: none runs out while nobody is on the line.
    pub fn pause(&mut self, now: Millis) -> Timers {
        let left = self.at.map(|at| at.map(|at| at.saturating_sub(now)));
        self.at = Default::default();
        Timers { at: left }
    }

    /// Sets what was left of a deadline from now on, unless one of the kind is set.
    pub fn go_on(&mut self, timer: Timer, left: &Timers, now: Millis) {
        if let (None, Some(left)) = (self.at(timer), left.at(timer)) {
            self.set(timer, now.saturating_add(left));
        }
    }

    /// The next deadline.
    pub fn next(&self) -> Option<Millis> {
        self.at.iter().flatten().min().copied()
    }

    /// Takes a deadline that is over, the earliest first.
    pub fn expired(&mut self, now: Millis) -> Option<Timer> {
        let timer = KINDS
            .into_iter()
            .filter(|timer| self.at[*timer as usize].is_some_and(|at| at <= now))
            .min_by_key(|timer| self.at[*timer as usize])?;
        self.clear(timer);
        Some(timer)
    }
}
