//! What contacts keep in variables is on the memory of their tenant.

use anyhow::{Result, ensure};
use strowger_tests::projects::project;
use strowger_tests::{Hall, Talk};

/// Variables that are filled with 100 kB each.
const VARIABLES: usize = 38;

/// A flow that asks for a secret, since its contact then stays in memory, keeps nearly all that a contact may, and asks again.
fn keeps(name: &str) -> String {
    let long = "x".repeat(100_000);
    let mut flow = format!(
        "flow: {name}\nformat: 1\nlanguages: [en]\nvars:\n  s: {{ type: text, default: \"{long}\" }}\n"
    );
    for number in 0..VARIABLES {
        flow += &format!("  v{number}: {{ type: text, default: \"\" }}\n");
    }
    flow += "steps:\n  start:\n    - ask: Your PIN please.\n      into: pin\n      sensitive: true\n      expect: { digits: 4..16 }\n      \
             then: { ok: fill, no_input: bye, no_match: bye }\n  fill:\n";
    for number in 0..VARIABLES {
        flow += &format!("    - set: {{ v{number}: \"${{s}}{number}\" }}\n");
    }
    flow + "    - ask: Again please.\n      into: again\n      timeout: 5m\n      expect: { digits: 1..8 }\n      \
           then: { ok: bye, no_input: bye, no_match: bye }\n  bye: { hangup: completed }\n"
}

/// Begins a chat that keeps so much; whether it goes on.
fn begun(hall: &Hall) -> Result<(Talk, bool)> {
    let mut talk = Talk::begin(hall.engine.http, "6600", None)?;
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
    let flows = [("6600", "keeps", keeps("keeps"))];
    hall.publish(&project("mallory", &[], "", &flows)?)?;
    let (mut going_on, mut refused) = (Vec::new(), None);
    while refused.is_none() {
        ensure!(going_on.len() < 5, "five of 3.8 MB are more than 16 MiB");
        match begun(&hall)? {
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
    let (_, goes_on) = begun(&hall)?;
    ensure!(goes_on, "there is room again");
    Ok(())
}
