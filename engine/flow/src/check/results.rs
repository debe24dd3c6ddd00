//! Results that are kept under a misspelt name: `into: order_n`, where everything reads `order_no`.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::defined::{MANY, mentions};
use super::report::Report;
use super::rules::unknown_variable::{self, UNKNOWN_VARIABLE};
use super::rules::unused;
use super::suggest::{akin, misspelt, nearest};
use super::tested::Tested;
use crate::expr::Span;
use crate::hashed::{HashMap, HashSet};
use crate::lower::{Assigned, Binding, Draft, MAX_COMPARED, is_variable};
use crate::plan::Action;
use crate::value::Type;

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
pub(super) fn respell(
    draft: &mut Draft<'_>,
    tested: &Tested<'_>,
    report: &mut Report<'_>,
) -> Vec<Doubtful> {
    guesses(draft, tested, report);
    let mut doubtful = declarations(draft, tested, report);
    let reads = reads(draft);
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
    let bound = bound(draft);
    lacking.extend(reads.iter().filter_map(|(name, times)| {
        let known = given.contains(name)
            || draft.vars.contains_key(*name)
            || draft.inputs.contains_key(*name);
        let often = *times + tested.times(name) >= MANY;
        (often && !known && !is_own(name) && !bound.contains(*name)).then_some(*name)
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
                tested.known(meant, report);
            }
            renamed.insert(name.to_owned(), meant.to_owned());
        } else if let Some(meant) = draft.vars.keys().find(|var| misspelt(name, var) == Some(1))
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

/// Takes guesses back: where the name of a variable that is set, and not declared, is that of a result as well, or stands at several
/// places, and nothing reads the declared one, it is the declaration that is misspelt.
fn guesses(draft: &mut Draft<'_>, tested: &Tested<'_>, report: &mut Report<'_>) {
    let guessed = std::mem::take(&mut draft.guessed);
    if guessed.is_empty() {
        return;
    }
    let text = report.lines().source();
    let results: HashSet<String> = draft
        .bindings
        .iter()
        .map(|binding| binding.name.clone())
        .collect();
    let reads = reads(draft);
    let read = |name: &String| reads.contains_key(name.as_str());
    let used = used(&reads, tested, report);
    let often = |name: &String| used.get(name.as_str()).is_some_and(|times| *times >= MANY);
    // It stands where it is declared, and nowhere else.
    let alone = |name: &String| mentions(text, name) == 1;
    let wrong: BTreeMap<String, (String, bool)> = guessed
        .into_iter()
        .filter(|(_, meant)| !read(meant))
        .filter_map(|(name, meant)| {
            let certain = often(&name) && alone(&meant);
            let wrong = certain || results.contains(&name) || read(&name);
            wrong.then_some((meant, (name, certain)))
        })
        .collect();
    for binding in &mut draft.bindings {
        if let Some((name, _)) = wrong.get(&binding.name) {
            binding.name.clone_from(name);
        }
    }
    for (meant, (name, certain)) in wrong {
        if let Some(declared) = draft.vars.remove(&meant) {
            if certain {
                misdeclared(report, tested, declared.span, &meant, &name);
            }
            draft.vars.insert(name, declared);
        }
    }
}

/// How often expressions read each name.
fn reads<'d>(draft: &'d Draft<'_>) -> HashMap<&'d str, usize> {
    let mut reads: HashMap<&str, usize> = HashMap::default();
    let prompts = draft.prompts.iter().flat_map(|prompt| &prompt.exprs);
    for expr in prompts.chain(draft.uses.iter().map(|used| &used.expr)) {
        expr.each_root(&mut |name| *reads.entry(name).or_default() += 1);
    }
    reads
}

/// How often each name is used: read, set though it is unknown, or named by a test.
fn used<'n>(
    reads: &HashMap<&'n str, usize>,
    tested: &Tested<'n>,
    report: &Report<'n>,
) -> HashMap<&'n str, usize> {
    let mut used = reads.clone();
    for name in set_unknown(report) {
        *used.entry(name).or_default() += 1;
    }
    for (name, times) in tested.names() {
        *used.entry(name).or_default() += times;
    }
    used
}

/// The names of variables that are set and unknown.
fn set_unknown<'a>(report: &Report<'a>) -> Vec<&'a str> {
    let text = report.lines().source();
    let found = report.diagnostics().iter();
    found
        .filter(|found| found.rule == UNKNOWN_VARIABLE.slug)
        .filter_map(|found| text.get(found.primary.span.start..found.primary.span.end))
        .collect()
}

