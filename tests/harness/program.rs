//! The engine and the order service as processes.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;

use crate::http;

/// Longest time a program may take to be ready: the first start speaks every prompt.
const READY: Duration = Duration::from_secs(90);
/// How a line of a journal begins that is a SIP message.
const SIP: &str = r#"{"kind":"sip"#;
/// How often a waiting test looks again.
pub const POLL: Duration = Duration::from_millis(20);

/// The folder of this repository.
pub fn repository() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// A component as it was built.
pub fn component(name: &str) -> Result<Vec<u8>> {
    let path = built(name);
    std::fs::read(&path).with_context(|| format!("{}: run `make guests`", path.display()))
}

/// Where a built component lies.
pub fn built(name: &str) -> PathBuf {
    repository().join(format!("plugins/target/components/{name}.wasm"))
}

/// A program of this workspace, beside the test's own.
pub fn binary(name: &str) -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let path = test
        .ancestors()
        .nth(2)
        .context("a test lies in target/*/deps")?
        .join(name);
    if !path.is_file() {
        bail!("{} is not built: run `make build`", path.display());
    }
    Ok(path)
}

/// A port that is free for UDP and TCP now.
pub fn free_port() -> Result<u16> {
    for _ in 0..64 {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = tcp.local_addr()?.port();
        if UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(port);
        }
    }
    bail!("no port is free")
}

/// A running program; killed when dropped.
pub struct Program {
    child: Child,
    log: PathBuf,
    name: String,
}

