use std::collections::BTreeMap;

use super::{Lowerer, Place, Site};
use crate::check::report::Report;
use crate::check::rules::{bad_value, duplicate_key, missing_key};
use crate::diagnostic::{Text, text};
use crate::expr::Span;
use crate::lower::draft::PromptDraft;
use crate::plan::{Edge, KeyWords, Piece, PromptId, Template, folded};
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
        let mut chosen: Vec<Chosen<'t>> = Vec::new();
        for entry in &map.entries {
            let Some(key) = self.key(entry) else { continue };
            let mut choice = BTreeMap::new();
            let mut chosen_by = Chosen::new(&key, entry, site.pressed.len());
            let place = site.place.clone();
            let edge = match &entry.value.content {
                Content::Map(long) => {
                    self.unknown_keys(long, key_called(&entry.key), &LINE_KEYS);
                    if let Some(written) = long.value("label")
                        && let Some(label) = self.prompt_input(site, "label", written)
                    {
                        if let Template::Prompt(prompt) = &label {
                            chosen_by.label = Some((*prompt, written.span));
                        }
                        choice.insert("label".to_owned(), label);
                        site.labelled += 1;
                    }
                    if let Some(words) = long.value("match") {
                        chosen_by.words = words.list().unwrap_or_default();
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
            chosen.push(chosen_by);
            keys.insert(key, Template::Object(choice));
        }
        let edge = |number: usize| &site.pressed[number].2;
        words_for_two(&chosen, &self.draft.prompts, edge, &mut self.report);
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
        let (mut chosen, mut edges): (Vec<Chosen<'t>>, Vec<Edge>) = Default::default();
        for entry in &map.entries {
            let Some(key) = self.key(entry) else { continue };
            let mut words = KeyWords::default();
            let mut chosen_by = Chosen::new(&key, entry, edges.len());
            let edge = match &entry.value.content {
                Content::Map(long) => {
                    self.unknown_keys(long, key_called(&entry.key), &LINE_KEYS);
                    if let Some(label) = long.value("label") {
                        words.label = self.global_label(label);
                        chosen_by.label = words.label.map(|prompt| (prompt, label.span));
                    }
                    if let Some(node) = long.value("match") {
                        chosen_by.words = node.list().unwrap_or_default();
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
            chosen.push(chosen_by);
            edges.push(edge.clone());
            self.draft.global.press.insert(key, edge);
        }
        let edge = |number: usize| &edges[number];
        words_for_two(&chosen, &self.draft.prompts, edge, &mut self.report);
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

/// What leads to a key: itself, and in a chat words.
struct Chosen<'t> {
    /// As it is compared.
    key: &'t str,
    at: Span,
    /// Which of the keys it is, by the order of the file.
    number: usize,
    label: Option<(PromptId, Span)>,
    words: &'t [Node<'t>],
}

impl<'t> Chosen<'t> {
    fn new(key: &str, entry: &'t Entry<'t>, number: usize) -> Chosen<'t> {
        Chosen {
            // The names of two keys are not how they are compared.
            key: match key {
                "*" => "*",
                "#" => "#",
                _ => &entry.key,
            },
            at: entry.key_span,
            number,
            label: None,
            words: &[],
        }
    }
}

/// Most words of a step's keys that are held against each other: each is compared with all others.
const MAX_WORDS: usize = 200;

/// Tells of words that would lead a chat to two keys, of which only the first is ever taken. Keys that lead to the same place may share
/// them.
fn words_for_two<'e>(
    chosen: &[Chosen<'_>],
    prompts: &[PromptDraft<'_>],
    edge: impl Fn(usize) -> &'e Edge,
    report: &mut Report<'_>,
) {
    let plain = |one: &Chosen<'_>| one.label.is_none() && one.words.is_empty();
    if chosen.iter().all(plain) {
        return;
    }
    // Where a word stands, whose it is, and the language that it belongs to.
    let mut words: Vec<(&str, Span, &Chosen<'_>, Option<&str>)> = Vec::new();
    for one in chosen {
        words.push((one.key, one.at, one, None));
        let written = one.words.iter();
        words.extend(written.filter_map(|word| Some((word.text()?, word.span, one, None))));
        let Some((label, at)) = one.label else {
            continue;
        };
        let voices = prompts[label.0 as usize].prompt.voices.iter();
        words.extend(voices.filter_map(|(language, voices)| {
            let [voice] = voices.as_slice() else {
                return None;
            };
            let [Piece::Text(text)] = voice.chat.as_ref().or(voice.text.as_ref())?.as_slice()
            else {
                return None;
            };
            let language = (language != "any").then_some(language.as_str());
            Some((text.as_str(), at, one, language))
        }));
    }
    words.truncate(MAX_WORDS);
    let compared: Vec<String> = words.iter().map(|(word, ..)| folded(word)).collect();
    for (index, (word, at, one, language)) in words.iter().enumerate() {
        let mut before = words[..index].iter().zip(&compared);
        let same = before.find(|((_, _, another, of), other)| {
            another.number != one.number
                && (language.is_none() || of.is_none() || language == of)
                && **other == compared[index]
                && edge(another.number) != edge(one.number)
        });
        if let Some(((_, first, another, _), _)) = same {
            // What a key is called is right; the word is not.
            let (at, first) = match *at == one.at {
                true => (*first, *at),
                false => (*at, *first),
            };
            duplicate_key::word(report, (at, word.trim()), first, (another.key, one.key));
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
