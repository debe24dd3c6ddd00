//! Names that are misspelt where they are defined. That is one slip, however many places use the name as it was meant.

use std::collections::BTreeMap;

use super::report::Report;
use super::rules::unknown_variable::{self, UNKNOWN_VARIABLE};
use super::rules::{unknown_hours, unknown_prompt, unknown_step};
use super::suggest::misspelt as slip;
use super::tested::Tested;
use crate::expr::Span;
use crate::lower::{is_name, is_variable};
use crate::yaml::Node;

/// Uses of a name that nobody defines, from which on the name is believed and not its definition.
pub const MANY: usize = 2;

/// What a flow defines: under which key, and the rule that tells of a use of what is not there.
const KINDS: [(&str, &str); 5] = [
    ("steps", "unknown-step"),
    ("prompts", "unknown-prompt"),
    ("hours", "unknown-hours"),
    ("inputs", "unknown-variable"),
    ("vars", "unknown-variable"),
];

/// Tells of such definitions in place of what is told of their uses.
pub(super) fn settle(root: &Node<'_>, tested: &Tested<'_>, report: &mut Report<'_>) {
    let unknown = |found: &crate::diagnostic::Diagnostic| {
        found.rule == "bad-name" || KINDS.iter().any(|(_, rule)| found.rule == *rule)
    };
    if !report.diagnostics().iter().any(unknown) {
        return;
    }
    variables(tested, report);
    for (key, rule) in KINDS {
        let map = root.map().and_then(|root| root.value(key)?.map());
        let mut defined: BTreeMap<&str, Span> = BTreeMap::new();
        for entry in map.into_iter().flat_map(|map| &map.entries) {
            defined.insert(&entry.key, entry.key_span);
        }
        capitals(&defined, rule, tested, report);
        misspelt(&defined, rule, tested, report);
    }
}

/// A name with capitals or blanks, which is told of where it is defined: what uses it without them means it.
fn capitals(
    defined: &BTreeMap<&str, Span>,
    rule: &str,
    tested: &Tested<'_>,
    report: &mut Report<'_>,
) {
    let text = report.lines().source();
    let bad = report.diagnostics().iter();
    let bad: Vec<Span> = bad
        .filter(|found| found.rule == "bad-name")
        .map(|found| found.primary.span)
        .collect();
    for (name, span) in defined {
        if !bad.contains(span) {
            continue;
        }
        // The one that the flow says elsewhere: `order_no` of `orderNo`.
        let meant = proper(name);
        let said = meant.iter().find(|meant| mentions(text, meant) > 0);
        let Some(meant) = said.or(meant.first()) else {
            continue;
        };
        if defined.contains_key(meant.as_str()) {
            continue;
        }
        report.remove(|found| {
            let at = found.primary.span;
            found.rule == rule && text.get(at.start..at.end) == Some(meant)
        });
        if rule == UNKNOWN_VARIABLE.slug {
            tested.known(meant, report);
        }
        if mentions(text, name) == 1 {
            report.fix("bad-name", *span, meant);
        }
    }
}

/// A variable whose name expressions cannot read, as one of `as:` with capitals or a hyphen: what uses it means it, however it is
/// written there.
fn variables(tested: &Tested<'_>, report: &mut Report<'_>) {
    let text = report.lines().source();
    let bad = report.diagnostics().iter();
    let bad: Vec<(Span, &str, String)> = bad
        .filter(|found| found.rule == "bad-name")
        .flat_map(|found| {
            let span = found.primary.span;
            let written = text.get(span.start..span.end).unwrap_or_default();
            let meant = proper(written);
            let meant = meant.into_iter().filter(|meant| is_variable(meant));
            meant.map(move |meant| (span, written, meant))
        })
        .collect();
    for (span, written, meant) in bad {
        let mut used = false;
        report.remove(|found| {
            let at = found.primary.span;
            let means = found.rule == "unknown-variable"
                && (text.get(at.start..at.end) == Some(&meant) || within(text, at, written));
            used |= means;
            means
        });
        if used {
            tested.known(&meant, report);
        }
        if used && mentions(text, written) == 1 {
            report.fix("bad-name", span, &meant);
        }
    }
}

