//! Server transactions (RFC 3261 §17.2, RFC 6026) and client transactions (§17.1).

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::super::grammar::reason_phrase;
use super::super::timers::{ClientId, Timer};
use super::super::wire::Echo;
use super::{Core, GIVE_UP, Output, Path, T1, T2, T4};

/// A request of a peer that we answer.
#[derive(Debug)]
pub(super) struct ServerTransaction {
    /// Where responses go.
    pub(super) path: Path,
    pub(super) invite: bool,
    pub(super) state: ServerState,
    /// What responses repeat; gone once the final one is sent.
    pub(super) echo: Option<Box<Echo>>,
    /// The last response, for repetitions of the request.
    last: Option<Bytes>,
    /// Pause before the refusal is repeated.
    pause: Duration,
    /// Our tag in the responses.
    pub(super) tag: u64,
}

impl ServerTransaction {
    /// Whether nothing has been responded yet.
    pub(super) fn is_silent(&self) -> bool {
        self.last.is_none()
    }
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ServerState {
    /// No final response yet.
    Proceeding,
    /// INVITE answered 2xx; the dialog repeats the answer, repetitions of the request are absorbed.
    Accepted,
    /// Final response sent, for an INVITE until its ACK.
    Completed,
    /// The refusal of an INVITE is acknowledged.
    Confirmed,
}

/// A request of ours.
#[derive(Debug)]
pub(super) struct ClientTransaction {
    pub(super) kind: Kind,
    pub(super) path: Path,
    /// The call it belongs to.
    pub(super) call: u64,
    pub(super) cseq: u32,
    pub(super) state: ClientState,
    request: Bytes,
    pause: Duration,
    /// ACK of an INVITE's final response, for its repetitions.
    pub(super) ack: Option<Output>,
}

impl ClientTransaction {
    /// A request of the call, not sent yet.
    pub(super) fn new(kind: Kind, path: Path, call: u64, cseq: u32, request: Bytes) -> Self {
        Self {
            kind,
            path,
            call,
            cseq,
            state: ClientState::Calling,
            request,
            pause: T1,
            ack: None,
        }
    }
}

/// What was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Invite,
    Cancel,
    Bye,
    Refer,
    Info,
    Notify,
    /// UPDATE that refreshes the session.
    Refresh,
}

impl Kind {
    /// The method as in `CSeq`.
    pub(super) fn method(self) -> &'static str {
        match self {
            Self::Invite => "INVITE",
            Self::Cancel => "CANCEL",
            Self::Bye => "BYE",
            Self::Refer => "REFER",
            Self::Info => "INFO",
            Self::Notify => "NOTIFY",
            Self::Refresh => "UPDATE",
        }
    }
}

/// How far it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClientState {
    /// Sent, no response.
    Calling,
    /// Provisional response.
    Proceeding,
    /// INVITE with a final response; its repetitions are acknowledged again.
    Completed,
}

impl Core {
    /// Opens a server transaction.
    pub(super) fn open_server(
        &mut self,
        now: Instant,
        key: u128,
        path: Path,
        mut echo: Echo,
        invite: bool,
        tag: u64,
    ) {
        let path = self.reply_path(path, &mut echo);
        let server = ServerTransaction {
            path,
            invite,
            state: ServerState::Proceeding,
            echo: Some(Box::new(echo)),
            last: None,
            pause: T1,
            tag,
        };
        self.servers.insert(key, server);
        if !invite {
            // Whatever happens to the answer, the transaction does not stay for ever.
            self.timers.set(now + GIVE_UP, Timer::ForgetServer(key));
        }
    }

