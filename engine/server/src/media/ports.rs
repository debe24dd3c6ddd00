use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use socket2::SockRef;

use super::MediaError;

/// Ports tried by one lease, if other programs have sockets in our range. Each costs 5 µs.
const MAX_TRIES: usize = 256;

/// Differentiated services code point for voice, expedited forwarding (RFC 4594 §4.1), in its place in the
/// traffic class byte.
const EXPEDITED_FORWARDING: u32 = 46 << 2;

/// The free ports of the range, longest free first: packets for a call that ended must not reach the next. The first
/// one is drawn by lot, for the same reason: whoever still sends to an engine that was killed, or to another one of this
/// machine, must not reach the first call of this one.
pub struct Ports {
    bind: IpAddr,
    range: RangeInclusive<u16>,
    count: usize,
    free: Mutex<VecDeque<u16>>,
    refused: AtomicU64,
}

/// A bound socket; its port returns to the range when it is dropped.
pub struct Lease {
    /// First, so that the port is free before it is given back.
    socket: UdpSocket,
    _back: Return,
    addr: SocketAddr,
}

struct Return {
    ports: Arc<Ports>,
    port: u16,
}

impl Ports {
    pub fn new(bind: IpAddr, range: RangeInclusive<u16>) -> Result<Ports, MediaError> {
        let mut free: VecDeque<u16> = range
            .clone()
            .filter(|port| port % 2 == 0 && *port > 0)
            .collect();
        if free.is_empty() {
            let (first, last) = (range.start(), range.end());
            return Err(MediaError::Config(format!(
                "no even port in {first}-{last}: widen the RTP port range"
            )));
        }
        let first = rand::random_range(0..free.len());
        free.rotate_left(first);
        Ok(Ports {
            bind,
            range,
            count: free.len(),
            free: Mutex::new(free),
            refused: AtomicU64::new(0),
        })
    }

    /// Binds a socket to a free port.
    pub fn lease(self: &Arc<Ports>) -> Result<Lease, MediaError> {
        let lease = self.try_lease();
        if lease.is_err() {
            self.refused.fetch_add(1, Ordering::Relaxed);
        }
        lease
    }

    fn try_lease(self: &Arc<Ports>) -> Result<Lease, MediaError> {
        for _ in 0..MAX_TRIES.min(self.count) {
            let Some(port) = self.lock().pop_front() else {
                break;
            };
            let back = Return {
                ports: self.clone(),
                port,
            };
            let addr = SocketAddr::new(self.bind, port);
            match bind(addr) {
                Ok(socket) => {
                    return Ok(Lease {
                        socket,
                        _back: back,
                        addr,
                    });
                }
                // Somebody else has it; `back` puts it at the end of the queue.
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(source) => return Err(MediaError::Socket { addr, source }),
            }
        }
        let (first, last) = (*self.range.start(), *self.range.end());
        Err(MediaError::PortsExhausted {
            first,
            last,
            count: self.count,
        })
    }

    pub fn in_use(&self) -> u64 {
        (self.count - self.lock().len()) as u64
    }

    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<u16>> {
        // No code that can panic runs under the lock.
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Lease {
    pub fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for Return {
    fn drop(&mut self) {
        self.ports.lock().push_back(self.port);
    }
}

fn bind(addr: SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(addr)?;
    socket.set_nonblocking(true)?;
    // Some containers forbid marking; voice works without it.
    let class = if addr.is_ipv4() {
        SockRef::from(&socket).set_tos_v4(EXPEDITED_FORWARDING)
    } else {
        SockRef::from(&socket).set_tclass_v6(EXPEDITED_FORWARDING)
    };
    if let Err(error) = class {
        tracing::debug!(%addr, %error, "RTP packets are not marked as expedited");
    }
    Ok(socket)
}
