//! One slip anywhere in a usual flow is one finding, and what `--fix` makes of it is what was meant.

mod support;

use strowger_flow::{check, fix};

const RIGHT: &str = include_str!("flows/desk.flow.yaml");

/// A flow with one slip: the rules that it breaks, and its text after `--fix`.
fn slipped(right: &str, wrong: &str) -> (Vec<&'static str>, String) {
    assert!(RIGHT.contains(right), "{right}");
    let text = RIGHT.replacen(right, wrong, 1);
    let catalog = support::project();
    let checked = check("desk.flow.yaml", text.as_bytes(), &catalog);
    let rules = checked.diagnostics.iter().map(|found| found.rule).collect();
    let fixed = fix("desk.flow.yaml", text.as_bytes(), &catalog).expect("it is text");
    (rules, fixed.text)
}

#[test]
fn the_flow_is_right() {
    let checked = check("desk.flow.yaml", RIGHT.as_bytes(), &support::project());
    assert!(checked.diagnostics.is_empty(), "{:?}", checked.diagnostics);
}

#[test]
fn a_slip_is_one_finding_whose_change_mends_it() {
    for (right, wrong, rule) in [
        ("  ask_no: {", "  ask no: {", "bad-name"),
        ("  again: {", "  a gain: {", "bad-name"),
        ("  wait_line: {", "  wait line: {", "bad-name"),
        ("  caller_name: {", "  caller name: {", "bad-name"),
        ("  office:\n", "  off ice:\n", "bad-name"),
        (
            "one_of: [gold, silver]",
            "one_of: [gold, sliver]",
            "bad-value",
        ),
        (
            "one_of: [gold, silver]",
            "one_of: [gold, Silver]",
            "bad-value",
        ),
        ("${caller_name}.", "$caller_name}.", "text-slip"),
        ("${order_no | digits}", "{$order_no | digits}", "text-slip"),
        (
            "${order_no | digits}",
            "${order-no | digits}",
            "unknown-variable",
        ),
        ("${caller_name}.", "${caller-name}.", "unknown-variable"),
        ("languages: [en, zh]", "languages: [en. zh]", "bad-value"),
        ("languages: [en, zh]", "languages: [en; zh]", "yaml-colon"),
        ("languages: [en, zh]", "languages: [en zh]", "bad-value"),
        (
            "closed: { en: We are closed., zh:",
            "closed: { en: We are closed., zn:",
            "missing-translation",
        ),
    ] {
        let (rules, fixed) = slipped(right, wrong);
        assert_eq!(rules, [rule], "{wrong}");
        assert_eq!(fixed, RIGHT, "{wrong}");
    }
}

#[test]
fn a_country_is_its_language_and_not_the_nearest_one() {
    for (right, wrong, mended) in [
        (
            "language: en }\n    run",
            "language: cn }\n    run",
            "language: zh }\n    run",
        ),
        (
            "level == \"silver\"",
            "level == \"silver\" and call.language == \"cn\"",
            "level == \"silver\" and call.language == \"zh\"",
        ),
    ] {
        let (rules, fixed) = slipped(right, wrong);
        assert_eq!(rules.len(), 1, "{rules:?}");
        assert_eq!(fixed, RIGHT.replacen(right, mended, 1));
    }
}

#[test]
fn languages_that_are_none_are_all_that_is_told() {
    for wrong in [
        "languages: [e,n zh]",
        "languages: []",
        "languages:",
        "languages: 7",
    ] {
        let (rules, _) = slipped("languages: [en, zh]", wrong);
        let others = rules.iter().filter(|rule| **rule == "missing-translation");
        assert_eq!(others.count(), 0, "{wrong}: {rules:?}");
    }
}

#[test]
fn thousands_without_a_unit_may_be_milliseconds() {
    let (rules, fixed) = slipped("timeout: 8s", "timeout: 8000");
    assert_eq!(rules, ["missing-unit"]);
    assert!(fixed.contains("timeout: 8000\n"), "nobody knows which");
    let (rules, fixed) = slipped("timeout: 8s", "timeout: 8");
    assert_eq!((rules, fixed.as_str()), (vec!["missing-unit"], RIGHT));
}

