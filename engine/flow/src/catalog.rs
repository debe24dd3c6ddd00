//! What a flow may refer to outside its own file: the project around it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::value::{Type, type_of_schema};

/// Everything outside the file that checking needs. A lone file is checked against
/// [`Catalog::default`] plus the standard steps.
///
/// As JSON it is how a server tells a browser what a project's flows may refer to.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Catalog {
    /// Steps by `plugin/step@major`.
    pub steps: BTreeMap<String, StepDescription>,
    /// Verbs that are short for a step, to the step's key: `menu` to `std/menu@1`.
    pub verbs: BTreeMap<String, String>,
    /// The other flows of the project; `None` when the file stands alone and flows cannot be known.
    pub flows: Option<BTreeMap<String, FlowSignature>>,
    /// Queues; `None` when they cannot be known.
    pub queues: Option<BTreeSet<String>>,
    /// Suppliers and other names that `transfer:` takes; `None` when they cannot be known.
    pub destinations: Option<BTreeSet<String>>,
    /// Audio files below the project's folder; `None` when they cannot be known.
    pub audio: Option<BTreeSet<String>>,
    /// How long those of them last whose length is known, in milliseconds. A server reads it from the files; an audio file that is
    /// not here counts by its text, or as ten seconds.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub audio_ms: BTreeMap<String, u64>,
}

/// What other flows need to know of a flow.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FlowSignature {
    /// Inputs, by name.
    pub inputs: BTreeMap<String, InputSignature>,
    /// Outcomes of `return:`.
    pub outcomes: Vec<String>,
    /// Whether the flow's text cannot be read, so that nothing but its name is known.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unreadable: bool,
    /// What happens there to a caller who does nothing; `None` when the flow was not checked, or has errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub passive: Option<Passive>,
    /// What comes with each outcome that it returns: the fields by name, with `none` among the types of one that some `return:` leaves
    /// out. `None` when the flow was not checked, or has errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub results: Option<BTreeMap<String, BTreeMap<String, Type>>>,
    /// What it runs; `None` when the flow was not checked, or has errors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runs: Option<Runs>,
}

/// What a flow runs itself, as the mocks of tests name it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Runs {
    /// `plugin/step` without its version, `queue.NAME`, `transfer.NAME`, `call.FLOW`.
    pub names: BTreeSet<String>,
    /// `queue.` and `transfer.` where only a contact shows which.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub any: BTreeSet<String>,
    /// The flows that it calls or leads to for good.
    pub leads: BTreeSet<String>,
}

impl FlowSignature {
    /// Takes over what only the checking of the flow shows.
    pub fn learn(&mut self, checked: &FlowSignature) {
        self.passive.clone_from(&checked.passive);
        self.results.clone_from(&checked.results);
        self.runs.clone_from(&checked.runs);
    }

    /// Forgets what only the checking of the flow shows.
    pub fn forget(&mut self) {
        (self.passive, self.results, self.runs) = (None, None, None);
    }

    /// The type of what `as:` takes of an outcome.
    pub(crate) fn result(&self, outcome: &str) -> Type {
        let fields = self.results.as_ref().and_then(|all| all.get(outcome));
        match fields {
            None => Type::Any,
            Some(fields) => Type::Object {
                fields: fields.clone(),
                open: true,
            },
        }
    }

    /// The inputs that the flow cannot begin without, in order; none of a flow of which nothing is known.
    pub fn needed(&self) -> Vec<String> {
        let inputs = self.inputs.iter().filter(|_| !self.unreadable);
        inputs
            .filter(|(_, input)| input.required)
            .map(|(name, _)| name.clone())
            .collect()
    }
}

/// What happens in a flow to a caller who does nothing, as far as those who call it or lead to it must know.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Passive {
    /// The outcomes that it may return, `error` among them when it may fail.
    pub outcomes: BTreeSet<String>,
    /// Those that it may return by itself in a chat alone, where what is for telephones fails.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub chat_outcomes: BTreeSet<String>,
    /// The flows that it may come to, by `call:` or for good.
    pub leads: BTreeSet<String>,
    /// Longest time on the phone, in milliseconds, to a person, a goodbye, a `return:` or another flow.
    pub ms: u64,
    /// The same in a chat.
    pub chat_ms: u64,
    /// Most actions on that way, those of flows that it calls among them: they count to the `max_steps` of the flow in which a contact began.
    pub actions: u64,
    /// Whether something is said on that way of which nobody knows how long it is.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unmeasured: bool,
    /// Longest silence, in milliseconds, from the beginning on.
    pub silence_first_ms: u64,
    /// Longest way, in milliseconds, from the beginning to a `return:` on which nothing is heard; `None` when something always is.
    pub silence_through_ms: Option<u64>,
    /// Longest silence, in milliseconds, with which it returns.
    pub silence_last_ms: u64,
    /// Longest silence, in milliseconds, anywhere in it.
    pub silence_most_ms: u64,
    /// Whether it, or a flow that it comes to, says where contacts go that have lasted too long: then they last a minute more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub lasts_on: bool,
}

