//! Aurora's promises to call back, kept by the shop's order service.

use serde::{Deserialize, Serialize};
use strowger_sdk::http::Request;
use strowger_sdk::{Failure, Outcome, env};

strowger_sdk::plugin! {
    description: "../description.json",
    steps: { "book" => book },
}

/// What the operator configures.
#[derive(Deserialize)]
struct Config {
    /// Where the service listens, without a slash at the end.
    base_url: String,
}

/// What the flow gives. Defaults are those of the description.
#[derive(Deserialize)]
struct Book {
    phone: String,
    #[serde(default = "priority")]
    priority: u32,
    #[serde(default = "within")]
    within: u64,
}

/// What the service wants to know.
#[derive(Serialize)]
struct NewCallback {
    phone: String,
    priority: u32,
    within_s: u64,
}

#[derive(Deserialize, Serialize)]
struct Booked {
    id: String,
}

fn book(input: Book) -> Result<Outcome, Failure> {
    let base_url = env::config::<Config>()?.base_url;
    let callback = NewCallback {
        phone: input.phone,
        priority: input.priority,
        within_s: input.within.div_ceil(1_000),
    };
    let response = Request::post(format!("{base_url}/callbacks"))
        .json(&callback)?
        .send()?;
    match response.status {
        201 => Outcome::with("booked", &response.json::<Booked>()?),
        _ => Err(response.unexpected("the callback service")),
    }
}

fn priority() -> u32 {
    50
}

fn within() -> u64 {
    1_800_000
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use strowger_sdk::harness::{Script, check_description};

    #[test]
    fn the_description_is_sound() {
        check_description(super::DESCRIPTION, super::STEPS);
    }

    #[test]
    fn a_callback_is_booked_in_whole_seconds() {
        let ran = Script::new()
            .config(&json!({ "base_url": "http://callbacks.test" }))
            .answer(201, &json!({ "id": "callback-7" }))
            .run(|| {
                super::run(
                    "book",
                    r#"{"phone": "+8613800138000", "priority": 90, "within": 1500}"#,
                )
            });
        assert_eq!(ran.outcome(), ("booked", json!({ "id": "callback-7" })));
        let body: Value =
            serde_json::from_slice(ran.requests[0].body.as_deref().expect("a body")).expect("JSON");
        assert_eq!(
            body,
            json!({ "phone": "+8613800138000", "priority": 90, "within_s": 2 })
        );
    }

    #[test]
    fn a_number_that_nobody_can_ring_is_a_failure() {
        let ran = Script::new()
            .config(&json!({ "base_url": "http://callbacks.test" }))
            .answer(422, &json!({ "reason": "invalid-input" }))
            .run(|| super::run("book", r#"{"phone": "anonymous"}"#));
        assert_eq!(ran.failure(), "unexpected-status");
    }
}
