//! Pushes: what a tenant brings is checked, compiled, tried, and kept as a revision that can be released.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;
use strowger_plugin::{LoadError, Plugin};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;

use super::archive::{self, ArchiveLimits};
use super::examine::{Touched, Ungranted, look, touched, touched_by, try_examples};
use super::plans::Bound;
use super::refusal::{Refusal, Told};
use super::release::gained;
use super::serving::{loaded, unwritten, wanted};
use super::settings::Settings;
use super::signature;
use super::tenant::Tenant;
use super::versions::{
    MAX_VERSIONS, Signer, Signers, known_signers, not_older, resigned, signers, went_back,
};
use super::{Centre, TenantConfig, tree, unused};
use crate::project::{Config, FLOW_ENDING, Source};
use crate::store::{
    Audited, Change, Files, Manifest, NewRevision, PluginVersion, PublishedError, Revision, Store,
};
use crate::trial::Bounds;

/// A day in milliseconds, in which `limits.uploads_per_day` are counted.
const DAY_MS: u64 = 86_400_000;
/// Longest note, in characters.
pub(crate) const MAX_NOTE: usize = 500;

/// Part of `limits.flows_mib` that the texts of a push's flows may have.
const FLOWS_TEXT: u64 = 32;

/// What became of something pushed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Pushed {
    /// The revision that can be released.
    pub revision: u64,
    /// SHA-256 over its flows and plugins, as contacts' records have it.
    pub content: String,
    /// Its plugins' versions that were not there before.
    pub plugins: Vec<PluginVersion>,
    /// Those that were there, and carry another signature from now on: `orders@1.0.0 by acme`.
    pub signed: Vec<String>,
    /// What it may touch and the live revision may not: `orders: http api.example:443`; and which of its plugins another
    /// publisher has signed: `orders: signed by lyra instead of acme`; and what its `strowger.toml` decides otherwise:
    /// `strowger.toml: transfer.trunk sip:b.example instead of none`, `orders: other config: base_url`.
    pub gains: Vec<String>,
    /// What it may no longer touch.
    pub loses: Vec<String>,
    /// Its plugins that are older than in the newest revision before it: `orders 2.0.0 -> 1.9.0`.
    pub back: Vec<String>,
    /// What is odd of it, such as a route of a number that is not the tenant's.
    pub warnings: Vec<Told>,
    /// Parts of its `strowger.toml` that do nothing here, since the operator says them: `webhooks`, `transfer.calls`.
    pub unused: Vec<String>,
    /// The revision that a plugin was put into; none where a whole project was pushed.
    pub onto: Option<u64>,
}

/// Which revision a plugin is put into.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Onto {
    /// The newest, whether it was released or not: what others prepare is in it.
    #[default]
    Newest,
    /// The one that is live, so that the plugin alone differs from what callers hear; the newest where nothing is live.
    Live,
}

/// Who pushes.
#[derive(Debug)]
pub struct Pusher<'a> {
    /// What is new, for those who look at the revisions.
    pub note: &'a str,
    /// For the audit log.
    pub change: Change,
    /// Cancelled when nobody waits for the answer: what was not begun to be compiled is given up then.
    pub gone: CancellationToken,
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
    by: Pusher<'a>,
}

/// What a plugin of a push is to its tenant.
enum Arrival {
    /// A version that is there, and who signed it.
    Known(Option<String>),
    /// One that is there and comes with another signature: it, with that one.
    Signed(Box<PluginVersion>),
    /// A new one, and whose signature it carries.
    New(Option<String>),
}

