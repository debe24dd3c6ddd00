//! The time that an action takes of a caller who does nothing, and how much of it is silence.
//!
//! The checker knows no step by name. What a step's inputs mean follows from their formats and from the names
//! that `defaults:` gives a meaning for every step: `attempts`, `timeout`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value as Json};

use super::said::{Said, Sound};
use crate::catalog::{Catalog, StepDescription};
use crate::lower::Draft;
use crate::plan::{Action, Retry, StepCall, Template};
use crate::value::Value;

/// In a chat people answer slowly: a `timeout` for an answer counts so many times.
pub const CHAT_PATIENCE: u64 = 6;

/// Taken for a number that an expression decides.
const ATTEMPTS: u64 = 20;

/// Taken for a duration that an expression decides, in milliseconds.
const DURATION_MS: u64 = 600_000;

/// The time that an action takes.
#[derive(Debug, Default)]
pub(super) struct Spent {
    /// In milliseconds, at most, of somebody who does nothing on the phone.
    pub ms: u64,
    /// The same in a chat, where nothing is spoken and answers are waited for longer.
    pub chat_ms: u64,
    /// Most actions that it counts as, of a contact that does nothing.
    pub actions: u64,
    /// What is inserted into its prompts and may be longer than it counts.
    pub unmeasured: BTreeSet<String>,
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
    /// What is heard while people are waited for, where the step's own inputs say that; somebody who comes ends any silence.
    pub heard: Option<Heard>,
    /// Whether it may be skipped by `when:`.
    pub skippable: bool,
    /// Whether a person is reached, or waited for, here.
    pub people: bool,
    /// How it ends in a chat, when it is for telephones.
    pub in_chat: Option<InChat>,
    /// Whether its times are what it may take in the worst case because nobody knows them: an expression decides, or they cannot be read.
    pub guessed: bool,
    /// Whether it is another flow of which nothing is known.
    pub unknown: bool,
}

/// How a step that is for telephones ends in a chat, at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum InChat {
    /// It fails: there is nothing to record.
    Fails,
    /// With this outcome: nobody is joined to a telephone.
    Ends(&'static str),
}

/// What is heard while people are waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    Nothing,
    Sentences,
    Music,
}

