//! What a caller has to put up with: menus, silence, long speeches.

use std::collections::{BTreeMap, BTreeSet};

use super::graph::Graph;
use super::named_keys::spoken_keys;
use super::report::Report;
use super::rules::{dead_air, long_prompt, spoken_key_unmapped, too_many_choices};
use super::spent::{busy_ms, first_said};
use super::worst::MAX_SILENCE_MS;
use crate::catalog::StepDescription;
use crate::diagnostic::{Text, text};
use crate::expr::Span;
use crate::lower::Draft;
use crate::plan::{Action, Retry, Template};
use crate::speak::{speech_ms, usual_ms};
use crate::value::Value;

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
    let mut unmapped: BTreeMap<usize, (BTreeSet<&str>, Vec<Span>)> = BTreeMap::new();
    for used in &draft.prompt_uses {
        let index = used.node.0 as usize;
        let facts = &draft.facts[index];
        if !facts.listens || !graph.reachable[index] {
            continue;
        }
        // A label is a part of what a menu says.
        let label = used.input == "label";
        if !label && !waits_behind(facts.description, &used.input) {
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
            let entry = takes_an_entry(draft, index);
            if facts.keys.is_empty() && !entry {
                continue;
            }
            for key in spoken_keys(text) {
                // Digits are the answer then, and the hash ends it.
                if facts.keys.is_empty() && key != "*" {
                    continue;
                }
                let global = draft.nodes[index].global_keys && draft.global.press.contains_key(key);
                if !facts.keys.contains_key(key) && !global {
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
        let keys: Vec<&str> = keys.iter().copied().collect();
        if misread(draft.facts[*index].span, &keys, report) {
            continue;
        }
        let presses = !draft.facts[*index].keys.is_empty();
        spoken_key_unmapped::unmapped(report, press_span(draft, *index), &keys, said, presses);
    }
}

/// Whether one of these keys is told of already, in an action, as it is written there with a sign too many: `-2` or `2.`.
fn misread(action: Span, keys: &[&str], report: &Report<'_>) -> bool {
    let text = report.lines().source();
    report.diagnostics().iter().any(|found| {
        let at = found.primary.span;
        let written = text.get(at.start..at.end).unwrap_or_default();
        let key = written.trim_matches(['-', '.', ' ', '"', '\'']);
        let inside = action.start <= at.start && at.end <= action.end;
        found.rule == "bad-value" && inside && key.len() < written.len() && keys.contains(&key)
    })
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

/// Whether a step asks for digits that the star is no part of, and that it does not end.
fn takes_an_entry(draft: &Draft<'_>, index: usize) -> bool {
    let Action::Step(call) = &draft.nodes[index].action else {
        return false;
    };
    let Template::Object(input) = &call.input else {
        return false;
    };
    let star = |value: &Template| matches!(value, Template::Literal(Value::Text(key)) if key == "*" || key == "star");
    draft.facts[index].digits.is_some() && !input.values().any(star)
}

fn press_span(draft: &Draft<'_>, index: usize) -> Span {
    let keys = draft.facts[index].keys.values();
    keys.copied()
        .reduce(Span::to)
        .unwrap_or(draft.facts[index].head)
}
