use std::collections::BTreeMap;

use super::file::FILE_KEYS;
use super::habits;
use crate::catalog::{FlowSignature, InputSignature};
use crate::check::suggest::nearest;
use crate::expr::Span;
use crate::value::{Type, Value};
use crate::yaml::{Content, Node};

/// A declared input or variable.
#[derive(Debug, Clone)]
pub(crate) struct Declared {
    pub ty: Type,
    pub default: Option<Value>,
    /// What the default is, where that is more than the type says: an object with these fields and any others.
    pub default_type: Option<Type>,
    /// Whether no default is written, not even one that cannot be read.
    pub required: bool,
    /// Whether its type is a word of the language; else it is taken for what was probably meant.
    pub understood: bool,
    pub secret: bool,
    /// Its name.
    pub span: Span,
}

/// Longest name, in bytes.
const MAX_NAME: usize = 100;

/// A lower-case letter, then lower-case letters, digits, `_` and `-`.
pub(crate) fn is_name(text: &str) -> bool {
    text.len() <= MAX_NAME
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|byte| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'-')
        })
}

/// The same without `-`, which would be a minus.
pub(crate) fn is_variable(text: &str) -> bool {
    is_name(text) && !text.contains('-')
}

/// `zh`, `en`, `zh-HK`: a primary subtag of two or three letters (BCP 47), and what follows it.
pub(crate) fn is_language(text: &str) -> bool {
    let mut parts = text.split('-');
    let primary = parts.next().unwrap_or_default();
    // In a prompt `any` is whatever the call's language is.
    text != "any"
        && (2..=3).contains(&primary.len())
        && primary.bytes().all(|byte| byte.is_ascii_lowercase())
        && parts.all(|part| {
            (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
}

/// A type by its name in the language.
pub(crate) fn type_named(name: &str) -> Option<Type> {
    Some(match name {
        "text" => Type::Text,
        "number" => Type::Number,
        "bool" => Type::Bool,
        "date" => Type::Date,
        "time" => Type::Time,
        "datetime" => Type::DateTime,
        "duration" => Type::Duration,
        "money" => Type::Money,
        "phone" => Type::Phone,
        "list" => Type::List(Box::new(Type::Any)),
        "object" => Type::Object {
            fields: BTreeMap::new(),
            open: true,
        },
        "secret" => Type::Secret,
        _ => return None,
    })
}

/// The type that a word of other languages stands for, or one of ours that is misspelt.
pub(crate) fn type_meant(word: &str) -> Option<&'static str> {
    habits::type_called(word).or_else(|| nearest(&word.to_ascii_lowercase(), TYPES))
}

/// The names of all types.
pub(crate) const TYPES: [&str; 12] = [
    "text", "number", "bool", "date", "time", "datetime", "duration", "money", "phone", "list",
    "object", "secret",
];

/// Name and signature of a flow that cannot be read: its name is that of a line `flow: NAME`, or of its file.
pub(crate) fn unreadable_flow(file: &str, text: &str) -> Option<(String, FlowSignature)> {
    let written = text.lines().find_map(|line| line.strip_prefix("flow:"));
    let written = written.map(|name| {
        let name = name.split(" #").next().unwrap_or(name).trim();
        name.trim_matches(['"', '\''])
    });
    let base = file.rsplit(['/', '\\']).next().unwrap_or(file);
    let base = base.strip_suffix(".flow.yaml");
    let name = [written, base]
        .into_iter()
        .flatten()
        .find(|name| is_name(name))?;
    let signature = FlowSignature {
        unreadable: true,
        ..FlowSignature::default()
    };
    Some((name.to_owned(), signature))
}

/// How often each name stands behind a key such as `return`, below a node.
pub(crate) fn returns(node: &Node<'_>, key: &str, found: &mut BTreeMap<String, usize>) {
    match &node.content {
        Content::Scalar(_) => {}
        Content::List(items) => items.iter().for_each(|item| returns(item, key, found)),
        Content::Map(map) => {
            for entry in &map.entries {
                match entry.value.text().filter(|_| entry.key == key) {
                    Some(name) => *found.entry(name.to_owned()).or_default() += 1,
                    None => returns(&entry.value, key, found),
                }
            }
        }
    }
}

/// Name and signature of a flow, read without checking anything: what cannot be understood is left out.
pub(crate) fn flow_signature(root: &Node) -> Option<(String, FlowSignature)> {
    let root = root.map()?;
    let name = root.value("flow")?.text().filter(|name| is_name(name))?;
    let mut signature = FlowSignature::default();
    for entry in root
        .value("inputs")
        .and_then(Node::map)
        .into_iter()
        .flat_map(|map| &map.entries)
    {
        let long = entry.value.map();
        let ty = match long {
            None => entry.value.text(),
            Some(long) => long.value("type").and_then(Node::text),
        };
        let words: Option<Vec<String>> =
            long.and_then(|long| long.value("one_of")?.list())
                .map(|words| {
                    words
                        .iter()
                        .filter_map(Node::text)
                        .map(str::to_owned)
                        .collect()
                });
        let secret = long
            .and_then(|long| long.value("secret")?.text())
            .is_some_and(|text| text == "true");
        let ty = match (words, ty.and_then(type_named)) {
            _ if secret => Type::Secret,
            (Some(words), _) if !words.is_empty() => Type::OneOf(words),
            (_, ty) => ty.unwrap_or(Type::Any),
        };
        let required = long.is_none_or(|long| long.entry("default").is_none());
        signature
            .inputs
            .insert(entry.key.to_string(), InputSignature { ty, required });
    }
    let outcomes = root
        .value("outcomes")
        .and_then(Node::list)
        .unwrap_or_default();
    signature.outcomes = outcomes
        .iter()
        .filter_map(Node::text)
        .map(str::to_owned)
        .collect();
    // What stands there in another form, or under a key that means nothing, may be inputs and outcomes.
    let odd =
        |key: &str, fits: fn(&Node<'_>) -> bool| root.value(key).is_some_and(|node| !fits(node));
    let strange = root
        .entries
        .iter()
        .any(|entry| !FILE_KEYS.contains(&entry.key.as_ref()));
    let mut returned = BTreeMap::new();
    for key in ["steps", "global"] {
        if let Some(node) = root.value(key) {
            returns(node, "return", &mut returned);
        }
    }
    let undeclared = returned
        .keys()
        .any(|name| !signature.outcomes.contains(name));
    let whole = root.entry("inputs").is_some() && root.entry("outcomes").is_some();
    signature.unreadable = odd("inputs", |node| node.map().is_some())
        || odd("outcomes", |node| node.list().is_some())
        || (strange && !whole)
        || undeclared;
    Some((name.to_owned(), signature))
}
