//! Many calls walk while plugins change under them: each goes on to its end, on the version that it began with.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value as Json;
use strowger_tests::Hall;
use strowger_tests::hall::CHATS;
use strowger_tests::program::Program;
use strowger_tests::program::component;
use strowger_tests::projects::{altered, aurora, digest};
use strowger_tests::{OrderService, http, phone};

/// Calls that are up while their tenant publishes.
const CALLS: usize = 500;
/// That begin in a second.
const A_SECOND: u32 = 100;
/// When each presses a key, in milliseconds: so late that three versions go live meanwhile.
const PRESSES_AFTER_MS: u32 = 20_000;
/// The number that leads to the flow below.
const NUMBER: &str = "500";
/// Waits for a key as long as a flow may wait; whoever presses it meets the plugin.
const FLOW: &str = r#"flow: parcel
format: 1
languages: [en]
prompts:
  which: { en: "To hear where your parcel is, press one." }
steps:
  start:
    menu: which
    timeout: 60s
    attempts: 1
    press: { 1: lookup }
    then: { no_input: silent, no_match: silent }
  lookup:
    use: orders/lookup@1
    with: { order_no: "20260302", phone: "${call.from}" }
    as: order
    then: { found: served, not_found: unknown, timeout: broken, error: broken }
  served: { hangup: served }
  silent: { hangup: silent }
  unknown: { hangup: unknown }
  broken: { hangup: broken }
"#;

/// What the tenant's steps may use: a machine that is busy with other things must not end them, for that is not what is looked
/// at here.
const LIMITS: &str = "[limits.step]\ncpu_ms = 5000\nbusy_ms = 60000\n[limits.http]\nconnect_ms = 30000\ntotal_ms = 60000\nat_once = 1000\n";

/// A contact that is over.
struct Over {
    reason: String,
    /// SHA-256 of the component that its steps of the plugin ran on.
    ran: Vec<String>,
    /// Codes and messages of its steps that failed.
    failed: Vec<String>,
}

/// Whoever has called the number, by id.
fn over(hall: &Hall) -> Result<BTreeMap<String, Over>> {
    let mut all = BTreeMap::new();
    let mut page = "/v1/contacts?limit=200".to_owned();
    loop {
        let contacts = hall.get(&page)?;
        for row in contacts["items"].as_array().into_iter().flatten() {
            let id = row["id"].as_str().context("an id")?;
            let reason = row["reason"].as_str().unwrap_or("not over").to_owned();
            let journal = http::get(hall.engine.http, &format!("/v1/contacts/{id}/journal"))?;
            let entries = journal.body.lines().map(serde_json::from_str::<Json>);
            let (mut ran, mut failed) = (Vec::new(), Vec::new());
            for entry in entries {
                let entry = entry?;
                if entry["kind"] == "ran" && entry["plugin"] == "orders/lookup@1" {
                    ran.push(entry["digest"].as_str().context("a digest")?.to_owned());
                }
                if entry["kind"] == "failed" {
                    failed.push(format!("{}: {}", entry["code"], entry["message"]));
                }
            }
            let over = Over {
                reason,
                ran,
                failed,
            };
            all.insert(id.to_owned(), over);
        }
        match contacts["next"].as_str() {
            Some(next) => page = format!("/v1/contacts?limit=200&after={next}"),
            None => return Ok(all),
        }
    }
}

/// Waits until so many calls are up.
fn up(hall: &mut Hall, what: &str, so_many: impl Fn(u64) -> bool) -> Result<()> {
    let http = hall.engine.http;
    let limit = Duration::from_secs(60);
    hall.engine.program.wait_until(what, limit, || {
        let health = http::get(http, "/healthz").and_then(|answer| answer.json());
        health.is_ok_and(|health| health["calls"].as_u64().is_some_and(&so_many))
    })
}

/// Callers of the number, each of whom must be served and hung up on.
fn callers(hall: &Hall, calls: usize, presses_after_ms: u32, log: &Path) -> Result<Program> {
    let callers = (calls, A_SECOND);
    let sip = hall.engine.sip;
    let mut command = phone::many(sip, NUMBER, "many-press", callers, presses_after_ms, None)?;
    command.current_dir(log).args(["-timeout", "120"]);
    Program::start(command, "sipp", log.join("log"))
}

fn all_served(mut callers: Program) -> Result<()> {
    let code = callers.wait(Duration::from_secs(120))?;
    ensure!(code == 0, "SIPp says {code}:\n{}", callers.log());
    Ok(())
}

