//! The state machine: every message, order and deadline goes through [`Core::handle`] or [`Core::expire`].

mod dialog;
mod expiry;
mod in_dialog;
mod incoming;
mod orders;
mod place;
mod reinvite;
mod requests;
mod responses;
mod session;
mod transaction;

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

use self::dialog::Dialog;
use self::transaction::{ClientTransaction, ServerTransaction};
use super::admission::Admission;
use super::call::{Call, CallEvent, Command, Incoming};
use super::config::SipConfig;
use super::examine::{self, Examined};
use super::grammar::Message;
use super::ids::Ids;
use super::ladder::Ladders;
use super::stats::{Counters, count};
use super::timers::{ClientId, Timer, Timers};
use super::wire::{Echo, clean, tag_text};

/// Estimate of a round trip (RFC 3261 §17.1.1.1).
pub(super) const T1: Duration = Duration::from_millis(500);
/// Longest pause between repetitions of a request or response (RFC 3261 §17.1.2.2).
const T2: Duration = Duration::from_secs(4);
/// How long a message can linger in the network (RFC 3261 §17.1.2.2).
const T4: Duration = Duration::from_secs(5);
/// 64·T1: when a transaction gives up, and how long it remembers.
pub(super) const GIVE_UP: Duration = Duration::from_secs(32);
/// 100 Trying goes out when nothing else has by then. RFC 3261 §17.2.1 allows 200 ms; a caller's first repetition
/// comes at 500.
const TRYING_AFTER: Duration = Duration::from_millis(100);
/// How often a call that rings says so again; proxies give up after three minutes of silence.
const STILL_RINGING_EVERY: Duration = Duration::from_secs(60);
/// An unanswered re-INVITE, UPDATE or REFER is refused after this, so that the peer is not left hanging.
const REPLY_WITHIN: Duration = Duration::from_secs(10);
/// A key by INFO that nobody says is saved is answered 500 after this: well before its sender gives the call up.
const KEY_REPLY_WITHIN: Duration = Duration::from_secs(4);
/// How often calls are looked over for owners that have gone.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// How long a shutdown waits for its BYEs to be answered.
const SHUTDOWN_WITHIN: Duration = Duration::from_secs(2);
/// How often a request of ours may be forwarded (RFC 3261 §8.1.1.6).
pub(super) const MAX_FORWARDS: u8 = 70;
/// Methods that may be used before there is a call. Those that need one are listed too: whoever reads this before the
/// call learns what it may use in it. MESSAGE is left out, since it would stand by itself (RFC 3428 §4), and nobody is
/// there to read it.
const ALLOW_OUTSIDE: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, NOTIFY";
/// Methods that a caller may use in a call.
const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, NOTIFY, MESSAGE";
/// Methods that somebody whom we called may use: REFER too.
const ALLOW_CALLEE: &str =
    "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, NOTIFY, MESSAGE, REFER";
/// Bodies that we understand.
const ACCEPT: &str = "application/sdp, application/dtmf-relay, application/dtmf, message/sipfrag";
/// Option tags that we implement.
const SUPPORTED: &str = "timer";

/// Where a message came from or goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Path {
    /// The other end.
    pub(super) peer: SocketAddr,
    /// TCP instead of UDP.
    pub(super) tcp: bool,
    /// The TCP connection to use while it lives; 0 takes any to `peer`, or opens one.
    pub(super) connection: u64,
}

impl Path {
    /// Over UDP.
    pub(super) fn udp(peer: SocketAddr) -> Self {
        Self {
            peer,
            tcp: false,
            connection: 0,
        }
    }

    /// Over TCP.
    pub(super) fn tcp(peer: SocketAddr, connection: u64) -> Self {
        Self {
            peer,
            tcp: true,
            connection,
        }
    }
}

/// What can happen.
#[derive(Debug)]
pub(super) enum Input<'a> {
    /// A datagram, or one message of a stream.
    Received {
        /// The bytes.
        bytes: &'a [u8],
        /// Where from.
        path: Path,
    },
    /// An order of a handle.
    Command(Command),
    /// A TCP connection could not be opened or has ended.
    Disconnected {
        /// Its number; 0 where it never was.
        connection: u64,
        /// Its other end.
        peer: SocketAddr,
    },
    /// More arrives than can be handled; new calls are refused while this lasts.
    Overloaded(bool),
}

