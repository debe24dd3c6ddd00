//! `strowger forget`

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use strowger_flow::unseen::quoted;

use super::{FOUND, Failure, Format, OK, data_folder, store_of, whoever};
use crate::clock::Clock;
use crate::retention::{Elsewhere, Forgetting, Forgotten, Number, forget};
use crate::store::Store;

/// Removes everything of a telephone number: its contacts with their journals, records and recordings.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger forget +8613800138000 -p flows/aurora --dry-run        what there is of the number
  strowger forget +8613800138000 -p flows/aurora                  remove it
  strowger forget +8613800138000 -p flows/aurora --mentioned      also contacts in which the number was only named
  strowger forget 030123456 --country 49 -p flows/aurora --keys   a German number, also as dialled there; plugins' keys go too

The engine may be running. A run that was cut off is finished by running the same again. A line stays in the audit log
that says who, when and how much, with a keyed hash in place of the number. Left alone, and told: contacts that still last,
contacts whose recordings lie in the data folder of another engine on the same database (run the same there), and without --keys plugins' own data. Not looked into: log files, backups, speech in prompts/ (its texts are hashed), what other services keep.

Exit code: 0 nothing of it is left, 1 something is (contacts that last, that mention the number or whose recordings are elsewhere, keys of plugins), 2 it could not be done.")]
pub(super) struct Forget {
    /// The number: with `+` or `00` and the country's code, or as it is dialled in the country that --country says.
    number: String,
    /// The number's country by its code, such as 49: the number as it is dialled there is then the number too.
    #[arg(long, value_name = "CODE")]
    country: Option<String>,
    /// The project whose contacts they are.
    #[arg(long, short, default_value = ".")]
    project: PathBuf,
    /// Where `strowger serve` keeps them; `PROJECT/.strowger` by default.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Contacts of this tenant; every tenant's by default.
    #[arg(long)]
    tenant: Option<String>,
    /// Also remove contacts from and to others whose journal or record has the number's digits.
    #[arg(long)]
    mentioned: bool,
    /// Also remove keys of plugins that have the number's digits in name or value. They are the plugins' own: know what they
    /// are for before.
    #[arg(long)]
    keys: bool,
    /// Remove nothing.
    #[arg(long)]
    dry_run: bool,
    /// How the result is written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

impl Forget {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        let country = self.country.as_deref();
        let number = Number::read(&self.number, country).map_err(Failure::cannot)?;
        if number.as_written() {
            eprintln!(
                "the country of {} is not known: only what is written in the same way is taken for the number; say --country, such as --country 49, for the rest",
                number.digits()
            );
        }
        let data = data_folder(self.data.clone(), &self.project);
        let place = store_of(&self.project, &data)?;
        let store = Store::look(&place).await.map_err(Failure::cannot)?;
        if let Some(tenant) = &self.tenant {
            known(&store, tenant).await?;
        }
        let forgetting = Forgetting {
            store: &store,
            data: &data,
            number: &number,
            tenant: self.tenant.as_deref(),
            mentioned: self.mentioned,
            keys: self.keys,
            dry: self.dry_run,
            who: &whoever(),
            now: Clock::start().now(),
        };
        let forgotten = forget(&forgetting).await.map_err(Failure::cannot)?;
        store.close().await;
        match self.format {
            Format::Json => tell!(
                "{}",
                json!({ "dry_run": self.dry_run, "forgotten": forgotten })
            ),
            Format::Text => self.print(&forgotten),
        }
        let named = forgotten.mentioned > 0 && !self.mentioned;
        let keys = !forgotten.keys.is_empty() && !self.keys;
        let left = forgotten.lasting > 0 || !forgotten.elsewhere.is_empty();
        Ok(match left || named || keys {
            true => FOUND,
            false => OK,
        })
    }

    fn print(&self, forgotten: &Forgotten) {
        let (would, removed) = match self.dry_run {
            true => ("would be ", "would be removed"),
            false => ("", "removed"),
        };
        tell!(
            "{} contacts from or to the number {removed}",
            forgotten.contacts
        );
        match (forgotten.mentioned, self.mentioned) {
            (0, _) => {}
            (count, true) => tell!("{count} contacts that mention it {removed}"),
            (count, false) => tell!(
                "{count} contacts from and to others mention it and {would}left: look at them, or add --mentioned"
            ),
        }
        tell!("{} files of recordings {removed}", forgotten.recordings);
        if forgotten.lasting > 0 {
            tell!(
                "{} contacts still last and {would}left: run the same again when they are over",
                forgotten.lasting
            );
        }
        for Elsewhere { contact, folder } in &forgotten.elsewhere {
            tell!(
                "contact {contact} {would}left: its recordings are in {folder}; run the same where that is, with the data folder \
                 that it is in as --data"
            );
        }
        for (plugin, keys) in &forgotten.keys {
            match self.keys {
                true => tell!("{keys} keys of plugin `{plugin}` with its digits {removed}"),
                false => tell!(
                    "{keys} keys of plugin `{plugin}` have its digits and {would}left: they are the plugin's own; --keys removes them"
                ),
            }
        }
        if let Some(hash) = &forgotten.number_hash {
            tell!("noted as {}", &hash[..16]);
        }
    }
}

/// Whether the store has anything of a tenant: a slip in its name must not pass for a number that is forgotten.
async fn known(store: &Store, tenant: &str) -> Result<(), Failure> {
    let tenants = store.tenants_with_data().await.map_err(Failure::cannot)?;
    if tenants.iter().any(|known| known == tenant) {
        return Ok(());
    }
    let there = match tenants.is_empty() {
        true => "of none".to_owned(),
        false => format!("of {}", tenants.join(", ")),
    };
    let shown = quoted(tenant);
    Err(Failure::cannot(format!(
        "nothing is kept of a tenant `{shown}`, only {there}: correct --tenant, or leave it out"
    )))
}
