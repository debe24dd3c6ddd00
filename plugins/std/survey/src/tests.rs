use serde_json::{Value, json};
use strowger_sdk::harness::{Ran, Script, check_description, described_default};
use strowger_sdk::media::{Recording, RecordingEnd};

/// A scale, a yes or no, and one of some.
fn questions() -> Value {
    json!([
        { "name": "score", "ask": "p:1", "expect": { "kind": "number", "min": 1, "max": 5 } },
        { "name": "solved", "ask": "p:2", "short": "p:3", "expect": { "kind": "yes_no" } },
        { "name": "by", "ask": "p:4", "expect": { "kind": "one_of", "values": ["phone", "mail"] } },
    ])
}

/// Free words.
fn words() -> Value {
    json!([{ "name": "words", "ask": "p:5", "expect": { "kind": "text" } }])
}

fn run(script: Script, questions: Value, more: Value) -> Ran {
    let mut input = json!({
        "questions": questions,
        "reprompt": { "no_input": ["p:7"], "no_match": ["p:8"] },
    });
    for (name, value) in more.as_object().expect("further inputs are an object") {
        input[name] = value.clone();
    }
    script.run(|| super::run("survey", &input.to_string()))
}

/// The outcome and its answers.
fn answers(ran: &Ran) -> (String, Value, Value) {
    let (outcome, data) = ran.outcome();
    (
        outcome.to_owned(),
        data["answers"].clone(),
        data["answered"].clone(),
    )
}

fn recording(duration_ms: u32, ended_by: RecordingEnd) -> Recording {
    Recording {
        id: "r-1".to_owned(),
        duration_ms,
        ended_by,
    }
}

#[test]
fn the_description_is_sound() {
    check_description(super::DESCRIPTION, super::STEPS);
}

#[test]
fn all_questions_are_asked_in_order_and_their_answers_kept_by_name() {
    let ran = run(
        Script::new().press("4").press("1").press("2"),
        questions(),
        json!({}),
    );
    let all = json!({ "score": 4, "solved": true, "by": "mail" });
    assert_eq!(answers(&ran), ("done".to_owned(), all, json!(3)));
    assert_eq!(ran.heard, ["p:1", "p:2", "p:4"]);
}

#[test]
fn in_a_chat_they_are_written() {
    let script = Script::new()
        .chat()
        .language("zh")
        .send("5")
        .send("不是")
        .send("PHONE");
    let ran = run(script, questions(), json!({}));
    let all = json!({ "score": 5, "solved": false, "by": "phone" });
    assert_eq!(answers(&ran), ("done".to_owned(), all, json!(3)));
}

#[test]
fn each_question_has_its_own_attempts_and_ladders() {
    let script = Script::new()
        .silence()
        .press("2")
        .press("7")
        .press("2")
        .press("1");
    let ran = run(script, questions(), json!({}));
    assert_eq!(answers(&ran).0, "done");
    assert_eq!(ran.heard, ["p:1", "p:7 p:1", "p:2", "p:8 p:3", "p:4"]);
}

#[test]
fn whoever_answers_nothing_took_no_part() {
    let ran = run(Script::new().silence().silence(), questions(), json!({}));
    let nothing = |no_input: u32, no_match: u32| json!({ "answers": {}, "answered": 0, "no_input": no_input, "no_match": no_match });
    assert_eq!(ran.outcome(), ("no_input", nothing(2, 0)));
    let ran = run(Script::new().silence().press("9"), questions(), json!({}));
    assert_eq!(ran.outcome(), ("no_match", nothing(1, 1)));
}

#[test]
fn what_was_answered_counts_when_the_attempts_are_used_up() {
    let ran = run(
        Script::new().press("3").press("9").silence(),
        questions(),
        json!({}),
    );
    assert_eq!(
        ran.outcome(),
        (
            "partial",
            json!({ "answers": { "score": 3 }, "answered": 1, "no_input": 1, "no_match": 1 })
        )
    );
}

#[test]
fn what_was_answered_counts_when_the_contact_is_gone() {
    // The script is over: the caller hangs up.
    let ran = run(Script::new().press("2").press("1"), questions(), json!({}));
    let some = json!({ "score": 2, "solved": true });
    assert_eq!(answers(&ran), ("partial".to_owned(), some, json!(2)));
    assert_eq!(
        run(Script::new(), questions(), json!({})).failure(),
        "hangup"
    );
    let invited = json!({ "invite": "p:9" });
    assert_eq!(run(Script::new(), questions(), invited).failure(), "hangup");
}

#[test]
fn an_invitation_is_declined_or_followed() {
    let invited = |script: Script| {
        run(
            script,
            questions(),
            json!({ "invite": "p:9", "skip": "star" }),
        )
    };
    let ran = invited(Script::new().press("2"));
    assert_eq!(answers(&ran), ("declined".to_owned(), json!({}), json!(0)));
    assert_eq!(ran.heard, ["p:9"]);
    let ran = invited(
        Script::new()
            .silence()
            .press("1")
            .silence()
            .press("4")
            .press("1")
            .press("1"),
    );
    assert_eq!(answers(&ran).0, "done");
    assert_eq!(ran.heard[..4], ["p:9", "p:7 p:9", "p:1", "p:7 p:1"]);
    // The key that skips a question is no answer to whether one wants any.
    let ran = invited(Script::new().press("*").silence());
    assert_eq!(ran.outcome().0, "no_input");
}

