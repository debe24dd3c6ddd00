//! What a step costs, beside the bare engine in the same run, with the same pool.
//!
//! `floor`: a fresh store and instance, the typed call, the drop. `step`: the same through the host,
//! with input and outcome checked, limits and meters. `step, from elsewhere`: with the way to the guest
//! threads and back. `host call`: one that puts the task to sleep, with its JSON, beside a bare one. `rebuild`: a step
//! that was dropped after ten calls comes back to where it was, beside a bare one whose ten calls are answered at once.

use std::future::Future;
use std::hint::black_box;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use criterion::Criterion;
use serde_json::{Value, json};
use strowger_plugin::{
    Grants, Host, HostCallFuture, HostCalls, HostConfig, Limits, NoCalls, Plugin, RunRequest, Told,
};
use wasmtime::Store;
use wasmtime::component::{
    Component, ComponentExportIndex, ComponentType, InstancePre, Lift, Linker,
};

#[path = "../tests/host/guest.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod guest;

/// Rounds of the interleaved comparison, and steps of each.
const ROUNDS: usize = 40;
const STEPS: u32 = 500;

/// Host calls of one step of the host call benchmark.
const CALLS: u32 = 500;

/// Host calls of a step that is rebuilt.
const REBUILT_CALLS: u32 = 10;

#[derive(ComponentType, Lift)]
#[component(record)]
struct Outcome {
    name: String,
    data: String,
}

#[derive(ComponentType, Lift)]
#[component(record)]
struct Failure {
    code: String,
    message: String,
    retryable: bool,
}

/// The bare engine.
struct Floor {
    pre: InstancePre<()>,
    run: ComponentExportIndex,
}

impl Floor {
    /// With `naps` each host call puts the task to sleep.
    fn new(host: &Host, bytes: &[u8], naps: bool) -> Self {
        let component = Component::new(host.engine(), bytes).expect("a component");
        let mut linker = Linker::<()>::new(host.engine());
        if component
            .component_type()
            .get_import(host.engine(), "strowger:env/env@1.0.0")
            .is_some()
        {
            let mut env = linker.instance("strowger:env/env@1.0.0").expect("a name");
            env.func_wrap_async("now", move |_, (): ()| {
                Box::new(async move {
                    if naps {
                        Nap::default().await;
                    }
                    Ok((1_u64,))
                })
            })
            .expect("a function");
        }
        let guest = component
            .get_export_index(None, "strowger:step/guest@1.0.0")
            .expect("the guest");
        let run = component
            .get_export_index(Some(&guest), "run")
            .expect("run");
        let pre = linker.instantiate_pre(&component).expect("all imports");
        Self { pre, run }
    }

    async fn step(&self) {
        let mut store = Store::new(self.pre.engine(), ());
        store.set_epoch_deadline(1 << 40);
        let instance = self
            .pre
            .instantiate_async(&mut store)
            .await
            .expect("an instance");
        let run = instance
            .get_typed_func::<(&str, &str), (Result<Outcome, Failure>,)>(&mut store, self.run)
            .expect("run");
        let (result,) = run
            .call_async(&mut store, ("go", INPUT))
            .await
            .expect("an answer");
        let outcome = result.unwrap_or_else(|failure| {
            let Failure {
                code,
                message,
                retryable,
            } = failure;
            panic!("{code}: {message} (worth another try: {retryable})")
        });
        black_box(outcome.name.len() + outcome.data.len() > 0);
    }
}

const INPUT: &str = r#"{"n":5,"press":{"1":{"to":"orders"},"2":{"to":"agent"}}}"#;

/// Is pending once.
#[derive(Default)]
struct Nap(bool);

impl Future for Nap {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// Answers every call after a nap.
struct Napping;

impl HostCalls for Napping {
    fn call<'a>(&'a mut self, _: &'a str, _: &'a str, _: Vec<Value>) -> HostCallFuture<'a> {
        Box::pin(async {
            Nap::default().await;
            Ok(json!(1))
        })
    }
}

/// Answers every call at once, and has the answer remembered.
struct Telling(Told);

impl HostCalls for Telling {
    fn call<'a>(&'a mut self, _: &'a str, _: &'a str, _: Vec<Value>) -> HostCallFuture<'a> {
        let answer = json!(1);
        let room = self.0.answer(&answer, true);
        room.expect("it is on nobody's memory");
        Box::pin(std::future::ready(Ok(answer)))
    }
}

fn request(calls: Box<dyn HostCalls>) -> RunRequest {
    RunRequest {
        step: "go".into(),
        input: INPUT.into(),
        limits: Limits::default(),
        calls,
        told: None,
        cancel: None,
    }
}

async fn step(plugin: &Plugin) {
    let report = plugin.run_here(request(Box::new(NoCalls))).await;
    black_box(report.result.expect("the step ends well"));
}

/// The median of durations.
fn median(mut durations: Vec<Duration>) -> Duration {
    durations.sort();
    durations[durations.len() / 2]
}

