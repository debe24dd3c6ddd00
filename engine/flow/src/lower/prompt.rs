use std::collections::BTreeMap;

use super::draft::{PromptDraft, PromptUse};
use super::file::no_language;
use super::names::{is_language, is_name};
use super::own_words::{OwnScope, first};
use super::{Lowerer, Site, ssml};
use crate::check::rules::{
    bad_input, bad_name, bad_value, missing_key, missing_translation, text_slip, unknown_key,
    unknown_prompt,
};
use crate::check::suggest::some;
use crate::check::types::type_of_call;
use crate::diagnostic::{Text, text};
use crate::expr::{Expr, Finding, Span, loose_braces, parse_pieces};
use crate::plan::{Piece, Prompt, PromptId, Template, Voice};
use crate::speak::MAX_SPOKEN_CHARS;
use crate::speak::markup::{Part, parts};
use crate::yaml::{Content, Map, Node, Scalar};

/// Most parts of a prompt in one language.
const MAX_PARTS: usize = 64;

/// Keys of what a prompt says in one language.
pub(super) const VOICE_KEYS: [&str; 5] = ["text", "audio", "chat", "voice", "lang"];

/// Whether a text has nothing that could be said: no sign between its tags, and no pause.
fn blank(text: &str) -> bool {
    let nothing = |part: &Part<'_>| matches!(part, Part::Words(words) if words.trim().is_empty());
    parts(text).all(|part| nothing(&part))
}

impl<'t> Lowerer<'t> {
    /// `prompts:` of the flow.
    pub(super) fn prompts(&mut self, node: &'t Node<'t>) {
        let Some(map) = self.expect_map(
            "prompts",
            node,
            Text::fixed("a map of named prompts", "提示的映射，每个提示一个名字"),
        ) else {
            return;
        };
        for entry in &map.entries {
            if !is_name(&entry.key) {
                bad_name::name(
                    &mut self.report,
                    entry.key_span,
                    &entry.key,
                    Text::fixed("a prompt", "提示"),
                    false,
                );
            }
            let id = self.draft.prompts.len();
            let prompt = self.prompt(Some(&entry.key), entry.key_span, &entry.value);
            self.untranslated(&entry.key, entry.key_span, &prompt);
            self.draft.prompts.push(prompt);
            self.prompt_ids.insert(&entry.key, id);
        }
    }

    /// A prompt that a step says; the input is called `say` or the like in findings.
    pub(super) fn prompt_input(
        &mut self,
        site: &mut Site,
        key: &str,
        node: &'t Node<'t>,
    ) -> Option<Template> {
        self.prompt_input_named(site, key, node)
    }

    pub(super) fn prompt_input_named(
        &mut self,
        site: &mut Site,
        key: &str,
        node: &'t Node<'t>,
    ) -> Option<Template> {
        let id = match node.text() {
            Some(name) if is_name(name) => match self.prompt_ids.get(name).copied() {
                Some(id) => id,
                None => self.prompt_meant(name, node.span)?,
            },
            _ if node.absent() => {
                missing_key::value(&mut self.report, node.span, key);
                return None;
            }
            _ => {
                let prompt = self.prompt(None, node.span, node);
                self.draft.prompts.push(prompt);
                self.draft.prompts.len() - 1
            }
        };
        self.draft.prompts[id].used = true;
        self.draft.prompt_uses.push(PromptUse {
            node: site.id,
            prompt: id,
            binds: site.binds.clone(),
            input: key.to_owned(),
        });
        Some(Template::Prompt(PromptId(u32::try_from(id).ok()?)))
    }

