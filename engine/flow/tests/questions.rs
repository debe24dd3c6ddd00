//! Steps that ask more than one question, or with words of their own, as their descriptions tell it: `survey` and `callback`.

#[expect(
    dead_code,
    reason = "other tests check against the whole example project"
)]
mod support;
#[path = "support/told.rs"]
mod told;

use strowger_flow::editor::Sheet;
use strowger_flow::plan::{Action, Template};
use strowger_flow::{Catalog, Checked, check, schema};
use told::told;

const STEPS: [&str; 2] = [
    include_str!("../../../plugins/std/survey/description.json"),
    include_str!("../../../plugins/std/callback/description.json"),
];

fn catalog() -> Catalog {
    let mut catalog = support::steps();
    for text in STEPS {
        let plugin = serde_json::from_str(text).expect("a description");
        support::add(&mut catalog, plugin);
    }
    catalog
}

/// A flow whose first step is this; languages in brackets.
fn flow(languages: &str, step: &str) -> String {
    format!(
        "flow: a\nformat: 1\nlanguages: {languages}\nsteps:\n  start:\n{step}  bye: {{ hangup: completed }}\n"
    )
}

fn checked(text: &str) -> Checked {
    check("a.flow.yaml", text.as_bytes(), &catalog())
}

/// The findings, as `rule LINE: message`.
fn findings(text: &str) -> Vec<String> {
    told(&checked(text).diagnostics)
}

/// Longest time to the goodbye of somebody who does nothing, on the phone and in a chat. Milliseconds.
fn worst(text: &str) -> (u64, u64) {
    let checked = checked(text);
    let Some(worst) = checked.worst.clone() else {
        panic!("{text}\n{:?}", findings(text));
    };
    (worst.to_person_ms, worst.chat_to_person_ms)
}

const SURVEY: &str = "    survey:
      - { name: score, ask: Four., expect: { number: 1..5 } }
      - { name: solved, ask: This is the question with the most words of all., expect: yes_no }
";

const OFFER: &str = "    then: { booked: bye, declined: bye, no_input: bye, no_match: bye }\n";

#[test]
fn a_survey_leads_on_by_one_line() {
    assert_eq!(
        findings(&flow("[en]", &format!("{SURVEY}    then: bye\n"))),
        [""; 0]
    );
    let all = "    as: feedback\n    then: { done: bye, partial: bye, declined: bye, no_input: bye, no_match: bye }\n";
    assert_eq!(findings(&flow("[en]", &format!("{SURVEY}{all}"))), [""; 0]);
    let lost = findings(&flow("[en]", SURVEY));
    assert!(
        lost.iter()
            .any(|found| found.starts_with("missing-outcome") || found.starts_with("dead-end")),
        "{lost:?}"
    );
}

#[test]
fn somebody_who_does_nothing_hears_one_question_as_often_as_there_are_attempts() {
    let of = |more: &str| worst(&flow("[en]", &format!("{SURVEY}{more}    then: bye\n")));
    let (once, chat) = of("    attempts: 1\n");
    let (twice, _) = of("");
    assert_eq!(chat, 6 * 5_000);
    assert!(once > 5_000 + 2_000 && once < 5_000 + 5_000, "{once}");
    assert_eq!(twice, 2 * once);
    let (longer, _) = of("    timeout: 8s\n");
    assert_eq!(longer, twice + 2 * 3_000);
    // An invitation may be all that is heard, and then counts in place of a question.
    let invited = "    invite: We would like to know what you think of us, of the person who served you, and of the goods.\n";
    assert!(of(invited).0 > twice);
    assert_eq!(of("    invite: May we?\n").0, twice);
    // A line of the ladder is said before the second time.
    let ladder = "    reprompt: { no_input: [Once more then.] }\n";
    assert!(of(ladder).0 > twice);
}

#[test]
fn only_a_contact_who_does_nothing_causes_what_comes_of_silence() {
    // A survey that is asked again for ever by silence is a loop that nobody causes; by answers it is the caller's own.
    let again = |outcome: &str| {
        let then = format!("    then: {{ {outcome}: start, else: bye }}\n");
        findings(&flow("[en]", &format!("{SURVEY}{then}")))
    };
    assert!(
        again("no_input")
            .iter()
            .any(|found| found.starts_with("silent-loop")),
        "{:?}",
        again("no_input")
    );
    assert_eq!(again("partial"), [""; 0]);
    assert_eq!(again("declined"), [""; 0]);
}

#[test]
fn questions_are_checked_one_by_one() {
    let questions = "    survey:
      - { name: score, ask: How was it?, expect: { number: 1..5 } }
      - { name: score, ask: And now?, expect: yes_no }
      - { name: Solved, ask: Is it settled?, expect: yes_no }
      - { name: card, ask: Your card?, expect: card }
      - { name: words, ask: no_such_prompt, expect: text }
      - { name: by, ask: How?, expects: text }
    skip: 12
    then: bye
";
    let found = findings(&flow("[en]", questions));
    let told = |what: &str| found.iter().any(|found| found.contains(what));
    for what in [
        "bad-input 8: the input `questions` has `name: score` twice",
        "bad-input 9: the input `questions`: `name` has the shape",
        "bad-input 10: the input `questions`: `expect` does not take `card`",
        "unknown-prompt 11",
        "unknown-key 12: `survey` has no `expects`",
        "bad-input 13: `12` is not a key of a telephone",
    ] {
        assert!(told(what), "{what}: {found:#?}");
    }
    assert_eq!(found.len(), 6, "{found:#?}");
}

