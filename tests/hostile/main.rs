//! Plugins that mean harm, in an engine that also serves somebody else: what each tries, how it is contained, and that
//! the other tenant notices nothing. Some that want the vault are in `tests/centre`.
//!
//! The guests are in `tests/guests/hostile`, whose README has every attack with its test; what no compiler writes is written by
//! hand, in `forged`.

mod abandoned;
mod crowding;
mod flooding;
mod forged;
#[path = "../../engine/plugin/tests/host/guest.rs"]
#[allow(dead_code, reason = "the tests of the step host build more")]
mod guest;
mod pushing;
mod reaching;
mod showing;
mod stealing;
mod told;
mod values;
mod walking;

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, ensure};

/// Fewest attacks, and fewest of them with a source of their own.
const LEAST: usize = 30;
const LEAST_SOURCES: usize = 30;

#[test]
fn every_attack_has_its_component_and_its_test() -> Result<()> {
    let repository = strowger_tests::program::repository();
    let folder = repository.join("tests/guests/hostile");
    let readme = std::fs::read_to_string(folder.join("README.md"))?;
    let rows = readme.lines().filter(|line| line.starts_with("| "));
    let rows: Vec<Vec<&str>> = rows
        .map(|row| {
            row.trim_matches('|')
                .split('|')
                .map(|cell| cell.trim().trim_matches('`'))
                .collect()
        })
        .skip(1)
        .collect();
    ensure!(rows.len() >= LEAST, "{} attacks", rows.len());
    let mut named = BTreeSet::new();
    for row in &rows {
        let [attack, component, test] = row[..] else {
            anyhow::bail!("not three cells: {row:?}");
        };
        let place = match test.contains('/') {
            true => repository.join(test),
            false => repository.join("tests/hostile").join(test),
        };
        let text = std::fs::read_to_string(&place).with_context(|| format!("{attack}: {test}"))?;
        if let Some(name) = component.strip_suffix(".rs") {
            ensure!(folder.join(component).is_file(), "{attack}: no {component}");
            let name = name.rsplit('/').next().unwrap_or(name).replace('_', "-");
            // By its name, or by the function of the tests' library that makes a step of it.
            let named_so = [format!("guest-{name}"), format!("{name}(")];
            ensure!(
                named_so.iter().any(|word| text.contains(word)),
                "{attack}: {test} has no guest-{name}"
            );
            named.insert(component.to_owned());
        }
    }
    ensure!(named.len() >= LEAST_SOURCES, "{} sources", named.len());
    for entry in std::fs::read_dir(&folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        ensure!(
            !name.ends_with(".rs") || named.contains(&name),
            "{name} stands in no row"
        );
    }
    Ok(())
}
