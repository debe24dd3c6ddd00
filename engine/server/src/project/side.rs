//! `routes.yaml` and `queues.yaml`, read to their end: what is wrong in one place hides nothing elsewhere.

use std::path::Path;

use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;
use strowger_flow::diagnostic::Text;
use strowger_flow::expr::{Span, closest};
use strowger_flow::{Document, Level};

use super::finding::{Finding, Source};
use super::folder::{ProjectError, read};
use super::reading::reason;

/// Most mistakes that are told of one file: each costs another reading of it.
const MAX_MISTAKES: usize = 100;

/// A file beside the flows: its value, and the text with its places.
pub(super) type Side<T> = (T, Option<(Source, Document)>);

/// Reads a file beside the flows. What is wrong with it becomes a finding, with `help` where it does not have the shape
/// that it should, and is left out of the value; `None` when nothing is left.
pub(super) fn side<T: DeserializeOwned>(
    path: &Path,
    help: Text,
    findings: &mut Vec<Finding>,
) -> Result<Option<Side<T>>, ProjectError> {
    if !path.exists() {
        return Ok(None);
    }
    let bytes = read(path)?;
    let source = Source::new(path, &String::from_utf8_lossy(&bytes));
    let (document, wrong) = strowger_flow::document(&source.file, &bytes);
    if !wrong.is_empty() {
        let wrong = wrong.into_iter();
        findings.extend(wrong.map(|found| Finding::of(found, source.text.clone())));
        return Ok(None);
    }
    let Some(mut document) = document else {
        return Ok(None);
    };
    let mut value: serde_yaml::Value = match serde_yaml::from_str(&source.text) {
        Ok(value) => value,
        Err(error) => {
            let at = error
                .location()
                .map_or(0..0, |at| source.line(at.line(), at.column()));
            let message = error.to_string();
            // The place stands beside it.
            let message = message.split(" at line ").next().unwrap_or(&message);
            findings.push(source.finding(Level::Error, at, reason(message), Some(help)));
            return Ok(None);
        }
    };
    // Where a key was unknown: it may be what is missing there.
    let mut lost: Vec<Vec<String>> = Vec::new();
    for _ in 0..MAX_MISTAKES {
        let error = match serde_path_to_error::deserialize::<_, T>(value.clone()) {
            Ok(value) => return Ok(Some((value, Some((source, document))))),
            Err(error) => error,
        };
        let mut way: Vec<String> = error.path().iter().filter_map(part).collect();
        let said = error.inner().to_string();
        let named = named(&said);
        let here: Vec<&str> = way.iter().map(String::as_str).collect();
        let mut span = document.span(&here);
        let mut told = help.clone();
        // Scalars are text there, as in flows: a number is one only where a number belongs.
        if wants_text(&said)
            && let Some(text) = span.and_then(|at| source.text.get(at.start..at.end))
            && let Some(place) = at(&mut value, &way)
            && !place.is_string()
        {
            *place = serde_yaml::Value::String(text.to_owned());
            continue;
        }
        match &named {
            Some(("unknown", name, known)) => {
                if way.last().is_none_or(|last| last != name) {
                    way.push((*name).to_owned());
                }
                let here: Vec<&str> = way.iter().map(String::as_str).collect();
                span = document.key(&here).or(span);
                let beside = above(&mut value, &way);
                let there = |name: &str| beside.as_ref().is_some_and(|map| map.get(name).is_some());
                let open = known.iter().copied().filter(|known| !there(known));
                if let Some(meant) = closest(name, open) {
                    told = Text::did_you_mean(meant);
                    // So that nothing is told of what lacks because of the slip.
                    rename(&mut value, &way, meant);
                    tell(&source, span, &said, told, findings);
                    continue;
                }
            }
            Some(("missing", ..)) if lost.contains(&way) => {
                let here: Vec<&str> = way.iter().map(String::as_str).collect();
                if way.is_empty() || !prune(&mut value, &way) {
                    return Ok(None);
                }
                document.remove(&here);
                continue;
            }
            Some(("missing", ..)) => {}
            // What cannot be what it should is left out by itself, so that the rest of its entry is read; without it, it may lack.
            _ => {
                if let Some((_, above)) = way.split_last() {
                    lost.push(above.to_vec());
                }
            }
        }
        tell(&source, span, &said, told, findings);
        if matches!(named, Some(("unknown", ..))) {
            lost.push(way[..way.len() - 1].to_vec());
        }
        let here: Vec<&str> = way.iter().map(String::as_str).collect();
        if way.is_empty() || !prune(&mut value, &way) {
            return Ok(None);
        }
        document.remove(&here);
    }
    Ok(None)
}

