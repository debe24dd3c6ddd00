//! The key-value space of each plugin of each tenant.

use sqlx::Row;
use sqlx::{Sqlite, Transaction};

use super::Store;

/// Longest key, in bytes.
pub const MAX_KEY_BYTES: usize = 512;
/// Longest value, in bytes: a store for facts, not for files.
pub const MAX_VALUE_BYTES: usize = 64 << 10;
/// Most keys of one plugin of one tenant.
pub const MAX_KEYS: i64 = 10_000;

/// Why a key-value call was not done.
#[derive(Debug, thiserror::Error)]
pub enum KvError {
    /// A limit; the text names it.
    #[error("{0}")]
    Limit(String),
    /// The store itself.
    #[error("the store failed: {0}")]
    Store(#[from] sqlx::Error),
}

/// Whose space.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Space<'a> {
    pub tenant: &'a str,
    pub plugin: &'a str,
}

impl Store {
    pub(crate) async fn kv_get(
        &self,
        space: Space<'_>,
        key: &str,
        now: u64,
    ) -> Result<Option<Vec<u8>>, KvError> {
        check(key, None)?;
        let row = sqlx::query(
            "SELECT value FROM kv WHERE tenant = ? AND plugin = ? AND key = ? AND (expires_at IS NULL OR expires_at > ?)",
        )
        .bind(space.tenant)
        .bind(space.plugin)
        .bind(key)
        .bind(now as i64)
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(|row| row.try_get("value")).transpose()?)
    }

    pub(crate) async fn kv_set(
        &self,
        space: Space<'_>,
        key: &str,
        value: &[u8],
        expires_at: Option<u64>,
        now: u64,
    ) -> Result<(), KvError> {
        check(key, Some(value))?;
        let mut transaction = self.pool.begin().await?;
        put(&mut transaction, space, key, value, expires_at, now).await?;
        Ok(transaction.commit().await?)
    }

    pub(crate) async fn kv_delete(&self, space: Space<'_>, key: &str) -> Result<(), KvError> {
        check(key, None)?;
        sqlx::query("DELETE FROM kv WHERE tenant = ? AND plugin = ? AND key = ?")
            .bind(space.tenant)
            .bind(space.plugin)
            .bind(key)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// True when the value was as expected and is now the new one.
    pub(crate) async fn kv_compare_and_set(
        &self,
        space: Space<'_>,
        key: &str,
        expected: Option<&[u8]>,
        value: &[u8],
        now: u64,
    ) -> Result<bool, KvError> {
        check(key, Some(value))?;
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let row = sqlx::query(
            "SELECT value FROM kv WHERE tenant = ? AND plugin = ? AND key = ? AND (expires_at IS NULL OR expires_at > ?)",
        )
        .bind(space.tenant)
        .bind(space.plugin)
        .bind(key)
        .bind(now as i64)
        .fetch_optional(&mut *transaction)
        .await?;
        let current: Option<Vec<u8>> = row.map(|row| row.try_get("value")).transpose()?;
        if current.as_deref() != expected {
            return Ok(false);
        }
        put(&mut transaction, space, key, value, None, now).await?;
        transaction.commit().await?;
        Ok(true)
    }
}

async fn put(
    transaction: &mut Transaction<'_, Sqlite>,
    space: Space<'_>,
    key: &str,
    value: &[u8],
    expires_at: Option<u64>,
    now: u64,
) -> Result<(), KvError> {
    sqlx::query("DELETE FROM kv WHERE tenant = ? AND plugin = ? AND expires_at <= ?")
        .bind(space.tenant)
        .bind(space.plugin)
        .bind(now as i64)
        .execute(&mut **transaction)
        .await?;
    sqlx::query(
        "INSERT INTO kv (tenant, plugin, key, value, expires_at) VALUES (?, ?, ?, ?, ?) \
         ON CONFLICT DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at",
    )
    .bind(space.tenant)
    .bind(space.plugin)
    .bind(key)
    .bind(value)
    .bind(expires_at.map(|at| at as i64))
    .execute(&mut **transaction)
    .await?;
    let count: i64 = sqlx::query("SELECT COUNT(*) AS keys FROM kv WHERE tenant = ? AND plugin = ?")
        .bind(space.tenant)
        .bind(space.plugin)
        .fetch_one(&mut **transaction)
        .await?
        .try_get("keys")?;
    if count > MAX_KEYS {
        return Err(KvError::Limit(format!(
            "a plugin keeps at most {MAX_KEYS} keys"
        )));
    }
    Ok(())
}

/// Holds a key, and a value that is to be kept, against the limits.
pub(crate) fn check(key: &str, value: Option<&[u8]>) -> Result<(), KvError> {
    if key.is_empty() || key.len() > MAX_KEY_BYTES {
        return Err(KvError::Limit(format!(
            "a key has 1 to {MAX_KEY_BYTES} bytes"
        )));
    }
    if value.is_some_and(|value| value.len() > MAX_VALUE_BYTES) {
        return Err(KvError::Limit(format!(
            "a value has at most {MAX_VALUE_BYTES} bytes"
        )));
    }
    Ok(())
}
