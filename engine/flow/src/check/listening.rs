//! What a caller has to put up with: menus, silence, long speeches.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::Graph;
use super::report::Report;
use super::rules::{dead_air, long_prompt, spoken_key_unmapped, too_many_choices};
use super::spent::{busy_ms, first_said};
use super::worst::MAX_SILENCE_MS;
use crate::catalog::StepDescription;
use crate::diagnostic::{Text, text};
use crate::expr::Span;
use crate::lower::Draft;
use crate::plan::{Action, Retry};
use crate::speak::{speech_ms, usual_ms};
use crate::wide::narrow;

/// Most announced choices that a caller keeps in mind.
const MAX_CHOICES: usize = 6;

/// Longest speech before a caller may answer, in seconds.
const MAX_SPEECH_S: u64 = 30;

pub(super) fn check(graph: &Graph<'_>, draft: &Draft<'_>, report: &mut Report<'_>) {
    for (index, (node, facts)) in draft.nodes.iter().zip(&draft.facts).enumerate() {
        if facts.broken || !graph.reachable[index] {
            continue;
        }
        // After a hang-up nobody is there who could hear silence.
        let heard = graph.heard[index];
        match &node.action {
            Action::Step(call) => {
                if facts.labelled > MAX_CHOICES {
                    too_many_choices::too_many(report, facts.head, facts.labelled, MAX_CHOICES);
                }
                if node.verb == "use" && heard {
                    let silence = silence_of(call);
                    if silence.0 > MAX_SILENCE_MS {
                        let at = facts.options.get("retry").or(facts.options.get("timeout"));
                        let at = at.copied().unwrap_or(facts.head);
                        dead_air::silent(report, at, silence.1, silence.0.div_ceil(1000));
                    }
                }
            }
            Action::Wait(ms) if heard && *ms > MAX_SILENCE_MS => {
                dead_air::waiting(report, facts.head, ms.div_ceil(1000));
            }
            _ => {}
        }
    }
    prompts(graph, draft, report);
}

/// Longest silence of a plugin's step, in milliseconds, and its sum in words.
fn silence_of(call: &crate::plan::StepCall) -> (u64, Text) {
    if let Some(meanwhile) = &call.meanwhile
        && (meanwhile.say.is_some() || meanwhile.music.is_some())
    {
        let after = meanwhile.after_ms;
        return (
            after,
            text!(
                "nothing is heard for the first {after} ms",
                "最初 {after} ms 听不到声音"
            ),
        );
    }
    let mut sum = format!("{} ms", call.timeout_ms);
    for pause in call.retry.iter().flat_map(Retry::pauses_ms) {
        sum = format!("{sum} + {pause} ms + {} ms", call.timeout_ms);
    }
    (busy_ms(call), Text::same(sum))
}

fn prompts(graph: &Graph<'_>, draft: &Draft<'_>, report: &mut Report<'_>) {
    // By step: the keys that its prompts name and that do nothing, and where.
    let mut unmapped: BTreeMap<usize, (BTreeSet<String>, Vec<Span>)> = BTreeMap::new();
    for used in &draft.prompt_uses {
        let index = used.node.0 as usize;
        let facts = &draft.facts[index];
        if !facts.listens || !graph.reachable[index] {
            continue;
        }
        if !waits_behind(facts.description, &used.input) {
            continue;
        }
        let prompt = &draft.prompts[used.prompt];
        for (span, text) in &prompt.texts {
            let seconds = usual_ms(speech_ms(text)) / 1000;
            if seconds > MAX_SPEECH_S {
                let name = match &prompt.prompt.name {
                    Some(name) => Text::same(format!("`{name}`")),
                    None => Text::fixed("this prompt", "这条提示"),
                };
                long_prompt::long(report, *span, &name, seconds);
            }
            if facts.keys.is_empty() {
                continue;
            }
            for key in spoken_keys(text) {
                let global =
                    draft.nodes[index].global_keys && draft.global.press.contains_key(&key);
                if !facts.keys.contains_key(&key) && !global {
                    let (keys, said) = unmapped.entry(index).or_default();
                    keys.insert(key);
                    if !said.contains(span) {
                        said.push(*span);
                    }
                }
            }
        }
    }
    for (index, (keys, said)) in &unmapped {
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        spoken_key_unmapped::unmapped(report, press_span(draft, *index), &keys, said);
    }
}

/// Whether a step listens behind what an input says, so that nobody may answer before it is said. `input` is the name that stands beside
/// the prompt: in a list of questions that of the question's own field.
fn waits_behind(description: Option<&StepDescription>, input: &str) -> bool {
    let main = description.and_then(|step| step.main.as_deref());
    let main = main.unwrap_or("prompt");
    if input == main || input == "short" {
        return true;
    }
    let Some(description) = description else {
        return false;
    };
    let asked = &description.input["properties"][main]["items"]["properties"][input];
    asked["format"] == "prompt" || first_said(description).any(|first| first == input)
}

fn press_span(draft: &Draft<'_>, index: usize) -> Span {
    let keys = draft.facts[index].keys.values();
    keys.copied()
        .reduce(Span::to)
        .unwrap_or(draft.facts[index].head)
}

/// What stands before a key.
const PRESS: &[u8] = b"press ";

/// Keys that a text asks to press, in English or Chinese.
fn spoken_keys(text: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let says = text.as_bytes().windows(PRESS.len()).enumerate();
    let says = says.filter(|(_, word)| word.eq_ignore_ascii_case(PRESS));
    for (at, _) in says {
        let word = text[at + PRESS.len()..]
            .split(|c: char| !c.is_ascii_alphanumeric())
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let key = match word.as_str() {
            "zero" => "0",
            "one" => "1",
            "two" => "2",
            "three" => "3",
            "four" => "4",
            "five" => "5",
            "six" => "6",
            "seven" => "7",
            "eight" => "8",
            "nine" => "9",
            "star" => "*",
            "hash" | "pound" => "#",
            digit if digit.len() == 1 && digit.bytes().all(|byte| byte.is_ascii_digit()) => digit,
            _ => continue,
        };
        keys.push(key.to_owned());
    }
    for (at, matched) in text.match_indices(['按', '拨']) {
        let rest = text[at + matched.len()..].trim_start();
        let mut letters = rest.chars().map(narrow);
        let key = match letters.next() {
            Some('零') => '0',
            Some('一') => '1',
            Some('二') => '2',
            Some('三') => '3',
            Some('四') => '4',
            Some('五') => '5',
            Some('六') => '6',
            Some('七') => '7',
            Some('八') => '8',
            Some('九') => '9',
            Some('星' | '*') => '*',
            Some('井' | '#') => '#',
            Some(digit) if digit.is_ascii_digit() => digit,
            _ => continue,
        };
        // More digits are a number that is dialled, and `拨一个电话` names no key.
        let behind = letters.next();
        if !behind.is_some_and(|next| next.is_ascii_digit() || matches!(next, '个' | '次' | '通'))
        {
            keys.push(key.to_string());
        }
    }
    keys.sort();
    keys.dedup();
    keys
}
