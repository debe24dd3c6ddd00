//! What plugins pour into the engine's log and into the store: it is bounded, counted and told, and another tenant's contact ends
//! well meanwhile.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use rand::RngCore as _;
use serde_json::{Value as Json, json};
use strowger_tests::attack::{Attack, attacker};
use strowger_tests::hall::{CHATS, Over};
use strowger_tests::http;
use strowger_tests::program::{edit, strowger};
use strowger_tests::projects::{project, says};
use strowger_tests::upstream::{Upstream, reply};
use strowger_tests::{Hall, Phone};
use tempfile::TempDir;

use crate::guest::{Guest, description};

/// How long the description of the shouting component is, in bytes.
const SHOUTED: usize = 2_000;
/// What it prints, so many times.
const SHOUTS: u64 = 500;
const SHOUT: &str = "shouting";

/// The output of WASI.
const OUTPUT: &str = r#"
    (import "wasi:cli/stdout@0.2.9" "get-stdout" (func $stdout (result i32)))
    (import "wasi:io/streams@0.2.9" "[method]output-stream.blocking-write-and-flush"
        (func $write (param i32 i32 i32 i32)))"#;
/// Prints in `describe`.
macro_rules! shout {
    ($then:literal) => {
        concat!(
            "(local $out i32) (local $n i32)
             (local.set $out (call $stdout))
             (loop $again
               (call $write (local.get $out) (i32.const 128) (i32.const 9) (i32.const 1024))
               (local.set $n (i32.add (local.get $n) (i32.const 1)))
               (br_if $again (i32.lt_u (local.get $n) (i32.const 500))))",
            $then
        )
    };
}
const SHOUTS_AND_SAYS: &str = shout!(
    "(i32.store (i32.const 8) (i32.const 4096)) (i32.store (i32.const 12) (i32.const 2000)) (i32.const 8)"
);
const SHOUTS_AND_TRAPS: &str = shout!("unreachable");

/// A project of mallory's whose one plugin prints while it describes itself: no other's, so that what it says of itself is known to nobody
/// yet.
fn shouting(describe: &'static str) -> Result<TempDir> {
    let own = rand::rng().next_u64();
    let component = Guest {
        imports: OUTPUT,
        describe: Some(describe),
        description: format!("{:<SHOUTED$}", description().to_string()),
        items: format!("(data (i32.const 128) \"{SHOUT}\\0a\") (data (i32.const 256) \"{own}\")"),
        wasi: Some("0.2.9"),
        ..Guest::default()
    };
    let quiet = says("mallory", "600", "Nothing is wrong.")?;
    let flow = std::fs::read_to_string(quiet.path().join("greeting.flow.yaml"))?;
    let plugins = [("guest", component.build())];
    project("mallory", &plugins, "", &[("600", "greeting", flow)])
}

/// The lines of the log that have a word.
fn lines(hall: &Hall, word: &str) -> Vec<String> {
    let log = hall.engine.program.log();
    let lines = log.lines().filter(|line| line.contains(word));
    lines.map(str::to_owned).collect()
}

#[test]
fn what_a_component_prints_while_it_describes_itself_is_bounded() -> Result<()> {
    let rules = "[limits.log]\nlines_per_step = 20\nlines_per_second = 1000\n";
    let hall = Hall::beside_a_victim(rules)?;
    let named = |line: &String| line.contains("tenant=mallory") && line.contains("plugin=guest");
    let left_out = format!(
        "left out {} lines that it printed while it described itself (limits.log.lines_per_step)",
        SHOUTS - 20
    );
    hall.publish(&shouting(SHOUTS_AND_SAYS)?)?;
    let shown = lines(&hall, SHOUT);
    assert_eq!(shown.len(), 20, "{shown:?}");
    let told = lines(&hall, &left_out);
    assert_eq!(told.len(), 1, "{told:?}");
    ensure!(shown.iter().chain(&told).all(named), "{shown:?} {told:?}");
    assert_eq!(hall.refusals("log.lines_per_step")?, SHOUTS - 20);

    // One that is refused is bounded too, and has the name of its project.
    let trapping = shouting(SHOUTS_AND_TRAPS)?;
    let folder = trapping.path().display().to_string();
    hall.refused(&["push", &folder], &["describe"])?;
    let shown = lines(&hall, SHOUT);
    assert_eq!(shown.len(), 40, "{shown:?}");
    let told = lines(&hall, &left_out);
    assert_eq!(told.len(), 2, "{told:?}");
    ensure!(shown.iter().chain(&told).all(named), "{shown:?} {told:?}");
    assert_eq!(hall.refusals("log.lines_per_step")?, 2 * (SHOUTS - 20));
    hall.neighbour()
}

