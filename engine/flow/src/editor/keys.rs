//! The keys that maps of a flow may have, with what each means.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::offer::{Offer, OfferKind};
use super::part::Keys;
use super::{Names, grammar, schema};
use crate::catalog::Catalog;
use crate::expr;
use crate::value::Type;
use crate::yaml::{Map, Node};

pub(crate) type Table = &'static [(&'static str, &'static str)];

/// The verbs that the engine itself walks: name, options, meaning.
pub(crate) const ENGINE_VERBS: &[(&str, &[&str], &str)] = &[
    (
        "use",
        &[
            "with",
            "as",
            "into",
            "timeout",
            "retry",
            "meanwhile",
            "then",
            "when",
            "title",
            "global",
        ],
        "Runs a step of a plugin: `use: orders/lookup@1`. Its outcomes, `timeout` and `error` go where `then:` says.",
    ),
    (
        "call",
        &["with", "as", "then", "when", "title"],
        "Walks another flow and comes back with one of its `outcomes`.",
    ),
    (
        "if",
        &["then", "else", "when", "title"],
        "Goes to `then` when an expression is true, else to `else`.",
    ),
    (
        "choose",
        &["when", "title"],
        "A list of `{ when, then }`, at the end `{ else }`: the first true line wins.",
    ),
    (
        "switch",
        &["then", "when", "title"],
        "Compares a value with the names of the lines of `then`.",
    ),
    (
        "set",
        &["then", "when", "title"],
        "Gives values to variables, `call.language` and `call.priority`.",
    ),
    (
        "tag",
        &["then", "when", "title"],
        "Marks the contact for reports: a word, or names with values.",
    ),
    (
        "wait",
        &["then", "when", "title"],
        "Lets time pass, at most 10 minutes.",
    ),
    (
        "goto",
        &["when", "title"],
        "Goes on at another step, or with `flow:NAME` in another flow.",
    ),
    (
        "return",
        &["with", "when", "title"],
        "Ends this flow with one of its `outcomes`.",
    ),
    (
        "hangup",
        &["when", "title"],
        "Ends the contact. The value is the disposition in its record.",
    ),
];

/// Options beside verbs.
pub(crate) const OPTIONS: Table = &[
    (
        "then",
        "Where the contact goes next: a name, a list of actions, or a line per outcome.",
    ),
    (
        "else",
        "Where the contact goes when the condition is false.",
    ),
    (
        "when",
        "An expression; the action is skipped when it is false.",
    ),
    ("title", "A name for people."),
    (
        "global",
        "`false`: `global.press` does not work while this step listens.",
    ),
    ("with", "The inputs."),
    (
        "as",
        "The variable that takes the whole data of the outcome.",
    ),
    (
        "into",
        "The variable that takes the one field that the step offers for it.",
    ),
    (
        "timeout",
        "How long the step may be busy, `5s` unless given; then its outcome is `timeout`.",
    ),
    (
        "retry",
        "Runs the step again after `timeout` or `error`: `{ times: 2, wait: 300ms, factor: 2 }`.",
    ),
    (
        "meanwhile",
        "What is heard while the step is busy: `{ after: 1s, say: one_moment }`.",
    ),
];

/// Keys of a file.
pub(crate) const FILE: Table = &[
    ("flow", "The flow's name, unique in the project."),
    ("format", "The version of the flow language: 1."),
    ("title", "A name for people."),
    ("description", "What the flow is for."),
    (
        "languages",
        "The spoken languages; the first is the default.",
    ),
    ("inputs", "Arguments of `call:`; they never change."),
    ("outcomes", "What this flow can `return`."),
    ("vars", "Variables and their types."),
    ("prompts", "Named texts and recordings, by language."),
    ("hours", "Named opening hours."),
    (
        "defaults",
        "Defaults for all steps that listen, and limits of a contact.",
    ),
    (
        "global",
        "Keys and targets that work everywhere in the flow.",
    ),
    (
        "start",
        "The first step; the step called `start` unless given.",
    ),
    ("steps", "The named steps."),
    (
        "tests",
        "What callers do and what they should hear, in virtual time.",
    ),
];

pub(crate) const DECLARATION: Table = &[
    ("type", "The type."),
    ("default", "The value at the start."),
    ("secret", "`true`: it holds a secret."),
    ("one_of", "The texts that it may be."),
    ("description", "What it is for."),
];

pub(crate) const HOURS: Table = &[
    ("timezone", "The time zone, such as `Asia/Shanghai`."),
    ("weekly", "Days with their spans: `mon-fri: 09:00-21:00`."),
    (
        "closed",
        "Days that are closed: dates and `date..date`. Beats `weekly`.",
    ),
    (
        "open",
        "Days that are open with their spans. Beats `closed`.",
    ),
];

