//! How long prompts take to say on the phone, and how much of that is silence.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use super::assign::Assignments;
use super::types::{Here, type_of_call};
use crate::catalog::Catalog;
use crate::expr::{Expr, Extent, Known, extent};
use crate::lower::Draft;
use crate::plan::{Piece, Template, Voice};
use crate::speak::markup::{Part, parts};
use crate::speak::{choice_phrase, is_heard, shortest_ms, speech_ms, usual_ms};
use crate::value::{Type, Value, type_of_schema};

/// What a name that a step binds takes to say, in milliseconds: a key, a place in a queue.
const BOUND_MS: u64 = 3_000;

/// What audio takes, in milliseconds, when neither the length of its file nor a text says it.
const AUDIO_MS: u64 = 10_000;

/// Longest name of something whose length is not known. Characters; it stands in a line with others.
const MAX_NAME: usize = 40;

/// Something that is said, as it is heard. All times are in milliseconds, at most.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sound {
    /// From its beginning to its end.
    pub ms: u64,
    /// The same at least.
    pub least: u64,
    /// About the same as a rule: what is inserted is seldom the longest of its type.
    pub usual: u64,
    /// Silence at its beginning.
    pub first: u64,
    /// Silence between two things that are heard.
    pub within: u64,
    /// Silence at its end.
    pub last: u64,
    /// How long it is when nothing of it is heard; `None` when something always is.
    pub through: Option<u64>,
    /// Whether anything is ever heard.
    pub heard: bool,
}

impl Sound {
    /// Nothing at all.
    pub const NONE: Sound = Sound {
        ms: 0,
        least: 0,
        usual: 0,
        first: 0,
        within: 0,
        last: 0,
        through: Some(0),
        heard: false,
    };

    fn words(ms: u64) -> Sound {
        Sound {
            ms,
            least: shortest_ms(ms),
            usual: usual_ms(ms),
            through: None,
            heard: true,
            ..Sound::NONE
        }
    }

    fn pause(ms: u64) -> Sound {
        Sound {
            ms,
            least: ms,
            usual: ms,
            first: ms,
            within: 0,
            last: ms,
            through: Some(ms),
            heard: false,
        }
    }

    fn inserted(extent: Extent) -> Sound {
        Sound {
            through: extent.maybe_silent.then_some(0),
            heard: extent.ms > 0,
            // That is the longest of its type.
            least: 0,
            usual: usual_ms(extent.ms).min(BOUND_MS),
            ..Sound::words(extent.ms)
        }
    }

    /// One after the other.
    fn then(self, next: Sound) -> Sound {
        let joined = self.last.saturating_add(next.first);
        let both = |a: u64, b: u64| a.saturating_add(b);
        Sound {
            ms: both(self.ms, next.ms),
            least: both(self.least, next.least),
            usual: both(self.usual, next.usual),
            first: match self.through {
                Some(through) => self.first.max(both(through, next.first)),
                None => self.first,
            },
            within: match self.heard && next.heard {
                true => self.within.max(next.within).max(joined),
                false => self.within.max(next.within),
            },
            last: match next.through {
                Some(through) => next.last.max(both(self.last, through)),
                None => next.last,
            },
            through: self.through.zip(next.through).map(|(a, b)| both(a, b)),
            heard: self.heard || next.heard,
        }
    }

    /// One of the two.
    fn or(self, other: Sound) -> Sound {
        Sound {
            ms: self.ms.max(other.ms),
            least: self.least.min(other.least),
            usual: self.usual.max(other.usual),
            first: self.first.max(other.first),
            within: self.within.max(other.within),
            last: self.last.max(other.last),
            through: self.through.max(other.through),
            heard: self.heard || other.heard,
        }
    }
}

