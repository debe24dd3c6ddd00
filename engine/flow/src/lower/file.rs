use std::collections::{BTreeMap, BTreeSet};

use super::draft::{Draft, STEP, unknown};
use super::names::{is_language, is_name};
use super::{Lowerer, Place};
use crate::catalog::{Catalog, Runs};
use crate::check::report::Report;
use crate::check::rules::{
    bad_name, bad_value, duplicate_key, missing_key, shadowed_global_key, unknown_step, unused,
};
use crate::check::suggest::slips;
use crate::diagnostic::{Text, text};
use crate::expr::Span;
use crate::hashed::HashMap;
use crate::plan::{Action, Edge};
use crate::value::Type;
use crate::yaml::{Content, Map, Node};

/// Longest contact unless the flow says otherwise, in milliseconds: half an hour.
const MAX_DURATION_MS: u64 = 30 * 60_000;

/// Most actions of a contact unless the flow says otherwise: no caller walks through more by hand.
const MAX_STEPS: u32 = 500;

/// The verbs that the engine itself walks.
pub(super) const ENGINE_VERBS: [&str; 11] = [
    "call", "if", "choose", "switch", "set", "tag", "wait", "goto", "return", "hangup", "use",
];

/// Keys of a file.
pub(super) const FILE_KEYS: [&str; 15] = [
    "flow",
    "format",
    "title",
    "description",
    "languages",
    "inputs",
    "outcomes",
    "vars",
    "prompts",
    "hours",
    "defaults",
    "global",
    "start",
    "steps",
    "tests",
];

/// Keys of `global:`.
pub(super) const GLOBAL_KEYS: [&str; 4] = ["press", "error", "hangup", "too_long"];

/// Understands a file as far as possible.
pub(crate) fn lower<'t>(
    root: &'t Node<'t>,
    catalog: &'t Catalog,
    report: Report<'t>,
) -> (Draft<'t>, Report<'t>) {
    let mut verbs: Vec<String> = ENGINE_VERBS.iter().map(|verb| (*verb).to_owned()).collect();
    verbs.extend(catalog.verbs.keys().cloned());
    verbs.sort();
    let mut lowerer = Lowerer {
        report,
        catalog,
        verbs,
        steps: HashMap::default(),
        step_names: Vec::new(),
        prompt_ids: BTreeMap::new(),
        shapes: Default::default(),
        called: HashMap::default(),
        steps_called: HashMap::default(),
        unbound: Default::default(),
        patterns: HashMap::default(),
        hours: BTreeMap::new(),
        unnamed_hours: false,
        used_hours: BTreeSet::new(),
        defaults: BTreeMap::new(),
        taken_defaults: BTreeSet::new(),
        languages_told: false,
        default_voice: None,
        draft: Draft {
            max_duration_ms: MAX_DURATION_MS,
            max_steps: MAX_STEPS,
            ..Draft::default()
        },
        walked: None,
        named: Default::default(),
        two_verbs: false,
        compared: 0,
    };
    match root.map() {
        Some(map) => lowerer.file(root.span, map),
        None => no_flow(&mut lowerer.report, root),
    }
    // What stood in a gap may have led anywhere.
    lowerer.draft.lost_target |= lowerer.report.has_gaps();
    (lowerer.draft, lowerer.report)
}

/// That a tag names no language, and how one is written.
pub(super) fn no_language(written: &str) -> (Text, Text) {
    let why = text!("`{written}` is not a language", "`{written}` 不是语言代码");
    let help = Text::fixed(
        "write `en`, `zh` or another BCP 47 tag",
        "请写 `en`、`zh` 或其他 BCP 47 代码",
    );
    (why, help)
}

/// Tells of a file that holds something else than keys with values.
fn no_flow(report: &mut Report<'_>, root: &Node<'_>) {
    let is = match &root.content {
        Content::List(_) => Text::fixed("a list", "列表"),
        Content::Scalar(_) if root.absent() => return missing_key::nothing(report, root.span),
        Content::Scalar(_) | Content::Map(_) => Text::fixed("a text", "一段文本"),
    };
    bad_value::why(
        report,
        first_word(root.span),
        text!(
            "a flow is a map of keys such as `flow:` and `steps:`, and this file is {is}",
            "流程是由 `flow:`、`steps:` 等键组成的映射，而此文件是{is}"; is
        ),
        Some(missing_key::BEGINNING),
    );
}

fn first_word(span: Span) -> Span {
    Span {
        start: span.start,
        end: span.end.min(span.start + 1),
    }
}

