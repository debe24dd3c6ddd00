//! Breaks its word. Input `kind`: `unknown-outcome`; `wrong-data` against the outcome's schema; `no-data`,
//! where the schema requires some; `not-json`; `not-object`; `huge`, with `bytes` of data; `deep`, nested
//! `levels` deep; `huge-name` and `huge-failure`, with `bytes` each; anything else keeps its word.

use serde_json::Value;
use strowger_guests::{field, guest};
use strowger_sdk::{Failure, Outcome};

guest! { name: "guest-liar", steps: ["go"], run: run }

fn run(_step: &str, input: &Value) -> Result<Outcome, Failure> {
    let bytes: usize = field(input, "bytes");
    let outcome = |name: &str, data: String| {
        Ok(Outcome {
            name: name.to_owned(),
            data,
        })
    };
    match field::<String>(input, "kind").as_str() {
        "unknown-outcome" => outcome("jackpot", "{}".to_owned()),
        "wrong-data" => outcome("number", r#"{"n": "three"}"#.to_owned()),
        "no-data" => outcome("number", "{}".to_owned()),
        "not-json" => outcome("done", "{\"n\": ".to_owned()),
        "not-object" => outcome("done", "[1, 2]".to_owned()),
        "huge" => outcome("done", format!("{{\"a\": \"{}\"}}", "x".repeat(bytes))),
        "deep" => {
            let levels: usize = field(input, "levels");
            outcome(
                "done",
                format!("{{\"a\": {}{}}}", "[".repeat(levels), "]".repeat(levels)),
            )
        }
        "huge-name" => Ok(Outcome {
            name: "x".repeat(bytes),
            data: "{}".to_owned(),
        }),
        "huge-failure" => Err(Failure::new("huge", "x".repeat(bytes))),
        _ => outcome("number", r#"{"n": 3}"#.to_owned()),
    }
}