/// Names that may have been meant by what is none: in small letters, with `_` where words meet, or without the blank.
fn proper(name: &str) -> Vec<String> {
    let small = name.to_ascii_lowercase();
    let mut meant = Vec::new();
    let parted = [
        small.replace(['-', ' '], "_"),
        small.replace(' ', "-"),
        small.replace(' ', ""),
    ];
    for name in [small, snake(name)].into_iter().chain(parted) {
        if is_name(&name) && !meant.contains(&name) {
            meant.push(name);
        }
    }
    meant
}

/// `order_no` for `orderNo`.
fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 4);
    for letter in name.chars() {
        if letter.is_ascii_uppercase()
            && snake.ends_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        {
            snake.push('_');
        }
        snake.push(match letter {
            '-' => '_',
            letter => letter.to_ascii_lowercase(),
        });
    }
    snake
}

/// Whether a place of a text is part of a word that stands there.
fn within(text: &str, at: Span, word: &str) -> bool {
    let mut from = at.end.saturating_sub(word.len())..=at.start;
    from.any(|from| text.get(from..from + word.len()) == Some(word))
}

/// A name that stands where it is defined and nowhere else, while several places use one that is nearly the same.
fn misspelt(
    defined: &BTreeMap<&str, Span>,
    rule: &str,
    tested: &Tested<'_>,
    report: &mut Report<'_>,
) {
    let text = report.lines().source();
    let mut used: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut alone: BTreeMap<&str, &str> = BTreeMap::new();
    for found in report.diagnostics() {
        let at = found.primary.span;
        let (Some(fix), Some(written)) = (&found.fix, text.get(at.start..at.end)) else {
            continue;
        };
        let meant = defined.get_key_value(fix.replacement.as_str());
        if found.rule == rule
            && fix.span == at
            && let Some((name, _)) = meant
        {
            let name = alone
                .entry(written)
                .or_insert_with(|| unused(defined, name, written, text));
            *used.entry((name, written)).or_default() += 1;
        }
    }
    let variables = rule == UNKNOWN_VARIABLE.slug;
    for ((name, written), times) in used {
        let in_tests = if variables { tested.times(written) } else { 0 };
        if times + in_tests < MANY || !is_name(written) || mentions(text, name) != 1 {
            continue;
        }
        report.remove(|found| {
            let at = found.primary.span;
            found.rule == rule && text.get(at.start..at.end) == Some(written)
        });
        if variables {
            tested.known(written, report);
        }
        let at = defined[name];
        match rule {
            "unknown-step" => unknown_step::defined(report, at, name, written),
            "unknown-prompt" => unknown_prompt::defined(report, at, name, written),
            "unknown-hours" => unknown_hours::defined(report, at, name, written),
            _ => unknown_variable::declared(report, at, name, written),
        }
    }
}

/// Of names that are as near to what is written as the proposed one: the one that stands nowhere but where it is defined.
fn unused<'t>(
    defined: &BTreeMap<&'t str, Span>,
    proposed: &'t str,
    written: &str,
    text: &str,
) -> &'t str {
    let slips = |name: &str| slip(written, name);
    let Some(least) = slips(proposed) else {
        return proposed;
    };
    let others = defined.keys().filter(|name| **name != proposed);
    let mut near = others.filter(|name| slips(name).is_some_and(|slips| slips <= least));
    near.find(|name| mentions(text, name) == 1)
        .filter(|_| mentions(text, proposed) > 1)
        .map_or(proposed, |name| *name)
}

/// How often a name stands in a text as a word of its own.
pub fn mentions(text: &str, name: &str) -> usize {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let alone = |(at, _): &(usize, &str)| {
        !text[..*at].ends_with(part) && !text[at + name.len()..].starts_with(part)
    };
    text.match_indices(name).filter(alone).count()
}
