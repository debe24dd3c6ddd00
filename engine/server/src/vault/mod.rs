//! The vault: secrets of tenants, such as the keys of services, that plugins use and nobody reads.
//!
//! A value comes in from the operator and leaves in requests to the hosts it is bound to. In the store it is sealed by a
//! master key that is not there: in a file, or in the environment.

mod exchange;
mod key;

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use strowger_contact::call::{CallError, VAULT};

pub use key::{MasterKey, Place};

use exchange::{Exchange, before};

use crate::effects::Secret;
use crate::project::{VaultSection, is_service};
use crate::store::{AccessError, Audited, Change, SealedBy, Store, StoreError, VaultRow};

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
    /// An entry is sealed by another key than the one that is there.
    #[error(
        "`{name}` in the vault of {tenant} was sealed by the master key {key}, and the one in {place} is {there}: give back the key that it was sealed with{hint}"
    )]
    OtherKey {
        /// Whose the entry is.
        tenant: Box<str>,
        /// Its name.
        name: Box<str>,
        /// The id of its key.
        key: Box<str>,
        /// The id of the key that is there.
        there: Box<str>,
        /// Where that one is.
        place: Box<str>,
        /// Where the entry's own is, if that is known.
        hint: Box<str>,
    },
    /// A name, a value or a host.
    #[error("{0}")]
    Entry(String),
    /// A limit; the text says what to do.
    #[error("{0}")]
    Limit(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<AccessError> for VaultError {
    fn from(error: AccessError) -> VaultError {
        match error {
            AccessError::Limit(why) => VaultError::Limit(why),
            AccessError::Store(error) => error.into(),
        }
    }
}

/// A value that is to be kept.
pub struct NewEntry<'a> {
    tenant: &'a str,
    name: &'a str,
    hosts: Vec<String>,
    value: &'a str,
}

impl<'a> NewEntry<'a> {
    /// One whose name, hosts and value may be so; why not.
    pub fn of(
        tenant: &'a str,
        name: &'a str,
        hosts: &[String],
        value: &'a str,
    ) -> Result<NewEntry<'a>, VaultError> {
        check_name(name).map_err(VaultError::Entry)?;
        let hosts = checked_hosts(hosts).map_err(VaultError::Entry)?;
        check_value(value).map_err(VaultError::Entry)?;
        Ok(NewEntry {
            tenant,
            name,
            hosts,
            value,
        })
    }

    /// Where it may be sent.
    pub fn hosts(&self) -> &[String] {
        &self.hosts
    }

    /// Whether it comes in place of an entry.
    fn replaces(&self, entry: &SealedBy) -> bool {
        self.tenant == entry.tenant && self.name == entry.name
    }
}

