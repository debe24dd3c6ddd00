//! What a JSON Schema says, in a designer's words.

use serde_json::Value as Json;

use crate::catalog::StepDescription;
use crate::value::type_of_schema;

/// The type of an input as the flow writes it.
pub(super) fn shape(schema: &Json) -> String {
    match schema["format"].as_str() {
        Some("prompt") => "prompt".to_owned(),
        Some("press") => "keys".to_owned(),
        Some("expect") => "kind of value".to_owned(),
        Some("hours") => "name of opening hours".to_owned(),
        Some("queue") => "queue".to_owned(),
        Some("destination") => "number, SIP URI or supplier".to_owned(),
        Some("audio") => "audio file".to_owned(),
        Some("expression") => "expression".to_owned(),
        Some("key") => "key of a telephone".to_owned(),
        Some("duration") => "duration".to_owned(),
        _ => match schema["enum"].as_array() {
            Some(words) => {
                let words: Vec<&str> = words.iter().filter_map(Json::as_str).collect();
                words.join(" | ")
            }
            None => type_of_schema(schema).to_string(),
        },
    }
}

/// The default as the flow would write it.
pub(super) fn default(schema: &Json) -> Option<String> {
    match (schema.get("default")?, schema["format"].as_str()) {
        (Json::Object(texts), Some("prompt")) => {
            let text = texts.get("en").or_else(|| texts.values().next());
            Some(text?.as_str()?.to_owned())
        }
        (Json::Number(ms), Some("duration")) => Some(duration(ms.as_u64()?)),
        (Json::String(text), Some("key")) if text == "#" => Some("hash".to_owned()),
        (Json::String(text), Some("key")) if text == "*" => Some("star".to_owned()),
        (Json::String(text), _) => Some(text.clone()),
        (other, _) => Some(other.to_string()),
    }
}

/// One line on an input: type, default, description.
pub(super) fn input(name: &str, schema: &Json, required: bool) -> String {
    let mut text = format!("`{name}`: {}", shape(schema));
    if required {
        text.push_str(", must be given");
    } else if let Some(default) = default(schema) {
        text.push_str(&format!(", `{default}` unless given"));
    }
    if schema["x-secret"] == true {
        text.push_str(", takes secrets");
    }
    if let Some(description) = schema["description"].as_str() {
        text.push_str(" — ");
        text.push_str(description);
    }
    text
}

/// The inputs that a schema requires.
pub(super) fn required(schema: &Json) -> Vec<&str> {
    let names = schema["required"].as_array();
    names
        .into_iter()
        .flatten()
        .filter_map(Json::as_str)
        .collect()
}

/// A step's page.
pub(super) fn page(head: &str, description: &StepDescription) -> String {
    let mut text = format!("**`{head}`**");
    let titles: Vec<&str> = description.title.values().map(String::as_str).collect();
    if !titles.is_empty() {
        text.push_str(&format!(" — {}", titles.join(" / ")));
    }
    let needed = required(&description.input);
    if let Some(properties) = description.input["properties"].as_object() {
        text.push_str("\n\nInputs:\n");
        for (name, schema) in properties {
            let line = input(name, schema, needed.contains(&name.as_str()));
            text.push_str(&format!("\n- {line}"));
        }
    }
    text.push_str("\n\nOutcomes:");
    if description.outcomes.is_empty() {
        text.push_str(" `done`");
    }
    for (name, schema) in &description.outcomes {
        text.push_str(&format!("\n- `{name}`"));
        let fields = schema["properties"].as_object();
        let fields: Vec<String> = fields
            .into_iter()
            .flatten()
            .map(|(name, schema)| format!("`{name}`: {}", shape(schema)))
            .collect();
        if !fields.is_empty() {
            text.push_str(&format!(" with {}", fields.join(", ")));
        }
    }
    text
}

fn duration(ms: u64) -> String {
    match ms {
        0 => "0s".to_owned(),
        ms if ms.is_multiple_of(3_600_000) => format!("{}h", ms / 3_600_000),
        ms if ms.is_multiple_of(60_000) => format!("{}m", ms / 60_000),
        ms if ms.is_multiple_of(1_000) => format!("{}s", ms / 1_000),
        ms => format!("{ms}ms"),
    }
}
