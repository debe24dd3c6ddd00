//! The little markup that prompts may use.

use crate::check::report::Report;
use crate::check::rules::bad_ssml;
use crate::expr::Span;
use crate::yaml::Scalar;

/// Checks that every tag is one that can be spoken, and that tags close in their order. A `<` before
/// anything but a letter or `/` is a `<`.
pub(super) fn check(report: &mut Report<'_>, whole: Span, scalar: &Scalar) {
    let text = &scalar.text;
    // Each with whether it is told already that it is none.
    let mut open: Vec<(&str, Span, bool)> = Vec::new();
    let mut from = 0;
    while let Some(at) = text[from..].find('<').map(|at| from + at) {
        if report.is_full() {
            return;
        }
        from = at + 1;
        let rest = &text[from..];
        let closing = rest.starts_with('/');
        let name_at = from + usize::from(closing);
        let length = text[name_at..]
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
            .unwrap_or(text.len() - name_at);
        let name = &text[name_at..name_at + length];
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            continue;
        }
        let end = text[name_at..]
            .find('>')
            .map_or(text.len(), |end| name_at + end + 1);
        let span = match scalar.exact {
            Some(start) => Span {
                start: start + at,
                end: start + end,
            },
            None => whole,
        };
        from = end;
        let empty = text[at..end].ends_with("/>");
        let told = open
            .last()
            .is_some_and(|(opened, _, told)| *told && opened.eq_ignore_ascii_case(name));
        if closing && told {
            open.pop();
        } else if !bad_ssml::TAGS.contains(&name) {
            bad_ssml::unknown(report, span, name);
            if !closing && !empty {
                open.push((name, span, true));
            }
        } else if !text[at..end].ends_with('>') {
            bad_ssml::unbalanced(report, span, name);
        } else if closing {
            match open.pop() {
                Some((opened, ..)) if opened == name => {}
                _ => bad_ssml::unbalanced(report, span, name),
            }
        } else if !empty {
            open.push((name, span, false));
        }
    }
    for (name, span, _) in open.into_iter().filter(|(.., told)| !told) {
        bad_ssml::unbalanced(report, span, name);
    }
}
