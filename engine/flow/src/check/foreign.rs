//! Insertions as shells and other languages write them: `$name`, `$(name)`, `%name%`. They are said as they stand, so that they are told
//! where the name is one that the flow knows; prices and percentages are texts. So are braces in what is not said, `{name}`.

use super::assign::Assignments;
use super::report::Report;
use super::rules::text_slip::{self, TEXT_SLIP};
use crate::diagnostic::{Diagnostic, line_start};
use crate::expr::Span;
use crate::lower::Draft;

/// Tells of them in what is spoken, and of braces in what is kept.
pub(super) fn check(draft: &Draft<'_>, assigned: &Assignments<'_>, report: &mut Report<'_>) {
    let known = |path: &str| {
        let name = path.split(['.', ' ', '|']).next().unwrap_or_default();
        name == "call" && path != name
            || draft.inputs.contains_key(name)
            || draft.vars.contains_key(name)
            || assigned.is_set(name)
    };
    let source = report.lines().source();
    for (span, text) in draft.prompts.iter().flat_map(|prompt| &prompt.texts) {
        let meant = |slip: &Slip<'_>| slip.inserts() || slip.path == "choices" || known(slip.path);
        if let Some(slip) = in_wide_braces(text).find(meant) {
            wide(source, *span, &slip, false, report);
        }
        let Some(slip) = slips(text).find(|slip| known(slip.path)) else {
            continue;
        };
        let (place, certain) = place_of(source, *span, slip.written);
        // What was told of its braces is this.
        let told = |found: &Diagnostic| found.rule == TEXT_SLIP.slug;
        let mut there = report.diagnostics().iter();
        if there.any(|found| told(found) && found.primary.span == place) {
            if certain {
                report.fix(TEXT_SLIP.slug, place, &format!("${{{}}}", slip.meant));
            }
            continue;
        }
        report.remove(|found| {
            let at = found.primary.span;
            told(found) && at.start < place.end && place.start < at.end
        });
        text_slip::foreign(report, place, (slip.written, slip.meant), certain);
    }
    for (span, text) in &draft.kept {
        let meant = |slip: &Slip<'_>| slip.inserts() || known(slip.path);
        if let Some(slip) = in_wide_braces(text).find(meant) {
            wide(source, *span, &slip, true, report);
        }
        if let Some(slip) = in_braces(text).find(|slip| known(slip.path)) {
            let (place, certain) = place_of(source, *span, slip.written);
            text_slip::kept(report, place, (slip.written, slip.meant), certain);
        }
    }
}

/// Tells of full-width braces.
fn wide(source: &str, span: Span, slip: &Slip<'_>, kept: bool, report: &mut Report<'_>) {
    let (place, _) = place_of(source, span, slip.written);
    // Where it is one place, and braces mean nothing there.
    let stands = source.get(span.start..span.end).unwrap_or_default();
    let certain = place != span && (stands.starts_with(['"', '\'']) || !in_brackets(source, span));
    match kept {
        true => text_slip::kept(report, place, (slip.written, slip.path), certain),
        false => text_slip::foreign(report, place, (slip.written, slip.path), certain),
    }
}

/// Whether a text without quotes may stand between brackets, by its line and the one above it.
fn in_brackets(source: &str, span: Span) -> bool {
    let before = &source[..span.start];
    let line = line_start(source, span.start);
    let above = before[..line].trim_end();
    before[line..].contains(['{', '[']) || above.ends_with(['{', '[', ','])
}

/// Where a slip stands within a scalar, and whether it is certain how it is to be written there.
fn place_of(source: &str, span: Span, written: &str) -> (Span, bool) {
    let stands = source.get(span.start..span.end).unwrap_or_default();
    // Where it can be found in what is written, and nothing else is meant.
    let mut places = stands.match_indices(written);
    match (places.next(), places.next()) {
        (Some((at, _)), None) => {
            let start = span.start + at;
            let end = start + written.len();
            // In a text without quotes, braces may close a map.
            (Span { start, end }, stands.starts_with(['"', '\'']))
        }
        _ => (span, false),
    }
}

/// Names in braces without the `$` that inserts them.
fn in_braces(text: &str) -> impl Iterator<Item = Slip<'_>> {
    text.match_indices('{').filter_map(|(at, _)| {
        let inner = &text[at + 1..];
        let path = path(inner);
        let closes = inner[path.len()..].starts_with('}');
        (!path.is_empty() && closes && !text[..at].ends_with('$')).then(|| Slip {
            written: &text[at..at + path.len() + 2],
            path,
            meant: path,
        })
    })
}

