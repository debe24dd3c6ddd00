//! The time that an action takes of a caller who does nothing, and how much of it is silence.
//!
//! The checker knows no step by name. What a step's inputs mean follows from their formats and from the names
//! that `defaults:` gives a meaning for every step: `attempts`, `timeout`.

use crate::catalog::Catalog;
use crate::lower::Draft;
use crate::plan::{Action, Piece, StepCall, Template, Voice};
use crate::speak::speech_ms;
use crate::value::Value;

/// What an inserted value takes to say, in milliseconds: a number or a date.
const INSERTED_MS: u64 = 3_000;

/// What audio takes, in milliseconds, when neither the length of its file nor a text says it.
const AUDIO_MS: u64 = 10_000;

/// What stands around a label in a spoken list of choices, in milliseconds: "To …, press one."
const CHOICE_MS: u64 = 1_500;

/// Longest pause before a repetition, in milliseconds; the contact core waits no longer.
const MAX_PAUSE_MS: f64 = 60_000.0;

/// Taken for a number that an expression decides.
const ATTEMPTS: u64 = 20;

/// Taken for a duration that an expression decides, in milliseconds.
const DURATION_MS: u64 = 600_000;

/// The time that an action takes.
#[derive(Debug, Default)]
pub(super) struct Spent {
    /// In milliseconds, at most, of somebody who does nothing.
    pub ms: u64,
    /// How long it is silent from its beginning on, in milliseconds, when it is not the caller's turn.
    pub silence_ms: u64,
    /// Whether it may be that nothing is heard at all, so that silence before and after it is one.
    pub passes_silence: bool,
    /// How long that silence is, in milliseconds.
    pub silence_through_ms: u64,
    /// Whether something may be heard although silence may pass.
    pub sounds: bool,
    /// Longest silence between two things that are heard here, in milliseconds.
    pub silence_within_ms: u64,
    /// How long it is silent at its end, when something was heard, in milliseconds.
    pub silence_after_ms: u64,
    /// Whether it may be skipped by `when:`.
    pub skippable: bool,
    /// Whether a person is reached, or waited for, here.
    pub people: bool,
    /// Whether it is another flow of which nothing is known.
    pub unknown: bool,
}

pub(super) fn spent(draft: &Draft<'_>, catalog: &Catalog, index: usize) -> Spent {
    let node = &draft.nodes[index];
    let mut spent = match &node.action {
        Action::Step(call) => step(&Said { draft, catalog }, index, call),
        Action::Wait(ms) => Spent {
            ms: *ms,
            silence_ms: *ms,
            passes_silence: true,
            ..Spent::default()
        },
        Action::Call { flow, .. } => called(catalog, flow),
        _ => Spent {
            passes_silence: true,
            ..Spent::default()
        },
    };
    spent.skippable = node.when.is_some();
    if spent.passes_silence && !spent.sounds {
        spent.silence_through_ms = spent.silence_ms;
    }
    spent
}

/// Another flow, as it says of itself.
fn called(catalog: &Catalog, flow: &str) -> Spent {
    let known = catalog.flows.as_ref().and_then(|flows| flows.get(flow));
    let Some(passive) = known.and_then(|signature| signature.passive.as_ref()) else {
        return Spent {
            unknown: true,
            ..Spent::default()
        };
    };
    Spent {
        ms: passive.ms,
        silence_ms: passive.silence_first_ms,
        passes_silence: passive.silence_through_ms.is_some(),
        silence_through_ms: passive.silence_through_ms.unwrap_or(0),
        sounds: true,
        silence_after_ms: passive.silence_last_ms,
        silence_within_ms: passive.silence_most_ms,
        ..Spent::default()
    }
}

fn step(said: &Said<'_>, index: usize, call: &StepCall) -> Spent {
    let draft = said.draft;
    let facts = &draft.facts[index];
    let people = facts
        .description
        .is_some_and(|description| !description.people.is_empty());
    if draft.nodes[index].verb == "use" {
        return Spent {
            people,
            ..plugin(said, call)
        };
    }
    let Template::Object(input) = &call.input else {
        return Spent::default();
    };
    let main = facts
        .description
        .and_then(|description| description.main.as_deref())
        .unwrap_or("prompt");
    let labels: u64 = facts
        .description
        .into_iter()
        .flat_map(|description| &description.outcomes_from)
        .filter_map(|name| input.get(name))
        .map(|press| said.longest(press, 0, &|all, one| all + one + CHOICE_MS))
        .sum();
    let longest = |name: &str| {
        input
            .get(name)
            .map(|template| said.longest(template, labels, &|all, one| all.max(one)))
    };
    let prompt = longest(main).unwrap_or(0);
    if facts.listens {
        let attempts = number(input.get("attempts")).unwrap_or(ATTEMPTS).max(1);
        let timeout = duration(input.get("timeout")).unwrap_or(DURATION_MS);
        let again = prompt.max(longest("short").unwrap_or(0)) + longest("reprompt").unwrap_or(0);
        return Spent {
            ms: prompt
                .saturating_add((attempts - 1).saturating_mul(again))
                .saturating_add(attempts.saturating_mul(timeout)),
            people,
            ..Spent::default()
        };
    }
    let waits = durations(facts.description, input);
    Spent {
        ms: prompt.saturating_add(waits),
        passes_silence: prompt == 0 && waits == 0,
        people,
        ..Spent::default()
    }
}

