use std::collections::BTreeMap;
use std::rc::Rc;

use super::action::{COMMON, STEP_OPTIONS};
use super::answer::Answer;
use super::draft::Assigned;
use super::expect::{Expected, type_of_expected};
use super::shape::{Asks, Bound, Shape};
use super::then::Outcomes;
use super::{Lowerer, Place, Site};
use crate::catalog::{Catalog, StepDescription};
use crate::check::rules::{
    bad_input, bad_value, missing_input, missing_key, plugin_outdated, retry_not_idempotent,
    unknown_input, unknown_key, unknown_plugin,
};
use crate::diagnostic::{Text, text};
use crate::expr::Span;
use crate::plan::{Action, Edge, Into, Meanwhile, NodeId, Retry, StepCall, Template};
use crate::value::{Type, Value, from_json, type_of_schema};
use crate::yaml::{Content, Entry, Map, Node};

/// How long a step may be busy unless the flow says otherwise, in milliseconds.
const TIMEOUT_MS: u64 = 5_000;

/// The input that says whether what a step hears is a secret.
const SENSITIVE: &str = "sensitive";

/// Most repetitions of a step.
const MAX_RETRIES: u32 = 10;

/// Largest growth of the pause between repetitions.
const MAX_FACTOR: f64 = 100.0;

/// Keys of `retry:`.
pub(super) const RETRY_KEYS: [&str; 4] = ["times", "wait", "factor", "only"];

/// Keys of `meanwhile:`.
pub(super) const MEANWHILE_KEYS: [&str; 3] = ["after", "say", "music"];

/// How a step was written, and its inputs.
struct Written<'t> {
    key: String,
    description: Option<&'t StepDescription>,
    /// `std` verbs need no edge for `error` and `timeout`.
    verb: bool,
    /// Whether nothing stands after the verb, which is told.
    empty: bool,
    inputs: Vec<Given<'t>>,
}

/// An input that the flow gives.
struct Given<'t> {
    name: &'t str,
    name_span: Span,
    value: &'t Node<'t>,
}

impl<'t> Lowerer<'t> {
    /// `use: plugin/step@major`.
    pub(super) fn use_step(
        &mut self,
        id: NodeId,
        map: &'t Map<'t>,
        entry: &'t Entry<'t>,
        place: &Place,
    ) {
        let Some(key) = self.expect_text(
            "use",
            &entry.value,
            Text::fixed(
                "a step such as `orders/lookup@1`",
                "步骤，例如 `orders/lookup@1`",
            ),
        ) else {
            self.facts(id).broken = true;
            return;
        };
        let description = self.plugin_step(key, entry.value.span);
        let mut inputs = Vec::new();
        if let Some(with) = map.value("with")
            && let Some(lines) =
                self.expect_map("with", with, Text::fixed("a map of inputs", "输入的映射"))
        {
            inputs.extend(lines.entries.iter().map(Given::of));
        }
        let (key, description) = match description {
            Some((meant, description)) => {
                // Of a step that is not there, that is enough.
                if meant == key {
                    self.outdated(id, key, description);
                }
                (meant, Some(description))
            }
            None => (key.to_owned(), None),
        };
        let written = Written {
            key,
            description,
            verb: false,
            empty: false,
            inputs,
        };
        self.step_call(id, map, written, place);
    }

