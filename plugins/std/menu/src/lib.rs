//! The standard step `menu`: says what can be chosen, waits for a key, a word or a button.

mod choices;

use std::collections::BTreeMap;

use serde::Deserialize;
use strowger_sdk::contact::{self, Channel};
use strowger_sdk::media::{self, Binding, Choice, Heard, ListenOptions, Prompt, Utterance};
use strowger_sdk::{Attempts, Failure, Miss, Outcome, Reprompt};

strowger_sdk::plugin! {
    description: "../description.json",
    steps: { "menu" => menu },
}

/// What the flow gives. Defaults are those of the description.
#[derive(Deserialize)]
struct Menu {
    prompt: String,
    /// What a repetition says in place of the prompt.
    short: Option<String>,
    press: BTreeMap<String, Option<Press>>,
    #[serde(default = "attempts")]
    attempts: u32,
    #[serde(default = "timeout")]
    timeout: u32,
    #[serde(default = "gap")]
    gap: u32,
    #[serde(default = "barge_in")]
    barge_in: bool,
    #[serde(default)]
    reprompt: Reprompt,
    #[serde(default, rename = "$kept")]
    kept: Attempts,
}

/// One thing that may be chosen.
#[derive(Debug, Default, Deserialize)]
struct Press {
    /// A prompt's handle: the button of a chat, and a phrase of `${choices}`.
    label: Option<String>,
    /// Words that mean it.
    #[serde(default, rename = "match")]
    words: Vec<String>,
}

fn menu(input: Menu) -> Result<Outcome, Failure> {
    let press: BTreeMap<String, Press> = input
        .press
        .into_iter()
        .map(|(key, press)| (key, press.unwrap_or_default()))
        .collect();
    let facts = contact::read();
    let spoken = match facts.channel {
        Channel::Voice => choices::spoken(&press, &facts.primary_language()),
        // In a chat the choices are buttons; said again in words they would only be in the way.
        Channel::Chat => Vec::new(),
    };
    let say = |line: Option<String>, prompt: String| {
        Utterance::given_after(line, prompt).bind(Binding::prompts("choices", spoken.clone()))
    };
    let options = ListenOptions {
        barge_in: input.barge_in,
        choices: press
            .iter()
            .map(|(name, press)| choice(name, press))
            .collect(),
        timeout_ms: input.timeout,
        gap_ms: input.gap,
        ..ListenOptions::default()
    };

    let mut attempts = input.kept;
    let again = input.short.unwrap_or_else(|| input.prompt.clone());
    let mut what = say(None, input.prompt);
    loop {
        let miss = match media::listen(&what, &options)? {
            Heard::Choice(key) => {
                let name = press.keys().find(|name| media::key(name) == key);
                return Outcome::with(name.map_or(key.as_str(), String::as_str), &attempts);
            }
            Heard::Nothing => Miss::NoInput,
            _ => Miss::NoMatch,
        };
        match attempts.miss(miss, input.attempts, &input.reprompt) {
            Some(line) => what = say(line, again.clone()),
            None => return Outcome::with(miss.outcome(), &attempts),
        }
    }
}

fn choice(name: &str, press: &Press) -> Choice {
    Choice {
        key: media::key(name).to_owned(),
        label: press.label.clone().map(Prompt::Given),
        words: press.words.clone(),
    }
}

fn attempts() -> u32 {
    3
}

fn timeout() -> u32 {
    5_000
}

fn gap() -> u32 {
    2_000
}

fn barge_in() -> bool {
    true
}

#[cfg(test)]
mod tests;
