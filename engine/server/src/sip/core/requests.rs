//! Requests of peers.

use std::time::Instant;

use super::super::call::CallEvent;
use super::super::grammar::{self, Method, Request};
use super::super::stats::count;
use super::super::values::{NameAddr, Via, cseq, sdp_in};
use super::super::wire::{Echo, hex_number, tag_text};
use super::dialog::Stage;
use super::in_dialog::{InDialog, options_lines};
use super::transaction::ServerState;
use super::{ALLOW_OUTSIDE, Core, Path, SUPPORTED};

/// What tells one request from another.
#[derive(Debug)]
pub(super) struct Marks {
    /// Its transaction.
    pub(super) key: u128,
    /// The transaction of the INVITE that it acknowledges or cancels.
    invite_key: u128,
    pub(super) call_id: String,
    pub(super) cseq: u32,
    pub(super) from_tag: String,
    to_tag: Option<String>,
}

impl Core {
    /// Takes a request: ACK and CANCEL to their INVITE, repetitions to their response, the rest to a dialog or to a new
    /// one.
    pub(super) fn request(&mut self, now: Instant, request: Request, path: Path) {
        self.counters.request(grammar::method_name(request.method));
        let Some(echo) = Echo::of_request(&request) else {
            count(&self.counters.malformed_dropped);
            return;
        };
        let marks = match self.marks(&request) {
            Ok(marks) => marks,
            Err(_) if request.method == Method::Ack => {
                return count(&self.counters.malformed_dropped);
            }
            Err(reason) => {
                count(&self.counters.malformed_answered);
                return self.answer_once(path, echo, 400, reason, "");
            }
        };
        match request.method {
            Method::Ack => return self.ack(now, &request, &marks),
            Method::Cancel => return self.cancel(now, &marks, echo, path),
            _ if self.servers.contains_key(&marks.key) => {
                count(&self.counters.retransmissions);
                return self.repeat_response(marks.key);
            }
            _ => {}
        }
        // RFC 3261 §8.2.2.3.
        let unknown: Vec<_> = request
            .head
            .list("Require")
            .filter(|tag| !tag.eq_ignore_ascii_case(SUPPORTED))
            .collect();
        if !unknown.is_empty() {
            let headers = format!("Unsupported: {}\r\n", unknown.join(", "));
            return self.answer_once(path, echo, 420, "Bad Extension", &headers);
        }
        match &marks.to_tag {
            Some(tag) => match self.dialog_of(tag, &marks) {
                Some(call) => self.in_dialog(
                    now,
                    InDialog {
                        call,
                        marks,
                        request,
                        echo,
                        path,
                    },
                ),
                None => self.answer_once(path, echo, 481, "Call/Transaction Does Not Exist", ""),
            },
            None => self.out_of_dialog(now, request, marks, echo, path),
        }
    }

