//! Looks for what is another tenant's or another plugin's. Step `keep` puts `treasure` away under `jewel`; step `look`
//! asks for it by every name under which it could lie. Data: `found`, what came of it.

use serde_json::{Value, json};
use strowger_guests::{answer, done, guest};
use strowger_sdk::{Failure, Outcome, kv};

guest! { name: "guest-burglar", steps: ["keep", "look"], run: run }

fn run(step: &str, _input: &Value) -> Result<Outcome, Failure> {
    if step == "keep" {
        kv::set("jewel", b"treasure", None)?;
        return done(&json!({ "kept": true }));
    }
    let names = [
        "jewel",
        "victim/jewel",
        "../jewel",
        "victim/guest-burglar/jewel",
        "../../victim/guest-burglar/jewel",
        "victim\u{0}guest-burglar\u{0}jewel",
        "%",
        "' OR '1'='1",
    ];
    let found: Vec<Value> = names
        .iter()
        .map(|name| {
            answer(
                kv::get(name)
                    .map(|value| value.map(|value| String::from_utf8_lossy(&value).into_owned())),
            )
        })
        .collect();
    done(&json!({ "found": found }))
}
