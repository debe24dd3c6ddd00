//! What is known about a contact from the start.

use serde::{Deserialize, Serialize};

/// How a contact reached us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// A telephone call.
    Voice,
    /// A written conversation.
    Chat,
}

/// What is known about a contact from the start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Identifies the contact for ever.
    pub id: String,
    /// How it reached us.
    pub channel: Channel,
    /// The caller's number or address; empty when withheld.
    pub from: String,
    /// The number or address that was called.
    pub to: String,
    /// When it began.
    pub started_at: crate::Millis,
    /// Where the contact's random numbers come from.
    pub seed: [u8; 32],
}
