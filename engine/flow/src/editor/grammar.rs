//! Walks a file's tree and says of every key and value what it is.

use serde_json::Value as Json;

use super::keys;
use super::mention::Kind;
use super::part::{Described, Keys, Part, Place, Role};
use crate::catalog::{Catalog, FlowSignature};
use crate::yaml::{Content, Entry, Map, Node};

/// The parts of a file in the order of the walk.
pub(super) fn parts<'t>(root: &'t Node<'t>, catalog: &'t Catalog) -> Vec<Part<'t>> {
    let mut walk = Walk {
        catalog,
        vars: root
            .map()
            .and_then(|map| map.value("vars")?.map())
            .into_iter()
            .flat_map(|map| &map.entries)
            .map(|entry| entry.key.as_ref())
            .collect(),
        parts: Vec::new(),
    };
    if let Some(map) = root.map() {
        walk.file(map);
    }
    walk.parts
}

/// The verb of an action: the entry, and the step's description unless the engine walks it.
pub(super) fn verb<'t>(
    map: &'t Map<'t>,
    catalog: &'t Catalog,
) -> Option<(&'t Entry<'t>, Option<Described<'t>>)> {
    let mut options: Vec<&str> = Vec::new();
    let mut found = Vec::new();
    for entry in &map.entries {
        if keys::ENGINE_VERBS
            .iter()
            .any(|(verb, _, _)| *verb == entry.key)
        {
            found.push((entry, None));
        } else if let Some(key) = catalog.verbs.get(entry.key.as_ref())
            && let Some(description) = catalog.steps.get(key)
        {
            let properties = description.input["properties"].as_object();
            options.extend(
                properties
                    .into_iter()
                    .flat_map(|p| p.keys())
                    .map(String::as_str),
            );
            found.push((entry, Some((key.as_str(), description))));
        }
    }
    // A verb's name may be another verb's option.
    if found.len() > 1
        && let Some(index) = found
            .iter()
            .position(|(entry, _)| !options.contains(&entry.key.as_ref()))
    {
        return Some(found.swap_remove(index));
    }
    found.into_iter().next()
}

/// The step that an action runs: that of its verb, or the one that `use:` names.
pub(super) fn described<'t>(map: &'t Map<'t>, catalog: &'t Catalog) -> Option<Described<'t>> {
    let (entry, description) = verb(map, catalog)?;
    match description {
        Some(description) => Some(description),
        None if entry.key == "use" => {
            let (key, description) = catalog.steps.get_key_value(entry.value.text()?)?;
            Some((key.as_str(), description))
        }
        None => None,
    }
}

/// The flow that an action calls: its name and signature.
pub(super) fn called<'t>(
    map: &'t Map<'t>,
    catalog: &'t Catalog,
) -> Option<(&'t str, &'t FlowSignature)> {
    let name = map.value("call")?.text()?;
    Some((name, catalog.flows.as_ref()?.get(name)?))
}

struct Walk<'t> {
    catalog: &'t Catalog,
    vars: Vec<&'t str>,
    parts: Vec<Part<'t>>,
}

impl<'t> Walk<'t> {
    fn key(&mut self, map: &'t Map<'t>, entry: &'t Entry<'t>, role: Role<'t>) {
        let quoted = entry.key_span.end - entry.key_span.start != entry.key.len();
        self.parts.push(Part {
            role,
            span: entry.key_span,
            text: &entry.key,
            exact: Some(entry.key_span.start + usize::from(quoted)),
            key: true,
            siblings: Some(map),
            owner: entry.key_span.start,
        });
    }

    fn value(&mut self, node: &'t Node<'t>, owner: usize, role: Role<'t>) {
        self.parts.extend(Part::value(role, node, owner));
    }

    /// The entries of a map whose keys are known. A scalar in its place may become a key.
    fn map(
        &mut self,
        node: &'t Node<'t>,
        owner: usize,
        keys: Keys<'t>,
        mut each: impl FnMut(&mut Self, &'t Entry<'t>),
    ) {
        match node.map() {
            Some(map) => {
                for entry in &map.entries {
                    self.key(map, entry, Role::Key(keys));
                    each(self, entry);
                }
            }
            None => self.value(node, owner, Role::Key(keys)),
        }
    }

    /// The entries of a map whose keys are names.
    fn named(
        &mut self,
        node: &'t Node<'t>,
        kind: Kind,
        place: Place,
        mut each: impl FnMut(&mut Self, &'t Entry<'t>),
    ) {
        let Some(map) = node.map() else { return };
        for entry in &map.entries {
            self.key(map, entry, Role::Name(kind, place));
            each(self, entry);
        }
    }

