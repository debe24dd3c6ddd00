//! `strowger replay`

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::json;

use super::{CANNOT, FOUND, Failure, Format, OK, data_folder, store_of};
use crate::clock::Clock;
use crate::replay::{
    Overrides, Recording, Replayed, Stage, Summary, Verdict, from_file, from_store, replay,
};
use crate::store::Store;

/// Contacts that are replayed at the same time, for each processor: one computes while another's journal
/// is read.
const PER_PROCESSOR: usize = 2;

/// Pause between two lines that say how far it is.
const TELL_EVERY: Duration = Duration::from_secs(2);

/// Walks a contact again from its journal: real plugins, recorded answers, no time, nothing sent.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger replay 019b2c-1f0e... --project flows/aurora        a contact of the store
  strowger replay call.jsonl --project flows/aurora            a journal in a file
  strowger replay call.jsonl --on ../draft                     on the flows and plugins of another folder
  strowger replay call.jsonl --plugin orders=new-orders.wasm   with another component for one plugin
  strowger replay --against last-7d --on ../draft              what would change for last week's contacts
  strowger replay --against 500 --flow main-menu --on ../draft the last 500 contacts of a flow

A file is what `strowger call --format json` and /v1/contacts/ID/journal give. The first difference is shown
with the flow's file and line, and both sides. Requests are answered from the journal; one that the old
contact never made is reported, not sent.

Exit code: 0 the same, 1 a contact differs, 2 it could not be replayed.")]
pub(super) struct Replay {
    /// A contact's id, or a journal's file.
    #[arg(required_unless_present = "against", conflicts_with = "against")]
    contact: Option<String>,
    /// The project whose contacts they are.
    #[arg(long, short, default_value = ".")]
    project: PathBuf,
    /// Where `strowger serve` kept them; `PROJECT/.strowger` by default.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Replay on the flows and plugins of this folder instead of the project's.
    #[arg(long, value_name = "FOLDER")]
    on: Option<PathBuf>,
    /// Another component for one plugin of strowger.toml.
    #[arg(long, value_name = "NAME=FILE", value_parser = override_of)]
    plugin: Vec<(String, PathBuf)>,
    /// All contacts that ended in this time: `all`, or `last-` and a number of minutes (m), hours (h) or
    /// days (d); or a number alone: the last so many.
    #[arg(long, value_name = "TIME", value_parser = span)]
    against: Option<Span>,
    /// Of these, the ones that began in this flow.
    #[arg(long, requires = "against")]
    flow: Option<String>,
    /// How the result is written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Which contacts: those of a stretch of time that ends now, in milliseconds; the last so many; or all.
#[derive(Debug, Clone, Copy)]
struct Span {
    ms: Option<u64>,
    last: Option<u32>,
}

fn override_of(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((name, file)) if !name.is_empty() && !file.is_empty() => {
            Ok((name.to_owned(), PathBuf::from(file)))
        }
        _ => Err("write NAME=FILE, such as orders=target/orders.wasm".to_owned()),
    }
}

fn span(text: &str) -> Result<Span, String> {
    if text == "all" {
        return Ok(Span {
            ms: None,
            last: None,
        });
    }
    if let Some(last) = text.parse().ok().filter(|last| *last > 0) {
        return Ok(Span {
            ms: None,
            last: Some(last),
        });
    }
    let read = || {
        let number = text.strip_prefix("last-")?;
        let unit = number.chars().next_back()?;
        let ms: u64 = match unit {
            'm' => 60_000,
            'h' => 3_600_000,
            'd' => 86_400_000,
            _ => return None,
        };
        let count: u64 = number[..number.len() - unit.len_utf8()].parse().ok()?;
        count.checked_mul(ms)
    };
    match read() {
        Some(ms) => Ok(Span {
            ms: Some(ms),
            last: None,
        }),
        None => Err(
            "write `all`, or such as last-7d, last-12h, last-30m, or a number of contacts"
                .to_owned(),
        ),
    }
}

