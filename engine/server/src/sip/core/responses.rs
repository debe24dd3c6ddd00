//! Responses to our requests.

use std::time::Instant;

use super::super::call::CallEvent;
use super::super::grammar::Response;
use super::super::stats::count;
use super::super::timers::{ClientId, Timer};
use super::super::values::{NameAddr, Via, cseq, sdp_in};
use super::super::wire::{RequestHead, branch_number};
use super::dialog::Stage;
use super::transaction::{ClientState, ClientTransaction, Kind};
use super::{Core, GIVE_UP, MAX_FORWARDS, Output, Path};

impl Core {
    /// Takes a response to its request; one that belongs to none is dropped.
    pub(super) fn response(&mut self, now: Instant, response: Response, path: Path) {
        count(&self.counters.responses);
        let Some(branch) = response
            .head
            .value("Via")
            .and_then(Via::first)
            .and_then(|via| branch_number(via.branch()?))
        else {
            return count(&self.counters.malformed_dropped);
        };
        let Some((cseq, method)) = response.head.value("CSeq").and_then(cseq) else {
            return count(&self.counters.malformed_dropped);
        };
        let id = ClientId {
            branch,
            cancel: method == "CANCEL",
        };
        let Some(client) = self
            .clients
            .get_mut(&id)
            .filter(|client| client.cseq == cseq && client.kind.method() == method)
        else {
            return count(&self.counters.retransmissions);
        };
        let (kind, call) = (client.kind, client.call);
        if kind == Kind::Invite {
            return self.invite_response(now, id, call, response, path);
        }
        if response.status < 200 {
            client.state = ClientState::Proceeding;
            return;
        }
        self.clients.remove(&id);
        self.outcome(now, kind, call, cseq, &response, path);
    }

    /// The final response to a request other than INVITE.
    fn outcome(
        &mut self,
        now: Instant,
        kind: Kind,
        call: u64,
        cseq: u32,
        response: &Response,
        path: Path,
    ) {
        let status = response.status;
        match kind {
            Kind::Refresh if status < 300 => {
                let Some(session) = self.dialogs.get(&call).and_then(|dialog| dialog.session)
                else {
                    return;
                };
                if let Some(dialog) = self.dialogs.get_mut(&call) {
                    dialog.aim(&response.head, path);
                }
                self.keep_session(now, call, session.interval_s, true);
            }
            _ => self.settled(now, kind, call, cseq, status),
        }
    }

    /// A request of ours is over: the peer's final status, or 408 where none came.
    pub(super) fn settled(&mut self, now: Instant, kind: Kind, call: u64, cseq: u32, status: u16) {
        let Some(dialog) = self.dialogs.get_mut(&call) else {
            return;
        };
        match kind {
            Kind::Bye => {
                self.dialogs.remove(&call);
            }
            Kind::Refer if status >= 300 => {
                if dialog.transfer != Some(cseq) {
                    // It was given up, and never made a subscription.
                    dialog.transfer_given_up = false;
                    return;
                }
                dialog.transfer = None;
                self.tell(call, CallEvent::TransferRefused { status });
            }
            Kind::Refer if status >= 200 => {
                dialog.transfer_accepted |= dialog.transfer == Some(cseq)
            }
            // The peer knows no such subscription any more (RFC 6665 §4.2.2); the call goes on.
            Kind::Notify if status >= 300 => dialog.referral = None,
            // RFC 3261 §12.2.1.2: the dialog is gone at the other end.
            Kind::Info | Kind::Refresh if matches!(status, 408 | 481) => {
                self.tell(
                    call,
                    CallEvent::Failed(format!(
                        "the peer no longer knows the call (status {status})"
                    )),
                );
                self.bye(now, call);
            }
            Kind::Cancel
            | Kind::Refer
            | Kind::Notify
            | Kind::Info
            | Kind::Refresh
            | Kind::Invite => {}
        }
    }

