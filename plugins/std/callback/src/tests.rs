use serde_json::{Value, json};
use strowger_sdk::harness::{Ran, Script, check_description, described_default};

fn run(script: Script, more: Value) -> Ran {
    let mut input = json!({
        "prompt": "p:1",
        "ask_number": "p:2",
        "confirm": "p:3",
        "within": 3_600_000,
        "reprompt": { "no_input": ["p:7"], "no_match": ["p:8"] },
    });
    for (name, value) in more.as_object().expect("further inputs are an object") {
        input[name] = value.clone();
    }
    script.run(|| super::run("callback", &input.to_string()))
}

fn booked(phone: &str) -> Value {
    json!({
        "id": "callback-c-1",
        "phone": phone,
        "due": "2026-03-02T03:00:00Z",
        "within": 3_600_000,
        "priority": 50,
    })
}

/// What is said, with the names that a prompt may use.
fn said(prompt: &str, number: &str) -> String {
    format!("{prompt} number=\"{number}\" within=3600000")
}

#[test]
fn the_description_is_sound() {
    check_description(super::DESCRIPTION, super::STEPS);
}

#[test]
fn the_callers_own_number_is_offered() {
    let ran = run(Script::new().press("1"), json!({}));
    assert_eq!(ran.outcome(), ("booked", booked("+8613800138000")));
    assert_eq!(ran.heard, [said("p:1", "+8613800138000")]);
}

#[test]
fn number_priority_and_reason_are_those_of_the_flow() {
    let more = json!({ "number": "+86 21 6123 4567", "priority": 80, "reason": "delivery" });
    let ran = run(Script::new().press("1"), more);
    let mut expected = booked("+862161234567");
    expected["priority"] = json!(80);
    expected["reason"] = json!("delivery");
    assert_eq!(ran.outcome(), ("booked", expected));
    let empty = run(Script::new().press("1"), json!({ "reason": "" }));
    assert_eq!(empty.outcome().1, booked("+8613800138000"));
}

#[test]
fn another_number_is_entered_and_confirmed() {
    let script = Script::new().press("2").press("02161234567#").press("1");
    let ran = run(script, json!({}));
    assert_eq!(ran.outcome(), ("booked", booked("02161234567")));
    assert_eq!(
        ran.heard,
        [
            said("p:1", "+8613800138000"),
            said("p:2", ""),
            said("p:3", "02161234567")
        ]
    );
}

#[test]
fn whoever_has_no_number_is_asked_for_one() {
    for from in ["", "anonymous", "sip:alice@example.org"] {
        let ran = run(
            Script::new().from(from).press("13900139000#").press("1"),
            json!({}),
        );
        assert_eq!(ran.outcome().1, booked("13900139000"), "{from}");
        assert_eq!(ran.heard[0], said("p:2", ""));
    }
}

#[test]
fn a_number_called_wrong_is_entered_again_and_counts() {
    let script = Script::new()
        .press("2")
        .press("111#")
        .press("2")
        .press("222#")
        .press("1");
    let ran = run(script, json!({}));
    assert_eq!(ran.outcome(), ("booked", booked("222")));
    let wrong = |script: Script, number: &str| script.press(number).press("2");
    let script = ["111#", "222#", "333#"]
        .into_iter()
        .fold(Script::new().press("2"), wrong);
    let ran = run(script.press("444#"), json!({}));
    assert_eq!((ran.outcome().0, ran.unused), ("no_match", 1));
}

#[test]
fn it_may_be_declined_at_the_offer_and_at_the_number() {
    assert_eq!(
        run(Script::new().press("3"), json!({})).outcome(),
        ("declined", json!({}))
    );
    let ran = run(Script::new().press("2").press("*"), json!({}));
    assert_eq!(ran.outcome(), ("declined", json!({})));
}

#[test]
fn in_a_chat_it_is_written() {
    let ran = run(Script::new().chat().language("zh").send("好的"), json!({}));
    assert_eq!(ran.outcome(), ("booked", booked("+8613800138000")));
    let ran = run(Script::new().chat().send("No thanks"), json!({}));
    assert_eq!(ran.outcome().0, "declined");
    // A number in place of an answer is the one that is wanted.
    let ran = run(
        Script::new().chat().send("+49 30 123456").send("yes"),
        json!({}),
    );
    assert_eq!(ran.outcome(), ("booked", booked("+4930123456")));
}

#[test]
fn misses_climb_the_ladder_and_the_last_kind_ends_the_step() {
    let ran = run(Script::new().silence().press("9").silence(), json!({}));
    assert_eq!(
        ran.outcome(),
        ("no_input", json!({ "no_input": 2, "no_match": 1 }))
    );
    let offer = said("p:1", "+8613800138000");
    assert_eq!(
        ran.heard,
        [
            offer.clone(),
            format!("p:7 {offer}"),
            format!("p:8 {offer}")
        ]
    );
    let kept = json!({ "$kept": { "no_input": 1, "no_match": 1 } });
    assert_eq!(run(Script::new().silence().silence(), kept).unused, 1);
}

#[test]
fn a_hang_up_is_a_failure() {
    assert_eq!(run(Script::new(), json!({})).failure(), "hangup");
}

#[test]
fn defaults_are_those_of_the_description() {
    for (input, default) in [
        ("within", json!(super::within())),
        ("attempts", json!(super::attempts())),
        ("timeout", json!(super::timeout())),
        ("gap", json!(super::gap())),
        ("end_key", json!(super::end_key())),
        ("barge_in", json!(super::barge_in())),
    ] {
        assert_eq!(
            described_default(super::DESCRIPTION, "callback", input),
            default,
            "{input}"
        );
    }
}
