use std::borrow::Cow;

use crate::unseen::{is_unseen, written_out};

/// A text of several lines as it may be shown on a terminal: control characters other than line breaks and tabs, and those that turn the direction of
/// writing, are shown as escapes such as `\0` and `\u{1b}`. What a file or a caller says must not move the cursor or hide other words.
pub fn visible(text: &str) -> Cow<'_, str> {
    written_out(text, is_hidden, char::escape_debug)
}

/// Whether a character is not shown, but does something.
fn is_hidden(c: char) -> bool {
    !matches!(c, '\n' | '\t') && is_unseen(c)
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn what_moves_a_cursor_is_shown_as_an_escape() {
        for (text, shown) in [
            ("您好\n\tHello ”", "您好\n\tHello ”"),
            ("a\0b", "a\\0b"),
            ("\u{1b}[2J\u{7}", "\\u{1b}[2J\\u{7}"),
            ("\u{9b}31m\u{7f}\r", "\\u{9b}31m\\u{7f}\\r"),
            ("a\u{202e}b\u{2066}", "a\\u{202e}b\\u{2066}"),
        ] {
            assert_eq!(visible(text), shown);
        }
    }
}
