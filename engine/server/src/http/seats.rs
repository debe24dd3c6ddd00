//! Places for connections. While there are some whoever comes has one. When all are taken, a newcomer has that of a connection which
//! waits for its peer: of the source that has most of them the one that has waited for longest. A source that has fewer than the
//! newcomer's keeps its own: then it is the newcomer who is sent away.
//!
//! A connection waits for its peer while a request or its body is to come, or while what is answered is not taken. Whoever waits for
//! us, for an answer that is being made or for events that may come, is not sent away.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::locked::lock;

/// All places.
#[derive(Debug)]
pub(super) struct Seats {
    most: usize,
    taken: Mutex<HashMap<u64, Arc<Seat>>>,
    ids: AtomicU64,
    /// What happens is numbered, so that it is known what came before.
    moments: Arc<AtomicU64>,
    /// Somebody left, or waits for its peer.
    freed: Arc<Notify>,
}

/// The place of a connection.
#[derive(Debug)]
pub(super) struct Seat {
    source: IpAddr,
    state: Mutex<State>,
    moments: Arc<AtomicU64>,
    freed: Arc<Notify>,
    /// Somebody else has the place.
    gone: CancellationToken,
}

#[derive(Debug)]
struct State {
    /// A request is here, and is not answered.
    works: bool,
    /// What is written is not taken.
    stalls: bool,
    /// Since which moment that is so.
    since: u64,
    /// Requests so far.
    turn: u64,
}

/// Why there is no place.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoSeat {
    /// The newcomer's source has more than those who could give one.
    HasMost,
    /// Nobody waits for its peer.
    AllWork,
}

/// A place, until this is dropped.
#[derive(Debug)]
pub(super) struct Taken {
    id: u64,
    seat: Arc<Seat>,
    seats: Arc<Seats>,
}

impl Seats {
    /// So many.
    pub fn new(most: usize) -> Arc<Seats> {
        Arc::new(Seats {
            most,
            taken: Mutex::default(),
            ids: AtomicU64::new(0),
            moments: Arc::default(),
            freed: Arc::default(),
        })
    }

    /// A place, which another one may have to give; waits while all work. None where the newcomer is to be sent away.
    pub async fn take(self: &Arc<Self>, source: IpAddr) -> Option<Taken> {
        loop {
            match self.try_take(source) {
                Ok(taken) => return Some(taken),
                Err(NoSeat::HasMost) => return None,
                Err(NoSeat::AllWork) => self.freed.notified().await,
            }
        }
    }

    fn try_take(self: &Arc<Self>, source: IpAddr) -> Result<Taken, NoSeat> {
        let mut taken = lock(&self.taken);
        if taken.len() >= self.most {
            let id = gives_way(&taken, source)?;
            if let Some(seat) = taken.remove(&id) {
                seat.gone.cancel();
            }
        }
        let id = self.ids.fetch_add(1, Ordering::Relaxed);
        let seat = Arc::new(Seat {
            source,
            state: Mutex::new(State {
                works: false,
                stalls: false,
                since: self.moments.fetch_add(1, Ordering::Relaxed),
                turn: 0,
            }),
            moments: Arc::clone(&self.moments),
            freed: Arc::clone(&self.freed),
            gone: CancellationToken::new(),
        });
        taken.insert(id, Arc::clone(&seat));
        Ok(Taken {
            id,
            seat,
            seats: Arc::clone(self),
        })
    }
}

/// Whose place a newcomer from a source has.
fn gives_way(taken: &HashMap<u64, Arc<Seat>>, newcomer: IpAddr) -> Result<u64, NoSeat> {
    let mut of: HashMap<IpAddr, usize> = HashMap::new();
    for seat in taken.values() {
        *of.entry(seat.source).or_default() += 1;
    }
    let own = of.get(&newcomer).copied().unwrap_or_default();
    let waiting = taken.iter().filter_map(|(id, seat)| {
        let since = seat.waits_since()?;
        Some((Reverse(of[&seat.source]), since, *id))
    });
    let (Reverse(count), _, id) = waiting.min().ok_or(NoSeat::AllWork)?;
    match count >= own {
        true => Ok(id),
        false => Err(NoSeat::HasMost),
    }
}

impl Taken {
    /// The place.
    pub fn seat(&self) -> Arc<Seat> {
        Arc::clone(&self.seat)
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        lock(&self.seats.taken).remove(&self.id);
        self.seats.freed.notify_one();
    }
}

impl Seat {
    /// One that nobody else wants.
    #[cfg(test)]
    pub fn alone() -> Arc<Seat> {
        let taken = Seats::new(1).try_take(IpAddr::from([0, 0, 0, 0]));
        taken.expect("it is free").seat()
    }

    /// Waits until somebody else has the place.
    pub async fn gone(&self) {
        self.gone.cancelled().await;
    }

