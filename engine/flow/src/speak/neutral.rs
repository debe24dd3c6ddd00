//! Makes inserted values harmless: nothing in them is markup to a synthesiser.

use super::Language;
use crate::value::Locale;

/// The text without anything that a synthesiser takes for markup (SSML tags and entities, brackets of
/// phonemes), without control characters and without marks that turn the direction of reading.
///
/// In a chat only the last two are taken out; line breaks stay.
pub(super) fn neutral(text: &str, locale: &Locale) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}'
            | '\u{feff}' => {}
            '\n' | '\t' if !locale.spoken => clean.push(c),
            c if c.is_control() => clean.push(' '),
            '&' if locale.spoken => match Language::of(&locale.language) {
                Some(Language::English) => clean.push_str(" and "),
                Some(Language::Mandarin) => clean.push('和'),
                None => clean.push(' '),
            },
            '<' | '>' | '[' | ']' | '{' | '}' | '|' | '\\' if locale.spoken => clean.push(' '),
            c => clean.push(c),
        }
    }
    clean
}
