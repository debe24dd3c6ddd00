//! Says what it is in a megabyte of words.

use strowger_sdk::{Failure, Outcome};

strowger_guests::export! {
    fn describe() -> String {
        let words = "x".repeat(1 << 20);
        format!(r#"{{"name":"guest-huge","version":"1.0.0","title":"{words}","steps":{{"go":{{"outcomes":{{"done":{{}}}}}}}}}}"#)
    }

    fn run(_step: String, _input: String) -> Result<Outcome, Failure> {
        Ok(Outcome::named("done"))
    }
}
