//! What a step asks of the world beyond the contact: HTTP, data, log lines; and what its tenant may have of them.
//!
//! ```text
//! allowance   one tenant's limits and what was refused by them
//! http        a request from the guest's words to the response     redirect   what follows a response
//! granted     what a plugin's own grants let through
//! connect     connections, only to addresses looked at             address    which those are
//! secret      secrets in requests, and out of responses            kv         the plugin's own data
//! authorities who is believed besides the usual web authorities
//! ```

mod address;
mod allowance;
mod authorities;
mod connect;
mod echo;
pub(crate) mod granted;
mod http;
mod kv;
mod limits;
mod redirect;
mod secret;

use strowger_contact::call::CallError;

pub(crate) use address::private;
pub use allowance::Allowance;
pub(crate) use allowance::{StepUse, Wanted};
pub use authorities::{Authorities, NoAuthorities};
pub(crate) use http::{causes, may_reach, may_send};
pub use limits::{EffectLimits, HttpLimits, LogLimits, ProjectLimits};
pub(crate) use limits::{JOURNAL_MB, JOURNAL_MB_RANGE, MEMORY_MIB, MEMORY_MIB_RANGE, WrongLimit};
pub(crate) use secret::Secret;

/// A call that is not done.
#[derive(Debug)]
pub(crate) struct Refusal {
    /// The rule that refused it, for the counters; none where something else went wrong.
    pub rule: Option<&'static str>,
    /// What the guest is told.
    pub error: CallError,
}

impl Refusal {
    /// Why, for those who are no guest.
    pub(crate) fn words(self) -> String {
        match self.error {
            CallError::Denied(why)
            | CallError::InvalidArgument(why)
            | CallError::Limit(why)
            | CallError::Unavailable(why)
            | CallError::Failed(why) => why,
            error @ (CallError::Hangup
            | CallError::Timeout
            | CallError::Cancelled
            | CallError::Interrupted) => format!("{error:?}"),
        }
    }

    /// Beyond a limit, which the text names.
    pub(crate) fn limit(rule: &'static str, text: impl std::fmt::Display) -> Refusal {
        Refusal {
            rule: Some(rule),
            error: CallError::Limit(format!("{text} (limits.{rule})")),
        }
    }

    /// Not allowed, whatever the amount. The text has the capability and what it was asked for.
    pub(crate) fn denied(rule: &'static str, text: String) -> Refusal {
        Refusal {
            rule: Some(rule),
            error: CallError::Denied(text),
        }
    }
}

impl From<CallError> for Refusal {
    fn from(error: CallError) -> Refusal {
        Refusal { rule: None, error }
    }
}
