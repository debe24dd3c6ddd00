//! Gives numbers that are none, or that no number holds. Input `kind`: `nan`, `infinite`, `endless` (a thousand digits), `beyond`
//! (one more than 64 bits hold), `fraction`, `exponent`, anything else a list of `times` of them. The outcome is `number`, whose
//! `n` is an integer.

use serde_json::Value;
use strowger_guests::{field, guest};
use strowger_sdk::{Failure, Outcome};

guest! { name: "guest-figures", steps: ["go"], run: run }

fn run(_step: &str, input: &Value) -> Result<Outcome, Failure> {
    let times: usize = field(input, "times");
    let figure = match field::<String>(input, "kind").as_str() {
        "nan" => "NaN".to_owned(),
        "infinite" => "1e999".to_owned(),
        "endless" => "9".repeat(1_000),
        "beyond" => "-9223372036854775809".to_owned(),
        "fraction" => "0.1".to_owned(),
        "exponent" => "1e-400000000".to_owned(),
        _ => format!("[{}1]", "-0.0,".repeat(times)),
    };
    Ok(Outcome {
        name: "number".to_owned(),
        data: format!("{{\"n\": {figure}}}"),
    })
}
