//! Room for what is pushed: what a tenant's revisions may take together, and what of the store stays for contacts.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::refusal::Refusal;
use super::tenant::Tenant;
use super::{Centre, TenantConfig};
use crate::store::{Bound, Files, Store};

const MIB: u64 = 1 << 20;
/// What a file takes in the store beside its bytes: the rest of its last page, and its rows.
const A_FILE: u64 = 6 << 10;
/// What a revision takes beside its files: its row, its line in the audit log, pages of indexes.
const A_REVISION: u64 = 64 << 10;

/// Bytes that all pushes under way are about to write.
#[derive(Default)]
pub(super) struct UnderWay(Arc<AtomicU64>);

/// A push's part of them, as long as it lives.
pub(super) struct Reserved {
    all: Arc<AtomicU64>,
    bytes: u64,
}

impl UnderWay {
    /// Reserves room for a push, and tells for how much all of them have.
    fn reserve(&self, bytes: u64) -> (Reserved, u64) {
        let before = self.0.fetch_add(bytes, Ordering::Relaxed);
        let all = Arc::clone(&self.0);
        (Reserved { all, bytes }, before.saturating_add(bytes))
    }
}

impl Reserved {
    /// Keeps no more than so many bytes; how many others have again.
    fn give_back(&mut self, keep: u64) -> u64 {
        let spare = self.bytes.saturating_sub(keep);
        self.bytes -= spare;
        self.all.fetch_sub(spare, Ordering::Relaxed);
        spare
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Centre {
    /// Whether there is room for what a tenant pushes, which makes some by removing old revisions. It is kept for this push as
    /// long as the guard lives.
    pub(super) async fn room_for(
        &self,
        tenant: &Tenant,
        config: &TenantConfig,
        store: &Store,
        files: &Files,
        blobs: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Reserved, Refusal> {
        self.within_stored(tenant, config, store, files, blobs)
            .await?;
        self.room_in_store(store, files, blobs).await
    }

    /// Holds a push against `limits.stored_mb`.
    async fn within_stored(
        &self,
        tenant: &Tenant,
        config: &TenantConfig,
        store: &Store,
        files: &Files,
        blobs: &BTreeMap<String, Vec<u8>>,
    ) -> Result<(), Refusal> {
        let most = config.limits.stored_bytes();
        let all = blobs.values().map(|bytes| bytes.len() as u64).sum::<u64>();
        let listed = listed(files);
        let mut kept = store.revisions_size(&tenant.name).await?;
        if kept + all + listed <= most {
            return Ok(());
        }
        let names: Vec<&str> = blobs.keys().map(String::as_str).collect();
        loop {
            let new = store.new_to(Some(&tenant.name), &names).await?;
            let more = new.iter().map(|sha256| blobs[*sha256].len() as u64);
            let more = more.sum::<u64>() + listed;
            if kept + more <= most {
                return Ok(());
            }
            // Nothing is removed for what can never be kept.
            if more > most || !self.prune_one(tenant, store).await? {
                return Err(Refusal::Unable(too_much(&tenant.name, kept, more, most)));
            }
            kept = store.revisions_size(&tenant.name).await?;
        }
    }

    /// Holds a push against what the store, or its disk, has room for beside what contacts write.
    async fn room_in_store(
        &self,
        store: &Store,
        files: &Files,
        blobs: &BTreeMap<String, Vec<u8>>,
    ) -> Result<Reserved, Refusal> {
        let own = A_REVISION + 4 * listed(files);
        let taken = |bytes: &Vec<u8>| bytes.len() as u64 + A_FILE;
        let most = own + blobs.values().map(taken).sum::<u64>();
        // Before it is looked how much there is: of two pushes at once each sees what the other takes, or has taken.
        let (mut reserved, all) = self.under_way.reserve(most);
        let room = store.room().await?;
        if all <= room.left {
            return Ok(reserved);
        }
        // What the store has already takes no more.
        let names: Vec<&str> = blobs.keys().map(String::as_str).collect();
        let new = store.new_to(None, &names).await?;
        let need = own + new.iter().map(|new| taken(&blobs[*new])).sum::<u64>();
        let all = all - reserved.give_back(need);
        if all <= room.left {
            return Ok(reserved);
        }
        let (what, remedy) = match room.bound {
            Bound::Max => (
                "the store is nearly full",
                "raise store.max_mb of strowger.toml",
            ),
            Bound::Disk => (
                "the disk that the data folder is on is nearly full",
                "make room on it",
            ),
        };
        Err(Refusal::Unable(format!(
            "{what}: this push takes {}, pushes under way included {}, and {} are left for pushes, since {} stay free for calls and chats; \
             nothing of it is kept: push less, or ask the operator to {remedy}",
            mib(need),
            mib(all),
            mib(room.left),
            mib(room.kept),
        )))
    }
}

/// Bytes of a revision's list of files.
fn listed(files: &Files) -> u64 {
    // Quotes, a colon and a comma.
    let line = |(path, sha256): (&String, &String)| (path.len() + sha256.len() + 6) as u64;
    files.iter().map(line).sum()
}

fn too_much(tenant: &str, kept: u64, more: u64, most: u64) -> String {
    format!(
        "the revisions of tenant {tenant} keep {}, this push would add {}, and they may keep {} together (limits.stored_mb): nothing of it is \
         kept. What was pushed in the last 24 hours, what is live, the newest two, those of the last ten releases and those that contacts \
         walk stay, others make room: push less, push again when a day is over, or ask the operator to raise limits.stored_mb",
        mib(kept),
        mib(more),
        mib(most)
    )
}

/// Bytes in MiB, for people.
fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / MIB as f64)
}

#[cfg(test)]
mod tests {
    use super::{UnderWay, listed, mib};

    #[test]
    fn pushes_under_way_are_counted_together() {
        let under_way = UnderWay::default();
        let (one, all) = under_way.reserve(5);
        assert_eq!(all, 5);
        let (mut other, all) = under_way.reserve(7);
        assert_eq!(all, 12);
        drop(one);
        assert_eq!(under_way.reserve(1).1, 8);
        assert_eq!((other.give_back(9), other.give_back(3)), (0, 4));
        assert_eq!(under_way.reserve(1).1, 4);
        drop(other);
        assert_eq!(under_way.reserve(0).1, 0);
    }

    #[test]
    fn a_list_of_files_is_as_long_as_it_is_kept() {
        let files = [("a.flow.yaml", "00"), ("audio/hold.wav", "ffff")];
        let files = files.map(|(path, sha256)| (path.to_owned(), sha256.to_owned()));
        let files = crate::store::Files::from(files);
        let kept = serde_json::to_string(&files).expect("JSON");
        // Braces for a comma.
        assert_eq!(listed(&files), kept.len() as u64 - 1);
        assert_eq!(mib(1_572_864), "1.5 MiB");
    }
}
