//! Calls `http.fetch`. Input: `method`, `url`, `headers` (name to value), `body` (a text), `secrets`
//! (placeholder to handle), `timeout_ms`. Data: `fetch`, with the response's body as a text.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use strowger_guests::{answer, done, field, guest};
use strowger_sdk::http::{self, Request};
use strowger_sdk::{Failure, Outcome};

guest! { name: "guest-http", steps: ["exercise"], run: run }

fn run(_step: &str, input: &Value) -> Result<Outcome, Failure> {
    let mut request = Request::new(
        field::<String>(input, "method"),
        field::<String>(input, "url"),
    );
    for (name, value) in field::<BTreeMap<String, String>>(input, "headers") {
        request = request.header(name, value);
    }
    for (placeholder, handle) in field::<BTreeMap<String, String>>(input, "secrets") {
        request = request.secret(placeholder, handle);
    }
    request.body = field::<Option<String>>(input, "body").map(String::into_bytes);
    request.timeout_ms = field(input, "timeout_ms");
    let fetch = http::fetch(&request).map(|response| {
        let body = String::from_utf8_lossy(&response.body).into_owned();
        json!({ "status": response.status, "headers": response.headers, "body": body })
    });
    done(&json!({ "fetch": answer(fetch) }))
}
