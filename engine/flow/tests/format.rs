//! The layout: comments and meaning stay, and laying out twice is laying out once.

mod support;

use proptest::prelude::*;
use strowger_flow::fmt::{Refused, format};
use strowger_flow::{Checked, check};

/// A plan without the places in the text, which a layout may change.
fn meaning(checked: &Checked) -> String {
    let plan = format!("{:?}", checked.plan);
    let mut without = String::with_capacity(plan.len());
    let mut rest = plan.as_str();
    // Those of what works everywhere stand in a map: `lines: {"error": 8}`.
    while let Some(at) = ["line: ", "column: ", "start: ", "end: ", "\": "]
        .iter()
        .filter_map(|name| rest.find(name).map(|at| at + name.len()))
        .min()
    {
        without.push_str(&rest[..at]);
        rest = rest[at..].trim_start_matches(|c: char| c.is_ascii_digit());
    }
    without.push_str(rest);
    without
}

fn rules(checked: &Checked) -> Vec<&'static str> {
    let mut rules: Vec<_> = checked.diagnostics.iter().map(|found| found.rule).collect();
    rules.sort_unstable();
    rules
}

/// Lays a text out, and holds the result against it.
fn sound(text: &str) -> Option<String> {
    let once = match format("any.flow.yaml", text.as_bytes()) {
        Ok(once) => once,
        Err(Refused::Unreadable(findings)) => {
            assert!(!findings.is_empty());
            return None;
        }
        Err(Refused::Unlike) => return None,
    };
    let twice = format("any.flow.yaml", once.as_bytes()).expect("what was laid out can be");
    assert_eq!(twice, once, "laid out twice, from:\n{text}");
    let catalog = support::project();
    let before = check("any.flow.yaml", text.as_bytes(), &catalog);
    let after = check("any.flow.yaml", once.as_bytes(), &catalog);
    assert_eq!(meaning(&before), meaning(&after), "{text}\n->\n{once}");
    assert!(once.lines().all(|line| !line.contains('\r')));
    Some(once)
}

fn examples() -> Vec<String> {
    let mut all: Vec<String> = support::GOOD
        .iter()
        .map(|(_, text)| (*text).to_owned())
        .collect();
    all.push(include_str!("flows/broken.flow.yaml").to_owned());
    all
}

#[test]
fn the_examples_keep_their_comments_and_findings() {
    for text in examples() {
        let Some(once) = sound(&text) else {
            assert!(text.contains("broken"), "a good flow can be laid out");
            continue;
        };
        let comments = |text: &str| text.matches("# ").count();
        assert_eq!(comments(&once), comments(&text));
        let catalog = support::project();
        assert_eq!(
            rules(&check("a", text.as_bytes(), &catalog)),
            rules(&check("a", once.as_bytes(), &catalog))
        );
    }
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test may read its own examples"
)]
fn whatever_is_laid_out_shows_the_same_rules() {
    insta::glob!("rules/*.flow.yaml", |path| {
        let bytes = std::fs::read(path).expect("an example can be read");
        // What is not UTF-8 is not laid out.
        if let Ok(text) = String::from_utf8(bytes) {
            sound(&text);
        }
    });
}

#[test]
fn every_element_of_the_grammar_can_be_laid_out() {
    let text = include_str!("flows/everything.flow.yaml");
    let once = sound(text).expect("it is YAML");
    let found = check("any.flow.yaml", once.as_bytes(), &support::steps());
    assert!(found.plan.is_some());
}

#[test]
fn comments_of_a_map_that_is_unfolded_stand_below_each_other() {
    let text = "flow: a
format: 1
steps:
  start:
    menu: Hello there.
    press: { 1: bye, # one
      2: { to: bye, label: check an order },      # two
           star: { to: bye,     # three
             label: repeat },
        4: bye, # four

      5: [{ say: Sorry. }, { goto: bye }] } # five
    then: { no_input: bye, no_match: bye } # apart
  bye: { hangup: completed }
";
    let laid_out = sound(text).expect("it is YAML");
    insta::assert_snapshot!(laid_out);
    // What is written below each other by hand stays as it is.
    let by_hand = laid_out.replace("  # four", "           # four");
    assert_eq!(sound(&by_hand).expect("it is YAML"), by_hand);
}

