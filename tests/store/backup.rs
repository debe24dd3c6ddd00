//! Backups: made of either database, restored into either.

use std::path::Path;

use anyhow::{Context, Result};
use strowger_server::store::backup::{BackupError, backup, restore};
use strowger_server::store::{KvLimits, Place, Record, Space, Store, VaultRow, Writer};
use strowger_tests::Postgres;
use tempfile::TempDir;

use crate::access::{change, token, user};
use crate::world::{Database, began, ended, ended_at, has_keys, key, open, run};

const SPACE: Space = Space {
    tenant: "aurora",
    plugin: "orders",
    limits: &KvLimits::DEFAULT,
};

/// A store in use: a contact that is over and recorded, one that is not over, a journal in pieces, a key.
async fn filled(place: &Place, data: &Path) -> Result<(Store, Writer)> {
    let store = open(place).await?;
    let (writer, _) = Writer::start(store.clone());
    for id in ["over", "open"] {
        writer.write(began(id, id)).await;
        for seq in 0..100 {
            writer.write(key(id, seq)).await;
            if seq % 10 == 0 {
                writer.flush().await.map_err(anyhow::Error::msg)?;
            }
        }
    }
    let recordings = data.join("recordings");
    std::fs::create_dir_all(&recordings)?;
    let file = recordings.join("over.wav");
    std::fs::write(&file, b"sound")?;
    std::fs::write(recordings.join("over-3.wav"), b"a message")?;
    let path = Some(file.display().to_string());
    let id = "over".to_owned();
    writer.write(Record::Recorded { id, path }).await;
    writer.write(ended_at("over", 9)).await;
    writer.flush().await.map_err(anyhow::Error::msg)?;
    store
        .kv_set(SPACE, "k", b"\x00\xff", Some(1 << 50), 1)
        .await?;
    let _ = store
        .make_token(&token("t1", "*"), &change("t1", None))
        .await?;
    let _ = store
        .make_token(&token("t2", "*"), &change("t2", None))
        .await?;
    let revoked = store.revoke_token("t2", &change("t2", None)).await?;
    assert!(revoked.is_some());
    let _ = store
        .set_user(&user("rosa"), None, &change("rosa", None))
        .await?;
    let _ = store
        .make_session(b"cookie", "rosa", 1 << 50, &change("rosa", None))
        .await?;
    crate::published::push(
        &store,
        "aurora",
        &[crate::published::version("1.0.0", "one")],
    )
    .await?;
    let _ = store
        .release(
            "aurora",
            0,
            &crate::published::release(1),
            &change("aurora/1", None),
        )
        .await?;
    let _ = crate::cases::set(&store, &entry()).await?;
    Ok((store, writer))
}

/// Something sealed.
fn entry() -> VaultRow {
    VaultRow {
        tenant: "aurora".into(),
        name: "orders".into(),
        hosts: "[\"a.example:443\"]".into(),
        key: "k1".into(),
        sealed: b"sealed \x00\xff".into(),
        set_at: 1,
        set_by: "cli".into(),
    }
}