#[test]
fn many_components_share_the_lines_of_their_tenant() -> Result<()> {
    let rules = "[limits.log]\nlines_per_step = 100\nlines_per_second = 1\n";
    let hall = Hall::beside_a_victim(rules)?;
    hall.publish(&shouting(SHOUTS_AND_SAYS)?)?;
    let shown = lines(&hall, SHOUT).len() as u64;
    ensure!((1..100).contains(&shown), "{shown} lines in some seconds");
    assert_eq!(hall.refusals("log.lines_per_step")?, SHOUTS - 100);
    // Its own lines, and perhaps that others are left out.
    let beyond = hall.refusals("log.lines_per_second")?;
    ensure!(
        (100 - shown..=101 - shown).contains(&beyond),
        "{beyond} beside {shown}"
    );
    assert_eq!(lines(&hall, "log lines of plugins are left out").len(), 1);
    hall.neighbour()
}

/// A failure of 60,000 bytes.
fn failing() -> Attack<'static> {
    Attack {
        number: "600",
        step: "guest-liar/go",
        with: "{ kind: huge-failure, bytes: 60000 }".to_owned(),
    }
}

#[test]
fn the_words_of_a_failure_are_cut_and_counted_in_the_log() -> Result<()> {
    let hall = Hall::attacked("[limits.log]\nlines_per_second = 5\n", "", &[failing()])?;
    let id = hall.begin("600")?;
    let over = hall.beside_a_neighbour(|| hall.over(&id))?;
    assert_eq!(over.reason, "failed", "{}", over.journal.len());
    ensure!(over.journal.contains(&"x".repeat(60_000)), "not whole");
    let told = lines(&hall, &"x".repeat(500));
    let [line] = &told[..] else {
        anyhow::bail!("{} lines", told.len());
    };
    ensure!(line.len() < 1_500, "{} bytes in a line", line.len());
    for word in [
        "tenant=mallory",
        &format!("contact={id}"),
        "step=guest-liar/go@1",
        "more bytes; the whole is in the contact's journal",
    ] {
        ensure!(line.contains(word), "no `{word}`: {line}");
    }
    // More failures than the tenant may have lines a second.
    let ids: Vec<String> = (0..30).map(|_| hall.begin("600")).collect::<Result<_>>()?;
    for id in ids {
        assert_eq!(hall.over(&id)?.reason, "failed");
    }
    let told = lines(&hall, &"x".repeat(500)).len() as u64;
    let beyond = hall.refusals("log.lines_per_second")?;
    ensure!(beyond > 0, "{told} lines");
    assert_eq!(told + beyond, 31);
    assert_eq!(hall.engine.metric("failures_total")?, 31);
    hall.neighbour()
}

/// Replays a contact on the revision that it walked: it does the same.
fn replayed(hall: &Hall, id: &str) -> Result<()> {
    let (project, data) = (&hall.engine.project, &hall.engine.data);
    let (project, data) = (project.display().to_string(), data.display().to_string());
    let (code, out, err) = strowger(&["replay", id, "-p", &project, "--data", &data])?;
    ensure!(code == 0, "{out}{err}");
    Ok(())
}

/// The entry of a journal by which a step failed.
fn failed(over: &Over) -> Result<Json> {
    let entries = over.journal.lines().map(serde_json::from_str::<Json>);
    let entries: Vec<Json> = entries.collect::<Result<_, _>>()?;
    let mut failed = entries
        .into_iter()
        .filter(|entry| entry["kind"] == "failed");
    failed.next_back().context("a step that failed")
}

