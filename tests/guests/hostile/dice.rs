//! Gathers everything in which one run could differ from the next: the bits of a NaN, addresses, what new memory
//! holds, the order of a hash map, the clocks, chance. Data: `sum` over all of it.

use std::collections::HashMap;
use std::hint::black_box;

use serde_json::{Value, json};
use strowger_guests::{done, guest};
use strowger_sdk::{Failure, Outcome, env, wait};

guest! { name: "guest-dice", steps: ["go"], run: run }

fn run(_step: &str, _input: &Value) -> Result<Outcome, Failure> {
    let mut sum = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |value: u64| sum = (sum ^ value).wrapping_mul(0x0000_0100_0000_01b3);
    add((black_box(0.0_f64) / black_box(0.0)).to_bits());
    add((black_box(f64::INFINITY) - black_box(f64::INFINITY)).to_bits());
    add(u64::from((black_box(-1.0_f32)).sqrt().to_bits()));
    let local = black_box(1_u8);
    add(&raw const local as u64);
    let block: Vec<u8> = Vec::with_capacity(1 << 18);
    add(block.as_ptr() as u64);
    let map: HashMap<u32, u32> = (0..64).map(|number| (number, number)).collect();
    for key in map.keys() {
        add(u64::from(*key));
    }
    add(env::now());
    wait::sleep(40)?;
    add(env::now());
    for byte in env::random(32)? {
        add(u64::from(byte));
    }
    done(&json!({ "sum": format!("{sum:016x}") }))
}
