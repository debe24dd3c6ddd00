//! Recordings in the data folder, by contact.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The recordings of one contact.
#[derive(Debug, Clone, Default)]
pub(super) struct Files {
    pub paths: Vec<PathBuf>,
    pub bytes: u64,
    /// Whether they count for the bound that is looked at: that of their contact's tenant.
    pub weighs: bool,
}

/// All recordings of a folder, by contact. No folder: there are none.
pub(super) async fn recordings(folder: &Path) -> std::io::Result<BTreeMap<String, Files>> {
    let folder = folder.to_owned();
    tokio::task::spawn_blocking(move || read(&folder))
        .await
        .map_err(std::io::Error::other)?
}

fn read(folder: &Path) -> std::io::Result<BTreeMap<String, Files>> {
    let mut found: BTreeMap<String, Files> = BTreeMap::new();
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(found),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        let path = entry.path();
        let Some(contact) = path.file_stem().and_then(|stem| contact(stem.to_str()?)) else {
            continue;
        };
        let contact = contact.to_owned();
        // One that is removed meanwhile has no size.
        let bytes = entry.metadata().map_or(0, |metadata| metadata.len());
        let files = found.entry(contact).or_default();
        files.bytes += bytes;
        files.paths.push(path);
    }
    Ok(found)
}

/// The contact of `{contact}.wav` and `{contact}-{n}.wav`; an id is two words with a hyphen between.
fn contact(stem: &str) -> Option<&str> {
    let (first, rest) = stem.split_once('-')?;
    let second = rest.split('-').next()?;
    (!first.is_empty() && !second.is_empty()).then(|| &stem[..first.len() + 1 + second.len()])
}

/// Removes files; how many were there.
pub(super) async fn remove(paths: Vec<PathBuf>) -> std::io::Result<u64> {
    tokio::task::spawn_blocking(move || {
        let mut removed = 0;
        for path in paths {
            match std::fs::remove_file(&path) {
                Ok(()) => removed += 1,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => {
                    // The file's name may be a secret; its folder is not.
                    let folder = path.parent().unwrap_or(&path).display().to_string();
                    let why = format!("cannot remove a recording in {folder}: {error}");
                    return Err(std::io::Error::new(error.kind(), why));
                }
            }
        }
        Ok(removed)
    })
    .await
    .map_err(std::io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::contact;

    #[test]
    fn messages_belong_to_their_contact() {
        assert_eq!(contact("1a20-fdee"), Some("1a20-fdee"));
        assert_eq!(contact("1a20-fdee-12"), Some("1a20-fdee"));
        assert_eq!(contact("lost+found"), None);
        assert_eq!(contact("-x"), None);
    }
}
