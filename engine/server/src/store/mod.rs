//! What outlives a contact: journals, records, plugins' data. SQLite in one file, or a PostgreSQL database.
//!
//! Both know the same SQL, with numbered parameters, so every statement stands here once. What differs is a pool's
//! type: `each!` writes the same work out for either. `sqlx`'s own answer, the `Any` driver, has fewer types and
//! gives up what the compiler knows of rows.

/// Does the same work on the pool of either database. A server that does not answer is not waited for for ever.
macro_rules! each {
    ($store:expr, $pool:ident => $work:expr) => {
        match &$store.database {
            $crate::store::Database::File($pool) => $store.noted($work.await),
            $crate::store::Database::Server($pool) => {
                $store.noted($crate::store::answered($work).await)
            }
        }
    };
}

mod audit;
pub mod backup;
mod contacts;
mod error;
mod events;
mod forgetting;
mod frame;
mod health;
mod idempotency;
mod journal;
mod kv;
mod ladder;
mod place;
mod presence;
mod published;
mod records;
mod room;
mod sizes;
mod spent;
mod sweep;
mod tokens;
mod users;
mod vault;
mod weights;
mod writer;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sqlx::migrate::{Migrate, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{Connection, PgConnection};
use tokio::sync::watch;

pub(crate) use audit::is_id as is_audit_id;
pub use audit::{AuditRow, Audited, Change, Outcome};
pub use contacts::{ContactFilter, ContactRow, EndedFilter, OpenChat, OpenDrop};
pub use error::{AccessError, StoreError};
pub use events::{DeadLetter, Delivery, EventRow};
pub use forgetting::{Foreign, KeyOf, Oblivion, Sightings, Traces};
pub use health::Health;
pub(crate) use idempotency::VISITORS;
pub use idempotency::{Answer, Claim, MAX_KEYS_A_DAY};
pub(crate) use journal::PackedJournal;
pub use journal::{Journal, Torn};
pub(crate) use kv::check as check_kv;
pub use kv::{KvError, KvLimits, Space};
pub use ladder::{CALLED_BACK, Ladder, Rung};
pub use place::{Place, URL_VARIABLE};
pub(crate) use place::{has_password, options as place_options};
use presence::Presence;
pub use published::{
    Files, Manifest, NewRevision, PluginVersion, PublishedError, Release, Revision,
};
pub use records::{Page, RecordFilter};
pub(crate) use room::room_for_recordings;
pub use room::{Bound, Room};
pub use sweep::{Aged, Kept, Swept};
pub use tokens::{MAX_TOKENS, TokenRow};
pub use users::{MAX_SESSIONS, MAX_USERS, SessionRow, UserRow};
pub use vault::{MAX_VAULT_ENTRIES, SealedBy, VaultRow};
pub(crate) use weights::weigher;
pub use writer::{Record, Writer};

/// Connections for reading and for key-value changes; the writer has one of its own. SQLite has one writer at a time
/// anyway.
const CONNECTIONS: u32 = 4;
/// Longest time that SQLite waits for another's change to be over.
const BUSY: Duration = Duration::from_secs(5);
/// Longest time until a server lets us in.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Longest time until a server has done what it was asked.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Bytes of a page of `strowger.db`: SQLite's own default.
const PAGE: u32 = 4_096;

/// The store of one engine.
#[derive(Debug, Clone)]
pub struct Store {
    database: Database,
    place: Place,
    /// Which engine this is, where several share the database.
    engine: Option<String>,
    health: Arc<Health>,
    /// What tenants take of it.
    weights: Arc<weights::Weights>,
    /// Whether it has the tables of this program's journals: a store of an older one that is only read has not.
    framed: bool,
    /// The same for the messages of calls.
    laddered: bool,
    /// Changes when events were written.
    news: watch::Sender<u64>,
    /// The file as it was opened; none for a database elsewhere, and for one that is only looked at.
    presence: Option<Presence>,
}

#[derive(Debug, Clone)]
enum Database {
    File(SqlitePool),
    Server(PgPool),
}

impl Store {
    /// Opens a store, making what is not there: the folder, the file, the tables. No file is made where one was.
    pub async fn open(place: &Place) -> Result<Store, StoreError> {
        if let Place::File { folder, .. } = place {
            presence::not_lost(folder)?;
        }
        Store::open_or_begin(place).await
    }

