//! Opening the sockets.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::time::{Duration, SystemTime};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, UdpSocket};

use super::config::{RECEIVE_BUFFER_BYTES, SEND_BUFFER_BYTES};
use super::error::SipError;

/// `SIOCGSTAMPNS` of Linux's `asm-generic/sockios.h`: when the datagram taken last arrived.
const SIOCGSTAMPNS: libc::Ioctl = 0x8907;
/// Tries to find one port that is free for UDP and TCP, where the system chooses.
const PORT_TRIES: usize = 16;

/// Binds both transports to one port.
pub(super) fn bind_both(address: SocketAddr) -> Result<(UdpSocket, TcpListener), SipError> {
    let mut tries = if address.port() == 0 { PORT_TRIES } else { 1 };
    loop {
        tries -= 1;
        let udp = bind_udp(address).map_err(|cause| bind_error(address, "UDP", cause))?;
        let chosen = udp
            .local_addr()
            .map_err(|cause| bind_error(address, "UDP", cause))?;
        match bind_tcp(chosen) {
            Ok(listener) => return Ok((udp, listener)),
            Err(_) if tries > 0 => {}
            Err(cause) => return Err(bind_error(chosen, "TCP", cause)),
        }
    }
}

fn bind_udp(address: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::DGRAM,
        Some(Protocol::UDP),
    )?;
    socket.set_nonblocking(true)?;
    enlarge(&socket, libc::SO_RCVBUFFORCE, RECEIVE_BUFFER_BYTES);
    enlarge(&socket, libc::SO_SNDBUFFORCE, SEND_BUFFER_BYTES);
    socket.bind(&address.into())?;
    UdpSocket::from_std(socket.into())
}

/// Asks for a larger buffer: with privileges beyond the system's limit, else up to it.
fn enlarge(socket: &Socket, option: libc::c_int, bytes: usize) {
    let value = libc::c_int::try_from(bytes).unwrap_or(libc::c_int::MAX);
    let size = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the descriptor is open as long as `socket` is borrowed; the option takes one c_int, which lives here.
    let forced = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            option,
            std::ptr::from_ref(&value).cast(),
            size,
        )
    };
    if forced == 0 {
        return;
    }
    let asked = if option == libc::SO_RCVBUFFORCE {
        socket.set_recv_buffer_size(bytes)
    } else {
        socket.set_send_buffer_size(bytes)
    };
    if let Err(error) = asked {
        tracing::debug!(%error, bytes, "the system keeps its default buffer for SIP");
    }
}

/// How long the datagram taken last had waited in the socket; none before the system has begun to stamp them, which the
/// first question makes it do.
pub(super) fn waited(socket: &UdpSocket) -> Option<Duration> {
    let mut stamp = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the descriptor is open as long as `socket` is borrowed; this request writes one timespec, which lives here.
    let asked = unsafe {
        libc::ioctl(
            socket.as_raw_fd(),
            SIOCGSTAMPNS,
            std::ptr::from_mut(&mut stamp),
        )
    };
    if asked != 0 {
        return None;
    }
    let (seconds, nanoseconds) = (
        u64::try_from(stamp.tv_sec).ok()?,
        u32::try_from(stamp.tv_nsec).ok()?,
    );
    let arrived = SystemTime::UNIX_EPOCH + Duration::new(seconds, nanoseconds);
    // A clock set back meanwhile says nothing.
    SystemTime::now().duration_since(arrived).ok()
}

fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    socket.set_nonblocking(true)?;
    // Connections of a former process that linger do not keep the port; a live listener does.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(1_024)?;
    TcpListener::from_std(socket.into())
}

pub(super) fn bind_error(
    address: SocketAddr,
    transport: &'static str,
    cause: io::Error,
) -> SipError {
    SipError::Bind {
        address,
        transport,
        cause,
    }
}
