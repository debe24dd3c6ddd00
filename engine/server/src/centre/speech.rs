//! Where the speech of each tenant's texts is kept: in a folder of its own, so that none pushes out what another's callers hear.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

fn tenants(data: &Path) -> PathBuf {
    data.join("prompts").join("tenants")
}

/// The folder of a tenant's speech.
pub(super) fn folder(data: &Path, tenant: &str) -> PathBuf {
    tenants(data).join(tenant)
}

/// Removes the speech of tenants that are there no more, and what older engines kept of all tenants in one folder: nobody reads
/// it, and all of it can be spoken again.
pub(super) fn sweep<'t>(data: &Path, names: impl Iterator<Item = &'t String>) {
    let names: BTreeSet<OsString> = names.map(OsString::from).collect();
    let entries = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten();
    let of_all = entries(&data.join("prompts")).filter(|entry| entry.file_name().len() == 2);
    let of_nobody = entries(&tenants(data)).filter(|entry| !names.contains(&entry.file_name()));
    for entry in of_all.chain(of_nobody) {
        if let Err(error) = std::fs::remove_dir_all(entry.path()) {
            tracing::warn!(path = %entry.path().display(), "speech that nobody has any more cannot be removed: {error}");
        }
    }
}
