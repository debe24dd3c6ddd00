//! What contacts keep in variables is on the memory of their tenant.

use std::time::Duration;

use anyhow::{Result, ensure};
use strowger_tests::hall::CHATS;
use strowger_tests::projects::project;
use strowger_tests::{Hall, Talk, http};

/// Variables that are filled with 100 kB each.
const VARIABLES: usize = 38;

/// A flow that asks for a PIN, keeps nearly all that a contact may, and asks again. A contact that gave a secret stays in memory;
/// another one sleeps while it waits.
fn keeps(name: &str, secret: bool) -> String {
    let long = "x".repeat(100_000);
    let mut flow = format!(
        "flow: {name}\nformat: 1\nlanguages: [en]\nvars:\n  s: {{ type: text, default: \"{long}\" }}\n"
    );
    for number in 0..VARIABLES {
        flow += &format!("  v{number}: {{ type: text, default: \"\" }}\n");
    }
    flow += &format!(
        "steps:\n  start:\n    - ask: Your PIN please.\n      into: pin\n      sensitive: {secret}\n      expect: {{ digits: 4..16 }}\n      \
         then: {{ ok: fill, no_input: bye, no_match: bye }}\n  fill:\n"
    );
    for number in 0..VARIABLES {
        flow += &format!("    - set: {{ v{number}: \"${{s}}{number}\" }}\n");
    }
    flow + "    - ask: Again please.\n      into: again\n      timeout: 5m\n      expect: { digits: 1..8 }\n      \
           then: { ok: bye, no_input: bye, no_match: bye }\n  bye: { hangup: completed }\n"
}

/// Begins a chat that keeps so much; whether it goes on.
fn begun(hall: &Hall, number: &str) -> Result<(Talk, bool)> {
    let mut talk = Talk::begin(hall.engine.http, number, None)?;
    // One that comes last may have no room even for the step that asks.
    talk.until("the first question, or the end", |talk| {
        talk.over || talk.listens_after("Your PIN please.")
    })?;
    if talk.over {
        return Ok((talk, false));
    }
    talk.write("123456")?;
    talk.until("the second question, or the end", |talk| {
        talk.over || talk.listens_after("Again please.")
    })?;
    let goes_on = !talk.over;
    Ok((talk, goes_on))
}

#[test]
fn contacts_that_keep_more_than_their_tenant_may_hold_end_and_say_so() -> Result<()> {
    let hall = Hall::beside_a_victim("[limits]\nmemory_mib = 16\n")?;
    let flows = [("6600", "keeps", keeps("keeps", true))];
    hall.publish(&project("mallory", &[], "", &flows)?)?;
    let (mut going_on, mut refused) = (Vec::new(), None);
    while refused.is_none() {
        ensure!(going_on.len() < 5, "five of 3.8 MB are more than 16 MiB");
        match begun(&hall, "6600")? {
            (talk, true) => going_on.push(talk),
            (talk, false) => refused = Some(talk),
        }
    }
    // A text that was put together takes no more than its length.
    ensure!(going_on.len() >= 3, "{} go on", going_on.len());
    let mut refused = refused.expect("one was refused");
    assert_eq!(refused.ended()?, "error");
    let journal = hall.journal(&refused.id)?;
    ensure!(
        journal.contains("step-memory-limit") && journal.contains("limits.memory_mib"),
        "{}",
        &journal[journal.len().saturating_sub(2_000)..]
    );
    hall.neighbour()?;
    // What one gives back another has.
    let mut first = going_on.swap_remove(0);
    first.write("1")?;
    assert_eq!(first.ended()?, "completed");
    let (_, goes_on) = begun(&hall, "6600")?;
    ensure!(goes_on, "there is room again");
    Ok(())
}

#[test]
fn a_chat_that_slept_waits_until_there_is_room_for_what_it_keeps() -> Result<()> {
    let settings = format!("{CHATS}[steps]\ndrop_waiting_after_ms = 50\n");
    let rules = "numbers = [\"6*\"]\n[limits]\nmemory_mib = 16\n";
    let mut hall = Hall::open_with(&settings, &[("mallory", rules)])?;
    let flows = [
        ("6600", "keeps", keeps("keeps", true)),
        ("6700", "sleeps", keeps("sleeps", false)),
    ];
    hall.publish(&project("mallory", &[], "", &flows)?)?;
    let (mut sleeper, goes_on) = begun(&hall, "6700")?;
    ensure!(goes_on, "the first has room");
    let http = hall.engine.http;
    let limit = Duration::from_secs(30);
    hall.engine.program.wait_until("sleep", limit, || {
        let text = http::get(http, "/metrics").map(|answer| answer.body);
        text.is_ok_and(|text| text.contains("strowger_chats_awake 0\n"))
    })?;
    let mut going_on = Vec::new();
    while let (talk, true) = begun(&hall, "6600")? {
        going_on.push(talk);
        ensure!(going_on.len() < 5, "five of 3.8 MB are more than 16 MiB");
    }

    let answer = sleeper.post("again", "1")?;
    assert_eq!(answer.status, 503, "{}", answer.body);
    ensure!(answer.body.contains("send it again"), "{}", answer.body);
    let contact = hall.get(&format!("/v1/contacts/{}", sleeper.id))?;
    ensure!(contact["reason"].is_null(), "{contact}");
    let log = std::fs::read_to_string(hall.engine.log())?;
    ensure!(log.contains("a chat waits for memory"), "{log}");
    let mut first = going_on.swap_remove(0);
    first.write("1")?;
    assert_eq!(first.ended()?, "completed");
    // Now there is room, and it has lost nothing.
    sleeper.write("1")?;
    assert_eq!(sleeper.ended()?, "completed");
    let journal = hall.journal(&sleeper.id)?;
    ensure!(!journal.contains("\"message\":\"again\""), "{journal}");
    Ok(())
}
