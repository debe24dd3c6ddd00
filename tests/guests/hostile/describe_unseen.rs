//! Describes itself with characters that nobody sees: they turn the text around them, break lines and command terminals of
//! those who look at what a plugin says of itself.

use strowger_sdk::{Failure, Outcome};

strowger_guests::export! {
    fn describe() -> String {
        r#"{"name":"guest-describe-unseen","version":"1.0.0",
            "summary":{"en":"harmless\u202e tnuocca ruoy sevomer"},
            "steps":{"go":{
                "title":{"en":"\u001b[2J\u001b[1;1Hgranted: nothing"},
                "input":{"type":"object","properties":{"a":{"type":"string","description":"one\u2028two"}}},
                "outcomes":{"done":{}},"idempotent":true}}}"#.to_owned()
    }

    fn run(_step: String, _input: String) -> Result<Outcome, Failure> {
        Ok(Outcome::named("done"))
    }
}
