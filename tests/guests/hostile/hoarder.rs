//! Lets itself be told more than it needs. It keeps 60,000 bytes and reads them back `times` times, fills `bytes` of memory, and
//! waits for the contact as long as it may.

use std::hint::black_box;

use serde_json::{Value, json};
use strowger_guests::{done, field, guest};
use strowger_sdk::media::{self, ListenOptions, Utterance};
use strowger_sdk::{Failure, Outcome, kv};

guest! { name: "guest-hoarder", steps: ["go"], run: run }

const KEY: &str = "hoard";

fn run(_step: &str, input: &Value) -> Result<Outcome, Failure> {
    kv::set(KEY, &[7; 60_000], None)?;
    for _ in 0..field::<u32>(input, "times") {
        black_box(kv::get(KEY)?);
    }
    let block = vec![1_u8; field::<u32>(input, "bytes") as usize];
    let options = ListenOptions {
        text: true,
        timeout_ms: 600_000,
        ..ListenOptions::default()
    };
    let heard = media::listen(&Utterance::silence(), &options)?;
    done(&json!({ "heard": format!("{heard:?}"), "bytes": black_box(block).len() }))
}
