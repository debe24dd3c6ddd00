//! The sockets, and the one task that owns them and the state machine.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::{UdpSocket, lookup_host};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{AbortHandle, JoinHandle};

use super::bind::{bind_both, bind_error, waited};
use super::call::{Command, Incoming, OutgoingCall, Party, Place};
use super::config::{COMMAND_QUEUE, INCOMING_QUEUE, STREAM_QUEUE, SipConfig};
use super::core::{Core, Input, LocalAddress, MAX_FORWARDS, Output, Path};
use super::error::SipError;
use super::grammar::{checked_uri, target};
use super::stats::{Counters, SipStats, count};
use super::stream::{StreamEvent, Streams, accept};
use super::values::{NameAddr, escaped_user};
use super::wire::clean;

/// Largest datagram that UDP carries.
const DATAGRAM_MAX: usize = 65_536;
/// Datagrams or commands taken before the other sources get their turn.
const BATCH: usize = 64;
/// A datagram that waited this long in the socket is near the caller's first repetition (T1, 500 ms): more arrives than
/// is done, so new calls are refused from here on.
const OVERLOADED_ABOVE: Duration = Duration::from_millis(300);
/// New calls are let in again when the wait is below this.
const OVERLOADED_UNTIL: Duration = Duration::from_millis(100);
/// Own addresses remembered by peer; then the table starts anew.
const LOCAL_ADDRESSES: usize = 4_096;
/// The SIP endpoint. Dropping it ends its task at once; [`shutdown`](Self::shutdown) says goodbye first.
#[derive(Debug)]
pub struct Sip {
    local: SocketAddr,
    counters: Arc<Counters>,
    commands: mpsc::Sender<Command>,
    task: JoinHandle<()>,
    accepting: AbortHandle,
}

/// Reads the counters of an endpoint.
#[derive(Debug, Clone)]
pub struct SipMeter(Arc<Counters>);

impl SipMeter {
    /// The counters now.
    pub fn read(&self) -> SipStats {
        self.0.read()
    }
}

impl Sip {
    /// Listens on UDP and TCP. New calls come out of the receiver; when it is dropped or full they are refused 503.
    pub async fn bind(config: SipConfig) -> Result<(Self, mpsc::Receiver<Incoming>), SipError> {
        let (udp, listener) = bind_both(config.bind)?;
        let local = udp
            .local_addr()
            .map_err(|cause| bind_error(config.bind, "UDP", cause))?;
        let counters = Arc::new(Counters::default());
        let (incoming, to_server) = mpsc::channel(INCOMING_QUEUE);
        let (commands, orders) = mpsc::channel(COMMAND_QUEUE);
        let (stream_events, streamed) = mpsc::channel(STREAM_QUEUE);
        let accepting = tokio::spawn(accept(listener, stream_events.clone())).abort_handle();
        let streams = Streams::new(
            stream_events,
            counters.clone(),
            config.limits.tcp_connections,
        );
        let find = local_address(local.ip());
        let core = Core::new(
            config,
            local.port(),
            find,
            counters.clone(),
            incoming,
            commands.clone(),
            Instant::now(),
        );
        let endpoint = Endpoint {
            core,
            udp,
            streams,
            counters: counters.clone(),
            ipv6: local.is_ipv6(),
            overloaded: false,
            out: Vec::new(),
        };
        let task = tokio::spawn(endpoint.run(orders, streamed));
        Ok((
            Self {
                local,
                counters,
                commands,
                task,
                accepting,
            },
            to_server,
        ))
    }

    /// The address that UDP and TCP listen on.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// A handle that reads the counters for as long as anybody likes, also after the endpoint is gone.
    pub fn meter(&self) -> SipMeter {
        SipMeter(self.counters.clone())
    }

    /// A handle that places calls.
    pub fn dialer(&self) -> Dialer {
        Dialer {
            commands: self.commands.clone(),
            ipv6: self.local.is_ipv6(),
            max_forwards: MAX_FORWARDS,
        }
    }

    /// Places a call, as [`Dialer::call`] does.
    pub async fn call(
        &self,
        target_uri: &str,
        from: &str,
        offer: Vec<u8>,
    ) -> Result<OutgoingCall, SipError> {
        self.dialer().call(target_uri, from, offer).await
    }

    /// Refuses new calls with 503 from when this returns; those that are up go on.
    pub async fn drain(&self) {
        let (done, closed) = oneshot::channel();
        // A task that has ended takes no calls either.
        if self.commands.send(Command::Drain { done }).await.is_ok() {
            let _ = closed.await;
        }
    }

    /// Refuses or hangs up all calls, waits up to two seconds for the answers, and closes the sockets.
    pub async fn shutdown(mut self) {
        let (done, over) = oneshot::channel();
        if self.commands.send(Command::Shutdown { done }).await.is_ok() {
            // An error means that the task has ended by itself.
            let _ = over.await;
        }
        self.accepting.abort();
        self.task.abort();
        // Aborted on purpose: the error says so.
        let _ = (&mut self.task).await;
    }
}

