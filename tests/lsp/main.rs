//! `strowger lsp` as an editor uses it: every case starts the program and drives it with the language client
//! that VS Code uses (`editor.mjs`), on a copy of the demo tenant. The cases stand in `cases.mjs`.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use strowger_tests::program::{binary, copy_project, repository};
use tempfile::TempDir;

/// Runs one case.
fn case(name: &str) -> Result<()> {
    let here = repository().join("tests/lsp");
    if !here
        .join("node_modules/vscode-languageserver-protocol")
        .is_dir()
    {
        bail!(
            "the language client is not installed: run `make setup`, which runs `npm ci` in tests/lsp"
        );
    }
    let folder = TempDir::new()?;
    let project = folder.path().join("aurora");
    copy_project(&repository().join("flows/aurora"), &project)?;
    run(&here, name, &project)
}

fn run(here: &Path, name: &str, project: &Path) -> Result<()> {
    let output = Command::new("node")
        .arg(here.join("cases.mjs"))
        .arg(name)
        .arg(binary("strowger")?)
        .arg(project)
        .stdin(Stdio::null())
        .output()
        .context("node cannot be started: run `make setup`, or install Node.js 18 or later")?;
    if !output.status.success() {
        bail!(
            "case {name} ({}):\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(())
}

/// A test for each case, and one that no case is left out.
macro_rules! cases {
    ($($name:ident),+ $(,)?) => {
        $(
            #[test]
            fn $name() -> Result<()> {
                case(stringify!($name))
            }
        )+

        #[test]
        fn every_case_is_a_test() -> Result<()> {
            let source = std::fs::read_to_string(repository().join("tests/lsp/cases.mjs"))?;
            let named: Vec<&str> = source
                .lines()
                .filter_map(|line| line.strip_prefix("  async ")?.strip_suffix("() {"))
                .collect();
            assert_eq!(named, [$(stringify!($name)),+]);
            Ok(())
        }
    };
}

cases!(
    findings_are_those_of_check,
    a_change_is_felt_by_other_flows,
    findings_in_chinese,
    completion,
    completion_in_broken_yaml,
    hover,
    definition,
    references,
    rename,
    code_actions,
    outline,
    formatting,
    the_disk_changes,
    hostile_messages,
    endings,
    a_lone_file,
);
