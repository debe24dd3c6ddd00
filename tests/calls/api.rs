//! The HTTP side as a client sees it that asks for what is not there.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use strowger_tests::program::edit;
use strowger_tests::{Engine, Phone, http};

#[test]
fn every_refusal_is_a_problem_document() -> Result<()> {
    let engine = Engine::start("bench", |_| Ok(()))?;
    for (method, path, status) in [
        ("GET", "/v1/contacts?limit=abc", 400),
        ("GET", "/v1/contacts?limit=-1", 400),
        ("GET", "/v1/contacts?limti=1", 400),
        ("GET", "/v1/contacts/%ff", 400),
        ("GET", "/v1/contacts/nobody", 404),
        ("GET", "/v1/contacts/nobody/journal", 404),
        ("GET", "/v1/contacts/nobody/transcript", 404),
        ("GET", "/nothing", 404),
        ("POST", "/v1/contacts", 405),
        ("DELETE", "/healthz", 405),
    ] {
        let answer = http::request(engine.http, method, path)?;
        let shown = format!("{method} {path}: {} {}", answer.head, answer.body);
        let head = answer.head.to_ascii_lowercase();
        assert_eq!(answer.status, status, "{shown}");
        assert!(
            head.contains("content-type: application/problem+json"),
            "{shown}"
        );
        assert_eq!(head.contains("\nallow: get"), status == 405, "{shown}");
        let problem = answer.json()?;
        assert_eq!(problem["status"], status, "{shown}");
        assert!(problem["title"].is_string(), "{shown}");
        assert!(
            !problem["detail"].as_str().unwrap_or_default().is_empty(),
            "{shown}"
        );
    }
    assert_eq!(http::get(engine.http, "/v1/contacts?limit=1")?.status, 200);
    Ok(())
}

#[test]
fn a_recording_is_named_by_its_whole_path_wherever_the_data_was_said_to_be() -> Result<()> {
    let mut engine = Engine::start("bench", |project| {
        edit(&project.join("strowger.toml"), |text| {
            text.replace("calls = false", "calls = true")
        })
    })?;
    engine.program.kill()?;
    // The same folder, from where the engine is started.
    let here = std::env::current_dir()?;
    let up: PathBuf = here.components().skip(1).map(|_| "..").collect();
    engine.data = up.join(engine.data.strip_prefix("/")?);
    assert!(engine.data.is_relative() && engine.data.is_dir());
    engine.restart()?;
    let mut phone = Phone::dial(engine.sip, "hold", "call", &[])?;
    phone.first_sound(Duration::from_secs(25))?;
    phone.cue()?;
    phone.ended()?;
    engine.reason(&phone.call_id)?;
    let contact = engine.contact(&phone.call_id)?;
    let recording = contact["recording"].as_str().context("it was recorded")?;
    assert!(Path::new(recording).is_absolute(), "{recording}");
    assert!(Path::new(recording).is_file(), "{recording}");
    Ok(())
}
