//! Requests inside a dialog.

use std::time::Instant;

use strowger_voice::dtmf::{InfoError, key_of_info};

use super::super::call::{CallEvent, KeyReply};
use super::super::examine::shown;
use super::super::grammar::{Method, Request};
use super::super::stats::count;
use super::super::timers::Timer;
use super::super::values::{NameAddr, media_type, param};
use super::super::wire::Echo;
use super::dialog::{AskedFor, Stage};
use super::requests::Marks;
use super::{ACCEPT, ALLOW, ALLOW_CALLEE, Core, KEY_REPLY_WITHIN, Path, SUPPORTED};

/// A request inside a dialog, on its way to the one that handles its method.
#[derive(Debug)]
pub(super) struct InDialog {
    pub(super) call: u64,
    pub(super) marks: Marks,
    pub(super) request: Request,
    pub(super) echo: Echo,
    pub(super) path: Path,
}

impl Core {
    /// Takes a request to the one that handles its method.
    pub(super) fn in_dialog(&mut self, now: Instant, received: InDialog) {
        let InDialog {
            call,
            marks,
            request,
            echo,
            path,
        } = received;
        let Some(dialog) = self.dialogs.get_mut(&call) else {
            return;
        };
        if marks.cseq < dialog.remote_seq {
            return self.answer_once(path, echo, 500, "CSeq Out Of Order", "");
        }
        dialog.remote_seq = marks.cseq;
        dialog.heard(path);
        let outgoing = dialog.outgoing;
        let over = match dialog.stage {
            Stage::Ending => request.method != Method::Bye,
            Stage::Left => request.method != Method::Notify,
            _ => false,
        };
        if over {
            return self.answer_once(path, echo, 481, "Call/Transaction Does Not Exist", "");
        }
        let received = InDialog {
            call,
            marks,
            request,
            echo,
            path,
        };
        match received.request.method {
            Method::Bye => self.peer_bye(now, received),
            Method::Invite => self.reinvite(now, received),
            Method::Update => self.update(now, received),
            Method::Refer if outgoing => self.refer_asked(now, received),
            Method::Notify => self.notify(now, received),
            Method::Info => self.info(now, received),
            Method::Message => self.message(now, received),
            Method::Options => {
                let headers = options_lines(allow(outgoing));
                self.answer_in(now, received, 200, "", &headers);
            }
            _ => {
                self.answer_once(
                    path,
                    received.echo,
                    405,
                    "Method Not Allowed",
                    &format!("Allow: {}\r\n", allow(outgoing)),
                );
            }
        }
    }

    /// Opens a transaction for a request in a dialog and answers it at once.
    pub(super) fn answer_in(
        &mut self,
        now: Instant,
        received: InDialog,
        status: u16,
        reason: &str,
        headers: &str,
    ) {
        let InDialog {
            call,
            marks,
            echo,
            path,
            ..
        } = received;
        self.open_server(now, marks.key, path, echo, false, call);
        self.respond(now, marks.key, status, reason, headers, &[]);
    }

    fn peer_bye(&mut self, now: Instant, received: InDialog) {
        let call = received.call;
        self.answer_in(now, received, 200, "", "");
        let Some(dialog) = self.dialogs.get_mut(&call) else {
            return;
        };
        let pending = [
            dialog.invite.take(),
            dialog.asked.take().map(|asked| asked.key),
        ];
        let follows = dialog.transfer.is_some() && dialog.transfer_accepted;
        if follows {
            dialog.stage = Stage::Left;
            dialog.answer = None;
            dialog.session = None;
        }
        for key in pending.into_iter().flatten() {
            self.respond(now, key, 487, "Request Terminated", "", &[]);
        }
        // An owner that cannot be told hears of the end alone.
        if !(follows && self.tell(call, CallEvent::Left)) {
            self.finish(call, CallEvent::Bye);
        }
    }

    /// INFO, before the answer too (RFC 6086 §3). What carries no key is refused, so that its sender does not believe
    /// that it was heard.
    fn info(&mut self, now: Instant, received: InDialog) {
        let head = &received.request.head;
        let content_type = media_type(head.value("Content-Type").unwrap_or_default());
        if head.value("Info-Package").is_some() {
            count(&self.counters.info_refused);
            // RFC 6086 §4.2.2: an empty Recv-Info names the packages that we take.
            return self.answer_in(now, received, 469, "Bad Info Package", "Recv-Info:\r\n");
        }
        if content_type.is_empty() && received.request.body.is_empty() {
            // Some use it to see whether the call is still there.
            return self.answer_in(now, received, 200, "", "");
        }
        match key_of_info(&content_type, &received.request.body) {
            Ok(key) => self.key(now, received, key),
            Err(error) => {
                count(&self.counters.info_refused);
                tracing::debug!(call = received.call, "INFO refused: {error}");
                match error {
                    InfoError::ContentType(_) => {
                        let accept = "Accept: application/dtmf-relay, application/dtmf\r\n";
                        self.answer_in(now, received, 415, "Unsupported Media Type", accept);
                    }
                    InfoError::NoSignal | InfoError::UnknownSignal(_) => {
                        self.answer_in(now, received, 400, "No Such Key", "");
                    }
                }
            }
        }
    }

