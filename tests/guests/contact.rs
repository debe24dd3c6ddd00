//! Calls every function of `contact`. Data: `read`.

use serde_json::{Value, json};
use strowger_guests::{done, guest};
use strowger_sdk::{Failure, Outcome, contact};

guest! { name: "guest-contact", steps: ["exercise"], run: run }

fn run(_step: &str, _input: &Value) -> Result<Outcome, Failure> {
    done(&json!({ "read": contact::read() }))
}
