//! Characters that are not seen and change how others are: in a text that a stranger wrote they can forge a line, turn what
//! stands around it, or command a terminal.

use std::borrow::Cow;

/// Control characters, and those that break lines or turn the direction of text: separators, embeddings, overrides, isolates and
/// marks (Unicode Standard Annex 9, 2).
pub fn is_unseen(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Whether a character takes no room where it is shown: what joins or parts letters, marks where a word may break, or turns the
/// direction of text. Between letters that need none of that nobody sees it.
pub fn has_no_width(letter: char) -> bool {
    matches!(letter, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// Characters of a stranger's text that a message quotes.
const QUOTED: usize = 64;

/// A text with each such character written out, `\n` and `\u{202e}`: one line, whatever it is.
pub fn in_one_line(text: &str) -> Cow<'_, str> {
    written_out(text, is_unseen, char::escape_default)
}

/// A text of several lines as it may be shown on a terminal: all such characters but line breaks and tabs are written out, `\0` and
/// `\u{1b}`. What a file or a caller says must not move the cursor or hide other words.
pub fn in_its_lines(text: &str) -> Cow<'_, str> {
    let hidden = |letter| !matches!(letter, '\n' | '\t') && is_unseen(letter);
    written_out(text, hidden, char::escape_debug)
}

/// As much of a stranger's text as a message quotes: its first 64 characters, in one line.
pub fn quoted(text: &str) -> String {
    quoted_up_to(text, QUOTED)
}

/// So many characters of a stranger's text, in one line.
pub fn quoted_up_to(text: &str, characters: usize) -> String {
    let end = text.char_indices().nth(characters);
    let beginning = end.map_or(text, |(end, _)| &text[..end]);
    in_one_line(beginning).into_owned()
}

/// A text with some of its characters written out.
fn written_out<E: Iterator<Item = char>>(
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
    use super::{in_its_lines, in_one_line, quoted};

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
            assert_eq!(in_one_line(text), shown, "{text:?}");
        }
    }

    #[test]
    fn what_moves_a_cursor_is_shown_as_an_escape() {
        for (text, shown) in [
            ("您好\n\tHello ”", "您好\n\tHello ”"),
            ("a\0b", "a\\0b"),
            ("\u{1b}[2J\u{7}", "\\u{1b}[2J\\u{7}"),
            ("\u{9b}31m\u{7f}\r", "\\u{9b}31m\\u{7f}\\r"),
            ("a\u{202e}b\u{2066}", "a\\u{202e}b\\u{2066}"),
        ] {
            assert_eq!(in_its_lines(text), shown);
        }
    }

    #[test]
    fn a_message_quotes_the_beginning_in_one_line() {
        assert_eq!(quoted("it's \"so\" 您好"), "it's \"so\" 您好");
        assert_eq!(quoted("a\n\u{202e}b"), "a\\n\\u{202e}b");
        assert_eq!(quoted(&"您".repeat(70)), "您".repeat(64));
        // Characters are counted before any is written out.
        assert_eq!(quoted(&"\n".repeat(70)), "\\n".repeat(64));
    }
}
