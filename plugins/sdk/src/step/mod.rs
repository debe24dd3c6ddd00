//! Steps as types: what flows may give to them and expect of them is read from the types themselves.

mod describe;
mod schema;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use describe::{About, describe, described};

use crate::{Failure, Outcome, with_input};

/// A step of a flow.
///
/// ```text
/// use strowger_sdk::media::{self, Utterance};
/// use strowger_sdk::schemars::{self, JsonSchema};
/// use strowger_sdk::{About, Failure, Step};
///
/// strowger_sdk::plugin! {
///     name: "greeter",
///     version: env!("CARGO_PKG_VERSION"),
///     summary: { "en" => "Greets the caller." },
///     steps: [Greet],
/// }
///
/// struct Greet;
///
/// #[derive(Deserialize, JsonSchema)]
/// struct Input {
///     /// What is said.
///     #[schemars(extend("format" = "prompt"))]
///     prompt: String,
/// }
///
/// #[derive(Serialize, JsonSchema)]
/// #[serde(rename_all = "snake_case")]
/// enum Done {
///     Greeted { length: usize },
///     Silent,
/// }
///
/// impl Step for Greet {
///     const NAME: &'static str = "greet";
///     type Input = Input;
///     type Output = Done;
///
///     fn about() -> About {
///         About::new().title("en", "Greet").main("prompt")
///     }
///
///     fn run(input: Input) -> Result<Done, Failure> {
///         let length = input.prompt.len();
///         media::say(&Utterance::given(input.prompt), true)?;
///         Ok(Done::Greeted { length })
///     }
/// }
/// ```
pub trait Step {
    /// Its name in flows: lower-case letters, digits and `_`.
    const NAME: &'static str;

    /// What the flow gives: a struct with named fields. Comments on fields are their descriptions, `#[serde(default)]` their
    /// defaults, and `#[schemars(extend("format" = "prompt"))]` says what the flow language makes of them. What it does not have is
    /// refused, so `deny_unknown_fields` is not needed; names that begin with `$` are the engine's.
    type Input: DeserializeOwned + JsonSchema;

    /// Its outcomes: an enum as serde writes it by itself, whose variants are the outcomes under the names that serde gives them. A
    /// variant's fields, or those of the struct that it holds, are the outcome's data.
    type Output: Serialize + JsonSchema;

    /// What the types do not say.
    fn about() -> About {
        About::new()
    }

    /// Runs it.
    fn run(input: Self::Input) -> Result<Self::Output, Failure>;
}

/// Runs a step with an input in JSON.
pub fn run_step<S: Step>(input: &str) -> Result<Outcome, Failure> {
    with_input(input, |input| outcome(&S::run(input)?))
}

/// What serde writes of an enum: the variant's name, or an object of that name and the data.
fn outcome(output: &impl Serialize) -> Result<Outcome, Failure> {
    let odd = |why: String| {
        let message = format!("the outcome cannot be written as JSON: {why}");
        Failure::new("bad-output", message)
    };
    match serde_json::to_value(output).map_err(|error| odd(error.to_string()))? {
        Value::String(name) => Ok(Outcome::named(name)),
        Value::Object(variant) if variant.len() == 1 => {
            let (name, data) = variant.into_iter().next().unwrap_or_default();
            Outcome::with(name, &data)
        }
        _ => Err(odd("it is no variant of an enum".to_owned())),
    }
}
