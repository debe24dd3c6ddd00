//! The database: one SQLite file, every change in one transaction.

use std::path::Path;
use std::time::Duration;

use axum::http::StatusCode;
use serde::Serialize;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions};
use sqlx::{Connection, SqliteConnection};

use crate::input::{Change, IdempotencyKey, NewCallback, NewNote, NewOrder, Phone};
use crate::model::{Bilingual, Created, Customer, Money, Order, OrderStatus};
use crate::problem::{PROBLEM_JSON, Problem};

/// The path that means: keep everything in memory and forget it at the end.
pub const IN_MEMORY: &str = ":memory:";

/// Connections to the file; SQLite has one writer at a time, so more would only wait.
const CONNECTIONS: u32 = 4;

/// Longest wait for another writer. A caller hears silence meanwhile, so it is short.
const BUSY_TIMEOUT: Duration = Duration::from_secs(2);

/// How long an answer is kept for a repeated `Idempotency-Key`, in seconds: a week outlives every retry.
const ANSWERS_KEPT_S: i64 = 7 * 24 * 60 * 60;

/// The database could not be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Opening or migrating failed.
    #[error(
        "cannot open the database {path}: {cause}; check that its folder exists and may be written, and that the file is ours"
    )]
    Open {
        /// As given on the command line.
        path: String,
        /// What SQLite said.
        cause: String,
    },
    /// A statement failed.
    #[error(
        "the database refused a statement: {0}; is its disk full or the file in another's hands?"
    )]
    Statement(#[from] sqlx::Error),
    /// A row holds what no version of ours writes.
    #[error(
        "order {order_no} has the unknown status `{status}`; the file was changed by hand or by a newer version"
    )]
    UnknownStatus {
        /// The order.
        order_no: i64,
        /// What stands there.
        status: String,
    },
}

/// An answer to a change, as it goes over the wire and is given again to the same key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// HTTP status.
    pub status: StatusCode,
    /// `application/json` or `application/problem+json`.
    pub media_type: String,
    /// The document.
    pub body: Vec<u8>,
    /// Whether it was given before and nothing was changed now.
    pub replayed: bool,
}

/// The database of the service. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
}

impl Store {
    /// Opens the file, makes it when it is missing, and brings its tables up to date.
    ///
    /// A new file gets the demo tenant's data. [`IN_MEMORY`] keeps nothing.
    ///
    /// # Errors
    /// When the path cannot be opened or is not a database of ours.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        let refused = |cause: String| StoreError::Open {
            path: path.display().to_string(),
            cause,
        };
        let in_memory = path.as_os_str() == IN_MEMORY;
        let options = SqliteConnectOptions::new()
            .foreign_keys(true)
            .busy_timeout(BUSY_TIMEOUT);
        let options = if in_memory {
            options.in_memory(true)
        } else {
            options
                .filename(path)
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
        };
        let pool = SqlitePoolOptions::new()
            // A second connection to memory would be a second, empty database.
            .max_connections(if in_memory { 1 } else { CONNECTIONS })
            .idle_timeout(None)
            .max_lifetime(None)
            .acquire_timeout(BUSY_TIMEOUT)
            .connect_with(options)
            .await
            .map_err(|error| refused(error.to_string()))?;
        sqlx::migrate!()
            .run(&pool)
            .await
            .map_err(|error| refused(error.to_string()))?;
        sqlx::query("DELETE FROM answers WHERE answered_at < unixepoch() - ?")
            .bind(ANSWERS_KEPT_S)
            .execute(&pool)
            .await?;
        Ok(Self { pool })
    }

    /// Whether the database answers at all.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        Ok(self.pool.acquire().await?.ping().await?)
    }

    /// Waits for running statements and closes the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }

    /// The order of a number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn order(&self, order_no: i64) -> Result<Option<Order>, StoreError> {
        order(&mut *self.pool.acquire().await?, order_no).await
    }

    /// The customer who rings from a number.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn customer(
        &self,
        phone: &Phone,
        chinese: bool,
    ) -> Result<Option<Customer>, StoreError> {
        let row: Option<(String, String, String, String, String, String, i64)> = sqlx::query_as(
            "SELECT id, tier, surname_en, surname_zh, honorific_en, honorific_zh, open_cases
             FROM customers WHERE phone = ?",
        )
        .bind(phone.as_str())
        .fetch_optional(&self.pool)
        .await?;
        Ok(row.map(
            |(id, tier, surname_en, surname_zh, en, zh, open_cases)| Customer {
                id,
                tier,
                surname: if chinese { surname_zh } else { surname_en },
                honorific: Bilingual { en, zh },
                open_cases,
            },
        ))
    }

    /// Makes a change and remembers the answer under its key, both or neither.
    ///
    /// A key seen before gets the first answer again; with another wish it is refused.
    ///
    /// # Errors
    /// When the database fails; nothing has changed then.
    pub async fn apply(
        &self,
        key: Option<&IdempotencyKey>,
        change: &Change,
    ) -> Result<Answer, StoreError> {
        // IMMEDIATE: two requests with one key must not both find it unused.
        let mut transaction = self.pool.begin_with("BEGIN IMMEDIATE").await?;
        let fingerprint = change.fingerprint();
        if let Some(key) = key
            && let Some(earlier) = earlier_answer(&mut transaction, key, &fingerprint).await?
        {
            return Ok(earlier);
        }
        let answer = match change {
            Change::PlaceOrder(new) => place_order(&mut transaction, new).await?,
            Change::CancelOrder(order_no) => cancel_order(&mut transaction, *order_no).await?,
            Change::AddNote(new) => add_note(&mut transaction, new).await?,
            Change::BookCallback(new) => book_callback(&mut transaction, new).await?,
        };
        if let Some(key) = key {
            sqlx::query("INSERT INTO answers (key, fingerprint, status, media_type, body) VALUES (?, ?, ?, ?, ?)")
                .bind(key.as_str())
                .bind(fingerprint)
                .bind(i64::from(answer.status.as_u16()))
                .bind(&answer.media_type)
                .bind(&answer.body)
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(answer)
    }
}

