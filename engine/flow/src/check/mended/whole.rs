//! Lines that stand twice, and the one that holds the steps where it lacks.

use super::edit::{Edit, Kind};
use super::{Line, MAX_SLIPS, Sheet, key_like, unreadable};
use crate::diagnostic::Diagnostic;

/// Most places at which the line that holds the flow's steps may lack.
const MAX_STEPS: usize = 4;

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
        let is = |line: &Line<'_>| line.indent == 0 && line.name() == "steps";
        let lacks = |found: &Diagnostic| found.rule == "missing-key" || unreadable(found);
        if self.lines.iter().any(is) || !found.iter().any(lacks) {
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
        let edits = numbers.into_iter().map(|at| Edit {
            line: at as u32 + 1,
            changes: vec![(
                self.lines[at].start,
                0,
                format!("steps:{}", self.line_end()),
            )],
            kind: Kind::Steps,
        });
        edits.collect()
    }

    /// What ends the lines of the text.
    fn line_end(&self) -> &'static str {
        match self.text.contains("\r\n") {
            true => "\r\n",
            false => "\n",
        }
    }
}
