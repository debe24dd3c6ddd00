//! A loaded plugin, and how it becomes one.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use strowger_flow::catalog::PluginDescription;
use tokio::sync::Notify;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use wasmtime::component::{Component, ComponentExportIndex, InstancePre};

use crate::admit::{self, Inspection, Served};
use crate::cache::InUse;
use crate::description::{self, StepChecks};
use crate::error::{LoadError, StepError};
use crate::grants::Grants;
use crate::host::Shared;
use crate::limits::Limits;
use crate::link::link;
use crate::memory::Held;
use crate::meter::{CpuClock, Meters, StepState};
use crate::printed::Ear;
use crate::run::{self, RunRequest, StepReport};
use crate::runtime::GuestEnd;
use crate::share::Share;
use crate::slots::Parked;
use crate::tier::{Kind, Tier};

/// A plugin that was checked and can run. A handle: clones share everything, and a step that runs
/// keeps its plugin even when a newer version has taken its place.
#[derive(Clone)]
pub struct Plugin {
    inner: Arc<Inner>,
}

/// What all handles of a plugin share.
pub(crate) struct Inner {
    pub(crate) shared: Arc<Shared>,
    pub(crate) tier: Arc<Tier>,
    pub(crate) pre: InstancePre<StepState>,
    pub(crate) run: ComponentExportIndex,
    pub(crate) describe: ComponentExportIndex,
    pub(crate) steps: StepChecks,
    /// Keeps its compiled code on the disk.
    _in_use: Option<InUse>,
    digest: String,
    imports: Vec<String>,
    wasi: Vec<String>,
    interpreter: bool,
    description: PluginDescription,
}

impl Plugin {
    /// SHA-256 of the component, lower-case hexadecimal: its identity for journals and stores.
    pub fn digest(&self) -> &str {
        &self.inner.digest
    }

    /// The capabilities it imports, by short name: what it can touch.
    pub fn imports(&self) -> &[String] {
        &self.inner.imports
    }

    /// The interfaces of WASI that it imports, as they stand in the component: `wasi:io/poll@0.2.9`. They need
    /// no grant, since the engine's WASI leads nowhere.
    pub fn wasi(&self) -> &[String] {
        &self.inner.wasi
    }

    /// Whether it runs among the interpreters, in larger instances of which there are fewer.
    pub fn interpreter(&self) -> bool {
        self.inner.interpreter
    }

    /// What it says of itself, checked.
    pub fn description(&self) -> &PluginDescription {
        &self.inner.description
    }

    /// Whether a step would take an input, without running it.
    ///
    /// # Errors
    ///
    /// What [`Self::run`] would report before it begins: an unknown step, an input that is too long or does not satisfy the step's
    /// schema.
    pub fn takes(&self, step: &str, input: &str, limits: &Limits) -> Result<(), StepError> {
        run::fitting(&self.inner, step, input, limits, &CpuClock::new()).map(|_| ())
    }

    /// Runs one step on a fresh instance on the guest threads, whichever thread awaits it.
    ///
    /// Never fails itself: whatever happens is in the report. Dropping the future ends the step at its
    /// next suspension, at the latest at the next tick.
    pub fn run(&self, request: RunRequest) -> impl Future<Output = StepReport> + Send + use<> {
        let plugin = self.clone();
        let shared = &self.inner.shared;
        let run = async move { plugin.run_here(request).await };
        let task = shared.runtime.spawn(&shared.share, run);
        async move {
            task.await.unwrap_or_else(|end| StepReport {
                result: Err(match end {
                    GuestEnd::Cancelled => {
                        StepError::Cancelled("the engine is shutting down".into())
                    }
                    GuestEnd::Panicked(words) => {
                        StepError::HostFault(format!("a provider of host calls panicked: {words}"))
                    }
                }),
                meters: Meters::default(),
            })
        }
    }

    /// Runs one step on the calling task, saving the way to the guest threads and back.
    ///
    /// For tasks that live on [`GuestRuntime`](crate::GuestRuntime) already, and for tests under
    /// virtual time. Needs a Tokio runtime with its clock enabled.
    pub async fn run_here(&self, request: RunRequest) -> StepReport {
        self.run_for(&self.inner.shared.share, request).await
    }

    /// [`Self::run_here`] for a tenant: on its part of the instances.
    pub async fn run_for(&self, share: &Share, request: RunRequest) -> StepReport {
        self.run_held(share, Held::default(), request).await
    }

    /// [`Self::run_for`] for whoever parks the instance: what it holds of memory is known by `held`.
    pub async fn run_held(&self, share: &Share, held: Held, request: RunRequest) -> StepReport {
        run::run(&self.inner, share, held, request).await
    }

