//! What has come to the writer and is not written yet.

use std::collections::{HashSet, VecDeque};
use std::sync::atomic::Ordering;

use serde::Serialize;
use strowger_contact::EntryKind;
use tokio::sync::oneshot;

use super::Record;
use crate::store::Store;

/// Most bytes that are held for a store that is gone, journal lines first of all: some hundred thousand of them.
const HELD_BYTES: usize = 64 << 20;
/// Most bytes beside, for what is not a journal's line: that a contact was is known even when its journal is cut.
const HELD_RECORDS_BYTES: usize = 16 << 20;
/// Bytes at which a commit is large enough.
const BATCH_BYTES: usize = 8 << 20;
/// What a record takes beside its texts, in bytes, roughly.
const RECORD: usize = 256;

/// Something on its way to the disk.
#[derive(Debug)]
pub(super) enum Item {
    /// Entries of a contact's journal, as they are written: lines that stay together.
    Lines {
        /// Whose it is, where that is to be counted.
        tenant: Option<String>,
        contact: String,
        /// Number of the first.
        seq: u32,
        text: String,
        /// SIP's name of a further call of the contact that they tell of.
        call_id: Option<String>,
    },
    /// SIP messages of one of a contact's calls, as they are written.
    Rungs {
        contact: String,
        leg: u32,
        seq: u32,
        text: String,
    },
    /// Anything else that is written.
    Record(Record),
    /// Everything before this is on the disk when the answer comes, or it says why not.
    Flush {
        done: oneshot::Sender<Result<(), String>>,
        /// Whether no other record is waited for.
        hurried: bool,
    },
}

impl Item {
    pub fn of(record: Record) -> Item {
        match record {
            Record::Entries(contact, entries) => Item::Lines {
                tenant: None,
                contact,
                seq: entries.first().map_or(0, |entry| entry.seq),
                text: entries.iter().map(json_line).collect(),
                call_id: entries.into_iter().find_map(|entry| match entry.kind {
                    EntryKind::CalledBack { sip_call_id, .. } => Some(sip_call_id),
                    _ => None,
                }),
            },
            Record::Rungs {
                id,
                leg,
                seq,
                rungs,
            } => Item::Rungs {
                contact: id,
                leg,
                seq,
                text: rungs.iter().map(json_line).collect(),
            },
            record => Item::Record(record),
        }
    }

    /// The same, to be counted to a tenant.
    pub fn of_tenant(mut self, name: &str) -> Item {
        if let Item::Lines { tenant, .. } = &mut self {
            *tenant = Some(name.to_owned());
        }
        self
    }

    fn bytes(&self) -> usize {
        match self {
            Item::Lines { contact, text, .. } | Item::Rungs { contact, text, .. } => {
                contact.len() + text.len() + RECORD
            }
            Item::Record(Record::Ended {
                record: Some(record),
                ..
            }) => (4 + record.path.len()) * RECORD,
            Item::Record(_) => 4 * RECORD,
            Item::Flush { .. } => 0,
        }
    }

    /// Bytes of the lines that it is.
    pub fn text_bytes(&self) -> usize {
        match self {
            Item::Lines { text, .. } | Item::Rungs { text, .. } => text.len(),
            Item::Record(_) | Item::Flush { .. } => 0,
        }
    }

    fn contact(&self) -> Option<&str> {
        match self {
            Item::Lines { contact, .. } | Item::Rungs { contact, .. } => Some(contact),
            Item::Record(
                Record::Began { id, .. }
                | Record::Ended { id, .. }
                | Record::Recorded { id, .. }
                | Record::Rungs { id, .. }
                | Record::Chat { id, .. }
                | Record::Dropped { id, .. }
                | Record::NotDropped { id }
                | Record::Entries(id, _),
            ) => Some(id),
            Item::Flush { .. } => None,
        }
    }

    /// Whether no other record is waited for.
    fn hurries(&self) -> bool {
        matches!(self, Item::Flush { hurried: true, .. })
    }

    /// False for a flush, which has then been told why it cannot be.
    pub fn keep_or_refuse(&mut self, why: &str) -> bool {
        if let Item::Flush { done, .. } = self {
            let (gone, _) = oneshot::channel();
            let _ = std::mem::replace(done, gone).send(Err(why.to_owned()));
            return false;
        }
        true
    }
}

/// What is kept as a line of JSON, with the line feed that ends it.
fn json_line(what: &impl Serialize) -> String {
    let mut line = serde_json::to_string(what).expect("what is kept is of JSON's types");
    line.push('\n');
    line
}

