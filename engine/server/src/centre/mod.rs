//! Who is served: the tenants of a centre, or the one project of a folder.
//!
//! A centre is a folder with a `strowger.toml` of its own, which says where calls come in and where data is kept, and
//! with `tenants/NAME.toml`, in which the operator says what each tenant may do. What a tenant's contacts walk is
//! pushed, checked and stored (`push`), released (`release`), and then served (`serving`). A project that is served from its folder is one tenant whose
//! folder is what is live.

pub mod archive;
mod aside;
mod begun;
mod config;
mod copies;
mod edits;
mod examine;
mod folders;
mod follow;
mod plans;
mod prune;
mod push;
mod refusal;
mod release;
mod room;
mod serving;
mod settings;
mod shadow;
pub mod signature;
mod speech;
pub(crate) mod stored;
mod tenant;
mod tree;
mod unused;
mod versions;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

pub use config::{TENANTS, TenantConfig, TenantLimits, Tenants, TenantsError, is_centre};
pub(crate) use examine::Sound;
pub use follow::follow;
pub(crate) use plans::Bound;
pub(crate) use push::MAX_NOTE;
pub use push::{Onto, Pushed, Pusher};
pub use refusal::{Refusal, Told};
pub use release::Order;
pub(crate) use shadow::extent;
pub use tenant::{ChatSeat, Live, Seat, Served, Tenant};

use strowger_flow::unseen::quoted;

use crate::effects::Allowance;
use crate::project::{Grants, Resume, RetentionSection, Routes};
use crate::prompts::Library;
use crate::runtime::{Engine, Node};
use crate::store::Store;

/// Most characters that are kept of what is wrong with a tenant.
const FAULT_CHARS: usize = 4_000;

/// Who is served.
pub struct Centre {
    /// What all tenants share.
    pub node: Arc<Node>,
    /// The centre's folder; none where a project is served from its folder.
    folder: Option<PathBuf>,
    state: RwLock<Arc<State>>,
    /// Those of revisions that are in use.
    folders: folders::Folders,
    /// What pushes are about to write.
    under_way: room::UnderWay,
}

/// The tenants, and whose each number is.
#[derive(Default)]
struct State {
    tenants: BTreeMap<String, Arc<Tenant>>,
    /// A route's flow is the tenant's name. None: all numbers are the one tenant's.
    numbers: Option<Routes>,
}

/// A contact that may begin.
pub struct Admitted {
    /// What it shares with others.
    pub engine: Arc<Engine>,
    /// The flow it begins on.
    pub flow: String,
    /// The number of the route that leads there, as it is written in `routes.yaml`.
    pub binding: String,
    /// Whether, and for how long, a caller who was cut off may go on.
    pub resume: Option<Resume>,
    /// Its place among those of its tenant, kept as long as it lasts.
    pub seat: Seat,
}

/// Why a contact does not begin.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    /// The number is nobody's.
    #[error("no tenant has the number `{0}`; add it to `numbers` of one's file")]
    NoTenant(String),
    /// The tenant's routes do not have it.
    #[error("no route for `{0}`; add it to routes.yaml")]
    NoRoute(String),
    /// Its tenant has nothing live.
    #[error("tenant {0} has released nothing yet")]
    NothingLive(String),
    /// What its tenant has released cannot be served.
    #[error("what tenant {0} has released cannot be served now: its operator finds why in the log")]
    NotServed(String),
    /// Its tenant has as many contacts as it may.
    #[error("tenant {0} has as many contacts as it may (limits.contacts)")]
    Full(String),
    /// What is kept of its tenant takes as much of the store as it may.
    #[error(
        "what is kept of tenant {0} takes as much of the store as it may (limits.journals_percent)"
    )]
    Crowded(String),
}

impl Centre {
    /// A project that is served from its folder.
    pub fn of_project(engine: Engine, routes: Routes) -> Centre {
        let node = engine.node.clone();
        let config = TenantConfig {
            limits: TenantLimits {
                // The only tenant takes nobody's lines.
                contacts: usize::MAX,
                chats: usize::MAX,
                tokens: u32::MAX,
                requests_per_second: u32::MAX,
                burst: u32::MAX,
                memory_mib: engine.memory_mib(),
                recordings_mb: engine.recordings_mb(),
                flows_mib: u32::MAX,
                ..TenantLimits::default()
            },
            ..TenantConfig::default()
        };
        let allowance = Arc::clone(&engine.allowance);
        let (share, library) = (engine.share.clone(), engine.prompts.library().clone());
        let tenant = Tenant::new(&engine.tenant, share, allowance, library, config);
        tenant.swap(Live {
            release: None,
            served: Served {
                revision: 0,
                engine: Arc::new(engine),
                routes: Arc::new(routes),
            },
            candidate: None,
        });
        let tenants = BTreeMap::from([(tenant.name.clone(), tenant)]);
        let centre = Centre {
            node,
            folder: None,
            state: RwLock::new(Arc::new(State {
                tenants,
                numbers: None,
            })),
            folders: folders::Folders::default(),
            under_way: room::UnderWay::default(),
        };
        centre.bound_recordings();
        centre
    }