fn main() {
    let host = Host::new(HostConfig {
        pool: Some(256),
        guest_niceness: 0,
        ..HostConfig::default()
    })
    .expect("this machine can run guests");
    eprintln!("{}", host.report());
    let component = guest::answers("number", r#"{"n":7}"#);
    let (calling, rebuilt) = (calls(CALLS), calls(REBUILT_CALLS));
    let handle = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("this machine can run tokio");
    let (plugin, caller, rebuilding) = handle.block_on(async {
        let (all, limits) = (Grants::all(), Limits::default());
        let plugin = host
            .load(&component, &all, &limits)
            .await
            .expect("a plugin");
        let caller = host.load(&calling, &all, &limits).await.expect("a plugin");
        let rebuilding = host.load(&rebuilt, &all, &limits).await.expect("a plugin");
        (plugin, caller, rebuilding)
    });
    let floor = Floor::new(&host, &component, false);
    let calling_floor = Floor::new(&host, &calling, true);
    let rebuilt_floor = Floor::new(&host, &rebuilt, false);

    compare(&handle, &floor, &plugin, &calling_floor, &caller);
    compare_rebuild(&handle, &rebuilt_floor, &rebuilding);

    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("dispatch");
    group.bench_function("floor", |b| {
        b.iter_custom(|n| handle.block_on(timed(n, async || floor.step().await)));
    });
    group.bench_function("step", |b| {
        b.iter_custom(|n| handle.block_on(timed(n, async || step(&plugin).await)));
    });
    group.bench_function("500 suspended host calls", |b| {
        b.iter_custom(|n| {
            handle.block_on(timed(n, async || {
                let report = caller.run_here(request(Box::new(Napping))).await;
                black_box(report.result.expect("the step ends well"));
            }))
        });
    });
    group.bench_function("step, from elsewhere", |b| {
        b.iter_custom(|n| {
            handle.block_on(timed(n, async || {
                let report = plugin.run(request(Box::new(NoCalls))).await;
                black_box(report.result.expect("the step ends well"));
            }))
        });
    });
    group.finish();
    criterion.final_summary();
}

/// A guest that asks for the time so many times.
fn calls(calls: u32) -> Vec<u8> {
    guest::Guest {
        imports: r#"(import "strowger:env/env@1.0.0" "now" (func $now (result i64)))"#,
        run: format!(
            "(loop $again (drop (call $now)) (local.set $i (i32.add (local.get $i) (i32.const 1)))
               (br_if $again (i32.lt_u (local.get $i) (i32.const {calls})))) {}",
            guest::OK
        ),
        ..guest::Guest::default()
    }
    .build()
}

/// Time of `n` runs one after the other.
async fn timed(n: u64, run: impl AsyncFn()) -> Duration {
    let since = Instant::now();
    for _ in 0..n {
        run().await;
    }
    since.elapsed()
}

/// Processor time of `n` runs one after the other on this thread: unlike the wall clock it does not
/// count what other processes do meanwhile.
async fn cpu(n: u32, run: impl AsyncFn()) -> Duration {
    let since = thread_cpu();
    for _ in 0..n {
        run().await;
    }
    thread_cpu() - since
}

fn thread_cpu() -> Duration {
    let mut time = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `time` is a valid place for the answer and lives as long as the call.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// Floor and host by turns, so that both see the same machine; prints processor times and ratios.
fn compare(
    handle: &tokio::runtime::Runtime,
    floor: &Floor,
    plugin: &Plugin,
    calling_floor: &Floor,
    caller: &Plugin,
) {
    let (mut bare, mut hosted, mut bare_calls, mut hosted_calls) = (vec![], vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        handle.block_on(async {
            bare.push(cpu(STEPS, async || floor.step().await).await / STEPS);
            hosted.push(cpu(STEPS, async || step(plugin).await).await / STEPS);
            bare_calls.push(cpu(1, async || calling_floor.step().await).await / CALLS);
            hosted_calls.push(
                cpu(1, async || {
                    let report = caller.run_here(request(Box::new(Napping))).await;
                    black_box(report.result.expect("the step ends well"));
                })
                .await
                    / CALLS,
            );
        });
    }
    for (what, bare, hosted) in [
        ("step", median(bare), median(hosted)),
        (
            "suspended host call",
            median(bare_calls),
            median(hosted_calls),
        ),
    ] {
        print_ratio(what, bare, hosted);
    }
}

/// A step whose calls were all answered before its instance was dropped, run again.
fn compare_rebuild(handle: &tokio::runtime::Runtime, floor: &Floor, plugin: &Plugin) {
    let told = Told::default();
    let again = async || {
        let report = plugin
            .run_here(RunRequest {
                told: Some(told.clone()),
                ..request(Box::new(Telling(told.clone())))
            })
            .await;
        black_box(report.result.expect("the step ends well"));
    };
    let (mut bare, mut rebuilt) = (vec![], vec![]);
    // The first run is told everything; all others are told it again.
    handle.block_on(again());
    for _ in 0..ROUNDS {
        handle.block_on(async {
            bare.push(cpu(STEPS, async || floor.step().await).await / STEPS);
            rebuilt.push(cpu(STEPS, &again).await / STEPS);
        });
    }
    print_ratio("rebuild after 10 host calls", median(bare), median(rebuilt));
}

fn print_ratio(what: &str, bare: Duration, hosted: Duration) {
    println!(
        "{what}: {hosted:?} beside {bare:?} of the bare engine, ratio {:.2}",
        hosted.as_secs_f64() / bare.as_secs_f64()
    );
}
