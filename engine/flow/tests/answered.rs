//! What `as:` keeps of an answer has the type that the flow says it has: a secret is one under `as:` as under `into:`, and the answers to a
//! survey are those that its questions expect.

#[expect(
    dead_code,
    reason = "other tests check against the whole example project"
)]
mod support;
#[path = "support/told.rs"]
mod told;

use strowger_flow::check;
use told::told;

const SURVEY: &str = include_str!("../../../plugins/std/survey/description.json");

/// A flow that may be called.
const CALLED: &str =
    "flow: b\nformat: 1\ninputs: { number: text }\nsteps:\n  start: { hangup: completed }\n";

/// The findings of a flow that begins with a step and goes on with these lines.
fn findings(vars: &str, step: &str, lines: &[&str]) -> Vec<String> {
    let mut catalog = support::steps();
    let survey = serde_json::from_str(SURVEY).expect("a description");
    support::add(&mut catalog, survey);
    catalog.flows = Some(
        strowger_flow::signature(CALLED.as_bytes())
            .into_iter()
            .collect(),
    );
    let lines: String = lines.iter().map(|line| format!("    - {line}\n")).collect();
    let text = format!(
        "flow: a\nformat: 1\nlanguages: [en]\nvars: {{ {vars} }}\nsteps:\n  start:\n{step}{lines}    - goto: bye\n  bye:\n    - say: Goodbye.\n    - hangup: completed\n"
    );
    told(&check("a.flow.yaml", text.as_bytes(), &catalog).diagnostics)
}

/// The rules that one line breaks after an `ask:` of this kind.
fn rules(expect: &str, vars: &str, line: &str) -> Vec<String> {
    let step = format!(
        "    - ask: Well?\n      expect: {expect}\n      as: r\n      then: {{ no_input: bye, no_match: bye }}\n"
    );
    let found = findings(vars, &step, &[line]).into_iter();
    found
        .map(|found| found.split(' ').next().unwrap_or_default().to_owned())
        .collect()
}

#[test]
fn a_secret_is_one_under_as_too() {
    for expect in ["card", "{ digits: 16 }\n      sensitive: true"] {
        for (vars, line) in [
            ("", "say: \"It is ${r.value}.\""),
            ("", "say: \"It is ${r['value']}.\""),
            ("", "tag: { all: \"${r}\" }"),
            ("", "tag: { number: \"${r.value}\" }"),
            ("", "tag: \"${r.value}\""),
            ("", "if: r.value == \"4111\"\n      then: bye"),
            ("", "say: Hello.\n      when: r.value == \"4111\""),
            (
                "t: { type: text, default: \"\" }",
                "set: { t: \"${r.value}\" }",
            ),
            ("o: { type: object, default: {} }", "set: { o: \"${r}\" }"),
            ("", "transfer: \"${r.value}\""),
            ("", "call: b\n      with: { number: \"${r.value}\" }"),
        ] {
            let found = rules(expect, vars, line);
            assert!(
                found.iter().any(|rule| rule == "secret-leak"),
                "{expect}: {line}: {found:?}"
            );
        }
        // What takes secrets takes this one, and its last four are said.
        for (vars, line) in [
            ("s: { type: secret }", "set: { s: \"${r.value}\" }"),
            ("", "say: \"It ends in ${r.value | last4}.\""),
        ] {
            assert_eq!(rules(expect, vars, line), [""; 0], "{expect}: {line}");
        }
    }
}

#[test]
fn an_answer_under_as_is_what_is_expected() {
    let number = "n: { type: number, default: 0 }";
    for (expect, vars, line, rule) in [
        (
            "date",
            number,
            "set: { n: \"${r.value}\" }",
            "type-mismatch",
        ),
        ("date", "", "say: \"${r.value | money}\"", "type-mismatch"),
        (
            "date",
            "",
            "if: r.value > 5\n      then: bye",
            "type-mismatch",
        ),
        ("date", "", "if: r.value\n      then: bye", "type-mismatch"),
        ("date", "", "say: \"${r.value.nonsense}\"", "unknown-field"),
        ("date", "", "say: \"${r.valeu}\"", "unknown-field"),
        (
            "{ digits: 4 }",
            "",
            "if: r.value > 5\n      then: bye",
            "type-mismatch",
        ),
        (
            "{ digits: 4 }",
            number,
            "set: { n: \"${r.value}\" }",
            "type-mismatch",
        ),
        (
            "{ number: 1..5 }",
            "",
            "if: r.value == \"x\"\n      then: bye",
            "type-mismatch",
        ),
        (
            "{ one_of: [red, blue] }",
            "",
            "if: r.value == \"green\"\n      then: bye",
            "impossible-comparison",
        ),
        (
            "{ money: CNY }",
            "",
            "if: r.value > 5\n      then: bye",
            "type-mismatch",
        ),
        ("yes_no", "", "say: \"${r.value | money}\"", "type-mismatch"),
    ] {
        assert_eq!(rules(expect, vars, line), [rule], "{expect}: {line}");
    }
    for (expect, vars, line) in [
        ("date", "", "say: \"It is ${r.value}.\""),
        ("{ digits: 4 }", "", "say: \"${r.value | digits}\""),
        ("{ number: 1..5 }", number, "set: { n: \"${r.value + 1}\" }"),
        ("yes_no", "", "if: r.value\n      then: bye"),
        (
            "{ one_of: [red, blue] }",
            "",
            "switch: r.value\n      then: { red: bye, blue: [{ say: Blue. }] }",
        ),
    ] {
        assert_eq!(rules(expect, vars, line), [""; 0], "{expect}: {line}");
    }
}

#[test]
fn the_answers_of_a_survey_are_those_of_its_questions() {
    let survey = |keep: &str| {
        format!(
            "    - survey:\n        - {{ name: a, ask: \"How was it, from one to five?\", expect: {{ number: 1..5 }} }}\n        - {{ name: c, ask: Which one?, expect: {{ one_of: [red, blue] }} }}\n        - {{ name: d, ask: When?, expect: date }}\n      {keep}\n"
        )
    };
    for (keep, of) in [("as: f", "f.answers"), ("into: f", "f")] {
        let told = |line: &str| {
            let line = line.replace("OF", of);
            let found = findings("", &survey(keep), &[&line]).into_iter();
            found
                .map(|found| found.split(' ').next().unwrap_or_default().to_owned())
                .collect::<Vec<_>>()
        };
        for (line, rule) in [
            ("if: OF.a == \"x\"\n      then: bye", "type-mismatch"),
            ("say: \"${OF.aa | default('none')}\"", "unknown-field"),
            ("say: \"${OF.a | default(0) | money}\"", "type-mismatch"),
            ("say: \"${OF.a}\"", "type-mismatch"),
            (
                "if: OF.c == \"green\"\n      then: bye",
                "impossible-comparison",
            ),
        ] {
            assert_eq!(told(line), [rule], "{keep}: {line}");
        }
        for line in [
            "say: \"${OF.a | default(0) | number}\"",
            "if: OF.a is not none and OF.a < 3\n      then: bye",
            "if: OF.c == \"red\"\n      then: bye",
        ] {
            assert_eq!(told(line), [""; 0], "{keep}: {line}");
        }
    }
    // `into:` makes dates of what the step gives as text, as everywhere.
    let date = "say: \"${f.d | date if f.d is not none else 'never'}\"";
    assert_eq!(findings("", &survey("into: f"), &[date]), [""; 0]);
}
