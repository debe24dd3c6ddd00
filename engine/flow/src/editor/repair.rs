//! Reading a file that is broken because somebody is typing in it.

use crate::check::report::Report;
use crate::diagnostic::{floor, line_start};
use crate::yaml::{self, Node};

/// Most lines that are left out before a file counts as unreadable: one is being typed, and its mistake may
/// make the lines that hang on it unreadable too. Each costs one reading of the file.
const MAX_GAPS: usize = 6;

/// Largest file in which more than one line is left out, in bytes: beyond it the readings would take longer
/// than the pause between two keystrokes.
pub(super) const MAX_GAPPED: usize = 128 * 1024;

/// What reading gave.
pub(super) struct Reading {
    /// The tree, if the file could be read at all.
    pub root: Option<Node<'static>>,
    /// The text that was read: as long as the source, left-out lines being blank.
    pub text: String,
    /// Whether something was left out, or nothing could be read.
    pub gaps: bool,
}

/// Reads a file, leaving out the lines that make it unreadable: first the one that was changed last, then
/// the one that the reader complains of.
pub(super) fn read(source: &str, edited: Option<usize>) -> Reading {
    let complaint = match attempt(source) {
        Ok(root) => return done(root, source.to_owned(), false),
        Err(at) => at,
    };
    let gaps = if source.len() > MAX_GAPPED {
        1
    } else {
        MAX_GAPS
    };
    let starts = [edited.map(|_| edited), Some(complaint)];
    for start in starts.into_iter().flatten() {
        let (mut text, mut complaint) = (source.to_owned(), start);
        for _ in 0..gaps {
            let Some(at) = complaint else { break };
            let next = blank(&text, at);
            if next == text {
                break;
            }
            text = next;
            match attempt(&text) {
                Ok(root) => return done(root, text, true),
                Err(at) => complaint = at,
            }
        }
    }
    // A quote or bracket that is never closed is complained of far below: the lines that leave one open.
    let text = blank_open(source);
    if text != source
        && let Ok(root) = attempt(&text)
    {
        return done(root, text, true);
    }
    // What stands above the line being typed is better than nothing.
    if let Some(edited) = edited {
        let cut = &source[..line(source, edited).0];
        if let Ok(root) = attempt(cut) {
            return done(root, source.to_owned(), true);
        }
    }
    Reading {
        root: None,
        text: source.to_owned(),
        gaps: true,
    }
}

fn done(root: Node<'static>, text: String, gaps: bool) -> Reading {
    Reading {
        root: Some(root),
        text,
        gaps,
    }
}

/// The tree, or the byte that the reader stumbled at.
pub(super) fn attempt(text: &str) -> Result<Node<'static>, Option<usize>> {
    let mut report = Report::new("", text);
    let read = yaml::read(text, &mut report);
    let complaint = report.diagnostics().last();
    let complaint = complaint.map(|found| found.primary.span.start);
    read.root
        .map(Node::into_owned)
        .filter(|root| root.map().is_some())
        .ok_or(complaint)
}

/// First byte of the line of a byte, and the byte after its last one, the line break not counted.
pub(super) fn line(text: &str, at: usize) -> (usize, usize) {
    let at = floor(text, at);
    let start = line_start(text, at);
    let end = text[at..].find('\n').map_or(text.len(), |found| at + found);
    (start, end)
}

/// The same text with one line made blank, so that everything else keeps its place. A complaint at an empty
/// line is about the one before it.
fn blank(text: &str, at: usize) -> String {
    let (mut start, mut end) = line(text, at);
    while text[start..end].trim().is_empty() && start > 0 {
        (start, end) = line(text, start - 1);
    }
    let mut blanked = String::with_capacity(text.len());
    blanked.push_str(&text[..start]);
    blanked.extend(std::iter::repeat_n(' ', end - start));
    blanked.push_str(&text[end..]);
    blanked
}

/// The same text with the first lines blank that leave a quote or a bracket open.
fn blank_open(source: &str) -> String {
    let mut text = String::with_capacity(source.len());
    let mut gaps = 0;
    for line in source.split_inclusive('\n') {
        let content = line.trim_end_matches(['\n', '\r']);
        if gaps < MAX_GAPS && !closers(content).is_empty() {
            gaps += 1;
            text.extend(std::iter::repeat_n(' ', content.len()));
            text.push_str(&line[content.len()..]);
        } else {
            text.push_str(line);
        }
    }
    text
}

/// What closes the quotes, `${` and brackets that are open at the end of a line's beginning.
pub(super) fn closers(line: &str) -> String {
    let mut open: Vec<char> = Vec::new();
    let mut before = ' ';
    for c in line.chars() {
        match (open.last(), c) {
            (Some('"'), '"') | (Some('\''), '\'') | (Some('}'), '}') | (Some(']'), ']') => {
                open.pop();
            }
            // Inside quotes only an insertion's braces count.
            (Some('"' | '\''), '{') if before == '$' => open.push('}'),
            (Some('"' | '\''), _) => {}
            (_, '{') => open.push('}'),
            (_, '[') => open.push(']'),
            // A quote begins a value only where a value begins.
            (_, '"' | '\'') if matches!(before, ' ' | '{' | '[' | ',' | ':') => open.push(c),
            (_, '#') if before == ' ' => break,
            _ => {}
        }
        before = c;
    }
    open.into_iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_being_typed_is_left_out() {
        let source = "flow: a\nsteps:\n  one:\n    say: \"hel\n  two:\n    hangup: bye\n";
        let at = source.find("hel").expect("it stands there");
        let read = read(source, Some(at));
        assert!(read.gaps);
        assert_eq!(read.text.len(), source.len());
        let root = read.root.expect("the rest can be read");
        let steps = root.map().and_then(|map| map.value("steps")?.map());
        assert_eq!(steps.map(|steps| steps.entries.len()), Some(2));
    }

    #[test]
    fn an_open_quote_is_found_from_afar() {
        let source =
            "flow: a\nsteps:\n  one: { say: \"hel\n  two:\n    hangup: bye\n  # \"\n  k: [\"1\"]\n";
        let read = read(source, None);
        assert!(read.gaps && !read.text.contains("hel"), "{}", read.text);
        assert!(read.root.is_some());
    }

    #[test]
    fn nothing_readable_is_no_tree() {
        assert!(read("- a\n- b\n", None).root.is_none());
        assert!(read("", Some(9)).root.is_none());
        assert!(read("[[[[[", Some(2)).root.is_none());
    }

    #[test]
    fn what_is_open_is_closed() {
        assert_eq!(closers("  with: { phone: \"${call.fr"), "}\"}");
        assert_eq!(closers("  then: [ { set: { a: b } }, "), "]");
        assert_eq!(closers("  say: it's fine"), "");
        assert_eq!(closers("  say: \"您好 ${order.to"), "}\"");
    }
}