/// What the prompts of a flow take to say.
pub(super) struct Said<'s> {
    draft: &'s Draft<'s>,
    catalog: &'s Catalog,
    assigned: &'s Assignments<'s>,
    call: Type,
    /// The variables that have a value from the start and never another.
    constants: BTreeMap<&'s str, &'s Value>,
    /// The most digits of variables that are nothing but digits.
    digits: BTreeMap<&'s str, u32>,
    /// What was inserted since somebody asked, and nobody knows how long it is.
    unmeasured: RefCell<BTreeSet<String>>,
}

impl<'s> Said<'s> {
    pub fn new(
        draft: &'s Draft<'s>,
        catalog: &'s Catalog,
        assigned: &'s Assignments<'s>,
    ) -> Said<'s> {
        let vars = draft.vars.iter();
        let constants = vars
            .filter(|(name, _)| !assigned.is_set(name))
            .filter_map(|(name, var)| Some((name.as_str(), var.default.as_ref()?)));
        Said {
            draft,
            catalog,
            assigned,
            call: type_of_call(&draft.languages),
            constants: constants.collect(),
            digits: digits_of(draft)
                .into_iter()
                .map(|(name, (_, most))| (name, most))
                .collect(),
            unmeasured: RefCell::default(),
        }
    }

    /// What was inserted since the last time, and nobody knows how long it is.
    pub fn unmeasured(&self) -> BTreeSet<String> {
        self.unmeasured.take()
    }

    /// How long the prompts in a template of a node take, put together by a function.
    pub fn longest(
        &self,
        node: usize,
        template: &Template,
        labels: u64,
        put: &dyn Fn(u64, u64) -> u64,
    ) -> u64 {
        let all = |templates: &mut dyn Iterator<Item = &Template>| {
            templates.fold(0, |all, one| put(all, self.longest(node, one, labels, put)))
        };
        match template {
            Template::Prompt(prompt) => self.prompt(node, prompt.0 as usize, labels).ms,
            Template::List(items) => all(&mut items.iter()),
            Template::Object(fields) => all(&mut fields.values()),
            _ => 0,
        }
    }

    /// How long the list of choices takes that a node's menu says: each with its label and its key.
    pub fn choices(&self, node: usize, press: &Template) -> u64 {
        let Template::Object(keys) = press else {
            return 0;
        };
        let choice = |(key, choice): (&String, &Template)| {
            let label = self.longest(node, choice, 0, &|all, one| all + one);
            if label == 0 {
                return 0;
            }
            // A letter for the label, which is measured by itself.
            let phrases = self.draft.languages.iter();
            let phrases = phrases.map(|language| speech_ms(&choice_phrase("a", key, language)));
            label + phrases.max().unwrap_or(0)
        };
        keys.iter().map(choice).sum()
    }

    /// A prompt that a node says, in whatever language; `labels` is what the choices of a menu take.
    pub fn prompt(&self, node: usize, prompt: usize, labels: u64) -> Sound {
        let Some(prompt) = self.draft.prompts.get(prompt) else {
            return Sound::NONE;
        };
        let languages = prompt.prompt.voices.iter().map(|(language, voices)| {
            let languages: &[String] = match language.as_str() {
                "any" => &self.draft.languages,
                _ => std::slice::from_ref(language),
            };
            let parts = voices
                .iter()
                .map(|voice| self.voice(node, voice, languages, labels));
            parts.fold(Sound::NONE, Sound::then)
        });
        languages.reduce(Sound::or).unwrap_or(Sound::NONE)
    }

    fn voice(&self, node: usize, voice: &Voice, languages: &[String], labels: u64) -> Sound {
        let languages = voice
            .language
            .as_ref()
            .map_or(languages, std::slice::from_ref);
        let pieces = voice.text.iter().flatten();
        let text = pieces
            .map(|piece| match piece {
                Piece::Text(text) => written(text),
                Piece::Expr(expr) => self.inserted(node, expr, languages, labels),
            })
            .reduce(Sound::then);
        let Some(path) = &voice.audio else {
            return text.unwrap_or(Sound::NONE);
        };
        // What is played is the file; its text is spoken when it cannot be. Of a file that nobody knows it may be either.
        match (self.catalog.audio_ms.get(path), text) {
            (Some(ms), text) => Sound {
                least: text.map_or(*ms, |text| text.least.min(*ms)),
                usual: text.map_or(*ms, |text| text.usual.max(*ms)),
                ..Sound::words((*ms).max(text.map_or(0, |text| text.ms)))
            },
            (None, Some(text)) => text.or(Sound::words(text.ms)),
            (None, None) => Sound::words(AUDIO_MS),
        }
    }

    /// The names that a step gives to its own prompts and an expression reads, as far as its description says what they are.
    fn typed_binds(&self, node: usize, expr: &Expr) -> BTreeMap<String, Type> {
        let description = self.draft.facts[node].description;
        let binds = description.into_iter().flat_map(|step| &step.binds);
        let binds = binds.filter(|(bind, _)| {
            let mut read = false;
            expr.each_root(&mut |name| read |= name == *bind);
            read
        });
        let typed = binds.map(|(name, schema)| (name.clone(), type_of_schema(schema)));
        typed.filter(|(_, ty)| *ty != Type::Any).collect()
    }

    fn inserted(&self, node: usize, expr: &Expr, languages: &[String], labels: u64) -> Sound {
        // What a step binds and says the type of is measured by its type.
        let binds = self.typed_binds(node, expr);
        let is_bound = |name: &str| {
            !matches!(name, "call" | "now")
                && !binds.contains_key(name)
                && !self.draft.inputs.contains_key(name)
                && self.assigned.known(name, node).is_none()
        };
        let mut reads_bound = false;
        expr.each_root(&mut |name| reads_bound |= is_bound(name));
        if reads_bound {
            return Sound::words(BOUND_MS.max(labels));
        }
        let to_compare = Cell::new(0);
        let here = Here {
            node,
            draft: self.draft,
            assigned: self.assigned,
            call: &self.call,
            binds: &binds,
            to_compare: &to_compare,
        };
        let extent = extent(
            expr,
            &Known {
                types: &here,
                constants: &self.constants,
                digits: &|name| self.digits.get(name).copied(),
                languages,
            },
        );
        if !extent.known {
            let written = expr.to_string();
            let name = match written.char_indices().nth(MAX_NAME) {
                Some((end, _)) => format!("{}…", &written[..end]),
                None => written,
            };
            self.unmeasured.borrow_mut().insert(name);
        }
        Sound::inserted(extent)
    }
}

