//! What a call's SIP messages leave behind: of calls that were answered, and of those that ended before.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value as Json;
use strowger_tests::program::{edit, strowger};
use strowger_tests::raw::OFFER;
use strowger_tests::{Engine, Phone, Raw, Supplier, http};

use crate::world::{LANGUAGE_ZH, MENU_EN, PROMPT, World, always_open};

/// What is known of a call once it is over: its contact's row, its trace.
fn over(engine: &Engine, call_id: &str) -> Result<(Json, Vec<Json>)> {
    let contact = engine.contact_over(call_id)?;
    let id = contact["id"].as_str().context("an id")?;
    let trace = http::get(engine.http, &format!("/v1/contacts/{id}/trace"))?.json()?;
    let trace = trace.as_array().context("a list")?.clone();
    Ok((contact, trace))
}

/// The rungs of a leg: `in INVITE 100`, `out 200 OK (INVITE)`.
fn rungs(trace: &[Json], leg: u64) -> Vec<String> {
    let sip = trace.iter().filter_map(|event| event.get("sip"));
    sip.filter(|sip| sip["leg"] == leg)
        .map(|sip| {
            let (way, what) = (&sip["way"], sip["what"].as_str().unwrap_or_default());
            let way = way.as_str().unwrap_or_default();
            let method = sip["cseq"].as_str().and_then(|cseq| cseq.split(' ').nth(1));
            match what.starts_with(|c: char| c.is_ascii_digit()) {
                true => format!("{way} {what} ({})", method.unwrap_or_default()),
                false => format!("{way} {what}"),
            }
        })
        .collect()
}

/// Whether these are among the rungs, in this order.
fn has(rungs: &[String], wanted: &[&str]) -> Result<()> {
    let mut rest = rungs.iter();
    for wanted in wanted {
        ensure!(
            rest.any(|rung| rung == wanted),
            "{wanted} is missing or out of order: {rungs:#?}"
        );
    }
    Ok(())
}

fn record(engine: &Engine, contact: &Json) -> Result<Json> {
    let id = contact["id"].as_str().context("an id")?;
    http::get(engine.http, &format!("/v1/contacts/{id}/record"))?.json()
}

#[test]
fn a_call_that_is_refused_leaves_its_ladder_and_why() -> Result<()> {
    let world = World::start()?;
    let engine = &world.engine;
    let mut contents = BTreeSet::new();
    for (number, scenario, reason, status) in [
        (
            "999",
            "refused-404",
            "no-route",
            "404 No route for this number",
        ),
        (
            "100",
            "refused-488",
            "not-acceptable",
            "488 Not Acceptable Here",
        ),
    ] {
        let mut phone = Phone::dial(engine.sip, number, scenario, &[])?;
        phone.ended()?;
        let (contact, trace) = over(engine, &phone.call_id)?;
        ensure!(contact["reason"] == reason, "{contact}");
        ensure!(contact["from"] == "+8613800138000", "{contact}");
        ensure!(contact["to"] == number, "{contact}");
        ensure!(contact["tenant"] == "aurora", "{contact}");
        has(
            &rungs(&trace, 0),
            &[
                &format!("in INVITE {number}"),
                &format!("out {status} (INVITE)"),
                "in ACK",
            ],
        )?;
        ensure!(
            trace[0]["sip"]["what"] == format!("INVITE {number}"),
            "{}",
            trace[0]
        );
        ensure!(trace[0]["after_ms"] == 0, "{}", trace[0]);
        let ended = trace.iter().find(|event| event["kind"] == "ended");
        ensure!(ended.is_some(), "{trace:?}");
        let record = record(engine, &contact)?;
        ensure!(
            record["reason"] == reason && record["ended_by"] == "engine",
            "{record}"
        );
        ensure!(record["answered_at"].is_null(), "{record}");
        contents.insert(record["content"].to_string());
    }
    // Of the same project, whether a call came to one of its flows or not.
    let one = contents.first().context("a content")?;
    ensure!(contents.len() == 1 && one.len() == 66, "{contents:?}");
    Ok(())
}

