//! Records of real contacts: by the API and in files; what is kept of them, and what is forgotten.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value as Json;
use strowger_tests::program::{edit, free_port, strowger};
use strowger_tests::{Phone, http};

use crate::world::{World, always_open};

/// A flow that tags what the caller entered, which is no formula.
const FLOW: &str = r#"flow: tagged
format: 1
languages: [en]
vars: { number: text }
steps:
  start:
    - ask: "Your number?"
      into: number
      expect: { digits: 1..4 }
      then: { ok: mark, no_input: bye, no_match: bye }
  mark:
    - tag: { entered: "${number}", word: "=1+1" }
    - goto: bye
  bye: { hangup: completed }
"#;

fn tagged(project: &Path) -> Result<()> {
    always_open(project)?;
    std::fs::write(project.join("tagged.flow.yaml"), FLOW)?;
    edit(&project.join("routes.yaml"), |text| {
        text + "  - to: \"700\"\n    flow: tagged\n"
    })
}

#[test]
fn a_call_leaves_a_record_that_is_told_and_exported() -> Result<()> {
    let mut world = World::edited(tagged)?;
    let mut phone = world.dial("700")?;
    phone.listen(Duration::from_millis(300));
    phone.press("42#")?;
    phone.ended()?;
    assert_eq!(world.engine.reason(&phone.call_id)?, "completed");
    let contact = world.engine.contact(&phone.call_id)?;
    let id = contact["id"].as_str().context("an id")?;

    let record = http::get(world.engine.http, &format!("/v1/contacts/{id}/record"))?.json()?;
    assert_eq!(record["reason"], "completed");
    assert_eq!(record["ended_by"], "flow");
    assert_eq!(record["tags"]["entered"], "42");
    assert_eq!(record["sip_call_id"], phone.call_id.as_str());
    let path: Vec<_> = record["path"].as_array().into_iter().flatten().collect();
    let told: Vec<_> = path
        .iter()
        .map(|hop| (hop["step"].as_str(), hop["outcome"].as_str()))
        .collect();
    assert_eq!(told[0], (Some("start"), Some("ok")));
    assert_eq!(told.last().map(|hop| hop.0), Some(Some("bye")));
    assert!(
        record["plugins"]["std"]["cpu_us"].as_u64() > Some(0),
        "{record}"
    );
    assert!(
        record["plugins"]["std"]["memory_bytes"].as_u64() > Some(0),
        "{record}"
    );
    let sum: u64 = ["flow_ms", "waiting_ms", "transferred_ms"]
        .iter()
        .filter_map(|name| record[*name].as_u64())
        .sum();
    assert_eq!(record["total_ms"].as_u64(), Some(sum));
    let ended = record["ended_at"].as_u64().context("a time")?;

    // One that is not over has none yet.
    let open = world.dial("700")?;
    let lasting = world.engine.contact_up(&open.call_id)?;
    let lasting = lasting["id"].as_str().context("an id")?;
    let refused = http::get(world.engine.http, &format!("/v1/contacts/{lasting}/record"))?;
    assert_eq!(refused.status, 409, "{}", refused.body);
    let list = http::get(world.engine.http, "/v1/records?flow=tagged&limit=1")?.json()?;
    assert_eq!(list["items"][0]["id"], id);
    // It is the only one: there is no next page, and nothing behind it.
    assert_eq!(list["next"], Json::Null);
    let after = format!("{ended}.{id}");
    let list = http::get(world.engine.http, &format!("/v1/records?after={after}"))?.json()?;
    assert_eq!(
        (&list["items"], &list["next"]),
        (&Json::Array(vec![]), &Json::Null)
    );
    let list = http::get(
        world.engine.http,
        &format!("/v1/records?from={}", ended + 1),
    )?
    .json()?;
    assert_eq!(list["items"], Json::Array(vec![]));
    for query in ["from=yesterday", "after=x", "limit=-1", "form=1"] {
        let refused = http::get(world.engine.http, &format!("/v1/records?{query}"))?;
        assert_eq!(refused.status, 400, "{query}: {}", refused.body);
    }

    let project = world.engine.project.display().to_string();
    let data = world.engine.data.display().to_string();
    let export = |further: &[&str]| {
        let own = ["export", "-p", &project, "--data", &data];
        strowger(&[&own[..], further].concat())
    };
    let (code, out, errors) = export(&["--format", "jsonl"])?;
    assert_eq!((code, errors.as_str()), (0, "1 records\n"));
    assert_eq!(serde_json::from_str::<Json>(&out)?, record);
    let (_, none, _) = export(&["--format", "jsonl", "--flow", "main-menu"])?;
    assert_eq!(none, "");
    let file = world.engine.data.join("out.csv");
    let shown = file.display().to_string();
    let (code, _, errors) = export(&["--format", "csv", "--output", &shown])?;
    assert_eq!(code, 0, "{errors}");
    assert!(file.exists() && !Path::new(&format!("{shown}.unfinished")).exists());
    let (code, _, errors) = export(&["--format", "csv", "--output", "/nowhere/x.csv"])?;
    assert_eq!(code, 2);
    assert!(errors.contains("/nowhere/x.csv"), "{errors}");

    // Killed in mid-call: the next start writes what there is.
    world.engine.program.kill()?;
    world.engine.restart()?;
    let record = http::get(world.engine.http, &format!("/v1/contacts/{lasting}/record"))?.json()?;
    assert_eq!(record["reason"], "engine-stopped");
    assert_eq!(record["path"][0]["step"], "start");
    Ok(())
}