pub(crate) const WEEKLY: Table = &[
    ("mon-fri", "Monday to Friday."),
    ("sat-sun", "Saturday and Sunday."),
    ("mon", "Monday."),
    ("tue", "Tuesday."),
    ("wed", "Wednesday."),
    ("thu", "Thursday."),
    ("fri", "Friday."),
    ("sat", "Saturday."),
    ("sun", "Sunday."),
];

pub(crate) const DEFAULTS: Table = &[
    (
        "timeout",
        "Silence from the end of the prompt to the first key.",
    ),
    ("gap", "Silence between two keys."),
    ("attempts", "How often a step listens."),
    ("barge_in", "Whether a key stops the prompt."),
    ("reprompt", "What is said first after a miss."),
    ("voice", "A voice of the speech program."),
    (
        "max_duration",
        "Longest contact that begins in this flow, `30m` unless given.",
    ),
    (
        "max_steps",
        "Most actions of a contact that begins in this flow, 500 unless given.",
    ),
];

pub(crate) const GLOBAL: Table = &[
    (
        "press",
        "Keys that work in every listening step that has no such key of its own.",
    ),
    (
        "error",
        "Where `error` and `timeout` go that have no line of their own.",
    ),
    ("hangup", "Where the flow goes when the caller is gone."),
    (
        "too_long",
        "Where it goes when `max_duration` or `max_steps` is reached.",
    ),
];

pub(crate) const VOICE: Table = &[
    ("text", "What is spoken when there is no audio."),
    ("audio", "An audio file below the project's folder."),
    ("chat", "What is read in a chat."),
    ("voice", "A voice of the speech program."),
    (
        "lang",
        "The language of this part, where it is not that of the prompt.",
    ),
];

pub(crate) const CHOOSE: Table = &[
    ("when", "An expression."),
    ("then", "Where the contact goes when it is true."),
    ("else", "Where it goes when no line above is true."),
];

pub(crate) const PRESS_LINE: Table = &[
    ("to", "Where the key leads."),
    (
        "label",
        "The prompt that `${choices}` says of it; a button in a chat.",
    ),
    ("match", "Words that mean the same in a chat."),
];

pub(crate) const RETRY: Table = &[
    ("times", "How many more times, 1 to 10."),
    ("wait", "The pause before the first repetition."),
    ("factor", "Each pause is so many times the one before."),
    ("only", "Which of `timeout` and `error` to repeat."),
];

pub(crate) const MEANWHILE: Table = &[
    ("after", "Silence before anything is heard."),
    ("say", "A prompt, said once."),
    ("music", "An audio file, repeated until the step ends."),
];

pub(crate) const EXPECT: Table = &[
    ("digits", "Digits: how many, `8`, or from–to, `8..12`."),
    ("number", "A number from–to, `1..10`."),
    (
        "money",
        "An amount in this currency, `USD`; `CNY` when none is named.",
    ),
    ("one_of", "A list of words."),
];

pub(crate) const TEST: Table = &[
    ("title", "What the test shows."),
    ("given", "The world before the contact begins."),
    (
        "mock",
        "Answers instead of plugins, queues, transfers and flows.",
    ),
    ("run", "What the contact does and what is expected."),
    ("only", "`true`: only tests like this one run."),
    ("skip", "Why it is left out."),
];

pub(crate) const GIVEN: Table = &[
    ("now", "The time."),
    ("language", "The caller's language."),
    ("channel", "`voice` or `chat`."),
    ("call.from", "Who calls."),
    ("call.to", "What was called."),
    ("inputs", "The flow's inputs."),
    ("vars", "Variables that have a value already."),
    (
        "hours",
        "`open`, `closed` or `holiday`, by the name of the hours.",
    ),
];

pub(crate) const REPLY: Table = &[
    ("outcome", "The outcome, `error` and `timeout` included."),
    ("after", "How long it takes."),
];

pub(crate) const ACT: Table = &[
    ("press", "Keys, one after the other."),
    ("say", "Words spoken."),
    ("send", "A message in a chat."),
    (
        "silence",
        "So many times the contact does nothing until the step notices.",
    ),
    ("wait", "Time goes by."),
    ("hangup", "The contact hangs up."),
    ("drop", "The line of a call drops."),
    ("call_back", "The caller whose line dropped calls again."),
    (
        "expect",
        "What must be so now: a prompt's name, or a map of expectations.",
    ),
];

