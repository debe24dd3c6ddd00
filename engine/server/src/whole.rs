//! Small files that are there whole or not at all.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Writes a file that was not there, for its owner alone, down to the disk. One without anything in it is taken as not there:
/// a disk that was full leaves such a file, and it holds the place here until what it is for is written.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    loop {
        if !is_free(path)? {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        let place = options.custom_flags(libc::O_NOFOLLOW).open(path)?;
        // Whoever else does the same waits here, and then finds what was written.
        place.lock()?;
        if !is_free(path)? {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let held = place.metadata()?.ino();
        let found = path.symlink_metadata();
        if !found.is_ok_and(|found| found.ino() == held) {
            // Whoever held the place gave it up.
            continue;
        }
        let written = put(path, bytes);
        if written.is_err() && matches!(is_free(path), Ok(true)) {
            // What went wrong is told; the empty file is none.
            let _ = std::fs::remove_file(path);
        }
        return written;
    }
}

/// Whether nothing is lost by writing there.
fn is_free(path: &Path) -> io::Result<bool> {
    match path.symlink_metadata() {
        Ok(found) => Ok(found.is_file() && found.len() == 0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(error),
    }
}

/// Puts a file in place of another: whole, or the other one stays.
pub(crate) fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let chance: [u8; 4] = rand::random();
    let mut beside: PathBuf = path.to_owned();
    let ending = format!(".{}.new", crate::project::hex(&chance));
    beside.as_mut_os_string().push(ending);
    let written = write(&beside, bytes).and_then(|()| std::fs::rename(&beside, path));
    if written.is_err() {
        // What went wrong is told; on a full disk nothing of it shall stay.
        let _ = std::fs::remove_file(&beside);
        return written;
    }
    // The name is on the disk when its folder is.
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600);
    let mut file = file.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::write_new;

    #[test]
    fn a_file_is_written_where_none_is_and_where_an_empty_one_was_left() {
        let folder = tempfile::tempdir().expect("a folder");
        let (new, empty) = (folder.path().join("new"), folder.path().join("empty"));
        std::fs::write(&empty, b"").expect("a file");
        for path in [&new, &empty] {
            write_new(path, b"key").expect("written");
            assert_eq!(std::fs::read(path).expect("a file"), b"key");
            let again = write_new(path, b"other").expect_err("it is there");
            assert_eq!(again.kind(), ErrorKind::AlreadyExists);
            assert_eq!(std::fs::read(path).expect("a file"), b"key");
        }
        let mode = new.metadata().expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let files = std::fs::read_dir(folder.path()).expect("a folder");
        assert_eq!(files.count(), 2, "nothing is left beside them");
    }

    #[test]
    fn a_link_and_a_folder_are_there_too() {
        let folder = tempfile::tempdir().expect("a folder");
        let link = folder.path().join("link");
        symlink(folder.path().join("nowhere"), &link).expect("a link");
        for path in [link.as_path(), folder.path()] {
            let refused = write_new(path, b"key").expect_err("it is there");
            assert_eq!(refused.kind(), ErrorKind::AlreadyExists);
        }
        assert!(!folder.path().join("nowhere").exists());
    }

    #[test]
    fn of_several_at_once_one_writes_and_the_others_find_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("key");
        std::fs::write(&path, b"").expect("a file");
        let written = std::thread::scope(|scope| {
            let path = &path;
            let all: Vec<_> = (0..8u8)
                .map(|byte| scope.spawn(move || write_new(path, &[byte; 32]).map(|()| byte)))
                .collect();
            let all = all
                .into_iter()
                .map(|thread| thread.join().expect("no panic"));
            all.filter_map(Result::ok).collect::<Vec<u8>>()
        });
        assert_eq!(written.len(), 1, "{written:?}");
        assert_eq!(std::fs::read(&path).expect("a file"), [written[0]; 32]);
    }
}
