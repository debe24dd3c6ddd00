//! A revision beside what is live: what it would change is told, and nobody notices it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value as Json, json};
use strowger_tests::program::{POLL, edit};
use strowger_tests::{Talk, http};

use crate::guest::{Guest, OK, description};
use crate::shop::{SHOP, Shop};

/// Longest time until a shadow has looked at all contacts that ended.
const LOOKED: Duration = Duration::from_secs(60);

impl Shop {
    fn shadow(&self, arguments: &[&str]) -> Result<(i32, String)> {
        let tenant = ["--tenant", SHOP];
        self.hall
            .run(&[&["shadow"], arguments, &tenant[..]].concat())
    }

    fn report(&self) -> Result<Json> {
        self.hall.get(&format!("/v1/tenants/{SHOP}/shadow"))
    }

    /// The report as soon as so many contacts have ended and none waits.
    fn looked_at(&self, ended: u64) -> Result<Json> {
        let end = Instant::now() + LOOKED;
        loop {
            let report = self.report()?;
            if report["ended"] == ended && sum(&report)? == ended {
                return Ok(report);
            }
            ensure!(Instant::now() < end, "not looked at all {ended}: {report}");
            std::thread::sleep(POLL);
        }
    }
}

/// Contacts that were compared or left out.
fn sum(report: &Json) -> Result<u64> {
    let skipped = report["skipped"].as_object().context("skipped")?;
    let plain = skipped.values().filter_map(Json::as_u64);
    let compared = report["compared"].as_u64().context("compared")?;
    Ok(compared + plain.sum::<u64>())
}

/// What was shown in a chat, without what differs from one to the next.
fn shown(talk: &Talk) -> Vec<Json> {
    let strip = |event: &Json| {
        let mut event = event.clone();
        for own in ["at", "after_ms", "client_id"] {
            event.as_object_mut().map(|event| event.remove(own));
        }
        event
    };
    talk.shown.iter().map(strip).collect()
}

/// A plugin `odd` whose step does this.
fn odd(version: u32, run: &str, memory: &'static str) -> Vec<u8> {
    let mut description = description();
    description["name"] = "odd".into();
    description["version"] = format!("1.0.{version}").into();
    Guest {
        description: description.to_string(),
        run: run.to_owned(),
        memory,
        ..Guest::default()
    }
    .build()
}

