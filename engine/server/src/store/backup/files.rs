//! The files of a backup.

use std::fs::File;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use sha2::Digest;

use super::{BackupError, FORMAT, MANIFEST, Manifest};
use crate::project::hex;

/// Bytes that are hashed at a time.
const PIECE: usize = 64 << 10;

/// What was copied.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Copied {
    pub files: u64,
    pub bytes: u64,
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
                copied.files += 1;
                copied.bytes += bytes;
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !path.exists() => {}
            Err(error) => return Err(at("cannot copy", &path)(error)),
        }
    }
    sync(to)?;
    Ok(copied)
}

/// Waits until a file, or the names in a folder, are on the disk.
pub(super) fn sync(path: &Path) -> Result<(), BackupError> {
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(at("cannot save", path))
}

/// SHA-256 of a file.
pub(super) fn digest(path: &Path) -> Result<String, BackupError> {
    let mut file = File::open(path).map_err(at("cannot read", path))?;
    let mut digest = sha2::Sha256::new();
    let mut piece = vec![0; PIECE];
    loop {
        let read = file.read(&mut piece).map_err(at("cannot read", path))?;
        if read == 0 {
            return Ok(hex(&digest.finalize()));
        }
        digest.update(&piece[..read]);
    }
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