#[test]
fn a_message_that_cannot_be_served_leaves_its_ladder_and_why() -> Result<()> {
    let engine = Engine::start("bench", |_| Ok(()))?;
    // No Contact; an extension that nobody has; a body of another kind.
    for (lines, body, status, reason) in [
        ("", "", "400", "malformed"),
        (
            "Contact: <sip:a@127.0.0.1>\r\nRequire: 100rel\r\n",
            "",
            "420",
            "unsupported",
        ),
        (
            "Contact: <sip:a@127.0.0.1>\r\nContent-Type: text/plain\r\n",
            "hello",
            "415",
            "not-acceptable",
        ),
        (
            "Contact: <sip:a@127.0.0.1>\r\nMax-Forwards: 70\r\n",
            "",
            "400",
            "malformed",
        ),
    ] {
        let mut raw = Raw::new(engine.sip, "hold")?;
        raw.send("INVITE", 1, lines, body)?;
        raw.until(&format!("SIP/2.0 {status}"))?;
        // The same again is answered the same, and is no second call.
        raw.send("INVITE", 1, lines, body)?;
        raw.until(&format!("SIP/2.0 {status}"))?;
        let (contact, trace) = over(&engine, &raw.call_id)?;
        ensure!(contact["reason"] == reason, "{status}: {contact}");
        let list = http::get(
            engine.http,
            &format!("/v1/contacts?call_id={}", raw.call_id),
        )?;
        let list = list.json()?;
        ensure!(
            list["items"]
                .as_array()
                .is_some_and(|items| items.len() == 1),
            "{list}"
        );
        let told = rungs(&trace, 0);
        ensure!(told.len() == 2 && told[0] == "in INVITE hold", "{told:?}");
        ensure!(told[1].starts_with(&format!("out {status} ")), "{told:?}");
        let again: Vec<_> = trace
            .iter()
            .filter_map(|event| event["sip"]["again"].as_u64())
            .collect();
        ensure!(again == [1, 1], "{again:?}");
    }
    Ok(())
}

#[test]
fn a_call_that_is_cancelled_leaves_its_ladder() -> Result<()> {
    let engine = Engine::start("bench", |_| Ok(()))?;
    // An engine that answers at once is mostly faster than the CANCEL: then the caller hangs up instead.
    for _ in 0..200 {
        let mut raw = Raw::new(engine.sip, "hold")?;
        raw.invite("")?;
        raw.send("CANCEL", 1, "", "")?;
        let answer = raw.until("SIP/2.0 ")?;
        let cancelled = match answer.starts_with("SIP/2.0 200") && answer.contains("CSeq: 1 INVITE")
        {
            true => false,
            false => {
                answer.starts_with("SIP/2.0 487")
                    || raw.until("SIP/2.0 ")?.starts_with("SIP/2.0 487")
            }
        };
        if !cancelled {
            raw.send("ACK", 1, "", "")?;
            raw.send("BYE", 2, "", "")?;
            continue;
        }
        let (contact, trace) = over(&engine, &raw.call_id)?;
        ensure!(contact["reason"] == "cancelled", "{contact}");
        has(&rungs(&trace, 0), &["in INVITE hold", "in CANCEL"])?;
        has(
            &rungs(&trace, 0),
            &["out 200 OK (CANCEL)", "out 487 Request Terminated (INVITE)"],
        )?;
        let record = record(&engine, &contact)?;
        ensure!(record["ended_by"] == "caller", "{record}");
        let (project, data) = (&engine.project, &engine.data);
        let (project, data) = (project.display().to_string(), data.display().to_string());
        let of = ["trace", &raw.call_id, "-p", &project, "--data", &data];
        let (code, text, errors) = strowger(&of)?;
        ensure!(code == 0, "{errors}");
        for told in ["── CANCEL ─", "487 Request Terminated", "ended: cancelled"] {
            ensure!(text.contains(told), "{told}: {text}");
        }
        return Ok(());
    }
    anyhow::bail!("not one of 200 calls was cancelled in time")
}