impl Passive {
    /// The longest of its times, in milliseconds.
    pub(crate) fn longest_ms(&self) -> u64 {
        [
            self.ms,
            self.chat_ms,
            self.silence_first_ms,
            self.silence_through_ms.unwrap_or(0),
            self.silence_last_ms,
            self.silence_most_ms,
        ]
        .into_iter()
        .fold(0, u64::max)
    }
}

/// What other flows need to know of an input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputSignature {
    /// What it takes.
    #[serde(rename = "type")]
    pub ty: Type,
    /// Whether a call must give it.
    pub required: bool,
}

/// In the words of an editor: `text, must be given`.
impl fmt::Display for InputSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let needed = if self.required { ", must be given" } else { "" };
        write!(f, "{}{needed}", self.ty)
    }
}

/// A plugin's answer to `describe`: `wit/1.0/description.schema.json` has the same in JSON Schema.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PluginDescription {
    /// The plugin's name: lower-case letters, digits and hyphens, a letter first.
    pub name: String,
    /// Semantic version. Its major number is the `@N` of the flow.
    pub version: String,
    /// One sentence, by language.
    #[serde(default)]
    pub summary: BTreeMap<String, String>,
    /// The steps, by name.
    pub steps: BTreeMap<String, StepDescription>,
}

/// One step of a plugin.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StepDescription {
    /// A few words, by language.
    #[serde(default)]
    pub title: BTreeMap<String, String>,
    /// JSON Schema of the input: an object. The `format`s that the flow language knows are `prompt`,
    /// `press`, `expect`, `hours`, `duration`, `key`, `expression`, `queue`, `destination`, `audio`,
    /// `phone`, `date`, `time`, `date-time`, `money`; `x-secret: true` marks an input that takes secrets.
    pub input: serde_json::Value,
    /// The input that the verb's own value fills, when the step is written as a verb.
    #[serde(default)]
    pub main: Option<String>,
    /// Inputs whose keys are outcomes too, such as `press`.
    #[serde(default)]
    pub outcomes_from: Vec<String>,
    /// Names that prompts and expressions given to this step may use beside the flow's own, such as `choices`. `x-inputs` in
    /// the schema of a name lists the inputs in which it has a value; without it, it has one in all of them.
    #[serde(default)]
    pub binds: BTreeMap<String, serde_json::Value>,
    /// The field of the outcome's data that `into:` stores. Its type follows the input of format
    /// `expect`, if the step has one.
    #[serde(default)]
    pub into: Option<String>,
    /// JSON Schema of the data of each outcome; `{}` for none. `error` and `timeout` are everybody's.
    pub outcomes: BTreeMap<String, serde_json::Value>,
    /// The outcome names that say the contact is with a person: they count as a way out.
    #[serde(default)]
    pub people: Vec<String>,
    /// Whether running it twice does no harm.
    #[serde(default)]
    pub idempotent: bool,
    /// Whether flows should stop using it. `deprecated: true` in an input's schema says the same of the input.
    #[serde(default)]
    pub deprecated: bool,
    /// What to use instead of what is deprecated, by language; `x-instead` in an input's schema.
    #[serde(default)]
    pub instead: BTreeMap<String, String>,
    /// What a flow has to change that used the step of the major version before, by language.
    #[serde(default)]
    pub changes: BTreeMap<String, String>,
    /// Inputs and the outcomes they lead to, for documentation and the trial run.
    #[serde(default)]
    pub examples: Vec<serde_json::Value>,
}

/// The inputs in which a name of a step's [`binds`](StepDescription::binds) has a value, by its schema; `None` for all of them.
pub(crate) fn bound_inputs(schema: &serde_json::Value) -> Option<Vec<String>> {
    let inputs = schema.get("x-inputs")?.as_array()?.iter();
    let names = inputs.filter_map(|input| input.as_str());
    Some(names.map(str::to_owned).collect())
}

/// Whether an outcome with this schema has data, which `as:` takes: without, the variable stays what it was.
pub fn carries_data(schema: &serde_json::Value) -> bool {
    match type_of_schema(schema) {
        Type::Object { fields, .. } => !fields.is_empty() || schema["additionalProperties"] == true,
        Type::Any => schema
            .as_object()
            .is_some_and(|schema| schema.contains_key("type")),
        _ => true,
    }
}