    /// A verb that is short for a step: options are its inputs, the verb's own value is the main one.
    pub(super) fn verb_step(
        &mut self,
        id: NodeId,
        map: &'t Map<'t>,
        entry: &'t Entry<'t>,
        key: &'t str,
        description: &'t StepDescription,
        place: &Place,
    ) {
        self.outdated(id, key, description);
        let properties = description.input["properties"].as_object();
        let is_input =
            |name: &str| properties.is_some_and(|properties| properties.contains_key(name));
        let mut inputs = Vec::new();
        let mut empty = false;
        let main_schema = description
            .main
            .as_ref()
            .and_then(|main| properties?.get(main));
        match (&entry.value.content, &description.main) {
            (Content::Map(lines), _) if !main_schema.is_some_and(takes_map) => {
                inputs.extend(lines.entries.iter().map(Given::of));
            }
            (_, Some(main)) if !entry.value.absent() => inputs.push(Given {
                name: main,
                name_span: entry.key_span,
                value: &entry.value,
            }),
            // What the step says by itself is there already.
            (_, Some(_)) if main_schema.is_some_and(|schema| !schema["default"].is_null()) => {}
            (_, Some(_)) => {
                empty = true;
                missing_key::value(&mut self.report, entry.key_span, &entry.key);
            }
            (Content::Scalar(scalar), None) if scalar.absent() => {}
            (_, None) => {
                let verb = &entry.key;
                let what = text!(
                    "`{verb}` takes no value of its own: its inputs stand beside or below it",
                    "`{verb}` 本身没有值：它的输入写在旁边或下面"
                );
                bad_value::why(&mut self.report, entry.value.span, what, None);
            }
        }
        for other in &map.entries {
            let name = other.key.as_ref();
            if name == entry.key {
                continue;
            }
            let option = COMMON.contains(&name) || STEP_OPTIONS.contains(&name);
            if is_input(name) {
                if inputs.iter().any(|given| given.name == name) {
                    crate::check::rules::duplicate_key::duplicate(
                        &mut self.report,
                        name,
                        other.key_span,
                        entry.key_span,
                    );
                } else {
                    inputs.push(Given::of(other));
                }
            } else if !option && !self.verbs.iter().any(|verb| verb == name) {
                let mut names: Vec<String> = properties
                    .into_iter()
                    .flatten()
                    .map(|(name, _)| name.clone())
                    .collect();
                names.retain(|name| description.main.as_ref() != Some(name));
                names.extend(
                    COMMON
                        .iter()
                        .chain(&STEP_OPTIONS)
                        .map(|name| (*name).to_owned()),
                );
                let what = Text::same(format!("`{}`", entry.key));
                unknown_key::unknown(&mut self.report, other.key_span, name, &what, &names);
            }
        }
        // Of a verb by itself nobody knows what it was to do, and where it was to lead.
        let by_itself = empty && map.entries.len() == 1;
        let written = Written {
            key: key.to_owned(),
            description: Some(description).filter(|_| !by_itself),
            verb: true,
            empty,
            inputs,
        };
        self.step_call(id, map, written, place);
    }

    /// The description of a plugin's step, or of the one that was probably meant.
    fn plugin_step(&mut self, key: &str, span: Span) -> Option<(String, &'t StepDescription)> {
        let shaped = key.split_once('/').is_some_and(|(plugin, step)| {
            super::names::is_name(plugin)
                && step.split_once('@').is_some_and(|(step, major)| {
                    super::names::is_name(step)
                        && !major.is_empty()
                        && major.bytes().all(|byte| byte.is_ascii_digit())
                })
        });
        if !shaped {
            unknown_plugin::malformed(&mut self.report, span, key);
            return None;
        }
        let catalog = self.catalog;
        if let Some((key, description)) = catalog.steps.get_key_value(key) {
            return Some((key.clone(), description));
        }
        if let Some((there, description)) = newest(catalog, key) {
            let changes = (major(there) > major(key)).then_some(&description.changes);
            unknown_plugin::other_major(&mut self.report, span, key, there, changes);
            return Some((there.clone(), description));
        }
        let meant = self.nearest(key, catalog.steps.keys().map(String::as_str));
        let names: Vec<String> = catalog
            .steps
            .keys()
            .filter(|key| !key.starts_with("std/"))
            .cloned()
            .collect();
        match catalog.flows {
            Some(_) => unknown_plugin::unknown(&mut self.report, span, key, meant, &names),
            None => unknown_plugin::outside(&mut self.report, span, key),
        }
        let (key, description) = catalog.steps.get_key_value(meant?)?;
        Some((key.clone(), description))
    }

