//! Smuggles a second request into the first: line breaks in header names and values, in the method and in the address, lengths of
//! its own, and headers that belong to the engine. Input `plan`, where a service is: `http://host:port`. Data: `answers`.

use serde_json::{Value, json};
use strowger_guests::{answer, done, field, guest};
use strowger_sdk::http::{self, Request};
use strowger_sdk::{Failure, Outcome};

guest! { name: "guest-smuggler", steps: ["go"], run: run }

fn run(_step: &str, input: &Value) -> Result<Outcome, Failure> {
    let service: String = field(input, "plan");
    let get = |path: &str| Request::new("GET", format!("{service}{path}"));
    let split = "x\r\nx-injected: 1\r\n\r\nGET /smuggled HTTP/1.1\r\nhost: a\r\n\r\n";
    let requests = [
        get("/").header("x-a", split),
        get("/").header(split, "x"),
        get("/").header("x-a\u{a}x-injected", "1"),
        get("/").header("x a", "1"),
        get("/").header("", "1"),
        get("/").header("x-a", "\u{0}"),
        get("/").header("host", "victim.example"),
        get("/").header("content-length", "0"),
        get("/").header("transfer-encoding", "chunked"),
        get("/").header("Connection", "upgrade"),
        get("/").header("idempotency-key", "another's"),
        get(" HTTP/1.1\r\nx-injected: 1\r\n\r\n"),
        get("/%0d%0ax-injected:%201"),
        Request::new(
            "GET / HTTP/1.1\r\nx-injected: 1\r\nx:",
            format!("{service}/"),
        ),
        Request::new("CONNECT", format!("{service}/")),
        Request::new("TRACE", format!("{service}/")),
        Request::new("get", format!("{service}/lower")),
    ];
    let sent = requests
        .iter()
        .map(|request| answer(http::fetch(request).map(|response| response.status)));
    let answers: Vec<Value> = sent.collect();
    done(&json!({ "answers": answers }))
}