#[test]
fn a_sign_of_another_language_behind_a_key_is_one_finding() {
    for (right, wrong) in [
        ("    menu: welcome", "    menu -> welcome"),
        ("    menu: welcome", "    menu => welcome"),
        ("    menu: welcome", "    menu - welcome"),
        ("  tries: { type", "  tries - { type"),
        ("outcomes: [done", "outcomes: :[done"),
    ] {
        let (rules, fixed) = slipped(right, wrong);
        assert_eq!(rules, ["yaml-colon"], "{wrong}");
        assert_eq!(fixed, RIGHT, "{wrong}");
    }
}

#[test]
fn a_sign_behind_the_name_of_a_result_is_one_finding() {
    for sign in [",", ".", ";"] {
        let (rules, fixed) = slipped("into: order_no\n", &format!("into: order_no{sign}\n"));
        assert_eq!(rules, ["bad-name"], "{sign}");
        assert_eq!(fixed, RIGHT, "{sign}");
    }
}

#[test]
fn a_key_that_is_none_is_not_also_missed_where_it_is_said() {
    let (rules, _) = slipped(
        "{ en: check an order, zh: 查询订单 }",
        "{ en: \"check an order, press 1\", zh: 查询订单 }",
    );
    assert_eq!(rules, [""; 0]);
    for wrong in ["      -9: repeat", "      9.: repeat"] {
        let said = RIGHT.replacen(
            "Welcome. ${choices}",
            "Press 9 to hear it again. ${choices}",
            1,
        );
        let text = said.replacen("      9: repeat", wrong, 1);
        let found = check("desk.flow.yaml", text.as_bytes(), &support::project()).diagnostics;
        let rules: Vec<&str> = found.iter().map(|found| found.rule).collect();
        assert_eq!(rules, ["bad-value"], "{wrong}");
    }
}

#[test]
fn a_step_whose_name_is_torn_is_one_finding_though_the_flow_begins_there() {
    let (rules, fixed) = slipped("  start:\n", "  s tart:\n");
    assert_eq!((rules, fixed.as_str()), (vec!["missing-key"], RIGHT));
}

#[test]
fn a_comment_of_another_language_is_one_finding() {
    // What is out of the flow then is nothing that lacks, and `#` makes it a comment.
    for (right, wrong, mended) in [
        (
            "languages: [en, zh]\n",
            "languages: [en, zh]\n// What callers speak.\n",
            "languages: [en, zh]\n# What callers speak.\n",
        ),
        (
            "    timeout: 8s\n",
            "    timeout: 8s // who looks for it\n",
            "    timeout: 8s # who looks for it\n",
        ),
        (
            "steps:\n",
            "// first the welcome\nsteps:\n  // and its hours: those of the office\n",
            "# first the welcome\nsteps:\n  # and its hours: those of the office\n",
        ),
        (
            "    - tag: told\n",
            "    // - tag: told\n",
            "    # - tag: told\n",
        ),
    ] {
        let (rules, fixed) = slipped(right, wrong);
        assert_eq!(rules, ["yaml-syntax"], "{wrong}");
        assert_eq!(fixed, RIGHT.replacen(right, mended, 1), "{wrong}");
    }
    // What is needed was hardly meant to be out of it: nobody knows.
    for (right, wrong) in [
        ("  number:\n", "  // number:\n"),
        ("  shut:", "  // shut:"),
        (
            "      no_match: operator\n  number",
            "      // no_match: operator\n  number",
        ),
    ] {
        let (rules, fixed) = slipped(right, wrong);
        assert_eq!(rules, ["yaml-syntax"], "{wrong}");
        assert_eq!(fixed, RIGHT.replacen(right, wrong, 1), "{wrong}");
    }
}
