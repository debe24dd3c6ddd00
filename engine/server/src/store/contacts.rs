//! Looking contacts up.

use serde::Serialize;
use sqlx::FromRow;
use strowger_contact::Entry;
use utoipa::ToSchema;

use super::writer::write_ends;
use super::{Record, Store, StoreError};
use crate::records::{Subject, Tally};

/// Contacts of a former engine that are closed in one commit.
const ORPHANS: usize = 64;
/// The reason of a contact whose engine ended before it.
const STOPPED: &str = "engine-stopped";

/// A contact's record.
#[derive(Debug, Clone, Serialize, FromRow, ToSchema)]
#[schema(as = Contact)]
pub struct ContactRow {
    /// Its id.
    pub id: String,
    /// Whose.
    pub tenant: String,
    /// The first flow.
    pub flow: String,
    /// SHA-256 of the flow's text.
    pub hash: String,
    /// SHA-256 over all flows and plugins of the project as it was then; none for older records.
    // A store of an older engine that is only read has no such column yet.
    #[sqlx(default)]
    pub content: Option<String>,
    /// `voice` or `chat`.
    pub channel: String,
    /// Caller.
    #[sqlx(rename = "caller")]
    pub from: String,
    /// Called.
    #[sqlx(rename = "called")]
    pub to: String,
    /// SIP's own name of the call.
    pub sip_call_id: Option<String>,
    /// Milliseconds since 1970.
    pub started_at: i64,
    /// Milliseconds since 1970; none while it lasts.
    pub ended_at: Option<i64>,
    /// The disposition.
    pub reason: Option<String>,
    /// The recording's file.
    pub recording: Option<String>,
}

/// Which contacts.
#[derive(Debug, Clone, Default)]
pub struct ContactFilter {
    /// Only the one with this SIP Call-ID.
    pub sip_call_id: Option<String>,
    /// Only those of this tenant.
    pub tenant: Option<String>,
    /// Only those that come after this one: its time of beginning and its id.
    pub after: Option<(i64, String)>,
    /// At most so many, the newest first; default and highest 1,000.
    pub limit: Option<u32>,
}

/// What a contact's journal holds.
#[derive(Debug, Default)]
pub struct Journal {
    /// Its entries, in order.
    pub entries: Vec<Entry>,
    /// Whether its last line is broken off, and left out.
    pub torn: bool,
}

impl Store {
    /// Contacts, the newest first.
    pub async fn contacts(&self, filter: &ContactFilter) -> Result<Vec<ContactRow>, StoreError> {
        let limit = i64::from(filter.limit.unwrap_or(1_000).min(1_000));
        Ok(each!(self, pool => sqlx::query_as(
            "SELECT * FROM contacts WHERE ($1 IS NULL OR sip_call_id = $1) AND ($2 IS NULL OR tenant = $2) \
             AND ($3 IS NULL OR started_at < $3 OR (started_at = $3 AND id > $4)) \
             ORDER BY started_at DESC, id LIMIT $5",
        )
        .bind(&filter.sip_call_id)
        .bind(&filter.tenant)
        .bind(filter.after.as_ref().map(|(at, _)| *at))
        .bind(filter.after.as_ref().map(|(_, id)| id))
        .bind(limit)
        .fetch_all(pool))?)
    }

    /// A contact's record; `None` when there is no such contact.
    pub async fn contact(&self, id: &str) -> Result<Option<ContactRow>, StoreError> {
        Ok(
            each!(self, pool => sqlx::query_as("SELECT * FROM contacts WHERE id = $1")
            .bind(id)
            .fetch_optional(pool))?,
        )
    }

    /// The contacts that have ended since a time in milliseconds since 1970, the oldest first.
    pub async fn ended_since(&self, since: u64) -> Result<Vec<String>, StoreError> {
        self.ended(since, None, None).await
    }

    /// The contacts that have ended since a time, that began in a flow, and of these the last so many; the oldest first.
    pub async fn ended(
        &self,
        since: u64,
        flow: Option<&str>,
        last: Option<u32>,
    ) -> Result<Vec<String>, StoreError> {
        let since = i64::try_from(since).unwrap_or(i64::MAX);
        Ok(each!(self, pool => sqlx::query_scalar(
            "SELECT id FROM (SELECT id, started_at FROM contacts WHERE ended_at >= $1 AND ($2 IS NULL OR flow = $2) \
             ORDER BY ended_at DESC, id DESC LIMIT $3) AS newest ORDER BY started_at, id",
        )
        .bind(since)
        .bind(flow)
        .bind(last.map_or(i64::MAX, i64::from))
        .fetch_all(pool))?)
    }

