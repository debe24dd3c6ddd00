//! Check, store, swap: how what a tenant pushes becomes what its contacts walk.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use semver::Version;
use serde::Serialize;
use strowger_plugin::{LoadError, Plugin};
use utoipa::ToSchema;

use super::archive::{self, ArchiveLimits};
use super::examine::{Sound, Ungranted, examine, try_examples, withdrawn};
use super::refusal::{Refusal, Told};
use super::signature::{self, Statement};
use super::tenant::{Live, Served, Tenant};
use super::tree::{self, NotLaidOut};
use super::{Centre, TenantConfig};
use crate::project::{Config, Source};
use crate::runtime::{Engine, Part, engine_of, warm};
use crate::store::{
    Files, Manifest, NewRevision, PluginVersion, PublishedError, Release, Revision, Store,
};

/// A day in milliseconds, in which `limits.uploads_per_day` are counted.
const DAY_MS: u64 = 86_400_000;
/// Releases looked back upon for one to roll back to.
const LOOK_BACK: u32 = 100;
/// Longest note, in characters.
pub(crate) const MAX_NOTE: usize = 500;
/// Versions looked at of one plugin.
const MAX_VERSIONS: u32 = 1_000;

/// What became of something pushed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Pushed {
    /// The revision that can be released.
    pub revision: u64,
    /// SHA-256 over its flows and plugins, as contacts' records have it.
    pub content: String,
    /// Its plugins' versions that were not there before.
    pub plugins: Vec<PluginVersion>,
    /// What it may touch and the live revision may not: `orders: http api.example:443`.
    pub gains: Vec<String>,
    /// What it may no longer touch.
    pub loses: Vec<String>,
    /// Its plugins that are older than in the newest revision before it: `orders 2.0.0 -> 1.9.0`.
    pub back: Vec<String>,
}

/// What shall be released.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// The revision.
    pub revision: u64,
    /// How many of a hundred callers get it; 100 for all.
    pub percent: u8,
    /// What of its gains the operator accepts, as they are told; `all` for all.
    pub accept: Vec<String>,
    /// The release that must still hold (0 for none); none for whichever does.
    pub expected: Option<u64>,
}

impl Centre {
    /// Takes in a project's folder, packed. Components that are not there yet come in only `with_plugins`.
    pub async fn push_project(
        &self,
        tenant: &str,
        archive: Vec<u8>,
        with_plugins: bool,
        note: &str,
        by: &str,
    ) -> Result<Pushed, Refusal> {
        let (tenant, store) = self.publisher(tenant)?;
        let config = tenant.config();
        let limits = ArchiveLimits {
            bytes: config.limits.upload_bytes,
            files: config.limits.files,
        };
        let unpacked = tokio::task::spawn_blocking(move || {
            let mut tree = archive::unpack(&archive, limits)?;
            let signatures = signature::taken_out(&mut tree)?;
            let (files, blobs) = tree::hashed(tree);
            Ok::<_, archive::ArchiveError>((files, blobs, signatures))
        });
        let (files, blobs, signatures) = unpacked.await.map_err(broken)??;
        let _turn = tenant.publishing.lock().await;
        self.quota(&store, &tenant, &config).await?;
        let compiled = self.node.host.uncached(blobs.keys().cloned());
        let push = Push {
            files,
            blobs,
            stored: BTreeSet::new(),
            signer: Signer(signatures),
            with_plugins,
            note,
            by,
        };
        let pushed = self.take_in(&tenant, &store, push).await;
        self.settle(&tenant, compiled, pushed).await
    }

    /// Takes in a plugin's component: the newest revision with it in place of the version there.
    pub async fn push_plugin(
        &self,
        tenant: &str,
        component: Vec<u8>,
        signature: Option<Vec<u8>>,
        note: &str,
        by: &str,
    ) -> Result<Pushed, Refusal> {
        let (tenant, store) = self.publisher(tenant)?;
        let config = tenant.config();
        self.quota(&store, &tenant, &config).await?;
        let compiled = self.node.host.uncached([tree::digest(&component)]);
        let pushed = self
            .take_plugin(&tenant, &store, &config, component, (signature, note, by))
            .await;
        self.settle(&tenant, compiled, pushed).await
    }

