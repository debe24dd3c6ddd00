//! Where contacts live: one task owns a contact, its guests and its line.

mod bridge;
mod chat;
mod driver;
mod engine;
mod guests;
mod in_place;
mod ladder;
mod line;
mod node;
mod open;
mod outgoing;
mod terminal;
mod trace;
mod transcript;
mod voice;

pub use chat::{Begun, ChatError, ChatEvent, Chats, Shown};
pub use driver::{Driver, Finished, Pace};
pub(crate) use engine::plain;
pub use engine::{Engine, EngineError};
pub(crate) use guests::{StepRun, step_name};
pub(crate) use in_place::Guest;
pub use ladder::{Early, Ladders};
pub use line::{Handover, Line};
pub use node::Node;
pub(crate) use node::take;
pub use open::{OpenError, open, open_project, warm};
pub(crate) use open::{Part, checked_program, close_orphans, engine_of};
pub use outgoing::Outgoing;
pub use terminal::{Act, Script, TerminalLine};
pub use trace::{TraceEvent, trace};
pub use transcript::transcript;
pub(crate) use transcript::{failure_told, outcome_told, told};
pub use voice::VoiceLine;
