//! Traps instead of saying what it is.

use strowger_sdk::{Failure, Outcome};

strowger_guests::export! {
    fn describe() -> String {
        panic!("nobody's business")
    }

    fn run(_step: String, _input: String) -> Result<Outcome, Failure> {
        Ok(Outcome::named("done"))
    }
}
