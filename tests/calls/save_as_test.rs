//! `strowger trace CONTACT --save-as-test`: what a contact did becomes a test that passes where it is put.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Value as Json, json};
use strowger_tests::OrderService;
use strowger_tests::program::{aurora, edit, share_caches, strowger};
use strowger_tests::saved::put;
use tempfile::TempDir;

const CARD: &str = r#"flow: card
format: 1
languages: [en]
vars: { card: secret, message: text }
steps:
  start:
    - ask: "Your card?"
      into: card
      expect: { digits: 12..19 }
      sensitive: true
      then: { ok: mark, no_input: bye, no_match: bye }
  mark:
    - tag: paid
    - goto: bye
  bye: { hangup: completed }
"#;

/// A secret that the caller confirms, and what comes after it.
const CONFIRMED: &str = r#"flow: confirmed
format: 1
languages: [en]
vars: { card: secret }
steps:
  start:
    - ask: "Your card?"
      into: card
      expect: { digits: 12..19 }
      sensitive: true
      confirm: "It ends in ${card|last4}. Press 1 if that is right, or 2."
      then: { ok: mark, no_input: quiet, no_match: wrong }
  mark:
    - tag: { card: "${card|last4}" }
    - menu: "Press 1 to pay, 2 to leave."
      press: { 1: paid, 2: bye }
      then: { no_input: quiet, no_match: wrong }
  paid: { hangup: paid }
  quiet: { hangup: quiet }
  wrong: { hangup: wrong }
  bye: { hangup: completed }
"#;

/// What is in the tags is in part another one in every contact.
const PROMISE: &str = r#"flow: promise
format: 1
languages: [en]
steps:
  start:
    callback: "We can call you back. Press 1 for yes, 3 for no."
    within: 4h
    reason: billing
    then: { booked: bye, declined: bye, no_input: bye, no_match: bye }
  bye: { hangup: completed }
"#;

/// Free words, which are recorded on the phone.
const WORDS: &str = r#"flow: words
format: 1
languages: [en]
steps:
  start:
    survey:
      - { name: score, ask: "How was it, from 1 to 5?", expect: { number: 1..5 } }
      - { name: words, ask: "Why is that?", expect: text }
    then: { done: bye, partial: some, declined: bye, no_input: bye, no_match: bye }
  bye: { hangup: completed }
  some: { hangup: some }
"#;

/// A key that works everywhere where words are recorded, and a secret that is asked for after an announcement.
const OFFICE: &str = r#"flow: office
format: 1
languages: [en]
vars: { pin: secret }
global: { press: { 0: people } }
steps:
  start:
    menu: "Press 1 for words, 2 for the pin, 3 for the pin that is asked for to its end."
    press: { 1: words, 2: pin, 3: whole }
    then: { no_input: quiet, no_match: wrong }
  words:
    survey:
      - { name: score, ask: "How was it, from 1 to 5?", expect: { number: 1..5 } }
      - { name: words, ask: "Why is that?", expect: text }
    then: { done: bye, partial: some, declined: bye, no_input: quiet, no_match: wrong }
  pin:
    - say: "One moment."
    - ask: "Your pin."
      into: pin
      expect: { digits: 4 }
      sensitive: true
      then: { ok: bye, no_input: quiet, no_match: wrong }
  whole:
    - ask: "Your pin."
      into: pin
      expect: { digits: 4 }
      sensitive: true
      barge_in: false
      then: { ok: bye, no_input: quiet, no_match: wrong }
  bye: { hangup: completed }
  people: { hangup: people }
  some: { hangup: some }
  quiet: { hangup: quiet }
  wrong: { hangup: wrong }
"#;

/// What comes behind a called flow asks a service.
const OUTER: &str = r#"flow: outer
format: 1
languages: [en]
steps:
  start:
    - call: inner
      then: { over: look_up }
  look_up:
    - use: orders/lookup@1
      with: { order_no: "20260302", phone: "${call.from}" }
      then: { found: bye, not_found: bye, timeout: bye, error: bye }
  bye: { hangup: completed }