impl Program {
    /// Starts a program with its output in a log file.
    pub fn start(mut command: Command, name: &str, log: PathBuf) -> Result<Program> {
        let file = File::create(&log)?;
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("{name} cannot be started"))?;
        Ok(Program {
            child,
            log,
            name: name.to_owned(),
        })
    }

    /// Its process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its memory that is resident, in bytes.
    pub fn resident(&self) -> Result<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kib: u64 = line
            .context("VmRSS")?
            .trim()
            .trim_end_matches(" kB")
            .parse()?;
        Ok(kib << 10)
    }

    /// What it has written.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until a condition holds; fails with the log when the program ends before or time is over.
    pub fn wait_until(
        &mut self,
        what: &str,
        limit: Duration,
        mut done: impl FnMut() -> bool,
    ) -> Result<()> {
        let end = Instant::now() + limit;
        while !done() {
            if let Some(status) = self.child.try_wait()? {
                bail!(
                    "{} ended ({status}) before {what}:\n{}",
                    self.name,
                    self.log()
                );
            }
            if Instant::now() > end {
                bail!("{}: no {what} within {limit:?}:\n{}", self.name, self.log());
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    /// Waits for its end; the exit code.
    pub fn wait(&mut self, limit: Duration) -> Result<i32> {
        let end = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(status.code().unwrap_or(-1));
            }
            if Instant::now() > end {
                bail!(
                    "{} did not end within {limit:?}:\n{}",
                    self.name,
                    self.log()
                );
            }
            std::thread::sleep(POLL);
        }
    }

    /// Asks it to end, as an operator would.
    pub fn terminate(&mut self) -> Result<()> {
        let status = Command::new("kill")
            .args(["-TERM", &self.id().to_string()])
            .status()?;
        if status.success() {
            Ok(())
        } else {
            bail!("{} could not be signalled", self.name)
        }
    }

    /// Asks it to end once its log holds a word: two signals that follow too fast are one.
    pub fn terminate_after(&mut self, word: &str, limit: Duration) -> Result<()> {
        let log = self.log.clone();
        self.wait_until(word, limit, || {
            std::fs::read_to_string(&log).is_ok_and(|log| log.contains(word))
        })?;
        self.terminate()
    }

    /// Ends it at once, as a crash would.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The demo tenant's order service.
pub struct OrderService {
    /// Where it listens.
    pub address: SocketAddr,
    /// The process.
    pub program: Program,
    folder: TempDir,
}

impl OrderService {
    /// Starts one with fresh demo data.
    pub fn start() -> Result<OrderService> {
        OrderService::slow(0)
    }

    /// Starts one that takes so many milliseconds for each answer.
    pub fn slow(delay_ms: u64) -> Result<OrderService> {
        let folder = TempDir::new()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let mut command = Command::new(binary("aurora-service")?);
        command
            .arg("--listen")
            .arg(address.to_string())
            .arg("--db")
            .arg(folder.path().join("orders.db"))
            .arg("--delay-ms")
            .arg(delay_ms.to_string());
        let mut program = Program::start(command, "aurora-service", folder.path().join("log"))?;
        program.wait_until("health", READY, || {
            http::get(address, "/healthz").is_ok_and(|r| r.status == 200)
        })?;
        Ok(OrderService {
            address,
            program,
            folder,
        })
    }

    /// Its database.
    pub fn database(&self) -> PathBuf {
        self.folder.path().join("orders.db")
    }

    /// How often a route was asked, such as `POST /callbacks`.
    pub fn asked(&self, route: &str) -> Result<u64> {
        let stats = http::get(self.address, "/stats")?.json()?;
        Ok(stats["requests"][route].as_u64().unwrap_or(0))
    }
}

/// The engine, serving a project.
pub struct Engine {
    /// Where SIP listens.
    pub sip: SocketAddr,
    /// Where HTTP listens.
    pub http: SocketAddr,
    /// The process.
    pub program: Program,
    /// The copy of the project that is served.
    pub project: PathBuf,
    /// Its data.
    pub data: PathBuf,
    variables: Vec<(String, String)>,
    folder: TempDir,
}

/// A copy of a project of `flows/`, to be changed at will.
pub fn copy(project: &str) -> Result<TempDir> {
    let folder = TempDir::new()?;
    copy_project(&repository().join("flows").join(project), folder.path())?;
    Ok(folder)
}

/// Writes a project of one flow that books at an order service, by the plugin `callbacks`: its flow's file and text, its
/// `routes.yaml`, and further lines of its `strowger.toml`.
pub fn callbacks(
    project: &Path,
    name: &str,
    orders: SocketAddr,
    (flow, text): (&str, &str),
    routes: &str,
    settings: &str,
) -> Result<()> {
    let plugins = repository().join("flows/aurora/plugins");
    copy_project(&plugins, &project.join("plugins"))?;
    std::fs::write(project.join(format!("{flow}.flow.yaml")), text)?;
    std::fs::write(project.join("routes.yaml"), routes)?;
    let toml = format!(
        "[project]\nname = \"{name}\"\n\n\
         [plugins.callbacks]\ncomponent = \"plugins/aurora-callbacks.wasm\"\n\
         config = {{ base_url = \"http://{orders}\" }}\ngrants = {{ http = [\"{orders}\"] }}\n\n\
         [limits.http]\nprivate = [\"{orders}\"]\n{settings}\n"
    );
    Ok(std::fs::write(project.join("strowger.toml"), toml)?)
}

/// A copy of the demo tenant in a folder, its order service at an address, and its support desk always open.
pub fn aurora(folder: &Path, orders: SocketAddr) -> Result<()> {
    copy_project(&repository().join("flows/aurora"), folder)?;
    edit(&folder.join("strowger.toml"), |text| {
        text.replace("127.0.0.1:8090", &orders.to_string())
    })?;
    always_open(folder)
}

impl Engine {
    /// Serves a copy of a project of `flows/`, changed by `edit` before the start.
    pub fn start(project: &str, edit: impl FnOnce(&Path) -> Result<()>) -> Result<Engine> {
        Engine::serve(|copy| {
            copy_project(&repository().join("flows").join(project), copy)?;
            edit(copy)
        })
    }

    /// Serves the project that `fill` puts into a folder.
    pub fn serve(fill: impl FnOnce(&Path) -> Result<()>) -> Result<Engine> {
        Engine::serve_with(&[], fill)
    }

    /// The same, with variables of the environment.
    pub fn serve_with(
        variables: &[(&str, &str)],
        fill: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<Engine> {
        let folder = TempDir::new()?;
        let copy = folder.path().join("project");
        fill(&copy)?;
        let data = folder.path().join("data");
        match copy.join("tenants").is_dir() {
            true => share(&data, &["compiled"])?,
            false => share_caches(&data)?,
        }
        let sip = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let http = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()?));
        let variables: Vec<(String, String)> = variables
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let log = folder.path().join("log");
        let program = serve(&copy, &data, sip, http, &log, &variables)?;
        Ok(Engine {
            variables,
            sip,
            http,
            program,
            project: copy,
            data,
            folder,
        })
    }

    /// Serves the demo tenant with its order service.
    pub fn aurora(orders: &OrderService) -> Result<Engine> {
        let orders = orders.address;
        Engine::start("aurora", |project| {
            edit(&project.join("strowger.toml"), |text| {
                text.replace("127.0.0.1:8090", &orders.to_string())
            })
        })
    }

    /// Starts again after a crash, on the same data and addresses.
    pub fn restart(&mut self) -> Result<()> {
        self.program = serve(
            &self.project,
            &self.data,
            self.sip,
            self.http,
            &self.folder.path().join("log2"),
            &self.variables,
        )?;
        Ok(())
    }

    /// What the engine logs, as a file.
    pub fn log(&self) -> PathBuf {
        self.program.log.clone()
    }

    /// Makes a token beside the running engine, as an operator would; `options` go to `strowger token new`.
    pub fn token(&self, role: &str, options: &[&str]) -> Result<String> {
        let (project, data) = (
            self.project.display().to_string(),
            self.data.display().to_string(),
        );
        let fixed = [
            "token",
            "new",
            "--role",
            role,
            "--project",
            &project,
            "--data",
            &data,
        ];
        let (code, token, told) = strowger(&[&fixed[..], options].concat())?;
        anyhow::ensure!(code == 0, "{told}");
        Ok(token.trim().to_owned())
    }

    /// The contact of a call, once it is in the journal.
    pub fn contact(&self, call_id: &str) -> Result<serde_json::Value> {
        let list = http::get(self.http, &format!("/v1/contacts?call_id={call_id}"))?.json()?;
        list["items"]
            .get(0)
            .cloned()
            .with_context(|| format!("no contact with Call-ID {call_id}"))
    }

    /// The contact of a call, as soon as the call is up.
    pub fn contact_up(&self, call_id: &str) -> Result<serde_json::Value> {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            match self.contact(call_id) {
                Err(error) if Instant::now() > end => return Err(error),
                Err(_) => std::thread::sleep(POLL),
                found => return found,
            }
        }
    }

    /// The contact of a call, once it is over.
    pub fn contact_over(&self, call_id: &str) -> Result<serde_json::Value> {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let contact = self.contact_up(call_id)?;
            if contact["reason"].is_string() {
                return Ok(contact);
            }
            ensure!(Instant::now() < end, "{contact} does not end");
            std::thread::sleep(POLL);
        }
    }

    /// A call that is over once a SIP message of it was written down too, as that may come after its end.
    pub fn told(&self, call_id: &str, message: &str) -> Result<()> {
        let over = self.contact_over(call_id)?;
        let id = over["id"].as_str().context("a contact has an id")?;
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let trace = http::get(self.http, &format!("/v1/contacts/{id}/trace"))?.body;
            if trace.contains(message) {
                return Ok(());
            }
            ensure!(Instant::now() < end, "no {message}: {trace}");
            std::thread::sleep(POLL);
        }
    }

    /// The journal of a call.
    pub fn journal(&self, call_id: &str) -> Result<Vec<strowger_contact::Entry>> {
        let contact = self.contact(call_id)?;
        let id = contact["id"].as_str().context("a contact has an id")?;
        let text = http::get(self.http, &format!("/v1/contacts/{id}/journal"))?.body;
        // The SIP messages of its calls stand between the entries.
        let entries = text.lines().filter(|line| !line.starts_with(SIP));
        entries
            .map(|line| Ok(serde_json::from_str(line)?))
            .collect()
    }

    /// The disposition of a call, once it has ended.
    pub fn reason(&mut self, call_id: &str) -> Result<String> {
        let http = self.http;
        let mut reason = None;
        self.program
            .wait_until("end of the contact", Duration::from_secs(30), || {
                let list = http::get(http, &format!("/v1/contacts?call_id={call_id}"))
                    .and_then(|r| r.json());
                reason = list.ok().and_then(|list| {
                    Some(list["items"].get(0)?.get("reason")?.as_str()?.to_owned())
                });
                reason.is_some()
            })?;
        reason.context("just seen")
    }

    /// A counter of `/metrics`.
    pub fn metric(&self, name: &str) -> Result<u64> {
        let text = http::get(self.http, "/metrics")?.body;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(&format!("strowger_{name} ")));
        Ok(line
            .with_context(|| format!("no metric {name}"))?
            .trim()
            .parse()?)
    }
}

