//! What forgetting a number asks of the store.

use sqlx::FromRow;

use super::audit::audit;
use super::records::Body;
use super::{Change, Database, Store, StoreError};
use crate::retention::Number;

/// Contacts, and keys, that are looked through at once.
const LOOKED_AT: i64 = 64;
/// Keys that are removed in one transaction.
const KEYS: usize = 64;

/// A contact with a number.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Traces {
    /// Its id.
    pub id: String,
    /// Its end; none while it lasts.
    pub ended_at: Option<i64>,
    /// Its recording, where it did not run in this engine. None in a file, which has the contacts of one engine alone.
    pub foreign: Option<Foreign>,
}

/// Where the recording of a contact lies, of which this data folder may not have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// The file.
    pub recording: String,
    /// The engine that the contact ran in; none where it came from a backup.
    pub engine: Option<String>,
}

/// What of some contacts has to do with a number.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sightings {
    /// Contacts from or to the number.
    pub own: Vec<Traces>,
    /// Others whose journal, ladder or record has its digits.
    pub mentions: Vec<Traces>,
}

/// A key of a plugin.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct KeyOf {
    /// Whose.
    pub tenant: String,
    /// The plugin.
    pub plugin: String,
    /// The key.
    pub key: String,
}

/// That a number was, or is being, forgotten.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Oblivion {
    /// Its own name.
    pub id: String,
    /// When it began, in milliseconds since 1970.
    pub at: i64,
    /// HMAC-SHA256 of the number.
    pub number: String,
    /// Whose contacts; empty for every tenant's.
    pub tenant: String,
    /// 1 when it is done.
    pub finished: i64,
    /// Contacts removed.
    pub contacts: i64,
    /// Files removed.
    pub recordings: i64,
}

/// A contact that is looked at.
#[derive(FromRow)]
struct Sought {
    id: String,
    ended_at: Option<i64>,
    caller: String,
    called: String,
    recording: Option<String>,
    engine: Option<String>,
    body: Option<Body>,
}

/// A key that is looked at.
#[derive(FromRow)]
struct Kept {
    #[sqlx(flatten)]
    key: KeyOf,
    value: Vec<u8>,
}

impl Store {
    /// Some contacts after one, in the order of their ids: which are from or to a number, and which others have its digits in
    /// journal, ladder or record. None when there are no more.
    pub async fn sought_after(
        &self,
        after: &str,
        number: &Number,
        tenant: Option<&str>,
    ) -> Result<Option<(String, Sightings)>, StoreError> {
        let rows: Vec<Sought> = each!(self, pool => sqlx::query_as(
            "SELECT c.id, c.ended_at, c.caller, c.called, c.recording, c.engine, r.body FROM contacts c LEFT JOIN records r ON r.contact = c.id \
             WHERE c.id > $1 AND ($2 IS NULL OR c.tenant = $2) ORDER BY c.id LIMIT $3",
        )
        .bind(after)
        .bind(tenant)
        .bind(LOOKED_AT)
        .fetch_all(pool))?;
        let Some(last) = rows.last().map(|row| row.id.clone()) else {
            return Ok(None);
        };
        let mut found = Sightings::default();
        for row in rows {
            let recording = row.recording.filter(|_| {
                let here = row.engine.is_some() && row.engine == self.engine;
                matches!(self.database, Database::Server(_)) && !here
            });
            let traces = Traces {
                id: row.id,
                ended_at: row.ended_at,
                foreign: recording.map(|recording| Foreign {
                    recording,
                    engine: row.engine,
                }),
            };
            if number.is(&row.caller) || number.is(&row.called) {
                found.own.push(traces);
            } else if number.is_in(&row.caller)
                || number.is_in(&row.called)
                || row.body.is_some_and(|body| number.is_in_json(&body.text()))
                // Compressed, so the database cannot look into them.
                || self.journal_says(&traces.id, number).await?
                || self.ladder_says(&traces.id, number).await?
            {
                found.mentions.push(traces);
            }
        }
        Ok(Some((last, found)))
    }

    /// Keys of plugins that have a number's digits in their name or value, a plugin after the other.
    pub async fn keys_with(
        &self,
        number: &Number,
        tenant: Option<&str>,
    ) -> Result<Vec<KeyOf>, StoreError> {
        let mut found = Vec::new();
        let mut last = KeyOf {
            tenant: String::new(),
            plugin: String::new(),
            key: String::new(),
        };
        loop {
            let page: Vec<Kept> = each!(self, pool => sqlx::query_as(
                "SELECT tenant, plugin, key, value FROM kv WHERE (plugin, tenant, key) > ($1, $2, $3) \
                 AND ($4 IS NULL OR tenant = $4) ORDER BY plugin, tenant, key LIMIT $5",
            )
            .bind(&last.plugin)
            .bind(&last.tenant)
            .bind(&last.key)
            .bind(tenant)
            .bind(LOOKED_AT)
            .fetch_all(pool))?;
            let Some(end) = page.last() else {
                return Ok(found);
            };
            last = end.key.clone();
            let with = page
                .into_iter()
                .filter(|kept| number.is_in(&kept.key.key) || number.is_in_bytes(&kept.value));
            found.extend(with.map(|kept| kept.key));
        }
    }

    /// Removes keys of plugins.
    pub async fn remove_keys(&self, keys: &[KeyOf]) -> Result<(), StoreError> {
        for keys in keys.chunks(KEYS) {
            each!(self, pool => async {
                let mut transaction = pool.begin().await?;
                for key in keys {
                    sqlx::query("DELETE FROM kv WHERE tenant = $1 AND plugin = $2 AND key = $3")
                        .bind(&key.tenant)
                        .bind(&key.plugin)
                        .bind(&key.key)
                        .execute(&mut *transaction)
                        .await?;
                }
                transaction.commit().await
            })?;
        }
        Ok(())
    }

    /// What is known of the forgetting of numbers, the oldest first.
    pub async fn oblivions(&self) -> Result<Vec<Oblivion>, StoreError> {
        Ok(each!(self, pool => sqlx::query_as(
            "SELECT id, at, number, tenant, finished, contacts, recordings FROM forgotten ORDER BY at, id",
        )
        .fetch_all(pool))?)
    }

    /// Writes down how far the forgetting of a number is, and in the audit log, where a run ends, that it was done.
    pub async fn write_oblivion(
        &self,
        oblivion: &Oblivion,
        done: Option<&Change>,
    ) -> Result<(), StoreError> {
        each!(self, pool => async {
            let mut transaction = pool.begin().await?;
            sqlx::query(
                "INSERT INTO forgotten (id, at, number, tenant, finished, contacts, recordings) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO UPDATE SET finished = excluded.finished, \
                 contacts = excluded.contacts, recordings = excluded.recordings",
            )
            .bind(&oblivion.id)
            .bind(oblivion.at)
            .bind(&oblivion.number)
            .bind(&oblivion.tenant)
            .bind(oblivion.finished)
            .bind(oblivion.contacts)
            .bind(oblivion.recordings)
            .execute(&mut *transaction)
            .await?;
            if let Some(change) = done {
                let _ = audit!(&mut *transaction, change)?;
            }
            transaction.commit().await
        })?;
        Ok(())
    }

    /// Writes the file over where the write-ahead log still has what was deleted.
    pub async fn truncate_log(&self) -> Result<(), StoreError> {
        if let Database::File(pool) = &self.database {
            sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
                .execute(pool)
                .await?;
        }
        Ok(())
    }
}
