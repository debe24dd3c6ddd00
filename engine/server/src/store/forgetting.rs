//! What forgetting a number asks of the store.

use sqlx::FromRow;

use super::audit::audit;
use super::{Change, Database, Store, StoreError};

/// Contacts that are looked through at once for a mention.
const LOOKED_AT: i64 = 64;

/// A contact with a number.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Traces {
    /// Its id.
    pub id: String,
    /// Its end; none while it lasts.
    pub ended_at: Option<i64>,
}

/// A place that mentions a number and is not removed: a plugin's data.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Mention {
    /// The plugin.
    pub plugin: String,
    /// Keys whose name or value has the digits.
    pub keys: i64,
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

impl Store {
    /// Contacts from or to one of these spellings of a number.
    pub async fn contacts_of(
        &self,
        spellings: &[String; 3],
        tenant: Option<&str>,
    ) -> Result<Vec<Traces>, StoreError> {
        let [a, b, c] = spellings;
        Ok(each!(self, pool => sqlx::query_as(
            "SELECT id, ended_at FROM contacts WHERE (caller IN ($1, $2, $3) OR called IN ($1, $2, $3)) \
             AND ($4 IS NULL OR tenant = $4) ORDER BY id",
        )
        .bind(a)
        .bind(b)
        .bind(c)
        .bind(tenant)
        .fetch_all(pool))?)
    }

    /// Some contacts after one, in the order of their ids, and which of them have a text in their journal or record.
    /// None when there are no more.
    pub async fn mentions_after(
        &self,
        after: &str,
        text: &str,
        tenant: Option<&str>,
    ) -> Result<Option<(String, Vec<Traces>)>, StoreError> {
        let ids: Vec<String> = each!(self, pool => sqlx::query_scalar(
            "SELECT id FROM contacts WHERE id > $1 AND ($2 IS NULL OR tenant = $2) ORDER BY id LIMIT $3",
        )
        .bind(after)
        .bind(tenant)
        .bind(LOOKED_AT)
        .fetch_all(pool))?;
        let Some(last) = ids.last().cloned() else {
            return Ok(None);
        };
        // Digits alone, so nothing in it has a meaning of its own.
        let like = format!("%{text}%");
        let contacts: Vec<(Traces, bool)> = each!(self, pool => async {
            let rows: Vec<(String, Option<i64>, bool)> = sqlx::query_as(
                "SELECT id, ended_at, EXISTS (SELECT 1 FROM records WHERE contact = id \
                 AND REPLACE(REPLACE(body, ' ', ''), '-', '') LIKE $4) \
                 FROM contacts WHERE id > $1 AND id <= $2 AND ($3 IS NULL OR tenant = $3) ORDER BY id",
            )
            .bind(after)
            .bind(&last)
            .bind(tenant)
            .bind(&like)
            .fetch_all(pool)
            .await?;
            let contacts = rows.into_iter();
            Ok::<_, sqlx::Error>(
                contacts
                    .map(|(id, ended_at, recorded)| (Traces { id, ended_at }, recorded))
                    .collect(),
            )
        })?;
        let mut found = Vec::new();
        for (traces, recorded) in contacts {
            // Journals are compressed, so the database cannot look into them.
            if recorded
                || self.journal_says(&traces.id, text).await?
                || self.ladder_says(&traces.id, text).await?
            {
                found.push(traces);
            }
        }
        Ok(Some((last, found)))
    }

    /// Keys of plugins that have a text in their name or value.
    pub async fn keys_with(
        &self,
        text: &str,
        tenant: Option<&str>,
    ) -> Result<Vec<Mention>, StoreError> {
        let like = format!("%{text}%");
        let found = match &self.database {
            Database::File(pool) => {
                sqlx::query_as(
                    "SELECT plugin, COUNT(*) AS keys FROM kv WHERE (key LIKE $1 OR instr(value, $2) > 0) \
                     AND ($3 IS NULL OR tenant = $3) GROUP BY plugin ORDER BY plugin",
                )
                .bind(&like)
                .bind(text.as_bytes())
                .bind(tenant)
                .fetch_all(pool)
                .await?
            }
            Database::Server(pool) => {
                sqlx::query_as(
                    "SELECT plugin, COUNT(*) AS keys FROM kv WHERE (key LIKE $1 OR position($2 IN value) > 0) \
                     AND ($3 IS NULL OR tenant = $3) GROUP BY plugin ORDER BY plugin",
                )
                .bind(&like)
                .bind(text.as_bytes())
                .bind(tenant)
                .fetch_all(pool)
                .await?
            }
        };
        Ok(found)
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
