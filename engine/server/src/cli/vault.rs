//! `strowger vault`

use std::io::Read as _;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::token::{Of, change, known_tenant, when};
use super::{FOUND, Failure, OK, config_of};
use crate::access::is_scope;
use crate::project::VaultSection;
use crate::store::Store;
use crate::vault::{Like, MOST_BYTES, MasterKey, NewEntry, Vault, check_name};

/// Keeps secrets that plugins use and nobody reads, while the engine may be running.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger vault key vault.key                         then vault.key_file = \"vault.key\" in strowger.toml
  strowger vault set orders-api-key --tenant aurora --host orders.example:443 <key.txt
  strowger vault list --tenant aurora
  strowger vault remove orders-api-key --tenant aurora
  strowger vault rekey --new-key next.key

A plugin that is granted an entry (grants.vault) puts it into requests to the entry's hosts as `vault:NAME`; it does not
see it, and nothing prints it. A value is read from stdin or a file, never from the command line, which others can see.

Exit code: 0 done, 1 there is no such entry, 2 it cannot be done.")]
pub(super) struct VaultArguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Make a master key in a new file.
    Key(Key),
    /// Keep a value, in place of the one of its name.
    Set(Set),
    /// List names and hosts.
    List(List),
    /// Remove an entry.
    Remove(Remove),
    /// Seal everything with another master key.
    Rekey(Rekey),
}

#[derive(Debug, Args)]
struct Key {
    /// Where it goes; a file that is there is kept.
    file: PathBuf,
}

#[derive(Debug, Args)]
struct Set {
    /// Its name.
    name: String,
    /// Whose it is: the project's name.
    #[arg(long)]
    tenant: String,
    /// Where the value may be sent, `host:port`; may stand several times.
    #[arg(long = "host", required = true)]
    hosts: Vec<String>,
    /// The file with the value; stdin by default. Its first line counts.
    #[arg(long)]
    file: Option<PathBuf>,
    #[command(flatten)]
    of: Of,
}

#[derive(Debug, Args)]
struct List {
    /// Of one tenant; of all by default.
    #[arg(long)]
    tenant: Option<String>,
    #[command(flatten)]
    of: Of,
}

#[derive(Debug, Args)]
struct Remove {
    /// Its name.
    name: String,
    /// Whose it is.
    #[arg(long)]
    tenant: String,
    #[command(flatten)]
    of: Of,
}

#[derive(Debug, Args)]
struct Rekey {
    /// The file with the new key. Where the old one is in vault.key_file, the new one is put there.
    #[arg(long, value_name = "FILE")]
    new_key: PathBuf,
    #[command(flatten)]
    of: Of,
}

/// The vault of a folder, and its store.
async fn open(of: Of) -> Result<(Vault, Store), Failure> {
    let folder = of.folder();
    let section = config_of(folder)?.map_or_else(VaultSection::default, |config| config.vault);
    let vault = Vault::of(&section, folder);
    Ok((vault, of.store().await?))
}

impl VaultArguments {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        match self.what {
            What::Key(key) => key.run(),
            What::Set(set) => set.run().await,
            What::List(list) => list.run().await,
            What::Remove(remove) => remove.run().await,
            What::Rekey(rekey) => rekey.run().await,
        }
    }
}

impl Key {
    fn run(self) -> Result<u8, Failure> {
        MasterKey::make(&self.file).map_err(|error| {
            Failure::cannot(format!("cannot make {}: {error}", self.file.display()))
        })?;
        eprintln!(
            "a master key is in {0}: keep a copy where no backup of the data is; name it by vault.key_file = \"{0}\" below [vault] in strowger.toml",
            self.file.display()
        );
        Ok(OK)
    }
}

/// A vault belongs to one tenant, never to the whole centre.
fn one_tenant(tenant: &str) -> Result<(), Failure> {
    if is_scope(tenant) && tenant != crate::access::EVERY_TENANT {
        return Ok(());
    }
    Err(Failure::cannot(format!(
        "--tenant `{}` is no tenant: give its project.name",
        tenant.escape_debug()
    )))
}

