//! What a test's `mock:` gives instead of steps, queues, transfers and flows, held against what those really give.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::tested::named::What;
use super::tested::{Named, Ran, is_step};
use super::{Lowerer, Reply};
use crate::catalog::{StepDescription, carries_data};
use crate::check::rules::{bad_value, missing_key, unknown_field, unknown_outcome, unused};
use crate::check::suggest::misspelt;
use crate::diagnostic::{Text, text};
use crate::expr::Span;
use crate::value::{Type, Value, from_json, parse_literal, type_of_schema};
use crate::yaml::{Content, Entry, Node, Style};

/// How a queue lets go of a contact; `wit/1.0/deps/route`.
const QUEUE_ENDS: [&str; 6] = ["done", "timeout", "full", "closed", "no_agents", "failed"];

/// How a transfer ends; the same.
const TRANSFER_ENDS: [&str; 5] = ["done", "busy", "no_answer", "declined", "failed"];

/// What a mocked outcome has with it.
enum Carried {
    /// Nobody knows.
    Unknown,
    /// Nothing.
    Nothing,
    /// Fields by name.
    Fields(Type, Json),
}

/// Who takes what is mocked.
#[derive(Default)]
struct Takers {
    /// All places of this flow as one.
    own: Ran,
    /// Whether another flow may run it too, with variables of its own.
    others: bool,
}

impl<'t> Lowerer<'t> {
    /// `mock:` of a test.
    pub(super) fn mocks(&mut self, node: &'t Node<'t>) -> BTreeMap<String, Vec<Reply>> {
        let mut mocks = BTreeMap::new();
        let Some(map) = self.expect_map(
            "mock",
            node,
            Text::fixed(
                "a map such as `{ orders/lookup: { outcome: found } }`",
                "映射，例如 `{ orders/lookup: { outcome: found } }`",
            ),
        ) else {
            return mocks;
        };
        for entry in &map.entries {
            let known = self.mocked_name(entry);
            if known {
                self.answers_something(entry);
            }
            let ends = self.ends_of(&entry.key);
            let takers = self.takers(&entry.key);
            let replies = entry
                .value
                .list()
                .unwrap_or(std::slice::from_ref(&entry.value));
            if replies.is_empty() {
                missing_key::value(&mut self.report, entry.key_span, &entry.key);
            }
            let replies = replies
                .iter()
                .filter_map(|reply| self.reply(&entry.key, reply, ends.as_deref(), &takers))
                .collect();
            mocks.insert(entry.key.to_string(), replies);
        }
        mocks
    }

    /// Tells of a mock for something that is not there; whether it is there.
    fn mocked_name(&mut self, entry: &Entry<'_>) -> bool {
        let (key, at) = (entry.key.as_ref(), entry.key_span);
        let before = self.report.diagnostics().len();
        if key.contains('/') && !key.starts_with("transfer.") {
            self.known_step(key, at);
        } else if let Some(name) = key.strip_prefix("queue.") {
            self.known_outside(Named::Queue, name, at);
        } else if let Some(name) = key.strip_prefix("transfer.") {
            self.known_outside(Named::Transfer, name, at);
        } else if let Some(name) = key.strip_prefix("call.") {
            // Only the name, not the word before it.
            let start = at.end - name.len().min(at.end - at.start);
            self.flow_named(name, Span { start, end: at.end });
        } else {
            let why = text!("`{key}` is nothing that can be mocked", "`{key}` 不能模拟");
            let help = Text::fixed(
                "write `plugin/step`, `queue.NAME`, `transfer.NAME` or `call.FLOW`",
                "请写 `插件/步骤`、`queue.名字`、`transfer.名字` 或 `call.流程`",
            );
            bad_value::why(&mut self.report, at, why, Some(help));
        }
        self.report.diagnostics().len() == before
    }

