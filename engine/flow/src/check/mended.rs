//! Lines that stand too far right or left, colons and blanks that are missing, full-width signs: slips of which everything follows that
//! is told of a file, or nothing can be read behind them.
//!
//! What was meant is found by trial. Around the first findings, each change that a person would make is made, and the file is
//! checked again. The change after which the fewest findings are left is told, in place of all that it mends.

mod edit;
mod whole;

use edit::{Edit, Kind};

use super::reading::Reading;
use super::report::Report;
use super::rules::{
    duplicate_key, full_width, missing_key, two_verbs, yaml_colon, yaml_indent, yaml_syntax,
};
use super::{Checked, checked};
use crate::catalog::Catalog;
use crate::diagnostic::{Diagnostic, Level, Lines};
use crate::expr::Span;
use crate::unseen;
use crate::wide;

/// Longest file in which slips are looked for by trial, in bytes: some 600 steps. Each trial checks the file.
const MAX_BYTES: usize = 64 * 1024;
/// Most trials for one slip.
const MAX_TRIALS: usize = 16;
/// Most slips of a file that are mended.
pub(super) const MAX_SLIPS: usize = 4;
/// Most lines at which slips are looked for: what follows from a slip stands behind it.
const LINES: usize = 6;
/// Rules that are told of what stands in the wrong place.
const MISPLACED: [&str; 13] = [
    "bad-duration",
    "bad-hours",
    "bad-input",
    "bad-name",
    "bad-value",
    "duplicate-key",
    "missing-key",
    "unknown-input",
    "unknown-key",
    "unknown-outcome",
    "unknown-verb",
    "unused",
    "yaml-syntax",
];
/// Most places of a line at which a blank may lack behind a colon.
const MAX_KEYS: usize = 24;
/// Of these, how many at which a colon may lack: any word could be a key.
const MAX_WORDS: usize = 4;
/// Most columns by which a line is moved.
const MAX_COLUMNS: usize = 4;
/// Columns by which what belongs to a key stands further right.
const STEP: usize = 2;
/// Lines above a slip whose indentation it may be meant to have.
const ABOVE: usize = 40;
/// Most signs of a line of which each is tried by itself whether it is one of the language's.
const MAX_SIGNS: usize = 12;
/// Lines beside a slip that YAML cannot be read behind: what is told there once it is read follows from it.
const NEAR: u32 = 3;

/// Checks a file again as it was meant, where its findings follow from such a slip; `None` where they do not. `slips` have been
/// mended before.
pub(super) fn mended(
    file: &str,
    text: &str,
    catalog: &Catalog,
    found: &[Diagnostic],
    slips: usize,
) -> Option<Checked> {
    let unread = found.iter().any(unreadable);
    // A flow that may run as it stands has no slip that it must not run with.
    if found.iter().all(|found| found.level == Level::Warning) {
        return None;
    }
    if slips == MAX_SLIPS || text.len() > MAX_BYTES {
        return None;
    }
    let wide = found.iter().any(|found| found.level == Level::Error)
        && text.contains(|c: char| is_wide(c) || unseen::has_no_width(c));
    let sheet = Sheet::new(text);
    let signs = || found.iter().any(|found| sheet.confused(found));
    if !(unread || found.len() > 1 || wide || signs()) {
        return None;
    }
    let mut best: Option<(usize, Edit, String)> = None;
    for edit in sheet.edits(found).into_iter().take(MAX_TRIALS) {
        let after = edit.apply(text);
        let left = checked(&mut Reading::of(file, &after), catalog).diagnostics;
        let better = best
            .as_ref()
            .is_none_or(|(fewest, ..)| left.len() < *fewest);
        if better && mends(found, &left, &edit, unread) && sheet.settles(&edit, &left) {
            let none = left.is_empty();
            best = Some((left.len(), edit, after));
            if none {
                break;
            }
        }
    }
    let best = best?;
    let (_, edit, after) = match fewer_signs(&best) {
        true => sheet.fewest_signs(best, file, catalog),
        false => best,
    };
    let mut again = super::check_text(file, &after, catalog, slips + 1);
    let mut report = Report::new(file, text);
    sheet.tell(&edit, &after, &mut report);
    let lines = Lines::new(text);
    let others = again.diagnostics.into_iter();
    let mut all = report.finish();
    all.extend(others.map(|found| edit.back(found, &lines)));
    all.sort_by_key(|found| (found.primary.span.start, found.primary.span.end, found.rule));
    again.diagnostics = all;
    // A flow with an error has no plan.
    again.plan = None;
    again.worst = None;
    Some(again)
}

/// Whether some of the signs that an edit changes may stand in a text, where they are right.
fn fewer_signs((_, edit, _): &(usize, Edit, String)) -> bool {
    let mut changes = edit.changes.iter();
    let blank = |come: &str| come.trim_matches(' ').is_empty();
    matches!(edit.kind, Kind::Wide)
        && (2..=MAX_SIGNS).contains(&edit.changes.len())
        && !changes.any(|(.., come)| blank(come))
}

