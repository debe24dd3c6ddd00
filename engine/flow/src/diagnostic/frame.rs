use std::ops::Range;

use annotate_snippets::{
    Annotation, AnnotationKind, Group, Level as Title, Patch, Renderer, Snippet,
};

use super::lines::floor;
use super::{Diagnostic, Label, Language, Level};
use crate::expr::Span;

pub(super) fn render(
    diagnostic: &Diagnostic,
    language: Language,
    source: &str,
    colour: bool,
) -> String {
    let level = match diagnostic.level {
        Level::Error => Title::ERROR,
        Level::Warning => Title::WARNING,
    };
    let window = Window::around(diagnostic, source);
    let mut snippet = Snippet::source(window.text)
        .line_start(window.line)
        .path(diagnostic.file.as_str())
        .annotation(window.annotation(AnnotationKind::Primary, &diagnostic.primary, language));
    for label in &diagnostic.labels {
        snippet = snippet.annotation(window.annotation(AnnotationKind::Context, label, language));
    }
    let mut report = vec![
        level
            .primary_title(diagnostic.message.in_language(language))
            .id(diagnostic.rule)
            .element(snippet),
    ];
    if let Some(help) = &diagnostic.help {
        let title = Title::HELP.secondary_title(help.in_language(language));
        report.push(match &diagnostic.fix {
            Some(fix) => title.element(
                Snippet::source(window.text)
                    .line_start(window.line)
                    .path(diagnostic.file.as_str())
                    .patch(Patch::new(window.range(fix.span), fix.replacement.as_str())),
            ),
            None => Group::with_title(title),
        });
    }
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut frame = renderer.render(&report);
    frame.push('\n');
    frame
}

/// The lines that a frame needs. The renderer walks the whole text it is given, once per finding, so a
/// large file is not handed to it whole.
struct Window<'a> {
    text: &'a str,
    offset: usize,
    line: usize,
}

impl<'a> Window<'a> {
    fn around(diagnostic: &Diagnostic, source: &'a str) -> Window<'a> {
        let places = || {
            std::iter::once((diagnostic.primary.span, diagnostic.primary.place))
                .chain(
                    diagnostic
                        .labels
                        .iter()
                        .map(|label| (label.span, label.place)),
                )
                .chain(diagnostic.fix.iter().map(|fix| (fix.span, fix.place)))
        };
        let first = places().min_by_key(|(span, _)| span.start);
        let (start, line) = first.map_or((0, 1), |(span, place)| (span.start, place.line as usize));
        let end = places()
            .map(|(span, _)| span.end.max(span.start))
            .max()
            .unwrap_or(start);
        let start = source[..floor(source, start)]
            .rfind('\n')
            .map_or(0, |at| at + 1);
        let end = floor(source, end);
        let end = source[end..]
            .find('\n')
            .map_or(source.len(), |at| end + at + 1);
        Window {
            text: &source[start..end.max(start)],
            offset: start,
            line,
        }
    }

    fn annotation<'l>(
        &self,
        kind: AnnotationKind,
        label: &'l Label,
        language: Language,
    ) -> Annotation<'l> {
        let annotation = kind.span(self.range(label.span));
        match label.text.in_language(language) {
            "" => annotation,
            text => annotation.label(text),
        }
    }

    /// A range within the window and between characters, whatever the span says.
    fn range(&self, span: Span) -> Range<usize> {
        let start = floor(self.text, span.start.saturating_sub(self.offset));
        let end = floor(self.text, span.end.saturating_sub(self.offset)).max(start);
        start..end
    }
}
