//! Looking contacts up.

use std::collections::BTreeSet;

use serde::Serialize;
use sqlx::FromRow;
use utoipa::ToSchema;

use super::writer::write_ends;
use super::{Record, Store, StoreError};
use crate::records::{Subject, Tally};

/// Contacts of a former engine that are closed in one commit.
const ORPHANS: usize = 64;
/// The reason of a contact whose engine ended before it.
const STOPPED: &str = "engine-stopped";
/// The reason of a chat that cannot go on.
const INTERRUPTED: &str = "interrupted";

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
    /// SHA-256 over all flows, plugins and audio files of the project as it was then; none for older records.
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

/// A chat that goes on at the next start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenChat {
    /// Its contact.
    pub id: String,
    /// SHA-256 of the token that opens it.
    pub token: [u8; 32],
    /// Whose.
    pub tenant: String,
}

/// A call whose caller may come back.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct OpenDrop {
    /// Its contact.
    pub id: String,
    /// Whose.
    pub tenant: String,
    /// Caller.
    pub caller: String,
    /// The route's number.
    pub binding: String,
    /// Until then, in milliseconds since 1970.
    pub until_at: i64,
}

/// Which contacts.
#[derive(Debug, Clone, Default)]
pub struct ContactFilter {
    /// Only those of a call with this SIP Call-ID, be it one by which a caller who was cut off came back.
    pub sip_call_id: Option<String>,
    /// Only those of this tenant.
    pub tenant: Option<String>,
    /// Only those that come after this one: its time of beginning and its id.
    pub after: Option<(i64, String)>,
    /// At most so many, the newest first; default and highest 1,000.
    pub limit: Option<u32>,
}

/// Which contacts that have ended.
#[derive(Debug, Clone, Default)]
pub struct EndedFilter {
    /// Since this time, in milliseconds since 1970.
    pub since: u64,
    /// Only those that began in this flow.
    pub flow: Option<String>,
    /// Only those of this tenant.
    pub tenant: Option<String>,
    /// Of these the last so many.
    pub last: Option<u32>,
}

