//! Slips of whole lines, of signs and of words, which were several findings, or whose change did harm: each is one finding, and its change
//! makes the flow what it was.

#[path = "support/fixed.rs"]
mod fixed;
mod support;

use fixed::{small, told};
use strowger_flow::check;

const RIGHT: &str = include_str!("flows/desk.flow.yaml");

/// A flow with each line at the margin below which others stand.
const WITH_ALL: &str = "flow: all
format: 1
languages: [en]

inputs:
  name: text
  city: text

vars:
  seen: { type: number, default: 0 }
  told: { type: text, default: no }

hours:
  desk:
    timezone: Asia/Shanghai
    weekly: { mon-fri: 08:00-18:00 }

prompts:
  hello: { en: \"Hello ${name} of ${city}.\" }
  closed: { en: We are closed now. }

global:
  press: { 0: bye }
  error: bye

steps:
  start:
    - say: hello
    - hours: desk
      then: { open: more, closed: late }
  more:
    - set: { seen: \"${seen + 1}\", told: \"yes\" }
    - if: seen > 1 and told == \"yes\"
      then: late
      else: bye
  late:
    say: closed
    then: bye
  bye: { hangup: completed }
";

/// That a text breaks one rule, and becomes another by `--fix`.
fn mended(wrong: &str, rule: &str, right: &str) {
    let (rules, _, fixed) = told(wrong);
    assert_eq!(rules, [rule], "{wrong}");
    assert_eq!(fixed, right);
}

#[test]
fn a_flow_whose_line_of_steps_is_gone_gets_it_back() {
    assert!(RIGHT.contains("\nsteps:\n"));
    mended(&RIGHT.replacen("\nsteps:\n", "\n", 1), "missing-key", RIGHT);
    for ends in ["\n", "\r\n"] {
        let wrong = small(
            "global:\n  error: end\n\n  start:\n    say: Hello there.\n    then: end\n  end: { hangup: completed }\n",
        );
        let right = wrong.replacen("\n\n  start", "\n\nsteps:\n  start", 1);
        mended(
            &wrong.replace('\n', ends),
            "missing-key",
            &right.replace('\n', ends),
        );
    }
}

#[test]
fn a_line_at_the_margin_that_is_gone_is_one_finding_and_comes_back() {
    let mut gone = Vec::new();
    for right in [RIGHT, include_str!("flows/main-menu.flow.yaml"), WITH_ALL] {
        let (before, ..) = told(right);
        assert!(before.is_empty(), "{before:?}");
        for key in ["prompts", "vars", "inputs", "hours", "global"] {
            let wrong = right.replacen(&format!("\n{key}:\n"), "\n", 1);
            if wrong != right {
                mended(&wrong, "missing-key", right);
                gone.push(key);
            }
        }
    }
    gone.sort_unstable();
    gone.dedup();
    assert_eq!(gone, ["global", "hours", "inputs", "prompts", "vars"]);
    // What only means nothing there stands below no line that lacks.
    let (rules, ..) =
        told(&RIGHT.replacen("\nprompts:\n", "\nprompts:\n  welcome: { q: 1, r: 2 }\n", 1));
    assert!(!rules.contains(&"missing-key"), "{rules:?}");
}

/// A flow of steps whose names and verbs can be lost.
const STEPS: &str = "flow: steps
format: 1
languages: [en]
hours:
  desk: { timezone: Asia/Shanghai, weekly: { mon-fri: 08:00-18:00 } }
prompts:
  pin: { en: Your code? }
steps:
  start:
    menu: Press 1 or 2.
    press: { 1: agent, 2: pin }
    then: { no_input: agent, no_match: agent }

  pin:
    ask: pin
    into: code
    expect: { digits: 4 }
    then: { ok: told, no_input: agent, no_match: agent }

  agent:
    hours: desk
    then: { open: told, closed: bye }

  told:
    say: Thank you.
    then: bye

  bye: { hangup: completed }
";

#[test]
fn a_step_whose_name_is_gone_gets_it_back() {
    assert_eq!(told(STEPS).0, Vec::<&str>::new());
    for name in ["pin", "agent", "told"] {
        let line = format!("  {name}:\n");
        mended(&STEPS.replacen(&line, "", 1), "missing-key", STEPS);
        let joined = STEPS.replace("\n\n", "\n");
        mended(&joined.replacen(&line, "", 1), "missing-key", &joined);
    }
    // Which of two names is gone nobody knows.
    let wrong = STEPS
        .replacen("  agent:\n", "", 1)
        .replacen("1: agent", "1: clerk", 1);
    assert_eq!(told(&wrong).2, wrong);
}

#[test]
fn an_action_whose_verb_is_gone_is_one_finding() {
    for line in ["    ask: pin\n", "    menu: Press 1 or 2.\n"] {
        let wrong = STEPS.replacen(line, "", 1);
        assert_ne!(wrong, STEPS);
        let (rules, _, fixed) = told(&wrong);
        assert_eq!((rules, fixed), (vec!["unknown-verb"], wrong), "{line}");
    }
}

#[test]
fn the_line_of_a_key_that_stands_twice_is_one_finding() {
    let mut seen = 0;
    let mut above = "";
    for line in RIGHT.split_inclusive('\n') {
        let key = line.trim_end().ends_with(':') && !line.trim_start().starts_with('-');
        if key {
            let wrong = RIGHT.replacen(
                &format!("{above}{line}"),
                &format!("{above}{line}{line}"),
                1,
            );
            let (rules, _, fixed) = told(&wrong);
            assert_eq!(rules, ["duplicate-key"], "{line}");
            assert_eq!(fixed, RIGHT, "{line}");
            seen += 1;
        }
        above = line;
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn an_item_without_its_colon_is_one_finding_whose_change_keeps_what_stands_there() {
    let right = small(
        "steps:\n  start:\n    - say: Hello there.\n    - choose:\n        - { when: call.priority > 3, then: end }\n        - else: end\n  end: { hangup: completed }\ntests:\n  t:\n    run:\n      - press: 1\n      - expect: { ends: completed }\n",
    );
    assert_eq!(told(&right).0, Vec::<&str>::new());
    for (from, to) in [
        ("- press: 1", "- press 1"),
        ("- press: 1", "- press:1"),
        ("- press: 1", "- press = 1"),
        ("- say: Hello", "- say = Hello"),
        ("- say: Hello", "- say Hello"),
        ("- say: Hello", "- say:Hello"),
        ("- else: end", "- else = end"),
        ("- else: end", "- else end"),
    ] {
        mended(&right.replacen(from, to, 1), "yaml-colon", &right);
    }
    mended(
        &right.replacen("- press: 1", "- pres 1", 1),
        "bad-value",
        &right,
    );
}

#[test]
fn a_sign_within_a_text_stays_where_another_one_beside_it_is_wrong() {
    let right = "flow: b\nformat: 1\nlanguages: [zh, en]\nprompts:\n  wait: { zh: 请稍候。, en: Please hold. }\nsteps:\n  start:\n    - say: wait\n    - hangup: completed\n";
    assert_eq!(told(right).0, Vec::<&str>::new());
    for (from, to) in [
        ("en: Please", "en： Please"),
        ("hold. }", "hold. ｝"),
        ("{ zh", "｛ zh"),
    ] {
        mended(&right.replacen(from, to, 1), "full-width", right);
    }
}

#[test]
fn a_comma_that_slipped_into_a_language_is_one_finding() {
    mended(
        &RIGHT.replacen("[en, zh]", "[e,n zh]", 1),
        "bad-value",
        RIGHT,
    );
}

#[test]
fn a_number_without_a_unit_is_one_finding_that_proposes_only_what_fits() {
    // A step whose input is a minute at least.
    let mut catalog = support::project();
    let menu = catalog.steps.get_mut("std/menu@1").expect("it is there");
    menu.input["properties"]["timeout"]["minimum"] = 60_000.into();
    menu.input["properties"]["timeout"]["maximum"] = 86_400_000.into();
    let told_of = |timeout: &str| {
        let text = small(&format!(
            "steps:\n  start: {{ menu: Press 1., press: {{ 1: bye }}, timeout: {timeout}, then: {{ else: bye }} }}\n  bye: {{ hangup: completed }}\n"
        ));
        let checked = check("a.flow.yaml", text.as_bytes(), &catalog);
        let found = checked.diagnostics.into_iter();
        let errors = found.filter(|found| found.level == strowger_flow::Level::Error);
        let told = errors.map(|found| {
            let help = found.help.map(|help| help.english().to_owned());
            let fix = found.fix.map(|fix| fix.replacement);
            (found.rule, help.unwrap_or_default(), fix)
        });
        told.collect::<Vec<_>>()
    };
    let both = "write `4m` or `4h`".to_owned();
    assert_eq!(told_of("4"), [("missing-unit", both, None)]);
    let seconds = "write `90s` for seconds".to_owned();
    assert_eq!(
        told_of("90"),
        [("missing-unit", seconds, Some("90s".to_owned()))]
    );
    // 900 seconds are more than a wait may last.
    let wait = small("steps:\n  start: [ { wait: 900 }, { hangup: completed } ]\n");
    let (rules, help, _) = told(&wait);
    assert_eq!(
        (rules, help.as_str()),
        (vec!["missing-unit"], "write `900ms`")
    );
}

#[test]
fn a_switch_in_words_of_another_language_is_one_finding() {
    let switch = |on: &str, lines: &str| {
        small(&format!(
            "vars: {{ sure: {{ type: bool, default: true }}, n: {{ type: number, default: 2 }} }}\nsteps:\n  start:\n    switch: {on}\n    then: {{ {lines} }}\n  bye: {{ hangup: completed }}\n"
        ))
    };
    let only = |text: String| text.replacen(", n: { type: number, default: 2 }", "", 1);
    mended(
        &only(switch("sure", "yes: bye, no: bye")),
        "unknown-outcome",
        &only(switch("sure", "true: bye, false: bye")),
    );
    let numbered = "1: bye, 2: bye, 3: bye, 4: bye, 5: bye, 6: bye, 7: bye";
    let days = switch("now.weekday", numbered).replacen(
        "vars: { sure: { type: bool, default: true }, n: { type: number, default: 2 } }\n",
        "",
        1,
    );
    let (rules, help, fixed) = told(&days);
    // Whether the first is a Monday or a Sunday nobody knows.
    assert_eq!(
        (rules, fixed.as_str()),
        (vec!["unknown-outcome"], days.as_str())
    );
    assert!(help.contains("monday, tuesday"), "{help}");
    // A number is never written so.
    let number = |key: &str| {
        switch("n", &format!("{key}: bye, else: bye")).replacen(
            "sure: { type: bool, default: true }, ",
            "",
            1,
        )
    };
    for key in ["02", "2.0", "+2"] {
        mended(&number(key), "unknown-outcome", &number("2"));
    }
    assert_eq!(told(&number("two")).0, ["unknown-outcome"]);
    assert_eq!(told(&number("2.5")).0, Vec::<&str>::new());
}

#[test]
fn hours_without_their_name_are_one_finding() {
    let wrong = RIGHT.replacen("  office:\n", "", 1);
    assert_ne!(wrong, RIGHT);
    let (rules, help, fixed) = told(&wrong);
    assert_eq!(rules, ["missing-key"]);
    assert!(help.contains("a name such as"), "{help}");
    assert_eq!(fixed, wrong, "nobody knows the name");
}

#[test]
fn a_tag_has_a_name() {
    let text = small("steps:\n  start: [ { tag: { \"\": x } }, { hangup: completed } ]\n");
    assert_eq!(told(&text).0, ["bad-value"]);
}
