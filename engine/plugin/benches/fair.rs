//! What a tenant whose every step computes to its limit does to another's steps.
//!
//! One tenant runs a small step again and again, first alone, then while another has fifty contacts whose steps are
//! endless loops. Printed: the time from the spawn of a step to its end, and by how much the second is more than the
//! first. Rounds of both alternate, so that what else the machine does falls on both. Beside it the same of plain threads
//! without any guest: one that is woken and counts a little, beside two of a lower priority that only count. What these
//! show is the machine's own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
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

/// What a plain thread counts, about as long as the small step takes.
const COUNT: u32 = 20_000;
/// How much lower the priority of the plain threads is that only count. Steps of niceness.
const SLOWER: i32 = 10;

fn count(upto: u32) {
    for number in 0..upto {
        std::hint::black_box(number);
    }
}

/// A plain thread that counts when it is asked to; times from the asking to the answer.
fn plain_round() -> Vec<Duration> {
    let (ask, asked) = mpsc::channel::<()>();
    let (answer, answered) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        while asked.recv().is_ok() {
            count(COUNT);
            let _ = answer.send(());
        }
    });
    let (end, mut times) = (Instant::now() + ROUND, Vec::new());
    while Instant::now() < end {
        let began = Instant::now();
        ask.send(()).expect("the thread is there");
        answered.recv().expect("the thread is there");
        times.push(began.elapsed());
        std::thread::sleep(PAUSE);
    }
    drop(ask);
    let _ = thread.join();
    times
}

/// The same beside a thread for each processor that only counts, at a lower priority.
fn plain_round_beside() -> Vec<Duration> {
    let stop = Arc::new(AtomicBool::new(false));
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let counting: Vec<_> = (0..threads)
        .map(|_| {
            let stop = stop.clone();
            std::thread::spawn(move || {
                // SAFETY: `setpriority` with PRIO_PROCESS and 0 acts on the calling thread only and touches no memory.
                let lowered = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, SLOWER) };
                assert_eq!(lowered, 0, "threads have priorities here");
                while !stop.load(Ordering::Relaxed) {
                    count(COUNT);
                }
            })
        })
        .collect();
    let times = plain_round();
    stop.store(true, Ordering::Relaxed);
    for thread in counting {
        let _ = thread.join();
    }
    times
}

fn show(what: &str, alone: &mut [Duration], beside: &mut [Duration]) {
    for (name, hundredths) in [("p50", 50), ("p90", 90), ("p99", 99)] {
        let (alone, beside) = (part(alone, hundredths), part(beside, hundredths));
        println!(
            "{what}, {name}: alone {alone:.1} us, beside who spins {beside:.1} us, {:+.0} %",
            (beside / alone - 1.0) * 100.0
        );
    }
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
        let looping = host
            .load(&looping.build(), &all, &limits)
            .await
            .expect("a plugin");
        let (quiet, spinning) = (host.runtime().share(), host.runtime().share());
        let (mut alone, mut beside) = (Vec::new(), Vec::new());
        let (mut plain_alone, mut plain_beside) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            plain_alone.extend(plain_round());
            plain_beside.extend(plain_round_beside());
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
        show("step of a quiet tenant", &mut alone, &mut beside);
        show("plain thread", &mut plain_alone, &mut plain_beside);
        println!("{} steps alone, {} beside", alone.len(), beside.len());
    });
}
