//! Sets clocks to times that cannot be: waits, entries, recordings and lifetimes whose ends lie beyond what a number holds, behind
//! now, or nowhere. Data: `answers`, what each attempt got.

use serde_json::{Value, json};
use strowger_guests::{answer, done, guest};
use strowger_sdk::media::{self, ListenOptions, RecordOptions, Utterance};
use strowger_sdk::wait::{self, Condition};
use strowger_sdk::{Failure, Outcome, env, kv};

guest! { name: "guest-clockwork", steps: ["go"], run: run }

fn run(_step: &str, _input: &Value) -> Result<Outcome, Failure> {
    let listens = |timeout_ms, gap_ms| {
        let options = ListenOptions {
            text: true,
            timeout_ms,
            gap_ms,
            ..ListenOptions::default()
        };
        answer(media::listen(&Utterance::silence(), &options).map(|_| ()))
    };
    let records = |max_ms, silence_ms| {
        let options = RecordOptions {
            beep: false,
            max_ms,
            silence_ms,
            end_key: None,
            sensitive: false,
        };
        answer(media::capture(&options).map(|_| ()))
    };
    let any = |conditions: &[Condition]| answer(wait::any(conditions));
    let crowd: Vec<Condition> = (0..1_000).map(Condition::Elapsed).collect();
    let begun = env::now();
    let mut answers = vec![
        answer(wait::sleep(u64::MAX)),
        answer(wait::sleep(u64::MAX - begun)),
        answer(wait::sleep(86_400_001)),
        any(&[Condition::Elapsed(u64::MAX), Condition::Input]),
        any(&[]),
        any(&crowd),
        listens(u32::MAX, 1),
        listens(1, u32::MAX),
        records(u32::MAX, u32::MAX),
        records(0, 0),
    ];
    for lifetime in [0, u64::MAX, u64::MAX - begun] {
        answers.push(answer(kv::set("clock", b"x", Some(lifetime))));
        answers.push(answer(kv::get("clock").map(|kept| kept.is_some())));
    }
    // What is over at once is over at once, however often.
    for _ in 0..100 {
        wait::sleep(0)?;
    }
    answers.push(json!({ "gone": env::now() - begun }));
    done(&json!({ "answers": answers }))
}
