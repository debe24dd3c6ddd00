//! Working hours of a place, and what holds at a moment on its clocks.

use serde::Deserialize;
use strowger_sdk::Failure;
use strowger_sdk::env::Civil;

/// Working hours. What stands for a day in `open` beats `closed`, which beats `weekly`.
#[derive(Debug, Deserialize)]
pub struct Hours {
    /// IANA.
    pub timezone: String,
    #[serde(default)]
    weekly: Vec<Weekly>,
    /// Days without work: first and last, both counted.
    #[serde(default)]
    closed: Vec<(Day, Day)>,
    /// Days with hours of their own.
    #[serde(default)]
    open: Vec<Open>,
}

/// A span of work on some days of every week.
#[derive(Debug, Deserialize)]
struct Weekly {
    /// 1 (Monday) to 7 (Sunday).
    days: Vec<u8>,
    from: u32,
    to: u32,
}

/// A span of work on one day.
#[derive(Debug, Deserialize)]
struct Open {
    date: Day,
    from: u32,
    to: u32,
}

/// From a minute of the day to another one, which is not in it any more. It crosses midnight when the
/// end is not after the beginning: 22:00–02:00, and 00:00–00:00 is the whole day.
#[derive(Debug, Clone, Copy)]
struct Span {
    from: u32,
    to: u32,
}

/// What holds at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Somebody works.
    Open,
    /// Nobody does.
    Closed,
    /// Nobody does, and the day is one of `closed`.
    Holiday,
}

/// A day, ordered as in the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
struct Day {
    year: i32,
    month: u8,
    day: u8,
}

impl Hours {
    /// What holds at a moment on the clocks of the place.
    ///
    /// A span that crosses midnight belongs to the day on which it begins. The hours after midnight of
    /// an ordinary week do not reach into a day of `closed`; those of a day of `open` do.
    pub fn state(&self, now: &Civil) -> Result<State, Failure> {
        let today = Day::new(now.year, now.month, now.day).ok_or_else(|| {
            Failure::new(
                "bad-date",
                "the engine's clock shows no day of the calendar",
            )
        })?;
        let yesterday = today.before();
        let weekday_before = if now.weekday <= 1 { 7 } else { now.weekday - 1 };
        let minute = u32::from(now.hour) * 60 + u32::from(now.minute);

        let closed = |day: Day| {
            self.closed
                .iter()
                .any(|(first, last)| (*first..=*last).contains(&day))
        };
        let own_hours = |day: Day| self.open.iter().any(|open| open.date == day);
        let holiday = closed(today) && !own_hours(today);

        if self.open.iter().any(|open| {
            open.date == today && open.span().holds(minute)
                || open.date == yesterday && open.span().holds_after(minute)
        }) {
            return Ok(State::Open);
        }
        if holiday {
            return Ok(State::Holiday);
        }
        let ordinary = |day: Day| !own_hours(day) && !closed(day);
        let open = self.weekly.iter().any(|weekly| {
            ordinary(today) && weekly.days.contains(&now.weekday) && weekly.span().holds(minute)
                || ordinary(yesterday)
                    && weekly.days.contains(&weekday_before)
                    && weekly.span().holds_after(minute)
        });
        Ok(if open { State::Open } else { State::Closed })
    }
}

impl Weekly {
    fn span(&self) -> Span {
        Span {
            from: self.from,
            to: self.to,
        }
    }
}

impl Open {
    fn span(&self) -> Span {
        Span {
            from: self.from,
            to: self.to,
        }
    }
}

impl Span {
    fn crosses_midnight(self) -> bool {
        self.to <= self.from
    }

    /// On the day on which it begins.
    fn holds(self, minute: u32) -> bool {
        self.from <= minute && (self.crosses_midnight() || minute < self.to)
    }

    /// On the day after.
    fn holds_after(self, minute: u32) -> bool {
        self.crosses_midnight() && minute < self.to
    }
}

impl Day {
    fn new(year: i32, month: u8, day: u8) -> Option<Day> {
        ((1..=12).contains(&month) && (1..=days_of(year, month)).contains(&day)).then_some(Day {
            year,
            month,
            day,
        })
    }

    fn before(self) -> Day {
        match (self.month, self.day) {
            (1, 1) => Day {
                year: self.year - 1,
                month: 12,
                day: 31,
            },
            (month, 1) => Day {
                month: month - 1,
                day: days_of(self.year, month - 1),
                ..self
            },
            (_, day) => Day {
                day: day - 1,
                ..self
            },
        }
    }
}

impl TryFrom<String> for Day {
    type Error = String;

    fn try_from(text: String) -> Result<Day, String> {
        let mut parts = text.splitn(3, '-');
        let mut part = || parts.next().unwrap_or_default();
        let (year, month, day) = (part().parse(), part().parse(), part().parse());
        match (year, month, day) {
            (Ok(year), Ok(month), Ok(day)) => Day::new(year, month, day),
            _ => None,
        }
        .ok_or_else(|| format!("`{text}` is no day of the calendar; write it as 2026-10-01"))
    }
}

fn days_of(year: i32, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}