#[test]
fn a_long_question_is_told() {
    let long = "Word ".repeat(120);
    let survey = format!(
        "    survey:\n      - {{ name: a, ask: \"{long}\", expect: yes_no }}\n    then: bye\n"
    );
    let found = findings(&flow("[en]", &survey));
    assert!(found[0].starts_with("long-prompt 7"), "{found:?}");
    let invite = format!("{SURVEY}    invite: \"{long}\"\n    then: bye\n");
    assert!(findings(&flow("[en]", &invite))[0].starts_with("long-prompt 9"));
}

/// The texts of a step's input in a plan, by language.
fn words(checked: &Checked, input: &str) -> Vec<(String, String)> {
    let plan = checked.plan.as_ref().expect("a plan");
    let Action::Step(call) = &plan.nodes[0].action else {
        panic!("the first action is a step");
    };
    let Template::Object(inputs) = &call.input else {
        panic!("a step has inputs");
    };
    let Some(Template::Prompt(prompt)) = inputs.get(input) else {
        panic!("{input}: {:?}", inputs.get(input));
    };
    let voices = &plan.prompts[prompt.0 as usize].voices;
    let texts = voices
        .iter()
        .map(|(language, voices)| (language.clone(), format!("{:?}", voices[0].text)));
    texts.collect()
}

#[test]
fn a_step_has_words_of_its_own_in_the_languages_of_the_flow() {
    let text =
        |languages: &str, more: &str| flow(languages, &format!("    callback:\n{more}{OFFER}"));
    let languages = |checked: &Checked| -> Vec<String> {
        words(checked, "ask_number")
            .into_iter()
            .map(|(language, _)| language)
            .collect()
    };
    let both = checked(&text("[zh, en]", ""));
    assert!(both.diagnostics.is_empty());
    assert_eq!(languages(&both), ["en", "zh"]);
    assert!(words(&both, "ask_number")[1].1.contains("请输入回电号码"));
    assert_eq!(languages(&checked(&text("[zh-HK]", ""))), ["zh-HK"]);
    // Who has no words of a language says those of another.
    assert_eq!(languages(&checked(&text("[fr]", ""))), ["en"]);
    // A flow's own words stand in their place.
    let own = checked(&text("[en]", "    ask_number: Which number?\n"));
    assert_eq!(
        words(&own, "ask_number"),
        [(
            "any".to_owned(),
            r#"Some([Text("Which number?")])"#.to_owned()
        )]
    );
    assert!(own.diagnostics.is_empty());
}

#[test]
fn words_of_its_own_count_as_the_flows() {
    let of = |step: &str| worst(&flow("[en]", &format!("    callback:{step}\n{OFFER}"))).0;
    let own = of("");
    // Three times the offer with the longest number and the longest time, and three silences.
    assert!(own > 3 * (5_000 + 10_000), "{own}");
    let short = of(" Shall we call you?\n    ask_number: Which number?");
    assert!(short < own && short > 3 * 5_000, "{short}");
    // Whoever withholds the number is asked for one first.
    let asked = of(
        " Shall we call you?\n    ask_number: \"We would like to call you back, but you withhold your number. Which is it?\"",
    );
    assert!(asked > short);
    let confirmed = of(
        " Shall we call you?\n    ask_number: Which number?\n    confirm: \"Is this the number that we should call: ${number | phone}?\"",
    );
    assert_eq!(confirmed, short);
}

#[test]
fn the_offer_must_lead_on() {
    let found = findings(&flow(
        "[en]",
        "    callback:\n    within: 5s\n    then: { booked: bye }\n",
    ));
    assert!(
        found.iter().any(|found| found.starts_with("bad-duration")),
        "{found:?}"
    );
    assert!(
        found.iter().any(|found| found.contains("declined")),
        "{found:?}"
    );
    let unknown = flow(
        "[en]",
        &format!("    callback: \"We call ${{numbre | phone}}\"\n{OFFER}"),
    );
    assert!(!findings(&unknown).is_empty());
}

#[test]
fn editors_offer_what_a_question_takes() {
    let schema = schema::flow(&catalog());
    let verbs = schema["$defs"]["action"]["anyOf"]
        .as_array()
        .expect("verbs");
    let of = |verb: &str| {
        let mut steps = verbs.iter().map(|step| &step["properties"]);
        steps
            .find(|step| step[verb].is_object())
            .unwrap_or_else(|| panic!("no {verb}"))
    };
    assert!(of("survey")["survey"].to_string().contains("\"ask\""));
    assert!(of("callback")["within"].is_object());
    let text = flow(
        "[en]",
        "    survey:\n      - name: score\n        \n    then: bye\n",
    );
    let at = text.find("        \n").expect("the line") + 8;
    let offers = Sheet::read(&text, &catalog(), None, None).complete(at, &catalog());
    let labels: Vec<String> = offers.into_iter().map(|offer| offer.label).collect();
    for key in ["ask", "expect", "short"] {
        assert!(labels.iter().any(|label| label == key), "{key}: {labels:?}");
    }
}

