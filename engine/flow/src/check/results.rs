//! Results that are kept under a misspelt name: `into: order_n`, where everything reads `order_no`.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use super::report::Report;
use super::rules::{unknown_variable, unused};
use super::suggest::{nearest, slips};
use crate::expr::Span;
use crate::lower::{Draft, MAX_COMPARED, is_variable};

/// Reads of a name that nobody gives a value, from which on the name is believed and not its readers.
const MANY: usize = 2;

/// A result that nothing reads, under a name that is nearly that of a variable.
pub(super) struct Doubtful {
    at: Span,
    name: String,
    variable: String,
}

/// Gives a result the name that was meant, and tells of it, so that not every place that reads it is a finding. What may
/// be meant as it stands is left to [`settle`].
pub(super) fn respell(draft: &mut Draft<'_>, report: &mut Report<'_>) -> Vec<Doubtful> {
    guesses(draft);
    declarations(draft, report);
    let mut doubtful = Vec::new();
    let mut reads: HashMap<&str, usize> = HashMap::new();
    let prompts = draft.prompts.iter().flat_map(|prompt| &prompt.exprs);
    for expr in prompts.chain(draft.uses.iter().map(|used| &used.expr)) {
        for (name, _) in expr.roots() {
            *reads.entry(name).or_default() += 1;
        }
    }
    let given: HashSet<&str> = draft
        .bindings
        .iter()
        .map(|binding| binding.name.as_str())
        .collect();
    let unread: BTreeSet<&str> = given
        .iter()
        .copied()
        .filter(|name| !reads.contains_key(name) && !draft.vars.contains_key(*name))
        .collect();
    if unread.is_empty() {
        return doubtful;
    }
    // What is without a value: declared without one, or read again and again.
    let mut lacking: Vec<&str> = draft
        .vars
        .iter()
        .filter(|(name, var)| var.default.is_none() && !given.contains(name.as_str()))
        .map(|(name, _)| name.as_str())
        .collect();
    let uses = draft.uses.iter().map(|used| &used.binds);
    let binds = uses.chain(draft.prompt_uses.iter().map(|used| &used.binds));
    let bound: HashSet<&str> = binds
        .flat_map(|binds| binds.keys())
        .map(String::as_str)
        .collect();
    lacking.extend(reads.iter().filter_map(|(name, times)| {
        let known = given.contains(name)
            || draft.vars.contains_key(*name)
            || draft.inputs.contains_key(*name);
        let own = matches!(*name, "call" | "now" | "queue");
        (*times >= MANY && !known && !own && !bound.contains(name)).then_some(*name)
    }));
    lacking.sort_unstable();
    let names = lacking.len() + draft.vars.len();
    let mut renamed: BTreeMap<String, String> = BTreeMap::new();
    for (number, name) in unread.into_iter().enumerate() {
        if number * names > MAX_COMPARED {
            break;
        }
        let at = || {
            let mut bindings = draft.bindings.iter();
            bindings
                .find(|binding| binding.name == name)
                .map(|binding| binding.span)
        };
        if let Some(meant) = nearest(name, lacking.iter().copied()) {
            if let Some(at) = at() {
                unknown_variable::unread(report, at, name, meant);
            }
            renamed.insert(name.to_owned(), meant.to_owned());
        } else if let Some(meant) = draft.vars.keys().find(|var| slips(name, var) == Some(1))
            && let Some(at) = at()
        {
            doubtful.push(Doubtful {
                at,
                name: name.to_owned(),
                variable: meant.clone(),
            });
        }
    }
    for binding in &mut draft.bindings {
        if let Some(meant) = renamed.get(&binding.name) {
            binding.name.clone_from(meant);
        }
    }
    // A step's own prompts may name its result.
    let uses = draft.uses.iter_mut().map(|used| &mut used.binds);
    for binds in uses.chain(draft.prompt_uses.iter_mut().map(|used| &mut used.binds)) {
        for (name, meant) in &renamed {
            if let Some(ty) = binds.get(name).cloned() {
                Rc::make_mut(binds).insert(meant.clone(), ty);
            }
        }
    }
    doubtful
}

