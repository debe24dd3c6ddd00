//! Events, and what is still to be told of them.

use sqlx::FromRow;

use super::{Store, StoreError};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct EventRow {
    /// Its number: later ones have higher numbers.
    pub id: i64,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// `contact.began`, `contact.ended`.
    pub kind: String,
    /// The contact.
    pub contact: String,
}

/// Something that is to be told, or could not be.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, serde::Serialize)]
pub struct Delivery {
    /// The webhook.
    pub hook: String,
    /// The event's number.
    pub event: i64,
    /// Whose contact it is about; empty where that is not known any more.
    #[serde(skip)]
    pub tenant: String,
    /// Since when it is tried, in milliseconds since 1970.
    pub since: i64,
    /// When it is tried next.
    pub due: i64,
    /// How often it was tried.
    pub attempts: i64,
    /// Why it failed last.
    pub error: Option<String>,
}

/// An event that was given up.
#[derive(Debug, Clone, PartialEq, Eq, FromRow, serde::Serialize)]
pub struct DeadLetter {
    /// How it fared.
    #[sqlx(flatten)]
    #[serde(flatten)]
    pub delivery: Delivery,
    /// What happened, such as `contact.ended`.
    pub kind: String,
    /// To which contact.
    pub contact: String,
}

/// Longest reason that is kept, in characters.
const MAX_ERROR: usize = 300;

fn millis(at: u64) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX)
}

impl Store {
    /// This engine's name in rows of deliveries; a file has one engine, without a name.
    fn engine_name(&self) -> &str {
        self.engine.as_deref().unwrap_or_default()
    }

    /// This engine's events after one, the oldest first.
    pub async fn events_after(&self, id: i64, limit: u32) -> Result<Vec<EventRow>, StoreError> {
        Ok(each!(self, pool => sqlx::query_as(
            "SELECT id, at, kind, contact FROM events WHERE id > $1 AND (engine IS NULL OR engine = $2) ORDER BY id LIMIT $3",
        )
        .bind(id)
        .bind(&self.engine)
        .bind(i64::from(limit))
        .fetch_all(pool))?)
    }

    /// An event; none when it is gone.
    pub async fn event(&self, id: i64) -> Result<Option<EventRow>, StoreError> {
        Ok(
            each!(self, pool => sqlx::query_as("SELECT id, at, kind, contact FROM events WHERE id = $1")
            .bind(id)
            .fetch_optional(pool))?,
        )
    }

    /// The number of what happened to a contact; none when it is gone, or the contact is not the tenant's. No tenant is the whole
    /// centre.
    pub async fn event_of(
        &self,
        contact: &str,
        kind: &str,
        tenant: Option<&str>,
    ) -> Result<Option<i64>, StoreError> {
        Ok(each!(self, pool => sqlx::query_scalar(
            "SELECT id FROM events WHERE contact = $1 AND kind = $2 AND ($3 IS NULL \
             OR EXISTS (SELECT 1 FROM contacts c WHERE c.id = events.contact AND c.tenant = $3))",
        )
        .bind(contact)
        .bind(kind)
        .bind(tenant)
        .fetch_optional(pool))?)
    }

    /// The number of the last event of any engine; 0 when there is none.
    pub async fn last_event(&self) -> Result<i64, StoreError> {
        Ok(
            each!(self, pool => sqlx::query_scalar("SELECT COALESCE(MAX(id), 0) FROM events")
            .fetch_one(pool))?,
        )
    }

