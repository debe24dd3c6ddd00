//! Calls every function of `kv` on one key. Input: `key`, `ttl_ms`. Data: what each call answered, in order:
//! `absent`, `created`, `refused`, `first`, `swapped`, `stale`, `second`, `set`, `third`, `deleted`, `gone`,
//! and `left`, which is set to stay (with the time to live, if any).

use serde_json::{Value, json};
use strowger_guests::{answer, done, field, guest};
use strowger_sdk::{Failure, Outcome, kv};

guest! { name: "guest-kv", steps: ["exercise", "get"], run: run }

fn run(step: &str, input: &Value) -> Result<Outcome, Failure> {
    let key: String = field(input, "key");
    let get = || answer(kv::get(&key).map(text));
    if step == "get" {
        return done(&json!({ "get": get() }));
    }
    let swap =
        |expected: Option<&[u8]>, value: &[u8]| answer(kv::compare_and_set(&key, expected, value));
    let ttl_ms: Option<u64> = field(input, "ttl_ms");
    // The order of the calls is the order in which they stand.
    let data = json!({
        "absent": get(),
        "created": swap(None, b"first"),
        "refused": swap(None, b"never"),
        "first": get(),
        "swapped": swap(Some(b"first"), b"second"),
        "stale": swap(Some(b"first"), b"never"),
        "second": get(),
        "set": answer(kv::set(&key, b"third \xff\x00", None)),
        "third": get(),
        "deleted": answer(kv::delete(&key)),
        "gone": get(),
        "left": answer(kv::set(&key, b"left", ttl_ms)),
    });
    done(&data)
}

/// Bytes as a text; what is no UTF-8 becomes U+FFFD.
fn text(value: Option<Vec<u8>>) -> Option<String> {
    value.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}
