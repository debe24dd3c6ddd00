//! The standard step `hours`: whether it is a time at which somebody works.

mod calendar;

use serde::Deserialize;
use strowger_sdk::{Failure, Outcome, env};

use calendar::{Hours, State};

strowger_sdk::plugin! {
    description: "../description.json",
    steps: { "hours" => hours },
}

#[derive(Deserialize)]
struct Input {
    hours: Hours,
}

fn hours(input: Input) -> Result<Outcome, Failure> {
    let now = env::local_time(&input.hours.timezone)?;
    Ok(Outcome::named(match input.hours.state(&now)? {
        State::Open => "open",
        State::Closed => "closed",
        State::Holiday => "holiday",
    }))
}

#[cfg(test)]
mod tests;
