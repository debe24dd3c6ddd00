//! A store's file, changed beside the store.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use strowger_contact::Entry;
use strowger_server::store::{Place, Record, Store, Writer};

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

/// Changes the journal of a contact of an engine that is down.
pub fn rewrite(
    data: &Path,
    contact: &str,
    change: impl FnOnce(Vec<Entry>) -> Vec<Entry>,
) -> Result<()> {
    tokio::runtime::Runtime::new()?.block_on(async {
        let store = Store::open(&Place::file(data)).await?;
        let entries = change(store.journal(contact).await?.entries);
        store.cut_journal(contact, 0).await?;
        let (writer, written) = Writer::start(store.clone());
        writer
            .write(Record::Entries(contact.to_owned(), entries))
            .await;
        writer.flush().await.map_err(anyhow::Error::msg)?;
        drop(writer);
        written.await?;
        store.close().await;
        Ok(())
    })
}

/// Lets the one contact of an engine that is down have happened an hour later: as if the machine's clock had been an hour ahead, and
/// was set right meanwhile.
pub fn an_hour_ahead(data: &Path, contact: &str) -> Result<()> {
    const HOUR: u64 = 3_600_000;
    rewrite(data, contact, |mut entries| {
        entries.iter_mut().for_each(|entry| entry.at += HOUR);
        entries
    })?;
    let file = data.join("strowger.db");
    change(
        &file,
        "UPDATE contacts SET started_at = started_at + 3600000",
    )?;
    change(&file, "UPDATE drops SET until_at = until_at + 3600000")?;
    Ok(())
}
