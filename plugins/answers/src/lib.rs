//! What the standard steps that ask have in common: how to listen for an answer of a kind, and how to read it.

mod answer;
mod expect;
mod numerals;
mod words;

use strowger_sdk::media::{Choice, Prompt};

pub use answer::phone;
pub use expect::{Expect, PHONE};
pub use words::YesNo;

/// How long it is silent from the end of a prompt to the first key, unless the flow says otherwise. Milliseconds.
pub fn timeout() -> u32 {
    5_000
}

/// How long between two keys, unless the flow says otherwise. Milliseconds.
pub fn gap() -> u32 {
    3_000
}

/// The key that completes an entry, unless the flow names another.
pub fn end_key() -> String {
    "#".to_owned()
}

/// Whether a key stops a prompt, unless the flow says otherwise.
pub fn barge_in() -> bool {
    true
}

/// A choice of a step's own: a key, the words that mean it, and what a chat's button says.
pub fn choice(key: &str, label: &str, words: &[&str]) -> Choice {
    Choice {
        key: key.to_owned(),
        label: Some(Prompt::text(label)),
        words: words.iter().map(|word| (*word).to_owned()).collect(),
    }
}
