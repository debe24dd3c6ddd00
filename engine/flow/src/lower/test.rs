//! `tests:` of a flow, as a typed structure. Running them is somebody else's work.

use std::collections::BTreeMap;

use regex_syntax::ast::parse::Parser;
use serde_json::Value as Json;

use super::Lowerer;
use super::mock::json_of;
use super::press::key_of;
use super::tested::Named;
use crate::check::rules::{
    bad_value, missing_input, missing_key, unknown_hours, unknown_key, unknown_step,
};
use crate::check::suggest::{Proof, nearest};
use crate::diagnostic::{Text, text};
use crate::expr::Span;
use crate::value::{Type, Value};
use crate::yaml::{Content, Map, Node};

/// One test of a flow.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Test {
    /// Its name: the key under `tests:`.
    pub name: String,
    /// Line of the name, from 1.
    pub line: u32,
    /// What it shows, in words.
    pub title: Option<String>,
    /// The world before the contact begins.
    pub given: Given,
    /// Answers instead of plugins, queues, transfers and flows: by `plugin/step`, `queue.NAME`,
    /// `transfer.NAME`, `call.FLOW`. More than one are used up in order; the last one stays.
    pub mocks: BTreeMap<String, Vec<Reply>>,
    /// What the contact does and what is expected, with the line of each.
    pub run: Vec<(u32, Act)>,
    /// Whether only tests like this one run.
    pub only: bool,
    /// Why it is left out, if it is.
    pub skip: Option<String>,
}

/// The world before the contact begins.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Given {
    /// The time.
    pub now: Option<jiff::Zoned>,
    /// The language.
    pub language: Option<String>,
    /// `voice` or `chat`.
    pub channel: Option<String>,
    /// Who calls.
    pub from: Option<String>,
    /// What was called.
    pub to: Option<String>,
    /// The flow's inputs.
    pub inputs: BTreeMap<String, Value>,
    /// Variables that have a value already.
    pub vars: BTreeMap<String, Value>,
    /// `open`, `closed` or `holiday`, by the name of the hours.
    pub hours: BTreeMap<String, String>,
}

/// An answer instead of the real one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Reply {
    /// The outcome, `error` and `timeout` included.
    pub outcome: String,
    /// How long it takes, in milliseconds.
    pub after_ms: u64,
    /// What comes with it, by the name of the variable that takes it.
    pub data: BTreeMap<String, Json>,
}

/// One line of `run:`.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// Keys, one after the other.
    Press(String),
    /// Words spoken.
    Say(String),
    /// A message in a chat.
    Send(String),
    /// So many times the contact does nothing until the step notices.
    Silence(u32),
    /// Time goes by, in milliseconds.
    Wait(u64),
    /// The contact hangs up, or, when the line has dropped, does not come back.
    HangUp,
    /// The line of a call drops.
    Drop,
    /// The caller whose line dropped calls again.
    CallBack,
    /// What must be so now.
    Expect(Box<Expectation>),
}

/// What must be so.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Expectation {
    /// The prompt of this name has been said since the last act.
    pub prompt: Option<String>,
    /// This text has been heard; between slashes a regular expression.
    pub hear: Option<String>,
    /// This text has not been heard.
    pub not_hear: Option<String>,
    /// The contact is in this step.
    pub step: Option<String>,
    /// It has been put into this queue.
    pub queue: Option<String>,
    /// It has been transferred there.
    pub transfer: Option<String>,
    /// The language it is spoken to in.
    pub language: Option<String>,
    /// Its priority.
    pub priority: Option<u32>,
    /// Values of variables.
    pub vars: BTreeMap<String, Value>,
    /// Plugin steps that have run: `plugin/step`.
    pub used: Vec<String>,
    /// Tags with their values.
    pub tags: BTreeMap<String, Json>,
    /// It has ended with this disposition or outcome.
    pub ends: Option<String>,
    /// All this within so many milliseconds.
    pub within_ms: Option<u64>,
}

/// Keys of `expect:` in a test.
pub(super) const EXPECT_KEYS: [&str; 12] = [
    "hear", "not_hear", "step", "queue", "transfer", "language", "priority", "vars", "used", "tag",
    "ends", "within",
];

/// Keys of a test.
pub(super) const TEST_KEYS: [&str; 6] = ["title", "given", "mock", "run", "only", "skip"];

/// Keys of `given:`.
pub(super) const GIVEN_KEYS: [&str; 8] = [
    "now",
    "language",
    "channel",
    "call.from",
    "call.to",
    "inputs",
    "vars",
    "hours",
];

