//! Host calls: what passes, what waits, what ends a step.

use std::time::Duration;

use serde_json::{Value, json};
use strowger_plugin::{
    HostCallError, HostCallFuture, HostCalls, Limits, Pauses, RunRequest, StepError,
};
use tokio_util::sync::CancellationToken;

use crate::guest::{Guest, OK, literal};
use crate::world::{Answer, Scripted, go, host, load, run};

/// Imports and then calls `wait.sleep(5)`.
fn sleeper() -> Vec<u8> {
    Guest {
        imports: r#"(import "strowger:wait/wait@1.0.0" "sleep" (func $sleep (param i64 i32)))"#,
        run: format!("(call $sleep (i64.const 5) (i32.const 1024)) {OK}"),
        ..Guest::default()
    }
    .build()
}

/// Calls `kv.get("k")` and ends with `ok`, or traps if the answer is an error.
fn reader() -> Vec<u8> {
    Guest {
        imports: r#"(import "strowger:kv/store@1.0.0" "get" (func $get (param i32 i32 i32)))"#,
        run: format!(
            "(call $get (i32.const 128) (i32.const 1) (i32.const 1024))
             (if (i32.load8_u (i32.const 1024)) (then unreachable)) {OK}"
        ),
        items: r#"(data (i32.const 128) "k")"#.into(),
        ..Guest::default()
    }
    .build()
}

/// Calls `env.now()` until an answer is zero.
fn asker() -> Vec<u8> {
    Guest {
        imports: r#"(import "strowger:env/env@1.0.0" "now" (func $now (result i64)))"#,
        run: format!("(loop $again (br_if $again (i64.ne (call $now) (i64.const 0)))) {OK}"),
        ..Guest::default()
    }
    .build()
}

/// Sends a request and answers with the response's body as data.
fn fetcher() -> Vec<u8> {
    Guest {
        imports: r#"(import "strowger:http/client@1.0.0" "fetch" (func $fetch
            (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)))"#,
        // method, url, headers, body, secrets, timeout-ms, where the result goes
        run: "(call $fetch
                (i32.const 128) (i32.const 4) (i32.const 132) (i32.const 11)
                (i32.const 160) (i32.const 1)
                (i32.const 1) (i32.const 200) (i32.const 3)
                (i32.const 0) (i32.const 0)
                (i32.const 1) (i32.const 1500)
                (i32.const 1024))
              (if (i32.load8_u (i32.const 1024)) (then unreachable))
              (call $outcome (i32.const 64) (i32.const 2) (i32.load (i32.const 1040)) (i32.load (i32.const 1044)))"
            .into(),
        items: format!(
            r#"(data (i32.const 128) "POSThttp://a/b/") (data (i32.const 160) {pointers}) (data (i32.const 180) "xy") (data (i32.const 200) {body})"#,
            pointers = literal(&[180, 0, 0, 0, 1, 0, 0, 0, 181, 0, 0, 0, 1, 0, 0, 0]),
            body = literal(&[0, 128, 255]),
        ),
        ..Guest::default()
    }
    .build()
}

