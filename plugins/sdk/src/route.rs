//! `route`: handing the contact to people.

use serde::Serialize;

pub use crate::bindings::strowger::route::route::{
    Attachment, QueueOptions, Queued, TransferOptions, TransferRefusal, Transferred,
};

use crate::{Error, Failure, host};

/// Transfers the contact to a telephone number, a SIP URI, or the name of a supplier of the project.
pub fn transfer(target: &str, options: &TransferOptions) -> Result<Transferred, Error> {
    host::route::transfer(target, options)
}

/// Puts the contact into a queue of the project and waits for a seat.
pub fn enqueue(queue: &str, options: &QueueOptions) -> Result<Queued, Error> {
    host::route::enqueue(queue, options)
}

impl Attachment {
    /// A value that goes along with the contact.
    pub fn new(name: impl Into<String>, value: &impl Serialize) -> Result<Attachment, Failure> {
        let value = serde_json::to_string(value).map_err(|error| {
            Failure::new(
                "bad-output",
                format!("an attachment cannot be written as JSON: {error}"),
            )
        })?;
        Ok(Attachment {
            name: name.into(),
            value,
        })
    }
}
