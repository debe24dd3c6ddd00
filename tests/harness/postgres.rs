//! A PostgreSQL server of a test's own: made by `initdb` in a folder of its own, reached by a Unix socket there, and
//! ended with the value that holds it.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use strowger_server::project::StoreSection;
use strowger_server::store::Place;
use tempfile::TempDir;

use crate::program::Program;

/// Longest time until a server is up, or down.
const READY: Duration = Duration::from_secs(60);
/// Only names the socket's file: no network port is listened on.
const PORT: &str = "5432";
/// Who owns everything in it.
const USER: &str = "strowger";

/// A server with its databases.
pub struct Postgres {
    /// None while it is stopped.
    program: Option<Program>,
    programs: PathBuf,
    /// Whom it runs as: never root, which it refuses.
    owner: Option<(u32, u32)>,
    folder: TempDir,
}

impl Postgres {
    /// Makes a cluster and starts it.
    pub fn start() -> Result<Postgres> {
        let folder = TempDir::new()?;
        let owner = owner()?;
        if let Some((user, group)) = owner {
            chown(folder.path(), Some(user), Some(group))?;
        }
        let mut server = Postgres {
            program: None,
            programs: programs()?,
            owner,
            folder,
        };
        let mut initdb = server.command("initdb");
        initdb.args(["--pgdata=data", "--auth=trust", "--no-sync", "--no-locale"]);
        initdb.args(["--encoding=UTF8", "--username", USER]);
        done(&mut initdb)?;
        server.resume()?;
        Ok(server)
    }

    /// Starts it again after [`stop`](Self::stop).
    pub fn resume(&mut self) -> Result<()> {
        let socket = self.socket();
        let mut command = self.command("postgres");
        command.args(["-D", "data", "-p", PORT, "-c", "listen_addresses="]);
        command.arg("-c");
        command.arg(format!("unix_socket_directories={socket}"));
        command.args(["-c", "shared_buffers=16MB"]);
        let log = self.folder.path().join("log");
        let mut program = Program::start(command, "postgres", log)?;
        program.wait_until("connections", READY, || {
            let mut ready = self.command("pg_isready");
            ready.args(["-q", "-h", &socket, "-p", PORT]);
            ready.status().is_ok_and(|status| status.success())
        })?;
        self.program = Some(program);
        Ok(())
    }

    /// Stops it at once, as a machine that goes down does: whoever is connected is cut off.
    pub fn stop(&mut self) -> Result<()> {
        let Some(mut program) = self.program.take() else {
            return Ok(());
        };
        // The signal that ends it without a checkpoint; SIGKILL would leave its children behind.
        let id = program.id().to_string();
        done(Command::new("kill").args(["-QUIT", &id]))?;
        program.wait(READY)?;
        Ok(())
    }

    /// Makes an empty database.
    pub fn create(&self, database: &str) -> Result<()> {
        let mut command = self.command("createdb");
        command.args(["-h", &self.socket(), "-p", PORT, "-U", USER, database]);
        done(&mut command)?;
        Ok(())
    }

    /// Runs SQL in a database; what it prints, a row a line, columns with `|` between.
    pub fn sql(&self, database: &str, sql: &str) -> Result<String> {
        let mut command = self.command("psql");
        command.args(["-h", &self.socket(), "-p", PORT, "-U", USER, "-d", database]);
        command.args(["-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1", "-c", sql]);
        done(&mut command)
    }

    /// The URL of a database.
    pub fn url(&self, database: &str) -> String {
        format!(
            "postgres://{USER}@localhost:{PORT}/{database}?host={}",
            self.socket()
        )
    }

    /// A database as the store of an engine with this data folder.
    pub fn place(&self, database: &str, data: &Path) -> Result<Place> {
        let section = StoreSection {
            url: Some(self.url(database)),
            ..StoreSection::default()
        };
        Ok(Place::of(&section, data, data)?)
    }

    fn socket(&self) -> String {
        self.folder.path().display().to_string()
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // What cannot be stopped in an orderly way is killed with its `Program`.
        let _ = self.stop();
    }
}

/// Where the server's programs are: Debian keeps them out of the path, by version.
fn programs() -> Result<PathBuf> {
    let mut versions = Vec::new();
    for version in std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
    {
        let version = version?;
        let bin = version.path().join("bin");
        let number: Option<u32> = version
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        if let Some(number) = number.filter(|_| bin.join("initdb").is_file()) {
            versions.push((number, bin));
        }
    }
    if let Some((_, bin)) = versions.into_iter().max() {
        return Ok(bin);
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .find(|folder| folder.join("initdb").is_file())
        .context("PostgreSQL's server is not installed: run `make setup`")
}

/// User and group for the server's processes when we are root; none when we are somebody already.
fn owner() -> Result<Option<(u32, u32)>> {
    let id = |arguments: &[&str]| -> Result<u32> {
        Ok(done(Command::new("id").args(arguments))?.trim().parse()?)
    };
    if id(&["-u"])? != 0 {
        return Ok(None);
    }
    // Debian's package makes this user.
    Ok(Some((id(&["-u", "postgres"])?, id(&["-g", "postgres"])?)))
}

/// Runs a command to its end; what it printed.
fn done(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("{command:?}"))?;
    if !output.status.success() {
        bail!(
            "{command:?}: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
