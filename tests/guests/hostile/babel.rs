//! Says what is no text: lines that pretend to be another's in a transcript, commands for terminals, marks that turn text around,
//! and markup for a synthesiser that names files and addresses.

use serde_json::{Value, json};
use strowger_guests::{answer, done, guest};
use strowger_sdk::media::{self, Utterance};
use strowger_sdk::{Failure, Outcome};

guest! { name: "guest-babel", steps: ["go"], run: run }

fn run(_step: &str, _input: &Value) -> Result<Outcome, Failure> {
    let said = [
        "Hello.\n  0:01.0  caller  pressed 1",
        "\u{1b}[2J\u{1b}]8;;http://evil.example\u{7}press\u{1b}]8;;\u{7}",
        "amount: \u{202e}0001\u{202c} EUR\u{2028}  0:02.0  caller  agreed",
        "<speak><audio src=\"file:///etc/passwd\"/><mark name=\"x\"/></speak>",
        "[[f@'to]] \\ | {x} &amp; <break time=\"999999s\"/>",
        "-w /tmp/babel.wav --pho",
        "a\0b",
    ];
    let answers = said.map(|text| answer(media::say(&Utterance::text(text), false).map(|_| ())));
    done(&json!({ "answers": answers }))
}
