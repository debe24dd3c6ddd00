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
//! At call time [`Prompts::ready`] answers from memory without waiting; [`Prompts::warm`] fills the memory
//! before the first call comes.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use strowger_voice::clip::Clip;
use strowger_voice::g711::Codec;

mod command;
pub mod decode;
mod disk;
pub mod encode;
mod error;
mod fault;
mod flight;
pub mod import;
pub mod loudness;
mod mandarin;
mod numerals;
mod polyphones;
pub mod resample;
mod segment;
mod shelf;
mod spoken;
mod synth;
#[cfg(test)]
mod tests;

pub use error::PromptError;
pub use fault::Fault;
pub use loudness::Loudness;
pub use segment::Segment;
pub use synth::{SynthConfig, TEXT_LIMIT};

use disk::Disk;
use flight::Flights;
use shelf::Shelf;
use synth::{Synthesizer, beside, blocking};

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

/// The prompts of one project. Cloning shares them.
///
/// Audio files are read once: [`Prompts::forget_audio`] after they have changed.
#[derive(Clone)]
pub struct Prompts {
    shared: Arc<Shared>,
}

struct Shared {
    project_dir: PathBuf,
    loudness: Loudness,
    synth: Synthesizer,
    disk: Option<Disk>,
    shelf: Mutex<Shelf>,
    /// Clips being made.
    clips: Arc<Flights<(Segment, Codec), Arc<Clip>>>,
    /// Speech being made, by its hash: two codecs of one text are one synthesis.
    speech: Arc<Flights<String, Arc<[i16]>>>,
    imports: Semaphore,
    counters: Counters,
    /// Whether all that is known before a call was made once.
    warm: AtomicBool,
}

#[derive(Default)]
struct Counters {
    hits: AtomicU64,
    misses: AtomicU64,
    imported: AtomicU64,
    synthesised: AtomicU64,
    from_disk: AtomicU64,
    failed: AtomicU64,
    not_stored: AtomicU64,
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
    /// Reads and starts nothing yet.
    pub fn new(config: PromptsConfig) -> Prompts {
        let PromptsConfig {
            project_dir,
            cache_dir,
            synth,
            loudness,
        } = config;
        Prompts {
            shared: Arc::new(Shared {
                project_dir,
                loudness,
                synth: Synthesizer::new(synth),
                disk: cache_dir.map(|folder| Disk::new(folder, DISK_LIMIT)),
                shelf: Mutex::new(Shelf::new(MEMORY_LIMIT)),
                clips: Flights::new(WAITING_LIMIT),
                speech: Flights::new(WAITING_LIMIT),
                imports: Semaphore::new(IMPORTS_AT_ONCE),
                counters: Counters::default(),
                warm: AtomicBool::new(false),
            }),
        }
    }

    /// The clip if it is in memory, without waiting: the way to ask at call time.
    pub fn ready(&self, segment: &Segment, codec: Codec) -> Option<Arc<Clip>> {
        let clip = self.shared.shelf().take(segment, codec);
        let counters = &self.shared.counters;
        if clip.is_some() {
            &counters.hits
        } else {
            &counters.misses
        }
        .fetch_add(1, Ordering::Relaxed);
        clip
    }

