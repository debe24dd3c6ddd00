//! The line drops; the caller calls again and goes on where it broke, or does not.

use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value as Json;
use strowger_contact::EntryKind;
use strowger_tests::program::{callbacks, edit, strowger};
use strowger_tests::{Engine, OrderService, Phone, Prompts, an_hour_ahead, http};

use crate::world::PROMPT;
use strowger_tests::saved::{green, replays};

const WELCOME: &str = "For Chinese press 1, for English press 2.";
const NUMBER: &str = "Which number shall we call?";
const NUMBER_ZH: &str = "请问回拨哪个号码？";
const SURE: &str = "It is booked. Shall we send you a note as well?";
const SURE_ZH: &str = "已经预约。需要再发一条短信吗？";
const BYE: &str = "Thank you for calling, and goodbye.";
const QUESTION: &str = "We were cut off. Press 1 to go on where we were, or 2 to begin anew.";
const QUESTION_ZH: &str = "刚才通话中断了。继续请按一，重新开始请按二。";

/// Asks for a number, books a callback, and then asks something more.
const FLOW: &str = r#"flow: desk
format: 1
languages: [en, zh]
prompts:
  welcome: { any: "For Chinese press 1, for English press 2." }
  which: { en: "Which number shall we call?", zh: 请问回拨哪个号码？ }
  sure: { en: "It is booked. Shall we send you a note as well?", zh: 已经预约。需要再发一条短信吗？ }
  bye: { en: "Thank you for calling, and goodbye.", zh: 谢谢来电，再见。 }
vars: { number: text }
steps:
  start:
    menu: welcome
    timeout: 60s
    press: { 1: chinese, 2: number }
    then: { no_input: silent, no_match: silent }
  chinese:
    - set: { call.language: zh }
    - goto: number
  number:
    ask: which
    into: number
    expect: { digits: 4..12 }
    timeout: 60s
    then: { ok: book, no_input: silent, no_match: silent }
  book:
    use: callbacks/book@1
    with: { phone: "${number}" }
    timeout: 20s
    then: { booked: sure, error: silent, timeout: silent }
  sure:
    menu: sure
    timeout: 60s
    press: { 1: yes, 2: no }
    then: { no_input: silent, no_match: silent }
  yes:
    - tag: { number: "${number}" }
    - goto: bye
  no:
    goto: bye
  bye:
    - say: bye
    - hangup: noted
  silent: { hangup: silent }
"#;

struct World {
    engine: Engine,
    orders: OrderService,
    prompts: Prompts,
}

impl World {
    /// The number 700 leads to the flow, and so does 701; `resume` is what its route says.
    fn start(resume: &str, settings: &str) -> Result<World> {
        let orders = OrderService::start()?;
        let address = orders.address;
        let engine = Engine::serve(|project| {
            let routes = format!(
                "routes:\n  - {{ to: \"700\", flow: desk, resume: {resume} }}\n  - {{ to: \"701\", flow: desk, resume: 10 }}\n  - {{ to: \"702\", flow: desk }}\n"
            );
            callbacks(project, "desk", address, ("desk", FLOW), &routes, settings)
        })?;
        let prompts = Prompts::new(&engine.project, &engine.data.join("prompts"))?;
        Ok(World {
            engine,
            orders,
            prompts,
        })
    }

    fn dial(&self, number: &str, from: Option<&str>) -> Result<Phone> {
        let keys: Vec<(&str, &str)> = from.map(|from| ("from", from)).into_iter().collect();
        Phone::dial(self.engine.sip, number, "call", &keys)
    }

    fn hears(&self, phone: &mut Phone, language: &str, text: &str) -> Result<()> {
        phone
            .hear(&*self.prompts.text(language, text)?, PROMPT)
            .with_context(|| text.to_owned())
    }

    /// A call that drops in the last menu, when the callback is booked.
    fn drops_in_the_menu(&mut self) -> Result<String> {
        let mut phone = self.dial("700", None)?;
        self.hears(&mut phone, "en", WELCOME)?;
        phone.press("2")?;
        self.hears(&mut phone, "en", NUMBER)?;
        phone.press("13800138000#")?;
        self.hears(&mut phone, "en", SURE)?;
        self.drops(phone)
    }