    /// Responds; none where the transaction is gone or has its final response already. `headers` are whole lines, an
    /// empty reason means the usual one.
    pub(super) fn respond(
        &mut self,
        now: Instant,
        key: u128,
        status: u16,
        reason: &str,
        headers: &str,
        body: &[u8],
    ) -> Option<(Bytes, Path)> {
        let server = self.servers.get_mut(&key)?;
        let echo = server.echo.as_deref()?;
        let usual;
        let reason = if reason.is_empty() {
            usual = reason_phrase(status);
            &usual
        } else {
            reason
        };
        let tag = super::tag_text(server.tag);
        let tag = (status > 100).then_some(tag.as_str());
        let headers = format!("{headers}Server: {}\r\n", self.config.user_agent);
        let bytes = echo.response(status, reason, tag, &headers, body);
        let path = server.path;
        self.out.push(Output {
            path,
            bytes: bytes.clone(),
        });
        let sent = Some((bytes.clone(), path));
        if status < 200 {
            server.last = Some(bytes);
            return sent;
        }
        server.echo = None;
        let unreliable = !server.path.tcp;
        if !server.invite {
            server.state = ServerState::Completed;
            server.last = unreliable.then_some(bytes);
            if !unreliable {
                // Timer J is zero: nothing is repeated on a stream.
                self.servers.remove(&key);
            }
        } else if status < 300 {
            server.state = ServerState::Accepted;
            server.last = None;
            self.timers.set(now + GIVE_UP, Timer::ForgetServer(key));
        } else {
            server.state = ServerState::Completed;
            server.last = Some(bytes);
            if unreliable {
                self.timers.set(now + T1, Timer::RepeatRefusal(key));
            }
            self.timers.set(now + GIVE_UP, Timer::ForgetServer(key));
        }
        sent
    }

    /// The request of this transaction came again.
    pub(super) fn repeat_response(&mut self, key: u128) {
        let Some(server) = self.servers.get(&key) else {
            return;
        };
        if let Some(bytes) = &server.last {
            self.out.push(Output {
                path: server.path,
                bytes: bytes.clone(),
            });
        }
    }

    /// The ACK of a refusal.
    pub(super) fn refusal_acknowledged(&mut self, now: Instant, key: u128) {
        let Some(server) = self.servers.get_mut(&key) else {
            return;
        };
        if server.state == ServerState::Completed {
            server.state = ServerState::Confirmed;
            server.last = None;
            if server.path.tcp {
                self.servers.remove(&key);
            } else {
                // Timer I. The entry that timer H left behind finds nothing then.
                self.timers.set(now + T4, Timer::ForgetServer(key));
            }
        }
    }

    /// Timer G.
    pub(super) fn repeat_refusal(&mut self, now: Instant, key: u128) {
        let Some(server) = self.servers.get_mut(&key) else {
            return;
        };
        if server.state != ServerState::Completed {
            return;
        }
        server.pause = (server.pause * 2).min(T2);
        let pause = server.pause;
        self.repeat_response(key);
        self.timers.set(now + pause, Timer::RepeatRefusal(key));
    }

    /// Sends a request and waits for its response.
    pub(super) fn open_client(&mut self, now: Instant, id: ClientId, client: ClientTransaction) {
        let path = client.path;
        self.out.push(Output {
            path,
            bytes: client.request.clone(),
        });
        self.clients.insert(id, client);
        if !path.tcp {
            self.timers.set(now + T1, Timer::RepeatRequest(id));
        }
        self.timers.set(now + GIVE_UP, Timer::NoResponse(id));
    }

    /// Timers A and E.
    pub(super) fn repeat_request(&mut self, now: Instant, id: ClientId) {
        let Some(client) = self.clients.get_mut(&id) else {
            return;
        };
        client.pause = match (client.kind, client.state) {
            (Kind::Invite, ClientState::Calling) => client.pause * 2,
            (Kind::Invite, _) | (_, ClientState::Completed) => return,
            (_, ClientState::Calling) => (client.pause * 2).min(T2),
            (_, ClientState::Proceeding) => T2,
        };
        self.out.push(Output {
            path: client.path,
            bytes: client.request.clone(),
        });
        self.timers
            .set(now + client.pause, Timer::RepeatRequest(id));
    }
}
