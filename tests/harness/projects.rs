//! Projects to push, and components made from others.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Result, ensure};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

use crate::program;

/// A tenant's project: plugins by name, each with the same grants, and flows by number.
pub fn project(
    tenant: &str,
    plugins: &[(&str, Vec<u8>)],
    grants: &str,
    flows: &[(&str, &str, String)],
) -> Result<TempDir> {
    let folder = TempDir::new()?;
    fill(folder.path(), tenant, plugins, grants, flows)?;
    Ok(folder)
}

/// The same in a folder that is there.
pub fn fill(
    folder: &Path,
    tenant: &str,
    plugins: &[(&str, Vec<u8>)],
    grants: &str,
    flows: &[(&str, &str, String)],
) -> Result<()> {
    let at = |name: String| folder.join(name);
    std::fs::create_dir_all(at("plugins".into()))?;
    let mut toml = format!("[project]\nname = \"{tenant}\"\n");
    for (name, bytes) in plugins {
        std::fs::write(at(format!("plugins/{name}.wasm")), bytes)?;
        toml += &format!(
            "[plugins.{name}]\ncomponent = \"plugins/{name}.wasm\"\ngrants = {{ {grants} }}\n"
        );
    }
    std::fs::write(at("strowger.toml".into()), toml)?;
    let mut routes = "routes:\n".to_owned();
    for (number, name, text) in flows {
        std::fs::write(at(format!("{name}.flow.yaml")), text)?;
        routes += &format!("  - {{ to: \"{number}\", flow: {name} }}\n");
    }
    std::fs::write(at("routes.yaml".into()), routes)?;
    Ok(())
}

/// A project that takes chats at 700 for one flow, whose plugin may reach one service of this machine. `SERVICE` in the flow is its
/// address.
pub fn beside_a_service(
    folder: &Path,
    plugin: &str,
    (name, flow): (&str, &str),
    service: SocketAddr,
    settings: &str,
) -> Result<()> {
    let plugins = [(plugin, program::component(plugin)?)];
    let flow = flow.replace("SERVICE", &service.to_string());
    let flows = [("700", name, flow)];
    fill(
        folder,
        name,
        &plugins,
        &format!("http = [\"{service}\"]"),
        &flows,
    )?;
    program::edit(&folder.join("strowger.toml"), |toml| {
        format!(
            "{toml}[limits.http]\nprivate = [\"{service}\"]\n[chat]\nenabled = true\n{settings}\n"
        )
    })
}

/// A flow of one step, `plugin/step`, that goes on whatever comes of it: to the end `unharmed` with its first outcome, to
/// `survived` by `error` and `timeout`. `lines` stand below `use:`.
pub fn flow(name: &str, step: &str, outcome: &str, lines: &[&str]) -> String {
    let lines: String = lines.iter().map(|line| format!("    {line}\n")).collect();
    format!(
        "flow: {name}\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    use: {step}@1\n{lines}    \
         then: {{ {outcome}: fine, error: caught, timeout: caught, else: fine }}\n  \
         fine: {{ hangup: unharmed }}\n  caught: {{ hangup: survived }}\n"
    )
}

/// A project of one flow that says one sentence.
pub fn says(tenant: &str, number: &str, words: &str) -> Result<TempDir> {
    let text = format!(
        "flow: greeting\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    - say: {words}\n    - hangup: done\n"
    );
    project(tenant, &[], "", &[(number, "greeting", text)])
}

/// The demo tenant's project, its order service at an address.
pub fn aurora(orders: SocketAddr) -> Result<TempDir> {
    let project = TempDir::new()?;
    program::aurora(project.path(), orders)?;
    Ok(project)
}

/// The same component with a text in it changed for one of the same length: another version, or other words.
pub fn altered(component: &[u8], from: &str, to: &str) -> Result<Vec<u8>> {
    ensure!(
        from.len() == to.len(),
        "`{from}` and `{to}` are not as long"
    );
    let mut bytes = component.to_vec();
    let mut at = 0;
    let mut found = 0;
    while let Some(next) = bytes[at..]
        .windows(from.len())
        .position(|window| window == from.as_bytes())
    {
        let place = at + next;
        bytes[place..place + to.len()].copy_from_slice(to.as_bytes());
        at = place + to.len();
        found += 1;
    }
    ensure!(found > 0, "the component does not say `{from}`");
    Ok(bytes)
}

/// The SHA-256 of a component, in hexadecimal digits, as the engine names it.
pub fn digest(component: &[u8]) -> String {
    let digest = Sha256::digest(component);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