/// What shall be sent.
#[derive(Debug, Clone)]
pub(super) struct Output {
    /// Where.
    pub(super) path: Path,
    /// What.
    pub(super) bytes: Bytes,
}

/// Finds our address on the way to a peer.
pub(super) type LocalAddress = Box<dyn FnMut(IpAddr) -> IpAddr + Send>;

/// Transactions, dialogs and their deadlines.
pub(super) struct Core {
    config: SipConfig,
    /// Port in `Via` and `Contact`.
    port: u16,
    local_address: LocalAddress,
    counters: Arc<Counters>,
    incoming: mpsc::Sender<Incoming>,
    /// Given to the handles.
    commands: mpsc::Sender<Command>,
    ids: Ids,
    admission: Admission,
    timers: Timers,
    servers: HashMap<u128, ServerTransaction>,
    clients: HashMap<ClientId, ClientTransaction>,
    /// By the number in our tag.
    dialogs: HashMap<u64, Dialog>,
    overloaded: bool,
    draining: bool,
    shutdown: Option<oneshot::Sender<()>>,
    sweeping: bool,
    ladders: Option<Ladders>,
    out: Vec<Output>,
}

impl fmt::Debug for Core {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Core")
            .field("dialogs", &self.dialogs.len())
            .finish_non_exhaustive()
    }
}

impl Core {
    /// An endpoint that says it is reachable at `port`.
    pub(super) fn new(
        mut config: SipConfig,
        port: u16,
        local_address: LocalAddress,
        counters: Arc<Counters>,
        incoming: mpsc::Sender<Incoming>,
        commands: mpsc::Sender<Command>,
        now: Instant,
    ) -> Self {
        config.user_agent = clean(&config.user_agent).into_owned();
        let admission = Admission::new(&config.limits, now);
        let ladders = config.ladder.take();
        let ladders = ladders.map(|to| Ladders::new(to, counters.clone()));
        Self {
            config,
            port,
            local_address,
            counters,
            incoming,
            commands,
            ids: Ids::default(),
            admission,
            timers: Timers::default(),
            servers: HashMap::new(),
            clients: HashMap::new(),
            dialogs: HashMap::new(),
            overloaded: false,
            draining: false,
            shutdown: None,
            sweeping: false,
            ladders,
            out: Vec::new(),
        }
    }

    /// Takes one input; what shall be sent is added to `out`.
    pub(super) fn handle(&mut self, now: Instant, input: Input<'_>, out: &mut Vec<Output>) {
        std::mem::swap(&mut self.out, out);
        let before = self.out.len();
        match input {
            Input::Received { bytes, path } => self.received(now, bytes, path),
            Input::Command(command) => self.command(now, command),
            Input::Disconnected { connection, peer } => self.disconnected(now, connection, peer),
            Input::Overloaded(overloaded) => self.overloaded = overloaded,
        }
        self.settle();
        self.climb(now, before);
        std::mem::swap(&mut self.out, out);
    }

    /// Does what is due at `now`.
    pub(super) fn expire(&mut self, now: Instant, out: &mut Vec<Output>) {
        std::mem::swap(&mut self.out, out);
        let before = self.out.len();
        while let Some(timer) = self.timers.take_due(now) {
            self.due(now, timer);
        }
        self.settle();
        self.climb(now, before);
        if let Some(ladders) = &mut self.ladders {
            ladders.sweep(now, |call| self.dialogs.contains_key(&call));
        }
        std::mem::swap(&mut self.out, out);
    }

