//! Removing what is old, in small steps.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::files::{Files, recordings, remove};
use crate::clock::Clock;
use crate::media::Shelves;
use crate::project::{Keep, RetentionSection};
use crate::store::{Aged, Kept, Store, StoreError, Swept};

/// Contacts of one transaction: some milliseconds, for which the journal's writer waits at most.
const BATCH: u32 = 64;
/// Plugins' keys of one transaction.
const KEYS: u32 = 256;
/// Lines of the audit log of one transaction.
const LINES: u32 = 1_000;
/// Pause between two transactions, so that the writer and calls come first.
const PAUSE: Duration = Duration::from_millis(50);
/// Contacts of which it is asked at once whose recordings are whose.
const LISTED: u32 = 4_096;
/// Time between two sweeps, and until the first one after the start.
const EVERY: Duration = Duration::from_secs(600);
const FIRST: Duration = Duration::from_secs(60);
const DAY_MS: u64 = 86_400_000;
/// How long events can be read again from the stream, in days.
const EVENT_DAYS: u64 = 3;
/// How long dead letters are kept, in days.
const DEAD_DAYS: u64 = 30;

/// Why a sweep ended early.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A recording, or the folder of recordings.
    #[error("{0}; is the data folder writable?")]
    Files(#[from] std::io::Error),
}

/// What went, or would go: contacts whose journal, record or recordings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Gone {
    /// Contacts whose journal.
    pub journals: u64,
    /// Contacts whose record, and all else.
    pub records: u64,
    /// Contacts whose recordings.
    pub recordings: u64,
    /// Files of recordings.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Lines of the audit log.
    pub audit: u64,
}

impl std::iter::Sum for Gone {
    fn sum<I: Iterator<Item = Gone>>(all: I) -> Gone {
        all.fold(Gone::default(), |sum, gone| Gone {
            journals: sum.journals + gone.journals,
            records: sum.records + gone.records,
            recordings: sum.recordings + gone.recordings,
            files: sum.files + gone.files,
            bytes: sum.bytes + gone.bytes,
            audit: sum.audit + gone.audit,
        })
    }
}

/// What is kept of whose contacts.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// The tenant whose project is served; none in a centre, where all that have contacts in the store are looked at.
    pub tenant: Option<String>,
    /// What holds for a tenant that says nothing else.
    pub all: RetentionSection,
    /// What tenants' files say: of each kind that they name, in place of the above.
    pub own: BTreeMap<String, RetentionSection>,
}

impl Rules {
    /// What holds for a tenant.
    pub fn of(&self, tenant: &str) -> RetentionSection {
        match self.own.get(tenant) {
            Some(own) => own.clone().or(&self.all),
            None => self.all.clone(),
        }
    }

    /// Whether anything ever goes.
    pub fn remove_something(&self) -> bool {
        let mut sections = std::iter::once(&self.all).chain(self.own.values());
        sections.any(|section| section.rules().iter().any(Option::is_some))
    }
}

/// One sweep: a tenant after the other, each held to its own bounds.
pub struct Sweep<'a> {
    /// The store.
    pub store: &'a Store,
    /// Where recordings lie.
    pub recordings: PathBuf,
    /// What is kept of whose contacts for how long.
    pub rules: &'a Rules,
    /// Milliseconds since 1970.
    pub now: u64,
    /// Nothing is removed.
    pub dry: bool,
    /// Time between two transactions.
    pub pause: Duration,
}

impl Sweep<'_> {
    /// Removes what is to go; what went, by tenant.
    pub async fn run(&self) -> Result<BTreeMap<String, Gone>, SweepError> {
        let mut tenants = match &self.rules.tenant {
            Some(tenant) => vec![tenant.clone()],
            None => self.store.tenants_with_contacts().await?,
        };
        // Those first whose contacts wait for it.
        tenants.sort_by_key(|tenant| !self.store.weights().full(tenant));
        let mut gone = BTreeMap::new();
        // A directory is read once, and only if something of it may go.
        let mut files = None;
        for tenant in tenants {
            let rules = self.rules.of(&tenant).rules();
            let [_, records, sounds] = &rules;
            if files.is_none() && (records.is_some() || sounds.is_some()) {
                files = Some(recordings(&self.recordings).await?);
            }
            let one = OfTenant {
                sweep: self,
                tenant: &tenant,
            };
            let files = files.get_or_insert_default();
            let went = one.run(rules, files).await?;
            gone.insert(tenant, went);
        }
        let lines = self.audit().await?;
        if lines > 0 {
            gone.entry(String::new()).or_default().audit = lines;
        }
        Ok(gone)
    }

    /// Lines of the audit log, of the whole store; how many went.
    async fn audit(&self) -> Result<u64, SweepError> {
        let days = u64::from(self.rules.all.audit.unwrap_or_default().days);
        let before = self.now.saturating_sub(days * DAY_MS);
        let mut gone = 0;
        loop {
            let went = self.store.prune_audit(before, LINES, self.dry).await?;
            gone += went;
            if self.dry || went < u64::from(LINES) {
                return Ok(gone);
            }
            tokio::time::sleep(self.pause).await;
        }
    }
}

