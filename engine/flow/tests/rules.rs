//! The rules' examples: each fails in a flow of its own, whose findings are seen as the designer sees them, and its page shows
//! what is wrong and what to write instead.

#[path = "support/pages.rs"]
mod pages;
mod support;

use std::collections::BTreeSet;

use pages::{examples, whole};
use strowger_flow::{Level, RULES, check};

/// The rule on whose page bytes are written as `\xHH`: a page is UTF-8, and so is no example of what is not.
const OF_BYTES: &str = "yaml-encoding";

/// An example of [`OF_BYTES`] as a file has it.
fn bytes(example: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = example;
    while let Some((before, behind)) = rest.split_once("\\x") {
        bytes.extend(before.bytes());
        bytes.extend(u8::from_str_radix(&behind[..2], 16));
        rest = &behind[2..];
    }
    bytes.extend(rest.bytes());
    bytes
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test may read its own examples"
)]
fn every_rule_has_an_example_that_shows_it() {
    let catalog = support::project();
    let mut shown: BTreeSet<String> = BTreeSet::new();
    insta::glob!("rules/*.flow.yaml", |path| {
        let text = std::fs::read(path).expect("an example can be read");
        let slug = path
            .file_name()
            .and_then(|name| name.to_str())
            .expect("a name")
            .trim_end_matches(".flow.yaml");
        let file = format!("{slug}.flow.yaml");
        let checked = check(&file, &text, &catalog);
        assert!(
            checked.diagnostics.iter().any(|found| found.rule == slug),
            "{file} does not show its rule: {:?}",
            checked
                .diagnostics
                .iter()
                .map(|found| found.rule)
                .collect::<Vec<_>>()
        );
        let errors = checked
            .diagnostics
            .iter()
            .any(|found| found.level == Level::Error);
        assert_eq!(
            checked.plan.is_none(),
            errors,
            "{file}: a plan exactly when there is no error"
        );
        let frames: Vec<String> = checked
            .diagnostics
            .iter()
            .map(|found| found.render(&String::from_utf8_lossy(&text), false))
            .collect();
        insta::assert_snapshot!(frames.join("\n"));
        shown.insert(slug.to_owned());
    });
    for rule in RULES {
        assert!(shown.contains(rule.slug), "{} has no example", rule.slug);
    }
}

#[test]
fn bytes_that_are_not_utf8_are_told_with_their_place() {
    let checked = check(
        "gbk.flow.yaml",
        b"flow: case\ntitle: \xc4\xe3\n",
        &support::steps(),
    );
    let found = &checked.diagnostics[0];
    assert_eq!(
        (
            found.rule,
            found.primary.place.line,
            found.primary.place.column
        ),
        ("yaml-encoding", 2, 8)
    );
}

#[test]
fn slugs_are_unique_and_named_in_two_languages() {
    let slugs: BTreeSet<&str> = RULES.iter().map(|rule| rule.slug).collect();
    assert_eq!(slugs.len(), RULES.len());
    for rule in RULES {
        assert!(!rule.english.is_empty() && !rule.chinese.is_empty());
    }
}

#[test]
fn every_page_shows_what_is_wrong_and_what_to_write_instead() {
    let catalog = support::project();
    let found = |slug: &str, example: &str| -> BTreeSet<&'static str> {
        let flow = whole(example);
        let flow = match slug {
            OF_BYTES => bytes(&flow),
            _ => flow.into_bytes(),
        };
        let checked = check("page.flow.yaml", &flow, &catalog);
        checked.diagnostics.iter().map(|found| found.rule).collect()
    };
    let mut faults = Vec::new();
    for rule in RULES {
        let slug = rule.slug;
        assert!(rule.page.starts_with(" What it finds: "), "{slug}");
        let examples = examples(rule.page);
        let [wrong, right] = &examples[..] else {
            panic!(
                "the page of {slug} has {} examples: one that is wrong and one that is right are needed",
                examples.len()
            );
        };
        for (example, expected) in [(wrong, BTreeSet::from([slug])), (right, BTreeSet::new())] {
            let found = found(slug, example);
            if found != expected {
                faults.push(format!("{slug}: {found:?} in\n{}", whole(example)));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
