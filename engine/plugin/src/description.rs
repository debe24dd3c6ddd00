//! A plugin's description of itself, checked.

use std::collections::BTreeMap;

use serde_json::Value;
use strowger_flow::catalog::{PluginDescription, StepDescription};

use crate::error::LoadError;
use crate::schema::Schema;

/// Most steps of one plugin. Count; a plugin with more should be several.
const STEPS_MOST: usize = 100;

/// Longest name of a plugin, a step or an outcome. Bytes.
const NAME_BYTES: usize = 64;

/// A step ready to run: its schemas are compiled once, at load.
#[derive(Debug)]
pub(crate) struct StepCheck {
    pub(crate) input: Schema,
    pub(crate) outcomes: BTreeMap<String, Schema>,
    pub(crate) outcomes_from: Vec<String>,
}

/// Steps by name.
pub(crate) type StepChecks = BTreeMap<String, StepCheck>;

/// Reads the answer to `describe` and holds it against the contract.
pub(crate) fn read(text: &str) -> Result<(PluginDescription, StepChecks), Vec<LoadError>> {
    let description: PluginDescription = serde_json::from_str(text).map_err(|error| {
        vec![LoadError::Description {
            path: "describe".into(),
            reason: error.to_string(),
        }]
    })?;
    let mut findings = Findings(Vec::new());
    let mut checks = StepChecks::new();

    if !is_name(&description.name, "-") {
        findings.add(
            "name",
            format!(
                "`{}` is not a name: {}",
                shown(&description.name),
                name_rule("-")
            ),
        );
    }
    if let Err(error) = semver::Version::parse(&description.version) {
        findings.add(
            "version",
            format!(
                "`{}` is not a semantic version such as `1.0.0`: {error}",
                shown(&description.version)
            ),
        );
    }
    if description.steps.is_empty() {
        findings.add("steps", "a plugin has at least one step".into());
    }
    if description.steps.len() > STEPS_MOST {
        findings.add(
            "steps",
            format!(
                "{} steps, at most {STEPS_MOST} are allowed",
                description.steps.len()
            ),
        );
    }
    for (name, step) in description.steps.iter().take(STEPS_MOST) {
        let path = format!("steps.{}", shown(name));
        if !is_name(name, "-_") {
            findings.add(&path, format!("not a name: {}", name_rule("-_")));
        }
        if let Some(check) = check_step(&path, step, &mut findings) {
            checks.insert(name.clone(), check);
        }
    }
    if findings.0.is_empty() {
        Ok((description, checks))
    } else {
        Err(findings.0)
    }
}

fn check_step(path: &str, step: &StepDescription, findings: &mut Findings) -> Option<StepCheck> {
    let at = |part: &str| format!("{path}.{part}");
    if step.input.get("type").and_then(Value::as_str) != Some("object") {
        findings.add(
            &at("input"),
            "the input is an object: write `\"type\": \"object\"`".into(),
        );
    }
    let inputs = step.input.get("properties").and_then(Value::as_object);
    let is_input = |name: &str| inputs.is_some_and(|inputs| inputs.contains_key(name));
    if let Some(main) = &step.main
        && !is_input(main)
    {
        findings.add(
            &at("main"),
            format!("`{}` is not among `input.properties`", shown(main)),
        );
    }
    for name in &step.outcomes_from {
        if !is_input(name) {
            findings.add(
                &at("outcomesFrom"),
                format!("`{}` is not among `input.properties`", shown(name)),
            );
        }
    }
    if step.outcomes.is_empty() && step.outcomes_from.is_empty() {
        findings.add(&at("outcomes"), "a step has at least one outcome".into());
    }
    let mut into_found = step.into.is_none();
    let mut outcomes = BTreeMap::new();
    for (name, schema) in &step.outcomes {
        let path = at(&format!("outcomes.{}", shown(name)));
        if !is_name(name, "-_") {
            findings.add(&path, format!("not a name: {}", name_rule("-_")));
        }
        if name == "error" {
            findings.add(
                &path,
                "`error` is the engine's: return a failure instead".into(),
            );
        }
        if schema.get("type").is_some_and(|kind| kind != "object") {
            findings.add(
                &path,
                "the data of an outcome is an object: write `\"type\": \"object\"`".into(),
            );
        }
        if let Some(into) = &step.into {
            into_found |= schema
                .pointer("/properties")
                .is_some_and(|fields| fields.get(into).is_some());
        }
        match Schema::compile(schema) {
            Ok(schema) => {
                outcomes.insert(name.clone(), schema);
            }
            Err(reason) => findings.add(&path, reason),
        }
    }
    if !into_found {
        findings.add(&at("into"), "no outcome has a property of that name".into());
    }
    for name in &step.people {
        if !step.outcomes.contains_key(name) {
            findings.add(
                &at("people"),
                format!("`{}` is not among `outcomes`", shown(name)),
            );
        }
    }
    for (index, example) in step.examples.iter().enumerate() {
        if !example.is_object() {
            findings.add(
                &at(&format!("examples[{index}]")),
                "an example is an object".into(),
            );
        }
    }
    match Schema::compile(&step.input) {
        Ok(input) => Some(StepCheck {
            input,
            outcomes,
            outcomes_from: step.outcomes_from.clone(),
        }),
        Err(reason) => {
            findings.add(&at("input"), reason);
            None
        }
    }
}

