//! SIP: calls that come in, calls that we place.
//!
//! [`Sip::bind`] opens UDP and TCP on one address and hands every new call over a bounded queue as an
//! [`Incoming`]: who calls whom, the SDP offer, a [`Call`] to answer, refuse, transfer or end it, and the
//! [`CallEvent`]s that follow. [`Sip::call`] places one.
//!
//! A message passes these rooms, top to bottom:
//!
//! ```text
//! endpoint   sockets and the one task that owns everything below
//! examine    is it SIP at all? repaired, answered or dropped before anything parses it
//! admission  new calls per second, in all and per source; 503 beyond
//! grammar    rsipstack's parser, in the only file that names the library; values: addresses and parameters
//! core       transactions and dialogs: `handle(now, input)`; no clock, no socket, so tests run in virtual time
//! ladder     stands beside it and keeps of each call's messages what explains the call
//! call       what the rest of the server holds
//! ```
//!
//! The transactions of RFC 3261 §17 and RFC 6026 are ours rather than rsipstack's because a refusal under load must
//! be cheap and memory must be bounded: the library keeps every finished message parsed for 32 s, queues without a
//! bound, cannot read a request whose method it does not know, and its timers cannot run on virtual time.

mod admission;
mod bind;
mod call;
mod config;
mod core;
mod endpoint;
mod error;
mod examine;
mod grammar;
mod ids;
mod ladder;
mod signal;
mod stats;
mod stream;
mod timers;
mod values;
mod wire;

#[cfg(test)]
mod tests;

pub use call::{Call, CallEvent, Incoming, KeyReply, OutgoingCall, ReferReply, Reply};
pub(crate) use config::LADDER_QUEUE;
pub use config::{SipConfig, SipLimits};
pub use endpoint::{Dialer, Sip, SipMeter};
pub use error::{SipError, bind_remedy};
pub(crate) use grammar::checked_uri;
pub use ladder::{Refused, Told};
pub use signal::{Signal, Way};
pub use stats::SipStats;