    /// Tells of a mock that nothing asks for, whatever the caller does.
    fn answers_something(&mut self, entry: &Entry<'_>) {
        let key = entry.key.as_ref();
        if self.mockable(key) != Some(false) {
            return;
        }
        let catalog = self.catalog;
        let runs = self.draft.runs.clone();
        let beyond = runs.beyond(self.draft.flow.as_deref(), catalog);
        let names: BTreeSet<&str> = (runs.names.iter())
            .chain(beyond.iter().flat_map(|beyond| &beyond.names))
            .map(String::as_str)
            .collect();
        let meant = self.nearest(key, names.into_iter().collect::<Vec<_>>().into_iter());
        unused::mock(&mut self.report, entry.key_span, key, meant);
    }

    fn reply(
        &mut self,
        key: &str,
        node: &'t Node<'t>,
        ends: Option<&[String]>,
        takers: &Takers,
    ) -> Option<Reply> {
        let map = self.expect_map(
            "mock",
            node,
            Text::fixed(
                "a map such as `{ outcome: found }`",
                "映射，例如 `{ outcome: found }`",
            ),
        )?;
        let mut reply = Reply::default();
        let known = match map.entry("outcome") {
            Some(entry) => {
                let value = &entry.value;
                let outcome = self.expect_text("outcome", value, Text::fixed("a text", "文本"));
                reply.outcome = outcome.unwrap_or_default().to_owned();
                outcome.is_some_and(|outcome| self.ends_so(key, outcome, value.span, ends))
            }
            None => {
                missing_key::missing(
                    &mut self.report,
                    node.span,
                    "outcome:",
                    Text::fixed("a mock", "模拟应答"),
                    "outcome: …",
                );
                false
            }
        };
        if let Some(node) = map.value("after") {
            reply.after_ms = self.duration("after", node).unwrap_or(0);
        }
        let carried = match known {
            true => self.carried(key, &reply.outcome),
            false => Carried::Unknown,
        };
        for entry in &map.entries {
            if !matches!(entry.key.as_ref(), "outcome" | "after") {
                let value = self.given_as(key, &reply.outcome, entry, &carried, takers);
                reply.data.insert(entry.key.to_string(), value);
            }
        }
        Some(reply)
    }

    /// Tells of an outcome that what is mocked does not have; whether it has it, or that is not known.
    fn ends_so(&mut self, key: &str, name: &str, at: Span, ends: Option<&[String]>) -> bool {
        let Some(ends) = ends.filter(|ends| !ends.iter().any(|end| end == name)) else {
            return true;
        };
        let meant = self.nearest(name, ends.iter().map(String::as_str));
        unknown_outcome::mocked(&mut self.report, at, name, key, meant, ends);
        false
    }

    /// How what is mocked may end; `None` when that cannot be known.
    fn ends_of(&mut self, key: &str) -> Option<Vec<String>> {
        let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        if key.starts_with("queue.") {
            return Some(named(&QUEUE_ENDS));
        }
        if key.starts_with("transfer.") {
            return Some(named(&TRANSFER_ENDS));
        }
        if let Some(flow) = key.strip_prefix("call.") {
            let signature = self.catalog.flows.as_ref()?.get(flow)?;
            if signature.unreadable {
                return None;
            }
            let mut ends = signature.outcomes.clone();
            if ends.is_empty() {
                ends.push("done".to_owned());
            }
            ends.push("error".to_owned());
            return Some(ends);
        }
        let mut ends: BTreeSet<String> = BTreeSet::new();
        let mut keyed = false;
        for (_, description) in self.described(key) {
            ends.extend(description.outcomes.keys().cloned());
            keyed |= !description.outcomes_from.is_empty();
        }
        if ends.is_empty() && !keyed {
            return None;
        }
        if keyed {
            // What keys lead to is up to each place that uses the step.
            let walked = self.walked();
            if walked.runs_beyond(key) {
                return None;
            }
            ends.extend(
                walked
                    .ran(key)
                    .flat_map(|(_, ran)| ran.lines.iter().cloned()),
            );
        }
        let mut ends: Vec<String> = ends.into_iter().collect();
        for own in ["timeout", "error"] {
            if !ends.iter().any(|end| end == own) {
                ends.push(own.to_owned());
            }
        }
        Some(ends)
    }