fn serve(
    project: &Path,
    data: &Path,
    sip: SocketAddr,
    http: SocketAddr,
    log: &Path,
    variables: &[(String, String)],
) -> Result<Program> {
    let mut command = Command::new(binary("strowger")?);
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    command.arg("serve").arg(project).arg("--data").arg(data);
    command.args(["--sip", &sip.to_string(), "--http", &http.to_string()]);
    let mut program = Program::start(command, "strowger", log.to_owned())?;
    let ready = log.to_owned();
    // HTTP answers before SIP listens, so the last line before serving is what counts.
    program.wait_until("serving", READY, || {
        std::fs::read_to_string(&ready).is_ok_and(|log| log.contains("serving "))
    })?;
    Ok(program)
}

/// Changes a file of a project.
pub fn edit(path: &Path, change: impl FnOnce(String) -> String) -> Result<()> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    Ok(std::fs::write(path, change(text))?)
}

/// The support desk never closes, so that the tests pass at night too.
pub fn always_open(project: &Path) -> Result<()> {
    edit(&project.join("main-menu.flow.yaml"), |text| {
        let text = text.replace("mon-fri: 09:00-21:00", "mon-sun: 00:00-24:00");
        text.lines()
            .filter(|line| {
                !line.contains("sat-sun:")
                    && !line.contains("closed: [2026")
                    && !line.contains("2026-10-10")
            })
            .filter(|line| line.trim() != "open:")
            .map(|line| format!("{line}\n"))
            .collect()
    })
}

