//! Misspelt keys, read as they were meant.
//!
//! A key that is nearly one of those its place has is told of once, and gets its right name in the tree, so that nothing
//! that follows from the slip is told as well: no missing key, no step that nobody comes to. A key that is near to none
//! is left to lowering, which tells of it as of a stranger.

mod declared;

use std::borrow::Cow;

use serde_json::Value as Json;

use super::action::{COMMON, STEP_OPTIONS};
use super::defaults::DEFAULT_KEYS;
use super::engine_verbs::options_of;
use super::file::{ENGINE_VERBS, GLOBAL_KEYS};
use super::hours::HOURS_KEYS;
use super::names::{is_language, is_variable};
use super::press::{KEY_NAMES, key_called, key_of, no_key};
use super::step_call::takes_map;
use super::test::{ACTS, EXPECT_KEYS, GIVEN_KEYS, TEST_KEYS};
use super::{MAX_COMPARED, branches, expect, habits, prompt, step_call};
use crate::catalog::{Catalog, StepDescription};
use crate::check::report::Report;
use crate::check::rules::{unknown_input, unknown_key, unknown_outcome, unknown_verb, yaml_colon};
use crate::check::suggest::{misspelt, slips};
use crate::diagnostic::{Text, text};
use crate::expr::Span;
use crate::expr::suggest::MAX_LETTERS;
use crate::hashed::HashSet;
use crate::yaml::{Content, Entry, Map, Node, Scalar, Style};

/// Keys that say when and where: spelt right they are meant, though two of them are a letter apart.
const WAYS: [&str; 3] = ["when", "then", "else"];

/// Gives the misspelt keys that other flows need of this one their right names, and tells of them: those of its name, inputs
/// and outcomes.
pub(crate) fn respell_head(root: &mut Node<'_>, report: &mut Report<'_>) {
    if let Content::Map(map) = &mut root.content {
        Speller::new(None, report).head(map);
    }
}

/// Does so with all others; the head's are right by now.
pub(crate) fn respell_body(root: &mut Node<'_>, catalog: &Catalog, report: &mut Report<'_>) {
    if let Content::Map(map) = &mut root.content {
        let mut speller = Speller::new(Some(catalog), report);
        speller.spoken(map);
        speller.learn(map);
        speller.body(map);
    }
}

struct Speller<'c, 'r, 'a> {
    catalog: Option<&'c Catalog>,
    report: &'r mut Report<'a>,
    /// Names compared so far.
    compared: usize,
    languages: Vec<String>,
    steps: HashSet<String>,
}

/// Whether a key stands beside verbs.
fn is_option(key: &str) -> bool {
    COMMON.contains(&key) || STEP_OPTIONS.contains(&key) || key == "with"
}

