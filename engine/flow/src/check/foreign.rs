//! Insertions as shells and other languages write them: `$name`, `$(name)`, `%name%`. They are said as they stand, so that they are told
//! where the name is one that the flow knows; prices and percentages are texts.

use super::assign::Assignments;
use super::report::Report;
use super::rules::text_slip;
use crate::expr::Span;
use crate::lower::Draft;

/// Tells of them in what is spoken.
pub(super) fn check(draft: &Draft<'_>, assigned: &Assignments<'_>, report: &mut Report<'_>) {
    let known = |path: &str| {
        let name = path.split('.').next().unwrap_or_default();
        name == "call" && path != name
            || draft.inputs.contains_key(name)
            || draft.vars.contains_key(name)
            || assigned.is_set(name)
    };
    let source = report.lines().source();
    for (span, text) in draft.prompts.iter().flat_map(|prompt| &prompt.texts) {
        let Some(slip) = slips(text).find(|slip| known(slip.path)) else {
            continue;
        };
        let stands = source.get(span.start..span.end).unwrap_or_default();
        // Where it can be found in what is written, and nothing else is meant.
        let mut places = stands.match_indices(slip.written);
        let place = match (places.next(), places.next()) {
            (Some((at, _)), None) => Some(Span {
                start: span.start + at,
                end: span.start + at + slip.written.len(),
            }),
            _ => None,
        };
        // In a text without quotes, braces may close a map.
        let quoted = stands.starts_with(['"', '\'']);
        text_slip::foreign(
            report,
            place.unwrap_or(*span),
            (slip.written, slip.path),
            place.is_some() && quoted,
        );
    }
}

struct Slip<'t> {
    written: &'t str,
    path: &'t str,
}

/// What looks like an insertion of another language.
fn slips(text: &str) -> impl Iterator<Item = Slip<'_>> {
    text.char_indices().filter_map(move |(at, sign)| {
        let behind = &text[at + sign.len_utf8()..];
        let (inner, close) = match sign {
            '$' => match behind.strip_prefix('(') {
                Some(inner) => (inner, ")"),
                None => (behind, ""),
            },
            '%' => (behind, "%"),
            _ => return None,
        };
        let path = path(inner);
        let open = inner.len() - path.len();
        let closes = inner[path.len()..].starts_with(close);
        (!path.is_empty() && closes).then(|| Slip {
            written: &text[at..text.len() - open + close.len()],
            path,
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
    use super::slips;

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
    }
}