    fn step_call(&mut self, id: NodeId, map: &'t Map<'t>, written: Written<'t>, place: &Place) {
        let Written {
            key,
            description,
            verb,
            empty,
            inputs,
        } = written;
        let inner = Place {
            repeat: true,
            ..place.clone()
        };
        let head = self.facts(id).head;
        let name = match verb {
            true => {
                let verb = std::mem::take(&mut self.node(id).verb);
                let name = self.step_called(&verb);
                self.node(id).verb = verb;
                name
            }
            false => self.step_called(&key),
        };
        let mut site = Site {
            id,
            place: inner,
            name,
            bound: BTreeMap::new(),
            binds: self.no_binds(),
            unbound: self.no_binds(),
            pressed: Vec::new(),
            labelled: 0,
            empty,
        };
        let properties =
            description.and_then(|description| description.input["properties"].as_object());
        let sensitive = sensitive(&inputs);
        let shape = self.shape(&key, description, sensitive);
        let expected = self.expected(&shape, &inputs);
        let digits = expected.as_ref().and_then(|(_, expected)| expected.digits);
        let answer = match &expected {
            Some((_, expected)) => Some(expected.ty.clone()),
            None => shape.asks.as_ref().and_then(|asks| answers(asks, &inputs)),
        };
        let answer = Answer { ty: answer, digits };
        site.bound = self.step_binds(id, map, description, &shape, &answer);
        let binds = said_by_flow(&site.bound, &shape.binds);
        let input = self.inputs(&mut site, description, &shape, inputs, expected, verb);

        let facts = self.facts(id);
        facts.description = description;
        facts.digits = digits;
        facts.listens = shape.listens;
        facts.labelled = site.labelled;
        facts.keys = site
            .pressed
            .iter()
            .map(|(key, span, _)| (key.clone(), *span))
            .collect();
        facts.broken |= description.is_none();

        let is_input =
            |name: &str| verb && properties.is_some_and(|properties| properties.contains_key(name));
        let timeout_ms = match map.entry("timeout").filter(|_| !verb) {
            Some(entry) => {
                self.facts(id).options.insert("timeout", entry.value.span);
                self.duration("timeout", &entry.value).unwrap_or(TIMEOUT_MS)
            }
            None => TIMEOUT_MS,
        };
        let retry = map
            .entry("retry")
            .filter(|_| !is_input("retry"))
            .and_then(|entry| {
                self.facts(id).options.insert("retry", entry.key_span);
                if description.is_some_and(|description| !description.idempotent) {
                    retry_not_idempotent::retry(&mut self.report, entry.key_span, &key);
                }
                self.retry(&entry.value)
            });
        let meanwhile = map
            .entry("meanwhile")
            .filter(|_| !is_input("meanwhile"))
            .and_then(|entry| {
                self.facts(id).options.insert("meanwhile", entry.key_span);
                self.meanwhile(&mut site, &entry.value)
            });
        let into = self.field_into(id, map, description);
        let bind = map
            .entry("as")
            .filter(|_| !is_input("as"))
            .and_then(|entry| self.result_name("as", entry))
            .filter(|(name, span)| self.apart(name, *span, into.as_ref()));
        let mut data = BTreeMap::new();
        if let (Some((name, span)), Some(_)) = (&bind, description) {
            let field = description.and_then(|description| description.into.as_deref());
            data = self.bind_result(id, name, *span, &shape, field, &answer);
        } else if let Some((name, span)) = &bind {
            let binding = self.bind(name, Type::Any, *span);
            self.facts(id).assigned.push(Assigned {
                outcome: None,
                binding,
            });
        }

        let then = self.then(map, &site.place);
        let known = Outcomes {
            all: &shape.ends,
            soft: &["error", "timeout"],
            soft_needed: !verb,
            falls: &shape.falls,
            verb: head,
            unknowable: description.is_none(),
        };
        let (mut edges, otherwise) = self.edges(then, place, &known);
        for (pressed, _, edge) in site.pressed {
            edges.insert(pressed, edge);
        }
        let next = match edges.get("done").filter(|_| shape.outcomes.is_empty()) {
            Some(edge) => edge.clone(),
            None => place.after.clone(),
        };
        let skippable = self.node(id).when.is_some() && next == Edge::End;
        let next = if skippable {
            edges
                .get("done")
                .or(edges.get("ok"))
                .cloned()
                .unwrap_or(next)
        } else {
            next
        };
        let node = self.node(id);
        node.next = next;
        node.action = Action::Step(Box::new(StepCall {
            step: key,
            input,
            bind: bind.map(|(name, _)| name),
            data,
            into,
            binds,
            timeout_ms,
            retry,
            meanwhile,
            edges,
            otherwise,
        }));
    }

