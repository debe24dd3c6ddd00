//! Moments that look like chance and are the same each time.

use anyhow::{Context, Result};

/// xorshift64 from a seed.
pub struct Moments(u64);

impl Moments {
    /// Those of a seed.
    pub fn of(seed: u64) -> Moments {
        Moments(seed.max(1))
    }

    /// The next one, below a bound.
    pub fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

/// A number that a variable sets.
pub fn number(name: &str, default: u64) -> Result<u64> {
    match std::env::var(name) {
        Ok(text) => text.parse().with_context(|| format!("{name} is a number")),
        Err(_) => Ok(default),
    }
}
