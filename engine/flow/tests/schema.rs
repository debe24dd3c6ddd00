//! The JSON Schema of flows beside the checker: what the one accepts the other accepts, and what is wrong with the
//! structure of a flow is wrong for both.

mod support;

use serde_json::Value as Json;
use strowger_flow::{Level, check, schema};

/// Rules that are about structure: a schema tells of them while somebody types.
const STRUCTURAL: [&str; 14] = [
    "bad-duration",
    "bad-hours",
    "bad-name",
    "bad-value",
    "missing-input",
    "missing-key",
    "missing-unit",
    "two-verbs",
    "unknown-flow",
    "unknown-input",
    "unknown-key",
    "unknown-outcome",
    "unknown-plugin",
    "unknown-verb",
];

fn validator() -> jsonschema::Validator {
    let schema = schema::flow(&support::project());
    jsonschema::draft202012::meta::validate(&schema).expect("a schema of the draft");
    jsonschema::draft202012::new(&schema).expect("a schema that can be used")
}

/// A flow as other readers of YAML see it; JSON's keys are text.
fn read(text: &str) -> Option<Json> {
    serde_yaml::from_str::<serde_yaml::Value>(text)
        .ok()
        .map(json)
}

fn json(value: serde_yaml::Value) -> Json {
    match value {
        serde_yaml::Value::Sequence(items) => items.into_iter().map(json).collect(),
        serde_yaml::Value::Mapping(map) => map
            .into_iter()
            .map(|(key, value)| match json(key) {
                Json::String(key) => (key, json(value)),
                key => (key.to_string(), json(value)),
            })
            .collect(),
        serde_yaml::Value::Tagged(tagged) => json(tagged.value),
        scalar => serde_json::to_value(scalar).unwrap_or(Json::Null),
    }
}

fn errors(validator: &jsonschema::Validator, flow: &Json) -> Vec<String> {
    let errors = validator.iter_errors(flow);
    errors
        .map(|error| format!("{}: {error:.300}", error.instance_path()))
        .collect()
}

#[test]
fn the_examples_are_valid() {
    let validator = validator();
    for (file, text) in support::GOOD {
        let flow = read(text).expect("YAML");
        let errors = errors(&validator, &flow);
        assert!(errors.is_empty(), "{file}: {errors:#?}");
    }
}

#[test]
fn every_element_of_the_grammar_is_taken_by_both() {
    let text = include_str!("flows/everything.flow.yaml");
    let found = check("everything.flow.yaml", text.as_bytes(), &support::steps());
    let wrong = found
        .diagnostics
        .iter()
        .filter(|found| found.level == Level::Error);
    let wrong: Vec<String> = wrong.map(|found| found.render(text, false)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // The file stands alone.
    assert_eq!(found.worst.expect("no error").calls, ["called"]);
    let schema = schema::flow(&support::steps());
    let validator = jsonschema::draft202012::new(&schema).expect("a schema that can be used");
    let errors = errors(&validator, &read(text).expect("YAML"));
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a test may read its own examples"
)]
fn what_the_checker_accepts_is_valid_and_what_has_the_wrong_structure_is_not() {
    let validator = validator();
    let catalog = support::project();
    let mut refused = Vec::new();
    insta::glob!("rules/*.flow.yaml", |path| {
        let bytes = std::fs::read(path).expect("an example can be read");
        // What is not UTF-8 is no YAML.
        let Ok(text) = String::from_utf8(bytes) else {
            return;
        };
        let name = path.file_name().and_then(|name| name.to_str());
        let rule = name.unwrap_or_default().trim_end_matches(".flow.yaml");
        let Some(flow) = read(&text) else { return };
        let found = check(rule, text.as_bytes(), &catalog).diagnostics;
        let errors = errors(&validator, &flow);
        if found.iter().all(|found| found.level != Level::Error) {
            assert!(errors.is_empty(), "{rule}: {errors:#?}");
        }
        if !errors.is_empty() {
            refused.push(rule.to_owned());
        }
    });
    for rule in STRUCTURAL {
        assert!(
            refused.iter().any(|refused| refused == rule),
            "{rule} is taken"
        );
    }
}
