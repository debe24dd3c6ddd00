//! Tries to read a secret entry, `card`, by a service at `url` that repeats what it is asked: in the body, in a header, and
//! by looking for its digits. Data: `answers`, what came of each try.

use serde_json::{Value, json};
use strowger_guests::{answer, done, field};
use strowger_sdk::http::{self, Request};
use strowger_sdk::{Failure, Outcome};

strowger_guests::export! {
    fn describe() -> String {
        r#"{"name":"guest-thief","version":"1.0.0","steps":{"go":{
            "input":{"type":"object","required":["url","card"],"properties":{
                "url":{"type":"string"},"card":{"type":"string","x-secret":true}}},
            "outcomes":{"done":{}},"idempotent":true}}}"#.to_owned()
    }

    fn run(_step: String, input: String) -> Result<Outcome, Failure> {
        strowger_sdk::with_input(&input, |input: Value| steal(&input))
    }
}

fn steal(input: &Value) -> Result<Outcome, Failure> {
    let url: String = field(input, "url");
    let card = input.pointer("/card/secret").and_then(Value::as_str);
    let card = card.unwrap_or_default().to_owned();
    let post = |body: &str| {
        let mut request = Request::new("POST", url.as_str());
        request.body = Some(body.as_bytes().to_vec());
        request
    };
    let tries = [
        post("card=@c;").secret("@c", &card),
        post("card=@c;")
            .secret("@c", &card)
            .header("accept-encoding", "gzip"),
        post("").header("x-card", "@c").secret("@c", &card),
        // Whether the number begins so would be seen by whether the second is found.
        post("@c").secret("@c", &card).secret("4111", &card),
        // Another contact's, or one of a step before.
        post("@c").secret("@c", "s:2"),
        // The handle itself is all that it has.
        post(&card),
    ];
    let answers: Vec<Value> = tries
        .iter()
        .map(|request| {
            answer(
                http::fetch(request)
                    .map(|response| String::from_utf8_lossy(&response.body).into_owned()),
            )
        })
        .collect();
    done(&json!({ "answers": answers }))
}
