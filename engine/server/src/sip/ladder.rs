//! Watches the messages of calls go by, for their ladders.
//!
//! It stands beside the state machine and changes nothing of it: whatever is received or sent passes here as bytes. A leg
//! is one call's messages, known by `Call-ID` and the tag of whoever began it (RFC 3261 §12). The same bytes again are a
//! retransmission.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::signal::{Parts, Signal, Way};
use super::stats::{Counters, count};

/// Most messages of a leg that are kept; further ones are counted.
const SIGNALS: usize = 200;
/// Most legs at once: above the most calls at once, and a bound for what strangers begin.
const LEGS: usize = 24_576;
/// How long a leg is kept after its last message when its call is over: repetitions come for 32 s (64·T1).
const LINGER: Duration = Duration::from_secs(33);
/// The same for a call that was refused before anybody took it, which a scanner may not even acknowledge.
const REFUSED_LINGER: Duration = Duration::from_secs(5);
/// How often legs are looked over.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// What the ladder's keeper is told.
#[derive(Debug)]
pub enum Told {
    /// A message of a leg.
    Signal {
        /// The leg.
        leg: u64,
        /// When.
        at: Instant,
        /// The message; its time and its leg are for the keeper to fill in.
        signal: Box<Signal>,
    },
    /// A message came or went again.
    Again {
        /// The leg.
        leg: u64,
        /// The message's number.
        n: u32,
    },
    /// A message is left out: there are too many.
    Cut {
        /// The leg.
        leg: u64,
    },
    /// A call was refused before anybody was told of it.
    Refused(Box<Refused>),
    /// No more of this leg will come.
    Over {
        /// The leg.
        leg: u64,
    },
}

/// A call that was refused before anybody was told of it.
#[derive(Debug)]
pub struct Refused {
    /// Its leg.
    pub leg: u64,
    /// When its INVITE came.
    pub at: Instant,
    /// Where from.
    pub source: SocketAddr,
    /// `Call-ID`.
    pub call_id: String,
    /// User part of `From`.
    pub from: String,
    /// User part of the Request-URI.
    pub to: String,
    /// The status of the refusal.
    pub status: u16,
    /// Because the engine is to stop.
    pub draining: bool,
}

/// The legs of one endpoint.
pub(super) struct Ladders {
    to: mpsc::Sender<Told>,
    counters: Arc<Counters>,
    hasher: RandomState,
    legs: HashMap<u64, Leg>,
    made: u64,
    /// The leg of the message that is being handled, when it began it.
    begun: Option<u64>,
    sweep_at: Option<Instant>,
}

struct Leg {
    number: u64,
    /// Hashes of the messages so far, by number.
    seen: Vec<u64>,
    last: Instant,
    /// The dialog it is of, once there is one.
    dialog: Option<u64>,
    /// What a refusal tells; gone once somebody has the call, or it is refused.
    invite: Option<Box<Refused>>,
}

impl Ladders {
    pub(super) fn new(to: mpsc::Sender<Told>, counters: Arc<Counters>) -> Ladders {
        Ladders {
            to,
            counters,
            hasher: RandomState::new(),
            legs: HashMap::new(),
            made: 0,
            begun: None,
            sweep_at: None,
        }
    }

    /// A message came in.
    pub(super) fn heard(&mut self, now: Instant, bytes: &[u8], peer: SocketAddr, tcp: bool) {
        self.begun = None;
        let Some(parts) = Parts::of(bytes) else {
            return;
        };
        let Some(call_id) = parts.value("call-id") else {
            return;
        };
        let (from, to) = (parts.tag("from"), parts.tag("to"));
        let key = self.key(call_id, from);
        if parts.method() == Some("INVITE") && to.is_empty() && self.is_new(key, bytes) {
            let number = self.open(now, key);
            if let (Some(number), Some(leg)) = (number, self.legs.get_mut(&key)) {
                leg.invite = Some(Box::new(Refused {
                    leg: number,
                    at: now,
                    source: peer,
                    call_id: super::examine::shown(call_id),
                    from: parts.user("from"),
                    to: parts.target(),
                    status: 0,
                    draining: false,
                }));
            }
            self.begun = number;
        }
        let key = self.known(key, call_id, to);
        self.note(now, key, &parts, bytes, Way::In, peer, tcp);
    }

    /// A message leaves.
    pub(super) fn sent(
        &mut self,
        now: Instant,
        bytes: &[u8],
        peer: SocketAddr,
        tcp: bool,
        draining: bool,
    ) {
        if self.legs.is_empty() {
            return;
        }
        let Some(parts) = Parts::of(bytes) else {
            return;
        };
        let Some(call_id) = parts.value("call-id") else {
            return;
        };
        let key = self.known(
            self.key(call_id, parts.tag("from")),
            call_id,
            parts.tag("to"),
        );
        self.note(now, key, &parts, bytes, Way::Out, peer, tcp);
        let refusal = parts.status().filter(|status| *status >= 300);
        let Some(status) = refusal else { return };
        let invite = self.legs.get_mut(&key).and_then(|leg| leg.invite.take());
        if let Some(refused) = invite {
            self.tell(Told::Refused(Box::new(Refused {
                status,
                draining,
                ..*refused
            })));
        }
    }

