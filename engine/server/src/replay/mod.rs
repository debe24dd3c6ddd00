//! Replaying contacts: the journal's inputs and answers, the real plugins, and no world.
//!
//! A replay walks in lockstep with the journal: each input of the old contact goes, at its time, into a
//! new [`Contact`](strowger_contact::Contact), and what that writes down is held against the old entries
//! until the first difference. Guests run for real, but for those that cannot do anything else than then where
//! [`Rerun`] says so; what they ask of the world is answered from the journal, so nothing ever leaves the house.

mod compare;
mod difference;
mod gather;
mod granted;
mod hurried;
mod reasons;
mod replayed;
mod rerun;
mod source;
mod stage;
mod standing;
mod walk;
mod walked;

pub use difference::{Cause, Difference, Side};
pub use gather::{Group, Summary};
pub use reasons::{Reasons, explainable, reasons};
pub use replayed::{Replayed, Verdict};
pub use rerun::Rerun;
pub(crate) use source::Packed;
pub use source::{Recording, SourceError, by_id, from_file, from_store};
pub use stage::{Overrides, Stage};
pub(crate) use standing::{Rebuilt, Standing};
pub use walk::replay;
pub(crate) use walk::{GRACE_MS, JOURNAL_LIMIT, TIMEOUT, rebuild};