    /// Whether `as:` takes another variable than `into:`; tells where it does not.
    fn apart(&mut self, name: &str, at: Span, into: Option<&Into>) -> bool {
        let apart = into.is_none_or(|into| into.variable != name);
        if !apart {
            bad_value::one_name_for_two(&mut self.report, at, name);
        }
        apart
    }

    /// Tells of a step that its plugin has left behind.
    fn outdated(&mut self, id: NodeId, key: &str, description: &StepDescription) {
        let at = self.facts(id).head;
        if description.deprecated {
            return plugin_outdated::step(&mut self.report, at, key, &description.instead);
        }
        if let Some((there, newest)) = newest(self.catalog, key)
            && major(there) > major(key)
        {
            plugin_outdated::newer(&mut self.report, at, key, there, &newest.changes);
        }
    }

    /// What a kind of step is, read from its description when the file first has one.
    fn shape(
        &mut self,
        key: &str,
        description: Option<&'t StepDescription>,
        sensitive: bool,
    ) -> Rc<Shape<'t>> {
        match (self.shapes[usize::from(sensitive)].get(key), description) {
            (Some(known), _) => known.clone(),
            (None, None) => Rc::default(),
            (None, Some(description)) => {
                let shape = Rc::new(Shape::of(description, sensitive));
                self.shapes[usize::from(sensitive)].insert(key.to_owned(), shape.clone());
                shape
            }
        }
    }

    /// What the step's input of format `expect` says, if it has one.
    fn expected(&mut self, shape: &Shape<'t>, inputs: &[Given<'t>]) -> Option<(String, Expected)> {
        let name = shape.expects?;
        let given = inputs.iter().find(|given| given.name == name)?;
        let mut expected = self.expect(given.value)?;
        if sensitive(inputs) {
            if matches!(expected.ty, Type::Bool | Type::OneOf(_)) {
                let told = inputs.iter().find(|given| given.name == SENSITIVE);
                let at = told.map_or(given.value.span, |told| told.value.span);
                let message = Text::fixed(
                    "`sensitive` fits only what is typed: a choice has no digits to hide",
                    "`sensitive` 只适用于键入的内容：选项没有需要隐藏的数字",
                );
                let help = Text::fixed("leave it out", "请去掉它");
                bad_input::bad(&mut self.report, at, message, Some(help));
            }
            expected.ty = Type::Secret;
        }
        Some((name.to_owned(), expected))
    }

    /// Tells that a value is inserted where the flow says whether an answer is a secret: its type hangs on that, in the whole flow.
    fn secret_by_value(&mut self, site: &Site, place: &Text, node: &'t Node<'t>) {
        // What it inserts is read all the same.
        self.inserted(site, SENSITIVE, place, &Type::Any, node, false);
        let message = text!(
            "{place} is `true` or `false` as it stands: a secret is a type, and no value can be inserted for it",
            "{place} 只能直接写 `true` 或 `false`：机密是一种类型，不能插入一个值";
            place
        );
        let help = Text::fixed(
            "write `true`, or ask in two steps of which one is `sensitive: true`",
            "请写 `true`，或分成两个步骤询问，其中一个写 `sensitive: true`",
        );
        bad_input::bad(&mut self.report, node.span, message, Some(help));
    }

    fn retry(&mut self, node: &'t Node<'t>) -> Option<Retry> {
        let map = self.expect_map(
            "retry",
            node,
            Text::fixed(
                "a map such as `{ times: 2, wait: 300ms }`",
                "映射，例如 `{ times: 2, wait: 300ms }`",
            ),
        )?;
        self.unknown_keys(map, Text::fixed("`retry`", "`retry`"), &RETRY_KEYS);
        let mut retry = Retry {
            times: 1,
            wait_ms: 0,
            factor: 1.0,
            only: vec!["timeout".to_owned(), "error".to_owned()],
        };
        match map.value("times") {
            Some(value) => retry.times = self.whole("times", value, 1, MAX_RETRIES).unwrap_or(1),
            None => missing_key::missing(
                &mut self.report,
                node.span,
                "times:",
                Text::fixed("`retry`", "`retry`"),
                "times: 2",
            ),
        }
        if let Some(value) = map.value("wait") {
            retry.wait_ms = self.duration("wait", value).unwrap_or(0);
        }
        if let Some(value) = map.value("factor")
            && let Some(Value::Number(factor)) = self.literal("factor", value, &Type::Number)
        {
            if (1.0..=MAX_FACTOR).contains(&factor) {
                retry.factor = factor;
            } else {
                bad_value::why(
                    &mut self.report,
                    value.span,
                    Text::fixed(
                        "`factor` is a number from 1 to 100",
                        "`factor` 是 1 到 100 的数字",
                    ),
                    None,
                );
            }
        }
        if let Some(value) = map.value("only") {
            retry.only = self.words("only", value);
            for word in retry.only.clone() {
                if word != "timeout" && word != "error" {
                    let names = ["timeout".to_owned(), "error".to_owned()];
                    bad_value::word(&mut self.report, value.span, "only", &word, &names);
                }
            }
        }
        Some(retry)
    }

    fn meanwhile(&mut self, site: &mut Site, node: &'t Node<'t>) -> Option<Meanwhile> {
        let map = self.expect_map(
            "meanwhile",
            node,
            Text::fixed(
                "a map such as `{ after: 1s, say: one_moment }`",
                "映射，例如 `{ after: 1s, say: one_moment }`",
            ),
        )?;
        self.unknown_keys(
            map,
            Text::fixed("`meanwhile`", "`meanwhile`"),
            &MEANWHILE_KEYS,
        );
        let mut meanwhile = Meanwhile {
            after_ms: 0,
            say: None,
            music: None,
        };
        if let Some(value) = map.value("after") {
            meanwhile.after_ms = self.duration("after", value).unwrap_or(0);
        }
        if let Some(value) = map.value("say")
            && let Some(Template::Prompt(prompt)) = self.prompt_input(site, "meanwhile", value)
        {
            meanwhile.say = Some(prompt);
        }
        if let Some(value) = map.value("music") {
            meanwhile.music = self.audio_path("music", value, false);
        }
        Some(meanwhile)
    }

    /// The input object of a step.
    fn inputs(
        &mut self,
        site: &mut Site,
        description: Option<&'t StepDescription>,
        shape: &Shape<'t>,
        inputs: Vec<Given<'t>>,
        mut expected: Option<(String, Expected)>,
        verb: bool,
    ) -> Template {
        let mut object = BTreeMap::new();
        let Some(description) = description else {
            // Nobody knows what the step takes; the expressions are still checked.
            for given in inputs {
                let place = self.input_called(given.name);
                self.value_template(site.id, given.name, given.value, &place, &Type::Any, true);
            }
            return Template::Object(object);
        };
        let schema = &description.input;
        let properties = schema["properties"].as_object();
        let property = |name: &str| properties.and_then(|properties| properties.get(name));
        let mut missing: Vec<String> = schema["required"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|name| name.as_str())
            .filter(|name| !inputs.iter().any(|given| given.name == *name))
            .map(str::to_owned)
            .collect();
        for given in &inputs {
            if let Some((name, expected)) = expected.take_if(|(name, _)| *name == given.name) {
                object.insert(name, expected.template);
                continue;
            }
            match property(given.name) {
                Some(schema) => {
                    self.deprecated_input(given.name_span, given.name, schema);
                    let place = self.input_called(given.name);
                    if schema["format"] == "expect" {
                        continue;
                    }
                    site.enter(given.name);
                    if given.name == SENSITIVE && shape.may_be_secret && inserts(given.value) {
                        self.secret_by_value(site, &place, given.value);
                        continue;
                    }
                    if let Some(value) = self.input(site, given.name, &place, schema, given.value) {
                        object.insert(given.name.to_owned(), value);
                    }
                }
                None if schema["additionalProperties"] == true => {
                    let place = self.input_called(given.name);
                    let value = self.value_template(
                        site.id,
                        given.name,
                        given.value,
                        &place,
                        &Type::Any,
                        false,
                    );
                    object.extend(value.map(|value| (given.name.to_owned(), value)));
                }
                None => {
                    let names: Vec<String> = properties
                        .into_iter()
                        .flatten()
                        .map(|(name, _)| name.clone())
                        .collect();
                    let near = self
                        .nearest(given.name, names.iter().map(String::as_str))
                        .map(str::to_owned);
                    // One stranger and one thing missing: that is one slip.
                    let strangers = inputs
                        .iter()
                        .filter(|given| property(given.name).is_none())
                        .count();
                    let meant = near.or_else(|| {
                        missing
                            .first()
                            .filter(|_| missing.len() == 1 && strangers == 1)
                            .cloned()
                    });
                    unknown_input::unknown(
                        &mut self.report,
                        given.name_span,
                        given.name,
                        &site.name,
                        meant.as_deref(),
                        &names,
                    );
                    missing.retain(|name| Some(name) != meant.as_ref());
                    let place = self.input_called(given.name);
                    self.value_template(site.id, given.name, given.value, &place, &Type::Any, true);
                }
            }
        }
        for (name, schema) in properties.into_iter().flatten() {
            if object.contains_key(name) || inputs.iter().any(|given| given.name == *name) {
                continue;
            }
            let default = self.defaults.get(name.as_str()).copied().filter(|_| verb);
            let value = match default {
                Some(entry) => {
                    self.taken_defaults.insert(&entry.key);
                    let place = Text::same(format!("`{name}`"));
                    site.enter(name);
                    self.input(site, name, &place, schema, &entry.value)
                }
                None if schema["format"] == "prompt" => {
                    site.enter(name);
                    self.own_words(site, name, &schema["default"])
                }
                None => shape.defaults.get(name.as_str()).cloned(),
            };
            if let Some(value) = value {
                missing.retain(|missing| missing != name);
                object.insert(name.clone(), value);
            }
        }
        let given: Vec<(&str, Span)> = inputs
            .iter()
            .map(|given| (given.name, given.value.span))
            .collect();
        self.no_answers(schema, &object, &given);
        // What else a step says is said by the engine, which knows none of its names.
        site.binds = self.no_binds();
        if site.empty {
            missing.retain(|name| Some(name) != description.main.as_ref());
        }
        if !missing.is_empty() {
            let head = self.draft.facts[site.id.0 as usize].head;
            missing_input::missing(&mut self.report, head, &site.name.clone(), &missing);
        }
        Template::Object(object)
    }
}

