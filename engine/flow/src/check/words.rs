//! Filters that put values into words, in languages that have none.

use std::collections::BTreeSet;

use super::report::Report;
use super::rules::no_words;
use crate::expr::{Expr, puts_into_words};
use crate::lower::Draft;
use crate::plan::Piece;
use crate::speak::has_words;

pub(super) fn check(draft: &Draft<'_>, report: &mut Report<'_>) {
    let wordless = |languages: &mut dyn Iterator<Item = &String>| -> BTreeSet<String> {
        languages
            .filter(|language| !has_words(language))
            .cloned()
            .collect()
    };
    let all = wordless(&mut draft.languages.iter());
    for prompt in &draft.prompts {
        let voices = &prompt.prompt.voices;
        // Of a language that is none of the flow's that is told.
        let spoken = |language: &String| language == "any" || draft.languages.contains(language);
        for (language, parts) in voices.iter().filter(|(language, _)| spoken(language)) {
            let own = match language.as_str() {
                // Of the languages that have nothing of their own.
                "any" => all
                    .iter()
                    .filter(|language| !voices.contains_key(*language))
                    .cloned()
                    .collect(),
                _ => wordless(&mut std::iter::once(language)),
            };
            for voice in parts {
                let languages = match &voice.language {
                    Some(language) => wordless(&mut std::iter::once(language)),
                    None => own.clone(),
                };
                let texts = voice.text.iter().chain(&voice.chat).flatten();
                for piece in texts {
                    if let Piece::Expr(expr) = piece {
                        tell(report, expr, &languages);
                    }
                }
            }
        }
    }
    for used in &draft.uses {
        tell(report, &used.expr, &all);
    }
}

fn tell(report: &mut Report<'_>, expr: &Expr, languages: &BTreeSet<String>) {
    if languages.is_empty() {
        return;
    }
    let languages: Vec<String> = languages.iter().cloned().collect();
    for (filter, at) in expr.filters() {
        if puts_into_words(filter) {
            no_words::none(report, at, filter, &languages);
        }
    }
}
