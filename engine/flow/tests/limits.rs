//! What is too long, too much, or put where it means nothing: told as what it is.

mod support;

use strowger_flow::{Diagnostic, check, fix};

fn found(text: &str) -> Vec<Diagnostic> {
    check("a.flow.yaml", text.as_bytes(), &support::project()).diagnostics
}

/// Rule and line of each finding.
fn places(text: &str) -> Vec<(&'static str, u32)> {
    let found = found(text).into_iter();
    found
        .map(|found| (found.rule, found.primary.place.line))
        .collect()
}

#[test]
fn a_key_that_is_longer_than_yaml_takes_one_for_is_told_as_that() {
    let with = |name: &str| {
        format!(
            "flow: a\nformat: 1\nlanguages: [en]\nsteps:\n  start: {{ hangup: completed }}\ntests:\n  {name}:\n    run: [ silence ]\n"
        )
    };
    assert_eq!(places(&with(&"a".repeat(1_024))), []);
    assert_eq!(places(&with(&"很".repeat(1_024))), []);
    for name in [
        "a".repeat(1_025),
        "a caller ".repeat(200).trim_end().to_owned(),
        "很".repeat(1_025),
        format!("\"{}\"", "a, b ".repeat(300)),
    ] {
        let told = found(&with(&name));
        let [one] = &told[..] else {
            panic!("{told:?}");
        };
        assert_eq!((one.rule, one.primary.place.line), ("yaml-limit", 7));
        let chars = name.chars().count();
        let said = one.message.english();
        assert!(said.contains(&format!("{chars} characters")), "{said}");
        assert!(said.contains("1024"), "{said}");
    }
    // In braces too.
    let braces = format!(
        "flow: a\nformat: 1\nsteps: {{ start: {{ hangup: completed }}, {}: {{ goto: start }} }}\n",
        "b".repeat(1_100)
    );
    assert_eq!(places(&braces), [("yaml-limit", 3)]);
    // A long text with a colon in it is no key.
    let text = format!(
        "flow: a\nformat: 1\nsteps:\n  start:\n    - say: {}: x\n    - hangup: completed\n",
        "word ".repeat(300).trim_end()
    );
    assert!(places(&text).iter().all(|(rule, _)| *rule != "yaml-limit"));
}

#[test]
fn a_loop_that_counts_and_is_refused_says_which_number_refuses_it() {
    let counting = |default: &str, step: &str, limit: &str, steps: &str| {
        format!(
            "flow: a\nformat: 1\nlanguages: [en]\n{steps}vars: {{ n: {{ type: number, default: {default} }} }}\nsteps:\n  start:\n    - set: {{ n: \"${{n + {step}}}\" }}\n    - if: n < {limit}\n      then: start\n      else: bye\n  bye: {{ hangup: completed }}\n"
        )
    };
    assert_eq!(places(&counting("0", "1", "3", "")), []);
    let help = |text: &str| {
        let found = found(text);
        let [one] = &found[..] else {
            panic!("{found:?}");
        };
        assert_eq!(one.rule, "silent-loop");
        let help = one.help.as_ref().expect("it has help");
        (help.english().to_owned(), help.chinese().to_owned())
    };
    for (text, said) in [
        (
            counting("0", "0.000001", "3", ""),
            ["3000000 rounds", "3000000 圈"],
        ),
        (
            counting("0", "1", "3000", "defaults: { max_steps: 1000 }\n"),
            ["3000 rounds", "3000 圈"],
        ),
        (
            counting("0", "0.0001", "0.0003", ""),
            ["below 0.001", "小于 0.001"],
        ),
        (
            counting("9007199254740992", "1", "9007199254740999", ""),
            ["beyond 1000000000", "超过 1000000000"],
        ),
    ] {
        let (english, chinese) = help(&text);
        assert!(english.contains(said[0]), "{english}");
        assert!(chinese.contains(said[1]), "{chinese}");
        assert!(!english.contains("`if: n < 3`"), "{english}");
    }
    // Where it does not count as it should, it is said how.
    let (english, _) = help(&counting("0", "1", "3", "").replace("n < 3", "n != 3"));
    assert!(english.contains("`if: n < 3`"), "{english}");
}

#[test]
fn words_that_are_an_answers_type_take_no_insertions() {
    let asking = |words: &str| {
        format!(
            "flow: a\nformat: 1\nlanguages: [en]\ninputs: {{ pin: secret }}\nsteps:\n  start:\n    ask: Which colour?\n    into: z\n    expect: {{ one_of: {words} }}\n    then: {{ ok: bye, no_input: bye, no_match: bye }}\n  bye: {{ hangup: completed }}\n"
        )
    };
    for words in [
        "[\"${call.from}\", red]",
        "[\"${pin}\"]",
        "[\"a ${call.from}\"]",
    ] {
        let text = asking(words);
        let told = found(&text);
        let bad: Vec<&Diagnostic> = told
            .iter()
            .filter(|found| found.rule == "bad-value")
            .collect();
        let [one] = &bad[..] else {
            panic!("{told:?}");
        };
        assert_eq!(one.primary.place.line, 9);
        assert!(
            one.message.english().contains("inserts nothing"),
            "{}",
            one.message.english()
        );
    }
    let rules: Vec<&str> = found(&asking("[red, green]"))
        .iter()
        .map(|found| found.rule)
        .collect();
    assert!(!rules.contains(&"bad-value"), "{rules:?}");
}

#[test]
fn a_variable_in_braces_alone_is_told_in_values_too() {
    let keeping = |value: &str| {
        format!(
            "flow: a\nformat: 1\nlanguages: [en]\nvars: {{ x: {{ type: text, default: y }} }}\nsteps:\n  start:\n    - ask: Your number, please.\n      into: order_no\n      expect: {{ digits: 4 }}\n      then: {{ no_input: bye, no_match: bye }}\n    - say: \"${{order_no | digits}} ${{x}}\"\n    - tag: {{ order: {value} }}\n    - set: {{ x: {value} }}\n    - queue: general\n      meanwhile: {{ music: audio/hold.wav }}\n      attach: {{ order: {value} }}\n      max_wait: 1m\n      then: {{ done: bye, else: bye }}\n  bye: {{ hangup: completed }}\n"
        )
    };
    let right = keeping("\"${order_no}\"");
    assert_eq!(places(&right), []);
    let wrong = keeping("\"{order_no}\"");
    assert_eq!(
        places(&wrong),
        [("text-slip", 12), ("text-slip", 13), ("text-slip", 16)]
    );
    let fixed = fix("a.flow.yaml", wrong.as_bytes(), &support::project());
    assert_eq!(fixed.expect("it is text").text, right);
    for value in [
        "\"{nobody}\"",
        "\"{}\"",
        "\"{ order_no }\"",
        "\"{\\\"order_no\\\": 1}\"",
    ] {
        assert_eq!(places(&keeping(value)), [], "{value}");
    }
}
