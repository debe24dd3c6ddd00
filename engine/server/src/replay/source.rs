//! Where a journal to replay comes from.

use std::path::{Path, PathBuf};

use strowger_contact::recorded::beginning;
use strowger_contact::{Entry, EntryKind};
use strowger_flow::unseen::quoted;

use super::stage::Stage;
use crate::store::{ContactFilter, Journal, Ladder, PackedJournal, Rung, Store, StoreError, Torn};

/// Largest journal file, in bytes: a step's host calls are at most 4 MiB, and a contact has few that large.
const MAX_FILE: u64 = 256 << 20;

/// A contact's journal.
#[derive(Debug, Clone)]
pub struct Recording {
    /// What people call it: the contact's id or the file's name.
    pub name: String,
    /// In order.
    pub entries: Vec<Entry>,
    /// The SIP messages of its calls. No replay looks at them.
    pub ladder: Ladder,
    /// The journal's last line is broken off: everything before it is here.
    pub torn: bool,
    /// That entries lack before others that are there: nothing can be told of such a journal.
    pub hole: Option<String>,
    /// The same for all journals in which it is alike.
    pub kind: Option<&'static str>,
    /// Whose contact it is, where that was asked for; a file does not say.
    pub tenant: Option<String>,
}

impl Recording {
    fn of(name: String, journal: Journal, ladder: Ladder) -> Recording {
        let Journal { entries, torn } = journal;
        Recording {
            name,
            entries,
            ladder,
            hole: torn.as_ref().and_then(Torn::hole),
            kind: torn.as_ref().and_then(Torn::kind),
            torn: torn.is_some(),
            tenant: None,
        }
    }

    /// Whether the contact walked what the stage has; see [`Replayed::unchanged`](super::Replayed::unchanged).
    pub(crate) fn walked(&self, stage: &Stage) -> bool {
        beginning(&self.entries).is_ok_and(|begun| stage.is_of(&begun))
    }

    /// SHA-256 over the flows and plugins that the contact walked; none where the journal does not say.
    pub fn content(&self) -> Option<&str> {
        match &self.entries.first()?.kind {
            EntryKind::Started { content, .. } if !content.is_empty() => Some(content),
            _ => None,
        }
    }
}

/// A contact's journal as it lies in the store, to be unpacked where it is replayed.
pub(crate) struct Packed {
    contact: String,
    journal: PackedJournal,
}

impl Packed {
    /// Takes a contact's journal out of a store, and nothing else: no replay looks at its SIP messages.
    pub(crate) async fn of(store: &Store, contact: &str) -> Result<Packed, StoreError> {
        Ok(Packed {
            contact: contact.to_owned(),
            journal: store.packed_journal(contact).await?,
        })
    }

    /// Unpacks it.
    pub(crate) fn recording(self) -> Recording {
        Recording::of(self.contact, self.journal.read(), Ladder::default())
    }
}

/// Why there is no journal.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A file cannot be read.
    #[error("cannot read {path}: {why}")]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A line is no journal entry.
    #[error(
        "{path}:{line}: this is no journal entry: {why}; a journal is what `strowger call --format json` and /v1/contacts/ID/journal give"
    )]
    Line {
        /// The file.
        path: PathBuf,
        /// Its line, from 1.
        line: usize,
        /// Why.
        why: String,
    },
    /// There is no such contact.
    #[error(
        "there is no contact, no call and no file `{0}`: `strowger serve` keeps contacts in the folder given by --data, and /v1/contacts lists them"
    )]
    Unknown(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reads a journal of JSON lines. A last line that is broken off, as by a crash, is left out and told.
pub fn from_file(path: &Path) -> Result<Recording, SourceError> {
    let unreadable = |why: String| SourceError::File {
        path: path.to_owned(),
        why,
    };
    let size = std::fs::metadata(path)
        .map_err(|e| unreadable(e.to_string()))?
        .len();
    if size > MAX_FILE {
        let why = format!("it has {size} bytes, a journal at most {MAX_FILE}");
        return Err(unreadable(why));
    }
    let bytes = std::fs::read(path).map_err(|e| unreadable(e.to_string()))?;
    let mut entries = Vec::new();
    let mut ladder = Ladder::default();
    let mut torn = false;
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    for (number, line) in lines.iter().enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match Entry::read(line) {
            Ok(entry) => entries.push(entry),
            Err(_) if let Ok(rung) = serde_json::from_slice::<Rung>(line) => ladder.add(rung),
            // A whole line ends with a line feed; what comes after the last one is a torn one.
            Err(_) if number + 1 == lines.len() && !entries.is_empty() => torn = true,
            Err(error) => {
                return Err(SourceError::Line {
                    path: path.to_owned(),
                    line: number + 1,
                    why: error.to_string(),
                });
            }
        }
    }
    let name = path.display().to_string();
    Ok(Recording {
        name,
        entries,
        ladder: ladder.sorted(),
        torn,
        hole: None,
        kind: None,
        tenant: None,
    })
}

/// Reads the journal of a contact that is in a store.
pub async fn from_store(store: &Store, id: &str) -> Result<Recording, SourceError> {
    let journal = store.journal(id).await?;
    let ladder = store.ladder(id).await?;
    Ok(Recording::of(id.to_owned(), journal, ladder))
}

/// Reads a contact's journal from a store, and whose it is. The contact is known by its id, or by the SIP Call-ID of one of
/// its calls: of several that had to do with a call, the newest.
pub async fn by_id(store: &Store, id: &str) -> Result<Recording, SourceError> {
    let contact = match store.contact(id).await? {
        Some(contact) => contact,
        None => {
            let of_call = ContactFilter {
                sip_call_id: Some(id.replace('\0', "\u{fffd}")),
                limit: Some(1),
                ..ContactFilter::default()
            };
            let newest = store.contacts(&of_call).await?.into_iter().next();
            newest.ok_or_else(|| SourceError::Unknown(quoted(id)))?
        }
    };
    Ok(Recording {
        tenant: Some(contact.tenant),
        ..from_store(store, &contact.id).await?
    })
}