    fn each(&mut self, node: &'t Node<'t>, owner: usize, role: &Role<'t>) {
        match node.list() {
            Some(items) => items
                .iter()
                .for_each(|item| self.value(item, owner, role.clone())),
            None => self.value(node, owner, role.clone()),
        }
    }

    fn file(&mut self, map: &'t Map<'t>) {
        for entry in &map.entries {
            self.key(map, entry, Role::Key(Keys::Fixed(keys::FILE)));
            let (value, owner) = (&entry.value, entry.key_span.start);
            match entry.key.as_ref() {
                "flow" => self.value(value, owner, Role::Name(Kind::Flow, Place::Defines)),
                "format" => self.value(value, owner, Role::Words(&["1"])),
                "languages" => self.each(value, owner, &Role::Free),
                "outcomes" => {
                    self.each(value, owner, &Role::Name(Kind::Outcome, Place::Defines));
                }
                "inputs" | "vars" => {
                    self.named(value, Kind::Variable, Place::Defines, |walk, entry| {
                        walk.declaration(entry);
                    });
                }
                "prompts" => self.named(value, Kind::Prompt, Place::Defines, |walk, entry| {
                    walk.prompt_definition(&entry.value, entry.key_span.start);
                }),
                "hours" => self.named(value, Kind::Hours, Place::Defines, |walk, entry| {
                    let owner = entry.key_span.start;
                    walk.map(
                        &entry.value,
                        owner,
                        Keys::Fixed(keys::HOURS),
                        |walk, entry| {
                            if entry.key == "weekly" {
                                let owner = entry.key_span.start;
                                walk.map(&entry.value, owner, Keys::Fixed(keys::WEEKLY), |_, _| {});
                            }
                        },
                    );
                }),
                "defaults" => self.map(value, owner, Keys::Fixed(keys::DEFAULTS), |_, _| {}),
                "global" => {
                    self.map(
                        value,
                        owner,
                        Keys::Fixed(keys::GLOBAL),
                        |walk, entry| match entry.key.as_ref() {
                            "press" => walk.press(&entry.value, entry.key_span.start, false),
                            _ => walk.target(&entry.value, entry.key_span.start, false),
                        },
                    )
                }
                "start" => self.value(value, owner, Role::Name(Kind::Step, Place::Refers)),
                "steps" => self.named(value, Kind::Step, Place::Defines, |walk, entry| {
                    walk.actions(&entry.value, entry.key_span.start);
                }),
                "tests" => self.tests(value),
                _ => self.value(value, owner, Role::Free),
            }
        }
    }

    fn declaration(&mut self, entry: &'t Entry<'t>) {
        let owner = entry.key_span.start;
        if entry.value.map().is_none() {
            return self.value(&entry.value, owner, Role::Words(keys::TYPES));
        }
        let keys = Keys::Fixed(keys::DECLARATION);
        self.map(&entry.value, owner, keys, |walk, entry| {
            let owner = entry.key_span.start;
            match entry.key.as_ref() {
                "type" => walk.value(&entry.value, owner, Role::Words(keys::TYPES)),
                "secret" => walk.value(&entry.value, owner, Role::Words(keys::YES_NO)),
                _ => walk.each(&entry.value, owner, &Role::Free),
            }
        });
    }

    fn prompt_definition(&mut self, node: &'t Node<'t>, owner: usize) {
        if node.map().is_none() {
            return self.value(node, owner, Role::Text);
        }
        self.map(node, owner, Keys::Languages, |walk, entry| {
            walk.voice(&entry.value, entry.key_span.start);
        });
    }

    fn voice(&mut self, node: &'t Node<'t>, owner: usize) {
        if let Some(items) = node.list() {
            return items.iter().for_each(|item| self.voice(item, owner));
        }
        if node.map().is_none() {
            return self.value(node, owner, Role::Text);
        }
        self.map(node, owner, Keys::Fixed(keys::VOICE), |walk, entry| {
            let role = match entry.key.as_ref() {
                "text" | "chat" => Role::Text,
                "audio" => Role::Audio,
                "lang" => Role::Language,
                _ => Role::Free,
            };
            walk.value(&entry.value, entry.key_span.start, role);
        });
    }

    /// An action, or a list of them.
    fn actions(&mut self, node: &'t Node<'t>, owner: usize) {
        match &node.content {
            Content::List(items) => items.iter().for_each(|item| self.action(item, owner)),
            _ => self.action(node, owner),
        }
    }