#[test]
fn a_question_may_be_left_open() {
    let script = Script::new().press("*").press("2").press("*");
    let ran = run(script, questions(), json!({ "skip": "star" }));
    assert_eq!(
        answers(&ran),
        ("done".to_owned(), json!({ "solved": false }), json!(1))
    );
    let script = Script::new()
        .chat()
        .language("zh")
        .send("跳过")
        .send("Skip")
        .send("2");
    let ran = run(script, questions(), json!({ "skip": "star" }));
    assert_eq!(
        answers(&ran),
        ("done".to_owned(), json!({ "by": "mail" }), json!(1))
    );
}

#[test]
fn free_words_are_recorded_on_the_phone_and_written_in_a_chat() {
    let said = Script::new()
        .silence()
        .recorded(Ok(recording(4_000, RecordingEnd::Silence)));
    let ran = run(said, words(), json!({}));
    assert_eq!(
        answers(&ran),
        ("done".to_owned(), json!({ "words": "r-1" }), json!(1))
    );
    let written = Script::new().chat().send("  太慢了 ");
    let ran = run(written, words(), json!({}));
    assert_eq!(
        answers(&ran),
        ("done".to_owned(), json!({ "words": "太慢了" }), json!(1))
    );
}

#[test]
fn whoever_says_nothing_after_the_tone_is_asked_again_or_skips() {
    let silent = || {
        Script::new()
            .silence()
            .recorded(Ok(recording(0, RecordingEnd::Silence)))
    };
    let once = json!({ "attempts": 1 });
    assert_eq!(run(silent(), words(), once).outcome().0, "no_input");
    let key = Script::new()
        .silence()
        .recorded(Ok(recording(0, RecordingEnd::Key)));
    let ran = run(key, words(), json!({ "skip": "*" }));
    assert_eq!(answers(&ran), ("done".to_owned(), json!({}), json!(0)));
    let ran = run(Script::new().press("*"), words(), json!({ "skip": "*" }));
    assert_eq!(answers(&ran), ("done".to_owned(), json!({}), json!(0)));
}

#[test]
fn a_survey_that_is_asked_again_goes_on_where_it_ended() {
    let kept = json!({ "$kept": { "answers": { "score": 3 }, "answered": 1, "no_input": 1, "no_match": 0 }, "invite": "p:9" });
    let ran = run(
        Script::new().press("1").press("1"),
        questions(),
        kept.clone(),
    );
    let all = json!({ "score": 3, "solved": true, "by": "phone" });
    assert_eq!(answers(&ran), ("done".to_owned(), all, json!(3)));
    assert_eq!(ran.heard, ["p:2", "p:4"]);
    // Its misses count: two attempts, and one was used.
    let ran = run(Script::new().silence().silence(), questions(), kept);
    assert_eq!((ran.outcome().0, ran.unused), ("partial", 1));
}

#[test]
fn longer_scales_and_numbers_are_typed() {
    let scale = |min: u32, max: u32| json!([{ "name": "score", "ask": "p:1", "expect": { "kind": "number", "min": min, "max": max } }]);
    let score =
        |script: Script, min: u32, max: u32| answers(&run(script, scale(min, max), json!({}))).1;
    assert_eq!(
        score(Script::new().press("10"), 0, 10),
        json!({ "score": 10 })
    );
    assert_eq!(
        score(Script::new().press("87#"), 0, 100),
        json!({ "score": 87 })
    );
    assert_eq!(
        score(Script::new().chat().send("８７"), 0, 100),
        json!({ "score": 87 })
    );
}

#[test]
fn surveys_that_cannot_be_answered_are_mistakes() {
    let failure = |questions: Value, more: Value| {
        let ran = run(Script::new().silence(), questions, more);
        (ran.failure().to_owned(), ran.heard.len())
    };
    let refused = ("bad-input".to_owned(), 0);
    let twice = json!([
        { "name": "score", "ask": "p:1", "expect": { "kind": "yes_no" } },
        { "name": "score", "ask": "p:2", "expect": { "kind": "yes_no" } },
    ]);
    assert_eq!(failure(twice, json!({})), refused);
    let card = json!([{ "name": "card", "ask": "p:1", "expect": { "kind": "card" } }]);
    assert_eq!(failure(card, json!({})), refused);
    assert_eq!(failure(questions(), json!({ "skip": "2" })), refused);
    let digits =
        json!([{ "name": "no", "ask": "p:1", "expect": { "kind": "digits", "min": 1, "max": 4 } }]);
    assert_eq!(failure(digits.clone(), json!({ "skip": "hash" })), refused);
    assert_eq!(failure(digits, json!({ "skip": "0" })), refused);
}

#[test]
fn defaults_are_those_of_the_description() {
    for (input, default) in [
        ("attempts", json!(super::attempts())),
        ("timeout", json!(super::timeout())),
        ("gap", json!(super::gap())),
        ("end_key", json!(super::end_key())),
        ("barge_in", json!(super::barge_in())),
        ("max", json!(super::max())),
    ] {
        assert_eq!(
            described_default(super::DESCRIPTION, "survey", input),
            default,
            "{input}"
        );
    }
}
