//! The calls that the engine places for bridged transfers, and how many that may be.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::project::TransferSection;
use crate::sip::Dialer;

/// Places calls within the project's limits, and counts them.
#[derive(Debug)]
pub struct Outgoing {
    pub(super) dialer: Dialer,
    /// Longest conversation.
    pub(super) longest: Duration,
    most: usize,
    up: AtomicUsize,
    placed: AtomicU64,
    refused: AtomicU64,
    rate: Mutex<Rate>,
}

/// One of the calls at once; dropping it makes room for another.
#[derive(Debug)]
pub(super) struct Place(Arc<Outgoing>);

/// Why no call may be placed now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Full {
    #[error(
        "{0} calls placed for transfers are up, as many as may be: raise transfer.calls in strowger.toml if they are wanted"
    )]
    AtOnce(usize),
    #[error(
        "{0} calls were placed for transfers within a minute, as many as may be: raise transfer.calls_per_minute in strowger.toml if they are wanted"
    )]
    PerMinute(u32),
}

/// Calls begun within the minute that runs.
#[derive(Debug)]
struct Rate {
    most: u32,
    since: Option<Instant>,
    begun: u32,
}

impl Outgoing {
    /// None are up yet.
    pub fn new(dialer: Dialer, settings: &TransferSection) -> Outgoing {
        Outgoing {
            dialer,
            longest: Duration::from_secs(settings.longest_s.into()),
            most: settings.calls as usize,
            up: AtomicUsize::new(0),
            placed: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            rate: Mutex::new(Rate {
                most: settings.calls_per_minute,
                since: None,
                begun: 0,
            }),
        }
    }

    /// Calls that are being placed or are up.
    pub fn up(&self) -> usize {
        self.up.load(Ordering::Relaxed)
    }

    /// Calls placed since the start.
    pub fn placed(&self) -> u64 {
        self.placed.load(Ordering::Relaxed)
    }

    /// Calls that a limit forbade since the start.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Takes room for one more call.
    pub(super) fn admit(self: &Arc<Outgoing>, now: Instant) -> Result<Place, Full> {
        let admitted = self.take(now);
        match &admitted {
            Ok(_) => self.placed.fetch_add(1, Ordering::Relaxed),
            Err(_) => self.refused.fetch_add(1, Ordering::Relaxed),
        };
        admitted
    }

    fn take(self: &Arc<Outgoing>, now: Instant) -> Result<Place, Full> {
        let room = |up: usize| (up < self.most).then_some(up + 1);
        self.up
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, room)
            .map_err(|_| Full::AtOnce(self.most))?;
        let place = Place(self.clone());
        // No code that can panic runs under the lock.
        let mut rate = self.rate.lock().unwrap_or_else(PoisonError::into_inner);
        match rate.admits(now) {
            true => Ok(place),
            false => Err(Full::PerMinute(rate.most)),
        }
    }
}

impl Rate {
    fn admits(&mut self, now: Instant) -> bool {
        const MINUTE: Duration = Duration::from_secs(60);
        if self
            .since
            .is_none_or(|since| now.duration_since(since) >= MINUTE)
        {
            self.since = Some(now);
            self.begun = 0;
        }
        let admitted = self.begun < self.most;
        self.begun += u32::from(admitted);
        admitted
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.up.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minute_has_its_calls_and_none_of_the_last() {
        let mut rate = Rate {
            most: 2,
            since: None,
            begun: 0,
        };
        let start = Instant::now();
        let mut admits = |seconds| rate.admits(start + Duration::from_secs(seconds));
        assert_eq!([0, 30, 59].map(&mut admits), [true, true, false]);
        assert_eq!([60, 61, 62].map(&mut admits), [true, true, false]);
        assert_eq!([600, 601, 602].map(&mut admits), [true, true, false]);
    }
}
