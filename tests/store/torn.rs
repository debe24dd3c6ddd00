//! What a loss of power, or a disk that forgets, leaves of journals: all that was acknowledged, or a word that says from where on
//! it is lost.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use strowger_contact::{Entry, EntryKind};
use strowger_server::store::{Place, Record, Writer};
use strowger_tests::Moments;
use strowger_tests::torn::Log;
use tempfile::TempDir;

use crate::world::{began, has_keys, key, open, run};

/// Commits that are acknowledged, each with an entry of the contact `a`.
const COMMITS: u32 = 12;

/// A data folder as it is on the disk after so many commits, with the engine gone at once.
async fn cut_off() -> Result<TempDir> {
    let (lives, cut) = (TempDir::new()?, TempDir::new()?);
    let store = open(&Place::file(lives.path())).await?;
    let (writer, written) = Writer::start(store.clone());
    writer.write(began("a", "call-a")).await;
    for seq in 0..COMMITS {
        writer.write(key("a", seq)).await;
        writer.flush().await.map_err(anyhow::Error::msg)?;
    }
    for name in ["strowger.db", "strowger.db-wal"] {
        std::fs::copy(lives.path().join(name), cut.path().join(name))?;
    }
    drop(writer);
    written.await?;
    store.close().await;
    Ok(cut)
}

/// How many entries of `a` are there: without a hole, and with none that is half.
async fn entries(folder: &Path) -> Result<u32> {
    let store = open(&Place::file(folder)).await?;
    let journal = store.journal("a").await?;
    store.close().await;
    ensure!(journal.torn.is_none(), "{:?}", journal.torn);
    let count = u32::try_from(journal.entries.len())?;
    ensure!(journal.entries.iter().map(|entry| entry.seq).eq(0..count));
    Ok(count)
}

#[test]
fn what_was_acknowledged_is_there_whatever_was_being_written() -> Result<()> {
    run(async {
        let whole = cut_off().await?;
        let mut moments = Moments::of(0x5eed_0003);
        for _ in 0..60 {
            let folder = copy_of(whole.path())?;
            let log = Log::read(folder.path())?.context("a log")?;
            log.tear(&mut moments)?;
            ensure!(entries(folder.path()).await? == COMMITS);
        }
        Ok(())
    })
}

#[test]
fn a_log_that_lost_or_changed_bytes_anywhere_gives_whole_commits_alone() -> Result<()> {
    run(async {
        let whole = cut_off().await?;
        let log = Log::read(whole.path())?.context("a log")?;
        ensure!(
            log.commits().len() > COMMITS as usize,
            "{:?}",
            log.commits()
        );
        let end = *log.commits().last().context("commits")?;
        let mut moments = Moments::of(0x5eed_0004);
        for flipped in [false, true] {
            for _ in 0..40 {
                let folder = copy_of(whole.path())?;
                let at = moments.next(end as u64) as usize;
                let mut bytes = log.bytes().to_vec();
                match flipped {
                    true => bytes[at] ^= 1 << moments.next(8),
                    false => bytes.truncate(at),
                }
                std::fs::write(folder.path().join("strowger.db-wal"), bytes)?;
                // Commits before that place are there. Of those that made the tables some may be gone, and are made anew.
                let before = log.commits().iter().filter(|commit| **commit <= at);
                let before = u32::try_from(before.count())?;
                let lost = u32::try_from(log.commits().len())? - before;
                let left = entries(folder.path()).await?;
                ensure!(
                    left == COMMITS.saturating_sub(lost),
                    "{left} entries, {lost} commits lost at byte {at}, flipped: {flipped}"
                );
            }
        }
        Ok(())
    })
}

fn copy_of(folder: &Path) -> Result<TempDir> {
    let copy = TempDir::new()?;
    for name in ["strowger.db", "strowger.db-wal"] {
        std::fs::copy(folder.join(name), copy.path().join(name))?;
    }
    Ok(copy)
}

