//! From a project's folder to an engine.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use strowger_contact::Program;
use strowger_flow::plan::Piece;
use strowger_plugin::{Host, Limits, Share};
use strowger_voice::g711::Codec;

use super::engine::{Engine, EngineError, Parts, plain, prompts};
use super::node::Node;
use crate::effects::{Allowance, Authorities, NoAuthorities};
use crate::media::mend;
use crate::project::{Examined, Project, ProjectError, Routes, Steps};
use crate::prompts::{Library, LibraryLimits, Segment};
use crate::store::{Place, Store, StoreError};
use crate::vault::{Vault, VaultError};

/// Why a project cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its files cannot be read.
    #[error(transparent)]
    Project(#[from] ProjectError),
    /// The engine itself.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The vault has something in it that cannot be opened.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// An authority that plugins' requests shall believe.
    #[error(transparent)]
    Authorities(#[from] NoAuthorities),
    /// The data folder cannot be had for this engine alone.
    #[error("the data folder {folder} {why}; give every engine a folder of its own with --data")]
    Data {
        /// The folder.
        folder: String,
        /// Why not.
        why: String,
    },
    /// A plugin that shall be replaced is not there.
    #[error(
        "strowger.toml has no plugin `{name}` that another component could stand in for; its plugins are {known}"
    )]
    NoPlugin {
        /// The plugin.
        name: String,
        /// Those that are there.
        known: String,
    },
    /// `routes.yaml` or `queues.yaml` says what it cannot; the text has all errors, those of flows and plugins too.
    #[error("the project cannot be used; `strowger check` shows this again")]
    Files(String),
    /// The flows, plugins or routes have errors; the text has all of them.
    #[error("the project has errors and is not served; `strowger check` shows them again")]
    Errors(String),
}

impl OpenError {
    /// The program's exit code: 1 for errors in flows and plugins and where routes lead, 2 for everything else.
    pub fn code(&self) -> u8 {
        match self {
            OpenError::Errors(_) => 1,
            _ => 2,
        }
    }
}

/// Opens the project in a folder on a node of its own; see [`open_project`].
pub async fn open(folder: &Path, data: &Path, keep: bool) -> Result<(Engine, Routes), OpenError> {
    open_project(Project::read(folder)?, data, keep).await
}

/// Opens a project on a node of its own: the engine, and where its numbers lead. With `keep` its contacts are written
/// into the store in `data`, which then belongs to this process until it ends.
pub async fn open_project(
    project: Project,
    data: &Path,
    keep: bool,
) -> Result<(Engine, Routes), OpenError> {
    let node = match keep {
        true => {
            let place = Place::of(&project.config.store, &project.folder, data)?;
            let vault = Vault::of(&project.config.vault, &project.folder);
            Node::open(&place, data, vault, &project.config.store).await?
        }
        false => Node::without_store(data)?,
    };
    let tenant = project.config.project.name.clone();
    let takes_chats = project.config.chat.enabled;
    let limits = Limits::default();
    let rules = &project.config.limits;
    let mut effects = rules.effects();
    effects.http.trusted = Authorities::read(&project.folder, &effects.http.authorities)?;
    let allowance = Allowance::new(effects);
    let host = node.host.heard_by(allowance.ear(&tenant, node.clock));
    let (steps, program) = checked_program(&host, &project, &limits).await?;
    let share = node.host.runtime().share();
    share.set_memory_most(rules.memory_bytes());
    let spoken = LibraryLimits {
        memory: rules.prompts_bytes(),
        ..LibraryLimits::default()
    };
    let folder = Some(data.join("prompts"));
    let library = Library::new(Arc::clone(&node.studio), &tenant, folder, spoken);
    let part = Part {
        share,
        allowance,
        library,
        tenant,
    };
    let opened = engine_of(project, steps, program, node, part, &limits);
    close_orphans(&opened.0.node, takes_chats).await?;
    Ok(opened)
}

/// What a tenant's engines have in common.
pub(crate) struct Part {
    /// Its name.
    pub tenant: String,
    /// Its share of the threads on which guests run.
    pub share: Share,
    /// What its plugins may have of the world.
    pub allowance: Arc<Allowance>,
    /// Its prompts, whichever revision they are of.
    pub library: Arc<Library>,
}

/// An engine for a tenant's project on a node, and where its numbers lead.
pub(crate) fn engine_of(
    project: Project,
    steps: Steps,
    program: Program,
    node: Arc<Node>,
    part: Part,
    limits: &Limits,
) -> (Engine, Routes) {
    let prompts = prompts(&project.folder, part.library, &project.config);
    let Project {
        config,
        queues,
        routes,
        ..
    } = project;
    let engine = Engine::new(Parts {
        node,
        tenant: part.tenant,
        share: part.share,
        allowance: part.allowance,
        limits: limits.clone(),
        config,
        queues,
        program,
        steps,
        prompts,
    });
    (engine, routes)
}

