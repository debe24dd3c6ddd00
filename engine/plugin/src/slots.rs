//! Who gets an instance of a pool: tenants by what they hold, and who waits long gives way.
//!
//! While there are other tenants, one holds at most its part of a pool ([`Share::set_instances_percent`]). A slot that
//! becomes free goes to the tenant that holds the fewest. When somebody waits for one, the tenant that holds the most
//! is asked for the instance that has waited longest for its contact ([`Parked`]): it can be built again. Nobody is
//! asked for one by a tenant that holds more.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

use crate::memory::{Held, Waits};
use crate::share::Share;

/// The slots of a pool. A handle.
#[derive(Clone)]
pub(crate) struct Slots(Arc<Inner>);

struct Inner {
    most: u32,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    free: u32,
    /// Names those that wait and those that are parked, in the order in which they came.
    next: u64,
    /// How many wait, of all shares.
    waiting: usize,
    /// Shares that hold, wait or have something parked.
    shares: HashMap<u64, Of>,
}

/// What is known of one share.
struct Of {
    share: Share,
    held: u32,
    /// Instances that were asked to go and whose slots are not back yet.
    called: u32,
    waiting: BTreeMap<u64, oneshot::Sender<Slot>>,
    parked: BTreeMap<u64, Call>,
}

/// How an instance that waits is asked to go.
struct Call {
    wanted: Arc<AtomicBool>,
    wake: Arc<Notify>,
}

/// What is to be told once the lock is free: whoever is woken may come back to it.
#[derive(Default)]
struct News {
    granted: Vec<(oneshot::Sender<Slot>, Slot)>,
    called: Vec<Arc<Notify>>,
}

impl News {
    fn tell(self) {
        for (waiting, slot) in self.granted {
            // Whoever does not wait any more gives it back by this.
            let _ = waiting.send(slot);
        }
        for wake in self.called {
            wake.notify_one();
        }
    }
}

impl Slots {
    pub(crate) fn new(most: u32) -> Slots {
        let state = State {
            free: most,
            ..State::default()
        };
        Slots(Arc::new(Inner {
            most,
            state: Mutex::new(state),
        }))
    }

    /// Slots that are taken.
    pub(crate) fn in_use(&self) -> u32 {
        self.0.most - self.lock().free
    }

    /// A slot at once; else the place in the line for one.
    pub(crate) fn ask(&self, share: &Share) -> Result<Slot, Waiting> {
        let mut state = self.lock();
        let free = state.free > 0;
        let of = state.of(share);
        if free && of.has_room(self.0.most) {
            of.held += 1;
            state.free -= 1;
            return Ok(self.slot(share.id()));
        }
        let (sender, receiver) = oneshot::channel();
        let id = state.name();
        state.of(share).waiting.insert(id, sender);
        state.waiting += 1;
        let mut news = News::default();
        state.press(self.0.most, &mut news);
        drop(state);
        news.tell();
        Err(Waiting {
            slots: self.clone(),
            share: share.id(),
            id,
            receiver,
        })
    }

    /// Says that an instance of a share waits, and can be built again.
    pub(crate) fn park(&self, share: &Share, held: &Held, wake: &Arc<Notify>) -> Parked {
        let wanted = Arc::new(AtomicBool::new(false));
        let memory = Waits::new(share, held, &wanted, wake);
        let mut state = self.lock();
        let id = state.name();
        let call = Call {
            wanted: Arc::clone(&wanted),
            wake: Arc::clone(wake),
        };
        state.of(share).parked.insert(id, call);
        let mut news = News::default();
        state.press(self.0.most, &mut news);
        drop(state);
        news.tell();
        Parked {
            slots: self.clone(),
            share: share.id(),
            id,
            wanted,
            given: false,
            memory,
        }
    }

