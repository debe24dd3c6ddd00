//! Text with `${ … }` in it.
//!
//! `${ expression }` inserts a value. `$${` stands for the two characters `${`; every other `$` and every
//! single brace is itself. A closing brace inside a quoted text of the expression does not end it.

use super::finding::{Finding, Span};
use super::parser::parse;
use crate::plan::Piece;

/// Parses a text with `${ … }` in it. `at` is the place of its first byte in the file.
///
/// # Errors
///
/// The findings of all expressions of the text; `bad-expression` where `${` is never closed;
/// `braces-in-expression` for `{{ name }}`, which other tools insert but this language does not.
pub fn parse_pieces(text: &str, at: usize) -> Result<Vec<Piece>, Vec<Finding>> {
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
        } else if let Some(inner) = rest.strip_prefix("${") {
            let Some(length) = expression_length(inner) else {
                let span = Span {
                    start: at + dollar,
                    end: at + dollar + 2,
                };
                findings.push(
                    Finding::new("bad-expression", span, "this `${` is never closed")
                        .with_help("add a `}`; the characters themselves are written `$${`"),
                );
                position = text.len();
                break;
            };
            match parse(&inner[..length], at + dollar + 2) {
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
    findings.extend(double_braces(text, at));
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
fn double_braces(text: &str, at: usize) -> Option<Finding> {
    let start = text.find("{{")?;
    let length = text[start..].find("}}")?;
    let inner = text[start + 2..start + length].trim();
    let span = Span {
        start: at + start,
        end: at + start + length + 2,
    };
    parse(inner, 0).ok()?;
    Some(
        Finding::new("braces-in-expression", span, "double braces insert nothing")
            .with_help(format!("write `${{{inner}}}`")),
    )
}
