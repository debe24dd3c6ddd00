//! Keys that mean nothing where they stand and are near to none that would. Nobody knows what their values were to be, so
//! nothing is told that they may have been.

use super::report::Report;
use crate::diagnostic::Diagnostic;
use crate::expr::Span;
use crate::hashed::HashSet;
use crate::yaml::{Content, Node};

/// Where strange keys begin.
struct Keys {
    plain: HashSet<usize>,
    verbs: HashSet<usize>,
}

/// What strange keys leave open.
#[derive(Default)]
pub(super) struct Strange<'t> {
    /// Where findings about what is missing beside a strange key begin.
    beside: HashSet<usize>,
    /// The words below strange keys: each may have led to a step, or used or made something of that name.
    words: HashSet<&'t str>,
}

impl<'t> Strange<'t> {
    pub fn of(root: &'t Node<'t>, report: &Report<'_>) -> Strange<'t> {
        let mut strange = Strange::default();
        let starts = |keys: &[Span]| keys.iter().map(|key| key.start).collect();
        let keys = Keys {
            plain: starts(report.strangers()),
            verbs: starts(report.strange_verbs()),
        };
        if !keys.plain.is_empty() || !keys.verbs.is_empty() {
            strange.gather(root, root.span.start, &keys);
        }
        strange
    }

    /// `above` is where the key stands that the node belongs to.
    fn gather(&mut self, node: &'t Node<'t>, above: usize, keys: &Keys) {
        match &node.content {
            Content::Scalar(_) => {}
            Content::List(items) => {
                for item in items {
                    self.gather(item, item.span.start, keys);
                }
            }
            Content::Map(map) => {
                let starts = || map.entries.iter().map(|entry| entry.key_span.start);
                let strange_verb = starts().any(|start| keys.verbs.contains(&start));
                if strange_verb || starts().any(|start| keys.plain.contains(&start)) {
                    self.beside.extend([above, node.span.start]);
                    self.beside.extend(starts());
                }
                for entry in &map.entries {
                    let start = entry.key_span.start;
                    // Where a strange verb leads is known.
                    match keys.plain.contains(&start) || (strange_verb && entry.key != "then") {
                        true => self.take(&entry.value),
                        false => self.gather(&entry.value, start, keys),
                    }
                }
            }
        }
    }

    fn take(&mut self, node: &'t Node<'t>) {
        match &node.content {
            Content::Scalar(scalar) => self.take_text(&scalar.text),
            Content::List(items) => items.iter().for_each(|item| self.take(item)),
            Content::Map(map) => {
                for entry in &map.entries {
                    self.take_text(&entry.key);
                    self.take(&entry.value);
                }
            }
        }
    }

    fn take_text(&mut self, text: &'t str) {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        self.words
            .extend(text.split(|c| !is_name(c)).filter(|word| !word.is_empty()));
    }

    /// Whether a name stands below a strange key.
    pub fn mentions(&self, name: &str) -> bool {
        self.words.contains(name)
    }

    /// Whether a finding tells only what a strange key leaves open.
    pub fn explains(&self, found: &Diagnostic, source: &str) -> bool {
        let span = found.primary.span;
        match found.rule {
            "missing-key" | "missing-input" | "missing-outcome" | "dead-end" => {
                self.beside.contains(&span.start)
            }
            "unused"
            | "unassigned-variable"
            | "unknown-variable"
            | "unknown-step"
            | "unknown-prompt"
            | "unknown-hours"
            | "unknown-outcome" => source
                .get(span.start..span.end)
                .is_some_and(|name| self.mentions(name)),
            _ => false,
        }
    }
}