impl Replay {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        let data = data_folder(self.data.clone(), &self.project);
        let overrides: Overrides = self.plugin.iter().cloned().collect();
        // What cannot be read is told before anything is compiled.
        let source = match &self.contact {
            Some(contact) => Source::One(recording(contact, &self.project, &data).await?),
            None => {
                let place = store_of(&self.project, &data)?;
                Source::Many(Store::look(&place).await.map_err(Failure::cannot)?)
            }
        };
        let folder = self.on.as_ref().unwrap_or(&self.project);
        // Errors in a project keep its contacts from being replayed: that is no difference of theirs.
        let stage = Stage::open(folder, &data, &overrides)
            .await
            .map_err(|error| Failure {
                code: CANNOT,
                ..Failure::from(error)
            })?;
        let stage = Arc::new(stage);
        match source {
            Source::One(recording) => self.one(stage, recording).await,
            Source::Many(store) => self.many(stage, store).await,
        }
    }

    async fn one(&self, stage: Arc<Stage>, recording: Recording) -> Result<u8, Failure> {
        let replayed = on_guest_threads(&stage, recording).await?;
        match self.format {
            Format::Json => tell!("{}", json!(replayed)),
            Format::Text => print(&replayed),
        }
        match &replayed.verdict {
            Verdict::Same => Ok(OK),
            Verdict::Differs(_) => Ok(FOUND),
            Verdict::NotReplayed { why } => {
                Err(Failure::cannot(format!("{}: {why}", replayed.contact)))
            }
        }
    }

    async fn many(&self, stage: Arc<Stage>, store: Store) -> Result<u8, Failure> {
        let Some(span) = self.against else {
            return Err(Failure::cannot("say which contacts with --against"));
        };
        let since = span
            .ms
            .map_or(0, |span| Clock::start().now().saturating_sub(span));
        let ids = store.ended(since, self.flow.as_deref(), span.last).await;
        let ids = ids.map_err(Failure::cannot)?;
        if ids.is_empty() {
            return Err(Failure::cannot(
                "no contact ended in that time: there is nothing to replay; `--against all` takes every one",
            ));
        }
        let mut summary = Summary::default();
        let at_once = PER_PROCESSOR
            * std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        let started = Instant::now();
        let mut told = started;
        // Begun as there is room, told in order, so that examples are the oldest.
        let mut under_way = VecDeque::with_capacity(at_once);
        let mut next = ids.iter();
        loop {
            while under_way.len() < at_once
                && let Some(id) = next.next()
            {
                let recording = from_store(&store, id).await.map_err(Failure::cannot)?;
                under_way.push_back(on_guest_threads(&stage, recording));
            }
            let Some(replayed) = under_way.pop_front() else {
                break;
            };
            let replayed = replayed.await?;
            if self.format == Format::Json {
                tell!("{}", json!(replayed));
            }
            summary.add(&replayed);
            if told.elapsed() > TELL_EVERY {
                told = Instant::now();
                eprintln!(
                    "{} of {} contacts, {} differ",
                    summary.contacts,
                    ids.len(),
                    summary.differ
                );
            }
        }
        summary.sort();
        match self.format {
            Format::Json => tell!("{}", json!({ "summary": summary })),
            Format::Text => print_summary(&summary),
        }
        eprintln!(
            "replayed {} contacts in {:.1} s",
            summary.contacts,
            started.elapsed().as_secs_f64()
        );
        let replayed = summary.same + summary.differ;
        match (summary.differ, replayed) {
            (0, 0) => Err(Failure::cannot("not one contact could be replayed")),
            (0, _) => Ok(OK),
            _ => Ok(FOUND),
        }
    }
}

/// What is replayed.
enum Source {
    One(Recording),
    Many(Store),
}

/// A journal by its file's name or its contact's id.
pub(super) async fn recording(
    contact: &str,
    project: &Path,
    data: &Path,
) -> Result<Recording, Failure> {
    let path = Path::new(contact);
    if path.is_file() {
        return from_file(path).map_err(Failure::cannot);
    }
    let place = store_of(project, data)?;
    let store = Store::look(&place).await.map_err(|error| {
        Failure::cannot(format!("`{contact}` is no file, and as a contact: {error}"))
    })?;
    from_store(&store, contact).await.map_err(Failure::cannot)
}

/// Guests belong on their own threads, and a replay runs where its guest does.
fn on_guest_threads(
    stage: &Arc<Stage>,
    recording: Recording,
) -> impl Future<Output = Result<Replayed, Failure>> + use<> {
    let on_stage = Arc::clone(stage);
    // Begun now, whenever it is waited for.
    let replayed = stage.run(async move { replay(&on_stage, &recording).await });
    async move {
        replayed
            .await
            .map_err(|end| Failure::cannot(format!("the replay ended by a fault: {end}")))
    }
}

fn print(replayed: &Replayed) {
    let Replayed {
        contact, entries, ..
    } = replayed;
    match &replayed.verdict {
        Verdict::Same => tell!("{contact}: the same, {entries} entries"),
        Verdict::Differs(difference) => {
            tell!("{contact}: differs after {entries} entries that are the same\n{difference}");
        }
        // Goes to stderr, as the reason of the exit code.
        Verdict::NotReplayed { .. } => {}
    }
    for note in &replayed.notes {
        tell!("  note: {note}");
    }
    if replayed.unchanged {
        tell!("  flows and plugins are those of then");
    }
}

fn print_summary(summary: &Summary) {
    tell!(
        "{} contacts: {} the same, {} differ, {} not replayed",
        summary.contacts,
        summary.same,
        summary.differ,
        summary.not_replayed.values().sum::<usize>()
    );
    for group in &summary.groups {
        tell!("{:>8}  {}", group.contacts, group.edge);
        tell!(
            "          {}, such as {}",
            group.place,
            group.examples.join(", ")
        );
    }
    if summary.in_other_groups > 0 {
        tell!("{:>8}  in further ways", summary.in_other_groups);
    }
    for (request, contacts) in &summary.new_requests {
        tell!("{contacts:>8}  would send what they never sent: {request}");
    }
    for (why, contacts) in &summary.not_replayed {
        tell!("{contacts:>8}  not replayed: {why}");
    }
}
