//! What is kept of contacts does not stay for ever: retention by kind, and the forgetting of a number.
//!
//! **The rule.** Of each kind (journals, records, recordings) goes first what is ordinary, the oldest first. Rare is a
//! contact that had an error, and the first of each distinct path of which the thing is still there. Ordinary ones go
//! `days` after their end, rare ones `rare_days` after it. Above the kind's bound, the oldest ordinary ones go, and rare
//! ones only when no ordinary one is left. With a record goes everything else of its contact. Each tenant has bounds of its
//! own, whether its file names them or the centre's: what one has many of is nobody else's loss.

mod digits;
mod files;
mod forget;
mod number;
mod sweep;
mod weigher;

pub use forget::{Elsewhere, ForgetError, Forgetting, Forgotten, forget};
pub use number::{Number, NumberError};
pub(crate) use sweep::sweeper;
pub use sweep::{Gone, Rules, Sweep, SweepError, expired_keys};
pub(crate) use weigher::weigher as recordings_weigher;