#[tokio::test]
async fn a_call_passes_both_ways() {
    let (calls, seen) = Scripted::new(|_, _| {
        Answer::Later(
            json!({"ok": {"status": 200, "headers": [{"name": "a", "value": "b"}], "body": "eyJ4IjoxfQ=="}}),
        )
    });
    let report = run(&host(), &fetcher(), RunRequest { calls, ..go("{}") }).await;
    assert_eq!(
        report.result.expect("the step ends well").data,
        json!({"x": 1})
    );
    assert_eq!(report.meters.host_calls, 1);
    let request = json!({
        "method": "POST", "url": "http://a/b/", "headers": [{"name": "x", "value": "y"}],
        "body": "AID/", "secrets": [], "timeout-ms": 1500
    });
    assert_eq!(
        *seen.lock().unwrap(),
        [("http".to_owned(), "fetch".to_owned(), vec![request])]
    );
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_the_hosts_fault() {
    let host = host();
    let plugin = load(&host, &reader()).await.unwrap();
    for fits in [
        json!({"ok": null}),
        json!({"ok": "AAAA"}),
        json!({"ok": ""}),
    ] {
        let (calls, _) = Scripted::new(move |_, _| Answer::Now(fits.clone()));
        let report = plugin.run(RunRequest { calls, ..go("{}") }).await;
        report.result.expect("the answer fits");
    }
    for misfit in [
        Value::Null,
        json!({"ok": 1}),
        json!({"ok": "not base64!"}),
        json!({"err": "no-such-case"}),
        json!({"err": {"hangup": 1}}),
        json!({"ok": null, "err": null}),
        json!({"perhaps": null}),
        json!("ok-ish"),
        json!([]),
    ] {
        let answer = misfit.clone();
        let (calls, _) = Scripted::new(move |_, _| Answer::Now(answer.clone()));
        let report = plugin.run(RunRequest { calls, ..go("{}") }).await;
        assert!(
            matches!(report.result, Err(StepError::HostFault(_))),
            "{misfit}: {:?}",
            report.result
        );
    }
}

#[tokio::test]
async fn an_error_is_an_answer() {
    let host = host();
    for error in [
        json!("hangup"),
        json!({"denied": "kv"}),
        json!({"limit": "kv bytes 10"}),
    ] {
        let answer = json!({"err": error});
        let (calls, _) = Scripted::new(move |_, _| Answer::Now(answer.clone()));
        let report = run(&host, &reader(), RunRequest { calls, ..go("{}") }).await;
        // This guest traps on an error: it did see one.
        assert_eq!(report.result.unwrap_err().code(), "step-trap");
    }
}

#[tokio::test]
async fn a_provider_may_stop_a_step_or_fail() {
    let host = host();
    let (calls, _) =
        Scripted::new(|_, _| Answer::Fails(HostCallError::Stop("the caller hung up".into())));
    let report = run(&host, &sleeper(), RunRequest { calls, ..go("{}") }).await;
    assert_eq!(
        report.result,
        Err(StepError::Cancelled("the caller hung up".into()))
    );
    let (calls, _) =
        Scripted::new(|_, _| Answer::Fails(HostCallError::Bad("journal is gone".into())));
    let report = run(&host, &sleeper(), RunRequest { calls, ..go("{}") }).await;
    assert_eq!(
        report.result,
        Err(StepError::HostFault("journal is gone".into()))
    );
    let (calls, _) = Scripted::new(|_, _| panic!("a bug in a provider"));
    let report = run(&host, &sleeper(), RunRequest { calls, ..go("{}") }).await;
    assert!(
        matches!(report.result, Err(StepError::HostFault(_))),
        "{:?}",
        report.result
    );
    assert_eq!(host.report().in_use, 0);
}

#[tokio::test]
async fn waiting_is_not_being_busy() {
    let limits = Limits {
        busy_ms: 50,
        ..Limits::default()
    };
    let host = host();
    // Waiting for the contact: not bounded by the busy time.
    let (calls, _) = Scripted::new(|_, _| Answer::Never);
    let plugin = load(&host, &sleeper()).await.unwrap();
    let waiting = plugin.run(RunRequest {
        calls,
        limits: limits.clone(),
        ..go("{}")
    });
    assert!(
        tokio::time::timeout(Duration::from_millis(300), waiting)
            .await
            .is_err()
    );
    // Waiting for a store: bounded.
    let (calls, _) = Scripted::new(|_, _| Answer::Never);
    let report = run(
        &host,
        &reader(),
        RunRequest {
            calls,
            limits,
            ..go("{}")
        },
    )
    .await;
    assert_eq!(
        report.result,
        Err(StepError::Timeout {
            limit: Duration::from_millis(50)
        })
    );
    assert!(report.meters.busy >= Duration::from_millis(50));
}

/// Answers, or never does, after the step has stood still for a while.
struct Standing {
    pauses: Pauses,
    stands: Duration,
    answers: bool,
}

impl HostCalls for Standing {
    fn call<'a>(&'a mut self, _: &'a str, _: &'a str, _: Vec<Value>) -> HostCallFuture<'a> {
        Box::pin(async {
            let pause = self.pauses.begin();
            tokio::time::sleep(self.stands).await;
            drop(pause);
            match self.answers {
                true => Ok(json!({"ok": null})),
                false => std::future::pending().await,
            }
        })
    }

    fn pauses(&self) -> Option<Pauses> {
        Some(self.pauses.clone())
    }
}