impl<'t> Lowerer<'t> {
    fn file(&mut self, span: Span, root: &'t Map<'t>) {
        self.unknown_keys(root, Text::fixed("a flow", "流程"), &FILE_KEYS);
        let top = root.entries.first().map_or(span, |entry| entry.key_span);
        self.head(top, root);
        for key in ["title", "description"] {
            if let Some(node) = root.value(key) {
                self.expect_text(key, node, Text::fixed("a text", "文本"));
            }
        }
        self.languages(root);
        if let Some(node) = root.value("inputs") {
            self.draft.inputs = self.declarations("inputs", node);
        }
        if let Some(node) = root.value("vars") {
            self.draft.vars = self.declarations("vars", node);
        }
        self.declared_twice();
        if let Some(node) = root.value("outcomes") {
            self.outcomes(node);
        }
        if let Some(node) = root.value("prompts") {
            self.prompts(node);
        }
        if let Some(node) = root.value("hours") {
            self.all_hours(node);
        }
        if let Some(node) = root.value("defaults") {
            self.all_defaults(node);
        }
        self.names_of_steps(top, root);
        if let Some(node) = root.value("global") {
            self.global(node);
        }
        let steps = root.value("steps").and_then(Node::map);
        for (index, entry) in steps.into_iter().flat_map(|map| &map.entries).enumerate() {
            self.step(index, entry);
        }
        self.start(root);
        self.idle_defaults();
        self.voices_by_default();
        self.draft.runs = Runs::of(&self.draft);
        if let Some(node) = root.value("tests") {
            self.tests(node);
        }
        self.resolve();
        self.shadowed_keys();
        self.unused_hours(root);
    }

    /// Tells of names that are both an input and a variable: expressions know each by its name alone. What either of them holds where it is
    /// read is not known then, and what is a secret may still be put there.
    fn declared_twice(&mut self) {
        let draft = &mut self.draft;
        for (name, input) in &mut draft.inputs {
            if let Some(var) = draft.vars.get_mut(name) {
                let (first, second) = match input.span.start < var.span.start {
                    true => ((input.span, "inputs:"), (var.span, "vars:")),
                    false => ((var.span, "vars:"), (input.span, "inputs:")),
                };
                bad_name::twice(&mut self.report, name, second, first);
                (input.ty, var.ty) = (Type::Any, Type::Any);
                var.secret |= input.secret;
                var.understood = false;
            }
        }
    }

    fn head(&mut self, top: Span, root: &'t Map<'t>) {
        match root.entry("flow") {
            None => missing_key::missing(
                &mut self.report,
                top,
                "flow:",
                Text::fixed("a flow", "流程"),
                "flow: a-name",
            ),
            Some(entry) => {
                if let Some(name) = self.expect_text(
                    "flow",
                    &entry.value,
                    Text::fixed("the flow's name", "流程的名字"),
                ) {
                    if is_name(name) {
                        self.draft.flow = Some(name.to_owned());
                    } else {
                        bad_name::name(
                            &mut self.report,
                            entry.value.span,
                            name,
                            Text::fixed("a flow", "流程"),
                            false,
                        );
                    }
                }
            }
        }
        match root.entry("format") {
            None => {
                let at = root.entry("flow").map_or(top, |entry| entry.key_span);
                missing_key::missing(
                    &mut self.report,
                    at,
                    "format:",
                    Text::fixed("a flow", "流程"),
                    "format: 1",
                );
            }
            Some(entry) => {
                if let Some(format) = self.expect_text(
                    "format",
                    &entry.value,
                    Text::fixed("the version of the language", "语言的版本"),
                ) && format != "1"
                {
                    bad_value::word(
                        &mut self.report,
                        entry.value.span,
                        "format",
                        format,
                        &["1".to_owned()],
                    );
                }
            }
        }
    }

    fn languages(&mut self, root: &'t Map<'t>) {
        let written = root.value("languages");
        self.languages_told = written.is_some_and(|written| written.list().is_none());
        if let Some(node) = root.value("languages")
            && let Some(list) = self.expect_list(
                "languages",
                node,
                Text::fixed("a list such as `[zh, en]`", "列表，例如 `[zh, en]`"),
            )
        {
            if list.is_empty() {
                let why = Text::fixed(
                    "a flow speaks at least one language",
                    "流程至少要有一种语言",
                );
                let help = Text::fixed(
                    "write its languages, such as `[en]`, or remove the key: then it is `en`",
                    "请写上它的语言，例如 `[zh]`；或删除该键，则为 `en`",
                );
                bad_value::why(&mut self.report, node.span, why, Some(help));
                self.languages_told = true;
            }
            if let Some(meant) = self.languages_meant(node, list) {
                self.draft.languages = meant;
                return;
            }
            for item in list {
                let Some(language) = self.expect_text(
                    "languages",
                    item,
                    Text::fixed("a language such as `en`", "语言，例如 `en`"),
                ) else {
                    continue;
                };
                if !is_language(language) {
                    let (why, help) = no_language(language);
                    bad_value::why(&mut self.report, item.span, why, Some(help));
                    self.languages_told = true;
                } else if self.draft.languages.iter().any(|known| known == language) {
                    duplicate_key::duplicate(&mut self.report, language, item.span, list[0].span);
                } else {
                    self.draft.languages.push(language.to_owned());
                }
            }
        }
        if self.draft.languages.is_empty() {
            self.draft.languages.push("en".to_owned());
        }
    }

