//! Calls itself `levels` times; until the stack is gone unless that is said.

use std::hint::black_box;

use serde_json::Value;
use strowger_guests::{done, guest};
use strowger_sdk::{Failure, Outcome};

guest! { name: "guest-recursion", steps: ["go"], run: run }

fn run(_step: &str, input: &Value) -> Result<Outcome, Failure> {
    let levels = input["levels"].as_u64().unwrap_or(u64::MAX);
    done(&serde_json::json!({ "sum": deeper(levels) }))
}

#[inline(never)]
fn deeper(levels: u64) -> u64 {
    let frame = black_box([levels; 16]);
    if frame[0] == 0 {
        return 0;
    }
    // Something is left to do after the call, so that it cannot become a loop.
    deeper(levels - 1).wrapping_add(black_box(frame)[15])
}
