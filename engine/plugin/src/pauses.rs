//! Time in which a step stands still: what holds it up is the engine's, and counts neither as its nor as its requests' time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// When a contact's steps stood still, such as for a disk; clones share it.
#[derive(Debug, Clone, Default)]
pub struct Pauses(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// Pauses that have begun and not ended: they may overlap.
    open: u32,
    /// When the first of them began.
    since: Option<Instant>,
    /// All of them that are over, overlaps once.
    over: Duration,
}

/// One of them, until it is dropped.
#[derive(Debug)]
pub struct Pause(Pauses);

impl Pauses {
    /// Steps stand still from now on, until the pause is dropped.
    #[must_use = "the pause ends when it is dropped"]
    pub fn begin(&self) -> Pause {
        let mut state = self.lock();
        state.open += 1;
        state.since.get_or_insert_with(Instant::now);
        drop(state);
        Pause(self.clone())
    }

    /// For how long they have stood still, now included.
    pub fn total(&self) -> Duration {
        let state = self.lock();
        state.over + state.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing is done under the lock that could leave it half done.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Pause {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.open = state.open.saturating_sub(1);
        if state.open == 0
            && let Some(since) = state.since.take()
        {
            state.over += since.elapsed();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_that_overlap_count_once_until_the_last_is_over() {
        let pauses = Pauses::default();
        let began = Instant::now();
        let (first, second) = (pauses.begin(), pauses.clone().begin());
        drop(first);
        let so_far = pauses.total();
        // It lasts still, so this ends.
        while pauses.total() == so_far {
            std::hint::spin_loop();
        }
        drop(second);
        let total = pauses.total();
        assert!(total > so_far && total <= began.elapsed(), "{total:?}");
        assert_eq!(pauses.total(), total, "it is over");
    }
}