#[tokio::test]
async fn standing_still_is_not_being_busy() {
    let limit = Duration::from_millis(150);
    let host = host();
    for answers in [true, false] {
        let stands = 4 * limit;
        let calls = Standing {
            pauses: Pauses::default(),
            stands,
            answers,
        };
        let request = RunRequest {
            calls: Box::new(calls),
            limits: Limits {
                busy_ms: 150,
                ..Limits::default()
            },
            ..go("{}")
        };
        let report = run(&host, &reader(), request).await;
        assert!(report.meters.wall >= stands, "{:?}", report.meters);
        match answers {
            true => {
                report.result.expect("it had time left");
                assert!(report.meters.busy < limit, "{:?}", report.meters);
            }
            // What comes after it counts.
            false => assert_eq!(report.result, Err(StepError::Timeout { limit })),
        }
    }
}

#[tokio::test]
async fn a_waiting_step_is_cancelled_from_outside() {
    let host = host();
    let plugin = load(&host, &sleeper()).await.unwrap();
    let cancel = CancellationToken::new();
    let token = cancel.clone();
    let (calls, _) = Scripted::new(move |_, _| {
        token.cancel();
        Answer::Never
    });
    let report = plugin
        .run(RunRequest {
            calls,
            cancel: Some(cancel),
            ..go("{}")
        })
        .await;
    assert_eq!(report.result.unwrap_err().code(), "step-cancelled");

    // Dropped: the instance goes back to the pool.
    let (reached, mut waits) = tokio::sync::mpsc::unbounded_channel();
    let (calls, _) = Scripted::new(move |_, _| {
        let _ = reached.send(());
        Answer::Never
    });
    let running = tokio::spawn(plugin.run(RunRequest { calls, ..go("{}") }));
    waits.recv().await;
    assert_eq!(host.report().in_use, 1);
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    // The answers are dropped with the step, which closes the channel.
    assert_eq!(waits.recv().await, None);
    while host.report().in_use > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn host_calls_and_their_bytes_are_bounded() {
    let host = host();
    let (calls, seen) = Scripted::new(|_, _| Answer::Now(json!(1)));
    let report = run(&host, &asker(), RunRequest { calls, ..go("{}") }).await;
    assert_eq!(report.result, Err(StepError::HostCallLimit { most: 1_000 }));
    assert_eq!(seen.lock().unwrap().len(), 1_000);

    let (calls, _) = Scripted::new(|_, _| Answer::Now(json!({"ok": "A".repeat(4_000)})));
    let limits = Limits {
        journal_bytes: 3_000,
        ..Limits::default()
    };
    let report = run(
        &host,
        &reader(),
        RunRequest {
            calls,
            limits,
            ..go("{}")
        },
    )
    .await;
    assert_eq!(report.result, Err(StepError::JournalLimit { most: 3_000 }));
}

#[tokio::test]
async fn a_text_that_is_too_long_is_refused_as_a_limit() {
    // `kv.get` of the whole memory: the guest gets `limit`, the provider sees nothing.
    let long = Guest {
        imports: r#"(import "strowger:kv/store@1.0.0" "get" (func $get (param i32 i32 i32)))"#,
        // Case 6 of the error variant is `limit`.
        run: format!(
            "(call $get (i32.const 65536) (i32.const 300000) (i32.const 1024))
             (if (i32.ne (i32.load8_u (i32.const 1024)) (i32.const 1)) (then unreachable))
             (if (i32.ne (i32.load8_u (i32.const 1028)) (i32.const 6)) (then unreachable)) {OK}"
        ),
        memory: "8",
        ..Guest::default()
    };
    let (calls, seen) = Scripted::new(|_, _| Answer::Now(json!({"ok": null})));
    let report = run(&host(), &long.build(), RunRequest { calls, ..go("{}") }).await;
    report.result.expect("the guest saw `limit`");
    assert!(seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn arguments_outside_memory_end_the_step() {
    let wild = Guest {
        imports: r#"(import "strowger:kv/store@1.0.0" "get" (func $get (param i32 i32 i32)))"#,
        run: format!("(call $get (i32.const 65000) (i32.const 1000000) (i32.const 1024)) {OK}"),
        ..Guest::default()
    };
    let (calls, seen) = Scripted::new(|_, _| Answer::Now(json!({"ok": null})));
    let report = run(&host(), &wild.build(), RunRequest { calls, ..go("{}") }).await;
    assert!(report.result.is_err(), "{:?}", report.result);
    assert!(seen.lock().unwrap().is_empty());
}
