//! From a push over HTTP to live: a component of the demo tenant in version after version, each other bytes, to an engine that
//! is a process of its own and serves the demo's flows; beside it how long compiling the same bytes takes alone, in this process.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use strowger_plugin::{Host, HostConfig};
use wasmtime::component::Component;

type Error = Box<dyn std::error::Error>;

/// Versions that are pushed: 1.1.0 to 1.4.9.
const MINORS: std::ops::RangeInclusive<u32> = 1..=4;
/// Longest time until the engine listens.
const STARTS: Duration = Duration::from_secs(120);

/// The engine, ended with the bench.
struct Engine(Child);

impl Drop for Engine {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn main() -> Result<(), Error> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let project = root.join("flows/aurora");
    let component = project.join("plugins/aurora-orders.wasm");
    let component = std::fs::read(&component)
        .map_err(|error| format!("{}: {error}; run scripts/guests", component.display()))?;
    let folder = tempfile::TempDir::new()?;
    let tenants = folder.path().join("tenants");
    std::fs::create_dir(&tenants)?;
    std::fs::write(
        folder.path().join("strowger.toml"),
        "[project]\nname = \"bench\"\n[http]\nrequests_per_second = 100000\nburst = 100000\n",
    )?;
    std::fs::write(
        tenants.join("aurora.toml"),
        "numbers = [\"*\"]\n[grants]\nhttp = [\"127.0.0.1:8090\"]\n[limits]\nuploads_per_day = 1000\n\
         [limits.http]\nprivate = [\"127.0.0.1:8090\"]\n",
    )?;
    let free = || TcpListener::bind("127.0.0.1:0")?.local_addr();
    let (sip, http) = (free()?, free()?);
    let program = env!("CARGO_BIN_EXE_strowger");
    let serve = Command::new(program)
        .arg("serve")
        .arg(folder.path())
        .args(["--sip", &sip.to_string(), "--http", &http.to_string()])
        .stderr(Stdio::null())
        .spawn()?;
    let mut engine = Engine(serve);
    let began = Instant::now();
    while !ask(http, "GET", "/healthz", b"").is_ok_and(|(status, _)| status == 200) {
        if began.elapsed() > STARTS || engine.0.try_wait()?.is_some() {
            return Err("the engine does not start".into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    let pushed = Command::new(program)
        .arg("push")
        .arg(&project)
        .args([
            "--to",
            &format!("http://{http}"),
            "--release",
            "--accept",
            "all",
        ])
        .stdout(Stdio::null())
        .status()?;
    if !pushed.success() {
        return Err("the demo's project was not taken".into());
    }

    let host = Host::new(HostConfig::default())?;
    let (mut live, mut raw) = (Vec::new(), Vec::new());
    for minor in MINORS {
        for patch in 0..10 {
            let bytes = versioned(&component, &format!("1.{minor}.{patch}"))?;
            let began = Instant::now();
            let (status, text) = ask(http, "POST", "/v1/tenants/aurora/plugins?onto=live", &bytes)?;
            let pushed: serde_json::Value = serde_json::from_str(&text)?;
            if status != 201 {
                return Err(format!("{status}: {text}").into());
            }
            let order = format!("{{\"revision\": {}}}", pushed["revision"]);
            let (status, text) = ask(http, "PUT", "/v1/tenants/aurora/release", order.as_bytes())?;
            if status != 200 {
                return Err(format!("{status}: {text}").into());
            }
            live.push(began.elapsed());
            let began = Instant::now();
            std::hint::black_box(Component::from_binary(host.engine(), &bytes)?);
            raw.push(began.elapsed());
        }
    }
    println!(
        "{} uploads of {} KB over HTTP, each another version:",
        live.len(),
        component.len() / 1_000
    );
    told("push to live", &mut live);
    told("compiling the same bytes, alone", &mut raw);
    Ok(())
}

/// The component with another version, of as many letters.
fn versioned(component: &[u8], version: &str) -> Result<Vec<u8>, Error> {
    let (from, to) = (
        "\"version\": \"1.0.0\"",
        format!("\"version\": \"{version}\""),
    );
    let mut bytes = component.to_vec();
    let places: Vec<usize> = component
        .windows(from.len())
        .enumerate()
        .filter(|(_, window)| *window == from.as_bytes())
        .map(|(at, _)| at)
        .collect();
    if places.is_empty() || from.len() != to.len() {
        return Err(format!("the component does not say `{from}`").into());
    }
    for at in places {
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    Ok(bytes)
}

/// A request on a connection of its own: the status and the body.
fn ask(http: SocketAddr, method: &str, path: &str, body: &[u8]) -> Result<(u16, String), Error> {
    let mut stream = TcpStream::connect(http)?;
    stream.set_nodelay(true)?;
    let kind = match body.first() {
        Some(b'{') => "application/json",
        _ => "application/octet-stream",
    };
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {http}\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    )?;
    stream.write_all(body)?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let status = text
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let (_, body) = text.split_once("\r\n\r\n").ok_or("no answer")?;
    Ok((status.ok_or("no status")?, body.to_owned()))
}

fn told(what: &str, times: &mut [Duration]) {
    times.sort();
    let part = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1_000.0;
    println!(
        "  {what}: p50 {:.0} ms, p95 {:.0} ms, most {:.0} ms",
        part(50),
        part(95),
        part(100)
    );
}