impl Push<'_> {
    /// What one of its plugins is to the tenant that has these versions of it and these components live; all that is wrong with its
    /// coming.
    fn arrival(
        &self,
        tenant: &str,
        config: &TenantConfig,
        plugin: &Plugin,
        known: &[PluginVersion],
        live: &BTreeSet<String>,
    ) -> Result<Arrival, Vec<Refusal>> {
        let (name, version) = (&plugin.description().name, &plugin.description().version);
        let mut wrong = Vec::new();
        wrong.extend(not_older(name, version, known, live).err());
        match known.iter().find(|known| known.version == *version) {
            // Whether it may still be live is looked at by a release: of several that are to be signed anew each comes by a
            // push of its own. One that is there must not bring an old hole back either.
            Some(same) if same.sha256 == plugin.digest() => {
                let publisher = self.signer.publisher(tenant, config, plugin);
                return match publisher {
                    Ok(publisher) if wrong.is_empty() => Ok(self.again(same, publisher, plugin)),
                    Ok(_) => Err(wrong),
                    Err(unknown) => {
                        wrong.push(unknown);
                        Err(wrong)
                    }
                };
            }
            Some(other) => wrong.push(Refusal::from(PublishedError::Taken {
                name: name.clone(),
                version: version.clone(),
                known: other.sha256.clone(),
            })),
            None => {}
        }
        if !self.with_plugins {
            wrong.push(Refusal::Denied(format!(
                "{name}@{version} is new here, and whoever pushes may not push plugins (permission plugins:push): ask a developer to push it first, \
                 or push the project with the version that is there"
            )));
        }
        let publisher = self.signer.publisher(tenant, config, plugin);
        if config.signed && matches!(publisher, Ok(None)) {
            wrong.push(Refusal::Denied(format!(
                "plugins of tenant {tenant} must be signed, and {name}@{version} is not: --key of `strowger push` and `strowger plugin push` signs"
            )));
        }
        match publisher {
            Ok(publisher) if wrong.is_empty() => Ok(Arrival::New(publisher)),
            Ok(_) => Err(wrong),
            Err(unknown) => {
                wrong.push(unknown);
                Err(wrong)
            }
        }
    }

    /// A version that is there, perhaps with a signature by this publisher.
    fn again(&self, same: &PluginVersion, by: Option<String>, plugin: &Plugin) -> Arrival {
        let signature = self.signer.of(plugin).cloned();
        if by.is_none() || (&same.publisher, &same.signature) == (&by, &signature) {
            return Arrival::Known(same.publisher.clone());
        }
        Arrival::Signed(Box::new(PluginVersion {
            publisher: by,
            signature,
            ..same.clone()
        }))
    }
}

impl Centre {
    /// Takes in a project's folder, packed. Components that are not there yet come in only `with_plugins`.
    pub async fn push_project(
        &self,
        tenant: &str,
        archive: Vec<u8>,
        with_plugins: bool,
        by: Pusher<'_>,
    ) -> Result<(Pushed, Audited), Refusal> {
        let (tenant, store) = self.publisher(tenant)?;
        let config = tenant.config();
        let limits = ArchiveLimits {
            bytes: config.limits.upload_bytes,
            files: config.limits.files,
        };
        self.quota(&store, &tenant, &config).await?;
        let gone = by.gone.clone();
        let unpacked = tokio::task::spawn_blocking(move || {
            let mut tree = archive::unpack(&archive, limits)?;
            let signatures = signature::taken_out(&mut tree)?;
            let (files, blobs) = tree::hashed(tree);
            Ok::<_, archive::ArchiveError>((files, blobs, signatures))
        });
        let (files, blobs, signatures) = unpacked.await.map_err(broken)??;
        let _turn = tenant.pushing.lock().await;
        let compiled = self.node.host.uncached(blobs.keys().cloned());
        let push = Push {
            files,
            blobs,
            stored: BTreeSet::new(),
            signer: Signer(signatures),
            with_plugins,
            by,
        };
        let pushed = self.take_in(&tenant, &store, push).await;
        self.settle(&tenant, &gone, compiled, pushed).await
    }

    /// Takes in a plugin's component: a revision with it in place of the version there.
    pub async fn push_plugin(
        &self,
        tenant: &str,
        onto: Onto,
        component: Vec<u8>,
        signature: Option<Vec<u8>>,
        by: Pusher<'_>,
    ) -> Result<(Pushed, Audited), Refusal> {
        let (tenant, store) = self.publisher(tenant)?;
        let config = tenant.config();
        self.quota(&store, &tenant, &config).await?;
        let compiled = self.node.host.uncached([tree::digest(&component)]);
        let gone = by.gone.clone();
        let pushed = self
            .take_plugin(&tenant, &store, &config, (onto, component, signature), by)
            .await;
        self.settle(&tenant, &gone, compiled, pushed).await
    }

