//! What callers answer and are promised, told to those who need it: surveys and call backs.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Value as Json, json};
use strowger_tests::phone::CALLER;
use strowger_tests::program::{copy_project, edit, free_port, repository, strowger};
use strowger_tests::{Engine, Phone, Prompts, http};

use crate::webhooks::{KEY, hook, receiver};
use crate::world::PROMPT;

/// A survey, then a call back, with no tag of its own.
const FLOW: &str = r#"flow: rated
format: 1
languages: [en]
steps:
  start:
    survey:
      - { name: score, ask: "From 1 to 5?", expect: { number: 1..5 } }
      - { name: solved, ask: "Settled?", expect: yes_no }
      - { name: words, ask: "Anything else?", expect: text }
    skip: star
    then: { done: again, else: bye }
  again:
    callback: "Shall we call ${number | phone}?"
    within: 2h
    reason: rated
    then: { booked: bye, declined: bye, no_input: bye, no_match: bye }
  bye: { hangup: completed }
"#;

fn rated(project: &Path) -> Result<()> {
    copy_project(&repository().join("flows/bench"), project)?;
    std::fs::write(project.join("rated.flow.yaml"), FLOW)?;
    edit(&project.join("routes.yaml"), |text| {
        text.replace("routes:\n", "routes:\n  - { to: \"700\", flow: rated }\n")
    })
}

fn records(engine: &Engine, query: &str) -> Result<Vec<Json>> {
    let page = http::get(engine.http, &format!("/v1/records?{query}"))?.json()?;
    Ok(page["items"].as_array().context("a page")?.clone())
}

#[test]
fn answers_and_a_promise_are_in_the_record_and_told_without_a_word_of_the_flow() -> Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
    let requests = receiver(address, &[200])?;
    let mut engine = Engine::serve_with(&[("HOOK_KEY", KEY)], |project| {
        rated(project)?;
        let hook = hook(address, "events = [\"contact.ended\"]\n");
        edit(&project.join("strowger.toml"), |text| {
            format!("{text}\n{hook}\n")
        })
    })?;
    let mut phone = Phone::dial(engine.sip, "700", "call", &[])?;
    phone.first_sound(Duration::from_secs(20))?;
    // A mark, a yes, nothing to add, and a call back.
    phone.press("41*1")?;
    phone.ended()?;
    assert_eq!(engine.reason(&phone.call_id)?, "completed");
    let told = requests.recv_timeout(Duration::from_secs(20))?.check()?;
    let tags = &told["record"]["tags"];
    assert_eq!((&tags["score"], &tags["solved"]), (&json!(4), &json!(true)));
    assert_eq!(tags["words"], Json::Null, "it was skipped");
    assert_eq!(
        (&tags["callback"], &tags["callback_reason"]),
        (&json!(CALLER), &json!("rated"))
    );
    let due = tags["callback_due"].as_str().context("a moment")?;
    assert!(due.starts_with("20") && due.ends_with('Z'), "{due}");

    // Whoever calls back finds the promise without having been told.
    let promised = records(&engine, "tag=callback")?;
    assert_eq!(promised.len(), 1);
    assert_eq!(
        (&promised[0]["id"], &promised[0]["tags"]),
        (&told["contact"], tags)
    );
    let id = format!("callback-{}", promised[0]["id"].as_str().context("an id")?);
    assert_eq!(tags["callback_id"], id.as_str());
    assert!(records(&engine, "tag=words")?.is_empty());
    let (project, data) = (
        engine.project.display().to_string(),
        engine.data.display().to_string(),
    );
    let export = |tag: &str| {
        let arguments = [
            "export", "-p", &project, "--data", &data, "--format", "jsonl", "--tag", tag,
        ];
        strowger(&arguments)
    };
    let (code, out, told) = export("callback")?;
    assert_eq!((code, told.as_str()), (0, "1 records\n"));
    assert_eq!(serde_json::from_str::<Json>(&out)?, promised[0]);
    assert_eq!(export("call")?.1, "");
    Ok(())
}

#[test]
fn what_was_answered_before_a_caller_hung_up_is_kept() -> Result<()> {
    let mut engine = Engine::serve(rated)?;
    let mut phone = Phone::dial(engine.sip, "700", "call", &[])?;
    phone.first_sound(Duration::from_secs(20))?;
    phone.press("2")?;
    // The next question is being said: the answer to the one before was taken.
    let prompts = Prompts::new(&engine.project, &engine.data.join("prompts"))?;
    phone.hear(&*prompts.text("en", "Settled?")?, PROMPT)?;
    phone.cue()?;
    phone.ended()?;
    assert_eq!(engine.reason(&phone.call_id)?, "abandoned");
    let found = records(&engine, "tag=score")?;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["tags"], json!({ "score": 2 }));
    let outcomes: Vec<_> = found[0]["path"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|hop| &hop["outcome"])
        .collect();
    assert_eq!(outcomes, [&json!("partial")]);
    assert_eq!(found[0]["failures"], 0);
    Ok(())
}
