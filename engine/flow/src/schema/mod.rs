//! The flow language as JSON Schema, with the steps of a project: for editors that know YAML but not us.
//!
//! The schema says what an editor needs while somebody types: which keys there are, what they take, which outcomes a
//! step has. It accepts every flow that [`crate::check()`] accepts. It cannot say everything the checker says.
//!
//! It is written in draft 2020-12, without anything that an older reader would take differently.

mod action;
mod file;
mod input;

use serde_json::{Map, Value as Json, json};

use crate::catalog::Catalog;
use crate::editor::keys::Table;

/// The draft, as a schema names it.
const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// The JSON Schema of flows that are checked against a catalogue.
pub fn flow(catalog: &Catalog) -> Json {
    let mut definitions = Map::new();
    file::define(&mut definitions);
    action::define(&mut definitions, catalog);
    let mut schema = file::schema();
    schema["$schema"] = json!(DRAFT);
    schema["title"] = json!("A flow of Strowger, format 1");
    schema["$defs"] = Json::Object(definitions);
    schema
}

/// The JSON Schema of the `tests:` of a flow: a map of tests by name.
pub fn tests() -> Json {
    let mut definitions = Map::new();
    file::define(&mut definitions);
    json!({
        "$schema": DRAFT,
        "title": "Tests of a flow of Strowger, format 1",
        "type": "object",
        "additionalProperties": of("test"),
        "$defs": definitions
    })
}

/// A reference to a definition.
fn of(name: &str) -> Json {
    json!({ "$ref": format!("#/$defs/{name}") })
}

/// A map whose keys are known, each described by its page.
fn object(table: Table, mut value: impl FnMut(&str) -> Json) -> Json {
    let properties: Map<String, Json> = table
        .iter()
        .map(|(key, page)| ((*key).to_owned(), described(value(key), page)))
        .collect();
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

/// A schema with a page.
fn described(mut schema: Json, page: &str) -> Json {
    if !page.is_empty() && schema.is_object() {
        schema["description"] = json!(page);
    }
    schema
}

/// A map of anything with names as keys.
fn named(names: &str, value: &Json) -> Json {
    json!({ "type": "object", "propertyNames": { "pattern": names }, "additionalProperties": value })
}

fn one_or_list(value: &Json) -> Json {
    json!({ "anyOf": [value, { "type": "array", "items": value }] })
}

fn words(words: &[&str]) -> Json {
    json!({ "enum": words })
}

/// What names of steps, prompts and flows look like; `crate::lower` has the same in code.
const NAME: &str = "^[a-z][a-z0-9_-]*$";

/// What names of variables look like.
const VARIABLE: &str = "^[a-z][a-z0-9_]*$";

/// Languages: `zh`, `en-GB`.
const LANGUAGE: &str = "^[a-z]{2,3}(-[A-Za-z0-9]{1,8})*$";

/// Durations: `250ms`, `1h30m`.
const DURATION: &str = "^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$";

/// A value that an expression makes.
const INSERTED: &str = "\\$\\{";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_leads_somewhere() {
        for schema in [flow(&Catalog::default()), super::tests()] {
            let text = schema.to_string();
            for part in text.split("#/$defs/").skip(1) {
                let name = part.split('"').next().unwrap_or_default();
                assert!(schema["$defs"].get(name).is_some(), "{name}");
            }
        }
    }
}
