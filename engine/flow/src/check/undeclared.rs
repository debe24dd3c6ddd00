//! Variables that a flow sets and nowhere declares: one finding each, where the name stands first, however many places read it.

use std::collections::BTreeMap;

use super::report::Report;
use super::rules::unknown_variable::{UNKNOWN_VARIABLE, undeclared};
use super::tested::Tested;
use crate::diagnostic::Diagnostic;
use crate::expr::Span;
use crate::lower::{Draft, is_variable};
use crate::plan::{Action, Template};

/// Tells of each such variable once. Names for which others were proposed are slips, and each place has its own change.
pub(super) fn settle(draft: &Draft<'_>, tested: &Tested<'_>, report: &mut Report<'_>) {
    let text = report.lines().source();
    let name_of = |found: &Diagnostic| {
        let at = found.primary.span;
        let unknown = found.rule == UNKNOWN_VARIABLE.slug;
        text.get(at.start..at.end)
            .filter(|name| unknown && is_variable(name))
    };
    let mut places: BTreeMap<&str, Option<Span>> = BTreeMap::new();
    for found in report.diagnostics() {
        let Some(name) = name_of(found) else { continue };
        let at = found.primary.span;
        let first = places.entry(name).or_insert(Some(at));
        *first = first
            .filter(|_| found.fix.is_none())
            .map(|first| if at.start < first.start { at } else { first });
    }
    if places.is_empty() {
        return;
    }
    let mut set: BTreeMap<&str, &Template> = BTreeMap::new();
    for node in &draft.nodes {
        if let Action::Set(values) = &node.action {
            for (name, value) in values {
                set.entry(name).or_insert(value);
            }
        }
    }
    let others: Vec<String> = draft.vars.keys().cloned().collect();
    for (name, first) in places {
        let (Some(first), Some(value)) = (first, set.get(name)) else {
            continue;
        };
        report.remove(|found| found.primary.span != first && name_of(found) == Some(name));
        tested.known(name, report);
        undeclared(report, first, name, value, &others);
    }
}
