//! Never comes back. Input `kind`: `spin` (the default) turns in registers, `fill` writes the same
//! megabyte over and over in single instructions, `host` asks the clock without end.

use std::hint::black_box;

use serde_json::Value;
use strowger_guests::{field, guest};
use strowger_sdk::{Failure, Outcome, env};

guest! { name: "guest-loop", steps: ["go"], run: run }

fn run(_step: &str, input: &Value) -> Result<Outcome, Failure> {
    let mut turns = 0_u64;
    match field::<String>(input, "kind").as_str() {
        "fill" => {
            let mut block = vec![0_u8; 1 << 20];
            loop {
                turns = turns.wrapping_add(1);
                black_box(&mut block).fill(turns.to_le_bytes()[0]);
            }
        }
        "host" => loop {
            black_box(env::now());
        },
        _ => loop {
            turns = black_box(turns).wrapping_add(1);
        },
    }
}
