//! The service as a plugin meets it: over a socket, with a real HTTP client.

use std::path::Path;
use std::time::{Duration, Instant};

use aurora_service::api;
use aurora_service::input::MAX_BODY_BYTES;
use aurora_service::store::{IN_MEMORY, Store};
use serde_json::json;
use tokio::net::TcpListener;

use crate::client::{Client, Reply};

/// A fresh service with the demo data on a free port.
async fn service() -> Client {
    service_with_delay(Duration::ZERO).await
}

async fn service_with_delay(delay: Duration) -> Client {
    let store = Store::open(Path::new(IN_MEMORY)).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, api::router(store, delay)).into_future());
    Client::new(format!("http://{address}"))
}

#[track_caller]
fn check_problem(reply: &Reply, status: u16, reason: &str) {
    assert_eq!(reply.status, status, "{reply:?}");
    assert_eq!(reply.headers["content-type"], "application/problem+json");
    assert_eq!(reply.json["reason"], reason, "{reply:?}");
    assert_eq!(reply.json["status"], status);
    assert!(
        reply.json["detail"]
            .as_str()
            .is_some_and(|detail| !detail.is_empty())
    );
}

#[tokio::test]
async fn seeded_orders_are_told() {
    let service = service().await;
    let reply = service.get("/orders/20260302?phone=%2B8613800138000").await;
    assert_eq!(reply.status, 200);
    assert_eq!(
        reply.json,
        json!({
            "order_no": "20260302",
            "status": "shipped",
            "status_text": { "en": "shipped", "zh": "已发货" },
            "eta": "2026-03-05",
            "total": { "amount": 19900, "currency": "CNY" },
        })
    );
    for (order_no, status) in [
        ("20260303", "unpaid"),
        ("20260304", "packed"),
        ("20260305", "cancelled"),
    ] {
        let reply = service.get(&format!("/orders/{order_no}")).await;
        assert_eq!(reply.json["status"], status);
    }
    let unpaid = service.get("/orders/20260303").await.json;
    assert!(
        unpaid.get("eta").is_none(),
        "nothing is expected before it is paid: {unpaid}"
    );
}

#[tokio::test]
async fn an_order_number_that_nobody_has_is_not_found() {
    let service = service().await;
    for no in [
        "20269999",
        "1",
        "99999999999999999999",
        "2026030x",
        "%2e%2e",
        "%F0%9F%90%84",
    ] {
        check_problem(
            &service.get(&format!("/orders/{no}")).await,
            404,
            "order-not-found",
        );
    }
}

#[tokio::test]
async fn callers_are_known_by_number_in_their_language() {
    let service = service().await;
    let english = service.get("/customers?phone=%2B8613800138000").await;
    assert_eq!(
        english.json,
        json!({
            "id": "c-42",
            "tier": "platinum",
            "surname": "Wang",
            "honorific": { "en": "Ms", "zh": "女士" },
            "open_cases": 0,
        })
    );
    // A client that forgot to escape the plus is understood too.
    let chinese = service.get("/customers?phone=+8613800138000&lang=zh").await;
    assert_eq!(chinese.json["surname"], "王");
    for (phone, tier) in [("8613900139000", "gold"), ("8613700137000", "standard")] {
        let reply = service.get(&format!("/customers?phone=%2B{phone}")).await;
        assert_eq!(reply.json["tier"], tier);
    }
    for nobody in ["%2B8613800138001", "anonymous", "", "sip:alice@example.com"] {
        let reply = service.get(&format!("/customers?phone={nobody}")).await;
        check_problem(&reply, 404, "customer-not-found");
    }
    check_problem(&service.get("/customers").await, 400, "unreadable-request");
    let klingon = service.get("/customers?phone=110&lang=tlh").await;
    check_problem(&klingon, 400, "unreadable-request");
}