    /// The head of a request is here; its number.
    pub fn begins(&self) -> u64 {
        let mut number = 0;
        self.change(|state| {
            state.turn += 1;
            number = state.turn;
            true
        });
        number
    }

    /// A piece of its body came.
    pub fn moves(&self) {
        self.change(|_| true);
    }

    /// All of a request is here, or wanted.
    pub fn works(&self, turn: u64) {
        self.change(|state| state.turn == turn && !std::mem::replace(&mut state.works, true));
    }

    /// It is answered.
    pub fn ends(&self, turn: u64) {
        self.change(|state| {
            let now = state.turn == turn;
            if now {
                // Whatever is left of it is of the past.
                state.turn += 1;
                state.works = false;
            }
            now
        });
    }

    /// Whether what is written is not taken.
    pub fn stalls(&self, stalls: bool) {
        self.change(|state| {
            state.stalls = stalls;
            true
        });
    }

    /// Since which moment it waits for its peer.
    fn waits_since(&self) -> Option<u64> {
        let state = lock(&self.state);
        (!state.works || state.stalls).then_some(state.since)
    }

    /// Changes something, and notes when, if there was something to change.
    fn change(&self, change: impl FnOnce(&mut State) -> bool) {
        let mut state = lock(&self.state);
        if !change(&mut state) {
            return;
        }
        state.since = self.moments.fetch_add(1, Ordering::Relaxed);
        if !state.works || state.stalls {
            self.freed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    use super::{NoSeat, Seats, Taken};

    fn source(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn take(seats: &Arc<Seats>, last: u8) -> Result<Taken, NoSeat> {
        seats.try_take(source(last))
    }

    fn is_gone(taken: &Taken) -> bool {
        taken.seat.gone.is_cancelled()
    }

    #[test]
    fn who_has_most_gives_way_where_it_has_waited_for_longest() {
        let seats = Seats::new(4);
        let one = take(&seats, 1).expect("free");
        let many = [2; 3].map(|from| take(&seats, from).expect("free"));
        // The first of them is heard of again.
        many[0].seat.moves();
        let next = take(&seats, 3).expect("a place");
        assert_eq!(many.each_ref().map(is_gone), [false, true, false]);
        assert!(!is_gone(&one) && !is_gone(&next));
        // Who has as many as anybody gives way himself, and takes from nobody who has fewer.
        let again = take(&seats, 2).expect("a place");
        assert_eq!(many.each_ref().map(is_gone), [false, true, true]);
        assert!(!is_gone(&one) && !is_gone(&next) && !is_gone(&again));
        // Who has most, and of whom all work, is sent away.
        for taken in [&many[0], &again] {
            taken.seat.works(taken.seat.begins());
        }
        assert_eq!(take(&seats, 2).expect_err("no place"), NoSeat::HasMost);
        assert!(!is_gone(&one) && !is_gone(&next));
    }

    #[test]
    fn who_waits_for_us_is_not_sent_away() {
        let seats = Seats::new(3);
        let all = [1; 3].map(|from| take(&seats, from).expect("free"));
        let turns = all.each_ref().map(|taken| taken.seat.begins());
        // Its body is still to come.
        for (taken, turn) in all.iter().zip(turns).skip(1) {
            taken.seat.works(turn);
        }
        let next = take(&seats, 2).expect("a place");
        assert!(is_gone(&all[0]));
        next.seat.works(next.seat.begins());
        assert_eq!(take(&seats, 2).expect_err("no place"), NoSeat::AllWork);
        // What is answered and not taken waits for its peer.
        all[1].seat.stalls(true);
        let stalled = take(&seats, 2).expect("a place");
        assert!(is_gone(&all[1]));
        stalled.seat.works(stalled.seat.begins());
        // The end of one that is over changes nothing of the next.
        all[2].seat.ends(turns[2]);
        let turn = all[2].seat.begins();
        all[2].seat.works(turn);
        all[2].seat.ends(turns[2]);
        assert_eq!(take(&seats, 3).expect_err("no place"), NoSeat::AllWork);
        // And what is left of one does not make it busy again.
        all[2].seat.ends(turn);
        all[2].seat.works(turn);
        take(&seats, 3).expect("a place");
        assert!(is_gone(&all[2]));
    }

    #[test]
    fn who_comes_when_all_work_waits_until_one_leaves() {
        let seats = Seats::new(1);
        let busy = take(&seats, 1).expect("free");
        busy.seat.works(busy.seat.begins());
        let mut waits = pin!(seats.take(source(2)));
        let mut context = Context::from_waker(Waker::noop());
        assert!(waits.as_mut().poll(&mut context).is_pending());
        assert!(waits.as_mut().poll(&mut context).is_pending());
        drop(busy);
        let Poll::Ready(taken) = waits.as_mut().poll(&mut context) else {
            panic!("it is free");
        };
        // Whoever had to go leaves nobody else's place.
        drop(taken);
        assert!(seats.taken.lock().expect("whole").is_empty());
    }
}
