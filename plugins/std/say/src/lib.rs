//! The standard step `say`: says a prompt and goes on.

use serde::Deserialize;
use strowger_sdk::media::{self, Utterance};
use strowger_sdk::{Failure, Outcome};

strowger_sdk::plugin! {
    description: "../description.json",
    steps: { "say" => say },
}

#[derive(Deserialize)]
struct Say {
    prompt: String,
    #[serde(default = "yes")]
    barge_in: bool,
}

fn say(input: Say) -> Result<Outcome, Failure> {
    media::say(&Utterance::given(input.prompt), input.barge_in)?;
    Ok(Outcome::named("done"))
}

fn yes() -> bool {
    true
}

#[cfg(test)]
mod tests {
    use strowger_sdk::harness::{Script, check_description};

    #[test]
    fn the_description_is_sound() {
        check_description(super::DESCRIPTION, super::STEPS);
    }

    #[test]
    fn it_says_the_prompt_and_is_done() {
        let ran = Script::new().run(|| super::run("say", r#"{"prompt": "p:3"}"#));
        assert_eq!(ran.outcome().0, "done");
        assert_eq!(ran.heard, ["p:3"]);
    }

    #[test]
    fn input_without_a_prompt_is_a_failure() {
        assert_eq!(
            Script::new().run(|| super::run("say", "{}")).failure(),
            "bad-input"
        );
        assert_eq!(
            Script::new().run(|| super::run("sing", "{}")).failure(),
            "unknown-step"
        );
    }
}
