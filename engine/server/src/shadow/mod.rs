//! A candidate beside live contacts: how would they have gone on a revision that is not live?
//!
//! A contact is followed when it is over: its journal is read from the store and walked again on the candidate, as
//! `strowger replay` does. Two things stand in no journal before its end: which digits can stand for those of a
//! secret, and whether a key that was dropped was followed by a hang-up. And at the end there is nothing of the live
//! contact left that could be delayed: all that it gives is its id, into a queue that never makes it wait. Guests of
//! the candidate run on the background lane, what they ask is answered by the journal, and nothing leaves the house.
//!
//! Shadows are in memory: they end with the engine.

mod budget;
mod report;
mod worker;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use strowger_plugin::Share;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

pub use report::{Report, Skipped};

use self::budget::Budget;
use crate::replay::{Stage, Summary};
use crate::store::Store;

/// Contacts that are over and wait to be followed; further ones are left out and counted. An id each.
const QUEUE: usize = 256;

/// How much of what is live a shadow follows, and what it may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Extent {
    /// Of a hundred contacts that end, how many are followed.
    pub percent: u8,
    /// Milliseconds of processor time in a second. A second's worth may be used at once.
    pub cpu_ms_per_s: u32,
}

/// All shadows of a node, one a tenant at most.
#[derive(Default)]
pub struct Shadows {
    by_tenant: RwLock<BTreeMap<String, Arc<Shadow>>>,
}

/// A candidate of one tenant.
pub(crate) struct Shadow {
    tenant: String,
    revision: u64,
    extent: Extent,
    started_at: u64,
    /// Where the candidate's guests run, and what they have used.
    share: Share,
    queue: mpsc::Sender<String>,
    state: Mutex<State>,
    stop: CancellationToken,
}

/// What became of contacts so far.
#[derive(Default)]
struct State {
    ended: u64,
    summary: Summary,
    skipped: Skipped,
    stopped_at: Option<u64>,
    /// The processor time at that moment.
    used_ms: u64,
}

/// What a shadow begins with.
pub(crate) struct Beginning {
    /// Whose contacts are followed.
    pub tenant: String,
    /// The candidate.
    pub revision: u64,
    /// How much is followed.
    pub extent: Extent,
    /// Milliseconds since 1970.
    pub at: u64,
    /// The candidate's flows and plugins.
    pub stage: Stage,
    /// Where journals are.
    pub store: Store,
}

impl Shadows {
    /// A contact is over. Never waits.
    pub(crate) fn ended(&self, tenant: &str, contact: &str) {
        if let Some(shadow) = self.of(tenant) {
            shadow.ended(contact);
        }
    }

    /// Begins to follow, unless the tenant has a shadow that runs: then that one's revision comes back.
    pub(crate) fn start(&self, beginning: Beginning) -> Result<Report, u64> {
        let mut shadows = self
            .by_tenant
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(running) = shadows.get(&beginning.tenant).filter(|old| old.runs()) {
            return Err(running.revision);
        }
        let shadow = Shadow::start(beginning);
        let report = shadow.report();
        shadows.insert(shadow.tenant.clone(), shadow);
        Ok(report)
    }

    /// The tenant's shadow that runs, by its revision.
    pub(crate) fn running(&self, tenant: &str) -> Option<u64> {
        let shadow = self.of(tenant)?;
        shadow.runs().then_some(shadow.revision)
    }

    /// Ends a tenant's shadow; its report stays until another one begins. None where none was ever begun.
    pub(crate) fn stop(&self, tenant: &str, now: u64) -> Option<Report> {
        let shadow = self.of(tenant)?;
        shadow.end(now);
        Some(shadow.report())
    }

    /// What a tenant's shadow has found, running or not.
    pub(crate) fn report(&self, tenant: &str) -> Option<Report> {
        Some(self.of(tenant)?.report())
    }

    fn of(&self, tenant: &str) -> Option<Arc<Shadow>> {
        // Nothing panics under these locks.
        let shadows = self
            .by_tenant
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        shadows.get(tenant).cloned()
    }
}

impl Shadow {
    fn start(beginning: Beginning) -> Arc<Shadow> {
        let Beginning {
            tenant,
            revision,
            extent,
            at,
            stage,
            store,
        } = beginning;
        let (queue, waiting) = mpsc::channel(QUEUE);
        let share = stage.share().clone();
        let shadow = Arc::new(Shadow {
            tenant,
            revision,
            extent,
            started_at: at,
            share: share.clone(),
            queue,
            state: Mutex::default(),
            stop: CancellationToken::new(),
        });
        let budget = Budget::new(extent.cpu_ms_per_s, share);
        let worker = worker::follow(Arc::clone(&shadow), Arc::new(stage), store, budget, waiting);
        tokio::spawn(worker);
        shadow
    }

    fn ended(&self, contact: &str) {
        if !self.runs() {
            return;
        }
        let mut state = self.state();
        state.ended += 1;
        if of_hundred(contact) >= self.extent.percent {
            state.skipped.not_chosen += 1;
        } else if self.queue.try_send(contact.to_owned()).is_err() {
            state.skipped.queue_full += 1;
        }
    }

    fn runs(&self) -> bool {
        !self.stop.is_cancelled()
    }

    fn end(&self, now: u64) {
        let mut state = self.state();
        if state.stopped_at.is_none() {
            state.stopped_at = Some(now);
            state.used_ms = self.used_ms();
        }
        self.stop.cancel();
    }

    fn used_ms(&self) -> u64 {
        u64::try_from(self.share.used().as_millis()).unwrap_or(u64::MAX)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which of a hundred parts a contact is in.
fn of_hundred(contact: &str) -> u8 {
    use sha2::Digest as _;
    let digest = sha2::Sha256::digest(format!("shadow\n{contact}"));
    let head: [u8; 8] = digest[..8].try_into().expect("a digest has 32 bytes");
    (u64::from_be_bytes(head) % 100) as u8
}

#[cfg(test)]
mod tests {
    use strowger_plugin::{Host, HostConfig};

    use super::*;

    #[test]
    fn what_does_not_fit_the_queue_is_counted_and_waits_for_nobody() {
        let host = Host::new(HostConfig::default()).expect("a host");
        // Nobody takes anything from it.
        let (queue, _waiting) = mpsc::channel(QUEUE);
        let shadow = Shadow {
            tenant: "vega".to_owned(),
            revision: 2,
            extent: Extent {
                percent: 100,
                cpu_ms_per_s: 1,
            },
            started_at: 0,
            share: host.runtime().background_share(),
            queue,
            state: Mutex::default(),
            stop: CancellationToken::new(),
        };
        for contact in 0..QUEUE + 3 {
            shadow.ended(&contact.to_string());
        }
        let report = shadow.report();
        assert_eq!((report.waiting, report.skipped.queue_full), (256, 3));
        shadow.end(1);
        shadow.ended("after");
        let report = shadow.report();
        assert_eq!(
            (report.ended, report.waiting, report.running),
            (259, 0, false)
        );
    }

    #[test]
    fn a_percentage_is_that_part_of_contacts() {
        let chosen = |percent| {
            let contacts = (0..10_000).map(|contact| contact.to_string());
            contacts.filter(|id| of_hundred(id) < percent).count()
        };
        assert_eq!((chosen(0), chosen(100)), (0, 10_000));
        let tenth = chosen(10);
        assert!((900..1_100).contains(&tenth), "{tenth}");
    }
}