/// Acts that take something behind a colon.
const TAKES: [&str; 6] = ["press", "say", "send", "silence", "wait", "expect"];

/// What a contact may do in a test, and what may be expected of it.
pub(super) const ACTS: [&str; 9] = [
    "press",
    "say",
    "send",
    "silence",
    "wait",
    "hangup",
    "drop",
    "call_back",
    "expect",
];

/// Most times of `silence: n`.
const MAX_SILENCE: u32 = 1_000;

impl<'t> Lowerer<'t> {
    /// `tests:` of the flow.
    pub(super) fn tests(&mut self, node: &'t Node<'t>) {
        let Some(map) = self.expect_map(
            "tests",
            node,
            Text::fixed("a map of named tests", "测试的映射，每个测试一个名字"),
        ) else {
            return;
        };
        for entry in &map.entries {
            let (line, _) = self.report.lines().position(entry.key_span.start);
            let mut test = Test {
                name: entry.key.to_string(),
                line,
                ..Test::default()
            };
            let Some(lines) = self.expect_map(
                &entry.key,
                &entry.value,
                Text::fixed("a map with `run:`", "含有 `run:` 的映射"),
            ) else {
                continue;
            };
            self.unknown_keys(lines, Text::fixed("a test", "测试"), &TEST_KEYS);
            test.title = self.text_of(lines, "title");
            test.skip = self.text_of(lines, "skip");
            test.only = lines
                .value("only")
                .is_some_and(|node| self.yes_or_no("only", node) == Some(true));
            if let Some(node) = lines.value("given") {
                test.given = self.given(node);
            }
            self.inputs_given(entry.key_span, lines);
            if let Some(node) = lines.value("mock") {
                test.mocks = self.mocks(node);
                if test.given.channel.as_deref() == Some("chat") {
                    self.no_transfers(node);
                }
            }
            match lines.value("run") {
                Some(node) => test.run = self.acts(node),
                None => missing_key::missing(
                    &mut self.report,
                    entry.key_span,
                    "run:",
                    Text::fixed("a test", "测试"),
                    "run: [ … ]",
                ),
            }
            self.draft.tests.push(test);
        }
        self.settle_named();
    }

    /// Tells of mocks of transfers in the test of a chat, which is joined to no telephone.
    fn no_transfers(&mut self, mocks: &'t Node<'t>) {
        let entries = mocks.map().into_iter().flat_map(|map| &map.entries);
        for entry in entries.filter(|entry| entry.key.starts_with("transfer.")) {
            let why = Text::fixed(
                "a chat is joined to no telephone: there a transfer ends in `failed` at once",
                "聊天不会接到电话上：其中的转接立即以 `failed` 结束",
            );
            let help = Text::fixed(
                "leave the mock out, or write `channel: voice`",
                "请去掉这个模拟，或写 `channel: voice`",
            );
            bad_value::why(&mut self.report, entry.key_span, why, Some(help));
        }
    }

    /// Tells of inputs that the flow cannot begin without and that a test does not give. Where it gives something else, that is told.
    fn inputs_given(&mut self, at: Span, test: &Map<'_>) {
        let given = test.value("given").and_then(Node::map);
        let values = |key: &str| given.and_then(|map| map.value(key)?.map());
        let lines: Vec<&str> = ["inputs", "vars"]
            .iter()
            .filter_map(|key| values(key))
            .flat_map(|map| &map.entries)
            .map(|entry| entry.key.as_ref())
            .collect();
        let known = |name: &&str| {
            self.draft.inputs.contains_key(*name) || self.draft.vars.contains_key(*name)
        };
        if !lines.iter().all(known) {
            return;
        }
        let mut needed = self.own_needed();
        needed.retain(|name| !lines.contains(&name.as_str()));
        if !needed.is_empty() {
            missing_input::tested(&mut self.report, at, &needed);
        }
    }

    /// What is to be heard: a text, or a regular expression between slashes.
    fn pattern_of(&mut self, map: &'t Map<'t>, key: &str) -> Option<String> {
        let pattern = self.text_of(map, key)?;
        let regex = pattern
            .strip_prefix('/')
            .and_then(|rest| rest.strip_suffix('/'));
        // Its tables of letters are the matcher's: whether `\p{…}` names a script is seen when the test runs.
        let wrong = regex.and_then(|regex| Parser::new().parse(regex).err());
        if let Some(error) = wrong {
            let at = map.value(key).map_or_else(Span::default, |node| node.span);
            let (said, place) = (super::regex::wrong(error.kind()), error.span().start.column);
            let why = text!(
                "`{key}` is no regular expression: {said}, at its character {place}",
                "`{key}` 不是正则表达式：第 {place} 个字符处，{said}";
                said
            );
            let help = Text::fixed(
                "correct it, escape signs with `\\`, or leave the slashes out to look for the text itself",
                "请改正，用 `\\` 转义符号，或去掉两边的斜杠以查找文字本身",
            );
            bad_value::why(&mut self.report, at, why, Some(help));
        }
        Some(pattern)
    }

