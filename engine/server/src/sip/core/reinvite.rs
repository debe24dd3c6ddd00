//! Changes of a call that is up: re-INVITE (RFC 3261 §14), UPDATE (RFC 3311), REFER to us; all wait for the owner.

use std::time::Instant;

use super::super::call::{CallEvent, ReferReply, Reply};
use super::super::timers::Timer;
use super::dialog::{Answer, Asked, AskedFor, Stage};
use super::in_dialog::InDialog;
use super::incoming::offer_of;
use super::session::{MIN_SE_S, SessionAnswer, answer_session};
use super::transaction::Kind;
use super::{Core, GIVE_UP, REPLY_WITHIN, T1};

impl Reply {
    /// The same promise for a REFER.
    pub(super) fn into_refer(mut self) -> ReferReply {
        self.used = true;
        ReferReply {
            call: self.call,
            cseq: self.cseq,
            commands: self.commands.clone(),
            used: false,
        }
    }
}

impl Core {
    /// A re-INVITE.
    pub(super) fn reinvite(&mut self, now: Instant, received: InDialog) {
        let Some(dialog) = self.dialogs.get(&received.call) else {
            return;
        };
        let early = dialog.stage == Stage::Early;
        if early && !dialog.outgoing {
            // RFC 3261 §14.2: the first INVITE is not answered yet.
            return self.answer_once(received.path, received.echo, 500, "", "Retry-After: 3\r\n");
        }
        if early || dialog.answer.is_some() || dialog.asked.is_some() {
            return self.answer_once(received.path, received.echo, 491, "Request Pending", "");
        }
        self.offered(now, received, AskedFor::Reinvite);
    }

    /// An UPDATE: a session refresh is answered at once, a new offer is the owner's.
    pub(super) fn update(&mut self, now: Instant, received: InDialog) {
        let Some(dialog) = self.dialogs.get_mut(&received.call) else {
            return;
        };
        if received.request.body.is_empty() {
            let answer = answer_session(&received.request.head, dialog.peer_updates);
            if answer == SessionAnswer::TooShort {
                let headers = format!("Min-SE: {MIN_SE_S}\r\n");
                return self.answer_in(now, received, 422, "Session Interval Too Small", &headers);
            }
            dialog.aim(&received.request.head, received.path);
            let call = received.call;
            let headers = self.session_lines(now, call, &answer);
            let headers = headers + &self.contact_line(received.path);
            return self.answer_in(now, received, 200, "", &headers);
        }
        if dialog.stage == Stage::Early || dialog.asked.is_some() {
            // RFC 3311 §5.2: an offer is open already.
            return self.answer_in(now, received, 500, "", "Retry-After: 3\r\n");
        }
        if dialog.answer.is_some() {
            return self.answer_in(now, received, 491, "Request Pending", "");
        }
        self.offered(now, received, AskedFor::Update);
    }

    fn offered(&mut self, now: Instant, received: InDialog, what: AskedFor) {
        let Some(dialog) = self.dialogs.get_mut(&received.call) else {
            return;
        };
        let head = &received.request.head;
        let offer = match offer_of(&received.request) {
            Ok(offer) => offer,
            Err(headers) => {
                return self.answer_once(
                    received.path,
                    received.echo,
                    415,
                    "Unsupported Media Type",
                    headers,
                );
            }
        };
        let session = answer_session(head, dialog.peer_updates);
        if session == SessionAnswer::TooShort {
            let headers = format!("Min-SE: {MIN_SE_S}\r\n");
            return self.answer_once(
                received.path,
                received.echo,
                422,
                "Session Interval Too Small",
                &headers,
            );
        }
        dialog.aim(head, received.path);
        dialog.session_answer = session;
        self.ask(now, received, what, |reply| CallEvent::Reinvite {
            offer,
            reply,
        });
    }

    /// Leaves the request to the owner, who has ten seconds.
    pub(super) fn ask(
        &mut self,
        now: Instant,
        received: InDialog,
        what: AskedFor,
        event: impl FnOnce(Reply) -> CallEvent,
    ) {
        let InDialog {
            call,
            marks,
            echo,
            path,
            ..
        } = received;
        let Some(dialog) = self.dialogs.get_mut(&call) else {
            return;
        };
        if dialog.asked.is_some() {
            return self.answer_once(path, echo, 491, "Request Pending", "");
        }
        dialog.asked = Some(Asked {
            key: marks.key,
            cseq: marks.cseq,
            what,
        });
        self.open_server(now, marks.key, path, echo, what == AskedFor::Reinvite, call);
        let reply = Reply {
            call,
            cseq: marks.cseq,
            commands: self.commands.clone(),
            used: false,
        };
        if self.tell(call, event(reply)) {
            self.timers
                .set(now + REPLY_WITHIN, Timer::NoReply(call, marks.cseq));
        } else {
            self.refuse_asked(now, call, marks.cseq, 500);
        }
    }

