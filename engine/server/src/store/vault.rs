//! What is kept of vaults: sealed values. The key that opens them is not in the store.

use sqlx::FromRow;

use super::audit::{Audited, Change, audit};
use super::{AccessError, Database, Store, StoreError};
use crate::vault::Place;

/// Most entries of a tenant.
pub const MAX_VAULT_ENTRIES: usize = 100;

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

/// Which key an entry is sealed with.
#[derive(Debug, Clone, FromRow)]
pub struct SealedBy {
    /// Whose.
    pub tenant: String,
    /// Its name.
    pub name: String,
    /// The id of the key.
    pub key: String,
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

    /// Which key it is sealed with.
    pub(crate) fn sealed_by(&self) -> SealedBy {
        SealedBy {
            tenant: self.tenant.clone(),
            name: self.name.clone(),
            key: self.key.clone(),
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

    /// Keeps an entry, in place of the one of its name. `seal` makes it once nobody else can change the vaults any more, told of
    /// what is in all of them: what it refuses is not kept.
    pub async fn set_vault_entry<E: From<AccessError>>(
        &self,
        change: &Change,
        seal: impl FnOnce(&[SealedBy]) -> Result<VaultRow, E>,
    ) -> Result<(VaultRow, Audited), E> {
        self.reachable().map_err(AccessError::from)?;
        let lock = self.vault_lock();
        let done = each!(self, pool => async {
            let mut transaction = pool.begin().await?;
            if let Some(lock) = lock {
                sqlx::query(lock).execute(&mut *transaction).await?;
            }
            // A change goes first, so that SQLite gives the writer's place to this transaction from its start.
            let audited = audit!(&mut *transaction, change)?;
            let there: Vec<SealedBy> =
                sqlx::query_as("SELECT tenant, name, key FROM vault ORDER BY tenant, name")
                    .fetch_all(&mut *transaction)
                    .await?;
            let row = match seal(&there) {
                Ok(row) => row,
                Err(refused) => return Ok(Err(refused)),
            };
            let own = there.iter().filter(|entry| entry.tenant == row.tenant);
            let others = own.filter(|entry| entry.name != row.name).count();
            if others >= MAX_VAULT_ENTRIES {
                return Ok(Err(AccessError::Limit(format!(
                    "the vault has {MAX_VAULT_ENTRIES} entries, the most that can be: remove those that nobody uses"
                ))
                .into()));
            }
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
            transaction.commit().await?;
            Ok::<_, sqlx::Error>(Ok((row, audited)))
        });
        done.map_err(AccessError::from)?
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

    /// Seals every entry anew with one key, all or none, while nobody else can change the vaults. `ready` is done when all are,
    /// before anybody can see it: what it refuses stops it. How many there were.
    pub async fn rekey_vault<E: From<StoreError>>(
        &self,
        key: &str,
        change: &Change,
        mut seal: impl FnMut(&VaultRow) -> Result<Vec<u8>, E>,
        ready: impl FnOnce() -> Result<(), E>,
    ) -> Result<(usize, Audited), E> {
        self.reachable()?;
        let lock = self.vault_lock();
        let done = each!(self, pool => async {
            let mut transaction = pool.begin().await?;
            if let Some(lock) = lock {
                sqlx::query(lock).execute(&mut *transaction).await?;
            }
            // As above.
            let audited = audit!(&mut *transaction, change)?;
            let rows: Vec<VaultRow> = sqlx::query_as(
                "SELECT tenant, name, hosts, key, sealed, set_at, set_by FROM vault ORDER BY tenant, name",
            )
            .fetch_all(&mut *transaction)
            .await?;
            for row in &rows {
                let sealed = match seal(row) {
                    Ok(sealed) => sealed,
                    Err(refused) => return Ok(Err(refused)),
                };
                sqlx::query("UPDATE vault SET key = $1, sealed = $2 WHERE tenant = $3 AND name = $4")
                    .bind(key)
                    .bind(sealed)
                    .bind(&row.tenant)
                    .bind(&row.name)
                    .execute(&mut *transaction)
                    .await?;
            }
            if let Err(refused) = ready() {
                return Ok(Err(refused));
            }
            transaction.commit().await?;
            Ok::<_, sqlx::Error>(Ok((rows.len(), audited)))
        });
        done.map_err(StoreError::from)?
    }

    /// Of two that seal something the second waits; SQLite has one writer anyway.
    fn vault_lock(&self) -> Option<&'static str> {
        match &self.database {
            Database::File(_) => None,
            Database::Server(_) => Some("SELECT pg_advisory_xact_lock(hashtext('vault'))"),
        }
    }
}
