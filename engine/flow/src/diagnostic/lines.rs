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
}

impl<'a> Lines<'a> {
    /// Finds the lines of a text.
    pub fn new(source: &'a str) -> Lines<'a> {
        let mut starts = vec![0];
        starts.extend(
            source
                .bytes()
                .enumerate()
                .filter(|(_, byte)| *byte == b'\n')
                .map(|(index, _)| index + 1),
        );
        Lines { source, starts }
    }

    /// The text itself.
    pub(crate) fn source(&self) -> &'a str {
        self.source
    }

    /// Line and column of a byte, both from 1. A byte beyond the text counts as its end.
    pub fn position(&self, byte: usize) -> (u32, u32) {
        let byte = floor(self.source, byte);
        let line = self.starts.partition_point(|start| *start <= byte) - 1;
        let column = self.source[self.starts[line]..byte].chars().count() + 1;
        (narrow(line + 1), narrow(column))
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
    fn a_byte_inside_a_character_belongs_to_it() {
        assert_eq!(Lines::new("您").position(2), (1, 1));
    }
}
