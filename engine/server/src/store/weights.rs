//! How much of a file with a bound what is kept of each tenant takes: known in memory, so that whoever lets contacts in asks at no
//! cost.
//!
//! Whoever writes counts what is added. What others remove is not seen, so a tenant that seems to have too much is weighed before
//! that is believed; one that writes faster than it is weighed is not waited for.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::published::unsigned;
use super::{Place, Store, StoreError};

/// What a contact takes beside its texts: its rows in the tables of contacts, records, events and chats, with their indexes.
pub(super) const A_CONTACT: u64 = 2 << 10;
/// What the SIP messages of a call take, until it is weighed.
pub(super) const A_LADDER: u64 = 16 << 10;
/// What a change takes in the audit log, until it is weighed.
const A_CHANGE: u64 = 512;
/// What a line of the audit log takes beside the texts that vary, and a key of a plugin beside itself and its value.
const A_LINE: i64 = 400;
const A_KEY: i64 = 64;

/// Journals, SIP messages and records, and what else there is of a contact; `$2` is [`A_CONTACT`].
const CONTACTS: &str = "SELECT CAST(\
     COALESCE((SELECT SUM(OCTET_LENGTH(f.body)) FROM contacts c JOIN frames f ON f.contact = c.id WHERE c.tenant = $1), 0) \
     + COALESCE((SELECT SUM(OCTET_LENGTH(f.body)) FROM contacts c JOIN chunks f ON f.contact = c.id WHERE c.tenant = $1), 0) \
     + COALESCE((SELECT SUM(OCTET_LENGTH(l.body)) FROM contacts c JOIN ladders l ON l.contact = c.id WHERE c.tenant = $1), 0) \
     + COALESCE((SELECT SUM(OCTET_LENGTH(r.body)) FROM records r WHERE r.tenant = $1), 0) \
     + (SELECT COUNT(*) FROM contacts c WHERE c.tenant = $1) * $2 AS BIGINT)";
/// `$2` is [`A_KEY`].
const KV: &str =
    "SELECT CAST(COALESCE(SUM(bytes + keys * $2), 0) AS BIGINT) FROM kv_use WHERE tenant = $1";
/// `$2` is [`A_LINE`].
const AUDIT: &str = "SELECT CAST(COALESCE(SUM(OCTET_LENGTH(object) + OCTET_LENGTH(detail) + $2), 0) AS BIGINT) FROM audit WHERE tenant = $1";

/// Most tenants that are told of where there is no more room.
const TOLD: usize = 3;
/// Time between two weighings at least: each reads what there is.
const PAUSE: Duration = Duration::from_secs(10);
/// How often a tenant that has too much is weighed again.
const AGAIN: Duration = Duration::from_secs(60);
/// The part of its bound by which a tenant may be beyond it without having been weighed.
const UNWEIGHED: u64 = 8;
/// The part of its bound by which a tenant's contacts in progress may be beyond it before they write no more than a few words.
const BRIM: u64 = 4;
/// The part of its bound that a tenant's lines of the audit log may take.
const AUDIT_PART: u64 = 8;
/// The part of its bound, or of the whole file, that the keys of a tenant's plugins may take.
const KV_PART: u64 = 2;

/// What tenants take, and what they may take.
#[derive(Debug, Default)]
pub struct Weights {
    of: Mutex<BTreeMap<String, Weight>>,
    /// Somebody is to be weighed.
    wanted: Notify,
    /// Somebody has too much.
    crowded: Notify,
}

/// What something is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Contacts: their journals, SIP messages, records and all else.
    Contacts,
    /// Keys of plugins.
    Kv,
    /// Lines of the audit log.
    Audit,
}

/// Bytes, at least as many as there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Parts {
    /// Contacts.
    pub contacts: u64,
    /// Keys of plugins.
    pub kv: u64,
    /// Lines of the audit log.
    pub audit: u64,
}

