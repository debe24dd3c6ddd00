//! Slips that are easily made, and what is none: which rules a flow with one odd line breaks.

mod support;

use std::collections::BTreeSet;

use strowger_flow::check;

/// The rules that a flow breaks.
fn broken(text: &str) -> BTreeSet<&'static str> {
    let checked = check("a.flow.yaml", text.as_bytes(), &support::project());
    checked.diagnostics.iter().map(|found| found.rule).collect()
}

/// A flow that says a text, as it stands in the file.
fn saying(text: &str) -> String {
    format!(
        "flow: a\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    - say: {text}\n    - hangup: completed\n"
    )
}

#[test]
fn a_text_that_a_number_sign_cuts_short_is_told_however_many_words_it_has() {
    for text in [
        "Order #123 is ready",
        "Dial #5",
        "您的订单 #123 已发货",
        "Your order #123",
    ] {
        assert_eq!(
            broken(&saying(text)),
            BTreeSet::from(["yaml-cut"]),
            "{text}"
        );
    }
    for text in ["Goodbye. # said last", "\"Order #123\" #quoted"] {
        assert_eq!(broken(&saying(text)), BTreeSet::new(), "{text}");
    }
}

#[test]
fn a_comment_behind_a_key_or_in_a_flow_map_cuts_nothing() {
    let flow = "flow: a\nformat: 1\nlanguages: [en]\nsteps: #all\n  start: #first\n    menu: Hello.\n    press: {\n      1: bye, #one\n      2: bye } #two\n    then: { no_input: bye, no_match: bye }\n  bye: { hangup: completed }\n";
    assert_eq!(broken(flow), BTreeSet::new());
}

#[test]
fn an_amount_has_a_currency() {
    let asking = |expect: &str| {
        format!(
            "flow: a\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    - ask: How much?\n      into: sum\n      expect: {expect}\n      then: {{ no_input: bye, no_match: bye }}\n    - say: \"${{sum | money}}\"\n    - goto: bye\n  bye: {{ hangup: completed }}\n"
        )
    };
    assert_eq!(broken(&asking("money")), BTreeSet::new());
    assert_eq!(broken(&asking("{ money: USD }")), BTreeSet::new());
    let wrong = broken(&asking("{ money: dollars }"));
    assert!(wrong.contains("bad-input"), "{wrong:?}");
}

#[test]
fn a_text_that_is_too_long_to_be_spoken_is_an_error() {
    assert_eq!(broken(&saying(&"a ".repeat(1_900))), BTreeSet::new());
    assert_eq!(
        broken(&saying(&"a ".repeat(2_100))),
        BTreeSet::from(["bad-value"])
    );
}

#[test]
fn a_finding_about_a_huge_name_is_short() {
    let name = "A".repeat(500_000);
    let text = format!("flow: a\nformat: 1\nsteps:\n  {name}: {{ hangup: completed }}\n");
    let checked = check("a.flow.yaml", text.as_bytes(), &support::project());
    for found in &checked.diagnostics {
        assert!(found.message.english().len() < 3_000, "{}", found.rule);
    }
}