    /// The same, and an empty file is made where one was.
    pub async fn open_or_begin(place: &Place) -> Result<Store, StoreError> {
        match place {
            Place::File { folder, .. } => {
                let shown = || place.to_string();
                let open = |source| StoreError::Open {
                    path: shown(),
                    source,
                };
                own_folder(folder).map_err(|e| open(sqlx::Error::Io(e)))?;
                let pool = SqlitePoolOptions::new()
                    .max_connections(CONNECTIONS)
                    .after_release(|connection, _| Box::pin(settled(connection)))
                    .connect_with(file_options(place, folder).create_if_missing(true))
                    .await
                    .map_err(open)?;
                migrate(&sqlx::migrate!("migrations/sqlite"), place, &pool).await?;
                let presence = Presence::of(folder).map_err(|e| open(sqlx::Error::Io(e)))?;
                let mut store = Store::new(Database::File(pool), place, None);
                store.presence = Some(presence);
                Ok(store)
            }
            Place::Server { options, folder } => {
                let pool = connect(place, options).await?;
                migrate(&sqlx::migrate!("migrations/postgres"), place, &pool).await?;
                let engine = identity(folder).map_err(|e| StoreError::Open {
                    path: folder.join("engine").display().to_string(),
                    source: sqlx::Error::Io(e),
                })?;
                Ok(Store::new(Database::Server(pool), place, Some(engine)))
            }
        }
    }

    /// Opens the store of an engine that may be running, to look at it only: nothing is made or changed.
    pub async fn look(place: &Place) -> Result<Store, StoreError> {
        let mut store = match place {
            Place::File { folder, .. } => {
                if !folder.join("strowger.db").is_file() {
                    return Err(StoreError::Missing {
                        folder: folder.display().to_string(),
                    });
                }
                let options = SqliteConnectOptions::new()
                    .filename(folder.join("strowger.db"))
                    .create_if_missing(false)
                    .pragma("secure_delete", "ON")
                    .busy_timeout(BUSY);
                let pool = SqlitePoolOptions::new()
                    .max_connections(CONNECTIONS)
                    .connect_with(options)
                    .await
                    .map_err(|source| StoreError::Open {
                        path: place.to_string(),
                        source,
                    })?;
                Store::new(Database::File(pool), place, None)
            }
            Place::Server { options, .. } => {
                let pool = connect(place, options).await?;
                let mut store = Store::new(Database::Server(pool), place, None);
                if !store.has_table("contacts").await? {
                    return Err(StoreError::Empty {
                        place: place.to_string(),
                    });
                }
                if let Place::Server { folder, .. } = place {
                    store.engine = known_identity(folder);
                }
                store
            }
        };
        store.framed = store.has_table("frames").await?;
        store.laddered = store.has_table("ladders").await?;
        Ok(store)
    }

    /// Whether there is a table: a store of an older program that is only looked at may lack some.
    async fn has_table(&self, name: &str) -> Result<bool, StoreError> {
        Ok(match &self.database {
            Database::File(pool) => {
                sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = $1)")
                    .bind(name)
                    .fetch_one(pool)
                    .await?
            }
            Database::Server(pool) => {
                sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
                    .bind(name)
                    .fetch_one(pool)
                    .await?
            }
        })
    }

    fn new(database: Database, place: &Place, engine: Option<String>) -> Store {
        Store {
            database,
            place: place.clone(),
            engine,
            health: Arc::default(),
            weights: Arc::default(),
            framed: true,
            laddered: true,
            news: watch::Sender::new(0),
            presence: None,
        }
    }

    /// Where it is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// How writing fares.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Changes when this process has written events.
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    /// Why the store takes nothing at present; none while it does.
    pub fn gone(&self) -> Option<String> {
        let known = self.health.gone();
        known.or_else(|| self.in_place().err().map(|error| error.to_string()))
    }

    /// Notes in the data folder that there is a store.
    pub(crate) fn mark(&self) -> Result<(), StoreError> {
        match &self.place {
            Place::File { folder, .. } => {
                presence::mark(folder).map_err(|error| StoreError::Open {
                    path: self.place.to_string(),
                    source: sqlx::Error::Io(error),
                })
            }
            Place::Server { .. } => Ok(()),
        }
    }