/// One tenant's.
#[derive(Debug, Default)]
struct Weight {
    parts: Parts,
    /// What they may be together; none for as many as the store has room for.
    most: Option<u64>,
    /// Nothing is known of what was there before this process.
    unknown: bool,
    /// They are more than they may be.
    full: bool,
    /// That was told.
    told: bool,
    /// The lines of the audit log are more than they may be.
    audit_full: bool,
    /// That was told.
    audit_told: bool,
}

/// What is new of a tenant that was weighed.
#[derive(Debug, PartialEq, Eq)]
enum News {
    /// It takes so much, and may take less.
    Full(Parts, u64),
    /// It has room again.
    Fits,
    /// Its lines of the audit log take so much, and may take less.
    AuditFull(u64, u64),
    /// These have room again.
    AuditFits,
}

impl Parts {
    /// All together.
    pub(crate) fn sum(self) -> u64 {
        self.contacts + self.kv + self.audit
    }

    /// Each by its name.
    pub(crate) fn named(self) -> [(&'static str, u64); 3] {
        [
            ("contacts", self.contacts),
            ("kv", self.kv),
            ("audit", self.audit),
        ]
    }

    fn part(&mut self, part: Part) -> &mut u64 {
        match part {
            Part::Contacts => &mut self.contacts,
            Part::Kv => &mut self.kv,
            Part::Audit => &mut self.audit,
        }
    }

    /// What came since `before`.
    fn since(self, before: Parts) -> Parts {
        Parts {
            contacts: self.contacts.saturating_sub(before.contacts),
            kv: self.kv.saturating_sub(before.kv),
            audit: self.audit.saturating_sub(before.audit),
        }
    }

    fn and(self, more: Parts) -> Parts {
        Parts {
            contacts: self.contacts + more.contacts,
            kv: self.kv + more.kv,
            audit: self.audit + more.audit,
        }
    }
}

impl fmt::Display for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        write!(
            f,
            "contacts with their journals and records {:.1} MiB, keys of plugins {:.1}, lines of the audit log {:.1}",
            mib(self.contacts),
            mib(self.kv),
            mib(self.audit)
        )
    }
}

impl Weight {
    /// Whether what is counted is to be held against what is there.
    fn is_unsure(&self) -> bool {
        let told = self.told || self.audit_told;
        let full = self.full || self.audit_full;
        told || self
            .most
            .is_some_and(|most| self.unknown || full || self.is_beyond(most))
    }

    fn is_beyond(&self, most: u64) -> bool {
        self.parts.sum() > most || self.parts.audit > most / AUDIT_PART
    }

    /// Believes what is counted, where it is more than `spare` beyond what may be.
    fn believe(&mut self, spare: impl Fn(u64) -> u64) {
        let Parts { audit, .. } = self.parts;
        let sum = self.parts.sum();
        let beyond = |bytes: u64, most: u64| bytes > most + spare(most);
        self.full = self.most.is_some_and(|most| beyond(sum, most));
        self.audit_full = self
            .most
            .is_some_and(|most| beyond(audit, most / AUDIT_PART));
    }
}

impl Weights {
    /// What tenants may have from now on; others may have as much as there is room for.
    pub(crate) fn bound(&self, most: BTreeMap<String, u64>) {
        let mut of = self.of();
        for weight in of.values_mut() {
            weight.most = None;
            weight.full = false;
            weight.audit_full = false;
        }
        for (tenant, most) in most {
            let weight = of.entry(tenant).or_insert_with(|| Weight {
                unknown: true,
                ..Weight::default()
            });
            weight.most = Some(most);
            if !weight.unknown {
                weight.believe(|_| 0);
            }
        }
        drop(of);
        self.wanted.notify_one();
    }

    /// Whether a tenant takes more than it may.
    pub(crate) fn full(&self, tenant: &str) -> bool {
        self.of().get(tenant).is_some_and(|weight| weight.full)
    }

