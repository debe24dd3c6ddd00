use std::borrow::Cow;
use std::ops::Range;

use annotate_snippets::{
    Annotation, AnnotationKind, Group, Level as Title, Origin, Patch, Renderer, Snippet,
};

use super::lines::floor;
use super::{Diagnostic, Label, Language, Level};
use crate::expr::Span;
use crate::unseen::in_its_lines;

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
    let mut snippet = Snippet::source(window.text.as_ref())
        .line_start(window.line)
        .annotation(window.annotation(AnnotationKind::Primary, &diagnostic.primary, language));
    for label in &diagnostic.labels {
        snippet = snippet.annotation(window.annotation(AnnotationKind::Context, label, language));
    }
    let title = level
        .primary_title(diagnostic.message.in_language(language))
        .id(diagnostic.rule);
    let file = in_its_lines(&diagnostic.file);
    let file = file.as_ref();
    let place = diagnostic.primary.place;
    let mut report = vec![match window.whole() {
        true => title.element(snippet.path(file)),
        // The renderer would count the column in what is left of the line.
        false => title
            .element(
                Origin::path(file)
                    .line(place.line as usize)
                    .char_column(place.column as usize),
            )
            .element(snippet),
    }];
    if let Some(help) = &diagnostic.help {
        let title = Title::HELP.secondary_title(help.in_language(language));
        report.push(match &diagnostic.fix {
            Some(fix) if window.whole() => title.element(
                Snippet::source(window.text.as_ref())
                    .line_start(window.line)
                    .path(file)
                    .patch(Patch::new(window.range(fix.span), fix.replacement.as_str())),
            ),
            _ => Group::with_title(title),
        });
    }
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut frame = renderer.render(&report);
    // The renderer lets those of a second kind of control characters pass (ECMA-48, section 5.3).
    frame = frame.replace(|c| ('\u{80}'..='\u{9f}').contains(&c), "\u{fffd}");
    frame.push('\n');
    frame
}

/// The lines that a frame needs. The renderer walks the whole text it is given, once per finding, so a
/// large file is not handed to it whole.
struct Window<'a> {
    text: Cow<'a, str>,
    offset: usize,
    line: usize,
    /// What is left of the text, when lines are too long to be shown: where it stood, and where it stands.
    kept: Vec<Kept>,
}

/// A piece of a text that was cut, in bytes from the beginning of the window.
struct Kept {
    from: Range<usize>,
    to: usize,
}

/// Longest line that is shown whole, in bytes: a screen is narrower.
const MAX_LINE: usize = 1_000;

/// How much of a longer one is shown before and behind each end of what a finding points at, in bytes.
const AROUND: usize = 60;

/// What stands where a line was cut.
const CUT: char = '…';

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
        let text = &source[start..end.max(start)];
        let mut window = Window {
            text: Cow::Borrowed(text),
            offset: start,
            line,
            kept: Vec::new(),
        };
        if text.lines().any(|line| line.len() > MAX_LINE) {
            let marks = places().flat_map(|(span, _)| [span.start, span.end]);
            let marks: Vec<usize> = marks.map(|at| at.saturating_sub(start)).collect();
            window.cut(text, &marks);
        }
        window
    }

    /// Whether nothing of the lines was cut.
    fn whole(&self) -> bool {
        self.kept.is_empty()
    }

    /// Leaves of lines that are too long what stands around the marks.
    fn cut(&mut self, text: &str, marks: &[usize]) {
        let mut left = String::new();
        let mut from = 0;
        for line in text.split_inclusive('\n') {
            let all = from..from + line.len();
            from = all.end;
            let mut pieces: Vec<Range<usize>> = Vec::new();
            if line.len() <= MAX_LINE {
                pieces.push(all.clone());
            } else {
                let content = all.start..all.end - usize::from(line.ends_with('\n'));
                let mut near: Vec<usize> = marks
                    .iter()
                    .copied()
                    .filter(|mark| (content.start..=content.end).contains(mark))
                    .collect();
                near.push(content.start);
                near.sort_unstable();
                for mark in near {
                    let start = floor(text, mark.saturating_sub(AROUND)).max(content.start);
                    let end = floor(text, (mark + AROUND).min(content.end));
                    match pieces.last_mut() {
                        Some(last) if start <= last.end => last.end = last.end.max(end),
                        _ => pieces.push(start..end.max(start)),
                    }
                }
            }
            let mut at = all.start;
            for piece in pieces {
                if piece.start > at {
                    left.push(CUT);
                }
                at = piece.end;
                self.kept.push(Kept {
                    from: piece.clone(),
                    to: left.len(),
                });
                left.push_str(&text[piece]);
            }
            let missing = all.end - at;
            if missing > usize::from(line.ends_with('\n')) {
                left.push(CUT);
            }
            if missing > 0 && line.ends_with('\n') {
                left.push('\n');
            }
        }
        self.text = Cow::Owned(left);
    }

    /// Where a byte of the window stands in what is left of it.
    fn place(&self, at: usize) -> usize {
        if self.whole() {
            return at;
        }
        let next = self.kept.partition_point(|piece| piece.from.start <= at);
        match next.checked_sub(1).map(|index| &self.kept[index]) {
            Some(piece) => piece.to + at.min(piece.from.end) - piece.from.start,
            None => 0,
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
        let place = |at: usize| floor(&self.text, self.place(at.saturating_sub(self.offset)));
        let start = place(span.start);
        start..place(span.end).max(start)
    }
}
