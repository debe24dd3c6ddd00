//! Branches, outcomes and lists as other languages write them, and signs that nobody sees: one finding, which says what to write.

mod support;

use strowger_flow::diagnostic::Diagnostic;
use strowger_flow::{check, fix};

const RIGHT: &str = r#"flow: base
format: 1
languages: [en, zh]
vars:
  count: { type: number, default: 0 }
  name: { type: text, default: Lee }
  vip: { type: bool, default: false }
hours:
  desk:
    timezone: Asia/Shanghai
    weekly: { mon-fri: 09:00-18:00 }
    closed: [2026-12-25]
prompts:
  welcome: { en: "Welcome. ${choices}", zh: "欢迎。${choices}" }
  orders: { en: check an order, zh: 查询订单 }
  again: { en: Sorry?, zh: 请再说一次。 }
  bye: { en: Goodbye., zh: 再见。 }
  hi: { en: "Hello ${name}.", zh: "您好${name}。" }
  number: { en: "Your number?", zh: "请输入号码。" }
start: main
steps:
  main:
    menu: welcome
    attempts: 2
    timeout: 4s
    press:
      1: { to: ask_no, label: orders }
      2: greet
    reprompt:
      no_input: [again]
      no_match: [again]
    then:
      no_input: agent
      no_match: agent
  greet:
    - say: hi
    - set: { count: "${count + 1}" }
    - if: count < 3 or vip
      then: main
      else: bye
  ask_no:
    ask: number
    into: order_no
    expect: { digits: 6..8 }
    then:
      ok: check_hours
      no_input: agent
      no_match: agent
  check_hours:
    - say: "${order_no | digits}"
    - hours: desk
      then:
        open: agent
        closed: bye
  agent:
    queue: front-desk
    meanwhile: { music: audio/hold.wav }
    then: { done: bye, timeout: call_out, else: bye }
  call_out:
    transfer: "+861012345678"
    ring: 20s
    then: { done: bye, else: bye }
  bye:
    - say: bye
    - hangup: completed
"#;

const IF: &str = "    - if: count < 3 or vip\n      then: main\n      else: bye\n";

fn with(right: &str, wrong: &str) -> String {
    assert!(RIGHT.contains(right), "{right}");
    RIGHT.replacen(right, wrong, 1)
}

fn told(text: &str) -> Vec<Diagnostic> {
    check("base.flow.yaml", text.as_bytes(), &support::project()).diagnostics
}

/// The rule of the one finding of a text, its help, and the text after `--fix`.
fn one(text: &str) -> (&'static str, String, String) {
    let found = told(text);
    let [one] = &found[..] else {
        let told: Vec<String> = found.iter().map(Diagnostic::render_concise).collect();
        panic!("{}\n{text}", told.join("\n"));
    };
    let help = one.help.as_ref();
    let help = help.map(|help| help.english().to_owned());
    let fixed = fix("base.flow.yaml", text.as_bytes(), &support::project());
    let fixed = fixed.expect("it is text").text;
    (one.rule, help.unwrap_or_default(), fixed)
}

/// That of a slip one finding is told with words of its help, and that what `--fix` makes of it has nothing wrong, where it makes something.
fn is_one(text: &str, rule: &str, help: &str, fixes: bool) {
    let (told_by, said, fixed) = one(text);
    assert_eq!(told_by, rule, "{text}");
    assert!(said.contains(help), "{said}\n{text}");
    assert_eq!(fixed != text, fixes, "{text}");
    if fixes {
        let left: Vec<String> = told(&fixed)
            .iter()
            .map(Diagnostic::render_concise)
            .collect();
        assert_eq!(left, Vec::<String>::new(), "{fixed}");
    }
}

#[test]
fn the_flow_itself_is_right() {
    assert_eq!(told(RIGHT).len(), 0);
}

