//! Counts since the start, for tests and the curious.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

/// Counts of what the service was asked, shared by all requests.
#[derive(Debug, Default)]
pub struct Stats {
    counts: Mutex<Counts>,
}

/// A snapshot of the counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Requests by method and route, such as `GET /orders/{no}`; `other` for paths that are no route.
    pub requests: BTreeMap<String, u64>,
    /// Requests answered from an earlier one with the same `Idempotency-Key`.
    pub replays: u64,
}

impl Stats {
    /// Counts a request. `route` is a pattern, never the caller's own path, so the map stays small.
    pub fn requested(&self, route: &str) {
        let mut counts = self.lock();
        match counts.requests.get_mut(route) {
            Some(count) => *count += 1,
            None => {
                counts.requests.insert(route.to_owned(), 1);
            }
        }
    }

    /// Counts an answer given for the second time.
    pub fn replayed(&self) {
        self.lock().replays += 1;
    }

    /// The counts now.
    pub fn snapshot(&self) -> Counts {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Counts> {
        // Counters are whole after every statement, so a poisoned lock holds nothing broken.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
