//! A database as the first program wrote it, before journals were frames: it opens, and its contacts go on in frames.

use std::path::Path;

use anyhow::{Context, Result};
use strowger_contact::{Entry, EntryKind};
use strowger_server::store::{ContactFilter, Place, Record, Store, Writer};
use strowger_tests::program::repository;
use tempfile::TempDir;

use crate::world::{open, run};

/// A call that was over, with its entries, and one that was up when the engine was killed.
const OVER: (&str, usize) = ("1a22384b641-3c347807d4f6a7ee", 64);
const OPEN: &str = "1a22385a0a1-0b5eef67e8af0a33";

fn older(folder: &Path) -> Result<Place> {
    let database = repository().join("tests/store/older/strowger.db");
    std::fs::copy(database, folder.join("strowger.db"))?;
    Ok(Place::file(folder))
}

#[test]
fn a_database_of_the_first_program_is_read_without_being_changed() -> Result<()> {
    let folder = TempDir::new()?;
    let place = older(folder.path())?;
    run(async {
        let store = Store::look(&place).await?;
        let journal = store.journal(OVER.0).await?;
        assert_eq!((journal.entries.len(), journal.torn), (OVER.1, None));
        store.close().await;
        Ok(())
    })?;
    let bytes = |path: &Path| std::fs::read(path).context("a database");
    let shipped = repository().join("tests/store/older/strowger.db");
    assert!(bytes(&folder.path().join("strowger.db"))? == bytes(&shipped)?);
    Ok(())
}

#[test]
fn a_database_of_the_first_program_goes_on_in_frames() -> Result<()> {
    let folder = TempDir::new()?;
    let place = older(folder.path())?;
    run(async {
        let store = open(&place).await?;
        let contacts = store.contacts(&ContactFilter::default()).await?;
        assert_eq!(contacts.len(), 3);
        let before = store.journal(OPEN).await?;
        assert!(!before.entries.is_empty());
        let seq = u32::try_from(before.entries.len())?;
        let entry = Entry {
            seq,
            at: 1,
            kind: EntryKind::HungUp,
        };
        let (writer, written) = Writer::start(store.clone());
        writer
            .write(Record::Entries(OPEN.to_owned(), vec![entry.clone()]))
            .await;
        drop(writer);
        written.await?;
        let after = store.journal(OPEN).await?;
        assert_eq!(after.entries.last(), Some(&entry));
        assert!(after.entries.iter().map(|entry| entry.seq).eq(0..=seq));
        assert_eq!(store.close_orphans(7).await?, 1);
        assert_eq!(store.journal(OVER.0).await?.entries.len(), OVER.1);
        store.close().await;
        Ok(())
    })
}