    fn text_of(&mut self, map: &'t Map<'t>, key: &str) -> Option<String> {
        let node = map.value(key)?;
        self.expect_text(key, node, Text::fixed("a text", "文本"))
            .map(str::to_owned)
    }

    fn given(&mut self, node: &'t Node<'t>) -> Given {
        let mut given = Given::default();
        let Some(map) = self.expect_map(
            "given",
            node,
            Text::fixed(
                "a map such as `{ language: en }`",
                "映射，例如 `{ language: en }`",
            ),
        ) else {
            return given;
        };
        self.unknown_keys(map, Text::fixed("`given`", "`given`"), &GIVEN_KEYS);
        if let Some(node) = map.value("now")
            && let Some(Value::DateTime(now)) = self.literal("now", node, &Type::DateTime)
        {
            given.now = Some(now);
        }
        if let Some(node) = map.value("language") {
            given.language = self.one_of("language", node, &self.draft.languages.clone());
        }
        if let Some(node) = map.value("channel") {
            given.channel = self.one_of("channel", node, &["voice".to_owned(), "chat".to_owned()]);
        }
        given.from = self.text_of(map, "call.from");
        given.to = self.text_of(map, "call.to");
        let inputs = self
            .draft
            .inputs
            .iter()
            .map(|(name, input)| (name.clone(), input.ty.clone()))
            .collect();
        given.inputs = self.values(map, "inputs", &inputs);
        let vars = self.types_of_vars();
        given.vars = self.values(map, "vars", &vars);
        if let Some(node) = map.value("hours")
            && let Some(lines) = self.expect_map(
                "hours",
                node,
                Text::fixed(
                    "a map such as `{ support: open }`",
                    "映射，例如 `{ support: open }`",
                ),
            )
        {
            let words = ["open", "closed", "holiday"].map(str::to_owned);
            for line in &lines.entries {
                if !self.hours.contains_key(line.key.as_ref()) && !self.unnamed_hours {
                    let names: Vec<String> = self.hours.keys().cloned().collect();
                    let meant = self
                        .nearest(&line.key, names.iter().map(String::as_str))
                        .map(str::to_owned);
                    unknown_hours::unknown(
                        &mut self.report,
                        line.key_span,
                        &line.key,
                        meant.as_deref(),
                        &names,
                    );
                }
                if let Some(word) = self.one_of(&line.key, &line.value, &words) {
                    given.hours.insert(line.key.to_string(), word);
                }
            }
        }
        given
    }

    fn types_of_vars(&self) -> BTreeMap<String, Type> {
        self.draft
            .vars
            .iter()
            .map(|(name, var)| (name.clone(), var.ty.clone()))
            .collect()
    }

    /// What a test may look at: the declared variables, and those that steps make by `as:`, `into:` and `set:`.
    fn types_of_values(&self) -> BTreeMap<String, Type> {
        let mut types = self.types_of_vars();
        for binding in &self.draft.bindings {
            if self.draft.vars.contains_key(&binding.name) {
                continue;
            }
            let ty = types
                .entry(binding.name.clone())
                .or_insert_with(|| binding.ty.clone());
            if *ty != binding.ty {
                // Made at several places: what stands here is compared as it is written.
                *ty = ty.join(&binding.ty).unwrap_or(Type::Any);
            }
        }
        types
    }

    fn one_of(&mut self, key: &str, node: &Node, words: &[String]) -> Option<String> {
        let word = self.expect_text(key, node, Text::fixed("a word", "一个词"))?;
        if words.iter().any(|known| known == word) {
            return Some(word.to_owned());
        }
        bad_value::word(&mut self.report, node.span, key, word, words);
        None
    }