#[test]
fn how_contacts_would_have_gone_is_told_and_nothing_is_sent() -> Result<()> {
    let mut shop = Shop::open()?;
    let before = shown(&shop.talk("1")?);
    // The draft leads one choice elsewhere, and asks the service otherwise for the other.
    std::fs::copy(
        shop.plugin("/orders/", "/0rders/")?,
        shop.project.path().join("orders.wasm"),
    )?;
    let component = std::fs::read(shop.project.path().join("orders.wasm"))?;
    let newer = strowger_tests::projects::altered(&component, "\"1.0.0\"", "\"1.0.1\"")?;
    std::fs::write(shop.project.path().join("orders.wasm"), newer)?;
    let draft = shop.draft(|flow| flow.replace("1: { to: lookup", "1: { to: bye"))?;
    assert_eq!(draft, 2);

    let (code, said) = shop.shadow(&["report"])?;
    assert_eq!(code, 2, "{said}");
    assert!(said.contains("nothing shadows shop"), "{said}");
    for (field, value, most) in [
        ("percent", 0, 100),
        ("percent", 300, 100),
        ("cpu_ms_per_s", 0, 1_000),
        ("cpu_ms_per_s", 5_000_000_000_u64, 1_000),
    ] {
        let order = serde_json::json!({ "revision": 2, field: value });
        let (http, path) = (shop.hall.engine.http, "/v1/tenants/shop/shadow");
        let refused = http::ask(http, "PUT", path, None, Some(&order))?;
        assert_eq!(refused.status, 422, "{}", refused.body);
        let told = refused.json()?;
        assert_eq!(told["field"], field, "{told}");
        let words = format!("{field} is 1 to {most}, not {value}");
        assert_eq!(told["detail"], words.as_str());
    }
    let (code, said) = shop.shadow(&["start", "2"])?;
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("revision 2 shadows shop"), "{said}");
    for (arguments, words) in [
        (&["start", "2"][..], "revision 2 shadows shop already"),
        (&["start", "1"], "already"),
    ] {
        let (code, said) = shop.shadow(arguments)?;
        assert!(code == 1 && said.contains(words), "{code} {said}");
    }

    let asked = shop.asked();
    let mut found = Vec::new();
    for _ in 0..3 {
        let talk = shop.talk("1")?;
        assert_eq!(shown(&talk), before, "live contacts notice nothing");
        found.push(talk.id);
    }
    let failed = shop.chat("2")?;
    let other = shop.chat("9")?;
    let report = shop.looked_at(5)?;
    assert_eq!(
        shop.asked(),
        asked + 4,
        "only live contacts ask the service"
    );
    assert_eq!(report["revision"], 2);
    assert_eq!(report["running"], true);
    let counts = ["compared", "same", "different", "waiting"].map(|key| report[key].as_u64());
    assert_eq!(counts, [Some(5), Some(1), Some(4), Some(0)], "{report}");
    let groups = report["groups"].as_array().context("groups")?;
    assert_eq!(groups.len(), 2, "{report}");
    assert_eq!(groups[0]["contacts"], 3);
    assert_eq!(groups[0]["examples"], json!(found));
    assert_eq!(groups[0]["cause"], "flow");
    assert_eq!(groups[0]["place"], json!(shop.line_of("menu: welcome")?));
    assert_eq!(groups[1]["examples"], json!([failed]));
    assert_eq!(groups[1]["cause"], "plugin");
    let second = shop.line_of("order_no: \"50005000\"")?;
    assert_ne!(groups[1]["place"], groups[0]["place"], "{second}: {other}");
    assert_eq!(
        report["new_requests"],
        json!({ "desk/second: http.fetch": 1 })
    );

    let (code, said) = shop.shadow(&["report"])?;
    assert_eq!(code, 1, "{said}");
    assert!(
        said.contains("5 contacts ended: 1 the same, 4 differ"),
        "{said}"
    );
    assert!(said.contains(&shop.line_of("menu: welcome")?), "{said}");
    let (code, said) = shop.shadow(&["stop", "--format", "json"])?;
    let told: Json = serde_json::from_str(&said)?;
    assert_eq!((code, &told["running"]), (1, &json!(false)));
    // What it has found stays, and nothing is added.
    shop.chat("1")?;
    let report = shop.report()?;
    assert_eq!(
        (&report["ended"], &report["compared"]),
        (&json!(5), &json!(5))
    );

    let audit = shop.hall.get("/v1/audit?limit=200")?;
    let actions = audit["items"].as_array().context("items")?;
    let actions: Vec<&str> = actions
        .iter()
        .filter_map(|item| item["action"].as_str())
        .collect();
    assert!(actions.contains(&"shadow.start") && actions.contains(&"shadow.stop"));

    // A part of the contacts; and those that walk the candidate themselves are not compared with it.
    let (code, said) = shop.shadow(&["start", "2", "--percent", "40"])?;
    assert_eq!(code, 0, "{said}");
    for _ in 0..8 {
        shop.chat("9")?;
    }
    shop.looked_at(8)?;
    shop.hall.done(&["release", "2", "--tenant", SHOP])?;
    for _ in 0..8 {
        shop.chat("9")?;
    }
    let report = shop.looked_at(16)?;
    assert_eq!(report["different"], 0);
    let left_out = report["skipped"]["not_chosen"].as_u64();
    let on_it = report["skipped"]["on_candidate"].as_u64();
    assert_eq!(
        left_out.unwrap_or(0) + on_it.unwrap_or(0) + report["compared"].as_u64().unwrap_or(0),
        16,
        "{report}"
    );
    let (code, said) = shop.shadow(&["stop"])?;
    assert_eq!(code, 0, "{said}");
    let (code, said) = shop.shadow(&["start", "2"])?;
    assert!(
        code == 1 && said.contains("is live for all callers"),
        "{said}"
    );

    // It does not survive the engine, and says so.
    let (code, said) = shop.shadow(&["start", "1"])?;
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("it ends with the engine"), "{said}");
    shop.hall.engine.program.kill()?;
    shop.hall.engine.restart()?;
    let (code, said) = shop.shadow(&["report"])?;
    assert!(
        code == 2 && said.contains("since the engine started"),
        "{said}"
    );
    Ok(())
}