#[test]
fn a_number_is_forgotten_by_the_program_while_it_serves_and_after() -> Result<()> {
    let mut world = World::edited(tagged)?;
    let mut phone = world.dial("700")?;
    phone.listen(Duration::from_millis(300));
    phone.press("42#")?;
    phone.ended()?;
    assert_eq!(world.engine.reason(&phone.call_id)?, "completed");
    let contact = world.engine.contact(&phone.call_id)?;
    let id = contact["id"].as_str().context("an id")?.to_owned();
    let recording = world.engine.data.join(format!("recordings/{id}.wav"));
    world
        .engine
        .program
        .wait_until("the recording", Duration::from_secs(10), || {
            recording.exists()
        })?;
    let lasting = world.dial("700")?;
    world.engine.contact_up(&lasting.call_id)?;

    let project = world.engine.project.display().to_string();
    let data = world.engine.data.display().to_string();
    let forget = |further: &[&str]| {
        let own = [
            "forget",
            "+86 138-0013-8000",
            "-p",
            &project,
            "--data",
            &data,
        ];
        strowger(&[&own[..], further].concat())
    };
    let (code, out, errors) = forget(&["--dry-run"])?;
    assert_eq!(code, 1, "{out}{errors}");
    assert!(
        out.contains("1 contacts from or to the number would be removed"),
        "{out}"
    );
    assert!(out.contains("1 contacts still last"), "{out}");
    assert!(recording.exists());
    // A slip in a tenant's name does not pass for a number that is forgotten.
    let (code, _, errors) = forget(&["--tenant", "borealis"])?;
    assert_eq!(code, 2, "{errors}");
    assert!(
        errors.contains("nothing is kept of a tenant `borealis`, only of aurora"),
        "{errors}"
    );
    let (code, out, errors) = forget(&["--format", "json"])?;
    assert_eq!(code, 1, "{out}{errors}");
    let told: Json = serde_json::from_str(&out)?;
    assert_eq!(
        (
            &told["forgotten"]["contacts"],
            &told["forgotten"]["recordings"]
        ),
        (&1.into(), &1.into())
    );
    assert!(!recording.exists());
    for path in ["", "/journal", "/record"] {
        let gone = http::get(world.engine.http, &format!("/v1/contacts/{id}{path}"))?;
        assert_eq!(gone.status, 404, "{path}: {}", gone.body);
    }
    // Killed in mid-call and started again: now the other one is over too.
    world.engine.program.kill()?;
    world.engine.restart()?;
    let (code, out, errors) = forget(&[])?;
    assert_eq!(code, 0, "{out}{errors}");
    world.engine.program.terminate()?;
    world.engine.program.wait(Duration::from_secs(20))?;
    for file in ["strowger.db", "strowger.db-wal"] {
        let bytes = std::fs::read(world.engine.data.join(file)).unwrap_or_default();
        let left = bytes.windows(11).any(|window| window == b"13800138000");
        assert!(!left, "the number is left in {file}");
    }
    let (code, _, errors) = strowger(&[
        "forget",
        "+8613900139000",
        "--country",
        "49",
        "-p",
        &project,
        "--data",
        &data,
    ])?;
    assert_eq!(code, 2);
    assert!(errors.contains("is no number of country 49"), "{errors}");
    let (code, _, errors) = strowger(&["forget", "100", "-p", &project, "--data", &data])?;
    assert_eq!(code, 2);
    assert!(
        errors.contains("no number that can be forgotten"),
        "{errors}"
    );
    Ok(())
}

