//! `strowger trace`

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::replay::recording;
use super::{CANNOT, Failure, Format, OK, data_folder};
use crate::runtime::trace;

/// Shows all that happened in a contact, in order: prompts, keys, steps, host calls, outcomes, meters.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger trace 019b2c-1f0e... --project flows/aurora    a contact of the store
  strowger trace call.jsonl                               a journal in a file
  strowger trace call.jsonl --format json | jq            one event a line, with all that is known of it

GET /v1/contacts/ID/trace gives the same of a running engine. Journals of every format can be read.

Exit code: 0 shown, 2 there is no such contact or it cannot be read.")]
pub(super) struct Trace {
    /// A contact's id, or a journal's file.
    contact: String,
    /// The project whose contact it is.
    #[arg(long, short, default_value = ".")]
    project: PathBuf,
    /// Where `strowger serve` kept it; `PROJECT/.strowger` by default.
    #[arg(long)]
    data: Option<PathBuf>,
    /// How events are written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

impl Trace {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        let data = data_folder(self.data, &self.project);
        let recording = recording(&self.contact, &self.project, &data).await?;
        if recording.entries.is_empty() {
            return Err(Failure {
                code: CANNOT,
                message: format!("the journal of {} is empty", recording.name),
            });
        }
        let mut stdout = std::io::stdout().lock();
        for event in trace(&recording.entries) {
            let written = match self.format {
                Format::Json => writeln!(stdout, "{}", json!(event)),
                Format::Text => {
                    let (minutes, ms) = (event.after_ms / 60_000, event.after_ms % 60_000);
                    let took = match event.took_ms {
                        Some(took) => format!(" after {took} ms"),
                        None => String::new(),
                    };
                    let attempt = match event.attempt {
                        Some(attempt) if attempt > 1 => format!(" (attempt {attempt})"),
                        _ => String::new(),
                    };
                    writeln!(
                        stdout,
                        "{minutes:>3}:{:02}.{:03}  {:<7} {}{took}{attempt}",
                        ms / 1_000,
                        ms % 1_000,
                        event.who,
                        event.text
                    )
                }
            };
            if written.is_err() {
                // A closed pipe is the reader's choice.
                break;
            }
        }
        if recording.torn {
            eprintln!("the journal's last entry is broken off");
        }
        Ok(OK)
    }
}
