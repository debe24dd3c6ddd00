//! `strowger plugin inspect`

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use strowger_plugin::{LoadError, Plugin};

use super::super::{Failure, Format, OK};
use super::{host, load, read, refused};

/// Says what a component is and what it may touch: it is loaded as `serve` would, with everything granted.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger plugin inspect greeter.wasm
  strowger plugin inspect greeter.wasm --format json

Exit code: 0 it can be loaded, 1 it cannot, 2 the file cannot be read.")]
pub(super) struct Inspect {
    /// The component.
    file: PathBuf,
    /// How it is written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Where its machine code is kept; it is compiled anew by default.
    #[arg(long)]
    data: Option<PathBuf>,
}

impl Inspect {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        let component = read(&self.file)?;
        let host = host(self.data.as_deref())?;
        let plugin = load(&host, &component).await.map_err(|complaints| {
            if matches!(self.format, Format::Json) {
                tell!("{}", complaints_as_json(&complaints));
            }
            refused(&self.file, &complaints)
        })?;
        match self.format {
            Format::Json => tell!("{}", as_json(&plugin, component.len())),
            Format::Text => tell!("{}", as_text(&plugin, component.len())),
        }
        Ok(OK)
    }
}

/// The capabilities that need a grant in `strowger.toml`.
const GRANTED: [&str; 3] = ["http", "kv", "route"];

fn as_json(plugin: &Plugin, bytes: usize) -> serde_json::Value {
    let description = plugin.description();
    let steps = description.steps.iter().map(|(name, step)| {
        let outcomes: Vec<_> = step.outcomes.keys().collect();
        (name.clone(), json!({ "outcomes": outcomes }))
    });
    json!({
        "name": description.name,
        "version": description.version,
        "digest": plugin.digest(),
        "bytes": bytes,
        "interpreter": plugin.interpreter(),
        "capabilities": plugin.imports(),
        "wasi": plugin.wasi(),
        "steps": steps.collect::<serde_json::Map<_, _>>(),
    })
}

/// What is wrong with a component, for programs.
fn complaints_as_json(complaints: &[LoadError]) -> serde_json::Value {
    let all = complaints
        .iter()
        .map(|complaint| json!({ "code": complaint.code(), "message": complaint.to_string() }));
    json!({ "errors": all.collect::<Vec<_>>() })
}

fn as_text(plugin: &Plugin, bytes: usize) -> String {
    let description = plugin.description();
    let mut lines = vec![
        format!("{} {}", description.name, description.version),
        format!("  digest        sha256:{}", plugin.digest()),
        format!("  size          {bytes} bytes"),
        format!(
            "  runs among    {}",
            match plugin.interpreter() {
                true => "the interpreters: more room, fewer instances",
                false => "the compiled plugins",
            }
        ),
        format!("  capabilities  {}", or_none(plugin.imports())),
        format!("  to be granted {}", or_none(&granted(plugin))),
        format!("  WASI          {}", or_none(plugin.wasi())),
    ];
    for (name, step) in &description.steps {
        let outcomes: Vec<_> = step.outcomes.keys().cloned().collect();
        lines.push(format!("  step {name}: {}", or_none(&outcomes)));
    }
    lines.join("\n")
}

fn granted(plugin: &Plugin) -> Vec<String> {
    let imports = plugin.imports().iter();
    imports
        .filter(|import| GRANTED.contains(&import.as_str()))
        .cloned()
        .collect()
}

fn or_none(names: &[String]) -> String {
    match names.is_empty() {
        true => "none".to_owned(),
        false => names.join(" "),
    }
}
