//! Where the `${ … }` of a text stand in the file.

use std::ops::Range;

use crate::expr::{Place, Span};
use crate::yaml::{Node, Scalar};

/// The insertions of one scalar, in what is written and in what YAML reads there.
///
/// Escapes, folding and indentation change a text, but neither the number nor the order of its insertions, and most of
/// these are written as they read.
pub(super) struct Insertions<'a> {
    text: &'a str,
    whole: Span,
    exact: Option<usize>,
    /// What is written, from the beginning of `whole` on.
    written: &'a str,
    /// Where they begin in `text`, and where in `written`; as many here as there.
    pairs: Vec<(usize, usize)>,
}

impl<'a> Insertions<'a> {
    pub fn new(source: &'a str, node: &Node, scalar: &'a Scalar) -> Insertions<'a> {
        let (text, whole) = (scalar.text.as_ref(), node.span);
        let written = source.get(whole.start..whole.end).unwrap_or_default();
        let pairs = match scalar.exact {
            Some(_) => Vec::new(),
            None => pairs(text, written),
        };
        Insertions {
            text,
            whole,
            exact: scalar.exact,
            written,
            pairs,
        }
    }

    /// Where a part of the text stands that begins with `${` or `{{`.
    pub fn place(&self, part: Range<usize>) -> Place {
        if let Some(start) = self.exact {
            return Place::Exact(start + part.start);
        }
        let found = self
            .pairs
            .binary_search_by_key(&part.start, |(read, _)| *read);
        let Some((_, at)) = found.ok().map(|index| self.pairs[index]) else {
            return Place::Within(self.whole);
        };
        let rest = &self.written[at..];
        if rest.starts_with(&self.text[part]) {
            return Place::Exact(self.whole.start + at);
        }
        // To its brace, or to the end of its line when it goes on below.
        let line = rest.lines().next().unwrap_or_default();
        let length = line
            .find('}')
            .map_or(line.trim_end().len(), |brace| brace + 1);
        Place::Within(Span {
            start: self.whole.start + at,
            end: self.whole.start + at + length,
        })
    }
}

/// What begins like an insertion, in both; empty when it cannot be told which is which.
fn pairs(text: &str, written: &str) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    for mark in ["${", "{{"] {
        let (read, stands) = (text.match_indices(mark), written.match_indices(mark));
        if read.clone().count() != stands.clone().count() {
            return Vec::new();
        }
        pairs.extend(
            read.zip(stands)
                .map(|((read, _), (stands, _))| (read, stands)),
        );
    }
    pairs.sort_unstable();
    pairs
}
