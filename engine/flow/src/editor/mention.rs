//! Every place at which a name is defined or used.

use super::part::{Part, Place, Role};
use super::{Sheet, expression, grammar};
use crate::catalog::Catalog;
use crate::expr::Span;
use crate::lower::{is_name, is_variable};
use crate::yaml::{Content, Node};

/// The kinds of names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A named step of the file.
    Step,
    /// A named prompt of the file.
    Prompt,
    /// An input, a variable or a result of the file.
    Variable,
    /// An input of another flow, where it is called.
    Input,
    /// An outcome of a flow.
    Outcome,
    /// Named opening hours of the file.
    Hours,
    /// A flow of the project.
    Flow,
    /// A queue of the project.
    Queue,
    /// A supplier of the project.
    Supplier,
    /// `plugin/step@major`.
    Plugin,
    /// An audio file of the project.
    Audio,
}

/// A place at which a name is defined or used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// What is named.
    pub kind: Kind,
    /// The name.
    pub name: String,
    /// The flow that it belongs to, when that is another one.
    pub flow: Option<String>,
    /// Where the name stands, in bytes of the text.
    pub span: Span,
    /// Whether it is defined here.
    pub defines: bool,
    /// Whether the name stands at `span` letter for letter. It does not in a text that is written with
    /// YAML's escapes or over several lines.
    pub exact: bool,
}

impl Sheet {
    /// Every mention, in the order of the text.
    pub fn mentions(&self, catalog: &Catalog) -> Vec<Mention> {
        let mut found = Vec::new();
        if let Some(root) = &self.root {
            for part in grammar::parts(root, catalog) {
                self.of_part(&part, &mut found);
            }
        }
        found.retain(|mention| {
            self.source.get(mention.span.start..mention.span.end) == Some(&mention.name)
                || !mention.exact
        });
        found.sort_by_key(|mention| (mention.span.start, mention.span.end));
        found
    }

    /// The mention at a byte: the shortest that touches it.
    pub fn mention_at(&self, at: usize, catalog: &Catalog) -> Option<Mention> {
        let all = self.mentions(catalog);
        let touching = all
            .into_iter()
            .filter(|mention| mention.span.start <= at && at <= mention.span.end);
        touching.min_by_key(|mention| mention.span.end - mention.span.start)
    }

    fn of_part(&self, part: &Part<'_>, found: &mut Vec<Mention>) {
        let mut add = |kind: Kind, name: &str, span: Span, flow: Option<&str>, defines: bool| {
            if !name.is_empty() {
                found.push(Mention {
                    kind,
                    name: name.to_owned(),
                    flow: flow.map(str::to_owned),
                    span,
                    defines,
                    exact: part.exact.is_some(),
                });
            }
        };
        let inner = part.inner();
        match &part.role {
            Role::Name(Kind::Supplier | Kind::Queue, _) if !is_name(part.text) => {}
            Role::Name(Kind::Outcome, Place::Refers) if !self.is_outcome(part.text) => {}
            Role::Name(kind, place) => {
                add(*kind, part.text, inner, None, *place == Place::Defines);
            }
            Role::Of(Kind::Outcome, _, _) if matches!(part.text, "else" | "error" | "timeout") => {}
            Role::Of(kind, flow, _) => add(*kind, part.text, inner, Some(flow), false),
            Role::Target { .. } | Role::Then(_) => match part.text.strip_prefix("flow:") {
                Some(flow) => {
                    let start = inner.end - flow.len().min(inner.end - inner.start);
                    let end = inner.end;
                    add(Kind::Flow, flow, Span { start, end }, None, false);
                }
                None if part.text == "repeat" => {}
                None => add(Kind::Step, part.text, inner, None, false),
            },
            Role::Prompt if is_name(part.text) => {
                add(Kind::Prompt, part.text, inner, None, false);
            }
            Role::Plugin => add(Kind::Plugin, part.text, inner, None, false),
            Role::Audio => add(Kind::Audio, part.text, inner, None, false),
            _ => {}
        }
        for expr in expression::of_part(part) {
            for (name, span) in expr.roots() {
                if is_variable(name) {
                    let span = if part.exact.is_some() {
                        span
                    } else {
                        part.span
                    };
                    found.push(Mention {
                        kind: Kind::Variable,
                        name: name.to_owned(),
                        flow: None,
                        span,
                        defines: false,
                        exact: part.exact.is_some(),
                    });
                }
            }
        }
    }
}

/// Why a name cannot be used for something of this kind; `None` when it can.
pub fn name_fault(kind: Kind, name: &str) -> Option<&'static str> {
    let variable = matches!(kind, Kind::Variable | Kind::Input);
    let taken = match kind {
        Kind::Variable | Kind::Input => crate::lower::is_taken(name),
        Kind::Step => name == "repeat",
        Kind::Outcome => matches!(name, "else" | "error" | "timeout"),
        _ => false,
    };
    if taken {
        Some("this name has a meaning of its own in the language; choose another one")
    } else if variable && !is_variable(name) {
        Some("write lower-case letters, digits and `_`, a letter first")
    } else if !is_name(name) {
        Some("write lower-case letters, digits, `_` and `-`, a letter first")
    } else {
        None
    }
}

/// What a prompt says, in one line.
pub(super) fn preview(node: &Node) -> String {
    let mut texts = Vec::new();
    gather(node, &mut texts);
    texts.join(" / ")
}

fn gather(node: &Node, texts: &mut Vec<String>) {
    match &node.content {
        Content::Scalar(scalar) => texts.push(scalar.text.to_string()),
        Content::List(items) => items.iter().for_each(|item| gather(item, texts)),
        Content::Map(map) if map.entry("text").is_some() || map.entry("audio").is_some() => {
            for key in ["text", "audio"] {
                texts.extend(map.value(key).and_then(Node::text).map(str::to_owned));
            }
        }
        Content::Map(map) => map
            .entries
            .iter()
            .for_each(|entry| gather(&entry.value, texts)),
    }
}
