//! What is wrong with an expression inside a text is shown at the expression, however YAML writes the text.

mod support;

use strowger_flow::check;

/// What the findings of a rule underline in a flow that says this.
#[track_caller]
fn shown(rule: &str, say: &str, expected: &[&str]) {
    let text =
        format!("flow: a\nformat: 1\nsteps:\n  start:\n    - say: {say}\n    - hangup: done\n");
    let checked = check("a.flow.yaml", text.as_bytes(), &support::project());
    let places: Vec<&str> = checked
        .diagnostics
        .iter()
        .filter(|found| found.rule == rule)
        .map(|found| &text[found.primary.span.start..found.primary.span.end])
        .collect();
    assert_eq!(places, expected, "{text}\n{:?}", checked.diagnostics);
}

#[test]
fn an_expression_is_pointed_at_in_every_style() {
    for say in [
        "Hello ${nobody}, how are you?",
        "\"Hello ${nobody}.\"",
        "\"Say \\\"hello\\\" to \\u4f60 and ${nobody}.\"",
        "'It''s ${nobody}.'",
        "A long text\n        that goes on with ${nobody} here",
        "\"A long text\n        that \\\n        goes on with ${nobody} here\"",
        "|\n        Hello,\n        dear ${nobody}!\n",
        ">-\n        Hello,\n        dear ${nobody}!",
        "\"Price: $5, $${x}, {a} and ${nobody}\\n\"",
        "{ en: [ \"Well\\\\\", { text: \"Dear\\t${nobody}\" } ] }",
    ] {
        shown("unknown-variable", say, &["nobody"]);
    }
}

#[test]
fn each_of_several_expressions_is_pointed_at() {
    shown(
        "unknown-variable",
        ">\n        First ${one}, then\n        ${two} and\n\n        ${three + 1}\n",
        &["one", "two", "three"],
    );
    shown(
        "bad-expression",
        "|\n        First ${1 +}, then\n        ${2 *}\n",
        &["", ""],
    );
}

#[test]
fn what_is_written_otherwise_is_shown_as_it_is_written() {
    shown(
        "unknown-variable",
        "\"\\tTo ${nobody ~ \\\"x\\\"} and ${somebody}.\"",
        &["${nobody ~ \\\"x\\\"}", "somebody"],
    );
    shown(
        "unknown-variable",
        ">\n        A sum: ${nobody +\n        1} and ${somebody}.\n",
        &["${nobody +", "somebody"],
    );
}

#[test]
fn double_braces_and_open_ones_are_pointed_at() {
    shown(
        "braces-in-expression",
        "|\n        Hello\n        {{ order }} there\n",
        &["{{ order }}"],
    );
    shown(
        "bad-expression",
        "|\n        Hello\n        ${order there\n",
        &["${"],
    );
}
