//! Signs that are written for others: `;` and ` :` for the colon behind a key, `;` and blanks for commas, full-width braces in texts.

mod support;

use strowger_flow::check;
use strowger_flow::diagnostic::Diagnostic;

const RIGHT: &str = r#"flow: a
format: 1
languages: [en, zh]
inputs:
  caller: { type: text, default: friend }
outcomes: [done, operator]
vars:
  tries: { type: number, default: 0 }
  level: { one_of: [gold, silver], default: silver }
prompts:
  welcome: { en: "Welcome. ${choices}", zh: "欢迎。${choices}" }
  orders: { en: check an order, zh: 查询订单 }
  ask_no: { en: Please enter your number., zh: 请输入号码。 }
  wait_line: { en: Please hold the line., zh: 请稍候。 }
hours:
  office:
    timezone: Asia/Shanghai
    weekly: { mon-fri: 09:00-21:00 }
steps:
  start:
    hours: office
    then: { open: main, closed: bye }
  main:
    menu: welcome
    press:
      1: { to: number, label: orders }
      9: repeat
    then:
      no_input: operator
      no_match: operator
  number:
    ask: ask_no
    into: order_no
    expect: { digits: 8..12 }
    timeout: 8s
    then: { ok: told, no_input: operator, no_match: operator }
  told:
    - set: { tries: "${tries + 1}" }
    - if: tries < 3 and level == "silver"
      then: bye
    - say: "Your number is ${order_no | digits}, ${caller}."
    - return: done
  operator:
    queue: front-desk
    priority: 50
    meanwhile: { music: audio/hold.wav, say: wait_line, every: 20s }
    then:
      done: bye
      else: over
  over:
    - record: { beep: true, max: 90s }
      into: voicemail
      then: bye
  bye:
    - say: wait_line
    - return: operator
tests:
  three silences:
    run:
      - expect: welcome
"#;

fn found(text: &str) -> Vec<Diagnostic> {
    check("a.flow.yaml", text.as_bytes(), &support::project()).diagnostics
}

/// The one finding of a text, and the text as its fix makes it.
fn mended(text: &str) -> (&'static str, String, String) {
    let found = found(text);
    let [one] = &found[..] else {
        let told: Vec<String> = found.iter().map(Diagnostic::render_concise).collect();
        panic!("{}\n{text}", told.join("\n"));
    };
    let fix = one.fix.as_ref();
    let fix = fix.unwrap_or_else(|| panic!("no fix: {}", one.render_concise()));
    let (before, after) = (&text[..fix.span.start], &text[fix.span.end..]);
    let message = one.message.english().to_owned();
    (
        one.rule,
        message,
        format!("{before}{}{after}", fix.replacement),
    )
}

fn with(right: &str, wrong: &str) -> String {
    assert!(RIGHT.contains(right), "{right}");
    RIGHT.replacen(right, wrong, 1)
}

#[test]
fn the_flow_itself_is_right() {
    let told: Vec<String> = found(RIGHT)
        .iter()
        .map(Diagnostic::render_concise)
        .collect();
    assert_eq!(told, Vec::<String>::new());
}

#[test]
fn another_sign_than_the_colon_is_one_finding_wherever_it_stands() {
    for key in [
        "priority: 50",
        "into: order_no",
        "queue: front-desk",
        "timeout: 8s",
        "ask: ask_no",
        "menu: welcome",
        "hours: office",
        "9: repeat",
        "no_input: operator\n",
        "no_match: operator\n",
        "else: over",
        "done: bye",
        "- return: done",
        "- say: wait_line",
        "- expect: welcome",
        "if: tries",
        "to: number",
        "label: orders",
        "en: check an order",
        "zh: 查询订单",
        "closed: bye",
        "ok: told",
        "default: 0",
        "default: friend",
        "say: wait_line,",
        "every: 20s",
        "beep: true",
        "max: 90s",
        "digits: 8..12",
        "mon-fri: 09:00",
        "timezone: Asia",
        "tries: {",
        "outcomes: [",
        "weekly: {",
        "set: { tries: ",
    ] {
        for sign in ["; ", ";", " ;", " :", "；"] {
            let wrong = key.replacen(": ", sign, 1);
            let (rule, _, fixed) = mended(&with(key, &wrong));
            assert_eq!(rule, "yaml-colon", "{wrong}");
            assert_eq!(fixed, RIGHT, "{wrong}");
        }
    }
    for key in ["main:\n", "operator:\n", "hours:\n", "steps:\n"] {
        let (rule, _, fixed) = mended(&with(key, &key.replace(':', ";")));
        assert_eq!((rule, fixed.as_str()), ("yaml-colon", RIGHT), "{key}");
    }
}

#[test]
fn two_of_them_are_two_findings() {
    let text = with("priority: 50", "priority; 50").replacen("into: order_no", "into; order_no", 1);
    let told: Vec<(&str, u32)> = found(&text)
        .iter()
        .map(|found| (found.rule, found.primary.place.line))
        .collect();
    assert_eq!(told, [("yaml-colon", 33), ("yaml-colon", 45)]);
}

