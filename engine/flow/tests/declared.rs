//! Variables that are misspelt where they are declared, or where a result is kept: one finding, there, with the change that mends it, also
//! where the flow's tests name the variable.

mod support;

use strowger_flow::{Catalog, check, fix};

/// A flow that counts and asks, with tests that name what it counts and asks.
const RIGHT: &str = r#"flow: m
format: 1
languages: [en]
inputs: { reason: { type: text, default: general } }
outcomes: [fin, oth]
vars:
  tries: { type: number, default: 0 }
steps:
  start:
    ask: Your number, please.
    into: order_no
    expect: { digits: 4..8 }
    confirm: "You said ${order_no | digits}."
    then: { ok: counted, no_input: sorry, no_match: sorry }
  counted:
    - set: { tries: "${tries + 1}" }
    - if: tries < 2 and reason == "general"
      then: start
      else: over
  over:
    - tag: { number: "${order_no}" }
    - return: fin
  sorry:
    - say: We are sorry.
    - return: oth
tests:
  one:
    given: { vars: { tries: 1 }, inputs: { reason: other } }
    run:
      - press: "1234#1"
      - expect: { step: over, vars: { tries: 2, order_no: "1234" } }
"#;

/// The findings of a text: line, rule, and what is proposed.
fn found(text: &str, catalog: &Catalog) -> Vec<(u32, &'static str, String)> {
    let checked = check("m.flow.yaml", text.as_bytes(), catalog);
    let found = checked.diagnostics.into_iter();
    found
        .map(|found| {
            let proposed = found.fix.map(|fix| fix.replacement).unwrap_or_default();
            (found.primary.place.line, found.rule, proposed)
        })
        .collect()
}

/// That a slip in the flow is told once, at its line, and that `--fix` makes the flow what it was.
fn told_where_it_stands(right: &str, wrong: &str) {
    let catalog = support::project();
    assert_eq!(found(RIGHT, &catalog), []);
    let text = RIGHT.replacen(right, wrong, 1);
    let at = RIGHT.find(right).expect("it stands in the flow");
    let line = RIGHT[..at].matches('\n').count() as u32 + 1;
    let told = found(&text, &catalog);
    let [(there, "unknown-variable", _)] = &told[..] else {
        panic!("{wrong}: {told:?}");
    };
    assert_eq!(*there, line, "{wrong}: {told:?}");
    let fixed = fix("m.flow.yaml", text.as_bytes(), &catalog).expect("it is text");
    assert_eq!(fixed.text, RIGHT, "{wrong}");
}

#[test]
fn a_declaration_is_the_slip_where_tests_name_the_variable_too() {
    told_where_it_stands("tries: { type", "ties: { type");
    told_where_it_stands("tries: { type", "tris: { type");
    told_where_it_stands("inputs: { reason", "inputs: { reson");
}

#[test]
fn two_letters_are_a_slip_where_no_other_name_is_meant() {
    told_where_it_stands("tries: { type", "trys: { type");
}

#[test]
fn a_result_is_the_slip_where_tests_name_it_too() {
    told_where_it_stands("into: order_no", "into: ordr_no");
}

#[test]
fn a_variable_that_is_only_set_and_tested_is_declared_by_its_name_there() {
    let text = |declared: &str| {
        format!(
            "flow: a\nformat: 1\nlanguages: [en]\nvars: {{ {declared}: {{ type: number, default: 0 }} }}\nsteps:\n  start:\n    - set: {{ count: 1 }}\n    - hangup: completed\ntests:\n  a:\n    run:\n      - expect: {{ vars: {{ count: 1 }} }}\n"
        )
    };
    let catalog = support::project();
    assert_eq!(found(&text("count"), &catalog), []);
    for slip in ["coutn", "cuont", "cunt"] {
        let told = found(&text(slip), &catalog);
        assert_eq!(
            told,
            [(4, "unknown-variable", "count".to_owned())],
            "{slip}"
        );
    }
}

#[test]
fn names_with_nothing_in_common_are_two_findings() {
    let text = "flow: a\nformat: 1\nlanguages: [en]\nvars: { colour: { type: number, default: 0 } }\nsteps:\n  start:\n    - if: tries < 2 and tries > 0\n      then: start\n      else: bye\n  bye: { hangup: completed }\n";
    let told = found(text, &support::project());
    let rules: Vec<&str> = told.iter().map(|(_, rule, _)| *rule).collect();
    assert!(
        rules.contains(&"unused") && rules.contains(&"unknown-variable"),
        "{told:?}"
    );
    assert!(
        told.iter().all(|(.., proposed)| proposed.is_empty()),
        "{told:?}"
    );
}

#[test]
fn a_slip_in_a_test_is_told_in_the_test() {
    let catalog = support::project();
    let text = RIGHT.replacen("vars: { tries: 2", "vars: { tris: 2", 1);
    let told = found(&text, &catalog);
    assert_eq!(told, [(31, "unknown-key", "tries".to_owned())]);
}

