//! A tenant while it is served: the revisions that its contacts walk.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use sha2::{Digest as _, Sha256};
use strowger_plugin::Share;
use tokio::task::AbortHandle;

use super::config::TenantConfig;
use super::plans::Plans;
use crate::effects::Allowance;
use crate::project::Routes;
use crate::prompts::Library;
use crate::runtime::{Engine, warm};
use crate::store::Release;

/// A revision that is ready to take contacts.
#[derive(Clone)]
pub struct Served {
    /// Its number; 0 where a folder is served and nothing is published.
    pub revision: u64,
    /// What its contacts share.
    pub engine: Arc<Engine>,
    /// Where the numbers lead.
    pub routes: Arc<Routes>,
}

/// What takes new contacts.
#[derive(Clone)]
pub struct Live {
    /// The release that says so; none where a folder is served.
    pub release: Option<Release>,
    /// The revision that is live.
    pub served: Served,
    /// A revision that some callers get instead, and how many of a hundred.
    pub candidate: Option<(Served, u8)>,
}

impl Live {
    /// The live revision, and the candidate if there is one.
    pub fn served(&self) -> impl Iterator<Item = &Served> {
        let candidate = self.candidate.iter().map(|(served, _)| served);
        std::iter::once(&self.served).chain(candidate)
    }
}

/// A tenant while it is served.
pub struct Tenant {
    /// Its name.
    pub name: String,
    /// Its share of the threads on which guests run.
    pub(super) share: Share,
    /// What its plugins may have of the world.
    pub(crate) allowance: Arc<Allowance>,
    /// Its prompts, whichever revision they are of.
    pub(super) library: Arc<Library>,
    /// The plans of its flows that are in memory, whichever revision they are of.
    pub(super) plans: Arc<Plans>,
    config: RwLock<Arc<TenantConfig>>,
    live: RwLock<Option<Live>>,
    /// What keeps its release from being served, or its file from being taken.
    fault: RwLock<Option<String>>,
    contacts: AtomicUsize,
    /// Chats among them.
    chats: AtomicUsize,
    refused: AtomicU64,
    /// When something was pushed that came to be examined, kept or not: the last day's, in milliseconds since 1970.
    attempts: Mutex<VecDeque<u64>>,
    /// One push at a time: of two that come at once the second finds what the first has done. A push holds it while its
    /// plugins are compiled and tried, which takes as long as they make it.
    pub(super) pushing: tokio::sync::Mutex<()>,
    /// One change of what is live, or of what could be, at a time. Never held while something is compiled, run or spoken: a
    /// roll-back waits for no more than the store.
    pub(super) publishing: tokio::sync::Mutex<()>,
    /// One revision of those that are past is made ready at a time.
    pub(super) reviving: tokio::sync::Mutex<()>,
    /// The revision that was live before the one that is, with its prompts: a roll-back has it at once.
    previous: RwLock<Option<Served>>,
    /// Makes prompts of what is live that were not made before.
    warming: Mutex<Option<AbortHandle>>,
    /// The revision that was pushed last, which is mostly the one that is released next.
    prepared: RwLock<Option<Served>>,
    /// Revisions that were live, or that chats go on with after a restart, as long as a contact walks them.
    past: Mutex<BTreeMap<u64, Weak<Engine>>>,
}

/// A contact's place among those that its tenant may have at once.
pub struct Seat(Arc<Tenant>);

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.contacts.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A chat's place among those that its tenant may have at once.
pub struct ChatSeat(Arc<Tenant>);