/// Files of a folder that hold one of these words, but for caches that are shared by all tests.
fn holding(folder: &Path, words: &[&str]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            found.extend(holding(&path, words)?);
            continue;
        }
        let name = path.display().to_string();
        let bytes = std::fs::read(&path)?;
        for word in words {
            let has = bytes
                .windows(word.len())
                .any(|window| window == word.as_bytes());
            if has || name.contains(word) {
                found.push(format!("{word} in {name}"));
            }
        }
    }
    Ok(found)
}

/// Calls, chats, recordings, events that wait and events that nobody took, an answer that is kept for a key: by its digits or by
/// a contact's id, nothing leads to the number any more.
#[test]
fn nothing_of_a_number_is_left_in_the_data_folder() -> Result<()> {
    const NUMBER: &str = "+8613800138000";
    let nobody = free_port()?;
    let hooks = format!(
        "\n[recording]\ncalls = true\n[chat]\nenabled = true\n\
         [[webhooks]]\nname = \"dead\"\nurl = \"http://127.0.0.1:{nobody}/\"\nsecret_env = \"HOOK_KEY\"\nallow_private = true\nretry_for_s = 1\n\
         [[webhooks]]\nname = \"waits\"\nurl = \"http://127.0.0.1:{nobody}/\"\nsecret_env = \"HOOK_KEY\"\nallow_private = true\n"
    );
    let mut engine =
        strowger_tests::Engine::serve_with(&[("HOOK_KEY", "0123456789abcdef")], |project| {
            let flow = FLOW.replace("1..4", "1..12");
            std::fs::create_dir_all(project)?;
            std::fs::write(project.join("tagged.flow.yaml"), flow)?;
            std::fs::write(
                project.join("routes.yaml"),
                "routes:\n  - to: \"700\"\n    flow: tagged\n",
            )?;
            Ok(std::fs::write(
                project.join("strowger.toml"),
                format!("[project]\nname = \"numbers\"\n{hooks}"),
            )?)
        })?;
    let mut phone = Phone::dial(engine.sip, "700", "call", &[])?;
    phone.first_sound(Duration::from_secs(20))?;
    phone.press("42#")?;
    phone.ended()?;
    assert_eq!(engine.reason(&phone.call_id)?, "completed");
    let mut ids = vec![engine.contact(&phone.call_id)?["id"].clone()];
    // A call by the number as its country dials it.
    let mut phone = Phone::dial(engine.sip, "700", "call", &[("from", "0138-0013-8000")])?;
    phone.first_sound(Duration::from_secs(20))?;
    phone.press("7#")?;
    phone.ended()?;
    assert_eq!(engine.reason(&phone.call_id)?, "completed");
    ids.push(engine.contact(&phone.call_id)?["id"].clone());
    // Chats: some from the number, however it is written, and one of somebody else who names it.
    let chats = [
        (NUMBER, "1"),
        ("tel:+86-138-0013-8000", "1"),
        ("＋８６　１３８００１３８０００", "1"),
        ("sip:008613800138000@trunk.example;user=phone", "1"),
        ("web", "138 0013 8000"),
    ];
    for (n, (from, text)) in chats.into_iter().enumerate() {
        let body = serde_json::json!({ "to": "700", "from": from }).to_string();
        let key = ("Idempotency-Key", &*format!("chat-of-records-{n}"));
        let begun = http::send(engine.http, "POST", "/v1/chats", &[key], Some(&body))?;
        let begun = begun.json()?;
        let token = begun["token"].as_str().context("a token")?;
        let id = begun["id"].as_str().context("an id")?;
        let body = serde_json::json!({ "text": text, "client_id": "m1" });
        let path = format!("/v1/chats/{id}/messages");
        let taken = http::ask(engine.http, "POST", &path, Some(token), Some(&body))?;
        assert_eq!(taken.status, 202, "{}", taken.body);
        let http = engine.http;
        engine
            .program
            .wait_until("the end of a chat", Duration::from_secs(20), || {
                let contact = http::get(http, &format!("/v1/contacts/{id}"));
                contact
                    .and_then(|contact| contact.json())
                    .is_ok_and(|contact| contact["reason"] == "completed")
            })?;
        ids.push(begun["id"].clone());
    }
    let project = engine.project.display().to_string();
    let data = engine.data.display().to_string();
    let run = |verb: &[&str]| strowger(&[verb, &["-p", &project, "--data", &data]].concat());
    engine
        .program
        .wait_until("dead letters", Duration::from_secs(60), || {
            run(&["webhooks", "dead"]).is_ok_and(|(_, out, _)| out.lines().count() >= 14)
        })?;
    let ids: Vec<&str> = ids.iter().filter_map(Json::as_str).collect();
    let words = [&["13800138000"], &ids[..]].concat();
    assert!(!holding(&engine.data, &words)?.is_empty(), "it is there");
    // Without the country one call is a mention, with it all but one are the number's.
    let (code, out, errors) = run(&["forget", NUMBER, "--dry-run"])?;
    assert_eq!(code, 1, "{errors}");
    assert!(
        out.contains("5 contacts from or to the number would be removed"),
        "{out}"
    );
    assert!(
        out.contains("2 contacts from and to others mention it"),
        "{out}"
    );
    let (code, out, errors) = run(&["forget", "138 0013 8000", "--country", "86"])?;
    assert_eq!(code, 1, "{errors}");
    assert!(
        out.contains("6 contacts from or to the number removed"),
        "{out}"
    );
    let (code, out, errors) = run(&["forget", NUMBER, "--mentioned"])?;
    assert_eq!(code, 0, "{out}{errors}");
    engine.program.terminate()?;
    engine.program.wait(Duration::from_secs(40))?;
    let left = holding(&engine.data, &words)?;
    assert!(left.is_empty(), "{left:#?}");
    let (_, out, _) = run(&["webhooks", "dead"])?;
    assert!(!ids.iter().any(|id| out.contains(id)), "{out}");
    Ok(())
}