    fn invite_response(
        &mut self,
        now: Instant,
        id: ClientId,
        call: u64,
        response: Response,
        path: Path,
    ) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        match response.status {
            100..200 => {
                if client.state == ClientState::Completed {
                    return;
                }
                let first = client.state == ClientState::Calling;
                client.state = ClientState::Proceeding;
                let cancel = self
                    .dialogs
                    .get(&call)
                    .and_then(|dialog| dialog.placed.as_ref())
                    .is_some_and(|placed| placed.cancel_wanted);
                if cancel && first {
                    self.send_cancel(now, call);
                } else if response.status >= 180 {
                    let sdp = body_sdp(&response);
                    self.tell(
                        call,
                        CallEvent::Ringing {
                            status: response.status,
                            sdp,
                        },
                    );
                }
            }
            200..300 => {
                if client.state != ClientState::Completed {
                    client.state = ClientState::Completed;
                    // Timer M: forks and repetitions of the 200 are still ours to acknowledge.
                    self.timers.set(now + GIVE_UP, Timer::ForgetClient(id));
                }
                self.answered(now, id, call, &response, path);
            }
            _ => self.refused(now, id, call, &response),
        }
    }

    /// 200 to our INVITE.
    fn answered(&mut self, now: Instant, id: ClientId, call: u64, response: &Response, path: Path) {
        let Some(to) = response.head.value("To") else {
            return count(&self.counters.malformed_dropped);
        };
        let tag = NameAddr::parse(to)
            .and_then(|to| to.tag())
            .unwrap_or_default();
        if let Some(ack) = self.clients.get(&id).and_then(|client| client.ack.clone()) {
            if self
                .dialogs
                .get(&call)
                .is_some_and(|dialog| dialog.remote_tag != tag)
            {
                return self.end_fork(now, call, response, path);
            }
            count(&self.counters.retransmissions);
            return self.out.push(ack);
        }
        let Some(dialog) = self.dialogs.get_mut(&call) else {
            return;
        };
        let Some(placed) = &dialog.placed else { return };
        let unwanted = placed.cancel_wanted;
        dialog.remote_tag = tag.to_owned();
        dialog.remote = to.to_owned();
        dialog.routes = response
            .head
            .list("Record-Route")
            .map(str::to_owned)
            .collect();
        dialog.routes.reverse();
        dialog.peer_updates = response.head.lists("Allow", "UPDATE");
        dialog.stage = Stage::Confirmed;
        dialog.aim(&response.head, path);
        let ack = self.ack_for(call);
        self.out.extend(ack.clone());
        if let Some(client) = self.clients.get_mut(&id) {
            client.ack = ack;
        }
        if unwanted {
            // The answer and our CANCEL crossed.
            return self.bye(now, call);
        }
        let sdp = body_sdp(response).unwrap_or_default();
        if !self.tell(call, CallEvent::Answered { sdp }) {
            self.bye(now, call);
        }
    }

    /// The ACK of the 200, a request of its own (RFC 3261 §13.2.2.4).
    fn ack_for(&mut self, call: u64) -> Option<Output> {
        let path = self.dialogs.get(&call)?.path;
        let sent_by = self.sent_by(path);
        let branch = self.ids.fresh();
        let dialog = self.dialogs.get(&call)?;
        let head = RequestHead {
            method: "ACK",
            uri: &dialog.target,
            tcp: path.tcp,
            sent_by: &sent_by,
            branch,
            routes: &dialog.routes,
            from: &dialog.local,
            to: &dialog.remote,
            call_id: &dialog.call_id,
            cseq: 1,
            max_forwards: MAX_FORWARDS,
        };
        Some(Output {
            path,
            bytes: head.request("", &[]),
        })
    }

    /// A second branch of a forked call answered too: it is acknowledged and ended (RFC 3261 §13.2.2.4).
    fn end_fork(&mut self, now: Instant, call: u64, response: &Response, path: Path) {
        let sent_by = self.sent_by(path);
        let (ack_branch, branch) = (self.ids.fresh(), self.ids.fresh());
        let Some(dialog) = self.dialogs.get(&call) else {
            return;
        };
        let Some(to) = response.head.value("To") else {
            return;
        };
        let target = response
            .head
            .list("Contact")
            .next()
            .and_then(NameAddr::parse);
        let mut routes: Vec<_> = response
            .head
            .list("Record-Route")
            .map(str::to_owned)
            .collect();
        routes.reverse();
        let head = RequestHead {
            method: "ACK",
            uri: target.map_or(dialog.target.as_str(), |contact| contact.uri),
            tcp: path.tcp,
            sent_by: &sent_by,
            branch: ack_branch,
            routes: &routes,
            from: &dialog.local,
            to,
            call_id: &dialog.call_id,
            cseq: 1,
            max_forwards: MAX_FORWARDS,
        };
        let ack = head.request("", &[]);
        let bye = RequestHead {
            method: "BYE",
            branch,
            cseq: 2,
            max_forwards: MAX_FORWARDS,
            ..head
        }
        .request("", &[]);
        self.out.push(Output { path, bytes: ack });
        // Belongs to no dialog that we keep: 0 is none.
        let client = ClientTransaction::new(Kind::Bye, path, 0, 2, bye);
        self.open_client(
            now,
            ClientId {
                branch,
                cancel: false,
            },
            client,
        );
    }

    fn refused(&mut self, now: Instant, id: ClientId, call: u64, response: &Response) {
        let Some(client) = self.clients.get(&id) else {
            return;
        };
        let path = client.path;
        if client.state == ClientState::Completed {
            count(&self.counters.retransmissions);
            return self.out.extend(client.ack.clone());
        }
        let sent_by = self.sent_by(path);
        let Some(dialog) = self.dialogs.get(&call) else {
            return;
        };
        let Some(placed) = &dialog.placed else { return };
        // RFC 3261 §17.1.1.3: the branch of the INVITE, the To of the response.
        let ack = RequestHead {
            method: "ACK",
            uri: &placed.uri,
            tcp: path.tcp,
            sent_by: &sent_by,
            branch: id.branch,
            routes: &[],
            from: &dialog.local,
            to: response.head.value("To").unwrap_or(&placed.to),
            call_id: &dialog.call_id,
            cseq: 1,
            max_forwards: MAX_FORWARDS,
        };
        let ack = Output {
            path,
            bytes: ack.request("", &[]),
        };
        self.out.push(ack.clone());
        if let Some(client) = self.clients.get_mut(&id) {
            client.state = ClientState::Completed;
            client.ack = Some(ack);
            self.timers.set(now + GIVE_UP, Timer::ForgetClient(id));
        }
        let reason = super::examine::shown(&response.reason);
        self.finish(
            call,
            CallEvent::Refused {
                status: response.status,
                reason,
            },
        );
    }
}

fn body_sdp(response: &Response) -> Option<Vec<u8>> {
    if response.body.is_empty() {
        return None;
    }
    sdp_in(
        response.head.value("Content-Type").unwrap_or_default(),
        &response.body,
    )
}