/// What steps call their answers in their own prompts.
fn bound<'d>(draft: &'d Draft<'_>) -> HashSet<&'d str> {
    let uses = draft.uses.iter().map(|used| &used.binds);
    let binds = uses.chain(draft.prompt_uses.iter().map(|used| &used.binds));
    binds
        .flat_map(|binds| binds.keys())
        .map(String::as_str)
        .collect()
}

/// Whether a name is one of the language's own.
fn is_own(name: &str) -> bool {
    matches!(name, "call" | "now" | "queue")
}

/// Tells of a declaration that is misspelt, in place of what was told of the places that use the name as it was meant.
fn misdeclared(report: &mut Report<'_>, tested: &Tested<'_>, at: Span, name: &str, meant: &str) {
    let text = report.lines().source();
    report.remove(|found| {
        let span = found.primary.span;
        found.rule == UNKNOWN_VARIABLE.slug && text.get(span.start..span.end) == Some(meant)
    });
    tested.known(meant, report);
    unknown_variable::declared(report, at, name, meant);
}

/// Gives a declared variable that nothing knows the name that everything knows and nothing declares. Told where it is declared, unless
/// the name as it was meant is told elsewhere and may be the slip. A result needs no declaration: there it is a slip if the result
/// lacks the value that is declared.
fn declarations(
    draft: &mut Draft<'_>,
    tested: &Tested<'_>,
    report: &mut Report<'_>,
) -> Vec<Doubtful> {
    let text = report.lines().source();
    let reads = reads(draft);
    let used = used(&reads, tested, report);
    let often = |name: &str| used.get(name).is_some_and(|times| *times >= MANY);
    let bindings = draft.bindings.iter();
    let results: BTreeSet<&str> = bindings.map(|binding| binding.name.as_str()).collect();
    let declared = |name: &str| draft.vars.contains_key(name) || draft.inputs.contains_key(name);
    let known: BTreeSet<&str> = used.keys().chain(&results).copied().collect();
    let strangers: Vec<&str> = known
        .iter()
        .copied()
        .filter(|name| !declared(name) && (often(name) || results.contains(name)))
        .collect();
    let unknown = draft.vars.keys().map(String::as_str);
    let unknown: Vec<&str> = unknown.filter(|name| !known.contains(name)).collect();
    if strangers.is_empty() || unknown.len() * strangers.len() > MAX_COMPARED {
        return Vec::new();
    }
    let mut renamed: Vec<(String, String, bool)> = Vec::new();
    for name in unknown.iter().filter(|name| is_variable(name)) {
        let mut near = strangers
            .iter()
            .filter(|stranger| misspelt(name, stranger) == Some(1));
        if let Some(meant) = near.next() {
            let result = results.contains(meant);
            renamed.push(((*name).to_owned(), (*meant).to_owned(), result));
        }
    }
    // Two slips, where no other name could be meant.
    if let ([name], true) = (unknown.as_slice(), renamed.is_empty()) {
        let bound = bound(draft);
        let mut lost = used.keys().copied().filter(|name| {
            !declared(name) && !results.contains(name) && !is_own(name) && !bound.contains(*name)
        });
        if let (Some(meant), None) = (lost.next(), lost.next())
            && often(meant)
            && is_variable(name)
            && akin(name, meant)
            && mentions(text, name) == 1
        {
            renamed.push(((*name).to_owned(), meant.to_owned(), false));
        }
    }
    let certain: HashSet<String> = renamed
        .iter()
        .filter(|(name, meant, _)| often(meant) && mentions(text, name) == 1)
        .map(|(name, ..)| name.clone())
        .collect();
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
        if !told || certain.contains(&name) {
            misdeclared(report, tested, at, &name, &meant);
        }
        if let Some(declared) = draft.vars.remove(&name) {
            set_there(draft, &meant, &declared.ty);
            draft.vars.entry(meant).or_insert(declared);
        }
    }
    doubtful
}

/// Notes where a variable is set, which nobody knew of while its name was unknown.
fn set_there(draft: &mut Draft<'_>, name: &str, ty: &Type) {
    if draft.bindings.iter().any(|binding| binding.name == name) {
        return;
    }
    for (node, facts) in draft.nodes.iter().zip(&mut draft.facts) {
        let sets = matches!(&node.action, Action::Set(values) if values.contains_key(name));
        if sets {
            facts.assigned.push(Assigned {
                outcome: None,
                binding: draft.bindings.len(),
            });
            draft.bindings.push(Binding {
                name: name.to_owned(),
                ty: ty.clone(),
                span: facts.span,
                digits: None,
            });
        }
    }
}