/// A text as it is written, with its markup.
fn written(text: &str) -> Sound {
    let mut sound = Sound::NONE;
    // The speech program may read markup and signs aloud.
    let whole = speech_ms(text);
    let mut ms = whole;
    for part in parts(text) {
        sound = sound.then(match part {
            Part::Words(words) if is_heard(words) => {
                Sound::words(match words.len() == text.len() {
                    // There is no markup.
                    true => whole,
                    false => speech_ms(words),
                })
            }
            Part::Words(_) => Sound::NONE,
            Part::Pause(pause) => {
                ms = ms.saturating_add(pause);
                Sound::pause(pause)
            }
        });
    }
    Sound { ms, ..sound }
}

/// The least and the most digits of the variables that are nothing but digits.
pub(super) fn digits_of<'d>(draft: &'d Draft<'_>) -> BTreeMap<&'d str, (u32, u32)> {
    let mut all: BTreeMap<&str, Option<(u32, u32)>> = BTreeMap::new();
    for binding in &draft.bindings {
        let known = all.entry(&binding.name).or_insert(binding.digits);
        *known = known.zip(binding.digits).map(|(one, other)| {
            let ((least, most), (less, more)) = (one, other);
            (least.min(less), most.max(more))
        });
    }
    let plain = |name: &str| draft.vars.get(name).is_none_or(|var| var.required);
    all.into_iter()
        .filter(|(name, _)| plain(name))
        .filter_map(|(name, digits)| Some((name, digits?)))
        .collect()
}