    /// Notes for a webhook what has happened since it was last asked, and how far that was. True when there may be
    /// more. A webhook that is new is told what happens from now on.
    pub async fn note_deliveries(
        &self,
        hook: &str,
        kinds: &[String],
        now: u64,
        limit: u32,
    ) -> Result<bool, StoreError> {
        let engine = self.engine_name();
        let seen: Option<i64> = each!(self, pool => sqlx::query_scalar(
            "SELECT seen FROM hooks WHERE hook = $1 AND engine = $2",
        )
        .bind(hook)
        .bind(engine)
        .fetch_optional(pool))?;
        let (last, events) = match seen {
            None => (self.last_event().await?, Vec::new()),
            Some(seen) => {
                let events = self.events_after(seen, limit).await?;
                (events.last().map_or(seen, |event| event.id), events)
            }
        };
        if seen == Some(last) {
            return Ok(false);
        }
        let now = millis(now);
        each!(self, pool => async {
            let mut transaction = pool.begin().await?;
            sqlx::query(
                "INSERT INTO hooks (hook, engine, seen) VALUES ($1, $2, $3) \
                 ON CONFLICT (hook, engine) DO UPDATE SET seen = excluded.seen",
            )
            .bind(hook)
            .bind(engine)
            .bind(last)
            .execute(&mut *transaction)
            .await?;
            for event in events.iter().filter(|event| kinds.contains(&event.kind)) {
                sqlx::query(
                    "INSERT INTO deliveries (hook, event, engine, since, due, attempts, dead, tenant) \
                     VALUES ($1, $2, $3, $4, $4, 0, 0, COALESCE((SELECT tenant FROM contacts WHERE id = $5), '')) \
                     ON CONFLICT (hook, event) DO NOTHING",
                )
                .bind(hook)
                .bind(event.id)
                .bind(engine)
                .bind(now)
                .bind(&event.contact)
                .execute(&mut *transaction)
                .await?;
            }
            transaction.commit().await
        })?;
        Ok(events.len() == limit as usize)
    }

    /// The tenants of whose contacts a webhook is still to be told something. One look into the index for each: how much that is does not
    /// matter.
    pub async fn to_be_told_of(&self, hook: &str) -> Result<Vec<String>, StoreError> {
        Ok(each!(self, pool => sqlx::query_scalar(
            "WITH RECURSIVE waiting (tenant) AS (\
             SELECT MIN(tenant) FROM deliveries WHERE engine = $1 AND hook = $2 AND dead = 0 \
             UNION ALL SELECT (SELECT MIN(d.tenant) FROM deliveries d WHERE d.engine = $1 AND d.hook = $2 AND d.dead = 0 \
             AND d.tenant > waiting.tenant) FROM waiting WHERE waiting.tenant IS NOT NULL) \
             SELECT tenant FROM waiting WHERE tenant IS NOT NULL",
        )
        .bind(self.engine_name())
        .bind(hook)
        .fetch_all(pool))?)
    }

    /// What a webhook is to be told next of a tenant's contacts, those that are due first.
    pub async fn deliveries(
        &self,
        hook: &str,
        tenant: &str,
        limit: u32,
    ) -> Result<Vec<Delivery>, StoreError> {
        Ok(each!(self, pool => sqlx::query_as(
            "SELECT hook, event, tenant, since, due, attempts, error FROM deliveries \
             WHERE engine = $1 AND hook = $2 AND dead = 0 AND tenant = $3 ORDER BY due, event LIMIT $4",
        )
        .bind(self.engine_name())
        .bind(hook)
        .bind(tenant)
        .bind(i64::from(limit))
        .fetch_all(pool))?)
    }

    /// It was told.
    pub async fn delivered(&self, hook: &str, event: i64) -> Result<(), StoreError> {
        each!(self, pool => async {
            sqlx::query("DELETE FROM deliveries WHERE hook = $1 AND event = $2")
                .bind(hook)
                .bind(event)
                .execute(pool)
                .await?;
            Ok::<_, sqlx::Error>(())
        })?;
        Ok(())
    }