#[test]
fn commas_that_lack_in_a_list_or_are_other_signs_are_one_finding() {
    for (right, wrong, message) in [
        (
            "[done, operator]",
            "[done operator]",
            "a comma is missing after `done`",
        ),
        (
            "[gold, silver]",
            "[gold silver]",
            "a comma is missing after `gold`",
        ),
        (
            "[done, operator]",
            "[done; operator]",
            "`;` stands behind `done` where a comma belongs",
        ),
        (
            "open: main, closed",
            "open: main; closed",
            "`;` stands behind `main` where a comma belongs",
        ),
        (
            "no_input: operator, no_match",
            "no_input: operator; no_match",
            "`;` stands behind `operator` where a comma belongs",
        ),
    ] {
        let (rule, told, fixed) = mended(&with(right, wrong));
        assert_eq!((rule, told.as_str()), ("yaml-colon", message), "{wrong}");
        assert_eq!(fixed, RIGHT, "{wrong}");
    }
}

#[test]
fn the_message_names_the_sign() {
    for (wrong, message) in [
        (
            "priority; 50",
            "`;` stands behind `priority` where a colon belongs",
        ),
        (
            "priority :50",
            "the blank between `priority` and its colon belongs behind the colon",
        ),
    ] {
        assert_eq!(mended(&with("priority: 50", wrong)).1, message);
    }
}

#[test]
fn texts_keep_such_signs() {
    for said in [
        "We are open; please wait.",
        "\"Note :read this; thanks.\"",
        "closed; come back",
    ] {
        let text = with("- say: wait_line", &format!("- say: {said}"));
        assert!(found(&text).is_empty(), "{said}");
    }
}

#[test]
fn full_width_braces_in_a_text_are_one_finding() {
    for (right, wrong) in [
        ("${caller}", "$｛caller｝"),
        ("${caller}", "＄｛caller｝"),
        ("${caller}", "｛caller｝"),
        ("${order_no | digits}", "$｛order_no | digits｝"),
        ("\"Welcome. ${choices}\"", "\"Welcome. ｛choices｝\""),
        ("\"欢迎。${choices}\"", "\"欢迎。$｛choices｝\""),
    ] {
        let (rule, _, fixed) = mended(&with(right, wrong));
        assert_eq!((rule, fixed.as_str()), ("text-slip", RIGHT), "{wrong}");
    }
    let plain = with("- say: wait_line", "- say: Goodbye $｛caller｝.");
    assert!(mended(&plain).2.contains("- say: Goodbye ${caller}.\n"));
    // In braces the fix would need quotes, which is not the slip.
    let text = with("en: check an order", "en: check $｛caller｝");
    let [one] = &found(&text)[..] else {
        panic!("{:?}", found(&text));
    };
    assert!(one.rule == "text-slip" && one.fix.is_none(), "{one:?}");
    for said in ["｛您好｝", "\"$｛｝\""] {
        let text = with("- say: wait_line", &format!("- say: {said}"));
        assert!(found(&text).is_empty(), "{said}");
    }
}

/// A file with the ends of lines of Windows is told of as the same with those of others.
#[test]
fn a_file_of_windows_has_the_same_findings() {
    for (right, wrong) in [
        ("en: check an order,", "en: check an #order,"),
        ("en: Please hold the line.,", "en: Please hold #5"),
        ("- say: wait_line", "- say: Order #123"),
        ("- say: wait_line", "- say: Press #"),
        ("- say: wait_line", "- say: wait_line # said last"),
        ("default: friend }", "default: ${caller}"),
        (
            "then: { open: main, closed: bye }",
            "then:\n      open: ${x",
        ),
        (
            "expect: { digits: 8..12 }",
            "expect: { digits: ${x}\n      }",
        ),
        (
            "set: { tries: \"${tries + 1}\" }",
            "set: [ ${tries + 1}\n      ]",
        ),
        (
            "then: { open: main, closed: bye }",
            "then: { open: main, closed: bye",
        ),
        ("menu: welcome", "menu; welcome"),
        ("menu: welcome", "menu"),
        ("main:\n", "main;\n"),
        ("    priority: 50", "\tpriority: 50"),
        ("    priority: 50", "      priority: 50"),
        ("      9: repeat", "      *: repeat"),
        ("      9: repeat", "      #: repeat"),
        ("- return: done", "- return: \"done"),
        ("- return: done", "- return: [done"),
        ("outcomes: [done, operator]", "outcomes: [done, operator"),
    ] {
        let text = with(right, wrong);
        let told = |text: &str| -> Vec<String> {
            let told = found(text);
            let told = told.iter().map(|found| {
                let place = found.primary.place;
                let fix = found.fix.as_ref();
                let fix = fix.map(|fix| (fix.place, fix.replacement.replace('\r', "")));
                format!("{place:?} {} {:?}", found.render_concise(), fix)
            });
            told.collect()
        };
        let windows = told(&text.replace('\n', "\r\n"));
        assert_eq!(told(&text), windows, "{wrong}");
        assert!(wrong.contains("# said") || !windows.is_empty(), "{wrong}");
    }
}
