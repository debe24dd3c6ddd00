//! What happens when nothing happens.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::time::Instant;

use super::super::call::CallEvent;
use super::super::timers::{ClientId, Timer};
use super::dialog::Stage;
use super::transaction::{ClientState, Kind, ServerState};
use super::{Core, Output, STILL_RINGING_EVERY, SWEEP_EVERY, T2};

impl Core {
    /// Does what is due.
    pub(super) fn due(&mut self, now: Instant, timer: Timer) {
        match timer {
            Timer::Trying(key) => self.trying(now, key),
            Timer::StillRinging(key) => {
                if self
                    .servers
                    .get(&key)
                    .is_some_and(|server| server.state == ServerState::Proceeding)
                {
                    self.repeat_response(key);
                    self.timers
                        .set(now + STILL_RINGING_EVERY, Timer::StillRinging(key));
                }
            }
            Timer::RepeatRefusal(key) => self.repeat_refusal(now, key),
            Timer::ForgetServer(key) => {
                // A call that rings for longer than 32 s keeps its transaction.
                let waiting = |server: &super::ServerTransaction| {
                    server.invite && server.state == ServerState::Proceeding
                };
                if !self.servers.get(&key).is_some_and(waiting) {
                    self.servers.remove(&key);
                }
            }
            Timer::RepeatRequest(id) => self.repeat_request(now, id),
            Timer::NoResponse(id) => self.no_response(now, id),
            Timer::CancelOver(id) => self.give_up(now, id, 487, "Request Terminated"),
            Timer::ForgetClient(id) => {
                self.clients.remove(&id);
            }
            Timer::RepeatAnswer(call, cseq) => self.repeat_answer(now, call, cseq),
            Timer::NoAck(call, cseq) => self.no_ack(now, call, cseq),
            Timer::NoReply(call, cseq) => self.refuse_asked(now, call, cseq, 500),
            Timer::NoKeyReply(key) => self.key_reply(now, key, false),
            Timer::Session(call, generation) => self.session_due(now, call, generation),
            Timer::Sweep => self.sweep(now),
            Timer::ShutdownOver => self.dialogs.clear(),
        }
    }

    /// A connection is gone: requests that wait for a response on it get none.
    pub(super) fn disconnected(&mut self, now: Instant, connection: u64, peer: SocketAddr) {
        let lost = |client: &super::ClientTransaction| {
            let on_it = connection != 0 && client.path.connection == connection;
            client.path.tcp
                && (on_it || client.path.peer == peer)
                && client.state != ClientState::Completed
        };
        let lost: Vec<_> = self
            .clients
            .iter()
            .filter(|(_, client)| lost(client))
            .map(|(id, _)| *id)
            .collect();
        for id in lost {
            self.give_up(now, id, 503, "Connection Failed");
        }
        for dialog in self
            .dialogs
            .values_mut()
            .filter(|dialog| connection != 0 && dialog.path.connection == connection)
        {
            // The next request opens a connection to the peer's Contact.
            dialog.path.connection = 0;
        }
    }

    fn trying(&mut self, now: Instant, key: u128) {
        let unanswered = |server: &super::ServerTransaction| {
            server.state == ServerState::Proceeding && server.is_silent()
        };
        if self.servers.get(&key).is_some_and(unanswered) {
            self.respond(now, key, 100, "Trying", "", &[]);
        }
    }

    /// Timers B and F.
    fn no_response(&mut self, now: Instant, id: ClientId) {
        let Some(client) = self.clients.get(&id) else {
            return;
        };
        match (client.kind, client.state) {
            (Kind::Invite, ClientState::Calling) => self.give_up(now, id, 408, "Request Timeout"),
            (Kind::Invite, _) => {}
            _ => self.give_up(now, id, 408, "Request Timeout"),
        }
    }

    fn give_up(&mut self, now: Instant, id: ClientId, status: u16, reason: &str) {
        let Some(client) = self.clients.remove(&id) else {
            return;
        };
        match (client.kind, client.state) {
            (Kind::Invite, ClientState::Completed) => {}
            (Kind::Invite, _) => self.finish(
                client.call,
                CallEvent::Refused {
                    status,
                    reason: reason.to_owned(),
                },
            ),
            (kind, _) => self.settled(now, kind, client.call, client.cseq, status),
        }
    }

    fn repeat_answer(&mut self, now: Instant, call: u64, cseq: u32) {
        let Some(dialog) = self.dialogs.get_mut(&call) else {
            return;
        };
        let Some(answer) = dialog.answer.as_mut().filter(|answer| answer.cseq == cseq) else {
            return;
        };
        answer.pause = (answer.pause * 2).min(T2);
        self.out.push(Output {
            path: answer.path,
            bytes: answer.bytes.clone(),
        });
        self.timers
            .set(now + answer.pause, Timer::RepeatAnswer(call, cseq));
    }

    fn no_ack(&mut self, now: Instant, call: u64, cseq: u32) {
        let Some(dialog) = self.dialogs.get_mut(&call) else {
            return;
        };
        if dialog
            .answer
            .as_ref()
            .is_none_or(|answer| answer.cseq != cseq)
        {
            return;
        }
        self.tell(call, CallEvent::Timeout);
        self.bye(now, call);
    }

    /// Ends the calls whose owner has dropped the events.
    fn sweep(&mut self, now: Instant) {
        let gone = |dialog: &super::Dialog| {
            dialog
                .events
                .as_ref()
                .is_some_and(tokio::sync::mpsc::Sender::is_closed)
        };
        let gone: Vec<_> = self
            .dialogs
            .iter()
            .filter(|(_, dialog)| gone(dialog))
            .map(|(call, _)| *call)
            .collect();
        // Whoever ended the call may wait for its last key to be on the disk: that is answered first.
        let unanswered: HashSet<u64> = match gone.is_empty() {
            true => HashSet::new(),
            false => self
                .servers
                .values()
                .filter(|server| !server.invite && server.is_silent())
                .map(|server| server.tag)
                .collect(),
        };
        for call in gone.into_iter().filter(|call| !unanswered.contains(call)) {
            if self
                .dialogs
                .get(&call)
                .is_some_and(|dialog| dialog.stage != Stage::Ending)
            {
                self.hang_up(now, call);
            }
        }
        self.sweeping = !self.dialogs.is_empty();
        if self.sweeping {
            self.timers.set(now + SWEEP_EVERY, Timer::Sweep);
        }
    }
}