#[test]
fn an_answer_that_is_never_acknowledged_is_told_with_its_repetitions() -> Result<()> {
    let engine = Engine::start("bench", |_| Ok(()))?;
    let mut raw = Raw::new(engine.sip, "hold")?;
    raw.invite("")?;
    raw.until("SIP/2.0 200")?;
    raw.until("BYE ")?;
    let (contact, trace) = over(&engine, &raw.call_id)?;
    ensure!(contact["reason"] == "no-ack", "{contact}");
    ensure!(contact["flow"] == "hold", "{contact}");
    let told = rungs(&trace, 0);
    has(&told, &["in INVITE hold", "out 200 OK (INVITE)"])?;
    ensure!(
        told.iter()
            .filter(|rung| *rung == "out 200 OK (INVITE)")
            .count()
            == 1,
        "{told:?}"
    );
    ensure!(
        told.iter().any(|rung| rung.starts_with("out BYE")),
        "{told:?}"
    );
    let answer = trace.iter().find(|event| event["sip"]["what"] == "200 OK");
    let again = answer.and_then(|event| event["sip"]["again"].as_u64());
    ensure!(again.is_some_and(|again| again >= 8), "{answer:?}");
    Ok(())
}

#[test]
fn a_call_to_an_engine_that_is_to_stop_leaves_its_ladder() -> Result<()> {
    let mut engine = Engine::start("bench", |_| Ok(()))?;
    let mut up = Raw::new(engine.sip, "hold")?;
    up.invite("")?;
    up.until("SIP/2.0 200")?;
    up.send("ACK", 1, "", "")?;
    engine.contact_up(&up.call_id)?;
    engine.program.terminate()?;
    let log = engine.log();
    engine.program.wait_until("draining", PROMPT, || {
        std::fs::read_to_string(&log).is_ok_and(|log| log.contains("draining"))
    })?;
    let mut late = Raw::new(engine.sip, "hold")?;
    late.invite("")?;
    late.until("SIP/2.0 503")?;
    let (contact, trace) = over(&engine, &late.call_id)?;
    ensure!(contact["reason"] == "draining", "{contact}");
    has(
        &rungs(&trace, 0),
        &["in INVITE hold", "out 503 Service Unavailable (INVITE)"],
    )?;
    up.send("BYE", 2, "", "")?;
    up.until("SIP/2.0 200")?;
    ensure!(
        engine.program.wait(PROMPT)? == 0,
        "{}",
        engine.program.log()
    );
    Ok(())
}

#[test]
fn load_a_flood_of_scanners_does_not_fill_the_store() -> Result<()> {
    const CALLS: usize = 400;
    let mut engine = Engine::start("bench", |_| Ok(()))?;
    let mut first = Raw::new(engine.sip, "1")?;
    for number in 0..CALLS {
        first.number = number.to_string();
        first.call_id = format!("scan-{number}");
        first.invite("")?;
        first.until("SIP/2.0 404")?;
    }
    let list = http::get(engine.http, "/v1/contacts?limit=200")?.json()?;
    let kept = list["items"].as_array().context("a list")?.len();
    // Twenty of one address at once, and one every five seconds.
    ensure!((20..60).contains(&kept), "{kept} of {CALLS}");
    let unwritten = engine.metric("calls_early_unwritten_total")?;
    ensure!(unwritten as usize + kept == CALLS, "{unwritten} and {kept}");
    let log = engine.log();
    engine
        .program
        .wait_until("the sum in the log", PROMPT, || {
            std::fs::read_to_string(&log)
                .is_ok_and(|log| log.contains("are not written down, because there were too many"))
        })?;
    // Whoever is served is written down all the same.
    let mut raw = Raw::new(engine.sip, "hold")?;
    raw.invite("")?;
    raw.until("SIP/2.0 200")?;
    raw.send("ACK", 1, "", "")?;
    engine.contact_up(&raw.call_id)?;
    raw.send("BYE", 2, "", "")?;
    raw.until("SIP/2.0 200")?;
    let (_, trace) = over(&engine, &raw.call_id)?;
    has(
        &rungs(&trace, 0),
        &[
            "in INVITE hold",
            "out 200 OK (INVITE)",
            "in ACK",
            "in BYE",
            "out 200 OK (BYE)",
        ],
    )
}

