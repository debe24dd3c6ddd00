//! Very many chats in which nobody writes: what each takes in memory.

use anyhow::{Context, Result};
use std::time::Duration;

use crate::world::{QUESTION, World};

/// How many, where nobody says it: few, since the machine is shared. `STROWGER_CHATS` takes 10,000.
const CHATS: usize = 500;
/// Most bytes of memory for one.
const MOST: u64 = 4 << 10;

#[test]
fn load_sleeping_chats_are_small() -> Result<()> {
    let chats = match std::env::var("STROWGER_CHATS") {
        Ok(text) => text.parse().context("STROWGER_CHATS is a number")?,
        Err(_) => CHATS,
    };
    let mut world = World::start(0, "at_once = 100000\n[steps]\ndrop_waiting_after_ms = 20")?;
    let asleep = |world: &mut World| -> Result<()> {
        let http = world.engine.http;
        world
            .engine
            .program
            .wait_until("sleep", Duration::from_secs(60), || {
                let text = strowger_tests::http::get(http, "/metrics").map(|r| r.body);
                text.is_ok_and(|text| text.contains("strowger_chats_awake 0\n"))
            })
    };
    // What the engine itself takes once it is warm is no chat's.
    for _ in 0..200 {
        world.begin()?;
    }
    asleep(&mut world)?;
    let before = world.engine.program.resident()?;
    let mut last = None;
    for _ in 0..chats {
        last = Some(world.begin()?);
    }
    asleep(&mut world)?;
    let after = world.engine.program.resident()?;
    let each = after.saturating_sub(before) / chats as u64;
    eprintln!("{chats} chats: {before} -> {after} bytes resident, {each} each");
    if chats >= 5_000 {
        assert!(each <= MOST, "{each} bytes a chat");
    }
    let mut last = last.context("a chat")?;
    last.asked(QUESTION)?;
    Ok(())
}
