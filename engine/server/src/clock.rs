//! The one place where the engine reads a clock.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use strowger_contact::Millis;

/// Milliseconds since 1970 that never go back: the wall clock at the start plus the time gone by since.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    started: Instant,
    epoch: Millis,
}

impl Clock {
    /// Starts at the wall clock's time.
    pub fn start() -> Clock {
        let epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Clock {
            started: Instant::now(),
            epoch: epoch.as_millis() as Millis,
        }
    }

    /// Now.
    pub fn now(&self) -> Millis {
        self.epoch + self.started.elapsed().as_millis() as Millis
    }

    /// When a time of this clock is here.
    pub fn instant(&self, at: Millis) -> tokio::time::Instant {
        (self.started + Duration::from_millis(at.saturating_sub(self.epoch))).into()
    }
}
