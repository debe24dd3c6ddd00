//! The standard step `record`: takes a message.

use serde::{Deserialize, Serialize};
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
}

#[derive(Serialize)]
struct Done {
    recording: String,
    duration: u32,
}

fn record(input: Record) -> Result<Outcome, Failure> {
    let recording = media::capture(&RecordOptions {
        beep: input.beep,
        max_ms: input.max,
        silence_ms: input.silence,
        end_key: Some(media::key(&input.end_key).to_owned()),
    })?;
    if recording.duration_ms == 0 {
        return Ok(Outcome::named("no_input"));
    }
    Outcome::with(
        "done",
        &Done {
            recording: recording.id,
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
        let recording = Recording {
            id: "r-1".to_owned(),
            duration_ms,
            ended_by: RecordingEnd::Silence,
        };
        Script::new()
            .recorded(Ok(recording))
            .run(|| super::run("record", "{}"))
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