#[test]
fn no_secret_of_a_message_is_in_a_ladder() -> Result<()> {
    let engine = Engine::start("bench", |_| Ok(()))?;
    let secrets = [
        "geheim",
        "0123456789abcdef",
        "WVNfX19zZW1jdGwg",
        "4111111111111111",
        "Signal",
    ];
    let mut raw = Raw::new(engine.sip, "hold")?;
    let sdp = format!(
        "{OFFER}a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{}\r\n",
        secrets[2]
    );
    let lines = format!(
        "Contact: <sip:a:{0}@127.0.0.1:{1}>\r\nAuthorization: Digest username=\"{0}\", response=\"{2}\"\r\n\
         Proxy-Authorization: Digest response=\"{2}\"\r\nX-Card: {3}\r\nContent-Type: application/sdp\r\n",
        secrets[0], raw.port, secrets[1], secrets[3]
    );
    raw.send("INVITE", 1, &lines, &sdp)?;
    raw.until("SIP/2.0 200")?;
    raw.send("ACK", 1, "", "")?;
    engine.contact_up(&raw.call_id)?;
    let words = "Content-Type: text/plain\r\n";
    raw.send("MESSAGE", 2, words, secrets[3])?;
    raw.until("SIP/2.0 200")?;
    // A key ends what the flow says, and with it the call.
    let info = "Content-Type: application/dtmf-relay\r\n";
    raw.send("INFO", 3, info, "Signal=7\r\nDuration=160\r\n")?;
    let bye = raw.until("BYE ")?;
    raw.agree(&bye)?;
    let (contact, trace) = over(&engine, &raw.call_id)?;
    has(&rungs(&trace, 0), &["in MESSAGE", "in INFO"])?;
    let id = contact["id"].as_str().context("an id")?;
    for path in ["journal", "trace", "transcript", "record"] {
        let told = http::get(engine.http, &format!("/v1/contacts/{id}/{path}"))?.body;
        for secret in secrets {
            ensure!(!told.contains(secret), "{path} has {secret}: {told}");
        }
    }
    let invite = &trace[0]["sip"];
    ensure!(invite["headers"]["authorization"] == "•••", "{invite}");
    ensure!(invite["headers"]["from"] == "+8613800138000", "{invite}");
    Ok(())
}

