//! Cuts the text of an expression into tokens.

use super::fault::Fault;
use super::finding::{Finding, Span};
use crate::wide::narrow;

/// A token and its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) span: Span,
}

/// The kinds of token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    Number(f64),
    Text(String),
    /// A name or a word of the language: the parser tells them apart, since a field may be called `if`.
    Name(String),
    Symbol(&'static str),
    End,
}

/// Longest first, so that `<=` is not read as `<`.
const SYMBOLS: [&str; 20] = [
    "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%", "~", "|", ".", ",", "[", "]", "(",
    ")", ":",
];

/// What other languages and keyboards write, and what is meant here. Longest first.
const FOREIGN: [(&str, &str); 40] = [
    ("===", "=="),
    ("＝＝", "=="),
    ("！＝", "!="),
    ("＜＝", "<="),
    ("＞＝", ">="),
    ("＋", "+"),
    ("－", "-"),
    ("＊", "*"),
    ("／", "/"),
    ("％", "%"),
    ("｜", "|"),
    ("［", "["),
    ("］", "]"),
    ("．", "."),
    ("!==", "!="),
    ("&&", "and"),
    ("||", "or"),
    ("<>", "!="),
    ("=>", ">="),
    ("=<", "<="),
    ("**", "*"),
    ("//", "/"),
    ("=", "=="),
    ("!", "not"),
    ("&", "and"),
    ("≠", "!="),
    ("≤", "<="),
    ("≥", ">="),
    ("×", "*"),
    ("÷", "/"),
    ("“", "\""),
    ("”", "\""),
    ("，", ","),
    ("（", "("),
    ("）", ")"),
    ("＝", "=="),
    ("＞", ">"),
    ("＜", "<"),
    ("！", "not"),
    ("。", "."),
];

/// As many tokens as most expressions have.
const FEW_TOKENS: usize = 8;

/// The tokens of an expression, ended by [`TokenKind::End`]. `at` is the place of its first byte in the file.
pub(super) fn tokens(text: &str, at: usize) -> Result<Vec<Token>, Finding> {
    if let Some(finding) = braces(text, at) {
        return Err(finding);
    }
    let mut tokens = Vec::with_capacity(FEW_TOKENS);
    let mut position = 0;
    while let Some(first) = text[position..].chars().next() {
        let rest = &text[position..];
        if first.is_whitespace() {
            position += first.len_utf8();
            continue;
        }
        let (kind, length) = if first.is_ascii_digit() {
            number(rest, at + position)?
        } else if first == '"' || first == '\'' {
            quoted(rest, at + position)?
        } else if first.is_ascii_alphabetic() || first == '_' {
            let name = leading(rest, |c| c.is_ascii_alphanumeric() || c == '_');
            (TokenKind::Name(name.to_owned()), name.len())
        } else if let Some(digits) = wide_digits(rest) {
            let span = Span {
                start: at + position,
                end: at + position + digits.len(),
            };
            let meant: String = digits.chars().map(narrow).collect();
            let (written, meant) = (digits, meant.as_str());
            return Err(Fault::Foreign { written, meant }.at(span));
        } else if let Some(written) = dollar(rest) {
            let span = Span {
                start: at + position,
                end: at + position + written.len(),
            };
            let meant = &written[1..];
            return Err(Fault::Foreign { written, meant }.at(span));
        } else if let Some((foreign, meant)) = foreign(rest) {
            let span = Span {
                start: at + position,
                end: at + position + foreign.len(),
            };
            let written = foreign;
            return Err(Fault::Foreign { written, meant }.at(span));
        } else if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
            (TokenKind::Symbol(symbol), symbol.len())
        } else {
            return Err(stranger(rest, first, at + position));
        };
        let span = Span {
            start: at + position,
            end: at + position + length,
        };
        tokens.push(Token { kind, span });
        position += length;
    }
    let end = Span {
        start: at + text.len(),
        end: at + text.len(),
    };
    tokens.push(Token {
        kind: TokenKind::End,
        span: end,
    });
    Ok(tokens)
}

/// The foreign spelling at the beginning of a text, unless a symbol of ours is meant.
fn foreign(rest: &str) -> Option<(&'static str, &'static str)> {
    let found = FOREIGN
        .iter()
        .find(|(foreign, _)| rest.starts_with(foreign))
        .copied()?;
    let ours = SYMBOLS
        .iter()
        .any(|symbol| symbol.len() >= found.0.len() && rest.starts_with(symbol));
    (!ours).then_some(found)
}

/// `$name`, as shells and dialplans write a variable.
fn dollar(rest: &str) -> Option<&str> {
    let name = leading(rest.strip_prefix('$')?, |c| {
        c.is_ascii_alphanumeric() || c == '_'
    });
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        .then(|| &rest[..=name.len()])
}