/// Whether a restored store has all that was in the first one.
async fn is_whole(place: &Place, data: &Path) -> Result<()> {
    let store = open(place).await?;
    assert_eq!(
        ended(&store).await?,
        [("open".to_owned(), None), ("over".to_owned(), Some(9))]
    );
    assert!(has_keys(&store, "over", 100).await? && has_keys(&store, "open", 100).await?);
    assert_eq!(
        store.kv_get(SPACE, "k", 1).await?.as_deref(),
        Some(&b"\x00\xff"[..])
    );
    let live = store.released("aurora").await?.context("a release")?.live;
    let revision = store
        .revision("aurora", live)
        .await?
        .context("a revision")?;
    for sha256 in revision.manifest.files.values() {
        assert!(store.blob(sha256).await?.is_some(), "{sha256}");
    }
    let sealed = store.vault_entry("aurora", "orders").await?;
    assert_eq!(sealed.context("an entry")?.sealed, entry().sealed);
    let versions = store.plugin_versions("aurora", None, None, 10).await?;
    assert_eq!(versions.len(), 1);
    let over = store.contact("over").await?.context("it is there")?;
    let recording = data.join("recordings").join("over.wav");
    assert_eq!(over.recording, Some(recording.display().to_string()));
    assert_eq!(std::fs::read(&recording)?, b"sound");
    assert_eq!(
        std::fs::read(data.join("recordings/over-3.wav"))?,
        b"a message"
    );
    let record = store.record("over").await?.context("its record too")?;
    assert_eq!((record.ended_at, record.recording), (9, over.recording));
    // Who may come in may still, and who may not, not; sessions are over.
    let kept = store.token("t1").await?.context("it is there")?;
    assert_eq!(
        (kept.hash.as_slice(), kept.role.as_str()),
        (&b"t1"[..], "owner")
    );
    assert!(store.token("t2").await?.is_none());
    assert_eq!(
        store.user("rosa").await?.context("she is there")?.password,
        "$argon2id$"
    );
    assert!(store.session(b"cookie", 1).await?.is_none());
    assert_eq!(store.audit_log(None, None, 10).await?.len(), 8);
    // It belongs to the engine that starts here now.
    assert_eq!(store.close_orphans(11).await?, 1);
    store.close().await;
    Ok(())
}

