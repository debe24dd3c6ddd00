//! `strowger test`

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use clap::{Args, ValueEnum};
use strowger_flow::diagnostic::{Language, Text};
use strowger_flow::unseen::in_its_lines;
use strowger_flow::{Diagnostic, Level};

use super::findings::{self, annotation};
use super::{FOUND, Failure, OK, data_folder};
use crate::project::Finding;
use crate::scenario::{
    Coverage, FlowTests, Loader, Place, Suite, SuiteError, TestResult, github, json, junit, text,
    totals,
};

/// How often `--watch` looks at the files. Half a second is soon enough for whoever has just saved; looking
/// finds changes on network file systems and in containers too, of which the system tells nothing.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Deepest folder that `--watch` looks into: flows and plugins lie one below the project's.
const WATCHED_DEPTH: usize = 4;

/// Most names of tests that are shown when a pattern fits none.
const SHOWN: usize = 20;

/// Runs the tests that stand in flows: with the real steps, in virtual time, without any network.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger test                              the tests of the project in this folder
  strowger test flows/aurora -k holiday      those whose `FLOW › NAME` contains a word
  strowger test order-status.flow.yaml       those of a file, within its project
  strowger test --coverage                   and which steps, lines and ways were walked
  strowger test --watch                      again after every change
  strowger test --rebuild                    do the plugins repeat themselves?
  strowger test --format junit --output tests.xml

Time in a test is virtual: silences and queues take none. A step that sends a request must be mocked; the
failure says how. `docs/flow-language.md` has all of the language of tests.

Where files are given, only they and the flows that they lead to must be without errors.

Exit code: 0 all passed, 1 a test failed or a flow has errors, 2 the tests could not be run, or -k fits none.")]
pub(super) struct Test {
    /// A project's folder, or flow files.
    #[arg(default_value = ".")]
    paths: Vec<PathBuf>,
    /// Only tests whose `FLOW › NAME` contains this, whatever its case.
    #[arg(short = 'k', value_name = "PATTERN")]
    pattern: Option<String>,
    /// Count which steps, lines and ways out of each step the tests have walked.
    #[arg(long)]
    coverage: bool,
    /// How results are written.
    #[arg(long, value_enum, default_value = "text")]
    format: Report,
    /// Write the results into this file instead of the standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Run again whenever a flow, a plugin or the project's configuration changes, until interrupted.
    #[arg(long)]
    watch: bool,
    /// Drop each step's instance at every call it makes, and build it anew for the answer, as serving does in long waits:
    /// finds plugins that do not repeat themselves.
    #[arg(long)]
    rebuild: bool,
    /// Contacts that run at a time; as many as there are cores by default.
    #[arg(long, short = 'j', value_parser = clap::value_parser!(u16).range(1..=256))]
    jobs: Option<u16>,
    /// Where compiled plugins are kept; `PROJECT/.strowger` by default.
    #[arg(long)]
    data: Option<PathBuf>,
}

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Report {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
    /// JUnit's XML.
    Junit,
    /// Annotations of GitHub Actions.
    Github,
}