struct Findings(Vec<LoadError>);

impl Findings {
    fn add(&mut self, path: &str, reason: String) {
        self.0.push(LoadError::Description {
            path: path.to_owned(),
            reason,
        });
    }
}

/// Whether a text is a lower-case name with these further characters, a letter first.
fn is_name(text: &str, further: &str) -> bool {
    text.len() <= NAME_BYTES
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || further.contains(c))
}

fn name_rule(further: &str) -> String {
    let further: Vec<_> = further.chars().map(|c| format!("`{c}`")).collect();
    format!(
        "lower-case letters, digits and {}, a letter first, at most {NAME_BYTES} bytes",
        further.join(" and ")
    )
}

/// A stranger's text, short enough for a message.
fn shown(text: &str) -> String {
    text.chars()
        .take(NAME_BYTES)
        .flat_map(char::escape_debug)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn findings(description: Value) -> Vec<String> {
        match read(&description.to_string()) {
            Ok(_) => Vec::new(),
            Err(findings) => findings.iter().map(ToString::to_string).collect(),
        }
    }

    #[test]
    fn a_sane_description_passes() {
        let description = json!({"name": "std", "version": "1.2.0", "steps": {"menu": {
            "input": {"type": "object", "properties": {"press": {"type": "object"}, "prompt": {"type": "string"}}},
            "main": "prompt", "outcomesFrom": ["press"], "outcomes": {"no_input": {}, "no_match": {}}
        }}});
        assert_eq!(findings(description), Vec::<String>::new());
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let description = json!({"name": "Std!", "version": "one", "steps": {"Menu": {
            "input": {"type": "string", "properties": {}},
            "main": "prompt", "outcomesFrom": ["press"], "into": "digits",
            "outcomes": {"error": {}, "ok": {"type": "array"}, "odd": {"type": "objcet"}},
            "people": ["nobody"], "examples": [1]
        }}});
        let findings = findings(description);
        for path in [
            "`name`",
            "`version`",
            "`steps.Menu`",
            "steps.Menu.input",
            "steps.Menu.main",
            "steps.Menu.outcomesFrom",
            "steps.Menu.into",
            "outcomes.error",
            "outcomes.ok",
            "outcomes.odd",
            "steps.Menu.people",
            "examples[0]",
        ] {
            assert!(
                findings.iter().any(|finding| finding.contains(path)),
                "{path}: {findings:#?}"
            );
        }
    }

    #[test]
    fn what_is_no_description_is_told_with_its_place() {
        for text in ["", "{", "[]", "{}", "{\"name\":1}", "\u{0}", "null"] {
            let findings = read(text).unwrap_err();
            assert!(
                findings[0].to_string().contains("line"),
                "{text}: {}",
                findings[0]
            );
        }
    }
}
