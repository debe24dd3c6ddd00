//! `strowger call`

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use strowger_contact::Channel;
use tokio_util::sync::CancellationToken;

use super::{FOUND, Failure, Format, OK, data_folder};
use crate::runtime::{Driver, Pace, Script, TerminalLine, open};

/// Walks a flow in the terminal, with the engine, plugins and services that calls use.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger call main-menu                              type keys; an empty line is silence
  strowger call main-menu --script \"2,1,20260302#,1\"   a whole call in one line
  strowger call main-menu --script \",,\" --format json  silence; the journal for a program
  strowger call vip-routing --script \"transfer=busy,transfer=done\"
                                                       the first transfer finds it engaged, the second works

In a script, commas separate what the caller does at each turn: keys, `silence` (or nothing), `hangup`.
`transfer=OUTCOME` is no turn: it says how the next transfer ends, `done` (also when nothing is said), `busy`,
`no_answer`, `declined` or `failed`; several count in the order of the transfers. Without a script, the terminal asks.
Scripted calls take no time: silences and pauses are skipped. Texts are printed; audio files are tried, so that a
missing or broken one is told as on the phone.

Exit code: 0 the call came to a proper end, 1 it ended in an error, 2 it could not be made (a flow that needs inputs cannot be called alone).")]
pub(super) struct Call {
    /// The flow's name.
    flow: String,
    /// The project's folder.
    #[arg(long, short, default_value = ".")]
    project: PathBuf,
    /// What the caller does.
    #[arg(long)]
    script: Option<String>,
    /// The caller's number.
    #[arg(long, default_value = "+8613800138000")]
    from: String,
    /// How the call is written: as a conversation, or its journal as JSON lines.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Where data is kept; `PROJECT/.strowger` by default.
    #[arg(long)]
    data: Option<PathBuf>,
}

impl Call {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        let data = data_folder(self.data, &self.project);
        let (engine, _) = open(&self.project, &data, false).await?;
        let engine = Arc::new(engine);
        let needed = engine.program.flow(&self.flow).map(|plan| plan.needed());
        if let Some(needed) = needed.filter(|needed| !needed.is_empty()) {
            return Err(Failure::cannot(format!(
                "the flow `{}` needs {}, and a call gives it nothing; call a flow that has `call: {}` with `with:`, or give the input a default",
                self.flow,
                needed.join(", "),
                self.flow
            )));
        }
        let contact = engine
            .contact(&self.flow, Channel::Voice, &self.from, "terminal", None)
            .await;
        let contact = contact.ok_or_else(|| {
            let known: Vec<_> = engine
                .program
                .flows()
                .map(|plan| plan.flow.as_str())
                .collect();
            Failure::cannot(format!(
                "there is no flow `{}`; the project's flows are {}",
                self.flow,
                known.join(", ")
            ))
        })?;
        let json = self.format == Format::Json;
        let (line, pace) = match &self.script {
            Some(script) => {
                let Script { acts, transfers } = Script::parse(script).map_err(Failure::cannot)?;
                let line = TerminalLine::script(acts, json).with_transfers(transfers);
                (line, Pace::Virtual)
            }
            None => {
                eprintln!("keys and Enter; an empty line is silence, `hangup` or Ctrl-D hangs up");
                (TerminalLine::keyboard(), Pace::Real)
            }
        };
        let line = line.with_audio(engine.clone());
        let finished = Driver::new(engine, contact, line, CancellationToken::new(), pace, json)
            .run()
            .await;
        if json {
            for entry in &finished.entries {
                tell!(
                    "{}",
                    serde_json::to_string(entry).expect("an entry is JSON")
                );
            }
        } else {
            eprintln!("ended: {}", finished.ending.reason);
        }
        let broken = ["error", "fell-off", "too-long"].contains(&finished.ending.reason.as_str());
        Ok(if broken { FOUND } else { OK })
    }
}
