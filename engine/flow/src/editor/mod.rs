//! A flow as an editor sees it: what stands at a place, where names are defined and used, and what could
//! be written there.
//!
//! All of it is language knowledge without I/O: text, a [`Catalog`] and a byte go in. A file is mostly
//! broken while somebody types in it, so a [`Sheet`] reads around the line being typed and keeps the
//! names of the last reading that succeeded.

mod complete;
mod expression;
mod grammar;
mod hover;
pub(crate) mod keys;
mod mention;
mod offer;
mod outline;
mod part;
mod repair;
mod schema;

pub use hover::Hover;
pub use mention::{Kind, Mention, name_fault};
pub use offer::{MAX_OFFERS, Offer, OfferKind};
pub use outline::{Symbol, SymbolKind};

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::Catalog;
use crate::check::report::Report;
use crate::expr::Span;
use crate::lower::lower;
use crate::value::Type;
use crate::yaml::{self, Node};

/// A flow's file, read for an editor.
#[derive(Debug, Clone)]
pub struct Sheet {
    source: String,
    /// The text that was read: lines that were left out are blank.
    text: String,
    root: Option<Node<'static>>,
    names: Names,
}

/// The names of a file.
#[derive(Debug, Clone, Default)]
struct Names {
    flow: Option<String>,
    steps: Vec<String>,
    prompts: BTreeMap<String, String>,
    hours: Vec<String>,
    outcomes: Vec<String>,
    languages: Vec<String>,
    /// Inputs, variables and results, each with the types it may have.
    variables: BTreeMap<String, Variable>,
    /// Names that steps give their own prompts and expressions, such as `choices`.
    binds: BTreeMap<String, Type>,
}

/// A name of expressions.
#[derive(Debug, Clone, Default)]
struct Variable {
    types: Vec<Type>,
    /// `input`, `variable`, `result`.
    role: &'static str,
    description: Option<String>,
}

impl Sheet {
    /// Reads a file.
    ///
    /// `edited` is a byte of the line that was changed last: if the file is broken, that line is probably
    /// why. `before` is the sheet of the text before the change, whose names stay as long as the file cannot
    /// be read without gaps.
    pub fn read(
        source: &str,
        catalog: &Catalog,
        edited: Option<usize>,
        before: Option<&Sheet>,
    ) -> Sheet {
        let read = repair::read(source, edited);
        let mut names = read
            .root
            .as_ref()
            .map(|root| Names::of(root, &read.text, catalog))
            .unwrap_or_default();
        if read.gaps
            && let Some(before) = before
        {
            names.keep(&before.names);
        }
        Sheet {
            source: source.to_owned(),
            text: read.text,
            root: read.root,
            names,
        }
    }

    /// The text as it was given.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The flow's name.
    pub fn flow(&self) -> Option<&str> {
        self.names.flow.as_deref()
    }

    /// Whether a name is one of the flow's declared inputs.
    pub fn is_input(&self, name: &str) -> bool {
        let variable = self.names.variables.get(name);
        variable.is_some_and(|variable| variable.role == "input")
    }

    /// Whether the flow can `return` an outcome of this name.
    pub fn is_outcome(&self, name: &str) -> bool {
        self.names.outcomes.iter().any(|outcome| outcome == name)
    }

    /// Whether a name of this kind is there already.
    pub fn has(&self, kind: Kind, name: &str) -> bool {
        match kind {
            Kind::Step => self.names.steps.iter().any(|step| step == name),
            Kind::Prompt => self.names.prompts.contains_key(name),
            Kind::Hours => self.names.hours.iter().any(|hours| hours == name),
            Kind::Variable | Kind::Input => self.names.variables.contains_key(name),
            Kind::Outcome => self.is_outcome(name),
            _ => false,
        }
    }
}

impl Names {
    fn of(root: &Node, text: &str, catalog: &Catalog) -> Names {
        let mut names = Names::default();
        let Some(map) = root.map() else { return names };
        let keys = |key: &str| -> Vec<String> {
            let below = map.value(key).and_then(Node::map);
            below
                .into_iter()
                .flat_map(|map| &map.entries)
                .map(|entry| entry.key.to_string())
                .collect()
        };
        names.flow = map.value("flow").and_then(Node::text).map(str::to_owned);
        names.steps = keys("steps");
        names.hours = keys("hours");
        let prompts = map.value("prompts").and_then(Node::map);
        for entry in prompts.into_iter().flat_map(|map| &map.entries) {
            names
                .prompts
                .insert(entry.key.to_string(), mention::preview(&entry.value));
        }
        // The draft knows the type of everything that gets a value; its findings are told by the checker.
        let (draft, _) = lower(root, catalog, Report::new("", text));
        names.outcomes.clone_from(&draft.outcomes);
        names.languages.clone_from(&draft.languages);
        let described = |key: &str, name: &str| {
            let long = map.value(key)?.map()?.value(name)?.map()?;
            Some(long.value("description")?.text()?.to_owned())
        };
        for (key, role, all) in [
            ("inputs", "input", &draft.inputs),
            ("vars", "variable", &draft.vars),
        ] {
            for (name, declared) in all {
                let variable = Variable {
                    types: vec![declared.ty.clone()],
                    role,
                    description: described(key, name),
                };
                names.variables.insert(name.clone(), variable);
            }
        }
        for binding in &draft.bindings {
            let variable = names.variables.entry(binding.name.clone()).or_default();
            if variable.role.is_empty() {
                variable.role = "result";
            }
            if !variable.types.contains(&binding.ty) {
                variable.types.push(binding.ty.clone());
            }
        }
        let binds = draft.uses.iter().map(|used| &used.binds);
        let binds = binds.chain(draft.prompt_uses.iter().map(|used| &used.binds));
        for (name, ty) in binds.flat_map(|binds| binds.iter()) {
            names.binds.insert(name.clone(), ty.clone());
        }
        names
    }

    /// Adds what an earlier reading knew and this one could not see.
    fn keep(&mut self, before: &Names) {
        if self.flow.is_none() {
            self.flow.clone_from(&before.flow);
        }
        let lists = [
            (&mut self.steps, &before.steps),
            (&mut self.hours, &before.hours),
            (&mut self.outcomes, &before.outcomes),
            (&mut self.languages, &before.languages),
        ];
        for (now, earlier) in lists {
            let known: BTreeSet<String> = now.iter().cloned().collect();
            now.extend(
                earlier
                    .iter()
                    .filter(|name| !known.contains(*name))
                    .cloned(),
            );
        }
        for (name, text) in &before.prompts {
            self.prompts
                .entry(name.clone())
                .or_insert_with(|| text.clone());
        }
        for (name, variable) in &before.variables {
            self.variables
                .entry(name.clone())
                .or_insert_with(|| variable.clone());
        }
        for (name, ty) in &before.binds {
            self.binds.entry(name.clone()).or_insert_with(|| ty.clone());
        }
    }
}

/// The keys below a path of keys, with their places: where `queues.yaml` has a queue. Empty when the text
/// is no YAML.
pub fn keys_below(source: &str, path: &[&str]) -> Vec<(String, Span)> {
    let mut report = Report::new("", source);
    let read = yaml::read(source, &mut report);
    let mut node = read.root.as_ref();
    for key in path {
        node = node.and_then(|node| node.map()?.value(key));
    }
    let map = node.and_then(Node::map);
    map.into_iter()
        .flat_map(|map| &map.entries)
        .map(|entry| (entry.key.to_string(), entry.key_span))
        .collect()
}
