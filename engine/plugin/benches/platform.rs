//! What plugins cost the machine: memory of steps that wait, time to compile and to load again, and twenty thousand of
//! them at once.
//!
//! `STROWGER_COMPONENTS` names further components, with spaces between; the first step of each runs with the input of its first
//! example, or with a prompt.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use strowger_plugin::{
    Grants, Host, HostCallFuture, HostCalls, HostConfig, Limits, NoCalls, Plugin, RunRequest,
};

#[path = "../tests/host/guest.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod guest;

/// Steps that wait at once; fewer where the machine cannot hold as many.
const WAITING: u32 = 10_000;
/// Variable that names the one subject whose steps shall wait.
const ALONE: &str = "PLATFORM_ALONE";
/// Plugins that are registered.
const PLUGINS: usize = 20_000;

/// Answers the time of day, and nothing else ever.
struct Waits(Arc<AtomicU32>);

impl HostCalls for Waits {
    fn call<'a>(&'a mut self, _: &'a str, function: &'a str, _: Vec<Value>) -> HostCallFuture<'a> {
        if function == "local-time" {
            let time = json!({"ok": {"year": 2026, "month": 1, "day": 5, "weekday": 1, "hour": 9, "minute": 0, "second": 0}});
            return Box::pin(std::future::ready(Ok(time)));
        }
        self.0.fetch_add(1, Ordering::Relaxed);
        Box::pin(std::future::pending())
    }
}

/// Resident memory of this process, in KiB.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let word = line.and_then(|line| line.split_whitespace().nth(1));
    word.and_then(|word| word.parse().ok()).expect("a number")
}

/// Processor time of this process, all threads.
fn processor() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let rest = text.rsplit(')').next().unwrap_or_default();
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let ticks: u64 = fields[11..13]
        .iter()
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    Duration::from_millis(ticks * 10)
}

fn host(cache: Option<PathBuf>) -> Host {
    Host::new(HostConfig {
        cache_dir: cache,
        ..HostConfig::default()
    })
    .expect("this machine can run guests")
}

/// What runs: a name, the bytes, the step, its input.
struct Subject {
    name: String,
    bytes: Vec<u8>,
}

fn request(plugin: &Plugin, calls: Box<dyn HostCalls>) -> RunRequest {
    let (step, described) = plugin.description().steps.iter().next().expect("a step");
    let input = match described.examples.first() {
        Some(example) => example["input"].clone(),
        None if described.input["properties"].get("prompt").is_some() => json!({"prompt": "p:0"}),
        None => json!({}),
    };
    RunRequest {
        step: step.clone(),
        input: input.to_string(),
        limits: Limits::default(),
        calls,
        told: None,
        cancel: None,
    }
}

async fn waiting(host: &Host, subject: &Subject) {
    let (all, limits) = (Grants::all(), Limits::default());
    let plugin = host
        .load(&subject.bytes, &all, &limits)
        .await
        .expect("a plugin");
    let report = host.report();
    let room = if plugin.interpreter() {
        report.interpreters
    } else {
        report.pool
    };
    let count = WAITING.min(room);
    let share = host.runtime().share();
    let waits = Arc::new(AtomicU32::new(0));
    // What is there once for all of them is there before.
    let first = |calls| {
        let plugin = plugin.clone();
        let request = request(&plugin, calls);
        host.runtime()
            .spawn(&share, async move { plugin.run_here(request).await })
    };
    let _ = first(Box::new(NoCalls) as Box<dyn HostCalls>).await;
    let before = resident();
    let began = Instant::now();
    let tasks: Vec<_> = (0..count)
        .map(|_| first(Box::new(Waits(waits.clone()))))
        .collect();
    while waits.load(Ordering::Relaxed) < count && began.elapsed() < Duration::from_secs(120) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let there = waits.load(Ordering::Relaxed);
    let kib = resident().saturating_sub(before);
    println!(
        "{}: {there} steps wait after {:.2} s, {:.1} KiB resident each, {} MiB together",
        subject.name,
        began.elapsed().as_secs_f64(),
        kib as f64 / f64::from(there.max(1)),
        kib / 1024
    );
    drop(tasks);
}

async fn loading(subject: &Subject) {
    let folder = tempfile::tempdir().expect("a folder");
    let (all, limits) = (Grants::all(), Limits::default());
    let mut took = Vec::new();
    for _ in 0..4 {
        let host = host(Some(folder.path().to_owned()));
        let (wall, cpu) = (Instant::now(), processor());
        let plugin = host.load(&subject.bytes, &all, &limits).await;
        let (wall, cpu) = (wall.elapsed(), processor() - cpu);
        drop(plugin.expect("a plugin"));
        took.push((wall, cpu));
    }
    let compiled = took.remove(0);
    took.sort();
    println!(
        "{}: {} KB, compiled in {:.1} ms ({:.0} ms of processor), loaded again in {:.2} ms",
        subject.name,
        subject.bytes.len() / 1000,
        compiled.0.as_secs_f64() * 1e3,
        compiled.1.as_secs_f64() * 1e3,
        took[1].0.as_secs_f64() * 1e3
    );
}

