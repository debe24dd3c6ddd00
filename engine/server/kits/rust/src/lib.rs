//! Greets the caller by the time of day.

use serde::Deserialize;
use serde_json::json;
use strowger_sdk::media::{self, Binding, Utterance};
use strowger_sdk::{Failure, Outcome, env};

strowger_sdk::plugin! {
    description: "../description.json",
    steps: { "greet" => greet },
}

/// What the flow gives.
#[derive(Deserialize)]
struct Greet {
    prompt: String,
    #[serde(default = "utc")]
    zone: String,
}

fn utc() -> String {
    "UTC".to_owned()
}

fn greet(input: Greet) -> Result<Outcome, Failure> {
    let greeting = greeting(env::local_time(&input.zone)?.hour);
    let bound = Binding::value("greeting", &greeting)?;
    media::say(&Utterance::given(input.prompt).bind(bound), true)?;
    Outcome::with("greeted", &json!({ "greeting": greeting }))
}

/// The greeting of an hour, 0 to 23.
fn greeting(hour: u8) -> &'static str {
    match hour {
        5..12 => "Good morning",
        12..18 => "Good afternoon",
        _ => "Good evening",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use strowger_sdk::harness::{Script, check_description};

    #[test]
    fn the_description_is_sound() {
        check_description(DESCRIPTION, STEPS);
    }

    #[test]
    fn every_hour_has_its_greeting() {
        for (hour, expected) in [
            (4, "Good evening"),
            (5, "Good morning"),
            (12, "Good afternoon"),
            (18, "Good evening"),
        ] {
            assert_eq!(greeting(hour), expected, "{hour}");
        }
    }

    #[test]
    fn the_caller_hears_the_prompt() {
        let thursday_at_nine = Script::new().at((2026, 3, 5), 4, (9, 0));
        let ran = thursday_at_nine.run(|| run("greet", r#"{ "prompt": "p:0" }"#));
        let expected = json!({ "greeting": "Good morning" });
        assert_eq!(ran.outcome(), ("greeted", expected));
        assert_eq!(ran.heard, [r#"p:0 greeting="Good morning""#]);
    }
}
