//! The calls that the engine places for bridged transfers, and how many that may be.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::ladder::Ladders;
use crate::project::TransferSection;
use crate::sip::Dialer;

/// Places calls within the project's limits, and counts them.
#[derive(Debug)]
pub struct Outgoing {
    pub(super) dialer: Dialer,
    pub(super) ladders: Ladders,
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
    PerMinute(usize),
}

/// The calls begun within the last minute, whenever one looks: a burst at the end of one minute and another at the
/// beginning of the next are one burst to whoever pays for them.
#[derive(Debug)]
struct Rate {
    most: usize,
    /// When they began, the earliest first; never more than `most`.
    begun: VecDeque<Instant>,
}

impl Outgoing {
    /// None are up yet.
    pub fn new(dialer: Dialer, ladders: Ladders, settings: &TransferSection) -> Outgoing {
        Outgoing {
            dialer,
            ladders,
            longest: Duration::from_secs(settings.longest_s.into()),
            most: settings.calls as usize,
            up: AtomicUsize::new(0),
            placed: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            rate: Mutex::new(Rate {
                most: settings.calls_per_minute as usize,
                begun: VecDeque::new(),
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
        while let Some(first) = self.begun.front()
            && now.duration_since(*first) >= MINUTE
        {
            self.begun.pop_front();
        }
        let admitted = self.begun.len() < self.most;
        if admitted {
            self.begun.push_back(now);
        }
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
    fn no_minute_has_more_calls_than_its_share() {
        let mut rate = Rate {
            most: 2,
            begun: VecDeque::new(),
        };
        let start = Instant::now();
        let mut admits = |seconds| rate.admits(start + Duration::from_secs(seconds));
        assert_eq!([0, 30, 59].map(&mut admits), [true, true, false]);
        // The call at 30 is still within the minute that ends now.
        assert_eq!(
            [60, 61, 62, 89].map(&mut admits),
            [true, false, false, false]
        );
        assert_eq!([90, 91, 120].map(&mut admits), [true, false, true]);
        // What is not used is not saved up.
        assert_eq!([600, 601, 602].map(&mut admits), [true, true, false]);
    }
}
