//! Variables with a hyphen in place of `_`: `${order-no}` takes `no` from `order`. Where neither is there, and `order_no` is, that is one slip.

use std::collections::BTreeSet;

use super::report::Report;
use super::rules::unknown_variable::{self, UNKNOWN_VARIABLE};
use crate::expr::Span;

/// Tells of such names in place of what is told of their parts.
pub(super) fn settle(known: impl Fn(&str) -> bool, report: &mut Report<'_>) {
    let text = report.lines().source();
    let unknown = report.diagnostics().iter();
    let unknown = unknown.filter(|found| found.rule == UNKNOWN_VARIABLE.slug);
    let whole: BTreeSet<(usize, usize)> = unknown
        .filter_map(|found| word_around(text, found.primary.span))
        .filter(|at| known(&text[at.start..at.end].replace('-', "_")))
        .map(|at| (at.start, at.end))
        .collect();
    for (start, end) in whole {
        report.remove(|found| {
            let at = found.primary.span;
            found.rule == UNKNOWN_VARIABLE.slug && start <= at.start && at.end <= end
        });
        let name = &text[start..end];
        let meant = name.replace('-', "_");
        unknown_variable::unknown(report, Span { start, end }, name, Some(&meant), &[]);
    }
}

/// The word with hyphens that a place is a part of.
fn word_around(text: &str, at: Span) -> Option<Span> {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let before = text.get(..at.start)?.trim_end_matches(part).len();
    let rest = text.get(at.end..)?;
    let end = text.len() - rest.trim_start_matches(part).len();
    text[before..end]
        .contains('-')
        .then_some(Span { start: before, end })
}
