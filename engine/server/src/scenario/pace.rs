//! About how long it takes to say something. What the checker counts is longer: it must never be less than what is heard.

use strowger_contact::Millis;

/// A letter or digit of an alphabetic script, in milliseconds: about 15 in a second.
const LETTER_MS: Millis = 66;
/// A Chinese character, in milliseconds: about 4 in a second.
const CHARACTER_MS: Millis = 250;

/// About how long a text takes to say.
pub(super) fn spoken_ms(text: &str) -> Millis {
    text.chars()
        .map(|c| match c {
            '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}' => {
                CHARACTER_MS
            }
            c if c.is_alphanumeric() => LETTER_MS,
            _ => 0,
        })
        .sum()
}
