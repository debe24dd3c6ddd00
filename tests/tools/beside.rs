//! Files beside those that are named: what is wrong with them, and what no project would load.

use std::path::Path;

use anyhow::Result;
use strowger_tests::program::strowger;

/// A flow of one step, with a test.
fn flow(name: &str, action: &str) -> String {
    format!(
        "flow: {name}\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    - say: Hello.\n    - {action}\n  bye: {{ hangup: completed }}\ntests:\n  {name} greets:\n    run: [{{ expect: {{ hear: Hello }} }}]\n"
    )
}

/// A project of two sound flows, of which one leads to the other, and one that leads nowhere.
fn project(folder: &Path) -> Result<()> {
    std::fs::write(
        folder.join("strowger.toml"),
        "[project]\nname = \"beside\"\n",
    )?;
    std::fs::write(
        folder.join("routes.yaml"),
        "routes: [ { to: \"1\", flow: first } ]\n",
    )?;
    for (name, action) in [
        ("first", "goto: flow:second"),
        ("second", "goto: bye"),
        ("broken", "goto: nowhere"),
    ] {
        std::fs::write(folder.join(format!("{name}.flow.yaml")), flow(name, action))?;
    }
    Ok(())
}

#[test]
fn a_file_is_tested_though_another_flow_has_errors() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    project(folder.path())?;
    let at = |name: &str| folder.path().join(name).display().to_string();
    let (code, out, err) = strowger(&["test", &at("first.flow.yaml")])?;
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.contains("1 passed"), "{out}");
    let warnings: Vec<&str> = err
        .lines()
        .filter(|line| line.starts_with("warning: "))
        .collect();
    let [warning] = warnings[..] else {
        panic!("{err}");
    };
    assert!(
        warning.contains("broken.flow.yaml is left out: it has 1 error,"),
        "{warning}"
    );
    // What it leads to has to be sound, and so has all of a project.
    let second = at("second.flow.yaml");
    std::fs::write(&second, flow("second", "goto: nowhere"))?;
    for named in [at("first.flow.yaml"), second.clone(), at("")] {
        let (code, out, err) = strowger(&["test", &named])?;
        assert_eq!(code, 1, "{named}: {out}{err}");
        assert!(err.contains("second.flow.yaml:7:13"), "{named}: {err}");
    }
    std::fs::write(&second, flow("second", "goto: bye"))?;
    let (code, _, err) = strowger(&["test", &at("")])?;
    assert_eq!(code, 1, "{err}");
    assert!(err.contains("broken.flow.yaml:7:13"), "{err}");
    Ok(())
}

#[test]
fn a_flow_in_a_file_that_no_project_loads_is_told() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    for (name, told) in [
        ("menu.yaml", true),
        ("menu.yml", true),
        ("menu.flow.yaml", false),
    ] {
        let file = folder.path().join(name);
        std::fs::write(&file, flow("menu", "goto: bye"))?;
        let (code, out, err) = strowger(&["check", &file.display().to_string()])?;
        assert_eq!(code, 0, "{name}: {out}{err}");
        let said = format!("{out}{err}");
        assert_eq!(
            said.contains("no project loads this file"),
            told,
            "{name}: {said}"
        );
        assert_eq!(said.contains("menu.flow.yaml`"), told, "{name}: {said}");
    }
    Ok(())
}