    /// What a step says by itself where the flow gives no prompt: the `default` of the input, a text by language. A language of the flow
    /// that the step has no words for hears those of another; texts that cannot be read are none.
    pub(super) fn own_words(
        &mut self,
        site: &Site,
        key: &str,
        default: &serde_json::Value,
    ) -> Option<Template> {
        let read = |text: &serde_json::Value| Some(parse_pieces(text.as_str()?, 0));
        let texts: BTreeMap<&str, Result<Vec<Piece>, Vec<Finding>>> = default
            .as_object()?
            .iter()
            .filter_map(|(language, text)| Some((language.as_str(), read(text)?)))
            .collect();
        let primary = |tag: &str| tag.split('-').next().unwrap_or(tag).to_owned();
        let of = |language: &String| {
            let text = texts.get(language.as_str());
            Some((
                language.clone(),
                text.or_else(|| texts.get(primary(language).as_str()))?
                    .clone(),
            ))
        };
        let mut spoken: BTreeMap<String, Result<Vec<Piece>, Vec<Finding>>> =
            self.draft.languages.iter().filter_map(of).collect();
        if spoken.len() < self.draft.languages.len().max(1) {
            // Whoever hears it in a foreign language hears one that it is written in.
            let other = texts.get_key_value("en").or(texts.first_key_value());
            let (language, text) = other?;
            spoken
                .entry((*language).to_owned())
                .or_insert_with(|| text.clone());
        }
        let head = self.draft.facts[site.id.0 as usize].head;
        let call = type_of_call(&self.draft.languages);
        let mut sayable: BTreeMap<String, Vec<Piece>> = BTreeMap::new();
        for (language, text) in spoken {
            let scope = OwnScope {
                binds: &site.binds,
                call: &call,
            };
            match text
                .map_err(first)
                .and_then(|text| scope.check(&language, text))
            {
                Ok(text) => {
                    sayable.insert(language, text);
                }
                Err(why) => {
                    let name = &site.name;
                    let message = text!(
                        "the words that {name} has for `{key}` in `{language}` cannot be said: {why}",
                        "{name} 自带的 `{key}`（`{language}`）无法说出：{why}";
                        name,
                        why,
                    );
                    let help = text!(
                        "write `{key}` in the flow, or tell the plugin's author",
                        "请在流程里写上 `{key}`，或告诉插件的作者"
                    );
                    bad_input::bad(&mut self.report, head, message, Some(help));
                    return None;
                }
            }
        }
        let (line, _) = self.report.lines().position(head.start);
        let voices = sayable.into_iter().map(|(language, text)| {
            let voice = Voice {
                text: Some(text),
                ..Voice::default()
            };
            (language, vec![voice])
        });
        let prompt = PromptDraft {
            prompt: Prompt {
                name: None,
                line,
                voices: voices.collect(),
            },
            span: head,
            used: true,
            exprs: Vec::new(),
            texts: Vec::new(),
        };
        let id = self.draft.prompts.len();
        self.draft.prompts.push(prompt);
        self.draft.prompt_uses.push(PromptUse {
            node: site.id,
            prompt: id,
            binds: site.binds.clone(),
            input: key.to_owned(),
        });
        Some(Template::Prompt(PromptId(u32::try_from(id).ok()?)))
    }

    /// Tells that there is no prompt of a name; gives the one that was probably meant.
    pub(super) fn prompt_meant(&mut self, name: &str, span: Span) -> Option<usize> {
        let prompts = std::mem::take(&mut self.prompt_ids);
        let meant = self.nearest(name, prompts.keys().copied());
        let names = some(prompts.keys().copied());
        unknown_prompt::unknown(&mut self.report, span, name, meant, &names);
        let id = meant.and_then(|meant| prompts.get(meant).copied());
        self.prompt_ids = prompts;
        id
    }

