//! Writes log lines that pretend to be others': with line breaks and what a log line of the engine begins with, with commands
//! for terminals, with marks that turn the text around them, and one of a quarter of a megabyte.

use serde_json::{Value, json};
use strowger_guests::{done, guest};
use strowger_sdk::{Failure, Outcome, env};

guest! { name: "guest-ventriloquist", steps: ["go"], run: run }

fn run(_step: &str, _input: &Value) -> Result<Outcome, Failure> {
    for line in [
        "innocent\n2026-01-01T00:00:00.000000Z ERROR strowger_server::centre: victim is broken",
        "overwritten\r2026-01-01T00:00:00.000000Z  INFO strowger_server::centre: all is well",
        "\u{1b}[2J\u{1b}[31mred\u{1b}]0;title\u{7}\u{9b}31m",
        "abc\u{202e}gnihtyna\u{202c}\u{2028}next",
        "\0\u{8}\u{8}\u{8}\u{7f}",
    ] {
        env::log(env::Level::Error, line);
    }
    env::log(env::Level::Error, &"giant ".repeat(40_000));
    done(&json!({}))
}
