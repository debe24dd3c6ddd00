//! What a tenant whose every step computes to its limit does to another's steps.
//!
//! One tenant runs a small step again and again, first alone, then while another has fifty contacts whose steps are
//! endless loops. Printed: the time from the spawn of a step to its end, and by how much the second is more than the
//! first. Rounds of both alternate, so that what else the machine does falls on both.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use strowger_plugin::{Grants, Host, HostConfig, Limits, NoCalls, Plugin, RunRequest, Share};

#[path = "../tests/host/guest.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod guest;

/// Contacts of the tenant that spins.
const SPINNERS: usize = 50;
/// Rounds of each kind.
const ROUNDS: usize = 5;
/// How long a round lasts.
const ROUND: Duration = Duration::from_secs(4);
/// Pause between two steps of the tenant that is measured: 250 steps a second.
const PAUSE: Duration = Duration::from_millis(4);

fn request() -> RunRequest {
    RunRequest {
        step: "go".into(),
        input: r#"{"n":7}"#.into(),
        limits: Limits::default(),
        calls: Box::new(NoCalls),
        told: None,
        cancel: None,
    }
}

async fn step(host: &Host, share: &Share, plugin: &Plugin) -> Duration {
    let plugin = plugin.clone();
    let began = Instant::now();
    let run = async move { plugin.run_here(request()).await };
    let report = host.runtime().spawn(share, run).await;
    let took = began.elapsed();
    assert!(report.is_ok_and(|report| report.result.is_ok()));
    took
}

/// Steps for one round; their times.
async fn round(host: &Host, share: &Share, plugin: &Plugin) -> Vec<Duration> {
    let end = Instant::now() + ROUND;
    let mut times = Vec::new();
    while Instant::now() < end {
        times.push(step(host, share, plugin).await);
        tokio::time::sleep(PAUSE).await;
    }
    times
}

fn part(times: &mut [Duration], hundredths: usize) -> f64 {
    times.sort();
    times[times.len() * hundredths / 100].as_secs_f64() * 1e6
}

fn main() {
    let host = Host::new(HostConfig {
        pool: Some(256),
        ..HostConfig::default()
    })
    .expect("this machine can run guests");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("this machine can run tokio");
    runtime.block_on(async {
        let (all, limits) = (Grants::all(), Limits::default());
        let small = guest::answers("number", r#"{"n":7}"#);
        let small = host.load(&small, &all, &limits).await.expect("a plugin");
        let looping = guest::Guest {
            run: "(loop $again (br $again)) unreachable".into(),
            ..guest::Guest::default()
        };
        let looping = host.load(&looping.build(), &all, &limits).await.expect("a plugin");
        let (quiet, spinning) = (host.runtime().share(), host.runtime().share());
        let (mut alone, mut beside) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            alone.extend(round(&host, &quiet, &small).await);
            let stop = Arc::new(AtomicBool::new(false));
            let spinners: Vec<_> = (0..SPINNERS)
                .map(|_| {
                    let (stop, plugin) = (stop.clone(), looping.clone());
                    host.runtime().spawn(&spinning, async move {
                        while !stop.load(Ordering::Relaxed) {
                            let report = plugin.run_here(request()).await;
                            assert!(report.result.is_err());
                        }
                    })
                })
                .collect();
            beside.extend(round(&host, &quiet, &small).await);
            stop.store(true, Ordering::Relaxed);
            for spinner in spinners {
                let _ = spinner.await;
            }
        }
        for (name, hundredths) in [("p50", 50), ("p90", 90), ("p99", 99)] {
            let (alone, beside) = (part(&mut alone, hundredths), part(&mut beside, hundredths));
            println!(
                "step of a quiet tenant, {name}: alone {alone:.1} us, beside {SPINNERS} that spin {beside:.1} us, {:+.0} %",
                (beside / alone - 1.0) * 100.0
            );
        }
        println!("{} steps alone, {} beside", alone.len(), beside.len());
    });
}
