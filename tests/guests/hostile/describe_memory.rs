//! Takes memory until there is none while it says what it is.

use std::hint::black_box;

use strowger_sdk::{Failure, Outcome};

strowger_guests::export! {
    fn describe() -> String {
        let mut blocks = Vec::new();
        loop {
            blocks.push(vec![1_u8; 1 << 16]);
            black_box(&mut blocks);
        }
    }

    fn run(_step: String, _input: String) -> Result<Outcome, Failure> {
        Ok(Outcome::named("done"))
    }
}