    async fn take_plugin(
        &self,
        tenant: &Tenant,
        store: &Store,
        config: &TenantConfig,
        (onto, component, signature): (Onto, Vec<u8>, Option<Vec<u8>>),
        by: Pusher<'_>,
    ) -> Result<(Pushed, Audited), Refusal> {
        // What can only be refused is refused before anything is compiled.
        onto_what(tenant, store, onto).await?;
        let plugin = self.load(tenant, &component, config, &by.gone).await?;
        let name = plugin.description().name.clone();
        let signatures = signature.map(|signature| (plugin.digest().to_owned(), signature));
        let signer = Signer(signatures.into_iter().collect());
        signer.publisher(&tenant.name, config, &plugin)?;
        let _turn = tenant.pushing.lock().await;
        let base = onto_what(tenant, store, onto).await?;
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
            by,
        };
        let (pushed, audited) = self.take_in(tenant, store, push).await?;
        let onto = Some(base.number);
        Ok((Pushed { onto, ..pushed }, audited))
    }

    /// What stays of a push that is refused: the attempt, unless the engine was too busy for somebody who waited; no compiled
    /// code.
    async fn settle(
        &self,
        tenant: &Tenant,
        gone: &CancellationToken,
        compiled: Vec<String>,
        pushed: Result<(Pushed, Audited), Refusal>,
    ) -> Result<(Pushed, Audited), Refusal> {
        match &pushed {
            Ok(_) => return pushed,
            // Who hangs up is told of no busy engine, and could push and hang up for ever.
            Err(Refusal::Busy(_)) if !gone.is_cancelled() => tenant.forgive(),
            Err(_) => {}
        }
        let host = self.node.host.clone();
        let forgotten = tokio::task::spawn_blocking(move || host.forget(&compiled));
        forgotten.await.map_err(broken)?;
        pushed
    }

    async fn take_in(
        &self,
        tenant: &Tenant,
        store: &Store,
        push: Push<'_>,
    ) -> Result<(Pushed, Audited), Refusal> {
        let config = tenant.config();
        legible(&tenant.name, &config, &push.files, &push.blobs)?;
        // Until it is kept, or refused.
        let _room = self
            .room_for(tenant, &config, store, &push.files, &push.blobs)
            .await?;
        let folder = tree::folder(&self.node.data, &push.files);
        let held = self.folders.hold(&folder).await;
        let there = folder.is_dir();
        let (files, mut blobs, mended) = self.write(push.files, push.blobs).await?;
        tree::tell(store, &tenant.name, None, &mended);
        // What the store has is not sent to it again.
        blobs.retain(|sha256, _| !push.stored.contains(sha256));
        let push = Push {
            files,
            blobs,
            ..push
        };
        let files = push.files.clone();
        let taken = self.checked(tenant, &config, store, &folder, push).await;
        drop(held);
        if taken.is_ok() {
            self.prune(tenant, &config, store).await;
        } else if !there {
            // It would only be found again by the same push.
            let _ = self.remove_folder(store, &files).await;
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
    ) -> Result<(Pushed, Audited), Refusal> {
        let refused = Ungranted::Refused;
        let host = self.host_for(tenant);
        let host = host.until_gone(&push.by.gone);
        let looked = look(&host, folder, &tenant.name, config, refused).await?;
        let newest = store.revisions(&tenant.name, None, 1).await?.pop();
        let live = match store.released(&tenant.name).await? {
            Some(release) => Some(wanted(store, tenant, release.live).await?),
            None => None,
        };
        let source = Config::source(folder).map_err(|error| unwritten(&error.to_string()))?;
        let settings = Settings::read(&source.text, &push.files);
        let (live_settings, live_components) = settled(store, live.as_ref()).await?;
        let (newest_settings, newest_components) = settled(store, newest.as_ref()).await?;
        let mut bounds = Bounds {
            cpu: Duration::from_millis(config.limits.trial_ms),
            gone: push.by.gone.clone(),
        };
        let mut publishers = Signers::new();
        let mut complaints = Vec::new();
        let (mut fresh, mut anew) = (Vec::new(), Vec::new());
        let mut back = Vec::new();
        let configs = looked.configs();
        for (name, plugin) in looked.plugins() {
            let known = store
                .plugin_versions(&tenant.name, Some(name), None, MAX_VERSIONS)
                .await?;
            let version = &plugin.description().version;
            back.extend(went_back(name, version, &known, &newest_components));
            // What is there was tried with the configuration of then.
            let was = [&live_settings, &newest_settings];
            let tried = was.iter().any(|was| settings.runs_as(was, name));
            match push.arrival(&tenant.name, config, plugin, &known, &live_components) {
                Ok(Arrival::Known(publisher)) => {
                    publishers.insert(name.to_owned(), publisher);
                    if tried {
                        continue;
                    }
                }
                Ok(Arrival::Signed(version)) => {
                    publishers.insert(name.to_owned(), version.publisher.clone());
                    anew.push(*version);
                    if tried {
                        continue;
                    }
                }
                Ok(Arrival::New(publisher)) => {
                    publishers.insert(name.to_owned(), publisher.clone());
                    fresh.push(PluginVersion {
                        // Chosen where it is kept.
                        number: 0,
                        name: name.to_owned(),
                        version: version.clone(),
                        sha256: plugin.digest().to_owned(),
                        size: push.blobs.get(plugin.digest()).map_or(0, Vec::len) as u64,
                        imports: plugin.imports().to_vec(),
                        signature: push
                            .signer
                            .of(plugin)
                            .filter(|_| publisher.is_some())
                            .cloned(),
                        publisher,
                        pushed_at: push.by.change.at,
                        pushed_by: push.by.change.who.clone(),
                    });
                }
                Err(wrong) => {
                    let denied = wrong.iter().any(|one| matches!(one, Refusal::Denied(_)));
                    complaints.extend(wrong);
                    // No more is run of what may not come in.
                    if denied {
                        continue;
                    }
                }
            }
            let settings = configs.get(name).map_or("{}", String::as_str);
            match try_examples(plugin, settings, &config.limits, &mut bounds).await {
                Ok(()) => {}
                // Nothing more is run for somebody who is gone.
                Err(given_up) if bounds.gone.is_cancelled() => return Err(given_up),
                Err(wrong) => complaints.push(wrong),
            }
        }
        let mut complaints = complaints.into_iter();
        let sound = match (
            looked.sound(&tenant.name, self.state().numbers.as_ref()),
            complaints.next(),
        ) {
            (Ok(sound), None) => sound,
            (Ok(_), Some(first)) => return Err(Refusal::all(first, complaints)),
            (Err(first), next) => {
                return Err(Refusal::all(first, next.into_iter().chain(complaints)));
            }
        };
        // Before anything of it is kept: what cannot be served need not be.
        let sound = loaded(tenant, sound, Bound::Held).await?;
        let (live, was) = match &live {
            Some(live) => (
                touched(store, &live.manifest).await?,
                signers(store, &tenant.name, &live.manifest).await?,
            ),
            None => (Touched::default(), Signers::new()),
        };
        let touches = touched_by(&sound.capabilities, &sound.project.queues);
        let manifest = Manifest {
            files: push.files,
            capabilities: sound.capabilities.clone(),
            publishers,
        };
        let mut gains = gained(&live, &touches);
        let was = known_signers(store, &tenant.name, was, &manifest.publishers).await?;
        gains.extend(resigned(&was, &manifest.publishers));
        gains.extend(settings.gains(&live_settings));
        let mut loses = gained(&touches, &live);
        loses.extend(settings.losses(&live_settings));
        let names = fresh.iter();
        let names: Vec<String> = names
            .map(|plugin| format!("{}@{}", plugin.name, plugin.version))
            .collect();
        let change = push.by.change;
        let signed: Vec<String> = anew
            .iter()
            .map(
                |PluginVersion {
                     name,
                     version,
                     publisher,
                     ..
                 }| {
                    format!(
                        "{name}@{version} by {}",
                        publisher.as_deref().unwrap_or_default()
                    )
                },
            )
            .collect();
        let change = change.with(json!({ "plugins": names, "gains": gains, "signed": signed }));
        let content = sound.program.content().to_owned();
        let versions = [fresh.as_slice(), anew.as_slice()].concat();
        let new = NewRevision {
            content: &content,
            manifest: &manifest,
            blobs: &push.blobs,
            versions: &versions,
            note: push.by.note,
            change: &change,
        };
        let (revision, audited) = store.publish(&tenant.name, new).await?;
        for version in &mut fresh {
            let kept = store
                .plugin_versions(&tenant.name, Some(&version.name), None, MAX_VERSIONS)
                .await?;
            let kept = kept.into_iter();
            let mut numbers = kept.filter(|kept| kept.version == version.version);
            version.number = numbers.next().map_or(0, |kept| kept.number);
        }
        tracing::info!(tenant = %tenant.name, revision, by = %change.who, "pushed");
        let unused = unused::parts(&sound.project);
        let warnings = sound.warnings.clone();
        tenant.prepare(self.serve(tenant, config, revision, sound));
        let pushed = Pushed {
            revision,
            content,
            plugins: fresh,
            signed,
            gains,
            loses,
            back,
            warnings,
            unused,
            onto: None,
        };
        Ok((pushed, audited))
    }

    /// Checks a component by itself, with all that the tenant's plugins may touch.
    async fn load(
        &self,
        tenant: &Tenant,
        component: &[u8],
        config: &TenantConfig,
        gone: &CancellationToken,
    ) -> Result<Plugin, Refusal> {
        let grants = config.grants.capabilities();
        let host = self.host_for(tenant);
        let host = host.until_gone(gone);
        let loaded = host.load(component, &grants, &config.limits.step).await;
        loaded.map_err(|errors| complaints(&errors))
    }

    async fn write(
        &self,
        files: Files,
        blobs: BTreeMap<String, Vec<u8>>,
    ) -> Result<(Files, BTreeMap<String, Vec<u8>>, Vec<String>), Refusal> {
        let data = self.node.data.clone();
        let written = tokio::task::spawn_blocking(move || {
            tree::write(&data, &files, &blobs).map(|mended| (files, blobs, mended))
        });
        let written = written.await.map_err(broken)?;
        written.map_err(|error| unwritten(&error.to_string()))
    }

    /// Counts a push before anything of it is unpacked or compiled.
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
}

