//! How many new calls a second are let in.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::config::SipLimits;

/// Sources that have a bucket of their own; when the table is full, strangers share one, so that a flood of forged
/// addresses costs neither memory nor the known sources their share.
const SOURCES: usize = 4_096;
/// How often a full table is searched for sources that have been quiet.
const CLEAN_EVERY: Duration = Duration::from_secs(1);

/// Token buckets: one over all, one per source.
#[derive(Debug)]
pub(super) struct Admission {
    all: Bucket,
    per_source: f64,
    sources: HashMap<IpAddr, Bucket>,
    strangers: Bucket,
    cleaned_at: Instant,
}

impl Admission {
    /// Full buckets.
    pub(super) fn new(limits: &SipLimits, now: Instant) -> Self {
        let per_source = f64::from(limits.invites_per_second_per_source);
        Self {
            all: Bucket::full(f64::from(limits.invites_per_second), now),
            per_source,
            sources: HashMap::new(),
            strangers: Bucket::full(per_source, now),
            cleaned_at: now,
        }
    }

    /// Whether one more new call from `source` may come in now. A refused one costs no token, so a source that keeps
    /// knocking gets its rate.
    pub(super) fn admit(&mut self, source: IpAddr, now: Instant) -> bool {
        if !self.all.has_token(now) {
            return false;
        }
        let known = self.sources.contains_key(&source);
        if !known
            && self.sources.len() >= SOURCES
            && now.saturating_duration_since(self.cleaned_at) >= CLEAN_EVERY
        {
            self.cleaned_at = now;
            self.sources.retain(|_, bucket| !bucket.is_full(now));
        }
        let bucket = if known || self.sources.len() < SOURCES {
            self.sources
                .entry(source)
                .or_insert_with(|| Bucket::full(self.per_source, now))
        } else {
            &mut self.strangers
        };
        if !bucket.has_token(now) {
            return false;
        }
        bucket.tokens -= 1.0;
        self.all.tokens -= 1.0;
        true
    }
}

/// Refills at `rate` tokens a second up to `rate`, at least one.
#[derive(Debug)]
struct Bucket {
    rate: f64,
    tokens: f64,
    filled_at: Instant,
}

impl Bucket {
    fn full(rate: f64, now: Instant) -> Self {
        Self {
            rate,
            tokens: rate.max(1.0),
            filled_at: now,
        }
    }

    fn has_token(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.filled_at).as_secs_f64();
        self.tokens = (self.tokens + passed * self.rate).min(self.rate.max(1.0));
        self.filled_at = now;
        self.tokens >= 1.0
    }

    fn is_full(&mut self, now: Instant) -> bool {
        self.has_token(now);
        self.tokens >= self.rate.max(1.0)
    }
}