#[test]
fn all_is_there_again_whichever_database_it_came_from_and_went_to() -> Result<()> {
    let server = Postgres::start()?;
    server.create("target_of_file")?;
    server.create("target_of_server")?;
    for from in ["file", "server"] {
        let folder = TempDir::new()?;
        let data = folder.path().join("data");
        let database = match from {
            "file" => Database::file(&data),
            _ => Database::server(&server, "source", &data)?,
        };
        let target = folder.path().join("backups/monday");
        run(async {
            // The writer lives on: a backup does not want the engine to stop.
            let (_store, writer) = filled(&database.place, &data).await?;
            let made = backup(&database.place, &data, &target).await?;
            assert_eq!(
                (made.contacts, made.keys, made.recordings),
                (2, 1, 2),
                "{from}"
            );
            writer.write(key("open", 100)).await;
            writer.flush().await.map_err(anyhow::Error::msg)?;
            let mut files: Vec<_> = std::fs::read_dir(&target)?
                .map(|file| Ok(file?.file_name()))
                .collect::<Result<_>>()?;
            files.sort();
            assert_eq!(files, ["backup.json", "recordings", "strowger.db"]);
            let again = backup(&database.place, &data, &target).await;
            assert!(matches!(again, Err(BackupError::Taken { .. })), "{again:?}");

            let (one, other) = (folder.path().join("one"), folder.path().join("other"));
            let place = Place::file(&one);
            std::fs::create_dir(&one)?;
            assert_eq!(restore(&place, &one, &target).await?, made);
            is_whole(&place, &one)
                .await
                .with_context(|| format!("{from} to file"))?;
            let again = restore(&place, &one, &target).await;
            assert!(
                matches!(again, Err(BackupError::NotEmpty { .. })),
                "{again:?}"
            );

            let place = server.place(&format!("target_of_{from}"), &other)?;
            assert_eq!(restore(&place, &other, &target).await?, made);
            is_whole(&place, &other)
                .await
                .with_context(|| format!("{from} to server"))?;
            std::fs::remove_dir_all(other.join("recordings"))?;
            let again = restore(&place, &other, &target).await;
            assert!(
                matches!(again, Err(BackupError::NotEmpty { .. })),
                "{again:?}"
            );
            assert!(
                !other.join("recordings").exists(),
                "nothing is left of what was refused"
            );
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn what_is_no_whole_backup_is_refused_and_leaves_nothing() -> Result<()> {
    let folder = TempDir::new()?;
    let (data, new) = (folder.path().join("data"), folder.path().join("new"));
    let target = folder.path().join("backup");
    std::fs::create_dir(&new)?;
    run(async {
        let missing = backup(&Place::file(&data), &data, &target).await;
        assert!(matches!(missing, Err(BackupError::Store(_))), "{missing:?}");
        assert!(!target.exists());
        filled(&Place::file(&data), &data).await?;
        backup(&Place::file(&data), &data, &target).await?;
        let spoil = async |file: &str, text: Option<&[u8]>, words: &str| -> Result<()> {
            let path = target.join(file);
            let before = std::fs::read(&path)?;
            match text {
                Some(text) => std::fs::write(&path, text)?,
                None => std::fs::remove_file(&path)?,
            }
            let refused = restore(&Place::file(&new), &new, &target).await;
            let told = refused.err().context("it is refused")?.to_string();
            assert!(told.contains(words), "no `{words}` in {told}");
            assert!(
                std::fs::read_dir(&new)?.next().is_none(),
                "{file}: nothing is left"
            );
            Ok(std::fs::write(&path, before)?)
        };
        spoil("backup.json", None, "is no backup").await?;
        spoil("backup.json", Some(b"{"), "cannot be read").await?;
        spoil("strowger.db", None, "is not whole").await?;
        spoil("strowger.db", Some(b"SQLite"), "is not whole").await?;
        spoil("recordings/over.wav", None, "recordings").await?;
        spoil("recordings/over.wav", Some(b"soun"), "recordings").await?;
        // As large as it was, and another sound.
        let words = "recordings/over.wav is not as it was made";
        spoil("recordings/over.wav", Some(b"sOund"), words).await?;
        let more = target.join("recordings/more.wav");
        std::fs::write(&more, b"")?;
        let refused = restore(&Place::file(&new), &new, &target).await;
        let told = refused.err().context("it is refused")?.to_string();
        assert!(told.contains("recordings/more.wav was not there"), "{told}");
        assert!(std::fs::read_dir(&new)?.next().is_none(), "nothing is left");
        std::fs::remove_file(&more)?;
        let manifest = std::fs::read_to_string(target.join("backup.json"))?;
        let newer = manifest.replace("\"format\": 1", "\"format\": 2");
        spoil("backup.json", Some(newer.as_bytes()), "form 2").await?;
        let mut named: serde_json::Value = serde_json::from_str(&manifest)?;
        named["files"]["gone.wav"] = "00".into();
        spoil(
            "backup.json",
            Some(named.to_string().as_bytes()),
            "it has no recordings/gone.wav",
        )
        .await?;
        restore(&Place::file(&new), &new, &target).await?;
        Ok(())
    })
}

#[test]
fn a_backup_of_a_program_that_kept_no_checksums_of_recordings_is_restored_as_it_was() -> Result<()>
{
    let folder = TempDir::new()?;
    let (data, new) = (folder.path().join("data"), folder.path().join("new"));
    let target = folder.path().join("backup");
    std::fs::create_dir(&new)?;
    run(async {
        filled(&Place::file(&data), &data).await?;
        let made = backup(&Place::file(&data), &data, &target).await?;
        assert!(made.has_checksums());
        let file = target.join("backup.json");
        let mut older: serde_json::Value = serde_json::from_slice(&std::fs::read(&file)?)?;
        let files = older.as_object_mut().context("an object")?.remove("files");
        assert_eq!(
            files
                .context("its files")?
                .as_object()
                .map(|files| files.len()),
            Some(2)
        );
        std::fs::write(&file, older.to_string())?;
        // Their number and size are all that is known.
        let sound = target.join("recordings/over.wav");
        std::fs::write(&sound, b"soun")?;
        let refused = restore(&Place::file(&new), &new, &target).await;
        let told = refused.err().context("it is refused")?.to_string();
        assert!(told.contains("not as many or as large"), "{told}");
        assert!(std::fs::read_dir(&new)?.next().is_none(), "nothing is left");
        std::fs::write(&sound, b"sound")?;
        let restored = restore(&Place::file(&new), &new, &target).await?;
        assert!(!restored.has_checksums());
        is_whole(&Place::file(&new), &new).await
    })
}
