//! Forgetting a number: everything of its contacts goes, and a line stays that says so without the number.
//!
//! Done again it does the same: a run that was cut off is finished by the next one. Files go before their rows, and rows
//! of a contact in one transaction, so nothing is left that no row leads to.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use hmac::{Hmac, Mac};
use serde::Serialize;
use serde_json::json;
use sha2::Sha256;
use strowger_flow::unseen::quoted;

use super::files::{recordings, remove};
use crate::access::Role;
use crate::project::hex;
use crate::store::{Change, Mention, Oblivion, Outcome, Store, StoreError, Swept, Traces};

/// Contacts of one transaction.
const BATCH: usize = 32;
/// Fewest digits of a number: fewer are in every journal, as times and counts.
const FEWEST_DIGITS: usize = 5;
/// Most digits of a number (E.164 has 15), with a prefix for abroad.
const MOST_DIGITS: usize = 20;
/// Most digits of a country's code (E.164 §6.2.1).
const COUNTRY_CODE: usize = 3;
/// Digits that a mention has at least, where the number has so many: fewer are found in what is no number.
const NATIONAL: usize = 8;
/// Where the key of the audit lines is kept, in the data folder.
const KEY_FILE: &str = "forget.key";

/// Why a number is not forgotten.
#[derive(Debug, thiserror::Error)]
pub enum ForgetError {
    /// It is none.
    #[error(
        "`{0}` is no number that can be forgotten: it has {FEWEST_DIGITS} to {MOST_DIGITS} digits, such as +8613800138000"
    )]
    Number(String),
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
    pub number: &'a str,
    /// Whose contacts; every tenant's by default.
    pub tenant: Option<&'a str>,
    /// Contacts that only mention the number go too.
    pub mentioned: bool,
    /// Nothing is removed.
    pub dry: bool,
    /// Who does it, for the audit log.
    pub who: &'a str,
    /// Milliseconds since 1970.
    pub now: u64,
}

/// What was forgotten.
#[derive(Debug, Default, Serialize)]
pub struct Forgotten {
    /// Contacts from or to the number that were, or would be, removed.
    pub contacts: u64,
    /// Other contacts whose journal or record has its digits, as when it was entered or told by a service.
    pub mentioned: u64,
    /// Whether those were, or would be, removed too.
    pub mentioned_removed: bool,
    /// Files of recordings.
    pub recordings: u64,
    /// Contacts that still last, and were left.
    pub lasting: u64,
    /// Keys of plugins that have the digits in name or value, by plugin. They are the plugin's own, and were left.
    pub keys: Vec<(String, u64)>,
    /// The keyed hash that stands for the number in the audit line.
    pub number_hash: Option<String>,
}

/// The three ways in which a number stands in contacts: as it was written, with `+`, and as digits alone.
pub fn spellings(number: &str) -> Result<[String; 3], ForgetError> {
    let refused = || ForgetError::Number(quoted(number));
    let written = number.trim();
    let digits: String = written
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.' | '/'))
        .collect();
    // `00` is how `+` is dialled; no country's code begins with a nought.
    let international = digits.strip_prefix('+').or(digits.strip_prefix("00"));
    let digits = international.unwrap_or(&digits);
    let long = FEWEST_DIGITS..=MOST_DIGITS;
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) || !long.contains(&digits.len()) {
        return Err(refused());
    }
    Ok([
        digits.to_owned(),
        format!("+{digits}"),
        format!("00{digits}"),
    ])
}

/// What of its digits is looked for in what people enter and services tell: without the country's code, of which nobody knows
/// where it ends, since few write it.
fn mention(digits: &str) -> &str {
    let code = COUNTRY_CODE.min(digits.len().saturating_sub(NATIONAL));
    &digits[code..]
}