#[test]
fn contacts_are_followed_on_another_configuration_of_the_same_plugins() -> Result<()> {
    let shop = Shop::open()?;
    edit(&shop.project.path().join("strowger.toml"), |text| {
        let changed = text.replace("base_url = \"http://", "base_url = \"https://");
        assert_ne!(changed, text);
        changed
    })?;
    let candidate = shop.push()?.to_string();
    let (done, said) = shop.shadow(&["start", &candidate])?;
    assert_eq!(done, 0, "{said}");
    // One whose step reads it, and one without such a step.
    shop.chat("1")?;
    shop.chat("9")?;
    let report = shop.looked_at(2)?;
    let counts = ["compared", "same", "different"].map(|key| report[key].as_u64());
    assert_eq!(counts, [Some(2), Some(1), Some(1)], "{report}");
    assert_eq!(report["groups"][0]["cause"], "configuration", "{report}");
    Ok(())
}

#[test]
fn a_candidate_that_means_harm_hurts_nobody() -> Result<()> {
    let shop = Shop::open()?;
    shop.add_odd(&odd(0, OK, "1"))?;
    let before = shown(&shop.talk("3")?);
    const GROW: &str = "(loop $more (drop (memory.grow (i32.const 64))) (br $more)) unreachable";
    for (version, (run, code)) in (1..).zip([
        ("(loop $again (br $again)) unreachable", "step-cpu-limit"),
        ("unreachable", "step-trap"),
        (GROW, "step-memory-limit"),
        ("(call $run (local.get $step) (local.get $step_len) (local.get $input) (local.get $input_len))", "step-stack-limit"),
        ("(call $outcome (i32.const 64) (i32.const 2) (i32.const 66) (i32.const 0x7fffffff))", "step-bad-output"),
    ]) {
        shop.replace_odd(&odd(version, run, "1"))?;
        let candidate = shop.push()?.to_string();
        let (done, said) = shop.shadow(&["start", &candidate, "--cpu", "100%"])?;
        assert_eq!(done, 0, "{said}");
        for _ in 0..2 {
            assert_eq!(shown(&shop.talk("3")?), before, "{code}");
        }
        let report = shop.looked_at(2)?;
        assert_eq!(report["different"], 2, "{code}: {report}");
        let edge = report["groups"][0]["edge"].as_str().context("an edge")?;
        assert!(edge.contains(code), "{code}: {edge}");
        assert_eq!(report["groups"][0]["cause"], "plugin");
        assert_eq!(report["groups"][0]["place"], json!(shop.line_of("use: odd/go@1")?));
        shop.shadow(&["stop"])?;
    }
    // As many words as a flow may say at once, which nobody hears and no report repeats.
    shop.replace_odd(&odd(90, OK, "1"))?;
    let words = "so sorry ".repeat(440);
    let candidate =
        shop.draft(|flow| flow.replace("say: \"Sorry.\"", &format!("say: \"{words}\"")))?;
    let (done, said) = shop.shadow(&["start", &candidate.to_string()])?;
    assert_eq!(done, 0, "{said}");
    shop.chat("2")?;
    let report = shop.looked_at(1)?;
    assert_eq!(report["different"], 1, "{report}");
    assert!(report.to_string().len() < 2_000);
    assert_eq!(
        shop.hall.engine.metric("failures_total")?,
        1,
        "the live order that fails"
    );
    Ok(())
}

#[test]
fn a_shadow_stays_within_its_processor_time() -> Result<()> {
    let shop = Shop::open()?;
    shop.add_odd(&odd(0, OK, "1"))?;
    shop.replace_odd(&odd(1, "(loop $again (br $again)) unreachable", "1"))?;
    let candidate = shop.push()?.to_string();
    // The first contact uses ten seconds' worth: the others are left out.
    let (code, said) = shop.shadow(&["start", &candidate, "--cpu", "10ms"])?;
    assert_eq!(code, 0, "{said}");
    for _ in 0..4 {
        shop.chat("3")?;
    }
    let report = shop.looked_at(4)?;
    let (compared, over) = (&report["compared"], &report["skipped"]["over_budget"]);
    assert!(compared.as_u64() >= Some(1), "{report}");
    assert!(over.as_u64() >= Some(1), "{report}");
    let cpu = report["cpu_ms"].as_u64().context("cpu")?;
    assert!(
        cpu >= 100,
        "an endless loop is ended at its limit: {report}"
    );
    let (code, said) = shop.shadow(&["start", &candidate, "--cpu", "101%"])?;
    assert!(code == 2 && said.contains("1% to 100%"), "{said}");
    Ok(())
}
