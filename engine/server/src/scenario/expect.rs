//! Whether what a test expects is so, and what there is instead.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value as Json;
use strowger_flow::Expectation;

use super::record::{What, cut};
use super::world::World;

/// Largest compiled regular expression of a test, in bytes: far more than a sentence needs.
const MAX_REGEX_BYTES: usize = 1 << 20;

/// What is looked for in what was heard.
pub(super) enum Pattern {
    Text(String),
    Regex(regex::Regex),
}

impl Pattern {
    /// Reads a text, or a regular expression between slashes.
    pub fn of(text: Option<&str>) -> Result<Option<Pattern>, String> {
        let Some(text) = text else {
            return Ok(None);
        };
        let regex = text
            .strip_prefix('/')
            .and_then(|rest| rest.strip_suffix('/'));
        match regex {
            Some(regex) => regex::RegexBuilder::new(regex)
                .size_limit(MAX_REGEX_BYTES)
                .build()
                .map(|regex| Some(Pattern::Regex(regex)))
                .map_err(|error| error.to_string()),
            None => Ok(Some(Pattern::Text(folded(text)))),
        }
    }

    pub fn fits(&self, heard: &str) -> bool {
        match self {
            Pattern::Text(text) => folded(heard).contains(text.as_str()),
            Pattern::Regex(regex) => regex.is_match(heard),
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pattern::Text(text) => write!(f, "“{text}”"),
            Pattern::Regex(regex) => write!(f, "/{regex}/"),
        }
    }
}

/// Blanks of any number and kind are one.
fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first thing that is not (yet) as expected, and what there is instead.
pub(super) fn missing(
    world: &World<'_>,
    flow: &str,
    expected: &Expectation,
    hear: Option<&Pattern>,
) -> Option<(String, Vec<String>)> {
    if let Some(prompt) = &expected.prompt
        && !world
            .record
            .recently_heard()
            .any(|(_, prompts)| prompts.contains(prompt))
    {
        let is = |_: &str, prompts: &[String]| prompts.contains(prompt);
        return Some((format!("to hear prompt `{prompt}`"), heard(world, None, is)));
    }
    if let Some(pattern) = hear
        && !world
            .record
            .recently_heard()
            .any(|(words, _)| pattern.fits(words))
    {
        let near = match pattern {
            Pattern::Text(text) => Some(text.as_str()),
            Pattern::Regex(_) => None,
        };
        let is = |words: &str, _: &[String]| pattern.fits(words);
        return Some((format!("to hear {pattern}"), heard(world, near, is)));
    }
    let recent = world.record.recent();
    if let Some(step) = &expected.step {
        let steps: Vec<&str> = visited(world, flow);
        let here = steps.last().is_some_and(|last| last == step);
        let was = recent.iter().any(|event| {
            matches!(&event.what, What::Step(name) if name == step)
                && event.place.as_ref().is_some_and(|(at, _)| at == flow)
        });
        if !here && !was {
            let got = steps
                .last()
                .map_or("no step of this flow yet".to_owned(), |last| {
                    format!("in step `{last}`")
                });
            return Some((format!("the contact in step `{step}`"), vec![got]));
        }
    }
    let names = |pick: fn(&What) -> Option<&String>| -> Vec<&String> {
        recent
            .iter()
            .filter_map(|event| pick(&event.what))
            .collect()
    };
    if let Some(queue) = &expected.queue {
        let queues = names(|what| match what {
            What::Queued(queue) => Some(queue),
            _ => None,
        });
        if !queues.contains(&queue) {
            return Some((
                format!("the contact in queue `{queue}`"),
                listed("in queue", &queues, "in no queue"),
            ));
        }
    }
    if let Some(target) = &expected.transfer {
        let targets = names(|what| match what {
            What::Transferred(to) => Some(to),
            _ => None,
        });
        if !targets.contains(&target) {
            return Some((
                format!("a transfer to `{target}`"),
                listed("transferred to", &targets, "no transfer"),
            ));
        }
    }
    if let Some(language) = &expected.language
        && world.contact.language() != language
    {
        return Some((
            format!("language `{language}`"),
            vec![format!("language `{}`", world.contact.language())],
        ));
    }
    if let Some(priority) = expected.priority
        && world.contact.priority() != priority
    {
        return Some((
            format!("priority {priority}"),
            vec![format!("priority {}", world.contact.priority())],
        ));
    }
    for (name, wanted) in &expected.vars {
        let value = world.contact.value(flow, name);
        if value != Some(wanted) {
            let got = match value {
                Some(value) => format!("`{name}` is {}", value.to_json()),
                None => format!("`{name}` has no value"),
            };
            return Some((format!("`{name}` to be {}", wanted.to_json()), vec![got]));
        }
    }
    missing_from_all(world, expected)
}

