//! SIP over TCP: connections and the cutting of messages (RFC 3261 §18.3).

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::config::{HEAD_BYTES, STREAM_MESSAGE_BYTES, STREAM_OUT_QUEUE};
use super::core::Path;
use super::examine::{content_length, escape, head_end};
use super::stats::{Counters, count};

/// A message begun must be complete within this; a peer that feeds a byte a minute does not keep a connection.
const COMPLETE_WITHIN: Duration = Duration::from_secs(30);
/// A write that takes longer means that the peer reads no more.
const WRITE_WITHIN: Duration = Duration::from_secs(10);
/// Opening a connection takes no longer than an INVITE waits for its first response.
const CONNECT_WITHIN: Duration = Duration::from_secs(8);
/// After a message that cannot be cut out, the connection stays this long for the 400 to leave.
const LINGER: Duration = Duration::from_millis(500);
/// The system asks a silent peer whether it still lives after this.
const KEEPALIVE_AFTER: Duration = Duration::from_secs(60);

/// What happens on the streams.
#[derive(Debug)]
pub(super) enum StreamEvent {
    /// A peer connected.
    Accepted(TcpStream, SocketAddr),
    /// A message, or bytes that are none and end the connection.
    Message {
        /// Number of the connection.
        connection: u64,
        /// Its other end.
        peer: SocketAddr,
        /// The message.
        bytes: Bytes,
    },
    /// The connection has ended, or could not be opened.
    Closed {
        /// Number of the connection.
        connection: u64,
        /// Its other end.
        peer: SocketAddr,
    },
}

/// Accepts connections until the receiver is gone.
pub(super) async fn accept(listener: TcpListener, events: mpsc::Sender<StreamEvent>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                if events
                    .send(StreamEvent::Accepted(stream, peer))
                    .await
                    .is_err()
                {
                    return;
                }
            }
            Err(error) => {
                // Out of descriptors: the next moment may be better, and a busy loop would not make it so.
                tracing::warn!(%error, "cannot accept a SIP connection over TCP; raise the limit of open files");
                sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

/// The open connections.
#[derive(Debug)]
pub(super) struct Streams {
    events: mpsc::Sender<StreamEvent>,
    counters: Arc<Counters>,
    limit: usize,
    opened: u64,
    connections: HashMap<u64, Connection>,
    by_peer: HashMap<SocketAddr, u64>,
}

#[derive(Debug)]
struct Connection {
    peer: SocketAddr,
    out: mpsc::Sender<Bytes>,
}

impl Streams {
    /// None open yet.
    pub(super) fn new(
        events: mpsc::Sender<StreamEvent>,
        counters: Arc<Counters>,
        limit: usize,
    ) -> Self {
        Self {
            events,
            counters,
            limit,
            opened: 0,
            connections: HashMap::new(),
            by_peer: HashMap::new(),
        }
    }

    /// Takes an accepted connection; beyond the limit it is closed.
    pub(super) fn accepted(&mut self, stream: TcpStream, peer: SocketAddr) {
        if self.connections.len() >= self.limit {
            tracing::warn!(%peer, limit = self.limit, "too many SIP connections; raise `tcp_connections`");
            return;
        }
        let (connection, out) = self.enter(peer);
        tokio::spawn(serve(stream, connection, peer, out, self.events.clone()));
    }

    /// Writes a message on its connection, on any to the peer, or on a new one.
    pub(super) fn send(&mut self, path: Path, bytes: Bytes) {
        let known =
            Some(path.connection).filter(|connection| self.connections.contains_key(connection));
        let connection = match known.or_else(|| self.by_peer.get(&path.peer).copied()) {
            Some(connection) => connection,
            None if self.connections.len() >= self.limit => {
                return count(&self.counters.sends_failed);
            }
            None => self.connect(path.peer),
        };
        let Some(open) = self.connections.get(&connection) else {
            return;
        };
        if open.out.try_send(bytes).is_err() {
            count(&self.counters.sends_failed);
            // Dropping its queue ends the connection's task.
            self.leave(connection);
        }
    }

    /// Forgets a connection that has ended.
    pub(super) fn leave(&mut self, connection: u64) {
        let Some(closed) = self.connections.remove(&connection) else {
            return;
        };
        if self.by_peer.get(&closed.peer) == Some(&connection) {
            self.by_peer.remove(&closed.peer);
        }
        self.counters
            .tcp_connections
            .store(self.connections.len() as u64, Relaxed);
    }

    fn connect(&mut self, peer: SocketAddr) -> u64 {
        let (connection, out) = self.enter(peer);
        let events = self.events.clone();
        tokio::spawn(async move {
            match timeout(CONNECT_WITHIN, TcpStream::connect(peer)).await {
                Ok(Ok(stream)) => serve(stream, connection, peer, out, events).await,
                _ => {
                    // The endpoint may be gone by now.
                    let _ = events.send(StreamEvent::Closed { connection, peer }).await;
                }
            }
        });
        connection
    }

    fn enter(&mut self, peer: SocketAddr) -> (u64, mpsc::Receiver<Bytes>) {
        self.opened += 1;
        let (out, outbox) = mpsc::channel(STREAM_OUT_QUEUE);
        self.connections
            .insert(self.opened, Connection { peer, out });
        self.by_peer.insert(peer, self.opened);
        self.counters
            .tcp_connections
            .store(self.connections.len() as u64, Relaxed);
        (self.opened, outbox)
    }
}

/// One connection until it ends.
async fn serve(
    mut stream: TcpStream,
    connection: u64,
    peer: SocketAddr,
    mut out: mpsc::Receiver<Bytes>,
    events: mpsc::Sender<StreamEvent>,
) {
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_AFTER);
    // Without them a dead peer is noticed later, at the next write.
    let _ = SockRef::from(&stream).set_tcp_keepalive(&keepalive);
    let _ = stream.set_nodelay(true);
    let mut received = BytesMut::new();
    let mut deadline = Instant::now() + COMPLETE_WITHIN;
    let mut waiting_for_more = true;
    loop {
        tokio::select! {
            read = stream.read_buf(&mut received) => {
                if !matches!(read, Ok(1..)) {
                    break;
                }
                match cut_all(&mut stream, &mut received, connection, peer, &events).await {
                    Ok(()) => {}
                    Err(CutError::Broken) => {
                        linger(&mut stream, &mut out).await;
                        break;
                    }
                    Err(CutError::Closed) => break,
                }
                let more = !received.is_empty();
                if more && !waiting_for_more {
                    deadline = Instant::now() + COMPLETE_WITHIN;
                }
                waiting_for_more = more;
            }
            bytes = out.recv() => {
                let Some(bytes) = bytes else { break };
                if !write(&mut stream, &bytes).await {
                    break;
                }
            }
            () = sleep_until(deadline), if waiting_for_more => break,
        }
    }
    // The endpoint may be gone by now.
    let _ = events.send(StreamEvent::Closed { connection, peer }).await;
}

