//! The key-value space of each plugin of each tenant.

use schemars::JsonSchema;
use serde::Deserialize;

use super::weights::Part;
use super::{Database, Store, StoreError, millis};

/// `[limits.kv]`: data that plugins keep.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct KvLimits {
    /// Longest key. Bytes; default 512, and no more.
    pub key_bytes: usize,
    /// Longest value. Bytes; default 64 KiB, at most 1 MiB: a store for facts, not for files.
    pub value_bytes: usize,
    /// Keys of one plugin. Count; default 10,000.
    pub keys: u64,
    /// Keys and values of one plugin. Bytes; default 64 MiB.
    pub bytes: u64,
    /// Keys of all plugins of the tenant. Count; default 50,000.
    pub tenant_keys: u64,
    /// Keys and values of all plugins of the tenant. Bytes; default 256 MiB. Where `store.max_mb` is set, no more than half of what
    /// the tenant may have of it either.
    pub tenant_bytes: u64,
    /// Calls a second of all plugins of the tenant, and as many at once after a rest. Count; default 1000.
    ///
    /// All tenants share one writer.
    pub operations_per_second: u32,
}

impl KvLimits {
    /// What holds where nobody says otherwise.
    pub const DEFAULT: KvLimits = KvLimits {
        key_bytes: 512,
        value_bytes: 64 << 10,
        keys: 10_000,
        bytes: 64 << 20,
        tenant_keys: 50_000,
        tenant_bytes: 256 << 20,
        operations_per_second: 1_000,
    };
}

impl Default for KvLimits {
    fn default() -> Self {
        KvLimits::DEFAULT
    }
}

