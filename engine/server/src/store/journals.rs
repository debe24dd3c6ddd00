//! How much of a file with a bound each tenant's journals take: known in memory, so that whoever lets contacts in asks at no cost.
//!
//! The writer counts what it adds. What others remove it does not see, so a tenant that seems to have too much is weighed before
//! that is believed; one that writes faster than it is weighed is not waited for.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::published::unsigned;
use super::{Place, Store, StoreError};

const SIZE: &str = "SELECT CAST(COALESCE(SUM(LENGTH(f.body)), 0) AS BIGINT) FROM contacts c \
     JOIN frames f ON f.contact = c.id WHERE c.tenant = $1";
/// Time between two weighings at least: each reads what there is.
const PAUSE: Duration = Duration::from_secs(10);
/// How often a tenant that has too much is weighed again.
const AGAIN: Duration = Duration::from_secs(60);
/// The part of its bound by which a tenant may be beyond it without having been weighed.
const UNWEIGHED: u64 = 8;

/// What tenants' journals take, and what they may take.
#[derive(Debug, Default)]
pub struct Journals {
    of: Mutex<BTreeMap<String, Weight>>,
    /// Somebody is to be weighed.
    wanted: Notify,
    /// Somebody has too much.
    crowded: Notify,
}

/// One tenant's.
#[derive(Debug, Default)]
struct Weight {
    /// Bytes, at least as many as there are.
    bytes: u64,
    /// What they may be; none for as many as the store has room for.
    most: Option<u64>,
    /// Nothing is known of what was there before this process.
    unknown: bool,
    /// They are more than they may be.
    full: bool,
    /// That was told.
    told: bool,
}

/// What is new of a tenant that was weighed.
#[derive(Debug, PartialEq, Eq)]
enum News {
    /// Its journals take so much, and may take less.
    Full(u64, u64),
    /// It has room again.
    Fits,
}

impl Journals {
    /// What tenants may have from now on; others may have as much as there is room for.
    pub(crate) fn bound(&self, most: BTreeMap<String, u64>) {
        let mut of = self.of();
        for weight in of.values_mut() {
            weight.most = None;
            weight.full = false;
        }
        for (tenant, most) in most {
            let weight = of.entry(tenant).or_insert_with(|| Weight {
                unknown: true,
                ..Weight::default()
            });
            weight.most = Some(most);
            weight.full = !weight.unknown && weight.bytes > most;
        }
        drop(of);
        self.wanted.notify_one();
    }

    /// Whether a tenant's journals take more than they may.
    pub(crate) fn full(&self, tenant: &str) -> bool {
        self.of().get(tenant).is_some_and(|weight| weight.full)
    }

    /// What the journals of those tenants take that are bounded, and how much they may.
    pub(crate) fn bounded(&self) -> BTreeMap<String, (u64, u64)> {
        let of = self.of();
        let bounded = of.iter();
        bounded
            .filter_map(|(tenant, weight)| Some((tenant.clone(), (weight.bytes, weight.most?))))
            .collect()
    }

    /// Waits until somebody has too much: what is due of it is to go soon.
    pub(crate) async fn crowded(&self) {
        self.crowded.notified().await;
    }

    /// Something was removed.
    pub(crate) fn swept(&self) {
        self.wanted.notify_one();
    }

    /// So much more is on the disk.
    pub(super) fn wrote(&self, tenant: &str, bytes: u64) {
        let mut of = self.of();
        let Some(weight) = of.get_mut(tenant) else {
            return;
        };
        weight.bytes += bytes;
        if let Some(most) = weight.most
            && weight.bytes > most
            && !weight.full
        {
            weight.full = !weight.unknown && weight.bytes > most + most / UNWEIGHED;
            self.wanted.notify_one();
        }
    }

    /// Those of whom it is not known whether they have too much, with what they seem to have.
    fn unsure(&self) -> Vec<(String, u64)> {
        let of = self.of();
        let unsure = of.iter().filter(|(_, weight)| match weight.most {
            Some(most) => weight.unknown || weight.full || weight.told || weight.bytes > most,
            None => weight.told,
        });
        unsure
            .map(|(tenant, weight)| (tenant.clone(), weight.bytes))
            .collect()
    }

    /// What a tenant's were found to take, which seemed to take `before` when that was asked.
    fn weighed(&self, tenant: &str, before: u64, bytes: u64) -> Option<News> {
        let mut of = self.of();
        let weight = of.get_mut(tenant)?;
        let meanwhile = weight.bytes.saturating_sub(before);
        weight.bytes = bytes + meanwhile;
        weight.unknown = false;
        weight.full = weight.most.is_some_and(|most| weight.bytes > most);
        if weight.full {
            self.crowded.notify_one();
        }
        match (weight.most, weight.full, weight.told) {
            (Some(most), true, false) => {
                weight.told = true;
                Some(News::Full(weight.bytes, most))
            }
            (_, false, true) => {
                weight.told = false;
                Some(News::Fits)
            }
            _ => None,
        }
    }