/// Whether YAML cannot be read behind a finding.
fn unreadable(found: &Diagnostic) -> bool {
    found.rule == "yaml-syntax"
}

/// The first line behind which YAML cannot be read.
fn unread_from(found: &[Diagnostic]) -> Option<u32> {
    let mut found = found.iter().filter(|found| unreadable(found));
    found.next().map(|found| found.primary.place.line)
}

/// Whether a change is what was meant: it mends more than one finding; or what is behind it can be read, and nothing is told
/// beside it.
fn mends(found: &[Diagnostic], left: &[Diagnostic], edit: &Edit, unread: bool) -> bool {
    let beside = |lines: u32| {
        let mut left = left.iter();
        left.any(|found| found.primary.place.line.abs_diff(edit.line) <= lines)
    };
    match unread {
        // Of such a sign nobody doubts that it was meant, and there may be more of them.
        _ if matches!(edit.kind, Kind::Wide | Kind::Unseen) => {
            let (before, after) = (unread_from(found), unread_from(left));
            // Of what cannot be read more may be seen now.
            let builds = |(_, _, come): &(usize, usize, String)| {
                come.starts_with([':', '-', '[', ']', '{', '}'])
            };
            let blank = |(_, _, come): &(usize, usize, String)| come.trim_matches(' ').is_empty();
            let structure = edit
                .changes
                .iter()
                .any(|change| builds(change) || blank(change));
            let further = before.is_some() && before < after && structure;
            let here = |all: &[Diagnostic]| -> Vec<&'static str> {
                let all = all.iter();
                let all = all.filter(|found| found.primary.place.line == edit.line);
                all.map(|found| found.rule).collect()
            };
            let (told, rest) = (here(found), here(left));
            // Behind it something else may be wrong, which was not seen before.
            let other = !told.is_empty() && !rest.iter().any(|rule| told.contains(rule));
            let other = other && left.len() <= found.len() && edit.changes.iter().any(builds);
            let none = unread || left.len() < found.len();
            (after.is_none() && (other || (none && !beside(0)))) || (further && !beside(0))
        }
        // Nor of this one, once it mends what is told there.
        _ if edit.confused() && left.iter().any(unreadable) => {
            unread_from(found) < unread_from(left) && unread && !beside(0)
        }
        _ if left.iter().any(unreadable) => false,
        // What is told there now has nothing to do with it.
        _ if matches!(edit.kind, Kind::Again | Kind::Head(_) | Kind::Step { .. }) => match unread {
            true => left.is_empty() || !beside(NEAR),
            false => left.len() + 2 <= found.len(),
        },
        _ if edit.confused() => !beside(0) && (unread || left.len() < found.len()),
        true => !beside(NEAR),
        false => !beside(0) && left.len() + 2 <= found.len() && !misplaced(left, edit),
    }
}

/// Whether something of a block that an edit moves means nothing where it stands then: it was not meant to stand there.
fn misplaced(left: &[Diagnostic], edit: &Edit) -> bool {
    let moved = edit.line..edit.line + edit.changes.len() as u32;
    let mut left = left.iter();
    matches!(edit.kind, Kind::Indent(_))
        && left
            .any(|found| found.rule == "unknown-key" && moved.contains(&found.primary.place.line))
}

/// A text in lines.
struct Sheet<'t> {
    text: &'t str,
    lines: Vec<Line<'t>>,
}

struct Line<'t> {
    start: usize,
    indent: usize,
    /// What stands in it, without blanks around it; empty for a comment.
    content: &'t str,
}

impl<'t> Line<'t> {
    /// Whether a list goes on or begins here.
    fn item(&self) -> bool {
        self.content == "-" || self.content.starts_with("- ")
    }

    fn span(&self) -> Span {
        let start = self.start + self.indent;
        Span {
            start,
            end: start + self.name().len(),
        }
    }

    /// What the line is called: its key.
    fn name(&self) -> &'t str {
        let key = self.content.split(": ").next().unwrap_or_default();
        let key = key.strip_suffix(':').unwrap_or(key);
        match key.char_indices().nth(40) {
            Some((end, _)) => &key[..end],
            None => key,
        }
    }
}

