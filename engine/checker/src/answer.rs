//! Answers, as JSON.

use serde::Serialize;
use strowger_flow::editor::{Hover, Offer, OfferKind, Symbol, SymbolKind};
use strowger_flow::expr::Span;

use crate::units::Units;

/// An object of members that are JSON already. A finding's line goes into it as it was rendered.
pub(crate) fn object(members: &[(&str, String)]) -> String {
    let members: Vec<String> = members
        .iter()
        .map(|(name, value)| format!("\"{name}\":{value}"))
        .collect();
    format!("{{{}}}", members.join(","))
}

/// A text as JSON.
pub(crate) fn string(text: &str) -> String {
    json(&text)
}

pub(crate) fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("texts, numbers and lists of them can be written")
}

#[derive(Serialize)]
struct Offered {
    label: String,
    kind: OfferKind,
    detail: String,
    page: String,
    insert: String,
    from: usize,
    to: usize,
}

#[derive(Serialize)]
struct Completion {
    offers: Vec<Offered>,
    all: bool,
}

/// Offers; `all` says that none were left out.
pub(crate) fn offers(offers: Vec<Offer>, all: bool, units: &Units<'_>) -> String {
    // The offers of one place mostly replace the same letters.
    let mut known: (Span, (usize, usize)) = (Span::default(), (0, 0));
    let offers = offers.into_iter().map(|offer| {
        if offer.replaces != known.0 {
            known = (offer.replaces, range(offer.replaces, units));
        }
        let (from, to) = known.1;
        Offered {
            label: offer.label,
            kind: offer.kind,
            detail: offer.detail,
            page: offer.page,
            insert: offer.insert,
            from,
            to,
        }
    });
    let offers = offers.collect();
    json(&Completion { offers, all })
}

/// What stands at a place; null when nothing can be said of it.
pub(crate) fn hover(hover: Option<Hover>, units: &Units<'_>) -> String {
    let hover = hover.map(|hover| {
        let (from, to) = range(hover.span, units);
        serde_json::json!({ "from": from, "to": to, "page": hover.page })
    });
    json(&hover)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    name: String,
    detail: String,
    kind: SymbolKind,
    from: usize,
    to: usize,
    name_from: usize,
    name_to: usize,
    children: Vec<Entry>,
}

/// The outline.
pub(crate) fn outline(symbols: Vec<Symbol>, units: &Units<'_>) -> String {
    object(&[("symbols", json(&entries(symbols, units)))])
}

fn entries(symbols: Vec<Symbol>, units: &Units<'_>) -> Vec<Entry> {
    let symbols = symbols.into_iter();
    symbols
        .map(|symbol| {
            let (from, to) = range(symbol.span, units);
            let (name_from, name_to) = range(symbol.name_span, units);
            Entry {
                name: symbol.name,
                detail: symbol.detail,
                kind: symbol.kind,
                from,
                to,
                name_from,
                name_to,
                children: entries(symbol.children, units),
            }
        })
        .collect()
}

fn range(span: Span, units: &Units<'_>) -> (usize, usize) {
    (units.unit(span.start), units.unit(span.end.max(span.start)))
}
