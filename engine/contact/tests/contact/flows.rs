//! The engine's own verbs, and walking between flows.

use serde_json::json;
use strowger_contact::{Channel, EntryKind, Program, ProgramError};

use crate::Walk;
use crate::walk::{catalog, program};

const OUTER: &str = r#"
flow: outer
format: 1
vars:
  tries: { type: number, default: 1 }
  text: { type: text, default: red }
steps:
  start:
    call: inner
    with: { reason: "${text}" }
    as: back
    then: { done: decide, other: leave }
  decide:
    - set: { tries: "${tries + 1}", text: "${back.word | default(\"\")}" }
    - tag: { word: "${text}" }
    - if: tries > 1
      then: choose
      else: bye
  choose:
    choose:
      - { when: text == "nothing", then: bye }
      - { when: text == "blue", then: switch }
      - { else: bye }
  switch:
    switch: text
    then: { blue: pause, else: bye }
  pause:
    - wait: 3s
    - say: "Never."
      when: tries > 5
    - goto: leave
  leave:
    goto: flow:other
  bye: { hangup: completed }
"#;

const INNER: &str = r#"
flow: inner
format: 1
inputs: { reason: { type: text, default: none given } }
outcomes: [done, other]
steps:
  start:
    - say: "Because of ${reason}."
    - return: done
      with: { word: blue }
"#;

const OTHER: &str = r#"
flow: other
format: 1
steps:
  start:
    - say: "Other."
    - return: finished
outcomes: [finished]
"#;

#[test]
fn a_flow_walks_calls_decides_waits_and_leaves() {
    let outer = OUTER.replace(
        "    goto: flow:other",
        "    if: tries > 0\n    then: flow:other\n    else: bye",
    );
    let mut walk = Walk::new(&[&outer, INNER, OTHER]);
    walk.check("connect", "run std/say@1")
        .check("say", "play Because of red.")
        .check("played", "reply ok:finished")
        .check("end done", "")
        .check("wait 2999", "")
        .check("wait 1", "run std/say@1")
        .check("say", "play Other.")
        .check("played", "reply ok:finished")
        .check("end done", "hang up | ended finished");
    let set = walk
        .journal()
        .into_iter()
        .find_map(|entry| match &entry.kind {
            EntryKind::Set { values } => Some(values.clone()),
            _ => None,
        });
    assert_eq!(set, Some(json!({ "tries": 2, "text": "blue" })));
    let tags = walk
        .journal()
        .into_iter()
        .find_map(|entry| match &entry.kind {
            EntryKind::Tagged { values } => Some(values.clone()),
            _ => None,
        });
    assert_eq!(tags, Some(json!({ "word": "blue" })));
}

#[test]
fn the_journal_is_numbered_without_gaps_from_the_start() {
    let mut walk = Walk::new(&[OUTER, INNER, OTHER]);
    walk.all(&[
        "connect",
        "say",
        "played",
        "end done",
        "wait 3000",
        "hang up",
    ]);
    let journal = walk.journal();
    for (number, entry) in journal.iter().enumerate() {
        assert_eq!(entry.seq as usize, number);
    }
    assert!(matches!(journal[0].kind, EntryKind::Started { .. }));
    let text = serde_json::to_string(&journal).expect("JSON");
    let back: Vec<strowger_contact::Entry> = serde_json::from_str(&text).expect("reads again");
    assert!(back.iter().eq(journal), "an entry survives the store");
}

#[test]
fn a_contact_that_lasts_too_long_may_say_goodbye_once() {
    let flow = r#"
flow: long
format: 1
defaults: { max_duration: 1m }
global: { too_long: goodbye }
steps:
  start:
    menu: "One?"
    press: { 1: start, 2: goodbye }
    then: { no_input: bye, no_match: bye }
  bye: { hangup: completed }
  goodbye:
    - say: "Time is up."
    - hangup: too_late
"#;
    let mut walk = Walk::new(&[flow]);
    walk.all(&["connect", "listen", "key 1", "end 1"]);
    walk.check("listen", "play One?")
        .check("wait 59999", "")
        .check("wait 1", "cancel | stop | run std/say@1")
        .check("say", "play Time is up.")
        .check("wait 60000", "cancel | stop | hang up | ended too-long");
}

#[test]
fn a_contact_that_lasts_too_long_is_not_cut_off_without_a_word() {
    let flow = r#"
flow: long
format: 1
defaults: { max_duration: 1m }
steps:
  start:
    menu: "One?"
    press: { 1: start, 2: bye }
    then: { no_input: bye, no_match: bye }
  bye: { hangup: completed }
"#;
    let sorry = "We are sorry, something went wrong on our side. Please try again later.";
    for channel in [Channel::Voice, Channel::Chat] {
        let mut walk = Walk::on(channel, &[flow]);
        walk.all(&["connect", "listen", "key 1", "end 1", "listen"]);
        walk.check("wait 60000", &format!("cancel | stop | play {sorry}"))
            .check("played", "hang up | ended too-long");
    }
    // In the flow's own words; and nothing holds it.
    let own = flow.replace("steps:", "prompts: { apology: Time is up. }\nsteps:");
    let mut walk = Walk::new(&[&own]);
    walk.run("connect");
    walk.check("wait 60000", "cancel | play Time is up.")
        .check("wait 20000", "hang up | ended too-long");
    // Nobody is there to hear it.
    let gone = flow.replace(
        "steps:",
        "global: { hangup: quiet }\nsteps:\n  quiet:\n    - wait: 10m\n    - hangup: completed",
    );
    let mut walk = Walk::new(&[&gone]);
    walk.all(&["connect", "hang up"]);
    walk.check("wait 60000", "cancel | ended too-long");
}

