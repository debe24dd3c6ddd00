//! Names that expressions could not tell apart: one finding, where the name stands for the second time.

mod support;

use std::collections::BTreeMap;

use strowger_flow::check;
use strowger_flow::value::Type;

/// A flow whose declarations and steps are given; what is found: line, rule, message, help.
fn found(declared: &str, steps: &str) -> Vec<(u32, &'static str, String)> {
    let text = format!(
        "flow: names\nformat: 1\nlanguages: [en]\noutcomes: [done]\n{declared}steps:\n{steps}  bye: {{ hangup: completed }}\n"
    );
    let mut catalog = support::project();
    if let Some(other) = catalog
        .flows
        .as_mut()
        .and_then(|all| all.get_mut("order-status"))
    {
        let given = BTreeMap::from([("total".to_owned(), Type::Money)]);
        let outcomes = other.outcomes.iter();
        other.results = Some(outcomes.map(|name| (name.clone(), given.clone())).collect());
    }
    let checked = check("names.flow.yaml", text.as_bytes(), &catalog);
    let found = checked.diagnostics.into_iter();
    let told = |found: strowger_flow::Diagnostic| {
        let help = found.help.map(|help| help.english().to_owned());
        let told = format!("{} / {}", found.message.english(), help.unwrap_or_default());
        (found.primary.place.line, found.rule, told)
    };
    found.map(told).collect()
}

/// That exactly one thing is told, whose words hold some.
fn one(declared: &str, steps: &str, line: u32, rule: &str, words: &str) {
    let found = found(declared, steps);
    assert_eq!(found.len(), 1, "{declared}{steps}{found:#?}");
    assert_eq!((found[0].0, found[0].1), (line, rule), "{found:?}");
    assert!(found[0].2.contains(words), "{found:?}");
}

#[test]
fn an_input_and_a_variable_of_one_name_are_one_finding() {
    let compared = "  start:\n    - if: n == \"input\"\n      then: bye\n      else: count\n  count:\n    - set: { n: 7 }\n    - say: \"Upper ${n | upper}.\"\n    - goto: bye\n";
    one(
        "inputs: { n: { type: text, default: input } }\nvars: { n: { type: number, default: 5 } }\n",
        compared,
        6,
        "bad-name",
        "`n` stands under `inputs:` and under `vars:`",
    );
    one(
        "vars: { n: { type: number, default: 5 } }\ninputs: { n: { type: text, default: input } }\n",
        compared,
        6,
        "bad-name",
        "`n` stands under `vars:` and under `inputs:`",
    );
    let kept = "  start:\n    ask: Please enter your code.\n    as: got\n    expect: { digits: 4 }\n    sensitive: true\n    then: { ok: said, no_input: bye, no_match: bye }\n  said:\n    - set: { pin: \"${got.value}\" }\n    - say: \"Your code is ${pin}.\"\n    - tag: { code: \"${pin}\" }\n    - goto: bye\n";
    one(
        "inputs: { pin: { type: text, default: none yet } }\nvars: { pin: secret }\n",
        kept,
        6,
        "bad-name",
        "`pin`",
    );
    // Where an answer goes, it goes to the variable.
    let into = "  start:\n    ask: Please enter your code.\n    into: pin\n    expect: { digits: 4 }\n    sensitive: true\n    then: { else: bye }\n";
    one(
        "inputs: { pin: { type: secret } }\nvars: { pin: text }\n",
        into,
        6,
        "bad-name",
        "`pin`",
    );
}

#[test]
fn whoever_sets_an_input_reads_that_inputs_never_change() {
    for steps in [
        "  start: { set: { lang: en }, then: bye }\n",
        "  start:\n    ask: \"Which language, ${lang}?\"\n    into: lang\n    expect: { digits: 4 }\n    then: { else: bye }\n",
    ] {
        let found = found("inputs: { lang: text }\n", steps);
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].1, "bad-value");
        assert!(found[0].2.contains("inputs never change"), "{found:?}");
        assert!(!found[0].2.contains("declare"), "{found:?}");
    }
}

#[test]
fn the_answer_and_all_that_a_step_gives_have_names_of_their_own() {
    let steps = "  start:\n    ask: Which number?\n    as: got\n    into: got\n    expect: { digits: 4 }\n    then: { ok: said, no_input: bye, no_match: bye }\n  said: { say: \"${got}.\", then: bye }\n";
    one("", steps, 8, "bad-value", "`as:` and `into:` both name");
}

#[test]
fn a_variable_takes_what_a_called_flow_gives_only_where_it_can() {
    let steps =
        "  start:\n    call: order-status\n    as: got\n    then: { else: bye, error: bye }\n";
    let declared = "vars: { got: { type: number, default: 3 } }\n";
    one(declared, steps, 9, "type-mismatch", "`got` takes a number");
    assert_eq!(
        found("vars: { got: object }\n", steps),
        vec![],
        "an object takes it"
    );
}

#[test]
fn any_is_no_language_since_prompts_call_all_of_them_so() {
    let text = "flow: any\nformat: 1\nlanguages: [any, en]\nprompts: { x: { any: Hello there., en: Hi. } }\nsteps:\n  start: [ { say: x }, { hangup: completed } ]\n";
    let checked = check("any.flow.yaml", text.as_bytes(), &support::project());
    let rules: Vec<_> = checked.diagnostics.iter().map(|found| found.rule).collect();
    assert_eq!(rules, ["bad-value"]);
}