    /// An error where the file is not the one that was opened.
    fn in_place(&self) -> std::io::Result<()> {
        self.presence.as_ref().map_or(Ok(()), Presence::check)
    }

    /// An error at once while the store is known to be gone, so that nobody waits for what cannot be.
    fn reachable(&self) -> Result<(), StoreError> {
        match self.gone() {
            Some(why) => Err(StoreError::Gone(why)),
            None => Ok(()),
        }
    }

    /// Notes when something found no room.
    fn noted<T>(&self, done: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        if done.as_ref().is_err_and(error::is_full) {
            self.health.fill();
        }
        done
    }

    /// Waits for what is under way and closes the connections.
    pub async fn close(&self) {
        match &self.database {
            Database::File(pool) => pool.close().await,
            Database::Server(pool) => pool.close().await,
        }
    }
}

/// Whether a connection can serve again. When the disk is full SQLite may end a transaction by itself, of which sqlx knows
/// nothing: the connection would begin its next one within that, and what it writes would never be committed.
async fn settled(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // The end of a transaction that was given up stands before it in the connection's queue.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}

fn file_options(place: &Place, folder: &Path) -> SqliteConnectOptions {
    let options = SqliteConnectOptions::new()
        .filename(folder.join("strowger.db"))
        .page_size(PAGE)
        .journal_mode(SqliteJournalMode::Wal)
        // Full: a commit is on the disk when it returns. One commit serves many entries.
        .synchronous(SqliteSynchronous::Full)
        // What is deleted, or moved by a change, is overwritten: a number that was forgotten is not in the file.
        .pragma("secure_delete", "ON")
        .busy_timeout(BUSY);
    match place {
        Place::File {
            max_mb: Some(max_mb),
            ..
        } => {
            let pages = u64::from(*max_mb) * (1 << 20) / u64::from(PAGE);
            options.pragma("max_page_count", pages.to_string())
        }
        _ => options,
    }
}

async fn connect(place: &Place, options: &PgConnectOptions) -> Result<PgPool, StoreError> {
    let refused = |source| StoreError::connect(place, source);
    // A pool waits for a server that is not there and then only says that it waited.
    let first = within(CONNECT_WITHIN, PgConnection::connect_with(options));
    first
        .await
        .map_err(refused)?
        .close()
        .await
        .map_err(refused)?;
    Ok(PgPoolOptions::new()
        .max_connections(CONNECTIONS)
        .acquire_timeout(CONNECT_WITHIN)
        .connect_lazy_with(options.clone()))
}

async fn migrate<'a, A>(migrator: &Migrator, place: &Place, pool: A) -> Result<(), StoreError>
where
    A: sqlx::Acquire<'a>,
    <A::Connection as std::ops::Deref>::Target: Migrate,
{
    migrator
        .run(pool)
        .await
        .map_err(|source| StoreError::Migrate {
            place: place.to_string(),
            source,
        })
}

/// Makes a data folder that its owner alone may enter, unless there is one: journals, numbers and recordings lie in it.
pub(crate) fn own_folder(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(folder)
}

/// Which engine has this data folder, if one ever had.
fn known_identity(folder: &Path) -> Option<String> {
    let text = std::fs::read_to_string(folder.join("engine")).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

/// Which engine has this data folder: a word of chance, kept in the folder.
fn identity(folder: &Path) -> std::io::Result<String> {
    let path = folder.join("engine");
    match std::fs::read_to_string(&path) {
        Ok(text) if !text.trim().is_empty() => Ok(text.trim().to_owned()),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => {
            let chance: [u8; 8] = rand::random();
            let text = crate::project::hex(&chance);
            own_folder(folder)?;
            std::fs::write(&path, format!("{text}\n"))?;
            Ok(text)
        }
    }
}

/// What a server is asked, within the time it has for that.
async fn answered<T>(work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    within(ANSWER_WITHIN, work).await
}

fn millis(at: u64) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX)
}

async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        let why = format!("no answer within {} s", limit.as_secs());
        Err(sqlx::Error::Io(std::io::Error::new(
            std::io::ErrorKind::TimedOut,
            why,
        )))
    })
}
