//! Reading journals: frames, and the lines of text that programs before them wrote.

use strowger_contact::Entry;

use super::frame::Unpacker;
use super::{Store, StoreError};
use crate::retention::Number;

/// A contact's journal, as far as it can be read.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    /// In order.
    pub entries: Vec<Entry>,
    /// Where it breaks off before its end.
    pub torn: Option<Torn>,
}

/// Where a journal cannot be read any further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Torn {
    /// The number of the first entry that is lost.
    pub seq: u32,
    /// Why.
    pub why: String,
    /// How many later commits are there: none where its end is broken off, some where it has a hole.
    pub behind: usize,
}

impl Torn {
    /// That entries lack in the middle or at the beginning, where they do.
    pub fn hole(&self) -> Option<String> {
        match self {
            Torn { seq, why, behind: 0 } => (*seq == 0).then(|| {
                format!("the journal is damaged: its first entry cannot be read ({why}), and no other is there")
            }),
            Torn { seq, why, behind } => Some(format!(
                "entry {seq} cannot be read ({why}), and {behind} later commits are there: the journal is not whole"
            )),
        }
    }
}

impl Store {
    /// A contact's journal as far as it can be read. What cannot, as after a disk lost something, is told and cuts it off
    /// there: what follows a hole would look as if nothing were missing.
    pub async fn journal(&self, id: &str) -> Result<Journal, StoreError> {
        Ok(self.packed_journal(id).await?.read())
    }

    /// The same, to be read elsewhere.
    pub(crate) async fn packed_journal(&self, id: &str) -> Result<PackedJournal, StoreError> {
        Ok(PackedJournal(self.chunks(id).await?))
    }

    /// Removes what lies behind a place where a journal is broken, so that it can go on from there.
    pub async fn cut_journal(&self, id: &str, from: u32) -> Result<(), StoreError> {
        each!(self, pool => async {
            sqlx::query("DELETE FROM frames WHERE contact = $1 AND seq >= $2")
                .bind(id)
                .bind(i64::from(from))
                .execute(pool)
                .await?;
            Ok::<_, sqlx::Error>(())
        })?;
        Ok(())
    }

    /// Whether a contact's journal, as far as it can be read, holds a number's digits.
    pub(super) async fn journal_says(
        &self,
        contact: &str,
        number: &Number,
    ) -> Result<bool, StoreError> {
        let mut unpacker = Unpacker::default();
        let mut chunks = self.chunks(contact).await?.into_iter();
        Ok(chunks.any(|(_, chunk)| {
            let lines = chunk.lines(&mut unpacker);
            lines.is_ok_and(|lines| number.is_in_json(lines))
        }))
    }

    async fn chunks(&self, contact: &str) -> Result<Vec<(i64, Chunk)>, StoreError> {
        let texts: Vec<(i64, String)> = each!(self, pool => sqlx::query_as(
            "SELECT seq, body FROM chunks WHERE contact = $1 ORDER BY seq",
        )
        .bind(contact)
        .fetch_all(pool))?;
        let frames: Vec<(i64, Vec<u8>)> = match self.framed {
            false => Vec::new(),
            true => each!(self, pool => sqlx::query_as(
                "SELECT seq, body FROM frames WHERE contact = $1 ORDER BY seq",
            )
            .bind(contact)
            .fetch_all(pool))?,
        };
        let texts = texts
            .into_iter()
            .map(|(seq, text)| (seq, Chunk::Text(text)));
        let frames = frames
            .into_iter()
            .map(|(seq, frame)| (seq, Chunk::Frame(frame)));
        // A contact that was running when the program was replaced has both, one after the other.
        Ok(texts.chain(frames).collect())
    }
}

/// A contact's journal as it lies in the store.
pub(crate) struct PackedJournal(Vec<(i64, Chunk)>);

impl PackedJournal {
    /// Unpacks it, as far as it can be read.
    pub(crate) fn read(self) -> Journal {
        let mut journal = Journal::default();
        let mut behind = self.0.len();
        let mut unpacker = Unpacker::default();
        for (seq, chunk) in self.0 {
            behind -= 1;
            let due = journal.entries.len();
            let at = usize::try_from(seq).ok();
            let read = match at == Some(due) {
                true => chunk.lines(&mut unpacker),
                false => Err(format!("the next to be found is entry {seq}")),
            };
            let why = match read {
                Ok(lines) => read_lines(lines, &mut journal.entries),
                Err(why) => Some(why),
            };
            if let Some(why) = why {
                let seq = u32::try_from(journal.entries.len()).unwrap_or(u32::MAX);
                // Where the next that is there is a later one, it is behind the hole itself.
                let behind = behind + usize::from(at > Some(due));
                journal.torn = Some(Torn { seq, why, behind });
                break;
            }
        }
        journal
    }
}

/// What one commit holds.
enum Chunk {
    /// As programs wrote it that knew no frames.
    Text(String),
    Frame(Vec<u8>),
}

impl Chunk {
    fn lines<'a>(&'a self, unpacker: &'a mut Unpacker) -> Result<&'a str, String> {
        match self {
            Chunk::Text(text) => Ok(text),
            Chunk::Frame(frame) => unpacker.unpack(frame).map_err(|error| error.to_string()),
        }
    }
}

/// Reads lines; says why when one is no entry. Of a frame whose end is lost, the lines before it are whole.
fn read_lines(lines: &str, entries: &mut Vec<Entry>) -> Option<String> {
    for line in lines.lines() {
        match serde_json::from_str(line) {
            Ok(entry) => entries.push(entry),
            Err(error) => return Some(format!("a line is no entry: {error}")),
        }
    }
    None
}
