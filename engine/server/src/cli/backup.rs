//! `strowger backup`

use std::path::PathBuf;

use clap::Args;

use super::{Failure, OK, data_folder, own_files, store_of};
use crate::store::backup::{Manifest, backup};

/// Copies all data of a project, contacts, journals, plugins' data and recordings, while its engine may be running.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger backup /backups/aurora-monday --project flows/aurora
  strowger backup /backups/aurora-monday --project flows/aurora --data /var/lib/strowger

The folder is new; nothing is written over. It holds strowger.db, the store as it was at one moment, recordings/, and
backup.json, which says what is in it. A store in PostgreSQL is copied into the same form, so `strowger restore` can
also take a project from one to the other. Prompts and compiled plugins are caches, and made anew.

Exit code: 0 done, 2 there is no backup.")]
pub(super) struct Backup {
    /// The folder to make.
    folder: PathBuf,
    /// The project whose data it is.
    #[arg(long, short, default_value = ".")]
    project: PathBuf,
    /// Where `strowger serve` keeps it; `PROJECT/.strowger` by default.
    #[arg(long)]
    data: Option<PathBuf>,
}

impl Backup {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        own_files();
        let data = data_folder(self.data, &self.project);
        let place = store_of(&self.project, &data)?;
        let made = backup(&place, &data, &self.folder).await;
        let made = made.map_err(|error| Failure::cannot(format!("no backup was made: {error}")))?;
        tell!("{}: {}", self.folder.display(), summary(&made));
        Ok(OK)
    }
}

/// What is in a backup.
pub(super) fn summary(manifest: &Manifest) -> String {
    format!(
        "{} contacts, {} keys of plugins, {} recordings ({:.1} MB)",
        manifest.contacts,
        manifest.keys,
        manifest.recordings,
        manifest.recordings_bytes as f64 / 1e6
    )
}