/// Places calls from an endpoint for as long as that lives. Clones do the same.
#[derive(Debug, Clone)]
pub struct Dialer {
    commands: mpsc::Sender<Command>,
    ipv6: bool,
    max_forwards: u8,
}

impl Dialer {
    /// The same for a call that goes on from one that came in: it may be forwarded so often, where 70 is the default.
    pub fn onward(self, max_forwards: u8) -> Dialer {
        Dialer {
            max_forwards,
            ..self
        }
    }

    /// Places a call. `target` is a sip or tel-like SIP URI with a host (`;transport=tcp` for TCP; names are looked up
    /// as A and AAAA records, not SRV); `from` is a URI, `"Name" <uri>`, or a number or name of somebody at our own
    /// address; an empty `offer` asks the peer for one.
    pub async fn call(
        &self,
        target_uri: &str,
        from: &str,
        offer: Vec<u8>,
    ) -> Result<OutgoingCall, SipError> {
        let uri = checked_uri(target_uri)?;
        let refuse = |cause: &str| SipError::Uri {
            text: target_uri.to_owned(),
            cause: cause.to_owned(),
        };
        let target = target(&uri).map_err(|cause| refuse(&cause))?;
        if target.scheme != "sip" {
            return Err(refuse(
                "only sip URIs can be called; TLS and tel need a proxy's sip URI",
            ));
        }
        let port = target.port.unwrap_or(5060);
        let peer = match target.ip {
            Some(ip) => SocketAddr::new(ip, port),
            None => resolve(&target.host, port, self.ipv6).await?,
        };
        let place = Place {
            target: uri,
            from: match from.contains(':') {
                true => Party::Address(from_header(from)?),
                false => Party::User(escaped_user(from)),
            },
            offer,
            peer,
            tcp: target.tcp,
            max_forwards: self.max_forwards,
        };
        let (done, placed) = oneshot::channel();
        self.commands
            .send(Command::Place { place, done })
            .await
            .map_err(|_| SipError::Closed)?;
        placed.await.map_err(|_| SipError::Closed)?
    }
}

impl Drop for Sip {
    fn drop(&mut self) {
        self.accepting.abort();
        self.task.abort();
    }
}

struct Endpoint {
    core: Core,
    udp: UdpSocket,
    streams: Streams,
    counters: Arc<Counters>,
    /// The UDP socket speaks IPv6, and IPv4 as part of it.
    ipv6: bool,
    /// Whether new calls are being refused because datagrams wait too long.
    overloaded: bool,
    out: Vec<Output>,
}

impl Endpoint {
    async fn run(
        mut self,
        mut orders: mpsc::Receiver<Command>,
        mut streamed: mpsc::Receiver<StreamEvent>,
    ) {
        let mut buffer = vec![0; DATAGRAM_MAX];
        let mut commands = Vec::with_capacity(BATCH);
        let mut wake_at = Instant::now();
        let sleep = tokio::time::sleep_until(wake_at.into());
        tokio::pin!(sleep);
        loop {
            if let Some(deadline) = self.core.deadline()
                && (deadline < wake_at || sleep.is_elapsed())
            {
                wake_at = deadline;
                sleep.as_mut().reset(deadline.into());
            }
            let timed = self.core.deadline().is_some();
            tokio::select! {
                readable = self.udp.readable() => match readable {
                    Ok(()) => self.read(&mut buffer),
                    // Nothing can be done but to go on: the error belongs to one datagram sent earlier.
                    Err(error) => tracing::debug!(%error, "SIP over UDP"),
                },
                taken = orders.recv_many(&mut commands, BATCH) => {
                    // All handles and the endpoint itself are gone.
                    if taken == 0 {
                        return;
                    }
                    let now = Instant::now();
                    for command in commands.drain(..) {
                        self.core.handle(now, Input::Command(command), &mut self.out);
                    }
                }
                Some(event) = streamed.recv() => self.streamed(event),
                () = &mut sleep, if timed => {}
            }
            let now = Instant::now();
            if self.core.deadline().is_some_and(|deadline| deadline <= now) {
                self.core.expire(now, &mut self.out);
            }
            self.flush();
        }
    }

