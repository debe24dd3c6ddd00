//! `strowger replay`

mod ground;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use serde_json::{Value as Json, json};
use strowger_flow::unseen::quoted;

use self::ground::{Ground, On, Whose, on};
use super::{FOUND, Failure, Format, OK, data_folder, store_of};
use crate::centre::is_centre;
use crate::clock::Clock;
use crate::replay::{
    Overrides, Packed, Reasons, Recording, Replayed, Rerun, Stage, Summary, Verdict, by_id,
    explainable, from_file, reasons, replay,
};
use crate::store::{EndedFilter, Store};

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
  strowger replay --against last-7d --tenant vega --on draft   last week's on the newest revision that is not live
  strowger replay 019b2c-1f0e... -p hall --on 12               a tenant's contact on revision 12 of its project

A file is what `strowger call --format json` and /v1/contacts/ID/journal give. The first difference is shown
with the flow's file and line, and both sides. Requests are answered from the journal; one that the old
contact never made is reported, not sent.

Exit code: 0 the same, 1 a contact differs, 2 it could not be replayed.")]
pub(super) struct Replay {
    /// A contact's id, the SIP Call-ID of its call, or a journal's file.
    #[arg(required_unless_present = "against", conflicts_with = "against")]
    contact: Option<String>,
    /// The project, or the centre, whose contacts they are.
    #[arg(long, short, default_value = ".")]
    project: PathBuf,
    /// The tenant whose contacts they are, where a centre has several.
    #[arg(long)]
    tenant: Option<String>,
    /// Where `strowger serve` kept them; `PROJECT/.strowger` by default.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Replay on these flows and plugins: `draft` is the tenant's newest revision that is not live, a number one of
    /// its revisions, all else a project's folder.
    #[arg(long, value_name = "draft|REVISION|FOLDER", value_parser = on)]
    on: Option<On>,
    /// Another component for one plugin of strowger.toml; all else stays.
    #[arg(long, value_name = "NAME=FILE", value_parser = override_of)]
    plugin: Vec<(String, PathBuf)>,
    /// All contacts that ended in this time: `all`, or `last-` and a number of minutes (m), hours (h) or
    /// days (d); or a number alone: the last so many.
    #[arg(long, value_name = "TIME", value_parser = span)]
    against: Option<Span>,
    /// Of these, the ones that began in this flow.
    #[arg(long, requires = "against", conflicts_with = "contact")]
    flow: Option<String>,
    /// Run every step of every contact. Of many contacts only steps that could do something else run in all of them:
    /// those whose component, input or an answer is another one than then, and those that the engine ended then. What the others
    /// did is taken from the journal, but for one contact in 32, whose steps all run. A single contact's always do.
    #[arg(long, requires = "against", conflicts_with = "contact")]
    every_step: bool,
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
        let (source, store) = self.source(&data).await?;
        let tenant = match &source {
            Source::One(recording) => recording.tenant.as_deref(),
            Source::Many => None,
        };
        let whose = Whose {
            project: &self.project,
            data: &data,
            tenant: self.tenant.as_deref().or(tenant),
            content: match &source {
                Source::One(recording) => recording.content(),
                Source::Many => None,
            },
        };
        let ground = Ground::find(self.on.as_ref(), &whose, store.as_ref()).await?;
        let stage = Arc::new(ground.stage(&whose, &overrides).await?);
        if let Some(revision) = ground.told() {
            eprintln!("on {revision}");
        }
        match (source, store) {
            (Source::One(recording), _) => self.one(&ground, stage, recording).await,
            (Source::Many, Some(store)) => self.many(&ground, stage, store).await,
            (Source::Many, None) => Err(Failure::cannot("say which contacts with --against")),
        }
    }

    /// What is replayed, and the store that it or its revisions are in.
    async fn source(&self, data: &Path) -> Result<(Source, Option<Store>), Failure> {
        let Some(contact) = &self.contact else {
            let place = store_of(&self.project, data)?;
            let store = Store::look(&place).await.map_err(Failure::cannot)?;
            return Ok((Source::Many, Some(store)));
        };
        let recording = recording(contact, &self.project, data).await?;
        if let (Some(wanted), Some(whose)) = (&self.tenant, &recording.tenant)
            && wanted != whose
        {
            let name = &recording.name;
            let why = format!("contact {name} is one of tenant {whose}, not of {wanted}");
            return Err(Failure::cannot(why));
        }
        let revisions = matches!(self.on, Some(On::Stored(_)));
        if self.tenant.is_none() && recording.tenant.is_none() && !revisions {
            return Ok((Source::One(recording), None));
        }
        let place = store_of(&self.project, data)?;
        let store = Store::look(&place).await.map_err(Failure::cannot)?;
        Ok((Source::One(recording), Some(store)))
    }

    async fn one(
        &self,
        ground: &Ground,
        stage: Arc<Stage>,
        recording: Recording,
    ) -> Result<u8, Failure> {
        let replayed = on_guest_threads(&stage, || recording, Rerun::Every).await?;
        match self.format {
            Format::Json => tell!("{}", with_revision(json!(replayed), ground)),
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

    async fn many(&self, ground: &Ground, stage: Arc<Stage>, store: Store) -> Result<u8, Failure> {
        let Some(span) = self.against else {
            return Err(Failure::cannot("say which contacts with --against"));
        };
        let since = span
            .ms
            .map_or(0, |span| Clock::start().now().saturating_sub(span));
        let filter = EndedFilter {
            since,
            flow: self.flow.clone(),
            tenant: self.tenant.clone(),
            last: span.last,
        };
        let ids = store.ended(&filter).await.map_err(Failure::cannot)?;
        if ids.is_empty() {
            let whose = self.tenant.as_ref();
            let whose = whose.map_or_else(String::new, |tenant| format!(" of {tenant}"));
            let flows = store.flows_of_ended(&filter).await;
            let flows = flows.map_err(Failure::cannot)?;
            if let Some(flow) = self.flow.as_ref().filter(|_| !flows.is_empty()) {
                return Err(Failure::cannot(format!(
                    "no contact{whose} that began in flow `{}` ended in that time: those that did began in {}",
                    quoted(flow),
                    flows.join(", ")
                )));
            }
            return Err(Failure::cannot(format!(
                "no contact{whose} ended in that time: there is nothing to replay; `--against all` takes every one"
            )));
        }
        let mut summary = Summary::default();
        let at_once = PER_PROCESSOR
            * std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        let started = Instant::now();
        let mut told = started;
        // Begun as there is room, told in order, so that examples are the oldest.
        let mut under_way = VecDeque::with_capacity(at_once);
        let mut next = ids.iter().enumerate();
        loop {
            while under_way.len() < at_once
                && let Some((number, id)) = next.next()
            {
                let packed = Packed::of(&store, id).await.map_err(Failure::cannot)?;
                let rerun = match self.every_step {
                    true => Rerun::Every,
                    false => Rerun::of_many(number),
                };
                under_way.push_back(on_guest_threads(&stage, || packed.recording(), rerun));
            }
            let Some(replayed) = under_way.pop_front() else {
                break;
            };
            let replayed = replayed.await?;
            if self.format == Format::Json {
                tell!("{}", with_revision(json!(replayed), ground));
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
            Format::Json => {
                let summary = with_revision(json!(summary), ground);
                tell!("{}", json!({ "summary": summary }));
            }
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
    Many,
}

/// The same with the number of the revision; null where contacts are replayed on a folder.
fn with_revision(mut told: Json, ground: &Ground) -> Json {
    told["revision"] = json!(ground.revision());
    told
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
    by_id(&store, contact).await.map_err(Failure::cannot)
}

/// What the expressions of a contact's flows gave, by the flows of its project or of the revision that it walked; why that
/// cannot be told, where these are not there.
pub(super) async fn explained(recording: &Recording, project: &Path, data: &Path) -> Reasons {
    if recording.content().is_none() {
        return Reasons::default();
    }
    let whose = Whose::of(recording, project, data);
    let begun = match explainable(&recording.entries) {
        Ok(begun) => begun,
        Err(reasons) => return reasons,
    };
    let found = async {
        let ground = whose.walked().await?;
        ground.stage(&whose, &Overrides::new()).await
    };
    match found.await {
        Ok(stage) => reasons(stage.program().clone(), &recording.entries, begun).await,
        // Findings stand before the sentence.
        Err(failure) => Reasons::none(failure.message.lines().last().unwrap_or_default()),
    }
}

/// The project that a contact walked, or in a centre the revision of its tenant.
pub(super) async fn walked(
    recording: &Recording,
    project: &Path,
    data: &Path,
) -> Result<Ground, Failure> {
    if recording.tenant.is_none() && is_centre(project) {
        return Err(Failure::cannot(format!(
            "a journal in a file does not say whose it is, and {} has the projects of several: give the contact's id, or \
             name the project's folder with --project",
            project.display()
        )));
    }
    Whose::of(recording, project, data).walked().await
}

/// Guests belong on their own threads, and a replay runs where its guest does.
fn on_guest_threads<R>(
    stage: &Arc<Stage>,
    recording: R,
    rerun: Rerun,
) -> impl Future<Output = Result<Replayed, Failure>> + use<R>
where
    R: FnOnce() -> Recording + Send + 'static,
{
    let on_stage = Arc::clone(stage);
    // Begun now, whenever it is waited for.
    let replayed = stage.run(async move { replay(&on_stage, &recording(), rerun).await });
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
    let mut not_replayed: Vec<_> = summary.not_replayed.iter().collect();
    // A stable sort: of the same number by name.
    not_replayed.sort_by_key(|(_, contacts)| std::cmp::Reverse(**contacts));
    for (why, contacts) in not_replayed {
        tell!("{contacts:>8}  not replayed: {why}");
    }
}
