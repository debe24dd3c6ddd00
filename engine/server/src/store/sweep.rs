//! What retention asks of the store: which contacts' journals, records and recordings go next, and that they go. Each
//! change is a short transaction of few contacts, so that the writer never waits for long.

use sqlx::{AssertSqlSafe, FromRow};

use super::{Store, StoreError, VISITORS};

/// One of the kinds of what is kept of a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Swept {
    /// The journal, and the SIP messages beside it.
    Journal,
    /// The record, and with it all else.
    Record,
    /// The recordings.
    Recording,
}

impl Swept {
    /// The column that is 1 while it is there.
    fn there(self, row: &str) -> String {
        match self {
            Swept::Journal => format!("{row}.journal = 1"),
            Swept::Recording => format!("{row}.sound = 1"),
            Swept::Record => "1 = 1".to_owned(),
        }
    }
}

/// Which contacts go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aged {
    /// All that ended before this time, in milliseconds since 1970.
    All(u64),
    /// Those of them that are not rare.
    Ordinary(u64),
    /// Those of them of which there is an older one alike: of the same path, and failed as it did or as little.
    Repeated(u64),
}

/// A contact of which something may go.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Kept {
    /// Its id.
    pub contact: String,
    /// When it ended, in milliseconds since 1970.
    pub ended_at: i64,
}

/// Contacts that are looked up on one connection, before others have it.
const LISTED: usize = 256;

/// Not rare: nothing failed, and another of the same path, of which it is still there, ended before it.
fn ordinary(what: Swept) -> String {
    let (there, other) = (what.there("r"), what.there("o"));
    format!(
        "{there} AND r.failed = 0 AND EXISTS (SELECT 1 FROM records o WHERE o.tenant = r.tenant AND o.path = r.path \
         AND o.failed = 0 AND {other} AND (o.ended_at, o.contact) < (r.ended_at, r.contact))"
    )
}

/// Another of the same path, on which what failed and how stands, ended before it and is still there.
fn repeated(what: Swept) -> String {
    let (there, other) = (what.there("r"), what.there("o"));
    format!(
        "{there} AND EXISTS (SELECT 1 FROM records o WHERE o.tenant = r.tenant AND o.path = r.path \
         AND o.failed = r.failed AND {other} AND (o.ended_at, o.contact) < (r.ended_at, r.contact))"
    )
}

/// Contacts of this engine, and of none: several may share a database, and each has the recordings of its own.
const OURS: &str = "EXISTS (SELECT 1 FROM contacts c WHERE c.id = r.contact \
                    AND (c.engine IS NULL OR c.engine = $2))";

/// The key by which a visitor began a chat, with what it was answered: the contact's id.
const FORGET_VISIT: &str = "DELETE FROM idempotency WHERE who = $1 AND body = $2";

impl Store {
    /// Whose contacts there are, those included that have no tenant any more.
    pub async fn tenants_with_contacts(&self) -> Result<Vec<String>, StoreError> {
        Ok(each!(self, pool => sqlx::query_scalar(
            "SELECT DISTINCT tenant FROM contacts ORDER BY tenant",
        )
        .fetch_all(pool))?)
    }

    /// Whose these contacts are, of those that there are.
    pub async fn tenants_of(&self, contacts: &[&str]) -> Result<Vec<(String, String)>, StoreError> {
        let mut found = Vec::new();
        for some in contacts.chunks(LISTED) {
            self.reachable()?;
            let owned = each!(self, pool => async {
                let mut connection = pool.acquire().await?;
                let mut owned = Vec::new();
                for contact in some {
                    let tenant: Option<String> =
                        sqlx::query_scalar("SELECT tenant FROM contacts WHERE id = $1")
                            .bind(*contact)
                            .fetch_optional(&mut *connection)
                            .await?;
                    owned.extend(tenant.map(|tenant| ((*contact).to_owned(), tenant)));
                }
                Ok::<_, sqlx::Error>(owned)
            })?;
            found.extend(owned);
        }
        Ok(found)
    }

    /// Whose contacts or plugins' keys there are.
    pub async fn tenants_with_data(&self) -> Result<Vec<String>, StoreError> {
        Ok(each!(self, pool => sqlx::query_scalar(
            "SELECT tenant FROM contacts UNION SELECT tenant FROM kv ORDER BY tenant",
        )
        .fetch_all(pool))?)
    }

