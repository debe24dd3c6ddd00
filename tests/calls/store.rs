//! The program on a PostgreSQL of the test's own, and backups of one that takes calls.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value as Json;
use strowger_contact::{Entry, EntryKind};
use strowger_tests::program::{edit, free_port, strowger};
use strowger_tests::{Engine, Phone, Postgres, Raw, http};
use tempfile::TempDir;

use crate::world::{World, always_open};

/// Longest time until a store that is back is noticed.
const BACK: Duration = Duration::from_secs(60);

/// What books a callback once a number was entered. The booking leaves the house, so it waits for the disk.
const FLOW: &str = r#"flow: callback
format: 1
languages: [en]
vars: { number: text }
steps:
  start:
    - ask: "Your number?"
      into: number
      expect: { digits: 1..4 }
      then: { ok: book, no_input: silent, no_match: silent }
  book:
    - use: callbacks/book@1
      with: { phone: "+8613800138000" }
      then: { booked: booked, error: unsaved, timeout: unsaved }
  booked: { hangup: booked }
  unsaved: { hangup: unsaved }
  silent: { hangup: silent }
"#;

/// The demo tenant with a number, 700, that books callbacks.
fn with_callbacks(project: &Path, store: &str) -> Result<()> {
    always_open(project)?;
    std::fs::write(project.join("callback.flow.yaml"), FLOW)?;
    edit(&project.join("routes.yaml"), |text| {
        text + "  - to: \"700\"\n    flow: callback\n"
    })?;
    edit(&project.join("strowger.toml"), |text| {
        format!("{text}\n[store]\n{store}\n")
    })
}

fn on_postgres(server: &Postgres) -> Result<World> {
    server.create("strowger")?;
    let url = format!("url = \"{}\"", server.url("strowger"));
    World::edited(|project| with_callbacks(project, &url))
}

/// A caller who has been asked for a number.
fn asked(world: &World) -> Result<Phone> {
    let mut phone = world.dial("700")?;
    phone.listen(Duration::from_millis(500));
    Ok(phone)
}

#[test]
fn a_call_is_kept_in_postgresql_and_closed_after_a_crash() -> Result<()> {
    let server = Postgres::start()?;
    let mut world = on_postgres(&server)?;
    let mut phone = asked(&world)?;
    phone.press("1#")?;
    phone.ended()?;
    assert_eq!(world.engine.reason(&phone.call_id)?, "booked");
    let journal = world.engine.journal(&phone.call_id)?.len();
    assert!(journal > 5, "{journal}");
    let kept = server.sql("strowger", "SELECT reason FROM contacts")?;
    assert_eq!(kept.trim(), "booked");
    assert!(!world.engine.data.join("strowger.db").exists());

    let open = asked(&world)?;
    let entries = world.engine.journal(&open.call_id)?;
    let id = world.engine.contact(&open.call_id)?["id"].clone();
    let id = id.as_str().context("an id")?;
    world.engine.program.kill()?;
    let (project, data) = (world.engine.project.clone(), world.engine.data.clone());
    let (project, data) = (project.display().to_string(), data.display().to_string());
    let (code, out, errors) = strowger(&["trace", id, "-p", &project, "--data", &data])?;
    assert_eq!(code, 0, "{out}{errors}");
    world.engine.restart()?;
    assert_eq!(world.engine.reason(&open.call_id)?, "engine-stopped");
    let after = world.engine.journal(&open.call_id)?;
    assert_eq!(after[..entries.len()], entries);
    assert_eq!(world.engine.reason(&phone.call_id)?, "booked");
    Ok(())
}

