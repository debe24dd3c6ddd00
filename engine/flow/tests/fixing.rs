//! `check --fix`: what is certain is mended, and nothing is made worse.

mod support;

use proptest::prelude::*;
use strowger_flow::{Level, check, fix};

fn errors(text: &str) -> usize {
    let checked = check("a.flow.yaml", text.as_bytes(), &support::project());
    let errors = |found: &&strowger_flow::Diagnostic| found.level == Level::Error;
    checked.diagnostics.iter().filter(errors).count()
}

fn fixed(text: &str) -> strowger_flow::Fixed {
    fix("a.flow.yaml", text.as_bytes(), &support::project()).expect("it is text")
}

#[test]
fn the_broken_flow_is_mended_as_far_as_it_is_certain() {
    let text = include_str!("flows/broken.flow.yaml");
    let fixed = fixed(text);
    let told: Vec<String> = fixed
        .applied
        .iter()
        .map(|applied| {
            let (line, rule) = (applied.finding.primary.place.line, applied.finding.rule);
            format!("{line} {rule}: {} -> {}", applied.before, applied.after)
        })
        .collect();
    insta::assert_snapshot!(format!("{}\n---\n{}", told.join("\n"), fixed.text));
    assert!(errors(&fixed.text) + 5 <= errors(text));
}

#[test]
fn a_file_indented_by_tabs_is_indented_by_blanks() {
    let text = "flow: tabs\nformat: 1\nsteps:\n\tstart:\n\t\tsay: Hello.\n\t\tthen: bye\n\tbye:\n\t\thangup: done\n";
    let fixed = fixed(text);
    assert_eq!(fixed.text, text.replace('\t', "  "));
    assert_eq!(errors(&fixed.text), 0);
}

#[test]
fn comments_and_layout_stay_and_a_second_time_changes_nothing() {
    let text = "flow: a   # its name\nformat: 1\nsteps:\n  start:\n    say: \"Hello.\"   # said\n    then: leavee\n  # after\n  leave: { wait: 3, then: end }\n  end: { hangup: done }\n";
    let once = fixed(text);
    let expected = text
        .replace("leavee", "leave")
        .replace("wait: 3,", "wait: 3s,");
    assert_eq!(once.text, expected);
    let twice = fixed(&once.text);
    assert_eq!((twice.text, twice.applied.len()), (expected, 0));
}

#[test]
fn a_change_that_does_harm_is_left_out() {
    // `bye` is near to the misspelt word, but to go there would make the loop that no caller causes.
    let text = "flow: a\nformat: 1\nsteps:\n  start: { say: \"Hello.\", then: starr }\n";
    let after = fixed(text).text;
    assert!(errors(&after) <= errors(text), "{after}");
}

/// A good flow with one slip in a line: the line gone, there twice, or with another sign.
fn slipped(text: &str, line: usize, (old, new): (&str, &str)) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    match (old, new) {
        ("", "") => drop(lines.remove(line)),
        ("", _) => lines.insert(line, lines[line].clone()),
        _ => lines[line] = lines[line].replacen(old, new, 1),
    }
    lines.join("\n") + "\n"
}

/// What a slip makes of a line: what stands there, and what is written for it.
const LINE_SLIPS: [(&str, &str); 8] = [
    ("", ""),
    ("", "twice"),
    (": ", " = "),
    (": ", "： "),
    (": ", " "),
    (":", ""),
    (" }", " ｝"),
    ("s ", " "),
];

/// Slips in every line of a flow: the changes that are offered remove the finding that offers them, and with it an error.
fn offered_changes_help(text: &str) {
    let catalog = support::project();
    let found = |text: &str| check("a.flow.yaml", text.as_bytes(), &catalog).diagnostics;
    let unread = |found: &[strowger_flow::Diagnostic]| {
        let mut found = found.iter();
        found.any(|found| found.rule.starts_with("yaml-syntax"))
    };
    for line in 0..text.lines().count() {
        for slip in LINE_SLIPS {
            let wrong = slipped(text, line, slip);
            let before = found(&wrong);
            for told in before.iter().filter(|told| told.level == Level::Error) {
                let Some(fix) = &told.fix else { continue };
                let mut mended = wrong.clone();
                mended.replace_range(fix.span.start..fix.span.end, &fix.replacement);
                if told.rule == "full-width" {
                    // Nothing is changed but the sign that slipped in.
                    let signs = |text: &str| text.matches(['：', '｝', '。', '，']).count();
                    assert_eq!(signs(&mended) + 1, signs(&wrong), "{mended}");
                }
                let after = found(&mended);
                let same = |left: &&strowger_flow::Diagnostic| {
                    left.rule == told.rule
                        && left.message == told.message
                        && left.primary.span == told.primary.span
                };
                let errors = |all: &[strowger_flow::Diagnostic]| {
                    all.iter()
                        .filter(|found| found.level == Level::Error)
                        .count()
                };
                assert!(
                    !after.iter().any(|left| same(&left))
                        && (errors(&after) < errors(&before) || unread(&before)),
                    "line {} {:?}: {} {} -> {:?}\n{:#?}\n{}",
                    line + 1,
                    slip,
                    told.rule,
                    told.message.english(),
                    fix.replacement,
                    after
                        .iter()
                        .map(strowger_flow::Diagnostic::render_concise)
                        .collect::<Vec<_>>(),
                    wrong.lines().nth(line).unwrap_or_default(),
                );
            }
        }
    }
}

#[test]
fn a_change_that_is_offered_removes_its_finding_in_a_usual_flow() {
    offered_changes_help(include_str!("flows/desk.flow.yaml"));
}

#[test]
fn a_change_that_is_offered_removes_its_finding_in_a_flow_of_two_languages() {
    offered_changes_help(include_str!("flows/main-menu.flow.yaml"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// Slips anywhere in a good flow: fixing never panics and never leaves more errors than there were, unless it
    /// made readable what was not.
    #[test]
    fn nothing_gets_worse(
        which in 0usize..3,
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0usize..SLIPS.len(), 0usize..3), 1..5),
    ) {
        let mut text: Vec<char> = support::GOOD[which].1.chars().collect();
        for (at, slip, cut) in edits {
            let at = at.index(text.len() + 1);
            let end = (at + cut).min(text.len());
            text.splice(at..end, SLIPS[slip].chars());
        }
        let text: String = text.into_iter().collect();
        let fixed = fixed(&text);
        prop_assert_eq!(fixed.applied.is_empty(), fixed.text == text);
        let unread = |text: &str| check("a", text.as_bytes(), &support::project()).signature.is_none();
        prop_assert!(errors(&fixed.text) <= errors(&text) || unread(&text));
    }
}

const SLIPS: [&str; 10] = ["x", "", "\t", "${", "}", " #5 ", "*: ", "3", "-", "e"];
