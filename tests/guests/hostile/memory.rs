//! Takes memory until there is none. Input `kind`: `touch` (the default) writes what it takes, `reserve`
//! asks for a gigabyte at once and writes nothing.

use std::hint::black_box;

use serde_json::Value;
use strowger_guests::{done, field, guest};
use strowger_sdk::{Failure, Outcome};

guest! { name: "guest-memory", steps: ["go"], run: run }

fn run(_step: &str, input: &Value) -> Result<Outcome, Failure> {
    if field::<String>(input, "kind") == "reserve" {
        let block: Vec<u8> = Vec::with_capacity(1 << 30);
        return done(&serde_json::json!({ "capacity": black_box(block).capacity() }));
    }
    let mut blocks = Vec::new();
    loop {
        blocks.push(vec![1_u8; 1 << 16]);
        black_box(&mut blocks);
    }
}