/// What a contact's journal holds.
impl Store {
    /// Contacts, the newest first.
    pub async fn contacts(&self, filter: &ContactFilter) -> Result<Vec<ContactRow>, StoreError> {
        let limit = i64::from(filter.limit.unwrap_or(1_000).min(1_000));
        // A store of an older program that is only looked at knows each contact's first call alone.
        let further = filter.sip_call_id.is_some() && self.has_table("call_ids").await?;
        let sql = match further {
            true => {
                "SELECT * FROM contacts WHERE (sip_call_id = $1 OR id IN (SELECT contact FROM call_ids WHERE call_id = $1)) \
                 AND ($2 IS NULL OR tenant = $2) AND ($3 IS NULL OR started_at < $3 OR (started_at = $3 AND id > $4)) \
                 ORDER BY started_at DESC, id LIMIT $5"
            }
            false => {
                "SELECT * FROM contacts WHERE ($1 IS NULL OR sip_call_id = $1) AND ($2 IS NULL OR tenant = $2) \
                 AND ($3 IS NULL OR started_at < $3 OR (started_at = $3 AND id > $4)) \
                 ORDER BY started_at DESC, id LIMIT $5"
            }
        };
        Ok(each!(self, pool => sqlx::query_as(sql)
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
        let filter = EndedFilter {
            since,
            ..EndedFilter::default()
        };
        self.ended(&filter).await
    }

    /// The contacts that have ended, of those that a filter lets through; the oldest first.
    pub async fn ended(&self, filter: &EndedFilter) -> Result<Vec<String>, StoreError> {
        let since = i64::try_from(filter.since).unwrap_or(i64::MAX);
        Ok(each!(self, pool => sqlx::query_scalar(
            "SELECT id FROM (SELECT id, started_at FROM contacts WHERE ended_at >= $1 AND ($2 IS NULL OR flow = $2) \
             AND ($3 IS NULL OR tenant = $3) ORDER BY ended_at DESC, id DESC LIMIT $4) AS newest ORDER BY started_at, id",
        )
        .bind(since)
        .bind(&filter.flow)
        .bind(&filter.tenant)
        .bind(filter.last.map_or(i64::MAX, i64::from))
        .fetch_all(pool))?)
    }

    /// The flows in which those began that a filter lets through, whichever flow it names, by name.
    pub async fn flows_of_ended(&self, filter: &EndedFilter) -> Result<Vec<String>, StoreError> {
        let since = i64::try_from(filter.since).unwrap_or(i64::MAX);
        Ok(each!(self, pool => sqlx::query_scalar(
            "SELECT DISTINCT flow FROM contacts WHERE ended_at >= $1 AND ($2 IS NULL OR tenant = $2) ORDER BY flow",
        )
        .bind(since)
        .bind(&filter.tenant)
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

    /// Ends the [orphans](Self::orphans), but for those that go on: chats, and calls whose callers may come back. Each gets
    /// a record of what its journal holds.
    pub async fn close_orphans(&self, now: u64) -> Result<u64, StoreError> {
        let chats = self.open_chats().await?.into_iter().map(|chat| chat.id);
        let drops = self.open_drops().await?.into_iter().map(|drop| drop.id);
        let open: BTreeSet<String> = chats.chain(drops).collect();
        let orphans = self.orphans().await?.into_iter();
        let calls: Vec<String> = orphans.filter(|id| !open.contains(id)).collect();
        self.end_all(&calls, STOPPED, now).await
    }

    /// Ends the chats that are open, where the engine takes none any more.
    pub async fn close_chats(&self, now: u64) -> Result<u64, StoreError> {
        let chats = self.open_chats().await?;
        let chats: Vec<String> = chats.into_iter().map(|chat| chat.id).collect();
        self.end_all(&chats, INTERRUPTED, now).await
    }

    async fn end_all(
        &self,
        contacts: &[String],
        reason: &str,
        now: u64,
    ) -> Result<u64, StoreError> {
        let mut ended = 0;
        for ids in contacts.chunks(ORPHANS) {
            let mut ends = Vec::with_capacity(ids.len());
            for id in ids {
                ends.extend(self.end_of(id, reason, now).await?);
            }
            ended += ends.len() as u64;
            write_ends(self, ends).await?;
        }
        Ok(ended)
    }

    /// The end of a contact that its own task does not end: its record holds what its journal does, and its time ends
    /// with that. None when there is no such contact, and where a newer program wrote its journal: that ends it, by what it says.
    pub(crate) async fn end_of(
        &self,
        id: &str,
        reason: &str,
        now: u64,
    ) -> Result<Option<Record>, StoreError> {
        let Some(contact) = self.contact(id).await? else {
            return Ok(None);
        };
        let journal = self.journal(id).await?;
        if let Some(why) = journal.newer() {
            tracing::error!(contact = %id, "a contact is left as it is: {why}");
            return Ok(None);
        }
        let journal = journal.entries;
        let mut tally = Tally::new(Subject::of(&contact));
        journal.iter().for_each(|entry| tally.note(entry));
        let began = u64::try_from(contact.started_at).unwrap_or_default();
        let until = journal.last().map_or(began, |entry| entry.at);
        let mut record = tally.finish(until, reason);
        // Where the machine's clock went back, the end is not before what came before it.
        let now = now.max(until).max(began);
        record.ended_at = now;
        Ok(Some(Record::Ended {
            id: contact.id,
            reason: record.reason.clone(),
            at: now,
            record: Some(Box::new(record)),
        }))
    }

    /// The chats among the [orphans](Self::orphans), and the SHA-256 of the token that opens each.
    pub async fn open_chats(&self) -> Result<Vec<OpenChat>, StoreError> {
        let rows: Vec<(String, Vec<u8>, String)> = each!(self, pool => sqlx::query_as(
            "SELECT id, token, tenant FROM contacts JOIN chats ON contact = id \
             WHERE ended_at IS NULL AND (engine IS NULL OR engine = $1) ORDER BY id",
        )
        .bind(&self.engine)
        .fetch_all(pool))?;
        rows.into_iter()
            .map(|(id, token, tenant)| {
                Ok(OpenChat {
                    id,
                    token: digest(token)?,
                    tenant,
                })
            })
            .collect()
    }

    /// The calls among the [orphans](Self::orphans) whose callers may come back, or might have; the earliest first.
    pub async fn open_drops(&self) -> Result<Vec<OpenDrop>, StoreError> {
        Ok(each!(self, pool => sqlx::query_as(
            "SELECT id, tenant, caller, binding, until_at \
             FROM contacts JOIN drops ON contact = id \
             WHERE ended_at IS NULL AND (engine IS NULL OR engine = $1) ORDER BY until_at, id",
        )
        .bind(&self.engine)
        .fetch_all(pool))?)
    }

    /// The SHA-256 of the token that opens a chat, if there is such a chat.
    pub async fn chat_token(&self, id: &str) -> Result<Option<[u8; 32]>, StoreError> {
        let token: Option<Vec<u8>> = each!(self, pool => sqlx::query_scalar(
            "SELECT token FROM chats WHERE contact = $1",
        )
        .bind(id)
        .fetch_optional(pool))?;
        token.map(digest).transpose()
    }
}

fn digest(token: Vec<u8>) -> Result<[u8; 32], StoreError> {
    <[u8; 32]>::try_from(token)
        .map_err(|_| sqlx::Error::Decode("a token's SHA-256 has 32 bytes".into()).into())
}