    /// Whether it takes so much more that its contacts in progress may add no more than a few words.
    pub(crate) fn brims(&self, tenant: &str) -> bool {
        self.of().get(tenant).is_some_and(|weight| {
            let beyond = |most: u64| weight.parts.sum() > most + most / BRIM;
            weight.full && weight.most.is_some_and(beyond)
        })
    }

    /// Whether a tenant's lines of the audit log take more than they may.
    pub(crate) fn audit_full(&self, tenant: &str) -> bool {
        self.of()
            .get(tenant)
            .is_some_and(|weight| weight.audit_full)
    }

    /// What those tenants take that are bounded, and how much they may.
    pub(crate) fn bounded(&self) -> BTreeMap<String, (Parts, u64)> {
        let of = self.of();
        let bounded = of.iter();
        bounded
            .filter_map(|(tenant, weight)| Some((tenant.clone(), (weight.parts, weight.most?))))
            .collect()
    }

    /// The same in words, whoever takes the most first: for the log, where there is no more room. Nothing where nobody is bounded.
    pub(super) fn told(&self) -> String {
        let mut bounded: Vec<_> = self.bounded().into_iter().collect();
        bounded.sort_by_key(|(_, (parts, _))| std::cmp::Reverse(parts.sum()));
        let told = bounded.iter().map(|(tenant, (parts, most))| {
            let (takes, most) = (parts.sum() >> 20, most >> 20);
            format!("; tenant {tenant} takes {takes} MiB of the {most} MiB that it may")
        });
        told.take(TOLD).collect()
    }

    /// Waits until somebody has too much: what is due of it is to go soon.
    pub(crate) async fn crowded(&self) {
        self.crowded.notified().await;
    }

    /// What is due is to go soon.
    pub(crate) fn hurry(&self) {
        self.crowded.notify_one();
    }

    /// Something was removed.
    pub(crate) fn swept(&self) {
        self.wanted.notify_one();
    }

    /// A change of a tenant's is in the audit log.
    pub(crate) fn audited(&self, tenant: &str) {
        self.wrote(tenant, Part::Audit, A_CHANGE);
    }

    /// So much more is on the disk.
    pub(super) fn wrote(&self, tenant: &str, part: Part, bytes: u64) {
        let mut of = self.of();
        let Some(weight) = of.get_mut(tenant) else {
            return;
        };
        *weight.parts.part(part) += bytes;
        let (full, audit_full) = (weight.full, weight.audit_full);
        if weight.most.is_some_and(|most| weight.is_beyond(most)) && !(full && audit_full) {
            if !weight.unknown {
                weight.believe(|most| most / UNWEIGHED);
                // Only a weighing takes that back.
                weight.full |= full;
                weight.audit_full |= audit_full;
            }
            self.wanted.notify_one();
        }
    }

    /// Those of whom it is not known whether they have too much, with what they seem to have.
    fn unsure(&self) -> Vec<(String, Parts)> {
        let of = self.of();
        let unsure = of.iter().filter(|(_, weight)| weight.is_unsure());
        unsure
            .map(|(tenant, weight)| (tenant.clone(), weight.parts))
            .collect()
    }

    /// What was found of a tenant, which seemed to take `before` when that was asked.
    fn weighed(&self, tenant: &str, before: Parts, found: Parts) -> Vec<News> {
        let mut of = self.of();
        let Some(weight) = of.get_mut(tenant) else {
            return Vec::new();
        };
        weight.parts = found.and(weight.parts.since(before));
        weight.unknown = false;
        weight.believe(|_| 0);
        if weight.full {
            self.crowded.notify_one();
        }
        let mut news = Vec::new();
        let most = weight.most.unwrap_or_default();
        if weight.full != weight.told {
            news.push(match weight.full {
                true => News::Full(weight.parts, most),
                false => News::Fits,
            });
        }
        if weight.audit_full != weight.audit_told {
            news.push(match weight.audit_full {
                true => News::AuditFull(weight.parts.audit, most / AUDIT_PART),
                false => News::AuditFits,
            });
        }
        weight.told = weight.full;
        weight.audit_told = weight.audit_full;
        news
    }

