//! A copy of all that is data: what the store holds, and the recordings. Made while the engine runs.
//!
//! Its form is the same whatever the store is, a folder with an SQLite file, so that what was kept in one can go on
//! in the other.

mod files;
mod make;
mod restore;
mod rows;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::StoreError;

pub use make::backup;
pub use restore::restore;

/// The form of a backup; another one is not restored.
const FORMAT: u32 = 1;
const MANIFEST: &str = "backup.json";
const DATABASE: &str = "strowger.db";
const RECORDINGS: &str = "recordings";

/// What a backup says of itself: `backup.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    format: u32,
    /// Version of the program that made it.
    pub version: String,
    /// When, in milliseconds since 1970.
    pub made_at: u64,
    /// Contacts in it.
    pub contacts: u64,
    /// Keys of plugins in it.
    pub keys: u64,
    /// Files of recordings in it.
    pub recordings: u64,
    /// Their bytes.
    pub recordings_bytes: u64,
    /// SHA-256 of `strowger.db`.
    database: String,
    /// SHA-256 of each recording, by the name of its file; none where an older program made the backup.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    files: Option<BTreeMap<String, String>>,
}

impl Manifest {
    /// Whether it has a checksum of each recording, against which it was held.
    pub fn has_checksums(&self) -> bool {
        self.files.is_some()
    }
}

/// Why there is no backup, or none was restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The backup's place is taken.
    #[error(
        "{path} is there already, and nothing is written over: name a folder that is not there yet"
    )]
    Taken {
        /// The folder.
        path: PathBuf,
    },
    /// Another backup goes to the same place, or one was broken off.
    #[error(
        "{path} is there: another backup is being made, or one was broken off; remove it when none is"
    )]
    Unfinished {
        /// The folder.
        path: PathBuf,
    },
    /// There is data where a backup should go.
    #[error(
        "{what} already, and nothing is written over: restore into an empty data folder (--data) and an empty database"
    )]
    NotEmpty {
        /// What is there.
        what: String,
    },
    /// It is no backup, or not a whole one.
    #[error("{path} {why}")]
    Broken {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        why: String,
    },
    /// A file cannot be read or written.
    #[error("{doing} {path}: {source}")]
    File {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for BackupError {
    fn from(error: sqlx::Error) -> BackupError {
        BackupError::Store(error.into())
    }
}
