//! What is wrong with an expression, and where.

use crate::diagnostic::Text;

/// A range of bytes in the file, the end not included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Span {
    /// First byte.
    pub start: usize,
    /// The byte after the last one.
    pub end: usize,
}

/// Where a part of a text stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Letter for letter, from this byte on.
    Exact(usize),
    /// Somewhere within, written otherwise than it reads.
    Within(Span),
}

impl Span {
    /// The smallest range that holds both.
    pub fn to(self, other: Span) -> Span {
        Span {
            start: self.start.min(other.start),
            end: self.end.max(other.end),
        }
    }
}

/// One thing that is wrong, told to the designer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The rule's slug, such as `unknown-variable`.
    pub rule: &'static str,
    /// Where, in bytes of the file.
    pub span: Span,
    /// One sentence without a full stop, in the designer's words.
    pub message: Text,
    /// What to do about it; apart, so that what can fail has a small result.
    pub help: Option<Box<Text>>,
}
