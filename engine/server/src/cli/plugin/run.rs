//! `strowger plugin run`

use std::path::PathBuf;

use clap::Args;
use serde_json::json;
use strowger_plugin::{Limits, StepReport};

use super::super::{FOUND, Failure, OK};
use super::kit::Kit;
use super::{host, load, read, refused};
use crate::runtime::Script;
use crate::trial::{Caller, step};

/// Runs one step in the real host, under the limits of a call, with a scripted caller instead of an engine.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger plugin run greet '{\"prompt\": \"p:0\"}'
  strowger plugin run pin '{\"prompt\": \"p:0\"}' --script \"silence,1234#\"
  strowger plugin run lookup '{\"number\": \"7\"}' --config '{\"base_url\": \"http://crm.test\"}'

The input is what the plugin gets: `p:0` stands for a prompt of the flow. In a script, commas separate what the caller
does at each `listen`: keys, `silence` (or nothing), `hangup`; `transfer=OUTCOME` says how a transfer ends. When the
script is over the caller is silent. What the caller hears, what the plugin logs and what it used goes to stderr, the
outcome to stdout. Time is virtual and begins now; `kv` begins empty; `http` answers `unavailable`: a flow in
`strowger call` reaches the network.

Exit code: 0 an outcome, 1 a failure, 2 the step could not be run.")]
pub(super) struct Run {
    /// The step.
    step: String,
    /// Its input, a JSON object.
    input: String,
    /// The plugin's folder.
    #[arg(long, short, default_value = ".")]
    folder: PathBuf,
    /// Another component than the folder's own.
    #[arg(long)]
    component: Option<PathBuf>,
    /// What the caller does.
    #[arg(long, default_value = "")]
    script: String,
    /// What the operator configured for the plugin, a JSON object.
    #[arg(long, default_value = "{}")]
    config: String,
}

impl Run {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        let script = Script::parse(&self.script).map_err(Failure::cannot)?;
        object("the input", &self.input)?;
        object("--config", &self.config)?;
        let (path, data) = match self.component {
            Some(path) => (path, None),
            None => {
                let kit = Kit::open(&self.folder)?;
                (kit.component(), Some(kit.data()))
            }
        };
        let component = read(&path)?;
        let host = host(data.as_deref())?;
        let plugin = load(&host, &component)
            .await
            .map_err(|complaints| refused(&path, &complaints))?;
        let caller = Caller::new(script, self.config, |line| eprintln!("{line}"));
        let report = step(&plugin, &self.step, self.input, &Limits::default(), caller).await;
        eprintln!("used: {}", used(&report));
        match report.result {
            Ok(outcome) => {
                tell!(
                    "{}",
                    json!({ "outcome": outcome.name, "data": outcome.data })
                );
                Ok(OK)
            }
            Err(error) => Err(Failure::new(FOUND, format!("{}: {error}", error.code()))),
        }
    }
}

/// Whether what was given at the command line is a JSON object.
fn object(what: &str, text: &str) -> Result<(), Failure> {
    match serde_json::from_str(text) {
        Ok(serde_json::Value::Object(_)) => Ok(()),
        Ok(_) => Err(Failure::cannot(format!(
            "{what} is JSON, and no object: write such as '{{\"prompt\": \"p:0\"}}'"
        ))),
        Err(error) => Err(Failure::cannot(format!(
            "{what} is no JSON: {error}; write an object such as '{{\"prompt\": \"p:0\"}}'"
        ))),
    }
}

/// What a step used, in one line.
fn used(report: &StepReport) -> String {
    let meters = &report.meters;
    format!(
        "{:.2} ms of processor time, {} KiB of memory, {} host calls",
        meters.cpu.as_secs_f64() * 1_000.0,
        meters.peak_memory_bytes >> 10,
        meters.host_calls
    )
}