    fn values(
        &mut self,
        map: &'t Map<'t>,
        key: &str,
        types: &BTreeMap<String, Type>,
    ) -> BTreeMap<String, Value> {
        let mut values = BTreeMap::new();
        let Some(node) = map.value(key) else {
            return values;
        };
        let Some(lines) = self.expect_map(key, node, Text::fixed("a map of values", "值的映射"))
        else {
            return values;
        };
        for line in &lines.entries {
            match types.get(line.key.as_ref()) {
                Some(ty) => {
                    if let Some(value) = self.literal(&line.key, &line.value, ty) {
                        values.insert(line.key.to_string(), value);
                    }
                }
                None => {
                    let names: Vec<String> = types.keys().cloned().collect();
                    unknown_key::unknown(
                        &mut self.report,
                        line.key_span,
                        &line.key,
                        &Text::same(format!("`{key}`")),
                        &names,
                    );
                }
            }
        }
        values
    }

    fn acts(&mut self, node: &'t Node<'t>) -> Vec<(u32, Act)> {
        let Some(items) = self.expect_list(
            "run",
            node,
            Text::fixed("a list such as `- press: 1`", "列表，例如 `- press: 1`"),
        ) else {
            return Vec::new();
        };
        let mut acts = Vec::new();
        for item in items {
            let (line, _) = self.report.lines().position(item.span.start);
            if let Some(act) = self.act(item) {
                acts.push((line, act));
            }
        }
        acts
    }

    fn act(&mut self, node: &'t Node<'t>) -> Option<Act> {
        match &node.content {
            Content::Scalar(_) => {
                match self.expect_text("run", node, Text::fixed("an act", "一个动作"))? {
                    "silence" => Some(Act::Silence(1)),
                    "hangup" => Some(Act::HangUp),
                    "drop" => Some(Act::Drop),
                    "call_back" => Some(Act::CallBack),
                    _ if self.no_colon(node, |word| TAKES.contains(&word)) => None,
                    other => {
                        // Of what stands behind a misspelt word nothing is to go.
                        let (word, behind) = match other.split_once([' ', ':']) {
                            Some((word, behind)) => (word, Some(behind.trim_start())),
                            None => (other, None),
                        };
                        let meant = nearest(word, TAKES).zip(behind);
                        let certain =
                            meant.is_some_and(|(meant, _)| Proof::Word.certain(word, meant, &[]));
                        let meant = meant.map(|(word, behind)| format!("{word}: {behind}"));
                        let names = ACTS.map(str::to_owned);
                        let (at, report) = (node.span, &mut self.report);
                        match (behind, meant) {
                            (None, _) => bad_value::word(report, at, "run", other, &names),
                            (_, meant) => {
                                let meant = meant.as_deref();
                                bad_value::act(report, at, other, meant.zip(Some(certain)), &names);
                            }
                        }
                        None
                    }
                }
            }
            Content::Map(map) => {
                let [entry] = map.entries.as_slice() else {
                    self.wrong_shape(
                        "run",
                        node,
                        Text::fixed(
                            "one act a line, such as `- press: 1`",
                            "每行一个动作，例如 `- press: 1`",
                        ),
                    );
                    return None;
                };
                let value = &entry.value;
                match entry.key.as_ref() {
                    "press" if value.absent() => {
                        let message = Text::fixed(
                            "nothing stands after `press:`: without quotes `#` begins a comment",
                            "`press:` 后面没有内容：不加引号的 `#` 是注释的开头",
                        );
                        let help = Text::fixed(
                            "write the keys in quotes, such as `\"#\"` or `\"123#\"`",
                            "请给按键加引号，例如 `\"#\"` 或 `\"123#\"`",
                        );
                        bad_value::why(&mut self.report, entry.key_span, message, Some(help));
                        None
                    }
                    "press" => {
                        let keys = self.expect_text(
                            "press",
                            value,
                            Text::fixed(
                                "keys such as `1` or `\"123#\"`",
                                "按键，例如 `1` 或 `\"123#\"`",
                            ),
                        )?;
                        if keys
                            .chars()
                            .all(|key| key.is_ascii_digit() || matches!(key, '*' | '#' | 'A'..='D'))
                        {
                            Some(Act::Press(keys.to_owned()))
                        } else {
                            let small = keys.to_lowercase();
                            let named = key_of(&small).filter(|_| keys.is_ascii());
                            if let Some(key) = named {
                                // Words name keys where a flow says what they do.
                                let message = text!(
                                    "`{keys}` names a key, and a test writes the key itself",
                                    "`{keys}` 是按键的名字，测试里应写按键本身"
                                );
                                let meant = format!("\"{key}\"");
                                bad_value::slip(&mut self.report, value.span, message, &meant);
                                return Some(Act::Press(key.to_owned()));
                            }
                            let why = text!(
                                "`{keys}` has something in it that is no key",
                                "`{keys}` 里有不是按键的内容"
                            );
                            let help = Text::fixed(
                                "write digits, `*` and `#`, such as `\"123#\"`",
                                "请写数字、`*` 和 `#`，例如 `\"123#\"`",
                            );
                            bad_value::why(&mut self.report, value.span, why, Some(help));
                            None
                        }
                    }
                    "say" => self
                        .expect_text("say", value, Text::fixed("words", "要说的话"))
                        .map(|text| Act::Say(text.to_owned())),
                    "send" => self
                        .expect_text("send", value, Text::fixed("a message", "一条消息"))
                        .map(|text| Act::Send(text.to_owned())),
                    "silence" => self
                        .whole("silence", value, 1, MAX_SILENCE)
                        .map(Act::Silence),
                    "wait" => self.duration("wait", value).map(Act::Wait),
                    "hangup" => Some(Act::HangUp),
                    "drop" => Some(Act::Drop),
                    "call_back" => Some(Act::CallBack),
                    "expect" => self
                        .expectation(value)
                        .map(|expected| Act::Expect(Box::new(expected))),
                    other => {
                        let names = ACTS.map(str::to_owned);
                        unknown_key::unknown(
                            &mut self.report,
                            entry.key_span,
                            other,
                            &Text::fixed("`run`", "`run`"),
                            &names,
                        );
                        None
                    }
                }
            }
            Content::List(_) => {
                self.wrong_shape(
                    "run",
                    node,
                    Text::fixed(
                        "one act a line, such as `- press: 1`",
                        "每行一个动作，例如 `- press: 1`",
                    ),
                );
                None
            }
        }
    }