    /// A contact's journal, as far as it can be read; empty when there is none.
    pub async fn journal(&self, id: &str) -> Result<Journal, StoreError> {
        let chunks = self.chunks(id).await?;
        let mut journal = Journal::default();
        let last = chunks.len().saturating_sub(1);
        for (number, body) in chunks.iter().enumerate() {
            let mut lines = body.lines().peekable();
            while let Some(line) = lines.next() {
                match serde_json::from_str(line) {
                    Ok(entry) => journal.entries.push(entry),
                    Err(_) if number == last && lines.peek().is_none() => journal.torn = true,
                    Err(error) => return Err(sqlx::Error::Decode(error.into()).into()),
                }
            }
        }
        Ok(journal)
    }

    async fn chunks(&self, contact: &str) -> Result<Vec<String>, StoreError> {
        Ok(each!(self, pool => sqlx::query_scalar(
            "SELECT body FROM chunks WHERE contact = $1 ORDER BY seq",
        )
        .bind(contact)
        .fetch_all(pool))?)
    }

    /// Ids of contacts that began in this engine when it last ran: its process ended before they did. What came
    /// from a backup belongs to whoever asks first.
    pub async fn orphans(&self) -> Result<Vec<String>, StoreError> {
        Ok(each!(self, pool => sqlx::query_scalar(
            "SELECT id FROM contacts WHERE ended_at IS NULL AND (engine IS NULL OR engine = $1)",
        )
        .bind(&self.engine)
        .fetch_all(pool))?)
    }

    /// Says where the recording of a contact lies, where nothing says so yet.
    pub async fn found_recording(&self, id: &str, file: &str) -> Result<(), StoreError> {
        each!(self, pool => async {
            sqlx::query("UPDATE contacts SET recording = $1 WHERE id = $2 AND recording IS NULL")
                .bind(file)
                .bind(id)
                .execute(pool)
                .await?;
            Ok::<_, sqlx::Error>(())
        })?;
        Ok(())
    }

    /// Ends the [orphans](Self::orphans): each gets a record of what its journal holds.
    pub async fn close_orphans(&self, now: u64) -> Result<u64, StoreError> {
        let orphans = self.orphans().await?;
        for ids in orphans.chunks(ORPHANS) {
            let mut ends = Vec::with_capacity(ids.len());
            for id in ids {
                let Some(contact) = self.contact(id).await? else {
                    continue;
                };
                ends.push(self.end_of(contact, now).await?);
            }
            write_ends(self, ends).await?;
        }
        Ok(orphans.len() as u64)
    }

    /// The end of a contact whose engine was stopped. Its time ends with its journal.
    async fn end_of(&self, contact: ContactRow, now: u64) -> Result<Record, StoreError> {
        let began = u64::try_from(contact.started_at).unwrap_or_default();
        let subject = Subject {
            id: contact.id.clone(),
            tenant: contact.tenant,
            flow: contact.flow,
            flow_hash: contact.hash,
            content: contact.content.unwrap_or_default(),
            channel: contact.channel,
            from: contact.from,
            to: contact.to,
            started_at: began,
        };
        let journal = match self.journal(&contact.id).await {
            Ok(journal) => journal.entries,
            Err(StoreError::Query(sqlx::Error::Decode(error))) => {
                tracing::warn!(contact = %contact.id, "the journal cannot be read, so the contact's record has little: {error}");
                Vec::new()
            }
            Err(error) => return Err(error),
        };
        let mut tally = Tally::new(subject);
        journal.iter().for_each(|entry| tally.note(entry));
        let until = journal.last().map_or(began, |entry| entry.at);
        let mut record = tally.finish(until, STOPPED);
        record.ended_at = now;
        Ok(Record::Ended {
            id: contact.id,
            reason: record.reason.clone(),
            at: now,
            record: Some(Box::new(record)),
        })
    }
}
