//! The program's verbs.
//!
//! stdout is data, stderr is talk. Exit codes: 0 all is well, 1 the flow, plugin or call has an error,
//! 2 the command could not be run.

/// Prints a line of the result. Nobody reading it any more is the reader's choice; a full disk is told.
macro_rules! tell {
    ($($line:tt)*) => {
        $crate::cli::told(format_args!($($line)*))
    };
}

mod backup;
mod call;
mod chat;
mod check;
mod dial;
mod exchange;
mod explain;
mod export;
mod findings;
mod flow_files;
mod fmt;
mod forget;
mod graph;
mod known;
mod lsp;
mod new;
mod openapi;
mod plugin;
mod push;
mod release;
mod remote;
mod replay;
mod restore;
mod retention;
mod schema;
mod serve;
mod shadow;
mod test;
mod token;
mod trace;
mod user;
mod vault;
mod webhooks;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use strowger_flow::diagnostic::{Language, Text};
use strowger_flow::unseen::in_its_lines;

use crate::project::{Config, ConfigError, ProjectError, StoreSection};
use crate::runtime::OpenError;
use crate::store::Place;

/// All is well.
const OK: u8 = 0;
/// The flow, plugin or call has an error.
const FOUND: u8 = 1;
/// The command could not be run.
const CANNOT: u8 = 2;

/// A contact-flow engine: calls walk YAML flows whose steps are sandboxed WebAssembly plugins.
#[derive(Debug, Parser)]
#[command(
    name = "strowger",
    version,
    arg_required_else_help = true,
    after_help = "Examples:
  strowger new acme                    a project to begin with
  strowger check flows/aurora          is all well with this project?
  strowger serve flows/aurora          take its calls
  strowger check --help                options, examples and exit codes of a command

Exit code: 0 all is well, 1 findings or failures, 2 the command could not be run."
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a project that answers a call at once, or add a flow to one.
    New(new::New),
    /// Take calls.
    Serve(serve::Serve),
    /// Check a project's flows, or a single flow file.
    Check(check::Check),
    /// Run the tests of flows.
    Test(test::Test),
    /// Lay out flow files; comments and meaning stay.
    Fmt(fmt::Fmt),
    /// Print the page of a rule.
    Explain(explain::Explain),
    /// Draw a flow.
    Graph(graph::Graph),
    /// Print the JSON Schema of flows with the steps of a project's plugins.
    Schema(schema::Schema),
    /// Walk a flow in the terminal: prompts are printed, keys are typed.
    Call(call::Call),
    /// Talk with a flow in writing: what it says is printed, lines are typed.
    Chat(chat::Chat),
    /// Place a SIP call, press keys, and record what is heard.
    Dial(dial::Dial),
    /// Walk a contact again from its journal, and show the first difference.
    Replay(replay::Replay),
    /// Show all that happened in a contact, in order.
    Trace(trace::Trace),
    /// Write the records of contacts as CSV, JSON lines or Parquet.
    Export(export::Export),
    /// Remove what retention says is old.
    Retention(retention::Retention),
    /// Remove everything of a telephone number.
    Forget(forget::Forget),
    /// Look after events that could not be told.
    Webhooks(webhooks::WebhooksArguments),
    /// Copy all data of a project, while its engine runs.
    Backup(backup::Backup),
    /// Put a backup into an empty data folder.
    Restore(restore::Restore),
    /// Make, list and revoke tokens for the HTTP API.
    Token(token::Token),
    /// Add, list and remove people who sign in.
    User(user::User),
    /// Keep secrets that plugins use and nobody reads.
    Vault(vault::VaultArguments),
    /// Print the description of the HTTP API.
    Openapi(openapi::Openapi),
    /// Speak with an editor: the language server for flows, over stdin and stdout.
    Lsp(lsp::Lsp),
    /// Work on plugins.
    Plugin(plugin::PluginArguments),
    /// Push a project to a centre, where it is checked and kept as a revision.
    Push(push::Push),
    /// Make a tenant's revision live, for all callers or some; roll back; say what is live.
    Release(release::ReleaseArguments),
    /// Let a revision run beside a tenant's live contacts, and tell how they would have gone on it.
    Shadow(shadow::ShadowArguments),
}

/// How findings and results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// A language that findings and pages are told in, and new projects begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Tongue {
    /// English.
    En,
    /// Simplified Chinese.
    Zh,
}

impl Tongue {
    /// As flows name it.
    fn code(self) -> &'static str {
        match self {
            Tongue::En => "en",
            Tongue::Zh => "zh",
        }
    }

    /// By the name that flows have for it.
    fn of_code(code: &str) -> Option<Tongue> {
        [Tongue::En, Tongue::Zh]
            .into_iter()
            .find(|tongue| tongue.code() == code)
    }
}