    fn read(&mut self, buffer: &mut [u8]) {
        for taken in 0..BATCH {
            match self.udp.try_recv_from(buffer) {
                Ok((length, peer)) => {
                    let now = Instant::now();
                    if taken == 0 {
                        self.watch_load(now);
                    }
                    let path = Path::udp(canonical(peer));
                    let input = Input::Received {
                        bytes: &buffer[..length],
                        path,
                    };
                    self.core.handle(now, input, &mut self.out);
                    self.flush();
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // An ICMP error for something sent earlier; the next datagram may be there already.
                Err(error) => tracing::debug!(%error, "SIP over UDP"),
            }
        }
    }

    /// Looks how long the datagram just taken had waited.
    fn watch_load(&mut self, now: Instant) {
        let Some(waited) = waited(&self.udp) else {
            return;
        };
        let limit = if self.overloaded {
            OVERLOADED_UNTIL
        } else {
            OVERLOADED_ABOVE
        };
        let overloaded = waited > limit;
        if overloaded != self.overloaded {
            self.overloaded = overloaded;
            tracing::warn!(
                ?waited,
                overloaded,
                "SIP load; new calls are refused with 503 while overloaded"
            );
            self.core
                .handle(now, Input::Overloaded(overloaded), &mut self.out);
        }
    }

    fn streamed(&mut self, event: StreamEvent) {
        let now = Instant::now();
        match event {
            StreamEvent::Accepted(stream, peer) => self.streams.accepted(stream, canonical(peer)),
            StreamEvent::Message {
                connection,
                peer,
                bytes,
            } => {
                let input = Input::Received {
                    bytes: &bytes,
                    path: Path::tcp(peer, connection),
                };
                self.core.handle(now, input, &mut self.out);
            }
            StreamEvent::Closed { connection, peer } => {
                self.streams.leave(connection);
                self.core
                    .handle(now, Input::Disconnected { connection, peer }, &mut self.out);
            }
        }
    }

    /// An IPv4 peer as an IPv6 socket knows it.
    fn reached_by(&self, peer: SocketAddr) -> SocketAddr {
        match peer {
            SocketAddr::V4(peer) if self.ipv6 => {
                SocketAddr::new(peer.ip().to_ipv6_mapped().into(), peer.port())
            }
            _ => peer,
        }
    }

    fn flush(&mut self) {
        // Taken and put back, so that its memory stays.
        let mut out = std::mem::take(&mut self.out);
        for Output { path, bytes } in out.drain(..) {
            if path.tcp {
                self.streams.send(path, bytes);
            } else if self
                .udp
                .try_send_to(&bytes, self.reached_by(path.peer))
                .is_err()
            {
                // Lost like any datagram: whoever misses it asks again.
                count(&self.counters.sends_failed);
            }
        }
        self.out = out;
    }
}

/// An IPv4 peer of an IPv6 socket as IPv4.
fn canonical(peer: SocketAddr) -> SocketAddr {
    SocketAddr::new(peer.ip().to_canonical(), peer.port())
}

/// Our address on the way to each peer: the bound one, or where that is all of them, what the routing table says.
fn local_address(bound: IpAddr) -> LocalAddress {
    let mut known: HashMap<IpAddr, IpAddr> = HashMap::new();
    Box::new(move |peer| {
        if !bound.is_unspecified() {
            return bound;
        }
        if let Some(local) = known.get(&peer) {
            return *local;
        }
        let local = routed(peer).unwrap_or(if peer.is_ipv6() {
            IpAddr::V6(Ipv6Addr::LOCALHOST)
        } else {
            IpAddr::V4(Ipv4Addr::LOCALHOST)
        });
        if known.len() >= LOCAL_ADDRESSES {
            known.clear();
        }
        known.insert(peer, local);
        local
    })
}

/// Connecting a UDP socket sends nothing but makes the system choose the source address.
fn routed(peer: IpAddr) -> io::Result<IpAddr> {
    let any: IpAddr = if peer.is_ipv6() {
        Ipv6Addr::UNSPECIFIED.into()
    } else {
        Ipv4Addr::UNSPECIFIED.into()
    };
    let probe = std::net::UdpSocket::bind((any, 0))?;
    probe.connect((peer, 9))?;
    Ok(probe.local_addr()?.ip())
}

async fn resolve(host: &str, port: u16, ipv6: bool) -> Result<SocketAddr, SipError> {
    let fail = |cause: String| SipError::Resolve {
        host: host.to_owned(),
        cause,
    };
    let mut found = lookup_host((host, port))
        .await
        .map_err(|error| fail(error.to_string()))?;
    found
        .find(|address| ipv6 || address.is_ipv4())
        .ok_or_else(|| fail("it has no address of the kind that this endpoint uses".to_owned()))
}

/// `From` header value without tag.
fn from_header(from: &str) -> Result<String, SipError> {
    let refuse = |cause: &str| SipError::Uri {
        text: from.escape_debug().to_string(),
        cause: cause.to_owned(),
    };
    let address = NameAddr::parse(from).ok_or_else(|| refuse("it is no address"))?;
    let uri = checked_uri(address.uri)?;
    let display = address.display().unwrap_or_default();
    if display.is_empty() {
        return Ok(format!("<{uri}>"));
    }
    let display = clean(&display).replace('\\', "\\\\").replace('"', "\\\"");
    Ok(format!("\"{display}\" <{uri}>"))
}
