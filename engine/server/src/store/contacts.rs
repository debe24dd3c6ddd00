//! Looking contacts up.

use serde::Serialize;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;
use strowger_contact::Entry;

use super::{Store, StoreError};

/// A contact's record.
#[derive(Debug, Clone, Serialize)]
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
    pub content: Option<String>,
    /// `voice` or `chat`.
    pub channel: String,
    /// Caller.
    pub from: String,
    /// Called.
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
    /// At most so many, the newest first; default and highest 1,000.
    pub limit: Option<u32>,
}

impl Store {
    /// Contacts, the newest first.
    pub async fn contacts(&self, filter: &ContactFilter) -> Result<Vec<ContactRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM contacts WHERE (?1 IS NULL OR sip_call_id = ?1) ORDER BY started_at DESC, id LIMIT ?2",
        )
        .bind(&filter.sip_call_id)
        .bind(i64::from(filter.limit.unwrap_or(1_000).min(1_000)))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|row| Ok(contact(row)?)).collect()
    }

    /// A contact's record; `None` when there is no such contact.
    pub async fn contact(&self, id: &str) -> Result<Option<ContactRow>, StoreError> {
        let row = sqlx::query("SELECT * FROM contacts WHERE id = ?")
            .bind(id)
            .fetch_optional(&self.pool)
            .await?;
        Ok(row.as_ref().map(contact).transpose()?)
    }

    /// The contacts that have ended since a time in milliseconds since 1970, the oldest first.
    pub async fn ended_since(&self, since: u64) -> Result<Vec<String>, StoreError> {
        let rows =
            sqlx::query("SELECT id FROM contacts WHERE ended_at >= ? ORDER BY started_at, id")
                .bind(i64::try_from(since).unwrap_or(i64::MAX))
                .fetch_all(&self.pool)
                .await?;
        rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
    }

    /// A contact's journal in order as far as it can be read, and whether its last line is broken off.
    pub async fn whole_journal(&self, id: &str) -> Result<(Vec<Entry>, bool), StoreError> {
        let rows = sqlx::query("SELECT body FROM chunks WHERE contact = ? ORDER BY seq")
            .bind(id)
            .fetch_all(&self.pool)
            .await?;
        let mut entries = Vec::new();
        let last = rows.len().saturating_sub(1);
        for (number, row) in rows.iter().enumerate() {
            let body: String = row.try_get("body")?;
            let mut lines = body.lines().peekable();
            while let Some(line) = lines.next() {
                match serde_json::from_str(line) {
                    Ok(entry) => entries.push(entry),
                    Err(_) if number == last && lines.peek().is_none() => {
                        return Ok((entries, true));
                    }
                    Err(error) => return Err(sqlx::Error::Decode(error.into()).into()),
                }
            }
        }
        Ok((entries, false))
    }

    /// A contact's journal in order; empty when there is none.
    pub async fn journal(&self, id: &str) -> Result<Vec<Entry>, StoreError> {
        let rows = sqlx::query("SELECT body FROM chunks WHERE contact = ? ORDER BY seq")
            .bind(id)
            .fetch_all(&self.pool)
            .await?;
        let mut entries = Vec::new();
        for row in &rows {
            let body: String = row.try_get("body")?;
            for line in body.lines() {
                entries
                    .push(serde_json::from_str(line).map_err(|e| sqlx::Error::Decode(e.into()))?);
            }
        }
        Ok(entries)
    }

    /// Ids of contacts that began in an engine that is no more: its process ended before they did.
    pub async fn orphans(&self) -> Result<Vec<String>, StoreError> {
        let ids = sqlx::query_scalar("SELECT id FROM contacts WHERE ended_at IS NULL")
            .fetch_all(&self.pool)
            .await?;
        Ok(ids)
    }

    /// Says where the recording of a contact lies, where nothing says so yet.
    pub async fn found_recording(&self, id: &str, file: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE contacts SET recording = ? WHERE id = ? AND recording IS NULL")
            .bind(file)
            .bind(id)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Ends the [orphans](Self::orphans).
    pub async fn close_orphans(&self, now: u64) -> Result<u64, StoreError> {
        let done = sqlx::query(
            "UPDATE contacts SET ended_at = ?, reason = 'engine-stopped' WHERE ended_at IS NULL",
        )
        .bind(now as i64)
        .execute(&self.pool)
        .await?;
        Ok(done.rows_affected())
    }
}

fn contact(row: &SqliteRow) -> Result<ContactRow, sqlx::Error> {
    Ok(ContactRow {
        id: row.try_get("id")?,
        tenant: row.try_get("tenant")?,
        flow: row.try_get("flow")?,
        hash: row.try_get("hash")?,
        // A store of an older engine that is only read has no such column yet.
        content: match row.try_get("content") {
            Err(sqlx::Error::ColumnNotFound(_)) => None,
            other => other?,
        },
        channel: row.try_get("channel")?,
        from: row.try_get("caller")?,
        to: row.try_get("called")?,
        sip_call_id: row.try_get("sip_call_id")?,
        started_at: row.try_get("started_at")?,
        ended_at: row.try_get("ended_at")?,
        reason: row.try_get("reason")?,
        recording: row.try_get("recording")?,
    })
}
