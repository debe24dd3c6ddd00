//! Forgetting a number: everything of its contacts goes, and a line stays that says so without the number.
//!
//! Done again it does the same: a run that was cut off is finished by the next one. Files go before their rows, and rows
//! of a contact in one transaction, so nothing is left that no row leads to.

use std::collections::BTreeMap;
use std::path::Path;

use hmac::{Hmac, Mac};
use serde::Serialize;
use serde_json::json;
use sha2::Sha256;

use super::files::{Files, recordings, remove};
use super::number::{Number, NumberError};
use crate::access::Role;
use crate::project::hex;
use crate::store::{Change, Foreign, Oblivion, Outcome, Store, StoreError, Swept, Traces};
use crate::whole::write_new;

/// Contacts of one transaction.
const BATCH: usize = 32;
/// Where the key of the audit lines is kept, in the data folder.
const KEY_FILE: &str = "forget.key";

/// Why a number is not forgotten.
#[derive(Debug, thiserror::Error)]
pub enum ForgetError {
    /// It is none.
    #[error(transparent)]
    Number(#[from] NumberError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file.
    #[error("{0}; run the same again when that is repaired: what is left is found")]
    Files(#[from] std::io::Error),
}

/// What is forgotten, and where.
pub struct Forgetting<'a> {
    /// The store.
    pub store: &'a Store,
    /// The data folder.
    pub data: &'a Path,
    /// The number.
    pub number: &'a Number,
    /// Whose contacts; every tenant's by default.
    pub tenant: Option<&'a str>,
    /// Contacts that only mention the number go too.
    pub mentioned: bool,
    /// Keys of plugins that have the number's digits go too.
    pub keys: bool,
    /// Nothing is removed.
    pub dry: bool,
    /// Who does it, for the audit log.
    pub who: &'a str,
    /// Milliseconds since 1970.
    pub now: u64,
}

/// A contact whose recordings another engine has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Elsewhere {
    /// The contact.
    pub contact: String,
    /// The folder that they are in.
    pub folder: String,
}

/// What was forgotten.
#[derive(Debug, Default, Serialize)]
pub struct Forgotten {
    /// Contacts from or to the number that were, or would be, removed.
    pub contacts: u64,
    /// Other contacts whose journal or record has its digits, as when it was entered or told by a service: those that were, or
    /// would be, removed, or else all that were left.
    pub mentioned: u64,
    /// Whether those were, or would be, removed too.
    pub mentioned_removed: bool,
    /// Files of recordings.
    pub recordings: u64,
    /// Contacts that still last, and were left; those that only mention the number are among them where such were to go.
    pub lasting: u64,
    /// Contacts whose recordings lie in the data folder of another engine, and that were left: their rows alone know of them.
    pub elsewhere: Vec<Elsewhere>,
    /// Keys of plugins that have the digits in name or value, by plugin.
    pub keys: Vec<(String, u64)>,
    /// Whether those were, or would be, removed: they are the plugins' own.
    pub keys_removed: bool,
    /// The keyed hash that stands for the number in the audit line.
    pub number_hash: Option<String>,
}

/// Finds everything of a number and removes it.
pub async fn forget(what: &Forgetting<'_>) -> Result<Forgotten, ForgetError> {
    let Forgetting { store, number, .. } = *what;
    let mut forgotten = Forgotten {
        mentioned_removed: what.mentioned,
        keys_removed: what.keys,
        ..Forgotten::default()
    };
    let mut of_number = Vec::new();
    let mut mentions = Vec::new();
    let mut after = String::new();
    while let Some((last, found)) = store.sought_after(&after, number, what.tenant).await? {
        after = last;
        of_number.extend(found.own);
        mentions.extend(found.mentions);
    }
    let mut files = recordings(&what.data.join("recordings")).await?;
    let own = Parted::of(of_number, what, &files);
    forgotten.contacts = own.over.len() as u64;
    let parts = match what.mentioned {
        true => {
            let others = Parted::of(mentions, what, &files);
            forgotten.mentioned = others.over.len() as u64;
            own.with(others)
        }
        false => {
            forgotten.mentioned = mentions.len() as u64;
            own
        }
    };
    let Parted {
        over,
        lasting,
        elsewhere,
    } = parts;
    forgotten.lasting = lasting;
    forgotten.elsewhere = elsewhere;
    let keys = store.keys_with(number, what.tenant).await?;
    for key in &keys {
        match forgotten
            .keys
            .last_mut()
            .filter(|(plugin, _)| *plugin == key.plugin)
        {
            Some((_, count)) => *count += 1,
            None => forgotten.keys.push((key.plugin.clone(), 1)),
        }
    }
    if what.dry {
        let found = over.iter().filter_map(|id| files.get(id));
        forgotten.recordings = found.map(|found| found.paths.len() as u64).sum();
        return Ok(forgotten);
    }
    let mut line = audit_line(what, number.digits()).await?;
    store.write_oblivion(&line, None).await?;
    if what.keys {
        store.remove_keys(&keys).await?;
    }
    for ids in over.chunks(BATCH) {
        let found = ids.iter().filter_map(|id| files.remove(id));
        let removed = remove(found.flat_map(|found| found.paths).collect()).await?;
        forgotten.recordings += removed;
        store.remove(Swept::Record, ids).await?;
        line.contacts += ids.len() as i64;
        line.recordings += i64::try_from(removed).unwrap_or(i64::MAX);
        store.write_oblivion(&line, None).await?;
    }
    // What still lasts, or is another engine's, is to be forgotten later: the line stays open.
    let left = forgotten.lasting > 0 || !forgotten.elsewhere.is_empty();
    line.finished = i64::from(!left);
    let change = Change {
        at: what.now,
        who: what.who.to_owned(),
        // Who can write the store can do everything.
        role: Role::Owner,
        tenant: what.tenant.map(str::to_owned),
        action: "number.forget".to_owned(),
        object: line.number.clone(),
        detail: json!({ "contacts": over.len(), "recordings": forgotten.recordings, "lasting": forgotten.lasting, "elsewhere": forgotten.elsewhere.len(), "keys": match what.keys { true => keys.len(), false => 0 } }),
        outcome: Outcome::Done,
    };
    store.write_oblivion(&line, Some(&change)).await?;
    store.truncate_log().await?;
    forgotten.number_hash = Some(line.number);
    Ok(forgotten)
}

