//! `strowger retention`

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::token::change;
use super::{Failure, Format, OK, data_folder, store_of};
use crate::centre::{Tenants, is_centre};
use crate::clock::Clock;
use crate::project::{Config, ProjectError};
use crate::retention::{Gone, Rules, Sweep};
use crate::store::Store;

/// Removes what `[retention]` says is old, or tells what that would be. `strowger serve` does the same every ten minutes.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger retention -p flows/aurora --dry-run       what would go now
  strowger retention -p flows/aurora                 remove it

Of journals, records and recordings, each has its days and its bound in strowger.toml. Contacts with an error, and the
first of each distinct path, are kept longer (rare_days). What has no table there is kept, but for the audit log, whose lines
go after 400 days unless retention.audit says otherwise. In a centre each tenant is held to what its own file says, and else
to what strowger.toml does.

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
        let rules = match is_centre(&self.project) {
            false => Rules {
                tenant: Some(config.project.name.clone()),
                all: config.retention,
                ..Rules::default()
            },
            true => Rules {
                tenant: None,
                all: config.retention,
                own: Tenants::read(&self.project)
                    .map_err(Failure::cannot)?
                    .tenants
                    .into_iter()
                    .map(|(name, tenant)| (name, tenant.retention))
                    .collect(),
            },
        };
        if !rules.remove_something() {
            eprintln!(
                "strowger.toml says nothing of contacts below [retention]: they are kept, and lines of the audit log for {} days",
                rules.all.audit.unwrap_or_default().days
            );
        }
        let place = store_of(&self.project, &data)?;
        let store = Store::look(&place).await.map_err(Failure::cannot)?;
        let sweep = Sweep {
            store: &store,
            recordings: data.join("recordings"),
            rules: &rules,
            now: Clock::start().now(),
            dry: self.dry_run,
            pause: Duration::ZERO,
        };
        let gone = sweep.run().await.map_err(Failure::cannot)?;
        let touched = || gone.iter().filter(|(_, gone)| **gone != Gone::default());
        if !self.dry_run {
            for (tenant, gone) in touched() {
                let change = change("retention", "", tenant, json!(gone));
                let _ = store.audit(&change).await.map_err(Failure::cannot)?;
            }
        }
        let all: Gone = gone.values().copied().sum();
        let done = match self.dry_run {
            true => "would remove",
            false => "removed",
        };
        match self.format {
            Format::Json => tell!(
                "{}",
                json!({ "dry_run": self.dry_run, "gone": all, "tenants": gone })
            ),
            Format::Text => {
                tell!("{done} {}", told(&all));
                // In a centre, those of whom something goes.
                for (tenant, gone) in touched() {
                    if rules.tenant.is_none() {
                        let tenant = match tenant.as_str() {
                            "" => "of no tenant",
                            tenant => tenant,
                        };
                        tell!("  {tenant}: {}", told(gone));
                    }
                }
            }
        }
        Ok(OK)
    }
}

fn told(gone: &Gone) -> String {
    format!(
        "{} journals, {} records with all else of their contacts, recordings of {} contacts ({} files, {:.1} MB), {} lines of the audit log",
        gone.journals,
        gone.records,
        gone.recordings,
        gone.files,
        gone.bytes as f64 / 1e6,
        gone.audit
    )
}