/// What may have happened at any time: steps used, tags, the end.
fn missing_from_all(world: &World<'_>, expected: &Expectation) -> Option<(String, Vec<String>)> {
    let used: BTreeSet<&str> = world
        .record
        .events
        .iter()
        .filter_map(|event| match &event.what {
            What::Used { step, .. } => Some(step.as_str()),
            _ => None,
        })
        .collect();
    for step in &expected.used {
        let bare = step.split('@').next().unwrap_or(step);
        if !used.contains(bare) {
            let used: Vec<_> = used.into_iter().collect();
            return Some((
                format!("step `{step}` to have run"),
                vec![format!("ran: {}", used.join(", "))],
            ));
        }
    }
    let mut tags: BTreeMap<&str, &Json> = BTreeMap::new();
    for event in &world.record.events {
        if let What::Tagged(Json::Object(values)) = &event.what {
            tags.extend(values.iter().map(|(name, value)| (name.as_str(), value)));
        }
    }
    for (name, wanted) in &expected.tags {
        let got = tags.get(name.as_str()).copied();
        let is = got.is_some_and(|got| same(got, wanted) || *wanted == Json::Bool(true));
        if !is {
            let got = got.map_or(format!("no tag `{name}`"), |value| {
                format!("`{name}` is {value}")
            });
            return Some((format!("tag `{name}` to be {wanted}"), vec![got]));
        }
    }
    if let Some(ends) = &expected.ends {
        match &world.ended {
            Some(ending) if ending.reason == *ends => {}
            Some(ending) => {
                return Some((
                    format!("the contact to end with `{ends}`"),
                    vec![format!("it ended with `{}`", ending.reason)],
                ));
            }
            None => {
                return Some((
                    format!("the contact to end with `{ends}`"),
                    vec!["it goes on".to_owned()],
                ));
            }
        }
    }
    None
}

/// Whether two tags are the same. A whole number is the same with and without a point, which JSON keeps apart.
fn same(one: &Json, other: &Json) -> bool {
    match (one, other) {
        (Json::Number(one), Json::Number(other)) if one.is_f64() || other.is_f64() => {
            one.as_f64() == other.as_f64()
        }
        (one, other) => one == other,
    }
}

/// The steps of the flow that the contact reached, in order.
fn visited<'w>(world: &'w World<'_>, flow: &str) -> Vec<&'w str> {
    let steps = world
        .record
        .events
        .iter()
        .filter_map(|event| match (&event.what, &event.place) {
            (What::Step(step), Some((at, _))) if at == flow => Some(step.as_str()),
            _ => None,
        });
    steps.collect()
}

fn listed(what: &str, names: &[&String], none: &str) -> Vec<String> {
    match names.is_empty() {
        true => vec![none.to_owned()],
        false => names
            .iter()
            .map(|name| format!("{what} `{name}`"))
            .collect(),
    }
}

/// What was heard since the last act; the nearest first when a text was looked for that is like one of them. That what was
/// looked for had been heard before is the likeliest reason of all: an act too many, or an expectation too late.
fn heard(
    world: &World<'_>,
    near: Option<&str>,
    is: impl Fn(&str, &[String]) -> bool,
) -> Vec<String> {
    let shown = |(words, prompts): (&str, &[String])| match prompts.is_empty() {
        true => format!("“{}”", cut(words)),
        false => format!("“{}” ({})", cut(words), prompts.join(", ")),
    };
    let mut told = Vec::new();
    let mut before = world.record.heard_before();
    if let Some(earlier) = before.find(|(words, prompts)| is(words, prompts)) {
        let earlier = shown(earlier);
        told.push(format!("heard before the caller's last act: {earlier}"));
    }
    let heard: Vec<(&str, &[String])> = world.record.recently_heard().collect();
    if heard.is_empty() {
        told.push("nothing was heard since the caller's last act".to_owned());
        return told;
    }
    let nearest = near.filter(|_| heard.len() > 1).and_then(|near| {
        let alike = heard.iter().map(|one| (likeness(near, one.0), one));
        let (likeness, nearest) = alike.max_by(|a, b| a.0.total_cmp(&b.0))?;
        (likeness >= ALIKE).then(|| format!("nearest: {}", shown(*nearest)))
    });
    told.extend(nearest);
    told.extend(heard.iter().map(|one| format!("heard {}", shown(*one))));
    told
}

/// From what likeness on a text may be meant by another; any two sentences of a language have a fifth of their pairs in
/// common.
const ALIKE: f64 = 0.5;

/// How like two texts are: the share of pairs of neighbouring characters of `wanted` that `heard` has.
fn likeness(wanted: &str, heard: &str) -> f64 {
    let pairs = |text: &str| -> BTreeSet<(char, char)> {
        let lower = text.to_lowercase();
        lower.chars().zip(lower.chars().skip(1)).collect()
    };
    let (wanted, heard) = (pairs(wanted), pairs(heard));
    if wanted.is_empty() {
        return 0.0;
    }
    wanted.intersection(&heard).count() as f64 / wanted.len() as f64
}
