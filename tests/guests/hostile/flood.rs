//! Floods the host. Input `kind`: `log` (the default) writes lines of `bytes`, `kv` sets new keys with
//! `bytes` each, `random` asks for `bytes` of chance; `times` each, and without end when that is missing.
//! Data: `refused`, how many calls the host refused.

use serde_json::{Value, json};
use strowger_guests::{done, field, guest};
use strowger_sdk::{Failure, Outcome, env, kv};

guest! { name: "guest-flood", steps: ["go"], run: run }

fn run(_step: &str, input: &Value) -> Result<Outcome, Failure> {
    let bytes: u32 = field(input, "bytes");
    let times = field::<Option<u64>>(input, "times").unwrap_or(u64::MAX);
    let kind: String = field(input, "kind");
    let block = "x".repeat(bytes as usize);
    let mut refused = 0_u64;
    for turn in 0..times {
        let refusal = match kind.as_str() {
            "kv" => kv::set(&format!("flood/{turn}"), block.as_bytes(), None).is_err(),
            "random" => env::random(bytes).is_err(),
            _ => {
                env::log(env::Level::Error, &block);
                false
            }
        };
        refused += u64::from(refusal);
    }
    done(&json!({ "refused": refused }))
}