/// What waits, in the order it came.
pub(super) struct Held {
    store: Store,
    items: VecDeque<Item>,
    bytes: usize,
    /// Flushes among the items for which no other record is waited for.
    flushes: usize,
    /// So many at the front go one by one: one of them was refused.
    singly: usize,
    /// Contacts that are running and whose journal was cut: its rest is left out, so that no hole looks like a whole.
    cut: HashSet<String>,
}

impl Held {
    pub fn new(store: Store) -> Held {
        Held {
            store,
            items: VecDeque::new(),
            bytes: 0,
            flushes: 0,
            singly: 0,
            cut: HashSet::new(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether somebody waits for what is here.
    pub fn hurried(&self) -> bool {
        self.flushes > 0
    }

    /// Whether more may come in: always while the store is gone, since calls go on then whatever becomes of their
    /// journals. A store that is only slow slows down whoever writes.
    pub fn has_room(&self) -> bool {
        self.bytes < HELD_BYTES || self.store.health.gone().is_some()
    }

    /// Takes an item in, if there is room for it.
    pub fn take(&mut self, item: Item) {
        let gone = self.store.health.gone();
        let room = match (&item, gone) {
            (Item::Flush { .. }, Some(why)) => {
                let mut item = item;
                item.keep_or_refuse(&format!("the store is gone: {why}"));
                return;
            }
            (Item::Flush { hurried, .. }, None) => {
                self.flushes += usize::from(*hurried);
                true
            }
            (Item::Lines { contact, .. }, gone) => {
                let full = gone.is_some() && self.bytes >= HELD_BYTES;
                if full && !self.cut.contains(contact) {
                    if self.cut.is_empty() {
                        tracing::error!(
                            megabytes = HELD_BYTES >> 20,
                            "no more journal lines are held for the store that is gone: journals of running contacts end here"
                        );
                    }
                    self.cut.insert(contact.clone());
                }
                !self.cut.contains(contact)
            }
            // A ladder explains the call; it goes before any journal does.
            (Item::Rungs { .. }, gone) => gone.is_none() || self.bytes < HELD_BYTES / 2,
            (Item::Record(record), gone) => {
                if let Record::Ended { id, .. } = record {
                    self.cut.remove(id);
                }
                gone.is_none() || self.bytes < HELD_BYTES + HELD_RECORDS_BYTES
            }
        };
        if !room {
            self.store.health.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.bytes += item.bytes();
        if !matches!(item, Item::Flush { .. }) {
            self.store.health.waiting.fetch_add(1, Ordering::Relaxed);
        }
        self.items.push_back(item);
    }

    /// What is written next, in one commit. It counts as waiting until it [is written](Self::wrote).
    pub fn batch(&mut self, most: usize) -> Vec<Item> {
        let mut bytes = 0;
        let fitting = self.items.iter().take(most).take_while(|item| {
            let room = bytes < BATCH_BYTES;
            bytes += item.bytes();
            room
        });
        let count = match self.singly {
            0 => fitting.count(),
            _ => 1,
        };
        self.singly = self.singly.saturating_sub(count);
        let batch: Vec<Item> = self.items.drain(..count).collect();
        for item in &batch {
            self.bytes -= item.bytes();
            self.flushes -= usize::from(item.hurries());
        }
        batch
    }

    /// A batch is on the disk.
    pub fn wrote(&mut self, batch: Vec<Item>) {
        for item in batch {
            match item {
                Item::Flush { done, .. } => {
                    let _ = done.send(Ok(()));
                }
                _ => {
                    self.store.health.waiting.fetch_sub(1, Ordering::Relaxed);
                }
            }
        }
    }

    /// The store says that something in a batch cannot be written, whenever it is tried: so each goes alone, and what
    /// is refused alone is given up.
    pub fn refused(&mut self, mut batch: Vec<Item>, error: &sqlx::Error) {
        if batch.len() > 1 {
            self.singly += batch.len();
            for item in batch.into_iter().rev() {
                self.bytes += item.bytes();
                self.flushes += usize::from(item.hurries());
                self.items.push_front(item);
            }
            return;
        }
        let Some(item) = batch.pop() else { return };
        tracing::error!(
            contact = item.contact(),
            "a record was refused by the store and is lost: {error}"
        );
        self.store.health.waiting.fetch_sub(1, Ordering::Relaxed);
        self.store.health.lost.fetch_add(1, Ordering::Relaxed);
    }

    /// Tells all who wait that what they wait for is not on the disk.
    pub fn refuse_flushes(&mut self, why: &str) {
        self.items.retain_mut(|item| item.keep_or_refuse(why));
        self.flushes = 0;
    }
}