/// How a finding about a key is worded: where it stands, as it is written, as it was meant.
type Tell<'t> = &'t dyn Fn(&mut Report<'_>, Span, &str, &str);

impl<'c, 'r, 'a> Speller<'c, 'r, 'a> {
    fn new(catalog: Option<&'c Catalog>, report: &'r mut Report<'a>) -> Speller<'c, 'r, 'a> {
        Speller {
            catalog,
            report,
            compared: 0,
            languages: Vec::new(),
            steps: HashSet::default(),
        }
    }

    /// The names that the file has.
    fn learn(&mut self, map: &Map<'_>) {
        let languages = map.value("languages").and_then(Node::list);
        let languages = languages.into_iter().flatten().filter_map(Node::text);
        self.languages = languages.map(str::to_owned).collect();
        if self.languages.is_empty() {
            self.languages.push("en".to_owned());
        }
        let names = |key: &str| {
            let below = map.value(key).and_then(Node::map).into_iter();
            below
                .flat_map(|map| &map.entries)
                .map(|entry| entry.key.to_string())
        };
        self.steps = names("steps").collect();
    }

    fn body(&mut self, map: &mut Map<'_>) {
        for entry in &mut map.entries {
            let value = &mut entry.value;
            match entry.key.as_ref() {
                "prompts" => below(value, |_, node| self.prompt(node)),
                "hours" => maps_of(value).for_each(|map| self.hours(map)),
                "defaults" => self.map(
                    value,
                    &DEFAULT_KEYS,
                    &Text::fixed("`defaults`", "`defaults`"),
                ),
                "global" => {
                    self.map(value, &GLOBAL_KEYS, &Text::fixed("`global`", "`global`"));
                    below(value, |key, node| match key {
                        "press" => self.press(node),
                        _ => self.way(node),
                    });
                }
                "steps" => below(value, |_, node| self.target(node)),
                "tests" => maps_of(value).for_each(|map| self.test(map)),
                _ => {}
            }
        }
    }

    /// Gives misspelt keys of a map their right names.
    fn names(&mut self, map: &mut Map<'_>, names: &[&str], tell: Tell<'_>) {
        for index in 0..map.entries.len() {
            self.glued(map, index, names);
            let entry = &map.entries[index];
            let key = entry.key.as_ref();
            // A way on that is written where there is none is no condition.
            if names.contains(&key) || WAYS.contains(&key) {
                continue;
            }
            let open = names.iter().filter(|name| map.entry(name).is_none());
            let near = open.filter_map(|name| {
                let slips = slips(&entry.key, name)?;
                Some((
                    slips + self.misfit(name, &entry.value),
                    lost(&entry.key, name),
                    *name,
                ))
            });
            let meant = near.min().map(|(.., name)| name);
            self.compared += names.len();
            if self.compared > MAX_COMPARED {
                return;
            }
            if let Some(meant) = meant {
                tell(self.report, entry.key_span, &entry.key, meant);
                map.entries[index].key = Cow::Owned(meant.to_owned());
            }
        }
    }

    /// `{digits:6..8}`, of which YAML makes a key without a value: a blank lacks behind the colon.
    fn glued(&mut self, map: &mut Map<'_>, index: usize, names: &[&str]) {
        let entry = &map.entries[index];
        let Some((key, value)) = entry.key.split_once(':') else {
            return;
        };
        let source = self.report.lines().source();
        let span = entry.key_span;
        let written = source.get(span.start..span.end) == Some(entry.key.as_ref());
        if value.is_empty() || !entry.value.absent() || !written || !names.contains(&key) {
            return;
        }
        let at = Span {
            end: span.start + key.len() + 1,
            ..span
        };
        yaml_colon::blank(self.report, at, &source[at.start..at.end]);
        let value = Node {
            span: Span {
                start: at.end,
                ..span
            },
            content: Content::Scalar(Scalar {
                text: Cow::Owned(value.to_owned()),
                style: Style::Plain,
                exact: None,
            }),
        };
        let (key, key_span) = (
            key.to_owned(),
            Span {
                end: at.end - 1,
                ..span
            },
        );
        map.entries[index] = Entry {
            key: Cow::Owned(key),
            key_span,
            value,
        };
    }

    fn keys(&mut self, map: &mut Map<'_>, names: &[&str], place: &Text) {
        self.names(map, names, &|report, at, key, meant| {
            unknown_key::misspelt(report, at, key, place, meant);
        });
    }

    fn map(&mut self, node: &mut Node<'_>, names: &[&str], place: &Text) {
        if let Content::Map(map) = &mut node.content {
            self.keys(map, names, place);
        }
    }

    /// How little a value suits a key, where two keys are equally near: `hen` may be `then` and `when`.
    fn misfit(&self, name: &str, value: &Node<'_>) -> usize {
        let target = match &value.content {
            Content::Scalar(scalar) => {
                let name = scalar.text.as_ref();
                name == "repeat" || name.starts_with("flow:") || self.steps.contains(name)
            }
            Content::List(_) | Content::Map(_) => true,
        };
        match name {
            "then" | "else" | "to" => usize::from(!target || pressed(value)),
            "when" => usize::from(target),
            "as" | "into" => usize::from(!value.text().is_some_and(is_variable)),
            "press" => usize::from(!pressed(value)),
            // What is called so may well be something else.
            "title" => 1,
            _ => 0,
        }
    }

    /// A step, or what a target may be: a name, an action, a list of actions.
    fn target(&mut self, node: &mut Node<'_>) {
        match &mut node.content {
            Content::List(items) => {
                branches::chains(items, self.report);
                for item in items {
                    habits::action(item, |name| self.steps.contains(name), self.report);
                    if let Content::Map(map) = &mut item.content {
                        self.action(map);
                    }
                }
            }
            Content::Map(map) => self.action(map),
            Content::Scalar(_) => {}
        }
    }

    /// What a target may be. An action by itself is read as a list of it.
    fn way(&mut self, node: &mut Node<'_>) {
        let verb = match &node.content {
            Content::Map(map) => self.verb_of(map),
            _ => None,
        };
        if let Some(verb) = verb {
            habits::lone_action(node, &verb, self.report);
        }
        self.target(node);
    }

    /// Outcomes that stand beside their step in place of below `then:`. `takes` is what may stand there; without `ends` any name is one.
    fn outcomes_beside(
        &mut self,
        map: &mut Map<'_>,
        (takes, ends): (&[&str], Option<&[&str]>),
        description: Option<&StepDescription>,
        place: &Text,
    ) {
        let is_target = |node: &Node<'_>| self.misfit("then", node) == 0 && node.map().is_none();
        let is_end = |key: &str| match ends {
            Some(ends) => ends.contains(&key),
            None => slips(key, "then").is_none() && slips(key, "when").is_none(),
        };
        let stray = |(_, entry): &(usize, &Entry<'_>)| {
            let key = entry.key.as_ref();
            let outcome = key == "else" || habits::is_otherwise(key) || is_end(key);
            // An option that has an outcome's name, and leads to a step.
            let option = takes.contains(&key) && !(is_end(key) && self.leads(&entry.value));
            outcome && !option && is_target(&entry.value)
        };
        let strays: Vec<usize> = map
            .entries
            .iter()
            .enumerate()
            .filter(stray)
            .map(|(index, _)| index)
            .collect();
        let written = |name: &str| strays.iter().any(|index| map.entries[*index].key == name);
        let good = description.and_then(|description| good_end(description, written));
        habits::outcomes_beside(map, &strays, (place, ends, good), self.report);
    }

    fn description(&self, verb: &str) -> Option<&'c StepDescription> {
        described(self.catalog, verb)
    }

    fn action(&mut self, map: &mut Map<'_>) {
        let mut verb = self.verb_of(map);
        if verb.is_none() {
            let catalog = self.catalog;
            let is_verb =
                |key: &str| ENGINE_VERBS.contains(&key) || described(catalog, key).is_some();
            let main = |verb: &str| described(catalog, verb)?.main.as_deref();
            habits::typed_verb(map, is_verb, main, self.report);
            verb = self.verb_of(map);
        }
        if verb.is_none() {
            self.verb(map);
            verb = self.verb_of(map);
        }
        let Some(verb) = verb else {
            // What it does is not known; where it leads is.
            return below_key(map, "then", |node| self.then(node, None));
        };
        match self.description(&verb) {
            Some(description) => self.step(map, &verb, description),
            None => {
                if verb == "if" {
                    habits::if_ways(map, self.report);
                    let catalog = self.catalog;
                    let is_verb = |key: &str| {
                        ENGINE_VERBS.contains(&key) || described(catalog, key).is_some()
                    };
                    branches::verb_beside_if(map, is_verb, self.report);
                }
                if !self.all_known(map, &verb, None) {
                    self.engine_keys(map, &verb);
                }
                self.engine_verb(map, &verb);
            }
        }
    }

    /// Whether every key of an action is one that it may have as it stands, so that nothing is to be compared: of most actions that is so.
    fn all_known(&self, map: &Map<'_>, verb: &str, step: Option<&StepDescription>) -> bool {
        let gone = match verb {
            "use" => self.used(map).map(gives),
            _ => None,
        };
        map.entries.iter().all(|entry| {
            let key = entry.key.as_ref();
            // An option that has an outcome's name may be meant as that.
            let way = || matches!(key, "then" | "else") || !self.leads(&entry.value);
            gone != Some(key) && (key == verb || takes(verb, step, key) && way())
        })
    }

    /// The step that a `use:` names, where it is known.
    fn used(&self, map: &Map<'_>) -> Option<&'c StepDescription> {
        self.catalog?.steps.get(map.value("use")?.text()?)
    }

    /// Whether a value is the name of a step.
    fn leads(&self, value: &Node<'_>) -> bool {
        value.text().is_some_and(|to| self.steps.contains(to))
    }

    /// The keys of an action of the engine's own.
    fn engine_keys(&mut self, map: &mut Map<'_>, verb: &str) {
        let place = Text::same(format!("`{verb}`"));
        let mut options = options_of(verb).to_vec();
        options.push(verb);
        match verb {
            "switch" => {
                branches::cases(map, &place, self.report);
                self.outcomes_beside(map, (options.as_slice(), None), None, &place);
            }
            "use" => {
                if let Some(description) = self.used(map) {
                    let ends = ends(description);
                    let known = (options.as_slice(), Some(ends.as_slice()));
                    self.outcomes_beside(map, known, Some(description), &place);
                    // A step gives either all that it found or one value.
                    let gone = gives(description);
                    options.retain(|option| *option != gone);
                }
            }
            _ => {}
        }
        self.keys(map, &options, &place);
    }

    fn is_verb(&self, key: &str) -> bool {
        ENGINE_VERBS.contains(&key) || self.description(key).is_some()
    }

    fn verb_of<'s>(&self, map: &Map<'s>) -> Option<Cow<'s, str>> {
        let mut keys = map.entries.iter().map(|entry| &entry.key);
        keys.find(|key| self.is_verb(key)).cloned()
    }

    /// Names the verb of an action that has none, if one of its keys is nearly one: the one whose options the others are.
    fn verb(&mut self, map: &mut Map<'_>) {
        let Some(catalog) = self.catalog else { return };
        let verbs = || {
            ENGINE_VERBS
                .iter()
                .copied()
                .chain(catalog.verbs.keys().map(String::as_str))
        };
        self.compared += map.entries.len() * verbs().count();
        if self.compared > MAX_COMPARED {
            return;
        }
        // What names a plugin's step runs it, whatever it is called.
        let named = map.entries.iter().position(|entry| {
            !is_option(&entry.key)
                && entry
                    .value
                    .text()
                    .is_some_and(|step| catalog.steps.contains_key(step))
        });
        let mut best = named.map(|index| (0, index, "use"));
        for (index, entry) in map.entries.iter().enumerate() {
            let option = is_option(&entry.key);
            for verb in verbs() {
                let Some(slips) = slips(&entry.key, verb) else {
                    continue;
                };
                let others = map
                    .entries
                    .iter()
                    .enumerate()
                    .filter(|(other, _)| *other != index);
                let strangers = others
                    .filter(|(_, other)| !takes(verb, self.description(verb), &other.key))
                    .count();
                let misfit = strangers
                    + self.wants(verb, map)
                    + usize::from(!self.suits(verb, &entry.value));
                // A key that is an option as it stands is one, unless nothing else can be the verb.
                if option && strangers > 0 {
                    continue;
                }
                let score = slips + misfit + usize::from(option);
                if best.is_none_or(|(least, _, _)| score < least) {
                    best = Some((score, index, verb));
                }
            }
        }
        if let Some((_, index, verb)) = best {
            let entry = &mut map.entries[index];
            unknown_verb::misspelt(self.report, entry.key_span, &entry.key, verb);
            entry.key = Cow::Owned(verb.to_owned());
        }
    }

    /// How many inputs that a verb needs are not there.
    fn wants(&self, verb: &str, map: &Map<'_>) -> usize {
        let Some(description) = self.description(verb) else {
            return 0;
        };
        let needed = description.input["required"]
            .as_array()
            .into_iter()
            .flatten();
        let needed = needed
            .filter_map(Json::as_str)
            .filter(|name| description.main.as_deref() != Some(name));
        needed.filter(|name| map.entry(name).is_none()).count()
    }

    /// Whether a verb's value has the shape that the verb wants.
    fn suits(&self, verb: &str, value: &Node<'_>) -> bool {
        let text = value.text();
        match verb {
            "use" => text.is_some_and(|text| text.contains('/')),
            "goto" => {
                text.is_some_and(|text| text.starts_with("flow:") || self.steps.contains(text))
            }
            "choose" => value.list().is_some(),
            "set" => value.map().is_some(),
            "tag" => value.list().is_none(),
            _ if ENGINE_VERBS.contains(&verb) => value.scalar().is_some(),
            _ => true,
        }
    }

    fn engine_verb(&mut self, map: &mut Map<'_>, verb: &str) {
        match verb {
            "if" => {
                below_key(map, "then", |node| self.way(node));
                below_key(map, "else", |node| self.way(node));
            }
            "choose" => below_key(map, "choose", |node| self.choose(node)),
            "use" => {
                let description = self.used(map);
                let key = map.value("use").and_then(Node::text).unwrap_or_default();
                let what = Text::same(format!("`{key}`"));
                if let Some(description) = description {
                    below_map(map, "with", |map| {
                        self.inputs(map, &description.input, &what)
                    });
                }
                below_key(map, "then", |node| self.then(node, description.map(ends)));
                self.retry_and_meanwhile(map, &Json::Null);
            }
            "call" => {
                let flow = map.value("call").and_then(Node::text).unwrap_or_default();
                let flows = self.catalog.and_then(|catalog| catalog.flows.as_ref());
                let what = text!("the flow `{flow}`", "流程 `{flow}`");
                let signature = flows.and_then(|flows| flows.get(flow));
                let signature = signature.filter(|signature| !signature.unreadable);
                if let Some(signature) = signature {
                    let names: Vec<&str> = signature.inputs.keys().map(String::as_str).collect();
                    below_map(map, "with", |map| {
                        self.names(map, &names, &|report, at, name, meant| {
                            unknown_input::misspelt(report, at, name, &what, meant);
                        });
                    });
                }
                let outcomes = signature.map(|signature| {
                    let mut outcomes: Vec<&str> =
                        signature.outcomes.iter().map(String::as_str).collect();
                    outcomes.push("error");
                    outcomes
                });
                below_key(map, "then", |node| self.then(node, outcomes));
            }
            // Which values there are is known with the types.
            "switch" => below_key(map, "then", |node| self.then(node, None)),
            _ => below_key(map, "then", |node| self.then(node, Some(vec!["done"]))),
        }
    }

    fn choose(&mut self, node: &mut Node<'_>) {
        let Content::List(items) = &mut node.content else {
            return;
        };
        let lines = items.len();
        for (index, item) in items.iter_mut().enumerate() {
            if let Content::Map(map) = &mut item.content {
                if index + 1 == lines && lines > 1 {
                    habits::last(map, self.report);
                }
                // One key alone is the last line.
                let last = Text::fixed("the last line of `choose`", "`choose` 的最后一行");
                let line = Text::fixed("a line of `choose`", "`choose` 的一行");
                match map.entries.len() {
                    1 => self.keys(map, &["else", "when", "then"], &last),
                    _ => self.keys(map, &["when", "then"], &line),
                }
                below_key(map, "then", |node| self.way(node));
                below_key(map, "else", |node| self.way(node));
            }
        }
    }

    /// A verb that is short for a plugin's step.
    fn step(&mut self, map: &mut Map<'_>, verb: &str, description: &'c StepDescription) {
        let schema = &description.input;
        if !self.all_known(map, verb, Some(description)) {
            self.step_keys(map, verb, description);
        }
        let place = || Text::same(format!("`{verb}`"));
        let main = description
            .main
            .as_deref()
            .and_then(|main| Some((main, schema["properties"].get(main)?)));
        let plain = description.outcomes.keys().all(|name| name == "done");
        for entry in &mut map.entries {
            let input = match (entry.key.as_ref(), main) {
                (key, Some((_, schema))) if key == verb => match &mut entry.value.content {
                    Content::List(_) if schema["format"] == "prompt" && plain => {
                        habits::said_together(&mut entry.value, verb, self.report);
                        Some(schema)
                    }
                    Content::Map(lines) if !takes_map(schema) => {
                        self.inputs(lines, schema, &place());
                        continue;
                    }
                    _ => Some(schema),
                },
                (key, None) if key == verb => {
                    if let Content::Map(lines) = &mut entry.value.content {
                        self.inputs(lines, schema, &place());
                    }
                    continue;
                }
                (key, _) => schema["properties"].get(key),
            };
            if let Some(schema) = input {
                self.input(&entry.key, &mut entry.value, schema);
            }
        }
        if schema["properties"].get("then").is_none() {
            below_key(map, "then", |node| self.then(node, Some(ends(description))));
        }
        self.retry_and_meanwhile(map, schema);
    }

    /// The keys of such a verb.
    fn step_keys(&mut self, map: &mut Map<'_>, verb: &str, description: &'c StepDescription) {
        let place = Text::same(format!("`{verb}`"));
        let properties = properties(&description.input);
        let mut names: Vec<&str> = properties.iter().map(|(name, _)| *name).collect();
        names.retain(|name| description.main.as_deref() != Some(name) || map.entry(name).is_some());
        names.extend(COMMON.iter().chain(&STEP_OPTIONS));
        names.push(verb);
        // Another verb is two verbs, which is told as such.
        let verbs = map.entries.iter().map(|entry| entry.key.to_string());
        let verbs: Vec<String> = verbs.filter(|key| self.is_verb(key)).collect();
        names.extend(verbs.iter().map(String::as_str));
        if properties.iter().all(|(name, _)| *name != "then") {
            let ends = ends(description);
            let known = (names.as_slice(), Some(ends.as_slice()));
            self.outcomes_beside(map, known, Some(description), &place);
        }
        habits::rings(map, &names, &place, self.report);
        let gone = gives(description);
        names.retain(|name| *name != gone || map.entry(name).is_some());
        self.keys(map, &names, &place);
    }

    fn retry_and_meanwhile(&mut self, map: &mut Map<'_>, schema: &Json) {
        let is_input = |name: &str| !schema["properties"][name].is_null();
        below_key(map, "retry", |node| {
            if !is_input("retry") {
                let place = Text::fixed("`retry`", "`retry`");
                self.map(node, &step_call::RETRY_KEYS, &place);
            }
        });
        below_key(map, "meanwhile", |node| {
            if is_input("meanwhile") {
                return;
            }
            let place = Text::fixed("`meanwhile`", "`meanwhile`");
            self.map(node, &step_call::MEANWHILE_KEYS, &place);
            if let Content::Map(map) = &mut node.content {
                below_key(map, "say", |node| self.prompt(node));
            }
        });
    }

    /// The inputs of a step, and what is in them.
    fn inputs(&mut self, map: &mut Map<'_>, schema: &Json, what: &Text) {
        if schema["additionalProperties"] == false || schema["additionalProperties"].is_null() {
            let names: Vec<&str> = properties(schema).iter().map(|(name, _)| *name).collect();
            self.names(map, &names, &|report, at, name, meant| {
                unknown_input::misspelt(report, at, name, what, meant);
            });
        }
        for entry in &mut map.entries {
            if let Some(schema) = schema["properties"].get(entry.key.as_ref()) {
                self.input(&entry.key, &mut entry.value, schema);
            }
        }
    }

    fn input(&mut self, name: &str, node: &mut Node<'_>, schema: &Json) {
        match (schema["format"].as_str(), &mut node.content) {
            (Some("prompt"), _) => self.prompt(node),
            (None, Content::Scalar(_) | Content::List(_)) if says_by_kind(schema) => {
                let kinds: Vec<&str> = properties(schema).iter().map(|(name, _)| *name).collect();
                habits::by_kind(name, node, &kinds, self.report);
            }
            (Some("press"), _) => self.press(node),
            (Some("expect"), Content::Map(map)) => {
                self.keys(
                    map,
                    &expect::MAP_KINDS,
                    &Text::fixed("`expect`", "`expect`"),
                );
            }
            (None, Content::Map(map)) if schema["properties"].is_object() => {
                let names: Vec<&str> = properties(schema).iter().map(|(name, _)| *name).collect();
                let more = &schema["additionalProperties"];
                if more == false || more.is_null() {
                    self.keys(map, &names, &Text::same(format!("`{name}`")));
                }
                for entry in &mut map.entries {
                    if let Some(schema) = schema["properties"].get(entry.key.as_ref()) {
                        self.input(&entry.key, &mut entry.value, schema);
                    }
                }
            }
            (None, Content::List(items)) => {
                for item in items {
                    self.input(name, item, &schema["items"]);
                }
            }
            _ => {}
        }
    }

    /// The lines of `then:`; `None` for the outcomes when they cannot be known: any name may be one then.
    fn then(&mut self, node: &mut Node<'_>, outcomes: Option<Vec<&str>>) {
        let Content::Map(map) = &mut node.content else {
            return self.target(node);
        };
        // Outcomes are told by lowering, which knows them all; only it cannot know that `else` was meant.
        if let Some(mut names) = outcomes {
            habits::otherwise(map, &names, self.report);
            names.push("else");
            self.else_line(map, &names);
        }
        for entry in &mut map.entries {
            self.way(&mut entry.value);
        }
    }

    fn else_line(&mut self, map: &mut Map<'_>, names: &[&str]) {
        if map.entry("else").is_some() {
            return;
        }
        for index in 0..map.entries.len() {
            let entry = &map.entries[index];
            if names.contains(&entry.key.as_ref()) {
                continue;
            }
            let open = names.iter().filter(|name| map.entry(name).is_none());
            let near = open.filter_map(|name| Some((misspelt(&entry.key, name)?, *name)));
            if near.min().is_some_and(|(_, name)| name == "else") {
                unknown_outcome::misspelt_else(self.report, entry.key_span, &entry.key);
                map.entries[index].key = Cow::Borrowed("else");
                return;
            }
        }
    }

    fn press(&mut self, node: &mut Node<'_>) {
        habits::pressed(node, |key| key_of(key).is_some(), self.report);
        let Content::Map(map) = &mut node.content else {
            return;
        };
        for index in 0..map.entries.len() {
            let entry = &map.entries[index];
            let open = KEY_NAMES.iter().filter(|name| map.entry(name).is_none());
            let meant = match key_of(&entry.key) {
                Some(_) => None,
                None => open
                    .filter_map(|name| Some((slips(&entry.key, name)?, *name)))
                    .min(),
            };
            if let Some((_, meant)) = meant {
                no_key(self.report, entry.key_span, &entry.key, Some(meant));
                map.entries[index].key = Cow::Borrowed(meant);
            }
            let entry = &mut map.entries[index];
            match &mut entry.value.content {
                Content::Map(long) => {
                    self.keys(long, &super::press::LINE_KEYS, &key_called(&entry.key));
                    below_key(long, "label", |node| self.prompt(node));
                    below_key(long, "to", |node| self.target(node));
                }
                _ => self.target(&mut entry.value),
            }
        }
    }

    fn prompt(&mut self, node: &mut Node<'_>) {
        let Content::Map(map) = &mut node.content else {
            return;
        };
        let own = |key: &str| key == "any" || self.languages.iter().any(|known| known == key);
        if !map.entries.iter().all(|entry| own(&entry.key)) {
            self.prompt_keys(map);
        }
        for entry in &mut map.entries {
            let place = Text::fixed("a voice", "一段语音");
            match &mut entry.value.content {
                Content::List(items) => {
                    for item in items {
                        self.map(item, &prompt::VOICE_KEYS, &place);
                    }
                }
                Content::Map(map) => self.keys(map, &prompt::VOICE_KEYS, &place),
                Content::Scalar(_) => {}
            }
        }
    }

    fn prompt_keys(&mut self, map: &mut Map<'_>) {
        habits::prompt(map, &self.languages, self.report);
        // Another language is none of the flow's, which is told as such.
        let others = map.entries.iter().map(|entry| entry.key.to_string());
        let others: Vec<String> = others.filter(|key| is_language(key)).collect();
        let languages = self.languages.clone();
        let mut names: Vec<&str> = languages
            .iter()
            .chain(&others)
            .map(String::as_str)
            .collect();
        names.push("any");
        self.keys(map, &names, &Text::fixed("a prompt", "提示"));
    }

    fn hours(&mut self, map: &mut Map<'_>) {
        self.keys(map, &HOURS_KEYS, &Text::fixed("`hours`", "`hours`"));
    }

    fn test(&mut self, map: &mut Map<'_>) {
        self.keys(map, &TEST_KEYS, &Text::fixed("a test", "测试"));
        for entry in &mut map.entries {
            match (entry.key.as_ref(), &mut entry.value.content) {
                ("given", Content::Map(map)) => {
                    self.keys(map, &GIVEN_KEYS, &Text::fixed("`given`", "`given`"));
                }
                ("mock", Content::Map(map)) => {
                    for entry in &mut map.entries {
                        match &mut entry.value.content {
                            Content::List(items) => items
                                .iter_mut()
                                .for_each(|item| self.reply(&entry.key, item)),
                            _ => self.reply(&entry.key, &mut entry.value),
                        }
                    }
                }
                ("run", Content::List(items)) => {
                    for item in items {
                        let Content::Map(map) = &mut item.content else {
                            continue;
                        };
                        if map.entries.len() == 1 {
                            self.keys(map, &ACTS, &Text::fixed("`run`", "`run`"));
                        }
                        below_key(map, "expect", |node| {
                            self.map(node, &EXPECT_KEYS, &Text::fixed("`expect`", "`expect`"));
                        });
                    }
                }
                _ => {}
            }
        }
    }

    /// An answer of a mock: everything but two keys is data of the plugin.
    fn reply(&mut self, mocked: &str, node: &mut Node<'_>) {
        let Content::Map(map) = &mut node.content else {
            return;
        };
        let place = Text::fixed("a mock", "模拟应答");
        if map.entry("outcome").is_none() {
            self.keys(map, &["outcome"], &place);
        }
        // `after` is a field like others, unless nothing that is mocked has it.
        let Some(catalog) = self.catalog.filter(|_| map.entry("after").is_none()) else {
            return;
        };
        let steps = catalog.steps.range(format!("{mocked}@")..);
        let fields = steps
            .take_while(|(key, _)| key.split('@').next() == Some(mocked))
            .flat_map(|(_, step)| step.outcomes.values())
            .flat_map(properties)
            .map(|(name, _)| name);
        let mut names: Vec<&str> = fields.collect();
        let own: Vec<String> = map
            .entries
            .iter()
            .map(|entry| entry.key.to_string())
            .collect();
        names.extend(
            own.iter()
                .map(String::as_str)
                .filter(|key| slips(key, "after") != Some(1)),
        );
        names.push("after");
        self.keys(map, &names, &place);
    }
}

