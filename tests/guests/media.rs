//! Calls one function of `media` per step: `say`, `listen`, `capture`, `evaluate`, `card` (listens in secret,
//! then asks whether it was a card's number). The input holds the
//! arguments by name (`prompts`: handles; `text`: said after them; `value`: bound to `value`; then the
//! options of the function, as in the contract with `_` for `-`). Data: what the call answered, under the
//! step's name.

use serde_json::{Value, json};
use strowger_guests::{answer, done, field, guest};
use strowger_sdk::media::{
    self, Binding, Choice, Digits, Heard, ListenOptions, Prompt, RecordOptions, Utterance,
};
use strowger_sdk::{Failure, Outcome};

guest! { name: "guest-media", steps: ["say", "listen", "capture", "evaluate", "card"], run: run }

fn run(step: &str, input: &Value) -> Result<Outcome, Failure> {
    let bindings = match input.get("value") {
        Some(value) => vec![Binding::value("value", value)?],
        None => Vec::new(),
    };
    let handles = field::<Vec<String>>(input, "prompts")
        .into_iter()
        .map(Prompt::Given);
    let text = field::<Option<String>>(input, "text").map(Prompt::text);
    let what = Utterance {
        prompts: handles.chain(text).collect(),
        bindings: bindings.clone(),
    };
    let barge_in = input.get("barge_in") != Some(&Value::Bool(false));
    let end_key: Option<String> = field(input, "end_key");
    let result = match step {
        "say" => answer(media::say(&what, barge_in)),
        "listen" => {
            let options = ListenOptions {
                barge_in,
                choices: field::<Vec<String>>(input, "choices")
                    .into_iter()
                    .map(Choice::key)
                    .collect(),
                digits: field::<Option<(u32, u32)>>(input, "digits").map(|(min, max)| Digits {
                    min,
                    max,
                    end_key,
                }),
                text: field(input, "free_text"),
                timeout_ms: field(input, "timeout_ms"),
                gap_ms: field(input, "gap_ms"),
                sensitive: field(input, "sensitive"),
            };
            answer(media::listen(&what, &options))
        }
        "capture" => answer(media::capture(&RecordOptions {
            beep: field(input, "beep"),
            max_ms: field(input, "max_ms"),
            silence_ms: field(input, "silence_ms"),
            end_key,
            sensitive: field(input, "sensitive"),
        })),
        "card" => {
            let options = ListenOptions {
                digits: Some(Digits {
                    min: 1,
                    max: 19,
                    end_key,
                }),
                sensitive: true,
                ..ListenOptions::default()
            };
            match media::listen(&what, &options)? {
                Heard::Secret(secret) => answer(media::is_card_number(&secret)),
                _ => Value::Null,
            }
        }
        _ => json!({ "ok": media::evaluate(&field::<String>(input, "expression"), &bindings)? }),
    };
    done(&json!({ step: result }))
}