    fn expectation(&mut self, node: &'t Node<'t>) -> Option<Expectation> {
        let mut expected = Expectation::default();
        let Content::Map(map) = &node.content else {
            let name = self.expect_text(
                "expect",
                node,
                Text::fixed(
                    "the name of a prompt, or a map such as `{ queue: support }`",
                    "提示的名字，或映射，例如 `{ queue: support }`",
                ),
            )?;
            if !self.prompt_ids.contains_key(name) {
                self.prompt_meant(name, node.span);
            }
            expected.prompt = Some(name.to_owned());
            return Some(expected);
        };
        self.unknown_keys(map, Text::fixed("`expect`", "`expect`"), &EXPECT_KEYS);
        expected.hear = self.pattern_of(map, "hear");
        expected.not_hear = self.pattern_of(map, "not_hear");
        expected.queue = self.text_of(map, "queue");
        expected.transfer = self.text_of(map, "transfer");
        expected.ends = self.text_of(map, "ends");
        for (kind, key) in [(Named::Queue, "queue"), (Named::Transfer, "transfer")] {
            if let Some(node) = map.value(key)
                && let Some(name) = node.text()
            {
                self.known_outside(kind, name, node.span);
            }
        }
        self.known_steps(map.value("used"));
        self.known_end(map.value("ends"));
        expected.step = self.text_of(map, "step");
        if let (Some(step), Some(node)) = (&expected.step, map.value("step"))
            && !self.steps.contains_key(step.as_str())
        {
            let names = self.step_names.clone();
            let meant = self.nearest(step, names.iter().map(String::as_str));
            unknown_step::unknown(&mut self.report, node.span, step, meant, &names);
        }
        if let Some(node) = map.value("language") {
            expected.language = self.one_of("language", node, &self.draft.languages.clone());
        }
        if let Some(node) = map.value("priority") {
            expected.priority = self.whole("priority", node, 0, 100);
        }
        if let Some(node) = map.value("within") {
            expected.within_ms = self.duration("within", node);
        }
        let vars = self.types_of_values();
        expected.vars = self.values(map, "vars", &vars);
        match map.value("used").map(|node| (&node.content, node)) {
            Some((Content::List(_), node)) => expected.used = self.words("used", node),
            Some((_, node)) => {
                expected.used = self
                    .expect_text("used", node, Text::fixed("`plugin/step`", "`插件/步骤`"))
                    .map(str::to_owned)
                    .into_iter()
                    .collect();
            }
            None => {}
        }
        match map.value("tag").map(|node| &node.content) {
            Some(Content::Map(tags)) => {
                expected.tags = tags
                    .entries
                    .iter()
                    .map(|tag| (tag.key.to_string(), json_of(&tag.value)))
                    .collect();
            }
            Some(Content::Scalar(tag)) => {
                expected.tags.insert(tag.text.to_string(), Json::Bool(true));
            }
            _ => {}
        }
        Some(expected)
    }
}
