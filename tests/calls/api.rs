//! The HTTP side as a client sees it that asks for what is not there.

use anyhow::Result;
use strowger_tests::{Engine, http};

#[test]
fn every_refusal_is_a_problem_document() -> Result<()> {
    let engine = Engine::start("bench", |_| Ok(()))?;
    for (method, path, status) in [
        ("GET", "/v1/contacts?limit=abc", 400),
        ("GET", "/v1/contacts?limit=-1", 400),
        ("GET", "/v1/contacts?limti=1", 400),
        ("GET", "/v1/contacts/%ff", 400),
        ("GET", "/v1/contacts/nobody", 404),
        ("GET", "/v1/contacts/nobody/journal", 404),
        ("GET", "/v1/contacts/nobody/transcript", 404),
        ("GET", "/nothing", 404),
        ("POST", "/v1/contacts", 405),
        ("DELETE", "/healthz", 405),
    ] {
        let answer = http::request(engine.http, method, path)?;
        let shown = format!("{method} {path}: {} {}", answer.head, answer.body);
        let head = answer.head.to_ascii_lowercase();
        assert_eq!(answer.status, status, "{shown}");
        assert!(
            head.contains("content-type: application/problem+json"),
            "{shown}"
        );
        assert_eq!(head.contains("\nallow: get"), status == 405, "{shown}");
        let problem = answer.json()?;
        assert_eq!(problem["status"], status, "{shown}");
        assert!(problem["title"].is_string(), "{shown}");
        assert!(
            !problem["detail"].as_str().unwrap_or_default().is_empty(),
            "{shown}"
        );
    }
    assert_eq!(http::get(engine.http, "/v1/contacts?limit=1")?.status, 200);
    Ok(())
}
