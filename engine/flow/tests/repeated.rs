//! A name that is missing at several places, such as a question's answer whose `into:` line is lost: one finding, where it stands first,
//! with the other places.

mod support;

use strowger_flow::check;

/// What is told of a flow with these steps: rule, line, the lines beside it, the last one's words.
fn found(steps: &str) -> Vec<(&'static str, u32, Vec<u32>, String)> {
    let text = format!(
        "flow: told\nformat: 1\nlanguages: [en]\noutcomes: [done]\nvars: {{ tries: {{ type: number, default: 0 }} }}\nsteps:\n{steps}  bye:\n    - tag: {{ tries: \"${{tries}}\" }}\n    - return: done\n"
    );
    let checked = check("told.flow.yaml", text.as_bytes(), &support::project());
    let told = |found: strowger_flow::Diagnostic| {
        let beside = found.labels.iter().map(|label| label.place.line).collect();
        let words = found
            .labels
            .last()
            .map(|label| label.text.english().to_owned());
        (
            found.rule,
            found.primary.place.line,
            beside,
            words.unwrap_or_default(),
        )
    };
    checked.diagnostics.into_iter().map(told).collect()
}

/// So many prompts that say the same.
fn said(times: usize, what: &str) -> String {
    format!("    - say: {what}\n").repeat(times)
}

#[test]
fn an_answer_that_is_kept_nowhere_is_told_once_however_often_it_is_read() {
    let asked = |into: &str| {
        let said = said(2, "\"You said ${order_no | digits}.\"");
        format!(
            "  start:\n    ask: Your number, please.\n{into}    expect: {{ digits: 4 }}\n    then: {{ ok: say_it, no_input: bye, no_match: bye }}\n  say_it:\n{said}    - goto: bye\n"
        )
    };
    assert_eq!(found(&asked("    into: order_no\n")), []);
    let lost = ("unknown-variable", 12, vec![13], "and here".to_owned());
    assert_eq!(found(&asked("")), [lost]);
}

#[test]
fn what_has_no_value_on_a_way_is_told_once() {
    let steps = "  start:\n    ask: Your number, please.\n    into: order_no\n    expect: { digits: 4 }\n    then: { ok: say_it, no_input: say_it, no_match: bye }\n  say_it:\n";
    let steps = format!(
        "{steps}{}    - goto: bye\n",
        said(3, "\"You said ${order_no | digits}.\"")
    );
    let found = found(&steps);
    let [(rule, line, beside, _)] = found.as_slice() else {
        panic!("{found:?}")
    };
    // The place where it gets its value stands with it too.
    assert_eq!((*rule, *line), ("unassigned-variable", 13));
    assert!(beside.contains(&14) && beside.contains(&15), "{beside:?}");
}

#[test]
fn so_are_names_of_prompts_and_of_places_that_are_nowhere() {
    let prompts = format!("  start:\n{}    - goto: bye\n", said(7, "refund_terms"));
    let (rule, more) = (
        "unknown-prompt",
        "and here, and at 2 more places".to_owned(),
    );
    assert_eq!(found(&prompts), [(rule, 8, vec![9, 10, 11, 12], more)]);
    let steps = "  start:\n    menu: One or two?\n    press: { 1: refund, 2: refund }\n    then: { no_input: refund, no_match: bye }\n";
    let step = ("unknown-step", 9, vec![9, 10], "and here".to_owned());
    assert_eq!(found(steps), [step]);
}

#[test]
fn a_name_that_is_misspelt_twice_is_two_slips_with_a_change_each() {
    let steps = "  start:\n    - set: { tries: \"${tries + 1}\" }\n    - say: \"${triess | number}\"\n    - say: \"${triess | number}\"\n    - say: \"${tries | number}\"\n    - goto: bye\n";
    let rules: Vec<(&str, u32)> = found(steps)
        .into_iter()
        .map(|(rule, line, ..)| (rule, line))
        .collect();
    assert_eq!(rules, [("unknown-variable", 9), ("unknown-variable", 10)]);
}
