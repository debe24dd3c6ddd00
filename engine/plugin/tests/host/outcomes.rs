//! What a guest answers, held against its description.

use serde_json::json;
use strowger_plugin::{Limits, RunRequest, StepError};

use crate::guest::{self, Guest};
use crate::world::{go, host, run};

#[tokio::test]
async fn a_step_ends_with_its_outcome_and_meters() {
    let host = host();
    let report = run(&host, &guest::answers("number", r#"{"n":7}"#), go("{}")).await;
    let outcome = report.result.expect("the step ends well");
    assert_eq!(
        (outcome.name.as_str(), outcome.data),
        ("number", json!({"n": 7}))
    );
    let meters = report.meters;
    assert_eq!(meters.peak_memory_bytes, 65_536);
    assert_eq!(meters.host_calls, 0);
    assert!(
        !meters.cpu.is_zero() && meters.instantiate <= meters.busy && meters.busy <= meters.wall,
        "{meters:?}"
    );
}

#[tokio::test]
async fn a_guest_reads_its_input() {
    // The outcome's name and data are the step's name and input themselves: an echo.
    let mut description = guest::description();
    description["steps"]["go"]["outcomes"]["go"] = json!({});
    let echo = Guest {
        run: "(call $outcome (local.get $step) (local.get $step_len) (local.get $input) (local.get $input_len))".into(),
        description: description.to_string(),
        ..Guest::default()
    };
    let input = json!({"text": "您好 \u{1F600} \"quoted\"", "n": -1});
    let report = run(&host(), &echo.build(), go(&input.to_string())).await;
    assert_eq!(report.result.expect("the step ends well").data, input);
}

#[tokio::test]
async fn keys_of_an_input_are_outcomes_where_the_description_says_so() {
    let host = host();
    let plugin = crate::world::load(&host, &guest::answers("orders", "{}"))
        .await
        .unwrap();
    let report = plugin.run(go(r#"{"press":{"orders":{"key":"1"}}}"#)).await;
    assert_eq!(report.result.expect("the step ends well").name, "orders");
    let report = plugin.run(go(r#"{"press":{"agent":{"key":"1"}}}"#)).await;
    assert_eq!(
        report.result,
        Err(StepError::UnknownOutcome("orders".into()))
    );
}

/// Runs a guest that answers so and gives the error's code.
async fn code(name: &str, data: &str) -> &'static str {
    let report = run(&host(), &guest::answers(name, data), go("{}")).await;
    report.result.expect_err("a lie is told").code()
}

#[tokio::test]
async fn lies_are_told() {
    assert_eq!(code("success", "{}").await, "step-unknown-outcome");
    assert_eq!(code("number", "{}").await, "step-bad-output");
    assert_eq!(code("number", r#"{"n":"seven"}"#).await, "step-bad-output");
    assert_eq!(code("ok", "").await, "step-bad-output");
    assert_eq!(code("ok", "{").await, "step-bad-output");
    assert_eq!(code("ok", "[]").await, "step-bad-output");
    assert_eq!(code("ok", &"[".repeat(3_000)).await, "step-bad-output");
}

#[tokio::test]
async fn a_huge_or_broken_answer_is_contained() {
    let host = host();
    let whole_memory = Guest {
        run: "(call $outcome (i32.const 64) (i32.const 2) (i32.const 65536) (i32.const 10485760))"
            .into(),
        memory: "170",
        ..Guest::default()
    };
    let report = run(&host, &whole_memory.build(), go("{}")).await;
    assert_eq!(
        report.result.unwrap_err(),
        StepError::OutputLimit {
            bytes: 10_485_762,
            most: 65_536
        }
    );
    for (what, run_body) in [
        (
            "beyond memory",
            "(call $outcome (i32.const 64) (i32.const 2) (i32.const 65000) (i32.const 10485760))",
        ),
        (
            "negative",
            "(call $outcome (i32.const 64) (i32.const -1) (i32.const 66) (i32.const 2))",
        ),
        ("result beyond memory", "(i32.const 65530)"),
        ("unaligned result", "(i32.const 9)"),
        (
            "no such case",
            "(i32.store8 (i32.const 8) (i32.const 7)) (i32.const 8)",
        ),
        (
            "not UTF-8",
            "(i32.store8 (i32.const 200) (i32.const 255)) (call $outcome (i32.const 200) (i32.const 1) (i32.const 66) (i32.const 2))",
        ),
    ] {
        let report = run(&host, &crate::world::runs(run_body), go("{}")).await;
        let code = report.result.unwrap_err().code();
        assert_eq!(code, "step-bad-output", "{what}");
    }
}

#[tokio::test]
async fn a_guests_own_failure_keeps_its_words() {
    let failing = Guest {
        run: "(i32.store8 (i32.const 8) (i32.const 1))
              (i32.store (i32.const 12) (i32.const 128)) (i32.store (i32.const 16) (i32.const 8))
              (i32.store (i32.const 20) (i32.const 136)) (i32.store (i32.const 24) (i32.const 9))
              (i32.store8 (i32.const 28) (i32.const 1)) (i32.const 8)"
            .into(),
        items: r#"(data (i32.const 128) "crm-downno answer")"#.into(),
        ..Guest::default()
    };
    let report = run(&host(), &failing.build(), go("{}")).await;
    let error = report.result.unwrap_err();
    assert_eq!(
        error,
        StepError::Failure {
            code: "crm-down".into(),
            message: "no answer".into(),
            retryable: true
        }
    );
    assert!(error.retryable());
}

#[tokio::test]
async fn a_bad_request_does_not_start_an_instance() {
    let host = host();
    let plugin = crate::world::load(&host, &crate::world::runs("unreachable"))
        .await
        .unwrap();
    for (request, code) in [
        (
            RunRequest {
                step: "gone".into(),
                ..go("{}")
            },
            "step-unknown",
        ),
        (go("{"), "step-bad-input"),
        (go("[]"), "step-bad-input"),
        (go(r#"{"n":"x"}"#), "step-bad-input"),
        (
            go(&format!(r#"{{"x":"{}"}}"#, "x".repeat(65_536))),
            "step-input-limit",
        ),
        (
            RunRequest {
                limits: Limits {
                    input_bytes: 1,
                    ..Limits::default()
                },
                ..go("{}")
            },
            "step-input-limit",
        ),
    ] {
        let report = plugin.run(request).await;
        assert_eq!(report.result.unwrap_err().code(), code);
        // Checking the input is on its bill, and nothing else.
        assert!(report.meters.instantiate.is_zero() && report.meters.wall.is_zero());
    }
}

#[tokio::test]
async fn an_instance_never_sees_the_one_before() {
    let counting = Guest {
        run: "(if (i32.load (i32.const 1000)) (then unreachable))
              (i32.store (i32.const 1000) (i32.const 1))
              (call $outcome (i32.const 64) (i32.const 2) (i32.const 66) (i32.const 2))"
            .into(),
        ..Guest::default()
    };
    let host = host();
    let plugin = crate::world::load(&host, &counting.build()).await.unwrap();
    for _ in 0..50 {
        plugin.run(go("{}")).await.result.expect("memory is as new");
    }
}