    /// A centre in its folder, with what its tenants have released. A tenant whose release cannot be served is told in
    /// the log and takes no contacts; the others do.
    pub async fn open(folder: &Path, node: Arc<Node>) -> Result<Centre, TenantsError> {
        let read = Tenants::read(folder)?;
        tree::sweep(&node.data);
        speech::sweep(&node.data, read.tenants.keys());
        let tenants = read.tenants.into_iter();
        let tenants = tenants
            .map(|(name, config)| {
                let tenant = newcomer(&node, &name, config);
                (name, tenant)
            })
            .collect();
        let centre = Centre {
            node,
            folder: Some(folder.to_owned()),
            state: RwLock::new(Arc::new(State {
                tenants,
                numbers: Some(read.numbers),
            })),
            folders: folders::Folders::default(),
            under_way: room::UnderWay::default(),
        };
        centre.bound_weights();
        centre.bound_recordings();
        if let Some(store) = &centre.node.store
            && let Err(error) = centre.prune_folders(store).await
        {
            tracing::warn!("folders of old revisions are left as they are: {error}");
        }
        for tenant in centre.tenants() {
            centre
                .serve_released(
                    &tenant,
                    "takes no contacts: what is released cannot be served",
                )
                .await;
        }
        Ok(centre)
    }

    /// What tenants' files say of how long what is kept of their contacts is kept.
    pub fn retention(&self) -> BTreeMap<String, RetentionSection> {
        let tenants = self.tenants().into_iter();
        tenants
            .map(|tenant| (tenant.name.clone(), tenant.config().retention.clone()))
            .collect()
    }

    /// Reads the tenants' files again. When something in them cannot be, nothing changes.
    ///
    /// Else each holds at once, for contacts in progress too: what is no longer granted is refused at its next use. What is
    /// released is then examined under it, tenant by tenant; where it cannot be served so, what was live stays, and that is
    /// told of the tenant.
    pub async fn reload(&self) -> Result<(), String> {
        let Some(folder) = &self.folder else {
            return Err(
                "this engine serves one project's folder: restart it to read it again".into(),
            );
        };
        let read = Tenants::read(folder).map_err(|error| error.to_string())?;
        let before = self.state();
        let mut tenants = BTreeMap::new();
        let mut edits = Vec::new();
        for (name, config) in read.tenants {
            let tenant = match before.tenants.get(&name) {
                Some(tenant) => {
                    edits.extend(edits::changed(&name, &tenant.config(), &config));
                    tenant.configure(config);
                    Arc::clone(tenant)
                }
                None => {
                    edits.push(edits::added(&name, &config));
                    newcomer(&self.node, &name, config)
                }
            };
            tenants.insert(name, tenant);
        }
        for (name, gone) in &before.tenants {
            if !tenants.contains_key(name) {
                edits.push(edits::removed(name, &gone.config()));
                // Nobody speaks for it any more: its contacts in progress come to their ends without the world.
                gone.allowance.grant(Grants {
                    queues: Some(Vec::new()),
                    transfers: Some(Vec::new()),
                    ..Grants::default()
                });
            }
        }
        let state = Arc::new(State {
            tenants,
            numbers: Some(read.numbers),
        });
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = state;
        self.bound_weights();
        self.bound_recordings();
        edits::write_down(&self.node, edits).await;
        for tenant in self.tenants() {
            self.serve_released(&tenant, "what is released cannot be served as its file has it now, and what was live before stays so, without what is not granted")
                .await;
            tenant.warm_up();
        }
        Ok(())
    }

    /// Puts what a tenant has released in place, examined under its file as it is now; `or_else` says what is so where that
    /// cannot be.
    async fn serve_released(&self, tenant: &Tenant, or_else: &str) {
        loop {
            let before = tenant.release();
            // It may be compiled for long, and nobody who releases or rolls back waits for that.
            let restored = self.restore(tenant, &tenant.config()).await;
            let _turn = tenant.publishing.lock().await;
            if tenant.release() != before {
                // A release that was made meanwhile is not put back: it is the one to be examined.
                continue;
            }
            match restored {
                Ok(Some(live)) => tenant.swap(live),
                Ok(None) => {
                    tenant.set_fault(None);
                    tracing::info!(tenant = %tenant.name, "nothing is released yet");
                }
                Err(refusal) => return told(tenant, or_else, &refusal),
            }
            return self.note_lost(tenant).await;
        }
    }

    /// The tenants, by name.
    pub fn tenants(&self) -> Vec<Arc<Tenant>> {
        self.state().tenants.values().cloned().collect()
    }

    /// A tenant.
    pub fn tenant(&self, name: &str) -> Option<Arc<Tenant>> {
        self.state().tenants.get(name).cloned()
    }

    /// What a tenant may use; the defaults for one that has no file any more.
    pub(crate) fn limits_of(&self, name: &str) -> TenantLimits {
        let tenant = self.tenant(name);
        tenant.map_or_else(TenantLimits::default, |tenant| {
            tenant.config().limits.clone()
        })
    }