impl<'t> Sheet<'t> {
    fn new(text: &'t str) -> Sheet<'t> {
        let mut start = 0;
        let mut lines = Vec::new();
        for line in text.split_inclusive('\n') {
            let blanks = line.len() - line.trim_start_matches(' ').len();
            let content = line[blanks..].trim_end();
            let content = match content.split_once(" #") {
                Some((key, _)) if key.trim_end().ends_with(':') => key.trim_end(),
                _ => content,
            };
            lines.push(Line {
                start,
                indent: blanks,
                content: if content.starts_with('#') {
                    ""
                } else {
                    content
                },
            });
            start += line.len();
        }
        Sheet { text, lines }
    }

    /// What a person might change around the first findings, the likeliest first.
    fn edits(&self, found: &[Diagnostic]) -> Vec<Edit> {
        let mut numbers: Vec<usize> = (0..self.lines.len()).filter(|at| self.odd(*at)).collect();
        numbers.truncate(LINES / 2);
        // What means nothing where it stands may be meant to stand elsewhere. What only lacks because of that has slipped nowhere.
        let told = found.iter().filter(|found| MISPLACED.contains(&found.rule));
        for found in told {
            // Of what cannot be read the end is often told, which may stand behind the last line.
            let number = found.primary.place.line as usize;
            let number = number.clamp(1, self.lines.len().max(1)) - 1;
            let mut above = (0..number).rev();
            let above = above.find(|at| unreadable(found) && !self.lines[*at].content.is_empty());
            for at in [Some(number), above].into_iter().flatten() {
                if !numbers.contains(&at) {
                    numbers.push(at);
                }
            }
            if numbers.len() >= LINES {
                break;
            }
        }
        let mut edits = self.again(found);
        edits.extend(self.steps(found));
        edits.extend(self.heads(found));
        edits.extend(self.step_heads(found));
        edits.extend(self.all_wide(found));
        for number in numbers.into_iter().filter(|at| *at < self.lines.len()) {
            if !self.lines[number].content.is_empty() {
                self.mistaken(number, &mut edits);
                edits.extend(self.dash(number));
                self.moves(number, &mut edits);
            }
        }
        edits.sort_by_key(Edit::rank);
        edits
    }

    /// Whether a sign may be taken for another one where something is found.
    fn confused(&self, found: &Diagnostic) -> bool {
        let number = found.primary.place.line as usize;
        if !MISPLACED.contains(&found.rule) || !(1..=self.lines.len()).contains(&number) {
            return false;
        }
        let mut edits = Vec::new();
        self.mistaken(number - 1, &mut edits);
        edits.iter().any(Edit::confused)
    }

    /// Whether a line looks as if it had slipped: a key with nothing below it, or with something far below it; or a word before a
    /// brace.
    fn odd(&self, number: usize) -> bool {
        let line = &self.lines[number];
        if line.content.ends_with(':') {
            let mut below = self.lines[number + 1..].iter();
            return match below.find(|line| !line.content.is_empty()) {
                None => true,
                Some(next) if next.indent <= line.indent => {
                    !(next.indent == line.indent && next.item())
                }
                Some(next) => next.indent > line.indent + STEP,
            };
        }
        let word = line.content.split([' ', ':']).next().unwrap_or_default();
        let behind = line.content[word.len()..].trim_start();
        !line.item() && !word.is_empty() && behind.starts_with(['{', '['])
    }

    /// Signs that may lack in a line, or stand for others.
    fn mistaken(&self, number: usize, edits: &mut Vec<Edit>) {
        self.signs(number, edits);
        self.commas(number, edits);
        self.slashes(number, edits);
    }

    /// Colons and blanks that may lack in a line.
    fn signs(&self, number: usize, edits: &mut Vec<Edit>) {
        let line = &self.lines[number];
        let begin = line.start + line.indent;
        let mut change = |kind: Kind, at: usize, gone: usize, sign: &str| {
            edits.push(Edit {
                line: number as u32 + 1,
                changes: vec![(at, gone, sign.to_owned())],
                kind,
            });
        };
        // Where a key may begin: the line, a brace, a comma.
        let content = line.content;
        let opens = content
            .char_indices()
            .filter(|(_, c)| matches!(c, '{' | ','));
        let starts = std::iter::once(0).chain(opens.map(|(at, _)| at + 1));
        for (number, start) in starts.enumerate().take(MAX_KEYS) {
            let rest = &content[start..];
            let blanks = rest.len() - rest.trim_start_matches([' ', '-']).len();
            let (start, rest) = (start + blanks, &rest[blanks..]);
            let length: usize = rest
                .chars()
                .take_while(|c| is_word(*c))
                .map(char::len_utf8)
                .sum();
            if length == 0 {
                continue;
            }
            let (word, behind) = rest.split_at(length);
            let at = begin + start;
            let word = Span {
                start: at,
                end: at + word.len(),
            };
            let mut add = |kind: Kind, at: usize, sign: &str| change(kind, at, 0, sign);
            let with_colon = Span {
                start: at,
                end: word.end + 1,
            };
            let glued = behind.starts_with('=') && lone(content, start, behind);
            let equals = behind.len() - behind.trim_start_matches(['=', ' ']).len();
            if let Some(length) = wrong_sign(behind).or(glued.then_some(equals)) {
                let colon = match behind.len() > length {
                    true => ": ",
                    false => ":",
                };
                change(Kind::Sign(word), word.end, length, colon);
                continue;
            }
            match behind.strip_prefix(':') {
                Some(after) if after.trim_start_matches(' ').starts_with(':') => {
                    let blanks = after.len() - after.trim_start_matches(' ').len();
                    // The blank that is there, unless another one follows.
                    let kept = match blanks > 0 && !after[blanks + 1..].starts_with(' ') {
                        true => " ",
                        false => "",
                    };
                    change(Kind::Twice(with_colon), with_colon.end, blanks + 1, kept);
                }
                Some(after) if after.starts_with(|c: char| !c.is_whitespace()) => {
                    add(Kind::Blank(with_colon), with_colon.end, " ");
                }
                None if (number < MAX_WORDS || lone(content, start, behind))
                    && (behind.starts_with(' ') || behind.is_empty()) =>
                {
                    add(Kind::Colon(word), word.end, ":");
                }
                None if behind.starts_with(['{', '[', '"']) => {
                    add(Kind::Colon(word), word.end, ": ")
                }
                _ => {}
            }
        }
        // A name of several words, such as a test's.
        if !content.contains(':') && content.contains(' ') && !line.item() {
            let word = Span {
                start: begin,
                end: begin + content.len(),
            };
            change(Kind::Colon(word), word.end, 0, ":");
        }
    }

    /// Commas that lack between the words of a one-line list, or for which another sign stands in brackets of a line.
    fn commas(&self, number: usize, edits: &mut Vec<Edit>) {
        let line = &self.lines[number];
        let begin = line.start + line.indent;
        let content = line.content;
        let mut add = |at: usize, changes: Vec<(usize, usize, String)>| {
            let before = content[..at].trim_end();
            let word = before.trim_end_matches(is_word);
            let (start, end) = (begin + word.len(), begin + before.len());
            if start < end {
                edits.push(Edit {
                    line: number as u32 + 1,
                    changes,
                    kind: Kind::Comma(Span { start, end }),
                });
            }
        };
        let open = content.find(['{', '[']).unwrap_or(content.len());
        let mut marks = content.match_indices([';', '；']);
        if let Some((first, mark)) = marks.find(|(at, _)| *at > open) {
            let behind = &content[first + mark.len()..];
            let comma = match behind.starts_with(' ') {
                true => ",",
                false => ", ",
            };
            add(first, vec![(begin + first, mark.len(), comma.to_owned())]);
        }
        // Lists of words, of which none is a text with blanks.
        for (open, _) in content.match_indices('[') {
            let inner = &content[open + 1..];
            let Some(close) = inner.find([']', '[', '{', '"', '\'', ':', '$']) else {
                continue;
            };
            let words = &inner[..close];
            if !inner[close..].starts_with(']') || !words.trim().contains(' ') {
                continue;
            }
            let from = open + 1 + words.len() - words.trim_start().len();
            let mut changes = Vec::new();
            let mut first = None;
            for (at, _) in words.trim().match_indices(' ') {
                let at = from + at;
                if content[..at].ends_with(is_word) {
                    first.get_or_insert(at);
                    changes.push((begin + at, 0, ",".to_owned()));
                }
            }
            if let Some(first) = first {
                add(first, changes);
            }
        }
    }

    /// Comments as other languages have them: lines that begin with `//`, all of which are one habit, or the end of a line behind it. What is
    /// missing then may not have been meant to be one.
    fn slashes(&self, number: usize, edits: &mut Vec<Edit>) {
        let line = &self.lines[number];
        let begin = |line: &Line<'_>| line.start + line.indent;
        let mut add = |changes: Vec<(usize, usize, String)>| {
            edits.push(Edit {
                line: number as u32 + 1,
                changes,
                kind: Kind::Slashes,
            });
        };
        if let Some(rest) = line.content.strip_prefix("//") {
            let lines = self.lines.iter();
            let all = lines.filter(|line| line.content.starts_with("//"));
            add(all.map(|line| (begin(line), 2, "#".to_owned())).collect());
            let blanks = rest.len() - rest.trim_start_matches(' ').len();
            add(vec![(begin(line), 2 + blanks, String::new())]);
        } else if let Some(at) = line.content.find(" // ")
            && !line.content[..at].contains(['"', '\''])
        {
            add(vec![(begin(line) + at + 1, 2, "#".to_owned())]);
        }
    }

    /// The hyphen that may lack before a line that stands right below one with it, in the column behind that.
    fn dash(&self, number: usize) -> Option<Edit> {
        let line = &self.lines[number];
        let before = self.lines[..number].iter().rev();
        let above = before
            .filter(|other| !other.content.is_empty())
            .find(|other| other.indent + STEP <= line.indent)?;
        let alike = above.indent + STEP == line.indent;
        let key = key_like(line.content) && !line.item();
        let action = above.content.strip_prefix("- ")?.trim_start();
        let verb = action.split([':', ' ']).next()?;
        let start = above.start + above.indent + above.content.len() - action.len();
        let end = start + verb.len();
        (alike && key && !verb.is_empty()).then(|| Edit {
            line: number as u32 + 1,
            changes: vec![(line.start + above.indent, STEP, "- ".to_owned())],
            kind: Kind::Dash(Span { start, end }, line.span()),
        })
    }

    /// The next line above the one of this index, from 0, in which something stands.
    fn above(&self, index: usize) -> Option<&Line<'t>> {
        let mut above = self.lines[..index].iter().rev();
        above.find(|line| !line.content.is_empty())
    }

