//! The door through which everything passes that a guest asks for.

use std::future::Future;
use std::pin::Pin;

use serde_json::Value;

use crate::pauses::Pauses;

/// What [`HostCalls::call`] gives back: the answer, or why there is none.
pub type HostCallFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Value, HostCallError>> + Send + 'a>>;

/// Answers the host calls of one step.
///
/// One value serves one step, one call at a time, in the guest's order; whoever implements it journals
/// the call, does it or hands it on, and journals the answer. It runs on the guest threads: it must
/// not block, and everything slow belongs behind an await.
pub trait HostCalls: Send {
    /// Answers one call. `interface` is the capability's short name such as `media`, `function` the
    /// name in the WIT such as `listen`, `args` one value per parameter in the mapping of
    /// [`value`](crate::value).
    ///
    /// The value returned must fit the function's result type in the same mapping: for a
    /// `result<heard, error>` for instance `{"ok": {"choice": "1"}}` or `{"err": "hangup"}`; `null`
    /// where the function has no result. One that does not fit ends the step as
    /// [`StepError::HostFault`](crate::StepError::HostFault).
    fn call<'a>(
        &'a mut self,
        interface: &'a str,
        function: &'a str,
        args: Vec<Value>,
    ) -> HostCallFuture<'a>;

    /// When the step stands still for something that is the engine's: it is not busy then. None where it never does.
    fn pauses(&self) -> Option<Pauses> {
        None
    }
}

/// Why a host call has no answer. What the guest should know, such as a hang-up, is an answer instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostCallError {
    /// The step shall end here; the instance is thrown away and the report says
    /// [`StepError::Cancelled`](crate::StepError::Cancelled).
    #[error("the step was stopped: {0}")]
    Stop(String),
    /// An instance that was built anew asks something else than the one before it: see [`Told`](crate::Told). The report
    /// says [`StepError::NotRepeated`](crate::StepError::NotRepeated).
    #[error("call {call} is another one this time: `{function}`")]
    NotRepeated {
        /// Which call, counted from 1.
        call: usize,
        /// `interface.function` as it is now.
        function: String,
    },
    /// The provider cannot answer although it should: a bug or a broken journal. The report says
    /// [`StepError::HostFault`](crate::StepError::HostFault).
    #[error("the engine could not answer: {0}")]
    Bad(String),
}

/// Refuses every call: for steps that need none, and for the description of a plugin.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCalls;

impl HostCalls for NoCalls {
    fn call<'a>(
        &'a mut self,
        interface: &'a str,
        function: &'a str,
        _args: Vec<Value>,
    ) -> HostCallFuture<'a> {
        let refusal = HostCallError::Stop(format!(
            "no host call is allowed here: {interface}.{function}"
        ));
        Box::pin(std::future::ready(Err(refusal)))
    }
}