/// What is to become of contacts.
#[derive(Debug, Default)]
struct Parted {
    /// The ids of those that can go.
    over: Vec<String>,
    /// How many still last.
    lasting: u64,
    elsewhere: Vec<Elsewhere>,
}

impl Parted {
    fn of(contacts: Vec<Traces>, what: &Forgetting<'_>, files: &BTreeMap<String, Files>) -> Parted {
        let mut parted = Parted::default();
        for Traces {
            id,
            ended_at,
            foreign,
        } in contacts
        {
            let folder = foreign.and_then(|foreign| elsewhere(&foreign, &id, what.data, files));
            match (ended_at, folder) {
                (None, _) => parted.lasting += 1,
                (Some(_), Some(folder)) => parted.elsewhere.push(Elsewhere {
                    contact: id,
                    folder,
                }),
                (Some(_), None) => parted.over.push(id),
            }
        }
        parted
    }

    fn with(mut self, mut others: Parted) -> Parted {
        self.over.append(&mut others.over);
        self.lasting += others.lasting;
        self.elsewhere.append(&mut others.elsewhere);
        self
    }
}

/// The folder of a recording that is not in this data folder. One that is gone is no obstacle where it would be here, or where a
/// backup's row names a place that is not there any more.
fn elsewhere(
    foreign: &Foreign,
    contact: &str,
    data: &Path,
    files: &BTreeMap<String, Files>,
) -> Option<String> {
    let path = Path::new(&foreign.recording);
    let folder = path.parent().unwrap_or(path);
    let real = |folder: &Path| folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
    let name = path.file_name();
    let there = files.get(contact);
    let restored =
        there.is_some_and(|files| files.paths.iter().any(|path| path.file_name() == name));
    let gone = foreign.engine.is_none() && !path.exists();
    let here = restored || gone || real(folder) == real(&data.join("recordings"));
    (!here).then(|| folder.display().to_string())
}

/// The line of a run that was cut off, or a new one.
async fn audit_line(what: &Forgetting<'_>, digits: &str) -> Result<Oblivion, ForgetError> {
    let tenant = what.tenant.unwrap_or_default().to_owned();
    let mut mac =
        Hmac::<Sha256>::new_from_slice(&key(what.data)?).expect("HMAC takes keys of every length");
    mac.update(digits.as_bytes());
    let number = hex(&mac.finalize().into_bytes());
    let lines = what.store.oblivions().await?;
    let open = lines
        .into_iter()
        .find(|line| line.finished == 0 && line.number == number && line.tenant == tenant);
    Ok(open.unwrap_or_else(|| {
        let chance: [u8; 8] = rand::random();
        Oblivion {
            id: format!("{:x}-{}", what.now, hex(&chance)),
            at: i64::try_from(what.now).unwrap_or(i64::MAX),
            number,
            tenant,
            finished: 0,
            contacts: 0,
            recordings: 0,
        }
    }))
}

/// The key of audit lines: without it nobody finds the number by trying all there are.
fn key(data: &Path) -> std::io::Result<[u8; 32]> {
    let path = data.join(KEY_FILE);
    let told = |error: std::io::Error| {
        std::io::Error::new(error.kind(), format!("{}: {error}", path.display()))
    };
    let kept = || match std::fs::read(&path) {
        // The disk was full as an engine made it: no hash was made with it.
        Ok(bytes) if bytes.is_empty() => Ok(None),
        Ok(bytes) => match <[u8; 32]>::try_from(bytes) {
            Ok(key) => Ok(Some(key)),
            Err(_) => Err(std::io::Error::new(
                std::io::ErrorKind::InvalidData,
                "it is not 32 bytes long: move it away",
            )),
        },
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    if let Some(key) = kept().map_err(told)? {
        return Ok(key);
    }
    let key: [u8; 32] = rand::random();
    match write_new(&path, &key) {
        Ok(()) => Ok(key),
        // Another run made one meanwhile.
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            kept().map_err(told)?.ok_or_else(|| told(error))
        }
        Err(error) => Err(told(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::{KEY_FILE, key};

    #[test]
    fn an_empty_key_of_a_full_disk_is_none_and_a_short_one_is_told() {
        let data = tempfile::tempdir().expect("a folder");
        let path = data.path().join(KEY_FILE);
        std::fs::write(&path, b"").expect("a file");
        let made = key(data.path()).expect("a key");
        assert_eq!(std::fs::read(&path).expect("a file"), made);
        assert_eq!(key(data.path()).expect("the same key"), made);
        std::fs::write(&path, b"short").expect("a file");
        let error = key(data.path()).expect_err("no key").to_string();
        assert!(error.contains("32 bytes long"), "{error}");
    }
}