#[test]
fn retention_is_told_before_it_is_done_and_its_slips_at_their_line() -> Result<()> {
    let project = strowger_tests::program::copy("bench")?;
    let toml = project.path().join("strowger.toml");
    let before = std::fs::read_to_string(&toml)?;
    let shown = project.path().display().to_string();
    for (rules, told) in [
        (
            "[retention.journals]\nrare_days = 9",
            "nothing would ever go",
        ),
        (
            "[retention.records]\ndays = 0",
            "retention.records.days is 1 to",
        ),
        (
            "[retention.records]\ndays = 9\nrare_days = 3",
            "the rare are kept longer",
        ),
        (
            "[retention.recordings]\nmax_mb = 0",
            "retention.recordings.max_mb is 1 or more",
        ),
        ("[retention.recordings]\nmax_contacts = 1", "unknown field"),
    ] {
        std::fs::write(&toml, format!("{before}\n{rules}\n"))?;
        let (code, out, errors) = strowger(&["check", &shown])?;
        let all = format!("{out}{errors}");
        assert_ne!(code, 0, "{rules}: {all}");
        assert!(
            all.contains(told) && all.contains("strowger.toml:"),
            "{rules}: {all}"
        );
    }
    std::fs::write(
        &toml,
        format!("{before}\n[retention.records]\nmax_contacts = 1\n"),
    )?;
    let engine = strowger_tests::Engine::serve(|copy| {
        strowger_tests::program::copy_project(project.path(), copy)
    })?;
    for _ in 0..3 {
        let mut phone = strowger_tests::Phone::dial(engine.sip, "ivr", "call", &[])?;
        engine.contact_up(&phone.call_id)?;
        phone.cue()?;
        phone.ended()?;
    }
    // What is asked for is on the disk when it is told.
    let limit = std::time::Instant::now() + Duration::from_secs(20);
    let records = || -> Result<usize> {
        let list = http::get(engine.http, "/v1/records")?.json()?;
        Ok(list["items"].as_array().map_or(0, Vec::len))
    };
    while records()? < 3 {
        anyhow::ensure!(
            std::time::Instant::now() < limit,
            "three calls make three records"
        );
        std::thread::sleep(strowger_tests::program::POLL);
    }
    let (place, data) = (
        engine.project.display().to_string(),
        engine.data.display().to_string(),
    );
    let retention = |further: &[&str]| {
        let own = [
            "retention",
            "-p",
            &place,
            "--data",
            &data,
            "--format",
            "json",
        ];
        strowger(&[&own[..], further].concat())
    };
    let (code, out, errors) = retention(&["--dry-run"])?;
    assert_eq!(code, 0, "{errors}");
    assert_eq!(
        serde_json::from_str::<Json>(&out)?["gone"]["records"],
        2,
        "{out}"
    );
    assert_eq!(records()?, 3);
    let (code, out, errors) = retention(&[])?;
    assert_eq!(code, 0, "{out}{errors}");
    assert_eq!(records()?, 1);
    Ok(())
}

