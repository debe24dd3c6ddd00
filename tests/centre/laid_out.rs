//! The folders of revisions in the data folder: what somebody changes there is not what callers hear.

use std::collections::BTreeSet;
use std::fs::Permissions;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use strowger_tests::attack::{Attack, attacker};
use strowger_tests::hall::{CHATS, hears};
use strowger_tests::projects::{digest, says};
use strowger_tests::{Hall, http};

/// Longest time until an engine has stopped.
const STOPPED: Duration = Duration::from_secs(60);

/// The folder of the only revision.
fn folder(hall: &Hall) -> Result<PathBuf> {
    let entries = std::fs::read_dir(hall.engine.data.join("revisions"))?;
    let folders: Vec<PathBuf> = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    ensure!(folders.len() == 1, "{folders:?}");
    folders.into_iter().next().context("a folder")
}

/// Writes into a file that is read-only, as somebody who insists does.
fn edit(file: &Path, bytes: &[u8]) -> Result<()> {
    let mode = file.metadata()?.permissions().mode();
    ensure!(mode & 0o222 == 0, "{} may be written into", file.display());
    std::fs::set_permissions(file, Permissions::from_mode(0o600))?;
    std::fs::write(file, bytes)?;
    Ok(())
}

/// Every file below a folder.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in std::fs::read_dir(at)? {
            let entry = entry?;
            match entry.file_type()?.is_dir() {
                true => open.push(entry.path()),
                false => files.push(entry.path()),
            }
        }
    }
    Ok(files)
}

/// What files below a folder take of the disk: those that are one file count once.
fn on_disk(folder: &Path) -> Result<u64> {
    let mut seen = BTreeSet::new();
    let mut bytes = 0;
    for file in files(folder)? {
        let file = file.metadata()?;
        if seen.insert(file.ino()) {
            bytes += file.len();
        }
    }
    Ok(bytes)
}

#[test]
fn a_file_of_many_revisions_is_on_the_disk_once() -> Result<()> {
    const SOUND: u64 = 1 << 20;
    let mut hall = Hall::open(&[
        ("aurora", "numbers = [\"1*\"]\n"),
        ("vega", "numbers = [\"7*\"]\n"),
    ])?;
    let push = |hall: &Hall, tenant, words| -> Result<tempfile::TempDir> {
        let project = says(tenant, "*", words)?;
        let sound = vec![0x7f; SOUND as usize];
        std::fs::write(project.path().join("hold.ulaw"), sound)?;
        hall.publish(&project)?;
        Ok(project)
    };
    for words in ["One.", "Two.", "Three."] {
        push(&hall, "vega", words)?;
    }
    // Of another tenant too.
    let aurora = push(&hall, "aurora", "Four.")?;
    let data = hall.engine.data.clone();
    let revisions = data.join("revisions");
    let kept = files(&revisions)?;
    let sounds = kept.iter().filter(|file| file.ends_with("hold.ulaw"));
    ensure!(sounds.count() == 4, "{kept:?}");
    let taken = on_disk(&revisions)?;
    ensure!(taken < SOUND + SOUND / 4, "{taken} bytes");
    // What stands for all is one of each content, and nothing else.
    let contents = kept.iter().map(|file| Ok(digest(&std::fs::read(file)?)));
    let contents: BTreeSet<String> = contents.collect::<Result<_>>()?;
    let names = |folder: &Path| -> Result<BTreeSet<String>> {
        let names = files(folder)?.into_iter().filter_map(|file| {
            let name = file.file_name()?.to_string_lossy().into_owned();
            Some(name)
        });
        Ok(names.collect())
    };
    assert_eq!(names(&data.join("files"))?, contents);

    // A folder of an engine that copied each file is served as it is.
    hall.engine.program.terminate()?;
    hall.engine.program.wait(STOPPED)?;
    std::fs::remove_dir_all(data.join("files"))?;
    for file in &kept {
        let bytes = std::fs::read(file)?;
        std::fs::remove_file(file)?;
        std::fs::write(file, bytes)?;
    }
    hall.engine.restart()?;
    hears(&hall, aurora.path(), "100", "Four.")?;
    let vega = push(&hall, "vega", "Five.")?;
    hears(&hall, vega.path(), "700", "Five.")?;
    assert_eq!(hall.live("vega")?, Some(4));
    Ok(())
}

#[test]
fn what_is_changed_in_a_revisions_folder_is_laid_out_again_from_the_store() -> Result<()> {
    let rules = "numbers = [\"6*\"]\n[grants]\nkv = true\n";
    let mut hall = Hall::open_with(CHATS, &[("mallory", rules)])?;
    let get = Attack {
        number: "601",
        step: "guest-kv/get",
        with: "{ key: \"k\" }".to_owned(),
    };
    let project = attacker("mallory", "kv = true", &[get])?;
    hall.publish(&project)?;
    let before = hall.over(&hall.begin("601")?)?.reason;
    ensure!(before != "tampered", "{before}");
    let revision = folder(&hall)?;
    let component = "plugins/guest-kv.wasm";
    for (round, changed) in [
        ["attack601.flow.yaml", "more.flow.yaml"],
        [component, "routes.yaml"],
    ]
    .into_iter()
    .enumerate()
    {
        hall.engine.program.terminate()?;
        hall.engine.program.wait(STOPPED)?;
        if round == 0 {
            let flow = revision.join("attack601.flow.yaml");
            let text = std::fs::read_to_string(&flow)?;
            let other = text
                .replace("hangup: over", "hangup: tampered")
                .replace("hangup: failed", "hangup: tampered");
            ensure!(other != text, "{text}");
            edit(&flow, other.as_bytes())?;
            std::fs::write(
                revision.join("more.flow.yaml"),
                "flow: more\nformat: 1\nlanguages: [en]\nsteps:\n  start: { hangup: done }\n",
            )?;
        } else {
            let mut bytes = std::fs::read(revision.join(component))?;
            let last = bytes.last_mut().context("it has bytes")?;
            *last ^= 1;
            edit(&revision.join(component), &bytes)?;
            std::fs::remove_file(revision.join("routes.yaml"))?;
        }
        hall.engine.restart()?;
        assert_eq!(hall.over(&hall.begin("601")?)?.reason, before);
        for name in ["attack601.flow.yaml", component, "routes.yaml"] {
            let (there, pushed) = (revision.join(name), project.path().join(name));
            assert_eq!(std::fs::read(there)?, std::fs::read(pushed)?, "{name}");
        }
        ensure!(
            !revision.join("more.flow.yaml").exists(),
            "it was not pushed"
        );
        // Once in the log, with whose and which, and counted.
        let log = hall.engine.program.log();
        let told: Vec<&str> = log
            .lines()
            .filter(|line| line.contains("laid out again"))
            .collect();
        ensure!(told.len() == 1, "{log}");
        for word in ["mallory", "revision=1", changed[0], changed[1]] {
            ensure!(told[0].contains(word), "no `{word}` in {}", told[0]);
        }
        let metrics = http::get(hall.engine.http, "/metrics")?.body;
        let counted = "\nstrowger_revision_files_mended_total 2\n";
        ensure!(metrics.contains(counted), "{metrics}");
    }
    Ok(())
}