const RULE: &str = "limits.journal_mb_per_contact";

#[test]
fn what_a_journal_has_no_room_for_is_refused() -> Result<()> {
    let body = "y".repeat(600 << 10);
    let service = Upstream::start(move |_, out| reply(out, "200 OK", "", body.as_bytes()))?;
    let address = service.address;
    let grants = format!("http = [\"{address}\"]");
    let rules = format!(
        "[grants]\n{grants}\n[limits]\njournal_mb_per_contact = 1\n[limits.http]\nprivate = [\"{address}\"]\n"
    );
    let fetch = Attack {
        number: "600",
        step: "guest-reach/go",
        with: format!(
            "{{ plan: '[{{\"url\": \"http://{address}/\"}}, {{\"url\": \"http://{address}/\", \"times\": 5}}]' }}"
        ),
    };
    let hall = Hall::attacked(&rules, &grants, &[fetch])?;
    let id = hall.begin("600")?;
    let over = hall.beside_a_neighbour(|| hall.over(&id))?;
    // The flow says goodbye.
    assert_eq!(over.reason, "over");
    let answers = over.answers()?;
    assert_eq!(answers[0]["ok"]["bytes"], 600 << 10, "{}", answers[0]);
    let refused = answers[1]["err"]["limit"].as_str().unwrap_or_default();
    ensure!(refused.contains(RULE), "{}", answers[1]);
    assert_eq!(hall.refusals("journal_mb_per_contact")?, 5);
    ensure!(over.journal.len() < 1 << 20, "{}", over.journal.len());
    replayed(&hall, &id)
}

#[test]
fn a_contact_that_writes_on_and_on_ends() -> Result<()> {
    let flood = |number, times: u32, bytes: u32| Attack {
        number,
        step: "guest-flood/go",
        with: format!("{{ kind: log, bytes: {bytes}, times: {times} }}"),
    };
    // The guest can keep data too, and must be granted that.
    let rules =
        "[grants]\nkv = true\n[limits]\njournal_mb_per_contact = 1\n[limits.step]\ncpu_ms = 2000\n";
    let attacks = [flood("600", 10, 200_000), flood("601", 350, 10_000)];
    let hall = Hall::attacked(rules, "kv = true", &attacks)?;
    // What is too much for the journal ends the step that asks for it, and the flow goes on.
    let id = hall.begin("600")?;
    let over = hall.beside_a_neighbour(|| hall.over(&id))?;
    assert_eq!(over.reason, "failed");
    let failed = failed(&over)?;
    assert_eq!(failed["code"], "step-journal-limit", "{failed}");
    ensure!(failed["message"].to_string().contains(RULE), "{failed}");
    assert_eq!(hall.refusals("journal_mb_per_contact")?, 1);
    ensure!(over.journal.len() < 1 << 20, "{}", over.journal.len());
    replayed(&hall, &id)?;
    // A few words have room, and come to an end too.
    let id = hall.begin("601")?;
    let over = hall.beside_a_neighbour(|| hall.over(&id))?;
    assert_eq!(over.reason, "error");
    let end: Json = serde_json::from_str(over.journal.lines().next_back().context("an end")?)?;
    assert_eq!(end["kind"], "ended", "{end}");
    ensure!(end["error"].to_string().contains(RULE), "{end}");
    let told = lines(&hall, "contact ended by a fault");
    let named = |line: &String| line.contains("tenant=mallory") && line.contains(RULE);
    ensure!(told.len() == 1 && told.iter().all(named), "{told:?}");
    ensure!(
        (2 << 20..3 << 20).contains(&over.journal.len()),
        "{} bytes",
        over.journal.len()
    );
    assert_eq!(hall.refusals("journal_mb_per_contact")?, 2);
    replayed(&hall, &id)
}

/// Waits until the log has a word.
fn told(hall: &mut Hall, word: &str) -> Result<()> {
    let log = hall.engine.log();
    let limit = Duration::from_secs(60);
    hall.engine.program.wait_until(word, limit, || {
        std::fs::read_to_string(&log).is_ok_and(|log| log.contains(word))
    })
}

