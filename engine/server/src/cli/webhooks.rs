//! `strowger webhooks dead | retry`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::token::change;
use super::{Failure, Format, OK, data_folder, store_of};
use crate::clock::Clock;
use crate::store::Store;

/// Most dead letters that are listed.
const LISTED: u32 = 1_000;

/// Looks after events that could not be told.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger webhooks dead -p flows/aurora                 what was given up, and why
  strowger webhooks retry -p flows/aurora                send all of it again
  strowger webhooks retry crm --event 4711 -p flows/aurora

A running engine takes up within a second what is to be sent again.

Exit code: 0 done, 2 it could not be done.")]
pub(super) struct WebhooksArguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List what was given up.
    Dead(Dead),
    /// Send again what was given up.
    Retry(Retry),
}

#[derive(Debug, Args)]
struct Dead {
    /// Of this webhook alone.
    hook: Option<String>,
    /// The project whose events they are.
    #[arg(long, short, default_value = ".")]
    project: PathBuf,
    /// Where `strowger serve` keeps them; `PROJECT/.strowger` by default.
    #[arg(long)]
    data: Option<PathBuf>,
    /// How they are written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Debug, Args)]
struct Retry {
    /// Of this webhook alone.
    hook: Option<String>,
    /// This event alone.
    #[arg(long, value_name = "ID")]
    event: Option<i64>,
    /// The project whose events they are.
    #[arg(long, short, default_value = ".")]
    project: PathBuf,
    /// Where `strowger serve` keeps them; `PROJECT/.strowger` by default.
    #[arg(long)]
    data: Option<PathBuf>,
}

impl WebhooksArguments {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        match self.verb {
            Verb::Dead(dead) => dead.run().await,
            Verb::Retry(retry) => retry.run().await,
        }
    }
}

impl Dead {
    async fn run(self) -> Result<u8, Failure> {
        let data = data_folder(self.data, &self.project);
        let place = store_of(&self.project, &data)?;
        let store = Store::look(&place).await.map_err(Failure::cannot)?;
        let letters = store.dead_letters(self.hook.as_deref(), LISTED).await;
        let letters = letters.map_err(Failure::cannot)?;
        for letter in &letters {
            match self.format {
                Format::Json => tell!("{}", json!(letter)),
                Format::Text => tell!(
                    "{}  event {}, {} of {}, tried {} times: {}",
                    letter.delivery.hook,
                    letter.delivery.event,
                    letter.kind,
                    letter.contact,
                    letter.delivery.attempts,
                    letter.delivery.error.as_deref().unwrap_or_default()
                ),
            }
        }
        eprintln!("{} dead letters", letters.len());
        Ok(OK)
    }
}

impl Retry {
    async fn run(self) -> Result<u8, Failure> {
        let data = data_folder(self.data, &self.project);
        let place = store_of(&self.project, &data)?;
        let store = Store::look(&place).await.map_err(Failure::cannot)?;
        let now = Clock::start().now();
        let revived = store.revive(self.hook.as_deref(), self.event, now).await;
        let revived = revived.map_err(Failure::cannot)?;
        if revived == 0 && (self.hook.is_some() || self.event.is_some()) {
            // A name that is misspelt looks like one of which all was told.
            let hook = self
                .hook
                .map_or_else(String::new, |hook| format!(" of webhook `{hook}`"));
            let event = self
                .event
                .map_or_else(String::new, |event| format!(" with event {event}"));
            return Err(Failure::cannot(format!(
                "there is no dead letter{hook}{event}: `strowger webhooks dead` lists those that there are"
            )));
        }
        if revived > 0 {
            let object = self.hook.as_deref().unwrap_or_default();
            let detail = json!({ "event": self.event, "sent_again": revived });
            let change = change("webhook.retry", object, "", detail);
            let _ = store.audit(&change).await.map_err(Failure::cannot)?;
        }
        tell!("{revived} are sent again");
        Ok(OK)
    }
}
