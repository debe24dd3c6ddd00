//! Prompts: from audio files and texts to frames that are ready to be sent.
//!
//! Everything slow happens here, once per prompt and never on a media thread: reading and decoding files,
//! resampling, evening the loudness, speech synthesis, encoding. What a call gets is a [`Clip`], whose bytes
//! are copied behind an RTP header.
//!
//! ```text
//! audio file ── decode ── resample ── loudness ── encode ── memory ── Clip
//! text ── runs (pinyin) ── speech program ── decode, resample, trim ── loudness ── disk ── encode ── memory ── Clip
//! ```
//!
//! What is made is the tenant's ([`Library`]): its revisions share it, and a sound that several of them have is there once.
//! What it is made with is the process's ([`Studio`]), and tenants take turns at it.
//!
//! At call time [`Prompts::ready`] answers from memory without waiting; [`Prompts::warm`] fills the memory
//! before the first call comes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::JoinSet;

use strowger_voice::clip::Clip;
use strowger_voice::g711::Codec;

mod command;
mod content;
pub mod decode;
mod disk;
pub mod encode;
mod error;
mod fault;
mod flight;
pub mod import;
mod library;
pub mod loudness;
mod mandarin;
mod numerals;
mod polyphones;
pub mod resample;
mod segment;
mod shelf;
mod spoken;
mod studio;
mod synth;
#[cfg(test)]
mod tests;

pub use error::PromptError;
pub use fault::Fault;
pub use library::{Library, LibraryLimits};
pub(crate) use library::{MEMORY_MIB, MEMORY_MIB_RANGE};
pub use loudness::Loudness;
pub use segment::Segment;
pub use studio::Studio;
pub use synth::{SynthConfig, TEXT_LIMIT};

use content::Content;
use flight::Flights;
use synth::beside;

/// Where prompts come from and how they are made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PromptsConfig {
    /// The project's folder, below which audio files lie.
    pub project_dir: PathBuf,
    /// Where synthesised sound is kept between runs, such as `DATA/prompts`; made when first needed.
    ///
    /// With none it is kept in memory only.
    pub cache_dir: Option<PathBuf>,
    /// How text is spoken.
    pub synth: SynthConfig,
    /// What to do with the level of audio files; synthesised speech is always evened.
    pub loudness: Loudness,
}

/// The prompts of one revision of a project. Cloning shares them.
///
/// Audio files are read once: [`Prompts::forget_audio`] after they have changed.
#[derive(Clone)]
pub struct Prompts {
    shared: Arc<Shared>,
}

struct Shared {
    library: Arc<Library>,
    project_dir: PathBuf,
    loudness: Loudness,
    /// What is in the audio files that were read, by path.
    files: Mutex<HashMap<String, Content>>,
    /// Files being looked into.
    reading: Arc<Flights<String, Content>>,
    /// Whether all that is known before a call was made once.
    warm: AtomicBool,
}

/// Counts since the start, and what is in memory now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct PromptStats {
    /// Asked for and found in memory.
    pub hits: u64,
    /// Asked for and not found in memory.
    pub misses: u64,
    /// Audio files decoded.
    pub imported: u64,
    /// Texts spoken by the speech program.
    pub synthesised: u64,
    /// Texts found in the cache on disk.
    pub from_disk: u64,
    /// Prompts that could not be made.
    pub failed: u64,
    /// Texts that could not be written to the cache on disk.
    pub not_stored: u64,
    /// Clips that had to make room in memory.
    pub evicted: u64,
    /// Clips in memory.
    pub clips: usize,
    /// Bytes in memory.
    pub bytes: usize,
    /// Most speech programs that ran at once.
    pub most_at_once: usize,
}

impl Prompts {
    /// Of a project that has no other revision, and nobody beside it. Reads and starts nothing yet.
    pub fn new(config: PromptsConfig) -> Prompts {
        let PromptsConfig {
            project_dir,
            cache_dir,
            synth,
            loudness,
        } = config;
        let limits = LibraryLimits::default();
        let library = Library::new(Studio::new(synth), "", cache_dir, limits);
        Prompts::of(library, project_dir, loudness)
    }

