//! A step can use only what it was given, and only while it runs.

use serde_json::json;
use strowger_contact::{Input, StepResult};

use crate::Walk;

const FLOW: &str = r#"
flow: handles
format: 1
vars: { no: text }
prompts:
  one: { any: One }
  two: { any: Two }
steps:
  start:
    - say: one
    - ask: two
      into: no
      expect: { digits: 4 }
      valid: no != "1234"
      then: { ok: queue, no_input: queue, no_match: queue }
  queue:
    queue: general
    meanwhile: { say: two }
    then: { done: bye, else: bye }
  bye: { hangup: completed }
"#;

fn walk() -> Walk {
    let mut walk = Walk::new(&[FLOW]);
    walk.check("connect", "run std/say@1");
    walk
}

#[test]
fn prompts_of_other_steps_and_made_up_ones_are_refused() {
    let mut walk = walk();
    let own = walk.input["prompt"].as_str().expect("a prompt").to_owned();
    for handle in (0..10)
        .map(|id| format!("p:{id}"))
        .filter(|id| *id != own)
        .chain(["", "p:", "p:-1", "p:99999999999", "e:0", "one"].map(str::to_owned))
    {
        let done = walk.run(&format!(
            r#"call media.say [{{"prompts":[{{"given":"{handle}"}}]}}, true]"#
        ));
        assert!(
            done.starts_with("reply err:invalid-argument:"),
            "{handle}: {done}"
        );
    }
    walk.check("say", "play One");
}

#[test]
fn expressions_of_other_steps_are_refused() {
    let mut walk = walk();
    for handle in ["e:0", "e:1", "e:x", "p:0"] {
        let done = walk.run(&format!(r#"call media.evaluate ["{handle}", []]"#));
        assert!(
            done.starts_with("reply err:invalid-argument:"),
            "{handle}: {done}"
        );
    }
}

#[test]
fn a_queue_may_say_only_a_prompt_of_its_step() {
    let mut walk = walk();
    walk.all(&["end done", "end no_input"]);
    let call = |handle: &str| {
        format!(r#"call route.enqueue ["general", {{"max-wait-ms":1000,"say":{handle}}}]"#)
    };
    let done = walk.run(&call(r#""p:77""#));
    assert!(done.starts_with("reply err:invalid-argument:"), "{done}");
    let own = walk.input["meanwhile"]["say"].to_string();
    walk.check(&call(&own), "queue general 50");
}

#[test]
fn late_inputs_change_nothing() {
    let mut walk = walk();
    walk.run("say");
    let journal = walk.journal().len();
    let late = |activation| Input::Called {
        activation,
        interface: "media".into(),
        function: "say".into(),
        args: Vec::new().into(),
    };
    assert_eq!(walk.send(late(0)), "");
    assert_eq!(walk.send(late(2)), "");
    assert_eq!(
        walk.send(late(1)),
        "",
        "it waits for another answer already"
    );
    let ended = Input::StepEnded {
        activation: 7,
        result: StepResult {
            outcome: Ok(("done".into(), json!({}).into())),
            cpu_us: 0,
            memory_bytes: 0,
            host_calls: 0,
        },
    };
    assert_eq!(walk.send(ended), "");
    let played = Input::PlayDone {
        play: 99,
        error: Some("late".into()),
    };
    assert_eq!(walk.send(played), "");
    let effect = Input::EffectDone {
        effect: 1,
        result: json!({"ok": "done"}).into(),
    };
    assert_eq!(walk.send(effect), "");
    assert_eq!(walk.send(Input::Connected), "");
    assert_eq!(walk.send(Input::Tick), "");
    assert_eq!(walk.journal().len(), journal);
    walk.check("played", "reply ok:finished");
}

#[test]
fn calls_that_nobody_knows_are_answered() {
    let mut walk = walk();
    for call in [
        "media.sing",
        "x.y",
        "media.say",
        "media.say [1,2,3]",
        "wait.sleep [\"a\"]",
    ] {
        let done = walk.run(&format!("call {call}"));
        assert!(
            done.starts_with("reply err:invalid-argument:"),
            "{call}: {done}"
        );
    }
    for call in [
        "wait.sleep [86400001]",
        "wait.wait-any [[{\"elapsed\":86400001}]]",
        "env.random [1025]",
    ] {
        let done = walk.run(&format!("call {call}"));
        assert!(done.starts_with("reply err:limit:"), "{call}: {done}");
    }
}

#[test]
fn the_world_around_a_step() {
    let mut walk = walk();
    walk.check("call env.now", "reply 1772445600000")
        .check("call env.config", "reply ")
        .check(
            "call env.local-time [\"Asia/Shanghai\"]",
            "reply ok:day:2,hour:18,minute:0,month:3,second:0,weekday:1,year:2026",
        )
        .check(
            "call env.log [\"info\",\"hello\"]",
            "log info hello | reply null",
        )
        .check("call kv.get [\"k\"]", "kv std")
        .check(r#"done {"ok":null}"#, "reply ok:null")
        .check("call wait.sleep [1000]", "")
        .check("wait 999", "")
        .check("wait 1", "reply ok:null")
        .check(r#"call wait.wait-any [["input",{"elapsed":1000}]]"#, "")
        .check("wait 1000", "reply ok:1")
        .check(r#"call wait.wait-any [[{"elapsed":1000},"input"]]"#, "")
        .check("key 5", "reply ok:1")
        .check(r#"call wait.wait-any [["input"]]"#, "reply ok:0");
    let done = walk.run("call env.local-time [\"Mars/Olympus\"]");
    assert!(done.starts_with("reply err:invalid-argument:"), "{done}");
    let functions: Vec<String> = walk
        .journal()
        .into_iter()
        .filter_map(|entry| match &entry.kind {
            strowger_contact::EntryKind::Call { function, .. } => Some(function.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(
        functions,
        [
            "env.now",
            "env.config",
            "env.local-time",
            "env.log",
            "kv.get",
            "wait.sleep",
            "wait.wait-any",
            "wait.wait-any",
            "wait.wait-any",
            "env.local-time"
        ]
    );
}

#[test]
fn a_long_answer_is_cut_in_the_journal_only() {
    let mut walk = walk();
    walk.run("call kv.get [\"k\"]");
    let long = "A".repeat(3 << 20);
    let done = walk.run(&format!(r#"done {{"ok":"{long}"}}"#));
    assert!(done.contains(&long));
    let cut = walk
        .journal()
        .into_iter()
        .find_map(|entry| match &entry.kind {
            strowger_contact::EntryKind::Call { result, .. } => Some(result.clone()),
            _ => None,
        });
    assert_eq!(cut, Some(json!({ "cut": (3 << 20) + 9 }).into()));
}
