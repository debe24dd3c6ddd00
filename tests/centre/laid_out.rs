//! The folders of revisions in the data folder: what somebody changes there is not what callers hear.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use strowger_tests::attack::{Attack, attacker};
use strowger_tests::hall::CHATS;
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
            std::fs::write(&flow, other)?;
            std::fs::write(
                revision.join("more.flow.yaml"),
                "flow: more\nformat: 1\nlanguages: [en]\nsteps:\n  start: { hangup: done }\n",
            )?;
        } else {
            let mut bytes = std::fs::read(revision.join(component))?;
            let last = bytes.last_mut().context("it has bytes")?;
            *last ^= 1;
            std::fs::write(revision.join(component), bytes)?;
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