    /// Says that an instance of a tenant's waits, and can be built again. When its place or its memory is wanted, `wake` is
    /// notified.
    pub fn park(&self, share: &Share, held: &Held, wake: &Arc<Notify>) -> Parked {
        self.inner.tier.slots.park(share, held, wake)
    }
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let description = &self.inner.description;
        f.debug_struct("Plugin")
            .field("name", &description.name)
            .field("version", &description.version)
            .field("digest", &self.inner.digest)
            .field("imports", &self.inner.imports)
            .finish_non_exhaustive()
    }
}

/// For whom something is compiled.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Client<'a> {
    /// A share's number: what is to be compiled waits for a turn of its.
    pub share: u64,
    /// Cancelled when nobody waits for it any more; none where somebody does to the end.
    pub gone: Option<&'a CancellationToken>,
    /// Who hears what it prints while it describes itself.
    pub ear: &'a Ear,
    /// The name under which it is loaded, where it has one.
    pub name: Option<&'a str>,
}

impl Client<'_> {
    async fn is_gone(&self) {
        match self.gone {
            Some(gone) => gone.cancelled().await,
            None => std::future::pending().await,
        }
    }
}

/// Checks, compiles and asks: see [`Host::load`](crate::Host::load).
pub(crate) async fn load(
    shared: &Arc<Shared>,
    client: Client<'_>,
    component: &[u8],
    grants: &Grants,
    limits: &Limits,
) -> Result<Plugin, Vec<LoadError>> {
    let fault = |reason: String| vec![LoadError::Engine { reason }];
    let panicked = |error: JoinError| fault(format!("checking the component panicked: {error}"));
    let looked = {
        let (bytes, grants, limits) = (component.to_vec(), grants.clone(), limits.clone());
        let host = Arc::clone(shared);
        // Validating takes some time for each megabyte.
        shared
            .runtime
            .run_blocking(move || look(&host, bytes, &grants, &limits))
    };
    let prepared = match looked.await.map_err(panicked)? {
        Looked::Prepared(prepared) => prepared,
        Looked::Uncompiled(bytes, inspection, absent) => {
            let turn = shared.compiler.turn(client.share, bytes.len());
            let turn = tokio::select! {
                biased;
                () = client.is_gone() => return Err(vec![LoadError::Abandoned]),
                turn = turn => turn,
            };
            let (host, limits) = (Arc::clone(shared), limits.clone());
            // Compiling takes a second per megabyte.
            let compiled = shared.runtime.run_blocking(move || {
                turn.work(|| {
                    prepare(inspection, |inspection| {
                        compile(&host, &bytes, inspection, &limits, absent)
                    })
                })
            });
            compiled.await.map_err(panicked)?
        }
    };
    let (mut complaints, inner, known) = match prepared {
        Prepared::Refused(complaints) => return Err(complaints),
        Prepared::Runnable(complaints, inner, known) => (complaints, inner, known),
    };

    let limits = limits.clone();
    let ear = client.ear.clone();
    let name = client.name.unwrap_or(&inner.digest).to_owned();
    let fresh = known.is_none();
    let answered = shared
        .runtime
        .spawn(&shared.share, async move {
            let mut inner = inner;
            let (text, printing) = match known {
                Some(text) => (run::description(text, &limits), None),
                None => run::describe(&inner, &limits, &ear).await,
            };
            let text = text.map_err(|error| vec![LoadError::Describe(error)]);
            let read = text.and_then(|text| Ok((description::read(&text)?, text)));
            if let Some(printing) = printing {
                let named = read.as_ref().map(|((said, _), _)| said.name.as_str());
                let printed = printing.over(named.unwrap_or(&name));
                printed.into_iter().for_each(|printed| (ear.told)(printed));
            }
            let ((description, steps), text) = read?;
            inner.description = description;
            inner.steps = steps;
            Ok::<_, Vec<LoadError>>((inner, text))
        })
        .await
        .map_err(|end| match end {
            GuestEnd::Cancelled => fault("the engine is shutting down".to_owned()),
            GuestEnd::Panicked(words) => fault(format!("describing the plugin panicked: {words}")),
        })?;
    let (inner, text) = match answered {
        Ok(answered) if complaints.is_empty() => answered,
        Ok(_) => return Err(complaints),
        Err(further) => {
            complaints.extend(further);
            return Err(complaints);
        }
    };
    if fresh && shared.cache.is_some() {
        let (shared, digest) = (Arc::clone(shared), inner.digest.clone());
        let runtime = Arc::clone(&shared);
        let kept = runtime.runtime.run_blocking(move || {
            if let Some(cache) = &shared.cache {
                cache.store_description(&digest, &text);
            }
        });
        kept.await
            .map_err(|error| fault(format!("keeping the description panicked: {error}")))?;
    }
    Ok(Plugin {
        inner: Arc::new(*inner),
    })
}

