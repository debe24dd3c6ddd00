//! `strowger trace CONTACT --save-as-test` of contacts in which the moment matters: a caller who took their time, a line that drops
//! while somebody speaks, a hang-up right after an answer, the longest time of a contact.
//!
//! A call in the terminal has no such moments. So its journal is changed to what a line would have made of it.

use std::path::PathBuf;

use anyhow::{Context, Result};
use serde_json::{Value as Json, json};
use strowger_tests::program::{share_caches, strowger};
use strowger_tests::saved::put;
use tempfile::TempDir;

/// Looks at the clock.
const QUICK: &str = r#"flow: quick
format: 1
languages: [en]
vars: { began: { type: datetime, default: "2026-01-01T00:00:00+00:00" } }
steps:
  start:
    - set: { began: "${now}" }
    - menu: "Press 1 at once."
      press: { 1: look }
      timeout: 20s
      then: { no_input: bye, no_match: bye }
  look:
    - if: now - began > "4s"
      then: late
      else: early
  late: { hangup: late }
  early: { hangup: early }
  bye: { hangup: completed }
"#;

/// Asks for a secret once, and then for something else.
const PIN: &str = r#"flow: pin
format: 1
languages: [en]
vars: { pin: secret }
steps:
  start:
    - ask: "Pin."
      into: pin
      expect: { digits: 4 }
      sensitive: true
      attempts: 1
      then: { ok: bye, no_input: menu, no_match: menu }
  menu:
    - menu: "Go."
      press: { 1: one }
      timeout: 20s
      then: { no_input: bye, no_match: bye }
  one: { hangup: one }
  bye: { hangup: completed }
"#;

/// Records a message.
const MESSAGE: &str = r#"flow: message
format: 1
languages: [en]
vars: { message: { type: text, default: none } }
global: { hangup: gone }
steps:
  start:
    menu: "Press 3 to leave a message."
    press: { 3: speak }
    attempts: 1
    then: { no_input: bye, no_match: nobody }
  speak:
    - say: "Speak."
    - record:
      max: 20s
      silence: 3s
      into: message
      then: { done: thanks, no_input: nothing }
  nothing:
    - tag: { left: nothing }
    - goto: nobody
  nobody:
    - menu: "Nothing was left. Press 1."
      press: { 1: bye }
      then: { no_input: bye, no_match: bye }
  thanks: { hangup: thanks }
  gone: { hangup: gone }
  bye: { hangup: completed }
"#;

/// Has a longest time, which comes while it asks for the second time.
const PATIENT: &str = r#"flow: patient
format: 1
languages: [en]
defaults: { max_duration: 14s }
global: { too_long: long }
steps:
  start:
    menu: "Press 1."
    press: { 1: bye }
    timeout: 10s
    then: { no_input: bye, no_match: bye }
  long:
    - menu: "It takes too long. Press 2."
      press: { 2: bye }
      timeout: 20s
      then: { no_input: quiet, no_match: quiet }
  quiet: { hangup: quiet }
  bye: { hangup: completed }
"#;

/// The same without a word of its own for that.
const CURT: &str = r#"flow: curt
format: 1
languages: [en]
defaults: { max_duration: 14s }
steps:
  start:
    menu: "Press 1."
    press: { 1: bye }
    timeout: 10s
    then: { no_input: bye, no_match: bye }
  bye: { hangup: completed }
"#;

/// Says what is another time in the test.
const TOLD: &str = r#"flow: told
format: 1
languages: [en]
steps:
  start:
    menu: "Press 1 for the time."
    press: { 1: tell }
    then: { no_input: bye, no_match: bye }
  tell:
    - say: "At ${now | time} it is late."
    - menu: "Press 1 to go."
      press: { 1: bye }
      then: { no_input: bye, no_match: bye }
  bye: { hangup: completed }
"#;

struct Desk {
    folder: TempDir,
    project: PathBuf,
}

impl Desk {
    fn open() -> Result<Desk> {
        let folder = TempDir::new()?;
        let project = folder.path().join("project");
        std::fs::create_dir(&project)?;
        std::fs::write(
            project.join("strowger.toml"),
            "[project]\nname = \"desk\"\n",
        )?;
        for (flow, text) in [
            ("quick", QUICK),
            ("pin", PIN),
            ("message", MESSAGE),
            ("patient", PATIENT),
            ("curt", CURT),
            ("told", TOLD),
        ] {
            std::fs::write(project.join(format!("{flow}.flow.yaml")), text)?;
        }
        share_caches(&folder.path().join("data"))?;
        Ok(Desk { folder, project })
    }

