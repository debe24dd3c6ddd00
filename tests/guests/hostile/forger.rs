//! Uses handles that nobody gave it. Input `kind`: `prompt` says one by name, `number` says many guessed ones,
//! `value` evaluates an expression that is not its own, `audio` asks for files outside the project, `secret` asks
//! whether a guessed secret is a card. Data: `answers`, what each attempt got.

use serde_json::{Value, json};
use strowger_guests::{answer, done, field, guest};
use strowger_sdk::media::{self, Prompt, Secret, Utterance};
use strowger_sdk::{Failure, Outcome};

guest! { name: "guest-forger", steps: ["go"], run: run }

fn run(_step: &str, input: &Value) -> Result<Outcome, Failure> {
    let guessed = ["p0", "p1", "0", "prompt", "goodbye", "../victim", ""];
    let say =
        |prompt: Prompt| answer(media::say(&Utterance::silence().then(prompt), true).map(|_| ()));
    let answers: Vec<Value> = match field::<String>(input, "kind").as_str() {
        "value" => guessed
            .iter()
            .map(|handle| match media::evaluate(handle, &[]) {
                Ok(value) => json!({ "ok": value }),
                Err(failure) => json!({ "err": failure.code }),
            })
            .collect(),
        "audio" => [
            "/etc/passwd",
            "../../node.key",
            "audio/../../strowger.db",
            "file:///etc/shadow",
        ]
        .iter()
        .map(|path| say(Prompt::Audio((*path).to_owned())))
        .collect(),
        "secret" => ["s0", "s1", "1", "0", ""]
            .iter()
            .map(|handle| {
                answer(media::is_card_number(&Secret {
                    handle: (*handle).to_owned(),
                    length: 16,
                    last_four: "1111".to_owned(),
                }))
            })
            .collect(),
        _ => guessed
            .iter()
            .map(|handle| say(Prompt::Given((*handle).to_owned())))
            .collect(),
    };
    done(&json!({ "answers": answers }))
}