#[test]
fn one_target_beside_an_else_is_that_of_the_good_outcome() {
    let hours = "        open: agent\n        closed: bye\n";
    let text = with(
        &format!("      then:\n{hours}"),
        "      then: agent\n      else: bye\n",
    );
    is_one(
        &text,
        "unknown-key",
        "write `then: { open: agent, else: bye }`",
        false,
    );
    let ask = "    then:\n      ok: check_hours\n      no_input: agent\n      no_match: agent\n";
    let text = with(ask, "    then: check_hours\n    else: agent\n");
    is_one(
        &text,
        "unknown-key",
        "write `then: { ok: check_hours, else: agent }`",
        false,
    );
    let text = with(
        "    then: { done: bye, timeout: call_out, else: bye }",
        "    then: call_out\n    else: bye",
    );
    is_one(
        &text,
        "unknown-key",
        "write `then: { done: call_out, else: bye }`",
        false,
    );
    // Where a menu leads is said by its keys.
    let menu = "    then:\n      no_input: agent\n      no_match: agent\n";
    let text = with(menu, "    then: greet\n    else: agent\n");
    is_one(
        &text,
        "unknown-key",
        "write `then: { …: greet, else: agent }`",
        false,
    );
    let lookup = "  check_hours:\n    use: orders/lookup@1\n    with: { order_no: \"${order_no}\" }\n    then: agent\n    else: bye\n";
    let steps = &RIGHT
        [RIGHT.find("  check_hours:").expect("a step")..RIGHT.find("  agent:").expect("a step")];
    let text = with(steps, lookup).replace(
        &RIGHT[RIGHT.find("hours:\n  desk").expect("hours")
            ..RIGHT.find("prompts:").expect("prompts")],
        "",
    );
    is_one(
        &text,
        "unknown-key",
        "write `then: { found: agent, else: bye }`",
        false,
    );
}

#[test]
fn a_verb_beside_an_if_is_what_comes_when_it_is_so() {
    let condition = "    - if: count < 3 or vip\n";
    let rule = "two-verbs";
    for (wrong, help, fixes) in [
        (
            "      goto: main\n    - goto: bye\n",
            "write `then: main`",
            true,
        ),
        (
            "      goto: main\n      else: bye\n",
            "write `then: main`",
            true,
        ),
        (
            "      say: hi\n    - goto: main\n",
            "write `then: [{ say: hi }]`",
            true,
        ),
        (
            "      say: \"Well, ${name}.\"\n    - goto: main\n",
            "write `then: [{ say: \"Well, ${name}.\" }]`",
            true,
        ),
        (
            "      say: { en: Well., zh: 好。 }\n    - goto: main\n",
            "write `then: [{ say: … }]`",
            false,
        ),
    ] {
        is_one(&with(IF, &format!("{condition}{wrong}")), rule, help, fixes);
    }
    let inline = "    - { if: count < 3 or vip, goto: main }\n    - goto: bye\n";
    is_one(&with(IF, inline), rule, "write `then: main`", true);
}

#[test]
fn the_ways_of_an_if_have_no_hyphen_of_their_own() {
    let condition = "    - if: count < 3 or vip\n";
    for (wrong, help) in [
        (
            "      then: main\n    - else: bye\n",
            "leave out the hyphen",
        ),
        (
            "    - else: bye\n      then: main\n",
            "leave out the hyphen",
        ),
        (
            "    - then: main\n    - else: bye\n",
            "leave out the hyphen",
        ),
        (
            "      then: main\n    - else:\n        - say: hi\n        - goto: bye\n",
            "leave out the hyphen",
        ),
        (
            "      then: main\n    - elif: vip\n      then: agent\n    - goto: bye\n",
            "write `- if:` again",
        ),
        (
            "      then: main\n    - elif: vip\n      then: agent\n    - else: bye\n",
            "write `- if:` again: whoever was led nowhere comes to it; `else:` stands beside its `if:`",
        ),
        (
            "      then: main\n    - else if: vip\n      then: agent\n    - elif: count > 7\n      then: agent\n    - else: bye\n",
            "write `- if:` again",
        ),
    ] {
        is_one(
            &with(IF, &format!("{condition}{wrong}")),
            "unknown-verb",
            help,
            true,
        );
    }
}

