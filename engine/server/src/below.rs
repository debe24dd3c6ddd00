//! Whether a path stays in a folder.

use std::io;
use std::path::{Path, PathBuf};

/// The real place of a path that begins at `folder`, links followed; `None` where it lies outside the folder.
///
/// # Errors
/// The folder or the file is not there, or may not be looked at.
pub(crate) fn below(folder: &Path, path: &Path) -> io::Result<Option<PathBuf>> {
    let root = folder.canonicalize()?;
    let real = root.join(path).canonicalize()?;
    Ok(real.starts_with(&root).then_some(real))
}
