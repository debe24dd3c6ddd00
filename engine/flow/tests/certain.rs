//! What `check --fix` leaves alone: a change is made where the slip is one that fingers make, and proposed in words where it is a guess.

#[path = "support/fixed.rs"]
mod fixed;
mod support;

use fixed::{small, told};

fn step(defined: &str, used: &str) -> String {
    small(&format!(
        "steps:\n  start:\n    - menu: \"Press 1 or 2.\"\n      press: {{ 1: {defined}, 2: {used} }}\n      then: {{ no_input: {defined}, no_match: {defined} }}\n  {defined}: {{ hangup: completed }}\n"
    ))
}

fn variable(defined: &str, used: &str) -> String {
    small(&format!(
        "vars: {{ {defined}: {{ type: text, default: x }} }}\nsteps:\n  start:\n    - tag: {{ k: \"${{{used}}}\" }}\n    - tag: {{ q: \"${{{defined}}}\" }}\n    - hangup: completed\n"
    ))
}

fn prompt(defined: &str, used: &str) -> String {
    small(&format!(
        "prompts: {{ {defined}: \"Well, there.\" }}\nsteps:\n  start:\n    - say: {defined}\n    - say: {used}\n    - hangup: completed\n"
    ))
}

/// The name that is written becomes the other one, or stays and is told with it.
fn mended(flow: impl Fn(&str, &str) -> String, defined: &str, used: &str, certain: bool) {
    let wrong = flow(defined, used);
    let (rules, _, fixed) = told(&wrong);
    assert_eq!(rules.len(), 1, "{used}: {rules:?}");
    match certain {
        true => assert_eq!(fixed, flow(defined, defined), "{used}"),
        false => assert_eq!(fixed, wrong, "{used}"),
    }
}

#[test]
fn a_slip_of_the_fingers_is_mended() {
    for (defined, used) in [
        ("service", "servce"),
        ("service", "servicee"),
        ("service", "serivce"),
        ("service", "servide"),
        ("call_back", "call_bakc"),
        ("call_back", "callback"),
        ("order2_no", "ordr2_no"),
    ] {
        mended(step, defined, used, true);
        mended(variable, defined, used, true);
        mended(prompt, defined, used, true);
    }
}

#[test]
fn a_name_of_its_own_stays_and_the_other_one_is_only_proposed() {
    for (defined, used) in [
        ("queue_a", "queue_b"),
        ("sales_en", "sales_zh"),
        ("level2", "level3"),
        ("menu1", "menu2"),
        ("sales", "sales2"),
        ("intro1", "intro2"),
        ("home_phone", "work_phone"),
        ("order_no", "order_id"),
        ("is_open", "is_shut"),
        ("said", "paid"),
        ("bye", "buy"),
    ] {
        mended(step, defined, used, false);
        mended(variable, defined, used, false);
        mended(prompt, defined, used, false);
    }
    let (_, help, _) = told(&step("level2", "level3"));
    assert_eq!(help, "did you mean `level2`?");
}

#[test]
fn a_short_name_is_none_of_the_language() {
    for used in ["no", "new", "non", "kow", "row", "cell", "all", "cal"] {
        let text = small(&format!(
            "steps:\n  start:\n    - tag: {{ k: \"${{{used}}}\" }}\n    - hangup: completed\n"
        ));
        let (rules, _, fixed) = told(&text);
        assert_eq!((rules, fixed), (vec!["unknown-variable"], text), "{used}");
    }
}

#[test]
fn of_two_names_that_are_as_near_none_is_taken() {
    let text = step("stales", "stles").replace(
        "  stales: {",
        "  stiles: { hangup: completed }\n  stales: {",
    );
    let (rules, _, fixed) = told(&text);
    assert!(rules.contains(&"unknown-step"), "{rules:?}");
    assert_eq!(fixed, text);
}