/// Finds everything of a number and removes it.
pub async fn forget(what: &Forgetting<'_>) -> Result<Forgotten, ForgetError> {
    let spellings = spellings(what.number)?;
    let digits = spellings[0].clone();
    let store = what.store;
    let mut forgotten = Forgotten {
        mentioned_removed: what.mentioned,
        ..Forgotten::default()
    };
    let mut of_number = store.contacts_of(&spellings, what.tenant).await?;
    let known: BTreeSet<String> = of_number.iter().map(|found| found.id.clone()).collect();
    let mut mentions = Vec::new();
    let mut after = String::new();
    while let Some((last, found)) = store
        .mentions_after(&after, mention(&digits), what.tenant)
        .await?
    {
        after = last;
        mentions.extend(found.into_iter().filter(|found| !known.contains(&found.id)));
    }
    forgotten.mentioned = mentions.len() as u64;
    forgotten.contacts = of_number
        .iter()
        .filter(|found| found.ended_at.is_some())
        .count() as u64;
    if what.mentioned {
        of_number.append(&mut mentions);
    }
    let (over, lasting): (Vec<Traces>, Vec<Traces>) = of_number
        .into_iter()
        .partition(|found| found.ended_at.is_some());
    forgotten.lasting = lasting.len() as u64;
    let keys = store.keys_with(mention(&digits), what.tenant).await?;
    forgotten.keys = keys
        .into_iter()
        .map(|Mention { plugin, keys }| (plugin, keys.unsigned_abs()))
        .collect();
    let mut files = recordings(&what.data.join("recordings")).await?;
    if what.dry {
        let found = over.iter().filter_map(|found| files.get(&found.id));
        forgotten.recordings = found.map(|found| found.paths.len() as u64).sum();
        return Ok(forgotten);
    }
    let mut line = audit_line(what, &digits).await?;
    store.write_oblivion(&line, None).await?;
    for contacts in over.chunks(BATCH) {
        let ids: Vec<String> = contacts.iter().map(|found| found.id.clone()).collect();
        let found = ids.iter().filter_map(|id| files.remove(id));
        let removed = remove(found.flat_map(|found| found.paths).collect()).await?;
        forgotten.recordings += removed;
        store.remove(Swept::Record, &ids).await?;
        line.contacts += ids.len() as i64;
        line.recordings += i64::try_from(removed).unwrap_or(i64::MAX);
        store.write_oblivion(&line, None).await?;
    }
    // What still lasts is to be forgotten later: the line stays open.
    line.finished = i64::from(lasting.is_empty());
    let change = Change {
        at: what.now,
        who: what.who.to_owned(),
        // Who can write the store can do everything.
        role: Role::Owner,
        tenant: what.tenant.map(str::to_owned),
        action: "number.forget".to_owned(),
        object: line.number.clone(),
        detail: json!({ "contacts": line.contacts, "recordings": line.recordings, "lasting": forgotten.lasting }),
        outcome: Outcome::Done,
    };
    store.write_oblivion(&line, Some(&change)).await?;
    store.truncate_log().await?;
    forgotten.number_hash = Some(line.number);
    Ok(forgotten)
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
    match std::fs::read(&path) {
        Ok(bytes) => <[u8; 32]>::try_from(bytes).map_err(|_| {
            told(std::io::Error::new(
                std::io::ErrorKind::InvalidData,
                "it is not 32 bytes long: move it away",
            ))
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let key: [u8; 32] = rand::random();
            let file = std::fs::OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&path);
            let mut file = file.map_err(told)?;
            file.write_all(&key).map_err(told)?;
            file.sync_all().map_err(told)?;
            Ok(key)
        }
        Err(error) => Err(told(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::{mention, spellings};

    #[test]
    fn a_number_is_mentioned_without_its_country_s_code_too() {
        for (digits, expected) in [
            ("8613800138000", "3800138000"),
            ("4930123456", "30123456"),
            ("12345678", "12345678"),
            ("123456", "123456"),
        ] {
            assert_eq!(mention(digits), expected);
        }
    }

    #[test]
    fn a_number_is_the_same_however_it_is_written() {
        let known = spellings("8613800138000").expect("a number");
        for text in [
            "+8613800138000",
            "+86 138-0013-8000",
            " (86) 138.0013.8000 ",
            "0086 138-0013-8000",
        ] {
            assert_eq!(spellings(text).expect("a number"), known, "{text}");
        }
        for text in [
            "",
            "100",
            "%",
            "alice",
            "1234567%",
            "123456789012345678901",
            "++861380013",
        ] {
            assert!(spellings(text).is_err(), "{text}");
        }
    }
}