    /// An edit of full-width signs without those that need not be changed: they stand in a text.
    fn fewest_signs(
        &self,
        best: (usize, Edit, String),
        file: &str,
        catalog: &Catalog,
    ) -> (usize, Edit, String) {
        let (fewest, mut edit, mut after) = best;
        let told = |text: &str| checked(&mut Reading::of(file, text), catalog).diagnostics;
        let stops = unread_from(&told(&after));
        let mut at = 0;
        while at < edit.changes.len() && edit.changes.len() > 1 {
            let change = edit.changes.remove(at);
            let without = edit.apply(self.text);
            let left = told(&without);
            if left.len() <= fewest && unread_from(&left) == stops {
                after = without;
            } else {
                edit.changes.insert(at, change);
                at += 1;
            }
        }
        (fewest, edit, after)
    }

    /// Full-width signs in lines of which something is told, or before them.
    fn all_wide(&self, found: &[Diagnostic]) -> Vec<Edit> {
        let mut numbers: Vec<usize> = Vec::new();
        // Of these it is said already what to write.
        let said = found
            .iter()
            .filter(|found| matches!(found.rule, "bad-expression" | "yaml-braces"));
        let said: Vec<u32> = said.map(|found| found.primary.place.line).collect();
        for found in found {
            let number = found.primary.place.line as usize;
            let number = number.clamp(1, self.lines.len().max(1)) - 1;
            let mut above = (0..number).rev();
            let above = above.find(|at| !self.lines[*at].content.is_empty());
            for at in [Some(number), above].into_iter().flatten() {
                let clear = !said.contains(&(at as u32 + 1));
                if clear && numbers.len() < LINES && !numbers.contains(&at) {
                    numbers.push(at);
                }
            }
        }
        let numbers = numbers.into_iter().filter(|at| *at < self.lines.len());
        let mut edits: Vec<Edit> = self.unseen().into_iter().collect();
        edits.extend(self.blanks(1));
        // One is as wide as two letters: who types it sees what is meant to be indented by two.
        if self.text.contains(FULL_BLANK) {
            edits.extend(self.blanks(2));
        }
        for number in numbers {
            edits.extend(self.blanks_behind(number));
            edits.extend(self.wide(number));
        }
        edits.truncate(MAX_TRIALS / 2);
        edits
    }

