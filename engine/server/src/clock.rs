//! The one place where the engine reads a clock.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use strowger_contact::Millis;
use strowger_flow::unseen::quoted;

/// A clock that went back by less is told to nobody, in milliseconds.
pub(crate) const CLOCKS_DIFFER: Millis = 1_000;

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

    /// The time of a moment; one before the start is the start.
    pub fn at(&self, moment: Instant) -> Millis {
        self.epoch + moment.saturating_duration_since(self.started).as_millis() as Millis
    }

    /// When a time of this clock is here.
    pub fn instant(&self, at: Millis) -> tokio::time::Instant {
        (self.started + Duration::from_millis(at.saturating_sub(self.epoch))).into()
    }
}

/// A time that somebody wrote, in milliseconds since 1970: `2026-11-28` (its first moment, UTC), RFC 3339, or such
/// milliseconds. The error says what to write.
pub fn moment(text: &str) -> Result<Millis, String> {
    let millis = |at: i64| Millis::try_from(at).ok();
    let date = || {
        let date: jiff::civil::Date = text.parse().ok()?;
        let start = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        millis(start.timestamp().as_millisecond())
    };
    let time = || millis(text.parse::<jiff::Timestamp>().ok()?.as_millisecond());
    // A date's pattern is also the beginning of a time's.
    let number = || text.parse::<Millis>().ok().filter(|_| text.len() > 8);
    number().or_else(time).or_else(date).ok_or_else(|| {
        format!(
            "`{}` is no time: write a day (UTC) such as 2026-11-28, or a time such as 2026-11-28T09:00:00+08:00",
            quoted(text)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn days_times_and_milliseconds_are_times() {
        for (text, at) in [
            ("1970-01-02", Some(86_400_000)),
            ("2026-11-28", Some(1_795_824_000_000)),
            ("2026-11-28T08:00:00+08:00", Some(1_795_824_000_000)),
            ("2026-11-28T00:00:00.005Z", Some(1_795_824_000_005)),
            ("1795824000000", Some(1_795_824_000_000)),
            ("2026-13-01", None),
            ("1969-12-31", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(moment(text).ok(), at, "{text}");
        }
    }
}