/// Twenty thousand plugins that differ in their version alone, compiled, and loaded again as at a start.
async fn registered() {
    let folder = tempfile::tempdir().expect("a folder");
    let (all, limits) = (Grants::all(), Limits::default());
    let components: Vec<Vec<u8>> = (0..PLUGINS)
        .map(|number| {
            let mut description = guest::description();
            description["version"] = format!("1.0.{number}").into();
            guest::Guest {
                description: description.to_string(),
                ..guest::Guest::default()
            }
            .build()
        })
        .collect();
    let bytes: usize = components.iter().map(Vec::len).sum();
    let first = host(Some(folder.path().to_owned()));
    let began = Instant::now();
    for component in &components {
        // Not kept: who describes itself has a file open for its memory's image.
        drop(
            first
                .load(component, &all, &limits)
                .await
                .expect("a plugin"),
        );
    }
    let compiled = began.elapsed();
    drop(first);

    let host = host(Some(folder.path().to_owned()));
    let (before, began) = (resident(), Instant::now());
    let mut plugins = std::collections::BTreeMap::new();
    for component in &components {
        let plugin = host.load(component, &all, &limits).await.expect("a plugin");
        plugins.insert(plugin.description().version.clone(), plugin);
    }
    let again = began.elapsed();
    println!(
        "{PLUGINS} plugins of {} bytes: {:.2} ms each to compile, {:.2} ms each ({:.1} s together) to load again; {:.1} KiB resident each",
        bytes / PLUGINS,
        compiled.as_secs_f64() * 1e3 / PLUGINS as f64,
        again.as_secs_f64() * 1e3 / PLUGINS as f64,
        again.as_secs_f64(),
        resident().saturating_sub(before) as f64 / PLUGINS as f64
    );
    let share = host.runtime().share();
    for (what, apart) in [
        ("of one of them, the first of its plugin", 10),
        ("of the same again", 0),
    ] {
        let mut times = Vec::new();
        let mut found = Duration::ZERO;
        for number in (0..2_000).map(|number| number * apart) {
            let began = Instant::now();
            let plugin = plugins
                .get(&format!("1.0.{number}"))
                .expect("registered")
                .clone();
            found += began.elapsed();
            let request = request(&plugin, Box::new(NoCalls));
            let run = async move { plugin.run_here(request).await };
            let report = host.runtime().spawn(&share, run).await;
            assert!(report.is_ok_and(|report| report.result.is_ok()));
            times.push(began.elapsed());
        }
        times.sort();
        println!(
            "a step {what}: p50 {:.1} us, p99 {:.1} us; found in {:.2} us",
            times[times.len() / 2].as_secs_f64() * 1e6,
            times[times.len() * 99 / 100].as_secs_f64() * 1e6,
            found.as_secs_f64() * 1e6 / times.len() as f64
        );
    }
}

fn main() {
    let repository = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let built = |name: &str| {
        repository
            .join("plugins/target/components")
            .join(format!("{name}.wasm"))
    };
    let mut subjects = vec![Subject {
        name: "by hand".to_owned(),
        bytes: guest::Guest {
            imports: r#"(import "strowger:env/env@1.0.0" "now" (func $now (result i64)))"#,
            run: format!("(drop (call $now)) {}", guest::OK),
            ..guest::Guest::default()
        }
        .build(),
    }];
    let further = std::env::var("STROWGER_COMPONENTS").unwrap_or_default();
    let further = further.split_whitespace().map(PathBuf::from);
    for path in [built("std-menu"), built("aurora-orders")]
        .into_iter()
        .chain(further)
    {
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let bytes = std::fs::read(&path)
            .unwrap_or_else(|error| panic!("{}: {error}; `make guests` builds it", path.display()));
        subjects.push(Subject { name, bytes });
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("this machine can run tokio");
    runtime.block_on(async {
        if let Ok(alone) = std::env::var(ALONE) {
            let subject: usize = alone.parse().expect("a number");
            return waiting(&host(None), &subjects[subject]).await;
        }
        for subject in &subjects {
            loading(subject).await;
        }
        for subject in 0..subjects.len() {
            // A slot keeps pages of whoever had it before: each subject has a process of its own.
            let mut alone = std::process::Command::new(std::env::current_exe().expect("a program"));
            let status = alone.env(ALONE, subject.to_string()).status();
            assert!(status.is_ok_and(|status| status.success()));
        }
        registered().await;
    });
}