    async fn take_plugin(
        &self,
        tenant: &Tenant,
        store: &Store,
        config: &TenantConfig,
        component: Vec<u8>,
        (signature, note, by): (Option<Vec<u8>>, &str, &str),
    ) -> Result<Pushed, Refusal> {
        let plugin = self.load(&component, config).await?;
        let name = plugin.description().name.clone();
        let signatures = signature.map(|signature| (plugin.digest().to_owned(), signature));
        let signer = Signer(signatures.into_iter().collect());
        signer.publisher(&tenant.name, config, &plugin)?;
        let _turn = tenant.publishing.lock().await;
        let newest = store.revisions(&tenant.name, None, 1).await?;
        let Some(base) = newest.into_iter().next() else {
            return Err(Refusal::Conflict(format!(
                "tenant {} has pushed no project yet: `strowger push` it, then its plugins can be replaced",
                tenant.name
            )));
        };
        let mut files = base.manifest.files;
        let mut blobs = tree::fetch(store, &files).await?;
        let stored = blobs.keys().cloned().collect();
        let place = place_of(&name, &files, &blobs)?;
        let sha256 = tree::digest(&component);
        files.insert(place, sha256.clone());
        blobs.insert(sha256, component);
        let push = Push {
            files,
            blobs,
            stored,
            signer,
            with_plugins: true,
            note,
            by,
        };
        self.take_in(tenant, store, push).await
    }

    /// What stays of a push that is refused: the attempt, unless the engine was too busy; no compiled code.
    async fn settle(
        &self,
        tenant: &Tenant,
        compiled: Vec<String>,
        pushed: Result<Pushed, Refusal>,
    ) -> Result<Pushed, Refusal> {
        match &pushed {
            Ok(_) => return pushed,
            Err(Refusal::Busy(_)) => tenant.forgive(),
            Err(_) => {}
        }
        let host = self.node.host.clone();
        let forgotten = tokio::task::spawn_blocking(move || host.forget(&compiled));
        forgotten.await.map_err(broken)?;
        pushed
    }

    /// Makes a revision live, for all callers or for some. Contacts in progress keep theirs.
    pub async fn release(&self, tenant: &str, order: Order, by: &str) -> Result<Release, Refusal> {
        let (tenant, store) = self.publisher(tenant)?;
        if !(1..=100).contains(&order.percent) {
            return Err(Refusal::Conflict("percent is 1 to 100".to_owned()));
        }
        let _turn = tenant.publishing.lock().await;
        let revision = wanted(&store, &tenant, order.revision).await?;
        self.allowed(&store, &tenant, &revision).await?;
        let before = store.released(&tenant.name).await?;
        let gains = match &before {
            Some(before) => {
                let live = wanted(&store, &tenant, before.live).await?;
                gained(&live.manifest, &revision.manifest)
            }
            None => gained(&Manifest::default(), &revision.manifest),
        };
        let accepted = |gain: &String| {
            order
                .accept
                .iter()
                .any(|known| known == "all" || known == gain)
        };
        let missing: Vec<String> = gains.into_iter().filter(|gain| !accepted(gain)).collect();
        if !missing.is_empty() {
            return Err(Refusal::NotAccepted(missing));
        }
        let (live, candidate) = match (&before, order.percent) {
            (_, 100) => (order.revision, None),
            (Some(before), _) if before.live != order.revision => {
                (before.live, Some(order.revision))
            }
            (Some(_), _) => {
                return Err(Refusal::Conflict(format!(
                    "revision {} is live already for all callers",
                    order.revision
                )));
            }
            (None, _) => {
                return Err(Refusal::Conflict(
                    "the first release is for all callers: nothing else is live yet".to_owned(),
                ));
            }
        };
        let expected = order
            .expected
            .unwrap_or(before.as_ref().map_or(0, |before| before.number));
        let release = Release {
            number: 0,
            live,
            candidate,
            percent: candidate.map_or(0, |_| order.percent),
            released_at: self.node.clock.now(),
            released_by: by.to_owned(),
        };
        self.swap(&tenant, &store, expected, release).await
    }

