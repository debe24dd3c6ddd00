//! What a step was told, which is kept to bring its instance back: it is on the memory of its tenant.

use anyhow::{Result, ensure};
use strowger_tests::hall::CHATS;
use strowger_tests::program::{component, copy_project};
use strowger_tests::projects::{flow, project};
use strowger_tests::{Engine, Hall, Talk, http};

/// A step that is told so often what it keeps, fills so many bytes, and waits.
fn hoards(name: &str, times: u32, bytes: u32) -> String {
    let with = format!("with: {{ times: {times}, bytes: {bytes} }}");
    flow(name, "guest-hoarder/go", "done", &[&with, "timeout: 30m"])
}

fn listens(talk: &mut Talk) -> Result<()> {
    talk.until("listening", |talk| {
        talk.over || talk.shown.iter().any(|event| event["kind"] == "listening")
    })?;
    ensure!(!talk.over, "it ended: {:?}", talk.shown);
    Ok(())
}

#[test]
fn a_chat_that_was_told_more_than_its_tenant_may_hold_is_not_built_again() -> Result<()> {
    // One step may be told more than usual, so that a single chat is more than the least memory of a tenant.
    let rules = |memory: u32| {
        format!(
            "[grants]\nkv = true\n[limits]\nmemory_mib = {memory}\njournal_mb_per_contact = 64\n[limits.step]\ncpu_ms = 10000\nbusy_ms = 600000\n\
             journal_bytes = 67108864\n[limits.kv]\noperations_per_second = 100000\n"
        )
    };
    let mut hall = Hall::beside_a_victim(&rules(64))?;
    let plugins = [("guest-hoarder", component("guest-hoarder")?)];
    let flows = [
        ("6600", "much", hoards("much", 240, 0)),
        ("6601", "little", hoards("little", 12, 0)),
    ];
    hall.publish(&project("mallory", &plugins, "kv = true", &flows)?)?;
    let mut talks = Vec::new();
    for number in ["6600", "6600", "6601"] {
        let mut talk = Talk::begin(hall.engine.http, number, None)?;
        listens(&mut talk)?;
        talks.push(talk);
    }
    let [mut first, mut second, mut little] =
        <[Talk; 3]>::try_from(talks).map_err(|_| anyhow::anyhow!("three"))?;
    let again = |hall: &mut Hall, memory: u32| -> Result<()> {
        hall.engine.program.kill()?;
        hall.rule("mallory", &format!("numbers = [\"6*\"]\n{}", rules(memory)))?;
        hall.engine.restart()
    };
    // Where there is room it goes on after a crash.
    again(&mut hall, 64)?;
    first.write("hello")?;
    assert_eq!(first.ended()?, "unharmed");
    again(&mut hall, 16)?;
    second.write("hello")?;
    assert_eq!(second.ended()?, "survived");
    let journal = hall.journal(&second.id)?;
    ensure!(
        journal.contains("step-memory-limit") && journal.contains("limits.memory_mib"),
        "{}",
        &journal[journal.len().saturating_sub(2_000)..]
    );
    // What it would have held is held by nobody.
    little.write("hello")?;
    assert_eq!(little.ended()?, "unharmed");
    hall.neighbour()
}

#[test]
fn a_project_alone_has_a_bound_on_its_memory_too() -> Result<()> {
    let plugins = [("guest-hoarder", component("guest-hoarder")?)];
    // Each was told too much to be dropped while it waits.
    let flows = [("660", "much", hoards("much", 4, 3_000_000))];
    let served = |memory: &str| {
        let project = project("alone", &plugins, "kv = true", &flows)?;
        Engine::serve(|folder| {
            let rules = format!("{CHATS}{memory}\n[limits.kv]\noperations_per_second = 100000\n");
            let toml = project.path().join("strowger.toml");
            let text = std::fs::read_to_string(&toml)?;
            std::fs::write(&toml, format!("{text}{rules}"))?;
            copy_project(project.path(), folder)
        })
    };
    let waiting = |engine: &Engine| -> Result<(usize, String)> {
        let (mut waiting, mut refused) = (0, String::new());
        for _ in 0..8 {
            let mut talk = Talk::begin(engine.http, "660", None)?;
            match listens(&mut talk) {
                Ok(()) => waiting += 1,
                Err(_) => {
                    let journal = format!("/v1/contacts/{}/journal", talk.id);
                    refused = http::get(engine.http, &journal)?.body;
                }
            }
        }
        Ok((waiting, refused))
    };
    let (all, _) = waiting(&served("")?)?;
    assert_eq!(all, 8);
    let (some, refused) = waiting(&served("[limits]\nmemory_mib = 16\n")?)?;
    ensure!((1..8).contains(&some), "{some} wait");
    ensure!(refused.contains("step-memory-limit"), "{refused}");
    Ok(())
}
