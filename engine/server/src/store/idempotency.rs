//! Answers to requests that bear an `Idempotency-Key`, kept for a day.

use sqlx::FromRow;

use super::{Store, StoreError, millis};

/// Whose the keys of visitors are; no token or user is called so. What is kept of one is the id of the contact that it began, and
/// goes with it.
pub(crate) const VISITORS: &str = "visitors";

/// How long an answer is kept, in milliseconds: a day.
const KEPT_MS: u64 = 24 * 3_600_000;
/// Most keys of one token or user in a day. A key that is not kept would protect from nothing, so more are refused.
pub const MAX_KEYS_A_DAY: i64 = 10_000;

/// An answer as it is given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Location`.
    pub location: Option<String>,
    /// The body; none when it was too large to keep.
    pub body: Option<Vec<u8>>,
}

impl Answer {
    /// That a visitor's chat was begun, by its id.
    pub fn begun(id: &str) -> Answer {
        Answer {
            status: 201,
            content_type: None,
            location: None,
            body: Some(id.as_bytes().to_vec()),
        }
    }
}

/// What a key says of a request.
#[derive(Debug)]
pub enum Claim {
    /// It is new: carry it out, then [finish](Store::finish_request) or [forget](Store::forget_request) it.
    New,
    /// It was carried out.
    Done(Answer),
    /// It is being carried out, or its engine ended before it was answered.
    InProgress,
    /// Another request had this key.
    Another,
    /// Too many keys.
    TooMany,
}

#[derive(FromRow)]
struct Row {
    request: Vec<u8>,
    status: Option<i64>,
    content_type: Option<String>,
    location: Option<String>,
    body: Option<Vec<u8>>,
}

impl Store {
    /// Takes a key of somebody for a request, by the hash of what is asked; at most `most` keys in a day, if there is a most.
    pub async fn claim_request(
        &self,
        who: &str,
        key: &str,
        request: &[u8],
        now: u64,
        most: Option<i64>,
    ) -> Result<Claim, StoreError> {
        self.reachable()?;
        let over = millis(now.saturating_sub(KEPT_MS));
        let row: Option<Row> = each!(self, pool => async {
            let mut transaction = pool.begin().await?;
            sqlx::query("DELETE FROM idempotency WHERE at <= $1")
                .bind(over)
                .execute(&mut *transaction)
                .await?;
            let new = sqlx::query(
                "INSERT INTO idempotency (who, key, request, at, engine) VALUES ($1, $2, $3, $4, $5) \
                 ON CONFLICT (who, key) DO NOTHING",
            )
            .bind(who)
            .bind(key)
            .bind(request)
            .bind(millis(now))
            .bind(&self.engine)
            .execute(&mut *transaction)
            .await?;
            if new.rows_affected() == 0 {
                let row = sqlx::query_as(
                    "SELECT request, status, content_type, location, body FROM idempotency WHERE who = $1 AND key = $2",
                )
                .bind(who)
                .bind(key)
                .fetch_one(&mut *transaction)
                .await?;
                return Ok(Some(row));
            }
            let room = match most {
                None => true,
                Some(most) => {
                    let keys = sqlx::query_scalar("SELECT COUNT(*) FROM idempotency WHERE who = $1");
                    let keys: i64 = keys.bind(who).fetch_one(&mut *transaction).await?;
                    keys <= most
                }
            };
            if room {
                transaction.commit().await?;
                return Ok(None);
            }
            // Rolled back, and told by a row that no request can have.
            Ok::<_, sqlx::Error>(Some(Row { request: Vec::new(), status: None, content_type: None, location: None, body: None }))
        })?;
        Ok(match row {
            None => Claim::New,
            Some(row) if row.request.is_empty() => Claim::TooMany,
            Some(row) if row.request != request => Claim::Another,
            Some(Row { status: None, .. }) => Claim::InProgress,
            Some(Row {
                status: Some(status),
                content_type,
                location,
                body,
                ..
            }) => Claim::Done(Answer {
                status: u16::try_from(status).unwrap_or(500),
                content_type,
                location,
                body,
            }),
        })
    }

    /// Keeps the answer.
    pub async fn finish_request(
        &self,
        who: &str,
        key: &str,
        answer: &Answer,
    ) -> Result<(), StoreError> {
        each!(self, pool => async {
            sqlx::query(
                "UPDATE idempotency SET status = $1, content_type = $2, location = $3, body = $4 WHERE who = $5 AND key = $6",
            )
            .bind(i64::from(answer.status))
            .bind(&answer.content_type)
            .bind(&answer.location)
            .bind(&answer.body)
            .bind(who)
            .bind(key)
            .execute(pool)
            .await?;
            Ok::<_, sqlx::Error>(())
        })?;
        Ok(())
    }

    /// Settles the keys of visitors whose requests an earlier process of this engine left in progress: of one by which a
    /// chat was begun, the chat is the answer; every other is free again. How many there were.
    pub async fn settle_visits(&self) -> Result<u64, StoreError> {
        let left: Vec<(String, Option<Vec<u8>>)> = each!(self, pool => sqlx::query_as(
            "SELECT key, body FROM idempotency WHERE who = $1 AND status IS NULL AND (engine IS NULL OR engine = $2)",
        )
        .bind(VISITORS)
        .bind(&self.engine)
        .fetch_all(pool))?;
        for (key, body) in &left {
            let chat = body.as_deref().map(std::str::from_utf8);
            let begun = match chat {
                Some(Ok(chat)) if self.is_begun(chat).await? => Some(chat),
                _ => None,
            };
            match begun {
                Some(chat) => {
                    let answer = Answer::begun(chat);
                    self.finish_request(VISITORS, key, &answer).await?;
                }
                None => self.forget_request(VISITORS, key).await?,
            }
        }
        Ok(left.len() as u64)
    }

    /// Whether there is a chat that can go on: without its first entry nothing could.
    async fn is_begun(&self, chat: &str) -> Result<bool, StoreError> {
        let frames: i64 = each!(self, pool => sqlx::query_scalar(
            "SELECT COUNT(*) FROM frames JOIN chats USING (contact) WHERE contact = $1 AND seq = 0",
        )
        .bind(chat)
        .fetch_one(pool))?;
        Ok(frames > 0)
    }

    /// Gives a key back: nothing was done, and it may be tried again.
    pub async fn forget_request(&self, who: &str, key: &str) -> Result<(), StoreError> {
        each!(self, pool => async {
            sqlx::query("DELETE FROM idempotency WHERE who = $1 AND key = $2")
                .bind(who)
                .bind(key)
                .execute(pool)
                .await?;
            Ok::<_, sqlx::Error>(())
        })?;
        Ok(())
    }
}