#[tokio::test]
async fn an_order_is_placed_once_however_often_it_is_asked_for() {
    let service = service().await;
    let wish = r#"{"phone":"+8613800138000","sku":"aurora-lamp","quantity":2}"#;
    let first = service
        .post("/orders", Some("contact-1/place/1"), wish)
        .await;
    assert_eq!(first.status, 201);
    assert_eq!(first.json["status"], "unpaid");
    assert_eq!(
        first.json["total"],
        json!({ "amount": 39800, "currency": "CNY" })
    );

    let again = service
        .post("/orders", Some("contact-1/place/1"), wish)
        .await;
    assert_eq!((again.status, &again.json), (first.status, &first.json));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    let other = service
        .post("/orders", Some("contact-1/place/2"), wish)
        .await;
    assert_ne!(other.json["order_no"], first.json["order_no"]);

    let found = service
        .get(&format!(
            "/orders/{}",
            first.json["order_no"].as_str().unwrap()
        ))
        .await;
    assert_eq!(found.json, first.json);
    let stats = service.get("/stats").await.json;
    assert_eq!(stats["replays"], 1);
    assert_eq!(stats["requests"]["POST /orders"], 3);
    assert_eq!(stats["requests"]["GET /orders/{no}"], 1);
}

#[tokio::test]
async fn a_key_stands_for_one_wish_only() {
    let service = service().await;
    let one = r#"{"phone":"+8613800138000","sku":"aurora-lamp","quantity":1}"#;
    let two = r#"{"phone":"+8613800138000","sku":"aurora-lamp","quantity":2}"#;
    service.post("/orders", Some("k"), one).await;
    check_problem(
        &service.post("/orders", Some("k"), two).await,
        422,
        "key-reused",
    );
    check_problem(
        &service.post("/orders/20260303/cancel", Some("k"), "").await,
        422,
        "key-reused",
    );
    assert_eq!(
        service.get("/orders/20260303").await.json["status"],
        "unpaid"
    );
}

#[tokio::test]
async fn hundred_requests_at_once_with_one_key_place_one_order() {
    let service = std::sync::Arc::new(service().await);
    let wish = r#"{"phone":"110","sku":"aurora-mini","quantity":1}"#;
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..100 {
        let service = service.clone();
        requests.spawn(async move { service.post("/orders", Some("race"), wish).await.json });
    }
    let answers = requests.join_all().await;
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "{answers:?}"
    );
    assert_eq!(service.get("/stats").await.json["replays"], 99);
}

#[tokio::test]
async fn an_order_can_be_cancelled_until_it_has_left() {
    let service = service().await;
    for order_no in ["20260303", "20260304"] {
        let path = format!("/orders/{order_no}/cancel");
        let reply = service.post(&path, Some(order_no), "").await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.json["status"], "cancelled");
        assert_eq!(
            service.get(&format!("/orders/{order_no}")).await.json,
            reply.json
        );
        // A retry with its key hears the same; a new wish hears that it is too late.
        assert_eq!(
            service.post(&path, Some(order_no), "").await.json,
            reply.json
        );
        check_problem(
            &service.post(&path, None, "").await,
            409,
            "already-cancelled",
        );
    }
    let shipped = service.post("/orders/20260302/cancel", Some("s"), "").await;
    check_problem(&shipped, 409, "already-shipped");
    let again = service.post("/orders/20260302/cancel", Some("s"), "").await;
    check_problem(&again, 409, "already-shipped");
    assert_eq!(again.headers["idempotent-replayed"], "true");
    let nobodys = service.post("/orders/20269999/cancel", None, "").await;
    check_problem(&nobodys, 404, "order-not-found");
}

