//! A centre that runs, and projects to push to it.

use std::net::SocketAddr;

use anyhow::Result;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use strowger_tests::program::strowger;
pub use strowger_tests::program::{built, component};
use strowger_tests::{Engine, Phone, Prompts, http};
use tempfile::TempDir;

/// A centre with some tenants, without anything live.
pub struct Hall {
    pub engine: Engine,
}

impl Hall {
    /// Serves tenants, each with its file's text.
    pub fn open(tenants: &[(&str, &str)]) -> Result<Hall> {
        Hall::open_with("", tenants)
    }

    /// The same, with further lines in the centre's `strowger.toml`.
    pub fn open_with(settings: &str, tenants: &[(&str, &str)]) -> Result<Hall> {
        let engine = Engine::serve(|centre| {
            std::fs::create_dir_all(centre.join("tenants"))?;
            let settings = format!("[project]\nname = \"hall\"\n{settings}");
            std::fs::write(centre.join("strowger.toml"), settings)?;
            for (tenant, text) in tenants {
                std::fs::write(centre.join(format!("tenants/{tenant}.toml")), text)?;
            }
            Ok(())
        })?;
        Ok(Hall { engine })
    }

    /// Runs the program against this centre: exit code, and all that it said.
    pub fn run(&self, arguments: &[&str]) -> Result<(i32, String)> {
        let url = format!("http://{}", self.engine.http);
        let mut all = arguments.to_vec();
        all.extend(["--to", &url]);
        let (code, out, err) = strowger(&all)?;
        Ok((code, format!("{out}{err}")))
    }

    /// The same, and it must be well.
    pub fn done(&self, arguments: &[&str]) -> Result<String> {
        let (code, said) = self.run(arguments)?;
        anyhow::ensure!(code == 0, "{arguments:?} ends with {code}: {said}");
        Ok(said)
    }

    /// The same, and it must be refused with these words.
    pub fn refused(&self, arguments: &[&str], words: &[&str]) -> Result<()> {
        let (code, said) = self.run(arguments)?;
        anyhow::ensure!(code == 1, "{arguments:?} ends with {code}: {said}");
        for word in words {
            anyhow::ensure!(said.contains(word), "{arguments:?}: no `{word}` in {said}");
        }
        Ok(())
    }

    pub fn get(&self, path: &str) -> Result<Value> {
        http::get(self.engine.http, path)?.json()
    }

    /// The number of a tenant's live revision.
    pub fn live(&self, tenant: &str) -> Result<Option<u64>> {
        let tenant = self.get(&format!("/v1/tenants/{tenant}"))?;
        Ok(tenant["release"]["live"].as_u64())
    }

    /// Reads the tenants' files again, and waits until the log says what came of it.
    pub fn reload(&mut self, word: &str) -> Result<()> {
        let id = self.engine.program.id().to_string();
        let status = std::process::Command::new("kill")
            .args(["-HUP", &id])
            .status()?;
        anyhow::ensure!(status.success(), "the engine could not be signalled");
        let log = self.engine.log();
        let limit = std::time::Duration::from_secs(30);
        self.engine.program.wait_until(word, limit, || {
            std::fs::read_to_string(&log).is_ok_and(|log| log.contains(word))
        })
    }

    /// Changes a tenant's file.
    pub fn rule(&self, tenant: &str, text: &str) -> Result<()> {
        let file = self.engine.project.join(format!("tenants/{tenant}.toml"));
        Ok(std::fs::write(file, text)?)
    }
}

/// The SHA-256 of a component, in hexadecimal digits, as the engine names it.
pub fn digest(component: &[u8]) -> String {
    let digest = Sha256::digest(component);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The `ETag` of an answer.
pub fn etag(answer: &http::Response) -> Result<String> {
    let mut lines = answer.head.lines();
    let tag = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("etag")
            .then(|| value.trim().to_owned())
    });
    tag.ok_or_else(|| anyhow::anyhow!("no ETag: {}", answer.head))
}

/// Longest time until a prompt was heard to its end.
pub const PROMPT: std::time::Duration = std::time::Duration::from_secs(25);

/// Calls a number, hears the words and the end.
pub fn hears(hall: &Hall, project: &std::path::Path, number: &str, words: &str) -> Result<()> {
    let prompts = Prompts::new(project, &hall.engine.data.join("prompts"))?;
    let mut phone = Phone::dial(hall.engine.sip, number, "call", &[])?;
    phone.hear(&*prompts.text("en", words)?, PROMPT)?;
    phone.ended()
}

/// A project of one flow that says one sentence.
pub fn says(tenant: &str, number: &str, words: &str) -> Result<TempDir> {
    let folder = TempDir::new()?;
    let write = |name: &str, text: String| std::fs::write(folder.path().join(name), text);
    write("strowger.toml", format!("[project]\nname = \"{tenant}\"\n"))?;
    write(
        "routes.yaml",
        format!("routes:\n  - {{ to: \"{number}\", flow: greeting }}\n"),
    )?;
    write(
        "greeting.flow.yaml",
        format!(
            "flow: greeting\nformat: 1\nlanguages: [en]\nsteps:\n  start:\n    - say: {words}\n    - hangup: done\n"
        ),
    )?;
    Ok(folder)
}

/// The demo tenant's project, its order service at an address.
pub fn aurora(orders: SocketAddr) -> Result<TempDir> {
    let project = TempDir::new()?;
    strowger_tests::program::aurora(project.path(), orders)?;
    Ok(project)
}

/// The same component with a text in it changed for one of the same length: another version, or other words.
pub fn altered(component: &[u8], from: &str, to: &str) -> Result<Vec<u8>> {
    anyhow::ensure!(
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
    anyhow::ensure!(found > 0, "the component does not say `{from}`");
    Ok(bytes)
}
