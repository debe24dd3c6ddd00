//! Calls itself until the stack is gone.

use std::hint::black_box;

use serde_json::Value;
use strowger_guests::{done, guest};
use strowger_sdk::{Failure, Outcome};

guest! { name: "guest-recursion", steps: ["go"], run: run }

fn run(_step: &str, _input: &Value) -> Result<Outcome, Failure> {
    done(&serde_json::json!({ "depth": deeper(0) }))
}

#[inline(never)]
fn deeper(depth: u64) -> u64 {
    let frame = black_box([depth; 16]);
    if frame[0] == u64::MAX {
        return 0;
    }
    // Something is left to do after the call, so that it cannot become a loop.
    deeper(depth + 1) + black_box(frame)[15]
}
