//! Calls one function of `route` per step: `transfer` (input `to`, `ring_ms`, `caller_id`, `whisper`) and `enqueue`
//! (input `queue`, `priority`, `max_wait_ms`, `music`, `say`, `every_ms`, `skills`, `attach`). Data: what
//! the call answered, under the step's name.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use strowger_guests::{answer, done, field, guest};
use strowger_sdk::route::{self, Attachment, QueueOptions, TransferOptions};
use strowger_sdk::{Failure, Outcome};

guest! { name: "guest-route", steps: ["transfer", "enqueue"], run: run }

fn run(step: &str, input: &Value) -> Result<Outcome, Failure> {
    let result = if step == "transfer" {
        let options = TransferOptions {
            ring_ms: field(input, "ring_ms"),
            caller_id: field(input, "caller_id"),
            whisper: field(input, "whisper"),
        };
        answer(route::transfer(&field::<String>(input, "to"), &options))
    } else {
        let attach = field::<BTreeMap<String, Value>>(input, "attach");
        let attach = attach
            .into_iter()
            .map(|(name, value)| Attachment::new(name, &value));
        let options = QueueOptions {
            priority: field(input, "priority"),
            skills: field(input, "skills"),
            attach: attach.collect::<Result<_, _>>()?,
            max_wait_ms: field(input, "max_wait_ms"),
            music: field(input, "music"),
            say: field(input, "say"),
            every_ms: field(input, "every_ms"),
        };
        answer(route::enqueue(&field::<String>(input, "queue"), &options))
    };
    done(&json!({ step: result }))
}