    /// Blanks of other kinds than the language's that indent lines, or stand behind the first key of one. What was pasted has them in
    /// every line: they are one slip. `width` is how many of the language's a full-width one is that indents a line.
    fn blanks(&self, width: usize) -> Option<Edit> {
        let is_blank = |c: char| narrow(c) == ' ';
        let mut changes = Vec::new();
        let mut first = None;
        for (number, line) in self.lines.iter().enumerate() {
            let end = self.lines.get(number + 1).map(|next| next.start);
            let text = &self.text[line.start..end.unwrap_or(self.text.len())];
            let before = changes.len();
            let mut blanks = |from: usize, text: &str, width: usize| {
                let blanks = text.char_indices().take_while(|(_, c)| is_blank(*c));
                let odd = blanks.filter(|(_, c)| is_wide(*c));
                changes.extend(odd.map(|(at, c)| {
                    let width = if c == FULL_BLANK { width } else { 1 };
                    (from + at, c.len_utf8(), " ".repeat(width))
                }));
                from + text.len() - text.trim_start_matches(is_blank).len()
            };
            let mut at = blanks(line.start, text, width);
            let end = line.start + text.len();
            while let Some(item) = self.text[at..end].strip_prefix('-')
                && item.starts_with(is_blank)
            {
                at = blanks(at + 1, item, 1);
            }
            let rest = &self.text[at..end];
            if !rest.starts_with(['#', '"', '\''])
                && let Some(colon) = rest.find(|c: char| c == ':' || c.is_whitespace())
                && rest[colon..].starts_with(':')
            {
                blanks(at + colon + 1, &rest[colon + 1..], 1);
            }
            if changes.len() > before {
                first.get_or_insert(number);
            }
        }
        Some(Edit {
            line: first? as u32 + 1,
            changes,
            kind: Kind::Wide,
        })
    }

    /// Blanks of other kinds than the language's at the end of a line: to it they are letters of the value.
    fn blanks_behind(&self, number: usize) -> Option<Edit> {
        let line = &self.lines[number];
        let rest = &self.text[line.start..];
        let text = rest.split(['\n', '\r']).next().unwrap_or_default();
        let kept = text.trim_end_matches(|c| narrow(c) == ' ');
        let blanks = &text[kept.len()..];
        blanks.contains(is_wide).then(|| Edit {
            line: number as u32 + 1,
            changes: vec![(line.start + kept.len(), blanks.len(), String::new())],
            kind: Kind::Wide,
        })
    }

