//! The example flows: the good ones check, the broken one shows everything at once.

mod support;

use strowger_flow::{Level, check};

#[test]
fn the_good_flows_have_nothing_wrong() {
    for (file, text) in support::GOOD {
        let checked = check(file, text.as_bytes(), &support::project());
        let frames: String = checked
            .diagnostics
            .iter()
            .map(|found| found.render(text, false))
            .collect();
        assert!(checked.diagnostics.is_empty(), "{file}:\n{frames}");
        assert!(checked.plan.is_some(), "{file} has a plan");
    }
}

#[test]
fn the_broken_flow_shows_everything_at_once() {
    let text = include_str!("flows/broken.flow.yaml");
    let checked = check("broken.flow.yaml", text.as_bytes(), &support::project());
    let frames: Vec<String> = checked
        .diagnostics
        .iter()
        .map(|found| found.render(text, false))
        .collect();
    insta::assert_snapshot!(frames.join("\n"));
    let errors = checked
        .diagnostics
        .iter()
        .filter(|found| found.level == Level::Error)
        .count();
    assert!(errors >= 15, "{errors} errors");
    assert!(checked.plan.is_none());
}