/// How many letters of a misspelt name another does not have. That a letter was left out or two were exchanged is likelier
/// than that another one was written.
fn lost(written: &str, name: &str) -> usize {
    let count = |text: &str, letter: char| text.chars().filter(|c| *c == letter).count();
    let letters: HashSet<char> = written.chars().take(MAX_LETTERS).collect();
    let more = letters
        .iter()
        .map(|letter| count(written, *letter).saturating_sub(count(name, *letter)));
    more.sum()
}

/// The inputs that a schema has.
fn properties(schema: &Json) -> Vec<(&str, &Json)> {
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties
        .map(|(name, schema)| (name.as_str(), schema))
        .collect()
}

/// Whether a key may stand beside a verb, which may be short for a step.
fn takes(verb: &str, step: Option<&StepDescription>, key: &str) -> bool {
    match step {
        Some(step) => {
            COMMON.contains(&key)
                || STEP_OPTIONS.contains(&key)
                || !step.input["properties"][key].is_null()
        }
        None => options_of(verb).contains(&key),
    }
}

/// The step of a verb.
fn described<'c>(catalog: Option<&'c Catalog>, verb: &str) -> Option<&'c StepDescription> {
    let catalog = catalog?;
    catalog.steps.get(catalog.verbs.get(verb)?)
}

