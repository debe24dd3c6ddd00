//! The standard step `callback`: offers to call back, and promises it.
//!
//! What is promised is the outcome's data, and by its description tags of the contact: the journal has it at once, the contact's
//! record and whoever is told of it by a webhook at the contact's end.

mod moment;

use serde::{Deserialize, Serialize};
use std_answers::{Expect, PHONE, YesNo, barge_in, choice, end_key, gap, phone, timeout};
use strowger_sdk::contact::{self, Facts};
use strowger_sdk::media::{self, Binding, Choice, Heard, ListenOptions, Utterance};
use strowger_sdk::{Attempts, Failure, Miss, Outcome, Reprompt, env};

strowger_sdk::plugin! {
    description: "../description.json",
    steps: { "callback" => callback },
}

/// What the flow gives. Defaults are those of the description.
#[derive(Deserialize)]
struct Callback {
    prompt: String,
    ask_number: String,
    confirm: String,
    /// The number to offer, in place of the caller's own.
    number: Option<String>,
    #[serde(default = "within")]
    within: u64,
    priority: Option<u32>,
    reason: Option<String>,
    #[serde(default = "attempts")]
    attempts: u32,
    #[serde(default = "timeout")]
    timeout: u32,
    #[serde(default = "gap")]
    gap: u32,
    #[serde(default = "end_key")]
    end_key: String,
    #[serde(default = "barge_in")]
    barge_in: bool,
    #[serde(default)]
    reprompt: Reprompt,
    #[serde(default, rename = "$kept")]
    kept: Attempts,
}

/// A promise to call.
#[derive(Serialize)]
struct Booked {
    id: String,
    phone: String,
    due: String,
    within: u64,
    priority: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// What is asked at the moment.
enum Stage {
    /// Whether to call this number.
    Offer(String),
    /// Which number to call.
    Number,
    /// Whether this number, which was entered, is right.
    Confirm(String),
}

/// What the contact wants.
enum Wish {
    /// To be called at this number.
    Call(String),
    /// To be asked for a number.
    Other,
    /// To be asked whether this number, which was entered, is right.
    Check(String),
    /// To be asked for the number again.
    Wrong,
    /// Not to be called.
    Nothing,
}

/// The keys of the offer.
const YES: &str = "1";
const OTHER: &str = "2";
const NO: &str = "3";
/// The key that declines where digits are a number.
const NO_NUMBER: &str = "*";

fn callback(input: Callback) -> Result<Outcome, Failure> {
    let facts = contact::read();
    let offered = input.number.as_deref().unwrap_or(&facts.from);
    let mut stage = match phone(offered, PHONE) {
        Some(number) => Stage::Offer(number),
        None => Stage::Number,
    };
    let mut misses = input.kept;
    // Numbers that the contact called wrong: an answer, so no ladder is climbed, but it counts, or the step could go on for ever.
    let mut wrong: u32 = 0;
    let mut line = None;
    loop {
        let heard = input.listen(&stage, line.take(), &facts)?;
        let limit = input.attempts.saturating_sub(wrong);
        match wish(&stage, &heard)? {
            Some(Wish::Call(number)) => return input.book(number, &facts),
            Some(Wish::Nothing) => return Ok(Outcome::named("declined")),
            Some(Wish::Other) => stage = Stage::Number,
            Some(Wish::Check(number)) => stage = Stage::Confirm(number),
            Some(Wish::Wrong) => {
                wrong += 1;
                if misses.total().saturating_add(1) >= limit {
                    return Outcome::with(Miss::NoMatch.outcome(), &misses);
                }
                stage = Stage::Number;
            }
            None => {
                let miss = match heard {
                    Heard::Nothing => Miss::NoInput,
                    _ => Miss::NoMatch,
                };
                let Some(next) = misses.miss(miss, limit, &input.reprompt) else {
                    return Outcome::with(miss.outcome(), &misses);
                };
                line = next;
            }
        }
    }
}

/// What was heard, understood; `None` when it does not fit.
fn wish(stage: &Stage, heard: &Heard) -> Result<Option<Wish>, Failure> {
    let entered = |heard: &Heard| -> Result<Option<Wish>, Failure> {
        let number = Expect::Phone.read(heard, None)?;
        let number = number.as_ref().and_then(|number| number.as_str());
        Ok(number.map(|number| Wish::Check(number.to_owned())))
    };
    Ok(match (stage, heard) {
        (Stage::Offer(number), Heard::Choice(key)) => match key.as_str() {
            YES => Some(Wish::Call(number.clone())),
            OTHER => Some(Wish::Other),
            _ => Some(Wish::Nothing),
        },
        (Stage::Number, Heard::Choice(_)) => Some(Wish::Nothing),
        (Stage::Confirm(number), Heard::Choice(key)) => Some(match YesNo::is_yes(key) {
            true => Wish::Call(number.clone()),
            false => Wish::Wrong,
        }),
        // Whoever writes a number in place of an answer wants that one.
        (_, heard) => entered(heard)?,
    })
}

impl Callback {
    /// Says what the stage asks, after a line of the ladder where there is one, and listens.
    fn listen(&self, stage: &Stage, line: Option<String>, facts: &Facts) -> Result<Heard, Failure> {
        let language = facts.primary_language();
        let (prompt, number) = match stage {
            Stage::Offer(number) => (&self.prompt, number.as_str()),
            Stage::Number => (&self.ask_number, ""),
            Stage::Confirm(number) => (&self.confirm, number.as_str()),
        };
        let what = Utterance::given_after(line, prompt.clone())
            .bind(Binding::value("number", &number)?)
            .bind(Binding::value("within", &self.within)?);
        let options = ListenOptions {
            barge_in: self.barge_in,
            choices: match stage {
                Stage::Offer(_) => offers(&language),
                Stage::Number => vec![declines(NO_NUMBER, &language)],
                Stage::Confirm(_) => YesNo::choices(&language),
            },
            digits: match stage {
                Stage::Number => Expect::Phone.digits(media::key(&self.end_key)),
                Stage::Offer(_) | Stage::Confirm(_) => None,
            },
            text: true,
            timeout_ms: self.timeout,
            gap_ms: self.gap,
            sensitive: false,
        };
        Ok(media::listen(&what, &options)?)
    }