    /// Of a revision, whose audio files are below this folder, among those of its tenant. Reads and starts nothing yet.
    pub fn of(library: Arc<Library>, project_dir: PathBuf, loudness: Loudness) -> Prompts {
        Prompts {
            shared: Arc::new(Shared {
                library,
                project_dir,
                loudness,
                files: Mutex::default(),
                reading: Flights::new(READING_LIMIT),
                warm: AtomicBool::new(false),
            }),
        }
    }

    /// Those of the tenant.
    pub fn library(&self) -> &Arc<Library> {
        &self.shared.library
    }

    /// The clip if it is in memory, without waiting: the way to ask at call time.
    pub fn ready(&self, segment: &Segment, codec: Codec) -> Option<Arc<Clip>> {
        let Shared { library, .. } = &*self.shared;
        let content = self.shared.known(segment);
        let clip = content.and_then(|content| library.find(&content, codec));
        let counters = &library.counters;
        if clip.is_some() {
            &counters.hits
        } else {
            &counters.misses
        }
        .fetch_add(1, Ordering::Relaxed);
        clip
    }

    /// The clip, made if need be. However many ask at once, and of however many revisions, it is made once.
    ///
    /// Needs a tokio runtime. A text without anything to say is an empty clip.
    pub async fn clip(&self, segment: &Segment, codec: Codec) -> Result<Arc<Clip>, PromptError> {
        if let Some(clip) = self.ready(segment, codec) {
            return Ok(clip);
        }
        let content = match segment {
            Segment::Audio { path } => self.look_into(path).await?,
            Segment::Text {
                text,
                language,
                voice,
            } => of_text(text, language, voice.as_deref()),
        };
        let (shared, wanted, segment) =
            (Arc::clone(&self.shared), content.clone(), segment.clone());
        let made = self.shared.library.clips.join((content, codec), || {
            let segment = segment.clone();
            async move { shared.make(segment, wanted, codec).await }
        });
        // Whoever asked first may have named it otherwise.
        made.await.map_err(|error| match &segment {
            Segment::Audio { path } => error.at(path),
            Segment::Text { .. } => error,
        })
    }

    /// What is in an audio file. It is read whenever its clip has to be made: somebody may have replaced it.
    async fn look_into(&self, path: &str) -> Result<Content, PromptError> {
        let (shared, file) = (Arc::clone(&self.shared), path.to_owned());
        let read = || async move {
            let content = shared.read(file.clone(), import::content).await?;
            shared.files().insert(file, content.clone());
            Ok(content)
        };
        self.shared.reading.join(path.to_owned(), read).await
    }

    /// Makes every segment in every codec, several at a time, and gives those that cannot be made.
    ///
    /// `progress` hears how many are done and how many there are, from 0 to all.
    pub async fn warm(
        &self,
        segments: impl IntoIterator<Item = Segment>,
        codecs: &[Codec],
        progress: impl Fn(usize, usize),
    ) -> Vec<(Segment, PromptError)> {
        let mut wanted: Vec<(Segment, Codec)> = Vec::new();
        for segment in segments {
            wanted.extend(codecs.iter().map(|codec| (segment.clone(), *codec)));
        }
        let total = wanted.len();
        // Enough to keep the speech programs busy, few enough that none waits long for its turn.
        let at_once = self.shared.library.studio.synth.concurrency() * 2;
        let mut wanted = wanted.into_iter();
        let mut done = 0;
        let mut failed: Vec<(Segment, PromptError)> = Vec::new();
        let mut making = JoinSet::new();
        progress(0, total);
        loop {
            while making.len() < at_once
                && let Some((segment, codec)) = wanted.next()
            {
                let prompts = self.clone();
                making.spawn(async move {
                    let made = prompts.clip(&segment, codec).await;
                    (segment, made)
                });
            }
            let Some(made) = making.join_next().await else {
                break;
            };
            done += 1;
            progress(done, total);
            // A task that panicked has no segment to tell; `clip` turns panics of its work into errors.
            if let Ok((segment, Err(error))) = made
                && !failed.iter().any(|(each, _)| *each == segment)
            {
                failed.push((segment, error));
            }
        }
        failed
    }