/// Runs the program with arguments to its end: exit code, stdout, stderr.
pub fn strowger(arguments: &[&str]) -> Result<(i32, String, String)> {
    strowger_with(&[], arguments)
}

/// The same with variables of the environment.
pub fn strowger_with(
    variables: &[(&str, &str)],
    arguments: &[&str],
) -> Result<(i32, String, String)> {
    let output = Command::new(binary("strowger")?)
        .args(arguments)
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .output()?;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    Ok((
        output.status.code().unwrap_or(-1),
        text(output.stdout),
        text(output.stderr),
    ))
}

/// Copies a project's files, without its sources and data.
pub fn copy_project(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        let target = to.join(&name);
        match entry.file_type()?.is_dir() {
            // Sources and data are no part of a project.
            true if ["service", ".strowger", "target"]
                .iter()
                .any(|skip| name == *skip) => {}
            true => copy_project(&entry.path(), &target)?,
            false => {
                std::fs::copy(entry.path(), target)?;
            }
        }
    }
    Ok(())
}

/// Lets a data folder use the caches of all tests: compiled plugins and spoken prompts are the same for every test. Not so the
/// prompts of a centre, which keeps each tenant's apart and removes those of tenants that it does not know.
pub fn share_caches(data: &Path) -> Result<()> {
    share(data, &["prompts", "compiled"])
}

fn share(data: &Path, caches: &[&str]) -> Result<()> {
    std::fs::create_dir_all(data)?;
    let test = std::env::current_exe()?;
    let cache = test
        .ancestors()
        .nth(2)
        .context("a test lies in target/*/deps")?
        .join("test-cache");
    for name in caches {
        let shared = cache.join(name);
        std::fs::create_dir_all(&shared)?;
        std::os::unix::fs::symlink(&shared, data.join(name))?;
    }
    Ok(())
}
