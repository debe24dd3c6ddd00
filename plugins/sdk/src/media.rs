//! `media`: speaking with the contact. Prompts go out; keys, text and recordings come in.

use serde::Serialize;

pub use crate::bindings::strowger::media::media::{
    Binding, Bound, Choice, Digits, Heard, ListenOptions, Prompt, RecordOptions, Recording,
    RecordingEnd, Said, Secret, SpokenValue, TextPrompt, Utterance,
};

use crate::{Error, Failure, host};

/// Says something and waits until it is said.
pub fn say(what: &Utterance, barge_in: bool) -> Result<Said, Error> {
    host::media::say(what, barge_in)
}

/// Says something, then waits for the contact.
pub fn listen(what: &Utterance, options: &ListenOptions) -> Result<Heard, Error> {
    host::media::listen(what, options)
}

/// Records what the caller says.
pub fn capture(options: &RecordOptions) -> Result<Recording, Error> {
    host::media::capture(options)
}

/// Whether a secret entry could be the number of a card: its last digit checks the others (Luhn).
pub fn is_card_number(secret: &Secret) -> Result<bool, Error> {
    host::media::is_card_number(&secret.handle)
}

/// The value of an expression that the flow gave to this step, with names bound to JSON values.
pub fn evaluate(expression: &str, bindings: &[Binding]) -> Result<serde_json::Value, Failure> {
    let json = host::media::evaluate(expression, bindings)?;
    serde_json::from_str(&json)
        .map_err(|error| Failure::new("bad-value", format!("the value of an expression: {error}")))
}

impl Utterance {
    /// Nothing: listening in silence.
    pub fn silence() -> Utterance {
        Utterance {
            prompts: Vec::new(),
            bindings: Vec::new(),
        }
    }

    /// A prompt that the flow gave, by its handle.
    pub fn given(handle: impl Into<String>) -> Utterance {
        Utterance::silence().then(Prompt::Given(handle.into()))
    }

    /// The same, after a line of the ladder where there is one.
    pub fn given_after(line: Option<String>, handle: impl Into<String>) -> Utterance {
        let handles = line.into_iter().chain([handle.into()]);
        Utterance {
            prompts: handles.map(Prompt::Given).collect(),
            bindings: Vec::new(),
        }
    }

    /// A text of the step's own, in the contact's language.
    pub fn text(text: impl Into<String>) -> Utterance {
        Utterance::silence().then(Prompt::text(text))
    }

    /// And after that another prompt.
    #[must_use]
    pub fn then(mut self, prompt: Prompt) -> Utterance {
        self.prompts.push(prompt);
        self
    }

    /// With a name of the given prompts bound.
    #[must_use]
    pub fn bind(mut self, binding: Binding) -> Utterance {
        self.bindings.push(binding);
        self
    }
}

impl Binding {
    /// A name that stands for a value. Fails with `bad-value` when it cannot be written as JSON.
    pub fn value(name: impl Into<String>, value: &impl Serialize) -> Result<Binding, Failure> {
        let name = name.into();
        match serde_json::to_string(value) {
            Ok(json) => Ok(Binding {
                name,
                value: Bound::Value(json),
            }),
            Err(error) => Err(Failure::new(
                "bad-value",
                format!("the value of `{name}`: {error}"),
            )),
        }
    }

    /// A name that stands for further prompts.
    pub fn prompts(name: impl Into<String>, prompts: Vec<Prompt>) -> Binding {
        Binding {
            name: name.into(),
            value: Bound::Prompts(prompts),
        }
    }
}

impl Prompt {
    /// A text in the contact's language.
    pub fn text(text: impl Into<String>) -> Prompt {
        Prompt::Text(TextPrompt {
            text: text.into(),
            language: None,
        })
    }

    /// A value in the words of the contact's language; `style` is a say-as filter such as `digits`.
    /// Fails with `bad-value` when the value cannot be written as JSON.
    pub fn spoken(value: &impl Serialize, style: impl Into<String>) -> Result<Prompt, Failure> {
        let value = serde_json::to_string(value)
            .map_err(|error| Failure::new("bad-value", format!("a value to be spoken: {error}")))?;
        Ok(Prompt::Spoken(SpokenValue {
            value,
            style: style.into(),
            language: None,
        }))
    }
}

impl Secret {
    /// The secret as data of an outcome or as a bound value: a handle, never the digits.
    pub fn to_value(&self) -> serde_json::Value {
        secret(&self.handle, self.length, &self.last_four)
    }
}

impl Recording {
    /// The name of a sensitive recording as data of an outcome: a handle, never the name.
    pub fn to_value(&self) -> serde_json::Value {
        secret(&self.id, 0, "")
    }
}

fn secret(handle: &str, length: u32, last_four: &str) -> serde_json::Value {
    serde_json::json!({ "secret": handle, "length": length, "lastFour": last_four })
}

impl Choice {
    /// A choice by its key, without label and words.
    pub fn key(key: impl Into<String>) -> Choice {
        Choice {
            key: key.into(),
            label: None,
            words: Vec::new(),
        }
    }
}

/// The key itself, where the flow language has a word for it: `star` is `*` and `hash` is `#`.
pub fn key(name: &str) -> &str {
    match name {
        "star" => "*",
        "hash" => "#",
        key => key,
    }
}

impl Default for ListenOptions {
    /// Keys stop the prompt; 5 seconds to the first key, 2 seconds between keys; nothing is expected yet.
    fn default() -> ListenOptions {
        ListenOptions {
            barge_in: true,
            choices: Vec::new(),
            digits: None,
            text: false,
            timeout_ms: 5_000,
            gap_ms: 2_000,
            sensitive: false,
        }
    }
}