#[test]
fn a_change_is_not_made_to_what_is_right() {
    // A counter: nothing but the declaration is wrong.
    let text = "flow: def\nformat: 1\nlanguages: [en]\nvars:\n  ties: { type: number, default: 0 }\nsteps:\n  start:\n    - say: Hello.\n    - set: { tries: \"${tries + 1}\" }\n    - if: tries < 2\n      then: start\n      else: bye\n  bye: { hangup: completed }\ntests:\n  a:\n    run:\n      - silence\n      - expect: { vars: { tries: 1 } }\n";
    let catalog = support::project();
    let told = found(text, &catalog);
    assert_eq!(told, [(5, "unknown-variable", "tries".to_owned())]);
    let fixed = fix("def.flow.yaml", text.as_bytes(), &catalog).expect("it is text");
    assert_eq!(
        fixed.text,
        text.replace("ties", "tries").replace("ttries", "tries")
    );
    assert_eq!(found(&fixed.text, &catalog), []);
}

#[test]
fn a_variable_that_is_set_and_nowhere_declared_is_told_once() {
    let catalog = support::project();
    for (value, sample) in [
        ("\"one\"", "q: { type: text, default: \"\" }"),
        ("1", "q: { type: number, default: 0 }"),
        (
            "\"${call.priority + 1}\"",
            "q: { type: number, default: 0 }",
        ),
        ("true", "q: { type: bool, default: false }"),
    ] {
        let text = format!(
            "flow: m\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    - set: {{ q: {value} }}\n    - say: \"It is ${{q}}.\"\n    - set: {{ q: {value} }}\n    - say: \"It was ${{q}}.\"\n    - hangup: completed\n"
        );
        let checked = check("m.flow.yaml", text.as_bytes(), &catalog);
        let told: Vec<_> = checked
            .diagnostics
            .iter()
            .map(|found| (found.rule, found.primary.place.line))
            .collect();
        assert_eq!(told, [("unknown-variable", 6)], "{text}");
        let help = checked.diagnostics[0].help.as_ref().expect("it says how");
        let expected = format!("declare it under `vars:`, such as `{sample}`");
        assert_eq!(help.english(), expected);
        // What it says to write is all there is to do.
        let mended = text.replace("steps:", &format!("vars: {{ {sample} }}\nsteps:"));
        assert_eq!(found(&mended, &catalog), [], "{mended}");
    }
    // Where it is read before it is set, that is the first place.
    let text = "flow: m\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    - say: \"It is ${q}.\"\n    - set: { q: one }\n    - say: \"It is ${q}.\"\n    - hangup: completed\n";
    assert_eq!(
        found(text, &catalog),
        [(6, "unknown-variable", String::new())]
    );
}

#[test]
fn a_name_with_capitals_blanks_or_hyphens_is_one_finding_with_the_name_that_is_there() {
    let right = "flow: shop\nformat: 1\nlanguages: [en]\nvars: { order_no: text }\nsteps:\n  start:\n    ask: Your number, please.\n    into: order_no\n    expect: { digits: 4..8 }\n    then: { ok: told, no_input: front_desk, no_match: front_desk }\n  told:\n    - say: \"It is ${order_no}.\"\n    - goto: front_desk\n  front_desk: { hangup: completed }\n";
    let catalog = support::project();
    assert_eq!(found(right, &catalog), []);
    for (what, slip, proposed, line) in [
        ("into: order_no", "into: Order_no", "order_no", 8),
        ("into: order_no", "into: order-no", "order_no", 8),
        ("into: order_no", "into: orderNo", "order_no", 8),
        ("into: order_no", "into: Order No", "order_no", 8),
        ("vars: { order_no", "vars: { orderNo", "order_no", 4),
        ("goto: front_desk", "goto: Front Desk", "front_desk", 13),
        (
            "no_input: front_desk",
            "no_input: frontDesk",
            "front_desk",
            10,
        ),
    ] {
        let text = right.replacen(what, slip, 1);
        let told = found(&text, &catalog);
        assert_eq!(told, [(line, "bad-name", proposed.to_owned())], "{slip}");
        let fixed = fix("m.flow.yaml", text.as_bytes(), &catalog).expect("it is text");
        assert_eq!(fixed.text, right, "{slip}");
    }
    // What is called so everywhere is told of where it is declared.
    for name in ["order-no", "OrderNo", "order no"] {
        let text = right.replace("order_no", name);
        let told = found(&text, &catalog);
        assert_eq!(
            told.first().map(|told| (told.0, told.1)),
            Some((4, "bad-name"))
        );
        assert!(told.iter().all(|told| told.0 != 8), "{name}: {told:?}");
    }
}
