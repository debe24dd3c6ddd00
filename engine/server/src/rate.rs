//! Rate limits: a token bucket, or one for each who asks, in bounded memory. Time is an argument, in milliseconds, and may go
//! back: that gives nothing and takes nothing.

use std::collections::HashMap;
use std::hash::Hash;

/// How often a full table is searched for buckets that are full again, in milliseconds.
const CLEAN_EVERY_MS: u64 = 1_000;
/// Which part of a full table gives way at once, so that not every newcomer is a search through it.
const GIVES_WAY: usize = 8;

/// How often something may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    /// So many tokens come back…
    tokens: u32,
    /// …in so many milliseconds, one after the other.
    in_ms: u64,
    /// Tokens that a full bucket holds.
    burst: u32,
}

impl Pace {
    /// So many in so many milliseconds, and `burst` at once after a rest.
    pub const fn new(tokens: u32, in_ms: u64, burst: u32) -> Pace {
        Pace {
            tokens,
            in_ms,
            burst,
        }
    }

    /// So many a second, and after a rest as many at once.
    pub const fn per_second(tokens: u32) -> Pace {
        Pace::new(tokens, 1_000, tokens)
    }

    /// So many a minute, and after a rest as many at once.
    pub const fn per_minute(tokens: u32) -> Pace {
        Pace::new(tokens, 60_000, tokens)
    }

    /// What a full bucket holds, in parts of which a token has `in_ms`: `tokens` of them come back in a millisecond.
    fn full(self) -> u64 {
        u64::from(self.burst) * self.in_ms
    }
}

/// A token bucket; the default is full. What its pace is may change from one use to the next.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bucket {
    /// Parts of tokens that are missing.
    missing: u64,
    at: u64,
}

impl Bucket {
    /// Takes a token; else the milliseconds until there is one. A refusal costs nothing, so whoever keeps knocking has the rate.
    pub fn take(&mut self, pace: Pace, now: u64) -> Result<(), u64> {
        self.pass(pace, now);
        self.peek(pace, now)?;
        self.missing += pace.in_ms;
        Ok(())
    }

    /// Whether there is a token; else the milliseconds until there is one.
    pub fn peek(self, pace: Pace, now: u64) -> Result<(), u64> {
        let wanted = self.missing(pace, now) + pace.in_ms;
        match wanted.saturating_sub(pace.full()) {
            0 => Ok(()),
            _ if pace.tokens == 0 => Err(u64::MAX),
            lacking => Err(lacking.div_ceil(pace.tokens.into())),
        }
    }

    fn missing(self, pace: Pace, now: u64) -> u64 {
        let passed = now.saturating_sub(self.at);
        let back = passed.saturating_mul(pace.tokens.into());
        self.missing.min(pace.full()).saturating_sub(back)
    }

    fn pass(&mut self, pace: Pace, now: u64) {
        self.missing = self.missing(pace, now);
        self.at = now;
    }
}

/// What becomes of newcomers when a table is full of buckets that somebody uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crowd {
    /// They share one bucket. For keys that can be forged, and where all together are limited too: a flood of them takes nothing
    /// from whoever is known.
    Shares,
    /// They have a bucket each, and those that were used longest ago are forgotten. Where a known one must be let in whoever else
    /// knocks.
    Replaces,
}

/// Buckets of one pace, one for each key.
#[derive(Debug)]
pub(crate) struct Buckets<K> {
    pace: Pace,
    most: usize,
    crowd: Crowd,
    buckets: HashMap<K, Bucket>,
    strangers: Bucket,
    cleaned_at: Option<u64>,
}

impl<K: Eq + Hash + Clone> Buckets<K> {
    /// Of this pace; at most so many are kept.
    pub fn new(pace: Pace, most: usize, crowd: Crowd) -> Buckets<K> {
        Buckets {
            pace,
            most,
            crowd,
            buckets: HashMap::new(),
            strangers: Bucket::default(),
            cleaned_at: None,
        }
    }

    /// Takes a token of a key's; else the milliseconds until there is one.
    pub fn take(&mut self, key: &K, now: u64) -> Result<(), u64> {
        if !self.buckets.contains_key(key) && self.buckets.len() >= self.most {
            self.make_room(now);
        }
        let (pace, full) = (self.pace, self.buckets.len() >= self.most);
        match self.buckets.get_mut(key) {
            Some(bucket) => bucket.take(pace, now),
            None if full => self.strangers.take(pace, now),
            None => self.buckets.entry(key.clone()).or_default().take(pace, now),
        }
    }

    /// Whether a key has a token; else the milliseconds until there is one.
    pub fn peek(&self, key: &K, now: u64) -> Result<(), u64> {
        let bucket = self.buckets.get(key).copied();
        bucket.unwrap_or_default().peek(self.pace, now)
    }

