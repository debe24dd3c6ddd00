//! What is kept of contacts that are over: a record each, for reports and bills.
//!
//! A record is derived from the journal's entries and nothing else: [`Tally`] sees each as it is written and gives the
//! record at the end, which is committed together with it. The same code reads the journal of a contact whose engine
//! was killed.

mod columns;
pub mod early;
mod parquet;
mod record;
mod tally;
mod write;

pub use record::{ContactRecord, Hop, Meters, Queued, Transferred};
pub use tally::{MAX_HOPS, MAX_TAGS, MAX_TEXT, Subject, Tally};
pub use write::{Form, RecordError, Sink};
