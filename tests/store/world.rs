//! What every test of the store needs.

use std::path::Path;

use anyhow::Result;
use strowger_contact::{Entry, EntryKind};
use strowger_server::records::ContactRecord;
use strowger_server::store::{ContactFilter, Place, Record, Store, Writer};
use strowger_tests::Postgres;

/// A store's place, and a way to its tables beside the store.
pub struct Database<'a> {
    pub place: Place,
    server: Option<(&'a Postgres, &'a str)>,
}

impl<'a> Database<'a> {
    pub fn file(folder: &Path) -> Database<'a> {
        Database {
            place: Place::file(folder),
            server: None,
        }
    }

    /// A new database.
    pub fn server(server: &'a Postgres, name: &'a str, data: &Path) -> Result<Database<'a>> {
        // PostgreSQL cuts names after 63 bytes, and would say so.
        let name = &name[..name.len().min(63)];
        server.create(name)?;
        Ok(Database {
            place: server.place(name, data)?,
            server: Some((server, name)),
        })
    }

    /// Makes the database refuse contacts of the flow `poison`.
    pub async fn refuse_poison(&self) -> Result<()> {
        self.sql(
            "CREATE TRIGGER poison BEFORE INSERT ON contacts WHEN new.flow = 'poison' \
             BEGIN SELECT RAISE(ABORT, 'poison'); END",
            "ALTER TABLE contacts ADD CHECK (flow <> 'poison')",
        )
        .await
    }

    /// Makes it one of a program that did not note which releases are roll-backs.
    pub async fn forget_the_roll_backs(&self) -> Result<()> {
        for statement in [
            "ALTER TABLE releases DROP COLUMN restores",
            "ALTER TABLE plugin_versions DROP COLUMN signature",
        ] {
            self.sql(statement, statement).await?;
        }
        self.sql(
            "DELETE FROM _sqlx_migrations WHERE version = 16",
            "DELETE FROM _sqlx_migrations WHERE version = 14",
        )
        .await
    }

    /// Cuts the record of the contact `cut` short, and makes that of `torn` one whose tags are none.
    pub async fn damage_records(&self) -> Result<()> {
        for statement in [
            "UPDATE records SET body = substr(body, 1, 60) WHERE contact = 'cut'",
            "UPDATE records SET body = '{\"tags\":7}' WHERE contact = 'torn'",
        ] {
            self.sql(statement, statement).await?;
        }
        // SQLite keeps what is no text, as a disk may leave it.
        let mangled = "UPDATE records SET body = CAST(x'7b22ff80' AS TEXT) WHERE contact = 'torn'";
        self.sql(mangled, "SELECT 1").await
    }

    /// Sets all keys that one plugin may have, `0` for ever and the others until 5.
    pub async fn fill(&self) -> Result<()> {
        self.sql(
            "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999) \
             INSERT INTO kv SELECT 'aurora', 'orders', CAST(i AS TEXT), X'', iif(i > 0, 5, NULL) FROM n",
            "INSERT INTO kv SELECT 'aurora', 'orders', i::text, '', CASE WHEN i > 0 THEN 5 END \
             FROM generate_series(0, 9999) AS i",
        )
        .await
    }

    async fn sql(&self, file: &'static str, server: &str) -> Result<()> {
        match (self.server, &self.place) {
            (Some((postgres, name)), _) => {
                postgres.sql(name, server)?;
                Ok(())
            }
            (None, Place::File { folder, .. }) => sql(folder, file).await,
            (None, Place::Server { .. }) => unreachable!("a server's place comes with it"),
        }
    }
}

/// Runs SQL on the file in a data folder, on a connection of its own.
pub async fn sql(folder: &Path, sql: &'static str) -> Result<()> {
    use sqlx::{Connection, Executor};
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.join("strowger.db"));
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await?;
    connection.execute(sql).await?;
    connection.close().await?;
    Ok(())
}

/// Runs a test that waits for things.
pub fn run<T>(test: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::runtime::Runtime::new()?.block_on(test)
}

pub async fn open(place: &Place) -> Result<Store> {
    Ok(Store::open(place).await?)
}

/// A contact that began at 1.
pub fn began(id: &str, call_id: &str) -> Record {
    Record::Began {
        id: id.to_owned(),
        tenant: "aurora".into(),
        flow: "main-menu".into(),
        hash: "00".into(),
        content: "ff".into(),
        channel: "voice",
        from: "+861300000".into(),
        to: "100".into(),
        sip_call_id: Some(call_id.to_owned()),
        at: 1,
    }
}

/// A key, as entry of a contact's journal.
pub fn key(id: &str, seq: u32) -> Record {
    let key = char::from_digit(seq % 10, 10).unwrap_or('0');
    let kind = EntryKind::Key { key };
    let at = u64::from(seq);
    Record::Entries(id.to_owned(), vec![Entry { seq, at, kind }])
}

/// The record of a contact that ended at this time.
pub fn record(id: &str, at: u64) -> ContactRecord {
    ContactRecord {
        id: id.to_owned(),
        tenant: "aurora".into(),
        flow: "main-menu".into(),
        from: "+861300000".into(),
        to: "100".into(),
        ended_at: at,
        ..ContactRecord::default()
    }
}

/// The end of a contact.
pub fn ended_at(id: &str, at: u64) -> Record {
    Record::Ended {
        id: id.to_owned(),
        reason: "completed".into(),
        at,
        record: Some(Box::new(record(id, at))),
    }
}

/// Begins a contact in an engine that then is gone.
pub async fn begin(place: &Place, id: &str) -> Result<()> {
    let store = open(place).await?;
    let (writer, written) = Writer::start(store.clone());
    writer.write(began(id, id)).await;
    writer.write(key(id, 0)).await;
    drop(writer);
    written.await?;
    store.close().await;
    Ok(())
}

/// All contacts, by id, and when each ended.
pub async fn ended(store: &Store) -> Result<Vec<(String, Option<i64>)>> {
    let contacts = store.contacts(&ContactFilter::default()).await?;
    let mut ended: Vec<_> = contacts
        .into_iter()
        .map(|contact| (contact.id, contact.ended_at))
        .collect();
    ended.sort();
    Ok(ended)
}

/// Whether the journal of a contact is so many keys, in order.
pub async fn has_keys(store: &Store, id: &str, keys: u32) -> Result<bool> {
    let journal = store.journal(id).await?.entries;
    Ok(journal.iter().map(|entry| entry.seq).eq(0..keys))
}
