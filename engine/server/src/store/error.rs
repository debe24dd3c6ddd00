//! Why a store cannot be used.

use std::path::PathBuf;

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
    /// The database server cannot be used.
    #[error("cannot use the store, {place}: {source}; {remedy}")]
    Connect {
        /// Server, database and user.
        place: String,
        /// Why.
        source: sqlx::Error,
        /// What to do.
        remedy: &'static str,
    },
    /// The URL of the database is wrong. What it says is not shown: there may be a password in it.
    #[error("the store's URL in {from} {why}")]
    Url {
        /// Where it stands.
        from: String,
        /// What is wrong.
        why: String,
    },
    /// The file with the URL cannot be read.
    #[error(
        "cannot read {path}, named by store.url_file: {why}; it holds one line, the URL of the database"
    )]
    UrlFile {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The file is gone from a data folder that had it.
    #[error(
        "the store {path} is gone, and {sign} shows that there was one: restore a backup (`strowger restore`, into a new data folder where there is \
         something in this one), or, to begin anew with an empty one, `strowger serve --new-store`"
    )]
    Lost {
        /// The file.
        path: String,
        /// What shows it.
        sign: String,
    },
    /// Its tables cannot be brought up to date.
    #[error(
        "cannot bring the store {place} up to date: {source}; was it written by a newer version?"
    )]
    Migrate {
        /// File or database.
        place: String,
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
    /// The database server has none.
    #[error("there is no store in {place}: `strowger serve` makes it; is this the right database?")]
    Empty {
        /// Server, database and user.
        place: String,
    },
    /// It was written by a program that kept no records yet.
    #[error(
        "the store {place} is of an older program and has no records: start `strowger serve` once, which brings it up to date"
    )]
    Older {
        /// File or database.
        place: String,
    },
    /// What is kept as a contact's record is none.
    #[error(
        "the record of contact {contact} is damaged ({why}) and left out: `strowger trace {contact}` shows what its journal holds, and a \
         backup of before may have the record"
    )]
    DamagedRecord {
        /// The contact.
        contact: String,
        /// Why it cannot be read.
        why: String,
    },
    /// A question or a change failed.
    #[error("the store failed: {0}")]
    Query(#[from] sqlx::Error),
    /// It is known to be gone.
    #[error("the store is gone ({0}); it is tried again every second")]
    Gone(String),
}

/// Why a token or a user was not kept.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// A limit, or a name that is taken; the text says what to do.
    #[error("{0}")]
    Limit(String),
    /// The store itself.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for AccessError {
    fn from(error: sqlx::Error) -> AccessError {
        AccessError::Store(error.into())
    }
}

/// Whether there was no room: SQLite's file may not grow or its disk is full, or the server's disk is.
pub(super) fn is_full(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(error) => error.kind() == std::io::ErrorKind::StorageFull,
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            match error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
                // disk_full (PostgreSQL documentation, appendix A).
                Some(_) => code == "53100",
                // SQLITE_FULL.
                None => primary(&code) == Some(13),
            }
        }
        _ => false,
    }
}

/// Whether the store failed, and not what was asked of it: it may well be another time.
fn is_of_the_store(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            match error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
                // Connection exceptions, resources, an operator's intervention, the system (SQLSTATE classes); read-only.
                Some(_) => {
                    ["08", "53", "57", "58"].contains(&&code[..code.len().min(2)])
                        || code == "25006"
                }
                // SQLITE_BUSY, LOCKED, READONLY, IOERR, FULL, CANTOPEN.
                None => matches!(primary(&code), Some(5 | 6 | 8 | 10 | 13 | 14)),
            }
        }
        _ => false,
    }
}

/// The primary of SQLite's extended result codes: its low byte.
fn primary(code: &str) -> Option<u32> {
    code.parse::<u32>().ok().map(|code| code & 0xff)
}

impl StoreError {
    /// Whether there was no room for what was to be kept.
    pub fn is_full(&self) -> bool {
        matches!(self, StoreError::Query(error) if is_full(error))
    }

    /// Whether it may be possible later, with nothing asked otherwise.
    pub fn is_passing(&self) -> bool {
        match self {
            StoreError::Gone(_) => true,
            StoreError::Query(error) => is_of_the_store(error),
            _ => false,
        }
    }

    /// A server that does not let us in.
    pub(super) fn connect(place: &super::Place, source: sqlx::Error) -> StoreError {
        // SQLSTATE, PostgreSQL documentation, appendix A.
        let code = match &source {
            sqlx::Error::Database(error) => error.code().unwrap_or_default().into_owned(),
            _ => String::new(),
        };
        let remedy = match code.as_str() {
            "28P01" | "28000" => {
                "check user and password (STROWGER_STORE_URL, store.url_file, PGPASSWORD or ~/.pgpass) and the server's pg_hba.conf"
            }
            "3D000" => "make the database: createdb, or CREATE DATABASE",
            "42501" => {
                "grant the user CREATE on the database's schema, or make it the database's owner"
            }
            "53300" | "57P03" => "try again when the server has room and is up",
            _ => match &source {
                sqlx::Error::Tls(_) => "check sslmode and sslrootcert in the store's URL",
                // A certificate that is not believed comes as invalid data.
                sqlx::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                    "check sslmode and sslrootcert in the store's URL"
                }
                _ => {
                    "is it running, and can this machine reach it? `psql` with the same URL shows the same"
                }
            },
        };
        StoreError::Connect {
            place: place.to_string(),
            source,
            remedy,
        }
    }
}
