//! Inputs of which a part is a question: which kinds of answer it takes, and what tells the parts of a list apart.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::Lowerer;
use crate::check::rules::bad_input;
use crate::diagnostic::{Text, text};
use crate::expr::Span;
use crate::plan::Template;
use crate::value::Value;
use crate::yaml::Node;

impl<'t> Lowerer<'t> {
    /// What an answer may be, where an input is about more than the one answer of a step. `properties.kind.enum` of the schema says which
    /// kinds the step takes there.
    pub(super) fn expected_kind(
        &mut self,
        schema: &Json,
        place: &Text,
        node: &'t Node<'t>,
    ) -> Option<Template> {
        let template = self.expect(node)?.template;
        let kind = match &template {
            Template::Literal(Value::Object(fields)) => fields.get("kind"),
            _ => None,
        };
        if let (Some(Value::Text(kind)), Some(kinds)) =
            (kind, schema["properties"]["kind"]["enum"].as_array())
            && !kinds.iter().any(|known| known == kind.as_str())
        {
            let kinds: Vec<String> = kinds
                .iter()
                .filter_map(|kind| Some(kind.as_str()?.to_owned()))
                .collect();
            let names = crate::check::suggest::shown(&kinds);
            let message = text!("{place} does not take `{kind}`", "{place} 不接受 `{kind}`"; place);
            let help = text!("it takes {names}", "可选：{names}"; names);
            bad_input::bad(&mut self.report, node.span, message, Some(help));
        }
        Some(template)
    }

    /// Tells of a value that is inserted where an input has prompts or answers within: these are the flow's, and stand in it.
    pub(super) fn made_of_words(&mut self, place: &Text, node: &Node<'t>) {
        let message = text!(
            "{place} holds prompts or answers, which stand in the flow: no value can be inserted for it",
            "{place} 里有提示或回答的种类，它们写在流程里：不能插入一个值";
            place
        );
        let help = Text::fixed("write it out here", "请直接写在这里");
        bad_input::bad(&mut self.report, node.span, message, Some(help));
    }

    /// Tells of keys that may not be answers, by `x-no-answer` of their schemas, and with which one could be given or completed all
    /// the same. `object` is what the step gets.
    pub(super) fn no_answers(
        &mut self,
        schema: &Json,
        object: &BTreeMap<String, Template>,
        given: &[(&str, Span)],
    ) {
        let properties = || schema["properties"].as_object().into_iter().flatten();
        let key = |name: &str| match object.get(name) {
            Some(Template::Literal(Value::Text(key))) => Some(key.as_str()),
            _ => None,
        };
        let apart = properties().filter(|(_, schema)| schema["x-no-answer"] == true);
        let apart: Vec<&String> = apart.map(|(name, _)| name).collect();
        if apart.is_empty() {
            return;
        }
        let mut answers = Vec::new();
        for (name, schema) in properties() {
            if let Some(value) = object.get(name) {
                Keyed::gather(schema, value, &mut answers);
            }
        }
        for name in apart {
            let at = given.iter().find(|(given, _)| given == name);
            let (Some(own), Some((_, at))) = (key(name), at) else {
                continue;
            };
            let ends = properties().find(|(other, schema)| {
                *other != name && schema["format"] == "key" && key(other) == Some(own)
            });
            let typed = answers.iter().any(|answer| matches!(answer, Keyed::Typed));
            let message = match ends.filter(|_| typed) {
                Some((other, _)) => text!(
                    "the key of `{name}` completes an answer: it is that of `{other}`",
                    "`{name}` 的按键会结束一个回答：它也是 `{other}` 的按键"
                ),
                None if answers.iter().any(|answer| answer.begins_with(own)) => text!(
                    "the key of `{name}` is an answer to a question, or begins one",
                    "`{name}` 的按键是某个问题的回答，或是其开头"
                ),
                None => continue,
            };
            let help = Text::fixed(
                "choose one that is no answer, such as `star`",
                "请换一个不是回答的按键，例如 `star`",
            );
            bad_input::bad(&mut self.report, *at, message, Some(help));
        }
    }

