use std::cell::OnceCell;

use crate::expr::Span;

/// A range of the file in lines and columns.
///
/// Both count from 1; columns count characters, not bytes and not terminal cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Place {
    /// Line of the first character.
    pub line: u32,
    /// Column of the first character.
    pub column: u32,
    /// Line of the last character.
    pub end_line: u32,
    /// The column after the last character.
    pub end_column: u32,
}

/// Where the lines of a text begin.
#[derive(Debug, Clone)]
pub struct Lines<'a> {
    source: &'a str,
    starts: Vec<usize>,
    /// How many characters begin before each block of [`BLOCK`] bytes: so a place in a very long line is found as fast as
    /// in a short one.
    before: OnceCell<Vec<usize>>,
}

/// Bytes of a block.
const BLOCK: usize = 1024;

impl<'a> Lines<'a> {
    /// Finds the lines of a text.
    pub fn new(source: &'a str) -> Lines<'a> {
        let mut starts = vec![0];
        // Lines are short: to look for each end by itself takes longer than to look at each byte.
        let mut at = 0;
        for byte in source.bytes() {
            at += 1;
            if byte == b'\n' {
                starts.push(at);
            }
        }
        Lines {
            source,
            starts,
            before: OnceCell::new(),
        }
    }

    /// How many characters begin before each block.
    fn before(&self) -> &[usize] {
        self.before.get_or_init(|| {
            let mut count = 0;
            let before = self.source.as_bytes().chunks(BLOCK).map(|block| {
                let before = count;
                count += characters(block);
                before
            });
            before.collect()
        })
    }

    /// The text itself.
    pub(crate) fn source(&self) -> &'a str {
        self.source
    }

    /// Line and column of a byte, both from 1. A byte beyond the text counts as its end.
    pub fn position(&self, byte: usize) -> (u32, u32) {
        let byte = floor(self.source, byte);
        let line = self.starts.partition_point(|start| *start <= byte) - 1;
        // A byte order mark is no character of the first line: no editor shows it.
        let start = match line {
            0 => byte_order_mark(self.source),
            line => self.starts[line],
        };
        let byte = byte.max(start);
        let column = match byte - start <= BLOCK {
            true => characters(&self.source.as_bytes()[start..byte]),
            false => self.characters_before(byte) - self.characters_before(start),
        } + 1;
        (narrow(line + 1), narrow(column))
    }

    fn characters_before(&self, byte: usize) -> usize {
        let block = byte / BLOCK;
        let rest = &self.source.as_bytes()[block * BLOCK..byte];
        // A text that ends with a whole block has no block at its end.
        match self.before().get(block) {
            Some(before) => before + characters(rest),
            None => characters(self.source.as_bytes()),
        }
    }

    /// A range in lines and columns.
    pub fn place(&self, span: Span) -> Place {
        let (line, column) = self.position(span.start);
        let (end_line, end_column) = self.position(span.end.max(span.start));
        Place {
            line,
            column,
            end_line,
            end_column,
        }
    }

    /// The byte at which a line begins, counted from 1; the text's end for lines beyond it.
    pub fn start_of(&self, line: u32) -> usize {
        self.starts
            .get((line as usize).saturating_sub(1))
            .copied()
            .unwrap_or(self.source.len())
    }
}

/// The nearest byte at or before `byte` at which a character begins.
pub(crate) fn floor(source: &str, byte: usize) -> usize {
    let mut byte = byte.min(source.len());
    while !source.is_char_boundary(byte) {
        byte -= 1;
    }
    byte
}

/// Where the line of a byte begins.
pub fn line_start(source: &str, byte: usize) -> usize {
    source[..byte].rfind('\n').map_or(0, |end| end + 1)
}

/// Bytes of the mark at a text's beginning; 0 when there is none.
fn byte_order_mark(source: &str) -> usize {
    match source.starts_with('\u{feff}') {
        true => '\u{feff}'.len_utf8(),
        false => 0,
    }
}

/// How many characters begin in bytes of UTF-8: all but those that go on with one (RFC 3629, section 3).
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| *byte & 0xC0 != 0x80).count()
}

fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let lines = Lines::new("a: 您好\r\nb: x\n");
        let place = lines.place(Span { start: 3, end: 9 });
        assert_eq!(
            (place.line, place.column, place.end_line, place.end_column),
            (1, 4, 1, 6)
        );
        assert_eq!(lines.position(11), (2, 1));
        assert_eq!(lines.position(10_000), (3, 1));
    }

    #[test]
    fn columns_of_a_long_line_count_characters_too() {
        for length in [BLOCK - 1, BLOCK, 3 * BLOCK, 3 * BLOCK + 7] {
            let source = format!("a\n{}", "您".repeat(length));
            let lines = Lines::new(&source);
            for index in [0, 1, length / 2, length - 1, length] {
                assert_eq!(lines.position(2 + 3 * index), (2, index as u32 + 1));
            }
        }
    }

    #[test]
    fn a_byte_order_mark_has_no_column() {
        let lines = Lines::new("\u{feff}flow: x\nb: 1\n");
        assert_eq!(lines.position(0), (1, 1));
        assert_eq!(lines.position(3), (1, 1));
        assert_eq!(lines.position(9), (1, 7));
        assert_eq!(lines.position(11), (2, 1));
    }

    #[test]
    fn a_byte_inside_a_character_belongs_to_it() {
        assert_eq!(Lines::new("您").position(2), (1, 1));
    }
}