    /// The steps that a mock's name stands for: those that this flow runs, else all of the project.
    fn described(&mut self, key: &str) -> Vec<(&'t str, &'t StepDescription)> {
        let bare = key.split('@').next().unwrap_or(key);
        let all = self.catalog.steps.range(bare.to_owned()..);
        let all: Vec<_> = all
            .take_while(|(step, _)| step.starts_with(bare))
            .filter(|(step, _)| is_step(key, step))
            .map(|(step, description)| (step.as_str(), description))
            .collect();
        let walked = self.walked();
        let ran: BTreeSet<&str> = walked.ran(key).map(|(step, _)| step).collect();
        if ran.is_empty() || walked.runs_beyond(key) {
            return all;
        }
        all.into_iter()
            .filter(|(step, _)| ran.contains(step))
            .collect()
    }

    /// What comes with an outcome.
    fn carried(&mut self, key: &str, outcome: &str) -> Carried {
        if key.starts_with("queue.") || key.starts_with("transfer.") {
            return Carried::Nothing;
        }
        if let Some(flow) = key.strip_prefix("call.") {
            let signature = self
                .catalog
                .flows
                .as_ref()
                .and_then(|flows| flows.get(flow));
            let results = signature.and_then(|signature| signature.results.as_ref());
            return match (outcome, results.and_then(|results| results.get(outcome))) {
                ("error", _) => Carried::Nothing,
                (_, None) => Carried::Unknown,
                (_, Some(fields)) if fields.is_empty() => Carried::Nothing,
                (_, Some(fields)) => {
                    let fields = fields.clone();
                    Carried::Fields(
                        Type::Object {
                            fields,
                            open: false,
                        },
                        Json::Null,
                    )
                }
            };
        }
        let described = self.described(key);
        if described.is_empty() {
            return Carried::Unknown;
        }
        let mut schemas = described
            .iter()
            .filter_map(|(_, step)| step.outcomes.get(outcome));
        match (schemas.next(), schemas.next()) {
            // `error` and `timeout` are everybody's, and so are keys.
            (None, _) => Carried::Nothing,
            // Which of two versions answers is not known.
            (Some(_), Some(_)) => Carried::Unknown,
            (Some(schema), None) if carries_data(schema) => {
                Carried::Fields(type_of_schema(schema), schema.clone())
            }
            (Some(_), None) => Carried::Nothing,
        }
    }

    fn takers(&mut self, key: &str) -> Takers {
        let walked = self.walked();
        let mut own = Ran::default();
        for (_, ran) in walked.ran(key) {
            own.whole.extend(ran.whole.iter().cloned());
            let fields = ran
                .field
                .iter()
                .map(|(name, field)| (name.clone(), field.clone()));
            own.field.extend(fields);
        }
        Takers {
            own,
            others: walked.runs_beyond(key),
        }
    }