/// Why a key-value call was not done.
#[derive(Debug, thiserror::Error)]
pub enum KvError {
    /// A limit.
    #[error("{text} (limits.{rule})")]
    Limit {
        /// Its name, such as `kv.bytes`.
        rule: &'static str,
        /// What it says.
        text: String,
    },
    /// No key that can be.
    #[error("{0}")]
    Key(&'static str),
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
    /// What may be kept there.
    pub limits: &'a KvLimits,
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
        check(key, None, space.limits)?;
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
        check(key, None, space.limits)?;
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

    /// Whose keys are over at a time in milliseconds since 1970, though they are there still.
    pub async fn tenants_with_expired_keys(&self, now: u64) -> Result<Vec<String>, StoreError> {
        self.reachable()?;
        Ok(each!(self, pool => sqlx::query_scalar(
            "SELECT DISTINCT tenant FROM kv WHERE expires_at <= $1 ORDER BY tenant")
            .bind(millis(now))
            .fetch_all(pool))?)
    }

    /// Removes keys of all plugins of a tenant that are over at a time in milliseconds since 1970, at most `limit`; how many
    /// went.
    pub async fn remove_expired_keys(
        &self,
        tenant: &str,
        now: u64,
        limit: u32,
    ) -> Result<u64, StoreError> {
        self.reachable()?;
        let lock = match &self.database {
            Database::File(_) => None,
            Database::Server(_) => Some(LOCK),
        };
        Ok(each!(self, pool => async {
            let mut transaction = pool.begin().await?;
            // A change of the same tenant counts what goes here.
            if let Some(lock) = lock {
                sqlx::query(lock)
                    .bind(tenant)
                    .execute(&mut *transaction)
                    .await?;
            }
            let gone = sqlx::query(SWEEP)
                .bind(tenant)
                .bind(millis(now))
                .bind(i64::from(limit))
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok::<_, sqlx::Error>(gone.rows_affected())
        })?)
    }

    /// Whether it was done. Changes of one tenant are one after the other: SQLite has one writer, and of a server's
    /// sessions each waits for the one before.
    async fn kv_change(
        &self,
        space: Space<'_>,
        change: Change<'_>,
        now: u64,
    ) -> Result<bool, KvError> {
        check(change.key, Some(change.value), space.limits)?;
        self.reachable()?;
        let lock = match &self.database {
            Database::File(_) => None,
            Database::Server(_) => Some(LOCK),
        };
        let now = millis(now);
        let part = self.most_kv(space.tenant);
        let done = each!(self, pool => async {
            let mut transaction = pool.begin().await?;
            if let Some(lock) = lock {
                sqlx::query(lock)
                    .bind(space.tenant)
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
            let mut used: Used = sqlx::query_as(USED)
                .bind(space.tenant)
                .bind(space.plugin)
                .fetch_one(&mut *transaction)
                .await?;
            if used.beyond(space.limits, part).is_some() {
                // What is over in other plugins counts against nobody: looked for only where it matters.
                sqlx::query("DELETE FROM kv WHERE tenant = $1 AND expires_at <= $2")
                    .bind(space.tenant)
                    .bind(now)
                    .execute(&mut *transaction)
                    .await?;
                used = sqlx::query_as(USED)
                    .bind(space.tenant)
                    .bind(space.plugin)
                    .fetch_one(&mut *transaction)
                    .await?;
            }
            if let Some(limit) = used.beyond(space.limits, part) {
                return Ok(Done::TooMuch(limit));
            }
            transaction.commit().await?;
            Ok::<_, sqlx::Error>(Done::Set)
        })?;
        match done {
            Done::Set => {
                let bytes = change.key.len() + change.value.len();
                self.weights.wrote(space.tenant, Part::Kv, bytes as u64);
                Ok(true)
            }
            Done::Unexpected => Ok(false),
            Done::TooMuch(limit) => Err(limit),
        }
    }
}

/// What became of a change.
enum Done {
    Set,
    Unexpected,
    TooMuch(KvError),
}

/// What a plugin and its tenant keep.
#[derive(sqlx::FromRow)]
struct Used {
    keys: i64,
    bytes: i64,
    tenant_keys: i64,
    tenant_bytes: i64,
}

impl Used {
    /// The first limit that is overrun. `part` is what of the store may be the tenant's keys, where that is bounded.
    fn beyond(&self, limits: &KvLimits, part: Option<u64>) -> Option<KvError> {
        let over = |used: i64, most: u64| u64::try_from(used).is_ok_and(|used| used > most);
        let limit = |rule, text| Some(KvError::Limit { rule, text });
        if over(self.keys, limits.keys) {
            let most = limits.keys;
            return limit("kv.keys", format!("a plugin keeps at most {most} keys"));
        }
        if over(self.bytes, limits.bytes) {
            let most = limits.bytes;
            return limit("kv.bytes", format!("a plugin keeps at most {most} bytes"));
        }
        if over(self.tenant_keys, limits.tenant_keys) {
            let most = limits.tenant_keys;
            let text = format!("the plugins of this tenant keep at most {most} keys together");
            return limit("kv.tenant_keys", text);
        }
        if over(self.tenant_bytes, limits.tenant_bytes) {
            let most = limits.tenant_bytes;
            let text = format!("the plugins of this tenant keep at most {most} bytes together");
            return limit("kv.tenant_bytes", text);
        }
        if let Some(most) = part
            && over(self.tenant_bytes, most)
        {
            let text = format!(
                "the plugins of this tenant keep at most {most} bytes together, half of what it may have of store.max_mb"
            );
            return limit("journals_percent", text);
        }
        None
    }
}

const GET: &str = "SELECT value FROM kv WHERE tenant = $1 AND plugin = $2 AND key = $3 \
                   AND (expires_at IS NULL OR expires_at > $4)";
const PUT: &str = "INSERT INTO kv (tenant, plugin, key, value, expires_at) VALUES ($1, $2, $3, $4, $5) \
                   ON CONFLICT (tenant, plugin, key) \
                   DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at";
const USED: &str = "SELECT mine.keys AS keys, mine.bytes AS bytes, CAST(SUM(own.keys) AS BIGINT) AS tenant_keys, \
                    CAST(SUM(own.bytes) AS BIGINT) AS tenant_bytes \
                    FROM kv_use AS mine JOIN kv_use AS own ON own.tenant = mine.tenant \
                    WHERE mine.tenant = $1 AND mine.plugin = $2 GROUP BY mine.keys, mine.bytes";
const SWEEP: &str = "DELETE FROM kv WHERE tenant = $1 AND (plugin, key) IN \
                     (SELECT plugin, key FROM kv WHERE tenant = $1 AND expires_at <= $2 LIMIT $3)";
/// Held until the transaction ends. The name is hashed, and a clash costs no more than a wait.
const LOCK: &str = "SELECT pg_advisory_xact_lock(hashtext($1), hashtext('kv'))";

/// Holds a key, and a value that is to be kept, against the limits.
pub(crate) fn check(key: &str, value: Option<&[u8]>, limits: &KvLimits) -> Result<(), KvError> {
    if key.is_empty() {
        return Err(KvError::Key("a key is not empty"));
    }
    if key.contains('\0') {
        // PostgreSQL's texts have none, and a plugin works the same on either store.
        return Err(KvError::Key("a key has no NUL character"));
    }
    if key.len() > limits.key_bytes {
        return Err(KvError::Limit {
            rule: "kv.key_bytes",
            text: format!("a key has at most {} bytes", limits.key_bytes),
        });
    }
    if value.is_some_and(|value| value.len() > limits.value_bytes) {
        return Err(KvError::Limit {
            rule: "kv.value_bytes",
            text: format!("a value has at most {} bytes", limits.value_bytes),
        });
    }
    Ok(())
}
