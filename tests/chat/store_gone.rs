//! Chats while their store is gone: they stand still, and what is answered then is true afterwards.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, ensure};
use strowger_contact::EntryKind;
use strowger_tests::program::strowger;
use strowger_tests::{Postgres, Talk, http};

use crate::world::{BOOKED, FLOW, OFFER, QUESTION, World};

/// Longest time until a store that is back is noticed.
const BACK: Duration = Duration::from_secs(60);

/// The flow, with a request that may take a second and a store that nothing waits for: whatever went on while the store is
/// gone would end badly at once.
fn hurried() -> String {
    let flow = FLOW.replace("timeout: 20s", "timeout: 1s");
    assert_ne!(flow, FLOW);
    flow
}

/// A chat that was asked whether to book.
fn offered(world: &World) -> Result<Talk> {
    let mut talk = world.begin()?;
    talk.asked(QUESTION)?;
    talk.write("13800138000")?;
    talk.asked(OFFER)?;
    Ok(talk)
}

/// The texts that the journal has.
fn written(world: &World, talk: &Talk) -> Result<Vec<String>> {
    let journal = world.journal(&talk.id)?.into_iter();
    let texts = journal.filter_map(|entry| match entry.kind {
        EntryKind::Wrote { text, .. } => Some(text),
        _ => None,
    });
    Ok(texts.collect())
}

/// The message is refused, in words that hold whatever becomes of it.
fn refused(talk: &Talk, name: &str) -> Result<()> {
    let answer = talk.post(name, "1")?;
    ensure!(answer.status == 503, "{} {}", answer.status, answer.body);
    for words in [
        "it is not saved; send it again",
        "the same client_id: that is taken once",
    ] {
        ensure!(answer.body.contains(words), "{}", answer.body);
    }
    // The words of a database are the operator's.
    for inner in ["database", "disk", "sqlite", "connection", "postgres"] {
        ensure!(
            !answer.body.to_lowercase().contains(inner),
            "{}",
            answer.body
        );
    }
    Ok(())
}

/// Nothing comes for longer than the flow's request may take, nor is it over.
fn stands_still(talk: &mut Talk) -> Result<()> {
    for _ in 0..3 {
        ensure!(!talk.look(1)? && !talk.over, "{:?}", talk.shown);
    }
    Ok(())
}

fn until_back(world: &mut World) -> Result<()> {
    let at = world.engine.http;
    world.engine.program.wait_until("the store", BACK, || {
        http::get(at, "/metrics").is_ok_and(|metrics| metrics.body.contains("strowger_store_up 1"))
    })
}

/// It has booked once, with nothing said or taken twice, and a replay sees the same.
fn booked(mut world: World, talk: &mut Talk) -> Result<()> {
    ensure!(
        talk.ended()? == "booked",
        "{:?}{}",
        talk.shown,
        world.engine.program.log()
    );
    for text in [QUESTION, OFFER, BOOKED] {
        ensure!(talk.times(text) == 1, "{text}: {:?}", talk.shown);
    }
    ensure!(written(&world, talk)? == ["13800138000", "1"]);
    ensure!(world.bookings()? == 1);
    ensure!(world.engine.metric("store_lost_total")? == 0);
    let file = world.engine.data.with_file_name("journal.jsonl");
    let lines: Result<Vec<String>, _> = world
        .journal(&talk.id)?
        .iter()
        .map(serde_json::to_string)
        .collect();
    std::fs::write(&file, lines?.join("\n") + "\n")?;
    world.engine.program.terminate()?;
    world.engine.program.wait(Duration::from_secs(40))?;
    let (project, data) = (&world.engine.project, &world.engine.data);
    let (project, data) = (project.display().to_string(), data.display().to_string());
    let file = file.display().to_string();
    let (code, out, errors) = strowger(&["replay", &file, "--project", &project, "--data", &data])?;
    ensure!(code == 0, "{out}{errors}");
    Ok(())
}

