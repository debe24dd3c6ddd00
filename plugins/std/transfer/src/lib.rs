//! The standard step `transfer`: hands the contact to a number, a SIP address or a supplier.

use serde::Deserialize;
use strowger_sdk::route::{self, TransferOptions, TransferRefusal, Transferred};
use strowger_sdk::{Failure, Outcome};

strowger_sdk::plugin! {
    description: "../description.json",
    steps: { "transfer" => transfer },
}

/// What the flow gives. Defaults are those of the description.
#[derive(Deserialize)]
struct Transfer {
    to: String,
    #[serde(default = "ring")]
    ring: u32,
    caller_id: Option<String>,
    whisper: Option<String>,
}

fn transfer(input: Transfer) -> Result<Outcome, Failure> {
    let options = TransferOptions {
        ring_ms: input.ring,
        caller_id: input.caller_id,
        whisper: input.whisper,
    };
    let outcome = match route::transfer(&input.to, &options)? {
        Transferred::Done => "done",
        Transferred::Refused(TransferRefusal::Busy) => "busy",
        Transferred::Refused(TransferRefusal::NoAnswer) => "no_answer",
        Transferred::Refused(TransferRefusal::Declined) => "declined",
        Transferred::Refused(TransferRefusal::Failed) => "failed",
    };
    Ok(Outcome::named(outcome))
}

fn ring() -> u32 {
    25_000
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use strowger_sdk::harness::{Script, check_description, described_default};
    use strowger_sdk::route::{TransferRefusal, Transferred};

    #[test]
    fn the_description_is_sound() {
        check_description(super::DESCRIPTION, super::STEPS);
    }

    #[test]
    fn each_end_has_its_outcome() {
        let ends = [
            (Transferred::Done, "done"),
            (Transferred::Refused(TransferRefusal::Busy), "busy"),
            (Transferred::Refused(TransferRefusal::NoAnswer), "no_answer"),
            (Transferred::Refused(TransferRefusal::Declined), "declined"),
            (Transferred::Refused(TransferRefusal::Failed), "failed"),
        ];
        for (end, outcome) in ends {
            let ran = Script::new().transferred(Ok(end)).run(|| {
                super::run(
                    "transfer",
                    r#"{"to": "sip:desk@example.com", "caller_id": "4001", "whisper": "p:2"}"#,
                )
            });
            assert_eq!(ran.outcome().0, outcome);
            let (to, options) = &ran.transfers[0];
            assert_eq!(
                (to.as_str(), options.ring_ms),
                ("sip:desk@example.com", 25_000)
            );
            assert_eq!(options.caller_id.as_deref(), Some("4001"));
            assert_eq!(options.whisper.as_deref(), Some("p:2"));
        }
    }

    #[test]
    fn a_caller_who_hangs_up_while_it_rings_ends_the_step() {
        assert_eq!(
            Script::new()
                .run(|| super::run("transfer", r#"{"to": "4002"}"#))
                .failure(),
            "hangup"
        );
    }

    #[test]
    fn defaults_are_those_of_the_description() {
        let described = described_default(super::DESCRIPTION, "transfer", "ring");
        assert_eq!(described, json!(super::ring()));
    }
}