    /// A line of a reply beside `outcome` and `after`: by the name of the variable that takes it, or of the field.
    fn given_as(
        &mut self,
        key: &str,
        outcome: &str,
        entry: &'t Entry<'t>,
        carried: &Carried,
        takers: &Takers,
    ) -> Json {
        let name = entry.key.as_ref();
        let place = text!("`{name}` of `{key}`", "`{key}` 的 `{name}`");
        let (ty, schema) = match carried {
            Carried::Unknown => return json_of(&entry.value),
            Carried::Nothing => {
                unused::data(&mut self.report, entry.key_span, key, outcome, name, &[]);
                return json_of(&entry.value);
            }
            Carried::Fields(ty, schema) => (ty, schema),
        };
        let fields = match ty {
            Type::Object { fields, open } => Some((fields, *open)),
            _ => None,
        };
        if takers.own.whole.contains(name) || takers.own.field.contains_key(name) {
            self.named.right(What::Given(key.to_owned()), name);
        }
        if takers.own.whole.contains(name) {
            return self.held(&place, &entry.value, ty, schema);
        }
        if let Some((field, own)) = takers.own.field.get(name) {
            let ty = match fields.and_then(|(fields, _)| fields.get(field)) {
                // What a step gives by its `expect:` has its type there.
                Some(Type::Any) | None => own,
                Some(ty) => ty,
            };
            return self.held(&place, &entry.value, ty, &schema["properties"][field]);
        }
        if let Some(ty) = fields.and_then(|(fields, _)| fields.get(name)) {
            return self.held(&place, &entry.value, ty, &schema["properties"][name]);
        }
        // A variable of another flow, or one that is misspelt where it is to take them.
        let others = takers.others || self.walked().read.contains(name);
        let names: Vec<String> = takers.own.names().cloned().collect();
        let fields: Vec<String> = fields
            .into_iter()
            .filter(|(_, open)| !open)
            .flat_map(|(fields, _)| fields.keys().cloned())
            .collect();
        let all = names.iter().chain(&fields).map(String::as_str);
        let all: Vec<&str> = all.collect();
        let meant = self.nearest(name, all.iter().copied());
        match meant.filter(|meant| misspelt(name, meant) == Some(1)) {
            Some(meant) if !self.walked().read.contains(name) => {
                let what = What::Given(key.to_owned());
                self.named.slip(what, name, meant, entry.key_span);
            }
            _ if others && entry.value.map().is_some() => {
                return self.held(&place, &entry.value, ty, schema);
            }
            _ if others || matches!(ty, Type::Object { open: true, .. }) => {}
            _ => unused::data(&mut self.report, entry.key_span, key, outcome, name, &all),
        }
        json_of(&entry.value)
    }

    /// A value as the step would give it; told where it is none. What is left out, or empty where nothing need be, has no value.
    fn held(&mut self, place: &Text, node: &'t Node<'t>, ty: &Type, schema: &Json) -> Json {
        let bare = ty.without_none();
        if *bare == Type::Any || (node.absent() && ty != bare) {
            return json_of(node);
        }
        match (&node.content, bare) {
            (Content::List(items), Type::List(inner)) => {
                let schema = &schema["items"];
                return items
                    .iter()
                    .map(|item| self.held(place, item, inner, schema))
                    .collect();
            }
            (Content::Map(map), Type::Object { fields, open }) => {
                let mut object = serde_json::Map::new();
                for entry in &map.entries {
                    let name = entry.key.as_ref();
                    let inner = text!("{place}: `{name}`", "{place}：`{name}`"; place);
                    let value = match fields.get(name) {
                        Some(ty) => {
                            let schema = &schema["properties"][name];
                            self.held(&inner, &entry.value, ty, schema)
                        }
                        None => {
                            if !open {
                                self.no_field(place, entry.key_span, name, fields);
                            }
                            json_of(&entry.value)
                        }
                    };
                    object.insert(name.to_owned(), value);
                }
                return Json::Object(object);
            }
            _ => {}
        }
        if let Some(text) = node.text()
            && let Ok(value) = parse_literal(text, ty)
        {
            self.in_bounds(place, schema, &value, node);
            return value.to_json_for(schema);
        }
        // What the plugin itself would give, as it stands in a journal.
        let untyped = json_of(node);
        if from_json(&untyped, bare).is_err() {
            self.misfit(place, node, bare);
        }
        untyped
    }

    /// Tells of a field that nothing reads, since the value does not have it.
    fn no_field(&mut self, place: &Text, at: Span, name: &str, fields: &BTreeMap<String, Type>) {
        let meant = self.nearest(name, fields.keys().map(String::as_str));
        match meant.filter(|meant| misspelt(name, meant) == Some(1)) {
            Some(meant) => unknown_field::of_mock(&mut self.report, at, place, name, meant),
            None => {
                let names: Vec<&str> = fields.keys().map(String::as_str).collect();
                unused::field(&mut self.report, at, place, name, &names);
            }
        }
    }

