//! A revision's files on the disk, where the engine reads them: a folder named by its content.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use strowger_flow::unseen::quoted_up_to;

use super::archive::Tree;
use super::copies::{self, gone};
use crate::digest::of_file;
use crate::project::hex;
use crate::store::{Files, Revision, Store, StoreError};

/// Most files that are named where they were not as they were pushed.
const MOST_TOLD: usize = 20;
/// Most characters of their names.
const MOST_CHARS: usize = 2_000;

/// SHA-256 of some bytes, lower-case hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// The hashes of a tree's files, and their bytes by hash.
pub fn hashed(tree: Tree) -> (Files, BTreeMap<String, Vec<u8>>) {
    let mut files = Files::new();
    let mut blobs = BTreeMap::new();
    for (path, bytes) in tree {
        let sha256 = digest(&bytes);
        files.insert(path, sha256.clone());
        blobs.insert(sha256, bytes);
    }
    (files, blobs)
}

/// The folder of these files: the same for the same files.
pub fn folder(data: &Path, files: &Files) -> PathBuf {
    let lines: String = files
        .iter()
        .map(|(path, sha256)| format!("{sha256} {path}\n"))
        .collect();
    data.join("revisions").join(&digest(lines.as_bytes())[..32])
}

/// Writes files into their folder, unless it is there; what of one that is there was wrong, and is right again. Half a folder is
/// never seen under its name.
pub fn write(
    data: &Path,
    files: &Files,
    blobs: &BTreeMap<String, Vec<u8>>,
) -> io::Result<Vec<String>> {
    let folder = folder(data, files);
    if folder.is_dir() {
        let faults = faults(&folder, files)?;
        if !faults.is_empty() {
            mend(data, &folder, (files, blobs), &faults)?;
        }
        return Ok(faults);
    }
    let making = making(data);
    let made = fill(data, &making, files, blobs).and_then(|()| {
        match std::fs::rename(&making, &folder) {
            // Another made the same meanwhile.
            Err(_) if folder.is_dir() => std::fs::remove_dir_all(&making),
            made => made,
        }
    });
    if made.is_err() {
        // Best effort: what is in the way is told by the error itself.
        let _ = remove(data, &making, files);
    }
    made.map(|()| Vec::new())
}

/// A place of its own for files that are being written.
fn making(data: &Path) -> PathBuf {
    let chance: [u8; 8] = rand::random();
    let name = format!("making-{}", hex(&chance));
    data.join("revisions").join(name)
}

fn fill(
    data: &Path,
    making: &Path,
    files: &Files,
    blobs: &BTreeMap<String, Vec<u8>>,
) -> io::Result<()> {
    std::fs::create_dir_all(making)?;
    for (path, sha256) in files {
        let place = making.join(path);
        if let Some(parent) = place.parent() {
            std::fs::create_dir_all(parent)?;
        }
        copies::put(data, &place, sha256, bytes_of(path, sha256, blobs)?)?;
    }
    Ok(())
}

fn bytes_of<'b>(
    path: &str,
    sha256: &str,
    blobs: &'b BTreeMap<String, Vec<u8>>,
) -> io::Result<&'b [u8]> {
    let bytes = blobs.get(sha256).ok_or_else(|| {
        let why = format!("the bytes of `{path}` are not there");
        io::Error::new(io::ErrorKind::NotFound, why)
    })?;
    Ok(bytes)
}

