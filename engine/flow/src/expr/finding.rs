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
    /// The change that does it, where it is certain.
    pub change: Option<Box<Change>>,
}

/// A change of the text of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What is replaced, in bytes of the file where the expression is written there as it reads.
    pub span: Span,
    /// What must stand there: an expression that YAML escapes or folds is written otherwise than it reads, and has no
    /// such change.
    pub written: String,
    /// What stands there afterwards.
    pub replacement: String,
}

/// Signs that may end or break a text of YAML: a change that brings one in is not certain.
const YAML: &str = "\"'[]{},:#\\";

impl Change {
    pub(super) fn new(
        span: Span,
        written: impl Into<String>,
        replacement: impl Into<String>,
    ) -> Change {
        Change {
            span,
            written: written.into(),
            replacement: replacement.into(),
        }
    }

    /// Whether the change can be made in a file, and YAML reads it there as the expression language does.
    pub fn fits(&self, source: &str) -> bool {
        // Texts of expressions stand in either kind of quotes.
        let alike = |text: &str| text.replace('\'', "\"");
        let stands = source.get(self.span.start..self.span.end);
        let mut signs = self.replacement.chars().filter(|c| YAML.contains(*c));
        stands.is_some_and(|stands| alike(stands) == alike(&self.written))
            && signs.all(|sign| self.written.contains(sign))
    }
}
