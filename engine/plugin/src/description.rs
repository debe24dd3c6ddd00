//! A plugin's description of itself, checked.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use serde_json::Value;
use strowger_flow::catalog::{PluginDescription, StepDescription};
use strowger_flow::unseen::{is_unseen, quoted, quoted_up_to};

use crate::error::LoadError;
use crate::patterns::PatternRoom;
use crate::schema::{Schema, Unfit};

/// The contract: the same document that plugins' authors read. What it refuses is refused here; the checks
/// in code come first, since they say it in better words, and add what a schema cannot say.
const CONTRACT: &str = include_str!("../../../wit/1.0/description.schema.json");

/// Most steps of one plugin, as in the contract. Count; a plugin with more should be several.
const STEPS_MOST: usize = 64;
/// Highest number in a version: room for a date such as 20261129, and for a next one in any case.
const VERSION_PART_MOST: u64 = 999_999_999;

/// Most findings of the contract that are told of one description. Count; a stranger wrote it.
const FINDINGS_MOST: usize = 20;

/// Longest reason that quotes a stranger's text, in characters.
const REASON_CHARS: usize = 300;

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
    let unreadable = |error: serde_json::Error| {
        vec![LoadError::Description {
            path: "describe".into(),
            reason: error.to_string(),
        }]
    };
    let document: Value = serde_json::from_str(text).map_err(unreadable)?;
    let mut findings = Findings(Vec::new());
    let description: PluginDescription = match serde_json::from_str(text) {
        Ok(description) => description,
        // Reading ends at the first key that it does not know; the contract tells of all, and of all else.
        Err(error) if error.to_string().starts_with("unknown field") => {
            contract(&document, &mut findings);
            unseen(&document, "", &mut findings);
            return match findings.0.is_empty() {
                true => Err(unreadable(error)),
                false => Err(findings.0),
            };
        }
        Err(error) => return Err(unreadable(error)),
    };
    let mut checks = StepChecks::new();
    let mut patterns = PatternRoom::default();

    if !is_plugin_name(&description.name) {
        findings.add(
            "name",
            format!(
                "`{}` is not a name: words of lower-case letters and digits with one `-` between, a letter first, \
                 at most {NAME_BYTES} bytes",
                quoted(&description.name)
            ),
        );
    }
    match semver::Version::parse(&description.version) {
        Ok(version) => {
            let parts = [version.major, version.minor, version.patch];
            if parts.into_iter().any(|part| part > VERSION_PART_MOST) {
                findings.add(
                    "version",
                    format!(
                        "`{}`: a number of a version is at most {VERSION_PART_MOST}",
                        quoted(&description.version)
                    ),
                );
            }
        }
        Err(error) => findings.add(
            "version",
            format!(
                "`{}` is not a semantic version such as `1.0.0`: {error}",
                quoted(&description.version)
            ),
        ),
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
        let path = format!("steps.{}", quoted(name));
        if !is_name(name) {
            findings.add(&path, not_a_name());
        }
        if let Some(check) = check_step(&path, step, &mut patterns, &mut findings) {
            checks.insert(name.clone(), check);
        }
    }
    if findings.0.is_empty() {
        contract(&document, &mut findings);
    }
    unseen(&document, "", &mut findings);
    if findings.0.is_empty() {
        Ok((description, checks))
    } else {
        Err(findings.0)
    }
}

