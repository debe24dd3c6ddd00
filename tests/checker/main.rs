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
use strowger_tests::program::{binary, repository, strowger};
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

/// Runs a script of this folder in Node.js: what it prints.
fn node(script: &str, arguments: &[&str]) -> Result<String> {
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
    Ok(String::from_utf8(output.stdout)?)
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
    node("loader.mjs", &[&module()?.display().to_string()])?;
    Ok(())
}

/// What a page finds that opens the catalogue of the command: `arguments` follow `strowger schema --catalogue`.
fn found_by_a_page(arguments: &[&str], here: &Path, flows: &[PathBuf]) -> Result<String> {
    let output = Command::new(binary("strowger")?)
        .args(["schema", "--catalogue"])
        .args(arguments)
        .current_dir(here)
        .output()?;
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let folder = TempDir::new()?;
    let (catalogue, files) = (folder.path().join("catalogue"), folder.path().join("files"));
    std::fs::write(&catalogue, &output.stdout)?;
    let texts = flows
        .iter()
        .map(|path| Ok((path.display().to_string(), std::fs::read_to_string(path)?)))
        .collect::<Result<Vec<_>>>()?;
    std::fs::write(&files, serde_json::to_vec(&texts)?)?;
    let shown = |path: &Path| path.display().to_string();
    node(
        "catalogue.mjs",
        &[&shown(&module()?), &shown(&catalogue), &shown(&files)],
    )
}

/// What `strowger check --format json` prints, without what is told of things beside the flows.
fn found_by_the_program(path: &Path) -> Result<String> {
    let (code, out, err) = strowger(&["check", "--format", "json", &path.display().to_string()])?;
    assert!(code <= 1, "{err}");
    let flows = out
        .lines()
        .filter(|line| !line.contains("\"rule\":\"project\""));
    Ok(flows.map(|line| format!("{line}\n")).collect())
}

#[test]
fn a_page_with_the_catalogue_of_a_project_finds_what_the_program_finds() -> Result<()> {
    let aurora = repository().join("flows/aurora");
    let copy = TempDir::new()?;
    let mut flows = Vec::new();
    let mut folders = vec![aurora.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder)? {
            let from = entry?.path();
            let to = copy.path().join(from.strip_prefix(&aurora)?);
            if from.is_dir() {
                std::fs::create_dir(&to)?;
                folders.push(from);
                continue;
            }
            std::fs::copy(&from, &to)?;
            if to.to_string_lossy().ends_with(".flow.yaml") {
                flows.push(to);
            }
        }
    }
    flows.sort();
    assert!(flows.len() >= 3, "{flows:?}");
    let found = |here: &Path| -> Result<String> {
        let shown = copy.path().display().to_string();
        let arguments: &[&str] = if here == copy.path() { &[] } else { &[&shown] };
        let page = found_by_a_page(arguments, here, &flows)?;
        assert_eq!(page, found_by_the_program(copy.path())?);
        Ok(page)
    };
    let elsewhere = TempDir::new()?;
    let good = found(copy.path())?;
    assert_eq!(
        good.matches("\"rule\":\"worst-case\"").count(),
        flows.len(),
        "{good}"
    );
    // Slips about what stands in other files, of plugins, queues, suppliers and flows.
    let slips = [
        (
            "use: orders/lookup@1",
            "use: orders/lokup@1",
            "unknown-plugin",
        ),
        ("queue: ", "queue: no-", "unknown-queue"),
        (
            "transfer: aurora-advisers",
            "transfer: nobody",
            "unknown-destination",
        ),
        ("call: ", "call: no-", "unknown-flow"),
    ];
    let mut rules = Vec::new();
    for flow in &flows {
        let text = std::fs::read_to_string(flow)?;
        let mut slipped = text.clone();
        for (right, wrong, rule) in slips {
            if text.contains(right) {
                slipped = slipped.replacen(right, wrong, 1);
                rules.push(rule);
            }
        }
        std::fs::write(flow, slipped)?;
    }
    let bad = found(elsewhere.path())?;
    assert!(rules.len() >= 2, "{rules:?}");
    for rule in rules {
        assert!(
            bad.contains(&format!("\"rule\":\"{rule}\"")),
            "{rule}: {bad}"
        );
    }
    Ok(())
}

#[test]
fn a_page_with_the_catalogue_of_no_project_finds_what_the_program_finds_in_a_lone_file()
-> Result<()> {
    let folder = TempDir::new()?;
    let flow = folder.path().join("a.flow.yaml");
    std::fs::write(
        &flow,
        "flow: a\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    transfer: \"sip:\"\n    then: { done: bye, buzy: bye, else: bye }\n  bye:\n    - sya: Goodbye.\n    - hangup: done\n",
    )?;
    let page = found_by_a_page(&[], folder.path(), std::slice::from_ref(&flow))?;
    for rule in ["unknown-destination", "unknown-outcome", "unknown-verb"] {
        assert!(
            page.contains(&format!("\"rule\":\"{rule}\"")),
            "{rule}: {page}"
        );
    }
    assert_eq!(page, found_by_the_program(&flow)?);
    Ok(())
}