impl Test {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        if !self.watch {
            return self.once().await;
        }
        // What cannot be run at the first look is how the command was given.
        let mut looked = false;
        loop {
            let before = files(&self.paths);
            match self.once().await {
                // What cannot be run at once is there for a moment too: a file that an editor puts in another's place, a configuration
                // that is half written.
                Err(failure) if !looked && failure.code != FOUND => return Err(failure),
                Err(failure) => eprintln!("{}", in_its_lines(&failure.message)),
                Ok(_) => {}
            }
            looked = true;
            eprintln!("waiting for a change; Ctrl-C ends");
            while files(&self.paths) == before {
                tokio::time::sleep(LOOK_EVERY).await;
            }
        }
    }

    async fn once(&self) -> Result<u8, Failure> {
        let began = Instant::now();
        let jobs = match self.jobs {
            Some(jobs) => usize::from(jobs),
            None => std::thread::available_parallelism().map_or(1, usize::from),
        };
        let mut suites = Vec::new();
        let places = Place::sorted(&self.paths);
        let alone = places.iter().filter(|place| place.project.is_none());
        // Files that stand alone share one host.
        let hosts = places.len() - alone.count().saturating_sub(1);
        let mut loader = Loader::new(hosts, jobs);
        for place in places {
            let cache = match (&self.data, &place.project) {
                (data, Some(project)) => Some(data_folder(data.clone(), project)),
                (Some(data), None) => Some(data.clone()),
                (None, None) => None,
            };
            let cache = cache.map(|data| data.join("compiled"));
            let loaded = loader.load(&place, cache).await;
            let mut suite = match loaded {
                Ok(suite) => suite,
                Err(error) => {
                    self.not_run(&place, &error)?;
                    return Err(error.into());
                }
            };
            for (file, errors) in &suite.left_out {
                let plural = if *errors == 1 { "" } else { "s" };
                let line = format!(
                    "warning: {file} is left out: it has {errors} error{plural}, and nothing that is tested leads to it"
                );
                eprintln!("{}", in_its_lines(&line));
            }
            suite.rebuild = self.rebuild;
            suites.push(suite);
        }
        let mut results: Vec<TestResult> = Vec::new();
        let all: usize = suites
            .iter()
            .map(|suite| suite.choose(self.pattern.as_deref()).len())
            .sum();
        let mut shown = Progress::new(all);
        for suite in &suites {
            let chosen = suite.choose(self.pattern.as_deref());
            let ran =
                tokio::task::block_in_place(|| suite.run(&chosen, jobs, |_| shown.one_more()));
            if ran.len() < chosen.len() {
                return Err(Failure::cannot(
                    "the threads for the tests do not start: look at `ulimit -u`",
                ));
            }
            results.extend(ran);
        }
        shown.clear();
        let flows = suites.iter().flat_map(|suite| &suite.flows);
        self.write(&results, flows)?;
        let (passed, failed, skipped) = totals(&results);
        if results.is_empty() {
            let none = self.nothing(&suites);
            // A word that fits nothing is a slip of whoever typed it, and must not pass for success.
            if self.pattern.is_some() && !self.watch {
                return Err(Failure::cannot(none));
            }
            eprintln!("{none}");
        }
        eprintln!(
            "{passed} passed, {failed} failed, {skipped} skipped in {:.2} s",
            began.elapsed().as_secs_f64()
        );
        Ok(if failed > 0 { FOUND } else { OK })
    }

    fn write<'f>(
        &self,
        results: &[TestResult],
        flows: impl Iterator<Item = &'f FlowTests>,
    ) -> Result<(), Failure> {
        let coverage = self.coverage.then(|| {
            let selected = self.pattern.is_some();
            Coverage::of(flows, results, selected)
        });
        self.put(&match self.format {
            Report::Text => text(results, coverage.as_ref()),
            Report::Json => json(results, coverage.as_ref()),
            Report::Junit => junit(results),
            Report::Github => github(results),
        })
    }

    /// Why nothing could be run, for programs. People read it on the standard error.
    fn not_run(&self, place: &Place, error: &SuiteError) -> Result<(), Failure> {
        let findings = found(place, error);
        let lines = |line: fn(&Diagnostic) -> String| -> String {
            let lines = findings.iter().map(line);
            lines.map(|line| line + "\n").collect()
        };
        self.put(&match self.format {
            Report::Text => return Ok(()),
            Report::Json => lines(|found| {
                let line = found.render_json_in(Language::English);
                line.replacen('{', "{\"kind\":\"finding\",", 1)
            }),
            Report::Github => lines(|found| annotation(found, Language::English)),
            Report::Junit => findings::junit("strowger test", &[], &findings, Language::English),
        })
    }

    fn put(&self, report: &str) -> Result<(), Failure> {
        match &self.output {
            Some(path) => std::fs::write(path, report).map_err(|error| {
                Failure::cannot(format!(
                    "cannot write {}: {error}; give another file with --output",
                    path.display()
                ))
            })?,
            // A closed pipe is the reader's choice.
            None => {
                let _ = std::io::stdout().write_all(report.as_bytes());
            }
        }
        Ok(())
    }

    /// Why no test ran.
    fn nothing(&self, suites: &[Suite]) -> String {
        let there: usize = suites
            .iter()
            .flat_map(|suite| &suite.flows)
            .map(|flow| flow.tests.len())
            .sum();
        match (&self.pattern, there) {
            (Some(pattern), 1..) => {
                let all = suites.iter().flat_map(|suite| &suite.flows);
                let names = all.flat_map(|flow| {
                    flow.tests
                        .iter()
                        .map(move |test| format!("{} › {}", flow.plan.flow, test.name))
                });
                let names: Vec<String> = names.take(SHOWN).collect();
                let more = match there - names.len() {
                    0 => String::new(),
                    more => format!("\n  … and {more} more"),
                };
                // The sentence goes last, as that of every failure.
                format!(
                    "there are\n  {}{more}\nno test: none of {there} has `{pattern}` in its `FLOW › NAME`",
                    names.join("\n  ")
                )
            }
            _ => {
                "no test: the flows have no `tests:`; docs/flow-language.md says how to write them"
                    .to_owned()
            }
        }
    }
}