    /// Signs without a width beside letters of the language, which nobody sees: outside of texts, and in what is inserted there. Between
    /// others they belong to those, as in the picture of a family.
    fn unseen(&self) -> Option<Edit> {
        if !self.text.contains(unseen::has_no_width) {
            return None;
        }
        let mut changes = Vec::new();
        let mut first = None;
        for (number, line) in self.lines.iter().enumerate() {
            let rest = &self.text[line.start..];
            let text = rest.split('\n').next().unwrap_or_default();
            let (mut quote, mut inserted, mut before) = (None, false, None);
            for (at, c) in text.char_indices() {
                let after = text[at + c.len_utf8()..]
                    .chars()
                    .find(|c| !unseen::has_no_width(*c));
                let ascii = |c: Option<char>| c.is_none_or(|c| c.is_ascii());
                if unseen::has_no_width(c) {
                    let shown = quote.is_some() && !inserted;
                    // The mark of the file's encoding stands at its beginning.
                    let mark = line.start + at == 0;
                    if !shown && !mark && ascii(before) && ascii(after) {
                        changes.push((line.start + at, c.len_utf8(), String::new()));
                        first.get_or_insert(number);
                    }
                    continue;
                }
                match (c, quote) {
                    ('#', None) if before.is_none_or(|c| c == ' ') => break,
                    ('{', _) if before == Some('$') => inserted = true,
                    ('}', _) => inserted = false,
                    (_, Some(open)) if c == open && !inserted => quote = None,
                    ('"' | '\'', None) if before.is_none_or(|c| !c.is_alphanumeric()) => {
                        quote = Some(c);
                    }
                    _ => {}
                }
                before = Some(c);
            }
        }
        Some(Edit {
            line: first? as u32 + 1,
            changes,
            kind: Kind::Unseen,
        })
    }

    /// The first full-width sign of a line, and all of them; colons with a blank behind them, and as they stand.
    fn wide(&self, number: usize) -> Vec<Edit> {
        let line = &self.lines[number];
        let begin = line.start + line.indent;
        let mut quote = None;
        let mut signs: Vec<(usize, char)> = Vec::new();
        let mut before = ' ';
        // Between two words of Chinese it belongs to a text.
        let is_han = |c: char| c.is_alphanumeric() && !c.is_ascii() && !is_wide(c);
        for (at, c) in line.content.char_indices() {
            let after = line.content[at + c.len_utf8()..].chars().next();
            match quote {
                Some(open) if c == open => quote = None,
                Some(_) => {}
                None if c == '#' && before == ' ' => break,
                None if matches!(c, '"' | '\'') && !before.is_alphanumeric() => quote = Some(c),
                None if is_han(before) && after.is_some_and(is_han) => {}
                // What it begins would be a comment.
                None if hides_key(line.content, at) => {}
                None if is_wide(c) => signs.push((at, c)),
                None => {}
            }
            before = c;
        }
        let narrowed = |signs: &[(usize, char)], spaced: bool| Edit {
            line: number as u32 + 1,
            changes: signs
                .iter()
                .map(|(at, c)| {
                    let after = line.content[at + c.len_utf8()..].chars().next();
                    let mut meant = match key_name(line.content, *at) {
                        Some(name) => name.to_owned(),
                        None => narrow(*c).to_string(),
                    };
                    let glued = after.is_some_and(|after| !after.is_whitespace());
                    if spaced && glued && meant == ":" {
                        meant.push(' ');
                    }
                    (begin + at, c.len_utf8(), meant)
                })
                .collect(),
            kind: Kind::Wide,
        };
        let mut edits = Vec::new();
        if let Some(first) = signs.first() {
            edits.push(narrowed(std::slice::from_ref(first), true));
            edits.push(narrowed(&signs, true));
            if signs.iter().any(|(_, c)| narrow(*c) == ':') {
                edits.push(narrowed(&signs, false));
            }
        }
        edits
    }

