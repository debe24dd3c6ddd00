//! Synthesised sound on disk: wav files named after the hash of what they say.
//!
//! Any player opens them. A chunk of our own holds the SHA-256 of the samples, so that a damaged file is
//! noticed and made anew. Nothing here is needed to survive a crash: files appear by rename and are not synced.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use sha2::{Digest, Sha256};

use strowger_voice::SAMPLE_RATE;

/// A folder of sounds. Every method blocks.
pub struct Disk {
    folder: PathBuf,
    /// Most bytes in it.
    limit: AtomicU64,
    /// Bytes in it; none until it has been counted.
    used: Mutex<Option<u64>>,
    named: AtomicU64,
}

impl Disk {
    /// Touches nothing yet.
    pub fn new(folder: PathBuf, limit: u64) -> Disk {
        Disk {
            folder,
            limit: AtomicU64::new(limit),
            used: Mutex::new(None),
            named: AtomicU64::new(0),
        }
    }

    /// From now on at most so many bytes; what is too much goes when something is added.
    pub fn set_limit(&self, limit: u64) {
        self.limit.store(limit, Ordering::Relaxed);
    }

    /// The samples under a key; none when there are none or they are damaged.
    pub fn load(&self, key: &str) -> Option<Vec<i16>> {
        let path = self.path(key);
        let file = fs::File::open(&path).ok()?;
        let mut bytes = Vec::new();
        file.take(SOUND_LIMIT).read_to_end(&mut bytes).ok()?;
        let samples = parse(&bytes)?;
        // The oldest are removed first; what is in use is young.
        let _ = fs::File::options()
            .append(true)
            .open(&path)
            .and_then(|file| file.set_modified(SystemTime::now()));
        Some(samples)
    }

    /// Keeps samples under a key; the oldest sounds make room.
    pub fn store(&self, key: &str, samples: &[i16]) -> io::Result<()> {
        let path = self.path(key);
        let folder = path.parent().unwrap_or(&self.folder);
        fs::create_dir_all(folder)?;
        let bytes = print(samples);
        // Process and counter: two engines on one folder do not meet in a half-written file.
        let number = self.named.fetch_add(1, Ordering::Relaxed);
        let draft = folder.join(format!("{}.{number}.draft", std::process::id()));
        let written = fs::write(&draft, &bytes).and_then(|()| fs::rename(&draft, &path));
        if let Err(error) = written {
            let _ = fs::remove_file(&draft);
            return Err(error);
        }
        self.make_room(bytes.len() as u64);
        Ok(())
    }

    fn path(&self, key: &str) -> PathBuf {
        // Two digits of the hash: no folder gets too long to list.
        let shelf = key.get(..2).unwrap_or("00");
        self.folder.join(shelf).join(format!("{key}.wav"))
    }

    fn make_room(&self, added: u64) {
        let Ok(mut used) = self.used.lock() else {
            return;
        };
        let counted = used.map_or_else(
            || {
                listing(&self.folder)
                    .iter()
                    .map(|(_, bytes, _)| bytes)
                    .sum()
            },
            |used| used + added,
        );
        *used = Some(counted);
        let limit = self.limit.load(Ordering::Relaxed);
        if counted <= limit {
            return;
        }
        let mut sounds = listing(&self.folder);
        sounds.sort_by_key(|(modified, _, _)| *modified);
        let mut left: u64 = sounds.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, bytes, path) in sounds {
            // Down to four fifths, so that not every new sound has to list the folder.
            if left <= limit / 5 * 4 {
                break;
            }
            if fs::remove_file(&path).is_ok() {
                left -= bytes;
            }
        }
        *used = Some(left);
    }
}