/// What goes of one tenant's contacts.
struct Going<'f> {
    /// The recordings that are left, of all tenants.
    files: &'f mut BTreeMap<String, Files>,
    gone: Gone,
    /// Contacts of the kind that is looked at which would go by now: in a dry run they are found again.
    counted: BTreeSet<String>,
}

impl Going<'_> {
    /// Whether more bytes of a tenant's recordings are left.
    fn too_large(&self, most: u64) -> bool {
        let ours = self.files.values().filter(|files| files.weighs);
        ours.map(|files| files.bytes).sum::<u64>() > most
    }
}

/// The sweep of one tenant's contacts.
struct OfTenant<'a> {
    sweep: &'a Sweep<'a>,
    tenant: &'a str,
}

impl OfTenant<'_> {
    async fn run(
        &self,
        rules: [Option<Keep>; 3],
        files: &mut BTreeMap<String, Files>,
    ) -> Result<Gone, SweepError> {
        let [journals, records, sounds] = rules;
        if sounds.is_some_and(|keep| keep.most.is_some()) {
            self.weigh(files).await?;
        }
        let mut going = Going {
            files,
            gone: Gone::default(),
            counted: BTreeSet::new(),
        };
        if let Some(keep) = sounds {
            self.kind(Swept::Recording, keep, &mut going).await?;
        }
        if let Some(keep) = journals {
            self.kind(Swept::Journal, keep, &mut going).await?;
        }
        if let Some(keep) = records {
            self.kind(Swept::Record, keep, &mut going).await?;
            self.unrecorded(keep, &mut going).await?;
        }
        Ok(going.gone)
    }

    /// Finds out which recordings are this tenant's.
    async fn weigh(&self, files: &mut BTreeMap<String, Files>) -> Result<(), SweepError> {
        let mut ours = BTreeSet::new();
        let mut after: Option<Kept> = None;
        loop {
            let store = self.sweep.store;
            let all = Aged::All(u64::MAX);
            let page = store.due(self.tenant, Swept::Recording, all, after.as_ref(), LISTED);
            let page = page.await?;
            after = page.last().cloned();
            if after.is_none() {
                break;
            }
            ours.extend(page.into_iter().map(|kept| kept.contact));
        }
        for (contact, files) in files {
            files.weighs = ours.contains(contact);
        }
        Ok(())
    }

    async fn kind(&self, what: Swept, keep: Keep, going: &mut Going<'_>) -> Result<(), SweepError> {
        let now = self.sweep.now;
        let before = |days: u32| now.saturating_sub(u64::from(days) * DAY_MS);
        going.counted.clear();
        let mut behind = None;
        if let Some(days) = keep.rare_days {
            let all = Aged::All(before(days));
            self.all(what, all, u64::MAX, None, going).await?;
            // What is older has gone with these; no id begins with a tilde.
            behind = Some(Kept {
                ended_at: i64::try_from(before(days)).unwrap_or(i64::MAX) - 1,
                contact: "~".to_owned(),
            });
        }
        if let Some(days) = keep.days {
            let ordinary = Aged::Ordinary(before(days));
            self.all(what, ordinary, u64::MAX, behind, going).await?;
        }
        let Some(most) = keep.most else {
            return Ok(());
        };
        // The last of its kind goes last, failed or not: many failures alike tell no more than one.
        for aged_now in [Aged::Ordinary, Aged::Repeated, Aged::All].map(|aged| aged(u64::MAX)) {
            let excess = match what {
                // Contacts do not weigh the same: files are counted as they go.
                Swept::Recording => u64::from(going.too_large(most)),
                _ => {
                    let there = self.sweep.store.count_kept(self.tenant, what).await?;
                    there
                        .saturating_sub(going.counted.len() as u64)
                        .saturating_sub(most)
                }
            };
            if excess == 0 {
                break;
            }
            match what {
                Swept::Recording => self.shrink(aged_now, most, going).await?,
                _ => {
                    self.all(what, aged_now, excess, None, going).await?;
                }
            }
        }
        Ok(())
    }

    /// Removes at most so many, a batch at a time.
    async fn all(
        &self,
        what: Swept,
        aged: Aged,
        most: u64,
        mut after: Option<Kept>,
        going: &mut Going<'_>,
    ) -> Result<(), SweepError> {
        let mut went = 0;
        while went < most {
            let page = self.due(what, aged, after.as_ref()).await?;
            let Some(last) = page.last().cloned() else {
                break;
            };
            let contacts = page.into_iter().map(|kept| kept.contact);
            let mut contacts: Vec<String> = contacts
                .filter(|contact| !going.counted.contains(contact))
                .collect();
            contacts.truncate(usize::try_from(most - went).unwrap_or(usize::MAX));
            went += contacts.len() as u64;
            self.remove(what, &contacts, going).await?;
            after = Some(last);
        }
        Ok(())
    }

    async fn due(
        &self,
        what: Swept,
        aged: Aged,
        after: Option<&Kept>,
    ) -> Result<Vec<Kept>, SweepError> {
        let store = self.sweep.store;
        Ok(store.due(self.tenant, what, aged, after, BATCH).await?)
    }

    /// Removes recordings, the oldest first, until the rest is small enough.
    async fn shrink(&self, aged: Aged, most: u64, going: &mut Going<'_>) -> Result<(), SweepError> {
        let mut after: Option<Kept> = None;
        while going.too_large(most) {
            let page = self.due(Swept::Recording, aged, after.as_ref()).await?;
            let Some(last) = page.last().cloned() else {
                break;
            };
            after = Some(last);
            for kept in page {
                if !going.too_large(most) {
                    break;
                }
                let contact = [kept.contact];
                self.remove(Swept::Recording, &contact, going).await?;
            }
        }
        Ok(())
    }

    /// Contacts without a record are as old as the program that wrote them, and ordinary.
    async fn unrecorded(&self, keep: Keep, going: &mut Going<'_>) -> Result<(), SweepError> {
        let Some(days) = keep.days else {
            return Ok(());
        };
        let Sweep { store, now, .. } = self.sweep;
        let before = now.saturating_sub(u64::from(days) * DAY_MS);
        loop {
            let page = store.unrecorded(self.tenant, before, BATCH).await?;
            if page.is_empty() {
                return Ok(());
            }
            self.remove(Swept::Record, &page, going).await?;
            if self.sweep.dry {
                // They would be found again and again: some are told of.
                return Ok(());
            }
        }
    }

    async fn remove(
        &self,
        what: Swept,
        contacts: &[String],
        going: &mut Going<'_>,
    ) -> Result<(), SweepError> {
        let count = contacts.len() as u64;
        let gone = &mut going.gone;
        if what != Swept::Journal {
            // Files go first: what is cut off in between is found again by its row.
            let mut paths = Vec::new();
            let mut with = 0;
            for contact in contacts {
                if let Some(found) = going.files.remove(contact) {
                    with += 1;
                    gone.files += found.paths.len() as u64;
                    gone.bytes += found.bytes;
                    paths.extend(found.paths);
                }
            }
            gone.recordings += with;
            if !self.sweep.dry {
                remove(paths).await?;
            }
        }
        match what {
            Swept::Journal => gone.journals += count,
            Swept::Record => gone.records += count,
            Swept::Recording => {}
        }
        match self.sweep.dry {
            true => going.counted.extend(contacts.iter().cloned()),
            false => {
                self.sweep.store.remove(what, contacts).await?;
                tokio::time::sleep(self.sweep.pause).await;
            }
        }
        Ok(())
    }
}

