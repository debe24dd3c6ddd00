//! The outline of a file.

use serde::Serialize;

use super::Sheet;
use super::mention::preview;
use crate::expr::Span;
use crate::yaml::{Entry, Node};

/// An entry of the outline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// Its name.
    pub name: String,
    /// A few words about it.
    pub detail: String,
    /// What it is.
    pub kind: SymbolKind,
    /// The whole of it, in bytes of the text.
    pub span: Span,
    /// Its name in the text.
    pub name_span: Span,
    /// What is below it.
    pub children: Vec<Symbol>,
}

/// The kinds of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum SymbolKind {
    /// A part of the file, such as `steps`.
    Section,
    /// A step.
    Step,
    /// A prompt.
    Prompt,
    /// An input or a variable.
    Variable,
    /// Opening hours.
    Hours,
    /// A test.
    Test,
}

/// Longest detail, in characters: what an outline shows in one line.
const MAX_DETAIL: usize = 60;

impl Sheet {
    /// The outline: the file's sections with what they name.
    pub fn outline(&self) -> Vec<Symbol> {
        let map = self.root.as_ref().and_then(Node::map);
        let mut symbols = Vec::new();
        for entry in map.into_iter().flat_map(|map| &map.entries) {
            let kind = match entry.key.as_ref() {
                "inputs" | "vars" => SymbolKind::Variable,
                "prompts" => SymbolKind::Prompt,
                "hours" => SymbolKind::Hours,
                "steps" => SymbolKind::Step,
                "tests" => SymbolKind::Test,
                _ => continue,
            };
            let below = entry.value.map();
            let children = below
                .into_iter()
                .flat_map(|map| &map.entries)
                .map(|entry| {
                    let detail = match kind {
                        SymbolKind::Step => verbs(&entry.value),
                        SymbolKind::Prompt => preview(&entry.value),
                        SymbolKind::Variable => entry.value.text().unwrap_or_default().to_owned(),
                        _ => String::new(),
                    };
                    symbol(entry, kind, detail, Vec::new())
                })
                .collect();
            symbols.push(symbol(entry, SymbolKind::Section, String::new(), children));
        }
        symbols
    }
}

fn symbol(entry: &Entry, kind: SymbolKind, detail: String, children: Vec<Symbol>) -> Symbol {
    Symbol {
        name: match entry.key.trim() {
            // An outline's entry without a name is refused by editors.
            "" => "?".to_owned(),
            name => name.to_owned(),
        },
        detail: detail.chars().take(MAX_DETAIL).collect(),
        kind,
        span: entry.span(),
        name_span: entry.key_span,
        children,
    }
}

/// The first keys of a step's actions: as a rule their verbs.
fn verbs(node: &Node) -> String {
    let actions = match node.list() {
        Some(items) => items.iter().collect(),
        None => vec![node],
    };
    let verbs: Vec<&str> = actions
        .into_iter()
        .filter_map(|action| Some(action.map()?.entries.first()?.key.as_ref()))
        .collect();
    verbs.join(", ")
}