/// Where the store is gone before a message comes, the message is not taken: when the store is back nothing has become of it,
/// until it is sent again.
fn not_taken(
    mut world: World,
    mut gone: impl FnMut() -> Result<()>,
    mut back: impl FnMut() -> Result<()>,
) -> Result<()> {
    let mut talk = offered(&world)?;
    gone()?;
    refused(&talk, "sure")?;
    stands_still(&mut talk)?;
    refused(&talk, "sure")?;
    back()?;
    until_back(&mut world)?;
    ensure!(written(&world, &talk)? == ["13800138000"]);
    ensure!(world.bookings()? == 0 && !talk.over);
    let log = world.engine.program.log();
    for words in ["waits for its journal", "not begun", "not saved"] {
        ensure!(!log.contains(words), "{log}");
    }
    let taken = talk.post("sure", "1")?;
    ensure!(taken.status == 202, "{} {}", taken.status, taken.body);
    booked(world, &mut talk)
}

#[test]
fn a_message_that_is_refused_while_postgresql_is_gone_is_not_taken() -> Result<()> {
    let server = Postgres::start()?;
    server.create("chats")?;
    let store = format!("[store]\nurl = \"{}\"\nwait_s = 0", server.url("chats"));
    let world = World::on(&hurried(), 0, &store)?;
    let server = std::cell::RefCell::new(server);
    not_taken(
        world,
        || server.borrow_mut().stop(),
        || server.borrow_mut().resume(),
    )
}

#[test]
fn a_message_that_is_refused_while_the_file_is_gone_is_not_taken() -> Result<()> {
    // Its chat is on the disk alone, and is looked for there when a message comes.
    let settings = "[store]\nwait_s = 0\n[steps]\ndrop_waiting_after_ms = 1";
    let world = World::on(&hurried(), 0, settings)?;
    let file = world.engine.data.join("strowger.db");
    let aside: PathBuf = world.engine.data.join("aside.db");
    not_taken(
        world,
        || Ok(std::fs::rename(&file, &aside)?),
        || Ok(std::fs::rename(&aside, &file)?),
    )
}

/// Where the store goes as a message is written down, the message was taken: it is saved when the store is back, the chat goes
/// on from it, and whoever sends it again, even after the end, hears that.
#[test]
fn a_message_that_was_taken_as_the_store_went_is_saved_once_and_goes_on_then() -> Result<()> {
    let server = Postgres::start()?;
    server.create("chats")?;
    let store = format!("[store]\nurl = \"{}\"\nwait_s = 0", server.url("chats"));
    let mut world = World::on(&hurried(), 0, &store)?;
    let mut talk = offered(&world)?;
    // The server answers, and takes no journal.
    server.sql("chats", "ALTER TABLE frames RENAME TO aside")?;
    refused(&talk, "sure")?;
    stands_still(&mut talk)?;
    refused(&talk, "sure")?;
    ensure!(world.bookings()? == 0);
    server.sql("chats", "ALTER TABLE aside RENAME TO frames")?;
    until_back(&mut world)?;
    ensure!(talk.ended()? == "booked", "{}", world.engine.program.log());
    let again = talk.post("sure", "1")?;
    ensure!(again.status == 202, "{} {}", again.status, again.body);
    // Another one is not, however it is called.
    let late = talk.post("late", "1")?;
    ensure!(late.status == 410, "{} {}", late.status, late.body);
    booked(world, &mut talk)
}

/// A message that is under way as the store goes came before the time for it was over, however long the store is gone then.
#[test]
fn a_message_that_came_in_time_is_in_time_however_long_the_store_is_gone() -> Result<()> {
    let server = Postgres::start()?;
    server.create("chats")?;
    let store = format!("[store]\nurl = \"{}\"\nwait_s = 0", server.url("chats"));
    // In a chat that is six seconds.
    let flow = hurried().replace(
        "    timeout: 60s\n    press:",
        "    timeout: 1s\n    press:",
    );
    ensure!(flow != hurried());
    let mut world = World::on(&flow, 0, &store)?;
    let mut talk = offered(&world)?;
    server.sql("chats", "ALTER TABLE frames RENAME TO aside")?;
    refused(&talk, "sure")?;
    for _ in 0..3 {
        stands_still(&mut talk)?;
    }
    server.sql("chats", "ALTER TABLE aside RENAME TO frames")?;
    until_back(&mut world)?;
    booked(world, &mut talk)
}
