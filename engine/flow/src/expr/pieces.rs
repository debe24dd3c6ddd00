//! Text with `${ … }` in it.
//!
//! `${ expression }` inserts a value. `$${` stands for the two characters `${`; every other `$` and every
//! single brace is itself. A closing brace inside a quoted text of the expression does not end it.

use std::ops::Range;

use super::fault::Fault;
use super::finding::{Finding, Place, Span};
use super::parser::{parse, parse_at};
use crate::plan::Piece;

/// Parses a text with `${ … }` in it. `at` is the place of its first byte in the file.
///
/// # Errors
///
/// The findings of all expressions of the text; `bad-expression` where `${` is never closed;
/// `braces-in-expression` for `{{ name }}`, which other tools insert but this language does not.
pub fn parse_pieces(text: &str, at: usize) -> Result<Vec<Piece>, Vec<Finding>> {
    parse_pieces_at(text, &|part| Place::Exact(at + part.start))
}

/// As [`parse_pieces`], for a text that may be written otherwise than it reads: `place` says where a part of it
/// stands that begins with `${` or `{{`.
///
/// # Errors
///
/// As [`parse_pieces`].
pub fn parse_pieces_at(
    text: &str,
    place: &dyn Fn(Range<usize>) -> Place,
) -> Result<Vec<Piece>, Vec<Finding>> {
    let mut pieces = Vec::new();
    let mut findings = Vec::new();
    let mut literal = String::new();
    let mut position = 0;
    while let Some(offset) = text[position..].find('$') {
        let dollar = position + offset;
        literal.push_str(&text[position..dollar]);
        let rest = &text[dollar..];
        if rest.starts_with("$${") {
            literal.push_str("${");
            position = dollar + 3;
        } else if rest.starts_with("${{") && double_braces(rest, place).is_some() {
            // That is told once, with its other braces.
            literal.push_str("${");
            position = dollar + 2;
        } else if let Some(inner) = rest.strip_prefix("${") {
            let Some(length) = expression_length(inner) else {
                let span = span(place(dollar..dollar + 2), 2);
                findings.push(Fault::OpenInsertion.at(span));
                position = text.len();
                break;
            };
            let whole = dollar..dollar + length + 3;
            let inside = match place(whole) {
                Place::Exact(at) => Place::Exact(at + 2),
                within => within,
            };
            match parse_at(&inner[..length], inside) {
                Ok(expr) => {
                    if !literal.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut literal)));
                    }
                    pieces.push(Piece::Expr(expr));
                }
                Err(more) => findings.extend(more),
            }
            position = dollar + 2 + length + 1;
        } else {
            literal.push('$');
            position = dollar + 1;
        }
    }
    literal.push_str(&text[position..]);
    if !literal.is_empty() {
        pieces.push(Piece::Text(literal));
    }
    findings.extend(double_braces(text, place));
    if findings.is_empty() {
        Ok(pieces)
    } else {
        Err(findings)
    }
}

/// Whether a text is exactly one `${ … }` and nothing else, so that its value keeps its type.
pub fn single(text: &str) -> bool {
    let length = text.strip_prefix("${").and_then(expression_length);
    length.is_some_and(|length| length + 3 == text.len())
}

/// The first braces of a text that insert nothing, with the sign before them: `{x}`, `$ {x}`, `%{x}`, `{% if x %}`, the second
/// brace of `${x}}`. Those of `$${x}` are meant.
pub(crate) fn loose_braces(text: &str) -> Option<Range<usize>> {
    let mut at = 0;
    while let Some(offset) = text[at..].find(['{', '}']) {
        let brace = at + offset;
        let before = &text[at..brace];
        if text[brace..].starts_with('{') && before.ends_with('$') {
            let inner = &text[brace + 1..];
            let length = match before.ends_with("$$") {
                true => inner.find('}'),
                false => expression_length(inner),
            };
            at = brace + length? + 2;
            continue;
        }
        if text[brace..].starts_with('}') {
            // What a lost brace would have begun.
            let word = before
                .rfind('$')
                .filter(|sign| before[*sign + 1..].starts_with(char::is_alphabetic));
            let start = word.map_or(brace, |sign| at + sign);
            return Some(start..brace + 1);
        }
        let bare = before.trim_end_matches(' ');
        let start = match bare.ends_with(['$', '%', '#']) {
            true => at + bare.len() - 1,
            false => brace,
        };
        let end = text[brace..]
            .find('}')
            .map_or(brace + 1, |end| brace + end + 1);
        return Some(start..end);
    }
    None
}

/// The length of the expression at the beginning of a text, up to its closing brace.
fn expression_length(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (place, c) in text.char_indices() {
        match quote {
            Some(_) if escaped => escaped = false,
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '"' || c == '\'' => quote = Some(c),
            None if c == '}' => return Some(place),
            None => {}
        }
    }
    // An unclosed quote swallowed the brace: the parser shall complain of the quote.
    text.find('}')
}

/// `{{ order.total }}`: what a text that came from another tool has.
fn double_braces(text: &str, place: &dyn Fn(Range<usize>) -> Place) -> Option<Finding> {
    let start = text.find("{{")?;
    let length = text[start..].find("}}")?;
    let inner = text[start + 2..start + length].trim();
    parse(inner, 0).ok()?;
    let span = span(place(start..start + length + 2), length + 2);
    let written = &text[start..start + length + 2];
    Some(Fault::DoubleBraces { written, inner }.at(span))
}

/// The bytes of a part of so many bytes.
fn span(place: Place, length: usize) -> Span {
    match place {
        Place::Exact(start) => Span {
            start,
            end: start + length,
        },
        Place::Within(span) => span,
    }
}
