//! One master key's file in place of another's, so that neither is lost whatever stops it.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use super::VaultError;
use crate::whole::put;

/// A key that is in its place, while the one before is still kept.
pub(super) struct Exchange {
    new: PathBuf,
    file: PathBuf,
    /// Where the one before is; none where there was none.
    old: Option<PathBuf>,
}

/// Where the key before the one in a file is kept until it is needed no more.
pub(super) fn before(file: &Path) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(".old");
    name.into()
}

impl Exchange {
    /// Puts the key of one file into another.
    pub fn begin(new: &Path, file: &Path) -> Result<Exchange, VaultError> {
        let old = before(file);
        let begun = match std::fs::read(file) {
            Ok(bytes) => put(&old, &bytes).map(|()| Some(old)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        };
        let exchanged = begun.and_then(|old| {
            put(file, &std::fs::read(new)?)?;
            Ok(old)
        });
        let old = exchanged.map_err(|error| {
            VaultError::Key(format!(
                "the key in {} cannot be put into {}: {error}; nothing is sealed anew",
                new.display(),
                file.display()
            ))
        })?;
        Ok(Exchange {
            new: new.to_owned(),
            file: file.to_owned(),
            old,
        })
    }

    /// Removes the one before: nothing is sealed with it any more.
    pub fn end(self) -> Result<(), VaultError> {
        let Some(old) = self.old else { return Ok(()) };
        std::fs::remove_file(&old).map_err(|error| {
            VaultError::Key(format!(
                "everything is sealed with the key in {} now, and the one before cannot be removed from {}: {error}; do that by hand",
                self.file.display(),
                old.display()
            ))
        })
    }

    /// Puts the one before back: nothing is sealed with the new one.
    pub fn undo(self) -> Result<(), VaultError> {
        let undone = match &self.old {
            Some(old) => std::fs::rename(old, &self.file),
            None => std::fs::remove_file(&self.file),
        };
        undone.map_err(|error| {
            let old = self.old.as_deref().unwrap_or(&self.file).display();
            VaultError::Key(format!(
                "nothing is sealed anew, and {old} cannot be put back into {}: {error}; do that by hand",
                self.file.display(),
            ))
        })
    }

    /// That the store did not say whether everything is sealed anew.
    pub fn unknown(self, error: &VaultError) -> VaultError {
        let old = self.old.as_deref().map_or_else(String::new, |old| {
            format!(" and {} the one before", old.display())
        });
        VaultError::Key(format!(
            "{error}; whether everything is sealed anew is not known: {} has the key of {}{old}; try `strowger vault rekey` with the new key once more when the store is there, it says which of them it needs",
            self.file.display(),
            self.new.display(),
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tempfile::TempDir;

    use super::{Exchange, before};

    fn read(path: &Path) -> Option<String> {
        std::fs::read_to_string(path).ok()
    }

    #[test]
    fn the_key_before_is_there_until_it_is_needed_no_more() {
        let folder = TempDir::new().expect("a folder");
        let (new, file) = (folder.path().join("new"), folder.path().join("key"));
        let old = before(&file);
        std::fs::write(&new, "two").expect("a file");
        let begin = || Exchange::begin(&new, &file).expect("exchanged");
        // Where none was, none comes back.
        begin().undo().expect("undone");
        assert_eq!((read(&file), read(&old)), (None, None));
        begin().end().expect("ended");
        assert_eq!((read(&file), read(&old)), (Some("two".into()), None));

        std::fs::write(&file, "one").expect("a file");
        let exchange = begin();
        assert_eq!(read(&file).as_deref(), Some("two"));
        assert_eq!(read(&old).as_deref(), Some("one"));
        exchange.undo().expect("undone");
        assert_eq!((read(&file), read(&old)), (Some("one".into()), None));
        begin().end().expect("ended");
        assert_eq!((read(&file), read(&old)), (Some("two".into()), None));

        std::fs::remove_file(&new).expect("a file");
        let refused = Exchange::begin(&new, &file).err().expect("no new key");
        assert!(refused.to_string().contains("nothing is sealed anew"));
        assert_eq!(read(&file).as_deref(), Some("two"));
    }
}