    /// The next contacts of which something goes, the oldest end first. With `after`, those behind that one.
    pub async fn due(
        &self,
        tenant: &str,
        what: Swept,
        aged: Aged,
        after: Option<&Kept>,
        limit: u32,
    ) -> Result<Vec<Kept>, StoreError> {
        let (which, before) = match aged {
            Aged::All(before) => (what.there("r"), before),
            Aged::Ordinary(before) => (ordinary(what), before),
            Aged::Repeated(before) => (repeated(what), before),
        };
        let sql = format!(
            "SELECT r.contact, r.ended_at FROM records r WHERE r.tenant = $1 AND {OURS} AND r.ended_at < $3 \
             AND (r.ended_at, r.contact) > ($4, $5) AND {which} ORDER BY r.ended_at, r.contact LIMIT $6"
        );
        let before = i64::try_from(before).unwrap_or(i64::MAX);
        let (at, id) = after.map_or((i64::MIN, ""), |kept| (kept.ended_at, &kept.contact));
        Ok(
            each!(self, pool => sqlx::query_as(AssertSqlSafe(sql.as_str()))
            .bind(tenant)
            .bind(&self.engine)
            .bind(before)
            .bind(at)
            .bind(id)
            .bind(i64::from(limit))
            .fetch_all(pool))?,
        )
    }

    /// Of how many contacts something is there.
    pub async fn count_kept(&self, tenant: &str, what: Swept) -> Result<u64, StoreError> {
        let there = what.there("r");
        let sql =
            format!("SELECT COUNT(*) FROM records r WHERE r.tenant = $1 AND {OURS} AND {there}");
        let count: i64 = each!(self, pool => sqlx::query_scalar(AssertSqlSafe(sql.as_str()))
            .bind(tenant)
            .bind(&self.engine)
            .fetch_one(pool))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    /// Contacts that ended before a time and have no record: they are older than records are.
    pub async fn unrecorded(
        &self,
        tenant: &str,
        before: u64,
        limit: u32,
    ) -> Result<Vec<String>, StoreError> {
        let before = i64::try_from(before).unwrap_or(i64::MAX);
        Ok(each!(self, pool => sqlx::query_scalar(
            "SELECT id FROM contacts c WHERE tenant = $1 AND (engine IS NULL OR engine = $2) \
             AND ended_at < $3 AND NOT EXISTS (SELECT 1 FROM records r WHERE r.contact = c.id) ORDER BY ended_at LIMIT $4",
        )
        .bind(tenant)
        .bind(&self.engine)
        .bind(before)
        .bind(i64::from(limit))
        .fetch_all(pool))?)
    }

    /// Removes something of some contacts, in one transaction. Files are not the store's.
    pub async fn remove(&self, what: Swept, contacts: &[String]) -> Result<(), StoreError> {
        let statements: &[&'static str] = match what {
            Swept::Journal => &[
                "DELETE FROM chunks WHERE contact = $1",
                "DELETE FROM frames WHERE contact = $1",
                "DELETE FROM ladders WHERE contact = $1",
                "UPDATE records SET journal = 0 WHERE contact = $1",
            ],
            Swept::Recording => &[
                "UPDATE contacts SET recording = NULL WHERE id = $1",
                "UPDATE records SET sound = 0 WHERE contact = $1",
            ],
            Swept::Record => &[
                "DELETE FROM chunks WHERE contact = $1",
                "DELETE FROM frames WHERE contact = $1",
                "DELETE FROM ladders WHERE contact = $1",
                "DELETE FROM chats WHERE contact = $1",
                "DELETE FROM drops WHERE contact = $1",
                "DELETE FROM call_ids WHERE contact = $1",
                "DELETE FROM deliveries WHERE event IN (SELECT id FROM events WHERE contact = $1)",
                "DELETE FROM events WHERE contact = $1",
                "DELETE FROM records WHERE contact = $1",
                "DELETE FROM contacts WHERE id = $1",
            ],
        };
        each!(self, pool => async {
            let mut transaction = pool.begin().await?;
            for contact in contacts {
                for statement in statements {
                    sqlx::query(*statement)
                        .bind(contact)
                        .execute(&mut *transaction)
                        .await?;
                }
                if what == Swept::Record {
                    sqlx::query(FORGET_VISIT)
                        .bind(VISITORS)
                        .bind(contact.as_bytes())
                        .execute(&mut *transaction)
                        .await?;
                }
            }
            transaction.commit().await
        })?;
        Ok(())
    }
}