/// What comes of beginning a contact of mallory's.
fn begun(hall: &Hall) -> Result<http::Response> {
    let body = json!({ "to": "600", "from": "+8613800138000" });
    http::ask(hall.engine.http, "POST", "/v1/chats", None, Some(&body))
}

/// What is kept of mallory's contacts takes, and all that is kept of it may take.
fn kept(hall: &Hall) -> Result<[u64; 2]> {
    let metric = |name: &str| hall.engine.metric(name);
    Ok([
        metric("kept_bytes{tenant=\"mallory\",of=\"contacts\"}")?,
        metric("kept_bytes_most{tenant=\"mallory\"}")?,
    ])
}

#[test]
fn one_tenants_journals_do_not_fill_the_store_of_all() -> Result<()> {
    // Chance does not pack.
    let mut body = vec![0; 900 << 10];
    rand::rng().fill_bytes(&mut body);
    let service = Upstream::start(move |_, out| reply(out, "200 OK", "", &body))?;
    let address = service.address;
    let grants = format!("http = [\"{address}\"]");
    // Two MiB of forty.
    let mallory = format!(
        "numbers = [\"6*\"]\n[grants]\n{grants}\n[limits]\njournals_percent = 5\n[limits.step]\ncpu_ms = 2000\n[limits.http]\n\
         private = [\"{address}\"]\n[retention.journals]\nmax_contacts = 1\n"
    );
    let tenants = [
        ("mallory", mallory.as_str()),
        ("lyra", "numbers = [\"900\"]\n"),
    ];
    let settings = format!("[store]\nmax_mb = 40\n{CHATS}");
    let mut hall = Hall::open_with(&settings, &tenants)?;
    hall.publish(&says("lyra", "900", "Good morning.")?)?;
    let fetch = Attack {
        number: "600",
        step: "guest-reach/go",
        with: format!("{{ plan: '[{{\"url\": \"http://{address}/\"}}]' }}"),
    };
    hall.publish(&attacker("mallory", &grants, &[fetch])?)?;
    assert_eq!(hall.get("/healthz")?["tenants_crowded"], 0);
    for _ in 0..3 {
        hall.walked("600")?;
    }
    told(
        &mut hall,
        "takes no new contacts: what is kept of it takes 2 MiB",
    )?;
    let refused = begun(&hall)?;
    assert_eq!(refused.status, 503, "{}", refused.body);
    ensure!(!refused.body.contains("mallory"), "{}", refused.body);
    assert_eq!(hall.get("/healthz")?["tenants_crowded"], 1);
    assert_eq!(hall.get("/v1/tenants/mallory")?["refused"], 1);
    let [bytes, most] = kept(&hall)?;
    ensure!(most == 2 << 20 && bytes > most, "{bytes} of {most}");
    hall.calm("900")?;
    // Retention makes room at once, and not in ten minutes.
    told(&mut hall, "takes contacts again")?;
    hall.walked("600")?;
    assert_eq!(hall.get("/healthz")?["tenants_crowded"], 0);
    Ok(())
}

/// A flow whose contacts have small journals, which pack well, and records of sixty KiB.
fn fat() -> String {
    let tags = (0..60).map(|n| format!("        t{n}: \"${{s}}\"\n"));
    format!(
        "flow: fat\nformat: 1\nlanguages: [en]\nvars:\n  s: {{ type: text, default: \"{}\" }}\nsteps:\n  start:\n    - tag:\n{}    \
         - hangup: completed\n",
        "a".repeat(1_000),
        tags.collect::<String>()
    )
}

