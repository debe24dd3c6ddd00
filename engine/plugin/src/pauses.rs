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
    use tokio::time::advance;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pauses_that_overlap_count_once() {
        let pauses = Pauses::default();
        let first = pauses.begin();
        advance(Duration::from_secs(2)).await;
        let second = pauses.begin();
        drop(first);
        advance(Duration::from_secs(3)).await;
        assert_eq!(pauses.total(), Duration::from_secs(5), "it lasts still");
        drop(second);
        advance(Duration::from_secs(7)).await;
        assert_eq!(pauses.total(), Duration::from_secs(5));
        drop(pauses.begin());
        let _third = pauses.clone().begin();
        advance(Duration::from_secs(1)).await;
        assert_eq!(pauses.total(), Duration::from_secs(6));
    }
}
