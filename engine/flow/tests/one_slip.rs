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