impl Set {
    async fn run(self) -> Result<u8, Failure> {
        one_tenant(&self.tenant)?;
        known_tenant(&self.tenant, self.of.folder())?;
        check_name(&self.name).map_err(Failure::cannot)?;
        let value = value(self.file.as_deref())?;
        let (vault, store) = open(self.of).await?;
        let entry = NewEntry::of(&self.tenant, &self.name, &self.hosts, &value);
        let entry = entry.map_err(Failure::cannot)?;
        let detail = json!({ "hosts": entry.hosts() });
        let change = change("vault.set", &self.name, &self.tenant, detail);
        let kept = vault.set(&store, &entry, Like::TheRest, &change).await;
        let (row, _) = kept.map_err(Failure::cannot)?;
        store.close().await;
        eprintln!(
            "{} is in the vault of {}, for {}",
            row.name,
            row.tenant,
            row.hosts().join(", ")
        );
        Ok(OK)
    }
}

/// The first line of a file or of stdin, without its end.
fn value(file: Option<&std::path::Path>) -> Result<String, Failure> {
    let shown = file.map_or("stdin".to_owned(), |file| file.display().to_string());
    let unreadable = |error| Failure::cannot(format!("cannot read {shown}: {error}"));
    // One byte more than may be, and the end of the line.
    let most = MOST_BYTES as u64 + 3;
    let mut bytes = Vec::new();
    match file {
        Some(file) => std::fs::File::open(file)
            .and_then(|file| file.take(most).read_to_end(&mut bytes))
            .map_err(unreadable)?,
        None => std::io::stdin()
            .take(most)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?,
    };
    let line = bytes.split(|byte| *byte == b'\n').next();
    let line = line.unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    String::from_utf8(line.to_vec())
        .map_err(|_| Failure::cannot(format!("the value in {shown} is no UTF-8 text")))
}

impl List {
    async fn run(self) -> Result<u8, Failure> {
        let store = self.of.store().await?;
        let rows = store.vault(self.tenant.as_deref()).await;
        for row in rows.map_err(Failure::cannot)? {
            tell!(
                "{}  {}  {}  set {} by {}",
                row.tenant,
                row.name,
                row.hosts().join(","),
                when(row.set_at),
                row.set_by
            );
        }
        store.close().await;
        Ok(OK)
    }
}

impl Remove {
    async fn run(self) -> Result<u8, Failure> {
        one_tenant(&self.tenant)?;
        let store = self.of.store().await?;
        let change = change("vault.remove", &self.name, &self.tenant, json!({}));
        let removed = store
            .remove_vault_entry(&self.tenant, &self.name, &change)
            .await
            .map_err(Failure::cannot)?;
        store.close().await;
        match removed {
            Some(_) => Ok(OK),
            None => Err(Failure::new(
                FOUND,
                format!(
                    "there is no `{}` in the vault of {}; `strowger vault list` shows what there is",
                    self.name.escape_debug(),
                    self.tenant
                ),
            )),
        }
    }
}

impl Rekey {
    async fn run(self) -> Result<u8, Failure> {
        let (vault, store) = open(self.of).await?;
        let change = change("vault.rekey", "*", crate::access::EVERY_TENANT, json!({}));
        let entries = vault.rekey(&store, &self.new_key, &change).await;
        let entries = entries.map_err(Failure::cannot)?;
        store.close().await;
        let further = match vault.file() {
            Some(file) => format!("which is in {} now", file.display()),
            None => format!(
                "set {} to it and start the engine again",
                crate::vault::KEY_VARIABLE
            ),
        };
        eprintln!(
            "{entries} entries are sealed with the key of {}, {further}",
            self.new_key.display()
        );
        Ok(OK)
    }
}