    fn of(&self) -> MutexGuard<'_, BTreeMap<String, Weight>> {
        // Nothing panics under this lock.
        self.of.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// What tenants take.
    pub(crate) fn weights(&self) -> &Weights {
        &self.weights
    }

    /// Bytes that it may have, where it is a file with a bound.
    pub(crate) fn most_bytes(&self) -> Option<u64> {
        match &self.place {
            Place::File { max_mb, .. } => max_mb.map(|mb| u64::from(mb) << 20),
            Place::Server { .. } => None,
        }
    }

    /// What keys of a tenant's plugins may take, where the store is a file with a bound: half of what is the tenant's, so that
    /// there is room for its contacts.
    pub(super) fn most_kv(&self, tenant: &str) -> Option<u64> {
        let whole = self.most_bytes()?;
        let of = self.weights.of();
        let most = of.get(tenant).and_then(|weight| weight.most);
        Some(most.unwrap_or(whole) / KV_PART)
    }

    /// What is there of a tenant.
    async fn weigh(&self, tenant: &str) -> Result<Parts, StoreError> {
        self.reachable()?;
        let sum = async |sql: &'static str, each: i64| -> Result<u64, StoreError> {
            let bytes: i64 = each!(self, pool => sqlx::query_scalar(sql)
                .bind(tenant)
                .bind(each)
                .fetch_one(pool))?;
            Ok(unsigned(bytes))
        };
        Ok(Parts {
            contacts: sum(CONTACTS, A_CONTACT as i64).await?,
            kv: sum(KV, A_KEY).await?,
            audit: sum(AUDIT, A_LINE).await?,
        })
    }
}

/// Weighs those of whom it is to be known, until told to stop, and tells who takes no new contacts for it.
pub(crate) async fn weigher(store: Store, stop: CancellationToken) {
    let weights = store.weights();
    loop {
        let unsure = weights.unsure();
        let again = !unsure.is_empty();
        for (tenant, before) in unsure {
            match store.weigh(&tenant).await {
                Ok(found) => {
                    for news in weights.weighed(&tenant, before, found) {
                        tell(&tenant, news);
                    }
                }
                Err(error) => {
                    tracing::warn!(%tenant, "it is not known how much is kept of it, and asked again soon: {error}");
                }
            }
        }
        let next = async {
            tokio::time::sleep(PAUSE).await;
            tokio::select! {
                () = weights.wanted.notified() => {}
                () = tokio::time::sleep(AGAIN), if again => {}
            }
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = next => {}
        }
    }
}

