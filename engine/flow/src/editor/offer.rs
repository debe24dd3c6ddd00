//! What could be written at a place.

use serde::Serialize;

use crate::expr::Span;

/// Most offers that an editor is given at a time. It shows a dozen; the rest comes when more has been typed.
pub const MAX_OFFERS: usize = 1_000;

/// Something that could be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// As it is shown and found.
    pub label: String,
    /// What kind of thing it is.
    pub kind: OfferKind,
    /// A few words beside it.
    pub detail: String,
    /// Its page, in Markdown; may be empty.
    pub page: String,
    /// What is written in the place of `replaces`.
    pub insert: String,
    /// What has been typed of it, in bytes of the text.
    pub replaces: Span,
}

/// The kinds of offers, for the sign that an editor shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum OfferKind {
    /// A verb or a plugin's step.
    Step,
    /// A key of a map.
    Key,
    /// An outcome.
    Outcome,
    /// A target: a named step.
    Target,
    /// A prompt.
    Prompt,
    /// A flow.
    Flow,
    /// A variable or a field of one.
    Variable,
    /// A filter.
    Filter,
    /// A word: a type, `true`, a language.
    Word,
    /// A queue, a supplier, opening hours.
    Name,
    /// A file.
    File,
}

impl Offer {
    /// An offer that inserts its label.
    pub(super) fn new(kind: OfferKind, label: impl Into<String>) -> Offer {
        let label = label.into();
        Offer {
            insert: label.clone(),
            label,
            kind,
            detail: String::new(),
            page: String::new(),
            replaces: Span::default(),
        }
    }

    /// A key, with its colon when it is inserted.
    pub(super) fn key(kind: OfferKind, label: impl Into<String>) -> Offer {
        let mut offer = Offer::new(kind, label);
        offer.insert.push_str(": ");
        offer
    }

    pub(super) fn detail(mut self, detail: impl Into<String>) -> Offer {
        self.detail = detail.into();
        self
    }

    pub(super) fn page(mut self, page: impl Into<String>) -> Offer {
        self.page = page.into();
        self
    }
}
