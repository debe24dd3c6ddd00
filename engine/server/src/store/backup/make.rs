//! Making a backup.

use std::path::{Path, PathBuf};

use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, Executor};

use super::files::{at, copy_recordings, digest, sync, write_manifest};
use super::rows::copy;
use super::{BackupError, DATABASE, FORMAT, Manifest, RECORDINGS};
use crate::clock::Clock;
use crate::store::{CONNECT_WITHIN, Database, Place, Store, StoreError, file_options, within};

/// Copies what the store holds, as it is at one moment, and then the recordings in the data folder into a new folder
/// `target`. The engine may be running. What is not finished bears another name, and is removed.
pub async fn backup(place: &Place, data: &Path, target: &Path) -> Result<Manifest, BackupError> {
    let taken = || BackupError::Taken {
        path: target.to_owned(),
    };
    let Some(name) = target.file_name() else {
        return Err(taken());
    };
    if target.symlink_metadata().is_ok() {
        return Err(taken());
    }
    // What there is to copy is known before anything is made.
    let store = Store::look(place).await?;
    let mut unfinished = name.to_owned();
    unfinished.push(".unfinished");
    let unfinished = target.with_file_name(unfinished);
    if let Some(parent) = parent(target) {
        std::fs::create_dir_all(parent).map_err(at("cannot make", parent))?;
    }
    std::fs::create_dir(&unfinished).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => BackupError::Unfinished {
            path: unfinished.clone(),
        },
        _ => at("cannot make", &unfinished)(error),
    })?;
    let made = make(&store, place, data, &unfinished).await;
    store.close().await;
    let made = made.and_then(|manifest| {
        std::fs::rename(&unfinished, target).map_err(at("cannot make", target))?;
        sync(parent(target).unwrap_or(Path::new(".")))?;
        Ok(manifest)
    });
    if made.is_err() {
        // What led here is told; that a remainder cannot be removed would hide it.
        let _ = std::fs::remove_dir_all(&unfinished);
    }
    made
}

/// The folder that a path names something in.
fn parent(path: &Path) -> Option<&Path> {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
}

async fn make(
    store: &Store,
    place: &Place,
    data: &Path,
    folder: &Path,
) -> Result<Manifest, BackupError> {
    let made_at = Clock::start().now();
    let file = folder.join(DATABASE);
    match (&store.database, place) {
        (Database::File(pool), _) => {
            sqlx::query("VACUUM INTO $1")
                .bind(file.display().to_string())
                .execute(pool)
                .await?;
        }
        (Database::Server(_), Place::Server { options, .. }) => {
            let from = within(CONNECT_WITHIN, PgConnection::connect_with(options)).await;
            let mut from = from.map_err(|source| StoreError::connect(place, source))?;
            rows(&mut from, folder).await?;
            from.close().await?;
        }
        (Database::Server(_), Place::File { .. }) => unreachable!("a server's store has its place"),
    }
    sync(&file)?;
    let (contacts, keys) = counted(&file).await?;
    let (from, to) = (data.join(RECORDINGS), folder.join(RECORDINGS));
    let (copied, database) = tokio::task::spawn_blocking(move || {
        Ok::<_, BackupError>((copy_recordings(&from, &to)?, digest(&file)?))
    })
    .await
    .map_err(std::io::Error::other)
    .map_err(at("cannot copy into", folder))??;
    let manifest = Manifest {
        format: FORMAT,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        made_at,
        contacts,
        keys,
        recordings: copied.files.len() as u64,
        recordings_bytes: copied.bytes,
        database,
        files: Some(copied.files),
    };
    write_manifest(folder, &manifest)?;
    sync(folder)?;
    Ok(manifest)
}

/// Copies a server's rows, as of one moment, into a new file.
async fn rows(from: &mut PgConnection, folder: &Path) -> Result<(), BackupError> {
    let place = Place::file(folder);
    // Makes the file and its tables.
    Store::open(&place).await?.close().await;
    let mut to = SqliteConnection::connect_with(&file_options(&place, folder)).await?;
    from.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        .await?;
    let records: bool = sqlx::query_scalar("SELECT to_regclass('records') IS NOT NULL")
        .fetch_one(&mut *from)
        .await?;
    let vault: bool = sqlx::query_scalar("SELECT to_regclass('vault') IS NOT NULL")
        .fetch_one(&mut *from)
        .await?;
    let ladders: bool = sqlx::query_scalar("SELECT to_regclass('ladders') IS NOT NULL")
        .fetch_one(&mut *from)
        .await?;
    let call_ids: bool = sqlx::query_scalar("SELECT to_regclass('call_ids') IS NOT NULL")
        .fetch_one(&mut *from)
        .await?;
    let signed: bool = sqlx::query_scalar(
        "SELECT EXISTS (SELECT 1 FROM pg_attribute WHERE attrelid = to_regclass('releases') AND attname = 'restores')",
    )
    .fetch_one(&mut *from)
    .await?;
    let mut transaction = to.begin().await?;
    copy!(
        from,
        transaction,
        records,
        vault,
        ladders,
        call_ids,
        signed,
        |_: &str, file: &str| { file.to_owned() }
    );
    transaction.commit().await?;
    from.execute("COMMIT").await?;
    // One file alone: what is in the write-ahead log goes into it.
    to.execute("PRAGMA journal_mode = DELETE").await?;
    to.close().await?;
    Ok(())
}

/// Contacts and keys in a backup's file.
async fn counted(file: &PathBuf) -> Result<(u64, u64), BackupError> {
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(file)
        .immutable(true);
    let mut connection = SqliteConnection::connect_with(&options).await?;
    let (contacts, keys): (i64, i64) =
        sqlx::query_as("SELECT (SELECT COUNT(*) FROM contacts), (SELECT COUNT(*) FROM kv)")
            .fetch_one(&mut connection)
            .await?;
    connection.close().await?;
    Ok((contacts.unsigned_abs(), keys.unsigned_abs()))
}