/// Why reading ends.
enum CutError {
    /// What came cannot be cut into messages.
    Broken,
    /// The peer or the endpoint is gone.
    Closed,
}

async fn cut_all(
    stream: &mut TcpStream,
    received: &mut BytesMut,
    connection: u64,
    peer: SocketAddr,
    events: &mpsc::Sender<StreamEvent>,
) -> Result<(), CutError> {
    loop {
        match cut(received) {
            Cut::More => return Ok(()),
            Cut::Ping => {
                if !write(stream, b"\r\n").await {
                    return Err(CutError::Closed);
                }
            }
            Cut::Message(bytes) => {
                let event = StreamEvent::Message {
                    connection,
                    peer,
                    bytes,
                };
                events.send(event).await.map_err(|_| CutError::Closed)?;
            }
            Cut::Broken(bytes) => {
                let event = StreamEvent::Message {
                    connection,
                    peer,
                    bytes,
                };
                events.send(event).await.map_err(|_| CutError::Closed)?;
                return Err(CutError::Broken);
            }
        }
    }
}

/// Writes what is still to be said, for a moment.
async fn linger(stream: &mut TcpStream, out: &mut mpsc::Receiver<Bytes>) {
    let flush = async {
        while let Some(bytes) = out.recv().await {
            if !write(stream, &bytes).await {
                return;
            }
        }
    };
    // Time is up either way; the connection ends.
    let _ = timeout(LINGER, flush).await;
}

async fn write(stream: &mut TcpStream, bytes: &[u8]) -> bool {
    let written: Result<io::Result<()>, _> = timeout(WRITE_WITHIN, stream.write_all(bytes)).await;
    matches!(written, Ok(Ok(())))
}

/// What stands at the front of a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// A whole message.
    Message(Bytes),
    /// Two empty lines: the peer wants one back (RFC 5626 §3.5.1).
    Ping,
    /// Not enough yet.
    More,
    /// The end of this message cannot be known, so neither can the start of the next.
    Broken(Bytes),
}

/// Cuts the next message off the front.
pub(super) fn cut(received: &mut BytesMut) -> Cut {
    if received.starts_with(b"\r\n\r\n") {
        received.advance(4);
        return Cut::Ping;
    }
    if received.as_ref() != b"\r\n" && received.as_ref() != b"\r\n\r" {
        let empty = received
            .iter()
            .take_while(|byte| matches!(byte, b'\r' | b'\n'))
            .count();
        received.advance(empty);
    }
    let Some((head, body)) = head_end(&received[..received.len().min(HEAD_BYTES)]) else {
        return if received.len() >= HEAD_BYTES {
            Cut::Broken(received.split().freeze())
        } else {
            Cut::More
        };
    };
    let length = content_length(&escape(&received[..head])).map(Option::unwrap_or_default);
    match length {
        Ok(length) if length <= STREAM_MESSAGE_BYTES => {
            if received.len() < body + length {
                return Cut::More;
            }
            Cut::Message(received.split_to(body + length).freeze())
        }
        _ => Cut::Broken(received.split().freeze()),
    }
}
