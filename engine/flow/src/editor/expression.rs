//! Expressions at a place: what can be written there, and what a word of one is.

use std::collections::BTreeSet;

use super::Names;
use super::offer::{Offer, OfferKind};
use super::part::{Part, Role};
use crate::check::types::type_of_call;
use crate::expr::{self, Expr, FILTERS, Filter, Span};
use crate::plan::Piece;
use crate::value::Type;

/// Words of the expression language.
const WORDS: [(&str, &str); 11] = [
    ("and", "both are true"),
    ("or", "one of both is true"),
    ("not", "the contrary"),
    ("in", "is one of a list"),
    ("is none", "has no value"),
    ("is not none", "has a value"),
    ("if", "`a if condition else b`"),
    ("else", "`a if condition else b`"),
    ("true", ""),
    ("false", ""),
    ("none", "no value"),
];

/// Where a cursor stands in an expression.
#[derive(Debug, PartialEq)]
pub(super) enum Cursor<'s> {
    /// At a field of a path.
    Field(Vec<&'s str>),
    /// At a filter's name.
    Filter,
    /// At a variable or a word.
    Name,
    /// In a quoted text.
    Quoted,
}

/// The expressions of a part that can be understood.
pub(super) fn of_part(part: &Part<'_>) -> Vec<Expr> {
    let at = part.exact.unwrap_or(part.span.start);
    let bare = matches!(part.role, Role::Bare);
    if part.key || (bare && part.text.trim().is_empty()) {
        return Vec::new();
    }
    if bare && !part.text.contains("${") {
        let trimmed = part.text.trim();
        let at = at + (part.text.len() - part.text.trim_start().len());
        return expr::parse(trimmed, at).into_iter().collect();
    }
    if !part.text.contains("${") {
        return Vec::new();
    }
    match expr::parse_pieces(part.text, at) {
        Ok(pieces) => pieces
            .into_iter()
            .filter_map(|piece| match piece {
                Piece::Expr(expr) => Some(expr),
                Piece::Text(_) => None,
            })
            .collect(),
        // One of them is wrong: the others are still there.
        Err(_) => part
            .text
            .match_indices("${")
            .filter_map(|(open, _)| {
                let rest = &part.text[open + 2..];
                expr::parse(&rest[..rest.find('}')?], at + open + 2).ok()
            })
            .collect(),
    }
}

/// The text of the expression before a cursor, when the cursor is in one. `before` is the value up to the
/// cursor.
pub(super) fn before(before: &str, bare: bool) -> Option<&str> {
    match before.rfind("${") {
        Some(open) if !before[open..].contains('}') => Some(&before[open + 2..]),
        _ if bare => Some(before),
        _ => None,
    }
}

/// What is being written at the end of an expression's text, and how many bytes of it are there.
pub(super) fn cursor(text: &str) -> (Cursor<'_>, usize) {
    let typed = identifier_before(text);
    let rest = &text[..text.len() - typed];
    let quotes = |quote: char| rest.matches(quote).count() % 2 == 1;
    if quotes('"') || quotes('\'') {
        return (Cursor::Quoted, typed);
    }
    if let Some(path) = rest.strip_suffix('.') {
        let mut names = Vec::new();
        let mut left = path;
        loop {
            let length = identifier_before(left);
            if length == 0 {
                break;
            }
            names.push(&left[left.len() - length..]);
            left = &left[..left.len() - length];
            match left.strip_suffix('.') {
                Some(more) => left = more,
                None => break,
            }
        }
        names.reverse();
        return (Cursor::Field(names), typed);
    }
    if rest.trim_end().ends_with('|') {
        return (Cursor::Filter, typed);
    }
    (Cursor::Name, typed)
}

/// What could be written at the end of an expression's text; `at` is the byte of the cursor. A condition (`bare`) does not see what
/// steps give their own prompts.
pub(super) fn offers(text: &str, at: usize, names: &Names, bare: bool) -> Vec<Offer> {
    let (cursor, typed) = cursor(text);
    let replaces = Span {
        start: at - typed,
        end: at,
    };
    let mut offers = match cursor {
        Cursor::Quoted => Vec::new(),
        Cursor::Filter => FILTERS.iter().map(filter_offer).collect(),
        Cursor::Field(path) => match type_of_path(&path, names).as_ref().map(Type::without_none) {
            Some(Type::Object { fields, .. }) => fields
                .iter()
                .map(|(name, ty)| Offer::new(OfferKind::Variable, name).detail(ty.to_string()))
                .collect(),
            _ => Vec::new(),
        },
        Cursor::Name => roots(names, bare)
            .into_iter()
            .map(|(name, detail)| Offer::new(OfferKind::Variable, name).detail(detail))
            .chain(
                WORDS
                    .iter()
                    .map(|(word, detail)| Offer::new(OfferKind::Word, *word).detail(*detail)),
            )
            .collect(),
    };
    for offer in &mut offers {
        offer.replaces = replaces;
    }
    offers
}

/// Puts the names last that have no value yet on some way to the place, and says so.
pub(super) fn last_without_value(offers: &mut [Offer], names: &BTreeSet<String>) {
    let lacks = |offer: &Offer| offer.kind == OfferKind::Variable && names.contains(&offer.label);
    for offer in offers.iter_mut().filter(|offer| lacks(offer)) {
        offer.detail.push_str(", may have no value here yet");
    }
    offers.sort_by_key(lacks);
}

