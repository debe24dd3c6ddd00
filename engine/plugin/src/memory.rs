//! The memory that a tenant's instances hold together, with what its steps were told that can be told again
//! ([`Told`](crate::Told)) and whatever else of its contacts is counted to it ([`Holding`]), and who gives way when it is all that
//! they may.
//!
//! An instance that waits and can be built again ([`Parked`](crate::Parked)) is asked to go when another of the same tenant needs
//! its memory, the one that has waited longest first. What it holds counts as free from then on: it goes at once, and else
//! another could not begin before it is gone.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::error::StepError;
use crate::share::Share;

/// The linear memory of one instance, known to its run and to whoever may drop it. A handle; clones are the same one. A new
/// one for each instance.
#[derive(Debug, Clone, Default)]
pub struct Held(Arc<Amounts>);

/// Written under the lock of the share's [`Memory`] alone. Bytes.
#[derive(Debug, Default)]
struct Amounts {
    bytes: AtomicU64,
    /// The part of `bytes` that counts as free, since the instance was asked to go.
    leaving: AtomicU64,
}

/// The memory of a share's instances.
#[derive(Debug)]
pub(crate) struct Memory(Mutex<State>);

#[derive(Debug)]
struct State {
    /// Bytes.
    most: u64,
    /// What all hold. Bytes.
    held: u64,
    /// What those hold that were asked to go. Bytes.
    leaving: u64,
    /// Names those that are parked, in the order in which they came.
    next: u64,
    parked: BTreeMap<u64, Call>,
}

/// How an instance that waits is asked to go.
#[derive(Debug)]
struct Call {
    held: Held,
    wanted: Arc<AtomicBool>,
    wake: Arc<Notify>,
}

impl Default for Memory {
    fn default() -> Self {
        Memory(Mutex::new(State {
            most: u64::MAX,
            held: 0,
            leaving: 0,
            next: 0,
            parked: BTreeMap::new(),
        }))
    }
}

impl Memory {
    /// Sets what all may hold. Bytes; without a limit before it is set.
    pub(crate) fn set_most(&self, bytes: u64) {
        self.lock().most = bytes;
    }

    /// What all hold. Bytes.
    pub(crate) fn held(&self) -> u64 {
        self.lock().held
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics under this lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds to what an instance holds; asks those that wait to go, if that makes room.
    fn grow(&self, held: &Held, more: u64) -> Result<(), StepError> {
        let mut state = self.lock();
        let wanted = state.held.saturating_sub(state.leaving) + more;
        let mut missing = wanted.saturating_sub(state.most);
        let mut woken = Vec::new();
        if missing > 0 {
            let parked = state.parked.values().map(|call| call.held.bytes());
            if parked.sum::<u64>() < missing {
                return Err(StepError::TenantMemoryLimit {
                    wanted,
                    most: state.most,
                });
            }
            while missing > 0
                && let Some((_, call)) = state.parked.pop_first()
            {
                let bytes = call.held.bytes();
                call.held.0.leaving.store(bytes, Ordering::Relaxed);
                state.leaving += bytes;
                missing = missing.saturating_sub(bytes);
                call.wanted.store(true, Ordering::Release);
                woken.push(call.wake);
            }
        }
        state.held += more;
        held.0.bytes.fetch_add(more, Ordering::Relaxed);
        drop(state);
        // Whoever is woken may come back to the lock.
        woken.iter().for_each(|wake| wake.notify_one());
        Ok(())
    }

    /// What holds so much holds that much less.
    fn shrink(&self, held: &Held, less: u64) {
        let mut state = self.lock();
        state.held -= less;
        held.0.bytes.fetch_sub(less, Ordering::Relaxed);
    }

    /// An instance is gone.
    fn release(&self, held: &Held) {
        let mut state = self.lock();
        state.held -= held.0.bytes.swap(0, Ordering::Relaxed);
        state.leaving -= held.0.leaving.swap(0, Ordering::Relaxed);
    }
}

impl Held {
    fn bytes(&self) -> u64 {
        self.0.bytes.load(Ordering::Relaxed)
    }
}

/// What an instance, what a step was told, or what else is a tenant's holds of its share's memory; given back when it is dropped.
/// From [`Share::hold`].
#[derive(Debug)]
pub struct Holding {
    share: Share,
    held: Held,
}

impl Holding {
    pub(crate) fn new(share: &Share, held: Held) -> Holding {
        Holding {
            share: share.clone(),
            held,
        }
    }

    /// Adds so many bytes.
    pub(crate) fn grow(&self, more: usize) -> Result<(), StepError> {
        self.share.memory().grow(&self.held, more as u64)
    }

