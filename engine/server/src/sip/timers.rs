//! All deadlines of the endpoint in one heap.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::time::Instant;

/// What is due.
///
/// Timers are never cancelled: whoever is woken looks whether it still matters. A call leaves about six of them behind
/// for 32 s, 40 bytes each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Timer {
    /// 100 Trying, if nothing has been answered yet.
    Trying(u128),
    /// Say again that it rings, so that no proxy gives up (RFC 3261 §13.3.1.1).
    StillRinging(u128),
    /// Timer G: repeat a refusal of an INVITE until its ACK.
    RepeatRefusal(u128),
    /// Timers H, I, J and L: forget a server transaction.
    ForgetServer(u128),
    /// Timers A and E: repeat a request.
    RepeatRequest(ClientId),
    /// Timers B and F: the peer never answered.
    NoResponse(ClientId),
    /// A cancelled INVITE got no final response (RFC 3261 §9.1).
    CancelOver(ClientId),
    /// Timers D and M: forget a client transaction.
    ForgetClient(ClientId),
    /// Repeat our 200 to the INVITE of that CSeq until its ACK.
    RepeatAnswer(u64, u32),
    /// The ACK of our 200 to that CSeq never came.
    NoAck(u64, u32),
    /// A re-INVITE, UPDATE or REFER of that CSeq was left unanswered by the call's owner.
    NoReply(u64, u32),
    /// A key by INFO was left unanswered by the call's owner.
    NoKeyReply(u128),
    /// The session of that generation is due to be refreshed by us, or has not been refreshed by them (RFC 4028).
    Session(u64, u32),
    /// Look for calls whose owner has gone.
    Sweep,
    /// Do not wait any longer for BYEs at shutdown.
    ShutdownOver,
}

/// Which client transaction: a CANCEL shares the branch of its INVITE (RFC 3261 §9.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct ClientId {
    pub(super) branch: u64,
    pub(super) cancel: bool,
}

#[derive(Debug)]
struct Due {
    at: Instant,
    order: u64,
    timer: Timer,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    /// Earliest greatest, because the heap yields the greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.order).cmp(&(self.at, self.order))
    }
}

/// The heap.
#[derive(Debug, Default)]
pub(super) struct Timers {
    heap: BinaryHeap<Due>,
    set: u64,
}

impl Timers {
    /// Sets `timer` for `at`.
    pub(super) fn set(&mut self, at: Instant, timer: Timer) {
        self.set += 1;
        self.heap.push(Due {
            at,
            order: self.set,
            timer,
        });
    }

    /// When the next one is due.
    pub(super) fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|due| due.at)
    }

    /// Takes one that is due at `now`; timers of one instant come in the order they were set.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<Timer> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|due| due.timer)
    }
}
