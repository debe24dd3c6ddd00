//! A step's inputs, as a flow writes them. A plugin describes the values that its step gets; in a flow any of them
//! may be an expression, scalars are text until the field says otherwise, and formats have words of their own.

use serde_json::{Map, Value as Json, json};

use super::{INSERTED, described, of};
use crate::catalog::Catalog;

/// Deepest schema that is followed: beyond it anything is taken. Levels.
const MAX_DEPTH: usize = 16;

/// All inputs of a step, by name.
pub(super) fn properties(schema: &Json, catalog: &Catalog) -> Map<String, Json> {
    let properties = schema["properties"].as_object();
    properties
        .into_iter()
        .flatten()
        .map(|(name, schema)| (name.clone(), input(schema, catalog)))
        .collect()
}

/// One input.
pub(super) fn input(schema: &Json, catalog: &Catalog) -> Json {
    let page = schema["description"].as_str().unwrap_or_default();
    described(value(schema, catalog, 0), page)
}

fn value(schema: &Json, catalog: &Catalog, depth: usize) -> Json {
    if depth > MAX_DEPTH {
        return json!(true);
    }
    if schema["x-secret"] == true {
        return of("text");
    }
    match schema["format"].as_str() {
        Some("prompt") => return of("prompt"),
        Some("press") => return of("press"),
        Some("expect") => return of("expect"),
        Some("duration") => return of("duration"),
        Some("expression") => return of("expression"),
        Some("queue") => return name(catalog.queues.as_ref()),
        Some(
            "hours" | "destination" | "audio" | "key" | "phone" | "date" | "time" | "date-time",
        ) => {
            return of("text");
        }
        Some("money") => return json!(true),
        _ => {}
    }
    if let Some(words) = schema["enum"].as_array() {
        return or_inserted(json!({ "enum": words }));
    }
    let kind = match &schema["type"] {
        Json::Array(kinds) => kinds
            .iter()
            .filter_map(Json::as_str)
            .find(|kind| *kind != "null"),
        kind => kind.as_str(),
    };
    match kind {
        Some("string") => of("text"),
        Some("integer" | "number") => number(schema),
        Some("boolean") => or_inserted(of("yes_no")),
        Some("array") => {
            let items = value(&schema["items"], catalog, depth + 1);
            or_inserted(json!({ "type": "array", "items": items }))
        }
        Some("object") => or_inserted(object(schema, catalog, depth)),
        _ => json!(true),
    }
}

fn number(schema: &Json) -> Json {
    let mut number = json!({ "type": "number" });
    for bound in ["minimum", "maximum"] {
        if schema[bound].is_number() {
            number[bound] = schema[bound].clone();
        }
    }
    json!({ "anyOf": [
        number,
        { "type": "string", "pattern": "^-?[0-9]+(\\.[0-9]+)?$" },
        { "type": "string", "pattern": INSERTED }
    ] })
}

fn object(schema: &Json, catalog: &Catalog, depth: usize) -> Json {
    let mut object = json!({ "type": "object" });
    if let Some(properties) = schema["properties"].as_object() {
        let properties: Map<String, Json> = properties
            .iter()
            .map(|(name, schema)| {
                let page = schema["description"].as_str().unwrap_or_default();
                let value = value(schema, catalog, depth + 1);
                (name.clone(), described(value, page))
            })
            .collect();
        object["properties"] = Json::Object(properties);
    }
    match &schema["additionalProperties"] {
        Json::Bool(false) => object["additionalProperties"] = json!(false),
        Json::Object(_) => {
            object["additionalProperties"] =
                value(&schema["additionalProperties"], catalog, depth + 1);
        }
        _ => {}
    }
    object
}

/// One of the names that the project has, when those are known, or an expression that makes one.
fn name(known: Option<&std::collections::BTreeSet<String>>) -> Json {
    match known {
        Some(known) => or_inserted(json!({ "enum": known })),
        None => of("text"),
    }
}

fn or_inserted(schema: Json) -> Json {
    json!({ "anyOf": [schema, { "type": "string", "pattern": INSERTED }] })
}
