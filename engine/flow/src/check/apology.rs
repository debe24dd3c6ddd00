//! The prompt `apology`, which no step says: it is said wherever something fails, whatever has happened before.

use std::collections::BTreeSet;

use super::APOLOGY_MS;
use super::assign::Assignments;
use super::report::Report;
use super::rules::{long_prompt, unassigned_variable};
use super::said::Said;
use crate::catalog::Catalog;
use crate::lower::Draft;

/// Name of the prompt that is said in place of the standing sentence.
pub const APOLOGY: &str = "apology";

/// Where it stands among the prompts.
pub(super) fn place(draft: &Draft<'_>) -> Option<usize> {
    let mut prompts = draft.prompts.iter();
    prompts.position(|prompt| prompt.prompt.name.as_deref() == Some(APOLOGY))
}

/// Whether a variable has a value from the beginning of the flow to its end.
pub(super) fn is_certain(name: &str, draft: &Draft<'_>) -> bool {
    let var = draft.vars.get(name);
    matches!(name, "call" | "now")
        || draft.inputs.contains_key(name)
        || var.is_some_and(|var| !var.required)
}

pub(super) fn check(
    draft: &Draft<'_>,
    catalog: &Catalog,
    assigned: &Assignments<'_>,
    report: &mut Report<'_>,
) {
    let (Some(index), Some(start)) = (place(draft), draft.start) else {
        return;
    };
    let prompt = &draft.prompts[index];
    let mut told = BTreeSet::new();
    for (name, at) in prompt.exprs.iter().flat_map(|expr| expr.roots()) {
        let known = draft.vars.contains_key(name) || assigned.is_set(name);
        if known && !is_certain(name, draft) && told.insert(name) {
            unassigned_variable::in_apology(report, at, name);
        }
    }
    let said = Said::new(draft, catalog, assigned);
    let ms = said.prompt(start.0 as usize, index, 0).usual;
    if ms > APOLOGY_MS {
        let (most, seconds) = (APOLOGY_MS / 1_000, ms.div_ceil(1_000));
        long_prompt::apology(report, prompt.span, seconds, most);
    }
}
