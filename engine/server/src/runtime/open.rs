//! From a project's folder to an engine.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use strowger_contact::Program;
use strowger_flow::plan::Piece;
use strowger_plugin::{Host, Limits};
use strowger_voice::g711::Codec;

use super::engine::{Engine, EngineError, Parts, host, plain, prompts};
use crate::media::mend;
use crate::project::{Examined, Project, ProjectError, Routes, Steps};
use crate::prompts::Segment;
use crate::store::{Place, Store, StoreError, Writer};

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
    /// The flows, plugins or routes have errors; the text has all of them.
    #[error("the project has errors and is not served; `strowger check` shows them again")]
    Errors(String),
}

impl OpenError {
    /// The program's exit code: 1 for errors in flows and plugins, 2 for everything else.
    pub fn code(&self) -> u8 {
        match self {
            OpenError::Errors(_) => 1,
            _ => 2,
        }
    }
}

/// Opens the project in a folder; see [`open_project`].
pub async fn open(folder: &Path, data: &Path, keep: bool) -> Result<(Engine, Routes), OpenError> {
    open_project(Project::read(folder)?, data, keep).await
}

/// Opens a project: the engine, and where its numbers lead. With `keep` its contacts are written into the
/// store in `data`, which then belongs to this engine until it ends.
pub async fn open_project(
    project: Project,
    data: &Path,
    keep: bool,
) -> Result<(Engine, Routes), OpenError> {
    let folder = project.folder.as_path();
    make(data)?;
    let host = host(Some(data))?;
    let (steps, program) = checked_program(&host, &project).await?;
    let prompts = prompts(folder, data, &project.config);
    let mut lock = None;
    let (store, writer) = match keep {
        true => {
            lock = Some(own(data)?);
            let place = Place::of(&project.config.store, folder, data)?;
            let store = Store::open(&place).await?;
            let (writer, _) = Writer::start(store.clone());
            (Some(store), Some(writer))
        }
        false => (None, None),
    };
    let data = data.to_owned();
    let Project {
        config,
        queues,
        routes,
        ..
    } = project;
    let engine = Engine::new(Parts {
        config,
        queues,
        program,
        steps,
        host,
        prompts,
        store,
        writer,
        data,
        lock,
    });
    if let Some(store) = &engine.store {
        salvage(store, &engine.recordings).await?;
        if !engine.takes_chats() {
            let chats = store.close_chats(engine.clock.now()).await?;
            if chats > 0 {
                tracing::warn!(
                    chats,
                    "chats that were open are closed as interrupted: the project takes no chats any more"
                );
            }
        }
        let orphans = store.close_orphans(engine.clock.now()).await?;
        if orphans > 0 {
            tracing::warn!(
                contacts = orphans,
                "contacts of an engine that ended without ending them are closed"
            );
        }
    }
    Ok((engine, routes))
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

/// Makes the data folder, so that whatever is wrong with it is told of it and not of something in it.
fn make(data: &Path) -> Result<(), OpenError> {
    let why = match data.metadata() {
        Ok(found) if !found.is_dir() => "is a file, not a folder".to_owned(),
        _ => match std::fs::create_dir_all(data) {
            Ok(()) => return Ok(()),
            Err(e) => format!("cannot be made ({e})"),
        },
    };
    Err(OpenError::Data {
        folder: data.display().to_string(),
        why,
    })
}

/// The steps and the program of a project without errors; else all of its errors together.
pub(crate) async fn checked_program(
    host: &Host,
    project: &Project,
) -> Result<(Steps, Program), OpenError> {
    let folder = project.folder.as_path();
    let plugins = &project.config.plugins;
    let (steps, complaints) = Steps::load(host, folder, plugins, &Limits::default()).await;
    let examined = Examined::of(project, &steps, &complaints);
    if let Some(errors) = examined.errors() {
        return Err(OpenError::Errors(errors));
    }
    let program = examined.program(&steps)?;
    Ok((steps, program))
}

/// Makes the data folder, and takes it for this process as long as the file is kept.
pub(crate) fn take(data: &Path) -> Result<File, OpenError> {
    make(data)?;
    own(data)
}

/// Takes the data folder for this process. The lock is the system's and ends with the process.
fn own(data: &Path) -> Result<File, OpenError> {
    let refused = |why: String| OpenError::Data {
        folder: data.display().to_string(),
        why,
    };
    let file =
        File::create(data.join("lock")).map_err(|e| refused(format!("cannot be written ({e})")))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(refused("is in use by another engine".to_owned())),
        Err(TryLockError::Error(e)) => Err(refused(format!("cannot be locked ({e})"))),
    }
}

/// Makes every prompt whose words are known before a call, so that the first caller does not wait for them.
pub async fn warm(engine: &Engine) {
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
    let progress = |done: usize, total: usize| {
        if done == total || done.is_multiple_of(25) {
            eprintln!("prompts: {done} of {total} ready");
        }
    };
    for (segment, error) in engine
        .prompts
        .warm(segments, &[Codec::Pcmu, Codec::Pcma], progress)
        .await
    {
        match segment {
            Segment::Audio { path } if error.is_of_file(&path) => engine.damaged(&path, &error),
            segment => tracing::warn!("prompt {segment:?}: {error}"),
        }
    }
}
