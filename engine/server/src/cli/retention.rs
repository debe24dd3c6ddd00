//! `strowger retention`

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::{Failure, Format, OK, data_folder, store_of};
use crate::centre::is_centre;
use crate::clock::Clock;
use crate::project::{Config, ProjectError};
use crate::retention::Sweep;
use crate::store::Store;

/// Removes what `[retention]` says is old, or tells what that would be. `strowger serve` does the same every ten minutes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger retention -p flows/aurora --dry-run       what would go now
  strowger retention -p flows/aurora                 remove it

Of journals, records and recordings, each has its days and its bound in strowger.toml. Contacts with an error, and the
first of each distinct path, are kept longer (rare_days). What has no table there is kept, but for the audit log, whose lines
go after 400 days unless retention.audit says otherwise.

Exit code: 0 done, 2 it could not be done.")]
pub(super) struct Retention {
    /// The project whose contacts they are.
    #[arg(long, short, default_value = ".")]
    project: PathBuf,
    /// Where `strowger serve` keeps them; `PROJECT/.strowger` by default.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Remove nothing.
    #[arg(long)]
    dry_run: bool,
    /// How the result is written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

impl Retention {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        let data = data_folder(self.data, &self.project);
        let source = Config::source(&self.project).map_err(ProjectError::from)?;
        let config = Config::parse(&source).map_err(ProjectError::from)?;
        if config.retention.rules().iter().all(Option::is_none) {
            eprintln!(
                "strowger.toml says nothing of contacts below [retention]: they are kept, and lines of the audit log for {} days",
                config.retention.audit.days
            );
        }
        // What a centre says holds for all its tenants.
        let tenant = (!is_centre(&self.project)).then(|| config.project.name.clone());
        let place = store_of(&self.project, &data)?;
        let store = Store::look(&place).await.map_err(Failure::cannot)?;
        let sweep = Sweep {
            store: &store,
            tenant: tenant.as_deref(),
            recordings: data.join("recordings"),
            rules: &config.retention,
            now: Clock::start().now(),
            dry: self.dry_run,
            pause: Duration::ZERO,
        };
        let gone = sweep.run().await.map_err(Failure::cannot)?;
        match self.format {
            Format::Json => tell!("{}", json!({ "dry_run": self.dry_run, "gone": gone })),
            Format::Text => tell!(
                "{} {} journals, {} records with all else of their contacts, recordings of {} contacts ({} files, {:.1} MB), {} lines of the audit log",
                if self.dry_run {
                    "would remove"
                } else {
                    "removed"
                },
                gone.journals,
                gone.records,
                gone.recordings,
                gone.files,
                gone.bytes as f64 / 1e6,
                gone.audit
            ),
        }
        Ok(OK)
    }
}
