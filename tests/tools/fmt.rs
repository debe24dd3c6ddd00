//! `strowger fmt`

use std::io::Write as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use strowger_tests::program::{binary, strowger};

const CARELESS: &str = "# a flow\nflow:   a   # its name\nsteps: {start: {hangup:  done}}\n";
const LAID_OUT: &str = "# a flow\nflow: a     # its name\nsteps: { start: { hangup: done } }\n";

#[test]
fn a_file_is_laid_out_once_and_then_stays() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    let file = folder.path().join("a.flow.yaml");
    let shown = file.display().to_string();
    std::fs::write(&file, CARELESS)?;
    let (code, out, _) = strowger(&["fmt", "--check", &shown])?;
    assert_eq!(code, 1);
    assert!(out.contains("would change"), "{out}");
    assert_eq!(std::fs::read_to_string(&file)?, CARELESS);
    let (code, out, _) = strowger(&["fmt", &folder.path().display().to_string()])?;
    assert_eq!((code, out), (0, format!("{shown}: laid out\n")));
    assert_eq!(std::fs::read_to_string(&file)?, LAID_OUT);
    let (code, out, _) = strowger(&["fmt", "--check", &shown])?;
    assert_eq!((code, out.as_str()), (0, ""));
    assert_eq!(std::fs::read_dir(folder.path())?.count(), 1);
    Ok(())
}

#[test]
fn what_cannot_be_read_stays_as_it_is() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    let file = folder.path().join("a.flow.yaml");
    let broken = "flow: a\nflow: b\nsteps: { start: { hangup: done } }\n";
    std::fs::write(&file, broken)?;
    let (code, _, err) = strowger(&["fmt", &file.display().to_string()])?;
    assert_eq!(code, 1);
    assert!(
        err.contains("error[duplicate-key]") && err.contains("left as it is"),
        "{err}"
    );
    assert_eq!(std::fs::read_to_string(&file)?, broken);
    let (code, _, err) = strowger(&["fmt", "/nowhere/a.flow.yaml"])?;
    assert_eq!(code, 2);
    assert!(err.contains("cannot read /nowhere/a.flow.yaml"), "{err}");
    Ok(())
}

#[test]
fn an_editor_pipes_a_file_through() -> Result<()> {
    let mut program = Command::new(binary("strowger")?)
        .args(["fmt", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    program
        .stdin
        .take()
        .context("stdin is a pipe")?
        .write_all(CARELESS.as_bytes())?;
    let output = program.wait_with_output()?;
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout)?, LAID_OUT);
    Ok(())
}

#[test]
fn lines_end_as_they_did_and_a_byte_order_mark_is_told() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    let file = folder.path().join("a.flow.yaml");
    let shown = file.display().to_string();
    // As Git checks a file out on Windows.
    let windows = LAID_OUT.replace('\n', "\r\n");
    std::fs::write(&file, &windows)?;
    let (code, out, _) = strowger(&["fmt", "--check", &shown])?;
    assert_eq!((code, out.as_str()), (0, ""));
    std::fs::write(&file, CARELESS.replace('\n', "\r\n"))?;
    let (code, _, _) = strowger(&["fmt", &shown])?;
    assert_eq!((code, std::fs::read_to_string(&file)?), (0, windows));
    std::fs::write(&file, format!("\u{feff}{LAID_OUT}"))?;
    let (code, out, _) = strowger(&["fmt", "--check", &shown])?;
    assert!(code == 1 && out.contains("byte order mark"), "{out}");
    let (code, out, _) = strowger(&["fmt", &shown])?;
    assert!(code == 0 && out.contains("byte order mark"), "{out}");
    assert_eq!(std::fs::read_to_string(&file)?, LAID_OUT);
    Ok(())
}