fn tell(tenant: &str, news: News) {
    match news {
        News::Full(parts, most) => tracing::error!(
            %tenant,
            "takes no new contacts: what is kept of it takes {} MiB of strowger.db, and may take {} MiB (limits.journals_percent): {parts}. \
             Retention removes what is due of it now; keep fewer of its contacts, or for fewer days ([retention.journals] and \
             [retention.records] of its file: days, max_contacts), or raise store.max_mb",
            parts.sum() >> 20,
            most >> 20
        ),
        News::Fits => {
            tracing::info!(%tenant, "takes contacts again: there is room for what is kept of them");
        }
        News::AuditFull(bytes, most) => tracing::error!(
            %tenant,
            "its users and tokens make nothing new: its lines of the audit log take {} KiB of strowger.db, and may take {} KiB, an eighth of \
             what limits.journals_percent gives it. They go when [retention.audit] of the centre's strowger.toml says so; raise the percentage, \
             or store.max_mb, and look in GET /v1/audit who makes so many changes",
            bytes >> 10,
            most >> 10
        ),
        News::AuditFits => {
            tracing::info!(%tenant, "its users and tokens make changes again: there is room in the audit log");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{News, Part, Parts, Weights};

    fn bounded(most: u64) -> Weights {
        let weights = Weights::default();
        weights.bound(BTreeMap::from([("vega".to_owned(), most)]));
        weights
    }

    fn contacts(bytes: u64) -> Parts {
        Parts {
            contacts: bytes,
            ..Parts::default()
        }
    }

    #[test]
    fn who_has_too_much_is_weighed_before_it_is_believed() {
        let weights = bounded(800);
        let wrote = |tenant: &str, bytes| weights.wrote(tenant, Part::Contacts, bytes);
        let weighed = |before, found| weights.weighed("vega", contacts(before), contacts(found));
        assert_eq!(weights.unsure(), [("vega".to_owned(), contacts(0))]);
        assert_eq!(weighed(0, 700), []);
        assert_eq!(weights.unsure(), []);
        wrote("vega", 150);
        // Of nobody else anything is counted.
        wrote("lyra", 10_000);
        assert!(!weights.full("vega") && !weights.full("lyra"));
        assert_eq!(weights.unsure(), [("vega".to_owned(), contacts(850))]);
        // Something had been removed, and something came meanwhile.
        wrote("vega", 5);
        assert_eq!(weighed(850, 300), []);
        assert_eq!(weights.bounded()["vega"], (contacts(305), 800));
        wrote("vega", 500);
        assert_eq!(weighed(805, 805), [News::Full(contacts(805), 800)]);
        assert!(weights.full("vega"));
        // Told once; weighed again until it has room.
        assert_eq!(weights.unsure(), [("vega".to_owned(), contacts(805))]);
        assert_eq!(weighed(805, 805), []);
        assert_eq!(weighed(805, 400), [News::Fits]);
        assert!(!weights.full("vega"));
    }

    #[test]
    fn who_writes_faster_than_it_is_weighed_is_not_waited_for() {
        let weights = bounded(800);
        let wrote = |bytes| weights.wrote("vega", Part::Contacts, bytes);
        wrote(2_000);
        assert!(
            !weights.full("vega"),
            "it is not known what was there before"
        );
        weights.weighed("vega", contacts(2_000), contacts(100));
        wrote(801);
        assert!(weights.full("vega") && !weights.brims("vega"));
        wrote(100);
        assert!(weights.brims("vega"));
        // Its file says otherwise now, or it is the only one.
        weights.bound(BTreeMap::from([("vega".to_owned(), 1_001)]));
        assert!(!weights.full("vega") && !weights.brims("vega"));
        weights.bound(BTreeMap::new());
        wrote(10_000);
        assert!(!weights.full("vega"));
    }

    #[test]
    fn all_that_is_kept_counts_and_the_audit_log_has_a_bound_of_its_own() {
        let weights = bounded(800);
        weights.weighed("vega", Parts::default(), Parts::default());
        weights.wrote("vega", Part::Contacts, 300);
        weights.wrote("vega", Part::Kv, 300);
        assert_eq!(weights.unsure(), []);
        weights.wrote("vega", Part::Audit, 101);
        assert!(!weights.audit_full("vega"), "it is weighed before");
        let found = Parts {
            contacts: 300,
            kv: 300,
            audit: 101,
        };
        assert_eq!(weights.unsure(), [("vega".to_owned(), found)]);
        let told = weights.weighed("vega", found, found);
        assert_eq!(told, [News::AuditFull(101, 100)]);
        assert!(weights.audit_full("vega") && !weights.full("vega"));
        weights.wrote("vega", Part::Kv, 300);
        assert!(weights.full("vega"), "what is kept is more than it may be");
        let found = Parts {
            contacts: 0,
            kv: 300,
            audit: 50,
        };
        let before = weights.bounded()["vega"].0;
        assert_eq!(weights.weighed("vega", before, found), [News::AuditFits]);
        assert!(!weights.audit_full("vega") && !weights.full("vega"));
    }
}
