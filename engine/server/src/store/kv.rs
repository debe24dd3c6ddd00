//! The key-value space of each plugin of each tenant.

use super::{Database, Store, StoreError, millis};

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
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for KvError {
    fn from(error: sqlx::Error) -> KvError {
        KvError::Store(error.into())
    }
}

/// Whose space.
#[derive(Debug, Clone, Copy)]
pub struct Space<'a> {
    /// The project.
    pub tenant: &'a str,
    /// Its plugin.
    pub plugin: &'a str,
}

/// What is set, and when it is to be set.
struct Change<'a> {
    key: &'a str,
    value: &'a [u8],
    expires_at: Option<u64>,
    /// What the value must be: none for anything, none inside for nothing.
    expected: Option<Option<&'a [u8]>>,
}

impl Store {
    /// The value of a key that is there at a time in milliseconds since 1970.
    pub async fn kv_get(
        &self,
        space: Space<'_>,
        key: &str,
        now: u64,
    ) -> Result<Option<Vec<u8>>, KvError> {
        check(key, None)?;
        self.reachable()?;
        Ok(each!(self, pool => sqlx::query_scalar(GET)
            .bind(space.tenant)
            .bind(space.plugin)
            .bind(key)
            .bind(millis(now))
            .fetch_optional(pool))?)
    }

    /// Sets a key; it is gone at `expires_at`, in milliseconds since 1970.
    pub async fn kv_set(
        &self,
        space: Space<'_>,
        key: &str,
        value: &[u8],
        expires_at: Option<u64>,
        now: u64,
    ) -> Result<(), KvError> {
        let change = Change {
            key,
            value,
            expires_at,
            expected: None,
        };
        self.kv_change(space, change, now).await?;
        Ok(())
    }

    /// Removes a key; a missing one is no error.
    pub async fn kv_delete(&self, space: Space<'_>, key: &str) -> Result<(), KvError> {
        check(key, None)?;
        self.reachable()?;
        each!(self, pool => async {
            sqlx::query("DELETE FROM kv WHERE tenant = $1 AND plugin = $2 AND key = $3")
                .bind(space.tenant)
                .bind(space.plugin)
                .bind(key)
                .execute(pool)
                .await?;
            Ok::<_, sqlx::Error>(())
        })?;
        Ok(())
    }

    /// True when the value was as expected and is now the new one.
    pub async fn kv_compare_and_set(
        &self,
        space: Space<'_>,
        key: &str,
        expected: Option<&[u8]>,
        value: &[u8],
        now: u64,
    ) -> Result<bool, KvError> {
        let change = Change {
            key,
            value,
            expires_at: None,
            expected: Some(expected),
        };
        self.kv_change(space, change, now).await
    }

    /// Whether it was done. Changes of one space are one after the other: SQLite has one writer, and of a server's
    /// sessions each waits for the one before.
    async fn kv_change(
        &self,
        space: Space<'_>,
        change: Change<'_>,
        now: u64,
    ) -> Result<bool, KvError> {
        check(change.key, Some(change.value))?;
        self.reachable()?;
        let lock = match &self.database {
            Database::File(_) => None,
            Database::Server(_) => Some(LOCK),
        };
        let now = millis(now);
        let done = each!(self, pool => async {
            let mut transaction = pool.begin().await?;
            if let Some(lock) = lock {
                sqlx::query(lock)
                    .bind(space.tenant)
                    .bind(space.plugin)
                    .execute(&mut *transaction)
                    .await?;
            }
            // A change goes first, so that SQLite gives the writer's place to this transaction from its start.
            sqlx::query("DELETE FROM kv WHERE tenant = $1 AND plugin = $2 AND expires_at <= $3")
                .bind(space.tenant)
                .bind(space.plugin)
                .bind(now)
                .execute(&mut *transaction)
                .await?;
            if let Some(expected) = change.expected {
                let current: Option<Vec<u8>> = sqlx::query_scalar(GET)
                    .bind(space.tenant)
                    .bind(space.plugin)
                    .bind(change.key)
                    .bind(now)
                    .fetch_optional(&mut *transaction)
                    .await?;
                if current.as_deref() != expected {
                    return Ok(Done::Unexpected);
                }
            }
            sqlx::query(PUT)
                .bind(space.tenant)
                .bind(space.plugin)
                .bind(change.key)
                .bind(change.value)
                .bind(change.expires_at.map(millis))
                .execute(&mut *transaction)
                .await?;
            let keys: i64 = sqlx::query_scalar(COUNT)
                .bind(space.tenant)
                .bind(space.plugin)
                .fetch_one(&mut *transaction)
                .await?;
            if keys > MAX_KEYS {
                return Ok(Done::TooMany);
            }
            transaction.commit().await?;
            Ok::<_, sqlx::Error>(Done::Set)
        })?;
        match done {
            Done::Set => Ok(true),
            Done::Unexpected => Ok(false),
            Done::TooMany => Err(KvError::Limit(format!(
                "a plugin keeps at most {MAX_KEYS} keys"
            ))),
        }
    }
}

/// What became of a change.
enum Done {
    Set,
    Unexpected,
    TooMany,
}

const GET: &str = "SELECT value FROM kv WHERE tenant = $1 AND plugin = $2 AND key = $3 \
                   AND (expires_at IS NULL OR expires_at > $4)";
const PUT: &str = "INSERT INTO kv (tenant, plugin, key, value, expires_at) VALUES ($1, $2, $3, $4, $5) \
                   ON CONFLICT (tenant, plugin, key) \
                   DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at";
const COUNT: &str = "SELECT COUNT(*) FROM kv WHERE tenant = $1 AND plugin = $2";
/// Held until the transaction ends. The two names are hashed, and a clash costs no more than a wait.
const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtext($1), hashtext($2))";

/// Holds a key, and a value that is to be kept, against the limits.
pub(crate) fn check(key: &str, value: Option<&[u8]>) -> Result<(), KvError> {
    if key.is_empty() || key.len() > MAX_KEY_BYTES {
        return Err(KvError::Limit(format!(
            "a key has 1 to {MAX_KEY_BYTES} bytes"
        )));
    }
    if key.contains('\0') {
        // PostgreSQL's texts have none, and a plugin works the same on either store.
        return Err(KvError::Limit("a key has no NUL character".to_owned()));
    }
    if value.is_some_and(|value| value.len() > MAX_VALUE_BYTES) {
        return Err(KvError::Limit(format!(
            "a value has at most {MAX_VALUE_BYTES} bytes"
        )));
    }
    Ok(())
}
