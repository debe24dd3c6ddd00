//! Orders of the handles.

use std::time::Instant;

use super::super::call::{Command, Order};
use super::super::error::SipError;
use super::super::timers::Timer;
use super::dialog::{Answer, Stage};
use super::session::SessionAnswer;
use super::transaction::{ClientState, Kind};
use super::{Core, SHUTDOWN_WITHIN, STILL_RINGING_EVERY, T1, clean};

impl Core {
    /// Takes one order.
    pub(super) fn command(&mut self, now: Instant, command: Command) {
        match command {
            Command::Order { call, order, done } => {
                let result = self.order(now, call, order);
                // The handle may have stopped waiting.
                let _ = done.send(result);
            }
            Command::Reply { call, cseq, answer } => self.reply(now, call, cseq, answer),
            Command::KeyReply { transaction, saved } => self.key_reply(now, transaction, saved),
            Command::ReferReply {
                call,
                cseq,
                refusal,
            } => self.refer_reply(now, call, cseq, refusal),
            Command::Place { place, done } => {
                let placed = self.place(now, place);
                let _ = done.send(placed);
            }
            Command::Drain { done } => {
                self.draining = true;
                let _ = done.send(());
            }
            Command::Shutdown { done } => {
                self.draining = true;
                self.shutdown = Some(done);
                let calls: Vec<_> = self.dialogs.keys().copied().collect();
                for call in calls {
                    self.hang_up(now, call);
                }
                self.timers.set(now + SHUTDOWN_WITHIN, Timer::ShutdownOver);
            }
        }
    }

    fn order(&mut self, now: Instant, call: u64, order: Order) -> Result<(), SipError> {
        let dialog = self.dialogs.get_mut(&call).ok_or(SipError::CallOver)?;
        if dialog.stage == Stage::Ending {
            return Err(SipError::CallOver);
        }
        if dialog.stage == Stage::Left {
            if !matches!(order, Order::HangUp | Order::GiveUpTransfer) {
                return Err(SipError::CallOver);
            }
            self.dialogs.remove(&call);
            return Ok(());
        }
        let waiting = dialog.invite.filter(|_| dialog.stage == Stage::Early);
        let up = dialog.stage == Stage::Confirmed;
        let not_up = |action| SipError::State {
            action,
            state: "the call is not up; wait for Acked or Answered",
        };
        let not_waiting = |action| SipError::State {
            action,
            state: "the call has been answered already, or is one that we placed",
        };
        match order {
            Order::Ringing => {
                let key = waiting.ok_or(not_waiting("ring"))?;
                self.ringing(now, call, key);
            }
            Order::Answer(sdp) => {
                let key = waiting.ok_or(not_waiting("answer"))?;
                self.answer(now, call, key, &sdp);
            }
            Order::Reject(status, reason) => {
                let key = waiting.ok_or(not_waiting("refuse"))?;
                // RFC 3261 §21.5.4: a caller who is told when may come back.
                let headers = match status {
                    503 => format!("Retry-After: {}\r\n", self.config.limits.retry_after_s),
                    _ => String::new(),
                };
                self.respond(now, key, status, &reason, &headers, &[]);
                self.dialogs.remove(&call);
            }
            Order::HangUp => self.hang_up(now, call),
            Order::Refer {
                target,
                referred_by,
            } => {
                if !up {
                    return Err(not_up("transfer"));
                }
                if dialog.transfer.is_some() {
                    let state = "another transfer is under way; wait for its outcome";
                    return Err(SipError::State {
                        action: "transfer",
                        state,
                    });
                }
                let mut headers = format!("Refer-To: <{target}>\r\n");
                let path = dialog.path;
                if let Some(referrer) = referred_by {
                    let referrer = match referrer.contains(':') {
                        true => referrer,
                        false => format!("sip:{referrer}@{}", self.sent_by(path)),
                    };
                    headers += &format!("Referred-By: <{referrer}>\r\n");
                }
                let cseq = self.request_in(now, call, Kind::Refer, &headers, &[]);
                if let Some(dialog) = self.dialogs.get_mut(&call) {
                    dialog.transfer = cseq;
                    dialog.transfer_accepted = false;
                }
            }
            Order::GiveUpTransfer => {
                dialog.transfer_given_up |= dialog.transfer.take().is_some();
            }
            Order::Info { content_type, body } => {
                if !up {
                    return Err(not_up("send INFO"));
                }
                let headers = format!("Content-Type: {}\r\n", clean(&content_type));
                self.request_in(now, call, Kind::Info, &headers, &body);
            }
            Order::Notify {
                cseq,
                status,
                reason,
            } => {
                if dialog.referral != Some(cseq) {
                    let state = "the transfer was not accepted, or its outcome has been told";
                    return Err(SipError::State {
                        action: "report on the transfer",
                        state,
                    });
                }
                if status >= 200 {
                    dialog.referral = None;
                }
                self.report(now, call, cseq, status, &reason);
            }
        }
        Ok(())
    }

    fn ringing(&mut self, now: Instant, call: u64, key: u128) {
        let Some(dialog) = self.dialogs.get(&call) else {
            return;
        };
        let (path, record_route) = (dialog.heard_from, dialog.record_route.clone());
        let headers = record_route + &self.contact_line(path);
        self.respond(now, key, 180, "Ringing", &headers, &[]);
        self.timers
            .set(now + STILL_RINGING_EVERY, Timer::StillRinging(key));
    }

    fn answer(&mut self, now: Instant, call: u64, key: u128, sdp: &[u8]) {
        let Some(dialog) = self.dialogs.get_mut(&call) else {
            return;
        };
        dialog.stage = Stage::Answered;
        dialog.invite = None;
        let (path, outgoing, cseq) = (dialog.heard_from, dialog.outgoing, dialog.remote_seq);
        let mut headers = std::mem::take(&mut dialog.record_route);
        let session = std::mem::replace(&mut dialog.session_answer, SessionAnswer::None);
        headers += &self.session_lines(now, call, &session);
        headers += &self.dialog_lines(path, outgoing);
        if !sdp.is_empty() {
            headers += "Content-Type: application/sdp\r\n";
        }
        if let Some((bytes, path)) = self.respond(now, key, 200, "OK", &headers, sdp) {
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

    /// Ends a call whatever its state.
    pub(super) fn hang_up(&mut self, now: Instant, call: u64) {
        let Some(dialog) = self.dialogs.get_mut(&call) else {
            return;
        };
        match dialog.stage {
            Stage::Early => {
                if let Some(key) = dialog.invite.take() {
                    self.respond(now, key, 480, "Temporarily Unavailable", "", &[]);
                    self.dialogs.remove(&call);
                } else if let Some(placed) = &mut dialog.placed {
                    dialog.events = None;
                    dialog.stage = Stage::Ending;
                    placed.cancel_wanted = true;
                    let invite = placed.invite;
                    let responded = self
                        .clients
                        .get(&invite)
                        .is_some_and(|client| client.state == ClientState::Proceeding);
                    if responded {
                        self.send_cancel(now, call);
                    }
                }
            }
            Stage::Answered => {
                // RFC 3261 §15: the callee must not send BYE before the ACK.
                dialog.end_after_ack = true;
                dialog.events = None;
            }
            Stage::Confirmed => self.bye(now, call),
            Stage::Left => {
                self.dialogs.remove(&call);
            }
            Stage::Ending => {}
        }
    }
}