/// The answers to a list of questions, by the questions' names; any of them may have been left open. `None` where no list is given.
fn answers(asks: &Asks<'_>, inputs: &[Given<'_>]) -> Option<Type> {
    let given = inputs.iter().find(|given| given.name == asks.input)?;
    let mut fields = BTreeMap::new();
    // Whether an answer may have a name that is not written here.
    let mut open = false;
    for item in given.value.list()? {
        let part = |name: &str| item.map().and_then(|map| map.value(name));
        match part(asks.name).and_then(Node::text) {
            Some(name) if !name.contains("${") => {
                let ty = part(asks.expect).and_then(type_of_expected);
                let ty = Type::Optional(Box::new(ty.unwrap_or(Type::Any)));
                fields.insert(name.to_owned(), ty);
            }
            _ => open = true,
        }
    }
    Some(Type::Object { fields, open })
}

/// The types of the names that a step gives its prompts and expressions, without those that its description says as well.
fn said_by_flow(
    bound: &BTreeMap<String, Bound>,
    described: &BTreeMap<String, Bound>,
) -> BTreeMap<String, Type> {
    let more = bound.iter().filter(|(name, bound)| {
        let described = described.get(*name);
        described.is_none_or(|described| described.ty != bound.ty)
    });
    more.map(|(name, bound)| (name.clone(), bound.ty.clone()))
        .collect()
}

