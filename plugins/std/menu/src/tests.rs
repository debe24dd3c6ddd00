use serde_json::json;
use strowger_sdk::Error;
use strowger_sdk::harness::{Ran, Script, check_description, described_default};

fn run(script: Script, more: serde_json::Value) -> Ran {
    let mut input = json!({
        "prompt": "p:1",
        "short": "p:2",
        "press": {
            "1": { "label": "p:4", "match": ["order", "订单"] },
            "2": { "label": "p:5" },
            "9": null,
            "0": { "label": "p:6" },
            "star": {},
        },
        "reprompt": { "no_input": ["p:7", "p:8"], "no_match": ["p:9"] },
    });
    for (name, value) in more.as_object().expect("further inputs are an object") {
        input[name] = value.clone();
    }
    script.run(|| super::run("menu", &input.to_string()))
}

const CHOICES: &str = "choices=To p:4, press 1. To p:5, press 2. To p:6, press 0.";

#[test]
fn the_description_is_sound() {
    check_description(super::DESCRIPTION, super::STEPS);
}

#[test]
fn the_key_pressed_is_the_outcome() {
    let ran = run(Script::new().press("1"), json!({}));
    assert_eq!(ran.outcome().0, "1");
    assert_eq!(ran.heard, [format!("p:1 {CHOICES}")]);
    assert_eq!(run(Script::new().press("*"), json!({})).outcome().0, "star");
    assert_eq!(run(Script::new().press("9"), json!({})).outcome().0, "9");
}

#[test]
fn choices_are_spoken_in_the_language_of_the_contact() {
    let ran = run(Script::new().language("zh-CN").press("1"), json!({}));
    assert_eq!(ran.heard, ["p:1 choices=p:4请按一。p:5请按二。p:6请按零。"]);
    let ran = run(Script::new().language("fr").press("1"), json!({}));
    assert_eq!(ran.heard, ["p:1 choices=p:4: 1. p:5: 2. p:6: 0."]);
}

#[test]
fn a_chat_has_buttons_instead_of_spoken_choices() {
    let ran = run(Script::new().chat().send(" Order "), json!({}));
    assert_eq!(ran.outcome().0, "1");
    assert_eq!(ran.heard, ["p:1 choices="]);
}

#[test]
fn three_silences_climb_the_ladder_and_end_the_step() {
    let ran = run(
        Script::new().silence().silence().silence().press("1"),
        json!({}),
    );
    assert_eq!(
        ran.outcome(),
        ("no_input", json!({ "no_input": 3, "no_match": 0 }))
    );
    assert_eq!(
        ran.heard,
        [
            format!("p:1 {CHOICES}"),
            format!("p:7 p:2 {CHOICES}"),
            format!("p:8 p:2 {CHOICES}")
        ]
    );
    assert_eq!(ran.unused, 1);
}

#[test]
fn attempts_count_both_kinds_and_the_last_one_names_the_outcome() {
    let ran = run(Script::new().press("5").silence().press("5"), json!({}));
    assert_eq!(
        ran.outcome(),
        ("no_match", json!({ "no_input": 1, "no_match": 2 }))
    );
    assert_eq!(
        ran.heard[1..],
        [format!("p:9 p:2 {CHOICES}"), format!("p:7 p:2 {CHOICES}")]
    );
    let ran = run(Script::new().press("5").press("5").silence(), json!({}));
    assert_eq!(ran.outcome().0, "no_input");
}

#[test]
fn without_a_short_prompt_or_a_ladder_the_prompt_plays_again() {
    let ran = run(
        Script::new().silence().press("1"),
        json!({ "short": null, "reprompt": {} }),
    );
    assert_eq!(ran.heard[1], format!("p:1 {CHOICES}"));
}

#[test]
fn repeat_keeps_the_counters() {
    let kept = json!({ "$kept": { "no_input": 2, "no_match": 0 } });
    let ran = run(Script::new().silence(), kept);
    assert_eq!(
        ran.outcome(),
        ("no_input", json!({ "no_input": 3, "no_match": 0 }))
    );
    assert_eq!(ran.heard, [format!("p:1 {CHOICES}")]);
}

#[test]
fn one_attempt_listens_once() {
    let ran = run(Script::new().silence().press("1"), json!({ "attempts": 1 }));
    assert_eq!(ran.outcome().0, "no_input");
    assert_eq!(ran.heard.len(), 1);
}

#[test]
fn a_hang_up_or_a_global_key_ends_the_step_at_once() {
    assert_eq!(run(Script::new().silence(), json!({})).failure(), "hangup");
    assert_eq!(
        run(Script::new().refuse(Error::Cancelled), json!({})).failure(),
        "cancelled"
    );
}

#[test]
fn defaults_are_those_of_the_description() {
    for (input, default) in [
        ("attempts", json!(super::attempts())),
        ("timeout", json!(super::timeout())),
        ("gap", json!(super::gap())),
        ("barge_in", json!(super::barge_in())),
    ] {
        assert_eq!(
            described_default(super::DESCRIPTION, "menu", input),
            default,
            "{input}"
        );
    }
}
