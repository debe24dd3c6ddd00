//! The prompts of one tenant, whichever of its revisions they are of: in memory and on disk, each sound once.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use strowger_voice::clip::Clip;
use strowger_voice::g711::Codec;

use super::content::Content;
use super::disk::Disk;
use super::error::PromptError;
use super::flight::Flights;
use super::shelf::{Full, Shelf};
use super::studio::Studio;
use super::synth::blocking;
use super::{PromptStats, encode};

/// What a tenant's prompts may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LibraryLimits {
    /// Ready clips in memory, in bytes.
    pub memory: usize,
    /// Synthesised speech on disk, in bytes.
    pub disk: u64,
}

impl Default for LibraryLimits {
    fn default() -> Self {
        LibraryLimits {
            memory: (MEMORY_MIB as usize) << 20,
            disk: DISK_LIMIT,
        }
    }
}

/// The prompts of one tenant, whichever of its revisions they are of.
pub struct Library {
    /// Whose; turns at the studio are fair between owners.
    pub(super) owner: String,
    pub(super) studio: Arc<Studio>,
    disk: Option<Disk>,
    shelf: Mutex<Shelf>,
    /// Clips being made.
    pub(super) clips: Arc<Flights<(Content, Codec), Arc<Clip>>>,
    /// Speech being made, by its hash: two codecs of one text are one synthesis.
    speech: Arc<Flights<String, Arc<[i16]>>>,
    pub(super) counters: Counters,
}

#[derive(Default)]
pub(super) struct Counters {
    pub hits: AtomicU64,
    pub misses: AtomicU64,
    pub imported: AtomicU64,
    pub synthesised: AtomicU64,
    pub from_disk: AtomicU64,
    pub failed: AtomicU64,
    pub not_stored: AtomicU64,
}

impl Library {
    /// Of a tenant. Synthesised sound is kept in the folder between runs, which is made when first needed; with none it is kept
    /// in memory only.
    pub fn new(
        studio: Arc<Studio>,
        owner: &str,
        folder: Option<PathBuf>,
        limits: LibraryLimits,
    ) -> Arc<Library> {
        Arc::new(Library {
            owner: owner.to_owned(),
            studio,
            disk: folder.map(|folder| Disk::new(folder, limits.disk)),
            shelf: Mutex::new(Shelf::new(limits.memory)),
            clips: Flights::new(WAITING_LIMIT),
            speech: Flights::new(WAITING_LIMIT),
            counters: Counters::default(),
        })
    }

    /// From now on it may take so much. Of what is in memory goes at once what nobody plays, of the disk what is too much when
    /// something is added.
    pub fn set_limits(&self, limits: LibraryLimits) {
        self.shelf().set_limit(limits.memory);
        if let Some(disk) = &self.disk {
            disk.set_limit(limits.disk);
        }
    }

    /// The clip if it is in memory, without waiting.
    pub(super) fn find(&self, content: &Content, codec: Codec) -> Option<Arc<Clip>> {
        self.shelf().take(content, codec)
    }

    /// Puts a clip into memory. One for which there is no room beside those that are being played is refused.
    pub(super) fn keep(
        &self,
        content: &Content,
        codec: Codec,
        clip: &Arc<Clip>,
    ) -> Result<(), PromptError> {
        let kept = self.shelf().put(content, codec, Arc::clone(clip));
        kept.map_err(|Full { limit }| PromptError::NoRoom {
            limit_mib: limit >> 20,
        })
    }

    /// Speaks a text, unless it is on the disk.
    pub(super) async fn speak(
        self: &Arc<Self>,
        text: &str,
        language: &str,
        voice: Option<&str>,
        codec: Codec,
    ) -> Result<Clip, PromptError> {
        let synth = &self.studio.synth;
        let key = synth.key(&self.owner, text, language, voice).await?;
        let (context, text, language, voice) = (
            Arc::clone(self),
            text.to_owned(),
            language.to_owned(),
            voice.map(str::to_owned),
        );
        let name = key.clone();
        let work = || async move {
            let voice = voice.as_deref();
            context.find_or_speak(name, &text, &language, voice).await
        };
        let samples = self.speech.join(key, work).await?;
        blocking(move || Ok(encode::encode(codec, &samples))).await
    }

    /// Samples of a text from the cache on disk, else from the speech program.
    async fn find_or_speak(
        self: &Arc<Self>,
        key: String,
        text: &str,
        language: &str,
        voice: Option<&str>,
    ) -> Result<Arc<[i16]>, PromptError> {
        let (context, name) = (Arc::clone(self), key.clone());
        if let Some(samples) =
            blocking(move || Ok(context.disk.as_ref().and_then(|disk| disk.load(&name)))).await?
        {
            self.counters.from_disk.fetch_add(1, Ordering::Relaxed);
            return Ok(samples.into());
        }
        let synth = &self.studio.synth;
        let sound = synth.speak(&self.owner, text, language, voice).await?;
        self.counters.synthesised.fetch_add(1, Ordering::Relaxed);
        let context = Arc::clone(self);
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

    /// Counts so far.
    pub(super) fn stats(&self) -> PromptStats {
        let counters = &self.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let shelf = self.shelf();
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
            most_at_once: self.studio.synth.most_at_once(),
        }
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        // No code under this lock panics half-way through a change.
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Default of `limits.prompts_mib`: about four hours of G.711.
pub(crate) const MEMORY_MIB: u32 = 128;
/// What it can be; two of the longest prompts fit into the least.
pub(crate) const MEMORY_MIB_RANGE: std::ops::RangeInclusive<u32> = 32..=1 << 16;

/// Synthesised speech on disk where one project is served from its folder, in bytes: about nine hours.
const DISK_LIMIT: u64 = 512 * 1024 * 1024;

/// Prompts being made at once, waiting ones included; beyond that calls are refused theirs.
const WAITING_LIMIT: usize = 1_024;