    fn run(&self, verb: &[&str]) -> Result<(i32, String, String)> {
        let project = self.project.display().to_string();
        let data = self.folder.path().join("data").display().to_string();
        strowger(&[verb, &["--project", &project, "--data", &data]].concat())
    }

    /// The journal of a call in the terminal.
    fn call(&self, flow: &str, script: &str) -> Result<Vec<Json>> {
        let (code, journal, errors) =
            self.run(&["call", flow, "--script", script, "--format", "json"])?;
        // 1 where it ended by no word of the flow, as by its longest time.
        assert!(code <= 1, "{errors}");
        let lines = journal.lines();
        lines.map(|line| Ok(serde_json::from_str(line)?)).collect()
    }

    /// The test that is made of a journal, which passes where it is put; and what is told of it.
    fn green(&self, name: &str, flow: &str, mut journal: Vec<Json>) -> Result<(String, String)> {
        for (number, entry) in journal.iter_mut().enumerate() {
            entry["seq"] = json!(number);
        }
        let lines: String = journal.iter().map(|entry| format!("{entry}\n")).collect();
        let path = self.folder.path().join("moment.jsonl");
        std::fs::write(&path, lines)?;
        let path = path.display().to_string();
        let (code, case, told) = self.run(&["trace", &path, "--save-as-test", name])?;
        assert_eq!(code, 0, "{name}: {case}\n{told}");
        assert!(told.contains("it passes"), "{name}: {told}");
        let file = self.project.join(format!("{flow}.flow.yaml"));
        put(&file, &case)?;
        let (code, out, errors) = strowger(&["test", &file.display().to_string(), "-k", name])?;
        assert_eq!(code, 0, "{name}: {out}{errors}\n{case}");
        Ok((case, told))
    }
}

/// Where the first entry is of which this is so.
fn first(journal: &[Json], is: impl Fn(&Json) -> bool) -> Result<usize> {
    journal.iter().position(is).context("such an entry")
}

fn kind(kind: &str) -> impl Fn(&Json) -> bool {
    move |entry| entry["kind"] == kind
}

fn entered(step: &str) -> impl Fn(&Json) -> bool {
    move |entry| entry["kind"] == "entered" && entry["step"] == step
}

/// From an entry on everything comes so much later.
fn later(journal: &mut [Json], ms: u64) {
    for entry in journal {
        entry["at"] = json!(entry["at"].as_u64().unwrap_or_default() + ms);
    }
}

/// An entry of the moment of another one.
fn beside(entry: &Json, what: Json) -> Json {
    let mut what = what;
    what["at"] = entry["at"].clone();
    what
}

/// The flow comes to a step that says goodbye, after which the contact is called.
fn said_goodbye(flow: &str, step: &str) -> [Json; 2] {
    [
        json!({ "kind": "entered", "flow": flow, "step": step, "line": 1, "verb": "hangup" }),
        json!({ "kind": "ended", "reason": step, "by_caller": false, "error": null }),
    ]
}

/// The line drops, and the caller calls again and goes on, at an entry.
fn drops(entry: &Json) -> [Json; 5] {
    [
        json!({ "kind": "dropped" }),
        json!({ "kind": "called-back", "sip_call_id": "again" }),
        json!({ "kind": "key", "key": "1" }),
        json!({ "kind": "pressed", "key": "1" }),
        json!({ "kind": "resumed" }),
    ]
    .map(|what| beside(entry, what))
}

/// The acts of a case, in order.
fn acts(case: &str) -> Vec<&str> {
    let lines = case.lines().map(str::trim);
    lines.filter_map(|line| line.strip_prefix("- ")).collect()
}

#[test]
fn a_caller_who_takes_their_time_does_so_in_the_test_where_it_matters() -> Result<()> {
    let desk = Desk::open()?;
    let mut journal = desk.call("quick", "1")?;
    let key = first(&journal, kind("key"))?;
    later(&mut journal[key..], 6_000);
    for entry in &mut journal {
        *entry = serde_json::from_str(&entry.to_string().replace("\"early\"", "\"late\""))?;
    }
    let (case, told) = desk.green("takes their time", "quick", journal)?;
    assert!(told.contains("waits as then"), "{told}");
    let acts = acts(&case);
    assert!(acts[0].starts_with("wait: "), "{case}");
    assert_eq!(acts[1..], ["press: \"1\"", "expect: { ends: \"late\" }"]);

    // Where it does not matter, the test reads better without.
    let (case, told) = desk.green("at once", "quick", desk.call("quick", "1")?)?;
    assert!(
        !case.contains("wait: ") && !told.contains("waits as then"),
        "{case}"
    );
    Ok(())
}