#[test]
fn one_tenants_records_do_not_fill_the_store_of_all() -> Result<()> {
    // Two MiB of forty.
    let rules = |more: &str| format!("numbers = [\"6*\"]\n[limits]\njournals_percent = 5\n{more}");
    let tenants = [
        ("mallory", rules("")),
        ("lyra", "numbers = [\"900\"]\n".to_owned()),
    ];
    let tenants = tenants
        .each_ref()
        .map(|(name, text)| (*name, text.as_str()));
    let settings = format!("[store]\nmax_mb = 40\n{CHATS}");
    let mut hall = Hall::open_with(&settings, &tenants)?;
    hall.publish(&says("lyra", "900", "Good morning.")?)?;
    hall.publish(&project("mallory", &[], "", &[("600", "fat", fat())])?)?;
    let mut records = 0;
    let refused = loop {
        let begun = begun(&hall)?;
        if begun.status != 201 {
            break begun;
        }
        records += 1;
        ensure!(records < 100, "a hundred records of sixty KiB are six MiB");
    };
    assert_eq!(refused.status, 503, "{}", refused.body);
    told(
        &mut hall,
        "takes no new contacts: what is kept of it takes 2 MiB",
    )?;
    let log = std::fs::read_to_string(hall.engine.log())?;
    let named =
        |line: &str| line.contains("tenant=mallory") && line.contains("[retention.records]");
    ensure!(
        log.lines()
            .any(|line| line.contains("takes no new contacts") && named(line)),
        "{log}"
    );
    let [bytes, most] = kept(&hall)?;
    ensure!(most == 2 << 20 && bytes > most, "{bytes} of {most}");
    assert_eq!(hall.get("/healthz")?["tenants_crowded"], 1);
    hall.calm("900")?;
    // Nothing is due by itself; what the operator then says of records goes at once.
    hall.rule("mallory", &rules("[retention.records]\nmax_contacts = 3\n"))?;
    hall.reload("takes contacts again")?;
    assert_eq!(begun(&hall)?.status, 201);
    hall.calm("900")
}

#[test]
fn what_plugins_keep_leaves_room_for_contacts() -> Result<()> {
    // Of two MiB of forty, plugins have one.
    let rules = "numbers = [\"6*\"]\n[grants]\nkv = true\n[limits]\njournals_percent = 5\n[limits.step]\ncpu_ms = 2000\n";
    let tenants = [("mallory", rules), ("lyra", "numbers = [\"900\"]\n")];
    let settings = format!("[store]\nmax_mb = 40\n{CHATS}");
    let hall = Hall::open_with(&settings, &tenants)?;
    hall.publish(&says("lyra", "900", "Good morning.")?)?;
    let flood = Attack {
        number: "600",
        step: "guest-flood/go",
        with: "{ kind: kv, bytes: 60000, times: 20 }".to_owned(),
    };
    hall.publish(&attacker("mallory", "kv = true", &[flood])?)?;
    let over = hall.over(&hall.begin("600")?)?;
    assert_eq!(over.reason, "over");
    // Seventeen of sixty thousand bytes are a MiB.
    assert_eq!(over.data()?["refused"], 3);
    assert_eq!(hall.refusals("journals_percent")?, 3);
    let kv = hall
        .engine
        .metric("kept_bytes{tenant=\"mallory\",of=\"kv\"}")?;
    ensure!((900_000..1 << 20).contains(&kv), "{kv}");
    hall.calm("900")
}

#[test]
fn one_tenants_changes_do_not_fill_the_audit_log_of_all() -> Result<()> {
    // An eighth of a hundredth of sixteen MiB: twenty KiB.
    let tenants = [
        ("mallory", "[limits]\njournals_percent = 1\n"),
        ("lyra", ""),
    ];
    let settings = format!("[store]\nmax_mb = 16\n{CHATS}");
    let mut hall = Hall::open_with(&settings, &tenants)?;
    let owner = |tenant| hall.engine.token("owner", &["--tenant", tenant]);
    let [mallory, lyra] = [owner("mallory")?, owner("lyra")?];
    let at = hall.engine.http;
    let wanted = json!({ "name": "another", "role": "auditor" });
    let make = |token: &str| http::ask(at, "POST", "/v1/tokens", Some(token), Some(&wanted));
    let revoke = |token: &str, id: &str| {
        http::ask(at, "DELETE", &format!("/v1/tokens/{id}"), Some(token), None)
    };
    let first = make(&mallory)?.json()?["id"].as_str().map(str::to_owned);
    let first = first.context("an id")?;
    let word = "its users and tokens make nothing new";
    let (log, limit) = (hall.engine.log(), Duration::from_secs(60));
    hall.engine.program.wait_until(word, limit, || {
        let made = make(&mallory).and_then(|made| made.json());
        let id = made
            .ok()
            .and_then(|made| Some(made["id"].as_str()?.to_owned()));
        if let Some(id) = id {
            // Whether it is done is in the log.
            let _ = revoke(&mallory, &id);
        }
        std::fs::read_to_string(&log).is_ok_and(|log| log.contains(word))
    })?;
    let refused = make(&mallory)?;
    assert_eq!(refused.status, 507, "{}", refused.body);
    ensure!(
        refused.body.contains("limits.journals_percent"),
        "{}",
        refused.body
    );
    // What removes something is done, and a neighbour is not held to it.
    assert_eq!(revoke(&mallory, &first)?.status, 204);
    assert_eq!(make(&lyra)?.status, 201);
    Ok(())
}