/// Paths below a folder that are not as these files say: other bytes, none, or a file too many. Links are followed nowhere.
fn faults(folder: &Path, files: &Files) -> io::Result<Vec<String>> {
    let mut there = BTreeSet::new();
    let mut faults = BTreeSet::new();
    let mut open = vec![(folder.to_owned(), String::new())];
    while let Some((at, below)) = open.pop() {
        for entry in std::fs::read_dir(at)? {
            let entry = entry?;
            let path = format!("{below}{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type()?;
            if kind.is_dir() {
                open.push((entry.path(), format!("{path}/")));
                continue;
            }
            let right = match files.get(&path) {
                Some(sha256) if kind.is_file() => {
                    // One that cannot be read is none.
                    of_file(&entry.path()).is_ok_and(|found| found == *sha256)
                }
                _ => false,
            };
            if !right {
                faults.insert(path.clone());
            }
            there.insert(path);
        }
    }
    let lacking = files.keys().filter(|path| !there.contains(*path));
    faults.extend(lacking.cloned());
    Ok(faults.into_iter().collect())
}

/// Makes these paths of a folder right again. Each file is changed at once: whoever reads the folder finds it there.
fn mend(
    data: &Path,
    folder: &Path,
    (files, blobs): (&Files, &BTreeMap<String, Vec<u8>>),
    faults: &[String],
) -> io::Result<()> {
    let making = making(data);
    let mended = mend_by(data, &making, folder, (files, blobs), faults);
    // Best effort: what is in the way is told by the error itself, and the next start removes it.
    let _ = std::fs::remove_dir_all(&making);
    mended
}

fn mend_by(
    data: &Path,
    making: &Path,
    folder: &Path,
    (files, blobs): (&Files, &BTreeMap<String, Vec<u8>>),
    faults: &[String],
) -> io::Result<()> {
    std::fs::create_dir_all(making)?;
    // First goes what may be in the way of a folder.
    for path in faults.iter().filter(|path| !files.contains_key(*path)) {
        gone(std::fs::remove_file(folder.join(path)))?;
    }
    for (number, path) in faults.iter().enumerate() {
        let Some(sha256) = files.get(path) else {
            continue;
        };
        let made = making.join(number.to_string());
        copies::put(data, &made, sha256, bytes_of(path, sha256, blobs)?)?;
        let place = folder.join(path);
        if place.symlink_metadata().is_ok_and(|found| found.is_dir()) {
            std::fs::remove_dir_all(&place)?;
        }
        if let Some(parent) = place.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::rename(made, &place)?;
    }
    Ok(())
}

/// The bytes of some files, from the store.
pub async fn fetch(store: &Store, files: &Files) -> Result<BTreeMap<String, Vec<u8>>, StoreError> {
    let mut blobs = BTreeMap::new();
    for sha256 in files.values() {
        if !blobs.contains_key(sha256)
            && let Some(bytes) = store.blob(sha256).await?
        {
            blobs.insert(sha256.clone(), bytes);
        }
    }
    Ok(blobs)
}

/// Why there is no folder with a revision's files.
#[derive(Debug, thiserror::Error)]
pub enum NotLaidOut {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder cannot be written.
    #[error("{0}")]
    Disk(String),
}

/// The folder of a tenant's revision, filled from the store if it is not there; one that is there is held against the
/// revision, and what is not as it was pushed is laid out again.
pub async fn lay_out(
    store: &Store,
    data: &Path,
    tenant: &str,
    revision: &Revision,
) -> Result<PathBuf, NotLaidOut> {
    let files = revision.manifest.files.clone();
    let folder = folder(data, &files);
    if folder.is_dir() {
        let (place, files) = (folder.clone(), files.clone());
        if on_disk(move || faults(&place, &files)).await?.is_empty() {
            return Ok(folder);
        }
    }
    let mut blobs = fetch(store, &files).await?;
    let place = data.to_owned();
    let mended = on_disk(move || {
        blobs.retain(|sha256, bytes| digest(bytes) == *sha256);
        write(&place, &files, &blobs)
    });
    tell(store, tenant, Some(revision.number), &mended.await?);
    Ok(folder)
}

/// Notes files of a folder that were not as they were pushed.
pub fn tell(store: &Store, tenant: &str, revision: Option<u64>, mended: &[String]) {
    if mended.is_empty() {
        return;
    }
    store.health().mend(mended.len() as u64);
    let mut files = mended[..mended.len().min(MOST_TOLD)].join(", ");
    if mended.len() > MOST_TOLD {
        files += &format!(" and {} more", mended.len() - MOST_TOLD);
    }
    tracing::warn!(tenant, revision, files = %quoted_up_to(&files, MOST_CHARS), "files of a revision were not as they were pushed, and are laid out again from the store: who writes into the data folder?");
}

async fn on_disk<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, NotLaidOut> {
    let done = blocking(work).await;
    done.map_err(|error| NotLaidOut::Disk(error.to_string()))
}

/// Does what waits for the disk on a thread that may.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(io::Error::other).flatten()
}

