//! Sits on what it gets. Input `kind`: `wait` (the default) fills `bytes` of memory and waits for the contact as long as it may,
//! `drip` computes a little between host calls, without end, `nap` fills memory and sleeps again and again, shorter than instances may wait.

use std::hint::black_box;

use serde_json::{Value, json};
use strowger_guests::{done, field, guest};
use strowger_sdk::media::{self, ListenOptions, Utterance};
use strowger_sdk::{Failure, Outcome, env, wait};

guest! { name: "guest-hog", steps: ["go"], run: run }

fn run(_step: &str, input: &Value) -> Result<Outcome, Failure> {
    if field::<String>(input, "kind") == "drip" {
        loop {
            for turn in 0..20_000_000_u32 {
                black_box(turn);
            }
            black_box(env::now());
        }
    }
    let block = vec![1_u8; field::<u32>(input, "bytes") as usize];
    if field::<String>(input, "kind") == "nap" {
        loop {
            wait::sleep(2_500)?;
            black_box(&block);
        }
    }
    let options = ListenOptions {
        text: true,
        timeout_ms: 600_000,
        ..ListenOptions::default()
    };
    let heard = media::listen(&Utterance::silence(), &options)?;
    done(&json!({ "heard": format!("{heard:?}"), "bytes": black_box(block).len() }))
}
