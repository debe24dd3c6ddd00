//! A revision's files on the disk, where the engine reads them: a folder named by its content.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::archive::Tree;
use crate::project::hex;
use crate::store::{Files, Store, StoreError};

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

/// Writes files into their folder, unless it is there. Half a folder is never seen under its name.
pub fn write(data: &Path, files: &Files, blobs: &BTreeMap<String, Vec<u8>>) -> io::Result<PathBuf> {
    let folder = folder(data, files);
    if folder.is_dir() {
        return Ok(folder);
    }
    let chance: [u8; 8] = rand::random();
    let making = data
        .join("revisions")
        .join(format!("making-{}", hex(&chance)));
    let made = fill(&making, files, blobs).and_then(|()| {
        match std::fs::rename(&making, &folder) {
            // Another made the same meanwhile.
            Err(_) if folder.is_dir() => std::fs::remove_dir_all(&making),
            made => made,
        }
    });
    if made.is_err() {
        // Best effort: what is in the way is told by the error itself.
        let _ = std::fs::remove_dir_all(&making);
    }
    made.map(|()| folder)
}

fn fill(making: &Path, files: &Files, blobs: &BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    std::fs::create_dir_all(making)?;
    for (path, sha256) in files {
        let Some(bytes) = blobs.get(sha256) else {
            let why = format!("the bytes of `{path}` are not there");
            return Err(io::Error::new(io::ErrorKind::NotFound, why));
        };
        let place = making.join(path);
        if let Some(parent) = place.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let mut file = std::fs::File::create(&place)?;
        file.write_all(bytes)?;
        // A folder that is there is believed after a loss of power too.
        file.sync_data()?;
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

/// The folder of these files, filled from the store if it is not there.
pub async fn lay_out(store: &Store, data: &Path, files: Files) -> Result<PathBuf, NotLaidOut> {
    let folder = folder(data, &files);
    if folder.is_dir() {
        return Ok(folder);
    }
    let blobs = fetch(store, &files).await?;
    let place = data.to_owned();
    let written = tokio::task::spawn_blocking(move || write(&place, &files, &blobs));
    let written = written
        .await
        .map_err(|fault| NotLaidOut::Disk(fault.to_string()))?;
    written.map_err(|error| NotLaidOut::Disk(error.to_string()))
}

/// All folders of revisions.
pub fn folders(data: &Path) -> BTreeSet<PathBuf> {
    let entries = std::fs::read_dir(data.join("revisions"));
    let folders = entries.into_iter().flatten().flatten();
    folders.map(|entry| entry.path()).collect()
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
