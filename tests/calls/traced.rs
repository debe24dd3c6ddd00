//! What `strowger trace` tells of why a call went its way, and of calls that hardly began.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Value as Json, json};
use strowger_tests::program::{edit, strowger};
use strowger_tests::{Engine, Phone, Raw, http};

/// Nobody hears anything of it: it is conditions alone.
const WHY: &str = r#"flow: why
format: 1
languages: [en]
vars:
  tries: { type: number, default: 4 }
  total: { type: number, default: 0 }
steps:
  start:
    - tag: late
      when: tries == 5
    - set: { total: "${tries * 10}" }
    - if: tries > 2 and total < 10
      then: bye
      else: number
  number:
    switch: call.to
    then: { why: bye, else: lost }
  lost: { hangup: lost }
  bye: { hangup: completed }
"#;

/// It fails at its first action.
const BROKEN: &str = r#"flow: broken
format: 1
languages: [en]
vars: { nought: { type: number, default: 0 } }
steps:
  start:
    - set: { nought: "${1 / nought}" }
    - hangup: completed
"#;

fn engine() -> Result<Engine> {
    Engine::start("bench", with_both)
}

/// Adds both flows to a project, each by a number of its name.
pub fn with_both(project: &Path) -> Result<()> {
    std::fs::write(project.join("why.flow.yaml"), WHY)?;
    std::fs::write(project.join("broken.flow.yaml"), BROKEN)?;
    edit(&project.join("routes.yaml"), |routes| {
        routes + "  - to: why\n    flow: why\n  - to: broken\n    flow: broken\n"
    })
}

/// A call that the engine ends by itself; its Call-ID.
pub fn called(engine: &Engine, number: &str) -> Result<String> {
    let mut raw = Raw::new(engine.sip, number)?;
    raw.invite("")?;
    raw.until("SIP/2.0 200")?;
    raw.send("ACK", 1, "", "")?;
    let bye = raw.until("BYE ")?;
    raw.agree(&bye)?;
    engine.told(&raw.call_id, "200 OK (BYE)")?;
    Ok(raw.call_id)
}

/// `strowger trace` of a contact or call in an engine's store.
fn traced(engine: &Engine, of: &str, further: &[&str]) -> Result<String> {
    let (project, data) = (&engine.project, &engine.data);
    let (project, data) = (project.display().to_string(), data.display().to_string());
    let own = ["trace", of, "-p", &project, "--data", &data];
    let (code, out, errors) = strowger(&[&own[..], further].concat())?;
    ensure!(code == 0, "{out}{errors}");
    Ok(out)
}

#[test]
fn a_trace_tells_what_conditions_gave_and_what_was_skipped() -> Result<()> {
    let engine = engine()?;
    let call_id = called(&engine, "why")?;
    let told = [
        "why:9 start, tag: skipped: tries == 5 is false (tries = 4)",
        "why:11 start, set: total: tries * 10 is 40 (tries = 4)",
        "why:12 start, if: tries > 2 and total < 10 is false (total = 40, tries = 4): else, to why:16 number",
        "why:16 number, switch: call.to is \"why\": why, to why:19 bye",
    ];
    let text = traced(&engine, &call_id, &[])?;
    let mut rest = text.lines();
    for line in told {
        ensure!(rest.any(|found| found.ends_with(line)), "{line}:\n{text}");
    }
    ensure!(!text.contains("cannot tell"), "{text}");
    let lines = traced(&engine, &call_id, &["--format", "json"])?;
    let events: Vec<Json> = lines
        .lines()
        .map(serde_json::from_str)
        .collect::<Result<_, _>>()?;

    // The engine tells the same.
    let id = engine.contact_over(&call_id)?["id"].clone();
    let id = id.as_str().context("an id")?.to_owned();
    let path = format!("/v1/contacts/{id}/trace");
    let live = http::get(engine.http, &path)?.json()?;
    ensure!(live == json!(events), "{live}\n{events:?}");
    let decided = events
        .iter()
        .find(|event| event["reason"]["verb"] == "if")
        .context("the reason of `if`")?;
    ensure!(
        decided["kind"] == "expression" && decided["line"] == 12,
        "{decided}"
    );
    let reason = json!({
        "verb": "if", "what": "decided", "taken": "else", "to": "why:16 number",
        "asked": [{ "expression": "tries > 2 and total < 10", "value": false, "names": { "total": 40, "tries": 4 } }],
    });
    ensure!(decided["reason"] == reason, "{decided}");
    let skipped = events.iter().filter(|event| event["kind"] == "skipped");
    ensure!(skipped.count() == 1, "{lines}");

    // Another flow's change is no matter; its own is told, and values of another text are not.
    edit(&engine.project.join("broken.flow.yaml"), |text| {
        text.replace("1 /", "2 /")
    })?;
    let text = traced(&engine, &id, &[])?;
    ensure!(text.contains(told[2]), "{text}");
    edit(&engine.project.join("why.flow.yaml"), |text| {
        text.replace("> 2", "> 1")
    })?;
    let text = traced(&engine, &id, &[])?;
    ensure!(
        !text.contains("is false") && !text.contains("skipped"),
        "{text}"
    );
    let why = "cannot tell what the flow's conditions gave: it walked flows that are not there any more as they were then: why";
    ensure!(text.contains(why), "{text}");
    Ok(())
}

#[test]
fn a_call_that_dies_early_is_found_by_its_call_id_with_its_ladder() -> Result<()> {
    let engine = engine()?;
    let mut wrong = Phone::dial(engine.sip, "999", "refused-404", &[])?;
    wrong.ended()?;
    let mut codec = Phone::dial(engine.sip, "why", "refused-488", &[])?;
    codec.ended()?;
    let failed = called(&engine, "broken")?;
    for (call_id, reason, rungs) in [
        (
            &wrong.call_id,
            "no-route",
            ["INVITE 999", "404 No route for this number"],
        ),
        (
            &codec.call_id,
            "not-acceptable",
            ["INVITE why", "488 Not Acceptable Here"],
        ),
        (&failed, "error", ["INVITE broken", "200 OK (INVITE)"]),
    ] {
        let contact = engine.contact_over(call_id)?;
        ensure!(contact["reason"] == reason, "{contact}");
        let id = contact["id"].as_str().context("an id")?;
        for of in [call_id.as_str(), id] {
            let text = traced(&engine, of, &[])?;
            let first = text.lines().next().unwrap_or_default();
            ensure!(
                first.starts_with("  0:00.000  sip") && first.contains(rungs[0]),
                "{text}"
            );
            ensure!(text.contains(rungs[1]), "{text}");
            ensure!(text.contains(&format!("ended: {reason}")), "{text}");
            ensure!(!text.contains("cannot tell"), "{text}");
        }
    }
    let text = traced(&engine, &failed, &[])?;
    let told = "broken:7 start, set: nought: 1 / nought has no value: ";
    ensure!(
        text.contains(told) && text.contains("(nought = 0)"),
        "{text}"
    );
    Ok(())
}
