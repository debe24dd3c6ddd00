//! Contacts as tests of their flows.

use std::path::Path;

use anyhow::Result;

use crate::program::{edit, strowger};

/// Saves a contact of a project as a test of its flow, puts it there and runs it; the case.
pub fn green(
    (project, data): (&Path, &Path),
    contact: &str,
    flow: &str,
    name: &str,
) -> Result<String> {
    let (shown, data) = (project.display().to_string(), data.display().to_string());
    let (code, case, told) = strowger(&[
        "trace",
        contact,
        "--project",
        &shown,
        "--data",
        &data,
        "--save-as-test",
        name,
    ])?;
    assert_eq!(code, 0, "{name}: {case}\n{told}");
    assert!(told.contains("it passes"), "{name}: {told}");
    let file = project.join(format!("{flow}.flow.yaml"));
    put(&file, &case)?;
    let (code, out, errors) = strowger(&["test", &file.display().to_string(), "-k", name])?;
    assert_eq!(code, 0, "{name}: {out}{errors}\n{case}");
    assert!(out.contains("1 passed") || out.contains("1 test"), "{out}");
    Ok(case)
}

/// What a replay says of a contact of a project, which walks as it did.
pub fn replays((project, data): (&Path, &Path), contact: &str) -> Result<String> {
    let (project, data) = (project.display().to_string(), data.display().to_string());
    let (code, out, errors) =
        strowger(&["replay", contact, "--project", &project, "--data", &data])?;
    assert_eq!(code, 0, "{out}{errors}");
    Ok(out)
}

/// Puts a case below `tests:` of a file, as a designer would.
pub fn put(file: &Path, case: &str) -> Result<()> {
    edit(file, |text| match text.contains("\ntests:\n") {
        true => text.replacen("\ntests:\n", &format!("\ntests:\n{case}"), 1),
        false => format!("{text}\ntests:\n{case}"),
    })
}
