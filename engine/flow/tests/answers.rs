//! Where a step's own names may be used: only where it has given them a value.

mod support;

use strowger_flow::{Checked, check};

fn rules(checked: &Checked) -> Vec<&'static str> {
    checked.diagnostics.iter().map(|found| found.rule).collect()
}

fn checked(text: &str) -> Checked {
    check("a.flow.yaml", text.as_bytes(), &support::project())
}

/// A flow that asks with these lines, and says the answer.
fn asking(lines: &str) -> String {
    format!(
        "flow: a\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    into: no\n    expect: {{ digits: 4 }}\n    {lines}\n    then: {{ ok: said, no_input: bye, no_match: bye }}\n  said:\n    - say: \"${{no | digits}}\"\n    - goto: bye\n  bye: {{ hangup: completed }}\n"
    )
}

#[test]
fn an_answer_is_said_only_once_it_is_there() {
    let question = "ask: Number?";
    for name in ["no", "value"] {
        let said = format!("\"Not ${{{name} | digits}}.\"");
        for lines in [
            format!("ask: {said}"),
            format!("{question}\n    short: {said}"),
            format!("{question}\n    reprompt: {{ no_match: [{said}] }}"),
            format!("{question}\n    reprompt: {{ no_input: [Again., {said}] }}"),
            format!("{question}\n    attempts: \"${{{name}}}\""),
            format!("{question}\n    timeout: \"${{{name}}}\""),
        ] {
            let text = asking(&lines);
            let found = checked(&text);
            assert_eq!(rules(&found), ["unassigned-variable"], "{text}");
            assert!(found.plan.is_none());
        }
        for lines in [
            format!("{question}\n    confirm: {said}"),
            format!("{question}\n    valid: {name} != \"1111\""),
            format!("{question}\n    valid: {name} != \"1111\"\n    confirm: {said}"),
        ] {
            let text = asking(&lines);
            assert_eq!(rules(&checked(&text)), [""; 0], "{text}");
        }
    }
}

#[test]
fn the_same_prompt_is_looked_at_wherever_it_is_said() {
    let named = |lines: &str| {
        let prompt = "prompts:\n  wrong: \"It is ${value | digits}.\"\nsteps:";
        asking(lines).replacen("steps:", prompt, 1)
    };
    let both = named("ask: Number?\n    confirm: wrong\n    short: wrong");
    let found = checked(&both);
    assert_eq!(rules(&found), ["unassigned-variable"]);
    let help = found.diagnostics[0].help.as_ref().expect("it says where");
    assert_eq!(
        help.english(),
        "the step gives `value` a value in `confirm` and `valid` only"
    );
    assert_eq!(
        help.chinese(),
        "此步骤只在 `confirm`、`valid` 中给 `value` 赋值"
    );
    let one = named("ask: Number?\n    confirm: wrong");
    assert_eq!(rules(&checked(&one)), [""; 0]);
}

#[test]
fn an_answer_of_a_step_before_may_be_said_at_once() {
    let text = "flow: a\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    ask: Number?\n    into: no\n    expect: { digits: 4 }\n    then: { ok: again, else: bye }\n  again:\n    ask: \"Once more, not ${no | digits}.\"\n    short: \"Not ${no | digits}.\"\n    into: no\n    expect: { digits: 4 }\n    then: { else: bye }\n  bye: { hangup: completed }\n";
    assert_eq!(rules(&checked(text)), [""; 0]);
}

