//! A step that is tried alone, against a scripted caller instead of an engine.

mod caller;

use serde_json::Value as Json;
use strowger_plugin::{Limits, Plugin, RunRequest, StepReport};

use crate::runtime::Script;

pub use caller::Caller;

/// Runs a step against a caller.
pub async fn step(
    plugin: &Plugin,
    step: &str,
    input: String,
    limits: &Limits,
    caller: Caller,
) -> StepReport {
    let request = RunRequest {
        step: step.to_owned(),
        input,
        limits: limits.clone(),
        calls: Box::new(caller),
        told: None,
        cancel: None,
    };
    plugin.run(request).await
}

/// What came of a plugin's examples.
#[derive(Debug, Default)]
pub struct Tried {
    /// How many went as they say.
    pub passed: usize,
    /// What is wrong with the others, a sentence each.
    pub wrong: Vec<String>,
}

/// Runs every example of a plugin's description with a caller who is silent.
pub async fn examples(
    plugin: &Plugin,
    limits: &Limits,
    told: fn(std::fmt::Arguments<'_>),
) -> Tried {
    let mut tried = Tried::default();
    for (name, described) in &plugin.description().steps {
        for (index, example) in described.examples.iter().enumerate() {
            let caller = Caller::new(Script::default(), "{}".to_owned(), told);
            let report = step(plugin, name, example["input"].to_string(), limits, caller).await;
            let wrong = match &report.result {
                Err(error) => Some(format!("{}: {error}", error.code())),
                Ok(outcome) if example["outcome"] != outcome.name.as_str() => Some(format!(
                    "the outcome is `{}`, the example says {}",
                    outcome.name, example["outcome"]
                )),
                Ok(outcome) => differs(&outcome.data, example.get("data")),
            };
            match wrong {
                None => tried.passed += 1,
                Some(wrong) => {
                    let wrong = format!("step {name}, example {}: {wrong}", index + 1);
                    tried.wrong.push(wrong);
                }
            }
        }
    }
    tried
}

/// What is not as an example says, if it says anything of the data.
fn differs(data: &Json, expected: Option<&Json>) -> Option<String> {
    let expected = expected.filter(|expected| *expected != data)?;
    Some(format!("the data is {data}, the example says {expected}"))
}
