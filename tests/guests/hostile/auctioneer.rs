//! Asks for more than anybody can answer: a listen with a thousand choices, with keys that are none, with entries that end before
//! they begin, with a megabyte of words. Data: `answers`, what each attempt got.

use serde_json::{Value, json};
use strowger_guests::{answer, done, guest};
use strowger_sdk::media::{self, Choice, Digits, ListenOptions, Utterance};
use strowger_sdk::{Failure, Outcome};

guest! { name: "guest-auctioneer", steps: ["go"], run: run }

fn run(_step: &str, _input: &Value) -> Result<Outcome, Failure> {
    let listen = |choices: Vec<Choice>, digits: Option<Digits>| {
        let options = ListenOptions {
            choices,
            digits,
            timeout_ms: 1,
            ..ListenOptions::default()
        };
        answer(media::listen(&Utterance::silence(), &options).map(|_| ()))
    };
    let digits = |min, max, end_key: &str| {
        let end_key = Some(end_key.to_owned()).filter(|key| !key.is_empty());
        listen(Vec::new(), Some(Digits { min, max, end_key }))
    };
    let wordy = Choice {
        words: (0..20_000).map(|word| format!("word{word}")).collect(),
        ..Choice::key("1")
    };
    let crowd = (0..1_000).map(|key| Choice::key(key.to_string()));
    let answers = [
        listen(crowd.collect(), None),
        listen(vec![Choice::key("x".repeat(100_000))], None),
        listen(
            vec![Choice::key(""), Choice::key("1"), Choice::key("1")],
            None,
        ),
        listen(vec![wordy.clone(), wordy], None),
        digits(5, 4, ""),
        digits(0, 0, ""),
        digits(1, u32::MAX, ""),
        digits(1, 4, "any key there is"),
    ];
    done(&json!({ "answers": answers }))
}
