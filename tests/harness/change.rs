//! A store's file, changed beside the store.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

/// Changes an SQLite file.
pub fn change(file: &Path, sql: &'static str) -> Result<u64> {
    use sqlx::Connection;
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(file)
        // The engine may be writing.
        .busy_timeout(Duration::from_secs(10));
    tokio::runtime::Runtime::new()?.block_on(async {
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await?;
        let done = sqlx::query(sql).execute(&mut connection).await?;
        connection.close().await?;
        Ok(done.rows_affected())
    })
}
