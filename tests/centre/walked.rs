//! What the flows of a tenant's revisions take of memory, those that contacts still walk counted.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use strowger_tests::hall::CHATS;
use strowger_tests::projects::says;
use strowger_tests::{Hall, Talk};

/// Actions of the flow that is large.
const ACTIONS: usize = 1_500;
/// More revisions than the tenant's memory has room for.
const ENOUGH: usize = 40;
const FLOW: &str = "greeting.flow.yaml";
const MENU: &str = "Which one?";

/// A flow that asks in which revision somebody is, and would count far.
fn flow(revision: usize) -> String {
    let actions = "    - set: { counted: \"${counted + 1}\" }\n".repeat(ACTIONS);
    format!(
        "flow: greeting\nformat: 1\nlanguages: [en]\nvars: {{ counted: {{ type: number, default: {revision} }} }}\nprompts:\n  which: {{ en: \"{MENU}\" }}\n\
         steps:\n  start:\n    menu: which\n    timeout: 5m\n    press: {{ 1: bye, 2: count }}\n    then: {{ no_input: bye, no_match: bye }}\n  \
         bye: {{ hangup: done }}\n  count:\n{actions}    - hangup: counted\n"
    )
}

fn begin(hall: &Hall) -> Result<Talk> {
    let mut talk = Talk::begin(hall.engine.http, "700", None)?;
    talk.asked(MENU)?;
    Ok(talk)
}

#[test]
fn flows_that_contacts_walk_are_bounded_until_those_are_over() -> Result<()> {
    let tenants = [
        ("vega", "numbers = [\"7*\"]\n[limits]\nflows_mib = 16\n"),
        ("aurora", "numbers = [\"1*\"]\n"),
    ];
    let hall = Hall::open_with(CHATS, &tenants)?;
    let project = says("vega", "*", "unused")?;
    let folder = project.path().display().to_string();
    let write = |path: &Path, revision: usize| std::fs::write(path.join(FLOW), flow(revision));
    let mut held = Vec::new();
    let refused = loop {
        ensure!(held.len() < ENOUGH, "{} revisions are held", held.len());
        write(project.path(), held.len())?;
        let (code, said) = hall.run(&["push", &folder, "--release"])?;
        if code != 0 {
            break said;
        }
        held.push(begin(&hall)?);
    };
    ensure!(held.len() > 1, "after {}: {refused}", held.len());
    for words in [
        "the flows of tenant vega would take",
        "limits.flows_mib",
        "try again",
    ] {
        ensure!(refused.contains(words), "{words}: {refused}");
    }
    // Who walks a revision goes on, whoever comes is served, and a neighbour notices nothing.
    begin(&hall)?;
    hall.publish(&says("aurora", "*", "Good evening.")?)?;
    // Those of the first revision are over: there is room again.
    let mut first = held.remove(0);
    first.write("1")?;
    ensure!(first.ended()? == "done", "{:?}", first.shown);
    hall.over(&first.id)?;
    let (code, said) = hall.run(&["push", &folder, "--release"])?;
    ensure!(code == 0, "{said}");
    // All that were held are still walked.
    let mut last = held.pop().context("one that is held")?;
    last.write("1")?;
    ensure!(last.ended()? == "done", "{:?}", last.shown);
    Ok(())
}
