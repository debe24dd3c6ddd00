//! A PostgreSQL that is gone for a while.

use std::time::Duration;

use anyhow::{Context, Result};
use strowger_contact::{Entry, EntryKind};
use strowger_server::store::{KvError, KvLimits, Record, Space, StoreError, Writer};
use strowger_tests::Postgres;
use tempfile::TempDir;

use crate::world::{Database, began, ended, ended_at, has_keys, key, open, run};

/// Longest time until a store that is back is noticed and written.
const BACK: Duration = Duration::from_secs(60);
const SPACE: Space = Space {
    tenant: "aurora",
    plugin: "orders",
    limits: &KvLimits::DEFAULT,
};

#[test]
fn what_is_written_meanwhile_waits_and_what_needs_the_disk_fails_at_once() -> Result<()> {
    let mut server = Postgres::start()?;
    let folder = TempDir::new()?;
    let place = Database::server(&server, "calls", folder.path())?.place;
    run(async {
        let store = open(&place).await?;
        let (writer, written) = Writer::start(store.clone());
        writer.write(began("a", "a")).await;
        writer.write(key("a", 0)).await;
        writer.flush().await.map_err(anyhow::Error::msg)?;
        store.kv_set(SPACE, "k", b"v", None, 1).await?;

        server.stop()?;
        writer.write(key("a", 1)).await;
        let refused = writer.flush().await.err().context("it is gone")?;
        assert!(!refused.is_empty());
        assert!(store.health().gone().is_some());
        let kept = store.kv_set(SPACE, "k", b"never", None, 1).await;
        assert!(
            matches!(kept, Err(KvError::Store(StoreError::Gone(_)))),
            "{kept:?}"
        );
        for seq in 2..500 {
            writer.write(key("a", seq)).await;
        }
        writer.write(began("b", "b")).await;
        writer.write(ended_at("a", 7)).await;
        assert!(writer.flush().await.is_err());
        let health = store.health();
        assert_eq!((health.outages(), health.lost()), (1, 0));
        assert!(health.waiting() >= 500, "{}", health.waiting());

        server.resume()?;
        writer.settle(BACK).await.map_err(anyhow::Error::msg)?;
        drop(writer);
        written.await?;
        assert_eq!(
            (health.waiting(), health.lost(), health.gone()),
            (0, 0, None)
        );
        assert!(has_keys(&store, "a", 500).await?);
        assert_eq!(
            ended(&store).await?,
            [("a".to_owned(), Some(7)), ("b".to_owned(), None)]
        );
        assert_eq!(
            store.kv_get(SPACE, "k", 1).await?.as_deref(),
            Some(&b"v"[..])
        );
        Ok(())
    })
}

#[test]
fn beyond_what_is_held_journals_end_early_and_contacts_are_known_all_the_same() -> Result<()> {
    let mut server = Postgres::start()?;
    let folder = TempDir::new()?;
    let place = Database::server(&server, "calls", folder.path())?.place;
    run(async {
        let store = open(&place).await?;
        let (writer, written) = Writer::start(store.clone());
        writer.write(began("long", "long")).await;
        writer.flush().await.map_err(anyhow::Error::msg)?;
        server.stop()?;
        // 100 MiB of journal, of which 64 are held, and 8 are under way.
        for seq in 0..100 {
            writer.write(long_line("long", seq)).await;
        }
        writer.write(began("brief", "brief")).await;
        writer.write(key("brief", 0)).await;
        assert!(writer.flush().await.is_err());
        let health = store.health();
        assert!(health.lost() > 10, "{}", health.lost());
        server.resume()?;
        writer.settle(BACK).await.map_err(anyhow::Error::msg)?;
        // What was cut stays cut: no hole looks like a whole.
        writer.write(key("long", 100)).await;
        writer.write(ended_at("long", 9)).await;
        writer.write(ended_at("brief", 9)).await;
        drop(writer);
        written.await?;
        let left = store.journal("long").await?.entries;
        assert!((60..80).contains(&left.len()), "{}", left.len());
        assert!(left.iter().map(|entry| entry.seq).eq(0..left.len() as u32));
        let both = [("brief".to_owned(), Some(9)), ("long".to_owned(), Some(9))];
        assert_eq!(ended(&store).await?, both);
        assert_eq!(health.waiting(), 0);
        Ok(())
    })
}

/// An entry of a MiB.
fn long_line(id: &str, seq: u32) -> Record {
    let kind = EntryKind::Wrote {
        text: "x".repeat(1 << 20),
        message: None,
        late: false,
    };
    Record::Entries(id.to_owned(), vec![Entry { seq, at: 1, kind }])
}
