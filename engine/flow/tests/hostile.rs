//! Whatever the bytes: findings, never a panic, never a hang, and every place lies in the text.

mod support;

use std::time::{Duration, Instant};

use proptest::prelude::*;
use strowger_flow::{Checked, Level, check, signature};

fn sound(source: &[u8]) -> Checked {
    let checked = check("any.flow.yaml", source, &support::project());
    let text = String::from_utf8_lossy(source);
    let errors = checked
        .diagnostics
        .iter()
        .any(|found| found.level == Level::Error);
    assert_eq!(
        checked.plan.is_none(),
        errors,
        "a plan exactly when there is no error"
    );
    for found in checked.diagnostics.iter().take(20) {
        let frame = found.render(&text, false);
        assert!(frame.contains(found.rule));
        let json: serde_json::Value = serde_json::from_str(&found.render_json()).expect("JSON");
        assert_eq!(json["rule"], found.rule);
        assert!(found.primary.place.line >= 1 && found.primary.place.column >= 1);
    }
    signature(source);
    let _laid_out = strowger_flow::fmt::format("any.flow.yaml", source);
    checked
}

/// The examples, to be mutated.
fn examples() -> Vec<String> {
    let mut all: Vec<String> = support::GOOD
        .iter()
        .map(|(_, text)| (*text).to_owned())
        .collect();
    all.push(include_str!("flows/broken.flow.yaml").to_owned());
    all
}

/// Bits of text that are likely to hurt.
const SHARDS: [&str; 24] = [
    "${", "}", "{", "[", "]", "- ", ": ", "\n", "\t", "  ", "\"", "'", "&a ", "*a", "!t ", "#",
    "|", ">", "---\n", "\u{feff}", "\r\n", "您", "then:", "repeat",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        sound(&bytes);
    }

    #[test]
    fn any_text(text in "\\PC{0,300}") {
        sound(text.as_bytes());
    }

    #[test]
    fn mutated_examples(
        which in 0usize..4,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0usize..40), 1..6),
    ) {
        let mut text: Vec<char> = examples()[which].chars().collect();
        for (at, shard, cut) in edits {
            let at = at.index(text.len() + 1);
            let end = (at + cut).min(text.len());
            let shard: Vec<char> = SHARDS[shard.index(SHARDS.len())].chars().collect();
            text.splice(at..end, shard);
        }
        let text: String = text.into_iter().collect();
        sound(text.as_bytes());
    }

    #[test]
    fn shards(picked in prop::collection::vec(prop::sample::select(SHARDS.to_vec()), 0..80)) {
        sound(picked.concat().as_bytes());
    }
}

/// Longest any hostile file may take here: a hundred times what they take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
#[expect(clippy::disallowed_methods, reason = "a test may look at the clock")]
fn large_and_deep_files_are_told_quickly() {
    let steps = |count: usize| {
        let mut text = String::from("flow: large\nformat: 1\nsteps:\n  start: { goto: s0 }\n");
        for index in 0..count {
            text.push_str(&format!(
                "  s{index}: {{ say: \"Hello.\", then: s{} }}\n",
                index + 1
            ));
        }
        text.push_str(&format!("  s{count}: {{ hangup: done }}\n"));
        text
    };
    let cases = [
        ("twenty thousand steps", steps(20_000)),
        ("ten thousand steps", steps(10_000)),
        (
            "every target unknown",
            steps(9_000).replace("then: s", "then: t"),
        ),
        ("every key twice", steps(5_000).replace("s1", "s2")),
        ("deep lists", "- ".repeat(40_000)),
        ("deep brackets", "[".repeat(40_000)),
        ("deep braces", "{a: ".repeat(40_000)),
        (
            "a scalar of a megabyte",
            format!("flow: {}", "a".repeat(1_000_000)),
        ),
        ("over the limit", "a".repeat(1_100_000)),
        ("many comments", "# comment\n".repeat(50_000)),
        ("many braces", format!("a: [{}]", "${x}, ".repeat(10_000))),
        ("many stars", "*: a\n".repeat(10_000)),
        (
            "an alias bomb",
            (0..40)
                .map(|i| format!("a{i}: &a{i} [*a{}, *a{}]\n", i - 1, i - 1))
                .collect(),
        ),
    ];
    for (name, text) in cases {
        let began = Instant::now();
        let checked = sound(text.as_bytes());
        let took = began.elapsed();
        assert!(took < PATIENCE, "{name} took {took:?}");
        println!("{name}: {} findings in {took:?}", checked.diagnostics.len());
    }
}

#[test]
fn ten_thousand_steps_are_fine() {
    let mut text = String::from("flow: large\nformat: 1\nsteps:\n  start: { goto: s0 }\n");
    for index in 0..8_000 {
        text.push_str(&format!(
            "  s{index}: {{ say: \"Hello.\", then: s{} }}\n",
            index + 1
        ));
    }
    text.push_str("  s8000: { hangup: done }\n");
    let checked = sound(text.as_bytes());
    assert!(checked.plan.is_some(), "{:?}", checked.diagnostics.first());
}

#[test]
fn a_step_without_an_action_is_told() {
    for steps in ["  start: []\n", "  start: { hangup: done }\n  other: []\n"] {
        let checked = sound(format!("flow: empty\nformat: 1\nsteps:\n{steps}").as_bytes());
        let rules: Vec<_> = checked.diagnostics.iter().map(|found| found.rule).collect();
        assert!(rules.contains(&"bad-value"), "{rules:?}");
    }
}

#[test]
fn an_error_is_told_after_however_many_warnings() {
    let prompts: String = (0..600)
        .map(|index| format!("  p{index}: {{ en: Hello. }}\n"))
        .collect();
    let flow = format!(
        "flow: large\nformat: 1\nlanguages: [en, zh]\nprompts:\n{prompts}steps:\n  start: {{ goto: nowhere }}\n"
    );
    let checked = sound(flow.as_bytes());
    let told = checked
        .diagnostics
        .iter()
        .filter(|found| found.level == Level::Error);
    assert!(told.count() > 0 && checked.plan.is_none());
}

#[test]
fn a_byte_order_mark_and_crlf_are_harmless() {
    let (_, text) = support::GOOD[1];
    let windows = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    let checked = check(
        "order-status.flow.yaml",
        windows.as_bytes(),
        &support::project(),
    );
    assert!(checked.diagnostics.is_empty(), "{:?}", checked.diagnostics);
}