    /// The line of a call is gone; its Call-ID.
    fn drops(&mut self, mut phone: Phone) -> Result<String> {
        phone.cue()?;
        phone.ended()?;
        self.waits(1)?;
        Ok(phone.call_id.clone())
    }

    /// Until so many calls wait for their callers.
    fn waits(&mut self, calls: u64) -> Result<()> {
        let http = self.engine.http;
        self.engine
            .program
            .wait_until("a call that waits", Duration::from_secs(20), || {
                let text = http::get(http, "/metrics").map(|found| found.body);
                text.is_ok_and(|text| text.contains(&format!("strowger_calls_dropped {calls}\n")))
            })
    }

    fn crash(&mut self) -> Result<()> {
        self.engine.program.kill()?;
        self.engine.restart()
    }

    fn record(&self, call_id: &str) -> Result<Json> {
        let id = self.engine.contact(call_id)?["id"].clone();
        let id = id.as_str().context("an id")?;
        http::get(self.engine.http, &format!("/v1/contacts/{id}/record"))?.json()
    }

    fn contacts(&self) -> Result<usize> {
        let list = http::get(self.engine.http, "/v1/contacts")?.json()?;
        Ok(list["items"].as_array().context("a list")?.len())
    }

    /// Goes on to the end with whoever pressed 1; nothing was done twice.
    fn goes_on(&mut self, mut phone: Phone, first: &str) -> Result<()> {
        self.hears(&mut phone, "en", SURE)?;
        phone.press("1")?;
        self.hears(&mut phone, "en", BYE)?;
        phone.ended()?;
        assert_eq!(self.engine.reason(first)?, "noted");
        assert_eq!(self.orders.asked("POST /callbacks")?, 1, "booked once");
        assert_eq!(self.contacts()?, 1, "it is one contact");
        Ok(())
    }
}

fn count(journal: &[strowger_contact::Entry], which: impl Fn(&EntryKind) -> bool) -> usize {
    journal.iter().filter(|entry| which(&entry.kind)).count()
}

#[test]
fn a_caller_who_was_cut_off_goes_on_where_it_broke_and_nothing_is_done_twice() -> Result<()> {
    let mut world = World::start("10", "[recording]\ncalls = true\n")?;
    let first = world.drops_in_the_menu()?;
    let mut phone = world.dial("700", None)?;
    world.hears(&mut phone, "en", QUESTION)?;
    phone.press("1")?;
    let second = phone.call_id.clone();
    world.goes_on(phone, &first)?;
    assert_eq!(world.engine.metric("calls_resumed_total")?, 1);
    assert_eq!(world.engine.metric("calls_dropped")?, 0);
    let journal = world.engine.journal(&first)?;
    let back = count(
        &journal,
        |kind| matches!(kind, EntryKind::CalledBack { sip_call_id, .. } if *sip_call_id == second),
    );
    assert_eq!(
        (back, count(&journal, |kind| *kind == EntryKind::Resumed)),
        (1, 1)
    );
    let record = world.record(&first)?;
    let drops = &record["drops"];
    assert_eq!(
        (&drops[0]["outcome"], &drops[0]["sip_call_id"]),
        (&"resumed".into(), &second.as_str().into())
    );
    // By either call it is found.
    let found = world.engine.contact(&second)?;
    assert_eq!(found["id"], record["id"]);
    assert_eq!(found["sip_call_id"], first.as_str());
    adds_up(&record)?;
    assert_eq!(
        record["tags"]["number"], "13800138000",
        "what was set stands"
    );
    let id = record["id"].as_str().context("an id")?;
    let recordings = std::fs::read_dir(world.engine.data.join("recordings"))?;
    let of_it = recordings.filter_map(|file| file.ok()?.file_name().into_string().ok());
    assert_eq!(
        of_it.filter(|name| name.starts_with(id)).count(),
        2,
        "each line has a recording"
    );
    let case = green(
        (&world.engine.project, &world.engine.data),
        id,
        "desk",
        "goes on",
    )?;
    assert!(case.contains("- call_back"), "{case}");
    // Without that test the project is the one that was walked.
    let file = world.engine.project.join("desk.flow.yaml");
    std::fs::write(file, FLOW)?;
    // What happened is walked again to the last entry.
    world.engine.program.terminate()?;
    world.engine.program.wait(Duration::from_secs(40))?;
    let (project, data) = (&world.engine.project, &world.engine.data);
    replays((project, data), id)?;
    let (_, out, err) = strowger(&["trace", &second, "--data", &data.display().to_string()])?;
    for word in [
        "the line dropped",
        "called again",
        "goes on where the line dropped",
    ] {
        assert!(out.contains(word), "no `{word}`: {out}{err}");
    }
    Ok(())
}

