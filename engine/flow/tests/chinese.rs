//! Whoever reads Chinese reads no English: every finding, with all its labels and its help.

mod support;

use proptest::prelude::*;
use strowger_flow::diagnostic::{Language, Text};
use strowger_flow::{Catalog, Diagnostic, RULES, check};

/// Names of standards and units, which have no other form in Chinese.
const NAMES: [&str; 16] = [
    "BCP", "IANA", "ISO", "KiB", "MiB", "PIN", "SIP", "SSML", "TOML", "URI", "UTF", "YAML", "kHz",
    "ms", "std", "s",
];

/// Words that stand in a Chinese text as in an English one: in Latin letters, and neither in backticks nor in
/// quotes, where names and pieces of the flow stand.
fn english_words(text: &str) -> Vec<String> {
    let mut plain = String::new();
    let mut quote = None;
    for c in text.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '`' || c == '"' => quote = Some(c),
            None => plain.push(c),
        }
    }
    plain
        .split(|c: char| !c.is_ascii_alphabetic())
        .filter(|word| !word.is_empty() && !NAMES.contains(word))
        .map(str::to_owned)
        .collect()
}

#[track_caller]
fn in_chinese(found: &Diagnostic) {
    let texts = |found: &Diagnostic| -> Vec<Text> {
        let labels = found.labels.iter().map(|label| label.text.clone());
        labels
            .chain([found.message.clone(), found.primary.text.clone()])
            .chain(found.help.clone())
            .collect()
    };
    for text in texts(found) {
        let (english, chinese) = (text.english(), text.in_language(Language::Chinese));
        assert_eq!(
            english_words(chinese),
            Vec::<String>::new(),
            "[{}] {english} / {chinese}",
            found.rule
        );
        let says = !english_words(english).is_empty();
        assert!(!says || chinese != english, "[{}] {english}", found.rule);
    }
    let han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    let message = found.message.in_language(Language::Chinese);
    assert!(message.contains(han), "[{}] {message}", found.rule);
}

/// All findings of a text, each of them in Chinese; how many.
#[track_caller]
fn told(text: impl AsRef<[u8]>, catalog: &Catalog) -> usize {
    let checked = check("a.flow.yaml", text.as_ref(), catalog);
    checked.diagnostics.iter().for_each(in_chinese);
    checked.diagnostics.len()
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test may read its own examples"
)]
fn every_example_of_a_rule_is_told_in_chinese() {
    let catalog = support::project();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules");
    let mut examples = 0;
    for entry in std::fs::read_dir(folder).expect("the examples are there") {
        let text = std::fs::read(entry.expect("an entry").path()).expect("an example");
        assert!(told(&text, &catalog) > 0);
        examples += 1;
    }
    assert!(examples >= RULES.len(), "{examples} examples");
    assert!(told(include_str!("flows/broken.flow.yaml"), &catalog) >= 15);
}

/// Every value of the good flows exchanged for each of these, and every key misspelt: what people write by
/// mistake in each place that the language has.
#[test]
fn every_slip_in_the_good_flows_is_told_in_chinese() {
    let catalog = support::project();
    let slips = [
        "",
        "[]",
        "[a, [b], 1]",
        "{}",
        "{ a: b, en: 1 }",
        "maybe",
        "-3",
        "99999999999",
        "1 2",
        "\"\"",
        "5",
        "5x",
        "0s",
        "${nothing}",
        "${call}",
        "a ${now | nowt} b",
        "${",
        "none",
        "true",
        "2026-13-40",
        "\"<b>\"",
        "!tag x",
        "&a b",
        "*a",
        "\"open",
        "{ open",
        "[ open",
        "'a' b",
        "- x",
        "a: b: c",
        "@x",
        "%x",
        "\"\\q\"",
        "|9x",
        "\tx",
        "orders/lookup@2",
        "std/nope@1",
        "/etc/passwd",
        "sip:",
        "+49",
    ];
    let mut findings = 0;
    for (_, text) in support::GOOD {
        let lines: Vec<&str> = text.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            let Some((key, _)) = line.split_once(':').filter(|(key, _)| !key.contains('#')) else {
                continue;
            };
            let with = |line: String| {
                let mut lines: Vec<&str> = lines.clone();
                lines[index] = &line;
                told(lines.join("\n"), &catalog)
            };
            findings += with(format!("{key}x:{}", &line[key.len() + 1..]));
            for slip in slips {
                findings += with(format!("{key}: {slip}"));
            }
        }
    }
    assert!(findings > 5_000, "{findings}");
}

const FLOW: &str = "flow: expressions
format: 1
inputs:
  plan: { one_of: [gold, silver] }
  day: date
  hour: time
  at: datetime
  paid: money
  wait: duration
  words: list
  pin: secret
vars:
  tries: { type: number, default: 0 }
  vip: { type: bool, default: false }
  order_no: text