    fn slot(&self, share: u64) -> Slot {
        Slot {
            slots: self.clone(),
            share,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics under this lock.
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn back(&self, share: u64) {
        let mut state = self.lock();
        state.free += 1;
        if let Some(of) = state.shares.get_mut(&share) {
            of.held -= 1;
            of.called = of.called.saturating_sub(1).min(of.held);
        }
        let mut news = News::default();
        self.grant(&mut state, &mut news);
        state.press(self.0.most, &mut news);
        state.forget(share);
        drop(state);
        news.tell();
    }

    /// Gives what is free to those that wait: first to the share that holds the fewest.
    fn grant(&self, state: &mut State, news: &mut News) {
        while state.free > 0 && state.waiting > 0 {
            let waits = state.shares.iter_mut();
            let first = waits
                .filter(|(_, of)| !of.waiting.is_empty() && of.has_room(self.0.most))
                .min_by_key(|(_, of)| (of.share.is_background(), of.held));
            let Some((id, of)) = first else {
                return;
            };
            let Some((_, sender)) = of.waiting.pop_first() else {
                return;
            };
            of.held += 1;
            let slot = self.slot(*id);
            state.waiting -= 1;
            state.free -= 1;
            news.granted.push((sender, slot));
        }
    }
}

impl State {
    fn name(&mut self) -> u64 {
        self.next += 1;
        self.next
    }

    fn of(&mut self, share: &Share) -> &mut Of {
        self.shares.entry(share.id()).or_insert_with(|| Of {
            share: share.clone(),
            held: 0,
            called: 0,
            waiting: BTreeMap::new(),
            parked: BTreeMap::new(),
        })
    }

    fn forget(&mut self, share: u64) {
        let idle = self
            .shares
            .get(&share)
            .is_some_and(|of| of.held == 0 && of.waiting.is_empty() && of.parked.is_empty());
        if idle {
            self.shares.remove(&share);
        }
    }

    /// Asks parked instances to go until there is one on its way for everybody who waits.
    fn press(&mut self, most: u32, news: &mut News) {
        if self.waiting == 0 {
            return;
        }
        let mut on_the_way: u32 = self.shares.values().map(|of| of.called).sum();
        let mut waits: Vec<(u32, u64, u32, bool)> = self
            .shares
            .iter()
            .filter(|(_, of)| !of.waiting.is_empty() && !of.share.is_background())
            .map(|(id, of)| {
                let waiting = u32::try_from(of.waiting.len()).unwrap_or(u32::MAX);
                (of.held, *id, waiting, of.has_room(most))
            })
            .collect();
        waits.sort_unstable();
        for (held, id, waiting, room) in waits {
            if !room {
                // Only one of its own makes place for it.
                if let Some(of) = self.shares.get_mut(&id) {
                    while of.called < waiting && of.call(news) {}
                }
                continue;
            }
            for _ in 0..waiting {
                if on_the_way > 0 {
                    on_the_way -= 1;
                    continue;
                }
                let holders = self.shares.values_mut();
                let victim = holders
                    .filter(|of| !of.parked.is_empty() && of.held >= held)
                    .max_by_key(|of| of.held - of.called);
                if !victim.is_some_and(|of| of.call(news)) {
                    break;
                }
            }
        }
    }
}

impl Of {
    fn has_room(&self, most: u32) -> bool {
        self.held < self.share.instances(most)
    }

    /// Asks the instance to go that is parked the longest; whether there is one.
    fn call(&mut self, news: &mut News) -> bool {
        let Some((_, call)) = self.parked.pop_first() else {
            return false;
        };
        call.wanted.store(true, Ordering::Release);
        self.called = (self.called + 1).min(self.held);
        news.called.push(call.wake);
        true
    }
}

/// A place in the pool for one instance.
pub(crate) struct Slot {
    slots: Slots,
    share: u64,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.slots.back(self.share);
    }
}

/// A place in the line.
pub(crate) struct Waiting {
    slots: Slots,
    share: u64,
    id: u64,
    receiver: oneshot::Receiver<Slot>,
}

impl Waiting {
    /// The slot, if there is one in time.
    pub(crate) async fn wait(mut self, patience: Duration) -> Option<Slot> {
        let slot = tokio::time::timeout(patience, &mut self.receiver).await;
        slot.ok()?.ok()
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut state = self.slots.lock();
        let of = state.shares.get_mut(&self.share);
        let left = of.and_then(|of| of.waiting.remove(&self.id));
        if left.is_some() {
            state.waiting -= 1;
            state.forget(self.share);
        }
    }
}

/// An instance that waits for the contact, a person or a clock, and can be built again: it may be asked to make place
/// for another. Dropped when it goes on.
pub struct Parked {
    slots: Slots,
    share: u64,
    id: u64,
    wanted: Arc<AtomicBool>,
    given: bool,
    memory: Waits,
}

impl Parked {
    /// Whether its place or its memory is wanted.
    pub fn wanted(&self) -> bool {
        self.wanted.load(Ordering::Acquire)
    }

