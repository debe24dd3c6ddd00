//! `defaults:`: what listening steps take where they say nothing, and the limits of the whole flow.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::{Lowerer, Place, Site, unknown};
use crate::check::rules::bad_value;
use crate::diagnostic::{Text, text};
use crate::plan::NodeId;
use crate::yaml::{Entry, Node};

/// Keys of `defaults:` beside the inputs of listening steps.
pub(super) const DEFAULT_KEYS: [&str; 8] = [
    "timeout",
    "gap",
    "attempts",
    "barge_in",
    "reprompt",
    "voice",
    "max_duration",
    "max_steps",
];

/// Longest name of a voice. Characters; the speech program takes no longer one.
const VOICE_CHARS: usize = 64;

impl<'t> Lowerer<'t> {
    pub(super) fn all_defaults(&mut self, node: &'t Node<'t>) {
        let Some(map) = self.expect_map(
            "defaults",
            node,
            Text::fixed(
                "a map such as `{ attempts: 3 }`",
                "映射，例如 `{ attempts: 3 }`",
            ),
        ) else {
            return;
        };
        self.unknown_keys(map, Text::fixed("`defaults`", "`defaults`"), &DEFAULT_KEYS);
        for entry in &map.entries {
            match entry.key.as_ref() {
                "max_duration" => {
                    if let Some(ms) = self.duration("max_duration", &entry.value) {
                        self.draft.max_duration_ms = ms;
                    }
                }
                "max_steps" => {
                    if let Some(count) = self.whole("max_steps", &entry.value, 1, 100_000) {
                        self.draft.max_steps = count;
                    }
                }
                "voice" => self.voice_of_flow(&entry.value),
                key => {
                    self.defaults.insert(key, entry);
                }
            }
        }
    }

    /// The voice of all texts that name none.
    fn voice_of_flow(&mut self, node: &Node) {
        let what = Text::fixed("the name of a voice", "声音的名字");
        let Some(voice) = self.expect_text("voice", node, what) else {
            return;
        };
        let named = |c: char| c.is_ascii_alphanumeric() || "+-_./".contains(c);
        if voice.chars().count() > VOICE_CHARS || !voice.chars().all(named) {
            let why = text!(
                "a voice's name has letters, digits and `+ - _ . /`, at most {VOICE_CHARS}",
                "声音的名字由字母、数字和 `+ - _ . /` 组成，至多 {VOICE_CHARS} 个"
            );
            bad_value::why(&mut self.report, node.span, why, None);
            return;
        }
        self.default_voice = Some(voice.to_owned());
    }

    /// Gives the flow's voice to all texts that name none.
    pub(super) fn voices_by_default(&mut self) {
        let Some(voice) = &self.default_voice else {
            return;
        };
        let prompts = self.draft.prompts.iter_mut();
        for spoken in prompts.flat_map(|prompt| prompt.prompt.voices.values_mut().flatten()) {
            spoken.voice.get_or_insert_with(|| voice.clone());
        }
    }

    /// Holds the defaults that no step of the flow took against the steps that would: what is wrong with one is told
    /// whether or not a step listens.
    pub(super) fn idle_defaults(&mut self) {
        let idle: Vec<(&'t str, &'t Entry<'t>)> = self
            .defaults
            .iter()
            .filter(|(name, _)| !self.taken_defaults.contains(*name))
            .map(|(name, entry)| (*name, *entry))
            .collect();
        for (name, entry) in idle {
            let catalog = self.catalog;
            let listens = catalog.verbs.values().filter_map(|step| {
                let properties = &catalog.steps.get(step)?.input["properties"];
                let all = properties.as_object()?.values();
                let hears = |schema: &serde_json::Value| {
                    matches!(schema["format"].as_str(), Some("press" | "expect"))
                };
                all.clone().any(hears).then(|| properties.get(name))?
            });
            let Some(schema) = listens.into_iter().next() else {
                continue;
            };
            let place = Text::same(format!("`{name}`"));
            self.aside(Text::same("`defaults`"), |lowerer, site| {
                lowerer.input(site, name, &place, schema, &entry.value)
            });
        }
    }

    /// Compiles an input that belongs to no step: what it would say or reckon is asked of nobody.
    pub(super) fn aside<T>(
        &mut self,
        name: Text,
        compile: impl FnOnce(&mut Self, &mut Site) -> T,
    ) -> T {
        let mut site = Site {
            id: NodeId(0),
            place: Place {
                step: 0,
                depth: 0,
                after: unknown(),
                repeat: false,
            },
            name: Rc::new(name),
            bound: BTreeMap::new(),
            binds: self.no_binds(),
            unbound: self.no_binds(),
            pressed: Vec::new(),
            labelled: 0,
            empty: false,
        };
        let (uses, prompts) = (self.draft.uses.len(), self.draft.prompt_uses.len());
        let compiled = compile(self, &mut site);
        self.draft.uses.truncate(uses);
        self.draft.prompt_uses.truncate(prompts);
        compiled
    }
}