/// Removes plugins' keys that are over, of all tenants; how many went.
pub async fn expired_keys(store: &Store, now: u64, pause: Duration) -> Result<u64, StoreError> {
    let mut gone = 0;
    for tenant in store.tenants_with_expired_keys(now).await? {
        loop {
            let went = store.remove_expired_keys(&tenant, now, KEYS).await?;
            gone += went;
            if went < u64::from(KEYS) {
                break;
            }
            tokio::time::sleep(pause).await;
        }
    }
    Ok(gone)
}

/// Sweeps now and then until told to stop, and soon when a tenant's journals take too much; each time by the rules of that moment.
pub(crate) async fn sweeper(
    store: Store,
    recordings: PathBuf,
    shelves: Arc<Shelves>,
    rules: impl Fn() -> Rules,
    stop: CancellationToken,
) {
    let mut pause = FIRST;
    let clock = Clock::start();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
            () = store.weights().crowded() => {}
        }
        pause = EVERY;
        let before = |days: u64| clock.now().saturating_sub(days * DAY_MS);
        // Store or not, the next round does it.
        while let Ok(1_000) = store
            .prune_events(before(EVENT_DAYS), before(DEAD_DAYS))
            .await
        {
            tokio::time::sleep(PAUSE).await;
        }
        if let Err(error) = expired_keys(&store, clock.now(), PAUSE).await {
            tracing::warn!("plugins' keys that are over stay for ten minutes more: {error}");
        }
        let rules = rules();
        let sweep = Sweep {
            store: &store,
            recordings: recordings.clone(),
            rules: &rules,
            now: clock.now(),
            dry: false,
            pause: PAUSE,
        };
        let swept = tokio::select! {
            () = stop.cancelled() => return,
            swept = sweep.run() => swept,
        };
        store.weights().swept();
        shelves.weigh();
        match swept {
            Ok(gone) => {
                for (tenant, gone) in gone.iter().filter(|(_, gone)| **gone != Gone::default()) {
                    tracing::info!(
                        tenant,
                        journals = gone.journals,
                        records = gone.records,
                        recordings = gone.recordings,
                        audit = gone.audit,
                        "retention removed what was old"
                    );
                }
            }
            Err(error) => {
                tracing::warn!("retention was cut off, and goes on in ten minutes: {error}")
            }
        }
    }
}