    /// Makes live what was live before: a candidate is withdrawn, or the live revision gives way to the one before it.
    ///
    /// Only while release `expected` holds, if one is given.
    pub async fn roll_back(
        &self,
        tenant: &str,
        expected: Option<u64>,
        by: &str,
    ) -> Result<Release, Refusal> {
        let (tenant, store) = self.publisher(tenant)?;
        let _turn = tenant.publishing.lock().await;
        let releases = store.releases(&tenant.name, LOOK_BACK).await?;
        let Some(now) = releases.first() else {
            return Err(Refusal::Conflict(format!(
                "tenant {} has released nothing yet",
                tenant.name
            )));
        };
        let live = match now.candidate {
            Some(_) => now.live,
            None => live_before(&releases).ok_or_else(|| {
                Refusal::Conflict(format!(
                    "nothing but revision {} was live: there is nothing to roll back to",
                    now.live
                ))
            })?,
        };
        let revision = wanted(&store, &tenant, live).await?;
        self.allowed(&store, &tenant, &revision).await?;
        let release = Release {
            number: 0,
            live,
            candidate: None,
            percent: 0,
            released_at: self.node.clock.now(),
            released_by: by.to_owned(),
        };
        let expected = expected.unwrap_or(now.number);
        self.swap(&tenant, &store, expected, release).await
    }