#[test]
fn a_key_by_info_that_cannot_be_saved_is_told_as_such_and_counts_once() -> Result<()> {
    let mut server = Postgres::start()?;
    server.create("strowger")?;
    let store = format!("url = \"{}\"\nwait_s = 1", server.url("strowger"));
    let mut world = World::edited(|project| with_callbacks(project, &store))?;
    let mut phone = Raw::new(world.engine.sip, "700")?;
    phone.patience(Duration::from_secs(20))?;
    phone.invite("")?;
    phone.until("SIP/2.0 200")?;
    phone.send("ACK", 1, "", "")?;
    let relay = "Content-Type: application/dtmf-relay\r\n";
    let press = |phone: &mut Raw, cseq: u32, key: char, status: &str| {
        phone.send("INFO", cseq, relay, &format!("Signal={key}\r\n"))?;
        let answer = phone.until(&format!("SIP/2.0 {status}"))?;
        ensure!(answer.contains(&format!("CSeq: {cseq} INFO")), "{answer}");
        Ok(())
    };
    press(&mut phone, 2, '1', "200 OK")?;
    let journal = world.engine.journal(&phone.call_id)?;
    ensure!(keys(&journal) == 1, "{journal:#?}");
    server.stop()?;
    press(&mut phone, 3, '2', "500 Not Saved")?;
    press(&mut phone, 4, '#', "500 Not Saved")?;
    // The call went on with both.
    let bye = phone.until("BYE ")?;
    phone.agree(&bye)?;
    server.resume()?;
    let at = world.engine.http;
    world.engine.program.wait_until("the store", BACK, || {
        http::get(at, "/metrics").is_ok_and(|metrics| metrics.body.contains("strowger_store_up 1"))
    })?;
    let contact = world.engine.contact_over(&phone.call_id)?;
    ensure!(contact["reason"] == "unsaved", "{contact}");
    let journal = world.engine.journal(&phone.call_id)?;
    ensure!(keys(&journal) == 3, "{journal:#?}");
    Ok(())
}

/// Keys that arrived.
fn keys(journal: &[Entry]) -> usize {
    let key = |entry: &&Entry| matches!(entry.kind, EntryKind::Key { .. });
    journal.iter().filter(key).count()
}

#[test]
fn a_database_that_is_gone_for_a_while_stops_no_call_and_loses_nothing() -> Result<()> {
    let mut server = Postgres::start()?;
    server.create("strowger")?;
    // For longer than the step may be busy, which has its own time for its request.
    let store = format!("url = \"{}\"\nwait_s = 6", server.url("strowger"));
    let mut world = World::edited(|project| with_callbacks(project, &store))?;
    let mut first = asked(&world)?;
    assert_eq!(world.engine.metric("store_up")?, 1);

    server.stop()?;
    // What would leave the house takes the step's error edge, and the call goes on to its end.
    first.press("1#")?;
    first.ended()?;
    assert_eq!(world.engine.metric("store_up")?, 0);
    let mut second = asked(&world)?;
    let (list, health) = (
        http::get(world.engine.http, "/v1/contacts")?,
        http::get(world.engine.http, "/healthz")?,
    );
    assert_eq!((list.status, health.status), (503, 200), "{}", list.body);
    assert!(list.body.contains("the store is gone"), "{}", list.body);
    assert_eq!(health.json()?["store"], "gone");
    assert!(world.engine.metric("store_waiting")? > 5);

    server.resume()?;
    let at = world.engine.http;
    world.engine.program.wait_until("the store", BACK, || {
        http::get(at, "/metrics").is_ok_and(|metrics| metrics.body.contains("strowger_store_up 1"))
    })?;
    second.press("1#")?;
    second.ended()?;
    assert_eq!(world.engine.reason(&first.call_id)?, "unsaved");
    assert_eq!(world.engine.reason(&second.call_id)?, "booked");
    for phone in [&first, &second] {
        let journal = world.engine.journal(&phone.call_id)?;
        let last = u32::try_from(journal.len())?;
        assert!(journal.iter().map(|entry| entry.seq).eq(0..last));
    }
    let journal = serde_json::to_string(&world.engine.journal(&first.call_id)?)?;
    assert!(
        journal.contains("the journal: ") && !journal.contains("step-timeout"),
        "{journal}"
    );
    let log = world.engine.program.log();
    assert_eq!(
        log.matches("the store cannot be written").count(),
        1,
        "{log}"
    );
    assert_eq!(log.matches("the store is back").count(), 1, "{log}");
    assert_eq!(world.engine.metric("store_lost_total")?, 0);
    assert_eq!(world.engine.metric("store_outages_total")?, 1);
    Ok(())
}

#[test]
fn a_database_that_goes_while_nothing_is_written_is_told() -> Result<()> {
    let mut server = Postgres::start()?;
    let mut world = on_postgres(&server)?;
    let at = world.engine.http;
    let store = || http::get(at, "/healthz").and_then(|answer| Ok(answer.json()?["store"].clone()));
    assert_eq!(store()?, "ok");
    for round in 1..=2 {
        server.stop()?;
        let gone = || store().is_ok_and(|store| store == "gone");
        let program = &mut world.engine.program;
        program.wait_until("the loss of the store", BACK, gone)?;
        assert_eq!(world.engine.metric("store_up")?, 0);
        server.resume()?;
        let back = || store().is_ok_and(|store| store == "ok");
        let program = &mut world.engine.program;
        program.wait_until("the store", BACK, back)?;
        assert_eq!(world.engine.metric("store_outages_total")?, round);
    }
    // And what comes then is kept.
    let mut phone = asked(&world)?;
    phone.press("1#")?;
    phone.ended()?;
    assert_eq!(world.engine.reason(&phone.call_id)?, "booked");
    Ok(())
}

