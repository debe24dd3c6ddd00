//! A change that a person would make of a line, and how places of the text before and after it belong together.

use super::STEP;
use crate::diagnostic::{Diagnostic, Label, Lines};
use crate::expr::Span;

/// What a line is changed into.
pub(super) struct Edit {
    /// The line, from 1.
    pub line: u32,
    /// Places of the text, in order: where, how many bytes go, and what comes there.
    pub changes: Vec<(usize, usize, String)>,
    pub kind: Kind,
}

pub(super) enum Kind {
    /// The line begins in another column: so many further right.
    Indent(isize),
    /// A colon lacks behind the word.
    Colon(Span),
    /// A blank lacks behind the word and its colon.
    Blank(Span),
    /// Behind the word and its colon stands another colon.
    Twice(Span),
    /// Behind the word stands another sign than its colon, or a blank before the colon and none behind it.
    Sign(Span),
    /// Commas lack behind the word and others of its list, or other signs stand for them.
    Comma(Span),
    /// `//` where a comment of the language begins with `#`, or where none was meant.
    Slashes,
    /// Full-width signs for the language's own.
    Wide,
    /// The hyphen lacks before the line, whose action stands below another one's: the verb of that is the other word.
    Dash(Span, Span),
    /// Signs that nobody sees.
    Unseen,
    /// The line of a key stands above it once more, with nothing below.
    Again,
    /// The line lacks above it that holds it and what is below: one at the margin, such as `steps:`.
    Head(&'static str),
    /// The line lacks above it that names its step, in the column of the others.
    Step { name: String, column: usize },
}

impl Edit {
    /// Whether a sign is taken for another one.
    pub fn confused(&self) -> bool {
        match self.kind {
            Kind::Sign(_) | Kind::Slashes => true,
            Kind::Comma(_) => self.changes.iter().all(|(_, gone, _)| *gone > 0),
            _ => false,
        }
    }

    /// What is tried before what: signs that are written for others, then what lacks, then lines that are moved far.
    pub fn rank(&self) -> u8 {
        match self.kind {
            Kind::Sign(_)
            | Kind::Slashes
            | Kind::Wide
            | Kind::Unseen
            | Kind::Again
            | Kind::Head(_)
            | Kind::Step { .. } => 0,
            _ if self.far() => 2,
            _ => 1,
        }
    }

    /// Whether it moves a line by more than a step.
    pub fn far(&self) -> bool {
        matches!(self.kind, Kind::Indent(by) if by.unsigned_abs() > STEP)
    }

    pub fn apply(&self, text: &str) -> String {
        let mut after = String::with_capacity(text.len() + 64);
        let mut from = 0;
        for (at, gone, come) in &self.changes {
            after.push_str(&text[from..*at]);
            after.push_str(come);
            from = at + gone;
        }
        after.push_str(&text[from..]);
        after
    }

    /// Where a byte of the changed text stands in the text as it is.
    pub fn place(&self, byte: usize) -> usize {
        let mut shift = 0isize;
        for (at, gone, come) in &self.changes {
            let begins = at.saturating_add_signed(shift);
            if byte < begins + come.len() {
                return match byte <= begins {
                    true => byte.saturating_add_signed(-shift),
                    false => at + (byte - begins).min(*gone),
                };
            }
            shift += come.len() as isize - *gone as isize;
        }
        byte.saturating_add_signed(-shift)
    }

    /// A finding of the changed text, as one of the text as it is.
    pub fn back(&self, mut found: Diagnostic, lines: &Lines<'_>) -> Diagnostic {
        let span = |span: Span| Span {
            start: self.place(span.start),
            end: self.place(span.end).max(self.place(span.start)),
        };
        let label = |label: &mut Label| {
            label.span = span(label.span);
            label.place = lines.place(label.span);
        };
        label(&mut found.primary);
        found.labels.iter_mut().for_each(label);
        if let Some(fix) = &mut found.fix {
            fix.span = span(fix.span);
            fix.place = lines.place(fix.span);
        }
        found
    }
}