    /// It could not be told: again at `due`, or not at all when that is none.
    pub async fn undelivered(
        &self,
        hook: &str,
        event: i64,
        due: Option<u64>,
        error: &str,
    ) -> Result<(), StoreError> {
        let error: String = error.chars().take(MAX_ERROR).collect();
        let error = error.replace('\0', "\u{fffd}");
        each!(self, pool => async {
            sqlx::query(
                "UPDATE deliveries SET attempts = attempts + 1, dead = $1, due = $2, error = $3 WHERE hook = $4 AND event = $5",
            )
            .bind(i64::from(due.is_none()))
            .bind(due.map_or(0, millis))
            .bind(&error)
            .bind(hook)
            .bind(event)
            .execute(pool)
            .await?;
            Ok::<_, sqlx::Error>(())
        })?;
        Ok(())
    }

    /// Gives up what this engine was still to tell webhooks of other names than these; how many events, by name.
    pub async fn give_up_others(
        &self,
        hooks: &[String],
        error: &str,
    ) -> Result<Vec<(String, i64)>, StoreError> {
        let waiting: Vec<(String, i64)> = each!(self, pool => sqlx::query_as(
            "SELECT hook, COUNT(*) FROM deliveries WHERE engine = $1 AND dead = 0 GROUP BY hook ORDER BY hook",
        )
        .bind(self.engine_name())
        .fetch_all(pool))?;
        let mut others = waiting;
        others.retain(|(hook, _)| !hooks.contains(hook));
        for (hook, _) in &others {
            each!(self, pool => async {
                sqlx::query(
                    "UPDATE deliveries SET dead = 1, due = 0, error = $1 WHERE engine = $2 AND hook = $3 AND dead = 0",
                )
                .bind(error)
                .bind(self.engine_name())
                .bind(hook)
                .execute(pool)
                .await?;
                Ok::<_, sqlx::Error>(())
            })?;
        }
        Ok(others)
    }

    /// What was given up, the oldest first.
    pub async fn dead_letters(
        &self,
        hook: Option<&str>,
        limit: u32,
    ) -> Result<Vec<DeadLetter>, StoreError> {
        Ok(each!(self, pool => sqlx::query_as(
            "SELECT d.hook, d.event, d.tenant, d.since, d.due, d.attempts, d.error, COALESCE(e.kind, '') AS kind, \
             COALESCE(e.contact, '') AS contact FROM deliveries d LEFT JOIN events e ON e.id = d.event \
             WHERE d.dead = 1 AND ($1 IS NULL OR d.hook = $1) ORDER BY d.event, d.hook LIMIT $2",
        )
        .bind(hook)
        .bind(i64::from(limit))
        .fetch_all(pool))?)
    }

    /// What was given up is tried again from now on; how many.
    pub async fn revive(
        &self,
        hook: Option<&str>,
        event: Option<i64>,
        now: u64,
    ) -> Result<u64, StoreError> {
        Ok(each!(self, pool => async {
            let done = sqlx::query(
                "UPDATE deliveries SET dead = 0, since = $1, due = $1, attempts = 0 WHERE dead = 1 \
                 AND ($2 IS NULL OR hook = $2) AND ($3 IS NULL OR event = $3)",
            )
            .bind(millis(now))
            .bind(hook)
            .bind(event)
            .execute(pool)
            .await?;
            Ok::<_, sqlx::Error>(done.rows_affected())
        })?)
    }

    /// Removes events before a time that nobody is still to be told of, and dead letters before another; how many
    /// events.
    pub async fn prune_events(&self, before: u64, dead_before: u64) -> Result<u64, StoreError> {
        Ok(each!(self, pool => async {
            sqlx::query("DELETE FROM deliveries WHERE dead = 1 AND since < $1")
                .bind(millis(dead_before))
                .execute(pool)
                .await?;
            let done = sqlx::query(
                "DELETE FROM events WHERE id IN (SELECT id FROM events e WHERE at < $1 \
                 AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.event = e.id) LIMIT 1000)",
            )
            .bind(millis(before))
            .execute(pool)
            .await?;
            Ok::<_, sqlx::Error>(done.rows_affected())
        })?)
    }
}
