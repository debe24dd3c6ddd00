//! Serving: a revision from the store, ready to take contacts.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use strowger_plugin::Host;

use super::aside::aside;
use super::examine::{Sound, Ungranted, astray_of, examine, withdrawn};
use super::plans::{Bound, Full};
use super::refusal::{Refusal, Told};
use super::tenant::{Live, Served, Tenant};
use super::tree::{self, NotLaidOut};
use super::versions::untrusted;
use super::{Centre, FAULT_CHARS, TenantConfig};
use crate::runtime::{Engine, Node, Part, engine_of, warm};
use crate::store::{Release, Revision, Store};

/// Longest time that a release waits for prompts to be made. Seconds; some hundred short texts on an idle machine.
///
/// Whoever releases waits 30 s for the answer; a caller who comes before a prompt is made waits for that one.
const PRIME: Duration = Duration::from_secs(5);

const MIB: u64 = 1 << 20;

/// How the revisions of a release come to be served.
#[derive(Clone, Copy)]
pub(super) enum Serving {
    /// Examined anew: what the tenant may do has changed.
    Anew,
    /// As they run already, ran before, or were prepared by a push.
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

    /// Notes of a tenant what its live revisions have that its file does not allow any more: what they touch and the operator
    /// does not grant is refused to them, call by call; plugins that are signed by nobody of today go on. A release that
    /// cannot be looked at is told by whoever serves it.
    pub(super) async fn note_lost(&self, tenant: &Tenant) {
        let (Some(store), Some(live)) = (&self.node.store, tenant.live()) else {
            return;
        };
        let config = tenant.config();
        let (mut lost, mut unsigned) = (BTreeSet::new(), BTreeSet::new());
        for served in live.served() {
            let Ok(Some(revision)) = store.revision(&tenant.name, served.revision).await else {
                continue;
            };
            let of = |what| format!("revision {}, {what}", served.revision);
            if let Ok(withdrawn) = withdrawn(store, &revision.manifest, &config).await {
                lost.extend(withdrawn.into_iter().map(of));
            }
            lost.extend(astray_of(&served.engine, &config).into_iter().map(of));
            let manifest = &revision.manifest;
            if let Ok(untrusted) = untrusted(store, &tenant.name, &config, manifest).await {
                unsigned.extend(untrusted.into_iter().map(of));
            }
        }
        let joined = |all: BTreeSet<String>| all.into_iter().collect::<Vec<_>>().join("; ");
        let mut faults = Vec::new();
        if !lost.is_empty() {
            faults.push(format!(
                "what is live needs what the operator does not grant, which is refused to it: {}; grant it, or release a revision that needs less",
                joined(lost)
            ));
        }
        if !unsigned.is_empty() {
            faults.push(format!(
                "what is live has plugins that none of the tenant's publishers has signed, which go on all the same: {}; push them signed and release \
                 that, or correct [publishers] and `signed` of the tenant's file",
                joined(unsigned)
            ));
        }
        if faults.is_empty() {
            return;
        }
        for fault in &faults {
            tracing::error!(tenant = %tenant.name, "{fault}");
        }
        let faults = faults.join("\n");
        tenant.set_fault(Some(faults.chars().take(FAULT_CHARS).collect()));
    }

