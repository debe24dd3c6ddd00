//! Names that are missing at several places: one finding each, where the name stands first, and the other places stand with it.

use std::collections::BTreeMap;

use super::report::Report;
use super::rules::{
    unassigned_variable, unknown_destination, unknown_flow, unknown_hours, unknown_plugin,
    unknown_prompt, unknown_queue, unknown_step, unknown_variable,
};
use crate::diagnostic::text;
use crate::expr::Span;

/// Rules of names that stand for something that is said once, elsewhere.
const RULES: [&str; 9] = [
    unassigned_variable::UNASSIGNED_VARIABLE.slug,
    unknown_destination::UNKNOWN_DESTINATION.slug,
    unknown_flow::UNKNOWN_FLOW.slug,
    unknown_hours::UNKNOWN_HOURS.slug,
    unknown_plugin::UNKNOWN_PLUGIN.slug,
    unknown_prompt::UNKNOWN_PROMPT.slug,
    unknown_queue::UNKNOWN_QUEUE.slug,
    unknown_step::UNKNOWN_STEP.slug,
    unknown_variable::UNKNOWN_VARIABLE.slug,
];

/// Most other places that are shown with a finding.
const SHOWN: usize = 4;

/// Tells of each such name once. One that has a change of its own is a slip of its own.
pub(super) fn settle(report: &mut Report<'_>) {
    let text = report.lines().source();
    let mut places: BTreeMap<(&str, &str), Vec<Span>> = BTreeMap::new();
    for found in report.diagnostics() {
        let at = found.primary.span;
        let repeats = RULES.contains(&found.rule) && !report.has_change(found);
        if let (true, Some(name)) = (repeats, text.get(at.start..at.end)) {
            places.entry((found.rule, name)).or_default().push(at);
        }
    }
    for ((rule, _), mut places) in places {
        places.sort_unstable_by_key(|at| at.start);
        let (first, others) = (places[0], &places[1..]);
        if others.is_empty() {
            continue;
        }
        report.remove(|found| found.rule == rule && others.contains(&found.primary.span));
        let left = others.len().saturating_sub(SHOWN);
        for (number, at) in others.iter().take(SHOWN).enumerate() {
            let words = match left {
                more if more > 0 && number + 1 == SHOWN => text!(
                    "and here, and at {more} more places",
                    "这里也是，另有 {more} 处"
                ),
                _ => text!("and here", "这里也是"),
            };
            report.add_label(rule, first, *at, words);
        }
    }
}