/// The page of a word of an expression, and where it stands. `range` is the expression.
pub(super) fn page(source: &str, range: Span, at: usize, names: &Names) -> Option<(Span, String)> {
    let text = source.get(range.start..range.end)?;
    let at = at.checked_sub(range.start).filter(|at| *at <= text.len())?;
    let start = at - identifier_before(text.get(..at)?);
    let after = text[at..]
        .bytes()
        .take_while(|byte| is_identifier(*byte))
        .count();
    let end = at + after;
    if start == end {
        return None;
    }
    let word = &text[start..end];
    let span = Span {
        start: range.start + start,
        end: range.start + end,
    };
    let (cursor, _) = cursor(&text[..start]);
    let page = match cursor {
        Cursor::Quoted => return None,
        Cursor::Filter => filter_page(FILTERS.iter().find(|filter| filter.name == word)?),
        Cursor::Field(mut path) => {
            path.push(word);
            let ty = type_of_path(&path, names)?;
            format!("`{}`: {}", path.join("."), spelled(&ty))
        }
        Cursor::Name => variable_page(word, names)?,
    };
    Some((span, page))
}

/// The page of a variable.
pub(super) fn variable_page(name: &str, names: &Names) -> Option<String> {
    if let Some(variable) = names.variables.get(name) {
        let types: Vec<String> = variable.types.iter().map(spelled).collect();
        let mut page = format!("`{name}`: {}\n\n{}", types.join("\n\nor "), variable.role);
        if variable.role == "result" {
            page.push_str(" of a step");
        }
        if let Some(description) = &variable.description {
            page.push_str(&format!(" — {description}"));
        }
        return Some(page);
    }
    let ty = type_of_path(&[name], names)?;
    let what = match name {
        "call" => "what the flow knows about its contact",
        "now" => "the time",
        _ => "given by the step to its own prompts",
    };
    Some(format!("`{name}`: {}\n\n{what}", spelled(&ty)))
}

/// The type of `order.total`.
pub(super) fn type_of_path(path: &[&str], names: &Names) -> Option<Type> {
    let (first, fields) = path.split_first()?;
    let roots: Vec<Type> = match names.variables.get(*first) {
        Some(variable) => variable.types.clone(),
        None => match *first {
            "call" => vec![type_of_call(&names.languages)],
            "now" => vec![Type::DateTime],
            name => vec![names.binds.get(name)?.clone()],
        },
    };
    // A result has another type on each outcome: the first that has the field counts.
    roots.into_iter().find_map(|root| {
        let mut ty = root;
        for field in fields {
            ty = match ty.without_none() {
                Type::Object { fields, .. } => fields.get(*field)?.clone(),
                _ => return None,
            };
        }
        Some(ty)
    })
}

fn roots(names: &Names, bare: bool) -> Vec<(String, String)> {
    let mut roots: Vec<(String, String)> = names
        .variables
        .iter()
        .map(|(name, variable)| {
            let types: Vec<String> = variable.types.iter().map(Type::to_string).collect();
            (
                name.clone(),
                format!("{}, {}", types.join(" or "), variable.role),
            )
        })
        .collect();
    roots.extend(
        names
            .binds
            .iter()
            .filter(|(name, _)| !bare && !names.variables.contains_key(*name))
            .map(|(name, ty)| (name.clone(), ty.to_string())),
    );
    roots.push(("call".to_owned(), "object, the contact".to_owned()));
    roots.push(("now".to_owned(), Type::DateTime.to_string()));
    roots
}

/// A type with the fields of an object.
fn spelled(ty: &Type) -> String {
    match ty.without_none() {
        Type::Object { fields, .. } if !fields.is_empty() => {
            let mut text = ty.to_string();
            for (name, ty) in fields {
                text.push_str(&format!("\n- `{name}`: {ty}"));
            }
            text
        }
        _ => ty.to_string(),
    }
}

fn filter_offer(filter: &Filter) -> Offer {
    Offer::new(OfferKind::Filter, filter.name)
        .detail(filter.takes_text().english())
        .page(filter_page(filter))
}

fn filter_page(filter: &Filter) -> String {
    let (example, english, chinese) = filter.example;
    format!(
        "`{}` takes {}\n\n{}\n\n{}\n\n`{example}` → {english} / {chinese}",
        filter.name,
        filter.takes_text().english(),
        filter.summary,
        filter.summary_zh
    )
}

fn is_identifier(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Bytes of the identifier that a text ends in.
fn identifier_before(text: &str) -> usize {
    text.bytes()
        .rev()
        .take_while(|byte| is_identifier(*byte))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_knows_what_it_is_at() {
        assert_eq!(cursor("order.st"), (Cursor::Field(vec!["order"]), 2));
        assert_eq!(cursor("a.b."), (Cursor::Field(vec!["a", "b"]), 0));
        assert_eq!(cursor("order.eta | da"), (Cursor::Filter, 2));
        assert_eq!(cursor("tries + 1 < o"), (Cursor::Name, 1));
        assert_eq!(cursor("order.status == \"sh"), (Cursor::Quoted, 2));
        assert_eq!(cursor(""), (Cursor::Name, 0));
    }

    #[test]
    fn only_an_open_insertion_is_an_expression() {
        assert_eq!(before("您好 ${order.", false), Some("order."));
        assert_eq!(before("${a} and more", false), None);
        assert_eq!(before("tries <", true), Some("tries <"));
    }
}