fn check_step(
    path: &str,
    step: &StepDescription,
    patterns: &mut PatternRoom,
    findings: &mut Findings,
) -> Option<StepCheck> {
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
            format!("`{}` is not among `input.properties`", quoted(main)),
        );
    }
    for name in &step.outcomes_from {
        if !is_input(name) {
            findings.add(
                &at("outcomesFrom"),
                format!("`{}` is not among `input.properties`", quoted(name)),
            );
        }
    }
    for (name, schema) in &step.binds {
        let Some(told) = schema.get("x-inputs") else {
            continue;
        };
        let names = told.as_array().into_iter().flatten();
        let known = |input: &Value| input.as_str().is_some_and(is_input);
        if !told.is_array() || !names.clone().all(known) {
            findings.add(
                &at(&format!("binds.{}", quoted(name))),
                "`x-inputs` is a list of names of `input.properties`".into(),
            );
        }
    }
    if step.outcomes.is_empty() && step.outcomes_from.is_empty() {
        findings.add(&at("outcomes"), "a step has at least one outcome".into());
    }
    let mut into_found = step.into.is_none();
    let mut outcomes = BTreeMap::new();
    for (name, schema) in &step.outcomes {
        let path = at(&format!("outcomes.{}", quoted(name)));
        if !is_name(name) {
            findings.add(&path, not_a_name());
        }
        if name == "error" {
            findings.add(
                &path,
                "`error` is the engine's: return a failure instead".into(),
            );
        }
        if name == "else" {
            findings.add(
                &path,
                "`else` is the flow's word for everything left: choose another name".into(),
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
        match Schema::compile(schema, patterns) {
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
                format!("`{}` is not among `outcomes`", quoted(name)),
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
    match Schema::compile(&step.input, patterns) {
        Ok(input) => {
            for (name, schema) in inputs.into_iter().flatten() {
                if let Some(reason) = unfit_default(schema) {
                    let name = quoted(name);
                    findings.add(&at(&format!("input.properties.{name}.default")), reason);
                }
            }
            Some(StepCheck {
                input,
                outcomes,
                outcomes_from: step.outcomes_from.clone(),
            })
        }
        Err(reason) => {
            findings.add(&at("input"), reason);
            None
        }
    }
}

/// Why the value that a flow gives where it says nothing is none that the input takes: every contact that comes to the step would fail.
/// What has a format is read by that (a prompt's words in languages, `5s`), and told when a flow uses it.
fn unfit_default(schema: &Value) -> Option<String> {
    let default = schema.get("default")?;
    if schema.get("format").is_some() {
        return None;
    }
    let compiled = Schema::compile(schema, &mut PatternRoom::default()).ok()?;
    match compiled.check(default, DEFAULT_WITHIN) {
        Ok(()) => None,
        Err(Unfit::Wrong(finding)) => Some(format!("the input does not take it: {finding}")),
        Err(Unfit::Unfinished) => {
            Some("it takes too long to be held against its schema".to_owned())
        }
    }
}

/// Longest time in which a default is held against its schema.
const DEFAULT_WITHIN: Duration = Duration::from_millis(100);

struct Findings(Vec<LoadError>);

impl Findings {
    fn add(&mut self, path: &str, reason: String) {
        self.0.push(LoadError::Description {
            path: path.to_owned(),
            reason,
        });
    }
}

/// Holds a description against the contract itself.
fn contract(document: &Value, findings: &mut Findings) {
    static VALIDATOR: LazyLock<jsonschema::Validator> = LazyLock::new(|| {
        let schema = serde_json::from_str(CONTRACT).expect("the contract is JSON");
        jsonschema::validator_for(&schema).expect("the contract is a JSON Schema")
    });
    for error in VALIDATOR.iter_errors(document).take(FINDINGS_MOST) {
        let path = error.instance_path().to_string();
        let path = path.trim_start_matches('/').replace('/', ".");
        let place = if path.is_empty() { "describe" } else { &path };
        // The values are a stranger's and may be long.
        findings.add(place, quoted_up_to(&error.to_string(), REASON_CHARS));
    }
}

/// Whoever looks at a plugin reads its texts, which must not hide, turn or forge what stands around them. Line breaks are for
/// long ones.
fn unseen(value: &Value, path: &str, findings: &mut Findings) {
    let below = |name: &str| match path {
        "" => quoted(name),
        path => format!("{path}.{}", quoted(name)),
    };
    let odd = |text: &str| {
        let mut letters = text.chars();
        letters.find(|&letter| is_unseen(letter) && letter != '\n' && letter != '\t')
    };
    let tell = |findings: &mut Findings, path: &str, letter: char| {
        if findings.0.len() < FINDINGS_MOST {
            let code = u32::from(letter);
            let reason =
                format!("the character U+{code:04X} controls how text is shown: leave it out");
            findings.add(path, reason);
        }
    };
    match value {
        Value::String(text) => {
            if let Some(letter) = odd(text) {
                tell(findings, path, letter);
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                unseen(item, &below(&at.to_string()), findings);
            }
        }
        Value::Object(fields) => {
            for (name, field) in fields {
                if let Some(letter) = odd(name) {
                    tell(findings, &below(name), letter);
                }
                unseen(field, &below(name), findings);
            }
        }
        _ => {}
    }
}

/// Whether a text is the name of a plugin.
fn is_plugin_name(text: &str) -> bool {
    text.split('-').all(|word| {
        !word.is_empty()
            && word
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    }) && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.len() <= NAME_BYTES
}

/// Whether a text is the name of a step or an outcome.
fn is_name(text: &str) -> bool {
    text.len() <= NAME_BYTES
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn not_a_name() -> String {
    format!(
        "not a name: lower-case letters, digits and `_`, a letter first, at most {NAME_BYTES} bytes"
    )
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
    fn a_version_leaves_room_for_the_next() {
        let of = |version: &str| {
            let description = json!({"name": "shop", "version": version, "steps": {"find": {
                "input": {"type": "object"}, "outcomes": {"found": {"data": {"type": "object"}}}}}});
            let told = read(&description.to_string()).err().unwrap_or_default();
            told.iter().map(ToString::to_string).collect::<String>()
        };
        let told = of("1.18446744073709551615.18446744073709551615");
        assert!(told.contains("at most 999999999"), "{told}");
        for version in ["999999999.0.0", "1.0.20261129"] {
            assert!(!of(version).contains("at most"), "{version}");
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
    fn a_default_is_one_that_the_input_takes() {
        let of = |zone: Value| {
            findings(
                json!({"name": "std", "version": "1.2.0", "steps": {"hours": {
                    "input": {"type": "object", "properties": {"zone": zone}}, "outcomes": {"open": {}}
                }}}),
            )
        };
        for right in [
            json!({"type": "string", "enum": ["UTC", "CET"], "default": "CET"}),
            json!({"type": "number", "default": 5}),
            json!({"type": "string", "format": "prompt", "default": {"en": "Hello"}}),
            json!({"type": "string"}),
        ] {
            assert_eq!(of(right.clone()), Vec::<String>::new(), "{right}");
        }
        for wrong in [
            json!({"type": "string", "enum": ["UTC", "CET"], "default": "EST"}),
            json!({"type": "string", "default": 5}),
        ] {
            let told = of(wrong.clone());
            assert!(
                matches!(told.as_slice(), [one] if one.contains("steps.hours.input.properties.zone.default")),
                "{wrong}: {told:?}"
            );
        }
    }

    #[test]
    fn a_key_that_is_none_hides_nothing_else() {
        let description = json!({"name": "Std!", "version": "one", "colour": 1, "steps": {"menu": {
            "input": {"type": "object"}, "outcomes": {"ok": {}}, "tone": "a"
        }}});
        let findings = findings(description).concat();
        for what in ["colour", "tone", "Std!", "`version`"] {
            assert!(findings.contains(what), "no {what} in {findings}");
        }
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let description = json!({"name": "Std!", "version": "one", "steps": {"Menu": {
            "input": {"type": "string", "properties": {}},
            "main": "prompt", "outcomesFrom": ["press"], "into": "digits",
            "outcomes": {"error": {}, "ok": {"type": "array"}, "odd": {"type": "objcet"}},
            "people": ["nobody"], "examples": [1], "binds": {"order": {"x-inputs": ["confirm"]}}
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
            "binds.order",
        ] {
            assert!(
                findings.iter().any(|finding| finding.contains(path)),
                "{path}: {findings:#?}"
            );
        }
    }

    /// A description with one step, changed.
    fn changed(change: impl FnOnce(&mut Value)) -> Value {
        let mut description = json!({"name": "shop", "version": "1.0.0", "steps": {"find": {
            "input": {"type": "object", "properties": {"no": {"type": "string"}}},
            "main": "no", "outcomes": {"found": {}}
        }}});
        change(&mut description);
        description
    }

    fn steps(count: usize) -> Value {
        changed(|d| {
            let step = d["steps"]["find"].clone();
            d["steps"] = (0..count)
                .map(|n| (format!("s{n}"), step.clone()))
                .collect();
        })
    }

    fn step(name: &str, value: Value) -> Value {
        changed(|d| d["steps"]["find"][name] = value)
    }

    fn named(name: &str) -> Value {
        changed(|d| {
            let step = d["steps"]["find"].clone();
            d["steps"] = json!({ name: step });
        })
    }

    #[test]
    fn the_contract_and_the_host_agree() {
        let schema = serde_json::from_str(CONTRACT).expect("JSON");
        let contract = jsonschema::validator_for(&schema).expect("a JSON Schema");
        let long = "a".repeat(64);
        let too_long = "a".repeat(65);
        let outcomes = |count: usize| {
            let all = (0..count).map(|n| (format!("o{n}"), json!({}))).collect();
            step("outcomes", all)
        };
        let examples = |count: usize| {
            step(
                "examples",
                vec![json!({"input": {}, "outcome": "found"}); count].into(),
            )
        };
        let plugin = |name: &str| changed(|d| d["name"] = name.into());
        let outcome = |name: &str| step("outcomes", json!({ name: {} }));
        for (accepted, description) in [
            (true, changed(|_| {})),
            (true, steps(64)),
            (false, steps(65)),
            (false, steps(0)),
            (true, plugin("order-desk2")),
            (true, plugin(&long)),
            (false, plugin(&too_long)),
            (false, plugin("order_desk")),
            (false, plugin("order-")),
            (false, plugin("order--desk")),
            (false, plugin("2orders")),
            (true, named("look_up")),
            (true, named(&long)),
            (false, named(&too_long)),
            (false, named("look-up")),
            (false, named("_up")),
            (true, outcome("not_found")),
            (true, outcome("timeout")),
            (false, outcome("not-found")),
            (false, outcome("error")),
            (false, outcome("else")),
            (true, outcomes(64)),
            (false, outcomes(65)),
            (false, outcomes(0)),
            (false, step("outcomes", json!({"found": {"type": "array"}}))),
            (true, examples(32)),
            (false, examples(33)),
            (false, step("examples", json!([{"input": {}}]))),
            (false, step("input", json!({"type": "string"}))),
            (
                false,
                step(
                    "input",
                    json!({"type": "object", "properties": {"order-no": {}, "no": {}}}),
                ),
            ),
            (false, step("people", json!(["found", "found"]))),
            (false, step("binds", json!({"Order": {}}))),
            (
                true,
                step("binds", json!({"order": { "x-inputs": ["no"] }})),
            ),
            (false, step("binds", json!({"order": { "x-inputs": "no" }}))),
            (
                true,
                step("title", json!({"en": "Find", "zh-Hans": "查询"})),
            ),
            (false, step("title", json!({"in English": "Find"}))),
            (false, step("colour", json!("red"))),
            (false, changed(|d| d["version"] = "1.0".into())),
            (true, changed(|d| d["version"] = "1.0.0-rc.1+5".into())),
            (false, changed(|d| d["version"] = "01.0.0".into())),
        ] {
            let told = findings(description.clone());
            assert_eq!(
                contract.is_valid(&description),
                accepted,
                "contract: {description}"
            );
            assert_eq!(told.is_empty(), accepted, "host: {description}: {told:#?}");
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