/// Whether the flow files of a push are short enough to be read: what they take while they are checked is up to eighty times as much.
fn legible(
    tenant: &str,
    config: &TenantConfig,
    files: &Files,
    blobs: &BTreeMap<String, Vec<u8>>,
) -> Result<(), Refusal> {
    let most = config.limits.flows_bytes() / FLOWS_TEXT;
    let flows = files.iter().filter(|(path, _)| path.ends_with(FLOW_ENDING));
    let bytes = flows.filter_map(|(_, sha256)| blobs.get(sha256));
    let bytes: u64 = bytes.map(|bytes| bytes.len() as u64).sum();
    if bytes <= most {
        return Ok(());
    }
    let why = format!(
        "the flow files have {bytes} bytes together, and those of tenant {tenant} may have {most}, a thirty-second of limits.flows_mib"
    );
    Err(Refusal::one(Told {
        help: Some("make them fewer or shorter, or have the limit raised".to_owned()),
        ..Told::plain("limit", why)
    }))
}

/// The revision that a plugin is put into; a refusal where there is none.
async fn onto_what(tenant: &Tenant, store: &Store, onto: Onto) -> Result<Revision, Refusal> {
    let live = match onto {
        Onto::Live => store.released(&tenant.name).await?,
        Onto::Newest => None,
    };
    let base = match live {
        Some(release) => Some(wanted(store, tenant, release.live).await?),
        None => store.revisions(&tenant.name, None, 1).await?.pop(),
    };
    base.ok_or_else(|| {
        Refusal::Conflict(format!(
            "tenant {} has pushed no project yet: `strowger push` it, then its plugins can be replaced",
            tenant.name
        ))
    })
}

/// What a revision's `strowger.toml` says, and its plugins' components; nothing of none.
async fn settled(
    store: &Store,
    revision: Option<&Revision>,
) -> Result<(Settings, BTreeSet<String>), Refusal> {
    let Some(revision) = revision else {
        return Ok(Default::default());
    };
    let settings = Settings::of(store, &revision.manifest).await?;
    let components = settings.components(&revision.manifest.files);
    Ok((settings, components))
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

/// A component's complaints as a refusal.
fn complaints(errors: &[LoadError]) -> Refusal {
    if let Some(busy) = errors.iter().find(|error| error.of_the_engine()) {
        let why = match busy {
            LoadError::Describe(error) => error.to_string(),
            other => other.to_string(),
        };
        return Refusal::Busy(why);
    }
    let told = errors.iter();
    let told = told.map(|error| Told::plain(error.code(), error.to_string()));
    Refusal::plain(told.collect())
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
        let gone = complaints(&[LoadError::Abandoned]);
        assert!(matches!(gone, Refusal::Busy(_)), "{gone:?}");
        let own = complaints(&[LoadError::Describe(StepError::StackLimit)]);
        assert!(matches!(own, Refusal::Errors { .. }), "{own:?}");
    }
}
