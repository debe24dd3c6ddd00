//! From types to the schemas that the engine reads: one piece each, and no more in it than flows are held against.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// The formats that say of numbers how Rust keeps them.
const OF_RUST: [&str; 16] = [
    "double", "float", "int", "int128", "int16", "int32", "int64", "int8", "uint", "uint128",
    "uint16", "uint32", "uint64", "uint8", "usize", "isize",
];

/// The schema of a type, every part of it in its place: only a type that has itself in it is left with a reference, which the
/// engine refuses.
pub(super) fn of<T: JsonSchema>() -> Value {
    let mut schema = raw::<T>();
    tidy(&mut schema);
    schema
}

/// The schema of a step's input: what is not in it is none of its inputs.
pub(super) fn of_input<T: JsonSchema>() -> Value {
    let mut schema = of::<T>();
    if let Some(schema) = schema.as_object_mut() {
        schema
            .entry("additionalProperties")
            .or_insert(Value::Bool(false));
        // The engine's own.
        schema
            .entry("patternProperties")
            .or_insert(json!({ "^\\$": {} }));
    }
    schema
}

/// The schema of each outcome's data, of an enum whose variants are the outcomes.
pub(super) fn of_outcomes<T: JsonSchema>() -> Map<String, Value> {
    let schema = raw::<T>();
    let variants = match &schema["oneOf"] {
        Value::Array(variants) => variants.clone(),
        _ => vec![schema],
    };
    let mut outcomes = Map::new();
    for variant in variants {
        let about = variant.get("description").cloned();
        for (name, mut data) in outcomes_of(&variant) {
            tidy(&mut data);
            if let (Some(about), Some(data)) = (&about, data.as_object_mut()) {
                data.insert("description".to_owned(), about.clone());
            }
            outcomes.insert(name, data);
        }
    }
    outcomes
}

/// The outcomes of one part of an enum's schema: a variant with data, or some without.
fn outcomes_of(variant: &Value) -> Vec<(String, Value)> {
    let named = |name: &Value| Some((name.as_str()?.to_owned(), json!({})));
    match (&variant["const"], &variant["enum"], &variant["properties"]) {
        (name @ Value::String(_), ..) => named(name).into_iter().collect(),
        (_, Value::Array(names), _) => names.iter().filter_map(named).collect(),
        (.., Value::Object(one)) => one.clone().into_iter().collect(),
        _ => Vec::new(),
    }
}

fn raw<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.inline_subschemas = true;
        settings.meta_schema = None;
    });
    T::json_schema(&mut SchemaGenerator::new(settings)).to_value()
}

/// Leaves out how Rust keeps numbers, and makes one list of texts of variants that are told apart by their descriptions only.
fn tidy(schema: &mut Value) {
    match schema {
        Value::Object(keywords) => {
            let format = keywords.get("format").and_then(Value::as_str);
            if format.is_some_and(|format| OF_RUST.contains(&format)) {
                keywords.remove("format");
            }
            if let Some(texts) = keywords.get("oneOf").and_then(texts) {
                keywords.remove("oneOf");
                keywords.insert("type".to_owned(), json!("string"));
                keywords.insert("enum".to_owned(), Value::Array(texts));
            }
            for (keyword, value) in keywords.iter_mut() {
                match (keyword.as_str(), value) {
                    // Data, not schemas.
                    ("const" | "enum" | "default" | "examples", _) => {}
                    // Maps of schemas, whose keys are no keywords.
                    ("properties" | "patternProperties" | "$defs", Value::Object(named)) => {
                        named.values_mut().for_each(tidy);
                    }
                    (_, value) => tidy(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// The texts of alternatives that are texts and nothing else.
fn texts(alternatives: &Value) -> Option<Vec<Value>> {
    let mut texts = Vec::new();
    for alternative in alternatives.as_array()? {
        match (&alternative["const"], &alternative["enum"]) {
            (text @ Value::String(_), _) => texts.push(text.clone()),
            (_, Value::Array(many)) if many.iter().all(Value::is_string) => {
                texts.extend(many.iter().cloned());
            }
            _ => return None,
        }
    }
    Some(texts)
}