    /// The owner answers a re-INVITE or UPDATE.
    pub(super) fn reply(
        &mut self,
        now: Instant,
        call: u64,
        cseq: u32,
        answer: Result<Vec<u8>, u16>,
    ) {
        let sdp = match answer {
            Ok(sdp) => sdp,
            Err(status) => return self.refuse_asked(now, call, cseq, status),
        };
        let Some(asked) = self.take_asked(call, cseq) else {
            return;
        };
        let Some(dialog) = self.dialogs.get_mut(&call) else {
            return;
        };
        let (path, outgoing) = (dialog.heard_from, dialog.outgoing);
        let session = std::mem::replace(&mut dialog.session_answer, SessionAnswer::None);
        let mut headers = self.session_lines(now, call, &session);
        headers += &self.dialog_lines(path, outgoing);
        headers += "Content-Type: application/sdp\r\n";
        let Some((bytes, path)) = self.respond(now, asked.key, 200, "", &headers, &sdp) else {
            return;
        };
        if asked.what == AskedFor::Reinvite {
            self.repeat_until_ack(
                now,
                call,
                Answer {
                    cseq,
                    bytes,
                    path,
                    pause: T1,
                },
            );
        }
    }

    /// The owner answers a REFER.
    pub(super) fn refer_reply(&mut self, now: Instant, call: u64, cseq: u32, refusal: Option<u16>) {
        if let Some(status) = refusal {
            return self.refuse_asked(now, call, cseq, status);
        }
        let Some(asked) = self.take_asked(call, cseq) else {
            return;
        };
        let Some(dialog) = self.dialogs.get_mut(&call) else {
            return;
        };
        dialog.referral = Some(cseq);
        let path = dialog.heard_from;
        let contact = self.contact_line(path);
        self.respond(now, asked.key, 202, "Accepted", &contact, &[]);
        self.report(now, call, cseq, 100, "Trying");
    }

    /// NOTIFY about the peer's REFER (RFC 3515 §2.4.5).
    pub(super) fn report(&mut self, now: Instant, call: u64, cseq: u32, status: u16, reason: &str) {
        let state = if status < 200 {
            "active;expires=60"
        } else {
            "terminated;reason=noresource"
        };
        let headers = format!(
            "Event: refer;id={cseq}\r\nSubscription-State: {state}\r\nContent-Type: message/sipfrag;version=2.0\r\n"
        );
        let body = format!("SIP/2.0 {status} {}\r\n", super::clean(reason));
        self.request_in(now, call, Kind::Notify, &headers, body.as_bytes());
    }

    /// Refuses what the owner was asked.
    pub(super) fn refuse_asked(&mut self, now: Instant, call: u64, cseq: u32, status: u16) {
        if let Some(asked) = self.take_asked(call, cseq) {
            self.respond(now, asked.key, status, "", "", &[]);
        }
    }

    fn take_asked(&mut self, call: u64, cseq: u32) -> Option<Asked> {
        let dialog = self.dialogs.get_mut(&call)?;
        dialog.asked.take_if(|asked| asked.cseq == cseq)
    }

    /// Repeats our 200 until its ACK, at most for 64·T1 (RFC 3261 §13.3.1.4).
    pub(super) fn repeat_until_ack(&mut self, now: Instant, call: u64, answer: Answer) {
        let Some(dialog) = self.dialogs.get_mut(&call) else {
            return;
        };
        let cseq = answer.cseq;
        dialog.answer = Some(answer);
        self.timers.set(now + T1, Timer::RepeatAnswer(call, cseq));
        self.timers.set(now + GIVE_UP, Timer::NoAck(call, cseq));
    }

    /// Header lines about the agreed session, whose clock starts.
    pub(super) fn session_lines(
        &mut self,
        now: Instant,
        call: u64,
        answer: &SessionAnswer,
    ) -> String {
        match answer {
            SessionAnswer::Agreed {
                headers,
                interval_s,
                ours,
            } => {
                self.keep_session(now, call, *interval_s, *ours);
                headers.clone()
            }
            SessionAnswer::None | SessionAnswer::TooShort => String::new(),
        }
    }
}