pub(crate) const EXPECTATION: Table = &[
    (
        "hear",
        "A text that has been heard; between slashes a regular expression.",
    ),
    ("not_hear", "A text that has not been heard."),
    ("step", "The step that the contact is in."),
    ("queue", "The queue it has been put into."),
    ("transfer", "Where it has been transferred."),
    ("language", "The language it is spoken to in."),
    ("priority", "Its priority."),
    ("vars", "Values of variables."),
    ("used", "Plugin steps that have run."),
    ("tag", "Tags with their values."),
    ("ends", "How it has ended: a disposition or an outcome."),
    ("within", "All this within so long."),
];

/// Types of the language.
pub(crate) const TYPES: &[&str] = &crate::lower::TYPES;

pub(crate) const YES_NO: &[&str] = &["true", "false"];

pub(crate) const EXPECT_WORDS: &[&str] = &[
    "digits", "yes_no", "number", "date", "time", "money", "phone", "text", "card",
];

pub(crate) const TELEPHONE: &[&str] = &[
    "hash", "star", "0", "1", "2", "3", "4", "5", "6", "7", "8", "9",
];

/// Whether an input is written as a map, so that one below a verb is its value.
pub(super) fn takes_map(schema: &Json) -> bool {
    matches!(
        schema["format"].as_str(),
        Some("prompt" | "press" | "expect" | "money")
    ) || schema["type"] == "object"
}

/// The keys of a map, each with its page.
pub(super) fn offers(keys: Keys<'_>, names: &Names, catalog: &Catalog) -> Vec<Offer> {
    match keys {
        Keys::Fixed(table) => table
            .iter()
            .map(|(key, page)| Offer::key(OfferKind::Key, *key).page(*page))
            .collect(),
        Keys::Action(map) => action(map, catalog),
        Keys::Schema(schema) => inputs(schema),
        Keys::Inputs(signature) => signature
            .inputs
            .iter()
            .map(|(name, input)| Offer::key(OfferKind::Key, name).detail(input.to_string()))
            .collect(),
        Keys::Outcomes(action) => outcomes(action, names, catalog),
        Keys::Press => TELEPHONE
            .iter()
            .map(|key| Offer::key(OfferKind::Key, *key))
            .collect(),
        Keys::Languages => names
            .languages
            .iter()
            .map(String::as_str)
            .chain(["any"])
            .map(|language| Offer::key(OfferKind::Word, language))
            .collect(),
        Keys::Set => {
            let variables = names.variables.iter();
            let variables = variables.filter(|(_, variable)| variable.role == "variable");
            let mut offers: Vec<Offer> = variables
                .map(|(name, variable)| {
                    let types: Vec<String> = variable.types.iter().map(Type::to_string).collect();
                    Offer::key(OfferKind::Variable, name).detail(types.join(" or "))
                })
                .collect();
            offers.push(
                Offer::key(OfferKind::Variable, "call.language").detail("a language of the flow"),
            );
            offers
                .push(Offer::key(OfferKind::Variable, "call.priority").detail("number, 0 to 100"));
            offers
        }
        Keys::Mocks => mocks(names, catalog),
        Keys::Any => Vec::new(),
    }
}

/// What a test can answer for: steps of plugins, queues, transfers, flows.
fn mocks(names: &Names, catalog: &Catalog) -> Vec<Offer> {
    let steps = catalog
        .steps
        .keys()
        .filter(|step| !step.starts_with("std/"));
    let mut steps: Vec<&str> = steps.filter_map(|step| step.split('@').next()).collect();
    steps.dedup();
    let steps = steps
        .into_iter()
        .map(|step| Offer::key(OfferKind::Step, step));
    let others = |kind: &'static str, offer: OfferKind, all: Option<&BTreeSet<String>>| {
        let all = all.into_iter().flatten();
        let offers = all.map(|name| Offer::key(offer, format!("{kind}.{name}")));
        offers.collect::<Vec<_>>()
    };
    let flows = catalog.flows.iter().flat_map(|flows| flows.keys());
    let flows = flows
        .filter(|flow| names.flow.as_ref() != Some(flow))
        .map(|flow| Offer::key(OfferKind::Flow, format!("call.{flow}")));
    steps
        .chain(others("queue", OfferKind::Name, catalog.queues.as_ref()))
        .chain(others(
            "transfer",
            OfferKind::Name,
            catalog.destinations.as_ref(),
        ))
        .chain(flows)
        .collect()
}

