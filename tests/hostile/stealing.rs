//! What a plugin must never get hold of: another tenant's data, a card's number, another run's chance.

use anyhow::{Result, ensure};
use strowger_tests::Hall;
use strowger_tests::Talk;
use strowger_tests::program::{component, strowger};
use strowger_tests::projects::{flow, project};

/// A flow of one step, which may wait for a minute.
fn patient(name: &str, step: &str) -> String {
    flow(name, step, "done", &["timeout: 60s"])
}

#[test]
fn another_tenants_data() -> Result<()> {
    let hall = Hall::beside_a_victim("[grants]\nkv = true\n")?;
    let project = project(
        "mallory",
        &[("guest-burglar", component("guest-burglar")?)],
        "kv = true",
        &[("6600", "look", patient("look", "guest-burglar/look"))],
    )?;
    hall.publish(&project)?;
    // The victim's plugin of the same name keeps something.
    hall.neighbour()?;
    let mut talk = Talk::begin(hall.engine.http, "6600", None)?;
    assert_eq!(talk.ended()?, "unharmed");
    let journal = hall.journal(&talk.id)?;
    ensure!(journal.contains("\"found\""), "{journal}");
    ensure!(!journal.contains("treasure"), "{journal}");
    Ok(())
}

#[test]
fn the_number_of_a_card() -> Result<()> {
    const CARD: &str = "4111111111111111";
    let hall = Hall::beside_a_victim("[grants]\nkv = true\n")?;
    let project = project(
        "mallory",
        &[("guest-pickpocket", component("guest-pickpocket")?)],
        "kv = true",
        &[("6600", "steal", patient("steal", "guest-pickpocket/go"))],
    )?;
    hall.publish(&project)?;
    let mut talk = Talk::begin(hall.engine.http, "6600", None)?;
    talk.asked("Your card number, please.")?;
    talk.write(CARD)?;
    let reason = talk.ended()?;
    let journal = hall.journal(&talk.id)?;
    ensure!(reason == "unharmed", "{reason}: {journal}");
    // It went through all of it, and knows what it may: length, last four, whether it is a card.
    ensure!(
        journal.contains("\"seen\"") && journal.contains("1111"),
        "{journal}"
    );
    // Neither backwards nor in parts longer than the last four, in all that is kept or shown.
    let part = &CARD[..12];
    let spaced: String = part.chars().flat_map(|digit| [digit, ' ']).collect();
    let shown = serde_json::to_string(&talk.shown)?;
    let log = hall.engine.program.log();
    for (place, text) in [
        ("journal", &journal),
        ("what is shown", &shown),
        ("log", &log),
    ] {
        ensure!(!text.contains(part), "{place}: {text}");
        ensure!(!text.contains(spaced.trim()), "{place}: {text}");
    }
    for file in ["strowger.db", "strowger.db-wal"] {
        let bytes = std::fs::read(hall.engine.data.join(file)).unwrap_or_default();
        let found = bytes
            .windows(part.len())
            .any(|window| window == part.as_bytes());
        ensure!(!found, "{file} has the card's number");
    }
    Ok(())
}

#[test]
fn a_run_that_differs_from_the_one_before() -> Result<()> {
    let hall = Hall::beside_a_victim("")?;
    let project = project(
        "mallory",
        &[("guest-dice", component("guest-dice")?)],
        "",
        &[("6600", "dice", patient("dice", "guest-dice/go"))],
    )?;
    hall.publish(&project)?;
    let mut sums = Vec::new();
    for _ in 0..4 {
        let mut talk = Talk::begin(hall.engine.http, "6600", None)?;
        assert_eq!(talk.ended()?, "unharmed");
        let journal = hall.journal(&talk.id)?;
        let file = hall.engine.data.join("contact.jsonl");
        std::fs::write(&file, &journal)?;
        // The same component, another process: what it says is what it said.
        let (code, out, err) = strowger(&[
            "replay",
            &file.display().to_string(),
            "--on",
            &project.path().display().to_string(),
        ])?;
        ensure!(code == 0, "{out}{err}\n{journal}");
        let sum = journal
            .split("\"sum\":\"")
            .nth(1)
            .map(|rest| rest[..16].to_owned());
        ensure!(sum.is_some(), "{journal}");
        sums.push(sum);
    }
    sums.sort();
    sums.dedup();
    ensure!(
        sums.len() == 4,
        "chance is another one in each contact: {sums:?}"
    );
    Ok(())
}