impl Drop for ChatSeat {
    fn drop(&mut self) {
        self.0.chats.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Seat {
    /// A place for a chat; none when the tenant has as many as it may, which is counted.
    pub fn chat(&self) -> Option<ChatSeat> {
        let Seat(tenant) = self;
        let most = tenant.config().limits.chats;
        let taken = tenant.takes(&tenant.chats, most);
        taken.then(|| ChatSeat(Arc::clone(tenant)))
    }
}

impl Tenant {
    pub(super) fn new(
        name: &str,
        share: Share,
        allowance: Arc<Allowance>,
        library: Arc<Library>,
        config: TenantConfig,
    ) -> Arc<Tenant> {
        share.set_instances_percent(config.limits.instances_percent);
        share.set_memory_most(config.limits.memory_bytes());
        let plans = Arc::new(Plans::new(config.limits.flows_bytes()));
        Arc::new(Tenant {
            name: name.to_owned(),
            share,
            allowance,
            library,
            plans,
            config: RwLock::new(Arc::new(config)),
            live: RwLock::default(),
            fault: RwLock::default(),
            contacts: AtomicUsize::new(0),
            chats: AtomicUsize::new(0),
            attempts: Mutex::default(),
            refused: AtomicU64::new(0),
            pushing: tokio::sync::Mutex::default(),
            publishing: tokio::sync::Mutex::default(),
            reviving: tokio::sync::Mutex::default(),
            previous: RwLock::default(),
            warming: Mutex::default(),
            prepared: RwLock::default(),
            past: Mutex::default(),
        })
    }

    /// What the operator says of it.
    pub fn config(&self) -> Arc<TenantConfig> {
        // Nothing panics under these locks.
        let config = self.config.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&config)
    }

    pub(super) fn configure(&self, config: TenantConfig) {
        self.share
            .set_instances_percent(config.limits.instances_percent);
        self.share.set_memory_most(config.limits.memory_bytes());
        self.allowance.set(config.limits.effects());
        self.allowance.grant(config.grants.clone());
        self.library.set_limits(config.limits.library());
        self.plans.set_most(config.limits.flows_bytes());
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
        // They have the limits of before.
        self.set_previous(None);
        self.set_prepared(None);
    }

    /// What takes new contacts; none before the first release.
    pub fn live(&self) -> Option<Live> {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        live.clone()
    }

    /// What keeps its release from being served, or its file from being taken; none while all is well.
    pub fn fault(&self) -> Option<String> {
        let fault = self.fault.read().unwrap_or_else(PoisonError::into_inner);
        fault.clone()
    }

    pub(super) fn set_fault(&self, fault: Option<String>) {
        *self.fault.write().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// The number of the release that holds here; 0 for none.
    pub(super) fn release(&self) -> u64 {
        let release = self.live().and_then(|live| live.release);
        release.map_or(0, |release| release.number)
    }

    /// From now on new contacts walk this. Those in progress keep what they have.
    pub(super) fn swap(&self, live: Live) {
        let number = live.served.revision;
        let mut place = self.live.write().unwrap_or_else(PoisonError::into_inner);
        let before = place.replace(live);
        drop(place);
        self.set_fault(None);
        for served in before.iter().flat_map(Live::served) {
            self.keep_past(served.revision, &served.engine);
        }
        if let Some(before) = before
            && before.served.revision != number
        {
            self.set_previous(Some(before.served));
        }
    }

    /// Begins to make what is left to be made of the prompts of what is live, in place of what was live before.
    pub(super) fn warm_up(&self) {
        let live = self.live();
        let served = live.iter().flat_map(Live::served);
        let engines = served.map(|served| Arc::clone(&served.engine));
        let engines: Vec<Arc<Engine>> = engines.collect();
        let cold = engines.iter().any(|engine| !engine.prompts.are_warm());
        let warming = cold.then(|| {
            let task = tokio::spawn(async move {
                for engine in &engines {
                    warm(engine, |_, _| {}).await;
                }
            });
            task.abort_handle()
        });
        let mut place = self.warming.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(others) = std::mem::replace(&mut *place, warming) {
            others.abort();
        }
    }

    /// Lets go of what is in memory so that it would be at hand: first what was pushed last, then what was live before. False when there
    /// is nothing of it.
    pub(super) fn make_room(&self) -> bool {
        self.set_prepared(None) || self.set_previous(None)
    }

    /// What the plans of its flows take of memory, in bytes.
    pub(crate) fn flows_held(&self) -> u64 {
        self.plans.held()
    }

    /// Whether there was another.
    fn set_previous(&self, served: Option<Served>) -> bool {
        let mut previous = self
            .previous
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *previous, served).is_some()
    }

    /// Whether there was another.
    fn set_prepared(&self, served: Option<Served>) -> bool {
        let mut prepared = self
            .prepared
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *prepared, served).is_some()
    }

    pub(super) fn prepare(&self, served: Served) {
        self.set_prepared(Some(served));
    }

    /// A revision that can take contacts as it is in memory.
    pub(super) fn at_hand(&self, revision: u64) -> Option<Served> {
        let live = self.live();
        let running = live.iter().flat_map(Live::served).cloned();
        let mut all: Vec<Served> = running.collect();
        for place in [&self.previous, &self.prepared] {
            all.extend(place.read().unwrap_or_else(PoisonError::into_inner).clone());
        }
        all.into_iter().find(|served| served.revision == revision)
    }

