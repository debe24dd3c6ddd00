//! Restoring a backup.

use std::path::{Path, PathBuf};

use sqlx::Connection;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use super::files::{at, copy_recordings, digest, hold, read_manifest, recordings, sync};
use super::rows::copy;
use super::{BackupError, DATABASE, Manifest, RECORDINGS};
use crate::store::{Place, Store, StoreError};

/// The folder, in the data folder, in which a file is made ready.
const READYING: &str = "restore.unfinished";

/// Puts a backup into an empty data folder, and into an empty database where the store is one. The caller holds the
/// data folder's lock. What was open in it belongs to the engine that starts next, which closes it.
pub async fn restore(place: &Place, data: &Path, from: &Path) -> Result<Manifest, BackupError> {
    let manifest = read_manifest(from)?;
    let broken = |why: &str| BackupError::Broken {
        path: from.to_owned(),
        why: format!("{why}; take another backup"),
    };
    if !from.join(DATABASE).is_file() {
        return Err(broken("is not whole: it has no strowger.db"));
    }
    if digest(&from.join(DATABASE))? != manifest.database {
        return Err(broken(
            "is not whole: its strowger.db is not as it was made",
        ));
    }
    let (folder, checked) = (from.to_owned(), manifest.clone());
    tokio::task::spawn_blocking(move || hold(&folder, &checked))
        .await
        .map_err(std::io::Error::other)
        .map_err(at("cannot read", from))??;
    let target = data.join(RECORDINGS);
    if !recordings(&target)?.is_empty() {
        let what = format!("there are recordings in {}", target.display());
        return Err(BackupError::NotEmpty { what });
    }
    if let Place::File { .. } = place
        && data.join(DATABASE).exists()
    {
        let what = format!("there is a store, {place},");
        return Err(BackupError::NotEmpty { what });
    }
    let done = fill(place, data, from, &manifest, broken).await;
    // Only what this run made is there: it was looked at before.
    let _ = std::fs::remove_dir_all(data.join(READYING));
    if done.is_err() {
        let _ = std::fs::remove_dir_all(&target);
    }
    done.map(|()| manifest)
}

async fn fill(
    place: &Place,
    data: &Path,
    from: &Path,
    manifest: &Manifest,
    broken: impl Fn(&str) -> BackupError,
) -> Result<(), BackupError> {
    let (source, target) = (from.join(RECORDINGS), data.join(RECORDINGS));
    let to = target.clone();
    let copied = tokio::task::spawn_blocking(move || copy_recordings(&source, &to))
        .await
        .map_err(std::io::Error::other)
        .map_err(at("cannot copy into", &target))??;
    // What was held against its checksums is what was copied.
    let whole = match &manifest.files {
        Some(files) => copied.files == *files,
        None => copied.files.len() as u64 == manifest.recordings,
    };
    if !whole || copied.bytes != manifest.recordings_bytes {
        return Err(broken(
            "is not whole: its recordings changed while they were restored",
        ));
    }
    // A contact's own recording bears its id, and lies in the new folder now.
    let recording = |id: &str, _: &str| target.join(format!("{id}.wav")).display().to_string();
    match place {
        Place::File { .. } => {
            let file = up_to_date(data, from).await?;
            adopt(&file, &target).await?;
            sync(&file)?;
            std::fs::rename(&file, data.join(DATABASE)).map_err(at("cannot make", &file))?;
            sync(data)
        }
        Place::Server { options, .. } => {
            // Makes the tables.
            Store::open(place).await?.close().await;
            let file = SqliteConnectOptions::new().filename(up_to_date(data, from).await?);
            let from = &mut SqliteConnection::connect_with(&file).await?;
            let to = PgConnection::connect_with(options).await;
            let mut to = to.map_err(|source| StoreError::connect(place, source))?;
            let mut transaction = to.begin().await?;
            let some: bool = sqlx::query_scalar(
                "SELECT EXISTS (SELECT 1 FROM contacts) OR EXISTS (SELECT 1 FROM kv) OR EXISTS (SELECT 1 FROM tokens) \
                 OR EXISTS (SELECT 1 FROM users) OR EXISTS (SELECT 1 FROM vault)",
            )
            .fetch_one(&mut *transaction)
            .await?;
            if some {
                let what = format!("there is something in the {place},");
                return Err(BackupError::NotEmpty { what });
            }
            let records: bool = sqlx::query_scalar(
                "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'records')",
            )
            .fetch_one(&mut *from)
            .await?;
            let ladders: bool = sqlx::query_scalar(
                "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'ladders')",
            )
            .fetch_one(&mut *from)
            .await?;
            // The copy that is read was brought up to date.
            copy!(
                from,
                transaction,
                records,
                true,
                ladders,
                true,
                true,
                recording
            );
            transaction.commit().await?;
            to.close().await?;
            Ok(())
        }
    }
}

/// A copy of a backup's database in the data folder, with the tables that this program has.
async fn up_to_date(data: &Path, from: &Path) -> Result<PathBuf, BackupError> {
    let ready = data.join(READYING);
    std::fs::create_dir_all(&ready).map_err(at("cannot make", &ready))?;
    let file = ready.join(DATABASE);
    std::fs::copy(from.join(DATABASE), &file).map_err(at("cannot copy into", &file))?;
    Store::open(&Place::file(&ready)).await?.close().await;
    Ok(file)
}

/// Makes the contacts of a file those of an engine with these recordings.
async fn adopt(file: &Path, recordings: &Path) -> Result<(), BackupError> {
    let mut connection =
        SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(file)).await?;
    sqlx::query("UPDATE contacts SET recording = $1 || id || '.wav' WHERE recording IS NOT NULL")
        .bind(recordings.join("").display().to_string())
        .execute(&mut connection)
        .await?;
    // Of the moment in which the backup was made.
    for gone in ["DELETE FROM sessions", "DELETE FROM idempotency"] {
        sqlx::query(gone).execute(&mut connection).await?;
    }
    // The pages go into the file itself: it alone is taken over.
    sqlx::query("PRAGMA journal_mode = DELETE")
        .execute(&mut connection)
        .await?;
    connection.close().await?;
    Ok(())
}
