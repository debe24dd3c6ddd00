//! The audit log: who changed what. A change of the store stands in it by the same transaction.

use serde::Serialize;
use serde_json::Value as Json;
use sqlx::FromRow;
use utoipa::ToSchema;

use super::{Store, StoreError};
use crate::access::{Role, scope};
use crate::project::hex;

/// How an attempt to change something ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was not allowed.
    Refused,
}

impl Outcome {
    fn name(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Refused => "refused",
        }
    }
}

/// Something that somebody did or tried, as it goes into the log. Holds no secret: no token, password or body.
#[derive(Debug, Clone)]
pub struct Change {
    /// When, in milliseconds since 1970.
    pub at: u64,
    /// `token:ID`, `user:NAME`, `cli:USER`, or `loopback` before there is any token.
    pub who: String,
    /// In which role.
    pub role: Role,
    /// The tenant that what is changed belongs to; none for the whole centre.
    pub tenant: Option<String>,
    /// What: an object's kind and a verb, such as `token.make`.
    pub action: String,
    /// The id or name of what is changed.
    pub object: String,
    /// What else a reader should know; JSON, an object.
    pub detail: Json,
    /// How it ended.
    pub outcome: Outcome,
}

/// Proof that a change stands in the log. The answer to a request that changes something carries it: see
/// `http::routes`.
#[derive(Debug, Clone, Copy)]
#[must_use = "the answer to a change carries the proof that it was written down"]
pub struct Audited(pub(super) ());

/// A line of the log.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub struct AuditRow {
    /// Its id; ids sort by age.
    pub id: String,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// `token:ID`, `user:NAME`, `cli:USER`, or `loopback` before there was any token.
    pub who: String,
    /// In which role.
    pub role: String,
    /// The tenant of what was changed; `*` for the whole centre.
    pub tenant: String,
    /// What: an object's kind and a verb, such as `token.make`.
    pub action: String,
    /// The id or name of what was changed.
    pub object: String,
    /// What else is to be known.
    #[schema(value_type = Object)]
    pub detail: Json,
    /// `done` or `refused`.
    pub outcome: String,
}

#[derive(FromRow)]
struct Stored {
    id: String,
    at: i64,
    who: String,
    role: String,
    tenant: String,
    action: String,
    object: String,
    detail: String,
    outcome: String,
}

/// Writes a change into the log, within a transaction that makes it, or on a connection of its own.
macro_rules! audit {
    ($connection:expr, $change:expr) => {{
        let change: &$crate::store::audit::Change = $change;
        sqlx::query($crate::store::audit::INSERT)
            .bind(change.id())
            .bind($crate::store::millis(change.at))
            .bind(&change.who)
            .bind(change.role.name())
            .bind($crate::access::scope(change.tenant.as_deref()))
            .bind(&change.action)
            .bind(&change.object)
            .bind(change.detail.to_string())
            .bind(change.outcome())
            .execute($connection)
            .await
            .map(|_| $crate::store::audit::Audited(()))
    }};
}
pub(super) use audit;

pub(super) const INSERT: &str = "INSERT INTO audit (id, at, who, role, tenant, action, object, detail, outcome) \
                                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

impl Change {
    /// Of the thing that a tenant has under this number.
    pub(super) fn numbered(&self, tenant: &str, number: u64) -> Change {
        Change {
            object: format!("{tenant}/{number}"),
            ..self.clone()
        }
    }

    /// Time first, so that ids sort by age; then chance.
    pub(super) fn id(&self) -> String {
        let chance: [u8; 8] = rand::random();
        format!("{}-{}", first_id(self.at), hex(&chance))
    }

    pub(super) fn outcome(&self) -> &'static str {
        self.outcome.name()
    }
}

/// Whether a text can be the id of a line.
pub(crate) fn is_id(text: &str) -> bool {
    let hexadecimal = |text: &str| {
        text.bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    text.split_once('-').is_some_and(|(time, chance)| {
        (11..=16).contains(&time.len())
            && chance.len() == 16
            && hexadecimal(time)
            && hexadecimal(chance)
    })
}

/// What the ids of a time begin with; it sorts before them all.
fn first_id(at: u64) -> String {
    format!("{at:011x}")
}

impl Store {
    /// Writes a change down that is not one of the store. For those that are, the store's own functions do it.
    pub async fn audit(&self, change: &Change) -> Result<Audited, StoreError> {
        self.reachable()?;
        Ok(each!(self, pool => async { audit!(pool, change) })?)
    }

    /// Removes the oldest lines from before a time in milliseconds since 1970, at most `limit`; how many went. With `dry`,
    /// how many would, all of them.
    pub async fn prune_audit(&self, before: u64, limit: u32, dry: bool) -> Result<u64, StoreError> {
        self.reachable()?;
        // Ids begin with the time.
        let before = first_id(before);
        if dry {
            let count: i64 = each!(self, pool => sqlx::query_scalar("SELECT COUNT(*) FROM audit WHERE id < $1")
                .bind(&before)
                .fetch_one(pool))?;
            return Ok(u64::try_from(count).unwrap_or_default());
        }
        let done: u64 = each!(self, pool => async {
            let done = sqlx::query(
                "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE id < $1 ORDER BY id LIMIT $2)",
            )
            .bind(&before)
            .bind(i64::from(limit))
            .execute(pool)
            .await?;
            Ok::<_, sqlx::Error>(done.rows_affected())
        })?;
        Ok(done)
    }

    /// Lines of the log, the newest first, from the one after `after` on: those of a tenant, or all.
    pub async fn audit_log(
        &self,
        tenant: Option<&str>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<AuditRow>, StoreError> {
        self.reachable()?;
        let rows: Vec<Stored> = each!(self, pool => sqlx::query_as(
            "SELECT * FROM audit WHERE ($1 IS NULL OR tenant = $1) AND ($2 IS NULL OR id < $2) \
             ORDER BY id DESC LIMIT $3",
        )
        .bind(tenant.map(|tenant| scope(Some(tenant))))
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(pool))?;
        rows.into_iter().map(AuditRow::of).collect()
    }
}

impl AuditRow {
    fn of(row: Stored) -> Result<AuditRow, StoreError> {
        Ok(AuditRow {
            detail: serde_json::from_str(&row.detail)
                .map_err(|error| sqlx::Error::Decode(error.into()))?,
            id: row.id,
            at: row.at,
            who: row.who,
            role: row.role,
            tenant: row.tenant,
            action: row.action,
            object: row.object,
            outcome: row.outcome,
        })
    }
}