    fn action(&mut self, node: &'t Node<'t>, owner: usize) {
        let Some(map) = node.map() else {
            return self.value(node, owner, Role::Action);
        };
        let catalog = self.catalog;
        let verb = verb(map, catalog);
        for entry in &map.entries {
            self.key(map, entry, Role::Key(Keys::Action(Some(map))));
            match verb {
                Some((verb, description)) if std::ptr::eq(verb, entry) => {
                    self.verb(map, entry, description);
                }
                _ => self.option(map, entry, verb),
            }
        }
    }

    fn verb(&mut self, map: &'t Map<'t>, entry: &'t Entry<'t>, described: Option<Described<'t>>) {
        let (value, owner) = (&entry.value, entry.key_span.start);
        if let Some((_, description)) = described {
            let schema = &description.input;
            let main = description.main.as_ref();
            let main = main.and_then(|main| schema["properties"].get(main));
            return match main {
                Some(main) if value.map().is_none() || keys::takes_map(main) => {
                    self.input(main, value, owner);
                }
                _ => self.schema_map(schema, value, owner),
            };
        }
        match entry.key.as_ref() {
            "use" => self.value(value, owner, Role::Plugin),
            "call" => self.value(value, owner, Role::Name(Kind::Flow, Place::Refers)),
            "if" | "switch" => self.value(value, owner, Role::Bare),
            "choose" => {
                for item in value.list().unwrap_or_default() {
                    self.map(item, owner, Keys::Fixed(keys::CHOOSE), |walk, entry| {
                        let owner = entry.key_span.start;
                        match entry.key.as_ref() {
                            "when" => walk.value(&entry.value, owner, Role::Bare),
                            _ => walk.target(&entry.value, owner, false),
                        }
                    });
                }
            }
            "set" => {
                let Some(lines) = value.map() else {
                    return self.value(value, owner, Role::Key(Keys::Set));
                };
                for line in &lines.entries {
                    let role = match line.key.starts_with("call.") {
                        true => Role::Key(Keys::Set),
                        false => Role::Name(Kind::Variable, Place::Refers),
                    };
                    self.key(lines, line, role);
                    let role = match line.key.as_ref() {
                        "call.language" => Role::Language,
                        _ => Role::Text,
                    };
                    self.template(&line.value, line.key_span.start, &role);
                }
            }
            "tag" if value.map().is_none() => self.template(value, owner, &Role::Text),
            "tag" => self.map(value, owner, Keys::Any, |walk, entry| {
                walk.template(&entry.value, entry.key_span.start, &Role::Text);
            }),
            "goto" => self.target(value, owner, false),
            "return" => self.value(value, owner, Role::Name(Kind::Outcome, Place::Refers)),
            _ => self.value(value, owner, Role::Free),
        }
        let _ = map;
    }

