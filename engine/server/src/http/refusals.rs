//! Refused changes on their way into the audit log: who is refused again and again writes so many lines a minute, and one that
//! tells how many were left out. The log would have no bound else, and whoever may least could fill it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Refusals of one token or user at one tenant that are written down in a minute.
const WRITTEN: u32 = 20;
/// The minute, in milliseconds; it begins with a refusal.
const MINUTE_MS: u64 = 60_000;
/// Those whose minutes are kept; beyond, the others share one.
const MAX_KEPT: usize = 10_000;

/// Who is refused (none: all those beyond the ones that are kept), and whose log tells it.
pub(super) type Refused = Option<(String, Option<String>)>;

/// The refusals of the minutes that last.
#[derive(Debug, Default)]
pub(super) struct Refusals {
    minutes: Mutex<HashMap<Refused, Minute>>,
    all: AtomicU64,
    left_out: AtomicU64,
}

#[derive(Debug, Default)]
struct Minute {
    began: u64,
    written: u32,
    left_out: u64,
}

/// What becomes of a refusal.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Noted {
    /// It is written.
    Written,
    /// It is counted.
    Counted,
    /// It is counted, the first of its minute: when that is over, [`Refusals::left_out_of`] says how many were.
    FirstCounted { whose: Refused, over_in: Duration },
}

impl Refusals {
    /// One more refusal, at a time in milliseconds since 1970.
    pub fn note(&self, who: &str, tenant: Option<&str>, now: u64) -> Noted {
        self.all.fetch_add(1, Ordering::Relaxed);
        let mut minutes = self.lock();
        let mut whose = Some((who.to_owned(), tenant.map(str::to_owned)));
        if minutes.len() >= MAX_KEPT && !minutes.contains_key(&whose) {
            // Of those with a count somebody waits for their end.
            minutes.retain(|_, minute| minute.lasts(now) || minute.left_out > 0);
            if minutes.len() >= MAX_KEPT {
                whose = None;
            }
        }
        let minute = minutes.entry(whose.clone()).or_default();
        if !minute.lasts(now) {
            // What was left out before is told by whoever waits for it.
            minute.began = now;
            minute.written = 0;
        }
        if minute.written < WRITTEN {
            minute.written += 1;
            return Noted::Written;
        }
        self.left_out.fetch_add(1, Ordering::Relaxed);
        minute.left_out += 1;
        match minute.left_out {
            1 => Noted::FirstCounted {
                whose,
                over_in: Duration::from_millis((minute.began + MINUTE_MS).saturating_sub(now)),
            },
            _ => Noted::Counted,
        }
    }

    /// How many were left out; from here on they are counted anew.
    pub fn left_out_of(&self, whose: &Refused) -> u64 {
        let mut minutes = self.lock();
        let minute = minutes.get_mut(whose);
        minute.map_or(0, |minute| std::mem::take(&mut minute.left_out))
    }

    /// Refused changes since the start, and those of them that are not in the log.
    pub fn counts(&self) -> [u64; 2] {
        [&self.all, &self.left_out].map(|count| count.load(Ordering::Relaxed))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Refused, Minute>> {
        // Nothing panics under this lock.
        self.minutes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Minute {
    /// Whether it is not over. A clock that goes back begins a new one.
    fn lasts(&self, now: u64) -> bool {
        self.written > 0 && (self.began..self.began + MINUTE_MS).contains(&now)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{MAX_KEPT, Noted, Refusals, WRITTEN};

    #[test]
    fn who_is_refused_again_and_again_writes_some_lines_a_minute() {
        let refusals = Refusals::default();
        let note = |who: &str, now| refusals.note(who, Some("vega"), now);
        for at in 0..WRITTEN.into() {
            assert_eq!(note("a", 5_000 + at), Noted::Written);
        }
        let Noted::FirstCounted { whose, over_in } = note("a", 6_000) else {
            panic!("there were enough");
        };
        assert_eq!(over_in, Duration::from_secs(59));
        assert_eq!(note("a", 64_999), Noted::Counted);
        // Others have minutes of their own, and so has another tenant's log.
        assert_eq!(note("b", 6_000), Noted::Written);
        assert_eq!(refusals.note("a", Some("deneb"), 6_000), Noted::Written);
        assert_eq!(refusals.left_out_of(&whose), 2);
        assert_eq!(refusals.left_out_of(&whose), 0);
        for at in 0..WRITTEN.into() {
            assert_eq!(note("a", 65_000 + at), Noted::Written);
        }
        assert!(matches!(note("a", 66_000), Noted::FirstCounted { .. }));
        assert_eq!(refusals.counts(), [u64::from(WRITTEN) * 2 + 5, 3]);
    }

    #[test]
    fn what_is_kept_of_them_has_a_bound() {
        let refusals = Refusals::default();
        for n in 0..MAX_KEPT + 500 {
            let _ = refusals.note(&format!("user:{n}"), None, 1_000);
        }
        assert_eq!(refusals.lock().len(), MAX_KEPT + 1);
        let Noted::Written = refusals.note("user:new", None, 61_000) else {
            panic!("the minutes before are over");
        };
        assert!(refusals.lock().len() < 10);
    }
}
