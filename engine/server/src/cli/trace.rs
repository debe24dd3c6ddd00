//! `strowger trace`

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;
use strowger_flow::unseen::in_its_lines;

use super::replay::{explained, recording, walked};
use super::{CANNOT, FOUND, Failure, Format, OK, data_folder};
use crate::project::Project;
use crate::replay::Recording;
use crate::runtime::{one_line, trace};
use crate::scenario::{Form, Pace, Saved, Suite, Verdict, has_case, saved, with_case};

/// Shows all that happened in a contact, in order: SIP messages, prompts, keys, steps, host calls, outcomes, meters, and what the
/// flow's conditions gave.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger trace 019b2c-1f0e... --project flows/aurora    a contact of the store
  strowger trace call.jsonl                               a journal in a file
  strowger trace call.jsonl --format json | jq            one event a line, with all that is known of it
  strowger trace call.jsonl --save-as-test \"a late caller\"  the contact as a test of its flow

What conditions and `set:` gave is in no journal: the contact is walked again on the flows that it walked, which are those of the
project, or the tenant's revision. Where they are not there any more, that is told.

GET /v1/contacts/ID/trace gives the same of a running engine. Journals of every format can be read.

A test says what the caller did, and mocks each step that asked the outside with how it ended. It is run before it is
printed: put it below `tests:` of the flow's file.

Exit code: 0 shown, 1 the test that was made does not pass, 2 there is no such contact or it cannot be read.")]
pub(super) struct Trace {
    /// A contact's id, the SIP Call-ID of its call, or a journal's file.
    contact: String,
    /// The project whose contact it is.
    #[arg(long, short, default_value = ".")]
    project: PathBuf,
    /// Where `strowger serve` kept it; `PROJECT/.strowger` by default.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Print a test of the flow that does what the caller did, by this name.
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "")]
    save_as_test: Option<String>,
    /// How events are written.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

impl Trace {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        let data = data_folder(self.data.clone(), &self.project);
        let recording = recording(&self.contact, &self.project, &data).await?;
        let ladder = &recording.ladder;
        if recording.entries.is_empty() && ladder.signals.is_empty() {
            let message = match &recording.hole {
                Some(hole) => format!("{}: {hole}", recording.name),
                None => format!("the journal of {} is empty", recording.name),
            };
            return Err(Failure {
                code: CANNOT,
                message,
            });
        }
        if let Some(name) = &self.save_as_test {
            // What came next is not known: a test of what is there would say of another contact that it passes.
            if let Some(hole) = &recording.hole {
                return Err(Failure::cannot(format!("{}: {hole}", recording.name)));
            }
            broken(&recording);
            let name = match name.as_str() {
                "" => format!("contact {}", recording.name),
                name => name.to_owned(),
            };
            return save(&name, &recording, &self.project, &data).await;
        }
        let reasons = explained(&recording, &self.project, &data).await;
        let mut stdout = std::io::stdout().lock();
        for event in trace(&recording.entries, ladder, &reasons) {
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
                        one_line(&event.text)
                    )
                }
            };
            if written.is_err() {
                // A closed pipe is the reader's choice.
                break;
            }
        }
        broken(&recording);
        if ladder.cut > 0 {
            eprintln!("{} further SIP messages are not kept", ladder.cut);
        }
        if ladder.lost > 0 {
            eprintln!("{} parts of the SIP ladder cannot be read", ladder.lost);
        }
        Ok(OK)
    }
}