/// Where a contact's recording lies, as soon as that is what `wanted` says.
fn recording(world: &mut World, call: &str, wanted: impl Fn(&Json) -> bool) -> Result<Json> {
    let mut recording = Json::Null;
    let World { engine, .. } = world;
    let (http, id) = (engine.http, engine.contact(call)?["id"].clone());
    let path = format!("/v1/contacts/{}", id.as_str().context("an id")?);
    engine
        .program
        .wait_until("what there is of the recording", BACK, || {
            let contact = http::get(http, &path).and_then(|answer| answer.json());
            recording = contact
                .map(|contact| contact["recording"].clone())
                .unwrap_or_default();
            wanted(&recording)
        })?;
    Ok(recording)
}

#[test]
fn a_recording_for_which_the_disk_has_no_room_is_cut_and_named_so() -> Result<()> {
    /// Two seconds of a call, and some.
    const ROOM: u64 = 70_000;
    // What files of a program may grow to stands for a disk; without this the program would end at the first write too much.
    // SAFETY: nobody here waits for this signal, and ignoring it is passed on to programs that are started.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
    let server = Postgres::start()?;
    let mut world = on_postgres(&server)?;
    let limit = libc::rlimit {
        rlim_cur: ROOM,
        rlim_max: ROOM,
    };
    let engine = i32::try_from(world.engine.program.id())?;
    // SAFETY: the process is a child of ours, and `limit` lives as long as the call.
    let set = unsafe {
        libc::prlimit(
            engine,
            libc::RLIMIT_FSIZE,
            &raw const limit,
            std::ptr::null_mut(),
        )
    };
    assert_eq!(set, 0);
    let mut phone = asked(&world)?;
    phone.listen(Duration::from_secs(3));
    phone.press("1#")?;
    phone.ended()?;
    assert_eq!(world.engine.reason(&phone.call_id)?, "booked");
    let id = world.engine.contact(&phone.call_id)?["id"].clone();
    let name = format!("{}-cut.wav", id.as_str().context("an id")?);
    let recording = recording(&mut world, &phone.call_id, |recording| {
        recording.as_str().is_some_and(|path| path.ends_with(&name))
    })?;
    let recording = Path::new(recording.as_str().context("a path")?).to_owned();
    let file = std::fs::read(&recording)?;
    let wav = strowger_voice::wav::Wav::parse(&file)?;
    let bytes = 4 * (wav.samples.len() / 2) + strowger_voice::wav::HEADER_BYTES;
    assert_eq!(bytes, file.len(), "its header says how long it is");
    // Up to what was written last in one piece before there was no room: a second of it at least.
    let room = usize::try_from(ROOM)?;
    assert!((32_000..=room).contains(&bytes), "{bytes}");
    assert!(
        wav.samples.iter().any(|sample| *sample != 0),
        "it can be heard"
    );
    let whole = recording.with_file_name(name.replace("-cut", ""));
    assert!(!whole.exists(), "no other file has its name");
    let record = format!("/v1/contacts/{}/record", id.as_str().context("an id")?);
    let record = http::get(world.engine.http, &record)?.json()?;
    assert_eq!(
        record["recording"],
        recording.display().to_string().as_str()
    );
    Ok(())
}

#[test]
fn a_recording_that_cannot_be_written_at_all_is_not_named() -> Result<()> {
    let mut world = World::edited(|project| with_callbacks(project, "max_mb = 512"))?;
    let folder = world.engine.data.join("recordings");
    if folder.exists() {
        std::fs::remove_dir(&folder)?;
    }
    std::fs::write(&folder, "no folder")?;
    let mut phone = asked(&world)?;
    let named = world.engine.contact(&phone.call_id)?["recording"].clone();
    assert!(named.is_string(), "{named}");
    phone.press("1#")?;
    phone.ended()?;
    assert_eq!(world.engine.reason(&phone.call_id)?, "booked");
    recording(&mut world, &phone.call_id, Json::is_null)?;
    Ok(())
}