    /// Hands a key to the owner, who answers when it is not lost any more. Repetitions of the INFO wait for that, and the key
    /// is told once.
    fn key(&mut self, now: Instant, received: InDialog, key: char) {
        let transaction = received.marks.key;
        let commands = self.commands.clone();
        let reply = KeyReply {
            transaction,
            commands,
        };
        if !self.tell(received.call, CallEvent::Key { key, reply }) {
            return self.answer_in(now, received, 503, "", "Retry-After: 1\r\n");
        }
        let InDialog {
            call, echo, path, ..
        } = received;
        self.open_server(now, transaction, path, echo, false, call);
        self.timers
            .set(now + KEY_REPLY_WITHIN, Timer::NoKeyReply(transaction));
    }

    /// The owner answers a key, or has not in time.
    pub(super) fn key_reply(&mut self, now: Instant, transaction: u128, saved: bool) {
        let (status, reason) = match saved {
            true => (200, ""),
            false => (500, "Not Saved"),
        };
        self.respond(now, transaction, status, reason, "", &[]);
    }

    fn message(&mut self, now: Instant, mut received: InDialog) {
        let head = &received.request.head;
        let content_type = media_type(head.value("Content-Type").unwrap_or_default());
        let body = std::mem::take(&mut received.request.body);
        self.told_to_owner(now, received, CallEvent::Message { content_type, body });
    }

    fn told_to_owner(&mut self, now: Instant, received: InDialog, event: CallEvent) {
        if self.tell(received.call, event) {
            self.answer_in(now, received, 200, "", "");
        } else {
            self.answer_in(now, received, 503, "", "Retry-After: 1\r\n");
        }
    }

    /// Progress of our REFER (RFC 3515 §2.4.4).
    fn notify(&mut self, now: Instant, received: InDialog) {
        let head = &received.request.head;
        let event = head.value("Event").unwrap_or_default();
        let (package, params) = event.split_once(';').unwrap_or((event, ""));
        let Some(dialog) = self.dialogs.get_mut(&received.call) else {
            return;
        };
        let id = param(params, "id").and_then(|id| id.parse::<u32>().ok());
        // Without a number it is about the first REFER (RFC 3515 §2.4.6): one that was given up, if there is such.
        let given_up = id.is_none() && std::mem::take(&mut dialog.transfer_given_up);
        let ours = dialog
            .transfer
            .filter(|cseq| id.is_none_or(|id| id == *cseq) && !given_up);
        if !package.trim().eq_ignore_ascii_case("refer") || ours.is_none() {
            // The subscription ends with this answer (RFC 6665 §4.2.2).
            return self.answer_in(now, received, 481, "Subscription Does Not Exist", "");
        }
        let state = head.value("Subscription-State").unwrap_or_default();
        let terminated = media_type(state) == "terminated";
        let line = received
            .request
            .body
            .split(|byte| *byte == b'\n')
            .next()
            .unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        let mut parts = line.trim().splitn(3, ' ');
        let progress = match (
            parts.next(),
            parts.next().and_then(|status| status.parse::<u16>().ok()),
        ) {
            (Some("SIP/2.0"), Some(status)) if (100..=699).contains(&status) => {
                Some((status, parts.next().unwrap_or_default().to_owned()))
            }
            _ => None,
        };
        // A body without a status line breaks RFC 3515 §2.4.5. It says nothing about the transfer, good or bad, and the
        // subscription goes on; so it is refused and counted, and the outcome is still awaited.
        if progress.is_none() && !terminated && !received.request.body.is_empty() {
            count(&self.counters.malformed_answered);
            let content_type = media_type(head.value("Content-Type").unwrap_or_default());
            return match content_type == "message/sipfrag" {
                true => self.answer_in(now, received, 400, "No Status Line", ""),
                false => {
                    let accept = "Accept: message/sipfrag\r\n";
                    self.answer_in(now, received, 415, "Unsupported Media Type", accept)
                }
            };
        }
        let last = terminated || progress.as_ref().is_some_and(|(status, _)| *status >= 200);
        // It may overtake the 202.
        dialog.transfer_accepted = true;
        let over = last && dialog.stage == Stage::Left;
        if last {
            dialog.transfer = None;
        }
        // A subscription that ends without a status leaves the outcome unknown; RFC 3515 §2.4.5 has 100 for that.
        if last || progress.is_some() {
            let (status, reason) = progress.unwrap_or((100, "Unknown Outcome".to_owned()));
            self.tell(
                received.call,
                CallEvent::TransferProgress {
                    status,
                    reason,
                    last,
                },
            );
        }
        let call = received.call;
        self.answer_in(now, received, 200, "", "");
        if over {
            self.dialogs.remove(&call);
        }
    }

    /// A REFER for us to follow.
    fn refer_asked(&mut self, now: Instant, received: InDialog) {
        let head = &received.request.head;
        let target = head
            .value("Refer-To")
            .and_then(NameAddr::parse)
            .map(|refer_to| refer_to.uri.to_owned());
        let Some(target) = target.filter(|_| head.values("Refer-To").count() == 1) else {
            return self.answer_in(now, received, 400, "Bad Refer-To", "");
        };
        let referred_by = head.value("Referred-By").map(shown);
        self.ask(now, received, AskedFor::Refer, |reply| CallEvent::Refer {
            target,
            referred_by,
            reply: reply.into_refer(),
        });
    }
}

/// What the other side of a call may use in it.
pub(super) fn allow(outgoing: bool) -> &'static str {
    if outgoing { ALLOW_CALLEE } else { ALLOW }
}

/// What an OPTIONS is told (RFC 3261 §11.2).
pub(super) fn options_lines(allow: &str) -> String {
    format!(
        "Allow: {allow}\r\nAccept: {ACCEPT}\r\nAccept-Encoding: identity\r\nSupported: {SUPPORTED}\r\n"
    )
}