    fn make_room(&mut self, now: u64) {
        let searched = |at: u64| now >= at && now - at < CLEAN_EVERY_MS;
        if self.crowd == Crowd::Shares && self.cleaned_at.is_some_and(searched) {
            return;
        }
        self.cleaned_at = Some(now);
        let pace = self.pace;
        self.buckets
            .retain(|_, bucket| bucket.missing(pace, now) > 0);
        let stay = self.most - self.most.div_ceil(GIVES_WAY);
        if self.crowd == Crowd::Shares || self.buckets.len() <= stay {
            return;
        }
        let mut times: Vec<u64> = self.buckets.values().map(|bucket| bucket.at).collect();
        let give_way = times.len() - stay;
        let (_, last, _) = times.select_nth_unstable(give_way - 1);
        let last = *last;
        // Of those of the same moment whichever come first.
        let mut left = give_way;
        self.buckets.retain(|_, bucket| {
            let goes = left > 0 && bucket.at <= last;
            left -= usize::from(goes);
            !goes
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{Bucket, Buckets, Crowd, Pace};

    #[test]
    fn a_bucket_empties_and_fills_up_again() {
        let mut bucket = Bucket::default();
        let mut done = |now| {
            let taken = |_: &u32| bucket.take(Pace::per_second(10), now).is_ok();
            (0..100).filter(taken).count()
        };
        assert_eq!(done(5_000), 10);
        assert_eq!(done(5_000), 0);
        assert_eq!(done(5_100), 1);
        // A clock that goes back.
        assert_eq!(done(4_000), 0);
        assert_eq!(done(4_500), 5);
        assert_eq!(done(90_000), 10, "never more than a full one");
        assert!(Bucket::default().take(Pace::per_second(0), 1_000).is_err());
    }

    #[test]
    fn whoever_is_refused_learns_how_long_to_wait() {
        let pace = Pace::new(2, 1_000, 3);
        let mut bucket = Bucket::default();
        for _ in 0..3 {
            assert_eq!(bucket.take(pace, 1_000), Ok(()));
        }
        assert_eq!(bucket.take(pace, 1_000), Err(500));
        assert_eq!(bucket.peek(pace, 1_400), Err(100));
        assert_eq!(bucket.take(pace, 1_500), Ok(()));
        assert_eq!(bucket.take(pace, 1_500), Err(500));
        let slow = Pace::new(1, 30_000, 1);
        let mut bucket = Bucket::default();
        assert_eq!(bucket.take(slow, 7), Ok(()));
        assert_eq!(bucket.take(slow, 7), Err(30_000));
        assert_eq!(bucket.take(slow, 30_006), Err(1));
        assert_eq!(bucket.take(slow, 30_007), Ok(()));
        // Not even odd paces lose a part of a token.
        let odd = Pace::new(7, 60_000, 1);
        let mut bucket = Bucket::default();
        let taken = (0..=600_000).filter(|now| bucket.take(odd, *now).is_ok());
        assert_eq!(taken.count(), 70);
    }

    #[test]
    fn another_pace_holds_from_its_first_use() {
        let mut bucket = Bucket::default();
        for _ in 0..10 {
            assert_eq!(bucket.take(Pace::per_second(10), 0), Ok(()));
        }
        assert!(bucket.take(Pace::per_second(10), 0).is_err());
        // What was used is used, and no more than a full one is missing.
        assert_eq!(bucket.take(Pace::per_second(11), 0), Ok(()));
        assert_eq!(bucket.take(Pace::per_second(2), 0), Err(500));
    }

    #[test]
    fn each_key_has_its_own() {
        let mut buckets = Buckets::new(Pace::per_minute(2), 10, Crowd::Shares);
        assert_eq!([0, 0].map(|now| buckets.take(&"a", now)), [Ok(()), Ok(())]);
        assert_eq!(buckets.take(&"a", 0), Err(30_000));
        assert_eq!(buckets.peek(&"a", 10_000), Err(20_000));
        assert_eq!(buckets.peek(&"b", 0), Ok(()));
        assert_eq!(buckets.take(&"b", 0), Ok(()));
        assert_eq!(buckets.take(&"a", 30_000), Ok(()));
    }

    #[test]
    fn strangers_share_one_when_the_table_is_full() {
        let mut buckets = Buckets::new(Pace::per_second(2), 100, Crowd::Shares);
        for known in 0..100 {
            assert_eq!(buckets.take(&known, 0), Ok(()));
        }
        let taken = (1_000..2_000).filter(|key| buckets.take(key, 0).is_ok());
        assert_eq!(taken.count(), 2);
        assert_eq!(buckets.take(&7, 0), Ok(()), "known, and left alone");
        // Whoever is quiet makes room.
        assert_eq!(buckets.take(&3_000, 2_000), Ok(()));
        assert_eq!(buckets.buckets.len(), 1);
        // A clock that has gone back keeps nobody from looking.
        for key in 0..200 {
            let _ = buckets.take(&key, 0);
        }
        assert_eq!(buckets.buckets.len(), 100);
    }

    #[test]
    fn newcomers_replace_whoever_came_longest_ago() {
        let mut buckets = Buckets::new(Pace::new(1, 1_000_000, 1), 800, Crowd::Replaces);
        for key in 0..10_000_u64 {
            assert_eq!(buckets.take(&key, key), Ok(()), "{key}");
            assert!(buckets.buckets.len() <= 800);
        }
        assert!(buckets.take(&9_999, 10_000).is_err(), "still known");
        assert_eq!(buckets.take(&0, 10_000), Ok(()), "long forgotten");
        // All of one moment.
        let mut buckets = Buckets::new(Pace::new(1, 1_000_000, 1), 80, Crowd::Replaces);
        for key in 0..81 {
            assert_eq!(buckets.take(&key, 5), Ok(()));
        }
        assert_eq!(buckets.buckets.len(), 71);
    }
}