    /// What the description says beside the type.
    fn in_bounds(&mut self, place: &Text, schema: &Json, value: &Value, node: &Node<'_>) {
        if let Some(message) = super::input::out_of_bounds(place, schema, value) {
            bad_value::why(&mut self.report, node.span, message, None);
        } else if let Some(message) = self.out_of_shape(place, schema, value) {
            bad_value::why(&mut self.report, node.span, message, None);
        }
    }

    fn misfit(&mut self, place: &Text, node: &Node<'_>, ty: &Type) {
        let (message, help) = match (node.text(), ty) {
            (_, Type::Secret) => (
                text!("{place}: a secret is not mocked", "{place}：机密不能模拟"; place),
                Some(Text::fixed(
                    "leave the mock out, and give the secret as the caller does: with `press:`, `send:` or `say:`",
                    "请去掉这个模拟，像来电者那样用 `press:`、`send:` 或 `say:` 给出机密",
                )),
            ),
            (Some(text), Type::OneOf(words)) => {
                let meant = self.nearest(text, words.iter().map(String::as_str));
                let names = crate::check::suggest::shown(words);
                let help = match meant {
                    Some(meant) => Text::did_you_mean(meant),
                    None => text!("it is one of {names}", "可选：{names}"; names),
                };
                let message = text!(
                    "{place} is never `{text}`",
                    "{place} 不会是 `{text}`";
                    place,
                );
                (message, Some(help))
            }
            (Some(text), _) => {
                let why = parse_literal(text, ty).err().unwrap_or_default();
                (text!("{place}: {why}", "{place}：{why}"; place, why), None)
            }
            (None, _) => {
                let expected = ty.with_article();
                let is = match &node.content {
                    Content::Scalar(_) => Text::fixed("nothing", "空值"),
                    Content::List(_) => Text::fixed("a list", "列表"),
                    Content::Map(_) => Text::fixed("a map", "映射"),
                };
                let message = text!(
                    "{place} is {expected}, and this is {is}",
                    "{place} 是{expected}，而这里是{is}";
                    place,
                    expected,
                    is,
                );
                let help = match ty {
                    Type::Money => Some(Text::fixed(
                        "write `199.00 CNY`, or `{ amount: 19900, currency: CNY }` in the currency's smallest unit",
                        "请写 `199.00 CNY`，或以货币最小单位写 `{ amount: 19900, currency: CNY }`",
                    )),
                    _ => None,
                };
                (message, help)
            }
        };
        bad_value::why(&mut self.report, node.span, message, help);
    }
}

/// A value of which no type is known, as JSON: `true`, `false`, `null` and plain decimal numbers are themselves,
/// everything else is text.
pub(super) fn json_of(node: &Node) -> Json {
    match &node.content {
        Content::Scalar(scalar) if scalar.style != Style::Plain => {
            Json::String(scalar.text.to_string())
        }
        Content::Scalar(scalar) => match scalar.text.as_ref() {
            "true" => Json::Bool(true),
            "false" => Json::Bool(false),
            _ if scalar.absent() => Json::Null,
            text => number(text).unwrap_or_else(|| Json::String(text.to_owned())),
        },
        Content::List(items) => items.iter().map(json_of).collect(),
        Content::Map(map) => {
            let fields = map
                .entries
                .iter()
                .map(|entry| (entry.key.to_string(), json_of(&entry.value)));
            Json::Object(fields.collect())
        }
    }
}

/// Only what looks the same when it is written back: `007` and `+49` stay texts.
fn number(text: &str) -> Option<Json> {
    if let Ok(whole) = text.parse::<i64>() {
        return (whole.to_string() == text).then(|| Json::from(whole));
    }
    let Ok(Value::Number(number)) = parse_literal(text, &Type::Number) else {
        return None;
    };
    (number.to_string() == text).then(|| Json::from(number))
}
