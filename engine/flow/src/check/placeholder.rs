//! Place-holders that are left as a documentation or a template has them: `queue: <name>`. What is told of such a value in other words
//! follows from that.

use super::report::Report;
use super::rules::bad_ssml;
use super::rules::placeholder;
use crate::expr::Span;
use crate::yaml::{Content, Node, Style};

/// Longest place-holder, in bytes.
const MAX_BYTES: usize = 60;

/// Keys whose text is for people: there it may be what is meant.
const FOR_PEOPLE: [&str; 2] = ["title", "description"];

/// What callers of tests say and write, who may write anything.
const SAID: [&str; 2] = ["say", "send"];

/// Tells of them in place of what else is told where they stand.
pub(super) fn settle(root: &Node<'_>, report: &mut Report<'_>) {
    // Most files have none.
    let text = report.lines().source();
    if !text.contains('<') && !text.contains('\\') {
        return;
    }
    let mut left: Vec<(Span, String)> = Vec::new();
    gather(root, false, &mut left);
    for (at, written) in left {
        report.remove(|found| {
            let span = found.primary.span;
            at.start <= span.start && span.end <= at.end
        });
        placeholder::left(report, at, &written);
    }
}

/// `tests` is whether the node stands below `tests:`.
fn gather(node: &Node<'_>, tests: bool, left: &mut Vec<(Span, String)>) {
    match &node.content {
        Content::Scalar(scalar) => {
            if scalar.style != Style::Block && is_placeholder(&scalar.text) {
                left.push((node.span, scalar.text.to_string()));
            }
        }
        Content::List(items) => items.iter().for_each(|item| gather(item, tests, left)),
        Content::Map(map) => {
            for entry in &map.entries {
                let key = entry.key.as_ref();
                if FOR_PEOPLE.contains(&key) || (tests && SAID.contains(&key)) {
                    continue;
                }
                if is_placeholder(key) {
                    left.push((entry.key_span, key.to_owned()));
                }
                gather(&entry.value, tests || key == "tests", left);
            }
        }
    }
}

/// Whether a value is nothing but a few words in `<` and `>`, and no tag that prompts may have.
fn is_placeholder(text: &str) -> bool {
    let inner = text
        .strip_prefix('<')
        .and_then(|text| text.strip_suffix('>'));
    let word = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | '|');
    text.len() <= MAX_BYTES
        && inner.is_some_and(|inner| {
            inner.starts_with(char::is_alphabetic)
                && inner.chars().all(word)
                && !bad_ssml::TAGS.contains(&inner)
        })
}