#[test]
fn a_comment_behind_the_bracket_of_an_item_stands_above_it() {
    let item = |item: &str| {
        format!(
            "flow: a\nformat: 1\nsteps:\n  start:\n    - wait: 1s\n{item}    - hangup: completed\n"
        )
    };
    for (written, laid_out) in [
        (
            "    - { # one\n        say: Hello there. # two\n      }\n",
            "    # one\n    - say: Hello there.  # two\n",
        ),
        (
            "    - { # one\n        say: Hello there. }\n",
            "    # one\n    - { say: Hello there. }\n",
        ),
        (
            "    - { # one\n        # two\n        say: Hello there. }\n",
            "    # one\n    # two\n    - { say: Hello there. }\n",
        ),
        (
            "\n    - { # one\n\n        say: Hello there. } # two\n",
            "\n    # one\n    - { say: Hello there. }  # two\n",
        ),
        (
            "    - set: { a: [ # one\n          [ # two\n            1, 2 ], # three\n          [ 3 ] ] }\n",
            "    - set:\n        a:\n          # one\n          # two\n          - [1, 2]  # three\n          - [3]\n",
        ),
    ] {
        let once = sound(&item(written)).expect("it is YAML");
        assert_eq!(once, item(laid_out), "{written}");
    }
}

#[test]
fn a_careless_file_is_laid_out() {
    let careless = include_str!("format/careless.yaml");
    insta::assert_snapshot!(sound(careless).expect("it is YAML"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Comments at the ends of lines, on lines of their own, at any depth; empty lines; blanks.
    #[test]
    fn comments_stay_and_layout_settles(
        which in 0usize..3,
        notes in prop::collection::vec((any::<prop::sample::Index>(), 0usize..12, 0u8..4), 0..12),
    ) {
        let mut lines: Vec<String> = examples()[which].lines().map(str::to_owned).collect();
        let mut count = 0;
        for (at, depth, kind) in notes {
            let at = at.index(lines.len());
            let note = format!("# note{count}.");
            match kind {
                0 => lines.insert(at, String::new()),
                1 => lines[at].push_str("   "),
                2 => { lines.insert(at, format!("{}{note}", " ".repeat(depth))); count += 1; }
                _ => { if !lines[at].is_empty() { lines[at].push_str(&format!("  {note}")); count += 1; } }
            }
        }
        let text = lines.join("\n");
        let once = sound(&text);
        let once = once.expect("an example with comments can be laid out");
        for note in 0..count {
            let note = format!("note{note}.");
            prop_assert_eq!(once.matches(&note).count(), text.matches(&note).count(), "{}", once);
        }
    }

    /// Whole files moved to another indentation, and pieces that YAML reads in its own way.
    #[test]
    fn mutated_examples(
        which in 0usize..4,
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0usize..SHARDS.len(), 0usize..6), 0..5),
    ) {
        let mut text: Vec<char> = examples()[which].chars().collect();
        for (at, shard, cut) in edits {
            let at = at.index(text.len() + 1);
            let end = (at + cut).min(text.len());
            text.splice(at..end, SHARDS[shard].chars());
        }
        let text: String = text.into_iter().collect();
        sound(&text);
    }
}

/// What may stand between or within values.
const SHARDS: [&str; 16] = [
    "\n",
    "  ",
    " # c",
    "\n\n\n",
    "\"",
    "- ",
    "{ ",
    " }",
    "[",
    "]",
    ",",
    ": ",
    "|\n      x\n",
    ">+\n    y\n\n",
    "您",
    "\r\n",
];

#[test]
fn comments_that_stand_below_each_other_stay_so_when_one_of_them_gives_way() {
    let written = "flow: a   # one\nformat: 1 # two\nlanguages: [en]      # three\nsteps:\n  start:\n    - say: Hello. # words\n    - goto: bye   # next\n  bye: { hangup: completed }\n";
    let laid_out = "flow: a    # one\nformat: 1  # two\nlanguages: [en]      # three\nsteps:\n  start:\n    - say: Hello.  # words\n    - goto: bye    # next\n  bye: { hangup: completed }\n";
    assert_eq!(sound(written).as_deref(), Some(laid_out));
}

#[test]
fn a_word_that_lacks_its_colon_gets_none() {
    let text = "flow: any\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    menu: Press one.\n    press: { 1: bye }\n    then: {no_input bye, no_match: bye}\n  bye: { hangup: completed }\n";
    let once = format("any.flow.yaml", text.as_bytes()).expect("it can be laid out");
    assert!(
        once.contains("    then: { no_input bye, no_match: bye }\n"),
        "{once}"
    );
    // What may be lacking is still told, and can be mended.
    for text in [text, &once] {
        let checked = check("any.flow.yaml", text.as_bytes(), &support::project());
        assert_eq!(rules(&checked), ["yaml-colon"], "{text}");
    }
}