    /// What stands beside the verb.
    fn option(
        &mut self,
        map: &'t Map<'t>,
        entry: &'t Entry<'t>,
        verb: Option<(&'t Entry<'t>, Option<Described<'t>>)>,
    ) {
        let (value, owner) = (&entry.value, entry.key_span.start);
        let described = verb.and_then(|(_, described)| described);
        let verb = verb.map_or("", |(entry, _)| entry.key.as_ref());
        if let Some((_, description)) = described
            && let Some(schema) = description.input["properties"].get(entry.key.as_ref())
        {
            return self.input(schema, value, owner);
        }
        match entry.key.as_ref() {
            "then" if verb == "if" => self.target(value, owner, false),
            "then" => self.then(map, value, owner),
            "else" => self.target(value, owner, false),
            "when" => self.value(value, owner, Role::Bare),
            "as" | "into" => {
                let declared = value.text().is_some_and(|name| self.vars.contains(&name));
                let place = match declared {
                    true => Place::Refers,
                    false => Place::Defines,
                };
                self.value(value, owner, Role::Name(Kind::Variable, place));
            }
            "with" => self.with(map, value, owner),
            "global" => self.value(value, owner, Role::Words(keys::YES_NO)),
            "retry" => self.map(value, owner, Keys::Fixed(keys::RETRY), |walk, entry| {
                if entry.key == "only" {
                    let words = Role::Words(&["timeout", "error"]);
                    walk.each(&entry.value, entry.key_span.start, &words);
                }
            }),
            "meanwhile" => self.map(value, owner, Keys::Fixed(keys::MEANWHILE), |walk, entry| {
                let role = match entry.key.as_ref() {
                    "say" => Role::Prompt,
                    "music" => Role::Audio,
                    _ => Role::Free,
                };
                walk.value(&entry.value, entry.key_span.start, role);
            }),
            _ => self.value(value, owner, Role::Free),
        }
    }

    fn with(&mut self, map: &'t Map<'t>, value: &'t Node<'t>, owner: usize) {
        let catalog = self.catalog;
        if let Some((flow, signature)) = called(map, catalog) {
            let keys = Keys::Inputs(signature);
            let Some(lines) = value.map() else {
                return self.value(value, owner, Role::Key(keys));
            };
            for line in &lines.entries {
                self.key(lines, line, Role::Of(Kind::Input, flow, keys));
                self.template(&line.value, line.key_span.start, &Role::Text);
            }
            return;
        }
        match described(map, catalog) {
            Some((_, description)) => self.schema_map(&description.input, value, owner),
            None => self.template(value, owner, &Role::Text),
        }
    }

    fn then(&mut self, action: &'t Map<'t>, value: &'t Node<'t>, owner: usize) {
        match value.map() {
            Some(lines) => {
                let flow = called(action, self.catalog).map(|(flow, _)| flow);
                for line in &lines.entries {
                    let keys = Keys::Outcomes(action);
                    let own = !matches!(line.key.as_ref(), "else" | "error" | "timeout");
                    let role = match flow.filter(|_| own) {
                        Some(flow) => Role::Of(Kind::Outcome, flow, keys),
                        None => Role::Key(keys),
                    };
                    self.key(lines, line, role);
                    self.target(&line.value, line.key_span.start, true);
                }
            }
            None if value.list().is_some() => self.target(value, owner, true),
            None => self.value(value, owner, Role::Then(action)),
        }
    }

    fn target(&mut self, node: &'t Node<'t>, owner: usize, repeat: bool) {
        match node.list() {
            Some(items) => items.iter().for_each(|item| self.action(item, owner)),
            None => self.value(node, owner, Role::Target { repeat }),
        }
    }

    fn press(&mut self, node: &'t Node<'t>, owner: usize, repeat: bool) {
        self.map(node, owner, Keys::Press, |walk, entry| {
            let owner = entry.key_span.start;
            if entry.value.map().is_none() {
                return walk.target(&entry.value, owner, repeat);
            }
            let keys = Keys::Fixed(keys::PRESS_LINE);
            walk.map(&entry.value, owner, keys, |walk, entry| {
                let owner = entry.key_span.start;
                match entry.key.as_ref() {
                    "to" => walk.target(&entry.value, owner, repeat),
                    "label" => walk.prompt(&entry.value, owner),
                    _ => {}
                }
            });
        });
    }

    /// A prompt's name, its text, or a whole definition.
    fn prompt(&mut self, node: &'t Node<'t>, owner: usize) {
        match node.map() {
            Some(_) => self.prompt_definition(node, owner),
            None => self.value(node, owner, Role::Prompt),
        }
    }

    /// A value of an input.
    fn input(&mut self, schema: &'t Json, node: &'t Node<'t>, owner: usize) {
        match schema["format"].as_str() {
            Some("prompt") => self.prompt(node, owner),
            Some("press") => self.press(node, owner, true),
            Some("expect") => match node.map() {
                Some(_) => self.map(node, owner, Keys::Fixed(keys::EXPECT), |_, _| {}),
                None => self.value(node, owner, Role::Expect),
            },
            Some("hours") => self.value(node, owner, Role::Name(Kind::Hours, Place::Refers)),
            Some("queue") => self.value(node, owner, Role::Name(Kind::Queue, Place::Refers)),
            Some("destination") => {
                self.value(node, owner, Role::Name(Kind::Supplier, Place::Refers));
            }
            Some("audio") => self.value(node, owner, Role::Audio),
            Some("expression") => self.value(node, owner, Role::Bare),
            Some("key") => self.value(node, owner, Role::Words(keys::TELEPHONE)),
            _ => match &node.content {
                Content::Map(_) if schema["properties"].is_object() => {
                    self.schema_map(schema, node, owner);
                }
                Content::Map(_) => self.template(node, owner, &Role::Text),
                Content::List(items) => {
                    for item in items {
                        self.input(&schema["items"], item, owner);
                    }
                }
                Content::Scalar(scalar)
                    if scalar.absent()
                        && schema["properties"].is_object()
                        && schema["format"].is_null() =>
                {
                    self.value(node, owner, Role::Key(Keys::Schema(schema)));
                }
                Content::Scalar(_) => self.value(node, owner, Role::Value(schema)),
            },
        }
    }

    /// A map of inputs, as a schema has them.
    fn schema_map(&mut self, schema: &'t Json, node: &'t Node<'t>, owner: usize) {
        self.map(node, owner, Keys::Schema(schema), |walk, entry| {
            let owner = entry.key_span.start;
            match schema["properties"].get(entry.key.as_ref()) {
                Some(inner) => walk.input(inner, &entry.value, owner),
                None => walk.template(&entry.value, owner, &Role::Text),
            }
        });
    }

    /// A value that may have `${ … }` anywhere.
    fn template(&mut self, node: &'t Node<'t>, owner: usize, role: &Role<'t>) {
        match &node.content {
            Content::Scalar(_) => self.value(node, owner, role.clone()),
            Content::List(items) => {
                for item in items {
                    self.template(item, owner, role);
                }
            }
            Content::Map(map) => {
                for entry in &map.entries {
                    self.key(map, entry, Role::Key(Keys::Any));
                    self.template(&entry.value, entry.key_span.start, role);
                }
            }
        }
    }

    fn tests(&mut self, node: &'t Node<'t>) {
        let Some(map) = node.map() else { return };
        for test in &map.entries {
            self.key(map, test, Role::Key(Keys::Any));
            let owner = test.key_span.start;
            self.map(
                &test.value,
                owner,
                Keys::Fixed(keys::TEST),
                |walk, entry| match entry.key.as_ref() {
                    "given" => walk.given(entry),
                    "mock" => walk.mocks(entry),
                    "run" => {
                        for act in entry.value.list().unwrap_or_default() {
                            walk.act(act, entry.key_span.start);
                        }
                    }
                    _ => {}
                },
            );
        }
    }

    fn given(&mut self, entry: &'t Entry<'t>) {
        let keys = Keys::Fixed(keys::GIVEN);
        self.map(&entry.value, entry.key_span.start, keys, |walk, entry| {
            let owner = entry.key_span.start;
            match entry.key.as_ref() {
                "inputs" | "vars" => {
                    walk.named(&entry.value, Kind::Variable, Place::Refers, |_, _| {});
                }
                "hours" => walk.named(&entry.value, Kind::Hours, Place::Refers, |walk, entry| {
                    let words = Role::Words(&["open", "closed", "holiday"]);
                    walk.value(&entry.value, entry.key_span.start, words);
                }),
                "language" => walk.value(&entry.value, owner, Role::Language),
                "channel" => walk.value(&entry.value, owner, Role::Words(&["voice", "chat"])),
                _ => {}
            }
        });
    }

    /// A reply's data stands under the name of the variable that takes it.
    fn mocks(&mut self, entry: &'t Entry<'t>) {
        let Some(map) = entry.value.map() else { return };
        for mock in &map.entries {
            self.key(map, mock, Role::Key(Keys::Mocks));
            let replies: Vec<&'t Node<'t>> = match mock.value.list() {
                Some(items) => items.iter().collect(),
                None => vec![&mock.value],
            };
            for reply in replies.into_iter().filter_map(Node::map) {
                for line in &reply.entries {
                    let fixed = matches!(line.key.as_ref(), "outcome" | "after");
                    let role = match fixed {
                        true => Role::Key(Keys::Fixed(keys::REPLY)),
                        false => Role::Name(Kind::Variable, Place::Refers),
                    };
                    self.key(reply, line, role);
                    if let Some(flow) = mock.key.strip_prefix("call.")
                        && line.key == "outcome"
                    {
                        let role = Role::Of(Kind::Outcome, flow, Keys::Any);
                        self.value(&line.value, line.key_span.start, role);
                    }
                }
            }
        }
    }

    fn act(&mut self, node: &'t Node<'t>, owner: usize) {
        self.map(node, owner, Keys::Fixed(keys::ACT), |walk, entry| {
            if entry.key != "expect" {
                return;
            }
            let owner = entry.key_span.start;
            if entry.value.map().is_none() {
                let role = Role::Name(Kind::Prompt, Place::Refers);
                return walk.value(&entry.value, owner, role);
            }
            let keys = Keys::Fixed(keys::EXPECTATION);
            walk.map(&entry.value, owner, keys, |walk, entry| {
                let owner = entry.key_span.start;
                let kind = match entry.key.as_ref() {
                    "step" => Kind::Step,
                    "queue" => Kind::Queue,
                    "transfer" => Kind::Supplier,
                    "ends" => Kind::Outcome,
                    "language" => return walk.value(&entry.value, owner, Role::Language),
                    "vars" => {
                        return walk.named(&entry.value, Kind::Variable, Place::Refers, |_, _| {});
                    }
                    _ => return,
                };
                walk.value(&entry.value, owner, Role::Name(kind, Place::Refers));
            });
        });
    }
}