    /// The first of the engines that take contacts of which this is true.
    pub(super) fn engine(&self, is: impl Fn(&Engine) -> bool) -> Option<Arc<Engine>> {
        let live = self.live();
        let mut running = live.iter().flat_map(Live::served);
        let found = running.find(|served| is(&served.engine))?;
        Some(Arc::clone(&found.engine))
    }

    /// Revisions that are in memory: whoever walks one needs its files.
    pub(super) fn in_memory(&self) -> BTreeSet<u64> {
        let live = self.live();
        let prepared = self.prepared.read().unwrap_or_else(PoisonError::into_inner);
        let previous = self.previous.read().unwrap_or_else(PoisonError::into_inner);
        let served = live.iter().flat_map(Live::served);
        let served = served.chain(prepared.iter()).chain(previous.iter());
        let past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        let walked = past
            .iter()
            .filter(|(_, engine)| engine.strong_count() > 0)
            .map(|(number, _)| *number);
        served.map(|served| served.revision).chain(walked).collect()
    }

    pub(super) fn past(&self, revision: u64) -> Option<Arc<Engine>> {
        let past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        past.get(&revision)?.upgrade()
    }

    pub(super) fn keep_past(&self, revision: u64, engine: &Arc<Engine>) {
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        past.retain(|_, engine| engine.strong_count() > 0);
        past.insert(revision, Arc::downgrade(engine));
    }

    /// What a caller's contact walks. The same caller gets the same revision as long as the candidate is one, however many
    /// get it: whoever has it at 10 % has it at 50 %.
    pub fn serve(&self, caller: &str) -> Option<Served> {
        let live = self.live()?;
        let Some((candidate, percent)) = live.candidate else {
            return Some(live.served);
        };
        match of_hundred(&self.name, candidate.revision, caller) < percent {
            true => Some(candidate),
            false => Some(live.served),
        }
    }

    /// A place for one more contact; none when the tenant has as many as it may, which is counted.
    pub fn seat(self: &Arc<Self>) -> Option<Seat> {
        let most = self.config().limits.contacts;
        let taken = self.takes(&self.contacts, most);
        taken.then(|| Seat(Arc::clone(self)))
    }

    /// Takes one of so many places, unless all are taken, which is counted.
    fn takes(&self, places: &AtomicUsize, most: usize) -> bool {
        let room = |now| (now < most).then_some(now + 1);
        let taken = places.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room);
        if taken.is_err() {
            self.refuse();
        }
        taken.is_ok()
    }

    /// Counts a contact that is refused for want of room.
    pub(super) fn refuse(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a push that is to be examined; how many there were since `since`, where these are `most` already. `kept`
    /// are those that the store knows of.
    pub(super) fn attempt(&self, now: u64, since: u64, kept: u64, most: u64) -> Result<(), u64> {
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        while attempts.front().is_some_and(|at| *at < since) {
            attempts.pop_front();
        }
        let count = kept.max(attempts.len() as u64);
        if count >= most {
            return Err(count);
        }
        attempts.push_back(now);
        Ok(())
    }

    /// The push that was counted last could not be examined, which was not its fault.
    pub(super) fn forgive(&self) {
        let mut attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        attempts.pop_back();
    }

    /// Contacts in progress.
    pub fn contacts(&self) -> usize {
        self.contacts.load(Ordering::Relaxed)
    }

    /// Contacts refused since the start because there were too many, or what is kept of them took too much.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

/// Which of a hundred parts a caller is in.
fn of_hundred(tenant: &str, candidate: u64, caller: &str) -> u8 {
    let digest = Sha256::digest(format!("{tenant}\n{candidate}\n{caller}"));
    let head: [u8; 8] = digest[..8].try_into().expect("a digest has 32 bytes");
    (u64::from_be_bytes(head) % 100) as u8
}

#[cfg(test)]
mod tests {
    use super::of_hundred;

    #[test]
    fn callers_are_spread_over_a_hundred_parts() {
        let below = |percent| {
            (0..10_000)
                .filter(|caller| of_hundred("aurora", 1, &caller.to_string()) < percent)
                .count()
        };
        assert_eq!((below(0), below(100)), (0, 10_000));
        let tenth = below(10);
        assert!((900..1_100).contains(&tenth), "{tenth}");
    }
}