#[test]
fn repeating_counts_as_an_action() {
    let flow = r#"
flow: again
format: 1
defaults: { max_steps: 10 }
steps:
  start:
    menu: "One?"
    press: { 1: repeat, 2: bye }
    then: { no_input: bye, no_match: bye }
  bye: { hangup: completed }
"#;
    let mut walk = Walk::new(&[flow]);
    walk.run("connect");
    for _ in 0..9 {
        walk.check("end 1", "run std/menu@1");
    }
    walk.check(
        "end 1",
        "play We are sorry, something went wrong on our side. Please try again later.",
    )
    .check("played", "hang up | ended too-long");
}

#[test]
fn a_program_is_whole_or_none() {
    let catalog = catalog();
    let plan = |text: &str| {
        let checked = strowger_flow::check("test.flow.yaml", text.as_bytes(), &catalog);
        std::sync::Arc::new(checked.plan.expect("a plan"))
    };
    let missing = |flow: &str| {
        Program::new([plan(flow)], &catalog.steps, Default::default()).expect_err("not whole")
    };
    let edge = "flow: f\nformat: 1\nsteps:\n  start:\n    menu: Hi\n    press: { 1: flow:gone }\n    then: { no_input: bye, no_match: bye }\n  bye: { hangup: ok }\n";
    let expected = ProgramError::MissingFlow {
        flow: "f".into(),
        missing: "gone".into(),
    };
    assert_eq!(missing(edge), expected);
    let global = "flow: f\nformat: 1\nglobal: { error: flow:gone }\nsteps:\n  start:\n    - say: Hi\n    - hangup: ok\n";
    assert_eq!(missing(global), expected);
    let whole = program(&[OUTER, INNER, OTHER]);
    assert_eq!(whole.flows().count(), 3);
    let step = Program::new(
        whole.flows().cloned(),
        &Default::default(),
        Default::default(),
    );
    assert!(matches!(step, Err(ProgramError::MissingStep { .. })));
}

#[test]
fn a_shutdown_ends_at_once_and_nothing_follows() {
    let mut walk = Walk::new(&[OUTER, INNER, OTHER]);
    walk.all(&["connect", "say"]);
    walk.check("shutdown", "cancel | stop | hang up | ended shutdown")
        .check("played", "")
        .check("end done", "")
        .check("hang up", "")
        .check("wait 99999999", "");
    assert_eq!(walk.contact.deadline(), None);
}

#[test]
fn a_tag_is_a_text_with_what_is_inserted() {
    let flow = "flow: a\nformat: 1\nvars: { n: { type: number, default: 3 }, word: { type: text, default: \"\" }, long: { type: text, default: abcdefghij } }\nsteps:\n  start:\n    - tag: \"y${call.from} ${n}\"\n    - tag: \"${word}\"\n    - tag: vip\n    - set: { long: \"${long ~ long ~ long ~ long ~ long}\" }\n    - set: { long: \"${long ~ long ~ long ~ long ~ long}\" }\n    - tag: \"${long}\"\n    - hangup: completed\n";
    let mut walk = Walk::new(&[flow]);
    walk.check("connect", "hang up | ended completed");
    let tags: Vec<_> = walk
        .journal()
        .into_iter()
        .filter_map(|entry| match &entry.kind {
            EntryKind::Tagged { values } => Some(values.clone()),
            _ => None,
        })
        .collect();
    // An empty one marks nothing; a long one is cut.
    let mut long = serde_json::Map::new();
    long.insert("abcdefghij".repeat(20), json!(true));
    assert_eq!(
        tags,
        [
            json!({ "y+8613800138000 3": true }),
            json!({ "vip": true }),
            long.into()
        ]
    );
}

#[test]
fn an_outcome_without_data_leaves_the_variable_as_it_was() {
    let flow = r#"flow: twice
format: 1
languages: [en]
steps:
  start:
    use: orders/lookup@1
    with: { order_no: "20260302" }
    as: order
    then: { found: again, not_found: bye, error: bye, timeout: bye }
  again:
    use: orders/lookup@1
    with: { order_no: "20260303" }
    as: order
    then: { found: bye, not_found: told, error: bye, timeout: bye }
  told: [ { tag: "${order.status}" }, { hangup: told } ]
  bye: { hangup: completed }
"#;
    let mut walk = Walk::new(&[flow]);
    walk.check("connect", "run orders/lookup@1");
    let found = r#"end found {"order_no":"1","status":"shipped","status_text":"on its way","total":{"amount":100,"currency":"CNY"}}"#;
    walk.check(found, "run orders/lookup@1")
        .check("end not_found {}", "hang up | ended told");
    let told = format!("{:?}", walk.all);
    assert!(!told.contains("Failed"), "{told}");
}