/// Closes the contacts of a process that ended without ending them, and mends their recordings. Chats go on, if they
/// are taken.
pub(crate) async fn close_orphans(node: &Node, takes_chats: bool) -> Result<(), StoreError> {
    let Some(store) = &node.store else {
        return Ok(());
    };
    salvage(store, &node.recordings()).await?;
    if !takes_chats {
        let chats = store.close_chats(node.clock.now()).await?;
        if chats > 0 {
            tracing::warn!(
                chats,
                "chats that were open are closed as interrupted: no chats are taken any more"
            );
        }
    }
    let orphans = store.close_orphans(node.clock.now()).await?;
    if orphans > 0 {
        tracing::warn!(
            contacts = orphans,
            "contacts of an engine that ended without ending them are closed"
        );
    }
    Ok(())
}

/// Makes the recordings of a former engine's contacts playable, and known to their records.
async fn salvage(store: &Store, recordings: &Path) -> Result<(), StoreError> {
    let orphans: BTreeSet<String> = store.orphans().await?.into_iter().collect();
    if orphans.is_empty() {
        return Ok(());
    }
    let folder = recordings.to_owned();
    let known = orphans.clone();
    let mended = tokio::task::spawn_blocking(move || mend_recordings(&folder, &known));
    // A panic there would be a bug of ours; it must not keep the engine from serving.
    let mended = mended.await.unwrap_or_default();
    for (contact, file) in mended {
        store
            .found_recording(&contact, &file.display().to_string())
            .await?;
    }
    Ok(())
}

/// Mends the files of these contacts; those of whole calls come back with their contact.
fn mend_recordings(folder: &Path, contacts: &BTreeSet<String>) -> Vec<(String, PathBuf)> {
    let mut calls = Vec::new();
    // No folder: nothing was recorded.
    for file in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = file.path();
        let Some(stem) = path
            .file_stem()
            .and_then(|stem| stem.to_str())
            .filter(|_| path.extension().is_some_and(|wav| wav == "wav"))
        else {
            continue;
        };
        // `{contact}.wav` is the call, `{contact}-{effect}.wav` what a step recorded.
        let message = stem
            .rsplit_once('-')
            .is_some_and(|(contact, _)| contacts.contains(contact));
        let call = contacts.contains(stem);
        if !call && !message {
            continue;
        }
        match mend(&path) {
            Ok(()) if call => calls.push((stem.to_owned(), path)),
            Ok(()) => {}
            Err(error) => {
                // What a step recorded may be a secret, of which no log has the name.
                let shown = if call { &path } else { folder };
                tracing::warn!(path = %shown.display(), "a recording cannot be mended: {error}")
            }
        }
    }
    calls
}

/// The steps and the program of a project without errors; else all of its errors together.
pub(crate) async fn checked_program(
    host: &Host,
    project: &Project,
    limits: &Limits,
) -> Result<(Steps, Program), OpenError> {
    let folder = project.folder.as_path();
    let plugins = &project.config.plugins;
    let (steps, complaints) = Steps::load(host, folder, plugins, limits).await;
    let examined = Examined::of(project, &steps, &complaints);
    if let Some(errors) = examined.errors() {
        return Err(match project.reads() {
            true => OpenError::Errors(errors),
            false => OpenError::Files(errors),
        });
    }
    let program = examined.program(&steps)?;
    Ok((steps, program))
}

/// Makes every prompt whose words are known before a call, so that the first caller does not wait for them; `progress`
/// hears how many of how many are done. Done once for an engine; who gives up half-way leaves what is made.
pub async fn warm(engine: &Engine, progress: impl Fn(usize, usize)) {
    if engine.prompts.are_warm() {
        return;
    }
    let mut segments: BTreeSet<(String, String, Option<String>)> = BTreeSet::new();
    let mut files: BTreeSet<String> = BTreeSet::new();
    for plan in engine.program.flows() {
        for prompt in &plan.prompts {
            for (language, voices) in &prompt.voices {
                for voice in voices {
                    if let Some(path) = &voice.audio
                        && engine.prompts.exists(path)
                    {
                        files.insert(path.clone());
                        continue;
                    }
                    let words = voice.text.iter().flatten().map(|piece| match piece {
                        Piece::Text(text) => Some(text.as_str()),
                        Piece::Expr(_) => None,
                    });
                    if let Some(text) = words.collect::<Option<String>>()
                        && !text.trim().is_empty()
                    {
                        let own = voice.language.clone();
                        let fallback = plan
                            .languages
                            .first()
                            .cloned()
                            .unwrap_or_else(|| "en".into());
                        let language = if language == "any" {
                            fallback
                        } else {
                            language.clone()
                        };
                        segments.insert((text, own.unwrap_or(language), voice.voice.clone()));
                    }
                }
            }
        }
    }
    let segments = segments
        .into_iter()
        .map(|(text, language, voice)| Segment::Text {
            text: plain(&text),
            language,
            voice,
        })
        .chain(files.into_iter().map(|path| Segment::Audio { path }));
    for (segment, error) in engine
        .prompts
        .warm(segments, &[Codec::Pcmu, Codec::Pcma], progress)
        .await
    {
        match segment {
            Segment::Audio { path } if error.is_of_file(&path) => engine.damaged(&path, &error),
            Segment::Audio { path } => tracing::warn!("prompt {path}: {error}"),
            Segment::Text { text, .. } => tracing::warn!("prompt “{text}”: {error}"),
        }
    }
    engine.prompts.set_warm();
}
