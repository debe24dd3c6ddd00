//! What becomes of a contact that is replayed.

use serde::Serialize;

use super::difference::Difference;

/// What a replay shows.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Verdict {
    /// The contact walks as it did.
    Same,
    /// It does not.
    Differs(Box<Difference>),
    /// The journal does not hold what a replay needs.
    NotReplayed {
        /// Why, and what to do.
        why: String,
    },
}

/// A contact that was replayed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Replayed {
    /// Its id, or the journal's file.
    pub contact: String,
    /// The result.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// Journal entries that were the same.
    pub entries: usize,
    /// Whether flows and plugins are those of then, to the last byte and with the same configuration.
    pub unchanged: bool,
    /// Why it was not replayed, in the words of all contacts of which that is so alike.
    #[serde(skip)]
    pub(crate) kind: Option<&'static str>,
    /// What to know about the result.
    pub notes: Vec<String>,
}
