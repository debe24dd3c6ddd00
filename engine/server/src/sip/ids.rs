//! Numbers that a stranger cannot guess.

use std::hash::{BuildHasher, RandomState};

/// Makes tags, branches and Call-IDs: SipHash of a counter under a key drawn from the system at start. A peer that has
/// seen a thousand of them still cannot name the dialog of another caller (RFC 3261 §19.3).
#[derive(Debug, Default)]
pub(super) struct Ids {
    key: RandomState,
    made: u64,
}

impl Ids {
    /// The next number.
    pub(super) fn fresh(&mut self) -> u64 {
        self.made += 1;
        self.key.hash_one(self.made)
    }

    /// The same number for the same text as long as the process lives: the tag of an answer that is not remembered
    /// must not change when the request is repeated (RFC 3261 §8.2.7).
    pub(super) fn stable(&self, text: &str) -> u64 {
        self.key.hash_one(text)
    }

    /// 128 bits for a transaction's identity: two callers' requests never meet by accident or by design.
    pub(super) fn wide(&self, parts: &[&str]) -> u128 {
        let high = self.key.hash_one((0_u8, parts));
        let low = self.key.hash_one((1_u8, parts));
        u128::from(high) << 64 | u128::from(low)
    }
}
