//! The standard step `record`: takes a message.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use strowger_sdk::media::{self, RecordOptions};
use strowger_sdk::{Failure, Outcome};

strowger_sdk::plugin! {
    description: "../description.json",
    steps: { "record" => record },
}

/// What the flow gives. Defaults are those of the description.
#[derive(Deserialize)]
struct Record {
    #[serde(default = "beep")]
    beep: bool,
    #[serde(default = "max")]
    max: u32,
    #[serde(default = "silence")]
    silence: u32,
    #[serde(default = "end_key")]
    end_key: String,
    #[serde(default)]
    sensitive: bool,
}

#[derive(Serialize)]
struct Done {
    recording: Value,
    duration: u32,
}

fn record(input: Record) -> Result<Outcome, Failure> {
    let recording = media::capture(&RecordOptions {
        beep: input.beep,
        max_ms: input.max,
        silence_ms: input.silence,
        end_key: Some(media::key(&input.end_key).to_owned()),
        sensitive: input.sensitive,
    })?;
    if recording.duration_ms == 0 {
        return Ok(Outcome::named("no_input"));
    }
    Outcome::with(
        "done",
        &Done {
            recording: match input.sensitive {
                true => recording.to_value(),
                false => recording.id.into(),
            },
            duration: recording.duration_ms,
        },
    )
}

fn beep() -> bool {
    true
}

fn max() -> u32 {
    60_000
}

fn silence() -> u32 {
    5_000
}

fn end_key() -> String {
    "#".to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use strowger_sdk::harness::{Ran, Script, check_description, described_default};
    use strowger_sdk::media::{Recording, RecordingEnd};

    fn ran(duration_ms: u32) -> Ran {
        ran_with("{}", "r-1", duration_ms)
    }

    fn ran_with(input: &str, id: &str, duration_ms: u32) -> Ran {
        let recording = Recording {
            id: id.to_owned(),
            duration_ms,
            ended_by: RecordingEnd::Silence,
        };
        Script::new()
            .recorded(Ok(recording))
            .run(|| super::run("record", input))
    }

    #[test]
    fn a_secret_message_is_done_with_a_handle() {
        let secret = json!({ "secret": "s:1", "length": 0, "lastFour": "" });
        assert_eq!(
            ran_with(r#"{ "sensitive": true }"#, "s:1", 4_200).outcome(),
            ("done", json!({ "recording": secret, "duration": 4200 }))
        );
        let silent = ran_with(r#"{ "sensitive": true }"#, "s:1", 0);
        assert_eq!(silent.outcome(), ("no_input", json!({})));
    }

    #[test]
    fn the_description_is_sound() {
        check_description(super::DESCRIPTION, super::STEPS);
    }

    #[test]
    fn a_message_is_done_and_silence_is_no_input() {
        assert_eq!(
            ran(4_200).outcome(),
            ("done", json!({ "recording": "r-1", "duration": 4200 }))
        );
        assert_eq!(ran(0).outcome(), ("no_input", json!({})));
    }

    #[test]
    fn a_refusal_is_a_failure() {
        assert_eq!(
            Script::new().run(|| super::run("record", "{}")).failure(),
            "hangup"
        );
    }

    #[test]
    fn defaults_are_those_of_the_description() {
        for (input, default) in [
            ("beep", json!(super::beep())),
            ("max", json!(super::max())),
            ("silence", json!(super::silence())),
            ("end_key", json!(super::end_key())),
        ] {
            assert_eq!(
                described_default(super::DESCRIPTION, "record", input),
                default,
                "{input}"
            );
        }
    }
}
