//! What tenants' prompts take: in memory once for all of a tenant's revisions, on the disk a part for each tenant.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use strowger_tests::hall::{CHATS, PROMPT, hears};
use strowger_tests::projects::says;
use strowger_tests::{Hall, Talk};

/// Files of a revision, the same in all.
const SOUNDS: usize = 4;
/// Bytes of each, some 16 minutes.
const BYTES: usize = 8 << 20;
/// Revisions that chats hold.
const REVISIONS: usize = 6;
/// Most that the engine has more for the later ones, in bytes. Each has 64 MiB of ready sound, in both codecs.
const MOST: u64 = 128 << 20;

/// A flow that says which revision it is of, waits, and would play all of the sounds.
fn flow(revision: usize) -> String {
    let sounds: String = (0..SOUNDS)
        .map(|sound| format!("    - say: {{ en: {{ audio: sound{sound}.ulaw }} }}\n"))
        .collect();
    format!(
        "flow: greeting\nformat: 1\nlanguages: [en]\ndefaults: {{ max_duration: 2h }}\nsteps:\n  start:\n    - say: Revision {revision}.\n    \
         - wait: 10m\n{sounds}    - hangup: done\n"
    )
}

#[test]
fn load_sounds_that_many_revisions_have_are_in_memory_once() -> Result<()> {
    let hall = Hall::open_with(CHATS, &[("vega", "numbers = [\"7*\"]\n")])?;
    let project = says("vega", "*", "unused")?;
    for sound in 0..SOUNDS {
        let bytes: Vec<u8> = (0..BYTES).map(|at| (at % (200 + sound)) as u8).collect();
        std::fs::write(project.path().join(format!("sound{sound}.ulaw")), bytes)?;
    }
    let mut held = Vec::new();
    let mut after_two = 0;
    for revision in 0..REVISIONS {
        std::fs::write(project.path().join("greeting.flow.yaml"), flow(revision))?;
        hall.publish(&project)?;
        // It holds the revision.
        let mut talk = Talk::begin(hall.engine.http, "700", None)?;
        let words = format!("Revision {revision}.");
        talk.until("its words", |talk| talk.times(&words) == 1)?;
        held.push(talk);
        if revision == 1 {
            after_two = hall.engine.program.resident()?;
        }
    }
    let more = hall.engine.program.resident()?.saturating_sub(after_two);
    ensure!(more < MOST, "{} MiB more", more >> 20);
    Ok(())
}

/// How many sounds are kept below a folder.
fn sounds(folder: &Path) -> Result<usize> {
    let shelves = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let counts = shelves.map(|shelf| Ok(std::fs::read_dir(shelf?.path())?.count()));
    counts.sum()
}

#[test]
fn each_tenants_speech_has_a_place_of_its_own() -> Result<()> {
    let tenants = [
        ("aurora", "numbers = [\"1*\"]\n"),
        ("vega", "numbers = [\"7*\"]\n[limits]\nspeech_mb = 1\n"),
    ];
    let mut hall = Hall::open(&tenants)?;
    let aurora = says("aurora", "*", "Good evening.")?;
    let vega = says("vega", "*", "Good evening.")?;
    for (project, number) in [(&aurora, "100"), (&vega, "700")] {
        hall.publish(project)?;
        hears(&hall, project.path(), number, "Good evening.")?;
    }
    let prompts = hall.engine.data.join("prompts");
    let of = |tenant: &str| prompts.join("tenants").join(tenant);
    let both = (sounds(&of("aurora"))?, sounds(&of("vega"))?);
    assert_eq!(both, (1, 1), "{}", hall.engine.program.log());

    // One that says much keeps as much as it may, and takes nothing from its neighbour.
    let words = |number: usize| format!("Sentence {number}. {}", "And on it goes. ".repeat(20));
    let steps: String = (0..12)
        .map(|number| format!("    - say: \"{}\"\n", words(number).trim()))
        .collect();
    std::fs::write(
        vega.path().join("greeting.flow.yaml"),
        format!(
            "flow: greeting\nformat: 1\nlanguages: [en]\ndefaults: {{ max_duration: 1h }}\nsteps:\n  start:\n{steps}    - hangup: done\n"
        ),
    )?;
    hall.publish(&vega)?;
    let (kept, most) = (of("vega"), 1 << 20);
    let taken = || -> u64 {
        let shelves = std::fs::read_dir(&kept).into_iter().flatten().flatten();
        let files = shelves.flat_map(|shelf| std::fs::read_dir(shelf.path()));
        let sizes = files
            .flatten()
            .flatten()
            .filter_map(|file| file.metadata().ok());
        sizes.map(|file| file.len()).sum()
    };
    hall.engine
        .program
        .wait_until("much speech", PROMPT, || taken() > most / 2)?;
    hears(&hall, aurora.path(), "100", "Good evening.")?;
    assert_eq!(sounds(&of("aurora"))?, 1);
    // One that is being written is there before others make room for it.
    let one = 1 << 20;
    ensure!(taken() < most + one, "{} bytes", taken());

    // What nobody has any more goes with the next start.
    hall.engine.program.kill()?;
    std::fs::rename(of("vega"), of("gone"))?;
    hall.engine.restart()?;
    ensure!(!of("gone").exists(), "the speech of nobody");
    assert_eq!(sounds(&of("aurora"))?, 1);
    Ok(())
}
