//! Places in a text: bytes here, lines and UTF-16 units at the editor's.

use lsp_types::{Position, Range, TextDocumentContentChangeEvent};
use strowger_flow::expr::Span;

/// Where the lines of a text begin.
///
/// A line ends at `\n`, `\r\n` or `\r` (LSP 3.17, "Text Documents").
pub(super) struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    pub fn new(text: &'a str) -> Lines<'a> {
        let bytes = text.as_bytes();
        let mut starts = vec![0];
        starts.extend(bytes.iter().enumerate().filter_map(|(at, byte)| {
            let ends = *byte == b'\n' || (*byte == b'\r' && bytes.get(at + 1) != Some(&b'\n'));
            ends.then_some(at + 1)
        }));
        Lines { text, starts }
    }

    /// The byte of a position. One beyond a line counts as the line's end, one beyond the text as the text's
    /// end, one within a character as its beginning.
    pub fn byte(&self, position: Position) -> usize {
        let line = position.line as usize;
        let Some(start) = self.starts.get(line).copied() else {
            return self.text.len();
        };
        let next = self.starts.get(line + 1).copied();
        let line = &self.text[start..next.unwrap_or(self.text.len())];
        let line = line.trim_end_matches(['\n', '\r']);
        let mut units = 0;
        for (at, c) in line.char_indices() {
            units += c.len_utf16();
            if units > position.character as usize {
                return start + at;
            }
        }
        start + line.len()
    }

    /// The position of a byte.
    pub fn position(&self, byte: usize) -> Position {
        let mut byte = byte.min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        let line = self.starts.partition_point(|start| *start <= byte) - 1;
        let units: usize = self.text[self.starts[line]..byte]
            .chars()
            .map(char::len_utf16)
            .sum();
        Position {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            character: u32::try_from(units).unwrap_or(u32::MAX),
        }
    }

    pub fn range(&self, span: Span) -> Range {
        Range {
            start: self.position(span.start),
            end: self.position(span.end.max(span.start)),
        }
    }

    pub fn span(&self, range: Range) -> Span {
        let (one, other) = (self.byte(range.start), self.byte(range.end));
        Span {
            start: one.min(other),
            end: one.max(other),
        }
    }
}

/// Takes a change into a text; the byte after it.
pub(super) fn change(text: &mut String, event: TextDocumentContentChangeEvent) -> usize {
    match event.range {
        Some(range) => {
            let span = Lines::new(text).span(range);
            text.replace_range(span.start..span.end, &event.text);
            span.start + event.text.len()
        }
        None => {
            *text = event.text;
            0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(line: u32, character: u32) -> Position {
        Position { line, character }
    }

    #[test]
    fn characters_count_in_utf16() {
        let text = "zh: 您好😀x\r\nb\rc\n";
        let lines = Lines::new(text);
        assert_eq!(lines.byte(at(0, 4)), 4);
        assert_eq!(lines.byte(at(0, 6)), 10);
        assert_eq!(lines.byte(at(0, 7)), 10, "within the emoji");
        assert_eq!(lines.byte(at(0, 8)), 14);
        assert_eq!(lines.byte(at(0, 99)), 15, "beyond the line");
        assert_eq!(lines.position(14), at(0, 8));
        assert_eq!(lines.position(11), at(0, 6), "within the emoji");
        assert_eq!(lines.byte(at(1, 0)), 17);
        assert_eq!(lines.byte(at(2, 0)), 19);
        assert_eq!(lines.byte(at(9, 9)), text.len());
        assert_eq!(lines.position(99), at(3, 0));
    }

    #[test]
    fn a_change_may_be_backwards_or_whole() {
        let mut text = "say: 您好\n".to_owned();
        let event = |range, new: &str| TextDocumentContentChangeEvent {
            range,
            range_length: None,
            text: new.to_owned(),
        };
        let range = Range {
            start: at(0, 7),
            end: at(0, 6),
        };
        assert_eq!(change(&mut text, event(Some(range), "们好")), 14);
        assert_eq!(text, "say: 您们好\n");
        change(&mut text, event(None, "x"));
        assert_eq!(text, "x");
    }
}
