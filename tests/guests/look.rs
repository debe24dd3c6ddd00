//! Looks an order up at `url`, tells how that was answered, and asks for a key: `1` is the outcome `done`.

use serde_json::{Value, json};
use strowger_guests::{done, field};
use strowger_sdk::http::{self, Request};
use strowger_sdk::media::{self, Choice, ListenOptions, Prompt, Utterance};
use strowger_sdk::{Failure, Outcome};

strowger_guests::export! {
    fn describe() -> String {
        r#"{"name":"guest-look","version":"1.0.0","steps":{"look":{
            "input":{"type":"object","required":["url"],"properties":{"url":{"type":"string"}}},
            "outcomes":{"done":{}},"idempotent":true}}}"#.to_owned()
    }

    fn run(_step: String, input: String) -> Result<Outcome, Failure> {
        strowger_sdk::with_input(&input, |input: Value| look(&input))
    }
}

fn look(input: &Value) -> Result<Outcome, Failure> {
    let response = http::fetch(&Request::new("GET", field::<String>(input, "url")))?;
    let status = response.status;
    let what = Utterance {
        prompts: vec![Prompt::text(format!(
            "Your order answered {status}. Press 1."
        ))],
        bindings: Vec::new(),
    };
    let options = ListenOptions {
        choices: vec![Choice::key("1")],
        timeout_ms: 60_000,
        ..ListenOptions::default()
    };
    media::listen(&what, &options)?;
    done(&json!({}))
}
