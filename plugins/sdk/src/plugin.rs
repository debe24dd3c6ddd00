//! From the exported functions to the author's.

use serde::de::DeserializeOwned;

use crate::{Failure, Outcome};

/// Exports a plugin: its description and a function for each of its steps.
///
/// `description` is the path of a JSON file, from the file in which the macro stands, that satisfies
/// `description.schema.json` of the contract. Each step is a function from its input, any type that
/// serde reads, to `Result<Outcome, Failure>`.
///
/// Beside the component's exports it defines, in the module where it stands, `DESCRIPTION` (the file's
/// text), `STEPS` (the names) and `run(step, input)`, which tests call.
#[macro_export]
macro_rules! plugin {
    (description: $description:literal, steps: { $($name:literal => $step:path),+ $(,)? } $(,)?) => {
        /// What the plugin answers to `describe`.
        pub const DESCRIPTION: &str = include_str!($description);

        /// The names of the plugin's steps.
        pub const STEPS: &[&str] = &[$($name),+];

        /// Runs a step with an input in JSON.
        pub fn run(step: &str, input: &str) -> Result<$crate::Outcome, $crate::Failure> {
            match step {
                $($name => $crate::with_input(input, $step),)+
                other => Err($crate::unknown_step(other)),
            }
        }

        #[cfg(target_arch = "wasm32")]
        const _: () = {
            struct Component;

            impl $crate::bindings::exports::strowger::step::guest::Guest for Component {
                fn describe() -> String {
                    DESCRIPTION.to_owned()
                }

                fn run(step: String, input: String) -> Result<$crate::Outcome, $crate::Failure> {
                    run(&step, &input)
                }
            }

            $crate::bindings::export!(Component with_types_in $crate::bindings);
        };
    };
}

/// Reads a step's input and runs it. Fails with `bad-input` when the JSON is not of the step's type.
pub fn with_input<I: DeserializeOwned>(
    input: &str,
    step: impl FnOnce(I) -> Result<Outcome, Failure>,
) -> Result<Outcome, Failure> {
    let input = serde_json::from_str(input)
        .map_err(|error| Failure::new("bad-input", error.to_string()))?;
    step(input)
}

/// The failure of a plugin that is asked for a step which it does not have.
pub fn unknown_step(name: &str) -> Failure {
    Failure::new("unknown-step", format!("this plugin has no step `{name}`"))
}