    /// The clip, made if need be. However many ask at once, it is made once.
    ///
    /// Needs a tokio runtime. A text without anything to say is an empty clip.
    pub async fn clip(&self, segment: &Segment, codec: Codec) -> Result<Arc<Clip>, PromptError> {
        if let Some(clip) = self.ready(segment, codec) {
            return Ok(clip);
        }
        let (shared, wanted) = (Arc::clone(&self.shared), segment.clone());
        self.shared
            .clips
            .join((segment.clone(), codec), || make(shared, wanted, codec))
            .await
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
        let at_once = self.shared.synth.concurrency() * 2;
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

    /// Drops the clips of audio files from memory, so that changed files are read again.
    pub fn forget_audio(&self) {
        self.shared.shelf().forget_audio();
    }

    /// Counts so far.
    pub fn stats(&self) -> PromptStats {
        let counters = &self.shared.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let shelf = self.shared.shelf();
        PromptStats {
            hits: read(&counters.hits),
            misses: read(&counters.misses),
            imported: read(&counters.imported),
            synthesised: read(&counters.synthesised),
            from_disk: read(&counters.from_disk),
            failed: read(&counters.failed),
            not_stored: read(&counters.not_stored),
            evicted: shelf.evicted(),
            clips: shelf.len(),
            bytes: shelf.bytes(),
            most_at_once: self.shared.synth.most_at_once(),
        }
    }
}

impl Shared {
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        // No code under this lock panics half-way through a change.
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes a clip and puts it on the shelf.
async fn make(
    shared: Arc<Shared>,
    segment: Segment,
    codec: Codec,
) -> Result<Arc<Clip>, PromptError> {
    // It may have been put there between the question and this task.
    if let Some(clip) = shared.shelf().take(&segment, codec) {
        return Ok(clip);
    }
    let made = match &segment {
        Segment::Audio { path } => read_file(&shared, path, codec).await,
        Segment::Text {
            text,
            language,
            voice,
        } => speak(&shared, text, language, voice.as_deref(), codec).await,
    };
    match made {
        Ok(clip) => {
            let clip = Arc::new(clip);
            shared.shelf().put(&segment, codec, Arc::clone(&clip));
            Ok(clip)
        }
        Err(error) => {
            shared.counters.failed.fetch_add(1, Ordering::Relaxed);
            Err(error)
        }
    }
}

async fn read_file(shared: &Arc<Shared>, path: &str, codec: Codec) -> Result<Clip, PromptError> {
    let _permit = shared
        .imports
        .acquire()
        .await
        .map_err(|_| PromptError::GivenUp)?;
    let (project_dir, path, loudness) =
        (shared.project_dir.clone(), path.to_owned(), shared.loudness);
    let clip = beside(move || import::file(&project_dir, &path, loudness, codec)).await?;
    shared.counters.imported.fetch_add(1, Ordering::Relaxed);
    Ok(clip)
}

async fn speak(
    shared: &Arc<Shared>,
    text: &str,
    language: &str,
    voice: Option<&str>,
    codec: Codec,
) -> Result<Clip, PromptError> {
    let key = shared.synth.key(text, language, voice).await?;
    let (context, text, language, voice) = (
        Arc::clone(shared),
        text.to_owned(),
        language.to_owned(),
        voice.map(str::to_owned),
    );
    let name = key.clone();
    let work =
        || async move { find_or_speak(&context, name, &text, &language, voice.as_deref()).await };
    let samples = shared.speech.join(key, work).await?;
    blocking(move || Ok(encode::encode(codec, &samples))).await
}

/// Samples of a text from the cache on disk, else from the speech program.
async fn find_or_speak(
    shared: &Arc<Shared>,
    key: String,
    text: &str,
    language: &str,
    voice: Option<&str>,
) -> Result<Arc<[i16]>, PromptError> {
    let (context, name) = (Arc::clone(shared), key.clone());
    if let Some(samples) =
        blocking(move || Ok(context.disk.as_ref().and_then(|disk| disk.load(&name)))).await?
    {
        shared.counters.from_disk.fetch_add(1, Ordering::Relaxed);
        return Ok(samples.into());
    }
    let sound = shared.synth.speak(text, language, voice).await?;
    shared.counters.synthesised.fetch_add(1, Ordering::Relaxed);
    let context = Arc::clone(shared);
    blocking(move || {
        let samples = encode::quantise(&sound);
        // The call goes on without the cache: a full disk must not silence a prompt.
        if let Some(Err(error)) = context.disk.as_ref().map(|disk| disk.store(&key, &samples)) {
            context.counters.not_stored.fetch_add(1, Ordering::Relaxed);
            tracing::warn!(%error, "speech was not kept in the cache; check the data folder");
        }
        Ok(samples.into())
    })
    .await
}

/// Clips in memory, in bytes: about four hours of G.711.
const MEMORY_LIMIT: usize = 128 * 1024 * 1024;

/// Synthesised speech on disk, in bytes: about nine hours.
const DISK_LIMIT: u64 = 512 * 1024 * 1024;

/// Prompts being made at once, waiting ones included; beyond that calls are refused theirs.
const WAITING_LIMIT: usize = 1_024;

/// Audio files decoded at once: one core stays free for the rest.
const IMPORTS_AT_ONCE: usize = 2;