    fn book(self, phone: String, facts: &Facts) -> Result<Outcome, Failure> {
        let due = env::now().saturating_add(self.within);
        Outcome::with(
            "booked",
            &Booked {
                id: format!("callback-{}", facts.id),
                phone,
                due: moment::rfc3339(due),
                within: self.within,
                priority: self.priority.unwrap_or(facts.priority),
                reason: self.reason.filter(|reason| !reason.is_empty()),
            },
        )
    }
}

/// The choices of the offer.
fn offers(language: &str) -> Vec<Choice> {
    let (yes, other) = match language {
        "zh" => ("请回电", "换一个号码"),
        _ => ("Yes, call me", "Another number"),
    };
    let words = [
        "yes",
        "y",
        "ok",
        "call me",
        "是",
        "好",
        "好的",
        "可以",
        "需要",
        "请回电",
    ];
    let others = [
        "another number",
        "another",
        "other",
        "其他号码",
        "换号码",
        "换一个号码",
    ];
    vec![
        choice(YES, yes, &words),
        choice(OTHER, other, &others),
        declines(NO, language),
    ]
}

fn declines(key: &str, language: &str) -> Choice {
    let label = match language {
        "zh" => "不需要回电",
        _ => "No call back",
    };
    let words = [
        "no",
        "n",
        "no thanks",
        "不",
        "不用",
        "不需要",
        "不需要回电",
        "no call back",
    ];
    choice(key, label, &words)
}

fn within() -> u64 {
    7_200_000
}

fn attempts() -> u32 {
    3
}

#[cfg(test)]
mod tests;
