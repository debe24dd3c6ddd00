//! What of an entry may be seen: keys and texts that no step took may be a secret that came too early or too late.
//!
//! A key is hidden until a step takes it. A text is seen when a step takes it at once, and else until it is taken, since
//! what a chat acknowledged must outlive a crash; but not once the contact was asked for a secret, nor when it holds a
//! card's number. What no step takes loses its digits, and all of it once the contact was asked for a secret. What comes right after
//! a step that asked for a secret and gave up may be that secret: it is hidden, and answers nothing.

use crate::card::is_card_number;
use crate::contact::Contact;
use crate::entry::HIDDEN;

/// Digits of a card's number (ISO/IEC 7812-1).
const CARD: std::ops::RangeInclusive<usize> = 12..=19;
/// The first format of journals in which texts are hidden that no step took.
const TEXTS_HIDDEN: u32 = 5;
/// The first format of journals in which what comes right after a step that asked for a secret and gave up is hidden.
const LATE_HIDDEN: u32 = 6;

impl Contact {
    /// A text that waits for a step to take it, as it may be seen.
    pub(crate) fn seen_ahead(&self, text: &str) -> String {
        let hides = self.asked_secret || holds_card_number(text);
        match hides && self.hides_texts() {
            true => hidden(text),
            false => text.to_owned(),
        }
    }

    /// A text that no step took, as it may be seen.
    pub(crate) fn seen_unmatched(&self, text: &str) -> String {
        match (self.hides_texts(), self.asked_secret) {
            (false, _) => text.to_owned(),
            (true, true) => hidden(text),
            (true, false) => text.chars().map(veiled_letter).collect(),
        }
    }

    /// In journals of older programs the next step took it.
    pub(crate) fn hides_late(&self) -> bool {
        self.format >= LATE_HIDDEN
    }

    /// In journals of older programs such texts stand as they were, digits that follow a whole secret went to the next step, and
    /// replays hold against them.
    pub(crate) fn hides_texts(&self) -> bool {
        self.format >= TEXTS_HIDDEN
    }
}

/// A key that may be part of a secret: secrets are made of digits, and the other keys only end them.
pub(crate) fn veiled(key: char) -> char {
    match key.is_ascii_digit() {
        true => HIDDEN,
        false => key,
    }
}

/// The same for a text, whose digits may be of any script.
fn veiled_letter(letter: char) -> char {
    match letter.is_numeric() {
        true => HIDDEN,
        false => letter,
    }
}

/// As many characters, of which none can be seen.
pub(crate) fn hidden(text: &str) -> String {
    HIDDEN.to_string().repeat(text.chars().count())
}

/// Whether nothing of a text can be seen.
pub fn is_hidden(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter == HIDDEN)
}

/// Whether a card's number stands in a text, written in one or in groups.
fn holds_card_number(text: &str) -> bool {
    let is_separator = |letter: char| matches!(letter, ' ' | '-');
    let numbers = text.split(|letter: char| !letter.is_ascii_digit() && !is_separator(letter));
    let is_card = |digits: &str| {
        let count = digits.chars().filter(char::is_ascii_digit).count();
        CARD.contains(&count) && is_card_number(digits)
    };
    // In groups, or one of several numbers that stand side by side.
    let mut numbers =
        numbers.flat_map(|number| std::iter::once(number).chain(number.split(is_separator)));
    numbers.any(is_card)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_s_number_is_found_in_words_and_groups() {
        for text in [
            "4111111111111111",
            "my card: 4111 1111-1111 1111, thanks",
            "2026 4111111111111111",
        ] {
            assert!(holds_card_number(text), "{text}");
        }
        for text in ["", "4111111111111112", "13800138000", "order 20260302", "0"] {
            assert!(!holds_card_number(text), "{text}");
        }
    }

    #[test]
    fn nothing_of_what_is_hidden_is_left() {
        assert_eq!(hidden("ab1"), "•••");
        assert!(is_hidden("•••") && !is_hidden("") && !is_hidden("•a"));
    }
}
