//! How large tenants' revisions are.

use super::published::unsigned;
use super::{Store, StoreError};

/// Every file once, whichever revisions have it, and the revisions' own lists of files.
const SIZE: &str = "SELECT CAST(COALESCE((SELECT SUM(LENGTH(bytes)) FROM blobs \
     WHERE sha256 IN (SELECT sha256 FROM revision_files WHERE tenant = $1)), 0) \
     + COALESCE((SELECT SUM(LENGTH(manifest)) FROM revisions WHERE tenant = $1), 0) AS BIGINT)";
const OF_TENANT: &str =
    "SELECT EXISTS (SELECT 1 FROM revision_files WHERE sha256 = $1 AND tenant = $2)";
const OF_ANYBODY: &str = "SELECT EXISTS (SELECT 1 FROM blobs WHERE sha256 = $1)";

impl Store {
    /// Bytes that a tenant's revisions take: each file once, and their lists of files.
    pub async fn revisions_size(&self, tenant: &str) -> Result<u64, StoreError> {
        self.reachable()?;
        let bytes: i64 = each!(self, pool => sqlx::query_scalar(SIZE)
            .bind(tenant)
            .fetch_one(pool))?;
        Ok(unsigned(bytes))
    }

    /// Those of some files, by SHA-256, that no revision of a tenant has; without one, that are not in the store.
    pub async fn new_to<'f>(
        &self,
        tenant: Option<&str>,
        files: &[&'f str],
    ) -> Result<Vec<&'f str>, StoreError> {
        self.reachable()?;
        Ok(each!(self, pool => async {
            let mut connection = pool.acquire().await?;
            let mut new = Vec::new();
            for sha256 in files {
                let there = match tenant {
                    Some(tenant) => sqlx::query_scalar(OF_TENANT).bind(*sha256).bind(tenant),
                    None => sqlx::query_scalar(OF_ANYBODY).bind(*sha256),
                };
                let there: bool = there.fetch_one(&mut *connection).await?;
                if !there {
                    new.push(*sha256);
                }
            }
            Ok::<_, sqlx::Error>(new)
        })?)
    }
}
