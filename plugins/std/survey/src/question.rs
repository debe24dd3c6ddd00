//! A question, and how it is answered.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Value, json};
use std_answers::{Expect, choice};
use strowger_sdk::Failure;
use strowger_sdk::contact::{Channel, Facts};
use strowger_sdk::media::{Choice, Digits, Heard, Prompt};

use crate::Survey;

/// Most points of a scale whose every point is a choice. Count: from 0 to 10.
const MAX_POINTS: usize = 11;

#[derive(Deserialize)]
pub struct Question {
    pub name: String,
    pub ask: String,
    pub short: Option<String>,
    expect: Expect,
}

/// Asks whether to take part at all.
pub fn invitation(prompt: String) -> Question {
    Question {
        name: String::new(),
        ask: prompt,
        short: None,
        expect: Expect::YesNo,
    }
}

/// Fails with `bad-input` where a survey could not be answered as it stands.
pub fn check(survey: &Survey) -> Result<(), Failure> {
    let wrong = |message: String| Err(Failure::new("bad-input", message));
    let mut names = BTreeSet::new();
    for question in &survey.questions {
        let name = &question.name;
        if !names.insert(name) {
            return wrong(format!("two questions are called `{name}`"));
        }
        if question.expect.is_always_secret() {
            return wrong(format!("`{name}`: a survey takes no secrets"));
        }
        let Some(skip) = &survey.skip else { continue };
        let digits = question.digits(&survey.end_key).is_some();
        let typed =
            digits && (*skip == survey.end_key || skip.bytes().all(|key| key.is_ascii_digit()));
        let answers = question.choices("en");
        if typed || answers.iter().any(|answer| answer.key.starts_with(skip)) {
            return wrong(format!(
                "the key `{skip}` that skips is an answer to `{name}`, or ends one"
            ));
        }
    }
    Ok(())
}

/// The choice that leaves a question open.
pub fn skip_choice(key: Option<&str>, language: &str) -> Option<Choice> {
    let label = match language {
        "zh" => "跳过",
        _ => "Skip",
    };
    Some(choice(key?, label, &["skip", "跳过"]))
}

impl Question {
    /// The points of a scale, where it is short enough that each can be a button and a key.
    fn points(&self) -> Option<Vec<u32>> {
        let Expect::Number {
            min: Some(min),
            max: Some(max),
        } = self.expect
        else {
            return None;
        };
        let whole = |bound: f64| bound.fract() == 0.0 && (0.0..=1e9).contains(&bound);
        if !whole(min) || !whole(max) {
            return None;
        }
        let points: Vec<u32> = (min as u32..=max as u32).take(MAX_POINTS + 1).collect();
        (points.len() <= MAX_POINTS).then_some(points)
    }

    /// What may be chosen; nothing for what is typed.
    pub fn choices(&self, language: &str) -> Vec<Choice> {
        let Some(points) = self.points() else {
            return self.expect.choices(language);
        };
        let point = |point: &u32| {
            let point = point.to_string();
            Choice {
                label: Some(Prompt::text(&point)),
                words: Vec::new(),
                key: point,
            }
        };
        points.iter().map(point).collect()
    }

    /// The choice that leaves it open; none for an invitation, which has a no of its own.
    pub fn skip(&self, key: Option<&str>, language: &str) -> Option<Choice> {
        skip_choice(key.filter(|_| !self.name.is_empty()), language)
    }

    pub fn is_skipped(&self, key: Option<&str>, heard: &Heard) -> bool {
        !self.name.is_empty()
            && matches!(heard, Heard::Choice(chosen) if Some(chosen.as_str()) == key)
    }

    /// The entry of digits, if it is answered by one.
    pub fn digits(&self, end_key: &str) -> Option<Digits> {
        match self.points() {
            Some(_) => None,
            None => self.expect.digits(end_key),
        }
    }

    /// Whether what a chat's contact writes is an answer, beyond bare digits and choices.
    pub fn is_written(&self) -> bool {
        self.points().is_none() && self.expect.is_written()
    }

    /// Whether the answer is free words of a caller, which are recorded.
    pub fn is_spoken(&self, facts: &Facts) -> bool {
        matches!(self.expect, Expect::Text) && facts.channel == Channel::Voice
    }

    /// The value of what was heard; `None` when it does not fit.
    pub fn read(&self, heard: &Heard) -> Result<Option<Value>, Failure> {
        if let (Some(_), Heard::Choice(point)) = (self.points(), heard) {
            return Ok(point.parse::<u32>().ok().map(|point| json!(point)));
        }
        let currency = self.expect.currency()?;
        self.expect.read(heard, currency.as_deref())
    }
}
