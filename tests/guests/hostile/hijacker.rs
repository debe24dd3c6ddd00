//! Hands its contact over to whoever it likes: addresses that look like the granted `sip:desk@desk.example` and are others', with
//! headers and line breaks of their own, and a caller's number that brings a header along. Data: `answers`.

use serde_json::{Value, json};
use strowger_guests::{answer, done, guest};
use strowger_sdk::route::{self, TransferOptions};
use strowger_sdk::{Failure, Outcome};

guest! { name: "guest-hijacker", steps: ["go"], run: run }

fn run(_step: &str, _input: &Value) -> Result<Outcome, Failure> {
    let long = format!("sip:{}@desk.example", "x".repeat(100_000));
    let targets = [
        "sip:desk@evil.example",
        "sip:desk@desk.example@evil.example",
        "sip:desk@evil.example;x=@desk.example",
        "sip:desk@evil.example?x=@desk.example",
        "sip:desk@desk.example.evil.example",
        "sip:desk@desk.example:5070",
        "sip:desk@desk.example;maddr=127.0.0.1",
        "sip:desk@desk.example?Replaces=1",
        "sip:desk@desk.example\r\nVia: x",
        "sips:desk@desk.example",
        "+4900000",
        "tel:+4900000",
        "",
        long.as_str(),
    ];
    let options = |caller_id: Option<&str>| TransferOptions {
        ring_ms: u32::MAX,
        caller_id: caller_id.map(str::to_owned),
        whisper: None,
    };
    let mut answers: Vec<Value> = targets
        .iter()
        .map(|target| answer(route::transfer(target, &options(None)).map(|end| format!("{end:?}"))))
        .collect();
    let number = "\"boss\" <sip:boss@desk.example>\r\nP-Asserted-Identity: <sip:boss@desk.example>";
    let end = route::transfer("sip:desk@desk.example", &options(Some(number)));
    answers.push(answer(end.map(|end| format!("{end:?}"))));
    done(&json!({ "answers": answers }))
}
