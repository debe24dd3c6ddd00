use serde_json::{Value, json};
use strowger_sdk::Error;
use strowger_sdk::harness::{Ran, Script, check_description};

fn run(script: Script, step: &str, input: Value) -> Ran {
    let script = script.config(&json!({ "base_url": "http://orders.test" }));
    script.run(|| super::run(step, &input.to_string()))
}

fn order(status: &str) -> Value {
    json!({
        "order_no": "20260302",
        "status": status,
        "status_text": { "en": "on its way", "zh": "已发货" },
        "total": { "amount": 19900, "currency": "CNY" },
    })
}

#[test]
fn the_description_is_sound() {
    check_description(super::DESCRIPTION, super::STEPS);
}

#[test]
fn an_order_is_told_in_the_language_of_the_contact() {
    let input = || json!({ "order_no": "20260302", "phone": "+8613800138000" });
    let mut with_eta = order("shipped");
    with_eta["eta"] = json!("2026-03-05");
    let ran = run(
        Script::new().language("zh-CN").answer(200, &with_eta),
        "lookup",
        input(),
    );
    let (outcome, data) = ran.outcome();
    assert_eq!(
        (outcome, &data["status_text"], &data["eta"]),
        ("found", &json!("已发货"), &json!("2026-03-05"))
    );
    assert_eq!(
        ran.requests[0].url,
        "http://orders.test/orders/20260302?phone=%2B8613800138000"
    );
    assert_eq!(ran.requests[0].method, "GET");

    let ran = run(
        Script::new().language("fr").answer(200, &order("shipped")),
        "lookup",
        input(),
    );
    let (_, data) = ran.outcome();
    assert_eq!(
        (&data["status_text"], data.get("eta")),
        (&json!("on its way"), None)
    );
}

#[test]
fn an_order_may_not_be_there() {
    let input = || json!({ "order_no": "1/../2" });
    let ran = run(Script::new().answer(404, &json!({})), "lookup", input());
    assert_eq!(ran.outcome(), ("not_found", json!({})));
    assert_eq!(
        ran.requests[0].url, "http://orders.test/orders/1%2F..%2F2",
        "an entry cannot leave its place"
    );
    assert_eq!(
        run(Script::new().answer(404, &json!({})), "cancel", input())
            .outcome()
            .0,
        "not_found"
    );
}

#[test]
fn what_may_be_gone_the_next_time_may_be_retried() {
    let lookup = |script: Script| {
        let ran = run(script, "lookup", json!({ "order_no": "20260302" }));
        let failure = ran.result.expect_err("the step fails");
        (failure.code, failure.retryable)
    };
    let failure = |code: &str, retryable| (code.to_owned(), retryable);
    assert_eq!(
        lookup(Script::new().answer(503, &json!({}))),
        failure("unexpected-status", true)
    );
    assert_eq!(
        lookup(Script::new().answer(400, &json!({}))),
        failure("unexpected-status", false)
    );
    assert_eq!(
        lookup(Script::new().answer(200, &json!({ "status": 3 }))),
        failure("bad-response", false)
    );
    assert_eq!(lookup(Script::new()), failure("unavailable", true));
    let slow = Script::new().service(|_| Some(Err(Error::Timeout)));
    assert_eq!(lookup(slow), failure("timeout", true));
}

#[test]
fn without_a_configuration_nothing_is_asked() {
    let ran = Script::new().run(|| super::run("cancel", r#"{"order_no": "20260302"}"#));
    assert_eq!(
        (ran.failure(), ran.requests.len()),
        ("bad-configuration", 0)
    );
}

#[test]
fn an_order_is_placed_or_refused() {
    let input = || json!({ "phone": "+8613800138000", "sku": "aurora-lamp" });
    let ran = run(
        Script::new().answer(201, &order("unpaid")),
        "place",
        input(),
    );
    assert_eq!(
        (ran.outcome().0, ran.requests[0].method.as_str()),
        ("placed", "POST")
    );
    let body: Value =
        serde_json::from_slice(ran.requests[0].body.as_deref().expect("a body")).expect("JSON");
    assert_eq!(
        body,
        json!({ "phone": "+8613800138000", "sku": "aurora-lamp", "quantity": 1 })
    );
    let ran = run(
        Script::new().answer(422, &json!({ "reason": "unknown-sku" })),
        "place",
        input(),
    );
    assert_eq!(
        ran.outcome(),
        ("refused", json!({ "reason": "unknown-sku" }))
    );
}

#[test]
fn an_order_is_cancelled_or_too_far_gone() {
    let input = || json!({ "order_no": "20260302" });
    let ran = run(
        Script::new().answer(200, &order("cancelled")),
        "cancel",
        input(),
    );
    assert_eq!(ran.outcome().0, "cancelled");
    assert_eq!(
        ran.requests[0].url,
        "http://orders.test/orders/20260302/cancel"
    );
    let ran = run(
        Script::new().answer(409, &json!({ "reason": "already-shipped" })),
        "cancel",
        input(),
    );
    assert_eq!(
        ran.outcome(),
        ("refused", json!({ "reason": "already-shipped" }))
    );
}
