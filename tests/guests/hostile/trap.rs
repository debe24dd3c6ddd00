//! Traps. Input `kind`: `panic` (the default), `bounds` reads beyond the memory, `late` panics
//! after a host call.

use std::hint::black_box;

use serde_json::Value;
use strowger_guests::{done, field, guest};
use strowger_sdk::{Failure, Outcome, env};

guest! { name: "guest-trap", steps: ["go"], run: run }

fn run(_step: &str, input: &Value) -> Result<Outcome, Failure> {
    let kind: String = field(input, "kind");
    let got = match kind.as_str() {
        "bounds" => beyond(),
        "late" => {
            env::log(env::Level::Info, "about to trap");
            panic!("as asked, after a host call")
        }
        _ => panic!("as asked"),
    };
    done(&serde_json::json!({ "got": got }))
}

/// Reads the last word of the address space, which no guest's memory reaches.
fn beyond() -> u32 {
    let place = black_box(0xffff_fff0_usize as *const u32);
    // SAFETY: none, and that is the point: in a sandbox this is a trap and nothing else. Only the wasm
    // build is ever run.
    unsafe { place.read_volatile() }
}
