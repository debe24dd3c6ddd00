//! People who sign in, and their sessions.

use sqlx::FromRow;

use super::audit::{Audited, Change, audit};
use super::{AccessError, Store, StoreError, millis};

/// Most users of the whole centre, and of each tenant whatever its `limits.users`: the people who run one contact centre.
pub const MAX_USERS: i64 = 1_000;
/// Most sessions of one user; a further one ends the oldest.
pub const MAX_SESSIONS: i64 = 20;

/// Somebody who can sign in.
#[derive(Clone, FromRow)]
pub struct UserRow {
    /// The name that is typed.
    pub name: String,
    /// argon2id, a PHC string.
    pub password: String,
    /// The role's name.
    pub role: String,
    /// The tenant; `*` for every one.
    pub tenant: String,
    /// Milliseconds since 1970.
    pub made_at: i64,
    /// Who made it, as in the audit log.
    pub made_by: String,
}

/// A session that lasts, and whose it is.
#[derive(Debug, Clone, FromRow)]
pub struct SessionRow {
    /// The user.
    pub name: String,
    /// The role's name.
    pub role: String,
    /// The tenant; `*` for every one.
    pub tenant: String,
    /// Milliseconds since 1970.
    pub expires_at: i64,
}

impl Store {
    /// A user.
    pub async fn user(&self, name: &str) -> Result<Option<UserRow>, StoreError> {
        self.reachable()?;
        Ok(
            each!(self, pool => sqlx::query_as("SELECT * FROM users WHERE name = $1")
            .bind(name)
            .fetch_optional(pool))?,
        )
    }

    /// All users, by name.
    pub async fn users(&self) -> Result<Vec<UserRow>, StoreError> {
        self.reachable()?;
        Ok(
            each!(self, pool => sqlx::query_as("SELECT * FROM users ORDER BY name").fetch_all(pool))?,
        )
    }

    /// How many users a tenant has.
    pub async fn users_of(&self, tenant: &str) -> Result<u64, StoreError> {
        self.reachable()?;
        let users: i64 = each!(self, pool => sqlx::query_scalar("SELECT COUNT(*) FROM users WHERE tenant = $1")
            .bind(tenant)
            .fetch_one(pool))?;
        Ok(users.unsigned_abs())
    }

    /// Keeps a user: a new one, or in place of `before`, if that one is still there, whose sessions end with it.
    pub async fn set_user(
        &self,
        user: &UserRow,
        before: Option<&UserRow>,
        change: &Change,
    ) -> Result<Audited, AccessError> {
        self.reachable()?;
        let taken = match before {
            None => format!(
                "there is a user {} already: remove that one first, or choose another name",
                user.name
            ),
            Some(_) => format!("the user {} was changed meanwhile: look again", user.name),
        };
        let done = each!(self, pool => async {
            let mut transaction = pool.begin().await?;
            if let Some(before) = before {
                let gone = sqlx::query("DELETE FROM users WHERE name = $1 AND tenant = $2 AND password = $3")
                    .bind(&before.name)
                    .bind(&before.tenant)
                    .bind(&before.password)
                    .execute(&mut *transaction)
                    .await?;
                if gone.rows_affected() == 0 {
                    return Ok(Err(taken));
                }
                sqlx::query("DELETE FROM sessions WHERE user_name = $1")
                    .bind(&before.name)
                    .execute(&mut *transaction)
                    .await?;
            }
            let done = sqlx::query(
                "INSERT INTO users (name, password, role, tenant, made_at, made_by) VALUES ($1, $2, $3, $4, $5, $6) \
                 ON CONFLICT (name) DO NOTHING",
            )
            .bind(&user.name)
            .bind(&user.password)
            .bind(&user.role)
            .bind(&user.tenant)
            .bind(user.made_at)
            .bind(&user.made_by)
            .execute(&mut *transaction)
            .await?;
            if done.rows_affected() == 0 {
                return Ok(Err(taken));
            }
            let users: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM users WHERE tenant = $1")
                .bind(&user.tenant)
                .fetch_one(&mut *transaction)
                .await?;
            if users > MAX_USERS {
                return Ok(Err(format!("there are {MAX_USERS} users of `{}`, the most that can be", user.tenant)));
            }
            let audited = audit!(&mut *transaction, change)?;
            transaction.commit().await?;
            Ok::<_, sqlx::Error>(Ok(audited))
        })?;
        done.map_err(AccessError::Limit)
    }

    /// Removes a user and ends the sessions; `None` when there is none.
    pub async fn remove_user(
        &self,
        name: &str,
        change: &Change,
    ) -> Result<Option<Audited>, StoreError> {
        self.reachable()?;
        Ok(each!(self, pool => async {
            let mut transaction = pool.begin().await?;
            let done = sqlx::query("DELETE FROM users WHERE name = $1")
                .bind(name)
                .execute(&mut *transaction)
                .await?;
            if done.rows_affected() == 0 {
                return Ok(None);
            }
            sqlx::query("DELETE FROM sessions WHERE user_name = $1")
                .bind(name)
                .execute(&mut *transaction)
                .await?;
            let audited = audit!(&mut *transaction, change)?;
            transaction.commit().await?;
            Ok::<_, sqlx::Error>(Some(audited))
        })?)
    }

    /// Keeps a new session, and lets go of those that are over.
    pub async fn make_session(
        &self,
        hash: &[u8],
        user: &str,
        expires_at: u64,
        change: &Change,
    ) -> Result<Audited, StoreError> {
        self.reachable()?;
        Ok(each!(self, pool => async {
            let mut transaction = pool.begin().await?;
            sqlx::query("DELETE FROM sessions WHERE expires_at <= $1")
                .bind(millis(change.at))
                .execute(&mut *transaction)
                .await?;
            sqlx::query("INSERT INTO sessions (hash, user_name, expires_at) VALUES ($1, $2, $3)")
                .bind(hash)
                .bind(user)
                .bind(millis(expires_at))
                .execute(&mut *transaction)
                .await?;
            sqlx::query(
                "DELETE FROM sessions WHERE user_name = $1 AND hash NOT IN \
                 (SELECT hash FROM sessions WHERE user_name = $1 ORDER BY expires_at DESC LIMIT $2)",
            )
            .bind(user)
            .bind(MAX_SESSIONS)
            .execute(&mut *transaction)
            .await?;
            let audited = audit!(&mut *transaction, change)?;
            transaction.commit().await?;
            Ok::<_, sqlx::Error>(audited)
        })?)
    }

    /// A session that lasts, of a user who is still there.
    pub async fn session(&self, hash: &[u8], now: u64) -> Result<Option<SessionRow>, StoreError> {
        self.reachable()?;
        Ok(each!(self, pool => sqlx::query_as(
            "SELECT users.name, users.role, users.tenant, sessions.expires_at FROM sessions \
             JOIN users ON users.name = sessions.user_name WHERE sessions.hash = $1 AND sessions.expires_at > $2",
        )
        .bind(hash)
        .bind(millis(now))
        .fetch_optional(pool))?)
    }

    /// Ends a session.
    pub async fn end_session(&self, hash: &[u8], change: &Change) -> Result<Audited, StoreError> {
        self.reachable()?;
        Ok(each!(self, pool => async {
            let mut transaction = pool.begin().await?;
            sqlx::query("DELETE FROM sessions WHERE hash = $1")
                .bind(hash)
                .execute(&mut *transaction)
                .await?;
            let audited = audit!(&mut *transaction, change)?;
            transaction.commit().await?;
            Ok::<_, sqlx::Error>(audited)
        })?)
    }
}
