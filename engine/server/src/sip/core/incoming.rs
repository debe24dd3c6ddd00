//! New calls.

use std::time::Instant;

use tokio::sync::mpsc;

use super::super::call::{CallEvent, Incoming};
use super::super::config::{EVENT_QUEUE, HEADER_VALUE_SHOWN, HEADERS_SHOWN};
use super::super::examine::shown;
use super::super::grammar::{Head, Request};
use super::super::ladder::Ladders;
use super::super::stats::count;
use super::super::timers::Timer;
use super::super::values::{NameAddr, sdp_in, user};
use super::super::wire::{Echo, record_route_lines, tag_text};
use super::dialog::{Dialog, Stage, contact_of};
use super::requests::Marks;
use super::session::{MIN_SE_S, SessionAnswer, answer_session};
use super::{Core, MAX_FORWARDS, Path, TRYING_AFTER};

impl Core {
    /// 503 with when to come back.
    pub(super) fn unavailable(&mut self, path: Path, echo: Echo) {
        let headers = format!("Retry-After: {}\r\n", self.config.limits.retry_after_s);
        self.answer_once(path, echo, 503, "Service Unavailable", &headers);
    }

    /// A new call.
    pub(super) fn invite(
        &mut self,
        now: Instant,
        request: &Request,
        marks: Marks,
        echo: Echo,
        path: Path,
    ) {
        let full =
            self.draining || self.overloaded || self.dialogs.len() >= self.config.limits.calls;
        if full || !self.admission.admit(path.peer.ip(), now) {
            count(&self.counters.rate_limited);
            return self.unavailable(path, echo);
        }
        let head = &request.head;
        let scheme = request.uri.split(':').next().unwrap_or_default();
        if !["sip", "sips", "tel"]
            .iter()
            .any(|known| scheme.eq_ignore_ascii_case(known))
        {
            return self.answer_once(path, echo, 416, "Unsupported URI Scheme", "");
        }
        let Some(target) = contact_of(head).map(str::to_owned) else {
            return self.answer_once(path, echo, 400, "Missing Or Bad Contact", "");
        };
        let offer = match offer_of(request) {
            Ok(offer) => offer,
            Err(headers) => {
                return self.answer_once(path, echo, 415, "Unsupported Media Type", headers);
            }
        };
        if answer_session(head, false) == SessionAnswer::TooShort {
            return self.answer_once(
                path,
                echo,
                422,
                "Session Interval Too Small",
                &format!("Min-SE: {MIN_SE_S}\r\n"),
            );
        }
        let mut call = self.ids.fresh();
        while self.dialogs.contains_key(&call) {
            call = self.ids.fresh();
        }
        let (events, to_owner) = mpsc::channel(EVENT_QUEUE);
        let incoming = self.describe(now, request, &marks, path, call, offer, to_owner);
        let leg = incoming
            .leg
            .map(|_| (marks.call_id.clone(), marks.from_tag.clone()));
        let mut dialog = Dialog {
            outgoing: false,
            call_id: marks.call_id,
            local: echo.to_with_tag(&tag_text(call)),
            remote: echo.from().to_owned(),
            remote_tag: marks.from_tag,
            local_seq: 0,
            remote_seq: marks.cseq,
            target,
            routes: head.list("Record-Route").map(str::to_owned).collect(),
            path,
            heard_from: path,
            stage: Stage::Early,
            events: Some(events),
            record_route: record_route_lines(head),
            invite: Some(marks.key),
            asked: None,
            answer: None,
            end_after_ack: false,
            session: None,
            session_answer: SessionAnswer::None,
            peer_updates: head.lists("Allow", "UPDATE"),
            transfer: None,
            transfer_accepted: false,
            transfer_given_up: false,
            referral: None,
            placed: None,
        };
        dialog.session_answer = answer_session(head, dialog.peer_updates);
        dialog.aim(head, path);
        if self.incoming.try_send(incoming).is_err() {
            count(&self.counters.rate_limited);
            return self.unavailable(path, echo);
        }
        if let (Some(ladders), Some((call_id, tag))) = (&mut self.ladders, leg) {
            ladders.taken(&call_id, &tag, call);
        }
        count(&self.counters.calls);
        self.dialogs.insert(call, dialog);
        self.open_server(now, marks.key, path, echo, true, call);
        self.timers
            .set(now + TRYING_AFTER, Timer::Trying(marks.key));
        self.watch(now);
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the parts of one struct, each from another place"
    )]
    fn describe(
        &self,
        now: Instant,
        request: &Request,
        marks: &Marks,
        path: Path,
        call: u64,
        offer: Option<Vec<u8>>,
        events: mpsc::Receiver<CallEvent>,
    ) -> Incoming {
        let from = request.head.value("From").and_then(NameAddr::parse);
        let headers = request
            .head
            .fields()
            .take(HEADERS_SHOWN)
            .map(|(name, value)| {
                let mut value = shown(value);
                value.truncate(value.floor_char_boundary(HEADER_VALUE_SHOWN));
                (name.to_owned(), value)
            });
        Incoming {
            call: self.handle_of(call),
            call_id: shown(&marks.call_id),
            from_user: from.map(|from| shown(&user(from.uri))).unwrap_or_default(),
            from_display: from
                .and_then(|from| from.display())
                .map(|name| shown(&name)),
            from_uri: from.map(|from| shown(from.uri)).unwrap_or_default(),
            to_user: shown(&user(&request.uri)),
            to_uri: shown(&request.uri),
            headers: headers.collect(),
            offer,
            max_forwards: max_forwards(&request.head),
            leg: self.ladders.as_ref().and_then(Ladders::begun),
            source: path.peer,
            received_at: now,
            events,
        }
    }
}

/// How often a request might still have been forwarded; it was examined before, so that it is a number.
fn max_forwards(head: &Head) -> u8 {
    let hops = head.value("Max-Forwards");
    hops.map_or(MAX_FORWARDS, |hops| {
        hops.parse::<u32>()
            .map_or(MAX_FORWARDS, |hops| u8::try_from(hops).unwrap_or(u8::MAX))
    })
}

/// The SDP offer of an INVITE or UPDATE; an error is the header lines of a 415.
pub(super) fn offer_of(request: &Request) -> Result<Option<Vec<u8>>, &'static str> {
    if request.body.is_empty() {
        return Ok(None);
    }
    let encoding = request.head.value("Content-Encoding").unwrap_or("identity");
    if !encoding.eq_ignore_ascii_case("identity") {
        return Err("Accept-Encoding: identity\r\n");
    }
    let content_type = request.head.value("Content-Type").unwrap_or_default();
    match sdp_in(content_type, &request.body) {
        Some(sdp) => Ok(Some(sdp)),
        None => Err("Accept: application/sdp\r\n"),
    }
}
