//! Reading what a project's files hold, whatever their names lead to.

use std::fs::File;
use std::io::{Error, ErrorKind, Read as _, Result};
use std::path::Path;

/// Most bytes of one file: far more than any checker takes, and little for a machine. A flow has its own, smaller limit,
/// which is told as a finding.
const MOST: u64 = 64 << 20;

/// The bytes of a regular file. A device, a pipe or a folder is refused before anything of it is read, and so is a file
/// beyond 64 MiB.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    // A pipe without a writer would keep even the opening.
    let found = std::fs::metadata(path)?;
    if !found.is_file() {
        let what = match found.is_dir() {
            true => "it is a folder",
            false => "it is no regular file, but a device, a pipe or a socket",
        };
        return Err(Error::new(ErrorKind::InvalidInput, what));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST {
        return Err(Error::new(
            ErrorKind::FileTooLarge,
            "it has more than 64 MiB, the most of a project's file",
        ));
    }
    Ok(bytes)
}

/// The text of a regular file, under the same limits.
pub fn read_text(path: &Path) -> Result<String> {
    String::from_utf8(read(path)?)
        .map_err(|error| Error::new(ErrorKind::InvalidData, format!("it is no UTF-8: {error}")))
}

#[cfg(test)]
mod tests {
    use super::{MOST, read};

    #[test]
    fn what_has_no_end_is_not_begun() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        std::os::unix::fs::symlink("/dev/zero", at("endless.flow.yaml")).expect("a link");
        let refused = read(&at("endless.flow.yaml")).expect_err("a device");
        assert!(refused.to_string().contains("no regular file"), "{refused}");
        assert!(read(folder.path()).is_err_and(|error| error.to_string().contains("folder")));
        // Sparse: it takes no room.
        let large = std::fs::File::create(at("large")).expect("a file");
        large.set_len(MOST + 1).expect("it grows");
        assert!(read(&at("large")).is_err_and(|error| error.to_string().contains("64 MiB")));
        std::fs::write(at("small"), "flow: x").expect("a file");
        assert_eq!(read(&at("small")).expect("it is there"), b"flow: x");
    }
}
