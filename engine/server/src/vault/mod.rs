//! The vault: secrets of tenants, such as the keys of services, that plugins use and nobody reads.
//!
//! A value comes in from the operator and leaves in requests to the hosts it is bound to. In the store it is sealed by a
//! master key that is not there: in a file, or in the environment.

mod key;

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use strowger_contact::call::{CallError, VAULT};

pub use key::{MasterKey, Place};

use crate::effects::Secret;
use crate::project::{VaultSection, is_service};
use crate::store::{Store, StoreError, VaultRow};

/// The variable with the master key, in base64.
pub const KEY_VARIABLE: &str = "STROWGER_VAULT_KEY";
/// Shortest value, in bytes: what is shorter cannot be told from chance in a response.
pub const LEAST_BYTES: usize = 8;
/// Longest value, in bytes.
pub const MOST_BYTES: usize = 8 << 10;
/// Most hosts of an entry.
pub const MOST_HOSTS: usize = 16;
/// Longest name, in characters.
pub const MOST_NAME: usize = 64;

/// Where the master key comes from, and the key as it was read last.
#[derive(Debug)]
pub struct Vault {
    source: Source,
    key: RwLock<Result<Arc<MasterKey>, String>>,
}

#[derive(Debug, Clone)]
enum Source {
    Nowhere,
    Variable,
    File(PathBuf),
}