    /// Holds so many bytes from now on. Where there is no room for more it holds what it did, and it is an error.
    pub fn set(&mut self, bytes: u64) -> Result<(), StepError> {
        let memory = self.share.memory();
        let before = self.held.bytes();
        match bytes.checked_sub(before) {
            Some(0) => {}
            Some(more) => memory.grow(&self.held, more)?,
            None => memory.shrink(&self.held, before - bytes),
        }
        Ok(())
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        self.share.memory().release(&self.held);
    }
}

/// An instance that waits and can be built again, as far as its memory is concerned.
pub(crate) struct Waits {
    share: Share,
    held: Held,
    id: u64,
    /// Whether its instance is dropped.
    pub(crate) given: bool,
}

impl Waits {
    /// Sets `wanted` and notifies `wake` when the memory is needed.
    pub(crate) fn new(
        share: &Share,
        held: &Held,
        wanted: &Arc<AtomicBool>,
        wake: &Arc<Notify>,
    ) -> Waits {
        let mut state = share.memory().lock();
        state.next += 1;
        let id = state.next;
        let call = Call {
            held: held.clone(),
            wanted: Arc::clone(wanted),
            wake: Arc::clone(wake),
        };
        state.parked.insert(id, call);
        drop(state);
        Waits {
            share: share.clone(),
            held: held.clone(),
            id,
            given: false,
        }
    }
}

impl Drop for Waits {
    fn drop(&mut self) {
        let mut state = self.share.memory().lock();
        let called = state.parked.remove(&self.id).is_none();
        if called && !self.given {
            // It goes on instead of going: it holds what it has again.
            state.leaving -= self.held.0.leaving.swap(0, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    fn share(most: u64) -> Share {
        let share = Share::among(1, &Arc::new(AtomicUsize::new(0)));
        share.set_memory_most(most);
        share
    }

    fn holding(share: &Share, bytes: usize) -> (Holding, Held) {
        let held = Held::default();
        let holding = Holding::new(share, held.clone());
        holding.grow(bytes).expect("there is room");
        (holding, held)
    }

    #[test]
    fn what_all_hold_is_bounded_and_comes_back() {
        let share = share(100);
        let (one, _) = holding(&share, 60);
        let (other, _) = holding(&share, 40);
        let wanted = StepError::TenantMemoryLimit {
            wanted: 101,
            most: 100,
        };
        assert_eq!(one.grow(1), Err(wanted));
        drop(other);
        assert_eq!(one.grow(40), Ok(()));
        drop(one);
        assert_eq!(share.memory_held(), 0);
    }

    #[test]
    fn what_is_held_beside_instances_counts_as_theirs_and_asks_them_to_go() {
        let share = share(100);
        let (instance, held) = holding(&share, 60);
        let mut values = share.hold();
        assert_eq!(values.set(40), Ok(()));
        assert_eq!(share.memory_held(), 100);
        let full = values.set(50);
        assert!(
            matches!(full, Err(StepError::TenantMemoryLimit { wanted: 110, .. })),
            "{full:?}"
        );
        // It holds what it did.
        assert_eq!(share.memory_held(), 100);
        assert_eq!(values.set(30), Ok(()));
        assert_eq!(share.memory_held(), 90);
        let (wanted, wake) = (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()));
        let mut waits = Waits::new(&share, &held, &wanted, &wake);
        assert_eq!(values.set(50), Ok(()));
        assert!(wanted.load(Ordering::Acquire));
        waits.given = true;
        drop((waits, instance));
        assert_eq!(share.memory_held(), 50);
        drop(values);
        assert_eq!(share.memory_held(), 0);
    }

    #[test]
    fn who_waits_the_longest_gives_way_and_no_more_than_needed() {
        let share = share(100);
        let wake = Arc::new(Notify::new());
        let mut waiting: Vec<_> = (0..3)
            .map(|_| {
                let (holding, held) = holding(&share, 30);
                let wanted = Arc::new(AtomicBool::new(false));
                let waits = Waits::new(&share, &held, &wanted, &wake);
                (holding, waits, wanted)
            })
            .collect();
        let wanted = |waiting: &[(Holding, Waits, Arc<AtomicBool>)]| -> Vec<bool> {
            let wanted = waiting.iter().map(|(_, _, wanted)| wanted);
            wanted
                .map(|wanted| wanted.load(Ordering::Acquire))
                .collect()
        };
        let (new, _) = holding(&share, 35);
        assert_eq!(wanted(&waiting), [true, false, false]);
        // It is not gone, and what it holds is not asked for twice.
        assert_eq!(new.grow(5), Ok(()));
        assert_eq!(wanted(&waiting), [true, false, false]);
        // Nobody is asked for what all together do not have.
        assert!(new.grow(61).is_err());
        assert_eq!(wanted(&waiting), [true, false, false]);
        // The one that was asked goes on: the next one is, for whatever comes then.
        let (going_on, waits, _) = waiting.remove(0);
        drop(waits);
        assert_eq!(new.grow(1), Ok(()));
        assert_eq!(wanted(&waiting), [true, true]);
        for (holding, mut waits, _) in waiting {
            waits.given = true;
            drop(waits);
            drop(holding);
        }
        assert_eq!(share.memory_held(), 71);
        drop((going_on, new));
        assert_eq!(share.memory_held(), 0);
        let state = share.memory().lock();
        assert_eq!((state.leaving, state.parked.len()), (0, 0));
    }
}
