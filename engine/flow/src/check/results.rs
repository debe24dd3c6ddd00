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

/// A name that nothing reads, and nearly that of a variable which may lack the value.
pub(super) struct Doubtful {
    at: Span,
    name: String,
    variable: String,
    /// Whether it is declared, and not a result.
    declared: bool,
}

/// Gives a result the name that was meant, and tells of it, so that not every place that reads it is a finding. What may
/// be meant as it stands is left to [`settle`].
pub(super) fn respell(draft: &mut Draft<'_>, report: &mut Report<'_>) -> Vec<Doubtful> {
    guesses(draft);
    let mut doubtful = declarations(draft, report);
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
                declared: false,
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
        match (lacks, one.declared) {
            // That nothing uses it is told as of any other.
            (0, true) => {}
            (0, false) => unused::result(report, one.at, &one.name, &one.variable),
            (_, false) => unknown_variable::unread(report, one.at, &one.name, &one.variable),
            (_, true) => {
                report.remove(|found| found.rule == "unused" && found.primary.span == one.at);
                unknown_variable::declared(report, one.at, &one.name, &one.variable);
            }
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
/// as a declared one, else where it is declared. A result needs no declaration: there it is a slip if the result lacks the
/// value that is declared.
fn declarations(draft: &mut Draft<'_>, report: &mut Report<'_>) -> Vec<Doubtful> {
    let mut reads: BTreeMap<&str, usize> = BTreeMap::new();
    let prompts = draft.prompts.iter().flat_map(|prompt| &prompt.exprs);
    for expr in prompts.chain(draft.uses.iter().map(|used| &used.expr)) {
        for (name, _) in expr.roots() {
            *reads.entry(name).or_default() += 1;
        }
    }
    let bindings = draft.bindings.iter();
    let results: BTreeSet<&str> = bindings.map(|binding| binding.name.as_str()).collect();
    let is_new = |name: &&str| {
        let often = reads.get(name).is_some_and(|times| *times >= MANY);
        let declared = draft.vars.contains_key(*name) || draft.inputs.contains_key(*name);
        !declared && (often || results.contains(name))
    };
    let known: BTreeSet<&str> = reads
        .keys()
        .copied()
        .chain(results.iter().copied())
        .collect();
    let strangers: Vec<&str> = known.iter().copied().filter(is_new).collect();
    let unknown = draft.vars.keys().map(String::as_str);
    let unknown: Vec<&str> = unknown.filter(|name| !known.contains(name)).collect();
    if strangers.is_empty() || unknown.len() * strangers.len() > MAX_COMPARED {
        return Vec::new();
    }
    let mut renamed: Vec<(String, String, bool)> = Vec::new();
    for name in unknown.into_iter().filter(|name| is_variable(name)) {
        let mut near = strangers
            .iter()
            .filter(|stranger| slips(name, stranger) == Some(1));
        if let Some(meant) = near.next() {
            renamed.push((
                name.to_owned(),
                (*meant).to_owned(),
                results.contains(meant),
            ));
        }
    }
    let text = report.lines().source();
    let mut doubtful = Vec::new();
    for (name, meant, result) in renamed {
        let told = report.diagnostics().iter().any(|found| {
            let span = found.primary.span;
            found.rule.starts_with("unknown-") && text.get(span.start..span.end) == Some(&meant)
        });
        let Some(at) = draft.vars.get(&name).map(|declared| declared.span) else {
            continue;
        };
        if result && !told {
            doubtful.push(Doubtful {
                at,
                name,
                variable: meant,
                declared: true,
            });
            continue;
        }
        if !told {
            unknown_variable::declared(report, at, &name, &meant);
        }
        if let Some(declared) = draft.vars.remove(&name) {
            draft.vars.entry(meant).or_insert(declared);
        }
    }
    doubtful
}
