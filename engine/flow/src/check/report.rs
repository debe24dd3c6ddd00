use std::collections::HashSet;

use super::rules::Rule;
use super::suggest::Proof;
use crate::diagnostic::{Diagnostic, Fix, Label, Level, Lines, Text, text};
use crate::expr::Span;

/// Most findings told of one file. Beyond that a person reads no more, and a hostile file would make
/// frames without end.
pub(crate) const MAX_FINDINGS: usize = 500;

/// Longest sentence of a finding, in bytes: what it quotes may be a megabyte.
const MAX_MESSAGE_BYTES: usize = 2_000;

/// Collects the findings of a file.
#[derive(Clone)]
pub(crate) struct Report<'a> {
    file: &'a str,
    lines: Lines<'a>,
    diagnostics: Vec<Diagnostic>,
    seen: HashSet<(&'static str, Span)>,
    /// Findings for which there was no room.
    left_out: usize,
    /// Places that hold nothing meaningful since an earlier finding; nothing else is said of them.
    spoilt: HashSet<Span>,
    /// Keys that mean nothing where they stand, so that nobody knows what their values were to be.
    strange: Vec<Span>,
    /// Keys that stand where a verb should, and are none: nobody knows what is beside them.
    strange_verbs: Vec<Span>,
    /// Findings whose proposed name may not be the one that was meant: it is said, and `--fix` leaves it alone.
    guessed: HashSet<(&'static str, Span)>,
}

impl<'a> Report<'a> {
    pub fn new(file: &'a str, source: &'a str) -> Report<'a> {
        Report {
            file,
            lines: Lines::new(source),
            diagnostics: Vec::new(),
            seen: HashSet::new(),
            left_out: 0,
            spoilt: HashSet::new(),
            strange: Vec::new(),
            strange_verbs: Vec::new(),
            guessed: HashSet::new(),
        }
    }

    /// Begins a finding; it is kept when the returned [`Found`] goes out of scope. The same rule at the
    /// same place is told once.
    pub fn find(&mut self, rule: &'static Rule, span: Span, message: Text) -> Found<'_, 'a> {
        let crowded = self.diagnostics.len() >= MAX_FINDINGS;
        let room = !crowded || (rule.level == Level::Error && !self.is_full());
        let told = !self.spoilt.contains(&span) && self.seen.insert((rule.slug, span));
        let wanted = room && told;
        if told && crowded {
            self.left_out += 1;
        }
        if wanted && crowded {
            // However many warnings there are, a file with an error has one among its findings.
            self.diagnostics.pop();
        }
        let diagnostic = wanted.then(|| Diagnostic {
            rule: rule.slug,
            level: rule.level,
            message: message.shortened(MAX_MESSAGE_BYTES),
            file: self.file.to_owned(),
            primary: self.label(span, Text::default()),
            labels: Vec::new(),
            help: None,
            fix: None,
        });
        Found {
            report: self,
            diagnostic,
        }
    }

    /// Whether a rule has told of exactly this place.
    pub fn has_told(&self, rule: &'static Rule, span: Span) -> bool {
        self.seen.contains(&(rule.slug, span))
    }

    /// Whether nothing more is told. What makes a finding dear, such as the way to it, need not be made then.
    pub fn is_full(&self) -> bool {
        let errors = || {
            let mut found = self.diagnostics.iter();
            found.any(|found| found.level == Level::Error)
        };
        self.diagnostics.len() >= MAX_FINDINGS && errors()
    }

    /// Says that no more is to be told of exactly this place.
    pub fn spoil(&mut self, span: Span) {
        self.spoilt.insert(span);
    }

    /// Places of which nobody knows what was meant to stand there, in the order of the file.
    pub fn gaps(&self) -> Vec<Span> {
        let mut gaps: Vec<Span> = self.spoilt.iter().copied().collect();
        gaps.sort_by_key(|gap| gap.start);
        gaps
    }

    /// Says that a key means nothing where it stands, and is near to none that would.
    pub fn strange(&mut self, key: Span) {
        self.strange.push(key);
    }

    /// The same of a verb.
    pub fn strange_verb(&mut self, key: Span) {
        self.strange_verbs.push(key);
    }

    /// Keys that are no verb.
    pub fn strange_verbs(&self) -> &[Span] {
        &self.strange_verbs
    }

    /// Keys that mean nothing where they stand.
    pub fn strangers(&self) -> &[Span] {
        &self.strange
    }

    pub fn has_gaps(&self) -> bool {
        !self.spoilt.is_empty()
    }

    pub fn lines(&self) -> &Lines<'a> {
        &self.lines
    }

    /// How many findings there was no room for, at least.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Takes findings away again; how many that were.
    pub fn remove(&mut self, mut unwanted: impl FnMut(&Diagnostic) -> bool) -> usize {
        let before = self.diagnostics.len();
        self.diagnostics.retain(|diagnostic| !unwanted(diagnostic));
        before - self.diagnostics.len()
    }

    /// Gives a finding that is told already the change that removes it.
    pub fn fix(&mut self, rule: &str, span: Span, replacement: &str) {
        let place = self.lines.place(span);
        if let Some(found) = self.told(rule, span) {
            found.help = Some(Text::did_you_mean(replacement));
            found.fix = Some(Fix {
                span,
                place,
                replacement: replacement.to_owned(),
            });
        }
    }

    /// Says of a finding that is told already what to do about it.
    pub fn advise(&mut self, rule: &str, span: Span, help: Text) {
        if let Some(found) = self.told(rule, span) {
            found.help = Some(help.shortened(MAX_MESSAGE_BYTES));
        }
    }

    /// A few words at another place, of a finding that is told already.
    pub fn add_label(&mut self, rule: &str, span: Span, other: Span, words: Text) {
        let label = self.label(other, words);
        if let Some(found) = self.told(rule, span) {
            found.labels.push(label);
        }
    }

    /// What a rule has told of exactly this place.
    fn told(&mut self, rule: &str, span: Span) -> Option<&mut Diagnostic> {
        let mut found = self.diagnostics.iter_mut();
        found.find(|found| found.rule == rule && found.primary.span == span)
    }

    /// Whether a finding has a change that is certain.
    pub fn has_change(&self, found: &Diagnostic) -> bool {
        found.fix.is_some() && !self.guessed.contains(&(found.rule, found.primary.span))
    }

    /// All findings in the order of the file; at the last of them, how many more there are.
    pub fn finish(mut self) -> Vec<Diagnostic> {
        // Until now a proposal that is not certain told the stages what may have been meant.
        for found in &mut self.diagnostics {
            if self.guessed.contains(&(found.rule, found.primary.span)) {
                found.fix = None;
            }
        }
        self.diagnostics
            .sort_by_key(|found| (found.primary.span.start, found.primary.span.end, found.rule));
        if let Some(last) = self.diagnostics.last_mut().filter(|_| self.left_out > 0) {
            let (more, help) = (self.left_out, last.help.take());
            let more = text!(
                "{more} or more further findings of this file are not shown",
                "此文件至少还有 {more} 个问题没有显示"
            );
            last.help = Some(match help {
                None => more,
                Some(help) => Text::both(
                    format!("{}; {}", help.english(), more.english()),
                    format!("{}；{}", help.chinese(), more.chinese()),
                ),
            });
        }
        self.diagnostics
    }

    fn label(&self, span: Span, text: Text) -> Label {
        Label {
            span,
            place: self.lines.place(span),
            text,
        }
    }
}