/// A plugin's own step: it may be busy for its timeout, and again for each repetition.
fn plugin(said: &Said<'_>, call: &StepCall) -> Spent {
    let mut ms = call.timeout_ms;
    if let Some(retry) = &call.retry {
        let mut pause = retry.wait_ms as f64;
        for _ in 0..retry.times {
            ms = ms
                .saturating_add(pause.clamp(0.0, MAX_PAUSE_MS) as u64)
                .saturating_add(call.timeout_ms);
            pause *= retry.factor;
        }
    }
    let Some(meanwhile) = &call.meanwhile else {
        return Spent {
            ms,
            silence_ms: ms,
            passes_silence: true,
            ..Spent::default()
        };
    };
    let sentence = meanwhile
        .say
        .map_or(0, |prompt| said.prompt_ms(prompt.0 as usize, 0));
    let after = match (meanwhile.say.is_some(), meanwhile.music.is_some()) {
        (_, true) => 0,
        (true, false) => ms.saturating_sub(meanwhile.after_ms.saturating_add(sentence)),
        (false, false) => ms,
    };
    let silent = meanwhile.say.is_none() && meanwhile.music.is_none();
    Spent {
        // A sentence that has begun is said to its end.
        ms: ms.saturating_add(sentence),
        silence_ms: if silent {
            ms
        } else {
            meanwhile.after_ms.min(ms)
        },
        passes_silence: silent,
        silence_after_ms: if silent { 0 } else { after },
        ..Spent::default()
    }
}

/// How long things take to say.
struct Said<'s> {
    draft: &'s Draft<'s>,
    catalog: &'s Catalog,
}

impl Said<'_> {
    /// How long the prompts in a template take, put together by a function.
    fn longest(&self, template: &Template, labels: u64, put: &dyn Fn(u64, u64) -> u64) -> u64 {
        let all = |templates: &mut dyn Iterator<Item = &Template>| {
            templates.fold(0, |all, one| put(all, self.longest(one, labels, put)))
        };
        match template {
            Template::Prompt(prompt) => self.prompt_ms(prompt.0 as usize, labels),
            Template::List(items) => all(&mut items.iter()),
            Template::Object(fields) => all(&mut fields.values()),
            _ => 0,
        }
    }

    /// How long a prompt takes in the language in which it takes longest.
    fn prompt_ms(&self, index: usize, labels: u64) -> u64 {
        let Some(prompt) = self.draft.prompts.get(index) else {
            return 0;
        };
        let voices = prompt.prompt.voices.values();
        voices
            .map(|voices| {
                let parts = voices.iter().map(|voice| self.voice_ms(voice, labels));
                parts.fold(0, u64::saturating_add)
            })
            .max()
            .unwrap_or(0)
    }

    fn voice_ms(&self, voice: &Voice, labels: u64) -> u64 {
        let text = voice.text.as_ref().map(|pieces| {
            let pieces = pieces.iter().map(|piece| match piece {
                Piece::Text(text) => speech_ms(text),
                Piece::Expr(_) => INSERTED_MS.max(labels),
            });
            pieces.fold(0, u64::saturating_add)
        });
        let Some(path) = &voice.audio else {
            return text.unwrap_or(0);
        };
        // What is played is the file; its text is spoken when it cannot be.
        match self.catalog.audio_ms.get(path) {
            Some(ms) => (*ms).max(text.unwrap_or(0)),
            None => text.unwrap_or(AUDIO_MS),
        }
    }
}

fn number(template: Option<&Template>) -> Option<u64> {
    match template? {
        Template::Literal(Value::Number(number)) => Some(*number as u64),
        _ => None,
    }
}

fn duration(template: Option<&Template>) -> Option<u64> {
    match template? {
        Template::Literal(Value::Duration(ms)) => u64::try_from(*ms).ok(),
        Template::Literal(Value::Number(ms)) => Some(*ms as u64),
        _ => None,
    }
}

/// All durations that a step is given: how long it records, rings, waits.
fn durations(
    description: Option<&crate::catalog::StepDescription>,
    input: &std::collections::BTreeMap<String, Template>,
) -> u64 {
    let properties =
        description.and_then(|description| description.input["properties"].as_object());
    properties
        .into_iter()
        .flatten()
        .filter(|(_, schema)| schema["format"] == "duration")
        .filter_map(|(name, _)| input.get(name))
        .map(|template| duration(Some(template)).unwrap_or(DURATION_MS))
        .fold(0, u64::saturating_add)
}