pub(super) fn spent(said: &Said<'_>, draft: &Draft<'_>, catalog: &Catalog, index: usize) -> Spent {
    let node = &draft.nodes[index];
    let mut spent = match &node.action {
        Action::Step(call) => step(said, draft, index, call),
        Action::Wait(ms) => Spent {
            ms: *ms,
            chat_ms: *ms,
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
    if spent.in_chat.is_some() && node.verb != "use" {
        spent.chat_ms = 0;
    }
    spent.skippable = node.when.is_some();
    spent.actions = spent.actions.saturating_add(1);
    spent.unmeasured.extend(said.unmeasured());
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
        actions: passive.actions,
        chat_ms: passive.chat_ms,
        unmeasured: passive
            .unmeasured
            .then(|| format!("flow:{flow}"))
            .into_iter()
            .collect(),
        silence_ms: passive.silence_first_ms,
        passes_silence: passive.silence_through_ms.is_some(),
        silence_through_ms: passive.silence_through_ms.unwrap_or(0),
        sounds: true,
        silence_after_ms: passive.silence_last_ms,
        silence_within_ms: passive.silence_most_ms,
        ..Spent::default()
    }
}

fn step(said: &Said<'_>, draft: &Draft<'_>, index: usize, call: &StepCall) -> Spent {
    let facts = &draft.facts[index];
    let people = facts
        .description
        .is_some_and(|description| !description.people.is_empty());
    let unjoined = facts.description.filter(|step| is_for_telephones(step));
    let unjoined = unjoined.map(|_| InChat::Ends(UNJOINED));
    if draft.nodes[index].verb == "use" {
        return Spent {
            people,
            in_chat: unjoined,
            ..plugin(said, index, call)
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
        .map(|press| said.choices(index, press))
        .sum();
    let longest = |name: &str| {
        input
            .get(name)
            .map(|template| said.longest(index, template, labels, &|all, one| all.max(one)))
    };
    if facts.listens {
        let (attempts, timeout) = (
            number(input.get("attempts")),
            duration(input.get("timeout")),
        );
        let guessed = attempts.is_none() || timeout.is_none();
        let attempts = attempts.unwrap_or(ATTEMPTS).max(1);
        let timeout = timeout.unwrap_or(DURATION_MS);
        // Of several questions somebody who does nothing hears the first alone, whichever that is.
        let firsts = facts.description.into_iter().flat_map(first_said);
        let prompt = firsts.chain([main]).filter_map(longest).max().unwrap_or(0);
        let again = prompt.max(longest("short").unwrap_or(0)) + longest("reprompt").unwrap_or(0);
        let waits = attempts.saturating_mul(timeout);
        return Spent {
            ms: prompt
                .saturating_add((attempts - 1).saturating_mul(again))
                .saturating_add(waits),
            chat_ms: waits.saturating_mul(CHAT_PATIENCE),
            people,
            guessed,
            ..Spent::default()
        };
    }
    let sound = match input.get(main) {
        Some(Template::Prompt(prompt)) => said.prompt(index, prompt.0 as usize, 0),
        _ => Sound::NONE,
    };
    let waits = durations(facts.description, input, DURATION_MS);
    if waits > 0 {
        let heard = facts.description.and_then(heard_meanwhile);
        let silent = heard.map(|heard| waiting(said, index, heard, input, waits));
        // What neither asks nor waits for people, and takes time, takes it to hear the caller: in a chat nobody is heard.
        let records = (!people).then_some(InChat::Fails);
        return Spent {
            ms: sound.ms.saturating_add(waits),
            chat_ms: waits,
            people,
            in_chat: unjoined.or(records),
            guessed: waits != durations(facts.description, input, 0),
            ..silent.unwrap_or_default()
        };
    }
    Spent {
        ms: sound.ms,
        silence_ms: sound.first,
        passes_silence: sound.through.is_some(),
        silence_through_ms: sound.through.unwrap_or(0),
        sounds: sound.heard,
        silence_within_ms: sound.within,
        silence_after_ms: sound.last,
        people,
        ..Spent::default()
    }
}

/// How a transfer ends in a chat; `wit/1.0/deps/route`.
const UNJOINED: &str = "failed";

/// Whether a step hands the contact to a telephone, and has an outcome for those that are not.
fn is_for_telephones(step: &StepDescription) -> bool {
    let properties = step.input["properties"].as_object();
    let mut inputs = properties.into_iter().flatten();
    step.outcomes.contains_key(UNJOINED)
        && inputs.any(|(_, schema)| schema["format"] == "destination")
}

/// The input of a step that says what is heard while people are waited for, an object with a file to play among its fields, and the
/// formats of those. A step without such an input lets a tone be heard, or it is the caller who makes the sounds.
fn heard_meanwhile(description: &StepDescription) -> Option<(&str, &Map<String, Json>)> {
    let properties = description.input["properties"].as_object()?;
    properties.iter().find_map(|(name, schema)| {
        let fields = schema["properties"].as_object()?;
        let plays = fields.values().any(|field| field["format"] == "audio");
        plays.then_some((name.as_str(), fields))
    })
}

/// How silent it is where people are waited for so long, at most: what stands in the input `name` is heard meanwhile. With music it is
/// never silent; a sentence is said every so often, first when that time is over. It may be over at once, before anything is heard.
fn waiting(
    said: &Said<'_>,
    index: usize,
    (name, fields): (&str, &Map<String, Json>),
    input: &BTreeMap<String, Template>,
    waits: u64,
) -> Spent {
    let none = BTreeMap::new();
    let given = match input.get(name) {
        Some(Template::Object(given)) => given,
        _ => &none,
    };
    let of = |format: &str| {
        let mut fields = fields.iter();
        let (name, schema) = fields.find(|(_, schema)| schema["format"] == format)?;
        Some((given.get(name), schema))
    };
    let queued = Spent {
        passes_silence: true,
        sounds: true,
        ..Spent::default()
    };
    if of("audio").is_some_and(|(music, _)| music.is_some()) {
        return Spent {
            heard: Some(Heard::Music),
            ..queued
        };
    }
    let sentence = match of("prompt") {
        Some((Some(Template::Prompt(prompt)), _)) => said.prompt(index, prompt.0 as usize, 0),
        _ => Sound::NONE,
    };
    // How long a sentence is of which nobody knows that changes none of the times that are printed.
    said.unmeasured();
    // What may be no words at all breaks no silence.
    if sentence.through.is_some() {
        return Spent {
            silence_ms: waits,
            silence_through_ms: waits,
            heard: Some(Heard::Nothing),
            ..queued
        };
    }
    let every = match of("duration") {
        Some((Some(every), _)) => duration(Some(every)).unwrap_or(DURATION_MS),
        Some((None, schema)) => schema["default"].as_u64().unwrap_or(waits),
        None => waits,
    };
    let first = every.saturating_add(sentence.first).min(waits);
    // The sooner the sentence is over, the longer it is silent after it.
    let after = every
        .saturating_sub(sentence.least)
        .saturating_add(sentence.last)
        .saturating_add(sentence.first)
        .min(waits);
    Spent {
        silence_ms: first,
        silence_through_ms: first,
        silence_within_ms: sentence.within.max(after),
        silence_after_ms: after,
        heard: Some(Heard::Sentences),
        ..queued
    }
}

/// The inputs of a step, beside its main one, whose words may be what it says first: those with `x-first`.
pub(super) fn first_said(description: &StepDescription) -> impl Iterator<Item = &str> {
    let properties = description.input["properties"].as_object();
    let firsts = properties.into_iter().flatten();
    firsts
        .filter(|(_, schema)| schema["x-first"] == true)
        .map(|(name, _)| name.as_str())
}

/// A plugin's own step: it may be busy for its timeout, and again for each repetition.
fn plugin(said: &Said<'_>, index: usize, call: &StepCall) -> Spent {
    let ms = busy_ms(call);
    let silent = Spent {
        ms,
        chat_ms: ms,
        silence_ms: ms,
        passes_silence: true,
        ..Spent::default()
    };
    let Some(meanwhile) = &call.meanwhile else {
        return silent;
    };
    let sentence = match meanwhile.say {
        Some(prompt) => said.prompt(index, prompt.0 as usize, 0),
        None => Sound::NONE,
    };
    let music = meanwhile.music.is_some();
    // What may be no words at all breaks no silence.
    if sentence.through.is_some() && !music {
        let all = ms.saturating_add(sentence.ms);
        return Spent {
            ms: all,
            silence_ms: all,
            silence_through_ms: all,
            sounds: sentence.heard,
            ..silent
        };
    }
    // The sooner the sentence is over, the longer it is silent after it.
    let said_by = meanwhile.after_ms.saturating_add(sentence.least);
    Spent {
        // A sentence that has begun is said to its end.
        ms: ms.saturating_add(sentence.ms),
        silence_ms: meanwhile.after_ms.saturating_add(sentence.first).min(ms),
        passes_silence: false,
        silence_within_ms: sentence.within,
        silence_after_ms: match music {
            true => 0,
            false => ms.saturating_sub(said_by).saturating_add(sentence.last),
        },
        ..silent
    }
}

/// Longest time, in milliseconds, that a plugin's own step is busy: its timeout, and again for each repetition, with the pauses between.
pub(super) fn busy_ms(call: &StepCall) -> u64 {
    let pauses = call.retry.iter().flat_map(Retry::pauses_ms);
    pauses.fold(call.timeout_ms, |ms, pause| {
        ms.saturating_add(pause).saturating_add(call.timeout_ms)
    })
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

/// All durations that a step is given, in milliseconds: how long it records, rings, waits. One that an expression decides counts as
/// `unknown`.
pub(super) fn durations(
    description: Option<&StepDescription>,
    input: &BTreeMap<String, Template>,
    unknown: u64,
) -> u64 {
    let properties =
        description.and_then(|description| description.input["properties"].as_object());
    properties
        .into_iter()
        .flatten()
        .filter(|(_, schema)| schema["format"] == "duration")
        .filter_map(|(name, _)| input.get(name))
        .map(|template| duration(Some(template)).unwrap_or(unknown))
        .fold(0, u64::saturating_add)
}