/// The step of this name whose major version is the largest.
fn newest<'c>(catalog: &'c Catalog, key: &str) -> Option<(&'c String, &'c StepDescription)> {
    let name = &key[..=key.find('@')?];
    let from = (std::ops::Bound::Included(name), std::ops::Bound::Unbounded);
    let versions = catalog.steps.range::<str, _>(from);
    versions
        .take_while(|(key, _)| key.starts_with(name))
        .max_by_key(|(key, _)| major(key))
}

/// The number after the `@`; more digits are more.
fn major(key: &str) -> (usize, &str) {
    let digits = key.split_once('@').map_or("", |(_, major)| major);
    let digits = digits.trim_start_matches('0');
    (digits.len(), digits)
}

impl<'t> Given<'t> {
    fn of(entry: &'t Entry<'t>) -> Given<'t> {
        Given {
            name: &entry.key,
            name_span: entry.key_span,
            value: &entry.value,
        }
    }
}

/// Whether a step is told that what it gets is secret.
fn sensitive(inputs: &[Given<'_>]) -> bool {
    let told = inputs.iter().find(|given| given.name == SENSITIVE);
    told.is_some_and(|given| given.value.text() == Some("true"))
}

/// Whether a scalar has `${ … }` in it.
fn inserts(node: &Node<'_>) -> bool {
    node.text().is_some_and(|text| text.contains("${"))
}

impl<'t> Lowerer<'t> {
    /// What findings call a verb or a step.
    fn step_called(&mut self, name: &str) -> Rc<Text> {
        match self.steps_called.get(name) {
            Some(text) => text.clone(),
            None => {
                let text = Rc::new(Text::same(format!("`{name}`")));
                self.steps_called.insert(name.to_owned(), text.clone());
                text
            }
        }
    }

    /// What findings call an input.
    pub(super) fn input_called(&mut self, name: &'t str) -> Rc<Text> {
        let called = self.called.entry(name);
        let text = called.or_insert_with(|| Rc::new(text!("the input `{name}`", "输入 `{name}`")));
        text.clone()
    }
}

/// The schema's own default.
pub(super) fn default_of(schema: &serde_json::Value) -> Option<Template> {
    let default = schema.get("default")?;
    let value =
        from_json(default, &type_of_schema(schema)).or_else(|_| from_json(default, &Type::Any));
    value.ok().map(Template::Literal)
}

/// Whether an input is written as a map.
pub(super) fn takes_map(schema: &serde_json::Value) -> bool {
    matches!(
        schema["format"].as_str(),
        Some("prompt" | "press" | "expect" | "money")
    ) || schema["type"] == "object"
        || schema["type"].is_null() && schema["format"].is_null()
}
