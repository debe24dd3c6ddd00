//! What is misspelt where it is declared: the file's own keys, its languages, its outcomes.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::super::file::FILE_KEYS;
use super::super::names::{is_language, returns};
use super::super::{MAX_COMPARED, declare, habits};
use super::{Speller, maps_of};
use crate::check::rules::{bad_value, unknown_outcome};
use crate::check::suggest::{nearest, slips};
use crate::diagnostic::{Text, text};
use crate::hashed::HashSet;
use crate::yaml::{Content, Map, Node};

/// Texts in a language that is not declared, from which on they are believed and not the declaration.
const MANY_TEXTS: usize = 2;

/// Times that an outcome is returned which is not declared, from which on it is believed and not the declaration.
const MANY_RETURNS: usize = 2;

impl Speller<'_, '_, '_> {
    /// The keys of the file, and those of declarations.
    pub(super) fn head(&mut self, map: &mut Map<'_>) {
        habits::language(map, self.report);
        self.keys(map, &FILE_KEYS, &Text::fixed("a flow", "流程"));
        for entry in &mut map.entries {
            match entry.key.as_ref() {
                "inputs" | "vars" => {
                    for declared in maps_of(&mut entry.value) {
                        self.keys(declared, &declare::KEYS, &declare::called());
                    }
                    habits::declared_names(&entry.key, &mut entry.value, self.report);
                    if let Content::Map(map) = &mut entry.value.content {
                        habits::declarations(map, self.report);
                    }
                }
                "languages" => habits::languages(&mut entry.value, self.report),
                _ => {}
            }
        }
        self.outcomes(map);
    }

    /// Languages that are misspelt where they are declared: of those that no prompt has, while several have one that is nearly so called
    /// beside another of the flow's.
    pub(super) fn spoken(&mut self, map: &mut Map<'_>) {
        let list = map.value("languages").and_then(Node::list);
        let declared = list.into_iter().flatten().filter_map(Node::text);
        let declared: Vec<String> = declared.map(str::to_owned).collect();
        if declared.len() < 2 {
            return;
        }
        let mut keys = BTreeMap::new();
        for entry in map.entries.iter().filter(|entry| entry.key != "languages") {
            beside(&entry.value, &declared, &mut keys);
        }
        let others = || {
            let others = keys.iter().filter(|(key, _)| !declared.contains(key));
            others
                .filter(|(_, texts)| **texts >= MANY_TEXTS)
                .map(|(key, _)| key)
        };
        if others().next().is_none() {
            return;
        }
        let list = map.entries.iter_mut();
        let list = list.filter(|entry| entry.key == "languages");
        let items = list.filter_map(|entry| match &mut entry.value.content {
            Content::List(items) => Some(items),
            _ => None,
        });
        for item in items.flatten() {
            let Content::Scalar(scalar) = &mut item.content else {
                continue;
            };
            let written = scalar.text.clone();
            let meant = nearest(&written, others().map(String::as_str));
            let Some(meant) = meant.filter(|_| !keys.contains_key(written.as_ref())) else {
                continue;
            };
            let message = text!(
                "no text of this flow is in `{written}`, and `{meant}`, which others are in, is none of its languages",
                "此流程没有 `{written}` 的文本，而文本所用的 `{meant}` 不是它的语言"
            );
            bad_value::slip(self.report, item.span, message, meant);
            scalar.text = Cow::Owned(meant.to_owned());
        }
    }

    /// Outcomes that are misspelt where they are declared: of one that is returned again and again, or is called as most are.
    fn outcomes(&mut self, map: &mut Map<'_>) {
        let mut returned: BTreeMap<String, usize> = BTreeMap::new();
        for key in ["steps", "global"] {
            if let Some(node) = map.value(key) {
                returns(node, "return", &mut returned);
            }
        }
        // A test that expects the end knows its name as well.
        let mut ends = BTreeMap::new();
        if let Some(tests) = map.value("tests") {
            returns(tests, "ends", &mut ends);
        }
        for (name, times) in &mut returned {
            *times += ends.get(name).copied().unwrap_or_default();
        }
        let list = map.entries.iter_mut().find(|entry| entry.key == "outcomes");
        let Some(Content::List(items)) = list.map(|entry| &mut entry.value.content) else {
            return;
        };
        let declared = items.iter().filter_map(Node::text);
        let declared: HashSet<String> = declared.map(str::to_owned).collect();
        let used: HashSet<String> = returned.keys().cloned().collect();
        returned.retain(|name, times| {
            !declared.contains(name) && (*times >= MANY_RETURNS || name == "done")
        });
        if returned.is_empty() {
            return;
        }
        for item in items {
            let Content::Scalar(scalar) = &mut item.content else {
                continue;
            };
            if used.contains(scalar.text.as_ref()) {
                continue;
            }
            self.compared += returned.len();
            if self.compared > MAX_COMPARED {
                return;
            }
            let names = returned.keys();
            let near = names.filter_map(|name| Some((slips(&scalar.text, name)?, name)));
            if let Some((_, meant)) = near.min() {
                unknown_outcome::declared(self.report, item.span, &scalar.text, meant);
                scalar.text = Cow::Owned(meant.clone());
            }
        }
    }
}

/// Counts the languages of all maps that have a declared one.
fn beside(node: &Node<'_>, declared: &[String], keys: &mut BTreeMap<String, usize>) {
    match &node.content {
        Content::Map(map) => {
            let is_declared = |key: &str| declared.iter().any(|language| language == key);
            if map.entries.iter().any(|entry| is_declared(&entry.key)) {
                let keyed = map.entries.iter().map(|entry| entry.key.as_ref());
                for key in keyed.filter(|key| is_language(key)) {
                    match keys.get_mut(key) {
                        Some(times) => *times += 1,
                        None => drop(keys.insert(key.to_owned(), 1)),
                    }
                }
            }
            for entry in &map.entries {
                beside(&entry.value, declared, keys);
            }
        }
        Content::List(items) => items.iter().for_each(|item| beside(item, declared, keys)),
        Content::Scalar(_) => {}
    }
}