    /// Takes over what another engine on the same store has released; whether anything changed.
    pub(super) async fn take_over(&self, tenant: &Tenant, store: &Store) -> Result<bool, Refusal> {
        let Some(release) = store.released(&tenant.name).await? else {
            return Ok(false);
        };
        let number = release.number;
        if tenant.release() >= number {
            return Ok(false);
        }
        tracing::info!(tenant = %tenant.name, live = release.live, candidate = ?release.candidate, percent = release.percent, by = %release.released_by, "released by another engine");
        let config = tenant.config();
        let live = self.live_of(tenant, &config, store, release, Serving::Ready);
        let live = live.await?;
        prime(live.served().map(|served| &served.engine)).await;
        let _turn = tenant.publishing.lock().await;
        if tenant.release() >= number {
            return Ok(false);
        }
        tenant.swap(live);
        tenant.warm_up();
        self.note_lost(tenant).await;
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
            // What is live stays so.
            Serving::Anew => {
                self.served(tenant, config, store, number, Bound::Free)
                    .await
            }
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

    /// A revision that is not live any more, for a contact that goes on with it or is looked at.
    pub(super) async fn past(
        &self,
        tenant: &Tenant,
        number: u64,
        bound: Bound,
    ) -> Result<Arc<Engine>, String> {
        // One at a time: many contacts ask for the same.
        let _turn = tenant.reviving.lock().await;
        if let Some(engine) = tenant.past(number) {
            return Ok(engine);
        }
        let store = self
            .node
            .store
            .as_ref()
            .ok_or("this engine keeps nothing")?;
        let config = tenant.config();
        let served = self.served(tenant, &config, store, number, bound);
        let served = served
            .await
            .map_err(|refusal| format!("revision {number} cannot be served any more: {refusal}"))?;
        tenant.keep_past(number, &served.engine);
        Ok(served.engine)
    }

    /// A revision to take contacts: the one that runs already or ran before, the one prepared by a push, or from the store.
    pub(super) async fn ready(
        &self,
        tenant: &Tenant,
        config: &TenantConfig,
        store: &Store,
        number: u64,
    ) -> Result<Served, Refusal> {
        match tenant.at_hand(number) {
            Some(served) => Ok(served),
            None => {
                self.served(tenant, config, store, number, Bound::Held)
                    .await
            }
        }
    }

    async fn served(
        &self,
        tenant: &Tenant,
        config: &TenantConfig,
        store: &Store,
        number: u64,
        bound: Bound,
    ) -> Result<Served, Refusal> {
        let sound = self.sound(tenant, config, store, number).await?;
        let sound = loaded(tenant, sound, bound).await?;
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
        let folder = tree::folder(&self.node.data, &revision.manifest.files);
        let _held = self.folders.hold(&folder).await;
        let folder = tree::lay_out(store, &self.node.data, &tenant.name, &revision).await;
        let folder = folder.map_err(|error| match error {
            NotLaidOut::Store(error) => error.into(),
            NotLaidOut::Disk(why) => unwritten(&why),
        })?;
        let held = Ungranted::Held;
        let host = self.host_for(tenant);
        examine(&host, &folder, &tenant.name, config, held).await
    }

    /// The host of the plugins for a tenant's: it takes its turns at compiling, and what it prints counts to its lines of the log.
    pub(super) fn host_for(&self, tenant: &Tenant) -> Host {
        let Node { host, clock, .. } = &*self.node;
        let ear = tenant.allowance.ear(&tenant.name, *clock);
        host.compiling_for(&tenant.share).heard_by(ear)
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
                library: Arc::clone(&tenant.library),
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

/// A project with its flows among those of its tenant that are in memory, where these have room for them or are not held to it.
pub(super) async fn loaded(
    tenant: &Tenant,
    mut sound: Sound,
    bound: Bound,
) -> Result<Sound, Refusal> {
    loop {
        let plans = Arc::clone(&tenant.plans);
        let taken = aside(move || {
            let taken = plans.take_in(&mut sound.program, bound);
            (sound, taken)
        });
        let (back, taken) = taken.await?;
        match taken {
            Ok(()) => return Ok(back),
            Err(full) if full.own <= full.most && tenant.make_room() => sound = back,
            Err(full) => return Err(no_room(tenant, full)),
        }
    }
}

/// What is told of flows that a tenant's memory has no room for.
fn no_room(tenant: &Tenant, Full { own, wanted, most }: Full) -> Refusal {
    let name = &tenant.name;
    let [own, wanted, most] = [own.div_ceil(MIB), wanted.div_ceil(MIB), most / MIB];
    if own > most {
        let why = format!(
            "the flows of this revision take {own} MiB of memory, and those of tenant {name} may take {most} MiB together (limits.flows_mib)"
        );
        return Refusal::one(Told {
            help: Some("make them fewer or shorter, or have the limit raised".to_owned()),
            ..Told::plain("limit", why)
        });
    }
    let walked: Vec<String> = tenant.in_memory().iter().map(u64::to_string).collect();
    Refusal::Limit(format!(
        "the flows of tenant {name} would take {wanted} MiB of memory with those of this revision, and may take {most} MiB together (limits.flows_mib): \
         revisions {} are live or still walked by contacts; try again when those contacts are over, make the flows shorter, or have the limit raised",
        walked.join(", ")
    ))
}

/// Makes the prompts of revisions that are about to go live, as long as a release may wait for that: no caller waits for one
/// to be made. What is left then is made while they are live, see [`Tenant::warm_up`].
pub(super) async fn prime<'e>(engines: impl Iterator<Item = &'e Arc<Engine>>) {
    let all = async {
        for engine in engines {
            warm(engine, |_, _| {}).await;
        }
    };
    if tokio::time::timeout(PRIME, all).await.is_err() {
        tracing::info!(
            "a release has more prompts than are made in {} s: it goes live, and the others are made meanwhile",
            PRIME.as_secs()
        );
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
