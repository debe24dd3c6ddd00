//! Where contacts live: one task owns a contact, its guests and its line.

mod driver;
mod engine;
mod guests;
mod line;
mod open;
mod terminal;
mod transcript;
mod voice;

pub use driver::{Driver, Finished, Pace};
pub(crate) use engine::plain;
pub use engine::{Engine, EngineError};
pub(crate) use guests::step_result;
pub use line::Line;
pub use open::{OpenError, open, open_project, warm};
pub use terminal::{Act, Script, TerminalLine};
pub use transcript::transcript;
pub use voice::VoiceLine;