    /// Its instance is dropped: place and memory come back by that.
    pub fn give_up(mut self) {
        self.given = true;
        self.memory.given = true;
    }
}

impl Drop for Parked {
    fn drop(&mut self) {
        let mut state = self.slots.lock();
        let mut news = News::default();
        if let Some(of) = state.shares.get_mut(&self.share) {
            let uncalled = of.parked.remove(&self.id).is_some();
            if !uncalled && !self.given {
                // It goes on instead of going: another is asked.
                of.called = of.called.saturating_sub(1);
                state.press(self.slots.0.most, &mut news);
            }
        }
        state.forget(self.share);
        drop(state);
        news.tell();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    fn shares<const N: usize>() -> [Share; N] {
        let all = Arc::new(AtomicUsize::new(0));
        std::array::from_fn(|id| Share::among(id as u64, &all))
    }

    fn got(waiting: &mut Waiting) -> Option<Slot> {
        waiting.receiver.try_recv().ok()
    }

    /// Takes so many slots, each parked.
    fn hold(slots: &Slots, share: &Share, count: usize, wake: &Arc<Notify>) -> Vec<(Slot, Parked)> {
        let one = |_| {
            let slot = slots.ask(share).ok().expect("a free slot");
            (slot, slots.park(share, &Held::default(), wake))
        };
        (0..count).map(one).collect()
    }

    #[test]
    fn a_tenant_has_its_part_as_long_as_there_are_others() {
        let slots = Slots::new(4);
        let [one, other] = shares();
        one.set_instances_percent(50);
        let held = [slots.ask(&one), slots.ask(&one)];
        assert!(held.iter().all(Result::is_ok));
        let mut beyond = slots.ask(&one).err().expect("its part is taken");
        let neighbour = slots.ask(&other);
        assert!(neighbour.is_ok());
        let [first, _second] = held;
        drop(first);
        assert!(got(&mut beyond).is_some(), "its own place came back");
        drop((neighbour, other));
        assert!(slots.ask(&one).is_ok(), "alone it may have all");
    }

    #[test]
    fn who_holds_the_most_gives_up_what_waits_the_longest() {
        let slots = Slots::new(4);
        let [big, small, late] = shares();
        let wake = Arc::new(Notify::new());
        let mut of_big = hold(&slots, &big, 3, &wake);
        let of_small = hold(&slots, &small, 1, &wake);
        let mut waiting = slots.ask(&late).err().expect("all are taken");
        let wanted = |held: &[(Slot, Parked)]| -> Vec<bool> {
            held.iter().map(|(_, parked)| parked.wanted()).collect()
        };
        assert_eq!(wanted(&of_big), [true, false, false]);
        assert_eq!(wanted(&of_small), [false]);
        // The one that was asked goes on: the next is asked.
        let (slot, parked) = of_big.remove(0);
        drop(parked);
        assert_eq!(wanted(&of_big), [true, false]);
        let (given, parked) = of_big.remove(0);
        parked.give_up();
        assert!(got(&mut waiting).is_none(), "not before it is back");
        drop(given);
        let _late = got(&mut waiting).expect("the place that was given up");
        assert_eq!(wanted(&of_big), [false], "nobody waits any more");
        drop(slot);
    }

    #[test]
    fn nobody_gives_way_to_one_that_holds_more() {
        let slots = Slots::new(3);
        let [big, small] = shares();
        let wake = Arc::new(Notify::new());
        let _working: Vec<_> = (0..2).map(|_| slots.ask(&big)).collect();
        let of_small = hold(&slots, &small, 1, &wake);
        let _waiting = slots.ask(&big).err().expect("all are taken");
        assert!(!of_small[0].1.wanted());
    }

    #[test]
    fn a_free_slot_goes_to_who_holds_the_fewest() {
        let slots = Slots::new(3);
        let [big, small] = shares();
        let mut held: Vec<_> = (0..3).map(|_| slots.ask(&big)).collect();
        let mut first = slots.ask(&big).err().expect("all are taken");
        let mut second = slots.ask(&small).err().expect("all are taken");
        held.pop();
        assert!(got(&mut first).is_none());
        let got = got(&mut second);
        assert!(got.is_some());
        drop((held, got, first, second));
        assert_eq!(slots.in_use(), 0);
        assert!(slots.lock().shares.is_empty(), "nothing is remembered");
    }

    #[test]
    fn who_does_not_wait_any_more_takes_nothing() {
        let slots = Slots::new(1);
        let [one, other] = shares();
        let held = slots.ask(&one);
        let gone = slots.ask(&other).err().expect("taken");
        let mut next = slots.ask(&other).err().expect("taken");
        drop(gone);
        drop(held);
        let slot = got(&mut next);
        assert!(slot.is_some());
        // One that was given and never looked at comes back too.
        let unseen = slots.ask(&one).err().expect("taken");
        drop(slot);
        drop(unseen);
        assert_eq!(slots.in_use(), 0);
    }
}
