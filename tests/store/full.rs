//! A file that may not grow: what a full disk is to SQLite (SQLITE_FULL).

use std::time::Duration;

use anyhow::Result;
use strowger_server::store::{KvError, KvLimits, Place, Space, Store, VaultRow, Writer};
use tempfile::TempDir;

use crate::cases::set;
use crate::world::{began, has_keys, key, open, run, sql};

/// Longest time until room is noticed and used.
const BACK: Duration = Duration::from_secs(60);

/// More contacts than a MiB has room for.
const MANY: usize = 20_000;

#[test]
fn nothing_acknowledged_is_lost_and_it_goes_on_when_there_is_room() -> Result<()> {
    let folder = TempDir::new()?;
    let place = Place::File {
        folder: folder.path().to_owned(),
        max_mb: Some(1),
    };
    run(async {
        let store = open(&place).await?;
        let (writer, written) = Writer::start(store.clone());
        let space = Space {
            tenant: "aurora",
            plugin: "orders",
            limits: &KvLimits::DEFAULT,
        };
        store.kv_set(space, "fact", b"kept", None, 1).await?;
        let mut acknowledged = Vec::new();
        // A MiB has no room for so many.
        for number in 0..MANY {
            let id = format!("c{number}");
            writer.write(began(&id, &id)).await;
            for seq in 0..100 {
                writer.write(key(&id, seq)).await;
            }
            if writer.flush().await.is_err() {
                break;
            }
            acknowledged.push(id);
        }
        let (first, rest) = acknowledged.split_first().expect("there was room for some");
        assert!(rest.len() + 1 < MANY, "the file was full at {}", rest.len());
        let gone = store.health().gone().unwrap_or_default();
        assert!(gone.contains("full"), "{gone}");
        let kept = store.kv_set(space, "k", b"v", None, 1).await;
        assert!(matches!(kept, Err(KvError::Store(_))), "{kept:?}");
        // What is there can be read all the while.
        assert!(has_keys(&store, first, 100).await?);

        sql(
            folder.path(),
            "DELETE FROM frames WHERE contact <> 'c0' AND contact < 'c3'",
        )
        .await?;
        writer.settle(BACK).await.map_err(anyhow::Error::msg)?;
        writer.write(began("after", "after")).await;
        writer.write(key("after", 0)).await;
        writer.flush().await.map_err(anyhow::Error::msg)?;
        drop(writer);
        written.await?;
        for id in &acknowledged {
            assert!(store.contact(id).await?.is_some(), "{id}");
            if id == "c0" || id.as_str() >= "c3" {
                assert!(has_keys(&store, id, 100).await?, "{id}");
            }
        }
        // Also the one that met the wall.
        let met = format!("c{}", acknowledged.len());
        assert!(store.contact(&met).await?.is_some() && has_keys(&store, &met, 100).await?);
        assert!(has_keys(&store, "after", 1).await?);
        let health = store.health();
        assert_eq!(
            (health.lost(), health.waiting(), health.gone()),
            (0, 0, None)
        );
        store.kv_set(space, "k", b"v", None, 1).await?;
        Ok(())
    })
}

/// Most that a file of this process may grow to. Bytes; none for as much as the system allows.
fn files_grow_to(bytes: Option<u64>) {
    // SAFETY: both calls read what they are given, or write into `limit`, which is of their type.
    unsafe {
        let mut limit: libc::rlimit = std::mem::zeroed();
        assert_eq!(libc::getrlimit(libc::RLIMIT_FSIZE, &raw mut limit), 0);
        limit.rlim_cur = bytes.unwrap_or(limit.rlim_max);
        assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &raw const limit), 0);
        // Without this the process ends at the first write that is too much.
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
    }
}

/// SQLite ends a transaction by itself whose commit finds no room; no connection may go on as if it were in one.
#[test]
fn what_is_kept_when_there_is_room_again_is_kept_for_all() -> Result<()> {
    let folder = TempDir::new()?;
    let place = Place::file(folder.path());
    run(async {
        let store = open(&place).await?;
        let entry = |tenant: &str, number: usize| VaultRow {
            tenant: tenant.to_owned(),
            name: format!("entry{number}"),
            hosts: "[]".into(),
            key: "k1".into(),
            sealed: vec![7; 32 << 10],
            set_at: 1,
            set_by: "cli".into(),
        };
        let _ = set(&store, &entry("aurora", 0)).await?;
        let log = std::fs::metadata(folder.path().join("strowger.db-wal"))?.len();
        files_grow_to(Some(log + (64 << 10)));
        // Every connection finds no room, and several times, until the log begins anew.
        let mut refused = 0;
        for round in 0..4 {
            let mut tried = tokio::task::JoinSet::new();
            for number in 0..8 {
                let store = store.clone();
                let row = entry("lost", round * 8 + number);
                tried.spawn(async move { set(&store, &row).await.is_ok() });
            }
            let kept = tried.join_all().await;
            refused += kept.into_iter().filter(|kept| !kept).count();
        }
        assert!(refused > 0, "there was room for all");
        files_grow_to(None);
        for number in 0..8 {
            let _ = set(&store, &entry("kept", number)).await?;
        }
        // As another process sees it.
        let seen = Store::look(&place).await?.vault(Some("kept")).await?;
        assert_eq!(seen.len(), 8);
        Ok(())
    })
}