    /// Whether all that is known before a call was made once; what had to make room since is made anew when it is asked for.
    pub fn are_warm(&self) -> bool {
        self.shared.warm.load(Ordering::Relaxed)
    }

    /// Notes that all that is known before a call was made.
    pub fn set_warm(&self) {
        self.shared.warm.store(true, Ordering::Relaxed);
    }

    /// Whether an audio path is a file below the project's folder. Reads the file system.
    pub fn exists(&self, path: &str) -> bool {
        segment::locate(&self.shared.project_dir, path).is_ok()
    }

    /// Forgets what is in the audio files, so that changed files are read again.
    pub fn forget_audio(&self) {
        self.shared.files().clear();
    }

    /// Counts of the tenant's prompts so far.
    pub fn stats(&self) -> PromptStats {
        self.shared.library.stats()
    }
}

/// How a text sounds is decided before it is spoken.
fn of_text(text: &str, language: &str, voice: Option<&str>) -> Content {
    Content::Text {
        text: text.to_owned(),
        language: language.to_owned(),
        voice: voice.map(str::to_owned),
    }
}

impl Shared {
    fn files(&self) -> MutexGuard<'_, HashMap<String, Content>> {
        // No code under this lock panics half-way through a change.
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What decides how a segment sounds; none of a file that was not read yet.
    fn known(&self, segment: &Segment) -> Option<Content> {
        match segment {
            Segment::Audio { path } => self.files().get(path).cloned(),
            Segment::Text {
                text,
                language,
                voice,
            } => Some(of_text(text, language, voice.as_deref())),
        }
    }

    /// Makes a clip and puts it on the tenant's shelf.
    async fn make(
        self: Arc<Self>,
        segment: Segment,
        content: Content,
        codec: Codec,
    ) -> Result<Arc<Clip>, PromptError> {
        let library = &self.library;
        // It may have been put there between the question and this task.
        if let Some(clip) = library.find(&content, codec) {
            return Ok(clip);
        }
        let made = match &segment {
            Segment::Audio { path } => {
                let decode = move |project: &Path, path: &str, loudness| {
                    import::file(project, path, loudness, codec)
                };
                let made = self.read(path.clone(), decode).await;
                made.inspect(|_| {
                    library.counters.imported.fetch_add(1, Ordering::Relaxed);
                })
            }
            Segment::Text {
                text,
                language,
                voice,
            } => {
                let voice = voice.as_deref();
                let made = library.speak(text, language, voice, codec).await;
                made.inspect_err(|_| self.failed())
            }
        };
        let clip = Arc::new(made?);
        library
            .keep(&content, codec, &clip)
            .inspect_err(|_| self.failed())?;
        Ok(clip)
    }

    /// Reads one of the files when it is the tenant's turn.
    async fn read<T: Send + 'static>(
        &self,
        path: String,
        how: impl FnOnce(&Path, &str, Loudness) -> Result<T, PromptError> + Send + 'static,
    ) -> Result<T, PromptError> {
        let Library { studio, owner, .. } = &*self.library;
        let _turn = studio.imports.take(owner).await;
        let (project_dir, loudness) = (self.project_dir.clone(), self.loudness);
        let read = beside(move || how(&project_dir, &path, loudness)).await;
        read.inspect_err(|_| self.failed())
    }

    fn failed(&self) {
        let counters = &self.library.counters;
        counters.failed.fetch_add(1, Ordering::Relaxed);
    }
}

/// Files being looked into at once, waiting ones included; beyond that calls are refused theirs.
const READING_LIMIT: usize = 1_024;
