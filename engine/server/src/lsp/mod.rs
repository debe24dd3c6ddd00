//! The language server: what an editor asks about `*.flow.yaml`, over stdin and stdout.
//!
//! What stands at a place of a flow, and what could, is knowledge of the language and lives in
//! [`strowger_flow::editor`]. Here are the messages (`wire`), the order of a session (`session`), the files of
//! the projects with their findings (`workspace`, `project`), places in lines and UTF-16 (`position`), and
//! the answers (`answers`, `names`).
//!
//! Everything happens in one task. Messages that have arrived are all taken in before files are checked
//! again, so a fast typist's keystrokes are checked once, and no clock is needed to wait for a pause.

mod answers;
mod names;
mod position;
mod project;
mod session;
mod wire;
mod workspace;

pub use session::{Ended, serve};
pub use wire::WireError;
