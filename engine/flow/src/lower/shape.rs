//! What a step's description means to a flow: its schemas, read once for all steps of the kind in a file.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::Binds;
use super::step_call::default_of;
use crate::catalog::{StepDescription, bound_inputs, carries_data};
use crate::plan::Template;
use crate::value::{Type, type_of_schema};

/// A step's description as lowering needs it. That of an unknown step is empty.
#[derive(Default)]
pub(super) struct Shape<'t> {
    /// The input of format `expect`, if there is one.
    pub expects: Option<&'t str>,
    /// The input that is a list of questions, if there is one and no other is of format `expect`.
    pub asks: Option<Asks<'t>>,
    /// Whether the step listens to keys or answers.
    pub listens: bool,
    /// Whether what it gives may be a secret or something else, as the input `sensitive` says.
    pub may_be_secret: bool,
    /// Defaults of the inputs that have one.
    pub defaults: BTreeMap<&'t str, Template>,
    /// The names that the step gives to its own prompts.
    pub binds: BTreeMap<String, Bound>,
    /// Its outcomes.
    pub outcomes: Vec<Outcome<'t>>,
    /// Their names; `done` for a step that has none and simply ends.
    pub ends: Vec<String>,
    /// Outcomes that go where another goes, unless they have a line of their own.
    pub falls: Vec<(&'t str, &'t str)>,
}

/// A list of questions, each with a name of its own and with what its answer is.
pub(super) struct Asks<'t> {
    /// The input that is the list.
    pub input: &'t str,
    /// The field of a question that tells it from the others: `x-unique` of the list's schema.
    pub name: &'t str,
    /// The field of format `expect`.
    pub expect: &'t str,
}

impl<'t> Asks<'t> {
    fn of(input: &'t str, schema: &'t serde_json::Value) -> Option<Asks<'t>> {
        let name = schema["x-unique"].as_str()?;
        Some(Asks {
            input,
            name,
            expect: expecting(&schema["items"])?,
        })
    }
}

/// The property of format `expect`, if there is one.
fn expecting(schema: &serde_json::Value) -> Option<&str> {
    let mut properties = schema["properties"].as_object()?.iter();
    let expects = properties.find(|(_, schema)| schema["format"] == "expect");
    expects.map(|(name, _)| name.as_str())
}

/// A name that a step gives to its own prompts and expressions.
#[derive(Clone)]
pub(super) struct Bound {
    /// The type of its value.
    pub ty: Type,
    /// The inputs in which it has that value; `None` for all of them.
    pub inputs: Option<Vec<String>>,
}

impl Bound {
    /// Whether prompts and expressions of an input may use it.
    fn holds_in(&self, input: &str) -> bool {
        let inputs = self.inputs.as_ref();
        inputs.is_none_or(|inputs| inputs.iter().any(|name| name == input))
    }
}

/// The names that prompts and expressions of an input may use.
pub(super) fn bound_in(binds: &BTreeMap<String, Bound>, input: &str) -> Binds {
    let there = binds.iter().filter(|(_, bound)| bound.holds_in(input));
    let types = there.map(|(name, bound)| (name.clone(), bound.ty.clone()));
    Rc::new(types.collect())
}

/// An outcome and its data.
pub(super) struct Outcome<'t> {
    pub name: &'t str,
    /// The type of its data.
    pub ty: Type,
    /// Whether there is anything in them.
    pub carries: bool,
}

impl<'t> Shape<'t> {
    /// `sensitive` is whether the step is told that what it gets is secret.
    pub fn of(description: &'t StepDescription, sensitive: bool) -> Shape<'t> {
        let properties = || {
            let properties = description.input["properties"].as_object();
            properties.into_iter().flatten()
        };
        let outcomes = description.outcomes.iter();
        let falls = |(name, schema): (&'t String, &'t serde_json::Value)| {
            Some((name.as_str(), schema["x-default-edge"].as_str()?))
        };
        let mut ends: Vec<String> = description.outcomes.keys().cloned().collect();
        if ends.is_empty() {
            ends.push("done".to_owned());
        }
        let expects = expecting(&description.input);
        let mut data = description.outcomes.values();
        Shape {
            expects,
            may_be_secret: expects.is_some() || data.any(holds_either),
            asks: properties()
                .find_map(|(name, schema)| Asks::of(name, schema))
                .filter(|_| expects.is_none()),
            listens: description.input["x-listens"] == true
                || properties().any(|(_, schema)| hears(schema, 0)),
            // The words of a prompt are the flow's once they stand in its plan: see `Lowerer::own_words`.
            defaults: properties()
                .filter(|(_, schema)| schema["format"] != "prompt")
                .filter_map(|(name, schema)| Some((name.as_str(), default_of(schema)?)))
                .collect(),
            binds: description
                .binds
                .iter()
                .map(|(name, schema)| {
                    let bound = Bound {
                        ty: type_of_schema(schema),
                        inputs: bound_inputs(schema),
                    };
                    (name.clone(), bound)
                })
                .collect(),
            falls: outcomes.clone().filter_map(falls).collect(),
            outcomes: outcomes
                .map(|(name, schema)| Outcome::of(name, schema, sensitive))
                .collect(),
            ends,
        }
    }
}

impl<'t> Outcome<'t> {
    fn of(name: &'t str, schema: &'t serde_json::Value, sensitive: bool) -> Outcome<'t> {
        let ty = outcome_type(schema, sensitive);
        let carries = carries_data(schema);
        Outcome { name, ty, carries }
    }
}

/// Deepest schema that is looked into for what a step listens to. Levels.
const MAX_DEPTH: usize = 16;

/// Whether an input, or a part of it, says which keys or answers a step listens to.
fn hears(schema: &serde_json::Value, depth: usize) -> bool {
    if matches!(schema["format"].as_str(), Some("press" | "expect")) {
        return true;
    }
    let named = schema["properties"].as_object();
    let parts = named.into_iter().flatten().map(|(_, part)| part);
    // What a schema leaves out has no parts in turn.
    let rest = ["items", "additionalProperties"].map(|key| schema.get(key));
    depth < MAX_DEPTH
        && parts
            .chain(rest.into_iter().flatten())
            .any(|part| hears(part, depth + 1))
}

fn any_of(schema: &serde_json::Value) -> impl Iterator<Item = &serde_json::Value> {
    schema["anyOf"].as_array().into_iter().flatten()
}

fn is_secret(schema: &&serde_json::Value) -> bool {
    schema["x-secret"] == true
}

/// Whether a field of an outcome's data may be a secret or something else.
fn holds_either(schema: &serde_json::Value) -> bool {
    let fields = schema["properties"].as_object();
    let mut fields = fields.into_iter().flatten();
    fields.any(|(_, schema)| any_of(schema).any(|one| is_secret(&one)))
}

/// The type of an outcome's data. A field that may be a secret or something else is the one when the step is told
/// that what it gets is secret, and else the other.
fn outcome_type(schema: &serde_json::Value, sensitive: bool) -> Type {
    let mut ty = type_of_schema(schema);
    if let Type::Object { fields, .. } = &mut ty {
        for (name, ty) in fields {
            let (secrets, others): (Vec<_>, Vec<_>) =
                any_of(&schema["properties"][name.as_str()]).partition(is_secret);
            if secrets.is_empty() {
                continue;
            }
            let present = match sensitive {
                true => Type::Secret,
                false => type_of_schema(&serde_json::json!({ "anyOf": others })),
            };
            let mut required = schema["required"].as_array().into_iter().flatten();
            *ty = match required.any(|one| one == name.as_str()) {
                true => present,
                false => present.or_none(),
            };
        }
    }
    ty
}
