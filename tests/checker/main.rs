//! The flow checker for browsers, as browsers run it: the same script of requests goes to the module in a page, in a Web
//! Worker and in Node.js, and to the checker in this process. All answers are the same, byte for byte, and the reports
//! among them are what `strowger check` prints of the same files.

#[path = "../../engine/flow/tests/support/mod.rs"]
mod catalog;
mod known;
mod script;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use strowger_tests::program::repository;
use tempfile::TempDir;

use script::Script;

/// The folder of module and loader.
fn module() -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let target = test
        .ancestors()
        .nth(3)
        .context("a test lies in target/*/deps")?;
    let module = target.join("checker");
    if !module.join("strowger-checker.wasm").is_file() {
        bail!(
            "{} has no checker for browsers: run `make checker`",
            module.display()
        );
    }
    Ok(module)
}

/// Runs a script of this folder in Node.js.
fn node(script: &str, arguments: &[&str]) -> Result<()> {
    let here = repository().join("tests/checker");
    if !here.join("node_modules/playwright-core").is_dir() {
        bail!(
            "what drives the browser is not installed: run `make setup`, which runs `npm ci` in tests/checker"
        );
    }
    let output = Command::new("node")
        .arg(here.join(script))
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .context("node cannot be started: run `make setup`, or install Node.js 18 or later")?;
    if !output.status.success() {
        bail!(
            "{script} ({}):\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}

/// The answers of the module, by the place where it ran.
fn answers(script: &Script) -> Result<BTreeMap<String, Vec<String>>> {
    let folder = TempDir::new()?;
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    std::fs::write(&from, serde_json::to_vec(&script.requests)?)?;
    let shown = |path: &Path| path.display().to_string();
    node("ask.mjs", &[&shown(&module()?), &shown(&from), &shown(&to)])?;
    Ok(serde_json::from_slice(&std::fs::read(&to)?)?)
}

#[test]
fn a_page_a_worker_and_node_answer_as_this_process_does() -> Result<()> {
    let script = Script::new()?;
    let native = script.native();
    let places = answers(&script)?;
    let names: Vec<&str> = places.keys().map(String::as_str).collect();
    assert_eq!(names, ["node", "page", "worker"]);
    for (place, answers) in &places {
        assert_eq!(answers.len(), native.len());
        for ((request, native), answer) in script.requests.iter().zip(&native).zip(answers) {
            let shown: String = request.chars().take(300).collect();
            assert!(
                native == answer,
                "{place} answers {shown}\nwith   {answer}\nand not {native}"
            );
        }
    }
    Ok(())
}

#[test]
fn the_program_prints_what_this_process_answers_as_text() -> Result<()> {
    let script = Script::new()?;
    script.printed_by_the_program("text", &script.native())
}

#[test]
fn the_program_prints_what_this_process_answers_as_json() -> Result<()> {
    let script = Script::new()?;
    script.printed_by_the_program("json", &script.native())
}

#[test]
fn the_loader() -> Result<()> {
    node("loader.mjs", &[&module()?.display().to_string()])
}
