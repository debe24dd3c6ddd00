//! Session timers (RFC 4028): a call whose other end has vanished does not stay for ever.

use std::time::{Duration, Instant};

use super::super::call::CallEvent;
use super::super::grammar::Head;
use super::super::timers::Timer;
use super::super::values::param;
use super::dialog::Stage;
use super::transaction::Kind;
use super::{Core, SUPPORTED};

/// Shortest session interval that we agree to, in seconds (RFC 4028 §4).
pub(super) const MIN_SE_S: u32 = 90;

/// An agreed session interval.
#[derive(Debug, Clone, Copy)]
pub(super) struct Session {
    pub(super) interval_s: u32,
    /// We have to refresh it; else the peer.
    pub(super) ours: bool,
    /// Grows with every refresh, so that an old deadline is known as such.
    pub(super) generation: u32,
}

/// What to say about the session in the answer to an INVITE or UPDATE.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SessionAnswer {
    /// Nothing: the peer does not ask for a timer that we could keep.
    None,
    /// These header lines, and that interval.
    Agreed {
        headers: String,
        interval_s: u32,
        ours: bool,
    },
    /// 422: too short.
    TooShort,
}

/// Answers `Session-Expires`. The peer refreshes unless it asks us to; then we do, by UPDATE, if it understands that.
pub(super) fn answer_session(head: &Head, peer_updates: bool) -> SessionAnswer {
    let Some(value) = head.value("Session-Expires") else {
        return SessionAnswer::None;
    };
    if !head.lists("Supported", "timer") && !head.lists("Require", "timer") {
        return SessionAnswer::None;
    }
    let (seconds, params) = value.split_once(';').unwrap_or((value, ""));
    let Ok(interval_s) = seconds.trim().parse::<u32>() else {
        return SessionAnswer::None;
    };
    if interval_s < MIN_SE_S {
        return SessionAnswer::TooShort;
    }
    let ours = param(params, "refresher").is_some_and(|who| who.eq_ignore_ascii_case("uas"));
    if ours && !peer_updates {
        return SessionAnswer::None;
    }
    let refresher = if ours { "uas" } else { "uac" };
    let headers =
        format!("Require: timer\r\nSession-Expires: {interval_s};refresher={refresher}\r\n");
    SessionAnswer::Agreed {
        headers,
        interval_s,
        ours,
    }
}

impl Core {
    /// Starts or restarts the session's clock.
    pub(super) fn keep_session(&mut self, now: Instant, call: u64, interval_s: u32, ours: bool) {
        let Some(dialog) = self.dialogs.get_mut(&call) else {
            return;
        };
        let generation = dialog.session.map_or(0, |session| session.generation) + 1;
        dialog.session = Some(Session {
            interval_s,
            ours,
            generation,
        });
        // RFC 4028 §10: refresh at half time; hang up on a silent peer a little before the end.
        let due_s = if ours {
            interval_s / 2
        } else {
            interval_s - (interval_s / 3).min(32)
        };
        self.timers.set(
            now + Duration::from_secs(due_s.into()),
            Timer::Session(call, generation),
        );
    }

    /// The session of that generation is due.
    pub(super) fn session_due(&mut self, now: Instant, call: u64, generation: u32) {
        let Some(dialog) = self.dialogs.get(&call) else {
            return;
        };
        let Some(session) = dialog
            .session
            .filter(|session| session.generation == generation)
        else {
            return;
        };
        if !matches!(dialog.stage, Stage::Answered | Stage::Confirmed) {
            return;
        }
        if session.ours {
            let headers = format!(
                "Supported: {SUPPORTED}\r\nSession-Expires: {};refresher=uac\r\n",
                session.interval_s
            );
            self.request_in(now, call, Kind::Refresh, &headers, &[]);
        } else {
            let why = "the peer did not refresh the session in time (RFC 4028)";
            self.tell(call, CallEvent::Failed(why.to_owned()));
            self.bye(now, call);
        }
    }
}
