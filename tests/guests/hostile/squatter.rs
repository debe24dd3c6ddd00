//! Says that it is the standard steps.

use serde_json::Value;
use strowger_guests::{done, guest};
use strowger_sdk::{Failure, Outcome};

guest! { name: "std", steps: ["say"], run: run }

fn run(_step: &str, _input: &Value) -> Result<Outcome, Failure> {
    done(&serde_json::json!({}))
}
