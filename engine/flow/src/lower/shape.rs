//! What a step's description means to a flow: its schemas, read once for all steps of the kind in a file.

use std::collections::BTreeMap;

use super::step_call::default_of;
use crate::catalog::StepDescription;
use crate::plan::Template;
use crate::value::{Type, type_of_schema};

/// A step's description as lowering needs it. That of an unknown step is empty.
#[derive(Default)]
pub(super) struct Shape<'t> {
    /// The input of format `expect`, if there is one.
    pub expects: Option<&'t str>,
    /// Whether the step listens to keys or answers.
    pub listens: bool,
    /// Defaults of the inputs that have one.
    pub defaults: BTreeMap<&'t str, Template>,
    /// The names that the step gives to its own prompts.
    pub binds: BTreeMap<String, Type>,
    /// Its outcomes.
    pub outcomes: Vec<Outcome<'t>>,
    /// Their names; `done` for a step that has none and simply ends.
    pub ends: Vec<String>,
    /// Outcomes that go where another goes, unless they have a line of their own.
    pub falls: Vec<(&'t str, &'t str)>,
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
    pub fn of(description: &'t StepDescription) -> Shape<'t> {
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
        Shape {
            expects: properties()
                .find(|(_, schema)| schema["format"] == "expect")
                .map(|(name, _)| name.as_str()),
            listens: properties()
                .any(|(_, schema)| matches!(schema["format"].as_str(), Some("press" | "expect"))),
            defaults: properties()
                .filter_map(|(name, schema)| Some((name.as_str(), default_of(schema)?)))
                .collect(),
            binds: description
                .binds
                .iter()
                .map(|(name, schema)| (name.clone(), type_of_schema(schema)))
                .collect(),
            falls: outcomes.clone().filter_map(falls).collect(),
            outcomes: outcomes.map(Outcome::of).collect(),
            ends,
        }
    }
}

impl<'t> Outcome<'t> {
    fn of((name, schema): (&'t String, &'t serde_json::Value)) -> Outcome<'t> {
        let ty = type_of_schema(schema);
        let carries = match &ty {
            Type::Object { fields, .. } => {
                !fields.is_empty() || schema["additionalProperties"] == true
            }
            Type::Any => schema
                .as_object()
                .is_some_and(|schema| schema.contains_key("type")),
            _ => true,
        };
        Outcome { name, ty, carries }
    }
}