/// The full-width digits at the beginning of a text, as a Chinese input method types them.
fn wide_digits(rest: &str) -> Option<&str> {
    let digits = leading(rest, |c| ('０'..='９').contains(&c));
    (!digits.is_empty()).then_some(digits)
}

/// `${x}` and `{{ x }}` where a bare expression is expected: one finding for the whole of it.
fn braces(text: &str, at: usize) -> Option<Finding> {
    let mut quote = None;
    let mut escaped = false;
    let first = text.char_indices().find(|&(_, c)| {
        let was_escaped = std::mem::replace(&mut escaped, false);
        match quote {
            Some(_) if was_escaped => {}
            Some(_) if c == '\\' => escaped = true,
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c == '"' || c == '\'' => quote = Some(c),
            None => return c == '{' || c == '}',
        }
        false
    });
    let (place, _) = first?;
    let trimmed = text.trim();
    let bare = trimmed
        .strip_prefix("${")
        .and_then(|inner| inner.strip_suffix('}'))
        .or_else(|| {
            trimmed
                .strip_prefix("{{")
                .and_then(|inner| inner.strip_suffix("}}"))
        })
        .map(str::trim)
        .filter(|inner| !inner.contains(['{', '}']) && !inner.is_empty());
    let span = match bare {
        Some(_) => {
            let start = at + (text.len() - text.trim_start().len());
            Span {
                start,
                end: start + trimmed.len(),
            }
        }
        None => {
            let start = if text[..place].ends_with('$') {
                place - 1
            } else {
                place
            };
            Span {
                start: at + start,
                end: at + place + 1,
            }
        }
    };
    let written = trimmed;
    Some(Fault::Braces { written, bare }.at(span))
}

/// Digits, with decimals after a point.
fn number(rest: &str, start: usize) -> Result<(TokenKind, usize), Finding> {
    let whole = leading(rest, |c| c.is_ascii_digit());
    let mut length = whole.len();
    if let Some(after) = rest[length..].strip_prefix('.') {
        let decimals = leading(after, |c| c.is_ascii_digit());
        if !decimals.is_empty() {
            length += 1 + decimals.len();
        }
    }
    let unit = leading(&rest[length..], |c| c.is_ascii_alphanumeric() || c == '_');
    let span = Span {
        start,
        end: start + length + unit.len(),
    };
    if !unit.is_empty() {
        let written = &rest[..length + unit.len()];
        return Err(Fault::NumberWithUnit { written }.at(span));
    }
    if whole.len() > 1 && whole.starts_with('0') {
        let written = &rest[..length];
        return Err(Fault::LeadingZero { written }.at(span));
    }
    match rest[..length].parse::<f64>() {
        Ok(number) if number.is_finite() => Ok((TokenKind::Number(number), length)),
        _ => Err(Fault::TooLarge.at(span)),
    }
}

/// A text in double or single quotes; a backslash stands before a quote, a backslash, `n` or `t`.
fn quoted(rest: &str, start: usize) -> Result<(TokenKind, usize), Finding> {
    let quote = rest.as_bytes()[0] as char;
    let mut text = String::new();
    let mut characters = rest.char_indices().skip(1);
    while let Some((place, c)) = characters.next() {
        if c == quote {
            return Ok((TokenKind::Text(text), place + 1));
        }
        if c != '\\' {
            text.push(c);
            continue;
        }
        match characters.next() {
            Some((_, c @ ('\\' | '"' | '\''))) => text.push(c),
            Some((_, 'n')) => text.push('\n'),
            Some((_, 't')) => text.push('\t'),
            Some((_, character)) => {
                let span = Span {
                    start: start + place,
                    end: start + place + 1 + character.len_utf8(),
                };
                return Err(Fault::Escape { character }.at(span));
            }
            None => break,
        }
    }
    let span = Span {
        start,
        end: start + rest.len(),
    };
    Err(Fault::OpenText { quote }.at(span))
}

/// A character that no expression has.
fn stranger(rest: &str, first: char, start: usize) -> Finding {
    let word = leading(rest, |c| c.is_alphanumeric() || c == '_');
    if word.is_empty() {
        let span = Span {
            start,
            end: start + first.len_utf8(),
        };
        return Fault::Character { character: first }.at(span);
    }
    let span = Span {
        start,
        end: start + word.len(),
    };
    Fault::NoName { word }.at(span)
}

/// The part at the beginning whose characters all satisfy a condition.
fn leading(text: &str, is: impl Fn(char) -> bool) -> &str {
    &text[..text.find(|c| !is(c)).unwrap_or(text.len())]
}
