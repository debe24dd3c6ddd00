//! What a step's description says of its outcomes marks the contact, as `tag:` does.

use serde_json::{Value as Json, json};
use strowger_contact::EntryKind;

use crate::Walk;

const SURVEY: &str = r#"
flow: survey
format: 1
languages: [en]
global: { hangup: gone }
steps:
  start:
    survey:
      - { name: score, ask: "How was it?", expect: { number: 1..5 } }
      - { name: solved, ask: "Is it settled?", expect: yes_no }
    then: { done: bye }
  bye: { hangup: completed }
  gone: { hangup: gone }
"#;

const CALLBACK: &str = r#"
flow: callback
format: 1
languages: [en]
steps:
  start:
    callback:
    then: { booked: bye, declined: bye, no_input: bye, no_match: bye }
  bye: { hangup: completed }
"#;

/// The tags of the journal.
fn tags(walk: &Walk) -> Vec<Json> {
    let entries = walk.journal().into_iter();
    entries
        .filter_map(|entry| match &entry.kind {
            EntryKind::Tagged { values } => Some(values.clone()),
            _ => None,
        })
        .collect()
}

#[test]
fn each_answer_of_a_survey_is_a_tag() {
    let mut walk = Walk::after(SURVEY, &[]);
    walk.check(
        r#"end done {"answers":{"score":4,"solved":true},"answered":2,"no_input":0,"no_match":0}"#,
        "hang up | ended completed",
    );
    assert_eq!(tags(&walk), [json!({ "score": 4, "solved": true })]);
}

#[test]
fn what_was_answered_before_a_hang_up_is_too() {
    let mut walk = Walk::after(SURVEY, &[]);
    walk.check("hang up", "");
    walk.check(
        r#"end partial {"answers":{"score":2},"answered":1,"no_input":0,"no_match":0}"#,
        "ended gone",
    );
    assert_eq!(tags(&walk), [json!({ "score": 2 })]);
}

#[test]
fn an_outcome_that_says_nothing_of_the_contact_marks_nothing() {
    let mut walk = Walk::after(SURVEY, &[]);
    walk.run(r#"end no_input {"answers":{},"answered":0,"no_input":2,"no_match":0}"#);
    assert!(tags(&walk).is_empty());
    let mut walk = Walk::after(CALLBACK, &[]);
    walk.run("end declined");
    assert!(tags(&walk).is_empty());
}

#[test]
fn fields_have_the_names_that_the_description_gives_them() {
    let mut walk = Walk::after(CALLBACK, &[]);
    let booked = json!({
        "id": "callback-c-1", "phone": "+8613800138000", "due": "2026-03-02T12:00:00Z",
        "within": 7_200_000, "priority": 50,
    });
    walk.run(&format!("end booked {booked}"));
    // A reason was not given, and how soon it is says the other field.
    let expected = json!({
        "callback": "+8613800138000", "callback_due": "2026-03-02T12:00:00Z",
        "callback_id": "callback-c-1", "callback_priority": 50,
    });
    assert_eq!(tags(&walk), [expected]);
}

#[test]
fn a_secret_is_no_tag() {
    let mut walk = Walk::after(SURVEY, &[]);
    walk.run(
        r#"end done {"answers":{"score":4,"card":{"secret":"s:1","length":16,"lastFour":"1111"}},"answered":2,"no_input":0,"no_match":0}"#,
    );
    assert_eq!(tags(&walk), [json!({ "score": 4 })]);
}

#[test]
fn what_does_not_fit_the_description_marks_nothing() {
    let survey = SURVEY.replace(
        "    then: { done: bye }\n",
        "    as: feedback\n    then: { done: bye }\n",
    );
    let survey = survey.replace(
        "global: { hangup: gone }",
        "global: { hangup: gone, error: gone }",
    );
    let mut walk = Walk::after(&survey, &[]);
    walk.check(
        r#"end done {"answers":{"score":4}}"#,
        "hang up | ended gone",
    );
    assert!(tags(&walk).is_empty());
}