/// A finding that is being written.
pub(crate) struct Found<'r, 'a> {
    report: &'r mut Report<'a>,
    diagnostic: Option<Diagnostic>,
}

impl Found<'_, '_> {
    /// A few words at the finding's own place.
    pub fn here(mut self, words: Text) -> Self {
        if let Some(diagnostic) = &mut self.diagnostic {
            diagnostic.primary.text = words;
        }
        self
    }

    /// A few words at another place.
    pub fn label(mut self, span: Span, words: Text) -> Self {
        if let Some(diagnostic) = &mut self.diagnostic {
            diagnostic.labels.push(self.report.label(span, words));
        }
        self
    }

    /// What to do about it.
    pub fn help(mut self, words: Text) -> Self {
        if let Some(diagnostic) = &mut self.diagnostic {
            diagnostic.help = Some(words.shortened(MAX_MESSAGE_BYTES));
        }
        self
    }

    /// The change that certainly removes the finding.
    pub fn fix(mut self, span: Span, replacement: impl Into<String>) -> Self {
        if let Some(diagnostic) = &mut self.diagnostic {
            diagnostic.fix = Some(Fix {
                span,
                place: self.report.lines.place(span),
                replacement: replacement.into(),
            });
        }
        self
    }

    /// The same of a name that may have been meant: the change stands if that is certain. `others` might have been meant as well.
    pub fn guess(self, span: Span, meant: &str, others: &[String], proof: Proof) -> Self {
        let written = self.report.lines.source().get(span.start..span.end);
        let certain = written.is_some_and(|written| proof.certain(written, meant, others));
        if let Some(found) = self.diagnostic.as_ref().filter(|_| !certain) {
            let key = (found.rule, found.primary.span);
            self.report.guessed.insert(key);
        }
        self.fix(span, meant)
    }

    /// What is certainly meant by what is written otherwise, as in another language.
    pub fn means(self, span: Span, meant: &str) -> Self {
        self.help(Text::did_you_mean(meant)).fix(span, meant)
    }

    /// The name that was meant where a name is defined, as all agree that use it.
    pub fn agreed(self, span: Span, meant: &str) -> Self {
        self.help(Text::did_you_mean(meant))
            .guess(span, meant, &[], Proof::Uses)
    }

    /// Proposes the name that was meant, if there is one; else the names there are.
    pub fn did_you_mean(self, span: Span, meant: Option<&str>, names: &[String]) -> Self {
        let rule = self.diagnostic.as_ref().map(|found| found.rule);
        let proof = rule.map_or(Proof::Name, Proof::of);
        match meant {
            Some(meant) => self
                .help(Text::did_you_mean(meant))
                .guess(span, meant, names, proof),
            None if names.is_empty() => self,
            None => {
                let names = super::suggest::shown(names);
                self.help(text!("there are: {names}", "现有：{names}"; names))
            }
        }
    }
}

impl Drop for Found<'_, '_> {
    fn drop(&mut self) {
        if let Some(diagnostic) = self.diagnostic.take() {
            self.report.diagnostics.push(diagnostic);
        }
    }
}
