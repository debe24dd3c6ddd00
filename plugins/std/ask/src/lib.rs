//! The standard step `ask`: asks for a value, checks it, and has it confirmed when the flow wants that.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use strowger_sdk::contact;
use strowger_sdk::media::{self, Binding, Heard, ListenOptions, Utterance};
use strowger_sdk::{Attempts, Failure, Miss, Outcome, Reprompt};

use std_answers::{Expect, YesNo, barge_in, end_key, gap, timeout};

strowger_sdk::plugin! {
    description: "../description.json",
    steps: { "ask" => ask },
}

/// What the flow gives. Defaults are those of the description.
#[derive(Deserialize)]
struct Ask {
    prompt: String,
    /// What a repetition says in place of the prompt.
    short: Option<String>,
    expect: Expect,
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
    /// A prompt that says the value and asks whether it is right: 1 is yes, 2 is no.
    confirm: Option<String>,
    /// An expression that is true for a value that will do.
    valid: Option<String>,
    #[serde(default)]
    reprompt: Reprompt,
    #[serde(default)]
    sensitive: bool,
    /// The variable that the flow's `into` names: prompts and expressions may use that name too.
    #[serde(rename = "$into")]
    into: Option<String>,
    #[serde(default, rename = "$kept")]
    kept: Attempts,
}

#[derive(Serialize)]
struct Answer {
    value: Value,
}

/// What is asked at the moment.
enum Stage {
    /// For the value.
    Value,
    /// Whether this value is right.
    Confirm(Value, Vec<Binding>),
}

fn ask(input: Ask) -> Result<Outcome, Failure> {
    let sensitive = input.sensitive || input.expect.is_always_secret();
    if sensitive && !input.expect.is_typed() {
        let message = "`sensitive` fits only what is typed; a choice has no digits to hide";
        return Err(Failure::new("bad-input", message));
    }
    let language = contact::read().primary_language();
    let again = input.short.as_ref().unwrap_or(&input.prompt);
    let common = ListenOptions {
        barge_in: input.barge_in,
        timeout_ms: input.timeout,
        gap_ms: input.gap,
        ..ListenOptions::default()
    };
    let for_value = ListenOptions {
        choices: input.expect.choices(&language),
        digits: input.expect.digits(media::key(&input.end_key)),
        text: input.expect.is_written(),
        sensitive,
        ..common.clone()
    };
    let for_confirmation = ListenOptions {
        choices: YesNo::choices(&language),
        ..common
    };
    let currency = input.expect.currency()?;

    let mut attempts = input.kept;
    // Times that the contact called a value wrong. That is an answer, so no ladder is climbed; but it
    // counts, or the step could go on for ever.
    let mut rejected: u32 = 0;
    let mut stage = Stage::Value;
    let mut what = Utterance::given(input.prompt.clone());
    loop {
        let miss = match &stage {
            Stage::Value => {
                let heard = media::listen(&what, &for_value)?;
                let value = input.expect.read(&heard, currency.as_deref())?;
                match value {
                    None if heard == Heard::Nothing => Some(Miss::NoInput),
                    None => Some(Miss::NoMatch),
                    Some(value) => {
                        let bindings = bindings(&value, input.into.as_deref())?;
                        if !is_valid(input.valid.as_deref(), &bindings)? {
                            Some(Miss::NoMatch)
                        } else if let Some(confirm) = &input.confirm {
                            what = Utterance {
                                bindings: bindings.clone(),
                                ..Utterance::given(confirm.clone())
                            };
                            stage = Stage::Confirm(value, bindings);
                            continue;
                        } else {
                            return Outcome::with("ok", &Answer { value });
                        }
                    }
                }
            }
            Stage::Confirm(value, _) => match media::listen(&what, &for_confirmation)? {
                Heard::Choice(key) if YesNo::is_yes(&key) => {
                    return Outcome::with(
                        "ok",
                        &Answer {
                            value: value.clone(),
                        },
                    );
                }
                Heard::Choice(_) => None,
                Heard::Nothing => Some(Miss::NoInput),
                _ => Some(Miss::NoMatch),
            },
        };
        let limit = input.attempts.saturating_sub(rejected);
        let Some(miss) = miss else {
            rejected += 1;
            if attempts.total().saturating_add(1) >= limit {
                return Outcome::with(Miss::NoMatch.outcome(), &attempts);
            }
            stage = Stage::Value;
            what = Utterance::given(again.clone());
            continue;
        };
        let Some(line) = attempts.miss(miss, limit, &input.reprompt) else {
            return Outcome::with(miss.outcome(), &attempts);
        };
        let (prompt, bindings) = match (&stage, &input.confirm) {
            (Stage::Confirm(_, bindings), Some(confirm)) => (confirm, bindings.clone()),
            _ => (again, Vec::new()),
        };
        what = Utterance {
            bindings,
            ..Utterance::given_after(line, prompt.clone())
        };
    }
}

/// The names under which prompts and expressions know the value.
fn bindings(value: &Value, into: Option<&str>) -> Result<Vec<Binding>, Failure> {
    let names = ["value"]
        .into_iter()
        .chain(into.filter(|name| *name != "value"));
    names.map(|name| Binding::value(name, value)).collect()
}

fn is_valid(expression: Option<&str>, bindings: &[Binding]) -> Result<bool, Failure> {
    let Some(expression) = expression else {
        return Ok(true);
    };
    match media::evaluate(expression, bindings)? {
        Value::Bool(valid) => Ok(valid),
        _ => Err(Failure::new(
            "bad-expression",
            "`valid` is neither true nor false",
        )),
    }
}

fn attempts() -> u32 {
    3
}

#[cfg(test)]
mod tests;