/// Why a vault cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The key.
    #[error("{0}")]
    Key(String),
    /// A name, a value or a host.
    #[error("{0}")]
    Entry(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Source {
    fn read(&self) -> Result<Arc<MasterKey>, String> {
        let key = match self {
            Source::Nowhere => Err(format!(
                "there is no master key: name a file of `strowger vault key` by vault.key_file in strowger.toml, or set {KEY_VARIABLE}"
            )),
            Source::Variable => {
                let text = std::env::var(KEY_VARIABLE).unwrap_or_default();
                MasterKey::parse(&text).map_err(|why| format!("{KEY_VARIABLE} {why}"))
            }
            Source::File(path) => MasterKey::read(path),
        };
        key.map(Arc::new)
    }
}

impl Vault {
    /// The vault whose key a project's `strowger.toml` or the environment names. That the key cannot be used matters once
    /// something is in the vault.
    pub fn of(section: &VaultSection, project: &Path) -> Vault {
        let source = match (&section.key_file, std::env::var_os(KEY_VARIABLE)) {
            // The environment is closer to whoever starts the engine.
            (_, Some(_)) => Source::Variable,
            (Some(file), None) => Source::File(project.join(file)),
            (None, None) => Source::Nowhere,
        };
        let key = RwLock::new(source.read());
        Vault { source, key }
    }

    /// Whether what is in the store can be opened; why not, in one sentence. `but` is the tenant and the name of an entry that is about to be
    /// replaced.
    pub async fn check(&self, store: &Store, but: Option<(&str, &str)>) -> Result<(), VaultError> {
        for row in store.vault(None).await? {
            if but != Some((&row.tenant, &row.name)) {
                self.value(&row)?;
            }
        }
        Ok(())
    }

    /// The key; why there is none.
    pub fn key(&self) -> Result<Arc<MasterKey>, VaultError> {
        let key = self.key.read().unwrap_or_else(PoisonError::into_inner);
        key.clone().map_err(VaultError::Key)
    }

    /// The file that the key is in, where it is in one.
    pub(crate) fn file(&self) -> Option<&Path> {
        match &self.source {
            Source::File(path) => Some(path),
            _ => None,
        }
    }

    /// Seals a value as an entry, which is still to be kept.
    pub fn seal(
        &self,
        tenant: &str,
        name: &str,
        hosts: &[String],
        value: &str,
        by: (&str, u64),
    ) -> Result<VaultRow, VaultError> {
        check_name(name).map_err(VaultError::Entry)?;
        let hosts = checked_hosts(hosts).map_err(VaultError::Entry)?;
        check_value(value).map_err(VaultError::Entry)?;
        let hosts = serde_json::Value::from(hosts).to_string();
        let key = self.key()?;
        let place = Place {
            tenant,
            name,
            hosts: &hosts,
        };
        let sealed = key.seal(place, value);
        Ok(VaultRow {
            tenant: tenant.to_owned(),
            name: name.to_owned(),
            key: key.id().to_owned(),
            sealed,
            set_at: i64::try_from(by.1).unwrap_or(i64::MAX),
            set_by: by.0.to_owned(),
            hosts,
        })
    }

    /// What is sealed in an entry. A key that was changed meanwhile is read again.
    pub(crate) fn value(&self, row: &VaultRow) -> Result<String, VaultError> {
        let mut key = self.key();
        if !key.as_ref().is_ok_and(|key| key.id() == row.key) {
            *self.key.write().unwrap_or_else(PoisonError::into_inner) = self.source.read();
            key = self.key();
        }
        let key = key.map_err(|error| {
            VaultError::Key(format!(
                "the vault of {} has `{}`, and {error}",
                row.tenant, row.name
            ))
        })?;
        if key.id() != row.key {
            return Err(VaultError::Key(format!(
                "`{}` in the vault of {} was sealed by the master key {}, and the one that is there is {}: give back the key that it was sealed with",
                row.name,
                row.tenant,
                row.key,
                key.id()
            )));
        }
        key.open(row.place(), &row.sealed).ok_or_else(|| {
            VaultError::Key(format!(
                "`{}` in the vault of {} was changed in the store and cannot be opened: set it again",
                row.name, row.tenant
            ))
        })
    }

    /// An entry for a request of a tenant's plugin.
    pub(crate) async fn secret(
        &self,
        store: Option<&Store>,
        tenant: &str,
        name: &str,
    ) -> Result<Secret, CallError> {
        let unable = |why: String| CallError::Unavailable(format!("vault {name}: {why}"));
        let store = store.ok_or_else(|| unable("this engine keeps nothing".into()))?;
        let row = store.vault_entry(tenant, name).await;
        let row = row.map_err(|error| unable(error.to_string()))?;
        let row = row.ok_or_else(|| unable("nothing of this name is in the vault".into()))?;
        let text = self.value(&row).map_err(|error| {
            // The guest need not know of keys; the operator has to.
            tracing::error!(%tenant, "{error}");
            unable("it cannot be opened; the engine's log says why".into())
        })?;
        Ok(Secret {
            handle: format!("{VAULT}{name}"),
            text,
            hosts: Some(row.hosts()),
        })
    }

    /// Seals everything anew with the key in another file, and puts that key where this one was, if that is a file. How
    /// many entries there were.
    pub async fn rekey(
        &self,
        store: &Store,
        new: &Path,
        change: &crate::store::Change,
    ) -> Result<usize, VaultError> {
        let key = MasterKey::read(new).map_err(VaultError::Key)?;
        let mut rows = store.vault(None).await?;
        for row in &mut rows {
            let value = self.value(row)?;
            row.sealed = key.seal(row.place(), &value);
            row.key = key.id().to_owned();
        }
        let _ = store.rekey_vault(key.id(), &rows, change).await?;
        if let Some(file) = self.file() {
            key::replace(new, file).map_err(|error| {
                VaultError::Key(format!(
                    "everything is sealed with the key in {new} now, and it cannot be put into {file}: {error}; do that by hand",
                    new = new.display(),
                    file = file.display()
                ))
            })?;
        }
        Ok(rows.len())
    }
}

/// Whether a text can be an entry's name.
pub fn check_name(name: &str) -> Result<(), String> {
    let mut letters = name.chars();
    let first = letters.next().is_some_and(|c| c.is_ascii_lowercase());
    let rest = letters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c));
    if first && rest && name.len() <= MOST_NAME {
        return Ok(());
    }
    Err(format!(
        "an entry's name is lower-case letters, digits and -_., a letter first, at most {MOST_NAME}"
    ))
}

fn checked_hosts(hosts: &[String]) -> Result<Vec<String>, String> {
    if hosts.is_empty() || hosts.len() > MOST_HOSTS {
        return Err(format!(
            "an entry is for 1 to {MOST_HOSTS} hosts: name those that its value may be sent to, such as api.example:443"
        ));
    }
    // By its number: what stands there by mistake may be the value.
    let wrong = hosts.iter().position(|host| !is_service(host));
    if let Some(wrong) = wrong {
        let number = wrong + 1;
        return Err(format!(
            "host {number} of the entry is not a host and a port, such as api.example:443"
        ));
    }
    let mut hosts: Vec<String> = hosts.iter().map(|host| host.to_ascii_lowercase()).collect();
    hosts.sort();
    hosts.dedup();
    Ok(hosts)
}

fn check_value(value: &str) -> Result<(), String> {
    if !(LEAST_BYTES..=MOST_BYTES).contains(&value.len()) {
        return Err(format!(
            "a value has {LEAST_BYTES} to {MOST_BYTES} bytes: a shorter one could not be told from chance in a response"
        ));
    }
    if value.chars().any(char::is_control) {
        return Err("a value is one line of text without control characters".to_owned());
    }
    Ok(())
}
