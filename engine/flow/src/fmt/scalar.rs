//! Scalars are written letter for letter; of those over several lines, the indentation is made anew.

use crate::expr::Span;
use crate::yaml::{Scalar, Style};

/// A scalar as it will stand in the text.
pub(super) struct Written {
    /// What follows the key or the dash.
    pub first: String,
    /// Further lines, without indentation.
    pub rest: Vec<String>,
    /// Whether every empty line after it belongs to it.
    pub keeps_empty_lines: bool,
}

/// A scalar that stands after a byte: behind its key's, or at the beginning of the line of its dash.
pub(super) fn written(text: &str, after: usize, span: Span, scalar: &Scalar) -> Written {
    match scalar.style {
        Style::Block => block(text, after, span, scalar),
        _ => flow(text.get(span.start..span.end).unwrap_or(""), scalar.style),
    }
}

fn flow(raw: &str, style: Style) -> Written {
    let mut lines = raw.trim().lines();
    let first = lines.next().unwrap_or("").trim_end().to_owned();
    let rest = lines
        .map(|line| match style {
            Style::Plain => line.trim().to_owned(),
            // A blank before the line break may be escaped.
            _ => line.trim_start().to_owned(),
        })
        .collect();
    Written {
        first,
        rest,
        keeps_empty_lines: false,
    }
}

fn block(text: &str, after: usize, span: Span, scalar: &Scalar) -> Written {
    let at = header_at(text, after);
    let header = text[at..].split_whitespace().next().unwrap_or("");
    let keeps = header.contains('+');
    let begin = text[at..].find('\n').map_or(text.len(), |end| at + end + 1);
    let body = text.get(begin..span.end).unwrap_or("");
    // What comes next may be indented; those blanks are no line of the text.
    let body = match body.rfind('\n') {
        Some(end) if body[end..].trim().is_empty() => &body[..=end],
        _ => body,
    };
    let lines: Vec<&str> = body.lines().collect();
    let depth = indentation(&lines, &scalar.text);
    let mut rest: Vec<String> = lines
        .iter()
        .map(|line| match line.trim().is_empty() && line.len() <= depth {
            true => String::new(),
            false => line.get(depth..).unwrap_or("").to_owned(),
        })
        .collect();
    while !keeps && rest.last().is_some_and(String::is_empty) {
        rest.pop();
    }
    Written {
        // A text that begins with blanks says how deep it is indented; here that is always two.
        first: header
            .chars()
            .map(|c| if c.is_ascii_digit() { '2' } else { c })
            .collect(),
        rest,
        keeps_empty_lines: keeps,
    }
}

/// Where the `|` or `>` of a block stands: behind blanks, colon, dashes and comments.
fn header_at(text: &str, after: usize) -> usize {
    let mut at = after;
    loop {
        let rest = text[at..].trim_start_matches([' ', ':', '-', '\n']);
        at = text.len() - rest.len();
        match rest.strip_prefix('#') {
            Some(comment) => at += comment.find('\n').unwrap_or(comment.len()) + 1,
            None => return at,
        }
    }
}

/// How deep a block's lines are indented: what the file has more than the text.
fn indentation(body: &[&str], text: &str) -> usize {
    let blanks = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let own = text.lines().find(|line| !line.trim().is_empty());
    let here = body.iter().find(|line| !line.trim().is_empty());
    match (here, own) {
        (Some(here), Some(own)) => blanks(here).saturating_sub(blanks(own)),
        _ => 0,
    }
}
