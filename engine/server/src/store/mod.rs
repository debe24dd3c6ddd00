//! What outlives a contact: SQLite in one file, in write-ahead mode.

mod contacts;
mod kv;
mod writer;

use std::path::Path;
use std::str::FromStr;

use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};

pub use contacts::{ContactFilter, ContactRow};
pub use kv::{KvError, MAX_KEY_BYTES, MAX_KEYS, MAX_VALUE_BYTES};
pub(crate) use kv::{Space, check as check_kv};
pub use writer::{Record, Writer};

/// Connections for reading and for key-value changes. SQLite has one writer at a time anyway.
const CONNECTIONS: u32 = 4;

/// The store of one engine.
#[derive(Debug, Clone)]
pub struct Store {
    pool: SqlitePool,
}

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be opened.
    #[error(
        "cannot open the store {path}: {source}; is the folder writable, and does no other engine use it?"
    )]
    Open {
        /// The file.
        path: String,
        /// Why.
        source: sqlx::Error,
    },
    /// Its tables cannot be brought up to date.
    #[error(
        "cannot bring the store {path} up to date: {source}; was it written by a newer version?"
    )]
    Migrate {
        /// The file.
        path: String,
        /// Why.
        source: sqlx::migrate::MigrateError,
    },
    /// There is none.
    #[error(
        "there is no store in {folder}: `strowger serve` makes it; name the folder it was given with --data"
    )]
    Missing {
        /// The data folder.
        folder: String,
    },
    /// A question or a change failed.
    #[error("the store failed: {0}")]
    Query(#[from] sqlx::Error),
}

impl Store {
    /// Opens `strowger.db` in a folder, making both if they are not there.
    pub async fn open(folder: &Path) -> Result<Store, StoreError> {
        let path = folder.join("strowger.db");
        let shown = path.display().to_string();
        let open = |source| StoreError::Open {
            path: shown.clone(),
            source,
        };
        std::fs::create_dir_all(folder).map_err(|e| open(sqlx::Error::Io(e)))?;
        let options = SqliteConnectOptions::from_str("sqlite:")
            .map_err(open)?
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // Full: a commit is on the disk when it returns. One commit serves many entries.
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(std::time::Duration::from_secs(5));
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS)
            .connect_with(options)
            .await
            .map_err(open)?;
        sqlx::migrate!("migrations/sqlite")
            .run(&pool)
            .await
            .map_err(|source| StoreError::Migrate {
                path: shown.clone(),
                source,
            })?;
        Ok(Store { pool })
    }

    /// Opens the store of an engine that may be running, to look at it only: nothing is made or changed.
    pub async fn look(folder: &Path) -> Result<Store, StoreError> {
        let path = folder.join("strowger.db");
        if !path.is_file() {
            return Err(StoreError::Missing {
                folder: folder.display().to_string(),
            });
        }
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(false)
            .busy_timeout(std::time::Duration::from_secs(5));
        let pool = SqlitePoolOptions::new()
            .max_connections(CONNECTIONS)
            .connect_with(options)
            .await
            .map_err(|source| StoreError::Open {
                path: path.display().to_string(),
                source,
            })?;
        Ok(Store { pool })
    }

    /// Waits for what is under way and closes the file.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