    fn of(&self) -> MutexGuard<'_, BTreeMap<String, Weight>> {
        // Nothing panics under this lock.
        self.of.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// What tenants' journals take.
    pub(crate) fn journals(&self) -> &Journals {
        &self.journals
    }

    /// Bytes that it may have, where it is a file with a bound.
    pub(crate) fn most_bytes(&self) -> Option<u64> {
        match &self.place {
            Place::File { max_mb, .. } => max_mb.map(|mb| u64::from(mb) << 20),
            Place::Server { .. } => None,
        }
    }

    async fn journals_size(&self, tenant: &str) -> Result<u64, StoreError> {
        self.reachable()?;
        let bytes: i64 = each!(self, pool => sqlx::query_scalar(SIZE)
            .bind(tenant)
            .fetch_one(pool))?;
        Ok(unsigned(bytes))
    }
}

/// Weighs those of whom it is to be known, until told to stop, and tells who takes no new contacts for it.
pub(crate) async fn weigher(store: Store, stop: CancellationToken) {
    let journals = store.journals();
    loop {
        let unsure = journals.unsure();
        let again = !unsure.is_empty();
        for (tenant, before) in unsure {
            let bytes = match store.journals_size(&tenant).await {
                Ok(bytes) => bytes,
                Err(error) => {
                    tracing::warn!(%tenant, "it is not known how much its journals take, and asked again soon: {error}");
                    continue;
                }
            };
            match journals.weighed(&tenant, before, bytes) {
                Some(News::Full(bytes, most)) => tracing::error!(
                    %tenant,
                    "takes no new contacts: its journals take {} MiB of strowger.db, and may take {} MiB (limits.journals_percent). Retention \
                     removes what is due of them now; keep them for fewer days ([retention.journals]), or raise store.max_mb",
                    bytes >> 20,
                    most >> 20
                ),
                Some(News::Fits) => {
                    tracing::info!(%tenant, "takes contacts again: there is room for its journals");
                }
                None => {}
            }
        }
        let next = async {
            tokio::time::sleep(PAUSE).await;
            tokio::select! {
                () = journals.wanted.notified() => {}
                () = tokio::time::sleep(AGAIN), if again => {}
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = next => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Journals, News};

    fn bounded(most: u64) -> Journals {
        let journals = Journals::default();
        journals.bound(BTreeMap::from([("vega".to_owned(), most)]));
        journals
    }

    #[test]
    fn who_has_too_much_is_weighed_before_it_is_believed() {
        let journals = bounded(800);
        assert_eq!(journals.unsure(), [("vega".to_owned(), 0)]);
        assert_eq!(journals.weighed("vega", 0, 700), None);
        assert_eq!(journals.unsure(), []);
        journals.wrote("vega", 150);
        // Of nobody else anything is counted.
        journals.wrote("lyra", 10_000);
        assert!(!journals.full("vega") && !journals.full("lyra"));
        assert_eq!(journals.unsure(), [("vega".to_owned(), 850)]);
        // Something had been removed, and something came meanwhile.
        journals.wrote("vega", 5);
        assert_eq!(journals.weighed("vega", 850, 300), None);
        assert_eq!(journals.bounded()["vega"], (305, 800));
        journals.wrote("vega", 500);
        assert_eq!(
            journals.weighed("vega", 805, 805),
            Some(News::Full(805, 800))
        );
        assert!(journals.full("vega"));
        // Told once; weighed again until it has room.
        assert_eq!(journals.unsure(), [("vega".to_owned(), 805)]);
        assert_eq!(journals.weighed("vega", 805, 805), None);
        assert_eq!(journals.weighed("vega", 805, 400), Some(News::Fits));
        assert!(!journals.full("vega"));
    }

    #[test]
    fn who_writes_faster_than_it_is_weighed_is_not_waited_for() {
        let journals = bounded(800);
        journals.wrote("vega", 2_000);
        assert!(
            !journals.full("vega"),
            "it is not known what was there before"
        );
        journals.weighed("vega", 2_000, 100);
        journals.wrote("vega", 801);
        assert!(journals.full("vega"));
        // Its file says otherwise now, or it is the only one.
        journals.bound(BTreeMap::from([("vega".to_owned(), 1_000)]));
        assert!(!journals.full("vega"));
        journals.bound(BTreeMap::new());
        journals.wrote("vega", 10_000);
        assert!(!journals.full("vega"));
    }
}
