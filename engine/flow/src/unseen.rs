//! Characters that are not seen and change how others are: in a text that a stranger wrote they can forge a line, turn what
//! stands around it, or command a terminal.

use std::borrow::Cow;

/// Control characters, and those that break lines or turn the direction of text: separators, embeddings, overrides, isolates and
/// marks (Unicode Standard Annex 9, 2).
pub fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A text with each such character written out, `\n` and `\u{202e}`: one line, whatever it is.
pub fn visible(text: &str) -> Cow<'_, str> {
    written_out(text, is_unseen, char::escape_default)
}

/// A text with some of its characters written out.
pub(crate) fn written_out<E: Iterator<Item = char>>(
    text: &str,
    which: impl Fn(char) -> bool,
    escape: impl Fn(char) -> E,
) -> Cow<'_, str> {
    if !text.contains(&which) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        match which(letter) {
            true => shown.extend(escape(letter)),
            false => shown.push(letter),
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn a_strangers_text_stays_on_its_line_and_turns_nothing() {
        for (text, shown) in [
            ("Guten Tag, 您好 👋", "Guten Tag, 您好 👋"),
            ("a\nERROR b", "a\\nERROR b"),
            ("\u{1b}[2J", "\\u{1b}[2J"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("a\u{202e}b\u{2028}", "a\\u{202e}b\\u{2028}"),
            ("\0\u{7f}", "\\u{0}\\u{7f}"),
        ] {
            assert_eq!(visible(text), shown, "{text:?}");
        }
    }
}