/// The option of `as` and `into` that a step has no use for.
fn gives(description: &StepDescription) -> &'static str {
    match description.into {
        Some(_) => "as",
        None => "into",
    }
}

/// Everything that a step may end with, keys and the like not counted.
fn ends(description: &StepDescription) -> Vec<&str> {
    let outcomes = description.outcomes.keys().map(String::as_str);
    outcomes.chain(["done", "error", "timeout"]).collect()
}

/// What a step ends with as a rule, so that a `then:` with one target beside its other outcomes is meant for that: `ok` or `done`, what
/// its first example leads to, or the first that is no name for that something is not so. `written` have their own line.
fn good_end(description: &StepDescription, written: impl Fn(&str) -> bool) -> Option<&str> {
    let outcomes = &description.outcomes;
    // Those that others fall to are no better than them.
    let worse = |name: &str| {
        let schema = &outcomes[name]["x-default-edge"];
        let falls = outcomes
            .values()
            .any(|other| other["x-default-edge"] == name);
        let not = ["no_", "not_", "un", "in"];
        let not = not.iter().filter_map(|not| name.strip_prefix(not));
        let denied = not.into_iter().any(|of| outcomes.contains_key(of));
        let failed = matches!(
            name,
            "error" | "timeout" | "failed" | "declined" | "refused"
        );
        !schema.is_null() || falls || denied || failed || name.starts_with("no_")
    };
    let examples = description.examples.iter();
    let examples = examples.filter_map(|example| example["outcome"].as_str());
    let names = outcomes.keys().map(String::as_str);
    ["ok", "done"]
        .into_iter()
        .filter_map(|name| Some(outcomes.get_key_value(name)?.0.as_str()))
        .chain(examples.filter(|name| outcomes.contains_key(*name)))
        .chain(names)
        .find(|name| !worse(name) && !written(name))
}

