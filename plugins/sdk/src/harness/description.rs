//! Whether a plugin's description is sound, as far as that can be told without an engine.

use serde_json::Value;

/// The description as JSON. Panics with the place of the mistake when it is none.
pub fn read_description(description: &str) -> Value {
    match serde_json::from_str(description) {
        Ok(value) => value,
        Err(error) => panic!("the description is not JSON: {error}"),
    }
}

/// The default that a description gives to an input of a step; null when it gives none.
///
/// A step has its defaults twice, in its description for people and in its code: a test holds them together.
pub fn described_default(description: &str, step: &str, input: &str) -> Value {
    read_description(description)["steps"][step]["input"]["properties"][input]["default"].clone()
}

/// Panics, telling every mistake, unless the description is sound:
/// its steps are those of the plugin, and what a step says of its inputs and outcomes names ones that it has.
pub fn check_description(description: &str, steps: &[&str]) {
    let description = read_description(description);
    let mut mistakes = Vec::new();
    let described: Vec<&str> = names(&description["steps"]);
    let mut has: Vec<&str> = steps.to_vec();
    has.sort_unstable();
    if described != has {
        mistakes.push(format!(
            "it describes the steps {described:?}, and the plugin has {has:?}"
        ));
    }
    let parts: Vec<&str> = description["version"]
        .as_str()
        .unwrap_or_default()
        .split('.')
        .collect();
    if parts.len() != 3 || parts.iter().any(|part| part.parse::<u32>().is_err()) {
        mistakes.push("`version` is not of the form 1.0.0".to_owned());
    }
    for name in described {
        let step = &description["steps"][name];
        let inputs = names(&step["input"]["properties"]);
        let outcomes = names(&step["outcomes"]);
        let named = |field: &str| -> Vec<String> {
            match &step[field] {
                Value::String(one) => vec![one.clone()],
                Value::Array(many) => many
                    .iter()
                    .filter_map(|name| Some(name.as_str()?.to_owned()))
                    .collect(),
                _ => Vec::new(),
            }
        };
        for (field, known) in [
            ("main", &inputs),
            ("outcomesFrom", &inputs),
            ("people", &outcomes),
        ] {
            for missing in named(field)
                .iter()
                .filter(|name| !known.contains(&name.as_str()))
            {
                mistakes.push(format!(
                    "step `{name}`: `{field}` names `{missing}`, which is not there"
                ));
            }
        }
        for bound in step["binds"].as_object().into_iter().flatten() {
            let (bound, schema) = bound;
            for input in schema["x-inputs"].as_array().into_iter().flatten() {
                if input.as_str().is_none_or(|input| !inputs.contains(&input)) {
                    mistakes.push(format!(
                        "step `{name}`: `{bound}` is bound in the input {input}, which is not there"
                    ));
                }
            }
        }
        for required in step["input"]["required"].as_array().into_iter().flatten() {
            if required
                .as_str()
                .is_none_or(|required| !inputs.contains(&required))
            {
                mistakes.push(format!(
                    "step `{name}`: the required input {required} is not there"
                ));
            }
        }
        if let Some(field) = step["into"].as_str() {
            let carried =
                |outcome: &&str| !step["outcomes"][*outcome]["properties"][field].is_null();
            if !outcomes.iter().any(carried) {
                mistakes.push(format!(
                    "step `{name}`: no outcome carries `{field}`, which `into` names"
                ));
            }
        }
        for outcome in &outcomes {
            let data = &step["outcomes"][*outcome]["type"];
            if !data.is_null() && data != "object" {
                mistakes.push(format!(
                    "step `{name}`: the data of outcome `{outcome}` is no object"
                ));
            }
        }
        if step["input"]["type"] != "object" {
            mistakes.push(format!("step `{name}`: the input is no object"));
        }
        if outcomes.is_empty() && named("outcomesFrom").is_empty() {
            mistakes.push(format!("step `{name}` has no outcome"));
        }
    }
    assert!(
        mistakes.is_empty(),
        "the description has mistakes:\n{}",
        mistakes.join("\n")
    );
}

/// The keys of an object, in order; none of anything else.
fn names(value: &Value) -> Vec<&str> {
    value
        .as_object()
        .map(|object| object.keys().map(String::as_str).collect())
        .unwrap_or_default()
}
