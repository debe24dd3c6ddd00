//! An engine that is killed again and again while calls are busy: what left the house is in a journal, and is there once.
//!
//! A call does not outlive its engine. Its keys wait for no disk; what it books does, and the 200 to each key. So: each key that
//! was answered is there, and of a call that booked every key; nothing is booked twice or by nobody, and every contact has one
//! record, whole. Behind the last commit lies each time the torn beginning of another one.
//!
//! `STROWGER_KILLS` says how often (5), `STROWGER_SEED` where the moments come from; both are printed.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use strowger_contact::EntryKind;
use strowger_tests::moments::number;
use strowger_tests::program::{callbacks, copy_project, repository};
use strowger_tests::torn::Log;
use strowger_tests::{Engine, Moments, OrderService, Postgres, Raw, http};

/// Calls at any time.
const CALLERS: u64 = 4;
/// How long the order service takes, so that a kill often falls into a request. Milliseconds.
const DELAY_MS: u64 = 40;
/// Digits that a caller enters.
const DIGITS: usize = 10;
/// Longest wait of a caller for a word of the engine; then it is dead.
const PATIENCE: Duration = Duration::from_millis(1_500);

const FLOW: &str = r#"flow: callback
format: 1
languages: [en]
prompts:
  which: { any: { audio: audio/second.ulaw } }
vars: { number: text }
steps:
  start:
    ask: which
    into: number
    expect: { digits: 10..10 }
    timeout: 20s
    then: { ok: book, no_input: silent, no_match: silent }
  book:
    - use: callbacks/book@1
      with: { phone: "+86${number}" }
      timeout: 20s
      then: { booked: booked, error: unsaved, timeout: unsaved }
  booked: { hangup: booked }
  unsaved: { hangup: unsaved }
  silent: { hangup: silent }
"#;

const ROUTES: &str = "routes:\n  - to: \"700\"\n    flow: callback\n";
/// Whoever looks at many contacts asks often.
const UNHURRIED: &str = "[http]\nrequests_per_second = 100000\nburst = 100000\n";

fn fill(project: &Path, orders: std::net::SocketAddr, store: &str) -> Result<()> {
    let flow = ("callback", FLOW);
    let settings = format!("{UNHURRIED}{store}");
    callbacks(project, "calls", orders, flow, ROUTES, &settings)?;
    copy_project(
        &repository().join("flows/bench/audio"),
        &project.join("audio"),
    )
}

/// What a caller knows of a call at its end.
struct Had {
    call_id: String,
    /// The number that was entered.
    number: String,
    /// Keys that were answered 200.
    answered: usize,
    /// The engine hung up: the flow had come to its end.
    ended: bool,
}

/// A call from its INVITE to the engine's BYE; none where the engine died before it answered.
fn call(sip: std::net::SocketAddr, number: &str) -> Result<Option<Had>> {
    let mut phone = Raw::new(sip, "700")?;
    phone.patience(PATIENCE)?;
    phone.invite("")?;
    if phone.until("SIP/2.0 200").is_err() {
        return Ok(None);
    }
    phone.send("ACK", 1, "", "")?;
    let mut had = Had {
        call_id: phone.call_id.clone(),
        number: number.to_owned(),
        answered: 0,
        ended: false,
    };
    let relay = "Content-Type: application/dtmf-relay\r\n";
    for (cseq, digit) in (2..).zip(number.chars()) {
        let body = format!("Signal={digit}\r\nDuration=100\r\n");
        phone.send("INFO", cseq, relay, &body)?;
        let answered = loop {
            match phone.until("SIP/2.0 200") {
                Ok(answer) if answer.contains(&format!("CSeq: {cseq} INFO")) => break true,
                Ok(_) => {}
                Err(_) => break false,
            }
        };
        if !answered {
            return Ok(Some(had));
        }
        had.answered += 1;
    }
    if let Ok(bye) = phone.until("BYE ") {
        phone.agree(&bye)?;
        had.ended = true;
    }
    Ok(Some(had))
}

#[test]
fn load_what_calls_booked_is_there_once_however_often_the_engine_is_killed() -> Result<()> {
    series(None)
}

#[test]
fn load_what_calls_booked_is_there_once_on_postgresql() -> Result<()> {
    let server = Postgres::start()?;
    server.create("strowger")?;
    series(Some(&server))
}

