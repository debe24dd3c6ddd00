//! Lines that stand twice, and those that lack: at the margin, that hold steps, prompts and the like, and those that name a step.

use super::edit::{Edit, Kind};
use super::{MAX_SLIPS, MISPLACED, Sheet, key_like, unreadable};
use crate::diagnostic::Diagnostic;
use crate::lower::is_name;

/// Most places at which the line that holds the flow's steps may lack.
const MAX_STEPS: usize = 4;
/// Most places at which another line at the margin may lack.
const MAX_PARAGRAPHS: usize = 2;
/// Such lines, and the rule that is told of names that would stand below them.
const HEADS: [(&str, Option<&str>); 5] = [
    ("prompts", Some("unknown-prompt")),
    ("vars", Some("unknown-variable")),
    ("inputs", Some("unknown-variable")),
    ("hours", Some("unknown-hours")),
    ("global", None),
];

/// Lines before one that stands twice of which each may begin the next step.
const MAX_BEFORE: usize = 3;
/// Rules that are told of what stands once more where the next step has lost its name.
const DOUBLED: [&str; 2] = ["duplicate-key", "two-verbs"];

impl Sheet<'_> {
    /// Lines of a key that stand twice, one below the other, so that the first has nothing below it.
    pub(super) fn again(&self, found: &[Diagnostic]) -> Vec<Edit> {
        let twice = found.iter().filter(|found| found.rule == "duplicate-key");
        let numbers = twice.map(|found| found.primary.place.line as usize);
        let numbers = numbers.filter(|number| (2..=self.lines.len()).contains(number));
        let edits = numbers.filter_map(|number| {
            let line = &self.lines[number - 1];
            let above = self.above(number - 1)?;
            let same = above.content == line.content && above.indent == line.indent;
            let end = self.lines.get(number).map(|next| next.start);
            let end = end.unwrap_or(self.text.len());
            (same && line.content.ends_with(':')).then(|| Edit {
                line: number as u32,
                changes: vec![(line.start, end - line.start, String::new())],
                kind: Kind::Again,
            })
        });
        edits.take(MAX_SLIPS).collect()
    }

    /// Lines above which `steps:` may lack, where no line is it: that of the step `start`, and those that begin a paragraph and stand
    /// below something.
    pub(super) fn steps(&self, found: &[Diagnostic]) -> Vec<Edit> {
        let lacks = |found: &Diagnostic| found.rule == "missing-key" || unreadable(found);
        if self.has("steps") || !found.iter().any(lacks) {
            return Vec::new();
        }
        let key = |at: &usize| {
            let line = &self.lines[*at];
            line.indent > 0 && key_like(line.content)
        };
        let all = || (1..self.lines.len()).filter(key);
        let starts = all().filter(|at| self.lines[*at].name() == "start");
        let begins = all().filter(|at| self.lines[at - 1].content.is_empty());
        let mut numbers: Vec<usize> = Vec::new();
        for at in starts.take(1).chain(begins) {
            if numbers.len() < MAX_STEPS && !numbers.contains(&at) {
                numbers.push(at);
            }
        }
        let edits = numbers.into_iter().map(|at| self.head("steps", at));
        edits.collect()
    }

    /// Lines above which another line at the margin may lack that the flow does not have: where a paragraph begins in which
    /// something means nothing, or the entry that does.
    pub(super) fn heads(&self, found: &[Diagnostic]) -> Vec<Edit> {
        let told = |rule: &str| found.iter().any(|found| found.rule == rule);
        let unread = found.iter().any(unreadable);
        let lacks = HEADS.iter().filter(|(key, unknown)| {
            let meant = unread || unknown.is_none_or(told);
            meant && !self.has(key)
        });
        let misplaced = found
            .iter()
            .filter(|found| MISPLACED.contains(&found.rule))
            .map(|found| found.primary.place.line as usize);
        let mut numbers: Vec<usize> = Vec::new();
        for number in misplaced {
            let at = self.paragraph(number).or_else(|| self.entry(number));
            numbers.extend(at.filter(|at| !numbers.contains(at)));
            if numbers.len() == MAX_PARAGRAPHS {
                break;
            }
        }
        let edits = lacks.flat_map(|(key, _)| numbers.iter().map(|at| self.head(key, *at)));
        edits.chain(self.variables(found)).collect()
    }

    /// The paragraph of variables that stand below `inputs:`, as no line `vars:` is there: they are set, which inputs are not.
    fn variables(&self, found: &[Diagnostic]) -> Option<Edit> {
        let mut set = found.iter().filter(|found| found.rule == "bad-value");
        let set = set.find_map(|found| {
            let at = found.primary.span;
            let name = self.text.get(at.start..at.end)?;
            let inputs = self
                .lines
                .iter()
                .position(|line| line.indent == 0 && line.name() == "inputs")?;
            let mut below = self.lines[inputs + 1..]
                .iter()
                .take_while(|line| line.indent > 0 || line.content.is_empty());
            below
                .position(|line| line.name() == name)
                .map(|below| inputs + below + 2)
        });
        let at = self.paragraph(set.filter(|_| !self.has("vars"))?)?;
        Some(self.head("vars", at))
    }

    /// Lines above which the name of their step may lack: the one name that is led to, and that no step has.
    pub(super) fn step_heads(&self, found: &[Diagnostic]) -> Vec<Edit> {
        let mut names: Vec<&str> = found
            .iter()
            .filter(|found| found.rule == "unknown-step")
            .filter_map(|found| {
                let at = found.primary.span;
                self.text.get(at.start..at.end)
            })
            .collect();
        names.sort_unstable();
        names.dedup();
        let [name] = names[..] else {
            return Vec::new();
        };
        let steps = self
            .lines
            .iter()
            .position(|line| line.indent == 0 && line.name() == "steps");
        let Some(steps) = steps.filter(|_| is_name(name)) else {
            return Vec::new();
        };
        let mut inside = self.lines[steps + 1..].iter();
        let Some(column) = inside
            .find(|line| !line.content.is_empty())
            .map(|line| line.indent)
        else {
            return Vec::new();
        };
        let end = self.lines[steps + 1..]
            .iter()
            .position(|line| line.indent == 0 && !line.content.is_empty());
        let end = end.map_or(self.lines.len(), |end| steps + 1 + end);
        let mut numbers: Vec<usize> = Vec::new();
        for found in found.iter().filter(|found| DOUBLED.contains(&found.rule)) {
            let number = found.primary.place.line as usize;
            let here = self.index(number);
            // The second verb, or the lines before what stands twice.
            let alike = |at: &usize| self.lines[*at].indent == self.lines[here].indent;
            let before = (steps + 1..here).rev().filter(alike).take(MAX_BEFORE);
            let second = match found.rule {
                "two-verbs" => vec![here],
                _ => before.collect(),
            };
            for at in self.paragraph(number).into_iter().chain(second) {
                let within = steps + 1 < at && at < end && self.lines[at].indent > column;
                if within && numbers.len() < MAX_STEPS && !numbers.contains(&at) {
                    numbers.push(at);
                }
            }
        }
        let edits = numbers.into_iter().map(|at| Edit {
            line: at as u32 + 1,
            changes: vec![(
                self.lines[at].start,
                0,
                format!("{}{name}:{}", " ".repeat(column), self.line_end()),
            )],
            kind: Kind::Step {
                name: name.to_owned(),
                column,
            },
        });
        edits.collect()
    }

    /// Whether all that stands below a line that an edit writes means something there.
    pub(super) fn settles(&self, edit: &Edit, left: &[Diagnostic]) -> bool {
        let column = match edit.kind {
            Kind::Head("steps") => return true,
            Kind::Head(_) => 0,
            Kind::Step { column, .. } => column,
            _ => return true,
        };
        let below = self.lines[edit.line as usize - 1..].iter();
        let below = below.take_while(|line| line.indent > column || line.content.is_empty());
        let lines = edit.line..=edit.line + below.count() as u32;
        let mut left = left.iter();
        !left.any(|found| lines.contains(&found.primary.place.line))
    }

    /// The index of a line, which is counted from 1.
    fn index(&self, number: usize) -> usize {
        number.clamp(1, self.lines.len().max(1)) - 1
    }

    /// The first line of the paragraph in which a line stands, from 1, where that is a key below something else.
    fn paragraph(&self, number: usize) -> Option<usize> {
        let begins = |at: &usize| {
            let (line, above) = (&self.lines[*at], &self.lines[at - 1]);
            let below =
                above.content.is_empty() || (above.indent == 0 && !above.content.ends_with(':'));
            line.indent > 0 && below && key_like(line.content)
        };
        let mut inside = (1..=self.index(number)).rev().take_while(|at| {
            let line = &self.lines[*at];
            line.indent > 0 || line.content.is_empty()
        });
        inside.find(begins)
    }

    /// The line of the entry to which a line belongs, from 1: the entry stands right below one at the margin, with others.
    fn entry(&self, number: usize) -> Option<usize> {
        let number = self.index(number);
        let margin = (0..number).rev().find(|at| {
            let line = &self.lines[*at];
            line.indent == 0 && !line.content.is_empty()
        })?;
        let column = self.lines[margin + 1..=number]
            .iter()
            .find(|line| !line.content.is_empty())?
            .indent;
        let mut inside = (margin + 1..=number).rev();
        let entry = inside.find(|at| {
            let line = &self.lines[*at];
            line.indent == column && key_like(line.content)
        })?;
        // What is above keeps something below it.
        let first = self.lines[margin + 1..entry]
            .iter()
            .all(|line| line.content.is_empty());
        let holds = self.lines[margin].content.ends_with(':');
        (!first || !holds).then_some(entry)
    }

    fn has(&self, key: &str) -> bool {
        let mut lines = self.lines.iter();
        lines.any(|line| line.indent == 0 && line.name() == key)
    }

    /// A line at the margin, above another.
    fn head(&self, key: &'static str, at: usize) -> Edit {
        Edit {
            line: at as u32 + 1,
            changes: vec![(
                self.lines[at].start,
                0,
                format!("{key}:{}", self.line_end()),
            )],
            kind: Kind::Head(key),
        }
    }

    /// What ends the lines of the text.
    fn line_end(&self) -> &'static str {
        match self.text.contains("\r\n") {
            true => "\r\n",
            false => "\n",
        }
    }
}
