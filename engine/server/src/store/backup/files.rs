//! The files of a backup.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::{BackupError, FORMAT, MANIFEST, Manifest, RECORDINGS};
use crate::digest::of_file;

/// What was copied.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Copied {
    pub bytes: u64,
    /// SHA-256 of each file, by its name.
    pub files: BTreeMap<String, String>,
}

/// An error with the file it is about.
pub(super) fn at(doing: &'static str, path: &Path) -> impl Fn(std::io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::File {
        doing,
        path: path.clone(),
        source,
    }
}

/// The recordings in a folder; none when there is no folder.
pub(super) fn recordings(folder: &Path) -> Result<Vec<PathBuf>, BackupError> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(at("cannot read", folder))?,
    };
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(at("cannot read", folder))?.path();
        if path.extension().is_some_and(|extension| extension == "wav") && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Copies the recordings of one folder into another, onto the disk. One that is removed meanwhile is none any more.
pub(super) fn copy_recordings(from: &Path, to: &Path) -> Result<Copied, BackupError> {
    let mut copied = Copied::default();
    std::fs::create_dir_all(to).map_err(at("cannot make", to))?;
    for path in recordings(from)? {
        let target = to.join(path.file_name().expect("a file of a folder has a name"));
        match std::fs::copy(&path, &target) {
            Ok(bytes) => {
                sync(&target)?;
                // What is in the copy counts: the engine may be writing on at the other.
                let sha256 = digest(&target)?;
                copied.files.insert(name(&path), sha256);
                copied.bytes += bytes;
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !path.exists() => {}
            Err(error) => return Err(at("cannot copy", &path)(error)),
        }
    }
    sync(to)?;
    Ok(copied)
}

/// The name of a file, as a backup has it.
fn name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// What is wrong with the recordings of a backup, before any of them is restored; a backup of an older program has no checksums
/// of theirs, and its are counted and measured.
pub(super) fn hold(folder: &Path, manifest: &Manifest) -> Result<(), BackupError> {
    let broken = |why: String| {
        Err(BackupError::Broken {
            path: folder.to_owned(),
            why: format!("is not whole: {why}; take another backup"),
        })
    };
    let paths = recordings(&folder.join(RECORDINGS))?;
    let Some(files) = &manifest.files else {
        let mut bytes = 0;
        for path in &paths {
            bytes += path.metadata().map_err(at("cannot read", path))?.len();
        }
        if (paths.len() as u64, bytes) != (manifest.recordings, manifest.recordings_bytes) {
            return broken("its recordings are not as many or as large as they were".to_owned());
        }
        return Ok(());
    };
    let found: BTreeMap<String, PathBuf> =
        paths.into_iter().map(|path| (name(&path), path)).collect();
    if let Some(lacking) = files.keys().find(|file| !found.contains_key(*file)) {
        return broken(format!("it has no {RECORDINGS}/{lacking}"));
    }
    for (file, path) in &found {
        match files.get(file) {
            None => {
                return broken(format!(
                    "{RECORDINGS}/{file} was not there when it was made"
                ));
            }
            Some(sha256) if digest(path)? != *sha256 => {
                return broken(format!("its {RECORDINGS}/{file} is not as it was made"));
            }
            Some(_) => {}
        }
    }
    Ok(())
}

/// Waits until a file, or the names in a folder, are on the disk.
pub(super) fn sync(path: &Path) -> Result<(), BackupError> {
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(at("cannot save", path))
}

/// SHA-256 of a file.
pub(super) fn digest(path: &Path) -> Result<String, BackupError> {
    of_file(path).map_err(at("cannot read", path))
}

pub(super) fn write_manifest(folder: &Path, manifest: &Manifest) -> Result<(), BackupError> {
    let path = folder.join(MANIFEST);
    let failed = at("cannot write", &path);
    let text = serde_json::to_string_pretty(manifest).expect("a manifest is of JSON's types");
    let mut file = File::create(&path).map_err(&failed)?;
    writeln!(file, "{text}").map_err(&failed)?;
    file.sync_all().map_err(&failed)
}

pub(super) fn read_manifest(folder: &Path) -> Result<Manifest, BackupError> {
    let broken = |why: String| BackupError::Broken {
        path: folder.to_owned(),
        why,
    };
    let path = folder.join(MANIFEST);
    let text = match std::fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(broken(format!(
                "is no backup: it has no {MANIFEST}; name a folder that `strowger backup` made"
            )));
        }
        text => text.map_err(at("cannot read", &path))?,
    };
    let manifest: Manifest = serde_json::from_str(&text)
        .map_err(|error| broken(format!("has a {MANIFEST} that cannot be read: {error}")))?;
    if manifest.format != FORMAT {
        return Err(broken(format!(
            "is a backup of form {}, and this program reads form {FORMAT}: use the program that made it, {}",
            manifest.format, manifest.version
        )));
    }
    Ok(manifest)
}
