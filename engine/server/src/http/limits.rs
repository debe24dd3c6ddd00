//! Rate limits: a bucket of requests for each token, user or source, that fills up again with time.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most buckets kept; beyond, those that are full again go, then the one that was used longest ago.
const MAX_BUCKETS: usize = 10_000;

/// Who requests are counted for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Payer {
    /// A token or a user, as the audit log names it.
    Known(String),
    /// An address that nobody is known by.
    Source(IpAddr),
}

/// The network that an address counts for: who has an IPv6 address has 2^64 of them.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let prefix = u128::from(address) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(prefix))
        }
        address => address,
    }
}

/// Buckets of one kind.
#[derive(Debug)]
pub(super) struct Buckets<K> {
    /// Requests a millisecond that come back.
    refill: f64,
    /// Requests that a full one holds.
    burst: f64,
    levels: Mutex<HashMap<K, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    level: f64,
    /// When that was, in milliseconds.
    at: u64,
}

impl<K: Eq + Hash + Clone> Buckets<K> {
    /// So many requests a second, and so many at once after a rest.
    pub fn new(per_second: f64, burst: u32) -> Buckets<K> {
        Buckets {
            refill: per_second / 1_000.0,
            burst: f64::from(burst),
            levels: Mutex::default(),
        }
    }

    /// Takes a request; else in how many seconds there is one again.
    pub fn take(&self, key: &K, now: u64) -> Result<(), u64> {
        let mut levels = self.levels();
        let level = self.level(levels.get(key), now);
        if level < 1.0 {
            return Err(self.seconds(level));
        }
        if !levels.contains_key(key) && levels.len() >= MAX_BUCKETS {
            levels.retain(|_, bucket| self.level(Some(bucket), now) < self.burst);
            if levels.len() >= MAX_BUCKETS {
                let oldest = levels.iter().min_by_key(|(_, bucket)| bucket.at);
                if let Some(key) = oldest.map(|(key, _)| key.clone()) {
                    levels.remove(&key);
                }
            }
        }
        levels.insert(
            key.clone(),
            Bucket {
                level: level - 1.0,
                at: now,
            },
        );
        Ok(())
    }

    /// Whether there is a request left; else in how many seconds.
    pub fn peek(&self, key: &K, now: u64) -> Result<(), u64> {
        let level = self.level(self.levels().get(key), now);
        if level < 1.0 {
            Err(self.seconds(level))
        } else {
            Ok(())
        }
    }

    fn level(&self, bucket: Option<&Bucket>, now: u64) -> f64 {
        bucket.map_or(self.burst, |bucket| {
            let gone = now.saturating_sub(bucket.at) as f64;
            (bucket.level + gone * self.refill).min(self.burst)
        })
    }

    fn seconds(&self, level: f64) -> u64 {
        (((1.0 - level) / self.refill / 1_000.0).ceil() as u64).max(1)
    }

    fn levels(&self) -> MutexGuard<'_, HashMap<K, Bucket>> {
        // Nothing under this lock panics half-way through a change.
        self.levels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Buckets, MAX_BUCKETS, network};

    #[test]
    fn a_bucket_empties_and_fills_up_again() {
        let buckets = Buckets::new(2.0, 3);
        for _ in 0..3 {
            assert_eq!(buckets.take(&"a", 1_000), Ok(()));
        }
        assert_eq!(buckets.take(&"a", 1_000), Err(1));
        assert_eq!(buckets.peek(&"a", 1_400), Err(1));
        assert_eq!(buckets.take(&"b", 1_000), Ok(()), "each has its own");
        assert_eq!(buckets.take(&"a", 1_500), Ok(()));
        assert_eq!(buckets.take(&"a", 1_500), Err(1));
        for _ in 0..3 {
            assert_eq!(
                buckets.take(&"a", 100_000),
                Ok(()),
                "never more than a full one"
            );
        }
        assert_eq!(buckets.take(&"a", 100_000), Err(1));
        let slow = Buckets::new(0.1, 1);
        assert_eq!(slow.take(&"a", 0), Ok(()));
        assert_eq!(slow.take(&"a", 0), Err(10));
    }

    #[test]
    fn strangers_take_bounded_memory() {
        let buckets = Buckets::new(0.001, 1);
        for source in 0..MAX_BUCKETS + 100 {
            assert_eq!(buckets.take(&source, source as u64), Ok(()));
        }
        assert_eq!(buckets.levels().len(), MAX_BUCKETS);
    }

    #[test]
    fn addresses_of_one_network_count_together() {
        for (one, other, same) in [
            ("2001:db8::1", "2001:db8::ffff:1", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
            ("192.0.2.1", "192.0.2.2", false),
            ("::ffff:192.0.2.1", "192.0.2.1", true),
        ] {
            let [one, other] = [one, other].map(|text| network(text.parse().expect(text)));
            assert_eq!(one == other, same, "{one} {other}");
        }
    }
}
