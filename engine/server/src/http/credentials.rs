//! Which tokens and sessions were good lately, and which were not: so that whoever has a good one is not behind those who guess, and
//! who sends the same bad one again costs no look into the store.
//!
//! Nobody is let in by it: a token that was good is looked up as any other, it only need not wait for its turn.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};

use crate::rate::{Buckets, Crowd, Pace};

/// Look-ups of what nobody is known by, from one source: 1000 at once, then 500 in a second. Each is a row by its key; whoever has a
/// good token that was not seen yet is let in beside somebody who guesses as fast as he can.
const LOOK_UPS: Pace = Pace::new(500, 1_000, 1_000);
/// How long one that is not good is not looked up again, in milliseconds.
const BAD_FOR_MS: u64 = 10_000;
/// Most that are known of each kind; then all are forgotten, and looked up again.
const MOST: usize = 4_096;
/// Most sources that are counted one by one.
const MAX_SOURCES: usize = 10_000;

/// A token's or a session's SHA-256.
pub(super) type Mark = [u8; 32];

/// What is known of tokens and sessions.
#[derive(Debug)]
pub(super) struct Credentials(Mutex<State>);

#[derive(Debug)]
struct State {
    good: HashMap<Mark, ()>,
    /// And since when.
    bad: HashMap<Mark, u64>,
    look_ups: Buckets<IpAddr>,
}

/// Whether something is to be looked up.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// It is.
    LookUp,
    /// It was a moment ago, and is not good.
    Bad,
    /// Its source has looked up too much: milliseconds until it may again.
    TooMany(u64),
}

impl Credentials {
    /// What is known of what a source has sent. One that has been let in before is not counted.
    pub fn known(&self, hash: &Mark, source: Option<IpAddr>, now: u64) -> Known {
        let state = &mut *self.lock();
        if state.good.contains_key(hash) {
            return Known::LookUp;
        }
        let recent = |at: &u64| now >= *at && now - at < BAD_FOR_MS;
        if state.bad.get(hash).is_some_and(recent) {
            return Known::Bad;
        }
        let taken = source.map(|source| state.look_ups.take(&source, now));
        match taken {
            Some(Err(wait)) => Known::TooMany(wait),
            _ => Known::LookUp,
        }
    }

    /// It was looked up, and is good or not.
    pub fn found(&self, hash: Mark, good: bool, now: u64) {
        let State {
            good: goods, bad, ..
        } = &mut *self.lock();
        match good {
            true => {
                bad.remove(&hash);
                forget_if_full(goods, &hash);
                goods.insert(hash, ());
            }
            false => {
                goods.remove(&hash);
                forget_if_full(bad, &hash);
                bad.insert(hash, now);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics under this lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Credentials {
    fn default() -> Self {
        Credentials(Mutex::new(State {
            good: HashMap::new(),
            bad: HashMap::new(),
            look_ups: Buckets::new(LOOK_UPS, MAX_SOURCES, Crowd::Replaces),
        }))
    }
}

fn forget_if_full<T>(known: &mut HashMap<Mark, T>, hash: &Mark) {
    if known.len() >= MOST && !known.contains_key(hash) {
        known.clear();
    }
}

/// By which a token or a session is known here.
pub(super) fn hash(text: &str) -> Mark {
    Sha256::digest(text).into()
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{Credentials, Known, MOST, hash};

    fn source(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([192, 0, 2, last]))
    }

    #[test]
    fn who_has_a_good_one_does_not_wait_behind_who_guesses() {
        let credentials = Credentials::default();
        let at = |text: &str, last| credentials.known(&hash(text), source(last), 1);
        assert_eq!(at("good", 1), Known::LookUp);
        credentials.found(hash("good"), true, 1);
        let guesses = (0..5_000).filter(|n| at(&n.to_string(), 1) == Known::LookUp);
        assert_eq!(guesses.count(), 999);
        assert_eq!(at("other", 1), Known::TooMany(2));
        assert_eq!(at("good", 1), Known::LookUp);
        // Nor who comes from elsewhere, or was let in already.
        assert_eq!(at("other", 2), Known::LookUp);
        assert_eq!(credentials.known(&hash("other"), None, 1), Known::LookUp);
        // What was good once is no longer.
        credentials.found(hash("good"), false, 1);
        assert_eq!(at("good", 1), Known::Bad);
    }

    #[test]
    fn the_same_bad_one_is_not_looked_up_again_for_a_while() {
        let credentials = Credentials::default();
        credentials.found(hash("bad"), false, 1_000);
        let at = |now| credentials.known(&hash("bad"), source(1), now);
        assert_eq!([at(1_000), at(10_999)], [Known::Bad, Known::Bad]);
        assert_eq!(at(11_000), Known::LookUp);
        assert_eq!(at(0), Known::LookUp, "the clock went back");
        for n in 0..3 * MOST {
            credentials.found(hash(&format!("b{n}")), false, 1_000);
            credentials.found(hash(&format!("g{n}")), true, 1_000);
        }
        let state = credentials.lock();
        assert!(state.bad.len() <= MOST && state.good.len() <= MOST);
    }
}
