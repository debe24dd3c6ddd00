//! Reaches over the network for what is not its own. Input `plan`, a text with a JSON list of requests, each with `method`
//! (`GET`), `url`, `headers` (pairs of name and value), `body`, `secrets` (pairs of placeholder and handle), `more` header
//! lines of `bytes` each, and `times` (1). Data: `answers`, what came of each, the last where there are several.

use serde::Deserialize;
use serde_json::{Value, json};
use strowger_guests::{answer, done, field, guest};
use strowger_sdk::http::{self, Request};
use strowger_sdk::{Failure, Outcome};

guest! { name: "guest-reach", steps: ["go"], run: run }

#[derive(Deserialize)]
#[serde(default)]
struct Wanted {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
    secrets: Vec<(String, String)>,
    more: usize,
    bytes: usize,
    times: u32,
}

impl Default for Wanted {
    fn default() -> Self {
        Wanted {
            method: "GET".to_owned(),
            url: String::new(),
            headers: Vec::new(),
            body: None,
            secrets: Vec::new(),
            more: 0,
            bytes: 0,
            times: 1,
        }
    }
}

fn run(_step: &str, input: &Value) -> Result<Outcome, Failure> {
    let plan: Vec<Wanted> = serde_json::from_str(&field::<String>(input, "plan"))
        .map_err(|error| Failure::new("no-plan", error.to_string()))?;
    let answers: Vec<Value> = plan.iter().map(ask).collect();
    done(&json!({ "answers": answers }))
}

fn ask(wanted: &Wanted) -> Value {
    let mut request = Request::new(wanted.method.as_str(), wanted.url.as_str());
    for (name, value) in &wanted.headers {
        request = request.header(name, value);
    }
    for turn in 0..wanted.more {
        request = request.header(format!("x-flood-{turn}"), "x".repeat(wanted.bytes));
    }
    for (placeholder, handle) in &wanted.secrets {
        request = request.secret(placeholder, handle);
    }
    request.body = wanted.body.clone().map(String::into_bytes);
    let mut last = Value::Null;
    for _ in 0..wanted.times {
        last = answer(http::fetch(&request).map(|response| {
            let text: String = String::from_utf8_lossy(&response.body)
                .chars()
                .take(2_000)
                .collect();
            json!({
                "status": response.status,
                "headers": response.headers,
                "bytes": response.body.len(),
                "text": text,
            })
        }));
    }
    last
}
