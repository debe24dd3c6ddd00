//! Calls every function of `wait`. Input: `ms`. Data: `sleep`, `first` (of twice as long and as long: index
//! 1), `input` (of a key and four times as long), `nothing` (of no condition at all).

use serde_json::{Value, json};
use strowger_guests::{answer, done, field, guest};
use strowger_sdk::wait::{self, Condition};
use strowger_sdk::{Failure, Outcome};

guest! { name: "guest-wait", steps: ["exercise"], run: run }

fn run(_step: &str, input: &Value) -> Result<Outcome, Failure> {
    let ms: u64 = field(input, "ms");
    let sleep = answer(wait::sleep(ms));
    let first = answer(wait::any(&[
        Condition::Elapsed(ms * 2),
        Condition::Elapsed(ms),
    ]));
    let input = answer(wait::any(&[Condition::Input, Condition::Elapsed(ms * 4)]));
    let nothing = answer(wait::any(&[]));
    done(&json!({ "sleep": sleep, "first": first, "input": input, "nothing": nothing }))
}