    /// Columns in which a line may be meant to begin.
    fn moves(&self, number: usize, edits: &mut Vec<Edit>) {
        let line = &self.lines[number];
        let above = self.lines[..number].iter().rev();
        let above = above.filter(|line| !line.content.is_empty()).take(ABOVE);
        let mut columns: Vec<usize> = vec![0];
        for (index, other) in above.enumerate() {
            // Below a key stands what belongs to it, two columns further right.
            let below = (index == 0 && other.content.ends_with(':')).then_some(other.indent + STEP);
            let item = other.item().then_some(other.indent + STEP);
            columns.extend([Some(other.indent), below, item].into_iter().flatten());
        }
        columns.sort_unstable();
        columns.dedup();
        columns.retain(|column| (1..=MAX_COLUMNS).contains(&column.abs_diff(line.indent)));
        columns.sort_by_key(|column| column.abs_diff(line.indent));
        // What begins like a key is no more of the value above it.
        if let Some(value) = self.value_above(number)
            && key_like(line.content)
        {
            columns.retain(|column| *column <= value);
        }
        let belongs = |other: &&Line<'_>| {
            let deeper = other.indent > line.indent;
            deeper
                || other.content.is_empty()
                || (other.indent == line.indent && other.item() && !line.item())
        };
        let block = self.lines[number + 1..].iter().take_while(belongs).count();
        let blocks: &[usize] = if block == 0 { &[0] } else { &[0, block] };
        for column in columns {
            let by = column as isize - line.indent as isize;
            edits.extend(
                blocks
                    .iter()
                    .filter_map(|below| self.moved(number, *below, by)),
            );
        }
    }

    /// The column of the key above a line, where that has its value beside it: what stands further right goes on with the value.
    fn value_above(&self, number: usize) -> Option<usize> {
        let above = self.above(number)?;
        let key = above.content.trim_start_matches(['-', ' ']);
        let column = above.indent + above.content.len() - key.len();
        let value = match key.split_once(": ") {
            Some((_, value)) => value,
            // A text that is an item of a list, or a word whose colon is not there.
            None if !key.ends_with(':') => key,
            None => return None,
        };
        let plain = !value.trim().is_empty() && !value.starts_with(['|', '>', '#']);
        plain.then_some(column)
    }

    /// A line and so many below it, moved.
    fn moved(&self, number: usize, below: usize, by: isize) -> Option<Edit> {
        let mut changes = Vec::new();
        for line in &self.lines[number..=number + below] {
            let blank = self.text[line.start..]
                .trim_start_matches(' ')
                .starts_with(['\n', '\r']);
            if blank {
                continue;
            }
            match by {
                0.. => changes.push((line.start, 0, " ".repeat(by.unsigned_abs()))),
                _ if line.indent < by.unsigned_abs() => return None,
                _ => changes.push((line.start, by.unsigned_abs(), String::new())),
            }
        }
        Some(Edit {
            line: number as u32 + 1,
            changes,
            kind: Kind::Indent(by),
        })
    }

    fn tell(&self, edit: &Edit, after: &str, report: &mut Report<'_>) {
        let number = edit.line as usize - 1;
        let line = &self.lines[number];
        match edit.kind {
            Kind::Colon(word) => {
                let sign = &edit.changes[0].2;
                yaml_colon::colon(report, word, &self.text[word.start..word.end], sign);
            }
            Kind::Blank(word) => yaml_colon::blank(report, word, &self.text[word.start..word.end]),
            Kind::Sign(word) => {
                let (at, gone, colon) = &edit.changes[0];
                let sign = self.text[*at..at + gone].trim();
                let name = &self.text[word.start..word.end];
                let fix = Span {
                    start: *at,
                    end: at + gone,
                };
                yaml_colon::sign(report, (word, name), sign, (fix, colon));
            }
            Kind::Comma(word) => {
                let (at, gone, _) = &edit.changes[0];
                let sign = &self.text[*at..at + gone];
                let name = &self.text[word.start..word.end];
                yaml_colon::comma(report, (word, name), sign, self.replaced(edit));
            }
            Kind::Twice(word) => {
                let name = &self.text[word.start..word.end];
                yaml_colon::twice(report, name, self.replaced(edit));
            }
            Kind::Again => {
                let (fix, _) = self.replaced(edit);
                let first = self.above(number).unwrap_or(line).span();
                duplicate_key::line(report, (line.span(), line.name()), first, fix);
            }
            Kind::Head(key) => {
                let fix = self.replaced(edit);
                missing_key::head(report, key, (line.span(), line.name()), (fix.0, &fix.1));
            }
            Kind::Step { ref name, .. } => {
                let (fix, head) = self.replaced(edit);
                missing_key::step(report, name, (line.span(), line.name()), (fix, &head));
            }
            Kind::Dash(first, second) => {
                let name = |at: Span| &self.text[at.start..at.end];
                let fix = self.replaced(edit);
                two_verbs::no_hyphen(report, (name(first), first), (name(second), second), fix);
            }
            Kind::Slashes => {
                let (at, gone, come) = &edit.changes[0];
                let comment = !come.is_empty();
                let span = Span {
                    start: *at,
                    end: at + gone.min(&2),
                };
                yaml_syntax::slashes(report, span, comment.then(|| self.replaced(edit)));
            }
            Kind::Unseen => full_width::unseen(report, self.first_run(edit), self.replaced(edit)),
            Kind::Wide => {
                let (span, replacement) = self.replaced(edit);
                let mut signs: Vec<String> = Vec::new();
                for (at, length, _) in &edit.changes {
                    let sign = self.text[*at..at + length].to_owned();
                    if !signs.contains(&sign) {
                        signs.push(sign);
                    }
                }
                let blanks = |sign: &String| sign.chars().all(|c| narrow(c) == ' ');
                match signs.iter().all(blanks) {
                    true => full_width::blanks(report, self.first_run(edit), (span, replacement)),
                    false => {
                        signs.retain(|sign| !blanks(sign));
                        full_width::signs(report, span, &signs, &replacement);
                    }
                }
            }
            Kind::Indent(by) => {
                let meant = Sheet::new(after);
                let column = meant.lines[number].indent;
                let mut above = meant.lines[..number].iter().rev();
                let under = above.find(|other| {
                    // A list may begin in the column of its key.
                    let key = line.item() && other.content.ends_with(':') && other.indent == column;
                    !other.content.is_empty() && (other.indent < column || key)
                });
                let (span, replacement) = self.replaced(edit);
                let under = under.map(Line::name);
                yaml_indent::indent(
                    report,
                    (line.span(), line.name()),
                    by,
                    under,
                    (span, replacement),
                );
            }
        }
    }

    /// The first change of an edit and those right behind it.
    fn first_run(&self, edit: &Edit) -> (Span, &'t str) {
        let mut changes = edit.changes.iter().map(|(at, gone, _)| (*at, at + gone));
        let (start, mut end) = changes.next().unwrap_or_default();
        for (at, behind) in changes {
            if at == end {
                end = behind;
            }
        }
        (Span { start, end }, &self.text[start..end])
    }

    /// The part of the text from the first change to the last, and what it becomes.
    fn replaced(&self, edit: &Edit) -> (Span, String) {
        let mut span = Span::default();
        let mut replacement = String::new();
        for (number, (at, gone, come)) in edit.changes.iter().enumerate() {
            match number {
                0 => span.start = *at,
                _ => replacement.push_str(&self.text[span.end..*at]),
            }
            replacement.push_str(come);
            span.end = at + gone;
        }
        (span, replacement)
    }
}

