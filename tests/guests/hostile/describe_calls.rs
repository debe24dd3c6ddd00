//! Asks for the time and for chance while it says what it is, when every capability is refused.

use strowger_sdk::{Failure, Outcome, env};

strowger_guests::export! {
    fn describe() -> String {
        let name = format!("guest-{}", env::now());
        format!(r#"{{"name":"{name}","version":"1.0.0","steps":{{}}}}"#)
    }

    fn run(_step: String, _input: String) -> Result<Outcome, Failure> {
        Ok(Outcome::named("done"))
    }
}