/// Age, size and path of every sound and of drafts that a crash left behind.
fn listing(folder: &Path) -> Vec<(SystemTime, u64, PathBuf)> {
    let read = |folder: &Path| {
        fs::read_dir(folder)
            .into_iter()
            .flatten()
            .flatten()
            .collect::<Vec<_>>()
    };
    let shelves = read(folder)
        .into_iter()
        .filter(|entry| entry.file_name().len() == 2);
    let entries = shelves.flat_map(|shelf| read(&shelf.path()));
    let known = entries.filter(|entry| {
        Path::new(&entry.file_name())
            .extension()
            .is_some_and(|extension| extension == "wav" || extension == "draft")
    });
    let aged = known.filter_map(|entry| {
        let facts = entry.metadata().ok()?;
        Some((facts.modified().ok()?, facts.len(), entry.path()))
    });
    aged.collect()
}

/// A wav file: 8 kHz, mono, 16 bits, with the hash in a chunk before the samples.
fn print(samples: &[i16]) -> Vec<u8> {
    let data: Vec<u8> = samples
        .iter()
        .flat_map(|sample| sample.to_le_bytes())
        .collect();
    let length = data.len() as u32;
    let mut bytes = Vec::with_capacity(HEADER + data.len());
    bytes.extend(b"RIFF");
    bytes.extend((HEADER as u32 - 8 + length).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16u32.to_le_bytes());
    bytes.extend([1, 0, 1, 0]);
    bytes.extend(SAMPLE_RATE.to_le_bytes());
    bytes.extend((SAMPLE_RATE * 2).to_le_bytes());
    bytes.extend([2, 0, 16, 0]);
    bytes.extend(b"hash");
    bytes.extend(32u32.to_le_bytes());
    bytes.extend(Sha256::digest(&data));
    bytes.extend(b"data");
    bytes.extend(length.to_le_bytes());
    bytes.extend(data);
    bytes
}

/// Samples of a file that [`print()`] made and nobody changed.
fn parse(bytes: &[u8]) -> Option<Vec<i16>> {
    let data = bytes.get(HEADER..)?;
    let samples: Vec<i16> = data
        .chunks_exact(2)
        .map(|pair| i16::from_le_bytes([pair[0], pair[1]]))
        .collect();
    (print(&samples) == bytes).then_some(samples)
}

/// Bytes before the samples: 12 of RIFF, 24 of format, 40 of hash, 8 of data.
const HEADER: usize = 84;

/// Largest sound, in bytes: half an hour.
const SOUND_LIMIT: u64 = HEADER as u64 + 30 * 60 * SAMPLE_RATE as u64 * 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prompts::tests::Folder;

    #[test]
    fn sounds_come_back_and_damage_is_noticed() {
        let folder = Folder::new();
        let disk = Disk::new(folder.path.join("deep/prompts"), 1_000_000);
        let samples: Vec<i16> = (0..400).collect();
        assert_eq!(disk.load("abcd"), None);
        disk.store("abcd", &samples).expect("room");
        assert_eq!(disk.load("abcd"), Some(samples));
        let path = disk.path("abcd");
        let whole = fs::read(&path).expect("there");
        for damaged in [&whole[..whole.len() - 1], &whole[..40], &[]] {
            fs::write(&path, damaged).expect("writable");
            assert_eq!(disk.load("abcd"), None);
        }
        let mut flipped = whole;
        flipped[200] ^= 1;
        fs::write(&path, flipped).expect("writable");
        assert_eq!(disk.load("abcd"), None);
    }

    #[test]
    fn the_oldest_make_room() {
        let folder = Folder::new();
        let disk = Disk::new(folder.path.clone(), 10_000);
        let sound = vec![1i16; 1_000];
        let start = SystemTime::now() - std::time::Duration::from_secs(3_600);
        for number in 0..4u32 {
            let key = format!("{number:02}sound");
            disk.store(&key, &sound).expect("room");
            let file = fs::File::options()
                .append(true)
                .open(disk.path(&key))
                .expect("stored");
            file.set_modified(start + std::time::Duration::from_secs(u64::from(number)))
                .expect("settable");
        }
        assert!(disk.load("00sound").is_some(), "now it is the youngest");
        disk.store("04sound", &sound).expect("room");
        let left: Vec<bool> = (0..5)
            .map(|number| disk.load(&format!("{number:02}sound")).is_some())
            .collect();
        assert_eq!(left, [true, false, false, true, true]);
    }
}