#[test]
fn choices_and_places_in_a_queue_are_said_where_they_are_known() {
    let flow = |step: &str| {
        format!(
            "flow: a\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n{step}  bye: {{ hangup: completed }}\n"
        )
    };
    let menu = |prompt: &str, label: &str, short: &str| {
        flow(&format!(
            "    menu: \"{prompt}\"\n    short: \"{short}\"\n    press: {{ 1: {{ to: bye, label: \"{label}\" }} }}\n    then: {{ no_input: bye, no_match: bye }}\n"
        ))
    };
    let well = menu("Hello. ${choices}", "go on", "${choices}");
    assert_eq!(rules(&checked(&well)), [""; 0]);
    let label = menu("Hello. ${choices}", "go on, or ${choices}", "Again.");
    assert_eq!(rules(&checked(&label)), ["unassigned-variable"]);
    let queue = |lines: &str| {
        flow(&format!(
            "    queue: general\n    max_wait: 5s\n    {lines}\n    then: {{ done: bye, else: bye }}\n"
        ))
    };
    let well = queue("meanwhile: { say: \"You are number ${queue.position}.\" }");
    assert_eq!(rules(&checked(&well)), [""; 0]);
    // They are reckoned before the contact waits anywhere.
    for early in [
        "priority: \"${queue.position}\"",
        "skills: [\"${queue.position}\"]",
    ] {
        assert_eq!(
            rules(&checked(&queue(early))),
            ["unassigned-variable"],
            "{early}"
        );
    }
}

#[test]
fn a_variable_takes_the_answer_or_the_whole_data() {
    let both = asking("ask: Number?\n    as: no");
    let found = checked(&both);
    assert_eq!(rules(&found), ["bad-value"], "{both}");
    let told = &found.diagnostics[0];
    assert_eq!(
        told.message.english(),
        "`as:` and `into:` both name `no`, which can only keep one of the two"
    );
    assert_eq!(told.primary.place.line, 9);
    let apart = asking("ask: Number?\n    as: all");
    assert_eq!(rules(&checked(&apart)), [""; 0]);
}

#[test]
fn an_answer_has_the_type_that_is_expected_by_each_of_its_names() {
    let asking = |valid: &str| {
        format!(
            "flow: a\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    ask: Which day?\n    expect: date\n    into: day\n    as: all\n    valid: {valid}\n    then: {{ ok: said, no_input: bye, no_match: bye }}\n  said:\n    - say: \"${{all.value.day}} ${{all.value | date}}\"\n    - goto: bye\n  bye: {{ hangup: completed }}\n"
        )
    };
    for name in ["day", "value"] {
        for (valid, wanted) in [
            ("$ >= now.date and $.weekday != 'sunday'", &[][..]),
            ("$ >= '2026-01-01'", &[]),
            ("$ > 8", &["type-mismatch"]),
            ("($ | upper) == 'X'", &["type-mismatch"]),
            ("$.hour > 8", &["unknown-field"]),
        ] {
            let text = asking(&valid.replace('$', name));
            assert_eq!(rules(&checked(&text)), wanted, "{text}");
        }
    }
}

#[test]
fn whether_an_answer_is_a_secret_stands_in_the_flow() {
    let flow = |step: &str, sensitive: &str, said: &str| {
        format!(
            "flow: a\nformat: 1\nlanguages: [en]\nvars: {{ b: {{ type: bool, default: true }} }}\nsteps:\n  start:\n    - say: \"${{b}}\"\n    - {step}\n      sensitive: {sensitive}\n      into: s\n      then: {{ else: said }}\n  said:\n    - say: \"{said}\"\n    - goto: bye\n  bye: {{ hangup: completed }}\n"
        )
    };
    let asked = |sensitive: &str, said: &str| {
        flow("ask: Pin?\n      expect: { digits: 8 }", sensitive, said)
    };
    let recorded = |sensitive: &str| flow("record:", sensitive, "Thanks.");
    for (text, line) in [
        (asked("\"${b}\"", "Thanks."), 10),
        (asked("\"${true}\"", "Thanks."), 10),
        (asked("\"x ${b}\"", "Thanks."), 10),
        (recorded("\"${b}\""), 9),
    ] {
        let found = checked(&text);
        assert_eq!(rules(&found), ["bad-input"], "{text}");
        let told = &found.diagnostics[0];
        assert_eq!(told.primary.place.line, line, "{text}");
        assert_eq!(
            told.message.english(),
            "the input `sensitive` is `true` or `false` as it stands: a secret is a type, and no value can be inserted for it"
        );
    }
    for sensitive in ["true", "false"] {
        for text in [asked(sensitive, "Thanks."), recorded(sensitive)] {
            assert_eq!(rules(&checked(&text)), [""; 0], "{text}");
        }
    }
}
