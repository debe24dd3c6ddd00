//! What a key press costs in a browser, beside the same in this process: `cargo bench -p strowger-checker --bench browser`.
//!
//! `make checker` has built the module; Chromium is driven by `tests/checker/bench.mjs`, which prints the figures.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "what measures needs a clock, files and a browser"
)]

#[path = "../../flow/tests/support/mixed.rs"]
mod mixed;
#[path = "../../flow/tests/support/mod.rs"]
mod support;

use std::hint::black_box;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use strowger_checker::Checker;

/// Steps of the flows.
const STEPS: [usize; 2] = [50, 300];

/// Key presses measured, and how many before them are not counted.
const PRESSES: usize = 100;
const WARM: usize = 20;

fn main() -> ExitCode {
    let catalog = support::project();
    let flows: Vec<Json> = STEPS
        .iter()
        .map(|steps| json!({ "steps": steps, "text": mixed::mixed("large", *steps) }))
        .collect();
    let mut checker = Checker::default();
    let open = json!({ "ask": "open", "catalog": &catalog });
    let opened: Json =
        serde_json::from_str(&checker.ask(open.to_string().as_bytes())).expect("JSON");
    let project = &opened["answer"]["project"];
    for flow in &flows {
        let text = flow["text"].as_str().expect("a text");
        let (steps, bytes) = (&flow["steps"], text.len());
        let request = json!({ "ask": "check", "project": project, "file": "a", "text": text });
        let request = request.to_string();
        let whole = median(|| black_box(checker.ask(request.as_bytes())).len());
        let alone = median(|| {
            black_box(strowger_flow::check("a", text.as_bytes(), &catalog))
                .diagnostics
                .len()
        });
        println!(
            "native, {steps} steps, {bytes} bytes: check {alone:.2?}, as a request {whole:.2?}"
        );
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let here = std::env::current_exe().expect("a running program has a file");
    let target = here.ancestors().nth(3).expect("target/*/deps").to_owned();
    let input = target.join("checker-bench.json");
    let text = json!({ "catalog": catalog, "flows": flows }).to_string();
    std::fs::write(&input, text).expect("target can be written");
    let status = Command::new("node")
        .arg(root.join("tests/checker/bench.mjs"))
        .args([target.join("checker"), input])
        .status();
    match status {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(status) => {
            eprintln!(
                "tests/checker/bench.mjs failed ({status}): run `make setup` and `make checker` first"
            );
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("node cannot be started: {error}; run `make setup`");
            ExitCode::FAILURE
        }
    }
}

fn median<T>(mut press: impl FnMut() -> T) -> Duration {
    let mut times: Vec<Duration> = (0..WARM + PRESSES)
        .map(|_| {
            let start = Instant::now();
            black_box(press());
            start.elapsed()
        })
        .skip(WARM)
        .collect();
    times.sort();
    times[times.len() / 2]
}
