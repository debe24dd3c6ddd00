//! Handles that were never handed out, and components built to be more than they may: each beside a neighbour.

use strowger_plugin::{Host, LoadError, StepError};

use crate::guest::{Guest, OK, answers, crowd, nested};
use crate::world::{go, host, load};

const HANDLES: &str = r#"
    (import "wasi:cli/stdout@0.2.9" "get-stdout" (func $stdout (result i32)))
    (import "wasi:io/streams@0.2.9" "[method]output-stream.blocking-write-and-flush"
        (func $write (param i32 i32 i32 i32)))
    (import "wasi:io/streams@0.2.9" "[resource-drop]output-stream" (func $drop (param i32)))
    (import "wasi:io/poll@0.2.9" "[method]pollable.block" (func $block (param i32)))
    (import "wasi:io/poll@0.2.9" "poll" (func $poll (param i32 i32 i32)))"#;

/// Runs the step four times; checks how each ends, and that a neighbour goes on.
async fn check(run: &str) {
    let host = host();
    let forging = Guest {
        imports: HANDLES,
        run: format!("{run} {OK}"),
        wasi: Some("0.2.9"),
        ..Guest::default()
    };
    let forging = load(&host, &forging.build())
        .await
        .unwrap_or_else(|complaints| panic!("{complaints:#?}"));
    for _ in 0..4 {
        let report = forging.run(go("{}")).await;
        assert!(
            matches!(report.result, Err(StepError::BadOutput(_))),
            "{run}: {:?}",
            report.result
        );
        assert_eq!(report.meters.host_calls, 0);
    }
    neighbour(&host).await;
}

async fn neighbour(host: &Host) {
    let neighbour = load(host, &answers("ok", "{}")).await.unwrap();
    let report = neighbour.run(go("{}")).await;
    report.result.expect("the neighbour's step ends well");
    assert_eq!(host.report().in_use, 0);
}

#[tokio::test]
async fn a_handle_that_nobody_handed_out() {
    for number in [0, 1, 7, -1, 0x7fff_ffff] {
        check(&format!(
            "(call $write (i32.const {number}) (i32.const 64) (i32.const 2) (i32.const 1024))"
        ))
        .await;
    }
}

#[tokio::test]
async fn a_handle_of_another_kind() {
    // A stream where something to wait for is expected.
    check("(call $block (call $stdout))").await;
    check(
        "(i32.store (i32.const 1024) (call $stdout))
         (call $poll (i32.const 1024) (i32.const 1) (i32.const 1040))",
    )
    .await;
}

#[tokio::test]
async fn a_handle_that_was_given_back() {
    check(
        "(local.set $i (call $stdout))
         (call $drop (local.get $i))
         (call $write (local.get $i) (i32.const 64) (i32.const 2) (i32.const 1024))",
    )
    .await;
    check("(local.set $i (call $stdout)) (call $drop (local.get $i)) (call $drop (local.get $i))")
        .await;
}

#[tokio::test]
async fn a_list_of_handles_beyond_memory() {
    check("(call $poll (i32.const 65000) (i32.const 100000000) (i32.const 1040))").await;
    check("(call $poll (i32.const 1026) (i32.const 1) (i32.const 1040))").await;
}

#[tokio::test]
async fn components_in_components() {
    let host = host();
    for depth in [10, 100, 5_000] {
        let component = nested(depth);
        let complaints = load(&host, &component).await.unwrap_err();
        let codes: Vec<_> = complaints.iter().map(LoadError::code).collect();
        assert!(
            matches!(codes[..], ["plugin-missing-export"] | ["plugin-invalid"]),
            "{depth}: {complaints:?}"
        );
    }
    neighbour(&host).await;
}

#[tokio::test]
async fn a_component_of_too_many_parts() {
    let host = host();
    let component = crowd();
    let complaints = load(&host, &component).await.unwrap_err();
    let codes: Vec<_> = complaints.iter().map(LoadError::code).collect();
    assert!(
        matches!(codes[..], ["plugin-unsupported"] | ["plugin-invalid"]),
        "{complaints:?}"
    );
    neighbour(&host).await;
}
