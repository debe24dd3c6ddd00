//! How many new calls a second are let in.

use std::net::IpAddr;
use std::time::Instant;

use super::config::SipLimits;
use crate::rate::{Bucket, Buckets, Crowd, Pace};

/// Sources that have a bucket of their own; when the table is full, strangers share one, so that a flood of forged
/// addresses costs neither memory nor the known sources their share.
const SOURCES: usize = 4_096;

/// Token buckets: one over all, one per source.
#[derive(Debug)]
pub(super) struct Admission {
    pace: Pace,
    all: Bucket,
    sources: Buckets<IpAddr>,
    since: Instant,
}

impl Admission {
    /// Full buckets.
    pub(super) fn new(limits: &SipLimits, now: Instant) -> Self {
        let per_source = Pace::per_second(limits.invites_per_second_per_source);
        Self {
            pace: Pace::per_second(limits.invites_per_second),
            all: Bucket::default(),
            sources: Buckets::new(per_source, SOURCES, Crowd::Shares),
            since: now,
        }
    }

    /// Whether one more new call from `source` may come in now. A refused one costs no token, so a source that keeps
    /// knocking gets its rate.
    pub(super) fn admit(&mut self, source: IpAddr, now: Instant) -> bool {
        let now = now.saturating_duration_since(self.since).as_millis() as u64;
        let admitted = self
            .all
            .peek(self.pace, now)
            .and_then(|()| self.sources.take(&source, now))
            .and_then(|()| self.all.take(self.pace, now));
        admitted.is_ok()
    }
}