/// Tells of doubtful results: as of slips where the variable lacks the value, which is not told then.
pub(super) fn settle(doubtful: Vec<Doubtful>, report: &mut Report<'_>) {
    for one in doubtful {
        let text = report.lines().source();
        let lacks = report.remove(|found| {
            let span = found.primary.span;
            found.rule == "unassigned-variable"
                && text.get(span.start..span.end) == Some(&one.variable)
        });
        match lacks {
            0 => unused::result(report, one.at, &one.name, &one.variable),
            _ => unknown_variable::unread(report, one.at, &one.name, &one.variable),
        }
    }
}

/// Takes guesses back: where the name of a variable that is set, and not declared, is that of a result as well, and nothing
/// reads the declared one, it is the declaration that is misspelt.
fn guesses(draft: &mut Draft<'_>) {
    if draft.guessed.is_empty() {
        return;
    }
    let results: HashSet<String> = draft
        .bindings
        .iter()
        .map(|binding| binding.name.clone())
        .collect();
    let mut read: HashSet<String> = HashSet::new();
    let prompts = draft.prompts.iter().flat_map(|prompt| &prompt.exprs);
    for expr in prompts.chain(draft.uses.iter().map(|used| &used.expr)) {
        read.extend(expr.roots().into_iter().map(|(name, _)| name.to_owned()));
    }
    let wrong: BTreeMap<String, String> = std::mem::take(&mut draft.guessed)
        .into_iter()
        .filter(|(name, meant)| {
            (results.contains(name) || read.contains(name)) && !read.contains(meant)
        })
        .map(|(name, meant)| (meant, name))
        .collect();
    for binding in &mut draft.bindings {
        if let Some(name) = wrong.get(&binding.name) {
            binding.name.clone_from(name);
        }
    }
    for (meant, name) in wrong {
        if let Some(declared) = draft.vars.remove(&meant) {
            draft.vars.insert(name, declared);
        }
    }
}

/// Gives a declared variable that nothing knows the name that everything knows and nothing declares. Told where that is used
/// as a declared one, else where it is declared.
fn declarations(draft: &mut Draft<'_>, report: &mut Report<'_>) {
    let mut known: BTreeSet<&str> = draft
        .bindings
        .iter()
        .map(|binding| binding.name.as_str())
        .collect();
    let prompts = draft.prompts.iter().flat_map(|prompt| &prompt.exprs);
    for expr in prompts.chain(draft.uses.iter().map(|used| &used.expr)) {
        known.extend(expr.roots().iter().map(|(name, _)| *name));
    }
    let is_new =
        |name: &&&str| !draft.vars.contains_key(**name) && !draft.inputs.contains_key(**name);
    let strangers: Vec<&str> = known.iter().filter(is_new).copied().collect();
    let unknown: Vec<&str> = draft
        .vars
        .keys()
        .map(String::as_str)
        .filter(|name| !known.contains(name))
        .collect();
    if strangers.is_empty() || unknown.len() * strangers.len() > MAX_COMPARED {
        return;
    }
    let mut renamed: BTreeMap<String, String> = BTreeMap::new();
    for name in unknown {
        let near = strangers
            .iter()
            .find(|stranger| slips(name, stranger) == Some(1));
        if let Some(meant) = near.filter(|_| is_variable(name)) {
            renamed.insert(name.to_owned(), (*meant).to_owned());
        }
    }
    let text = report.lines().source();
    for (name, meant) in renamed {
        let told = report.diagnostics().iter().any(|found| {
            let span = found.primary.span;
            found.rule.starts_with("unknown-") && text.get(span.start..span.end) == Some(&meant)
        });
        let Some(declared) = draft.vars.remove(&name) else {
            continue;
        };
        if !told {
            unknown_variable::declared(report, declared.span, &name, &meant);
        }
        draft.vars.entry(meant).or_insert(declared);
    }
}
