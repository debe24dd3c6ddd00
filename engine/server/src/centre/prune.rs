//! Revisions that nobody needs any more go.

use super::tenant::Tenant;
use super::{Centre, TenantConfig, tree};
use crate::store::{Files, Store, StoreError};

/// Most revisions that go with one push, so that it is not kept waiting.
const BATCH: u32 = 32;
/// Newest revisions that stay though there is no room for another: the draft, where the newest one is live.
const NEWEST: u64 = 2;
/// Revisions looked at at once.
const PAGE: u32 = 256;
/// A day in milliseconds: pushes of it are counted, so they stay.
const DAY_MS: u64 = 86_400_000;

impl Centre {
    /// Removes a tenant's spent revisions beyond those it may keep. None of them is released meanwhile. What
    /// cannot be removed is told, and tried again with the next push.
    pub(super) async fn prune(&self, tenant: &Tenant, config: &TenantConfig, store: &Store) {
        let _turn = tenant.publishing.lock().await;
        let newest = config.limits.revisions as u64;
        match self.pruned(tenant, store, newest, BATCH.into()).await {
            Ok(0) => {}
            Ok(gone) => {
                tracing::info!(tenant = %tenant.name, revisions = gone, "old revisions are removed")
            }
            Err(error) => {
                tracing::warn!(tenant = %tenant.name, "old revisions cannot be removed: {error}");
            }
        }
    }

    /// Removes the oldest of a tenant's spent revisions for another to have room, though it is one of those that it may
    /// keep; whether there was one.
    pub(super) async fn prune_one(
        &self,
        tenant: &Tenant,
        store: &Store,
    ) -> Result<bool, StoreError> {
        let _turn = tenant.publishing.lock().await;
        let gone = self.pruned(tenant, store, NEWEST, 1).await?;
        if gone > 0 {
            tracing::info!(tenant = %tenant.name, "an old revision is removed, since a push has no room beside it (limits.stored_mb)");
        }
        Ok(gone > 0)
    }

    /// Removes at most so many of a tenant's spent revisions beyond its newest ones.
    async fn pruned(
        &self,
        tenant: &Tenant,
        store: &Store,
        newest: u64,
        most: u64,
    ) -> Result<u64, StoreError> {
        let day_ago = self.node.clock.now().saturating_sub(DAY_MS);
        let spent = store
            .spent_revisions(&tenant.name, newest, day_ago, BATCH)
            .await?;
        let mut gone = 0;
        for revision in spent {
            if gone == most {
                break;
            }
            let walked = tenant.in_memory();
            if walked.contains(&revision.number) {
                continue;
            }
            if !store.remove_revision(&tenant.name, &revision).await? {
                continue;
            }
            gone += 1;
            self.remove_folder(store, &revision.manifest.files).await?;
        }
        Ok(gone)
    }

    /// Removes the folder of some files, unless a revision has them or somebody is at work there. What stays does no harm:
    /// its files are right, and the next start removes it.
    pub(super) async fn remove_folder(
        &self,
        store: &Store,
        files: &Files,
    ) -> Result<(), StoreError> {
        let folder = tree::folder(&self.node.data, files);
        // Whoever comes to read it or to make it waits until it is gone.
        let Some(_alone) = self.folders.claim(&folder) else {
            return Ok(());
        };
        if !store.has_revision_of(files).await? {
            let (data, files) = (self.node.data.clone(), files.clone());
            let _ = tree::blocking(move || tree::remove(&data, &folder, &files)).await;
        }
        Ok(())
    }

    /// Removes folders of revisions that are in the store no more, such as those that another engine on it has removed.
    pub(super) async fn prune_folders(&self, store: &Store) -> Result<(), StoreError> {
        let mut folders = tree::folders(&self.node.data);
        let mut after = (String::new(), 0);
        while !folders.is_empty() {
            let page = store.manifests(&after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after = (last.0.clone(), last.1);
            for (_, _, manifest) in page {
                folders.remove(&tree::folder(&self.node.data, &manifest.files));
            }
        }
        for folder in folders {
            if let Err(error) = tokio::fs::remove_dir_all(&folder).await {
                tracing::warn!(path = %folder.display(), "the folder of a revision that is gone cannot be removed: {error}");
            }
        }
        let data = self.node.data.clone();
        let freed = move || {
            tree::free(&data);
            Ok(())
        };
        if let Err(error) = tree::blocking(freed).await {
            tracing::warn!("files of revisions that are gone are left as they are: {error}");
        }
        Ok(())
    }
}