/// Insertions with full-width braces, as an input method types them: `$｛name｝`. Of others among them it is told already that they
/// insert nothing.
fn in_wide_braces(text: &str) -> impl Iterator<Item = Slip<'_>> {
    text.match_indices('｛').filter_map(|(at, open)| {
        let inner = &text[at + open.len()..];
        let (inner, _) = inner.split_once('｝')?;
        let path = inner.trim();
        let start = match text[..at].strip_suffix(['$', '＄']) {
            Some(before) => before.len(),
            None => at,
        };
        let name = self::path(path);
        let named = name == path || path[name.len()..].starts_with([' ', '|']);
        let plain = !path.contains(['{', '}', '｛']);
        let end = at + 2 * open.len() + inner.len();
        (plain && !name.is_empty() && named).then(|| Slip {
            written: &text[start..end],
            path,
            meant: path,
        })
    })
}

struct Slip<'t> {
    written: &'t str,
    /// The name of a variable, perhaps with a field.
    path: &'t str,
    /// What was to stand in `${ … }`.
    meant: &'t str,
}

impl Slip<'_> {
    /// Whether it has the sign that inserts, in any width.
    fn inserts(&self) -> bool {
        self.written.starts_with(['$', '＄'])
    }
}

/// What looks like an insertion of another language.
fn slips(text: &str) -> impl Iterator<Item = Slip<'_>> {
    text.bytes().enumerate().filter_map(move |(at, sign)| {
        let (inner, close) = match sign {
            b'$' => {
                let behind = &text[at + 1..];
                // `{$name | filter}` and `$name}`: the sign and the brace changed places, or one brace lacks.
                let swapped = text[..at].ends_with('{') && !text[..at].ends_with("${");
                let inner = behind.split('}').next().unwrap_or_default();
                let path = path(inner);
                let filtered = inner[path.len()..].trim_start();
                let lacks = inner == path || filtered.starts_with('|') && !filtered.contains('{');
                if !path.is_empty() && inner.len() < behind.len() && (swapped || lacks) {
                    return Some(Slip {
                        written: &text[at - usize::from(swapped)..at + inner.len() + 2],
                        path,
                        meant: inner,
                    });
                }
                match behind.strip_prefix('(') {
                    Some(inner) => (inner, ")"),
                    None => (behind, ""),
                }
            }
            b'%' => (&text[at + 1..], "%"),
            _ => return None,
        };
        let path = path(inner);
        let open = inner.len() - path.len();
        let closes = inner[path.len()..].starts_with(close);
        (!path.is_empty() && closes).then(|| Slip {
            written: &text[at..text.len() - open + close.len()],
            path,
            meant: path,
        })
    })
}

/// `name` or `name.field` at the beginning of a text.
fn path(text: &str) -> &str {
    let is_letter = |c: char| c.is_ascii_lowercase() || c == '_';
    if !text.starts_with(is_letter) {
        return "";
    }
    let end = text.find(|c: char| !(is_letter(c) || c.is_ascii_digit() || c == '.'));
    // A full stop ends the sentence.
    text[..end.unwrap_or(text.len())].trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::{in_braces, in_wide_braces, slips};

    #[test]
    fn insertions_of_other_languages_are_found() {
        let found = |text: &'static str| -> Vec<(&str, &str)> {
            slips(text).map(|slip| (slip.written, slip.path)).collect()
        };
        assert_eq!(found("Hi $name."), [("$name", "name")]);
        assert_eq!(found("您好$(name)，"), [("$(name)", "name")]);
        assert_eq!(
            found("%name%, $call.from!"),
            [("%name%", "name"), ("$call.from", "call.from")]
        );
        assert_eq!(found("$5, 5% off, ${name} $(name $"), []);
        assert_eq!(
            found("{$name | upper} $name | upper} $name} {$name"),
            [
                ("{$name | upper}", "name"),
                ("$name | upper}", "name"),
                ("$name}", "name"),
                ("$name", "name")
            ]
        );
        let wide = |text: &'static str| -> Vec<(&str, &str)> {
            in_wide_braces(text)
                .map(|slip| (slip.written, slip.path))
                .collect()
        };
        assert_eq!(
            wide("$｛name｝, ＄｛ no | digits ｝｛call.from｝"),
            [
                ("$｛name｝", "name"),
                ("＄｛ no | digits ｝", "no | digits"),
                ("｛call.from｝", "call.from")
            ]
        );
        assert_eq!(
            wide("${name} ｛｝ ｛你好｝ {name} ｛name} ${name｝ ｛name"),
            []
        );
        let kept = |text: &'static str| -> Vec<&str> {
            in_braces(text).map(|slip| slip.written).collect()
        };
        assert_eq!(kept("{name}-{call.from}"), ["{name}", "{call.from}"]);
        assert_eq!(kept("${name} {Name} { name } {} {\"a\": 1}"), [""; 0]);
    }
}
