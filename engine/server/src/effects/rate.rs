//! How often something may be done.

/// Thousandths, in which what is left is counted.
const WHOLE: u64 = 1_000;

/// So many a second, and after a rest as many at once.
#[derive(Debug, Default)]
pub(crate) struct Rate {
    /// Thousandths that are left; none before the first use.
    left: Option<u64>,
    at: u64,
}

impl Rate {
    /// Whether one more may be done at a time in milliseconds. A clock that goes back gives nothing and takes nothing.
    pub fn take(&mut self, per_second: u32, now: u64) -> bool {
        let most = u64::from(per_second) * WHOLE;
        let gained = now
            .saturating_sub(self.at)
            .saturating_mul(per_second.into());
        let left = self.left.unwrap_or(most).saturating_add(gained).min(most);
        self.at = now;
        let taken = left >= WHOLE;
        self.left = Some(if taken { left - WHOLE } else { left });
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::Rate;

    #[test]
    fn as_many_a_second_as_there_may_be() {
        let mut rate = Rate::default();
        let mut done = |now| (0..100).filter(|_| rate.take(10, now)).count();
        assert_eq!(done(5_000), 10);
        assert_eq!(done(5_000), 0);
        assert_eq!(done(5_100), 1);
        assert_eq!(done(4_000), 0);
        assert_eq!(done(4_500), 5);
        assert_eq!(done(90_000), 10);
        assert!(!Rate::default().take(0, 1_000));
    }
}