"#;

/// The terminal hangs up while one of its sentences is said, which one is its own matter.
const INNER: &str = r#"flow: inner
format: 1
languages: [en]
outcomes: [over]
steps:
  start:
    - menu: "Press 1."
      press: { 1: words }
      then: { no_input: words, no_match: words }
  words:
    - say: "One moment."
    - say: "One moment."
    - say: "One moment."
    - return: over
"#;

/// A digit ends the entry of a secret, or works everywhere.
const PINS: &str = r#"flow: pins
format: 1
languages: [en]
vars: { pin: secret }
global: { press: { 5: people } }
steps:
  start:
    - ask: "Your pin, then 7."
      into: pin
      expect: { digits: 4..6 }
      end_key: "7"
      sensitive: true
      then: { ok: more, no_input: quiet, no_match: wrong }
  more:
    - menu: "Thank you for your pin. Press 2 if you want to leave."
      press: { 2: bye }
      then: { no_input: quiet, no_match: wrong }
  bye: { hangup: completed }
  people: { hangup: people }
  quiet: { hangup: quiet }
  wrong: { hangup: wrong }
"#;

/// Asks a service for what it does not take, and then for what it does.
const AGAIN: &str = r#"flow: again
format: 1
languages: [en]
vars: { tries: { type: number, default: 0 } }
steps:
  start:
    ask: "Which order?"
    into: order_no
    expect: { digits: 1..12 }
    then: { ok: look, no_input: bye, no_match: bye }
  look:
    - set: { tries: "${tries + 1}" }
    - use: orders/lookup@1
      with: { order_no: "${order_no}" }
      as: order
      then:
        found: [{ say: "${order.status_text}" }, { hangup: told }]
        not_found: bye
        timeout: bye
        error: [{ say: "That is none." }, { when: "tries < 3", goto: start }, { hangup: gave_up }]
  bye: { hangup: completed }
"#;

/// Asks a service twice in one step, with other names for what it says; one of them is a mock's own.
const TWICE: &str = r#"flow: twice
format: 1
languages: [en]
steps:
  start:
    - use: orders/lookup@1
      with: { order_no: "20260302" }
      as: old
      then:
        found: [{ say: "The old one is ${old.total | money}." }]
        not_found: bye
        timeout: bye
        error: bye
    - use: orders/lookup@1
      with: { order_no: "20260303" }
      as: after
      then:
        found: [{ tag: { new: "${after.order_no}" } }, { say: "The new one is ${after.total | money}." }, { hangup: told }]
        not_found: bye
        timeout: bye
        error: bye
  bye: { hangup: completed }
"#;

/// Transfers to what the caller pressed, which is no address.
const DESK: &str = r#"flow: desk
format: 1
languages: [en]
steps:
  start:
    - ask: "Which desk?"
      into: desk
      expect: { digits: 1..4 }
      then: { ok: connect, no_input: bye, no_match: bye }
  connect:
    - transfer: "sip:desk ${desk}@example.com"
      ring: 5s
      then: { done: bye, busy: bye, no_answer: bye, declined: bye, failed: nobody }
  nobody: { hangup: nobody }
  bye: { hangup: completed }
"#;

/// Marks how long it lasted, by way of a called flow.
const STAY: &str = r#"flow: stay
format: 1
languages: [en]
vars: { began: datetime }
steps:
  start:
    - set: { began: "${now}" }
    - menu: "Press 1."
      press: { 1: mark, 2: farewell }
      then: { no_input: bye, no_match: bye }
  mark:
    - call: lasted
      with: { since: "${began}" }
      as: stayed
      then: { over: tell }
  tell:
    - tag: { stayed: "${stayed.time}", words: "for ${(now - began) | duration}", second: "${now.second}", pressed: "yes" }
    - hangup: marked
  farewell:
    - call: farewell
      then: { over: bye }
  bye: { hangup: completed }