impl Answer {
    fn json(status: StatusCode, document: &impl Serialize) -> Self {
        Self {
            status,
            media_type: "application/json".to_owned(),
            body: serde_json::to_vec(document).expect("strings and integers always serialise"),
            replayed: false,
        }
    }
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        Self {
            status: problem.status,
            media_type: PROBLEM_JSON.to_owned(),
            body: problem.document(),
            replayed: false,
        }
    }
}

/// The refusal of an order's number that nobody has.
pub fn order_not_found(order_no: &str) -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "order-not-found",
        format!("there is no order {order_no:?}"),
    )
}

async fn earlier_answer(
    connection: &mut SqliteConnection,
    key: &IdempotencyKey,
    fingerprint: &[u8],
) -> Result<Option<Answer>, StoreError> {
    let row: Option<(Vec<u8>, u16, String, Vec<u8>)> =
        sqlx::query_as("SELECT fingerprint, status, media_type, body FROM answers WHERE key = ?")
            .bind(key.as_str())
            .fetch_optional(connection)
            .await?;
    let Some((earlier, status, media_type, body)) = row else {
        return Ok(None);
    };
    if earlier != fingerprint {
        let detail = "this `Idempotency-Key` was used for another request; take a new one";
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "key-reused", detail);
        return Ok(Some(problem.into()));
    }
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Ok(Some(Answer {
        status,
        media_type,
        body,
        replayed: true,
    }))
}

async fn order(
    connection: &mut SqliteConnection,
    order_no: i64,
) -> Result<Option<Order>, StoreError> {
    let row: Option<(String, Option<String>, i64, String)> =
        sqlx::query_as("SELECT status, eta, total_fen, currency FROM orders WHERE order_no = ?")
            .bind(order_no)
            .fetch_optional(connection)
            .await?;
    let Some((word, eta, amount, currency)) = row else {
        return Ok(None);
    };
    let Some(status) = OrderStatus::from_word(&word) else {
        return Err(StoreError::UnknownStatus {
            order_no,
            status: word,
        });
    };
    Ok(Some(Order {
        order_no: order_no.to_string(),
        status,
        status_text: status.text(),
        eta,
        total: Money { amount, currency },
    }))
}

async fn place_order(
    connection: &mut SqliteConnection,
    new: &NewOrder,
) -> Result<Answer, StoreError> {
    let price: Option<(i64,)> = sqlx::query_as("SELECT price_fen FROM products WHERE sku = ?")
        .bind(&new.sku)
        .fetch_optional(&mut *connection)
        .await?;
    let Some((price_fen,)) = price else {
        let detail = format!("there is no article {:?}", new.sku);
        return Ok(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "unknown-sku", detail).into());
    };
    let order_no = sqlx::query(
        "INSERT INTO orders (phone, sku, quantity, status, total_fen) VALUES (?, ?, ?, 'unpaid', ?)",
    )
    .bind(new.phone.as_str())
    .bind(&new.sku)
    .bind(new.quantity)
    .bind(price_fen * i64::from(new.quantity))
    .execute(&mut *connection)
    .await?
    .last_insert_rowid();
    let placed = order(connection, order_no)
        .await?
        .ok_or(sqlx::Error::RowNotFound)?;
    Ok(Answer::json(StatusCode::CREATED, &placed))
}

async fn cancel_order(
    connection: &mut SqliteConnection,
    order_no: i64,
) -> Result<Answer, StoreError> {
    let Some(mut found) = order(&mut *connection, order_no).await? else {
        return Ok(order_not_found(&order_no.to_string()).into());
    };
    let reason = match found.status {
        OrderStatus::Unpaid | OrderStatus::Packed => {
            sqlx::query("UPDATE orders SET status = 'cancelled', eta = NULL WHERE order_no = ?")
                .bind(order_no)
                .execute(connection)
                .await?;
            found.status = OrderStatus::Cancelled;
            found.status_text = OrderStatus::Cancelled.text();
            found.eta = None;
            return Ok(Answer::json(StatusCode::OK, &found));
        }
        OrderStatus::Shipped => "already-shipped",
        OrderStatus::Cancelled => "already-cancelled",
    };
    let detail = format!(
        "order {order_no} cannot be cancelled: {}",
        found.status_text.en
    );
    Ok(Problem::new(StatusCode::CONFLICT, reason, detail).into())
}

async fn add_note(connection: &mut SqliteConnection, new: &NewNote) -> Result<Answer, StoreError> {
    let id = sqlx::query("INSERT INTO notes (phone, text) VALUES (?, ?)")
        .bind(new.phone.as_str())
        .bind(&new.text)
        .execute(connection)
        .await?
        .last_insert_rowid();
    Ok(Answer::json(
        StatusCode::CREATED,
        &Created {
            id: format!("note-{id}"),
        },
    ))
}

async fn book_callback(
    connection: &mut SqliteConnection,
    new: &NewCallback,
) -> Result<Answer, StoreError> {
    let id = sqlx::query("INSERT INTO callbacks (phone, priority, within_s) VALUES (?, ?, ?)")
        .bind(new.phone.as_str())
        .bind(new.priority)
        .bind(new.within_s)
        .execute(connection)
        .await?
        .last_insert_rowid();
    Ok(Answer::json(
        StatusCode::CREATED,
        &Created {
            id: format!("callback-{id}"),
        },
    ))
}