fn tell(source: &Source, span: Option<Span>, said: &str, help: Text, findings: &mut Vec<Finding>) {
    let at = span.map_or(0..0, |span| span.start..span.end);
    findings.push(source.finding(Level::Error, at, reason(said), Some(help)));
}

fn part(segment: &Segment) -> Option<String> {
    match segment {
        Segment::Seq { index } => Some(index.to_string()),
        Segment::Map { key } => Some(key.clone()),
        Segment::Enum { .. } | Segment::Unknown => None,
    }
}

/// Of a sentence of serde's about a field: whether it is unknown or missing, its name, and the names that there are.
fn named(said: &str) -> Option<(&'static str, &str, Vec<&str>)> {
    let mut names = said.split('`').skip(1).step_by(2);
    if said.starts_with("unknown field ") {
        return Some(("unknown", names.next()?, names.collect()));
    }
    said.starts_with("missing field ")
        .then_some(("missing", names.next()?, Vec::new()))
}

/// Whether a sentence of serde's says that a text belongs where something else stands that is written without quotes.
fn wants_text(said: &str) -> bool {
    let scalars = ["integer ", "floating point ", "boolean "];
    let found = said.strip_prefix("invalid type: ").unwrap_or_default();
    scalars.iter().any(|scalar| found.starts_with(scalar)) && said.ends_with("expected a string")
}

/// The value that a way leads to.
fn at<'v>(value: &'v mut serde_yaml::Value, way: &[String]) -> Option<&'v mut serde_yaml::Value> {
    way.iter().try_fold(value, |value, part| match value {
        serde_yaml::Value::Sequence(items) => items.get_mut(part.parse::<usize>().ok()?),
        value => value.get_mut(part.as_str()),
    })
}

/// The value that the last part of a way stands in.
fn above<'v>(
    value: &'v mut serde_yaml::Value,
    way: &[String],
) -> Option<&'v mut serde_yaml::Value> {
    let mut here = value;
    for part in &way[..way.len().checked_sub(1)?] {
        here = match here {
            serde_yaml::Value::Sequence(items) => items.get_mut(part.parse::<usize>().ok()?)?,
            serde_yaml::Value::Mapping(map) => map.get_mut(part.as_str())?,
            _ => return None,
        };
    }
    Some(here)
}

fn rename(value: &mut serde_yaml::Value, way: &[String], meant: &str) {
    let Some(last) = way.last() else { return };
    if let Some(serde_yaml::Value::Mapping(map)) = above(value, way)
        && let Some(entry) = map.remove(last.as_str())
    {
        map.insert(meant.into(), entry);
    }
}

/// Takes a value out; whether it was there.
fn prune(value: &mut serde_yaml::Value, way: &[String]) -> bool {
    let Some(last) = way.last() else { return false };
    match above(value, way) {
        Some(serde_yaml::Value::Mapping(map)) => map.remove(last.as_str()).is_some(),
        Some(serde_yaml::Value::Sequence(items)) => match last.parse::<usize>() {
            Ok(at) if at < items.len() => {
                items.remove(at);
                true
            }
            _ => false,
        },
        _ => false,
    }
}