"#;

/// How long it is since then.
const LASTED: &str = r#"flow: lasted
format: 1
languages: [en]
inputs: { since: datetime }
outcomes: [over]
steps:
  start:
    - wait: 2s
    - return: over
      with: { time: "${now - since}" }
"#;

/// Says what no test says.
const FAREWELL: &str = r#"flow: farewell
format: 1
languages: [en]
outcomes: [over]
steps:
  start:
    - say: "You were here for ${(now - call.started_at) | duration}. Goodbye."
    - return: over
"#;

struct Shop {
    folder: TempDir,
    project: PathBuf,
    _orders: OrderService,
}

impl Shop {
    fn open() -> Result<Shop> {
        let orders = OrderService::start()?;
        let folder = TempDir::new()?;
        let project = folder.path().join("project");
        aurora(&project, orders.address)?;
        std::fs::write(project.join("card.flow.yaml"), CARD)?;
        std::fs::write(project.join("confirmed.flow.yaml"), CONFIRMED)?;
        std::fs::write(project.join("promise.flow.yaml"), PROMISE)?;
        std::fs::write(project.join("words.flow.yaml"), WORDS)?;
        std::fs::write(project.join("office.flow.yaml"), OFFICE)?;
        std::fs::write(project.join("outer.flow.yaml"), OUTER)?;
        std::fs::write(project.join("inner.flow.yaml"), INNER)?;
        for (flow, text) in [
            ("pins", PINS),
            ("again", AGAIN),
            ("twice", TWICE),
            ("desk", DESK),
            ("stay", STAY),
            ("lasted", LASTED),
            ("farewell", FAREWELL),
        ] {
            std::fs::write(project.join(format!("{flow}.flow.yaml")), text)?;
        }
        share_caches(&folder.path().join("data"))?;
        Ok(Shop {
            folder,
            project,
            _orders: orders,
        })
    }

    fn run(&self, verb: &[&str]) -> Result<(i32, String, String)> {
        let project = self.project.display().to_string();
        let data = self.folder.path().join("data").display().to_string();
        strowger(&[verb, &["--project", &project, "--data", &data]].concat())
    }

    /// A contact in the terminal, as a journal in a file.
    fn journal(&self, flow: &str, script: &str) -> Result<String> {
        let (code, journal, errors) =
            self.run(&["call", flow, "--script", script, "--format", "json"])?;
        assert_eq!(code, 0, "{errors}");
        let path = self.folder.path().join("call.jsonl");
        std::fs::write(&path, journal)?;
        Ok(path.display().to_string())
    }
}

