//! Why a contact goes where it goes: what the expressions of its flow gave.

use serde_json::json;
use strowger_contact::{EntryKind, What};

use crate::Walk;

const FLOW: &str = r#"
flow: why
format: 1
languages: [en]
vars:
  a: { type: number, default: 4 }
  b: { type: number, default: 0 }
steps:
  start:
    - say: "Only for five."
      when: a == 5
    - set: { b: "${a * 10 + a}" }
    - if: a > 2 and b < 10
      then: bye
      else: choose
  choose:
    choose:
      - { when: b is none, then: bye }
      - { when: b == 44, then: switch }
      - { else: bye }
  switch:
    switch: call.to
    then: { "100": ask, else: bye }
  ask:
    - set: { b: "${a}", a: 1 }
    - ask: "A number?"
      into: b
      expect: { number: 1..99 }
      valid: value > a
      then: { ok: again, no_input: bye, no_match: bye }
  again:
    - goto: bye
      when: b > a
    - hangup: lost
  bye: { hangup: completed }
"#;

fn kept(flow: &str) -> Walk {
    let mut walk = Walk::new(&[flow]);
    walk.contact.keep_reasons();
    walk
}

fn told(walk: &mut Walk) -> Vec<String> {
    let reasons = walk.contact.take_reasons();
    let told = reasons
        .iter()
        .map(|reason| format!("{} {}: {reason}", reason.line, reason.verb));
    told.collect()
}

#[test]
fn each_expression_is_told_with_its_names_and_the_way_that_was_taken() {
    let mut walk = kept(FLOW);
    walk.check("connect", "run std/ask@1");
    assert_eq!(
        told(&mut walk),
        [
            "10 say: skipped: a == 5 is false (a = 4)",
            "12 set: b: a * 10 + a is 44 (a = 4)",
            "13 if: a > 2 and b < 10 is false (a = 4, b = 44): else, to why:17 choose",
            "17 choose: b is none is false (b = 44); b == 44 is true (b = 44): line 2, to why:22 switch",
            "22 switch: call.to is \"100\": 100, to why:25 ask",
            "25 set: b: a is 4",
        ]
    );
    let valid = walk.input["valid"].as_str().expect("a handle").to_owned();
    let bound = r#"[{"name":"value","value":{"value":"1"}}]"#;
    walk.check(
        &format!(r#"call media.evaluate ["{valid}", {bound}]"#),
        "reply ok:false",
    );
    walk.check(r#"end ok {"value":7}"#, "hang up | ended completed");
    assert_eq!(
        told(&mut walk),
        [
            "26 ask: value > a is false (a = 1, value = 1)",
            "32 goto: b > a is true (a = 1, b = 7): then, to why:35 bye",
        ]
    );
    // Each stands before the entry that came of it.
    let mut again = kept(FLOW);
    again.run("connect");
    let reasons = again.contact.take_reasons();
    assert_eq!(reasons[0].what, What::Skipped);
    let journal = again.journal();
    let place = |line: u32| {
        let reason = reasons.iter().find(|reason| reason.line == line);
        reason.expect("a reason").before as usize
    };
    assert!(matches!(journal[place(12)].kind, EntryKind::Set { .. }));
    assert!(matches!(
        &journal[place(22)].kind,
        EntryKind::Entered { line: 25, .. }
    ));
}

#[test]
fn nobody_who_does_not_ask_keeps_any_and_the_journal_is_the_same() {
    let (mut silent, mut kept) = (Walk::new(&[FLOW]), kept(FLOW));
    silent.run("connect");
    kept.run("connect");
    assert!(silent.contact.take_reasons().is_empty());
    assert_eq!(silent.journal(), kept.journal());
}

#[test]
fn what_fails_has_no_value_and_no_way() {
    let mut walk = kept(
        "flow: nought\nformat: 1\nlanguages: [en]\nvars: { n: { type: number, default: 0 } }\nsteps:\n  start: { if: 100 / n > 2, then: bye, else: bye }\n  bye: { hangup: completed }\n",
    );
    walk.run("connect");
    let reasons = walk.contact.take_reasons();
    assert_eq!((&reasons[0].taken, &reasons[0].to), (&None, &None));
    let asked = &reasons[0].asked[0];
    assert_eq!(asked.value, None);
    assert!(
        asked.error.as_ref().is_some_and(|why| why.contains("zero")),
        "{asked:?}"
    );
    assert_eq!(asked.names, [("n".to_owned(), json!(0))].into());
}

#[test]
fn called_flows_are_given_and_give_back_what_is_told() {
    let main = "flow: main\nformat: 1\nlanguages: [en]\nvars: { n: { type: number, default: 3 } }\nsteps:\n  start: { call: other, with: { x: \"${n + 1}\" }, as: got, then: { done: after, error: bye } }\n  after: { if: got.y > 4, then: bye, else: bye }\n  bye: { hangup: completed }\n";
    let other = "flow: other\nformat: 1\nlanguages: [en]\ninputs: { x: number }\noutcomes: [done]\nsteps:\n  start: { return: done, with: { y: \"${x * 2}\" } }\n";
    let mut walk = Walk::new(&[main, other]);
    walk.contact.keep_reasons();
    walk.check("connect", "hang up | ended completed");
    assert_eq!(
        told(&mut walk),
        [
            "6 call: x: n + 1 is 4 (n = 3)",
            "7 return: y: x * 2 is 8 (x = 4)",
            "7 if: got.y > 4 is true (got.y = 8): then, to main:8 bye",
        ]
    );
}

#[test]
fn a_secret_and_what_is_made_of_it_are_hidden() {
    let flow = r#"
flow: card
format: 1
languages: [en]
vars: { card: secret }
steps:
  start:
    ask: "Your card?"
    into: card
    expect: { digits: 12..19 }
    sensitive: true
    then: { ok: look, no_input: bye, no_match: bye }
  look:
    - tag: { tail: "${card | last4}" }
    - switch: card | last4
      then: { "1, 1, 1, 1": bye, else: bye }
  bye: { hangup: completed }
"#;
    let mut walk = kept(flow);
    walk.all(&["connect", "listen", "keys 4111111111111111#"]);
    walk.run(r#"end ok {"value":{"secret":"s:1","length":16,"lastFour":"1111"}}"#);
    let reasons = walk.contact.take_reasons();
    let json = serde_json::to_string(&reasons).expect("JSON");
    assert!(!json.contains("411") && !json.contains("s:1"), "{json}");
    let told: Vec<String> = reasons.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "tail: card | last4 is ••• (card = •••)",
            "card | last4 is ••• (card = •••): •••, to card:17 bye",
        ]
    );
}