    /// Tells of a field that a list may not have twice, by `x-unique` of its schema, where two of its values write the same.
    pub(super) fn told_apart(&mut self, place: &Text, schema: &Json, items: &[Node<'t>]) {
        let Some(field) = schema["x-unique"].as_str() else {
            return;
        };
        let mut seen = BTreeSet::new();
        for item in items {
            let value = item.map().and_then(|map| map.value(field));
            let Some((value, text)) = value.and_then(|value| Some((value, value.text()?))) else {
                continue;
            };
            if !seen.insert(text) {
                let message = text!(
                    "{place} has `{field}: {text}` twice",
                    "{place} 中 `{field}: {text}` 出现两次";
                    place
                );
                bad_input::bad(&mut self.report, value.span, message, None);
            }
        }
    }
}

/// Most points of a scale that are chosen by a key each; what has more is typed. Count: from 0 to 10.
const MAX_POINTS: f64 = 11.0;

/// Deepest input that is looked into for prompts and answers. Levels.
const MAX_DEPTH: usize = 16;

/// By which keys an answer is given.
enum Keyed {
    /// By any digits.
    Typed,
    /// By one of these.
    Chosen(Vec<String>),
}

impl Keyed {
    /// The answers that a value of a schema asks for.
    fn gather(schema: &Json, value: &Template, answers: &mut Vec<Keyed>) {
        match value {
            Template::Literal(Value::Object(fields)) if schema["format"] == "expect" => {
                answers.extend(Keyed::of(fields));
            }
            Template::List(items) => {
                for item in items {
                    Keyed::gather(&schema["items"], item, answers);
                }
            }
            Template::Object(fields) => {
                for (name, value) in fields {
                    Keyed::gather(&schema["properties"][name.as_str()], value, answers);
                }
            }
            _ => {}
        }
    }

    /// By an answer's kind; none for free words.
    fn of(fields: &BTreeMap<String, Value>) -> Option<Keyed> {
        let number = |name: &str| match fields.get(name) {
            Some(Value::Number(number)) => Some(*number),
            _ => None,
        };
        let Some(Value::Text(kind)) = fields.get("kind") else {
            return None;
        };
        let places = |count: usize| Keyed::Chosen((1..=count).map(|n| n.to_string()).collect());
        match (kind.as_str(), fields.get("values")) {
            ("text", _) => None,
            ("yes_no", _) => Some(places(2)),
            ("one_of", Some(Value::List(values))) => Some(places(values.len())),
            ("number", _) => match (number("min"), number("max")) {
                (Some(min), Some(max))
                    if min.fract() == 0.0 && min >= 0.0 && max - min < MAX_POINTS =>
                {
                    let points = (min as u64)..=(max as u64);
                    Some(Keyed::Chosen(points.map(|n| n.to_string()).collect()))
                }
                _ => Some(Keyed::Typed),
            },
            _ => Some(Keyed::Typed),
        }
    }

    fn begins_with(&self, key: &str) -> bool {
        match self {
            Keyed::Typed => key.bytes().all(|key| key.is_ascii_digit()),
            Keyed::Chosen(keys) => keys.iter().any(|one| one.starts_with(key)),
        }
    }
}

/// Whether a value of a schema has prompts, answers or expressions within, which are made where they stand in a flow.
pub(super) fn holds_words(schema: &Json) -> bool {
    fn within(schema: &Json, depth: usize) -> bool {
        let made = matches!(
            schema["format"].as_str(),
            Some("prompt" | "press" | "expect" | "expression")
        );
        let named = schema["properties"].as_object();
        let parts = named.into_iter().flatten().map(|(_, part)| part);
        let rest = ["items", "additionalProperties"].map(|key| schema.get(key));
        let mut parts = parts.chain(rest.into_iter().flatten());
        made || (depth < MAX_DEPTH && parts.any(|part| within(part, depth + 1)))
    }
    within(schema, 0)
}