#[test]
fn killed_between_the_drop_and_the_next_call_the_engine_goes_on_in_the_callers_language()
-> Result<()> {
    let mut world = World::start("10", "")?;
    let mut phone = world.dial("700", None)?;
    world.hears(&mut phone, "en", WELCOME)?;
    phone.press("1")?;
    world.hears(&mut phone, "zh", NUMBER_ZH)?;
    phone.press("138")?;
    let first = world.drops(phone)?;
    world.crash()?;
    world.waits(1)?;
    let mut phone = world.dial("700", None)?;
    world.hears(&mut phone, "zh", QUESTION_ZH)?;
    phone.press("1")?;
    // A half entry is entered anew.
    world.hears(&mut phone, "zh", NUMBER_ZH)?;
    phone.press("13900139000#")?;
    world.hears(&mut phone, "zh", SURE_ZH)?;
    assert_eq!(world.orders.asked("POST /callbacks")?, 1);
    // And the second line may drop as well.
    world.drops(phone)?;
    let mut phone = world.dial("700", None)?;
    world.hears(&mut phone, "zh", QUESTION_ZH)?;
    phone.press("1")?;
    world.hears(&mut phone, "zh", SURE_ZH)?;
    phone.press("1")?;
    world.hears(&mut phone, "zh", "谢谢来电，再见。")?;
    phone.ended()?;
    assert_eq!(world.engine.reason(&first)?, "noted");
    let record = world.record(&first)?;
    assert_eq!(record["tags"]["number"], "13900139000");
    assert_eq!(record["drops"].as_array().map(Vec::len), Some(2));
    assert_eq!(world.orders.asked("POST /callbacks")?, 1);
    // It is a test too, which passes.
    let id = record["id"].as_str().context("an id")?;
    let case = green(
        (&world.engine.project, &world.engine.data),
        id,
        "desk",
        "cut off twice",
    )?;
    for act in ["drop", "call_back", "press: 1"] {
        let times = case
            .lines()
            .filter(|line| line.trim() == format!("- {act}"))
            .count();
        assert!(times >= 2, "{times} `{act}`: {case}");
    }
    Ok(())
}

#[test]
fn a_line_that_drops_at_the_question_is_asked_again_and_makes_a_test_that_passes() -> Result<()> {
    let mut world = World::start("10", "")?;
    let first = world.drops_in_the_menu()?;
    let mut phone = world.dial("700", None)?;
    world.hears(&mut phone, "en", QUESTION)?;
    world.drops(phone)?;
    let mut phone = world.dial("700", None)?;
    world.hears(&mut phone, "en", QUESTION)?;
    phone.press("1")?;
    world.goes_on(phone, &first)?;
    let id = world.record(&first)?["id"].clone();
    let case = green(
        (&world.engine.project, &world.engine.data),
        id.as_str().context("an id")?,
        "desk",
        "cut off at the question",
    )?;
    let drops = case.lines().filter(|line| line.trim() == "- drop").count();
    assert_eq!(drops, 2, "{case}");
    Ok(())
}

