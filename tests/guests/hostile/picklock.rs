//! Tries keys on the store: with wildcards and quotes of SQL, with the names of other tenants and plugins, with NUL, of no length
//! and of too much. It keeps `own` first. Data: `answers`, what each key opened; `kept`, what `own` holds afterwards.

use serde_json::{Value, json};
use strowger_guests::{answer, done, guest};
use strowger_sdk::{Failure, Outcome, kv};

guest! { name: "guest-picklock", steps: ["go"], run: run }

fn run(_step: &str, _input: &Value) -> Result<Outcome, Failure> {
    kv::set("own", b"mine", None)?;
    let (long, longest) = ("k".repeat(513), "k".repeat(200_000));
    let keys = [
        "%",
        "_wn",
        "*",
        "o%",
        "own' OR '1'='1",
        "'; DROP TABLE kv; --",
        "\" OR tenant = \"victim",
        "vega/guest-kv/own",
        "../../vega/guest-kv/own",
        "own\0",
        "\0",
        "",
        "OWN",
        "o\u{301}wn",
        long.as_str(),
        longest.as_str(),
    ];
    let answers: Vec<Value> = keys
        .iter()
        .map(|key| {
            let got = answer(kv::get(key).map(|value| value.is_some()));
            let deleted = answer(kv::delete(key));
            let swapped = answer(kv::compare_and_set(key, Some(b"mine"), b"taken").map(|_| ()));
            json!([got, deleted, swapped])
        })
        .collect();
    let kept = kv::get("own")?.map(|kept| String::from_utf8_lossy(&kept).into_owned());
    done(&json!({ "answers": answers, "kept": kept }))
}