/// The blank of East Asian input methods, as wide as two letters.
const FULL_BLANK: char = '\u{3000}';

/// Whether a character belongs to a key, or to a step's name.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '@')
}

/// Whether a line begins as a key does, with or without what belongs behind its colon, or with another sign for that.
fn key_like(content: &str) -> bool {
    let behind = content.trim_start_matches(is_word);
    behind.len() < content.len() && (behind.starts_with(':') || wrong_sign(behind).is_some())
}

/// How much of what stands behind a key is written for a colon and its blank: `;`, one of `=`, `-`, `->` and `=>` between blanks, or a colon
/// whose blank stands before it.
pub(crate) fn wrong_sign(behind: &str) -> Option<usize> {
    let rest = behind.trim_start_matches(' ');
    let arrow = ["->", "=>"].iter().find(|arrow| rest.starts_with(**arrow));
    let length = match arrow {
        Some(arrow) => arrow.len(),
        None => rest.chars().next()?.len_utf8(),
    };
    let (sign, after) = rest.split_at(length);
    let apart = rest.len() < behind.len();
    let wrong = match sign {
        ";" | "；" => true,
        "=" | "-" | "->" | "=>" => apart && after.starts_with(' '),
        ":" => apart && after.starts_with(|c: char| !c.is_whitespace() && c != ':'),
        _ => false,
    };
    wrong.then(|| behind.len() - after.trim_start_matches(' ').len())
}

/// Whether a word begins an entry of a map in braces that has no colon.
fn lone(content: &str, start: usize, behind: &str) -> bool {
    let end = behind.find([',', '{', '}', '[', ']']);
    let ends = end.is_some_and(|end| behind[end..].starts_with([',', '}']));
    let entry = &behind[..end.unwrap_or(behind.len())];
    // The innermost bracket that is open.
    let mut closed = 0usize;
    let open = content[..start].chars().rev().find(|c| match c {
        '}' | ']' => {
            closed += 1;
            false
        }
        '{' | '[' => closed.checked_sub(1).map(|less| closed = less).is_none(),
        _ => false,
    });
    ends && open == Some('{') && !entry.contains(':')
}

/// The name of the telephone's key that a full-width `＃` or `＊` at a byte of a line is, where it stands as a key: as it is, the one
/// would begin a comment and the other an alias.
fn key_name(content: &str, at: usize) -> Option<&'static str> {
    let sign = content[at..].chars().next()?;
    let name = match sign {
        '＃' => "hash",
        '＊' => "star",
        _ => return None,
    };
    let before = content[..at].trim_end().chars().next_back().map(narrow);
    let begins = before.is_none_or(|before| matches!(before, '{' | ','));
    let behind = content[at + sign.len_utf8()..].trim_start().chars().next();
    (begins && behind.map(narrow) == Some(':')).then_some(name)
}

/// Whether a full-width `＃` at a byte of a line would make a comment of what is a key, as in `＃1: bye`.
fn hides_key(content: &str, at: usize) -> bool {
    let Some(behind) = content[at..].strip_prefix('＃') else {
        return false;
    };
    let word = behind.find(|c: char| !c.is_ascii_alphanumeric());
    word.is_some_and(|end| end > 0 && behind[end..].starts_with([':', '：']))
}

/// Whether a sign is one that input methods type for one of the language's.
fn is_wide(c: char) -> bool {
    narrow(c) != c
}

/// The sign of the language that is meant by one that input methods type: the full-width forms of ASCII (Unicode, U+FF01 to
/// U+FF5E), and the marks on the same keys; and by the blanks that web pages have where no line is to break.
fn narrow(c: char) -> char {
    match c {
        '\u{3000}' | '\u{a0}' | '\u{2007}' | '\u{202f}' => ' ',
        '、' => ',',
        '。' => '.',
        '“' | '”' => '"',
        '‘' | '’' => '\'',
        '【' => '[',
        '】' => ']',
        '—' | '–' | '−' => '-',
        _ => wide::narrow(c),
    }
}