    /// When [`expire`](Self::expire) has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let sweep = self.ladders.as_ref().and_then(Ladders::deadline);
        self.timers.next().into_iter().chain(sweep).min()
    }

    /// Shows the ladder what is about to be sent: everything from here on.
    fn climb(&mut self, now: Instant, from: usize) {
        if let Some(ladders) = &mut self.ladders {
            for Output { path, bytes } in &self.out[from..] {
                ladders.sent(now, bytes, path.peer, path.tcp, self.draining);
            }
        }
    }

    fn received(&mut self, now: Instant, bytes: &[u8], path: Path) {
        if let Some(ladders) = &mut self.ladders {
            ladders.heard(now, bytes, path.peer, path.tcp);
        }
        let examined = if path.tcp {
            examine::examine_framed(bytes)
        } else {
            examine::examine_datagram(bytes)
        };
        match examined {
            Examined::Message(message) => match *message {
                Message::Request(request) => self.request(now, request, path),
                Message::Response(response) => self.response(now, response, path),
            },
            Examined::KeepAlive { pong: true } => self.out.push(Output {
                path,
                bytes: Bytes::from_static(b"\r\n"),
            }),
            Examined::KeepAlive { pong: false } => {}
            Examined::Refused {
                status,
                reason,
                echo,
            } => {
                count(&self.counters.malformed_answered);
                tracing::debug!(peer = %path.peer, status, reason, "malformed SIP request");
                self.answer_once(path, *echo, status, reason, "");
            }
            Examined::UnknownMethod(echo) => {
                self.counters.request("other");
                self.answer_once(
                    path,
                    *echo,
                    405,
                    "Method Not Allowed",
                    &format!("Allow: {ALLOW_OUTSIDE}\r\n"),
                );
            }
            Examined::Dropped => count(&self.counters.malformed_dropped),
        }
    }

    /// Answers without remembering: the same request gets the same answer again (RFC 3261 §8.2.7).
    fn answer_once(
        &mut self,
        path: Path,
        mut echo: Echo,
        status: u16,
        reason: &str,
        headers: &str,
    ) {
        let tag = tag_text(self.ids.stable(&echo.identity()));
        let path = self.reply_path(path, &mut echo);
        let headers = format!("{headers}Server: {}\r\n", self.config.user_agent);
        let bytes = echo.response(status, reason, Some(&tag), &headers, &[]);
        self.out.push(Output { path, bytes });
    }

    /// Notes in the `Via` where the request came from, and says where its responses go.
    fn reply_path(&self, path: Path, echo: &mut Echo) -> Path {
        let peer = if path.tcp {
            path.peer
        } else {
            echo.reply_to(path.peer)
        };
        echo.note_source(path.peer);
        Path { peer, ..path }
    }

    /// A handle on the call.
    fn handle_of(&self, call: u64) -> Call {
        Call {
            id: call,
            commands: self.commands.clone(),
        }
    }

    /// Host and port in our `Via` and `Contact` for this path.
    fn sent_by(&mut self, path: Path) -> String {
        let ip = match self.config.advertised {
            Some(ip) => ip,
            None => (self.local_address)(path.peer.ip()),
        };
        super::wire::host_port(ip, self.port)
    }

    /// Tells the call's owner; false where that is not possible.
    fn tell(&mut self, call: u64, event: CallEvent) -> bool {
        let Some(events) = self
            .dialogs
            .get(&call)
            .and_then(|dialog| dialog.events.as_ref())
        else {
            return false;
        };
        let told = events.try_send(event).is_ok();
        if !told {
            count(&self.counters.events_refused);
        }
        told
    }

    /// Tells the owner the last thing and forgets the call; the channel ends even where it is too full to take it.
    fn finish(&mut self, call: u64, event: CallEvent) {
        self.tell(call, event);
        self.dialogs.remove(&call);
    }

    fn settle(&mut self) {
        self.counters
            .active_calls
            .store(self.dialogs.len() as u64, Relaxed);
        self.counters
            .transactions
            .store((self.servers.len() + self.clients.len()) as u64, Relaxed);
        if self.dialogs.is_empty()
            && let Some(done) = self.shutdown.take()
        {
            // Whoever asked may have gone; then nobody needs to know.
            let _ = done.send(());
        }
    }

    fn watch(&mut self, now: Instant) {
        if !self.sweeping {
            self.sweeping = true;
            self.timers.set(now + SWEEP_EVERY, Timer::Sweep);
        }
    }
}