#[test]
fn a_frame_that_is_torn_or_changed_is_told_and_the_journal_goes_on_before_it() -> Result<()> {
    let runtime = tokio::runtime::Runtime::new()?;
    let folder = TempDir::new()?;
    let store = runtime.block_on(async {
        let store = open(&Place::file(folder.path())).await?;
        let (writer, written) = Writer::start(store.clone());
        writer.write(began("a", "call-a")).await;
        for seq in 0..COMMITS {
            writer.write(key("a", seq)).await;
            writer.flush().await.map_err(anyhow::Error::msg)?;
        }
        drop(writer);
        written.await?;
        Ok::<_, anyhow::Error>(store)
    })?;
    let last = i64::from(COMMITS - 1);
    let frame: Vec<u8> = runtime.block_on(frame(folder.path(), None))?;
    let mut runner = TestRunner::new(Config {
        cases: 200,
        failure_persistence: None,
        ..Config::default()
    });
    let damage = (any::<prop::sample::Index>(), prop::option::of(0..8_u32));
    let tested = runner.run(&damage, |(index, flip)| {
        let at = index.index(frame.len());
        let mut damaged = frame.clone();
        match flip {
            Some(bit) => damaged[at] ^= 1 << bit,
            None => damaged.truncate(at),
        }
        let checked = runtime.block_on(async {
            self::frame(folder.path(), Some(&damaged)).await?;
            let journal = store.journal("a").await?;
            match journal.torn {
                // A frame's header has a bit that means nothing (RFC 8878 §3.1.1.1.1.3).
                None => ensure!(flip.is_some() && journal.entries.len() == COMMITS as usize),
                Some(torn) => {
                    ensure!(i64::from(torn.seq) == last, "{torn:?}");
                    // A form that this program does not know is taken for a newer program's, which is left as it is.
                    let newer = damaged.first().is_some_and(|form| *form > 1);
                    ensure!(torn.newer == newer, "{torn:?}");
                    ensure!(!torn.why.is_empty() && torn.hole().is_some() == newer);
                    ensure!(journal.entries.len() as i64 == last);
                }
            }
            Ok(())
        });
        checked.map_err(|error: anyhow::Error| TestCaseError::fail(format!("{error:#}")))
    });
    tested.map_err(|error| anyhow::anyhow!("{error}"))?;
    // It goes on where it broke, without a hole.
    runtime.block_on(async {
        self::frame(folder.path(), Some(&frame[..frame.len() - 1])).await?;
        store.cut_journal("a", COMMITS - 1).await?;
        let (writer, written) = Writer::start(store.clone());
        writer.write(key("a", COMMITS - 1)).await;
        let hung_up = Entry {
            seq: COMMITS,
            at: 99,
            kind: EntryKind::HungUp,
        };
        writer
            .write(Record::Entries("a".into(), vec![hung_up]))
            .await;
        drop(writer);
        written.await?;
        ensure!(has_keys(&store, "a", COMMITS + 1).await?);
        // What lacks before others is no end that is broken off.
        remove(folder.path(), 2).await?;
        let journal = store.journal("a").await?;
        ensure!(journal.entries.len() == 2);
        let torn = journal.torn.context("it is told")?;
        // The last two entries may share a commit.
        let behind = COMMITS as usize - 3..=COMMITS as usize - 2;
        ensure!(behind.contains(&torn.behind), "{torn:?}");
        let hole = torn.hole().context("a hole")?;
        ensure!(hole.starts_with("entry 2 cannot be read"), "{hole}");
        store.close().await;
        Ok(())
    })
}

/// Removes the frame that begins with an entry, beside the store.
async fn remove(folder: &Path, seq: i64) -> Result<()> {
    use sqlx::Connection;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.join("strowger.db"));
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await?;
    let done = sqlx::query("DELETE FROM frames WHERE seq = $1")
        .bind(seq)
        .execute(&mut connection)
        .await?;
    ensure!(done.rows_affected() == 1);
    connection.close().await?;
    Ok(())
}

/// The last frame of the journal, beside the store; changed first, where that is said.
async fn frame(folder: &Path, changed: Option<&[u8]>) -> Result<Vec<u8>> {
    use sqlx::Connection;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(folder.join("strowger.db"));
    let mut connection = sqlx::SqliteConnection::connect_with(&options).await?;
    if let Some(changed) = changed {
        let done = sqlx::query("UPDATE frames SET body = $1 WHERE seq = $2")
            .bind(changed)
            .bind(i64::from(COMMITS - 1))
            .execute(&mut connection)
            .await?;
        ensure!(done.rows_affected() == 1);
    }
    let body = sqlx::query_scalar("SELECT body FROM frames ORDER BY seq DESC LIMIT 1")
        .fetch_one(&mut connection)
        .await?;
    connection.close().await?;
    Ok(body)
}
