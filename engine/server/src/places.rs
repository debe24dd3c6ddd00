//! Places of those who wait or read for long: so many in all, and so many of each, so that nobody takes all that are there for
//! everybody.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::locked::lock;

/// Places, of which each key may have some.
#[derive(Debug)]
pub(crate) struct Places<K: Eq + Hash> {
    in_all: usize,
    each: usize,
    kept: usize,
    taken: Arc<Mutex<Taken<K>>>,
    refused: AtomicU64,
}

#[derive(Debug)]
struct Taken<K> {
    all: usize,
    of: HashMap<K, usize>,
}

/// A place that is taken, until this is dropped.
#[derive(Debug)]
pub(crate) struct Place<K: Eq + Hash> {
    key: K,
    taken: Arc<Mutex<Taken<K>>>,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// This one has as many as it may.
    OfThis,
    /// All are taken.
    AtAll,
}

impl<K: Eq + Hash + Clone> Places<K> {
    /// So many in all, and so many of each; the last `kept` of all are for those who have none.
    pub fn new(in_all: usize, each: usize, kept: usize) -> Places<K> {
        Places {
            in_all,
            each,
            kept,
            taken: Arc::new(Mutex::new(Taken {
                all: 0,
                of: HashMap::new(),
            })),
            refused: AtomicU64::new(0),
        }
    }

    /// A place, if there is one.
    pub fn take(&self, key: K) -> Result<Place<K>, NoPlace> {
        let mut taken = lock(&self.taken);
        let own = taken.of.get(&key).copied().unwrap_or_default();
        let full = match () {
            () if own >= self.each => Some(NoPlace::OfThis),
            () if taken.all >= self.in_all => Some(NoPlace::AtAll),
            () if own > 0 && taken.all + self.kept >= self.in_all => Some(NoPlace::AtAll),
            () => None,
        };
        if let Some(full) = full {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return Err(full);
        }
        taken.all += 1;
        taken.of.insert(key.clone(), own + 1);
        Ok(Place {
            key,
            taken: Arc::clone(&self.taken),
        })
    }

    /// How often there was none.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

impl<K: Eq + Hash> Drop for Place<K> {
    fn drop(&mut self) {
        let mut taken = lock(&self.taken);
        taken.all -= 1;
        if let Some(own) = taken.of.get_mut(&self.key) {
            *own -= 1;
            if *own == 0 {
                taken.of.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{NoPlace, Places, lock};

    #[test]
    fn several_together_leave_some_to_those_who_have_none() {
        let places = Places::new(6, 2, 2);
        let taken: Vec<_> = ["a", "a", "b", "b"]
            .map(|key| places.take(key).expect("free"))
            .into();
        let first = places.take("c").expect("one is kept for it");
        assert_eq!(places.take("c").err(), Some(NoPlace::AtAll));
        let last = places.take("d").expect("and for this one");
        assert_eq!(places.take("e").err(), Some(NoPlace::AtAll));
        drop((taken, first, last));
        assert_eq!(lock(&places.taken).all, 0);
    }

    #[test]
    fn nobody_takes_all_that_are_there_for_everybody() {
        let places = Places::new(5, 2, 0);
        let mut first: Vec<_> = (0..2).map(|_| places.take("a").expect("free")).collect();
        assert_eq!(places.take("a").err(), Some(NoPlace::OfThis));
        let others: Vec<_> = ["b", "b", "c"]
            .map(|key| places.take(key).expect("free"))
            .into();
        assert_eq!(places.take("c").err(), Some(NoPlace::AtAll));
        first.pop();
        let last = places.take("c").expect("it was given back");
        assert_eq!(places.refused(), 2);
        drop((first, others, last));
        let taken = lock(&places.taken);
        assert!(taken.all == 0 && taken.of.is_empty(), "{taken:?}");
    }
}
