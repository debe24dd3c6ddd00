use std::collections::BTreeMap;

use super::{Lowerer, Place, Site};
use crate::check::report::Report;
use crate::check::rules::{bad_value, duplicate_key, missing_key};
use crate::diagnostic::{Text, text};
use crate::expr::Span;
use crate::plan::{Edge, KeyWords, PromptId, Template};
use crate::value::Value;
use crate::yaml::{Content, Entry, Node};

/// Most digits of one key, as in `12`.
const MAX_KEY: usize = 8;

/// Most keys of one step; what the host's `listen` takes.
const MAX_KEYS: usize = 64;

/// Keys of the long form of a choice.
pub(super) const LINE_KEYS: [&str; 3] = ["to", "label", "match"];

/// The keys of a telephone that have a name.
pub(super) const KEY_NAMES: [&str; 2] = ["star", "hash"];

impl<'t> Lowerer<'t> {
    /// `press:` of a step: what it gets, and where its keys lead (into `site.pressed`).
    pub(super) fn press(&mut self, site: &mut Site, node: &'t Node<'t>) -> Option<Template> {
        let map = self.expect_map(
            "press",
            node,
            Text::fixed(
                "a map such as `{ 1: orders, 0: operator }`",
                "映射，例如 `{ 1: orders, 0: operator }`",
            ),
        )?;
        if map.entries.len() > MAX_KEYS {
            let why = text!(
                "a step takes at most {MAX_KEYS} keys",
                "一个步骤最多 {MAX_KEYS} 个按键"
            );
            bad_value::why(&mut self.report, node.span, why, None);
        }
        let mut keys: BTreeMap<String, Template> = BTreeMap::new();
        for entry in &map.entries {
            let Some(key) = self.key(entry) else { continue };
            let mut choice = BTreeMap::new();
            let place = site.place.clone();
            let edge = match &entry.value.content {
                Content::Map(long) => {
                    self.unknown_keys(long, key_called(&entry.key), &LINE_KEYS);
                    if let Some(label) = long.value("label")
                        && let Some(label) = self.prompt_input(site, "label", label)
                    {
                        choice.insert("label".to_owned(), label);
                        site.labelled += 1;
                    }
                    if let Some(words) = long.value("match") {
                        let words = self.words("match", words);
                        let words = words.into_iter().map(Value::Text).collect();
                        choice.insert("match".to_owned(), Template::Literal(Value::List(words)));
                    }
                    self.long_target(entry, &place)
                }
                _ => self.target(&entry.key, &entry.value, &place),
            };
            if let Some((_, first, _)) = site.pressed.iter().find(|(known, _, _)| *known == key) {
                duplicate_key::duplicate(&mut self.report, &key, entry.key_span, *first);
                continue;
            }
            site.pressed.push((key.clone(), entry.key_span, edge));
            keys.insert(key, Template::Object(choice));
        }
        Some(Template::Object(keys))
    }

    /// `press:` of `global:`.
    pub(super) fn global_press(&mut self, node: &'t Node<'t>, place: &Place) {
        let Some(map) = self.expect_map(
            "press",
            node,
            Text::fixed(
                "a map such as `{ 0: operator }`",
                "映射，例如 `{ 0: operator }`",
            ),
        ) else {
            return;
        };
        let mut first: BTreeMap<String, Span> = BTreeMap::new();
        for entry in &map.entries {
            let Some(key) = self.key(entry) else { continue };
            let mut words = KeyWords::default();
            let edge = match &entry.value.content {
                Content::Map(long) => {
                    self.unknown_keys(long, key_called(&entry.key), &LINE_KEYS);
                    if let Some(label) = long.value("label") {
                        words.label = self.global_label(label);
                    }
                    if let Some(node) = long.value("match") {
                        words.words = self.words("match", node);
                    }
                    self.long_target(entry, place)
                }
                _ => self.target(&entry.key, &entry.value, place),
            };
            if let Some(first) = first.insert(key.clone(), entry.key_span) {
                duplicate_key::duplicate(&mut self.report, &key, entry.key_span, first);
                continue;
            }
            self.draft
                .global_spans
                .insert(format!("press.{key}"), entry.span());
            let (line, _) = self.report.lines().position(entry.key_span.start);
            let lines = &mut self.draft.global.lines;
            lines.insert(format!("press {key}"), line);
            if words.label.is_some() || !words.words.is_empty() {
                self.draft.global.words.insert(key.clone(), words);
            }
            self.draft.global.press.insert(key, edge);
        }
    }

    /// The label of a key that works everywhere: nobody knows which variables have a value there.
    fn global_label(&mut self, node: &'t Node<'t>) -> Option<PromptId> {
        let place = Text::fixed("`global.press`", "`global.press`");
        let label = self.aside(place, |lowerer, site| {
            lowerer.prompt_input(site, "label", node)
        })?;
        let Template::Prompt(prompt) = label else {
            return None;
        };
        if !self.draft.prompts[prompt.0 as usize].exprs.is_empty() {
            let why = Text::fixed(
                "the label of a key of `global.press` is a text without `${ … }`: it is read in every step",
                "`global.press` 中按键的 `label` 不能含 `${ … }`：它在每个步骤都会用到",
            );
            bad_value::why(&mut self.report, node.span, why, None);
            return None;
        }
        Some(prompt)
    }

    fn long_target(&mut self, entry: &'t Entry<'t>, place: &Place) -> Edge {
        match entry.value.map().and_then(|long| long.value("to")) {
            Some(to) => self.target("to", to, place),
            None => {
                let what = key_called(&entry.key);
                missing_key::missing(&mut self.report, entry.key_span, "to:", what, "to: a_step");
                super::unknown()
            }
        }
    }

    fn key(&mut self, entry: &Entry) -> Option<String> {
        let key = key_of(&entry.key);
        if key.is_none() {
            no_key(&mut self.report, entry.key_span, &entry.key, None);
        }
        key.map(str::to_owned)
    }
}

/// That no telephone has such a key; the one that was probably meant.
pub(super) fn no_key(report: &mut Report<'_>, at: Span, written: &str, meant: Option<&str>) {
    let why = text!(
        "`{written}` is not a key of a telephone",
        "`{written}` 不是电话按键"
    );
    let help = Text::fixed(
        "write a digit, `star`, `hash`, or two or more digits such as `12`",
        "请写一个数字、`star`、`hash`，或多位数字如 `12`",
    );
    match meant {
        Some(meant) => bad_value::slip(report, at, why, meant),
        None => {
            report.strange(at);
            bad_value::why(report, at, why, Some(help));
        }
    }
}

/// What findings call a key of `press:`.
pub(super) fn key_called(key: &str) -> Text {
    text!("the key `{key}`", "按键 `{key}`")
}

/// A key as it is compared: `star` is `*`, `hash` is `#`.
pub(super) fn key_of(written: &str) -> Option<&str> {
    match written {
        "star" | "*" => Some("*"),
        "hash" | "#" => Some("#"),
        digits
            if (1..=MAX_KEY).contains(&digits.len())
                && digits.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            Some(digits)
        }
        _ => None,
    }
}
