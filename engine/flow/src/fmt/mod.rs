//! One layout for flows: `strowger fmt`.
//!
//! The tree is written out again from its places in the text: keys and values letter for letter, blanks and
//! line breaks anew, comments where they were. What was made is read again and held against the tree it came
//! from, so that no layout can change what a flow says.

mod same;
mod scalar;
mod write;

use std::fmt;

use crate::check::report::Report;
use crate::diagnostic::Diagnostic;
use crate::yaml;

/// Why a text keeps its layout.
#[derive(Debug)]
pub enum Refused {
    /// It cannot be read as a whole; these findings say where.
    Unreadable(Vec<Diagnostic>),
    /// Laid out, it would not say the same: a rare shape of YAML that the layout does not know.
    Unlike,
}

/// In one sentence, for where there is no room for frames.
impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::Unreadable(findings) => {
                f.write_str("the file cannot be laid out before it can be read")?;
                findings.first().map_or(Ok(()), |first| {
                    let (line, message) = (first.primary.place.line, first.message.english());
                    write!(f, ": line {line}: {message}")
                })
            }
            Refused::Unlike => {
                f.write_str("laid out, the file would not say the same: it stays as it is")
            }
        }
    }
}

/// Lays out a flow. The result says the same as `source`, has all its comments, and stays as it is when it is
/// laid out again. Its lines end as the first one of `source` does, in LF or in CR LF; a byte order mark is left out. `file` is
/// the name in findings.
///
/// Never panics, whatever the bytes.
pub fn format(file: &str, source: &[u8]) -> Result<String, Refused> {
    let Ok(text) = std::str::from_utf8(source) else {
        let checked = crate::check(file, source, &crate::Catalog::default());
        return Err(Refused::Unreadable(checked.diagnostics));
    };
    let windows = text.find('\n').is_some_and(|at| text[..at].ends_with('\r'));
    // A byte order mark and the line breaks of Windows mean nothing.
    let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    let mut report = Report::new(file, &text);
    let read = yaml::read(&text, &mut report);
    let findings = report.finish();
    if !findings.is_empty() {
        return Err(Refused::Unreadable(findings));
    }
    let Some(root) = &read.root else {
        // Nothing but comments, or nothing at all.
        return Ok(ended(only_comments(&text), windows));
    };
    let written = write::write(&text, root, &read.comments);
    let mut report = Report::new(file, &written);
    let again = yaml::read(&written, &mut report);
    let same = report.finish().is_empty()
        && again
            .root
            .as_ref()
            .is_some_and(|again| same::trees(root, again))
        && same::comments(&read.comments, &again.comments);
    if same {
        Ok(ended(written, windows))
    } else {
        Err(Refused::Unlike)
    }
}

/// A text whose lines end as the file's did: what a checkout of Git makes of it on Windows is no layout.
fn ended(written: String, windows: bool) -> String {
    match windows {
        true => written.replace('\n', "\r\n"),
        false => written,
    }
}

/// A file without values: its lines without blanks at their ends.
fn only_comments(text: &str) -> String {
    let mut written: String = text
        .trim()
        .lines()
        .map(|line| format!("{}\n", line.trim()))
        .collect();
    if written == "\n" {
        written.clear();
    }
    written
}
