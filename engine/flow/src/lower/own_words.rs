//! The words that a step has of its own, as its description brings them: they are held against what the step gives them, as the flow's are.

use super::Binds;
use crate::diagnostic::{Text, text};
use crate::expr::{Finding, Lookup, TypeScope, infer_inserted, puts_into_words};
use crate::plan::Piece;
use crate::speak::has_words;
use crate::value::Type;

/// What such words may use: names of the step, and what every flow knows. They know none of the flow's own names.
pub(super) struct OwnScope<'s> {
    pub binds: &'s Binds,
    /// What is known about the contact.
    pub call: &'s Type,
}

impl TypeScope for OwnScope<'_> {
    fn variable(&self, name: &str) -> Lookup {
        match (self.binds.get(name), name) {
            (Some(ty), _) => Lookup::Known(ty.clone()),
            (None, "call") => Lookup::Known(self.call.clone()),
            (None, "now") => Lookup::Known(Type::DateTime),
            _ => Lookup::Unknown,
        }
    }

    fn names(&self) -> Vec<String> {
        let own = self.binds.keys().cloned();
        own.chain(["call".to_owned(), "now".to_owned()]).collect()
    }
}

impl OwnScope<'_> {
    /// The text, where all that it inserts can be said in its language; else why not.
    pub fn check(&self, language: &str, text: Vec<Piece>) -> Result<Vec<Piece>, Text> {
        for piece in &text {
            let Piece::Expr(expr) = piece else { continue };
            let (ty, findings) = infer_inserted(expr, self);
            if !findings.is_empty() {
                return Err(first(findings));
            }
            if ty.holds_secret() {
                return Err(Text::fixed("it says a secret", "其中有机密"));
            }
            if let Type::Object { .. } | Type::List(_) | Type::Optional(_) | Type::None = ty {
                let ty = ty.with_article();
                return Err(text!(
                    "it inserts {ty}, which cannot be said",
                    "插入的是{ty}，无法朗读";
                    ty
                ));
            }
            let mut filters = expr.filters().into_iter();
            if !has_words(language)
                && let Some((filter, _)) = filters.find(|(filter, _)| puts_into_words(filter))
            {
                return Err(text!(
                    "`{filter}` has no words in that language",
                    "`{filter}` 没有这种语言的读法"
                ));
            }
        }
        Ok(text)
    }
}

/// The first of what is wrong with an expression.
pub(super) fn first(findings: Vec<Finding>) -> Text {
    let mut messages = findings.into_iter().map(|finding| finding.message);
    messages.next().unwrap_or_default()
}