#[test]
fn what_comes_a_while_after_a_secret_that_was_none_is_an_answer_in_the_test() -> Result<()> {
    let desk = Desk::open()?;
    // In the terminal the next key comes at once, and is dropped; so the caller answers when nothing was pressed for a while.
    let mut journal = desk.call("pin", "12#")?;
    let heard = |entry: &Json| entry["kind"] == "heard" && entry["heard"] == "nothing";
    let quiet = first(&journal, heard)?;
    let at = journal[quiet]["at"].as_u64().context("a time")? - 17_500;
    journal.truncate(quiet);
    let tick = |entry: &Json| entry["kind"] == "tick";
    while journal.last().is_some_and(tick) {
        journal.pop();
    }
    let asked = journal.iter().rev().find(|entry| entry["kind"] == "asked");
    let asked = asked.context("a call")?.clone();
    let (activation, call) = (&asked["activation"], &asked["call"]);
    let answered = [
        json!({ "kind": "key", "key": "1" }),
        json!({ "kind": "pressed", "key": "1" }),
        json!({ "kind": "heard", "heard": { "choice": "1" } }),
        json!({ "kind": "call", "activation": activation, "call": call, "function": "media.listen",
                "result": { "ok": { "choice": "1" } } }),
        json!({ "kind": "outcome", "plugin": "std/menu@1", "outcome": "1", "data": {}, "cpu_us": 1,
                "memory_bytes": 1, "host_calls": 1 }),
    ];
    let end = answered.into_iter().chain(said_goodbye("pin", "one"));
    journal.extend(end.map(|mut entry| {
        entry["at"] = json!(at);
        entry
    }));
    let (case, _) = desk.green("after the secret", "pin", journal)?;
    let acts = acts(&case);
    let press = acts.iter().position(|act| *act == "press: \"1\"");
    let press = press.context("an answer")?;
    assert!(acts[press - 1].starts_with("wait: 2"), "{case}");
    Ok(())
}

#[test]
fn a_line_that_drops_in_a_recording_drops_after_what_was_said() -> Result<()> {
    let desk = Desk::open()?;
    let mut journal = desk.call("message", "3")?;
    let capture = |entry: &Json| entry["kind"] == "call" && entry["function"] == "media.capture";
    let call = first(&journal, capture)?;
    let outcome = call + first(&journal[call..], kind("outcome"))?;
    journal.truncate(outcome + 1);
    journal[call]["result"] =
        json!({ "ok": { "id": "r", "duration-ms": 1_500, "ended-by": "hangup" } });
    journal[outcome]["outcome"] = json!("done");
    journal[outcome]["data"] = json!({ "recording": "r", "duration": 1_500 });
    let end = said_goodbye("message", "thanks");
    let moment = journal[outcome].clone();
    let [dropped, back @ ..] = drops(&moment);
    journal.extend(back);
    journal.extend(end.map(|entry| beside(&moment, entry)));
    journal.insert(call, dropped);
    let (case, _) = desk.green("drops in a recording", "message", journal)?;
    let acts = acts(&case);
    assert!(acts[1].starts_with("say: "), "{case}");
    assert_eq!(acts[2], "drop", "{case}");
    Ok(())
}

#[test]
fn a_line_that_drops_in_a_prompt_drops_while_it_is_said() -> Result<()> {
    let desk = Desk::open()?;
    let mut journal = desk.call("message", "3,hangup")?;
    let said = first(&journal, kind("said"))?;
    let mut again = drops(&journal[said]).to_vec();
    again.push(journal[said].clone());
    journal.splice(said + 1..said + 1, again);
    let (case, _) = desk.green("drops in a prompt", "message", journal)?;
    let acts = acts(&case);
    assert!(
        acts[0].contains("hear: \"Press 3 to leave a message.\""),
        "{case}"
    );
    assert_eq!(acts[1], "drop", "{case}");
    Ok(())
}

#[test]
fn a_hang_up_right_after_the_last_answer_comes_before_the_next_question() -> Result<()> {
    let desk = Desk::open()?;
    let mut journal = desk.call("message", "9")?;
    // The step had heard the key, and was not over.
    let outcome = first(&journal, kind("outcome"))?;
    journal.truncate(outcome + 1);
    let moment = journal[outcome].clone();
    journal.insert(outcome, beside(&moment, json!({ "kind": "hung-up" })));
    let end = said_goodbye("message", "gone");
    journal.extend(end.map(|entry| beside(&moment, entry)));
    let (case, _) = desk.green("hangs up after an answer", "message", journal)?;
    assert_eq!(
        acts(&case),
        ["hangup", "expect: { ends: \"gone\" }"],
        "{case}"
    );
    Ok(())
}

