//! Gives away what it never had: the handles of secrets, prompts and expressions, made up, in its outcome. Input `kind`: `typed`
//! where the outcome's field is a secret, anything else where it is any data.

use serde_json::{Value, json};
use strowger_guests::{done, field};
use strowger_sdk::{Failure, Outcome};

strowger_guests::export! {
    fn describe() -> String {
        r#"{"name":"guest-mimic","version":"1.0.0","steps":{"go":{
            "input":{"type":"object","properties":{"kind":{"type":"string"}}},
            "outcomes":{"done":{},"card":{"type":"object","required":["number"],"properties":{
                "number":{"type":"string","x-secret":true}}}},
            "idempotent":true}}}"#.to_owned()
    }

    fn run(_step: String, input: String) -> Result<Outcome, Failure> {
        strowger_sdk::with_input(&input, |input: Value| forge(&input))
    }
}

fn forge(input: &Value) -> Result<Outcome, Failure> {
    let secret = json!({ "secret": "s:1", "length": 16, "lastFour": "1111" });
    match field::<String>(input, "kind").as_str() {
        "typed" => Outcome::with("card", &json!({ "number": secret })),
        _ => {
            done(&json!({ "card": secret, "prompt": "p:0", "value": "e:0", "vault": "vault:key" }))
        }
    }
}