/// Whether an input takes prompts for each of some kinds: what is said again after a silence, or after what does not fit.
fn says_by_kind(schema: &Json) -> bool {
    let kinds = properties(schema);
    let prompts = |(_, kind): &(&str, &Json)| kind["items"]["format"] == "prompt";
    !kinds.is_empty() && kinds.iter().all(prompts)
}

/// Whether a value has a line for each of some keys.
fn pressed(value: &Node<'_>) -> bool {
    value.map().is_some_and(|map| {
        !map.entries.is_empty() && map.entries.iter().all(|entry| key_of(&entry.key).is_some())
    })
}

/// The maps that are the values of a map.
fn maps_of<'n, 's>(node: &'n mut Node<'s>) -> impl Iterator<Item = &'n mut Map<'s>> {
    let entries = match &mut node.content {
        Content::Map(map) => map.entries.as_mut_slice(),
        _ => &mut [],
    };
    entries
        .iter_mut()
        .filter_map(|entry| match &mut entry.value.content {
            Content::Map(map) => Some(map),
            _ => None,
        })
}

/// Every entry of a map.
fn below(node: &mut Node<'_>, mut each: impl FnMut(&str, &mut Node<'_>)) {
    if let Content::Map(map) = &mut node.content {
        for entry in &mut map.entries {
            each(&entry.key, &mut entry.value);
        }
    }
}

/// The value of a key.
fn below_key(map: &mut Map<'_>, key: &str, then: impl FnOnce(&mut Node<'_>)) {
    if let Some(entry) = map.entries.iter_mut().find(|entry| entry.key == key) {
        then(&mut entry.value);
    }
}

/// The map that is the value of a key.
fn below_map(map: &mut Map<'_>, key: &str, then: impl FnOnce(&mut Map<'_>)) {
    below_key(map, key, |node| {
        if let Content::Map(map) = &mut node.content {
            then(map);
        }
    });
}