#[test]
fn a_hang_up_while_the_time_is_said_is_told_by_the_step_where_the_test_hears_another_time()
-> Result<()> {
    let desk = Desk::open()?;
    let mut journal = desk.call("told", "1,hangup")?;
    // In the middle of the words, wherever the terminal hung up.
    let told = |entry: &Json| entry["kind"] == "said" && entry.to_string().contains("At ");
    let told = first(&journal, told)?;
    journal.truncate(told + 1);
    let moment = journal[told].clone();
    let ended = json!({ "kind": "ended", "reason": "abandoned", "by_caller": true, "error": null });
    for entry in [json!({ "kind": "hung-up" }), ended] {
        journal.push(beside(&moment, entry));
    }
    for entry in &mut journal {
        *entry = serde_json::from_str(&entry.to_string().replace("At ", "About "))?;
    }
    let (case, _) = desk.green("another time", "told", journal)?;
    assert!(
        case.contains("expect: { step: \"tell\" }") && !case.contains("wait: "),
        "{case}"
    );
    Ok(())
}

#[test]
fn calls_in_the_terminal_that_end_or_press_keys_in_a_recording_make_tests_that_pass() -> Result<()>
{
    let desk = Desk::open()?;
    // The first further key cuts the words short, so that the next ones come where the terminal has recorded its silence.
    for script in [
        "34,hangup",
        "345,hangup",
        "3#",
        "3##",
        "3##,1",
        "3###,hangup",
    ] {
        desk.green(script, "message", desk.call("message", script)?)?;
    }
    // Whichever was first, of the silence and the hang-up right after it.
    let mut journal = desk.call("message", "3")?;
    let outcome = |entry: &Json| entry["plugin"] == "std/record@1" && entry["kind"] == "outcome";
    let outcome = first(&journal, outcome)?;
    journal.truncate(outcome + 1);
    let moment = journal[outcome].clone();
    journal.insert(outcome, beside(&moment, json!({ "kind": "hung-up" })));
    let end = said_goodbye("message", "gone");
    journal.extend(end.map(|entry| beside(&moment, entry)));
    let (case, _) = desk.green("hangs up in a recording", "message", journal)?;
    assert!(!case.contains("silence"), "{case}");

    // A key that the recording took ended it, whatever the terminal says.
    let mut journal = desk.call("message", "3")?;
    let call = |entry: &Json| entry["kind"] == "call" && entry["function"] == "media.capture";
    let call = first(&journal, call)?;
    let moment = journal[call].clone();
    let key = ["key", "pressed"];
    let key = key.map(|kind| beside(&moment, json!({ "kind": kind, "key": "#" })));
    journal.splice(call..call, key);
    let (case, _) = desk.green("a key in a recording", "message", journal)?;
    assert!(acts(&case).contains(&"press: \"#\""), "{case}");
    Ok(())
}

#[test]
fn the_longest_time_of_a_contact_comes_in_the_test() -> Result<()> {
    let desk = Desk::open()?;
    let (case, _) = desk.green(
        "stays on",
        "patient",
        desk.call("patient", "silence,silence,2")?,
    )?;
    assert!(
        case.contains("wait: ") && case.contains("expect: { step: \"long\" }"),
        "{case}"
    );
    let (case, _) = desk.green("is cut off", "curt", desk.call("curt", "silence")?)?;
    assert!(case.contains("ends: \"too-long\""), "{case}");

    // An engine that is stopped finds both over: that of the question, and that of the contact.
    let mut journal = desk.call("patient", "silence,silence,2")?;
    let long = first(&journal, entered("long"))?;
    let moment = journal[long].clone();
    let quiet = |entry: &Json| entry["kind"] == "heard" && entry["heard"] == "nothing";
    let quiet = first(&journal, quiet)?;
    // It was told that nothing is heard, and asked no more.
    journal.drain(quiet + 2..long);
    for entry in &mut journal[quiet..] {
        entry["at"] = moment["at"].clone();
    }
    let (case, told) = desk.green("while it was stopped", "patient", journal)?;
    assert!(!case.contains("silence"), "{case}");
    assert!(told.contains("came to its longest time"), "{told}");
    Ok(())
}
