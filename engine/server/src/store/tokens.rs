//! API tokens: what is kept of them.

use sqlx::FromRow;

use super::audit::{Audited, Change, audit};
use super::{AccessError, Store, StoreError, millis};
use crate::access::EVERY_TENANT;

/// Most tokens of the whole centre that are good at a time: each belongs to a program or a person, and somebody has to know which. A
/// tenant has `limits.tokens`, and takes none of the centre's places.
pub const MAX_TOKENS: i64 = 1_000;
/// How coarsely the last use is noted, in milliseconds: an hour. A use is no write.
const USED_WITHIN_MS: u64 = 3_600_000;

/// A token that is good.
#[derive(Debug, Clone, FromRow)]
pub struct TokenRow {
    /// Its id.
    pub id: String,
    /// SHA-256 of its secret.
    pub hash: Vec<u8>,
    /// What it is for.
    pub name: String,
    /// Its role's name.
    pub role: String,
    /// Its tenant; `*` for every one.
    pub tenant: String,
    /// Milliseconds since 1970.
    pub made_at: i64,
    /// Who made it, as in the audit log.
    pub made_by: String,
    /// Milliseconds since 1970; none for never.
    pub expires_at: Option<i64>,
    /// Last use, to the hour, in milliseconds since 1970.
    pub used_at: Option<i64>,
}

impl TokenRow {
    /// Whether its time is over.
    pub fn expired(&self, now: u64) -> bool {
        self.expires_at.is_some_and(|at| at <= millis(now))
    }
}

impl Store {
    /// Whether a token or a user was ever made: from then on nobody is let in without one.
    pub async fn has_access(&self) -> Result<bool, StoreError> {
        self.reachable()?;
        let rows: i64 = each!(self, pool => sqlx::query_scalar(
            "SELECT (SELECT COUNT(*) FROM tokens) + (SELECT COUNT(*) FROM users)",
        )
        .fetch_one(pool))?;
        Ok(rows > 0)
    }

    /// A token that was not revoked.
    pub async fn token(&self, id: &str) -> Result<Option<TokenRow>, StoreError> {
        self.reachable()?;
        Ok(each!(self, pool => sqlx::query_as(
            "SELECT id, hash, name, role, tenant, made_at, made_by, expires_at, used_at FROM tokens WHERE id = $1 AND revoked_at IS NULL",
        )
        .bind(id)
        .fetch_optional(pool))?)
    }

    /// The tokens that were not revoked, the newest first, from the one after `after` on: those of a tenant, or all.
    pub async fn tokens(
        &self,
        tenant: Option<&str>,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<TokenRow>, StoreError> {
        self.reachable()?;
        Ok(each!(self, pool => sqlx::query_as(
            "SELECT id, hash, name, role, tenant, made_at, made_by, expires_at, used_at FROM tokens WHERE revoked_at IS NULL AND ($1 IS NULL OR tenant = $1) \
             AND ($2 IS NULL OR id < $2) ORDER BY id DESC LIMIT $3",
        )
        .bind(tenant)
        .bind(after)
        .bind(i64::from(limit))
        .fetch_all(pool))?)
    }

    /// Keeps a new token.
    pub async fn make_token(
        &self,
        token: &TokenRow,
        change: &Change,
    ) -> Result<Audited, AccessError> {
        self.reachable()?;
        let done = each!(self, pool => async {
            let mut transaction = pool.begin().await?;
            sqlx::query(
                "INSERT INTO tokens (id, hash, name, role, tenant, made_at, made_by, expires_at) \
                 VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            )
            .bind(&token.id)
            .bind(&token.hash)
            .bind(&token.name)
            .bind(&token.role)
            .bind(&token.tenant)
            .bind(token.made_at)
            .bind(&token.made_by)
            .bind(token.expires_at)
            .execute(&mut *transaction)
            .await?;
            let good: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM tokens WHERE revoked_at IS NULL AND tenant = $1")
                .bind(&token.tenant)
                .fetch_one(&mut *transaction)
                .await?;
            if token.tenant == EVERY_TENANT && good > MAX_TOKENS {
                return Ok(None);
            }
            let audited = audit!(&mut *transaction, change)?;
            transaction.commit().await?;
            Ok::<_, sqlx::Error>(Some(audited))
        })?;
        done.ok_or_else(|| {
            AccessError::Limit(format!(
                "there are {MAX_TOKENS} tokens of the whole centre, the most that can be: revoke those that nobody uses"
            ))
        })
    }

    /// Makes a token good for nothing any more; `None` when there is none.
    pub async fn revoke_token(
        &self,
        id: &str,
        change: &Change,
    ) -> Result<Option<Audited>, StoreError> {
        self.reachable()?;
        Ok(each!(self, pool => async {
            let mut transaction = pool.begin().await?;
            let done = sqlx::query("UPDATE tokens SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL")
                .bind(millis(change.at))
                .bind(id)
                .execute(&mut *transaction)
                .await?;
            if done.rows_affected() == 0 {
                return Ok(None);
            }
            let audited = audit!(&mut *transaction, change)?;
            transaction.commit().await?;
            Ok::<_, sqlx::Error>(Some(audited))
        })?)
    }

    /// Notes that a token was used, to the hour.
    pub async fn token_used(&self, token: &TokenRow, now: u64) -> Result<(), StoreError> {
        let before = millis(now.saturating_sub(USED_WITHIN_MS));
        if token.used_at.is_some_and(|at| at > before) {
            return Ok(());
        }
        each!(self, pool => async {
            sqlx::query("UPDATE tokens SET used_at = $1 WHERE id = $2")
                .bind(millis(now))
                .bind(&token.id)
                .execute(pool)
                .await?;
            Ok::<_, sqlx::Error>(())
        })?;
        Ok(())
    }
}
