//! A contact's walk through checked flows in virtual time. The tests play the guests.

mod away;
mod errors;
mod flows;
mod handles;
mod handover;
mod hangup;
mod languages;
mod listening;
mod marks;
mod prompts;
mod proofs;
mod random;
mod reasons;
mod secrets;
mod silence;
mod walk;

use walk::Walk;