#[test]
fn load_nothing_is_dropped_while_five_hundred_contacts_walk_and_plugins_change() -> Result<()> {
    let orders = OrderService::start()?;
    let address = orders.address.to_string();
    let grants = format!(
        "numbers = [\"*\"]\n[grants]\nhttp = [\"{address}\"]\nkv = true\nroute = true\n{LIMITS}private = [\"{address}\"]\n"
    );
    let mut hall = Hall::open_with(CHATS, &[("aurora", &grants)])?;
    let project = aurora(orders.address)?;
    std::fs::write(project.path().join("parcel.flow.yaml"), FLOW)?;
    let routes = project.path().join("routes.yaml");
    let others = std::fs::read_to_string(&routes)?;
    let route = format!("routes:\n  - {{ to: \"{NUMBER}\", flow: parcel }}\n");
    std::fs::write(&routes, others.replacen("routes:\n", &route, 1))?;
    let folder = project.path().display().to_string();
    hall.refused(
        &["push", &folder, "--release"],
        &["orders: http", "orders: import contact", "accept"],
    )?;
    hall.done(&["release", "1", "--tenant", "aurora", "--accept", "all"])?;

    // New versions of a plugin, each live at once.
    let built = component("aurora-orders")?;
    let log = tempfile::TempDir::new()?;
    let version = |patch: u32| {
        let version = format!("\"version\": \"1.0.{patch}\"");
        altered(&built, "\"version\": \"1.0.0\"", &version)
    };
    let push = |hall: &Hall, patch: u32| -> Result<Duration> {
        let file = log.path().join(format!("orders-{patch}.wasm"));
        std::fs::write(&file, version(patch)?)?;
        let file = file.display().to_string();
        let began = Instant::now();
        let said = hall.done(&["plugin", "push", &file, "--tenant", "aurora", "--release"])?;
        ensure!(
            said.contains(&format!("plugin orders@1.0.{patch}, new")),
            "{said}"
        );
        Ok(began.elapsed())
    };

    // All are up and wait for a key: three versions go live, and the last of them is withdrawn.
    let first = callers(&hall, CALLS, PRESSES_AFTER_MS, log.path())?;
    up(&mut hall, "all calls", |calls| calls == CALLS as u64)?;
    let mut slowest = Duration::ZERO;
    for patch in 1..=3 {
        slowest = slowest.max(push(&hall, patch)?);
    }
    hall.done(&["release", "--tenant", "aurora", "--roll-back"])?;
    eprintln!("slowest upload to live with {CALLS} calls up: {slowest:?}");
    let health = hall.get("/healthz")?;
    assert_eq!(
        health["calls"], CALLS,
        "none has gone while plugins changed"
    );
    assert_eq!(hall.engine.metric("calls_answered_total")?, CALLS as u64);
    // They press their keys, and are at the plugin while it changes again.
    up(&mut hall, "the first to be served", |calls| {
        calls < CALLS as u64
    })?;
    push(&hall, 4)?;
    hall.done(&["release", "--tenant", "aurora", "--roll-back"])?;
    all_served(first)?;

    // Each had its answer, of the version that it began with.
    up(&mut hall, "the end of all calls", |calls| calls == 0)?;
    let before = over(&hall)?;
    let mut failed: BTreeMap<&str, usize> = BTreeMap::new();
    for why in before.values().flat_map(|contact| &contact.failed) {
        *failed.entry(why).or_default() += 1;
    }
    ensure!(failed.is_empty(), "steps failed: {failed:#?}");
    let said = hall.engine.program.log();
    assert_eq!(hall.engine.metric("failures_total")?, 0, "{said}");
    assert_eq!(hall.engine.metric("calls_answered_total")?, CALLS as u64);
    assert_eq!(before.len(), CALLS);
    for (id, contact) in &before {
        assert_eq!(contact.reason, "served", "{id}");
        assert_eq!(contact.ran, [digest(&built)], "{id}");
    }
    // Whoever calls now meets what is live.
    assert_eq!(hall.live("aurora")?, Some(3));
    all_served(callers(&hall, 1, 100, log.path())?)?;
    up(&mut hall, "the end of the last call", |calls| calls == 0)?;
    let after = over(&hall)?;
    let (_, last) = after
        .iter()
        .find(|(id, _)| !before.contains_key(*id))
        .context("another contact")?;
    assert_eq!(last.ran, [digest(&version(2)?)]);
    Ok(())
}