/// Makes a test of a contact, and runs it where it would stand: one in which the caller acts as soon as it is their turn, or where
/// that does not pass, one in which they take their time.
async fn save(
    name: &str,
    recording: &Recording,
    folder: &Path,
    data: &Path,
) -> Result<u8, Failure> {
    let cache = Some(data.join("compiled"));
    let ground = walked(recording, folder, data).await?;
    let folder = ground.folder();
    if let Some(revision) = ground.told() {
        eprintln!("on {revision}");
    }
    let suite = Suite::of(Project::read(folder)?, cache.clone()).await;
    let suite = suite.map_err(Failure::cannot)?;
    let mut attempts: Vec<Attempt> = Vec::new();
    for form in Form::all() {
        let plan = |flow: &str| suite.plan(flow);
        let made = saved(name, &recording.entries, form, plan, &|to| suite.calls(to));
        let made = match made {
            Ok(made) => made,
            // With its pauses it is too long.
            Err(_) if !attempts.is_empty() => break,
            Err(why) => return Err(Failure::cannot(format!("{}: {why}", recording.name))),
        };
        let known = |attempt: &Attempt| attempt.made.case == made.case;
        if attempts.iter().any(known) {
            continue;
        }
        let attempt = Attempt::run(name, form, made, folder, &cache).await?;
        let passes = attempt.failed.is_none();
        attempts.push(attempt);
        if passes {
            break;
        }
    }
    // The one that passes; where none does, the one that reads best.
    let passes = |attempt: &Attempt| attempt.failed.is_none();
    let chosen = attempts.iter().rposition(passes).unwrap_or_default();
    let attempt = attempts.swap_remove(chosen);
    tell!("{}", attempt.case.trim_end());
    for note in &attempt.made.notes {
        eprintln!("note: {}", one_line(note));
    }
    if attempt.form.pace != Pace::AtOnce {
        eprintln!("note: the contact waits as then: without that the test goes another way");
    }
    match attempt.failed {
        None => {
            eprintln!("it passes; put it below `tests:` of {}", attempt.path);
            Ok(OK)
        }
        Some(told) => {
            eprintln!("{}", in_its_lines(&told));
            Ok(FOUND)
        }
    }
}

/// A test that was made, and how it went.
struct Attempt {
    form: Form,
    made: Saved,
    /// The case as it would stand in the file of this path.
    case: String,
    path: String,
    /// Why it does not pass, with what it did.
    failed: Option<String>,
}

impl Attempt {
    async fn run(
        name: &str,
        form: Form,
        made: Saved,
        folder: &Path,
        cache: &Option<PathBuf>,
    ) -> Result<Attempt, Failure> {
        let mut project = Project::read(folder)?;
        let file = project.flows.iter_mut().find(|file| {
            strowger_flow::signature(&file.source).is_some_and(|(flow, _)| flow == made.flow)
        });
        let Some(file) = file else {
            let why = format!(
                "the project has no flow `{}`, in which the contact began",
                made.flow
            );
            return Err(Failure::cannot(why));
        };
        let path = file.path.display().to_string();
        let source = String::from_utf8_lossy(&file.source).into_owned();
        if has_case(&source, name) {
            return Err(Failure::cannot(format!(
                "there is a test `{}` already in {path}: choose another name",
                one_line(name)
            )));
        }
        let unplaced = || {
            Failure::cannot(format!(
                "the test cannot be placed in {path}: write `tests:` as a block, one test a line"
            ))
        };
        let Some(placed) = with_case(&source, &made.case) else {
            tell!("{}", made.case.trim_end());
            return Err(unplaced());
        };
        file.source = placed.text.into_bytes();
        let suite = Suite::of(project, cache.clone()).await;
        let suite = suite.map_err(Failure::cannot)?;
        let chosen = suite.flows.iter().find_map(|flow| {
            let test = flow.tests.iter().find(|test| test.name == name)?;
            (flow.plan.flow == made.flow).then_some((flow, test))
        });
        let Some((flow, test)) = chosen else {
            return Err(unplaced());
        };
        let failed = match suite.test(flow, test, false).await.verdict {
            Verdict::Passed => None,
            Verdict::Skipped(why) => return Err(Failure::cannot(why)),
            Verdict::Failed { miss, transcript } => Some(format!(
                "it does not pass with the flow as it is: expected {}, and there was {}\n{transcript}",
                miss.expected,
                miss.got.join("; ")
            )),
        };
        Ok(Attempt {
            form,
            made,
            case: placed.case,
            path,
            failed,
        })
    }
}

/// Tells of a journal that is not whole.
fn broken(recording: &Recording) {
    match &recording.hole {
        Some(hole) => eprintln!("{hole}"),
        None if recording.torn => eprintln!("the journal's last entry is broken off"),
        None => {}
    }
}