#[tokio::test]
async fn notes_and_callbacks_are_taken_down() {
    let service = service().await;
    let note = r#"{"phone":"+8613800138000","text":"hung up while waiting: 退货"}"#;
    let reply = service.post("/customers/notes", Some("n"), note).await;
    assert_eq!(
        (reply.status.as_u16(), &reply.json),
        (201, &json!({ "id": "note-1" }))
    );
    let callback = r#"{"phone":"+8613800138000","priority":90,"within_s":1800}"#;
    let reply = service.post("/callbacks", Some("c"), callback).await;
    assert_eq!(
        (reply.status.as_u16(), &reply.json),
        (201, &json!({ "id": "callback-1" }))
    );
    let reply = service
        .post("/callbacks", None, r#"{"phone":"110","within_s":60}"#)
        .await;
    assert_eq!(reply.json, json!({ "id": "callback-2" }));
}

#[tokio::test]
async fn bad_input_is_refused_with_its_reason() {
    let service = service().await;
    let long = "长".repeat(2_001);
    for (path, body, status, reason) in [
        ("/orders", "", 400, "unreadable-request"),
        ("/orders", "{", 400, "unreadable-request"),
        ("/orders", "[]", 422, "invalid-input"),
        (
            "/orders",
            r#"{"phone":"110","sku":"aurora-lamp"}"#,
            422,
            "invalid-input",
        ),
        (
            "/orders",
            r#"{"phone":"110","sku":"aurora-lamp","quantity":0}"#,
            422,
            "invalid-input",
        ),
        (
            "/orders",
            r#"{"phone":"110","sku":"aurora-lamp","quantity":-1}"#,
            422,
            "invalid-input",
        ),
        (
            "/orders",
            r#"{"phone":"110","sku":"aurora-lamp","quantity":1e9}"#,
            422,
            "invalid-input",
        ),
        (
            "/orders",
            r#"{"phone":"x","sku":"aurora-lamp","quantity":1}"#,
            422,
            "invalid-input",
        ),
        (
            "/orders",
            r#"{"phone":"110","sku":"","quantity":1}"#,
            422,
            "invalid-input",
        ),
        (
            "/orders",
            r#"{"phone":"110","sku":"'; DROP TABLE orders","quantity":1}"#,
            422,
            "unknown-sku",
        ),
        (
            "/orders",
            r#"{"phone":"110","sku":"aurora-lamp","quantity":1,"x":1}"#,
            422,
            "invalid-input",
        ),
        (
            "/customers/notes",
            r#"{"phone":"110","text":""}"#,
            422,
            "invalid-input",
        ),
        (
            "/customers/notes",
            &format!(r#"{{"phone":"110","text":"{long}"}}"#),
            422,
            "invalid-input",
        ),
        (
            "/callbacks",
            r#"{"phone":"110","priority":101,"within_s":60}"#,
            422,
            "invalid-input",
        ),
        (
            "/callbacks",
            r#"{"phone":"110","priority":50,"within_s":0}"#,
            422,
            "invalid-input",
        ),
        ("/orders/x/cancel", "", 404, "order-not-found"),
        ("/nowhere", "{}", 404, "no-such-route"),
    ] {
        let reply = service.post(path, Some("k"), body).await;
        check_problem(&reply, status, reason);
    }
    let wish = r#"{"phone":"110","sku":"aurora-lamp","quantity":1}"#;
    check_problem(
        &service.post("/orders", None, wish).await,
        400,
        "unreadable-request",
    );
    check_problem(
        &service.post("/orders", Some(""), wish).await,
        400,
        "unreadable-request",
    );
    let key = "k".repeat(256);
    check_problem(
        &service.post("/orders", Some(&key), wish).await,
        400,
        "unreadable-request",
    );
    let huge = " ".repeat(MAX_BODY_BYTES + 1);
    check_problem(
        &service.post("/orders", Some("k"), &huge).await,
        413,
        "body-too-large",
    );
    let headers = [("idempotency-key", "k"), ("content-type", "text/plain")];
    check_problem(
        &service.send("POST", "/orders", &headers, wish).await,
        415,
        "not-json",
    );
    check_problem(
        &service.send("DELETE", "/orders/20260302", &[], "").await,
        405,
        "method-not-allowed",
    );
    let bytes = service
        .post(
            "/customers/notes",
            None,
            "{\"phone\":\"110\",\"text\":\"\u{0}\"}",
        )
        .await;
    check_problem(&bytes, 400, "unreadable-request");

    // None of it used up the key.
    assert_eq!(
        service.post("/orders", Some("fresh"), wish).await.status,
        201
    );
}

#[tokio::test]
async fn health_is_told() {
    let reply = service().await.get("/healthz").await;
    assert_eq!(
        (reply.status.as_u16(), reply.json),
        (200, json!({ "status": "ok" }))
    );
}

#[tokio::test]
async fn a_slow_day_delays_the_business_routes() {
    let delay = Duration::from_millis(40);
    let service = service_with_delay(delay).await;
    let asked = Instant::now();
    assert_eq!(service.get("/orders/20260302").await.status, 200);
    assert!(asked.elapsed() >= delay);
}