    /// Whether a revision may go live, as the tenant's file has it now: its plugins are signed where they must be, and what
    /// they touch is granted.
    async fn allowed(
        &self,
        store: &Store,
        tenant: &Tenant,
        revision: &Revision,
    ) -> Result<(), Refusal> {
        let config = tenant.config();
        let lost = withdrawn(&revision.manifest, &config);
        if !lost.is_empty() {
            return Err(Refusal::Denied(format!(
                "revision {} needs what the operator has not granted to {}: {}; ask the operator, who writes it below [grants] of the tenant's \
                 file, or release a revision that needs less",
                revision.number,
                tenant.name,
                lost.join(", ")
            )));
        }
        if !config.signed {
            return Ok(());
        }
        let files: BTreeSet<&String> = revision.manifest.files.values().collect();
        let mut before = None;
        loop {
            let page = store
                .plugin_versions(&tenant.name, None, before, MAX_VERSIONS)
                .await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            before = Some(last.number);
            for known in page.iter().filter(|known| files.contains(&known.sha256)) {
                trusted(tenant, &config, known)?;
            }
        }
    }

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
            if let Ok(Some(revision)) = store.revision(&tenant.name, served.revision).await {
                let of = |lost| format!("revision {}, {lost}", served.revision);
                lost.extend(withdrawn(&revision.manifest, &config).into_iter().map(of));
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
    async fn live_of(
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

    async fn swap(
        &self,
        tenant: &Tenant,
        store: &Store,
        expected: u64,
        mut release: Release,
    ) -> Result<Release, Refusal> {
        // Nothing that cannot take contacts is released.
        let config = tenant.config();
        let live = self.live_of(tenant, &config, store, release.clone(), Serving::Ready);
        let live = live.await?;
        release.number = store.release(&tenant.name, expected, &release).await?;
        tracing::info!(tenant = %tenant.name, live = release.live, candidate = ?release.candidate, percent = release.percent, by = %release.released_by, "released");
        tenant.swap(Live {
            release: Some(release.clone()),
            ..live
        });
        // A revision that some keep may still need it.
        self.note_withdrawn(tenant).await;
        Ok(release)
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
        examine(&self.node.host, &folder, &tenant.name, config, held).await
    }

    fn serve(&self, tenant: &Tenant, config: &TenantConfig, number: u64, sound: Sound) -> Served {
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

    async fn take_in(
        &self,
        tenant: &Tenant,
        store: &Store,
        push: Push<'_>,
    ) -> Result<Pushed, Refusal> {
        let config = tenant.config();
        let reading = self.folders.read().await;
        let folder = tree::folder(&self.node.data, &push.files);
        let there = folder.is_dir();
        let (files, mut blobs) = self.write(push.files, push.blobs).await?;
        // What the store has is not sent to it again.
        blobs.retain(|sha256, _| !push.stored.contains(sha256));
        let push = Push {
            files,
            blobs,
            ..push
        };
        let taken = self.checked(tenant, &config, store, &folder, push).await;
        if taken.is_err() && !there {
            // It would only be found again by the same push.
            let _ = tokio::fs::remove_dir_all(&folder).await;
        }
        drop(reading);
        if taken.is_ok() {
            self.prune(tenant, &config, store).await;
        }
        taken
    }

    async fn checked(
        &self,
        tenant: &Tenant,
        config: &TenantConfig,
        store: &Store,
        folder: &Path,
        push: Push<'_>,
    ) -> Result<Pushed, Refusal> {
        let refused = Ungranted::Refused;
        let sound = examine(&self.node.host, folder, &tenant.name, config, refused).await?;
        let now = self.node.clock.now();
        let configs = sound.project.configs();
        let newest = store.revisions(&tenant.name, None, 1).await?.pop();
        let mut fresh = Vec::new();
        let mut back = Vec::new();
        for (name, plugin) in sound.plugins() {
            let version = &plugin.description().version;
            let known = store
                .plugin_versions(&tenant.name, Some(name), None, MAX_VERSIONS)
                .await?;
            back.extend(went_back(name, version, &known, newest.as_ref()));
            match known.iter().find(|known| known.version == *version) {
                // Whether it may still be live is looked at by a release: of several that are to be signed anew each comes by a
                // push of its own. One that is there must not bring an old hole back either.
                Some(same) if same.sha256 == plugin.digest() => {
                    newer(name, version, &known)?;
                    continue;
                }
                Some(known) => {
                    return Err(Refusal::from(PublishedError::Taken {
                        name: name.to_owned(),
                        version: version.clone(),
                        known: known.sha256.clone(),
                    }));
                }
                None => newer(name, version, &known)?,
            }
            if !push.with_plugins {
                return Err(Refusal::Denied(format!(
                    "{name}@{version} is new here, and whoever pushes may not push plugins (permission plugins:push): ask a developer to push it first, \
                     or push the project with the version that is there"
                )));
            }
            let publisher = push.signer.publisher(&tenant.name, config, plugin)?;
            if config.signed && publisher.is_none() {
                return Err(Refusal::Denied(format!(
                    "plugins of tenant {} must be signed, and {name}@{version} is not: --key of `strowger push` and `strowger plugin push` signs",
                    tenant.name
                )));
            }
            let settings = configs.get(name).map_or("{}", String::as_str);
            try_examples(plugin, settings, &config.limits.step).await?;
            fresh.push(PluginVersion {
                // Chosen where it is kept.
                number: 0,
                name: name.to_owned(),
                version: version.clone(),
                sha256: plugin.digest().to_owned(),
                size: push.blobs.get(plugin.digest()).map_or(0, Vec::len) as u64,
                imports: plugin.imports().to_vec(),
                publisher,
                pushed_at: now,
                pushed_by: push.by.to_owned(),
            });
        }
        let manifest = Manifest {
            files: push.files,
            capabilities: sound.capabilities.clone(),
        };
        let content = sound.program.content().to_owned();
        let new = NewRevision {
            content: &content,
            manifest: &manifest,
            blobs: &push.blobs,
            versions: &fresh,
            note: push.note,
            by: push.by,
            at: now,
        };
        let revision = store.publish(&tenant.name, new).await?;
        let live = match store.released(&tenant.name).await? {
            Some(release) => wanted(store, tenant, release.live).await?.manifest,
            None => Manifest::default(),
        };
        tracing::info!(tenant = %tenant.name, revision, by = %push.by, "pushed");
        tenant.prepare(self.serve(tenant, config, revision, sound));
        Ok(Pushed {
            revision,
            content,
            plugins: fresh,
            gains: gained(&live, &manifest),
            loses: gained(&manifest, &live),
            back,
        })
    }

    /// Checks a component by itself, with all that the tenant's plugins may touch.
    async fn load(&self, component: &[u8], config: &TenantConfig) -> Result<Plugin, Refusal> {
        let grants = config.grants.capabilities();
        let loaded = self
            .node
            .host
            .load(component, &grants, &config.limits.step)
            .await;
        loaded.map_err(|errors| complaints(&errors))
    }

    async fn write(
        &self,
        files: Files,
        blobs: BTreeMap<String, Vec<u8>>,
    ) -> Result<(Files, BTreeMap<String, Vec<u8>>), Refusal> {
        let data = self.node.data.clone();
        let written = tokio::task::spawn_blocking(move || {
            tree::write(&data, &files, &blobs).map(|_| (files, blobs))
        });
        let written = written.await.map_err(broken)?;
        written.map_err(|error| unwritten(&error.to_string()))
    }

    /// Counts a push before anything of it is compiled.
    async fn quota(
        &self,
        store: &Store,
        tenant: &Tenant,
        config: &TenantConfig,
    ) -> Result<(), Refusal> {
        let now = self.node.clock.now();
        let since = now.saturating_sub(DAY_MS);
        let most = config.limits.uploads_per_day;
        let kept = store.revisions_since(&tenant.name, since).await?;
        tenant.attempt(now, since, kept, most).map_err(|count| {
            Refusal::Limit(format!(
                "tenant {} has pushed {count} times in 24 hours, what was refused included, and may {most} times (limits.uploads_per_day)",
                tenant.name
            ))
        })
    }

    pub(super) fn publisher(&self, tenant: &str) -> Result<(Arc<Tenant>, Store), Refusal> {
        if !self.publishes() {
            return Err(Refusal::Denied(
                "this engine serves one project from its folder: change it there, or serve a centre, a folder with tenants/"
                    .to_owned(),
            ));
        }
        let shown: String = tenant.chars().take(64).collect();
        let found = self
            .tenant(tenant)
            .ok_or_else(|| Refusal::Unknown(format!("there is no tenant `{shown}`")))?;
        let store = self.node.store.clone();
        let store = store.ok_or_else(|| Refusal::Unable("this engine keeps nothing".to_owned()))?;
        Ok((found, store))
    }
}

/// How the revisions of a release come to be served.
#[derive(Clone, Copy)]
enum Serving {
    /// Examined anew: what the tenant may do has changed.
    Anew,
    /// As they run already, or were prepared by a push, with no prompt left to be spoken.
    Ready,
}

/// One push.
struct Push<'a> {
    files: Files,
    blobs: BTreeMap<String, Vec<u8>>,
    /// Those of the blobs that the store has already: it never loses one.
    stored: BTreeSet<String>,
    signer: Signer,
    /// Whether new versions of plugins may come with it.
    with_plugins: bool,
    note: &'a str,
    by: &'a str,
}

/// The signatures that came with a push, by the SHA-256 of the components that they are for.
struct Signer(BTreeMap<String, Vec<u8>>);

impl Signer {
    /// Who signed a component; an error where a signature came that nobody known has made.
    fn publisher(
        &self,
        tenant: &str,
        config: &TenantConfig,
        plugin: &Plugin,
    ) -> Result<Option<String>, Refusal> {
        let Some(signature) = self.0.get(plugin.digest()) else {
            return Ok(None);
        };
        let description = plugin.description();
        let statement = Statement {
            tenant,
            plugin: &description.name,
            version: &description.version,
            sha256: plugin.digest(),
        };
        match statement.publisher(config, signature) {
            Some(publisher) => Ok(Some(publisher.to_owned())),
            None => Err(Refusal::Denied(format!(
                "the signature is none of tenant {tenant}'s publishers for {}@{} with these bytes",
                description.name, description.version
            ))),
        }
    }
}

/// Where the project keeps a plugin's component.
fn place_of(
    plugin: &str,
    files: &Files,
    blobs: &BTreeMap<String, Vec<u8>>,
) -> Result<String, Refusal> {
    let text = files
        .get("strowger.toml")
        .and_then(|sha256| blobs.get(sha256))
        .map(|bytes| String::from_utf8_lossy(bytes).into_owned())
        .unwrap_or_default();
    let source = Source::new(Path::new("strowger.toml"), &text);
    let config = Config::parse(&source).map_err(|error| {
        Refusal::Unable(format!(
            "the newest revision cannot be read any more: {error}"
        ))
    })?;
    let known = config.plugins.get(plugin).ok_or_else(|| {
        let known: Vec<&str> = config.plugins.keys().map(String::as_str).collect();
        Refusal::Conflict(format!(
            "the project has no plugin `{plugin}` (it has {}): add [plugins.{plugin}] to its strowger.toml and push the project with the component",
            if known.is_empty() { "none".to_owned() } else { known.join(", ") }
        ))
    })?;
    let parts = known.component.components().filter_map(|part| match part {
        std::path::Component::Normal(part) => part.to_str(),
        _ => None,
    });
    Ok(parts.collect::<Vec<_>>().join("/"))
}

/// Whether a version that was kept may still go into revisions and live, now that the tenant's file is as it is.
fn trusted(tenant: &Tenant, config: &TenantConfig, known: &PluginVersion) -> Result<(), Refusal> {
    if !config.signed {
        return Ok(());
    }
    let PluginVersion { name, version, .. } = known;
    let why = match &known.publisher {
        Some(publisher) if config.publishers.contains_key(publisher) => return Ok(()),
        Some(publisher) => format!("{publisher}, who signed it, is no publisher any more"),
        None => "it is not signed".to_owned(),
    };
    Err(Refusal::Denied(format!(
        "plugins of tenant {} must be signed by one of its publishers, and of {name}@{version} {why}: push a newer version by `strowger plugin push --key`",
        tenant.name
    )))
}

/// A version must not be older than others of the same major number: one that was signed once and had a hole does not
/// come back.
fn newer(name: &str, version: &str, known: &[PluginVersion]) -> Result<(), Refusal> {
    // Versions were parsed when the descriptions were read.
    let Ok(version) = Version::parse(version) else {
        return Ok(());
    };
    let known = known
        .iter()
        .filter_map(|known| Version::parse(&known.version).ok());
    let same_major = known.filter(|known| known.major == version.major);
    match same_major.max() {
        Some(newest) if newest > version => Err(Refusal::Conflict(format!(
            "{name}@{version} is older than {name}@{newest}, which is there: a version is newer than all of its major number; to go back, release a \
             revision that has it, or push its code under a newer version"
        ))),
        _ => Ok(()),
    }
}

/// That a version is older than the one in a revision, of whatever major number.
fn went_back(
    name: &str,
    version: &str,
    known: &[PluginVersion],
    newest: Option<&Revision>,
) -> Option<String> {
    let files: BTreeSet<&String> = newest?.manifest.files.values().collect();
    let before = known.iter().filter(|known| files.contains(&known.sha256));
    let before = before.filter_map(|known| Version::parse(&known.version).ok());
    let before = before.max()?;
    let version = Version::parse(version).ok()?;
    (version < before).then(|| format!("{name} {before} -> {version}"))
}

async fn wanted(store: &Store, tenant: &Tenant, number: u64) -> Result<Revision, Refusal> {
    store
        .revision(&tenant.name, number)
        .await?
        .ok_or_else(|| Refusal::Unknown(format!("tenant {} has no revision {number}", tenant.name)))
}

/// What was live before the newest of some releases. One that was live earlier too came back: what counts then is what was
/// live before it the first time, so that rolling back again goes on backwards; if there is nothing, what gave way to it.
fn live_before(releases: &[Release]) -> Option<u64> {
    let (now, earlier) = releases.split_first()?;
    let other = |releases: &[Release]| {
        let mut others = releases.iter().filter(|release| release.live != now.live);
        others.next().map(|release| release.live)
    };
    let same = earlier
        .iter()
        .position(|release| release.live == now.live && release.candidate.is_none());
    // A release whose candidate was withdrawn, or which had one before, is the same release.
    let gave_way = earlier
        .first()
        .is_some_and(|before| before.live != now.live);
    match same.filter(|_| gave_way) {
        Some(at) => other(&earlier[at + 1..]).or_else(|| other(earlier)),
        None => other(earlier),
    }
}

/// What a manifest may touch and another may not.
fn gained(before: &Manifest, after: &Manifest) -> Vec<String> {
    let mut gains = Vec::new();
    for (plugin, capabilities) in &after.capabilities {
        let had = before.capabilities.get(plugin);
        for capability in capabilities {
            if !had.is_some_and(|had| had.contains(capability)) {
                gains.push(format!("{plugin}: {capability}"));
            }
        }
    }
    gains
}

/// A component's complaints as a refusal.
fn complaints(errors: &[LoadError]) -> Refusal {
    let busy = errors.iter().find_map(|error| match error {
        LoadError::Describe(error) if error.of_the_engine() => Some(error.to_string()),
        _ => None,
    });
    if let Some(why) = busy {
        return Refusal::Busy(why);
    }
    let told: Vec<Told> = errors
        .iter()
        .map(|error| Told::plain(error.code(), error.to_string()))
        .collect();
    let lines = told
        .iter()
        .map(|told| format!("error[{}]: {}\n", told.rule, told.message));
    Refusal::Errors {
        text: lines.collect(),
        told,
    }
}

/// A revision's folder that cannot be made.
fn unwritten(why: &str) -> Refusal {
    Refusal::Unable(format!(
        "the revision cannot be written below the data folder: {why}; is there room on the disk?"
    ))
}

/// A panic of ours beside a push.
fn broken(error: tokio::task::JoinError) -> Refusal {
    tracing::error!("a push ended by a fault: {error}");
    Refusal::Unable("the push ended by a fault of the engine".to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use strowger_plugin::{LoadError, StepError};

    use super::{Refusal, complaints};

    #[test]
    fn a_full_pool_is_no_complaint_about_a_component() {
        let busy = LoadError::Describe(StepError::PoolBusy {
            pool: 4,
            most: 2,
            waited: Duration::from_secs(2),
        });
        let refusal = complaints(&[busy]);
        assert!(matches!(refusal, Refusal::Busy(_)), "{refusal:?}");
        assert!(!refusal.to_string().contains("error["), "{refusal}");
        let own = complaints(&[LoadError::Describe(StepError::StackLimit)]);
        assert!(matches!(own, Refusal::Errors { .. }), "{own:?}");
    }
}

#[cfg(test)]
mod going_back {
    use super::{Files, Manifest, PluginVersion, Release, Revision, live_before, went_back};

    #[test]
    fn an_older_version_is_told_across_major_numbers() {
        let version = |version: &str| PluginVersion {
            number: 0,
            name: "orders".to_owned(),
            version: version.to_owned(),
            sha256: format!("sha of {version}"),
            size: 1,
            imports: Vec::new(),
            publisher: None,
            pushed_at: 0,
            pushed_by: String::new(),
        };
        let known = ["1.9.0", "2.0.0", "2.1.0"].map(version);
        let file = ("plugins/orders.wasm".to_owned(), "sha of 2.0.0".to_owned());
        let newest = Revision {
            number: 7,
            content: String::new(),
            manifest: Manifest {
                files: Files::from([file]),
                ..Manifest::default()
            },
            note: String::new(),
            pushed_at: 0,
            pushed_by: String::new(),
        };
        let told = |to| went_back("orders", to, &known, Some(&newest));
        assert_eq!(told("1.9.0").as_deref(), Some("orders 2.0.0 -> 1.9.0"));
        assert_eq!(told("2.0.0"), None);
        assert_eq!(told("2.1.0"), None);
        assert_eq!(went_back("orders", "1.9.0", &known, None), None);
    }

    /// Releases of these revisions, the oldest first.
    fn released(live: &[u64]) -> Vec<Release> {
        let releases = live.iter().zip(1..).map(|(&live, number)| Release {
            number,
            live,
            candidate: None,
            percent: 0,
            released_at: 0,
            released_by: String::new(),
        });
        let mut releases: Vec<Release> = releases.collect();
        releases.reverse();
        releases
    }

    #[test]
    fn one_goes_back_in_the_order_of_releases() {
        for (live, before) in [
            (&[][..], None),
            (&[1], None),
            (&[1, 2], Some(1)),
            // An older revision was released: what it took the place of comes back.
            (&[3, 1], Some(3)),
            (&[1, 3, 1], Some(3)),
            // Rolled back once, and again.
            (&[5, 6, 7], Some(6)),
            (&[5, 6, 7, 6], Some(5)),
            (&[5, 6, 7, 6, 5], Some(6)),
            // The same once more, for all after for some.
            (&[4, 5, 5], Some(4)),
        ] {
            assert_eq!(live_before(&released(live)), before, "{live:?}");
        }
    }
}