#[test]
fn a_record_says_which_sounds_were_to_be_heard_to_the_last_byte() -> Result<()> {
    let mut world = World::edited(tagged)?;
    let sound = world.engine.project.join("audio/en/goodbye.wav");
    let before = std::fs::read(&sound)?;
    let hashes = |world: &mut World| -> Result<(Json, Json)> {
        let mut phone = world.dial("700")?;
        phone.listen(Duration::from_millis(300));
        phone.press("42#")?;
        phone.ended()?;
        world.engine.reason(&phone.call_id)?;
        let id = world.engine.contact(&phone.call_id)?["id"].clone();
        let path = format!("/v1/contacts/{}/record", id.as_str().context("an id")?);
        let record = http::get(world.engine.http, &path)?.json()?;
        Ok((record["content"].clone(), record["flow_hash"].clone()))
    };
    let first = hashes(&mut world)?;
    let mut other = before.clone();
    *other.last_mut().context("a byte")? ^= 1;
    let mut again = Vec::new();
    for bytes in [&other, &before] {
        world.engine.program.kill()?;
        std::fs::write(&sound, bytes)?;
        world.engine.restart()?;
        again.push(hashes(&mut world)?);
    }
    assert_eq!(again[1], first, "the same bytes, the same hash");
    assert_ne!(again[0].0, first.0, "one byte of a sound alone");
    assert_eq!(again[0].1, first.1, "the flow is the same");
    Ok(())
}
