//! What is kept of vaults: sealed values. The key that opens them is not in the store.

use sqlx::FromRow;

use super::audit::{Audited, Change, audit};
use super::{AccessError, Store, StoreError};
use crate::vault::Place;

/// Most entries of a tenant.
pub const MAX_VAULT_ENTRIES: i64 = 100;

/// An entry, sealed.
#[derive(Clone, FromRow)]
pub struct VaultRow {
    /// Whose.
    pub tenant: String,
    /// Its name.
    pub name: String,
    /// Where its value may be sent: a JSON list of `host:port`.
    pub hosts: String,
    /// The id of the key that sealed it.
    pub key: String,
    /// The value, sealed.
    pub sealed: Vec<u8>,
    /// When it was set, in milliseconds since 1970.
    pub set_at: i64,
    /// Who set it, as in the audit log.
    pub set_by: String,
}

impl std::fmt::Debug for VaultRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VaultRow")
            .field("tenant", &self.tenant)
            .field("name", &self.name)
            .field("hosts", &self.hosts)
            .finish_non_exhaustive()
    }
}

impl VaultRow {
    /// What its value is sealed for.
    pub(crate) fn place(&self) -> Place<'_> {
        Place {
            tenant: &self.tenant,
            name: &self.name,
            hosts: &self.hosts,
        }
    }

    /// Where its value may be sent. What was tampered with is for nobody.
    pub fn hosts(&self) -> Vec<String> {
        serde_json::from_str(&self.hosts).unwrap_or_default()
    }
}

impl Store {
    /// The entries of a tenant, or of all, by name.
    pub async fn vault(&self, tenant: Option<&str>) -> Result<Vec<VaultRow>, StoreError> {
        self.reachable()?;
        Ok(each!(self, pool => sqlx::query_as(
            "SELECT tenant, name, hosts, key, sealed, set_at, set_by FROM vault WHERE ($1 IS NULL OR tenant = $1) ORDER BY tenant, name",
        )
        .bind(tenant)
        .fetch_all(pool))?)
    }

    /// One entry.
    pub async fn vault_entry(
        &self,
        tenant: &str,
        name: &str,
    ) -> Result<Option<VaultRow>, StoreError> {
        self.reachable()?;
        Ok(each!(self, pool => sqlx::query_as(
            "SELECT tenant, name, hosts, key, sealed, set_at, set_by FROM vault WHERE tenant = $1 AND name = $2",
        )
        .bind(tenant)
        .bind(name)
        .fetch_optional(pool))?)
    }

    /// Keeps an entry, in place of the one of its name.
    pub async fn set_vault_entry(
        &self,
        row: &VaultRow,
        change: &Change,
    ) -> Result<Audited, AccessError> {
        self.reachable()?;
        let done = each!(self, pool => async {
            let mut transaction = pool.begin().await?;
            sqlx::query(
                "INSERT INTO vault (tenant, name, hosts, key, sealed, set_at, set_by) VALUES ($1, $2, $3, $4, $5, $6, $7) \
                 ON CONFLICT (tenant, name) DO UPDATE SET hosts = excluded.hosts, key = excluded.key, \
                 sealed = excluded.sealed, set_at = excluded.set_at, set_by = excluded.set_by",
            )
            .bind(&row.tenant)
            .bind(&row.name)
            .bind(&row.hosts)
            .bind(&row.key)
            .bind(&row.sealed)
            .bind(row.set_at)
            .bind(&row.set_by)
            .execute(&mut *transaction)
            .await?;
            let entries: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM vault WHERE tenant = $1")
                .bind(&row.tenant)
                .fetch_one(&mut *transaction)
                .await?;
            if entries > MAX_VAULT_ENTRIES {
                return Ok(None);
            }
            let audited = audit!(&mut *transaction, change)?;
            transaction.commit().await?;
            Ok::<_, sqlx::Error>(Some(audited))
        })?;
        done.ok_or_else(|| {
            AccessError::Limit(format!(
                "the vault has {MAX_VAULT_ENTRIES} entries, the most that can be: remove those that nobody uses"
            ))
        })
    }

    /// Removes an entry; `None` when there is none.
    pub async fn remove_vault_entry(
        &self,
        tenant: &str,
        name: &str,
        change: &Change,
    ) -> Result<Option<Audited>, StoreError> {
        self.reachable()?;
        Ok(each!(self, pool => async {
            let mut transaction = pool.begin().await?;
            let done = sqlx::query("DELETE FROM vault WHERE tenant = $1 AND name = $2")
                .bind(tenant)
                .bind(name)
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

    /// Puts entries that were sealed anew in place of those that they were made of, all or none. One that was set meanwhile
    /// with another key stops it.
    pub async fn rekey_vault(
        &self,
        key: &str,
        rows: &[VaultRow],
        change: &Change,
    ) -> Result<Audited, StoreError> {
        self.reachable()?;
        let done = each!(self, pool => async {
            let mut transaction = pool.begin().await?;
            for row in rows {
                sqlx::query(
                    "UPDATE vault SET key = $1, sealed = $2 WHERE tenant = $3 AND name = $4 AND set_at = $5 AND hosts = $6",
                )
                .bind(&row.key)
                .bind(&row.sealed)
                .bind(&row.tenant)
                .bind(&row.name)
                .bind(row.set_at)
                .bind(&row.hosts)
                .execute(&mut *transaction)
                .await?;
            }
            let others: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM vault WHERE key <> $1")
                .bind(key)
                .fetch_one(&mut *transaction)
                .await?;
            if others > 0 {
                return Ok(None);
            }
            let audited = audit!(&mut *transaction, change)?;
            transaction.commit().await?;
            Ok::<_, sqlx::Error>(Some(audited))
        })?;
        done.ok_or_else(|| {
            let why = "entries of the vault were set meanwhile: nothing is changed, try again";
            StoreError::Query(sqlx::Error::Protocol(why.to_owned()))
        })
    }
}