/// All folders of revisions.
pub fn folders(data: &Path) -> BTreeSet<PathBuf> {
    let entries = std::fs::read_dir(data.join("revisions"));
    let folders = entries.into_iter().flatten().flatten();
    folders.map(|entry| entry.path()).collect()
}

/// Removes a folder of revisions, and the copies of those of these files that no other has.
pub fn remove(data: &Path, folder: &Path, files: &Files) -> io::Result<()> {
    let removed = gone(std::fs::remove_dir_all(folder));
    copies::free(data, files.values());
    removed
}

/// Removes copies of files that no folder has.
pub fn free(data: &Path) {
    copies::sweep(data);
}

/// Removes what a process that was killed left half made.
pub fn sweep(data: &Path) {
    let Ok(entries) = std::fs::read_dir(data.join("revisions")) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with("making-")
            && let Err(error) = std::fs::remove_dir_all(entry.path())
        {
            tracing::warn!(path = %entry.path().display(), "what is half made cannot be removed: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{digest, faults, folder, hashed, write};

    #[test]
    fn a_folder_is_held_against_its_files_and_mended() {
        let data = tempfile::tempdir().expect("a folder");
        let data = data.path();
        let tree = ["a.yaml", "audio/b.wav", "audio/more/c.wav", "d.yaml"]
            .map(|path| (path.to_owned(), path.as_bytes().to_vec()));
        let (files, blobs) = hashed(tree.into());
        let nothing: [String; 0] = [];
        assert_eq!(write(data, &files, &blobs).expect("written"), nothing);
        assert_eq!(write(data, &files, &blobs).expect("whole"), nothing);
        let at = folder(data, &files);
        // As long as it was; none; a file for a folder, a folder for a file; a link to the very bytes; one too many.
        std::fs::write(at.join("a.yaml"), "b.yaml").expect("edited");
        std::fs::remove_file(at.join("audio/b.wav")).expect("removed");
        std::fs::remove_dir_all(at.join("audio/more")).expect("removed");
        std::fs::write(at.join("audio/more"), "").expect("made");
        let outside = data.join("outside");
        std::fs::write(&outside, "d.yaml").expect("made");
        std::fs::remove_file(at.join("d.yaml")).expect("removed");
        std::os::unix::fs::symlink(&outside, at.join("d.yaml")).expect("linked");
        std::fs::create_dir_all(at.join("audio/b.wav/deep")).expect("made");
        std::fs::write(at.join("audio/b.wav/deep/e.yaml"), "").expect("made");
        let wrong = [
            "a.yaml",
            "audio/b.wav",
            "audio/b.wav/deep/e.yaml",
            "audio/more",
            "audio/more/c.wav",
            "d.yaml",
        ];
        assert_eq!(faults(&at, &files).expect("read"), wrong);
        assert_eq!(write(data, &files, &blobs).expect("mended"), wrong);
        assert_eq!(faults(&at, &files).expect("read"), nothing);
        assert_eq!(std::fs::read(&outside).expect("untouched"), b"d.yaml");
        let left = std::fs::read_dir(data.join("revisions")).expect("read");
        assert_eq!(left.count(), 1, "nothing half made stays");
        // What is not to be had is an error, not a folder without it.
        std::fs::remove_file(at.join("a.yaml")).expect("removed");
        let mut fewer: BTreeMap<_, _> = blobs.clone();
        fewer.remove(&digest(b"a.yaml"));
        let error = write(data, &files, &fewer).expect_err("it is lost");
        assert!(error.to_string().contains("`a.yaml`"), "{error}");
    }
}
