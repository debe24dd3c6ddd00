//! How long the audio files of a project play, which is what their prompts count in the worst case.

use std::collections::{BTreeMap, HashMap};
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::prompts::import;

/// Most bytes of audio files of one project that are read for their length: about 9 hours of mp3 at 64 kbit/s, and a
/// second of reading. What comes after it has no known length.
const MOST_BYTES: u64 = 256 << 20;

/// Most files that are remembered between two readings; then all are forgotten.
const MOST_REMEMBERED: usize = 50_000;

/// Lengths in milliseconds, by file, each with what the file was like.
type Lengths = HashMap<PathBuf, (State, Option<u64>)>;

/// Lengths as read before: a language server and a centre read the same files again and again.
static REMEMBERED: LazyLock<Mutex<Lengths>> = LazyLock::new(Mutex::default);

/// What a file that was written again has another of.
#[derive(PartialEq, Eq)]
struct State {
    bytes: u64,
    written: Option<SystemTime>,
}

/// The lengths of those files below a folder that can be read, in milliseconds. A file that cannot has none; `check` tells
/// of it when it decodes what flows name.
pub(crate) fn lengths<'p>(
    folder: &Path,
    paths: impl IntoIterator<Item = &'p str>,
) -> BTreeMap<String, u64> {
    let mut left = MOST_BYTES;
    let of = |path: &'p str| {
        let state = std::fs::metadata(folder.join(path)).ok()?;
        Some((path.to_owned(), length(folder, path, &state, &mut left)?))
    };
    paths.into_iter().filter_map(of).collect()
}

fn length(folder: &Path, path: &str, found: &Metadata, left: &mut u64) -> Option<u64> {
    let file = folder.join(path);
    let state = State {
        bytes: found.len(),
        written: found.modified().ok(),
    };
    if let Some((known, ms)) = remembered().get(&file)
        && *known == state
        && state.written.is_some()
    {
        return *ms;
    }
    *left = left.checked_sub(state.bytes)?;
    let ms = import::plays_ms(folder, path).ok();
    let mut remembered = remembered();
    if remembered.len() >= MOST_REMEMBERED {
        remembered.clear();
    }
    remembered.insert(file, (state, ms));
    ms
}

fn remembered() -> MutexGuard<'static, Lengths> {
    // Nothing panics half-way through a change.
    REMEMBERED.lock().unwrap_or_else(PoisonError::into_inner)
}
