//! Whether the store takes what is written, and what waits for it.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Most contacts whose damaged records are counted: each is remembered, so that it is told once.
const MAX_DAMAGED: usize = 1_000;

/// How the writer fares, and what was found damaged.
#[derive(Debug, Default)]
pub struct Health {
    /// Why the store takes nothing; none while it does.
    gone: Mutex<Option<String>>,
    /// Whether the last thing that was to be kept found no room.
    full: AtomicBool,
    /// Records that wait to be written.
    pub(super) waiting: AtomicU64,
    pub(super) outages: AtomicU64,
    pub(super) lost: AtomicU64,
    mended: AtomicU64,
    /// Contacts whose records were found damaged.
    damaged: Mutex<BTreeSet<String>>,
}

impl Health {
    /// Why the store takes nothing at present; none while it does.
    pub fn gone(&self) -> Option<String> {
        self.reason().clone()
    }

    /// Whether something that was to be kept found no room, and nothing was kept since.
    pub fn is_full(&self) -> bool {
        self.full.load(Ordering::Relaxed)
    }

    /// Something found no room.
    pub(super) fn fill(&self) {
        self.full.store(true, Ordering::Relaxed);
    }

    /// Something was kept.
    pub fn kept(&self) {
        self.full.store(false, Ordering::Relaxed);
    }

    /// Records that wait to be written.
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// How often the store was gone since the start.
    pub fn outages(&self) -> u64 {
        self.outages.load(Ordering::Relaxed)
    }

    /// Records that were given up: refused by the store, or beyond what is held for one that is gone.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Files of revisions in the data folder that were not as they were pushed.
    pub fn mended(&self) -> u64 {
        self.mended.load(Ordering::Relaxed)
    }

    /// So many files of a revision were laid out again.
    pub(crate) fn mend(&self, files: u64) {
        self.mended.fetch_add(files, Ordering::Relaxed);
    }

    /// Contacts whose records were found damaged since the start, up to 1,000.
    pub fn damaged(&self) -> u64 {
        self.damaged_contacts().len() as u64
    }

    /// A contact's record was found damaged. True when this is news.
    pub(super) fn damage(&self, contact: &str) -> bool {
        let mut damaged = self.damaged_contacts();
        damaged.len() < MAX_DAMAGED && damaged.insert(contact.to_owned())
    }

    fn damaged_contacts(&self) -> MutexGuard<'_, BTreeSet<String>> {
        // Nothing under this lock panics half-way through a change.
        self.damaged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// True when this is news.
    pub(super) fn lose(&self, why: String) -> bool {
        let news = self.reason().replace(why).is_none();
        if news {
            self.outages.fetch_add(1, Ordering::Relaxed);
        }
        news
    }

    pub(super) fn regain(&self) {
        self.reason().take();
    }

    fn reason(&self) -> MutexGuard<'_, Option<String>> {
        // Nothing under this lock panics half-way through a change.
        self.gone.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