    /// A prompt's definition: a text, or voices by language.
    fn prompt(&mut self, name: Option<&str>, span: Span, node: &'t Node<'t>) -> PromptDraft<'t> {
        let (line, _) = self.report.lines().position(span.start);
        let mut draft = PromptDraft {
            prompt: Prompt {
                name: name.map(str::to_owned),
                line,
                voices: BTreeMap::new(),
            },
            span,
            used: false,
            exprs: Vec::new(),
            texts: Vec::new(),
        };
        match &node.content {
            Content::Map(map) => {
                for entry in &map.entries {
                    let language = entry.key.as_ref();
                    let declared = self.draft.languages.iter().any(|known| known == language);
                    if language != "any" && !declared {
                        let languages = self.draft.languages.clone();
                        if !is_language(language) {
                            let mut names = languages;
                            names.push("any".to_owned());
                            unknown_key::unknown(
                                &mut self.report,
                                entry.key_span,
                                language,
                                &Text::fixed("a prompt", "提示"),
                                &names,
                            );
                            continue;
                        }
                        if !self.languages_told {
                            let here = |language: &String| map.entry(language).is_some();
                            let lacking = languages.iter().filter(|known| !here(known));
                            let lacking: Vec<String> = lacking.cloned().collect();
                            missing_translation::unused_language(
                                &mut self.report,
                                entry.key_span,
                                language,
                                (&lacking, &languages),
                            );
                        }
                    }
                    let voices = self.voices(language, &entry.value, &mut draft);
                    draft.prompt.voices.insert(language.to_owned(), voices);
                }
                if map.entries.is_empty() {
                    bad_value::why(
                        &mut self.report,
                        node.span,
                        Text::fixed("this prompt says nothing", "这条提示什么也没说"),
                        Some(Text::fixed("write its text", "请写上文本")),
                    );
                }
            }
            Content::Scalar(scalar) if !scalar.absent() => {
                let voice = Voice {
                    text: self.spoken(node, scalar, &mut draft),
                    ..Voice::default()
                };
                draft.prompt.voices.insert("any".to_owned(), vec![voice]);
            }
            _ => self.wrong_shape(
                name.unwrap_or("prompt"),
                node,
                Text::fixed(
                    "a text, or a text per language such as `{ en: Hello. }`",
                    "文本，或每种语言一段文本，例如 `{ zh: 您好。 }`",
                ),
            ),
        }
        draft
    }

    /// What a prompt says in one language.
    fn voices(
        &mut self,
        language: &str,
        node: &'t Node<'t>,
        draft: &mut PromptDraft<'t>,
    ) -> Vec<Voice> {
        let mut parts = Vec::new();
        let mut left = vec![node];
        while let Some(node) = left.pop() {
            match &node.content {
                // A list may stand in a list, as deep as YAML goes.
                Content::List(items) if !items.is_empty() => left.extend(items.iter().rev()),
                _ => parts.push(node),
            }
        }
        let empty = matches!(&node.content, Content::List(items) if items.is_empty());
        if parts.len() > MAX_PARTS || empty {
            let why = text!(
                "a prompt has from 1 to {MAX_PARTS} parts",
                "一条提示有 1 到 {MAX_PARTS} 段"
            );
            bad_value::why(&mut self.report, node.span, why, None);
            if empty {
                return Vec::new();
            }
        }
        parts
            .into_iter()
            .filter_map(|part| self.voice(language, part, draft))
            .collect()
    }

    fn voice(
        &mut self,
        language: &str,
        node: &'t Node<'t>,
        draft: &mut PromptDraft<'t>,
    ) -> Option<Voice> {
        match &node.content {
            Content::Scalar(scalar) if !scalar.absent() => Some(Voice {
                text: self.spoken(node, scalar, draft),
                ..Voice::default()
            }),
            Content::Map(map) => self.long_voice(node, map, draft),
            _ => {
                self.wrong_shape(
                    language,
                    node,
                    Text::fixed(
                        "a text, or a map such as `{ audio: audio/en/bye.wav, text: Goodbye. }`",
                        "文本，或映射，例如 `{ audio: audio/zh/bye.wav, text: 再见。 }`",
                    ),
                );
                None
            }
        }
    }

    fn long_voice(
        &mut self,
        node: &Node,
        map: &'t Map<'t>,
        draft: &mut PromptDraft<'t>,
    ) -> Option<Voice> {
        self.unknown_keys(map, Text::fixed("a voice", "一段语音"), &VOICE_KEYS);
        let mut voice = Voice::default();
        if let Some(value) = map.value("lang")
            && let Some(lang) = self.expect_text(
                "lang",
                value,
                Text::fixed("a language such as `en`", "语言，例如 `en`"),
            )
        {
            if is_language(lang) {
                voice.language = Some(lang.to_owned());
            } else {
                let (why, help) = no_language(lang);
                bad_value::why(&mut self.report, value.span, why, Some(help));
            }
        }
        // A recording of music may have no words.
        let wordless = map
            .value("text")
            .is_none_or(|value| value.text().is_some_and(blank));
        if let Some(value) = map.value("text")
            && self
                .expect_text("text", value, Text::fixed("a text", "文本"))
                .is_some()
            && let Some(scalar) = value.scalar()
            && !(wordless && map.entry("audio").is_some())
        {
            voice.text = self.spoken(value, scalar, draft);
        }
        if let Some(value) = map.value("chat")
            && self
                .expect_text("chat", value, Text::fixed("a text", "文本"))
                .is_some()
            && let Some(scalar) = value.scalar()
        {
            voice.chat = self.pieces(value, scalar);
            note(voice.chat.as_ref(), &mut draft.exprs);
        }
        if let Some(value) = map.value("audio") {
            voice.audio = self.audio_path("audio", value, wordless);
        }
        if let Some(value) = map.value("voice") {
            voice.voice = self
                .expect_text(
                    "voice",
                    value,
                    Text::fixed("the name of a voice", "嗓音的名字"),
                )
                .map(str::to_owned);
        }
        if map.entry("text").is_none()
            && map.entry("audio").is_none()
            && map.entry("chat").is_none()
        {
            missing_key::missing(
                &mut self.report,
                node.span,
                "text:",
                Text::fixed("a voice", "一段语音"),
                "text: …",
            );
        }
        Some(voice)
    }

    /// A text that is spoken.
    fn spoken(
        &mut self,
        node: &Node,
        scalar: &'t Scalar<'t>,
        draft: &mut PromptDraft<'t>,
    ) -> Option<Vec<Piece>> {
        let chars = scalar.text.chars().count();
        if chars > MAX_SPOKEN_CHARS {
            let why = text!(
                "a text of {chars} characters cannot be spoken: {MAX_SPOKEN_CHARS} at most",
                "{chars} 个字符的文本无法朗读：最多 {MAX_SPOKEN_CHARS} 个"
            );
            let help = Text::fixed(
                "say it in several actions, or as an audio file",
                "请分成几个动作来说，或用音频文件",
            );
            bad_value::why(&mut self.report, node.span, why, Some(help));
            return None;
        }
        if blank(&scalar.text) {
            let why = Text::fixed("this prompt says nothing", "这条提示什么也没说");
            let help = Text::fixed("write its text, or leave it out", "请写上文本，或删除它");
            bad_value::why(&mut self.report, node.span, why, Some(help));
            return None;
        }
        ssml::check(&mut self.report, node.span, scalar);
        draft.texts.push((node.span, &scalar.text));
        let pieces = self.pieces(node, scalar);
        note(pieces.as_ref(), &mut draft.exprs);
        if let Some(braces) = pieces.as_ref().and_then(|_| loose_braces(&scalar.text)) {
            let written = &scalar.text[braces.clone()];
            let at = scalar.exact.map_or(node.span, |start| Span {
                start: start + braces.start,
                end: start + braces.end,
            });
            text_slip::braces(&mut self.report, at, written);
        }
        pieces
    }

    /// Languages of the flow in which a prompt says nothing.
    fn untranslated(&mut self, name: &str, span: Span, draft: &PromptDraft<'_>) {
        let voices = &draft.prompt.voices;
        if self.languages_told || voices.is_empty() || voices.contains_key("any") {
            return;
        }
        let languages = &self.draft.languages;
        if voices.len() == languages.len() && languages.iter().all(|one| voices.contains_key(one)) {
            return;
        }
        let languages = languages.clone();
        // Of a language that is none of the flow's it is told which one was meant: that one is not missing as well.
        let here = |language: &String| voices.contains_key(language);
        let lacking = languages.iter().filter(|known| !here(known));
        let lacking: Vec<String> = lacking.cloned().collect();
        let meant: Vec<&str> = voices
            .keys()
            .filter(|language| !languages.contains(language))
            .filter_map(|language| missing_translation::meant(language, &lacking))
            .collect();
        if meant.contains(&"any") {
            return;
        }
        let missing: Vec<String> = languages
            .iter()
            .filter(|language| !voices.contains_key(*language))
            .filter(|language| !meant.contains(&language.as_str()))
            .cloned()
            .collect();
        if !missing.is_empty() {
            missing_translation::missing(&mut self.report, span, name, &missing);
        }
    }
}

fn note(pieces: Option<&Vec<Piece>>, exprs: &mut Vec<Expr>) {
    for piece in pieces.into_iter().flatten() {
        if let Piece::Expr(expr) = piece {
            exprs.push(expr.clone());
        }
    }
}
