//! Waiting with as many instances as there are: the neighbour gets one all the same.

use std::io::Write as _;

use anyhow::{Context, Result, ensure};
use strowger_tests::Hall;
use strowger_tests::attack::unharmed;
use strowger_tests::projects::{flow, project};
use strowger_tests::{http, program::component};

/// More than the interpreters' pool holds with the usual `vm.max_map_count`.
const CONTACTS: usize = 300;

/// A component that counts as one with an interpreter, since it is large: the smaller of the two pools is its own.
fn large(name: &str) -> Result<Vec<u8>> {
    let mut bytes = component(name)?;
    crate::guest::pad(&mut bytes, strowger_plugin::INTERPRETER_BYTES);
    Ok(bytes)
}

/// Contacts of mallory's that listen, each with an instance that its project wants to be dropped as late as may be; the victim's
/// steps need the same pool.
fn crowds(rules: &str) -> Result<()> {
    let rules = format!("[limits]\ncontacts = {CONTACTS}\n{rules}");
    let hall = Hall::beside_a_victim_of(&rules, large("guest-burglar")?)?;
    let flow = flow(
        "hog",
        "guest-hog/go",
        "done",
        &["with: { bytes: 1000 }", "timeout: 30m"],
    );
    let plugins = [("guest-hog", large("guest-hog")?)];
    let mallory = project("mallory", &plugins, "", &[("6600", "hog", flow)])?;
    let mut toml = std::fs::OpenOptions::new()
        .append(true)
        .open(mallory.path().join("strowger.toml"))?;
    toml.write_all(b"[steps]\ndrop_waiting_after_ms = 60000\n")?;
    hall.publish(&mallory)?;
    let mut talks = hall.beside_a_neighbour(|| {
        let talks = hall.crowd("6600", CONTACTS)?;
        hall.neighbour().context("with all of them waiting")?;
        Ok(talks)
    })?;
    let metrics = http::get(hall.engine.http, "/metrics")?.body;
    let dropped = metrics
        .lines()
        .find_map(|line| line.strip_prefix("strowger_step_instances_dropped_total "))
        .and_then(|count| count.trim().parse::<f64>().ok())
        .context("the counter")?;
    ensure!(dropped > 0.0, "nobody gave way: {metrics}");
    // Whoever gave way goes on where it was.
    unharmed(&mut talks)?;
    hall.neighbour()
}

#[test]
fn load_waiting_with_all_the_instances_that_are_ones_own() -> Result<()> {
    crowds("")
}

#[test]
fn load_waiting_with_all_the_instances_there_are() -> Result<()> {
    crowds("instances_percent = 100\n")
}
