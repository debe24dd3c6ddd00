//! `strowger schema`: what an editor with the YAML language server says while somebody types.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::Value as Json;
use strowger_tests::program::{binary, repository, strowger};

/// Projects with flows; their plugins are built by `make guests`.
fn projects() -> Result<Vec<PathBuf>> {
    let mut projects = Vec::new();
    for entry in std::fs::read_dir(repository().join("flows"))? {
        let folder = entry?.path();
        if folder.join("strowger.toml").is_file() {
            projects.push(folder);
        }
    }
    projects.sort();
    Ok(projects)
}

fn schema(arguments: &[&str]) -> Result<jsonschema::Validator> {
    let (code, out, err) = strowger(&[&["schema"], arguments].concat())?;
    assert_eq!(code, 0, "{err}");
    validator(&out)
}

fn validator(text: &str) -> Result<jsonschema::Validator> {
    let schema: Json = serde_json::from_str(text)?;
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    jsonschema::draft202012::meta::validate(&schema).map_err(|e| anyhow::anyhow!("{e}"))?;
    Ok(jsonschema::draft202012::new(&schema)?)
}

fn errors(schema: &jsonschema::Validator, value: &Json) -> Vec<String> {
    let errors = schema.iter_errors(value);
    errors
        .map(|error| format!("{}: {error:.300}", error.instance_path()))
        .collect()
}

/// A flow as the editor's YAML reader sees it: keys are text.
pub fn read(text: &str) -> Result<Json> {
    fn json(value: serde_yaml::Value) -> Json {
        use serde_yaml::Value;
        match value {
            Value::Null => Json::Null,
            Value::Bool(bool) => Json::Bool(bool),
            Value::Number(number) => number.as_f64().map_or(Json::Null, |float| {
                number
                    .as_i64()
                    .map_or_else(|| Json::from(float), Json::from)
            }),
            Value::String(text) => Json::String(text),
            Value::Sequence(items) => items.into_iter().map(json).collect(),
            Value::Mapping(map) => map
                .into_iter()
                .map(|(key, value)| {
                    let key = match json(key) {
                        Json::String(text) => text,
                        other => other.to_string(),
                    };
                    (key, json(value))
                })
                .collect(),
            Value::Tagged(tagged) => json(tagged.value),
        }
    }
    Ok(json(serde_yaml::from_str(text)?))
}

fn flows(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut flows = Vec::new();
    for folder in [folder.to_owned(), folder.join("flows")] {
        if !folder.is_dir() {
            continue;
        }
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.to_string_lossy().ends_with(".flow.yaml") {
                flows.push(path);
            }
        }
    }
    Ok(flows)
}

#[test]
fn every_example_flow_is_valid() -> Result<()> {
    let mut seen = 0;
    for project in projects()? {
        let schema = schema(&[&project.display().to_string()])?;
        for flow in flows(&project)? {
            let text = std::fs::read_to_string(&flow)?;
            let flow_json = read(&text).with_context(|| flow.display().to_string())?;
            let errors = errors(&schema, &flow_json);
            assert!(errors.is_empty(), "{}: {errors:#?}", flow.display());
            seen += 1;
        }
    }
    assert!(seen >= 5, "{seen} flows");
    Ok(())
}

#[test]
fn slips_are_seen_while_typing() -> Result<()> {
    let aurora = repository().join("flows/aurora").display().to_string();
    let schema = schema(&[&aurora])?;
    let text = std::fs::read_to_string(repository().join("flows/aurora/order-status.flow.yaml"))?;
    assert!(schema.is_valid(&read(&text)?));
    for (good, slip) in [
        ("\nsteps:", "\nstep:"),
        ("use: orders/lookup@1", "use: orders/lokup@1"),
        ("      not_found: not_found", "      not_fund: not_found"),
        ("into:", "inot:"),
        ("format: 1", "format: 2"),
    ] {
        let broken = text.replacen(good, slip, 1);
        assert_ne!(broken, text, "{good} stands in the flow");
        assert!(!schema.is_valid(&read(&broken)?), "{slip}");
    }
    Ok(())
}

#[test]
fn outside_a_project_there_are_the_standard_steps() -> Result<()> {
    let nowhere = tempfile::TempDir::new()?;
    let output = std::process::Command::new(binary("strowger")?)
        .arg("schema")
        .current_dir(nowhere.path())
        .output()?;
    assert!(String::from_utf8_lossy(&output.stderr).contains("standard steps only"));
    let schema = validator(&String::from_utf8(output.stdout)?)?;
    let flow = |step: &str| read(&format!("flow: a\nformat: 1\nsteps:\n  start: {step}\n"));
    assert!(schema.is_valid(&flow("{ say: \"Hello.\", barge_in: false, then: bye }")?));
    assert!(schema.is_valid(&flow("[ { wait: 3s }, { hangup: done } ]")?));
    assert!(!schema.is_valid(&flow("{ wait: 3 }")?));
    assert!(!schema.is_valid(&flow("{ tell: \"Hello.\" }")?));
    Ok(())
}

#[test]
fn the_files_beside_the_flows_and_the_tests_have_schemas_too() -> Result<()> {
    let tests = schema(&["--kind", "tests"])?;
    let config = schema(&["--kind", "config"])?;
    let mut seen = 0;
    for project in projects()? {
        let toml: toml::Table = std::fs::read_to_string(project.join("strowger.toml"))?.parse()?;
        let shown = project.display();
        let wrong = errors(&config, &serde_json::to_value(toml)?);
        assert!(wrong.is_empty(), "{shown}: {wrong:#?}");
        for kind in ["routes", "queues"] {
            let file = project.join(format!("{kind}.yaml"));
            if file.is_file() {
                let value = read(&std::fs::read_to_string(file)?)?;
                let wrong = errors(&schema(&["--kind", kind])?, &value);
                assert!(wrong.is_empty(), "{shown}: {wrong:#?}");
            }
        }
        for flow in flows(&project)? {
            let flow = read(&std::fs::read_to_string(flow)?)?;
            if let Some(value) = flow.get("tests") {
                let wrong = errors(&tests, value);
                assert!(wrong.is_empty(), "{shown}: {wrong:#?}");
                seen += 1;
            }
        }
    }
    assert!(seen >= 5, "{seen} flows with tests");
    let refused = |schema: &jsonschema::Validator, text: &str| -> Result<bool> {
        Ok(!schema.is_valid(&read(text)?))
    };
    assert!(refused(&tests, "a: { run: [ { pres: \"1\" } ] }")?);
    assert!(refused(&config, "project: { name: a, tilte: b }")?);
    assert!(refused(
        &schema(&["--kind", "routes"])?,
        "routes: [ { to: \"1\" } ]"
    )?);
    assert!(refused(&schema(&["--kind", "queues"])?, "queue: {}")?);
    Ok(())
}

#[test]
fn all_kinds_are_written_where_the_first_lines_of_files_look() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    std::fs::write(
        folder.path().join("strowger.toml"),
        "[project]\nname = \"a\"\n",
    )?;
    std::fs::write(
        folder.path().join("a.flow.yaml"),
        "flow: a\nformat: 1\nsteps: { start: { hangup: done } }\n",
    )?;
    let (code, out, err) = strowger(&["schema", "--write", &folder.path().display().to_string()])?;
    assert_eq!((code, out.as_str()), (0, ""), "{err}");
    for kind in ["flow", "tests", "config", "routes", "queues"] {
        let path = folder.path().join(format!(".strowger/{kind}.schema.json"));
        validator(&std::fs::read_to_string(path)?)?;
    }
    Ok(())
}