steps:
  start:
    - set: { tries: 1 }
    - { if: 'CONDITION', then: bye, else: bye }
  bye: [ { say: 'You said TEXT.' }, { hangup: done } ]
";

/// The flow with an expression as a condition and in a text; `'` is doubled for YAML.
fn flow(condition: &str, inserted: &str) -> String {
    FLOW.replace("CONDITION", &condition.replace('\'', "''"))
        .replace("TEXT", &inserted.replace('\'', "''"))
}

/// Pieces of expressions, good and bad.
const PIECES: [&str; 66] = [
    "plan",
    "day",
    "hour",
    "at",
    "paid",
    "wait",
    "words",
    "pin",
    "tries",
    "vip",
    "order_no",
    "call",
    "call.from",
    "now",
    "nobody",
    "trise",
    "now.hour",
    "now.yeer",
    "call.frm",
    "1",
    "0.5",
    "007",
    "5s",
    "\"gold\"",
    "\"glod\"",
    "'a'",
    "\"1\"",
    "true",
    "none",
    "and",
    "or",
    "not",
    "in",
    "is",
    "if",
    "else",
    "==",
    "!=",
    "<",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "~",
    "|",
    "| digits",
    "| money",
    "| nowt",
    "| default(1)",
    "| join(1, 2)",
    "| length",
    ".x",
    "[0]",
    "[\"a\"]",
    "(",
    ")",
    "[",
    "]",
    ",",
    "=",
    "&&",
    "\"",
    "，",
    "余额",
];

#[test]
fn known_slips_in_expressions_are_told_in_chinese() {
    let catalog = support::steps();
    let slips = [
        "tries",
        "vip + 1",
        "plan == \"glod\"",
        "\"5\" > 4",
        "day > at",
        "paid > 5",
        "wait > 5",
        "words[plan]",
        "call[1]",
        "call.frm",
        "call.x",
        "now.yeer",
        "now.x",
        "nobody",
        "trise > 1",
        "pin == \"1\"",
        "pin.x",
        "pin | upper",
        "[1, \"a\"] | length > 1",
        "plan | nowt",
        "plan | money",
        "tries | spell",
        "plan | upper(1)",
        "plan | join(1, 2)",
        "words | join(1)",
        "tries | default",
        "tries | default(\"a\") > 1",
        "-plan",
        "1 if vip else plan",
        "tries == none",
        "none != tries",
        "tries in 5",
        "plan ~ call",
        "plan ~ [call]",
        "order_no < plan",
        "1 < 2 < 3",
        "tries > ",
        "tries 5",
        "tries equals 5",
        "tries adn vip",
        "(tries",
        "tries)",
        "[1, 2",
        "f(x)",
        "plan(1)",
        "is 5",
        "tries is 5",
        "tries is not 5",
        "1 + not vip",
        "+5",
        "tries.5",
        "tries | ",
        "tries.",
        "${tries}",
        "{{ tries }}",
        "{tries",
        "",
        "\"open",
        "'\\q'",
        "007",
        "5s",
        "tries === 5",
        "tries && vip",
        "tries ！",
        "订单",
        "?",
        "tries if vip",
        "\"\" if else",
        "vip else",
        "vip then 1",
        "words contains 1",
        "vip is",
        "in words",
        "day == \"2026-02-30\"",
        "hour == \"25:00\"",
        "wait == \"5\"",
        "paid == \"5\"",
        "at == \"x\"",
        "plan == vip",
        "tries and vip",
        "words and vip",
        "plan and vip",
        "call.from and vip",
        "[[1]] | join == \"\"",
        "99e9",
        "9999999999999999999999999999999999999999",
    ];
    for slip in slips {
        assert!(told(flow(slip, "nothing"), &catalog) > 0, "{slip}");
    }
    let long = "1 + ".repeat(300) + "1 > 0";
    let deep = "(".repeat(40) + "1" + &")".repeat(40) + " > 0";
    let many = "not ".repeat(150) + "vip";
    for slip in [long, deep, many] {
        assert!(told(flow(&slip, "nothing"), &catalog) > 0, "{slip}");
    }
    for slip in [
        "${pin}",
        "${call}",
        "${words}",
        "${none}",
        "${[call]}",
        "${nobody}",
        "${order_no}",
        "${",
        "{{ tries }}",
        "${1 +}",
        "${words[0]}",
        "<b>",
        "<prosody>",
    ] {
        assert!(told(flow("vip", slip), &catalog) > 0, "{slip}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn expressions_made_of_anything_are_told_in_chinese(
        condition in prop::collection::vec(prop::sample::select(&PIECES[..]), 1..8),
        inserted in prop::collection::vec(prop::sample::select(&PIECES[..]), 1..8),
    ) {
        let text = flow(&condition.join(" "), &format!("${{{}}}", inserted.join(" ")));
        told(&text, &support::steps());
    }
}