/// A component that was looked at from outside and perhaps compiled.
enum Prepared {
    Refused(Vec<LoadError>),
    /// With the complaints that do not keep it from describing itself, and what it is known to say.
    Runnable(Vec<LoadError>, Box<Inner>, Option<String>),
}

/// A component that was looked at from outside.
enum Looked {
    /// Wrong, or compiled before.
    Prepared(Prepared),
    /// To be compiled; and whether nothing was there, rather than something that is not ours.
    Uncompiled(Vec<u8>, Inspection, bool),
}

fn look(shared: &Arc<Shared>, bytes: Vec<u8>, grants: &Grants, limits: &Limits) -> Looked {
    let inspection = admit::inspect(&bytes, grants, limits);
    if !inspection.runnable() {
        return Looked::Prepared(Prepared::Refused(inspection.complaints));
    }
    let tier = match tier(shared, &inspection, limits) {
        Ok(tier) => tier,
        Err(complaint) => return Looked::Prepared(prepare(inspection, |_| Err(complaint))),
    };
    let cache = shared.cache.as_ref();
    let cached = cache.and_then(|cache| cache.load(&tier.engine, &inspection.digest));
    let Some(component) = cached else {
        let absent = !cache.is_some_and(|cache| cache.has(&inspection.digest));
        return Looked::Uncompiled(bytes, inspection, absent);
    };
    let known = cache.and_then(|cache| cache.description(&inspection.digest));
    Looked::Prepared(prepare(inspection, |inspection| {
        Ok((assemble(shared, tier, &component, inspection)?, known))
    }))
}

fn prepare(
    inspection: Inspection,
    make: impl FnOnce(&Inspection) -> Result<(Inner, Option<String>), LoadError>,
) -> Prepared {
    match make(&inspection) {
        Ok((inner, known)) => Prepared::Runnable(inspection.complaints, Box::new(inner), known),
        Err(complaint) => {
            let mut complaints = inspection.complaints;
            complaints.push(complaint);
            Prepared::Refused(complaints)
        }
    }
}

fn tier(
    shared: &Arc<Shared>,
    inspection: &Inspection,
    limits: &Limits,
) -> Result<Arc<Tier>, LoadError> {
    let kind = Kind::of(inspection.interpreter, limits);
    shared.tiers.of(kind).map_err(|error| LoadError::Engine {
        reason: error.to_string(),
    })
}

fn compile(
    shared: &Arc<Shared>,
    bytes: &[u8],
    inspection: &Inspection,
    limits: &Limits,
    absent: bool,
) -> Result<(Inner, Option<String>), LoadError> {
    let tier = tier(shared, inspection, limits)?;
    let cache = shared.cache.as_ref();
    // Another may have compiled it while this one waited.
    let again = cache.filter(|cache| absent && cache.has(&inspection.digest));
    let cached = again.and_then(|cache| cache.load(&tier.engine, &inspection.digest));
    let component = match cached {
        Some(component) => component,
        None => {
            let component = Component::from_binary(&tier.engine, bytes).map_err(unsupported)?;
            if let Some(cache) = cache {
                cache.store(&inspection.digest, &component);
            }
            component
        }
    };
    Ok((assemble(shared, tier, &component, inspection)?, None))
}

fn unsupported(error: wasmtime::Error) -> LoadError {
    LoadError::Unsupported {
        reason: admit::in_one_line(&format!("{error:#}")),
    }
}

/// Links compiled code to what it imports.
fn assemble(
    shared: &Arc<Shared>,
    tier: Arc<Tier>,
    component: &Component,
    inspection: &Inspection,
) -> Result<Inner, LoadError> {
    let pre = link(component, &inspection.imports).map_err(unsupported)?;
    let export = |name: &str| {
        let guest = component.get_export_index(None, &inspection.guest);
        guest
            .and_then(|guest| component.get_export_index(Some(&guest), name))
            .ok_or_else(|| LoadError::MissingExport {
                export: format!("{}#{name}", inspection.guest),
            })
    };
    let (mut imports, mut wasi) = (Vec::new(), Vec::new());
    for import in &inspection.imports {
        match &import.served {
            Served::Capability(capability) => imports.push(capability.clone()),
            Served::Wasi { .. } => wasi.push(import.name.clone()),
            Served::Types => {}
        }
    }
    imports.sort();
    imports.dedup();
    let inner = Inner {
        _in_use: shared
            .cache
            .as_ref()
            .map(|cache| cache.in_use(&inspection.digest)),
        shared: Arc::clone(shared),
        tier,
        run: export("run")?,
        describe: export("describe")?,
        pre,
        steps: StepChecks::new(),
        digest: inspection.digest.clone(),
        imports,
        wasi,
        interpreter: inspection.interpreter,
        description: PluginDescription {
            name: String::new(),
            version: String::new(),
            summary: Default::default(),
            steps: Default::default(),
        },
    };
    Ok(inner)
}