    fn marks(&self, request: &Request) -> Result<Marks, &'static str> {
        for name in [
            "From",
            "To",
            "Call-ID",
            "CSeq",
            "Max-Forwards",
            "Content-Length",
            "Content-Type",
        ] {
            if request.head.values(name).count() > 1 {
                return Err("Repeated Header");
            }
        }
        let via = request
            .head
            .value("Via")
            .and_then(Via::first)
            .ok_or("Bad Via")?;
        let call_id = request.head.value("Call-ID").ok_or("Missing Call-ID")?;
        let (cseq, method) = request
            .head
            .value("CSeq")
            .and_then(cseq)
            .ok_or("Bad CSeq")?;
        if method != grammar::method_name(request.method) {
            return Err("CSeq Method Differs");
        }
        let from = request
            .head
            .value("From")
            .and_then(NameAddr::parse)
            .ok_or("Bad From")?;
        let to = request
            .head
            .value("To")
            .and_then(NameAddr::parse)
            .ok_or("Bad To")?;
        if request
            .head
            .value("Max-Forwards")
            .is_some_and(|hops| hops.parse::<u32>().is_err())
        {
            return Err("Bad Max-Forwards");
        }
        // RFC 2543 callers have no tag, and no branch that is unique: the other marks make up for it (§17.2.3).
        let from_tag = from.tag().unwrap_or_default();
        let number = cseq.to_string();
        let port = via.port.map_or_else(String::new, |port| port.to_string());
        let branch = via.branch().unwrap_or_default();
        let key_for = |method| {
            self.ids
                .wide(&[branch, via.host, &port, call_id, &number, from_tag, method])
        };
        Ok(Marks {
            key: key_for(method),
            invite_key: key_for("INVITE"),
            call_id: call_id.to_owned(),
            cseq,
            from_tag: from_tag.to_owned(),
            to_tag: to.tag().map(str::to_owned),
        })
    }

    fn dialog_of(&self, tag: &str, marks: &Marks) -> Option<u64> {
        let call = hex_number(tag)?;
        self.dialogs
            .get(&call)?
            .matches(&marks.call_id, &marks.from_tag)
            .then_some(call)
    }

    fn ack(&mut self, now: Instant, request: &Request, marks: &Marks) {
        if self
            .servers
            .get(&marks.invite_key)
            .is_some_and(|server| server.state != ServerState::Accepted)
        {
            return self.refusal_acknowledged(now, marks.invite_key);
        }
        let Some(call) = marks
            .to_tag
            .as_deref()
            .and_then(|tag| self.dialog_of(tag, marks))
        else {
            return;
        };
        let Some(dialog) = self.dialogs.get_mut(&call) else {
            return;
        };
        if dialog
            .answer
            .as_ref()
            .is_none_or(|answer| answer.cseq != marks.cseq)
        {
            return count(&self.counters.retransmissions);
        }
        dialog.answer = None;
        let first = dialog.stage == Stage::Answered;
        if first {
            dialog.stage = Stage::Confirmed;
        }
        if dialog.end_after_ack {
            return self.bye(now, call);
        }
        let sdp = (!request.body.is_empty())
            .then(|| {
                sdp_in(
                    request.head.value("Content-Type").unwrap_or_default(),
                    &request.body,
                )
            })
            .flatten();
        if first || sdp.is_some() {
            self.tell(call, CallEvent::Acked { sdp });
        }
    }

    /// RFC 3261 §9.2.
    fn cancel(&mut self, now: Instant, marks: &Marks, mut echo: Echo, path: Path) {
        let Some(server) = self
            .servers
            .get(&marks.invite_key)
            .filter(|server| server.invite)
        else {
            return self.answer_once(path, echo, 481, "Call/Transaction Does Not Exist", "");
        };
        let (call, pending) = (server.tag, server.state == ServerState::Proceeding);
        let path = self.reply_path(path, &mut echo);
        let bytes = echo.response(200, "OK", Some(&tag_text(call)), "", &[]);
        self.out.push(super::Output { path, bytes });
        if !pending {
            return;
        }
        self.respond(now, marks.invite_key, 487, "Request Terminated", "", &[]);
        let Some(dialog) = self.dialogs.get_mut(&call) else {
            return;
        };
        if dialog.invite == Some(marks.invite_key) {
            self.finish(call, CallEvent::Cancelled);
        } else if dialog
            .asked
            .as_ref()
            .is_some_and(|asked| asked.key == marks.invite_key)
        {
            dialog.asked = None;
        }
    }

    fn out_of_dialog(
        &mut self,
        now: Instant,
        request: Request,
        marks: Marks,
        echo: Echo,
        path: Path,
    ) {
        match request.method {
            Method::Invite => self.invite(now, &request, marks, echo, path),
            Method::Options if self.draining => self.unavailable(path, echo),
            Method::Options => {
                let headers = options_lines(ALLOW_OUTSIDE);
                self.answer_once(path, echo, 200, "OK", &headers);
            }
            Method::Bye | Method::Info | Method::Update | Method::Notify | Method::PRack => {
                self.answer_once(path, echo, 481, "Call/Transaction Does Not Exist", "");
            }
            _ => self.answer_once(
                path,
                echo,
                405,
                "Method Not Allowed",
                &format!("Allow: {ALLOW_OUTSIDE}\r\n"),
            ),
        }
    }
}
