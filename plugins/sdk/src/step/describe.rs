//! What a plugin says of itself, put together from its steps.

use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use super::{Step, schema};

/// What a step's types do not say of it, for `description.schema.json` of the contract.
#[derive(Debug, Default)]
pub struct About(Map<String, Value>);

impl About {
    /// Nothing yet.
    pub fn new() -> About {
        About::default()
    }

    /// A few words, in a language.
    #[must_use]
    pub fn title(self, language: &str, text: &str) -> About {
        self.named("title", language, json!(text))
    }

    /// The input that the verb's own value fills.
    #[must_use]
    pub fn main(self, input: &str) -> About {
        self.with("main", json!(input))
    }

    /// The field of the outcome's data that `into:` stores.
    #[must_use]
    pub fn into(self, field: &str) -> About {
        self.with("into", json!(field))
    }

    /// A name that prompts and expressions given to the step may use, and its type.
    #[must_use]
    pub fn bind<T: JsonSchema>(self, name: &str) -> About {
        self.named("binds", name, schema::of::<T>())
    }

    /// An outcome that says the contact is with a person.
    #[must_use]
    pub fn people(self, outcome: &str) -> About {
        self.listed("people", json!(outcome))
    }

    /// Running it twice does no harm.
    #[must_use]
    pub fn idempotent(self) -> About {
        self.with("idempotent", json!(true))
    }

    /// Flows should stop using it; what to use instead, in a language.
    #[must_use]
    pub fn deprecated(self, language: &str, instead: &str) -> About {
        self.with("deprecated", json!(true))
            .named("instead", language, json!(instead))
    }

    /// What a flow has to change that used the step of the major version before, in a language.
    #[must_use]
    pub fn changes(self, language: &str, text: &str) -> About {
        self.named("changes", language, json!(text))
    }

    /// An input and the outcome it leads to, which is tried when the plugin is uploaded.
    #[must_use]
    pub fn example(self, input: &Value, outcome: &str) -> About {
        self.listed("examples", json!({ "input": input, "outcome": outcome }))
    }

    /// The same, with the outcome's data.
    #[must_use]
    pub fn example_with(self, input: &Value, outcome: &str, data: &Value) -> About {
        let example = json!({ "input": input, "outcome": outcome, "data": data });
        self.listed("examples", example)
    }

    fn with(mut self, key: &str, value: Value) -> About {
        self.0.insert(key.to_owned(), value);
        self
    }

    fn named(mut self, key: &str, name: &str, value: Value) -> About {
        let all = self.0.entry(key).or_insert(json!({}));
        all[name] = value;
        self
    }

    fn listed(mut self, key: &str, value: Value) -> About {
        let all = self.0.entry(key).or_insert(json!([]));
        all.as_array_mut()
            .expect("it was begun as a list")
            .push(value);
        self
    }

    /// The whole of what is said of a step.
    fn of<S: Step>() -> Value {
        let About(mut about) = S::about();
        about.insert("input".to_owned(), schema::of_input::<S::Input>());
        let outcomes = schema::of_outcomes::<S::Output>();
        about.insert("outcomes".to_owned(), Value::Object(outcomes));
        Value::Object(about)
    }
}

/// What is said of a step of this name.
pub fn describe<S: Step>() -> (&'static str, Value) {
    (S::NAME, About::of::<S>())
}

/// The description of a plugin with such steps, as the engine reads it: the same text each time.
pub fn described(
    name: &str,
    version: &str,
    summary: &[(&str, &str)],
    steps: impl IntoIterator<Item = (&'static str, Value)>,
) -> String {
    let steps = steps
        .into_iter()
        .map(|(name, step)| (name.to_owned(), step));
    let steps: Map<String, Value> = steps.collect();
    let summary = summary
        .iter()
        .map(|(language, text)| ((*language).to_owned(), json!(text)));
    let summary: Map<String, Value> = summary.collect();
    json!({ "name": name, "version": version, "summary": summary, "steps": steps }).to_string()
}
