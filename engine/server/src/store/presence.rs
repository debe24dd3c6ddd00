//! Whether the file of a store is where it was: it can be deleted or replaced under an engine, which would write on into a
//! file that nobody finds any more.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::StoreError;

/// In a data folder whose store an engine has opened.
const MARKER: &str = "store-made";
/// The file.
pub(super) const DATABASE: &str = "strowger.db";

/// The file of an open store.
#[derive(Debug, Clone)]
pub(super) struct Presence {
    path: PathBuf,
    /// Device and inode.
    file: (u64, u64),
}

fn identity(found: &Metadata) -> (u64, u64) {
    (found.dev(), found.ino())
}

impl Presence {
    /// Of the file that was just opened.
    pub fn of(folder: &Path) -> io::Result<Presence> {
        let path = folder.join(DATABASE);
        let file = identity(&path.metadata()?);
        Ok(Presence { path, file })
    }

    /// An error where the file was removed, or is another one.
    pub fn check(&self) -> io::Result<()> {
        let what = match self.path.metadata() {
            Ok(found) if identity(&found) == self.file => return Ok(()),
            Ok(_) => "another file is in its place",
            Err(error) if error.kind() == io::ErrorKind::NotFound => "it was removed",
            Err(error) => return Err(error),
        };
        Err(io::Error::other(format!(
            "{}: {what} while the engine runs; put it back, or stop the engine and restore a backup",
            self.path.display()
        )))
    }
}

/// An error where the file is gone from a folder that had one. An empty store would know nothing of what lies there, and
/// would let in whoever is on this machine, as at a first start.
pub(super) fn not_lost(folder: &Path) -> Result<(), StoreError> {
    if folder.join(DATABASE).exists() {
        return Ok(());
    }
    let some = |name: &str| {
        let entries = std::fs::read_dir(folder.join(name));
        entries.is_ok_and(|mut entries| entries.next().is_some())
    };
    let sign = match folder.join(MARKER).exists() {
        true => Some(MARKER),
        false => ["revisions", "recordings"]
            .into_iter()
            .find(|name| some(name)),
    };
    match sign {
        None => Ok(()),
        Some(sign) => Err(StoreError::Lost {
            path: folder.join(DATABASE).display().to_string(),
            sign: folder.join(sign).display().to_string(),
        }),
    }
}

/// Notes in a data folder that its store was made.
pub(super) fn mark(folder: &Path) -> io::Result<()> {
    let marker = folder.join(MARKER);
    match marker.exists() {
        true => Ok(()),
        false => std::fs::write(
            marker,
            format!("While this file is here, no engine makes an empty {DATABASE} by itself.\n"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{DATABASE, Presence, mark, not_lost};

    #[test]
    fn a_file_that_goes_or_is_replaced_is_missed() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        assert!(not_lost(folder.path()).is_ok(), "a first start");
        std::fs::write(at(DATABASE), "1").expect("written");
        mark(folder.path()).expect("marked");
        let presence = Presence::of(folder.path()).expect("there");
        assert!(presence.check().is_ok() && not_lost(folder.path()).is_ok());
        std::fs::rename(at(DATABASE), at("away")).expect("moved");
        let told = presence.check().expect_err("gone").to_string();
        assert!(told.contains("it was removed"), "{told}");
        let told = not_lost(folder.path()).expect_err("gone").to_string();
        assert!(told.contains("--new-store"), "{told}");
        std::fs::write(at(DATABASE), "2").expect("written");
        let told = presence.check().expect_err("replaced").to_string();
        assert!(told.contains("another file"), "{told}");
        std::fs::rename(at("away"), at(DATABASE)).expect("moved back");
        assert!(presence.check().is_ok());
    }
}