#[test]
fn a_word_of_the_language_may_be_short() {
    let right = small(
        "steps:\n  start:\n    - ask: Your number?\n      into: number\n      expect: digits\n      then: { ok: told, no_input: bye, no_match: bye }\n  told: [ { say: \"${number | digits}, ${call.from | phone}.\" }, { goto: bye } ]\n  bye: { hangup: completed }\n",
    );
    assert_eq!(told(&right).0, Vec::<&str>::new());
    for (from, to) in [
        ("ask:", "aks:"),
        ("into:", "inot:"),
        ("into:", "nto:"),
        ("no_input:", "on_input:"),
        ("no_match:", "no_mach:"),
        ("| digits", "| digts"),
        ("call.from", "call.fron"),
        ("say:", "sya:"),
    ] {
        let (rules, _, fixed) = told(&right.replacen(from, to, 1));
        assert_eq!((rules.len(), &fixed), (1, &right), "{to}: {rules:?}");
    }
}

#[test]
fn a_unit_is_written_where_no_other_one_is_as_likely() {
    let menu = |timeout: &str| {
        small(&format!(
            "steps:\n  start:\n    - menu: \"Press 1.\"\n      timeout: {timeout}\n      press: {{ 1: bye }}\n      then: {{ no_input: bye, no_match: bye }}\n  bye: {{ hangup: completed }}\n"
        ))
    };
    let (rules, help, fixed) = told(&menu("500"));
    assert_eq!((rules, fixed), (vec!["missing-unit"], menu("500")));
    assert_eq!(
        help,
        "write `500ms` for milliseconds, or `500s` for seconds"
    );
    assert_eq!(told(&menu("8")).2, menu("8s"));
    assert_eq!(told(&menu("20")).2, menu("20s"));
}

#[test]
fn a_star_at_the_beginning_of_an_item_is_its_hyphen() {
    let right = small(
        "steps:\n  start:\n    - say: Good day.\n    - say: Thank you.\n    - goto: bye\n  bye: { hangup: completed }\n",
    );
    for line in ["say: Good", "say: Thank", "goto: bye"] {
        let wrong = right.replacen(&format!("- {line}"), &format!("* {line}"), 1);
        let (rules, _, fixed) = told(&wrong);
        assert_eq!((rules, &fixed), (vec!["yaml-star-key"], &right), "{line}");
    }
}

#[test]
fn a_value_of_a_switch_is_none_that_has_its_line() {
    let text = small(
        "vars: { l: { one_of: [level1, level2], default: level1 } }\nsteps:\n  start:\n    switch: l\n    then: { level1: bye, level3: bye }\n  bye: { hangup: completed }\n",
    );
    let (rules, help, fixed) = told(&text);
    assert_eq!((rules, fixed), (vec!["unknown-outcome"], text));
    assert_eq!(help, "did you mean `level2`?");
}

#[test]
fn a_sign_for_a_colon_and_a_hyphen_that_lacks_are_one_finding() {
    let right = small(
        "vars: { vip: { type: bool, default: false } }\nsteps:\n  start:\n    - tag: { seen: \"yes\" }\n    - if: vip\n      then: asked\n      else: bye\n  asked:\n    ask: Your number?\n    into: no\n    expect: { digits: 6 }\n    then: { ok: bye, no_input: bye, no_match: bye }\n  bye: { hangup: completed }\n",
    );
    assert_eq!(told(&right).0, Vec::<&str>::new());
    for (from, to, rule) in [
        ("digits: 6", "digits=6", "yaml-colon"),
        ("digits: 6", "digits= 6", "yaml-colon"),
        ("type: bool", "type=bool", "yaml-colon"),
        ("ok: bye", "ok=bye", "yaml-colon"),
        ("    - if: vip", "      if: vip", "two-verbs"),
    ] {
        let (rules, _, fixed) = told(&right.replacen(from, to, 1));
        assert_eq!((rules, &fixed), (vec![rule], &right), "{to}");
    }
}
