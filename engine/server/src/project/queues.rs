//! `queues.yaml`: queues, and the suppliers that calls are handed to.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The file.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QueuesFile {
    /// Queues, by name.
    pub queues: BTreeMap<String, Queue>,
    /// Suppliers and other destinations of `transfer:`, by name.
    pub suppliers: BTreeMap<String, Supplier>,
}

/// A queue.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Queue {
    /// A name for people.
    pub title: Option<String>,
    /// Whether the queue takes contacts at all; default yes.
    pub closed: bool,
}

/// A supplier: who takes calls on our behalf.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Supplier {
    /// Where its calls go: a SIP URI.
    pub sip: String,
    /// A name for people.
    #[serde(default)]
    pub title: Option<String>,
}
