//! Revisions' folders while somebody makes or reads them: none of them goes meanwhile.
//!
//! Each folder has a lock of its own, and whoever removes one waits for nobody: a push whose plugins are tried for minutes holds
//! up no other, and no removal that waits behind it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard, RwLock};

/// The folders that are in use.
#[derive(Default)]
pub(super) struct Folders {
    used: Mutex<HashMap<PathBuf, Weak<RwLock<()>>>>,
}

impl Folders {
    /// Keeps a folder from being removed as long as the guard lives. Waits only for a removal that is under way.
    pub(super) async fn hold(&self, folder: &Path) -> OwnedRwLockReadGuard<()> {
        self.lock_of(folder).read_owned().await
    }

    /// The right to remove a folder; none while somebody holds it.
    pub(super) fn claim(&self, folder: &Path) -> Option<OwnedRwLockWriteGuard<()>> {
        self.lock_of(folder).try_write_owned().ok()
    }

    fn lock_of(&self, folder: &Path) -> Arc<RwLock<()>> {
        // Nothing panics under this lock.
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lock) = used.get(folder).and_then(Weak::upgrade) {
            return lock;
        }
        used.retain(|_, lock| lock.strong_count() > 0);
        let lock = Arc::default();
        used.insert(folder.to_owned(), Arc::downgrade(&lock));
        lock
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Folders;

    #[tokio::test]
    async fn a_folder_in_use_stays_and_nobody_waits_for_it() {
        let folders = Folders::default();
        let (one, other) = (Path::new("one"), Path::new("other"));
        let held = folders.hold(one).await;
        assert!(folders.claim(one).is_none());
        // Whoever was refused waits in no queue: the next to read it has it at once, and so has one of another folder.
        let again = folders.hold(one).await;
        drop(folders.claim(other).expect("nobody has it"));
        drop((held, again));
        let claimed = folders.claim(one).expect("nobody has it any more");
        assert!(folders.claim(one).is_none());
        drop(claimed);
        drop(folders.hold(one).await);
        drop(folders.hold(other).await);
        assert_eq!(folders.used.lock().expect("whole").len(), 1);
    }
}