    /// A call of ours is about to be placed: the number of its leg.
    pub(super) fn placed(
        &mut self,
        now: Instant,
        call_id: &str,
        tag: &str,
        dialog: u64,
    ) -> Option<u64> {
        let key = self.key(call_id, tag);
        let number = self.open(now, key)?;
        if let Some(leg) = self.legs.get_mut(&key) {
            leg.dialog = Some(dialog);
        }
        Some(number)
    }

    /// The leg that the message being handled began.
    pub(super) fn begun(&self) -> Option<u64> {
        self.begun
    }

    /// Somebody has taken the call that the message being handled began: what becomes of it is theirs to say.
    pub(super) fn taken(&mut self, call_id: &str, tag: &str, dialog: u64) {
        let key = self.key(call_id, tag);
        if let Some(leg) = self.legs.get_mut(&key)
            && self.begun == Some(leg.number)
        {
            leg.dialog = Some(dialog);
            leg.invite = None;
        }
    }

    /// When [`sweep`](Self::sweep) is due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.sweep_at
    }

    /// Forgets the legs of calls that are over.
    pub(super) fn sweep(&mut self, now: Instant, alive: impl Fn(u64) -> bool) {
        if self.sweep_at.is_none_or(|at| at > now) {
            return;
        }
        let Ladders { legs, to, .. } = self;
        legs.retain(|_, leg| {
            let (over, linger) = match leg.dialog {
                Some(dialog) => (!alive(dialog), LINGER),
                None => (true, REFUSED_LINGER),
            };
            let stays = !over || now.saturating_duration_since(leg.last) < linger;
            // One that cannot be told of stays for the next time: its keeper would hold it for ever.
            stays || to.try_send(Told::Over { leg: leg.number }).is_err()
        });
        self.sweep_at = (!self.legs.is_empty()).then(|| now + SWEEP_EVERY);
    }

    fn key(&self, call_id: &str, tag: &str) -> u64 {
        self.hasher.hash_one((call_id, tag))
    }

    /// The key of whichever side began the call.
    fn known(&self, from: u64, call_id: &str, to_tag: &str) -> u64 {
        match self.legs.contains_key(&from) {
            true => from,
            false => self.key(call_id, to_tag),
        }
    }

    /// Whether an INVITE begins a leg: it repeats none, and belongs to no call that somebody has.
    fn is_new(&self, key: u64, bytes: &[u8]) -> bool {
        let hash = self.hasher.hash_one((Way::In as u8, bytes));
        self.legs
            .get(&key)
            .is_none_or(|leg| leg.dialog.is_none() && !leg.seen.contains(&hash))
    }

    fn open(&mut self, now: Instant, key: u64) -> Option<u64> {
        let over = match self.legs.get(&key) {
            Some(old) => self.to.try_send(Told::Over { leg: old.number }).is_ok(),
            None => self.legs.len() < LEGS,
        };
        if !over {
            count(&self.counters.ladder_lost);
            return None;
        }
        self.made += 1;
        let leg = Leg {
            number: self.made,
            seen: Vec::new(),
            last: now,
            dialog: None,
            invite: None,
        };
        self.legs.insert(key, leg);
        self.sweep_at.get_or_insert(now + SWEEP_EVERY);
        Some(self.made)
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one message, seen from all sides"
    )]
    fn note(
        &mut self,
        now: Instant,
        key: u64,
        parts: &Parts,
        bytes: &[u8],
        way: Way,
        peer: SocketAddr,
        tcp: bool,
    ) {
        let hash = self.hasher.hash_one((way as u8, bytes));
        let Some(leg) = self.legs.get_mut(&key) else {
            return;
        };
        leg.last = now;
        let number = leg.number;
        let told = if let Some(n) = leg.seen.iter().position(|seen| *seen == hash) {
            Told::Again {
                leg: number,
                n: u32::try_from(n).unwrap_or(u32::MAX),
            }
        } else if leg.seen.len() < SIGNALS {
            let n = u32::try_from(leg.seen.len()).unwrap_or(u32::MAX);
            leg.seen.push(hash);
            let peer = format!("{} {peer}", if tcp { "tcp" } else { "udp" });
            Told::Signal {
                leg: number,
                at: now,
                signal: Box::new(parts.signal(n, way, peer)),
            }
        } else {
            Told::Cut { leg: number }
        };
        self.tell(told);
    }

    fn tell(&self, told: Told) {
        // Signalling waits for nobody: a keeper that does not keep up has gaps, and they are counted.
        if self.to.try_send(told).is_err() {
            count(&self.counters.ladder_lost);
        }
    }
}
