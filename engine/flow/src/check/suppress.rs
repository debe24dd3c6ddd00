//! `# strowger: allow(rule) reason`

use super::report::Report;
use super::rules::{RULES, rule_of, unused_suppression};
use super::suggest::nearest;
use crate::diagnostic::Level;
use crate::expr::Span;
use crate::yaml::{Comment, Content, Node};

/// Errors that may be allowed with a reason: proofs about the whole flow, without which a plan still
/// makes sense. Other errors leave nothing to run.
const ALLOWABLE_ERRORS: [&str; 2] = ["silent-loop", "no-way-out"];

/// Applies the suppressions of a file. One at the end of a line is about what begins on that line, one
/// on a line of its own about what begins on the next.
pub(super) fn apply(root: &Node, comments: &[Comment], report: &mut Report<'_>) {
    for comment in comments {
        let Some(words) = comment.text.trim().strip_prefix("strowger:") else {
            continue;
        };
        let parsed = words
            .trim()
            .strip_prefix("allow(")
            .and_then(|rest| rest.split_once(')'))
            .map(|(rules, reason)| (rules, reason.trim()));
        let Some((rules, reason)) = parsed else {
            unused_suppression::malformed(report, comment.span);
            continue;
        };
        let area = area_of(root, comment, report);
        for slug in rules.split(',').map(str::trim) {
            match rule_of(slug) {
                None => {
                    let meant = nearest(slug, RULES.iter().map(|rule| rule.slug));
                    unused_suppression::unknown(report, comment.span, slug, meant);
                }
                Some(_) if reason.is_empty() => {
                    unused_suppression::reasonless(report, comment.span, slug)
                }
                Some(rule) => {
                    let allowed = rule.level == Level::Warning || ALLOWABLE_ERRORS.contains(&slug);
                    let gone = report.remove(|found| {
                        let at = found.primary.span.start;
                        allowed && found.rule == slug && area.start <= at && at < area.end
                    });
                    if gone == 0 {
                        unused_suppression::nothing(report, comment.span, slug);
                    }
                }
            }
        }
    }
}

/// The line that a comment is about, and the whole of what begins there.
fn area_of(root: &Node, comment: &Comment, report: &Report<'_>) -> Span {
    let (own, _) = report.lines().position(comment.span.start);
    let line = if comment.trailing { own } else { own + 1 };
    let start = report.lines().start_of(line);
    let end = report.lines().start_of(line + 1);
    let begins = |span: Span| start <= span.start && span.start < end;
    let mut last = end;
    let mut open = vec![root];
    // Only what reaches the line is looked into: the rest of a large file costs nothing.
    while let Some(node) = open.pop() {
        match &node.content {
            Content::Map(map) => {
                let first = map.entries.partition_point(|e| e.span().end < start);
                let near = map.entries[first..].iter();
                for entry in near.take_while(|entry| entry.key_span.start < end) {
                    if begins(entry.key_span) {
                        last = last.max(entry.span().end);
                    }
                    open.push(&entry.value);
                }
            }
            Content::List(items) => {
                let first = items.partition_point(|item| item.span.end < start);
                let near = items[first..].iter();
                for item in near.take_while(|item| item.span.start < end) {
                    if begins(item.span) {
                        last = last.max(item.span.end);
                    }
                    open.push(item);
                }
            }
            Content::Scalar(_) => {}
        }
    }
    Span { start, end: last }
}