    /// The languages of a list in one line whose comma has slipped into one of them, as in `[z,h en]`; that is told.
    fn languages_meant(&mut self, node: &Node<'_>, list: &[Node<'_>]) -> Option<Vec<String>> {
        let all_are = |words: &[String]| words.iter().all(|word| is_language(word));
        let mut items = list.iter();
        if items.all(|item| item.text().is_some_and(is_language)) {
            return None;
        }
        let source = self.report.lines().source();
        let written = source.get(node.span.start..node.span.end)?;
        let inner = written.strip_prefix('[')?.strip_suffix(']')?;
        let (before, behind) = inner.split_once(',')?;
        let (end, next) = behind.split_once(' ')?;
        if end.is_empty() || next.starts_with(' ') {
            return None;
        }
        let words = format!("{before}{end},{next}");
        let meant: Vec<String> = words
            .split(',')
            .map(|word| word.trim().to_owned())
            .collect();
        if !all_are(&meant) {
            return None;
        }
        let right = format!("[{}]", meant.join(", "));
        let why = text!("`{written}` are no languages", "`{written}` 不是语言代码");
        bad_value::slip(&mut self.report, node.span, why, &right);
        Some(meant)
    }

    fn outcomes(&mut self, node: &'t Node<'t>) {
        let Some(list) = self.expect_list(
            "outcomes",
            node,
            Text::fixed(
                "a list such as `[done, operator]`",
                "列表，例如 `[done, operator]`",
            ),
        ) else {
            return;
        };
        for item in list {
            let Some(name) = self.expect_text("outcomes", item, Text::fixed("a name", "名字"))
            else {
                continue;
            };
            if !is_name(name) || matches!(name, "else" | "error" | "timeout") {
                bad_name::name(
                    &mut self.report,
                    item.span,
                    name,
                    Text::fixed("an outcome", "结果"),
                    false,
                );
            } else {
                self.draft.outcomes.push(name.to_owned());
            }
        }
    }

    /// Registers all steps before any of them is lowered.
    fn names_of_steps(&mut self, top: Span, root: &'t Map<'t>) {
        let Some(entry) = root.entry("steps") else {
            missing_key::missing(
                &mut self.report,
                top,
                "steps:",
                Text::fixed("a flow", "流程"),
                "steps:",
            );
            return;
        };
        let Some(map) = self.expect_map(
            "steps",
            &entry.value,
            Text::fixed("a map of named steps", "步骤的映射，每个步骤一个名字"),
        ) else {
            return;
        };
        if map.entries.is_empty() {
            missing_key::missing(
                &mut self.report,
                entry.span(),
                "start:",
                Text::fixed("`steps:`", "`steps:`"),
                "start:",
            );
        }
        for (index, step) in map.entries.iter().enumerate() {
            let begins = step.key.eq_ignore_ascii_case("start") && map.entry("start").is_none();
            // Where the flow begins is told below.
            if (!is_name(&step.key) && (!begins || root.entry("start").is_some()))
                || step.key == "repeat"
            {
                bad_name::name(
                    &mut self.report,
                    step.key_span,
                    &step.key,
                    Text::fixed("a step", "步骤"),
                    false,
                );
            }
            self.steps.insert(&step.key, index);
            self.step_names.push(step.key.to_string());
        }
        // Where the flow begins is a step's name like others, misspelt at its step.
        if root.entry("start").is_none() && !self.steps.contains_key("start") {
            let meant = map.entries.iter().enumerate();
            let meant = meant.filter_map(|(index, step)| Some((slips(&step.key, "start")?, index)));
            if let Some((_, index)) = meant.min() {
                let at = map.entries[index].key_span;
                // That it is no name at all is the same slip, unless that is a sign too many.
                if !map.entries[index].key.ends_with(':') {
                    self.report
                        .remove(|found| found.rule == "bad-name" && found.primary.span == at);
                }
                missing_key::start(&mut self.report, at, &map.entries[index].key);
                self.steps.insert("start", index);
            }
        }
    }

    fn global(&mut self, node: &'t Node<'t>) {
        let Some(map) = self.expect_map(
            "global",
            node,
            Text::fixed(
                "a map such as `{ error: operator }`",
                "映射，例如 `{ error: operator }`",
            ),
        ) else {
            return;
        };
        self.unknown_keys(map, Text::fixed("`global`", "`global`"), &GLOBAL_KEYS);
        let place = Place {
            step: usize::MAX,
            depth: 0,
            after: Edge::End,
            repeat: false,
        };
        for entry in &map.entries {
            self.draft
                .global_spans
                .insert(entry.key.to_string(), entry.span());
            let (line, _) = self.report.lines().position(entry.key_span.start);
            let lines = &mut self.draft.global.lines;
            lines.insert(entry.key.to_string(), line);
            match entry.key.as_ref() {
                "press" => self.global_press(&entry.value, &place),
                "error" => {
                    self.draft.global.error = Some(self.target("error", &entry.value, &place))
                }
                "hangup" => {
                    self.draft.global.hangup = Some(self.target("hangup", &entry.value, &place))
                }
                "too_long" => {
                    self.draft.global.too_long = Some(self.target("too_long", &entry.value, &place))
                }
                _ => {}
            }
        }
    }

    fn start(&mut self, root: &'t Map<'t>) {
        let named = root.entry("start");
        let name = match named {
            Some(entry) => match self.expect_text(
                "start",
                &entry.value,
                Text::fixed("the name of a step", "步骤的名字"),
            ) {
                Some(name) => name,
                None => return,
            },
            None => "start",
        };
        let mut index = self.steps.get(name).copied();
        if index.is_none() && !self.step_names.is_empty() {
            let names = self.step_names.clone();
            let meant = self.nearest(name, names.iter().map(String::as_str));
            index = meant.and_then(|meant| self.steps.get(meant).copied());
            match named {
                Some(entry) => {
                    unknown_step::unknown(&mut self.report, entry.value.span, name, meant, &names)
                }
                None => {
                    let at = root
                        .entry("steps")
                        .map_or(Span::default(), |entry| entry.key_span);
                    let example = format!("start: {}", names[0]);
                    missing_key::missing(
                        &mut self.report,
                        at,
                        "start",
                        Text::fixed("a flow without a step `start`", "没有步骤 `start` 的流程"),
                        &example,
                    );
                    index = index.or(Some(0));
                }
            }
        }
        self.draft.start = index
            .and_then(|index| self.draft.steps.get(index))
            .map(|step| step.2);
    }

    /// Turns edges to named steps into edges to their first actions.
    fn resolve(&mut self) {
        let entries: Vec<_> = self.draft.steps.iter().map(|step| step.2).collect();
        let turn = |edge: &mut Edge| {
            if let Edge::Node(id) = edge
                && id.0 >= STEP
                && *id != super::UNKNOWN
            {
                *edge = match entries.get((id.0 - STEP) as usize) {
                    Some(entry) => Edge::Node(*entry),
                    None => unknown(),
                };
            }
        };
        for node in &mut self.draft.nodes {
            turn(&mut node.next);
            match &mut node.action {
                Action::Step(call) => call
                    .edges
                    .values_mut()
                    .chain(&mut call.otherwise)
                    .for_each(turn),
                Action::Call {
                    edges, otherwise, ..
                } => edges.values_mut().chain(otherwise).for_each(turn),
                Action::Choose { arms, otherwise } => {
                    arms.iter_mut().map(|(_, edge)| edge).for_each(turn);
                    turn(otherwise);
                }
                Action::Switch {
                    arms, otherwise, ..
                } => arms.values_mut().chain(otherwise).for_each(turn),
                Action::Set(_)
                | Action::Tag { .. }
                | Action::Wait(_)
                | Action::Goto
                | Action::Return { .. }
                | Action::HangUp { .. } => {}
            }
        }
        let global = &mut self.draft.global;
        global
            .press
            .values_mut()
            .chain(&mut global.error)
            .chain(&mut global.hangup)
            .chain(&mut global.too_long)
            .for_each(turn);
    }

    fn shadowed_keys(&mut self) {
        for (node, facts) in self.draft.nodes.iter().zip(&self.draft.facts) {
            let Action::Step(call) = &node.action else {
                continue;
            };
            if !node.global_keys {
                continue;
            }
            for (key, span) in &facts.keys {
                if let Some(elsewhere) = self.draft.global.press.get(key)
                    && call.edges.get(key) != Some(elsewhere)
                    && let Some(global) = self.draft.global_spans.get(&format!("press.{key}"))
                {
                    shadowed_global_key::shadowed(&mut self.report, *span, key, *global);
                }
            }
        }
    }

    fn unused_hours(&mut self, root: &'t Map<'t>) {
        let all = root.value("hours").and_then(Node::map);
        let all = all.filter(|_| !self.unnamed_hours);
        for entry in all.into_iter().flat_map(|map| &map.entries) {
            if !self.used_hours.contains(entry.key.as_ref()) {
                unused::unused(
                    &mut self.report,
                    entry.key_span,
                    Text::fixed("opening hours", "营业时间"),
                    &entry.key,
                );
            }
        }
    }
}
