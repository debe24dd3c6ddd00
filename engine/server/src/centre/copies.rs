//! One copy of each file of all revisions: whatever folder has it is a link to that copy.
//!
//! A hundred revisions that differ in one file take as much of the disk as one and ninety-nine files. A copy is named by its
//! content and nobody may write into it, since all its folders have the same bytes. How many folders have it the file system
//! counts: one that has no folder any more goes.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Once;

use crate::digest::of_file;

/// Nobody writes into what others have too; whoever must, has to remove it first.
const READ_ONLY: u32 = 0o400;

/// Where the copies are, below the data folder.
fn all(data: &Path) -> PathBuf {
    data.join("files")
}

fn copy_of(data: &Path, sha256: &str) -> PathBuf {
    // Two digits of the hash: no folder gets too long to list.
    let shelf = sha256.get(..2).unwrap_or("00");
    all(data).join(shelf).join(sha256)
}

/// Puts a file of this content at a place where none is: a link to the copy, which is made if it is not there or is damaged. Where
/// links cannot be, the place has bytes of its own.
pub(super) fn put(data: &Path, place: &Path, sha256: &str, bytes: &[u8]) -> io::Result<()> {
    let copy = copy_of(data, sha256);
    if linked(&copy, place, sha256)? {
        return Ok(());
    }
    let mut open = fs::OpenOptions::new();
    let mut file = open
        .write(true)
        .create_new(true)
        .mode(READ_ONLY)
        .open(place)?;
    io::Write::write_all(&mut file, bytes)?;
    // It is there after a loss of power too.
    file.sync_data()?;
    let shelf = copy.parent().map_or(Ok(()), fs::create_dir_all);
    match shelf.and_then(|()| fs::hard_link(place, &copy)) {
        // Another has made it meanwhile.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => tell(&copy, &error),
        Ok(()) => {}
    }
    Ok(())
}

/// Whether the place is a link to the copy now. A copy that is not what its name says is removed: it is of no use to anybody.
fn linked(copy: &Path, place: &Path, sha256: &str) -> io::Result<bool> {
    if fs::hard_link(copy, place).is_err() {
        // There is none, it has as many links as a file may have, or links cannot be: whoever writes the bytes finds out.
        return Ok(false);
    }
    let whole = place.symlink_metadata()?.is_file() && of_file(place)? == sha256;
    if !whole {
        fs::remove_file(place)?;
        gone(fs::remove_file(copy))?;
    }
    Ok(whole)
}

/// Once: it is the same for all files.
fn tell(copy: &Path, error: &io::Error) {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        tracing::warn!(path = %copy.display(), "files of revisions cannot be linked ({error}): each revision has a copy of its own, which takes more of the disk");
    });
}

/// Removes those of these copies that no folder has any more.
pub(super) fn free<'s>(data: &Path, files: impl IntoIterator<Item = &'s String>) {
    for sha256 in files {
        free_at(&copy_of(data, sha256));
    }
}

/// Removes all copies that no folder has any more, such as those of folders that somebody else has removed.
pub(super) fn sweep(data: &Path) {
    let read = |folder: &Path| fs::read_dir(folder).into_iter().flatten().flatten();
    for shelf in read(&all(data)) {
        for copy in read(&shelf.path()) {
            free_at(&copy.path());
        }
    }
}

/// Whoever links to it at this very moment has its bytes all the same; the next one makes another copy.
fn free_at(copy: &Path) {
    let unused = copy
        .symlink_metadata()
        .is_ok_and(|found| found.nlink() == 1);
    if unused && let Err(error) = gone(fs::remove_file(copy)) {
        tracing::warn!(path = %copy.display(), "a file that no revision has any more cannot be removed: {error}");
    }
}

/// Somebody else may have removed it.
pub(super) fn gone(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

    use super::{copy_of, free, put, sweep};
    use crate::centre::tree::digest;

    #[test]
    fn places_of_one_content_are_one_file_until_the_last_is_gone() {
        let data = tempfile::tempdir().expect("a folder");
        let data = data.path();
        let (bytes, sha256) = (b"words", digest(b"words"));
        let places = ["a", "b"].map(|name| data.join(name));
        for place in &places {
            put(data, place, &sha256, bytes).expect("written");
        }
        let [one, other] = places
            .each_ref()
            .map(|place| place.metadata().expect("there"));
        assert_eq!((one.ino(), one.nlink()), (other.ino(), 3));
        assert_eq!(one.permissions().mode() & 0o222, 0, "nobody writes into it");
        // It stays as long as somebody has it.
        fs::remove_file(&places[0]).expect("removed");
        free(data, [&sha256]);
        assert!(copy_of(data, &sha256).exists());
        fs::remove_file(&places[1]).expect("removed");
        free(data, [&sha256]);
        assert!(!copy_of(data, &sha256).exists());
        // At the start too, whoever has removed the last one.
        put(data, &places[0], &sha256, bytes).expect("written");
        fs::remove_file(&places[0]).expect("removed");
        sweep(data);
        assert!(!copy_of(data, &sha256).exists());
    }

    #[test]
    fn a_damaged_copy_is_given_to_nobody() {
        let data = tempfile::tempdir().expect("a folder");
        let data = data.path();
        let (bytes, sha256) = (b"words", digest(b"words"));
        let copy = copy_of(data, &sha256);
        fs::create_dir_all(copy.parent().expect("a shelf")).expect("made");
        let outside = data.join("outside");
        fs::write(&outside, bytes).expect("written");
        for damage in 0..2 {
            match damage {
                0 => fs::write(&copy, "other").expect("written"),
                _ => std::os::unix::fs::symlink(&outside, &copy).expect("linked"),
            }
            let place = data.join(format!("place{damage}"));
            put(data, &place, &sha256, bytes).expect("written");
            assert_eq!(fs::read(&place).expect("there"), bytes);
            let [place, copy] = [&place, &copy].map(|path| path.symlink_metadata().expect("there"));
            assert_eq!(place.ino(), copy.ino(), "the next one has the right one");
            fs::remove_file(copy_of(data, &sha256)).expect("removed");
        }
    }

    #[test]
    fn where_nothing_can_be_linked_each_place_has_its_bytes() {
        let data = tempfile::tempdir().expect("a folder");
        let data = data.path();
        fs::write(data.join("files"), "in the way").expect("written");
        let (bytes, sha256) = (b"words", digest(b"words"));
        let places = ["a", "b"].map(|name| data.join(name));
        for place in &places {
            put(data, place, &sha256, bytes).expect("written");
            assert_eq!(fs::read(place).expect("there"), bytes);
            assert_eq!(place.metadata().expect("there").nlink(), 1);
        }
    }
}