#[test]
fn an_answered_call_shows_its_ladder_among_its_events_and_replays() -> Result<()> {
    let world = World::edited(always_open)?;
    let engine = &world.engine;
    let mut phone = Phone::dial(engine.sip, "100", "info", &[("key", "2")])?;
    phone.hear(&*world.zh(LANGUAGE_ZH)?, PROMPT)?;
    phone.cue()?;
    world.hears(&mut phone, MENU_EN)?;
    phone.cue()?;
    phone.ended()?;
    let (contact, trace) = over(engine, &phone.call_id)?;
    has(
        &rungs(&trace, 0),
        &[
            "in INVITE 100",
            "out 200 OK (INVITE)",
            "in ACK",
            "in INFO",
            "out 200 OK (INFO)",
            "in BYE",
            "out 200 OK (BYE)",
        ],
    )?;
    let at = |test: &dyn Fn(&Json) -> bool| trace.iter().position(test).context("it is there");
    let info = at(&|event| event["sip"]["what"] == "INFO")?;
    let pressed = at(&|event| event["kind"] == "pressed")?;
    ensure!(
        at(&|event| event["kind"] == "started")? > 0,
        "the INVITE comes first"
    );
    ensure!(info < pressed, "the key came by the INFO");
    let record = record(engine, &contact)?;
    ensure!(
        record["started_at"] == trace[0]["at"],
        "{record} {}",
        trace[0]
    );

    let id = contact["id"].as_str().context("an id")?;
    let (project, data) = (
        engine.project.display().to_string(),
        engine.data.display().to_string(),
    );
    let places = ["--project", &project, "--data", &data];
    let (code, text, told) = strowger(&[&["trace", id][..], &places].concat())?;
    ensure!(code == 0, "{told}");
    let rung = text.lines().next().context("a line")?;
    ensure!(
        rung.contains("0:00.000")
            && rung.contains("caller ── INVITE 100 ──")
            && rung.contains("▶ engine"),
        "{rung}"
    );
    ensure!(text.contains("◀── 200 OK (INVITE) ──"), "{text}");
    ensure!(text.contains("[127.0.0.1, audio "), "{text}");

    // The journal as a file has it too, and a replay looks past it.
    let file = engine.data.join("call.jsonl").display().to_string();
    let journal = http::get(engine.http, &format!("/v1/contacts/{id}/journal"))?.body;
    ensure!(journal.contains(r#"{"kind":"sip","#), "{journal}");
    std::fs::write(&file, journal)?;
    let (code, of_file, told) = strowger(&[&["trace", &file][..], &places].concat())?;
    ensure!(code == 0 && of_file == text, "{told}{of_file}");
    for contact in [id, &file] {
        let (code, out, told) = strowger(&[&["replay", contact][..], &places].concat())?;
        ensure!(code == 0 && out.contains(": the same, "), "{out}{told}");
    }
    Ok(())
}

#[test]
fn a_re_invite_and_a_refer_with_its_reports_are_rungs() -> Result<()> {
    let world = World::start()?;
    let mut phone = Phone::dial(
        world.engine.sip,
        "300",
        "refer-twice",
        &[("first", "486"), ("second", "200")],
    )?;
    phone.ended()?;
    let (_, trace) = over(&world.engine, &phone.call_id)?;
    let told = rungs(&trace, 0);
    let refers = told
        .iter()
        .filter(|rung| rung.starts_with("out REFER"))
        .count();
    ensure!(refers == 2, "{told:?}");
    let reports = trace
        .iter()
        .filter_map(|event| event["sip"]["body"].as_str());
    ensure!(
        reports.clone().any(|body| body.starts_with("SIP/2.0 486")),
        "{told:?}"
    );

    let mut held = Phone::dial(world.engine.sip, "100", "hold", &[])?;
    held.first_sound(PROMPT)?;
    for _ in 0..3 {
        held.cue()?;
        held.listen(Duration::from_millis(200));
    }
    held.ended()?;
    let (_, trace) = over(&world.engine, &held.call_id)?;
    let told = rungs(&trace, 0);
    let invites = told
        .iter()
        .filter(|rung| rung.starts_with("in INVITE"))
        .count();
    ensure!(invites >= 3, "{told:?}");
    Ok(())
}

#[test]
fn the_second_call_of_a_bridge_is_a_leg_of_the_ladder() -> Result<()> {
    let supplier = Supplier::wait("supplier-refuses", &[("status", "486 Busy Here")])?;
    let engine = Engine::start("bench", |project| {
        let flow = format!(
            "flow: over\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    - transfer: \"sip:desk@{}\"\n      ring: 20s\n      \
             then: {{ done: end, busy: end, no_answer: end, declined: end, failed: end }}\n  end: {{ hangup: over }}\n",
            supplier.address
        );
        std::fs::write(project.join("over.flow.yaml"), flow)?;
        edit(&project.join("routes.yaml"), |text| {
            text + "  - { to: \"6\", flow: over }\n"
        })?;
        edit(&project.join("strowger.toml"), |text| {
            text + "\n[transfer]\nhow = \"bridge\"\n"
        })
    })?;
    let mut raw = Raw::new(engine.sip, "6")?;
    raw.invite("")?;
    raw.until("SIP/2.0 200")?;
    raw.send("ACK", 1, "", "")?;
    raw.until("BYE ")?;
    let (contact, trace) = over(&engine, &raw.call_id)?;
    ensure!(contact["reason"] == "over", "{contact}");
    let legs: std::collections::BTreeSet<u64> = trace
        .iter()
        .filter_map(|event| event["sip"]["leg"].as_u64())
        .collect();
    let second = legs
        .iter()
        .copied()
        .find(|leg| *leg > 0)
        .context("a second leg")?;
    let told = rungs(&trace, second);
    ensure!(
        told.first().is_some_and(|rung| rung == "out INVITE desk"),
        "{told:?}"
    );
    ensure!(
        told.iter()
            .any(|rung| rung.starts_with("in 4") || rung.starts_with("in 6")),
        "{told:?}"
    );
    ensure!(told.iter().any(|rung| rung == "out ACK"), "{told:?}");
    Ok(())
}
