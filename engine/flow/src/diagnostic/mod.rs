//! What the checker tells the designer: one type, many renderers.

mod frame;
mod json;
mod lines;
mod text;
mod worst;

pub use crate::text;
pub(crate) use lines::floor;
pub use lines::line_start;
pub use lines::{Lines, Place};
#[doc(hidden)]
pub use text::closed_up;
pub use text::{Language, Text};

use crate::expr::Span;
use crate::unseen::in_its_lines;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The flow would not do what it says: it is not served and not published.
    Error,
    /// The flow runs, but a caller may be worse off for it.
    Warning,
}

impl Level {
    /// As it stands in frames and in JSON: `error` or `warning`.
    pub fn name(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warning => "warning",
        }
    }
}

/// A place in the file and what is to be said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// In bytes of the source.
    pub span: Span,
    /// The same in lines and columns.
    pub place: Place,
    /// A few words; may be empty.
    pub text: Text,
}

/// A change that certainly removes the finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What is replaced, in bytes of the source.
    pub span: Span,
    /// The same in lines and columns.
    pub place: Place,
    /// What stands there afterwards.
    pub replacement: String,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The rule's slug, such as `missing-outcome`; [`crate::rule`] has its page.
    pub rule: &'static str,
    /// How much it matters.
    pub level: Level,
    /// One sentence without a full stop, in the words of someone who runs a call centre.
    pub message: Text,
    /// The file as the caller of the checker named it.
    pub file: String,
    /// Where.
    pub primary: Label,
    /// Other places that explain it.
    pub labels: Vec<Label>,
    /// What to do about it.
    pub help: Option<Text>,
    /// The change that does it, when that is certain.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// A frame as rustc draws it, in English, with a line break at its end.
    ///
    /// `source` is the text that was checked; `colour` adds ANSI colours.
    pub fn render(&self, source: &str, colour: bool) -> String {
        self.render_in(Language::English, source, colour)
    }

    /// The same in another language.
    pub fn render_in(&self, language: Language, source: &str, colour: bool) -> String {
        frame::render(self, language, source, colour)
    }

    /// One line of JSON, without a line break, with the members `rule`, `level`, `message`, `file`,
    /// `line`, `column`, `endLine`, `endColumn`, `help`, `fix`, `labels`.
    ///
    /// Lines and columns count from 1, columns in characters; `endColumn` is the column after the last
    /// character. `help` and `fix` are null when there are none.
    pub fn render_json(&self) -> String {
        json::render(self, Language::English)
    }

    /// The same in another language.
    pub fn render_json_in(&self, language: Language) -> String {
        json::render(self, language)
    }

    /// One line for logs and for narrow places: `FILE:LINE:COLUMN: error[RULE]: MESSAGE`.
    pub fn render_concise(&self) -> String {
        self.render_concise_in(Language::English)
    }

    /// The same in another language.
    pub fn render_concise_in(&self, language: Language) -> String {
        format!(
            "{}:{}:{}: {}[{}]: {}",
            in_its_lines(&self.file),
            self.primary.place.line,
            self.primary.place.column,
            self.level.name(),
            self.rule,
            self.message.in_language(language)
        )
    }
}
