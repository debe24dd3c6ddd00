//! Serving: a revision from the store, ready to take contacts.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::examine::{Sound, Ungranted, examine, withdrawn};
use super::refusal::Refusal;
use super::tenant::{Live, Served, Tenant};
use super::tree::{self, NotLaidOut};
use super::{Centre, TenantConfig};
use crate::runtime::{Engine, Part, engine_of, warm};
use crate::store::{Release, Revision, Store};

/// How the revisions of a release come to be served.
#[derive(Clone, Copy)]
pub(super) enum Serving {
    /// Examined anew: what the tenant may do has changed.
    Anew,
    /// As they run already, or were prepared by a push, with no prompt left to be spoken.
    Ready,
}

impl Centre {
    /// What a tenant's release says, ready to take contacts; none where nothing is released.
    pub(super) async fn restore(
        &self,
        tenant: &Tenant,
        config: &TenantConfig,
    ) -> Result<Option<Live>, Refusal> {
        let Some(store) = &self.node.store else {
            return Ok(None);
        };
        let Some(release) = store.released(&tenant.name).await? else {
            return Ok(None);
        };
        let live = self.live_of(tenant, config, store, release, Serving::Anew);
        live.await.map(Some)
    }

    /// Notes of a tenant what its live revisions touch and the operator does not grant any more: that is refused to them, call
    /// by call. A release that cannot be looked at is told by whoever serves it.
    pub(super) async fn note_withdrawn(&self, tenant: &Tenant) {
        let (Some(store), Some(live)) = (&self.node.store, tenant.live()) else {
            return;
        };
        let config = tenant.config();
        let mut lost = BTreeSet::new();
        for served in live.served() {
            if let Ok(Some(revision)) = store.revision(&tenant.name, served.revision).await
                && let Ok(withdrawn) = withdrawn(store, &revision.manifest, &config).await
            {
                let of = |lost| format!("revision {}, {lost}", served.revision);
                lost.extend(withdrawn.into_iter().map(of));
            }
        }
        if lost.is_empty() {
            return;
        }
        let lost = lost.into_iter().collect::<Vec<_>>().join("; ");
        tracing::error!(tenant = %tenant.name, "what is live needs what the operator does not grant, which is refused to it: {lost}");
        tenant.set_fault(Some(format!(
            "what is live needs what the operator does not grant, which is refused to it: {lost}; grant it, or release a revision that needs less"
        )));
    }

    /// Takes over what another engine on the same store has released; whether anything changed.
    pub(super) async fn take_over(&self, tenant: &Tenant, store: &Store) -> Result<bool, Refusal> {
        let _turn = tenant.publishing.lock().await;
        let Some(release) = store.released(&tenant.name).await? else {
            return Ok(false);
        };
        if tenant.release() >= release.number {
            return Ok(false);
        }
        tracing::info!(tenant = %tenant.name, live = release.live, candidate = ?release.candidate, percent = release.percent, by = %release.released_by, "released by another engine");
        let config = tenant.config();
        let live = self.live_of(tenant, &config, store, release, Serving::Ready);
        tenant.swap(live.await?);
        self.note_withdrawn(tenant).await;
        Ok(true)
    }

    /// What a release says, ready to take contacts.
    pub(super) async fn live_of(
        &self,
        tenant: &Tenant,
        config: &TenantConfig,
        store: &Store,
        release: Release,
        serving: Serving,
    ) -> Result<Live, Refusal> {
        let serve = async |number| match serving {
            Serving::Anew => self.served(tenant, config, store, number).await,
            Serving::Ready => self.ready(tenant, config, store, number).await,
        };
        let served = serve(release.live).await?;
        let candidate = match release.candidate {
            Some(candidate) => Some((serve(candidate).await?, release.percent)),
            None => None,
        };
        Ok(Live {
            release: Some(release),
            served,
            candidate,
        })
    }

    /// A revision that is not live any more, for a contact that goes on with it.
    pub(super) async fn past(&self, tenant: &Tenant, number: u64) -> Result<Arc<Engine>, String> {
        // One at a time: many contacts ask for the same.
        let _turn = tenant.publishing.lock().await;
        if let Some(engine) = tenant.past(number) {
            return Ok(engine);
        }
        let store = self
            .node
            .store
            .as_ref()
            .ok_or("this engine keeps nothing")?;
        let served = self.served(tenant, &tenant.config(), store, number).await;
        let served = served
            .map_err(|refusal| format!("revision {number} cannot be served any more: {refusal}"))?;
        tenant.keep_past(number, &served.engine);
        Ok(served.engine)
    }

    /// A revision to take contacts: the one that runs already, the one prepared by a push, or from the store.
    async fn ready(
        &self,
        tenant: &Tenant,
        config: &TenantConfig,
        store: &Store,
        number: u64,
    ) -> Result<Served, Refusal> {
        let live = tenant.live();
        let mut running = live.iter().flat_map(Live::served);
        if let Some(served) = running.find(|served| served.revision == number) {
            return Ok(served.clone());
        }
        let served = match tenant.prepared(number) {
            Some(served) => served,
            None => self.served(tenant, config, store, number).await?,
        };
        // No caller waits for a prompt to be spoken.
        warm(&served.engine, |_, _| {}).await;
        Ok(served)
    }

    async fn served(
        &self,
        tenant: &Tenant,
        config: &TenantConfig,
        store: &Store,
        number: u64,
    ) -> Result<Served, Refusal> {
        let sound = self.sound(tenant, config, store, number).await?;
        Ok(self.serve(tenant, config, number, sound))
    }

    /// A revision from the store, examined anew.
    pub(super) async fn sound(
        &self,
        tenant: &Tenant,
        config: &TenantConfig,
        store: &Store,
        number: u64,
    ) -> Result<Sound, Refusal> {
        let revision = wanted(store, tenant, number).await?;
        let _reading = self.folders.read().await;
        let folder = tree::lay_out(store, &self.node.data, revision.manifest.files).await;
        let folder = folder.map_err(|error| match error {
            NotLaidOut::Store(error) => error.into(),
            NotLaidOut::Disk(why) => unwritten(&why),
        })?;
        let held = Ungranted::Held;
        let host = self.node.host.compiling_for(&tenant.share);
        examine(&host, &folder, &tenant.name, config, held).await
    }

    pub(super) fn serve(
        &self,
        tenant: &Tenant,
        config: &TenantConfig,
        number: u64,
        sound: Sound,
    ) -> Served {
        let (engine, routes) = engine_of(
            sound.project,
            sound.steps,
            sound.program,
            Arc::clone(&self.node),
            Part {
                tenant: tenant.name.clone(),
                share: tenant.share.clone(),
                allowance: Arc::clone(&tenant.allowance),
            },
            &config.limits.step,
        );
        Served {
            revision: number,
            engine: Arc::new(engine),
            routes: Arc::new(routes),
        }
    }
}

pub(super) async fn wanted(
    store: &Store,
    tenant: &Tenant,
    number: u64,
) -> Result<Revision, Refusal> {
    store
        .revision(&tenant.name, number)
        .await?
        .ok_or_else(|| Refusal::Unknown(format!("tenant {} has no revision {number}", tenant.name)))
}

/// A revision's folder that cannot be made.
pub(super) fn unwritten(why: &str) -> Refusal {
    Refusal::Unable(format!(
        "the revision cannot be written below the data folder: {why}; is there room on the disk?"
    ))
}