#[test]
fn what_callers_did_becomes_tests_that_pass() -> Result<()> {
    let shop = Shop::open()?;
    for (name, flow, script, has) in [
        (
            "an order that is found",
            "main-menu",
            "2,1,20260302#,1",
            vec!["orders/lookup", "press: \"20260302#\""],
        ),
        (
            "an order that is not there",
            "main-menu",
            "2,1,99999999#,1",
            vec!["orders/lookup", "outcome: not_found"],
        ),
        ("nobody presses anything", "main-menu", "2", vec!["silence"]),
        (
            "hangs up at once",
            "main-menu",
            "2,hangup",
            vec!["hangup", "ends: \"abandoned\""],
        ),
        ("a card", "card", "4111222233334444#", vec!["4444#", "tag:"]),
        (
            "keys with pauses",
            "order-status",
            "1,2,3#",
            vec!["silence"],
        ),
        ("a card that is too short", "card", "41#", vec!["press"]),
        (
            "a secret that is right",
            "confirmed",
            "4111222233334444#,1,1",
            vec!["4444#", "\"paid\"", "\"card\""],
        ),
        (
            "a secret that is wrong first",
            "confirmed",
            "4111222233334444#,2,4111222233335555#,1,2",
            vec!["4444#", "press: \"2\"", "5555#", "\"completed\""],
        ),
        (
            "a secret that is confirmed by another key",
            "confirmed",
            "4111222233334444,3,silence,1,1",
            vec!["4444", "silence", "\"paid\""],
        ),
        (
            "a call back that is promised",
            "promise",
            "1",
            vec!["\"callback_reason\":\"billing\"", "ends: \"completed\""],
        ),
        (
            "says nothing where words are recorded",
            "words",
            "4,silence,silence",
            vec!["silence", "\"some\""],
        ),
        (
            "hangs up when asked whether a secret is right",
            "confirmed",
            "4111222233334444#,hangup",
            vec!["4444#", "\"abandoned\""],
        ),
        (
            "keys on at once before a secret is asked for",
            "office",
            "21234,silence,1234",
            vec!["press: \"2\"", "press: \"7777\"", "\"completed\""],
        ),
        (
            "keys on while a secret is asked for",
            "office",
            "31234,silence,1234",
            vec![
                "press: \"3\"",
                "silence",
                "press: \"7777\"",
                "\"completed\"",
            ],
        ),
        (
            "a key that works everywhere before words are recorded",
            "office",
            "1,50",
            vec!["wait: 1ms", "press: \"0\"", "ends: \"people\""],
        ),
        (
            "hangs up in a called flow, before a service is asked",
            "outer",
            "1,hangup",
            vec!["hear: \"One moment.\"", "hangup", "ends: \"abandoned\""],
        ),
        (
            "a pin that a digit ends",
            "pins",
            "123427,2",
            vec!["7\"", "press: \"2\"", "\"completed\""],
        ),
        (
            "a pin that is too long",
            "pins",
            "1234567,2",
            // The key beyond it may lie before the question or in it, as the terminal comes to it.
            vec!["2\"", "\"completed\""],
        ),
        (
            "pins that are too short, broken off, and not ended",
            "pins",
            "127,12*,5,silence",
            vec!["press: \"007\"", "\"people\""],
        ),
        (
            "pins that are too short, and then none",
            "pins",
            "127,1,silence",
            vec!["silence", "\"quiet\""],
        ),
        (
            "an order that the service does not take",
            "again",
            "12#,20260302#",
            vec!["- { outcome: found", "\"told\""],
        ),
        (
            "two orders in one step",
            "twice",
            "1",
            vec!["old: {", "\"order_no\": \"20260303\"", "\"told\""],
        ),
        ("an address that is none", "desk", "12#", vec!["\"nobody\""]),
        (
            "how long it lasted",
            "stay",
            "1",
            vec!["tag: {\"pressed\":\"yes\"}", "\"marked\""],
        ),
        (
            "hangs up in a goodbye that tells a time",
            "stay",
            "2,hangup",
            // In the words or right behind them, as the terminal comes to it.
            vec!["ends:"],
        ),
    ] {
        let journal = shop.journal(flow, script)?;
        let (code, out, errors) = shop.run(&["replay", &journal])?;
        assert_eq!(code, 0, "{name}: {out}{errors}");
        let (code, case, told) = shop.run(&["trace", &journal, "--save-as-test", name])?;
        assert_eq!(code, 0, "{name}: {case}\n{told}");
        assert!(told.contains("it passes"), "{name}: {told}");
        for word in has {
            assert!(case.contains(word), "{name}: no `{word}` in {case}");
        }
        assert!(!case.contains("41112222"), "{name}: a secret in {case}");
        let file = shop.project.join(format!("{flow}.flow.yaml"));
        put(&file, &case)?;
        let file = file.display().to_string();
        let (code, out, errors) = strowger(&["test", &file, "-k", name])?;
        assert_eq!(code, 0, "{name}: {out}{errors}\n{case}");
        assert!(
            out.contains("1 passed") || out.contains("1 test"),
            "{name}: {out}"
        );
    }
    Ok(())
}

