//! Flow files that a command reads and writes.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::Failure;
use crate::project::{FLOW_ENDING, bytes};

/// The flow files of a path: a file itself, or those of a project's folder and its `flows/`.
pub(super) fn list(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files = Vec::new();
    for folder in [path.to_owned(), path.join("flows")] {
        if !folder.is_dir() {
            continue;
        }
        let unreadable =
            |e: std::io::Error| Failure::cannot(format!("cannot list {}: {e}", folder.display()));
        for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
            let file = entry.map_err(unreadable)?.path();
            if file.to_string_lossy().ends_with(FLOW_ENDING) {
                files.push(file);
            }
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Failure::cannot(format!(
            "there is no flow in {}: name a *.flow.yaml file, or a project's folder",
            path.display()
        )));
    }
    Ok(files)
}

/// Reads a file.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    bytes::read(path).map_err(|e| Failure::cannot(format!("cannot read {}: {e}", path.display())))
}

/// Writes a file as a whole or not at all: a full disk or a crash leaves the old one. So does somebody who has
/// changed it since it was read as `was`.
pub(super) fn replace(path: &Path, was: &[u8], text: &str) -> Result<(), Failure> {
    if read(path)? != was {
        return Err(Failure::cannot(format!(
            "{} was changed by somebody else meanwhile; it is as they left it: run the command again",
            path.display()
        )));
    }
    let failed = |e: std::io::Error| {
        Failure::cannot(format!(
            "cannot write {}: {e}; it is as it was",
            path.display()
        ))
    };
    // A link stays a link: what it points at is written.
    let path = path.canonicalize().map_err(failed)?;
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}", std::process::id()));
    let beside = path.with_file_name(name);
    let written = (|| {
        let mut file = std::fs::File::create_new(&beside)?;
        file.set_permissions(std::fs::metadata(&path)?.permissions())?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&beside, &path)
    })();
    if written.is_err() {
        let _ = std::fs::remove_file(&beside);
    }
    written.map_err(failed)
}