/// A call from its beginning to its end: where its recording is.
fn recorded(hall: &mut Hall, number: &str) -> Result<Json> {
    let mut phone = Phone::dial(hall.engine.sip, number, "call", &[])?;
    phone.ended()?;
    assert_eq!(hall.engine.reason(&phone.call_id)?, "done");
    Ok(hall.engine.contact(&phone.call_id)?["recording"].clone())
}

#[test]
fn one_tenants_recordings_do_not_fill_the_disk_of_all() -> Result<()> {
    let rules = |most: u32| format!("numbers = [\"600\"]\n[limits]\nrecordings_mb = {most}\n");
    let small = rules(1);
    let tenants = [
        ("mallory", small.as_str()),
        ("lyra", "numbers = [\"900\"]\n"),
    ];
    let mut hall = Hall::open_with("", &tenants)?;
    for (tenant, number) in [("mallory", "600"), ("lyra", "900")] {
        let project = says(tenant, number, "Good morning.")?;
        edit(&project.path().join("strowger.toml"), |text| {
            format!("{text}[recording]\ncalls = true\n")
        })?;
        hall.publish(&project)?;
    }
    let first = recorded(&mut hall, "600")?;
    let first = Path::new(first.as_str().context("it is recorded")?).to_owned();
    let name = |what: &str| format!("recordings_{what}{{tenant=\"mallory\"}}");
    assert_eq!(hall.engine.metric(&name("bytes_most"))?, 1 << 20);
    assert_eq!(hall.engine.metric(&name("cut_total"))?, 0);
    // A long message of the same contact, which nobody who writes has counted.
    let stem = first.file_stem().and_then(|stem| stem.to_str());
    let message = first.with_file_name(format!("{}-9.wav", stem.context("a name")?));
    std::fs::File::create(&message)?.set_len(1 << 20)?;
    hall.reload("the tenants' files are read again")?;
    let (at, limit) = (hall.engine.http, Duration::from_secs(60));
    let bytes = format!("strowger_{} ", name("bytes"));
    let weighed = || {
        let text = http::get(at, "/metrics").ok().map(|answer| answer.body);
        let line = text.as_deref().and_then(|text| {
            let mut lines = text.lines();
            lines.find_map(|line| line.strip_prefix(&bytes)?.trim().parse::<u64>().ok())
        });
        line.is_some_and(|bytes| bytes > 1 << 20)
    };
    hall.engine
        .program
        .wait_until("the weight", limit, weighed)?;
    let none = recorded(&mut hall, "600")?;
    ensure!(none.is_null(), "{none}");
    told(
        &mut hall,
        "no more is recorded: the recordings of tenant mallory take 1 MiB, and may take 1",
    )?;
    assert_eq!(hall.engine.metric(&name("cut_total"))?, 1);
    ensure!(recorded(&mut hall, "900")?.is_string(), "lyra's is there");
    // The operator gives more.
    hall.rule("mallory", &rules(2))?;
    hall.reload("is recorded again")?;
    ensure!(recorded(&mut hall, "600")?.is_string(), "it is recorded");
    Ok(())
}