impl From<Tongue> for Language {
    fn from(tongue: Tongue) -> Self {
        match tongue {
            Tongue::En => Self::English,
            Tongue::Zh => Self::Chinese,
        }
    }
}

/// Why a command did not do what it should: the exit code and the sentence.
struct Failure {
    code: u8,
    /// The last line is the sentence; before it may stand findings, as `check` shows them.
    message: String,
}

impl Failure {
    fn cannot(error: impl std::fmt::Display) -> Failure {
        Failure::new(CANNOT, error)
    }

    fn new(code: u8, error: impl std::fmt::Display) -> Failure {
        Failure {
            code,
            message: error.to_string(),
        }
    }

    /// A project that cannot be read.
    fn of_project(error: &ProjectError, language: Language) -> Failure {
        match (error, error.told()) {
            (ProjectError::Config(ConfigError::Invalid(finding)), _) => {
                let unusable = Text::fixed(
                    "strowger.toml cannot be used: correct it and try again",
                    "`strowger.toml` 无法使用：请改正后再试",
                );
                let frame = finding.render(language, false);
                Failure::cannot(format!("{frame}\n{}", unusable.in_language(language)))
            }
            (_, (message, Some(help))) => Failure::cannot(format!(
                "{}; {}",
                message.in_language(language),
                help.in_language(language)
            )),
            (_, (message, None)) => Failure::cannot(message.in_language(language)),
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Failure {
        match error {
            OpenError::Errors(ref findings) | OpenError::Files(ref findings) => {
                Failure::new(error.code(), format!("{findings}\n{error}"))
            }
            OpenError::Project(error) => error.into(),
            error => Failure::new(error.code(), error),
        }
    }
}

impl From<ProjectError> for Failure {
    fn from(error: ProjectError) -> Failure {
        Failure::of_project(&error, Language::English)
    }
}

/// Runs the program.
pub fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version go to stdout and are no failure.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { CANNOT } else { OK });
        }
    };
    // Two providers are linked in; unless one is chosen, the first TLS handshake panics.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("strowger: cannot start threads: {error}");
            return ExitCode::from(CANNOT);
        }
    };
    let done = runtime.block_on(async {
        match arguments.command {
            Command::New(new) => new.run().await,
            Command::Serve(serve) => serve.run().await,
            Command::Check(check) => check.run().await,
            Command::Test(test) => test.run().await,
            Command::Fmt(fmt) => fmt.run().await,
            Command::Explain(explain) => explain.run().await,
            Command::Graph(graph) => graph.run().await,
            Command::Schema(schema) => schema.run().await,
            Command::Call(call) => call.run().await,
            Command::Chat(chat) => chat.run().await,
            Command::Dial(dial) => dial.run().await,
            Command::Replay(replay) => replay.run().await,
            Command::Trace(trace) => trace.run().await,
            Command::Export(export) => export.run().await,
            Command::Retention(retention) => retention.run().await,
            Command::Forget(forget) => forget.run().await,
            Command::Webhooks(webhooks) => webhooks.run().await,
            Command::Backup(backup) => backup.run().await,
            Command::Restore(restore) => restore.run().await,
            Command::Token(token) => token.run().await,
            Command::User(user) => user.run().await,
            Command::Vault(vault) => vault.run().await,
            Command::Openapi(openapi) => openapi.run().await,
            Command::Lsp(lsp) => lsp.run().await,
            Command::Plugin(plugin) => plugin.run().await,
            Command::Push(push) => push.run().await,
            Command::Release(release) => release.run().await,
            Command::Shadow(shadow) => shadow.run().await,
        }
    });
    // A keyboard that is being read would keep the program alive.
    runtime.shutdown_background();
    match done {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            // A frame is told as it is: with a prefix on each line it could be read no more.
            let message = in_its_lines(&failure.message);
            match message.trim_end().rsplit_once('\n') {
                Some((findings, sentence)) => eprintln!("{findings}\nstrowger: {sentence}"),
                None => eprintln!("strowger: {message}"),
            }
            ExitCode::from(failure.code)
        }
    }
}

/// Where data lies; when nobody says, beside the project. The whole path: a contact's record names its recording by it,
/// and whoever reads the record stands elsewhere.
fn data_folder(given: Option<PathBuf>, project: &std::path::Path) -> PathBuf {
    let folder = given.unwrap_or_else(|| project.join(".strowger"));
    // Only an empty path has none; making the folder tells.
    std::path::absolute(&folder).unwrap_or(folder)
}

/// What this process makes from now on is for its user alone: 0600 for files, 0700 for folders.
fn own_files() {
    // SAFETY: it takes a number and cannot fail; no thread of ours makes a file meanwhile.
    unsafe { libc::umask(0o077) };
}

