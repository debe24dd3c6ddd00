//! `queues.yaml`: queues, and the suppliers that calls are handed to.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use strowger_flow::destination::{Destination, NoDestination};

use super::transfer::How;

/// The file.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct QueuesFile {
    /// Queues, by name.
    pub queues: BTreeMap<String, Queue>,
    /// Suppliers and other destinations of `transfer:`, by name.
    pub suppliers: BTreeMap<String, Supplier>,
}

/// A queue.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Queue {
    /// A name for people.
    pub title: Option<String>,
    /// Whether the queue takes contacts at all; default yes.
    pub closed: bool,
}

/// A supplier: who takes calls on our behalf.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Supplier {
    /// Where its calls go: a SIP URI such as `sip:desk@example.com` (RFC 3261 §19.1).
    #[serde(deserialize_with = "sip_uri")]
    pub sip: String,
    /// A name for people.
    #[serde(default)]
    pub title: Option<String>,
    /// Who calls it: `refer` for the caller's telephone, `bridge` for the engine; default is `transfer.how` of
    /// strowger.toml.
    #[serde(default)]
    pub how: Option<How>,
}

/// An address that a transfer can name, checked as the transfer will: later it would only be told to a caller.
fn sip_uri<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let uri = String::deserialize(deserializer)?;
    let uri = crate::sip::checked_uri(&uri).map_err(serde::de::Error::custom)?;
    match Destination::read(&uri) {
        Ok(_) => Ok(uri),
        Err(NoDestination::Malformed(why)) => Err(serde::de::Error::custom(why.english())),
        Err(NoDestination::Name) => Err(serde::de::Error::custom("it is no SIP URI")),
    }
}

#[cfg(test)]
mod tests {
    use super::Supplier;

    #[test]
    fn suppliers_have_addresses_that_can_be_called() {
        let read =
            |sip: &str| serde_json::from_value::<Supplier>(serde_json::json!({ "sip": sip }));
        for good in [
            "sip:desk@example.com",
            "sip:192.0.2.1",
            "sip:1000@[2001:db8::1]:5060",
        ] {
            read(good).unwrap_or_else(|error| panic!("{good}: {error}"));
        }
        for bad in [
            "",
            "not a uri",
            "desk@example.com",
            "sip:a b@c",
            "sip:a@b..c",
            "sip:a;b@c",
            "tel:desk",
            "sip:a@b\r\nX: y",
        ] {
            let refusal = read(bad).err().unwrap_or_else(|| panic!("{bad} was taken"));
            assert!(!refusal.to_string().contains('\n'), "{refusal}");
        }
    }
}