/// What an answer may be: a word, or on a line of its own (else in braces) a key that says more.
pub(super) fn expect(own_line: bool) -> Vec<Offer> {
    let more = EXPECT.iter().map(|(key, page)| {
        let offer = Offer::key(OfferKind::Key, *key).page(*page);
        match own_line {
            true => offer,
            false => {
                let inner = match *key {
                    "one_of" => "[ ]",
                    _ => "",
                };
                let mut offer = offer.detail(format!("{{ {key}: … }}"));
                offer.insert = format!("{{ {key}: {inner} }}");
                offer
            }
        }
    });
    // A key that is a word too is offered as the word where both could stand.
    let words = EXPECT_WORDS
        .iter()
        .filter(|_| !own_line)
        .map(|word| Offer::new(OfferKind::Word, *word));
    let words: Vec<Offer> = words.collect();
    let more = more.filter(|offer| !words.iter().any(|word| word.label == offer.label));
    let more: Vec<Offer> = more.collect();
    words.into_iter().chain(more).collect()
}

/// The verbs, as long as there is none, else its options.
pub(super) fn action(map: Option<&Map>, catalog: &Catalog) -> Vec<Offer> {
    let verb = map.and_then(|map| grammar::verb(map, catalog));
    let Some((entry, described)) = verb else {
        return verbs(catalog);
    };
    let option = |name: &str| {
        let page = OPTIONS.iter().find(|(key, _)| *key == name);
        Offer::key(OfferKind::Key, name).page(page.map_or("", |(_, page)| *page))
    };
    match described {
        Some((_, description)) => {
            let mut offers = inputs(&description.input);
            offers.retain(|offer| description.main.as_ref() != Some(&offer.label));
            for name in ["then", "when", "title", "global", "as", "into", "retry"] {
                if !offers.iter().any(|offer| offer.label == name) {
                    offers.push(option(name));
                }
            }
            offers
        }
        None => {
            let engine = ENGINE_VERBS.iter().find(|(verb, _, _)| *verb == entry.key);
            let names = engine.map_or(&[][..], |(_, options, _)| options);
            names.iter().map(|name| option(name)).collect()
        }
    }
}

/// All verbs.
pub(super) fn verbs(catalog: &Catalog) -> Vec<Offer> {
    let engine = ENGINE_VERBS
        .iter()
        .map(|(verb, _, page)| Offer::key(OfferKind::Step, *verb).page(*page));
    let steps = catalog.verbs.iter().filter_map(|(verb, key)| {
        let description = catalog.steps.get(key)?;
        let offer = Offer::key(OfferKind::Step, verb)
            .detail(key.clone())
            .page(schema::page(verb, description));
        Some(offer)
    });
    steps.chain(engine).collect()
}

fn inputs(schema: &Json) -> Vec<Offer> {
    let needed = schema::required(schema);
    let properties = schema["properties"].as_object();
    properties
        .into_iter()
        .flatten()
        .map(|(name, inner)| {
            let page = schema::input(name, inner, needed.contains(&name.as_str()));
            Offer::key(OfferKind::Key, name)
                .detail(schema::shape(inner))
                .page(page)
        })
        .collect()
}

/// The outcomes that an action can have.
pub(super) fn outcomes(action: &Map, names: &Names, catalog: &Catalog) -> Vec<Offer> {
    let mut found: Vec<(String, String)> = Vec::new();
    if let Some((_, signature)) = grammar::called(action, catalog) {
        found.extend(
            signature
                .outcomes
                .iter()
                .map(|name| (name.clone(), "outcome of the flow".to_owned())),
        );
        found.push(("error".to_owned(), "the flow failed".to_owned()));
    } else if let Some((_, description)) = grammar::described(action, catalog) {
        for (name, schema) in &description.outcomes {
            let fields = schema["properties"].as_object();
            let fields: Vec<&str> = fields
                .into_iter()
                .flat_map(|fields| fields.keys().map(String::as_str))
                .collect();
            found.push((name.clone(), fields.join(", ")));
        }
        if description.outcomes.is_empty() {
            found.push(("done".to_owned(), String::new()));
        }
        found.push((
            "timeout".to_owned(),
            "the step took longer than its `timeout`".to_owned(),
        ));
        found.push(("error".to_owned(), "the step failed".to_owned()));
    } else if let Some(value) = action.value("switch").and_then(Node::text) {
        let ty = expr::parse(value.trim(), 0)
            .ok()
            .and_then(|expr| super::expression::type_of_path(&expr.as_path()?, names));
        match ty.as_ref().map(Type::without_none) {
            Some(Type::OneOf(words)) => {
                found.extend(words.iter().map(|word| (word.clone(), value.to_owned())));
            }
            Some(Type::Bool) => {
                found.extend(["true", "false"].map(|word| (word.to_owned(), value.to_owned())));
            }
            _ => {}
        }
    } else {
        found.push(("done".to_owned(), String::new()));
    }
    found.push((
        "else".to_owned(),
        "every outcome without a line of its own".to_owned(),
    ));
    found
        .into_iter()
        .map(|(name, detail)| Offer::key(OfferKind::Outcome, name).detail(detail))
        .collect()
}