/// Which entries have to be of the key that a new one is sealed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Like {
    /// All that are there: whoever started the engine did so before the key was changed.
    All,
    /// Those that stay. What is replaced may be of a key that is lost, and where nothing else is there whoever starts the
    /// program now says which key is the one.
    TheRest,
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

    /// Whether what is in the store can be opened; why not, in one sentence.
    pub async fn check(&self, store: &Store) -> Result<(), VaultError> {
        for row in store.vault(None).await? {
            self.value(&row)?;
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

    /// The key as it is now where it comes from, for this and all that follows.
    fn read_again(&self) -> Result<Arc<MasterKey>, VaultError> {
        let key = self.source.read().map_err(VaultError::Key)?;
        *self.key.write().unwrap_or_else(PoisonError::into_inner) = Ok(key.clone());
        Ok(key)
    }

    /// Keeps a value, sealed with the key that the entries have that are there: no engine could start with two.
    pub async fn set(
        &self,
        store: &Store,
        entry: &NewEntry<'_>,
        like: Like,
        change: &Change,
    ) -> Result<(VaultRow, Audited), VaultError> {
        let seal = |there: &[SealedBy]| self.seal(entry, like, there, change);
        store.set_vault_entry(change, seal).await
    }

    fn seal(
        &self,
        entry: &NewEntry<'_>,
        like: Like,
        there: &[SealedBy],
        change: &Change,
    ) -> Result<VaultRow, VaultError> {
        // Another program may have changed it, and where nothing is in the vault no entry says so.
        let key = self.read_again()?;
        let stays = |other: &&SealedBy| !entry.replaces(other);
        let alone = !there.iter().any(|other| stays(&other));
        // Not lost: everything is being sealed anew, or that broke off.
        let kept = |other: &SealedBy| self.kept_before(&other.key).is_some();
        let mut alike = there
            .iter()
            .filter(|other| stays(other) || alone && (like == Like::All || kept(other)));
        if let Some(other) = alike.find(|other| other.key != key.id()) {
            return Err(self.other_key(other, &key));
        }
        let hosts = serde_json::Value::from(entry.hosts.as_slice()).to_string();
        let place = Place {
            tenant: entry.tenant,
            name: entry.name,
            hosts: &hosts,
        };
        Ok(VaultRow {
            tenant: entry.tenant.to_owned(),
            name: entry.name.to_owned(),
            key: key.id().to_owned(),
            sealed: key.seal(place, entry.value),
            set_at: i64::try_from(change.at).unwrap_or(i64::MAX),
            set_by: change.who.clone(),
            hosts,
        })
    }

    /// Where the key of this id is kept that was there before, as long as it is needed.
    fn kept_before(&self, id: &str) -> Option<PathBuf> {
        let old = before(self.file()?);
        let kept = MasterKey::read(&old).is_ok_and(|key| key.id() == id);
        kept.then_some(old)
    }

    /// That an entry is not of the key that is there.
    fn other_key(&self, entry: &SealedBy, there: &MasterKey) -> VaultError {
        let kept = self.kept_before(&entry.key);
        let hint = kept.map_or_else(String::new, |old| {
            format!(", which is in {}", old.display())
        });
        VaultError::OtherKey {
            tenant: entry.tenant.as_str().into(),
            name: entry.name.as_str().into(),
            key: entry.key.as_str().into(),
            there: there.id().into(),
            place: match self.file() {
                Some(file) => file.display().to_string().into(),
                None => KEY_VARIABLE.into(),
            },
            hint: hint.into(),
        }
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
            return Err(self.other_key(&row.sealed_by(), &key));
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
        let entry = async || {
            let row = store.vault_entry(tenant, name).await;
            let row = row.map_err(|error| unable(error.to_string()))?;
            row.ok_or_else(|| unable("nothing of this name is in the vault".into()))
        };
        let mut row = entry().await?;
        let mut text = self.value(&row);
        if matches!(text, Err(VaultError::OtherKey { .. })) {
            // It was read before everything was sealed anew, and the key after.
            row = entry().await?;
            text = self.value(&row);
        }
        let text = text.map_err(|error| {
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
    ///
    /// The file has the new key before anybody can see that an entry is of it, so whoever finds another key at an entry than
    /// they know finds that key in the file. The one before is kept beside it until the store has all.
    pub async fn rekey(
        &self,
        store: &Store,
        new: &Path,
        change: &Change,
    ) -> Result<usize, VaultError> {
        let key = MasterKey::read(new).map_err(VaultError::Key)?;
        let mut exchange = None;
        let seal = |row: &VaultRow| {
            let value = self.value(row)?;
            Ok(key.seal(row.place(), &value))
        };
        let ready = || {
            if let Some(file) = self.file() {
                exchange = Some(Exchange::begin(new, file)?);
            }
            Ok(())
        };
        let done = store.rekey_vault(key.id(), change, seal, ready).await;
        let Some(exchange) = exchange else {
            return done.map(|(entries, _)| entries);
        };
        let error = match done {
            Ok((entries, _)) => return exchange.end().map(|()| entries),
            Err(error) => error,
        };
        // That it ended may not have been heard.
        match store.vault(None).await {
            Ok(rows) if !rows.is_empty() && rows.iter().all(|row| row.key == key.id()) => {
                exchange.end().map(|()| rows.len())
            }
            Ok(_) => exchange.undo().and(Err(error)),
            Err(_) => Err(exchange.unknown(&error)),
        }
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