#[test]
fn a_test_goes_below_the_others_as_they_stand_and_by_a_name_of_its_own() -> Result<()> {
    let shop = Shop::open()?;
    let journal = shop.journal("card", "4111222233334444#")?;
    let file = shop.project.join("card.flow.yaml");
    let name = "DEL \u{7f}, C1 \u{9b}, none \u{ffff}";
    for (tests, indent) in [
        ("tests: {}", 2),
        (
            "\"tests\":\n  first:\n    run:\n      - hangup\n      - expect: { ends: abandoned }",
            2,
        ),
        (
            "tests:\n    deep:\n        run:\n            - hangup\n            - expect: { ends: abandoned }",
            4,
        ),
    ] {
        std::fs::write(&file, format!("{CARD}{tests}\n"))?;
        let (code, case, told) = shop.run(&["trace", &journal, "--save-as-test", name])?;
        assert_eq!(code, 0, "{tests}: {case}{told}");
        assert!(told.contains("it passes"), "{tests}: {told}");
        assert!(
            case.contains(r"DEL \x7f, C1 \u009b, none \uffff"),
            "{tests}: {case}"
        );
        let first = case.lines().next().context("a line")?;
        assert_eq!(first.len() - first.trim_start().len(), indent, "{case}");
    }
    let (code, case, told) = shop.run(&["trace", &journal, "--save-as-test", "deep"])?;
    assert_eq!((code, case.as_str()), (2, ""), "{told}");
    assert!(
        told.contains("there is a test `deep` already") && told.contains("choose another name"),
        "{told}"
    );
    Ok(())
}

#[test]
fn a_test_that_does_not_fit_the_flow_any_more_is_told() -> Result<()> {
    let shop = Shop::open()?;
    let journal = shop.journal("card", "4111222233334444#")?;
    edit(&shop.project.join("card.flow.yaml"), |text| {
        text.replace("hangup: completed", "hangup: sold")
    })?;
    let (code, case, told) = shop.run(&["trace", &journal, "--save-as-test"])?;
    assert_eq!(code, 1, "{case}{told}");
    assert!(
        told.contains("does not pass") && told.contains("sold"),
        "{told}"
    );
    std::fs::remove_file(shop.project.join("card.flow.yaml"))?;
    let (code, _, told) = shop.run(&["trace", &journal, "--save-as-test", "x"])?;
    assert_eq!(code, 2, "{told}");
    told.contains("no flow `card`").then_some(()).context(told)
}

#[test]
fn a_failure_that_a_plugin_calls_a_timeout_is_an_error_in_the_test() -> Result<()> {
    let shop = Shop::open()?;
    let path = shop.journal("again", "20260302#")?;
    let journal = std::fs::read_to_string(&path)?;
    let mut entries: Vec<Json> = Vec::new();
    for line in journal.lines() {
        let entry: Json = serde_json::from_str(line)?;
        let over = entry["kind"] == "outcome" && entry["plugin"] == "orders/lookup@1";
        entries.push(entry);
        if over {
            break;
        }
    }
    let outcome = entries.last_mut().context("an outcome")?;
    assert_eq!(outcome["outcome"], "found", "{outcome}");
    *outcome = json!({
        "seq": outcome["seq"], "at": outcome["at"], "kind": "failed", "plugin": "orders/lookup@1", "code": "timeout",
        "message": "the service took too long", "retries_left": 0, "returned_retryable": true,
    });
    let lines: String = entries.iter().map(|entry| format!("{entry}\n")).collect();
    std::fs::write(&path, lines)?;
    let (code, case, told) = shop.run(&["trace", &path, "--save-as-test", "too slow"])?;
    assert_eq!(code, 0, "{case}{told}");
    assert!(case.contains("- { outcome: error }"), "{case}");
    Ok(())
}
