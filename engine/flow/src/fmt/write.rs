use std::collections::VecDeque;

use super::scalar::{self, Written};
use crate::diagnostic::line_start;
use crate::expr::Span;
use crate::yaml::{Comment, Content, Entry, Node};

/// Longest one-line map or list, in characters with its indentation: longer ones get a line an entry.
const MAX_WIDTH: usize = 120;

/// Blanks per level.
const INDENT: usize = 2;

/// Writes a tree out.
pub(super) fn write(text: &str, root: &Node, comments: &[Comment]) -> String {
    let mut writer = Writer {
        text,
        comments: comments.iter().collect(),
        out: String::new(),
        fresh: true,
        keeps_empty_lines: false,
        commented: usize::MAX,
        unfolded: None,
        beside: Vec::new(),
    };
    match (&root.content, writer.one_line(root, 0)) {
        (Content::Scalar(_), _) | (_, Some(_)) => writer.value(root, 0, 0, text.len()),
        (_, None) => writer.collection(root, 0, None, text.len()),
    }
    writer.comments_before(text.len(), 0, None);
    writer.level();
    writer.out
}

/// A comment behind a value.
struct Beside {
    /// Where the value ends in what is written, and where the comment begins.
    end: usize,
    begin: usize,
    /// The comment's column in the file.
    column: usize,
}

struct Writer<'t> {
    text: &'t str,
    /// Those that are not written yet, in the order of the file.
    comments: VecDeque<&'t Comment>,
    out: String,
    /// Whether nothing of the collection at hand has been written: no empty line comes first.
    fresh: bool,
    /// Whether an empty line here would belong to the text before it.
    keeps_empty_lines: bool,
    /// How long `out` was when a comment ended its last line: there is no room for another one.
    commented: usize,
    /// Within a map or a list that stood in brackets and gets a line an entry: where the values end in `out` that have comments behind
    /// them, and where those begin.
    unfolded: Option<Vec<(usize, usize)>>,
    /// All other comments behind values.
    beside: Vec<Beside>,
}

