//! The description is true: schemathesis makes requests of it, right and wrong ones, and looks at the answers.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value as Json;
use strowger_tests::http::get;
use strowger_tests::program::{POLL, binary, repository, strowger};
use strowger_tests::{Engine, Phone};

use crate::world::{Client, engine};

/// Requests that schemathesis makes at least, of every kind: fewer would show nothing.
const AT_LEAST: u64 = 300;

/// Places a call; the id of its contact, when it is over.
pub fn contact(engine: &Engine) -> Result<String> {
    let mut phone = Phone::dial(engine.sip, "hold", "call", &[])?;
    phone.first_sound(Duration::from_secs(20))?;
    phone.cue()?;
    phone.ended()?;
    drop(phone);
    let client = Client::new(engine, "operator", &[])?;
    let list = client.ask("GET", "/v1/contacts")?.json()?;
    let id = list["items"][0]["id"].as_str();
    let id = id.with_context(|| format!("a contact: {list}"))?.to_owned();
    // Its record is written at its end.
    let end = Instant::now() + Duration::from_secs(30);
    loop {
        let answer = client.ask("GET", &format!("/v1/contacts/{id}/record"))?;
        match answer.status {
            200 => return Ok(id),
            409 if Instant::now() < end => std::thread::sleep(POLL),
            status => bail!("the call did not end: {status} {}", answer.body),
        }
    }
}

#[test]
fn what_is_served_is_what_is_printed() -> Result<()> {
    let engine = engine("")?;
    let served = get(engine.http, "/v1/openapi.json")?.json()?;
    let (code, printed, err) = strowger(&["openapi"])?;
    assert_eq!(code, 0, "{err}");
    assert_eq!(serde_json::from_str::<Json>(&printed)?, served);
    Ok(())
}

#[test]
fn load_the_engine_does_what_its_description_says() -> Result<()> {
    let engine = engine("requests_per_second = 100000\nburst = 100000")?;
    let id = contact(&engine)?;
    let owner = Client::new(&engine, "owner", &[])?;
    let spare = Client::new(&engine, "auditor", &["--name", "to be revoked"])?;
    let python = binary("strowger")?;
    let python = python
        .ancestors()
        .nth(2)
        .context("a target folder")?
        .join("tools/api/python");
    let program = python.join("bin/schemathesis");
    ensure!(
        program.is_file(),
        "{} is not there: run `make setup`",
        program.display()
    );
    let folder = tempfile::TempDir::new()?;
    let description = folder.path().join("openapi.json");
    std::fs::write(&description, strowger(&["openapi"])?.1)?;
    let run = Command::new("python3")
        .arg(&program)
        .arg("--config-file")
        .arg(repository().join("tests/api/schemathesis.toml"))
        .arg("run")
        // As it is printed: read from the engine, its own address would be left out.
        .arg(&description)
        .arg(format!("--url=http://{}", engine.http))
        // The same requests each time; another number looks elsewhere.
        .args(["--seed", "1", "--checks", "all", "--no-color"])
        .env("PYTHONPATH", &python)
        .env("STROWGER_TOKEN", &owner.token)
        .env("STROWGER_CONTACT", &id)
        .env("STROWGER_SPARE", spare.id())
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()?;
    let told = String::from_utf8_lossy(&run.stdout);
    let err = String::from_utf8_lossy(&run.stderr);
    ensure!(
        run.status.success(),
        "{told}\n{err}\n{}",
        engine.program.log()
    );
    let operations = get(engine.http, "/v1/openapi.json")?.json()?;
    let operations = operations["paths"].as_object().context("paths")?.values();
    let operations: usize = operations
        .filter_map(|item| Some(item.as_object()?.len()))
        .sum();
    ensure!(
        // All but the stream of events.
        told.contains(&format!("Tested: {}", operations - 1)),
        "all {operations} were not tested: {told}"
    );
    let generated = told.lines().find_map(|line| {
        let (number, _) = line.trim().split_once(" generated")?;
        number.replace(',', "").parse::<u64>().ok()
    });
    let generated = generated.context("how many")?;
    ensure!(generated >= AT_LEAST, "{told}");
    // A token that was revoked on the way would make every answer a 401, and all of them right.
    assert_eq!(owner.ask("GET", "/v1/me")?.status, 200);
    assert_eq!(
        spare.ask("GET", "/v1/me")?.status,
        401,
        "it was to be revoked"
    );
    Ok(())
}
