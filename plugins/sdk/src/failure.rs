//! How a step fails.

use crate::{Error, Failure};

impl Failure {
    /// A failure that running the step again would not mend. `code` is a short word in kebab case,
    /// `message` one sentence for the operator.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Failure {
        Failure {
            code: code.into(),
            message: message.into(),
            retryable: false,
        }
    }

    /// A failure that may be gone when the step runs again, such as a service that is down.
    pub fn retryable(code: impl Into<String>, message: impl Into<String>) -> Failure {
        Failure {
            retryable: true,
            ..Failure::new(code, message)
        }
    }
}

impl From<Error> for Failure {
    /// The code is the refusal's own name in kebab case. `timeout` and `unavailable` may be tried again.
    fn from(error: Error) -> Failure {
        match error {
            Error::Denied(what) => Failure::new("denied", what),
            Error::Hangup => Failure::new("hangup", "The contact is gone."),
            Error::Timeout => Failure::retryable("timeout", "A host call took too long."),
            Error::Cancelled => Failure::new("cancelled", "The flow left the step."),
            Error::Interrupted => Failure::new(
                "interrupted",
                "The engine restarted in the middle of an effect; it is unknown whether it took place.",
            ),
            Error::InvalidArgument(why) => Failure::new("invalid-argument", why),
            Error::Limit(which) => Failure::new("limit", which),
            Error::Unavailable(why) => Failure::retryable("unavailable", why),
            Error::Failed(why) => Failure::new("failed", why),
        }
    }
}
