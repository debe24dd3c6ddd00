//! Revisions that nobody needs any more.

use super::published::{Files, Revision, RevisionRow, json, number_of};
use super::{Database, Store, StoreError};

/// Releases, but for roll-backs, whose revisions are kept, so that one can go back to them.
const ROLL_BACKS: i64 = 10;

/// An open contact has the content of its revision, of which the newest serves it.
const SPENT: &str = "SELECT number, content, manifest, note, pushed_at, pushed_by FROM revisions r WHERE tenant = $1 \
     AND number <= (SELECT MAX(number) FROM revisions WHERE tenant = $1) - $2 \
     AND pushed_at < $4 AND NOT EXISTS (SELECT 1 FROM (SELECT live, candidate FROM releases WHERE tenant = $1 AND restores IS NULL ORDER BY number DESC LIMIT $3) l \
       WHERE l.live = r.number OR l.candidate = r.number) \
     AND NOT EXISTS (SELECT 1 FROM (SELECT live FROM releases WHERE tenant = $1 ORDER BY number DESC LIMIT 1) n WHERE n.live = r.number) \
     AND NOT EXISTS (SELECT 1 FROM contacts c WHERE c.tenant = $1 AND c.ended_at IS NULL AND c.content = r.content) \
     ORDER BY number LIMIT $5";

/// Whoever releases or begins on another engine does so between a look at what is spent and this.
const REMOVE: &str = "DELETE FROM revisions WHERE tenant = $1 AND number = $2 \
     AND NOT EXISTS (SELECT 1 FROM (SELECT live, candidate FROM releases WHERE tenant = $1 ORDER BY number DESC LIMIT 1) n WHERE $2 IN (n.live, n.candidate)) \
     AND NOT EXISTS (SELECT 1 FROM contacts c WHERE c.tenant = $1 AND c.ended_at IS NULL AND c.content = $3)";

impl Store {
    /// The oldest revisions of a tenant beyond the `newest` ones that neither what is live, nor one of the last ten releases that
    /// are no roll-backs, nor an open contact needs, and that came before a time in milliseconds since 1970; at most `limit`.
    pub async fn spent_revisions(
        &self,
        tenant: &str,
        newest: u64,
        before: u64,
        limit: u32,
    ) -> Result<Vec<Revision>, StoreError> {
        self.reachable()?;
        let rows: Vec<RevisionRow> = each!(self, pool => sqlx::query_as(SPENT)
            .bind(tenant)
            .bind(number_of(newest))
            .bind(ROLL_BACKS)
            .bind(number_of(before))
            .bind(i64::from(limit))
            .fetch_all(pool))?;
        rows.into_iter().map(Revision::read).collect()
    }

    /// Removes a revision, and those of its files that no other revision of any tenant has; whether it went. One that was
    /// released meanwhile, or that a contact began with, stays. Versions of plugins stay known.
    pub async fn remove_revision(
        &self,
        tenant: &str,
        revision: &Revision,
    ) -> Result<bool, StoreError> {
        self.reachable()?;
        let lock = match &self.database {
            Database::File(_) => None,
            Database::Server(_) => Some("SELECT pg_advisory_xact_lock(hashtext('files'))"),
        };
        Ok(each!(self, pool => async {
            let mut transaction = pool.begin().await?;
            // Nobody releases or publishes meanwhile.
            if let Some(lock) = lock {
                sqlx::query(lock).execute(&mut *transaction).await?;
            }
            let gone = sqlx::query(REMOVE)
                .bind(tenant)
                .bind(number_of(revision.number))
                .bind(&revision.content)
                .execute(&mut *transaction)
                .await?;
            if gone.rows_affected() == 0 {
                return Ok(false);
            }
            for sha256 in revision.manifest.files.values() {
                sqlx::query(
                    "DELETE FROM blobs WHERE sha256 = $1 AND NOT EXISTS (SELECT 1 FROM revision_files WHERE sha256 = $1)",
                )
                .bind(sha256)
                .execute(&mut *transaction)
                .await?;
            }
            transaction.commit().await?;
            Ok::<_, sqlx::Error>(true)
        })?)
    }

    /// Whether some tenant has a revision of these files.
    pub async fn has_revision_of(&self, files: &Files) -> Result<bool, StoreError> {
        self.reachable()?;
        // A manifest is written with its files first, which are in order.
        let begins = format!("{{\"files\":{},", json(files));
        Ok(each!(self, pool => sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM revisions WHERE substr(manifest, 1, length(CAST($1 AS TEXT))) = $1)")
            .bind(&begins)
            .fetch_one(pool))?)
    }
}