#[test]
fn who_presses_two_or_nothing_begins_anew_and_is_asked_no_more() -> Result<()> {
    for key in ["2", ""] {
        let mut world = World::start(
            "{ minutes: 5, say: { en: \"One goes on, two begins anew.\" } }",
            "",
        )?;
        let first = world.drops_in_the_menu()?;
        let mut phone = world.dial("700", None)?;
        world.hears(&mut phone, "en", "One goes on, two begins anew.")?;
        phone.press(key)?;
        world.hears(&mut phone, "en", WELCOME)?;
        assert_eq!(world.engine.reason(&first)?, "abandoned");
        assert_eq!(world.record(&first)?["drops"][0]["outcome"], "declined");
        let (project, data) = (&world.engine.project, &world.engine.data);
        let id = world.record(&first)?["id"].clone();
        let case = green(
            (project, data),
            id.as_str().context("an id")?,
            "desk",
            "begins anew",
        )?;
        assert!(case.contains("ends: \"abandoned\""), "{case}");
        assert_eq!(world.engine.metric("calls_declined_total")?, 1);
        // The new contact has the line, its keys and its own record.
        phone.press("2")?;
        world.hears(&mut phone, "en", NUMBER)?;
        assert_eq!(world.contacts()?, 2);
        let journal = world.engine.journal(&phone.call_id)?;
        assert!(matches!(journal[0].kind, EntryKind::Started { .. }));
        assert!(
            journal
                .iter()
                .any(|entry| entry.kind == EntryKind::Key { key: '2' })
        );
        // Their call is in the ladder of both: of the new one from its beginning.
        phone.cue()?;
        phone.ended()?;
        let new = world.engine.contact(&phone.call_id)?["id"].clone();
        let new = new.as_str().context("an id")?.to_owned();
        let first = id.as_str().context("an id")?;
        let http = world.engine.http;
        world
            .engine
            .program
            .wait_until("the end of the new call's ladder", PROMPT, || {
                rungs(http, &new).is_ok_and(|rungs| rungs.contains(&"out 200 OK BYE".to_owned()))
            })?;
        let told = rungs(http, &new)?;
        let answered: Vec<_> = told
            .iter()
            .filter(|rung| !rung.starts_with("out 1"))
            .collect();
        assert_eq!(
            answered[..3],
            ["in INVITE 700", "out 200 OK INVITE", "in ACK"],
            "{told:?}"
        );
        assert_eq!(
            told.iter().filter(|rung| *rung == "in ACK").count(),
            1,
            "{told:?}"
        );
        let both = rungs(http, first)?;
        assert_eq!(
            both.iter().filter(|rung| *rung == "in INVITE 700").count(),
            2,
            "{both:?}"
        );
        let lines = http::get(http, &format!("/v1/contacts/{new}/journal"))?.body;
        assert!(lines.starts_with(r#"{"kind":"sip""#), "{lines}");
    }
    Ok(())
}

/// The SIP messages of a contact: `in INVITE 700`, `out 200 OK INVITE`.
fn rungs(http: std::net::SocketAddr, id: &str) -> Result<Vec<String>> {
    let trace = http::get(http, &format!("/v1/contacts/{id}/trace"))?.json()?;
    let events = trace.as_array().context("a list")?.iter();
    let sip = events.filter_map(|event| event.get("sip"));
    let word = |json: &Json| json.as_str().unwrap_or_default().to_owned();
    Ok(sip
        .map(|sip| {
            let (way, what, cseq) = (word(&sip["way"]), word(&sip["what"]), word(&sip["cseq"]));
            match (
                what.starts_with(|c: char| c.is_ascii_digit()),
                cseq.split_once(' '),
            ) {
                (true, Some((_, method))) => format!("{way} {what} {method}"),
                _ => format!("{way} {what}"),
            }
        })
        .collect())
}

#[test]
fn nobody_else_is_asked_and_no_one_who_does_not_say_who_they_are() -> Result<()> {
    let mut world = World::start("10", "")?;
    world.drops_in_the_menu()?;
    for (number, from) in [
        ("700", Some("+8613900139000")),
        ("700", Some("anonymous")),
        ("701", None),
        ("702", None),
    ] {
        let mut phone = world.dial(number, from)?;
        world
            .hears(&mut phone, "en", WELCOME)
            .with_context(|| format!("{number} {from:?}"))?;
        phone.cue()?;
        phone.ended()?;
        // Cut off where no `resume:` is, or nobody in particular, it is over.
        if number == "702" || from == Some("anonymous") {
            assert_eq!(world.engine.reason(&phone.call_id)?, "abandoned");
        }
    }
    world.waits(3)?;
    let mut phone = world.dial("700", None)?;
    world.hears(&mut phone, "en", QUESTION)
}

#[test]
fn the_time_for_coming_back_is_over_and_the_contact_with_it() -> Result<()> {
    let mut world = World::start("10", "")?;
    let first = world.drops_in_the_menu()?;
    world.engine.program.kill()?;
    let late = change(&world, "UPDATE drops SET until_at = until_at - 600000")?;
    assert_eq!(late, 1);
    world.engine.restart()?;
    assert_eq!(world.engine.reason(&first)?, "abandoned");
    let record = world.record(&first)?;
    assert_eq!(
        (&record["drops"][0]["outcome"], &record["ended_by"]),
        (&"given-up".into(), &"caller".into())
    );
    let mut phone = world.dial("700", None)?;
    world.hears(&mut phone, "en", WELCOME)?;
    assert_eq!(
        change(&world, "DELETE FROM drops")?,
        0,
        "nothing is left of it"
    );
    Ok(())
}

#[test]
fn a_revision_that_is_gone_is_told_and_the_caller_begins_anew() -> Result<()> {
    let mut world = World::start("10", "")?;
    let first = world.drops_in_the_menu()?;
    world.engine.program.kill()?;
    edit(&world.engine.project.join("desk.flow.yaml"), |text| {
        text.replace("goodbye.", "farewell.")
    })?;
    world.engine.restart()?;
    let mut phone = world.dial("700", None)?;
    world.hears(&mut phone, "en", WELCOME)?;
    assert_eq!(world.engine.metric("calls_not_resumed_total")?, 1);
    let record = world.record(&first)?;
    assert_eq!(record["reason"], "abandoned");
    let error = record["error"].as_str().context("an error")?;
    assert!(error.contains("changed meanwhile"), "{error}");
    let first = record["id"].as_str().context("an id")?.to_owned();
    drop(phone);
    world.engine.program.terminate()?;
    world.engine.program.wait(Duration::from_secs(40))?;
    // The flow is as it was: it does what it did, and that the engine ended it is no flow's doing.
    edit(&world.engine.project.join("desk.flow.yaml"), |text| {
        text.replace("farewell.", "goodbye.")
    })?;
    let place = (world.engine.project.as_path(), world.engine.data.as_path());
    let told = replays(place, &first)?;
    assert!(told.contains("since it could not go on"), "{told}");
    green(place, &first, "desk", "waiting")?;
    Ok(())
}

#[test]
fn a_line_that_falls_silent_has_dropped_and_one_that_hears_goodbye_has_not() -> Result<()> {
    let mut world = World::start("10", "[media]\nvanished_after_s = 4\n")?;
    let mut phone = world.dial("700", None)?;
    world.hears(&mut phone, "en", WELCOME)?;
    phone.press("2")?;
    world.hears(&mut phone, "en", NUMBER)?;
    phone.press("13800138000#")?;
    world.hears(&mut phone, "en", SURE)?;
    phone.fall_silent();
    phone.ended()?;
    world.waits(1)?;
    let first = phone.call_id.clone();
    let mut phone = world.dial("700", None)?;
    world.hears(&mut phone, "en", QUESTION)?;
    phone.press("1")?;
    world.hears(&mut phone, "en", SURE)?;
    let heard = phone.ear.len();
    phone.press("2")?;
    phone.more_than(heard, PROMPT)?;
    phone.cue()?;
    phone.ended()?;
    assert_eq!(world.engine.reason(&first)?, "abandoned");
    assert_eq!(world.engine.metric("calls_dropped")?, 0);
    Ok(())
}

/// What an engine leaves whose machine's clock was an hour ahead, and was set right while it was down.
fn clock_goes_back(world: &mut World, call_id: &str) -> Result<()> {
    let id = world.engine.contact(call_id)?["id"].clone();
    world.engine.program.kill()?;
    an_hour_ahead(&world.engine.data, id.as_str().context("an id")?)
}

#[test]
fn a_call_goes_on_when_the_clock_went_back() -> Result<()> {
    let mut world = World::start("10", "")?;
    let first = world.drops_in_the_menu()?;
    clock_goes_back(&mut world, &first)?;
    world.engine.restart()?;
    let mut phone = world.dial("700", None)?;
    world.hears(&mut phone, "en", QUESTION)?;
    phone.press("1")?;
    world.hears(&mut phone, "en", SURE)?;
    // Its time goes on from there at the next drop too.
    world.drops(phone)?;
    let mut phone = world.dial("700", None)?;
    world.hears(&mut phone, "en", QUESTION)?;
    phone.press("1")?;
    world.goes_on(phone, &first)?;
    let journal = world.engine.journal(&first)?;
    assert!(
        journal.iter().is_sorted_by_key(|entry| entry.at),
        "{journal:#?}"
    );
    let record = world.record(&first)?;
    adds_up(&record)?;
    // Its first entry names the hour before, so the sum has that hour; what was away has not.
    for drop in record["drops"].as_array().context("a list")? {
        let away = drop["away_ms"].as_u64();
        assert!(away > Some(0) && away < Some(60_000), "{record}");
    }
    // The calls back stand in the trace where they came.
    let id = record["id"].as_str().context("an id")?;
    let trace = http::get(world.engine.http, &format!("/v1/contacts/{id}/trace"))?.json()?;
    let events = trace.as_array().context("a list")?.iter();
    let told: Vec<_> = events
        .filter_map(|event| match event["kind"].as_str()? {
            "sip" if event["sip"]["what"] == "INVITE 700" => Some("INVITE"),
            kind @ ("dropped" | "called-back") => Some(kind),
            _ => None,
        })
        .collect();
    assert!(
        told.ends_with(&[
            "dropped",
            "INVITE",
            "called-back",
            "dropped",
            "INVITE",
            "called-back"
        ]),
        "{told:?}"
    );
    let log = std::fs::read_to_string(world.engine.project.with_file_name("log2"))?;
    let warned = log.matches("the clock of this machine went back").count();
    assert_eq!(warned, 1, "{log}");
    Ok(())
}

#[test]
fn a_clock_that_went_back_gives_nobody_more_time_to_come_back() -> Result<()> {
    let mut world = World::start("10", "")?;
    let first = world.drops_in_the_menu()?;
    clock_goes_back(&mut world, &first)?;
    // Two seconds were left when the line dropped.
    let left = change(&world, "UPDATE drops SET until_at = until_at - 598000")?;
    assert_eq!(left, 1);
    world.engine.restart()?;
    assert_eq!(world.engine.reason(&first)?, "abandoned");
    let record = world.record(&first)?;
    assert_eq!(record["drops"][0]["outcome"], "given-up");
    adds_up(&record)?;
    let mut phone = world.dial("700", None)?;
    world.hears(&mut phone, "en", WELCOME)
}

/// The times of a record whose line dropped are all of it.
fn adds_up(record: &Json) -> Result<()> {
    let parts = ["flow_ms", "waiting_ms", "transferred_ms", "away_ms"];
    let parts = parts.map(|part| record[part].as_u64().unwrap_or_default());
    assert!(parts[3] > 0, "{record}");
    let total = record["total_ms"].as_u64().context("a sum")?;
    assert_eq!(parts.iter().sum::<u64>(), total, "{record}");
    Ok(())
}

fn change(world: &World, sql: &'static str) -> Result<u64> {
    strowger_tests::change(&world.engine.data.join("strowger.db"), sql)
}
