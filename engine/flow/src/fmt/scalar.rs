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

pub(super) fn written(text: &str, span: Span, scalar: &Scalar) -> Written {
    let raw = text.get(span.start..span.end).unwrap_or("");
    let block = scalar.style == Style::Block;
    let raw = if block { raw } else { raw.trim() };
    let mut lines = raw.lines();
    let first = lines.next().unwrap_or("").trim_end();
    if !block {
        let rest = lines
            .map(|line| match scalar.style {
                Style::Plain => line.trim().to_owned(),
                // A blank before the line break may be escaped.
                _ => line.trim_start().to_owned(),
            })
            .collect();
        return Written {
            first: first.to_owned(),
            rest,
            keeps_empty_lines: false,
        };
    }
    let keeps = header(first).contains('+');
    let body: Vec<&str> = lines.collect();
    let depth = indentation(&body, &scalar.text);
    let mut rest: Vec<String> = body
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
        first: header(first)
            .chars()
            .map(|c| if c.is_ascii_digit() { '2' } else { c })
            .collect(),
        rest,
        keeps_empty_lines: keeps,
    }
}

/// `|`, `>` and what follows them, without a comment.
fn header(first: &str) -> &str {
    first.split_whitespace().next().unwrap_or("")
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
