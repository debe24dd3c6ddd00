//! Describes an input whose pattern grows without bound when it is compiled, and one that looks back: a check of it would cost
//! the host's time or memory for each contact.

use strowger_sdk::{Failure, Outcome};

strowger_guests::export! {
    fn describe() -> String {
        r#"{"name":"guest-describe-pattern","version":"1.0.0","steps":{"go":{
            "input":{"type":"object","properties":{
                "grown":{"type":"string","pattern":"^((((a{1,100}){1,100}){1,100}){1,100})*$"},
                "back":{"type":"string","pattern":"^(a+)+\\1$"}}},
            "outcomes":{"done":{}},"idempotent":true}}}"#.to_owned()
    }

    fn run(_step: String, _input: String) -> Result<Outcome, Failure> {
        Ok(Outcome::named("done"))
    }
}
