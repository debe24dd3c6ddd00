//! How much processor time a shadow may use.

use std::time::{Duration, Instant};

use strowger_plugin::Share;

/// A part of one processor, paid back as time passes.
pub(super) struct Budget {
    /// What may be used in a second, and at once.
    per_second: Duration,
    share: Share,
    /// Used and not paid back yet, as of `at`.
    debt: Duration,
    at: Instant,
    /// What the share had used then.
    used: Duration,
}

impl Budget {
    pub(super) fn new(cpu_ms_per_s: u32, share: Share) -> Budget {
        Budget {
            per_second: Duration::from_millis(cpu_ms_per_s.into()),
            used: share.used(),
            share,
            debt: Duration::ZERO,
            at: Instant::now(),
        }
    }

    /// Whether there is something left.
    pub(super) fn left(&mut self) -> bool {
        let used = self.share.used();
        self.pass(Instant::now(), used)
    }

    fn pass(&mut self, now: Instant, used: Duration) -> bool {
        let seconds = now.duration_since(self.at).as_secs_f64();
        let paid = self.per_second.mul_f64(seconds);
        self.debt = (self.debt + used.saturating_sub(self.used)).saturating_sub(paid);
        self.at = now;
        self.used = used;
        self.debt <= self.per_second
    }
}

#[cfg(test)]
mod tests {
    use strowger_plugin::{Host, HostConfig};

    use super::*;

    #[test]
    fn what_is_used_beyond_a_second_s_worth_is_paid_back_before_more() {
        let host = Host::new(HostConfig::default()).expect("a host");
        let mut budget = Budget::new(100, host.runtime().background_share());
        let (start, ms) = (budget.at, Duration::from_millis);
        assert!(budget.pass(start, ms(90)));
        // An endless loop that cost two seconds.
        assert!(!budget.pass(start, ms(2_090)));
        assert!(!budget.pass(start + ms(19_000), ms(2_090)));
        assert!(budget.pass(start + ms(20_000), ms(2_090)));
        // What is not used is not saved up.
        assert!(budget.pass(start + ms(600_000), ms(2_180)));
        assert!(!budget.pass(start + ms(600_000), ms(2_300)));
    }
}
