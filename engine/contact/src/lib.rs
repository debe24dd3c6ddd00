//! One contact's walk through a plan.
//!
//! [`Contact`] is a machine without a world: inputs and the time go in, effects come out, and
//! [`Contact::deadline`] says when it wants to be woken. The same machine serves a telephone call, a
//! chat, the terminal, a test in virtual time and a replay; whoever drives it performs what it asks for.
//!
//! ```text
//!   handle(now, Input, &mut Vec<Output>)
//!     Input:  Connected, Key, Text, PlayDone, HungUp, Called (a guest's host call), StepEnded, EffectDone, Tick
//!     Output: Run, Cancel, Reply, Play, StopPlaying, Perform (an effect), Record, HangUp, Ended
//! ```
//!
//! Given the same plan, facts and inputs, the outputs are the same.
#![warn(missing_docs)]

mod activation;
mod aside;
mod away;
mod bytes;
pub mod call;
mod card;
mod contact;
mod effects;
mod entry;
mod facts;
mod given;
mod hostcalls;
mod io;
mod listening;
mod parting;
mod program;
mod reasons;
pub mod recorded;
mod scope;
mod shared;
mod speech;
mod step;
mod talk;
mod timers;
mod trail;
mod vars;
mod veil;
mod walk;

pub use away::MAX_DROPS;
pub use contact::Contact;
pub use entry::{Entry, EntryKind, FORMAT, HIDDEN, Offer};
pub use facts::{Channel, Facts};
pub use hostcalls::{json_most, json_size, local_time};
pub use io::{Effect, Ending, Input, Output, Segment, StepFailure, StepResult, TransferResult};
pub use program::{Program, ProgramError};
pub use reasons::{Asked, Reason, What};
pub use shared::SharedJson;
pub use trail::{Mark, Way};
pub use veil::is_hidden;

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Millis = u64;
