//! What the standard steps that ask have in common: how to listen for an answer of a kind, and how to read it.

mod answer;
mod expect;
mod words;

use strowger_sdk::media::{Choice, Prompt};

pub use answer::phone;
pub use expect::{Expect, PHONE};
pub use words::YesNo;

/// A choice of a step's own: a key, the words that mean it, and what a chat's button says.
pub fn choice(key: &str, label: &str, words: &[&str]) -> Choice {
    Choice {
        key: key.to_owned(),
        label: Some(Prompt::text(label)),
        words: words.iter().map(|word| (*word).to_owned()).collect(),
    }
}