fn series(server: Option<&Postgres>) -> Result<()> {
    let kills = number("STROWGER_KILLS", 5)?;
    let seed = number("STROWGER_SEED", 0x5eed_0002)?;
    eprintln!("{kills} kills, STROWGER_SEED={seed}");
    let mut moments = Moments::of(seed);
    let orders = OrderService::slow(DELAY_MS)?;
    let store = server.map(|server| format!("[store]\nurl = \"{}\"\n", server.url("strowger")));
    let mut engine =
        Engine::serve(|project| fill(project, orders.address, &store.unwrap_or_default()))?;
    let (sip, http) = (engine.sip, engine.http);
    let stop = AtomicBool::new(false);
    let numbers = AtomicU64::new(1_300_000_000);
    let had: Vec<Had> = std::thread::scope(|scope| -> Result<Vec<Had>> {
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                scope.spawn(|| {
                    let mut had = Vec::new();
                    while !stop.load(Ordering::Relaxed) {
                        let number = numbers.fetch_add(1, Ordering::Relaxed).to_string();
                        had.extend(call(sip, &number)?);
                    }
                    Ok::<_, anyhow::Error>(had)
                })
            })
            .collect();
        let mut torn = 0;
        for kill in 0..kills {
            // Up to about the length of four calls, whose keys are answered a commit each: many begin between two kills, and some are over.
            std::thread::sleep(Duration::from_millis(200 + moments.next(3_000)));
            let again = engine.program.kill().and_then(|()| {
                // What the kill left of the next commit a loss of power would have left in pieces.
                if let Some(log) = Log::read(&engine.data)? {
                    log.tear(&mut moments)?;
                    torn += 1;
                }
                engine.restart()
            });
            if again.is_err()
                || callers
                    .iter()
                    .any(std::thread::ScopedJoinHandle::is_finished)
            {
                stop.store(true, Ordering::Relaxed);
                again.with_context(|| format!("kill {kill} of seed {seed}"))?;
                break;
            }
        }
        stop.store(true, Ordering::Relaxed);
        ensure!(server.is_some() || torn > 0, "no log was torn");
        let mut had = Vec::new();
        for caller in callers {
            match caller.join() {
                Ok(done) => had.extend(done?),
                Err(_) => bail!("a caller panicked"),
            }
        }
        Ok(had)
    })
    .with_context(|| format!("seed {seed}"))?;
    // What the last one left open is closed, and every record is there.
    engine.program.kill()?;
    engine.restart()?;

    let mut bookings: BTreeMap<String, i64> = BTreeMap::new();
    for phone in booked(&orders.database())? {
        *bookings.entry(phone).or_default() += 1;
    }
    let ended = had.iter().filter(|had| had.ended).count();
    eprintln!(
        "{} calls, {ended} to their end, {} bookings",
        had.len(),
        bookings.len()
    );
    ensure!(
        ended as u64 >= CALLERS,
        "{ended} calls of {} ended",
        had.len()
    );
    for (phone, times) in &bookings {
        ensure!(*times == 1, "seed {seed}: {phone} is booked {times} times");
        let known = had.iter().any(|had| format!("+86{}", had.number) == *phone);
        ensure!(known, "seed {seed}: nobody asked for {phone}");
    }
    for Had {
        call_id,
        number,
        answered,
        ended,
    } in &had
    {
        let booked = bookings.contains_key(&format!("+86{number}"));
        ensure!(
            booked || !ended,
            "seed {seed}: {number} heard of a booking that is not there"
        );
        let list = http::get(http, &format!("/v1/contacts?call_id={call_id}"))?.json()?;
        let list = list["items"].as_array().context("a list")?;
        ensure!(
            list.len() <= 1,
            "seed {seed}: {call_id} is {} contacts",
            list.len()
        );
        let Some(contact) = list.first() else {
            ensure!(
                !booked && *answered == 0,
                "seed {seed}: {number} is booked, or had {answered} keys answered, and is no contact"
            );
            continue;
        };
        let reason = contact["reason"].as_str().unwrap_or_default();
        ensure!(
            matches!(reason, "booked" | "engine-stopped"),
            "seed {seed}: {contact}"
        );
        ensure!(
            booked || reason != "booked",
            "seed {seed}: {contact} booked nothing"
        );
        let journal = engine.journal(call_id)?;
        ensure!(
            journal
                .iter()
                .map(|entry| entry.seq)
                .eq(0..journal.len() as u32),
            "seed {seed}: {call_id} has a hole"
        );
        let keys = journal
            .iter()
            .filter(|entry| matches!(entry.kind, EntryKind::Key { .. }));
        let keys = keys.count();
        ensure!(
            keys >= *answered,
            "seed {seed}: of {answered} keys that {call_id} had answered {keys} are there"
        );
        if booked {
            ensure!(
                keys == DIGITS,
                "seed {seed}: {call_id} booked with {keys} keys"
            );
            let asked = journal.iter().filter(|entry| {
                matches!(&entry.kind, EntryKind::Asked { function, .. } if function == "client.send" || function.starts_with("http"))
            });
            let asked = asked.count();
            ensure!(
                asked == 1,
                "seed {seed}: {call_id} asked {asked} times: {journal:#?}"
            );
        }
    }
    // Every contact is over and has one record.
    let (_, records, errors) = strowger_tests::program::strowger(&[
        "export",
        "--format",
        "jsonl",
        "--project",
        &engine.project.display().to_string(),
        "--data",
        &engine.data.display().to_string(),
    ])?;
    let mut seen = std::collections::BTreeSet::new();
    for line in records.lines() {
        let record: serde_json::Value = serde_json::from_str(line)?;
        let id = record["id"].as_str().context("an id")?.to_owned();
        ensure!(seen.insert(id), "seed {seed}: two records: {line}");
    }
    let contacts = match server {
        Some(server) => server.sql("strowger", CONTACTS)?.trim().parse()?,
        None => count(&engine.data.join("strowger.db"))?,
    };
    ensure!(
        seen.len() as i64 == contacts,
        "seed {seed}: {} records of {contacts} contacts: {errors}",
        seen.len()
    );
    Ok(())
}

const CONTACTS: &str = "SELECT COUNT(*) FROM contacts";

/// The numbers that are booked, one a row.
fn booked(file: &Path) -> Result<Vec<String>> {
    read(file, "SELECT phone FROM callbacks")
}

fn count(file: &Path) -> Result<i64> {
    let counts: Vec<i64> = read(file, CONTACTS)?;
    counts.first().copied().context("a count")
}

fn read<T>(file: &Path, sql: &'static str) -> Result<Vec<T>>
where
    T: Send + Unpin + sqlx::Type<sqlx::Sqlite> + for<'r> sqlx::Decode<'r, sqlx::Sqlite>,
{
    use sqlx::Connection;
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(file)
        .busy_timeout(Duration::from_secs(10));
    let work = async {
        let mut connection = sqlx::SqliteConnection::connect_with(&options).await?;
        let rows = sqlx::query_scalar(sql).fetch_all(&mut connection).await?;
        connection.close().await?;
        Ok(rows)
    };
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(work)
}