/// Who sits at the command line, as the audit log has it: the user whom the process runs as, whatever the environment says.
fn whoever() -> String {
    // SAFETY: it reads a number of the process and cannot fail.
    let uid = unsafe { libc::getuid() };
    match name_of(uid) {
        Some(name) => format!("cli:{name}"),
        None => format!("cli:{uid}"),
    }
}

/// Bytes for what the system knows of a user.
const USER_BYTES: usize = 16 * 1024;

/// The name of a user, where the system knows one.
fn name_of(uid: libc::uid_t) -> Option<String> {
    let mut room = vec![0; USER_BYTES];
    let mut entry = std::mem::MaybeUninit::<libc::passwd>::uninit();
    let mut found = std::ptr::null_mut();
    // SAFETY: `entry` and `room` are ours and as long as said; `found` is null or `entry` afterwards.
    let failed = unsafe {
        libc::getpwuid_r(
            uid,
            entry.as_mut_ptr(),
            room.as_mut_ptr(),
            room.len(),
            &mut found,
        )
    };
    if failed != 0 || found.is_null() {
        return None;
    }
    // SAFETY: it was found, so that its name is a text with an end within `room`, which is still there.
    let name = unsafe { std::ffi::CStr::from_ptr((*found).pw_name) };
    let name: String = name
        .to_str()
        .ok()?
        .chars()
        .filter(|c| !c.is_control())
        .take(64)
        .collect();
    (!name.is_empty()).then_some(name)
}

/// Where the store of a project is. A folder without a project in it has the file in its data folder.
fn store_of(project: &std::path::Path, data: &std::path::Path) -> Result<Place, Failure> {
    let section = config_of(project)?.map_or_else(StoreSection::default, |config| config.store);
    Place::of(&section, project, data).map_err(Failure::cannot)
}

/// What a folder's `strowger.toml` says; nothing where there is none.
fn config_of(folder: &std::path::Path) -> Result<Option<Config>, Failure> {
    if !folder.join("strowger.toml").exists() {
        return Ok(None);
    }
    let source = Config::source(folder).map_err(ProjectError::from)?;
    Ok(Some(Config::parse(&source).map_err(ProjectError::from)?))
}

/// Log lines go to stderr. `STROWGER_LOG` chooses what is logged; SIP messages are never logged whole.
fn start_log(format: crate::project::LogFormat) {
    use tracing_subscriber::EnvFilter;
    let chosen = std::env::var("STROWGER_LOG").unwrap_or_else(|_| "info".to_owned());
    let filter = EnvFilter::try_new(&chosen)
        .unwrap_or_else(|error| {
            eprintln!(
                "STROWGER_LOG `{}` cannot be used ({error}): `info` is logged; write `info`, `warn` or \
                 `strowger_server=debug`",
                chosen.escape_debug()
            );
            EnvFilter::new("info")
        })
        // What it says of a damaged file names no file; our own messages do.
        .add_directive("symphonia=off".parse().expect("a fixed directive"))
        // At every start it notices that there are tables already.
        .add_directive(
            "sqlx::postgres::notice=warn"
                .parse()
                .expect("a fixed directive"),
        );
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match format {
        crate::project::LogFormat::Text => {
            log.with_target(false).fmt_fields(printable_fields()).init()
        }
        crate::project::LogFormat::Json => log.json().init(),
    }
}

/// Fields of a log line without control characters: callers choose some of the text, and none of them may
/// begin a line of its own or speak to the operator's terminal.
fn printable_fields() -> impl for<'writer> tracing_subscriber::fmt::FormatFields<'writer> + 'static
{
    use tracing_subscriber::field::MakeExt;
    tracing_subscriber::fmt::format::debug_fn(|writer, field, value| {
        if field.name() != "message" {
            write!(writer, "{field}=")?;
        }
        printable(writer, &format!("{value:?}"))
    })
    .delimited(" ")
}

fn printable(writer: &mut impl std::fmt::Write, text: &str) -> std::fmt::Result {
    text.chars().try_for_each(|letter| match letter {
        letter if letter.is_control() => write!(writer, "{}", letter.escape_default()),
        letter => writer.write_char(letter),
    })
}

/// See `tell!`.
fn told(line: std::fmt::Arguments<'_>) {
    use std::io::Write as _;
    match writeln!(std::io::stdout().lock(), "{line}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            eprintln!("strowger: standard output cannot be written: {error}");
            std::process::exit(CANNOT.into());
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn nobody_begins_a_log_line_of_their_own() {
        let mut line = String::new();
        super::printable(&mut line, "999\r\nFAKE \u{1b}[31m 李").expect("room");
        assert_eq!(line, "999\\r\\nFAKE \\u{1b}[31m 李");
    }
}