#[test]
fn cases_of_a_switch_are_its_outcomes() {
    let vip = "    - if: vip\n      then: agent\n";
    let switch = |wrong: &str| with(IF, &format!("{vip}    - switch: name\n{wrong}"));
    for wrong in [
        "      cases: { Lee: main }\n      default: bye\n",
        "      cases: { Lee: main, default: bye }\n",
        "      case: { Lee: main }\n      else: bye\n",
    ] {
        let help = "write `then: { Lee: main, else: bye }`";
        is_one(&switch(wrong), "unknown-key", help, false);
    }
    let named = switch("      cases:\n        Lee: main\n        else: bye\n");
    is_one(&named, "unknown-key", "did you mean `then`?", true);
}

#[test]
fn what_is_declared_without_its_type_is_told_where_it_is_declared() {
    let vars = "  count: { type: number, default: 0 }\n  name: { type: text, default: Lee }\n  vip: { type: bool, default: false }\n";
    let help = "write `vars: { count: text, name: text, vip: text }`, each with its own type";
    for wrong in [
        "vars: [count, name, vip]\n",
        "vars:\n  - count\n  - name\n  - vip\n",
    ] {
        is_one(
            &with(&format!("vars:\n{vars}"), wrong),
            "bad-value",
            help,
            false,
        );
    }
    for wrong in ["  count:\n", "  count: ~\n"] {
        let text = with("  count: { type: number, default: 0 }\n", wrong);
        assert_eq!(told(&text).len(), 1, "{text}");
    }
    let text = with("  name: { type: text, default: Lee }\n", "  name:\n");
    is_one(&text, "missing-key", "write the value", false);
}

#[test]
fn what_is_said_for_no_kind_of_miss_or_all_at_once_is_one_finding() {
    let reprompt = "    reprompt:\n      no_input: [again]\n      no_match: [again]\n";
    let help = "did you mean `{ no_input: [again], no_match: [again] }`?";
    for wrong in ["    reprompt: again\n", "    reprompt: [again]\n"] {
        is_one(&with(reprompt, wrong), "bad-value", help, true);
    }
    let block = with(reprompt, "    reprompt:\n      - again\n");
    is_one(
        &block,
        "bad-value",
        "write `{ no_input: […], no_match: […] }`",
        false,
    );
    let text = with("    - say: hi\n", "    - say: [hi, bye]\n");
    is_one(
        &text,
        "bad-value",
        "write an action for each: `- say: hi`, `- say: bye`",
        false,
    );
}

#[test]
fn times_and_numbers_of_other_shapes_are_one_finding() {
    for wrong in ["[09:00, 18:00]", "[\"09:00\", \"18:00\"]"] {
        let (rule, help, fixed) = one(&with("09:00-18:00", wrong));
        assert_eq!(
            (rule, help.as_str()),
            ("bad-hours", "did you mean `09:00-18:00`?")
        );
        assert_eq!(fixed, RIGHT);
    }
    let (rule, _, fixed) = one(&with("[2026-12-25]", "[2026-12-26..2026-12-25]"));
    assert_eq!(rule, "bad-hours");
    assert_eq!(fixed, with("[2026-12-25]", "[2026-12-25..2026-12-26]"));
    let (rule, help, fixed) = one(&with("ring: 20s", "rings: 4"));
    assert_eq!((rule, help.as_str()), ("unknown-key", "write `ring: 20s`"));
    assert_eq!(fixed, RIGHT);
    assert_eq!(one(&with("attempts: 2", "attempts: 1000")).0, "bad-input");
    let (rule, _, fixed) = one(&with("{ digits: 6..8 }", "{digits:6..8}"));
    assert_eq!(rule, "yaml-colon");
    assert_eq!(fixed, with("{ digits: 6..8 }", "{digits: 6..8}"));
}

