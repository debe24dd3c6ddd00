//! What is wrong with a project, in the one form in which findings are told.

use std::ops::Range;
use std::sync::Arc;

use strowger_flow::diagnostic::{Label, Language, Lines, Text};
use strowger_flow::expr::Span;
use strowger_flow::{Diagnostic, Level};

/// The rule of findings about the files beside the flows, the plugins and the machine.
pub const PROJECT_RULE: &str = "project";

/// A finding, with the text it points into.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What is wrong and where.
    pub diagnostic: Diagnostic,
    /// The file's text; none when the finding is about the project as a whole.
    source: Option<Arc<str>>,
}

impl Finding {
    /// A finding about the project as a whole: it has a file to be thought of under, and no line.
    pub fn whole(level: Level, file: &str, message: Text, help: Option<Text>) -> Finding {
        Finding {
            diagnostic: diagnostic(level, file, "", 0..0, message, help),
            source: None,
        }
    }

    /// A finding that a checker made of a text.
    pub fn of(diagnostic: Diagnostic, source: Arc<str>) -> Finding {
        let source = Some(source);
        Finding { diagnostic, source }
    }

    /// The text of the file it is about, if it has a place there.
    pub fn text(&self) -> Option<&str> {
        self.source.as_deref()
    }

    /// Whether it keeps the project from being served.
    pub fn is_error(&self) -> bool {
        self.diagnostic.level == Level::Error
    }

    /// A frame as rustc draws it, with a line break at its end; without a place, two lines.
    pub fn render(&self, language: Language, colour: bool) -> String {
        let found = &self.diagnostic;
        match &self.source {
            Some(source) => found.render_in(language, source, colour),
            None => {
                let help = found.help.as_ref().map_or(String::new(), |help| {
                    format!("help: {}\n", help.in_language(language))
                });
                let (level, message) = (found.level.name(), found.message.in_language(language));
                format!("{level}[{}]: {message}\n{help}", found.rule)
            }
        }
    }

    /// One line of JSON, in the shape of all findings. Without a place it is line 1, column 1.
    pub fn render_json(&self, language: Language) -> String {
        self.diagnostic.render_json_in(language)
    }
}

/// A file beside the flows, ready to be pointed into.
#[derive(Debug, Clone)]
pub struct Source {
    /// As findings name it.
    pub file: String,
    /// What stands in it.
    pub text: Arc<str>,
}

impl Source {
    /// A file's text under its name.
    pub fn new(file: &std::path::Path, text: &str) -> Source {
        Source {
            file: file.display().to_string(),
            text: text.into(),
        }
    }

    /// A finding about a part of the file.
    pub fn finding(
        &self,
        level: Level,
        at: Range<usize>,
        message: Text,
        help: Option<Text>,
    ) -> Finding {
        let found = diagnostic(level, &self.file, &self.text, at, message, help);
        Finding::of(found, self.text.clone())
    }

    /// The bytes of a line, counted from 1, from a column on, without what surrounds the words in it.
    pub fn line(&self, line: usize, column: usize) -> Range<usize> {
        let start = self
            .text
            .split_inclusive('\n')
            .take(line.saturating_sub(1))
            .map(str::len)
            .sum::<usize>();
        let rest = self.text[start..].lines().next().unwrap_or_default();
        let skipped = rest
            .char_indices()
            .nth(column.saturating_sub(1))
            .map_or(rest.len(), |(at, _)| at);
        start + skipped..start + rest.trim_end().len().max(skipped)
    }
}

fn diagnostic(
    level: Level,
    file: &str,
    source: &str,
    span: Range<usize>,
    message: Text,
    help: Option<Text>,
) -> Diagnostic {
    let span = Span {
        start: span.start,
        end: span.end,
    };
    Diagnostic {
        rule: PROJECT_RULE,
        level,
        message,
        file: file.to_owned(),
        primary: Label {
            span,
            place: Lines::new(source).place(span),
            text: Text::default(),
        },
        labels: Vec::new(),
        help,
        fix: None,
    }
}
