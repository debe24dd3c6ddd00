//! Reading journals: frames, and the lines of text that programs before them wrote.

use serde_json::{Map, Value as Json};
use strowger_contact::recorded::{RecordedError, beginning};
use strowger_contact::{Entry, EntryKind};

use super::frame::{Unpacker, is_newer};
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
    /// Nothing is lost: a newer program wrote what is there or behind it, and that reads it.
    pub newer: bool,
}

impl Journal {
    /// Why this program leaves a journal as it is, where a newer one wrote it: it is neither cut nor gone on with, for who knows
    /// what is done there.
    pub fn newer(&self) -> Option<String> {
        let why = match &self.torn {
            Some(torn) if torn.newer => format!("entry {}: {}", torn.seq, torn.why),
            _ => match beginning(&self.entries) {
                Err(error @ RecordedError::Newer(_)) => error.to_string(),
                _ => return None,
            },
        };
        Some(format!(
            "a newer version of strowger wrote the journal, and it can go on with that alone ({why})"
        ))
    }
}

impl Torn {
    /// What all journals have in common of which [`hole`](Torn::hole) tells alike, whatever entry it is.
    pub(crate) fn kind(&self) -> Option<&'static str> {
        self.hole()?;
        Some(match self.newer {
            true => "the journal was written by a newer version of strowger: use that",
            false => "the journal is damaged and not whole: `strowger trace CONTACT` tells where",
        })
    }

    /// That entries lack in the middle or at the beginning, where they do, or that a newer program has them.
    pub fn hole(&self) -> Option<String> {
        let Torn {
            seq,
            why,
            behind,
            newer,
        } = self;
        match (*newer, *behind) {
            (true, _) => Some(format!(
                "entry {seq} and what follows were written by a newer version of strowger ({why}): use that"
            )),
            (false, 0) => (*seq == 0).then(|| {
                format!("the journal is damaged: its first entry cannot be read ({why}), and no other is there")
            }),
            (false, behind) => Some(format!(
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

    /// When a contact's journal ends, in milliseconds since 1970; 0 when nothing of it can be read. Its last commit says it alone:
    /// this is asked of thousands at a start.
    pub(crate) async fn journal_ends(&self, id: &str) -> Result<u64, StoreError> {
        let last: Option<Vec<u8>> = each!(self, pool => sqlx::query_scalar(
            "SELECT body FROM frames WHERE contact = $1 ORDER BY seq DESC LIMIT 1",
        )
        .bind(id)
        .fetch_optional(pool))?;
        let mut entries = Vec::new();
        if let Some(frame) = last
            && let Ok(lines) = Unpacker::default().unpack(&frame)
            && read_lines(lines, &mut entries).is_ok()
            && let Some(last) = entries.last()
        {
            return Ok(last.at);
        }
        // It breaks off, or a program before frames wrote it.
        let journal = self.journal(id).await?;
        Ok(journal.entries.last().map_or(0, |entry| entry.at))
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
        // Who types a number does so a key at a time, and each is an entry of its own.
        let mut pressed = String::new();
        for (_, chunk) in self.chunks(contact).await? {
            let Ok(lines) = chunk.lines(&mut unpacker) else {
                continue;
            };
            if number.is_in_json(lines) {
                return Ok(true);
            }
            pressed.extend(lines.lines().filter_map(pressed_key));
        }
        Ok(number.is_in(&pressed))
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

/// The key that a line of a journal tells was pressed: its digit, and a letter for any other, between which no number goes on.
fn pressed_key(line: &str) -> Option<char> {
    // Most lines tell of something else, and are not read for that.
    if !line.contains("\"pressed\"") {
        return None;
    }
    match serde_json::from_str::<Entry>(line).ok()?.kind {
        EntryKind::Pressed { key } if key.is_ascii_digit() => Some(key),
        EntryKind::Pressed { .. } => Some('x'),
        _ => None,
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
        let mut chunks = self.0.into_iter();
        while let Some((seq, chunk)) = chunks.next() {
            behind -= 1;
            let due = journal.entries.len();
            let at = usize::try_from(seq).ok();
            let read = match at == Some(due) {
                true => chunk.lines(&mut unpacker).map_err(Unread::Broken),
                false => Err(Unread::Broken(format!(
                    "the next to be found is entry {seq}"
                ))),
            };
            let read = read.and_then(|lines| read_lines(lines, &mut journal.entries));
            if let Err(unread) = read {
                let newer = matches!(unread, Unread::Newer(_))
                    || chunk.is_newer()
                    || chunks.any(|(_, chunk)| chunk.is_newer());
                let (Unread::Broken(why) | Unread::Newer(why)) = unread;
                let seq = u32::try_from(journal.entries.len()).unwrap_or(u32::MAX);
                // Where the next that is there is a later one, it is behind the hole itself.
                let behind = behind + usize::from(at > Some(due));
                journal.torn = Some(Torn {
                    seq,
                    why,
                    behind,
                    newer,
                });
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

    fn is_newer(&self) -> bool {
        matches!(self, Chunk::Frame(frame) if is_newer(frame))
    }
}

/// Why lines are no entries.
enum Unread {
    /// They are broken off or changed.
    Broken(String),
    /// They are whole, and of a kind that this program does not know.
    Newer(String),
}

/// Reads lines; says why when one is no entry. Of a frame whose end is lost, the lines before it are whole.
fn read_lines(lines: &str, entries: &mut Vec<Entry>) -> Result<(), Unread> {
    for line in lines.lines() {
        match Entry::read(line.as_bytes()) {
            Ok(entry) => entries.push(entry),
            Err(error) => {
                let why = format!("a line is no entry: {error}");
                return Err(match is_entry(line) {
                    true => Unread::Newer(why),
                    false => Unread::Broken(why),
                });
            }
        }
    }
    Ok(())
}

/// Whether a line is whole and has what every entry has, whatever it tells.
fn is_entry(line: &str) -> bool {
    let Ok(fields) = serde_json::from_str::<Map<String, Json>>(line) else {
        return false;
    };
    let number = |name: &str| fields.get(name).is_some_and(Json::is_u64);
    number("seq") && number("at") && fields.get("kind").is_some_and(Json::is_string)
}

#[cfg(test)]
mod tests {
    use super::super::frame::Packer;
    use super::*;

    const KEY: &str = r#"{"seq":0,"at":1,"kind":"key","key":"1"}"#;
    const UNKNOWN: &str = r#"{"seq":1,"at":2,"kind":"teleported","where":"there"}"#;

    fn read(chunks: impl IntoIterator<Item = (i64, Chunk)>) -> Journal {
        PackedJournal(chunks.into_iter().collect()).read()
    }

    fn of_form(form: u8, lines: &str) -> Chunk {
        let mut frame = Packer::default().pack(lines);
        frame[0] = form;
        Chunk::Frame(frame)
    }

    #[test]
    fn what_a_newer_program_wrote_is_no_damage() {
        let whole = || of_form(1, KEY);
        let started = r#"{"seq":0,"at":1,"kind":"started","channel":"chat","from":"","to":"7","flow":"f","hash":"","format":1000}"#;
        for chunks in [
            vec![(0, whole()), (1, of_form(2, KEY))],
            vec![(0, whole()), (1, of_form(1, UNKNOWN))],
            vec![(0, whole()), (1, Chunk::Text(UNKNOWN.to_owned()))],
            vec![(0, of_form(1, started))],
            // It may have made what looks like a hole.
            vec![(0, whole()), (5, whole()), (6, of_form(2, KEY))],
        ] {
            assert!(read(chunks).newer().is_some());
        }
    }

    #[test]
    fn what_is_torn_or_lost_is_not_a_newer_program_s() {
        let whole = || of_form(1, KEY);
        let half = UNKNOWN.split_at(30).0.to_owned();
        for chunks in [
            vec![(0, whole())],
            vec![(0, whole()), (1, Chunk::Text(half))],
            vec![(0, whole()), (1, Chunk::Frame(Vec::new()))],
            vec![(0, whole()), (1, Chunk::Frame(vec![1, 2, 3]))],
            vec![(0, whole()), (5, whole())],
            vec![(0, whole()), (1, of_form(0, KEY))],
        ] {
            let journal = read(chunks);
            assert_eq!(journal.entries.len(), 1);
            assert_eq!(journal.newer(), None);
        }
    }
}
