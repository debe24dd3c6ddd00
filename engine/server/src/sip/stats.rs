//! Counters.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A reading of the endpoint's counters; all but the last three only grow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SipStats {
    /// Requests received by method, retransmissions included; unknown methods under `other`.
    pub requests: BTreeMap<&'static str, u64>,
    /// Responses received.
    pub responses: u64,
    /// Requests and responses absorbed as retransmissions.
    pub retransmissions: u64,
    /// Messages that were not SIP and could not be answered: dropped.
    pub malformed_dropped: u64,
    /// Malformed requests answered with 400, 505 or 513.
    pub malformed_answered: u64,
    /// INFOs without a key, refused with 400, 415 or 469.
    pub info_refused: u64,
    /// New calls refused with 503 by the rate limits, the call limit or overload.
    pub rate_limited: u64,
    /// Datagrams that the kernel did not take, and stream messages to connections that are gone.
    pub sends_failed: u64,
    /// Events refused because a call's owner did not read them.
    pub events_refused: u64,
    /// Messages that are in no ladder, because its keeper did not keep up or there were too many calls.
    pub ladder_lost: u64,
    /// Calls accepted into the queue.
    pub calls: u64,
    /// Calls now, ringing and answered.
    pub active_calls: u64,
    /// Transactions now.
    pub transactions: u64,
    /// TCP connections now.
    pub tcp_connections: u64,
}

/// Methods that are counted by name.
pub(super) const METHODS: [&str; 14] = [
    "INVITE",
    "ACK",
    "BYE",
    "CANCEL",
    "OPTIONS",
    "INFO",
    "UPDATE",
    "REFER",
    "NOTIFY",
    "MESSAGE",
    "REGISTER",
    "SUBSCRIBE",
    "PRACK",
    "PUBLISH",
];

/// The live counters, shared by the endpoint's task, its streams and its handles.
#[derive(Debug, Default)]
pub(super) struct Counters {
    methods: [AtomicU64; METHODS.len()],
    other_methods: AtomicU64,
    pub(super) responses: AtomicU64,
    pub(super) retransmissions: AtomicU64,
    pub(super) malformed_dropped: AtomicU64,
    pub(super) malformed_answered: AtomicU64,
    pub(super) info_refused: AtomicU64,
    pub(super) rate_limited: AtomicU64,
    pub(super) sends_failed: AtomicU64,
    pub(super) events_refused: AtomicU64,
    pub(super) ladder_lost: AtomicU64,
    pub(super) calls: AtomicU64,
    pub(super) active_calls: AtomicU64,
    pub(super) transactions: AtomicU64,
    pub(super) tcp_connections: AtomicU64,
}

impl Counters {
    /// Counts one request of `method`.
    pub(super) fn request(&self, method: &str) {
        let counter = METHODS.iter().position(|known| *known == method);
        counter
            .map_or(&self.other_methods, |at| &self.methods[at])
            .fetch_add(1, Relaxed);
    }

    /// One reading of all.
    pub(super) fn read(&self) -> SipStats {
        let mut requests: BTreeMap<_, _> = METHODS
            .iter()
            .zip(&self.methods)
            .map(|(name, count)| (*name, count.load(Relaxed)))
            .collect();
        requests.insert("other", self.other_methods.load(Relaxed));
        requests.retain(|_, count| *count > 0);
        SipStats {
            requests,
            responses: self.responses.load(Relaxed),
            retransmissions: self.retransmissions.load(Relaxed),
            malformed_dropped: self.malformed_dropped.load(Relaxed),
            malformed_answered: self.malformed_answered.load(Relaxed),
            info_refused: self.info_refused.load(Relaxed),
            rate_limited: self.rate_limited.load(Relaxed),
            sends_failed: self.sends_failed.load(Relaxed),
            events_refused: self.events_refused.load(Relaxed),
            ladder_lost: self.ladder_lost.load(Relaxed),
            calls: self.calls.load(Relaxed),
            active_calls: self.active_calls.load(Relaxed),
            transactions: self.transactions.load(Relaxed),
            tcp_connections: self.tcp_connections.load(Relaxed),
        }
    }
}

/// Adds one.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Relaxed);
}
