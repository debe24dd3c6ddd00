//! Says that it is something which no plugin can be: no name, no version, a step without outcomes, and a
//! field that nobody knows.

use strowger_sdk::{Failure, Outcome};

strowger_guests::export! {
    fn describe() -> String {
        r#"{"name":"../std","version":"one","steps":{"go":{"outcomes":[]}},"root":true}"#.to_owned()
    }

    fn run(_step: String, _input: String) -> Result<Outcome, Failure> {
        Ok(Outcome::named("done"))
    }
}
