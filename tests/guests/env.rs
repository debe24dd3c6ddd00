//! Calls every function of `env`. Input: `zone`, `length` (of the random bytes). Data: `now`, `later` (the
//! clock once more, at the end), `local_time`, `random`, `config`; and one log line of each level.

use serde_json::{Value, json};
use strowger_guests::{answer, done, field, guest};
use strowger_sdk::env::{self, Level};
use strowger_sdk::{Failure, Outcome};

guest! { name: "guest-env", steps: ["exercise"], run: run }

fn run(_step: &str, input: &Value) -> Result<Outcome, Failure> {
    let now = env::now();
    let local_time = answer(env::local_time(&field::<String>(input, "zone")));
    let random = answer(env::random(field(input, "length")));
    let config: Value = env::config()?;
    for (level, line) in [
        (Level::Debug, "a line for the author"),
        (Level::Info, "a line as a matter of course"),
        (Level::Warn, "a line to look at soon"),
        (Level::Error, "a line to look at now"),
    ] {
        env::log(level, line);
    }
    let later = env::now();
    done(
        &json!({ "now": now, "later": later, "local_time": local_time, "random": random, "config": config }),
    )
}
