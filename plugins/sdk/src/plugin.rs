//! From the exported functions to the author's.

use serde::de::DeserializeOwned;

use crate::{Failure, Outcome};

/// Exports a plugin: its description and a function for each of its steps.
///
/// `description` is the path of a JSON file, from the file in which the macro stands, that satisfies
/// `description.schema.json` of the contract. Each step is a function from its input, any type that
/// serde reads, to `Result<Outcome, Failure>`.
///
/// Or each step is a type that is a [`Step`](crate::Step), and the description is made from these types:
///
/// ```text
/// strowger_sdk::plugin! {
///     name: "greeter",
///     version: env!("CARGO_PKG_VERSION"),
///     summary: { "en" => "Greets the caller." },
///     steps: [Greet],
/// }
/// ```
///
/// Then it defines a function `description()` in place of `DESCRIPTION`.
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

        $crate::plugin!(@export DESCRIPTION.to_owned());
    };

    (
        name: $plugin:expr,
        version: $version:expr,
        summary: { $($language:literal => $summary:literal),+ $(,)? },
        steps: [$($step:ty),+ $(,)?] $(,)?
    ) => {
        /// What the plugin answers to `describe`.
        pub fn description() -> String {
            $crate::described(
                $plugin,
                $version,
                &[$(($language, $summary)),+],
                [$($crate::describe::<$step>()),+],
            )
        }

        /// The names of the plugin's steps.
        pub const STEPS: &[&str] = &[$(<$step as $crate::Step>::NAME),+];

        /// Runs a step with an input in JSON.
        pub fn run(step: &str, input: &str) -> Result<$crate::Outcome, $crate::Failure> {
            $(
                if step == <$step as $crate::Step>::NAME {
                    return $crate::run_step::<$step>(input);
                }
            )+
            Err($crate::unknown_step(step))
        }

        $crate::plugin!(@export description());
    };

    (@export $description:expr) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            struct Component;

            impl $crate::bindings::exports::strowger::step::guest::Guest for Component {
                fn describe() -> String {
                    $description
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
