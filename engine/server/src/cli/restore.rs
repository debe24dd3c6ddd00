//! `strowger restore`

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::backup::summary;
use super::token::{change, when};
use super::{Failure, OK, data_folder, own_files, store_of};
use crate::access::EVERY_TENANT;
use crate::runtime::take;
use crate::store::Store;
use crate::store::backup::restore;

/// Puts a backup into an empty data folder, and into an empty database where the project's store is one.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger restore /backups/aurora-monday --project flows/aurora --data /var/lib/strowger-new

Nothing is written over: a data folder or a database that has contacts or recordings is refused. Contacts that were
in progress are closed by the next `strowger serve`, with the reason engine-stopped.

Exit code: 0 done, 2 nothing was restored.")]
pub(super) struct Restore {
    /// A folder that `strowger backup` made.
    folder: PathBuf,
    /// The project whose data it is.
    #[arg(long, short, default_value = ".")]
    project: PathBuf,
    /// Where `strowger serve` will keep it; `PROJECT/.strowger` by default.
    #[arg(long)]
    data: Option<PathBuf>,
}

impl Restore {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        own_files();
        let data = data_folder(self.data, &self.project);
        let place = store_of(&self.project, &data)?;
        let _lock = take(&data)?;
        let restored = restore(&place, &data, &self.folder).await;
        let restored =
            restored.map_err(|error| Failure::cannot(format!("nothing was restored: {error}")))?;
        let store = Store::look(&place).await.map_err(Failure::cannot)?;
        let made_at = restored.made_at;
        let detail = json!({ "made_at": made_at, "version": restored.version });
        let change = change("store.restore", "", EVERY_TENANT, detail);
        let _ = store.audit(&change).await.map_err(Failure::cannot)?;
        store.close().await;
        tell!("{}: {}", data.display(), summary(&restored));
        tell!(
            "tokens and users are as they were at {}: what was revoked or removed since then is good again, so look at `strowger token list` and `strowger user list`",
            when(i64::try_from(made_at).unwrap_or(i64::MAX))
        );
        if !restored.has_checksums() {
            tell!(
                "its recordings were not checked but for their number and size: version {} made this backup, which kept no checksums of them",
                restored.version
            );
        }
        Ok(OK)
    }
}