impl Writer<'_> {
    /// A map or a list, a line an entry. `outer` is the column of the collection around it, `limit` the byte at
    /// which something else begins.
    fn collection(&mut self, node: &Node, indent: usize, outer: Option<usize>, limit: usize) {
        let unfolds = self.is_flow(node) && self.unfolded.is_none();
        if unfolds {
            self.unfolded = Some(Vec::new());
        }
        self.entries(node, indent, outer, limit);
        if unfolds {
            let comments = self.unfolded.take().unwrap_or_default();
            self.align(&comments);
        }
    }

    fn entries(&mut self, node: &Node, indent: usize, outer: Option<usize>, limit: usize) {
        let column = self.column(node.span.start);
        let starts: Vec<usize> = match &node.content {
            Content::List(items) => items.iter().map(|item| item.span.start).collect(),
            Content::Map(map) => map.entries.iter().map(|e| e.key_span.start).collect(),
            Content::Scalar(_) => Vec::new(),
        };
        for (index, start) in starts.iter().enumerate() {
            let next = starts.get(index + 1).copied().unwrap_or(limit);
            self.comments_before(*start, indent, None);
            self.empty_line_before(*start);
            if let Content::List(items) = &node.content {
                // Those behind the bracket of an item that loses it have no place beside the dash.
                let first = self.first_within(&items[index]);
                self.comments_before(first, indent, None);
            }
            self.begin(indent);
            match &node.content {
                Content::List(items) => self.item(&items[index], indent, column, next),
                Content::Map(map) => self.entry(&map.entries[index], indent, column, next),
                Content::Scalar(_) => {}
            }
        }
        // What is indented like this collection belongs to it; the rest, to one further out.
        let flow = self.is_flow(node);
        let deeper = if flow {
            None
        } else {
            outer.map(|outer| column.max(outer + 1))
        };
        let end = if flow { node.span.end } else { limit };
        self.comments_before(end, indent, deeper);
    }

    /// Where the first value or key stands in an item whose brackets hold comments, so that it gets lines of its own.
    fn first_within(&self, item: &Node) -> usize {
        let start = item.span.start;
        if !(self.is_flow(item) && self.has_comment(item.span)) {
            return start;
        }
        match &item.content {
            Content::List(items) => items.first().map_or(start, |item| self.first_within(item)),
            Content::Map(map) => map.entries.first().map_or(start, |e| e.key_span.start),
            Content::Scalar(_) => start,
        }
    }

    fn item(&mut self, item: &Node, indent: usize, column: usize, next: usize) {
        self.out.push('-');
        if item.absent()
            || item.scalar().is_some()
            || self.one_line(item, indent + INDENT).is_some()
        {
            let line = self.text[..item.span.start]
                .trim_end()
                .rfind('\n')
                .map_or(0, |at| at + 1);
            self.value(item, line, indent, next);
            return;
        }
        // The first entry stands beside the dash.
        self.out.push(' ');
        self.fresh = true;
        self.collection(item, indent + INDENT, Some(column), next);
    }

    fn entry(&mut self, entry: &Entry, indent: usize, column: usize, next: usize) {
        let key = self.raw(entry.key_span).to_owned();
        self.out.push_str(&key);
        self.out.push(':');
        let value = &entry.value;
        let width = indent + width(&key) + 2;
        if value.scalar().is_some() || self.one_line(value, width).is_some() {
            self.value(value, entry.key_span.end, indent, next);
            return;
        }
        self.trailing(entry.key_span.end, value.span.start);
        self.end_line();
        self.fresh = true;
        self.collection(value, indent + INDENT, Some(column), next);
    }

    /// A value that begins on the line at hand, behind a byte of the file.
    fn value(&mut self, node: &Node, after: usize, indent: usize, next: usize) {
        if let Some(line) = self.one_line(node, 0) {
            if !line.is_empty() {
                self.blank();
                self.out.push_str(&line);
            }
            self.trailing(node.span.end, next);
            self.end_line();
            return;
        }
        let Some(scalar) = node.scalar() else { return };
        let Written {
            first,
            rest,
            keeps_empty_lines,
        } = scalar::written(self.text, after, node.span, scalar);
        self.blank();
        self.out.push_str(&first);
        let block = scalar.style == crate::yaml::Style::Block;
        if block {
            // A comment beside `|` would otherwise become a part of the text.
            self.trailing(node.span.start, node.span.end);
        }
        self.end_line();
        for (index, line) in rest.iter().enumerate() {
            if !line.is_empty() {
                self.begin(indent + INDENT);
                self.out.push_str(line);
            }
            if index + 1 == rest.len() && !block {
                self.trailing(node.span.end, next);
            }
            self.out.push('\n');
        }
        self.keeps_empty_lines = keeps_empty_lines;
    }

    /// A value on one line, when it may stand on one and fits: `used` columns are taken already.
    fn one_line(&self, node: &Node, used: usize) -> Option<String> {
        let mut line = String::new();
        self.append(node, &mut line, used)?;
        Some(line)
    }

    fn append(&self, node: &Node, line: &mut String, used: usize) -> Option<()> {
        match &node.content {
            Content::Scalar(scalar) => {
                let raw = self.raw(node.span);
                if scalar.text.is_empty() && scalar.absent() {
                    return Some(());
                }
                if raw.contains('\n') || scalar.style == crate::yaml::Style::Block {
                    return None;
                }
                line.push_str(raw);
                return Some(());
            }
            Content::List(items) => {
                let own = self.is_flow(node) && !self.has_comment(node.span);
                let flat = items.iter().all(|item| item.scalar().is_some());
                let (open, close) = if flat { ("[", "]") } else { ("[ ", " ]") };
                own.then(|| line.push_str(open))?;
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        line.push_str(", ");
                    }
                    self.flow_value(item, line, used)?;
                }
                line.push_str(close);
            }
            Content::Map(map) => {
                // `[a: b]` is a list with a map that has no braces of its own.
                let own =
                    (self.is_flow(node) || self.inside_flow(node)) && !self.has_comment(node.span);
                own.then(|| line.push('{'))?;
                for (index, entry) in map.entries.iter().enumerate() {
                    line.push_str(if index > 0 { ", " } else { " " });
                    line.push_str(self.raw(entry.key_span));
                    // A word without a colon is a key to YAML: what may lack there is for the checks to tell.
                    if !self.text[entry.key_span.end..]
                        .trim_start()
                        .starts_with(':')
                    {
                        continue;
                    }
                    line.push_str(": ");
                    self.flow_value(&entry.value, line, used)?;
                }
                line.push_str(if map.entries.is_empty() { "}" } else { " }" });
            }
        }
        (width(line) + used <= MAX_WIDTH || self.is_empty(node)).then_some(())
    }

    fn flow_value(&self, node: &Node, line: &mut String, used: usize) -> Option<()> {
        if node.scalar().is_some_and(|scalar| scalar.text.is_empty()) && node.absent() {
            line.push('~');
            return Some(());
        }
        self.append(node, line, used)
    }

    fn is_empty(&self, node: &Node) -> bool {
        match &node.content {
            Content::List(items) => items.is_empty(),
            Content::Map(map) => map.entries.is_empty(),
            Content::Scalar(_) => true,
        }
    }

    fn is_flow(&self, node: &Node) -> bool {
        node.scalar().is_none() && self.text[node.span.start..].starts_with(['{', '['])
    }

    /// Whether a map without braces stands between brackets: then a `,` or a `[` is before it.
    fn inside_flow(&self, node: &Node) -> bool {
        self.text[..node.span.start]
            .trim_end()
            .ends_with(['[', ','])
    }

    /// Comments on lines of their own that stand before a byte; with `deeper`, only as long as they are
    /// indented at least that far.
    fn comments_before(&mut self, byte: usize, indent: usize, deeper: Option<usize>) {
        while let Some(comment) = self.comments.front().copied() {
            let at = comment.span.start;
            if at >= byte || deeper.is_some_and(|column| self.column(at) < column) {
                return;
            }
            self.comments.pop_front();
            // Beside a dash: the line goes on below.
            self.empty_line_before(at);
            self.begin(indent);
            let words = self.raw(comment.span).trim_end().to_owned();
            self.out.push_str(&words);
            self.end_line();
        }
    }

    /// Comments at the end of the line at hand: those before a byte that do not stand on a line of their own.
    fn trailing(&mut self, after: usize, byte: usize) {
        while let Some(comment) = self.comments.front().copied() {
            let at = comment.span.start;
            let below = self
                .text
                .get(after..at)
                .is_some_and(|between| between.contains('\n'));
            if at >= byte || !comment.trailing || below || self.commented == self.out.len() {
                return;
            }
            self.comments.pop_front();
            // Comments that stand below each other stay so, where there is room.
            let taken = width(self.line());
            let column = match self.unfolded {
                // Where they stood says nothing: the lines are others now.
                Some(_) => taken + 2,
                None => self.column(at).max(taken + 2),
            };
            let end = self.out.len();
            self.out.push_str(&padding(taken, column));
            let begin = self.out.len();
            let column = self.column(at);
            match &mut self.unfolded {
                Some(comments) => comments.push((end, begin)),
                None => self.beside.push(Beside { end, begin, column }),
            }
            let words = self.raw(comment.span).trim_end().to_owned();
            self.out.push_str(&words);
            self.commented = self.out.len();
        }
    }

    /// Puts comments below each other again that stood so in lines that follow each other, where one of them had to give way.
    fn level(&mut self) {
        let written = std::mem::take(&mut self.out);
        let run = |a: &Beside, b: &Beside| {
            a.column == b.column && written[a.begin..b.end].matches('\n').count() == 1
        };
        let taken = |one: &Beside| {
            let before = &written[..one.end];
            width(before.rsplit_once('\n').map_or(before, |(_, line)| line))
        };
        let mut from = 0;
        for run in self.beside.chunk_by(run) {
            let columns = run.iter().map(|one| taken(one) + one.begin - one.end);
            let column = columns.max().unwrap_or(0);
            for one in run {
                self.out.push_str(&written[from..one.end]);
                self.out.push_str(&padding(taken(one), column));
                from = one.begin;
            }
        }
        self.out.push_str(&written[from..]);
    }

    /// Puts comments at the ends of lines that follow each other below each other, as they stay.
    fn align(&mut self, comments: &[(usize, usize)]) {
        let Some((first, _)) = comments.first() else {
            return;
        };
        let written = self.out.split_off(*first);
        let at = |place: usize| place - first;
        let ends_with_comment = self.commented == first + written.len();
        let next_line = |a: &(usize, usize), b: &(usize, usize)| {
            written[at(a.1)..at(b.0)].matches('\n').count() == 1
        };
        let mut from = *first;
        for run in comments.chunk_by(next_line) {
            let taken: Vec<usize> = run
                .iter()
                .map(|(end, _)| {
                    let before = written[..at(*end)].rsplit_once('\n');
                    match before {
                        Some((_, line)) => width(line),
                        None => width(self.line()) + width(&written[..at(*end)]),
                    }
                })
                .collect();
            let column = taken.iter().max().map_or(0, |most| most + 2);
            for ((end, begin), taken) in run.iter().zip(taken) {
                self.out.push_str(&written[at(from)..at(*end)]);
                self.out.push_str(&padding(taken, column));
                from = *begin;
            }
        }
        self.out.push_str(&written[at(from)..]);
        if ends_with_comment {
            self.commented = self.out.len();
        }
    }

    /// The empty line that stands before a byte's line in the file, at most one.
    fn empty_line_before(&mut self, byte: usize) {
        let line = self.text[..byte].rfind('\n').unwrap_or(0);
        let above = line_start(self.text, line);
        let empty = line > 0 && self.text[above..line].trim().is_empty();
        let own = self.text[line..byte]
            .trim_start_matches(['-', ' ', '\n'])
            .is_empty();
        if empty && own && !self.fresh && !self.keeps_empty_lines && self.at_line_start() {
            self.out.push('\n');
        }
    }

    /// Begins a line; beside a dash there is nothing to begin.
    fn begin(&mut self, indent: usize) {
        if self.at_line_start() {
            self.out.push_str(&" ".repeat(indent));
        }
        self.fresh = false;
        self.keeps_empty_lines = false;
    }

    fn blank(&mut self) {
        if !self.at_line_start() {
            self.out.push(' ');
        }
    }

    fn end_line(&mut self) {
        if !self.at_line_start() {
            self.out.push('\n');
        }
    }

    fn at_line_start(&self) -> bool {
        self.out.is_empty() || self.out.ends_with('\n')
    }

    fn line(&self) -> &str {
        self.out.rsplit('\n').next().unwrap_or("")
    }

    fn has_comment(&self, span: Span) -> bool {
        let first = self.comments.partition_point(|c| c.span.start < span.start);
        self.comments
            .get(first)
            .is_some_and(|comment| comment.span.start < span.end)
    }

    fn raw(&self, span: Span) -> &str {
        self.text.get(span.start..span.end).unwrap_or("").trim()
    }

    /// Characters before a byte on its line.
    fn column(&self, byte: usize) -> usize {
        let line = line_start(self.text, byte);
        width(&self.text[line..byte])
    }
}

/// The blanks between a value that takes so many columns and a comment that is to stand in another.
fn padding(taken: usize, column: usize) -> String {
    " ".repeat(column.min(MAX_WIDTH.max(taken + 2)) - taken)
}

fn width(text: &str) -> usize {
    text.chars().count()
}