#[test]
fn full_width_blanks_are_told_where_they_stand() {
    for (right, wrong) in [
        (
            "    timeout: 4s",
            "\u{3000}\u{3000}\u{3000}\u{3000}timeout: 4s",
        ),
        ("    timeout: 4s", "  \u{3000}timeout: 4s"),
        ("    timeout: 4s", "   \u{3000}timeout: 4s"),
        ("    timeout: 4s", "\u{3000}\u{3000}timeout: 4s"),
        ("timeout: 4s", "timeout: 4s\u{3000}"),
        ("timeout: 4s", "timeout: 4s \u{a0}"),
        ("timeout: 4s", "timeout:\u{3000}4s"),
        ("steps:\n  main:", "steps:\n\u{3000}main:"),
        ("    - say: hi", "\u{3000}\u{3000}- say: hi"),
        ("no_input: agent", "no_input: agent\u{3000}"),
    ] {
        let text = with(right, wrong);
        let (rule, _, fixed) = one(&text);
        assert_eq!(rule, "full-width", "{wrong}");
        assert_eq!(fixed, RIGHT, "{wrong}");
        let blank = text.find(['\u{3000}', '\u{a0}']).expect("a blank");
        let before = text[..blank].trim_end_matches(' ').len();
        let at = told(&text)[0].primary.span.start;
        assert!((before..=blank).contains(&at), "{wrong}: {at} for {blank}");
    }
}

#[test]
fn signs_that_nobody_sees_are_told_and_taken_out() {
    for sign in [
        '\u{200b}', '\u{200c}', '\u{200d}', '\u{2060}', '\u{feff}', '\u{ad}', '\u{200e}',
    ] {
        for (right, wrong) in [
            ("timeout: 4s", format!("time{sign}out: 4s")),
            ("timeout: 4s", format!("timeout: 4s{sign}")),
            ("    timeout: 4s", format!("    {sign}timeout: 4s")),
            (
                "no_input: agent\n      no_match: agent\n  greet",
                format!("no_input: agent{sign}\n      no_match: agent\n  greet"),
            ),
            ("  agent:", format!("  agent{sign}:")),
            ("${count + 1}", format!("${{count{sign} + 1}}")),
        ] {
            let text = with(right, &wrong);
            let found = told(&text);
            let [one] = &found[..] else {
                panic!("{found:?}\n{text}");
            };
            let code = format!("U+{:04X}", u32::from(sign));
            assert_eq!(one.rule, "full-width", "{wrong}");
            assert!(
                one.message.english().contains(&code),
                "{}",
                one.message.english()
            );
            let fixed = fix("base.flow.yaml", text.as_bytes(), &support::project());
            assert_eq!(fixed.expect("it is text").text, RIGHT, "{wrong}");
        }
    }
    // In what is said they may belong there.
    let family = with("en: Goodbye.", "en: Goodbye 👩\u{200d}👩\u{200d}👧.");
    assert_eq!(told(&family).len(), 0);
}

#[test]
fn what_is_no_line_of_a_flow_is_told_in_its_own_words() {
    let marks = format!("<<<<<<< HEAD\n{IF}=======\n    - goto: bye\n>>>>>>> branch\n");
    is_one(
        &with(IF, &marks),
        "yaml-syntax",
        "keep the lines of one version",
        false,
    );
    is_one(
        &format!("```yaml\n{RIGHT}```\n"),
        "yaml-syntax",
        "remove this line",
        false,
    );
}

#[test]
fn a_function_that_is_none_is_no_filter_either() {
    let defined = "    - if: defined(count) and vip\n      then: main\n      else: bye\n";
    is_one(
        &with(IF, defined),
        "bad-expression",
        "write `value is not none`",
        false,
    );
    let other = defined.replace("defined(", "even(");
    is_one(
        &with(IF, &other),
        "bad-expression",
        "the filters are `digits`",
        false,
    );
}

#[test]
fn a_number_with_an_extension_is_told_in_a_lone_file_too() {
    for wrong in [
        "+1 (555) 123-4567 ext 12",
        "+1 555 123 4567 x12",
        "10086转1",
    ] {
        let text = with("+861012345678", wrong);
        let lone = check("base.flow.yaml", text.as_bytes(), &support::steps()).diagnostics;
        let rules: Vec<&str> = lone.iter().map(|found| found.rule).collect();
        assert_eq!(rules, ["unknown-destination"], "{wrong}");
        assert_eq!(one(&text).0, "unknown-destination", "{wrong}");
    }
}
