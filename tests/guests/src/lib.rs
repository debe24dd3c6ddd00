//! What the guests of the host's tests share.
//!
//! Beside this folder's own files stand the fixtures, one per host interface and of its name: each calls
//! every function of the interface and tells what it got. `hostile/` has those that mean harm; they may
//! cost nobody but themselves.

use serde::Serialize;
use serde_json::{Value, json};
use strowger_sdk::{Error, Failure, Outcome};

/// Exports a guest: its name, its steps, and one function for all of them.
///
/// Every step takes any object. Its outcomes are `done`, with any data, and `number`, whose data must be
/// `{"n": integer}`.
#[macro_export]
macro_rules! guest {
    (name: $name:literal, steps: [$first:literal $(, $more:literal)*], run: $run:path) => {
        /// The answer to `describe`.
        pub const DESCRIPTION: &str = concat!(
            r#"{"name":""#, $name, r#"","version":"1.0.0","steps":{"#,
            $crate::step!($first) $(, ",", $crate::step!($more))*,
            "}}"
        );

        $crate::export! {
            fn describe() -> String {
                DESCRIPTION.to_owned()
            }

            fn run(step: String, input: String) -> Result<strowger_sdk::Outcome, strowger_sdk::Failure> {
                strowger_sdk::with_input(&input, |input: serde_json::Value| $run(&step, &input))
            }
        }
    };
}

/// The description of one step.
#[macro_export]
macro_rules! step {
    ($name:literal) => {
        concat!(
            r#"""#, $name, r#"":{"input":{"type":"object","properties":{"kind":{"type":"string"},"bytes":{"type":"integer"},"levels":{"type":"integer"},"times":{"type":"integer"},"key":{"type":"string"},"queue":{"type":"string"},"plan":{"type":"string"},"say":{"type":"string","format":"prompt"}}},"binds":{"value":{},"choices":{}},"outcomes":{"done":{},"#,
            r#""number":{"type":"object","required":["n"],"properties":{"n":{"type":"integer"}}}},"idempotent":true}"#
        )
    };
}

/// Exports two functions of the guest's own as `describe` and `run`.
#[macro_export]
macro_rules! export {
    ($($function:item)*) => {
        /// The component.
        pub struct Component;

        impl strowger_sdk::bindings::exports::strowger::step::guest::Guest for Component {
            $($function)*
        }

        #[cfg(target_arch = "wasm32")]
        strowger_sdk::bindings::export!(Component with_types_in strowger_sdk::bindings);
    };
}

/// The outcome `done` with data.
pub fn done(data: &Value) -> Result<Outcome, Failure> {
    Outcome::with("done", data)
}

/// What a host call answered: `{"ok": …}` or `{"err": …}`, refusals by their names in the contract.
pub fn answer<T: Serialize>(result: Result<T, Error>) -> Value {
    match result {
        Ok(value) => json!({ "ok": value }),
        Err(error) => json!({ "err": refusal(error) }),
    }
}

fn refusal(error: Error) -> Value {
    match error {
        Error::Denied(what) => json!({ "denied": what }),
        Error::Hangup => json!("hangup"),
        Error::Timeout => json!("timeout"),
        Error::Cancelled => json!("cancelled"),
        Error::Interrupted => json!("interrupted"),
        Error::InvalidArgument(why) => json!({ "invalid-argument": why }),
        Error::Limit(which) => json!({ "limit": which }),
        Error::Unavailable(why) => json!({ "unavailable": why }),
        Error::Failed(what) => json!({ "failed": what }),
    }
}

/// A field of a guest's input, or its default when it is missing or of another type.
pub fn field<T: serde::de::DeserializeOwned + Default>(input: &Value, name: &str) -> T {
    input
        .get(name)
        .and_then(|value| T::deserialize(value).ok())
        .unwrap_or_default()
}
