//! Carrying out the changes that findings propose: `strowger check --fix`.
//!
//! A change is kept only when the text is better for it: after it, the text is read as far as before, its own
//! finding is gone, and no error has come in its place. A change that does harm beside others is left out.

use crate::catalog::Catalog;
use crate::check::report::{MAX_FINDINGS, Report};
use crate::check::{Checked, check};
use crate::diagnostic::{Diagnostic, Fix, Level};
use crate::yaml;

/// Most rounds over a file: what breaks YAML hides the rest, so a file indented by tabs takes a round for each line.
const MAX_ROUNDS: usize = 500;

/// Most checks of one file: bounds the time for a file in which nearly every change does harm.
const MAX_CHECKS: usize = 1_000;

/// Lines behind a change that it has to do with.
const BESIDE: u32 = 2;

/// A text with its certain findings removed.
#[derive(Debug)]
pub struct Fixed {
    /// The text; the one that was given when there was nothing to change.
    pub text: String,
    /// The findings whose changes were carried out. Places and spans are those of the text at the time: of the
    /// original for the first round, else of the text between two rounds.
    pub applied: Vec<Applied>,
}

/// One change.
#[derive(Debug, Clone)]
pub struct Applied {
    /// The finding.
    pub finding: Diagnostic,
    /// What stood there.
    pub before: String,
    /// What stands there now.
    pub after: String,
}

/// Carries out every change that the findings of a flow propose, and leaves the rest of the text letter for letter.
/// A text that is not UTF-8 has no such changes.
///
/// Never panics, whatever the bytes.
pub fn fix(file: &str, source: &[u8], catalog: &Catalog) -> Option<Fixed> {
    let mut text = std::str::from_utf8(source).ok()?.to_owned();
    let mut applied = Vec::new();
    let mut left = MAX_CHECKS;
    for _ in 0..MAX_ROUNDS {
        let checked = check(file, text.as_bytes(), catalog);
        let proposed = proposals(&text, &checked);
        if proposed.is_empty() {
            break;
        }
        let round = Round {
            file,
            text: &text,
            catalog,
            before: Health::of(&text, &checked),
        };
        let mut kept: Vec<&Diagnostic> = Vec::new();
        round.choose(&proposed, &mut kept, &mut left);
        if kept.is_empty() {
            break;
        }
        let changed = with(&text, &kept);
        applied.extend(kept.iter().filter_map(|finding| {
            let fix = finding.fix.as_ref()?;
            Some(Applied {
                finding: (*finding).clone(),
                before: text[fix.span.start..fix.span.end].to_owned(),
                after: fix.replacement.clone(),
            })
        }));
        text = changed;
    }
    Some(Fixed { text, applied })
}

/// How well a text stands.
#[derive(Debug, Clone, Copy)]
struct Health {
    /// The line at which reading stops; `u32::MAX` when nothing of the text is hidden.
    reached: u32,
    /// The rule that is told there.
    stops: Option<&'static str>,
    errors: usize,
    findings: usize,
}

impl Health {
    fn of(text: &str, checked: &Checked) -> Health {
        let mut report = Report::new("", text);
        let root = yaml::read(text, &mut report).root;
        let broken = report.finish();
        let stops = broken.last().filter(|_| root.is_none());
        let errors = checked
            .diagnostics
            .iter()
            .filter(|found| found.level == Level::Error)
            .count();
        Health {
            reached: stops.map_or(u32::MAX, |found| found.primary.place.line),
            stops: stops.map(|found| found.rule),
            errors,
            findings: checked.diagnostics.len(),
        }
    }

    /// Whether a text is better by so many changes, `mended` of them for errors, than the one before it.
    fn better_than(self, before: Health, changes: usize, mended: usize) -> bool {
        if self.reached != before.reached {
            // What is readable now may hold errors of its own. Where reading stops right behind it for another reason, it was not
            // what was meant.
            let further = self.reached > before.reached;
            let apart = self.reached - before.reached.min(self.reached) > BESIDE;
            return further && (apart || self.stops == before.stops);
        }
        if before.findings >= MAX_FINDINGS {
            // More findings than are told: what goes makes room for others.
            return self.errors <= before.errors;
        }
        // Every change takes its error with it. What shows only then may be a warning, but no error.
        match mended {
            0 => self.errors <= before.errors && self.findings + changes <= before.findings,
            mended => self.errors + mended <= before.errors,
        }
    }
}

/// One round of changes to a text.
struct Round<'a> {
    file: &'a str,
    text: &'a str,
    catalog: &'a Catalog,
    before: Health,
}

impl Round<'_> {
    /// Adds to `kept` those of the changes that do no harm. They are tried together; when that does harm, in halves.
    fn choose<'f>(
        &self,
        proposed: &[&'f Diagnostic],
        kept: &mut Vec<&'f Diagnostic>,
        left: &mut usize,
    ) {
        if proposed.is_empty() || *left == 0 {
            return;
        }
        *left -= 1;
        let mut tried = kept.clone();
        tried.extend(proposed);
        let text = with(self.text, &tried);
        let checked = check(self.file, text.as_bytes(), self.catalog);
        let mended = tried.iter().filter(|found| found.level == Level::Error);
        let mended = mended.count();
        if Health::of(&text, &checked).better_than(self.before, tried.len(), mended) {
            *kept = tried;
        } else if proposed.len() > 1 {
            let (first, second) = proposed.split_at(proposed.len() / 2);
            self.choose(first, kept, left);
            self.choose(second, kept, left);
        }
    }
}

/// The findings that propose a change, in the order of the file; of two that overlap, the first.
fn proposals<'c>(text: &str, checked: &'c Checked) -> Vec<&'c Diagnostic> {
    let mut proposed: Vec<(&Fix, &Diagnostic)> = checked
        .diagnostics
        .iter()
        .filter_map(|found| Some((found.fix.as_ref()?, found)))
        .filter(|(fix, _)| {
            let within = text.get(fix.span.start..fix.span.end);
            within.is_some_and(|within| within != fix.replacement)
        })
        .collect();
    proposed.sort_by_key(|(fix, _)| (fix.span.start, fix.span.end));
    let mut free = 0;
    proposed.retain(|(fix, _)| {
        let apart = fix.span.start >= free;
        if apart {
            free = fix.span.end.max(fix.span.start + 1);
        }
        apart
    });
    proposed.into_iter().map(|(_, found)| found).collect()
}

/// A text with changes that do not overlap.
fn with(text: &str, findings: &[&Diagnostic]) -> String {
    let mut fixes: Vec<&Fix> = findings.iter().filter_map(|f| f.fix.as_ref()).collect();
    fixes.sort_by_key(|fix| fix.span.start);
    let mut changed = String::with_capacity(text.len());
    let mut done = 0;
    for fix in fixes {
        changed.push_str(&text[done..fix.span.start]);
        changed.push_str(&fix.replacement);
        done = fix.span.end;
    }
    changed.push_str(&text[done..]);
    changed
}