#[test]
fn a_server_that_is_not_there_is_told_at_the_start_without_the_password() -> Result<()> {
    let port = free_port()?;
    let folder = strowger_tests::program::copy("bench")?;
    let project = folder.path().display().to_string();
    let serve = || {
        let http = ["--sip", "127.0.0.1:0", "--http", "127.0.0.1:0"];
        strowger(&[&["serve", &project][..], &http].concat())
    };
    let toml = folder.path().join("strowger.toml");
    let before = std::fs::read_to_string(&toml)?;
    let with = |line: &str| std::fs::write(&toml, format!("{before}\n[store]\n{line}\n"));
    let url = format!("postgres://strowger:top-secret@127.0.0.1:{port}/calls");
    std::fs::write(folder.path().join("url"), format!("{url}\n"))?;

    with("url_file = \"url\"")?;
    let (code, out, errors) = serve()?;
    assert_eq!(code, 2, "{out}{errors}");
    let place = format!("PostgreSQL database calls at 127.0.0.1:{port}, as user strowger");
    for words in [&*place, "is it running"] {
        assert!(errors.contains(words), "no `{words}` in {errors}");
    }
    assert!(!errors.contains("top-secret"), "{errors}");

    // A password in the project's own file is refused, and crossed out where its line is shown.
    for (line, words) in [
        (format!("url = \"{url}\""), "store.url has a password"),
        (format!("max_mb = \"{url}\""), "invalid type"),
        ("url_file = \"nowhere\"".into(), "named by store.url_file"),
        ("url = \"mysql://localhost/calls\"".into(), "PostgreSQL"),
    ] {
        with(&line)?;
        let (code, out, errors) = serve()?;
        assert_eq!(code, 2, "{line}: {out}{errors}");
        assert!(errors.contains(words), "no `{words}` in {errors}");
        assert!(!errors.contains("top-secret"), "{errors}");
    }
    Ok(())
}

#[test]
fn a_backup_of_a_running_engine_is_served_by_another_one() -> Result<()> {
    let mut world = World::edited(|project| with_callbacks(project, "max_mb = 512"))?;
    let mut over = asked(&world)?;
    over.press("1#")?;
    over.ended()?;
    assert_eq!(world.engine.reason(&over.call_id)?, "booked");
    let journal = world.engine.journal(&over.call_id)?;
    let open = asked(&world)?;
    world.engine.contact(&open.call_id)?;

    let folder = TempDir::new()?;
    let text = |path: &Path| path.display().to_string();
    let backup = text(&folder.path().join("backup"));
    let new = folder.path().join("data");
    let project = text(&world.engine.project);
    let of =
        |verb: &str, data: &Path| strowger(&[verb, &backup, "-p", &project, "--data", &text(data)]);
    let (code, out, errors) = of("backup", &world.engine.data)?;
    assert_eq!(code, 0, "{out}{errors}");
    assert!(
        out.contains("2 contacts, 0 keys of plugins, 2 recordings"),
        "{out}"
    );
    let (code, _, errors) = of("backup", &world.engine.data)?;
    assert_eq!(code, 2, "it is there already");
    assert!(errors.contains("nothing is written over"), "{errors}");
    // The folder of an engine that runs is not restored into.
    let (code, _, errors) = of("restore", &world.engine.data)?;
    assert_eq!(code, 2);
    assert!(errors.contains("in use by another engine"), "{errors}");
    let (code, out, errors) = of("restore", &new)?;
    assert_eq!(code, 0, "{out}{errors}");
    assert!(out.contains("revoked or removed since then"), "{out}");
    let (code, _, errors) = of("restore", &new)?;
    assert_eq!(code, 2);
    assert!(errors.contains("nothing is written over"), "{errors}");

    world.engine.program.kill()?;
    let engine: &mut Engine = &mut world.engine;
    engine.data.clone_from(&new);
    strowger_tests::program::share_caches(&new)?;
    engine.restart()?;
    assert_eq!(engine.reason(&over.call_id)?, "booked");
    assert_eq!(engine.journal(&over.call_id)?, journal);
    assert_eq!(engine.reason(&open.call_id)?, "engine-stopped");
    for phone in [&over, &open] {
        let recording = engine.contact(&phone.call_id)?["recording"].clone();
        let recording = recording.as_str().context("it is recorded")?;
        assert!(recording.starts_with(&text(&new)), "{recording}");
        let header = std::fs::read(recording)?;
        assert!(header.starts_with(b"RIFF"), "{recording}");
    }
    let audit = http::get(engine.http, "/v1/audit?limit=200")?.json()?;
    let lines = audit["items"].as_array().context("lines")?;
    let by_cli = |line: &Json| {
        line["who"]
            .as_str()
            .is_some_and(|who| who.starts_with("cli:"))
    };
    let restored = lines
        .iter()
        .filter(|line| line["action"] == "store.restore" && by_cli(line));
    assert_eq!(restored.count(), 1, "{audit}");
    Ok(())
}
