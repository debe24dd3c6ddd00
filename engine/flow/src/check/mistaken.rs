//! Loops that may well be counted: a mistake in what counts them, or in what holds them, keeps the proof from being found. That mistake is
//! told; of the loop it is told once it is mended.

use std::collections::BTreeSet;

use super::loops::Loop;
use super::report::Report;
use super::rules::{no_way_out, silent_loop};
use super::strange::Strange;
use crate::diagnostic::{Diagnostic, Level};
use crate::expr::Span;
use crate::lower::Draft;
use crate::plan::Action;
use crate::yaml::Node;

/// Tells of loops, but for those of which nobody knows whether they count.
pub(super) fn settle(
    loops: Vec<Loop>,
    draft: &Draft<'_>,
    root: &Node<'_>,
    strange: &Strange<'_>,
    report: &mut Report<'_>,
) {
    if loops.is_empty() {
        return;
    }
    let mistakes = Mistakes {
        draft,
        root,
        strange,
        places: places(report.diagnostics()),
    };
    let sets = (0..draft.nodes.len()).filter(|index| draft.nodes[*index].verb == "set");
    let set_wrong = sets.clone().any(|index| mistakes.inside(index));
    for found in loops {
        let counts =
            |index: &usize| matches!(draft.nodes[*index].verb.as_str(), "set" | "if" | "choose");
        let counting: Vec<usize> = found.nodes.iter().copied().filter(counts).collect();
        // What has no verb that we know may end the call, or lead to a person.
        let strange = |index: &usize| draft.nodes[*index].verb.is_empty();
        let doubtful = found.nodes.iter().any(strange)
            || found.nodes.iter().any(|index| mistakes.in_when(*index))
            || !counting.is_empty()
                && (set_wrong
                    || counting.iter().any(|index| mistakes.inside(*index))
                    || mistakes.in_variables(&counting));
        if !doubtful {
            silent_loop::looped(report, found.at, &found.named, found.within);
        }
    }
}

/// Where errors begin, in order. Those that a flow may run with for a reason are none here: with nothing else told, the loop has to be.
fn places(found: &[Diagnostic]) -> Vec<usize> {
    let allowable = [silent_loop::SILENT_LOOP.slug, no_way_out::NO_WAY_OUT.slug];
    let wrong =
        |found: &&Diagnostic| found.level == Level::Error && !allowable.contains(&found.rule);
    let mut places: Vec<usize> = found
        .iter()
        .filter(wrong)
        .map(|found| found.primary.span.start)
        .collect();
    places.sort_unstable();
    places
}

struct Mistakes<'m> {
    draft: &'m Draft<'m>,
    root: &'m Node<'m>,
    strange: &'m Strange<'m>,
    places: Vec<usize>,
}

impl Mistakes<'_> {
    fn within(&self, span: Span) -> bool {
        let first = self.places.partition_point(|place| *place < span.start);
        self.places
            .get(first)
            .is_some_and(|place| *place < span.end)
    }

    /// Whether something is wrong in an action.
    fn inside(&self, index: usize) -> bool {
        self.within(self.draft.facts[index].span)
    }

    /// Whether something is wrong in the condition on which an action is run at all.
    fn in_when(&self, index: usize) -> bool {
        let when = self.draft.facts[index].options.get("when");
        when.is_some_and(|when| self.within(*when))
    }

    /// Whether something is wrong where a variable is declared that some actions set or compare, or it may be declared where nobody can
    /// read it.
    fn in_variables(&self, actions: &[usize]) -> bool {
        let mut names: BTreeSet<&str> = BTreeSet::new();
        for index in actions {
            match &self.draft.nodes[*index].action {
                Action::Set(values) => names.extend(values.keys().map(String::as_str)),
                Action::Choose { arms, .. } => {
                    let roots = arms.iter().flat_map(|(condition, _)| condition.roots());
                    names.extend(roots.map(|(name, _)| name));
                }
                _ => {}
            }
        }
        if names.iter().any(|name| self.strange.mentions(name)) {
            return true;
        }
        let vars = self.root.map().and_then(|map| map.value("vars"));
        let entries = vars
            .and_then(Node::map)
            .into_iter()
            .flat_map(|vars| &vars.entries);
        entries
            .filter(|entry| names.contains(entry.key.as_ref()))
            .any(|entry| self.within(entry.span()) || self.within(entry.value.span))
    }
}
