//! Never says what it is.

use std::hint::black_box;

use strowger_sdk::{Failure, Outcome};

strowger_guests::export! {
    fn describe() -> String {
        let mut turns = 0_u64;
        loop {
            turns = black_box(turns).wrapping_add(1);
        }
    }

    fn run(_step: String, _input: String) -> Result<Outcome, Failure> {
        Ok(Outcome::named("done"))
    }
}
