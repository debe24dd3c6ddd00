//! Sends a PIN, `pin`, to a service at `url`, which puts it into the body of a request. Outcome: `done`; a refused request
//! is a failure of the refusal's name.

use serde_json::{Value, json};
use strowger_guests::{done, field};
use strowger_sdk::http::{self, Request};
use strowger_sdk::{Failure, Outcome};

strowger_guests::export! {
    fn describe() -> String {
        r#"{"name":"guest-till","version":"1.0.0","steps":{"pay":{
            "input":{"type":"object","required":["url","pin"],"properties":{
                "url":{"type":"string"},"pin":{"type":"object","x-secret":true}}},
            "outcomes":{"done":{}},"idempotent":true}}}"#.to_owned()
    }

    fn run(_step: String, input: String) -> Result<Outcome, Failure> {
        strowger_sdk::with_input(&input, |input: Value| pay(&input))
    }
}

fn pay(input: &Value) -> Result<Outcome, Failure> {
    let pin = input.pointer("/pin/secret").and_then(Value::as_str);
    let mut request =
        Request::new("POST", field::<String>(input, "url")).secret("@pin", pin.unwrap_or_default());
    request.body = Some(b"pin=@pin;".to_vec());
    let response = http::fetch(&request)?;
    done(&json!({ "status": response.status }))
}
