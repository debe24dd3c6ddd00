//! Why something pushed or released is not taken.

use std::ops::RangeInclusive;

use serde::Serialize;
use utoipa::ToSchema;

use super::archive::ArchiveError;
use crate::store::{PublishedError, StoreError};

/// One thing that is wrong with what was pushed, or odd.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = PushFinding)]
pub struct Told {
    /// The rule or the kind of complaint.
    pub rule: String,
    /// The file below the project's folder; none for what came as a component alone.
    #[schema(required)]
    pub file: Option<String>,
    /// From 1.
    #[schema(required)]
    pub line: Option<u32>,
    /// From 1.
    #[schema(required)]
    pub column: Option<u32>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    #[schema(required)]
    pub help: Option<String>,
}

impl Told {
    /// As one line for people.
    pub fn line(&self) -> String {
        format!("error[{}]: {}\n", self.rule, self.message)
    }

    /// A complaint without a place.
    pub fn plain(rule: &str, message: impl Into<String>) -> Told {
        Told {
            rule: rule.to_owned(),
            file: None,
            line: None,
            column: None,
            message: message.into(),
            help: None,
        }
    }
}

/// Why something pushed or released is not taken. Nothing of it is kept then.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is no such tenant, revision or plugin.
    #[error("{0}")]
    Unknown(String),
    /// The archive.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// What was pushed has errors: all of them.
    #[error("what was pushed has {} error{}{}", .told.len(), if .told.len() == 1 { "" } else { "s" }, further(*.left_out))]
    Errors {
        /// How many findings there are beside those that are told, at least: each file has room for some.
        left_out: usize,
        /// For programs.
        told: Vec<Told>,
        /// For people, with frames.
        text: String,
    },
    /// What is asked cannot be for any tenant.
    #[error("{why}")]
    Invalid {
        /// The member of the request that is wrong.
        field: &'static str,
        /// What is wrong with it, and what it may be.
        why: String,
    },
    /// It does not fit what is there.
    #[error("{0}")]
    Conflict(String),
    /// Another release holds than the one for which it was asked.
    #[error("{0}")]
    Overtaken(String),
    /// It is not possible for this tenant or at this time.
    #[error("{0}")]
    Denied(String),
    /// New capabilities or publishers that nobody accepted.
    #[error(
        "this revision has what the live one has not: {}; look at it and release with these accepted",
        .0.join(", ")
    )]
    NotAccepted(Vec<String>),
    /// A limit of the tenant.
    #[error("{0}")]
    Limit(String),
    /// The engine is too busy now; nothing is known of what was pushed.
    #[error(
        "the engine is too busy to check this now: {0}; what was pushed is not to blame, push it again in a minute"
    )]
    Busy(String),
    /// This machine cannot.
    #[error("{0}")]
    Unable(String),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Refusal {
    /// Several as one that tells of them all. An engine that is too busy, or that cannot, says nothing of what was pushed.
    pub fn all(first: Refusal, more: impl IntoIterator<Item = Refusal>) -> Refusal {
        let mut refusals: Vec<Refusal> = std::iter::once(first).chain(more).collect();
        if refusals.len() == 1 {
            return refusals.swap_remove(0);
        }
        let ours = |refusal: &Refusal| {
            matches!(
                refusal,
                Refusal::Busy(_) | Refusal::Unable(_) | Refusal::Store(_)
            )
        };
        if let Some(at) = refusals.iter().position(ours) {
            return refusals.swap_remove(at);
        }
        let (mut told, mut text, mut left_out) = (Vec::new(), String::new(), 0);
        for refusal in refusals {
            let one = match refusal {
                Refusal::Errors {
                    told,
                    text,
                    left_out: more,
                } => {
                    left_out += more;
                    (told, text)
                }
                other => {
                    let told = Told::plain(other.rule(), other.to_string());
                    let text = told.line();
                    (vec![told], text)
                }
            };
            told.extend(one.0);
            text += &one.1;
        }
        Refusal::Errors {
            left_out,
            told,
            text,
        }
    }

    /// The kind of complaint where it stands among others.
    fn rule(&self) -> &'static str {
        match self {
            Refusal::Conflict(_) => "plugin-version",
            Refusal::Denied(_) => "not-allowed",
            Refusal::Limit(_) => "limit",
            _ => "refused",
        }
    }

    /// One complaint as a refusal.
    pub fn one(told: Told) -> Refusal {
        Refusal::plain(vec![told])
    }

    /// Complaints without frames, all that there are.
    pub fn plain(told: Vec<Told>) -> Refusal {
        Refusal::Errors {
            left_out: 0,
            text: told.iter().map(Told::line).collect(),
            told,
        }
    }
}

/// That there are more findings than are told.
fn further(left_out: usize) -> String {
    match left_out {
        0 => String::new(),
        more => format!(" and more: {more} or more further findings are not shown"),
    }
}

impl From<PublishedError> for Refusal {
    fn from(error: PublishedError) -> Refusal {
        match error {
            PublishedError::Store(error) => Refusal::Store(error),
            overtaken @ PublishedError::Overtaken { .. } => {
                Refusal::Overtaken(overtaken.to_string())
            }
            taken => Refusal::Conflict(taken.to_string()),
        }
    }
}

/// A number of a request, if it is one of those that may be.
///
/// It is read as wide as JSON writes it, so that whatever number comes is told in the same words.
pub(crate) fn within<T: TryFrom<u64>>(
    field: &'static str,
    value: u64,
    range: RangeInclusive<u64>,
) -> Result<T, Refusal> {
    let read = range.contains(&value).then(|| T::try_from(value).ok());
    read.flatten().ok_or_else(|| Refusal::Invalid {
        field,
        why: format!(
            "{field} is {} to {}, not {value}",
            range.start(),
            range.end()
        ),
    })
}