/// What keeps tests from being run, as findings.
fn found(place: &Place, error: &SuiteError) -> Vec<Diagnostic> {
    let folder = place.project.as_deref().unwrap_or(Path::new(""));
    let whole = |file: &Path, said: String| {
        let said = Text::both(said.clone(), said);
        let finding = Finding::whole(Level::Error, &file.display().to_string(), said, None);
        vec![finding.diagnostic]
    };
    match error {
        SuiteError::Errors { findings, .. } if !findings.is_empty() => findings.clone(),
        SuiteError::Project(error) => vec![error.finding(folder).diagnostic],
        SuiteError::Unreadable { path, .. } => whole(path, error.to_string()),
        SuiteError::Errors { .. } | SuiteError::Host(_) => {
            let file = place.files.first().map_or(folder, PathBuf::as_path);
            whole(file, error.to_string())
        }
    }
}

impl From<SuiteError> for Failure {
    fn from(error: SuiteError) -> Failure {
        match error {
            SuiteError::Errors { .. } => Failure {
                code: FOUND,
                message: error.to_string(),
            },
            other => Failure::cannot(other),
        }
    }
}

/// A line on the terminal that counts.
struct Progress {
    shown: bool,
    done: usize,
    all: usize,
}

impl Progress {
    fn new(all: usize) -> Progress {
        Progress {
            shown: std::io::stderr().is_terminal(),
            done: 0,
            all,
        }
    }

    fn one_more(&mut self) {
        self.done += 1;
        if self.shown {
            eprint!("\r{} of {} ", self.done, self.all);
        }
    }

    fn clear(&self) {
        if self.shown {
            eprint!("\r\x1b[K");
        }
    }
}

/// The files that tests depend on, with their last change. What cannot be read counts as not there.
fn files(paths: &[PathBuf]) -> BTreeMap<PathBuf, (SystemTime, u64)> {
    let mut found = BTreeMap::new();
    for path in paths {
        look(path, 0, &mut found);
    }
    found
}

fn look(path: &Path, depth: usize, found: &mut BTreeMap<PathBuf, (SystemTime, u64)>) {
    let Ok(metadata) = path.metadata() else {
        return;
    };
    if !metadata.is_dir() {
        let changed = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        found.insert(path.to_owned(), (changed, metadata.len()));
        return;
    }
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    for entry in entries.filter(|_| depth < WATCHED_DEPTH) {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let watched = [".yaml", ".yml", ".toml", ".wasm"]
            .iter()
            .any(|ending| name.ends_with(ending));
        // Hidden folders hold data and caches.
        let folder = !name.starts_with('.') && entry.file_type().is_ok_and(|kind| kind.is_dir());
        if watched || folder {
            look(&entry.path(), depth + 1, found);
        }
    }
}
