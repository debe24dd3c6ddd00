//! SHA-256 of files, as text.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::project::hex;

/// Bytes that are hashed at a time.
const PIECE: usize = 64 << 10;

/// SHA-256 of a file, lower-case hexadecimal.
pub(crate) fn of_file(path: &Path) -> io::Result<String> {
    of(File::open(path)?)
}

/// The same of one that is open.
pub(crate) fn of(mut file: File) -> io::Result<String> {
    let mut hash = Sha256::new();
    let mut piece = vec![0; PIECE];
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            return Ok(hex(&hash.finalize()));
        }
        hash.update(&piece[..read]);
    }
}
