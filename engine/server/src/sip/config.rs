//! What the operator sets.

use std::net::{IpAddr, SocketAddr};

use tokio::sync::mpsc;

use super::ladder::Told;

/// Where SIP listens, what it calls itself, and how much it takes on.
#[derive(Debug, Clone)]
pub struct SipConfig {
    /// UDP and TCP listen here; port 0 takes a free one, the same for both.
    pub bind: SocketAddr,
    /// Address put into `Via` and `Contact` instead of the local one: set it behind NAT. Default: none, so the local
    /// address that the route to each peer uses.
    pub advertised: Option<IpAddr>,
    /// `User-Agent` and `Server` header; CR and LF are removed.
    pub user_agent: String,
    /// Admission and size limits.
    pub limits: SipLimits,
    /// Takes the messages of calls; what it has no room for is counted and left out. Default: none.
    pub ladder: Option<mpsc::Sender<Told>>,
}

impl SipConfig {
    /// The defaults on `bind`.
    pub fn new(bind: SocketAddr) -> Self {
        Self {
            bind,
            advertised: None,
            user_agent: concat!("Strowger/", env!("CARGO_PKG_VERSION")).to_owned(),
            limits: SipLimits::default(),
            ladder: None,
        }
    }
}

/// Messages of calls waiting for the ladder's keeper; beyond, they are left out.
pub(crate) const LADDER_QUEUE: usize = 16_384;

/// How much one endpoint takes on before it refuses with 503 and `Retry-After`.
#[derive(Debug, Clone)]
pub struct SipLimits {
    /// New calls a second over all sources; default 4,000, a burst of one second's worth. What one core carries to the
    /// end is above this; callers over it are told to come back instead of waiting for an answer that is late.
    pub invites_per_second: u32,
    /// New calls a second from one IP address; default 4,000 because a trunk or a proxy is one address. Lower it on a
    /// port that faces the internet.
    pub invites_per_second_per_source: u32,
    /// Calls at once, ringing and answered; default 20,000.
    pub calls: usize,
    /// TCP connections at once; default 2,048; more are closed at accept.
    pub tcp_connections: usize,
    /// Seconds in `Retry-After` of a 503; default 2.
    pub retry_after_s: u32,
}

impl Default for SipLimits {
    fn default() -> Self {
        Self {
            invites_per_second: 4_000,
            invites_per_second_per_source: 4_000,
            calls: 20_000,
            tcp_connections: 2_048,
            retry_after_s: 2,
        }
    }
}

/// Longest datagram that is read as SIP, in bytes; longer ones are answered 513. RFC 3261 §18.1.1 asks for 65,535, but
/// no INVITE of ours needs an eighth of that, and the bound keeps a flood of fragments cheap.
pub(super) const DATAGRAM_BYTES: usize = 8_192;
/// Longest message on a stream, head and body, in bytes; longer ones end the connection.
pub(super) const STREAM_MESSAGE_BYTES: usize = 65_536;
/// Longest head (start line and headers) on a stream, in bytes.
pub(super) const HEAD_BYTES: usize = 16_384;
/// Header fields in one message; more is answered 400. A long proxy chain has about forty.
pub(super) const HEADER_FIELDS: usize = 128;
/// Header fields handed to the flow with a call; the rest is left out.
pub(super) const HEADERS_SHOWN: usize = 64;
/// Longest header value handed to the flow, in bytes; longer ones are cut at a character.
pub(super) const HEADER_VALUE_SHOWN: usize = 1_024;
/// Kernel receive buffer asked for, in bytes: the default 208 kB holds 100 ms of a call burst, this two seconds.
pub(super) const RECEIVE_BUFFER_BYTES: usize = 8 << 20;
/// Kernel send buffer asked for, in bytes.
pub(super) const SEND_BUFFER_BYTES: usize = 4 << 20;
/// New calls waiting for the server to take them; beyond, 503: a caller who waited behind a thousand is gone.
pub(super) const INCOMING_QUEUE: usize = 1_024;
/// Events of one call that nobody has read yet; beyond, the request behind the event is refused.
pub(super) const EVENT_QUEUE: usize = 32;
/// Orders from all call handles waiting for the endpoint's task; beyond, the caller's `await` waits.
pub(super) const COMMAND_QUEUE: usize = 8_192;
/// Messages from all streams waiting for the endpoint's task; beyond, reading pauses.
pub(super) const STREAM_QUEUE: usize = 1_024;
/// Messages waiting to be written to one stream; beyond, the connection is closed as dead.
pub(super) const STREAM_OUT_QUEUE: usize = 256;