/// A survey of these questions with such a key to skip one.
fn skipping(questions: &[&str], options: &str) -> String {
    let list: String = (1..)
        .zip(questions)
        .map(|(at, expect): (u32, _)| {
            format!("      - {{ name: q{at}, ask: Well?, expect: {expect} }}\n")
        })
        .collect();
    flow(
        "[en]",
        &format!("    survey:\n{list}    {options}\n    then: bye\n"),
    )
}

#[test]
fn the_key_that_skips_is_no_answer() {
    for (questions, options) in [
        (&["{ number: 1..5 }"][..], "skip: 9"),
        (&["{ number: 1..5 }", "text", "yes_no"], "skip: star"),
        (&["yes_no"], "skip: 3"),
        (&["{ one_of: [a, b] }"], "skip: 3"),
        (&["text"], "skip: 1"),
        (&["{ number: 1..5 }"], "skip: hash"),
        (&["{ digits: 4 }"], "skip: hash\n    end_key: star"),
    ] {
        assert_eq!(
            findings(&skipping(questions, options)),
            [""; 0],
            "{questions:?} {options}"
        );
    }
    for (questions, options) in [
        (&["{ number: 1..5 }"][..], "skip: 3"),
        (&["text", "{ number: 0..10 }"], "skip: 1"),
        (&["{ number: 1..50 }"], "skip: 9"),
        (&["yes_no"], "skip: 2"),
        (&["{ one_of: [a, b] }"], "skip: 1"),
        (&["{ digits: 4 }"], "skip: 0"),
        (&["{ digits: 4 }"], "skip: hash"),
        (&["date"], "skip: star\n    end_key: star"),
    ] {
        let found = findings(&skipping(questions, options));
        assert!(
            matches!(found.as_slice(), [one] if one.starts_with("bad-input") && one.contains("`skip`")),
            "{questions:?} {options}: {found:?}"
        );
    }
}

#[test]
fn questions_stand_in_the_flow() {
    let step = "    survey: \"${list}\"\n    then: bye\n";
    let text = flow("[en]", step).replace(
        "steps:",
        "vars: { list: { type: list, default: [] } }\nsteps:",
    );
    let found = findings(&text);
    assert!(
        matches!(found.as_slice(), [one] if one.starts_with("bad-input 7: ") && one.contains("no value can be inserted")),
        "{found:?}"
    );
}

#[test]
fn words_of_its_own_insert_what_the_step_gives() {
    let told_of = |words: &str| {
        let mut catalog = catalog();
        let step = catalog.steps.get_mut("std/callback@1").expect("a step");
        step.input["properties"]["confirm"]["default"]["en"] = words.into();
        let text = flow("[en]", &format!("    callback:\n{OFFER}"));
        told(&check("a.flow.yaml", text.as_bytes(), &catalog).diagnostics)
    };
    for good in [
        "Fine.",
        "We call ${number | phone} within ${within | duration}.",
        "It is ${now | time}, ${call.from | phone}.",
    ] {
        assert_eq!(told_of(good), [""; 0], "{good}");
    }
    for (bad, why) in [
        ("We call ${numbre | phone}.", "numbre"),
        ("We call ${number | duration}.", "duration"),
        ("We call ${call.form}.", "form"),
        ("We call ${number |}.", "cannot be said"),
        ("We call ${call}.", "object"),
    ] {
        let found = told_of(bad);
        assert!(
            matches!(found.as_slice(), [one] if one.starts_with("bad-input 6: the words that `callback` has for `confirm` in `en`")
                && one.contains(why)),
            "{bad}: {found:?}"
        );
    }
}

#[test]
fn what_the_checker_takes_without_a_value_the_schema_takes() {
    let catalog = catalog();
    let schema = schema::flow(&catalog);
    let validator = jsonschema::draft202012::new(&schema).expect("a schema that can be used");
    let valid = |step: &str, then: &str| {
        let text = flow("[en]", &format!("{step}{then}"));
        let errors = findings(&text);
        let yaml: serde_yaml::Value = serde_yaml::from_str(&text).expect("YAML");
        let flow = serde_json::to_value(&yaml).expect("keys are texts");
        (errors.is_empty(), validator.is_valid(&flow))
    };
    assert_eq!(valid("    callback:\n", OFFER), (true, true));
    assert_eq!(
        valid("    callback: May we call you back?\n", OFFER),
        (true, true)
    );
    // A step that says nothing by itself needs its words.
    assert_eq!(valid("    say:\n", "    then: bye\n"), (false, false));
}