    /// Whether tenants publish here; else a folder is what is live.
    pub fn publishes(&self) -> bool {
        self.folder.is_some()
    }

    /// Lets a contact in: whose number it is, what is live there, and whether there is room.
    pub fn admit(&self, to: &str, from: &str) -> Result<Admitted, NotAdmitted> {
        let state = self.state();
        let name = match &state.numbers {
            Some(numbers) => numbers.flow(to),
            None => state.tenants.keys().next().map(String::as_str),
        };
        let tenant = name
            .and_then(|name| state.tenants.get(name))
            .ok_or_else(|| NotAdmitted::NoTenant(quoted(to)))?;
        let Served { engine, routes, .. } =
            tenant.serve(from).ok_or_else(|| match tenant.fault() {
                Some(_) => NotAdmitted::NotServed(tenant.name.clone()),
                None => NotAdmitted::NothingLive(tenant.name.clone()),
            })?;
        let route = routes
            .route(to)
            .ok_or_else(|| NotAdmitted::NoRoute(quoted(to)))?
            .clone();
        if self.crowded(&tenant.name) {
            tenant.refuse();
            return Err(NotAdmitted::Crowded(tenant.name.clone()));
        }
        let seat = tenant
            .seat()
            .ok_or_else(|| NotAdmitted::Full(tenant.name.clone()))?;
        Ok(Admitted {
            engine,
            flow: route.flow,
            binding: route.to,
            resume: route.resume,
            seat,
        })
    }

    /// Whether a tenant takes no new contacts because what is kept of it takes as much of the store as it may.
    pub(crate) fn crowded(&self, tenant: &str) -> bool {
        let store = self.node.store.as_ref();
        store.is_some_and(|store| store.weights().full(tenant))
    }

    /// Tells the store what the tenants may take of it, where it has a bound and several share it.
    fn bound_weights(&self) {
        let Some(store) = &self.node.store else {
            return;
        };
        let tenants = self.tenants();
        let all = store.most_bytes().filter(|_| tenants.len() > 1);
        let most = tenants.iter().filter_map(|tenant| {
            let percent = u64::from(tenant.config().limits.journals_percent);
            Some((tenant.name.clone(), all? * percent / 100))
        });
        store.weights().bound(most.collect());
    }

    /// Tells what the recordings of each tenant may take.
    fn bound_recordings(&self) {
        let tenants = self.tenants().into_iter();
        let most = tenants.map(|tenant| {
            let most = tenant.config().limits.recordings_bytes();
            (tenant.name.clone(), most)
        });
        self.node.shelves.bound(most.collect());
    }

    /// Whose number it is, whether or not contacts are let in there, and the content of what is live there for a caller.
    pub(crate) fn owner(&self, to: &str, from: &str) -> Option<(String, Option<String>)> {
        let state = self.state();
        let name = match &state.numbers {
            Some(numbers) => numbers.flow(to),
            None => state.tenants.keys().next().map(String::as_str),
        }?;
        let live = state.tenants.get(name).and_then(|t| t.serve(from));
        let content = live.map(|served| served.engine.program.content().to_owned());
        Some((name.to_owned(), content))
    }

    /// A tenant that may publish here, and the store that keeps it.
    pub(super) fn publisher(&self, tenant: &str) -> Result<(Arc<Tenant>, Store), Refusal> {
        if !self.publishes() {
            return Err(Refusal::Denied(
                "this engine serves one project from its folder: change it there, or serve a centre, a folder with tenants/"
                    .to_owned(),
            ));
        }
        let shown = quoted(tenant);
        let found = self
            .tenant(tenant)
            .ok_or_else(|| Refusal::Unknown(format!("there is no tenant `{shown}`")))?;
        let store = self.node.store.clone();
        let store = store.ok_or_else(|| Refusal::Unable("this engine keeps nothing".to_owned()))?;
        Ok((found, store))
    }

    fn state(&self) -> Arc<State> {
        // Nothing panics under this lock.
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A tenant that was not there before, with what the operator grants it.
fn newcomer(node: &Node, name: &str, config: TenantConfig) -> Arc<Tenant> {
    let allowance = Allowance::new(config.limits.effects());
    allowance.grant(config.grants.clone());
    let library = Library::new(
        Arc::clone(&node.studio),
        name,
        Some(speech::folder(&node.data, name)),
        config.limits.library(),
    );
    let share = node.host.runtime().share();
    Tenant::new(name, share, allowance, library, config)
}

/// Logs what is wrong with a tenant, a line for each complaint, and keeps it for those who look at the tenant.
fn told(tenant: &Tenant, what: &str, refusal: &Refusal) {
    let name = &tenant.name;
    tracing::error!(tenant = %name, "{what}: {refusal}");
    let mut fault = format!("{what}: {refusal}");
    if let Refusal::Errors { text, .. } = refusal {
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            tracing::error!(tenant = %name, "{line}");
        }
        fault.push('\n');
        fault.push_str(text);
    }
    tenant.set_fault(Some(fault.chars().take(FAULT_CHARS).collect()));
}
