//! Values and types of the flow language.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

mod currency;
mod json;
mod literal;
mod types;

pub use json::{from_json, missing_field, type_of_schema};
pub use literal::{MAX_DURATION_MS, parse_literal};
pub(crate) use literal::{UNITS, all_digits};

/// A value at run time.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// The absence of a value; written `none`.
    None,
    /// `true` or `false`.
    Bool(bool),
    /// A number. Whole numbers are exact up to 2^53.
    Number(f64),
    /// Text.
    Text(String),
    /// A day, without a time.
    Date(jiff::civil::Date),
    /// A time of day.
    Time(jiff::civil::Time),
    /// A moment, with the zone it is told in.
    DateTime(jiff::Zoned),
    /// A span of time in milliseconds.
    Duration(i64),
    /// An amount of money.
    Money(Money),
    /// A telephone number as received.
    Phone(String),
    /// Values in order.
    List(Vec<Value>),
    /// Named values.
    Object(BTreeMap<String, Value>),
    /// Something that must not be read; see [`Secret`].
    Secret(Secret),
}

/// Deepest nesting of a value, lists and objects in each other: what is kept of a contact must be read again, in a journal and in a
/// record, by readers that have an end.
pub const MAX_DEPTH: usize = 64;

impl Value {
    /// How deep lists and objects are nested in it: 0 of a text, 1 of a list of texts.
    pub fn depth(&self) -> usize {
        let below = match self {
            Value::List(items) => items.iter().map(Value::depth).max(),
            Value::Object(fields) => fields.values().map(Value::depth).max(),
            _ => return 0,
        };
        1 + below.unwrap_or(0)
    }

    /// About how many bytes of memory it takes.
    pub fn held_bytes(&self) -> usize {
        let below: usize = match self {
            Value::Text(text) | Value::Phone(text) => text.len(),
            Value::List(items) => items.iter().map(Value::held_bytes).sum(),
            Value::Object(fields) => fields
                .iter()
                .map(|(name, field)| size_of::<String>() + name.len() + field.held_bytes())
                .sum(),
            Value::Secret(secret) => secret.handle.len() + secret.last_four.len(),
            _ => 0,
        };
        size_of::<Value>() + below
    }

    /// At most how many bytes of memory it takes, but for what the allocator adds: with the room that texts and lists have left, and with
    /// all of the nodes that fields stand in.
    pub fn memory_bytes(&self) -> usize {
        let below: usize = match self {
            Value::Text(text) | Value::Phone(text) => text.capacity(),
            Value::List(items) => {
                let left = items.capacity() - items.len();
                let items = items.iter().map(Value::memory_bytes);
                left * size_of::<Value>() + items.sum::<usize>()
            }
            Value::Object(fields) => {
                let below = fields
                    .iter()
                    .map(|(name, field)| name.capacity() + field.memory_bytes());
                map_bytes::<String, Value>(fields.len()) + below.sum::<usize>()
            }
            Value::Secret(secret) => secret.handle.capacity() + secret.last_four.capacity(),
            _ => 0,
        };
        size_of::<Value>() + below
    }

    /// Gives back the room that it has left where it is a text: one that was put together may have as much again.
    pub fn shrunk(self) -> Value {
        match self {
            Value::Text(mut text) => {
                text.shrink_to_fit();
                Value::Text(text)
            }
            other => other,
        }
    }
}

/// At most how many bytes the nodes of an ordered map of so many entries take: each has room for eleven, and but for the first one
/// five are in it at least.
pub fn map_bytes<K, V>(entries: usize) -> usize {
    const ROOM: usize = 11;
    const LEAST: usize = 5;
    // Beside the entries a parent, and of an inner node one child more than it has entries.
    let node = ROOM * (size_of::<K>() + size_of::<V>()) + (ROOM + 3) * size_of::<usize>();
    match entries {
        0 => 0,
        entries => (1 + entries / LEAST) * node,
    }
}

/// An amount of money in the currency's smallest unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// In the smallest unit: 19900 is 199.00 yuan, 500 is 500 yen.
    pub amount: i64,
    /// ISO 4217, upper case.
    pub currency: String,
}

/// A secret: a handle, and the little that may be known of what it stands for.
///
/// Neither `Debug` nor JSON shows more than the length.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    /// Names the secret within its contact.
    pub handle: String,
    /// How many characters it has.
    pub length: u32,
    /// Its last four characters; empty when it has fewer than eight.
    pub last_four: String,
}

impl Secret {
    /// Shortest secret of which anything is shown, in characters: the last four of a shorter one would be half of it.
    pub const SHOWN_FROM: usize = 8;
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} characters)", self.length)
    }
}

/// A type of the flow language.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Type {
    /// Not known, because of an earlier finding or because nobody said: fits everything, so that one
    /// mistake is one finding.
    Any,
    /// The type of `none`.
    None,
    /// `bool`.
    Bool,
    /// `number`.
    Number,
    /// `text`.
    Text,
    /// Text that is one of these.
    OneOf(Vec<String>),
    /// `date`.
    Date,
    /// `time`.
    Time,
    /// `datetime`.
    DateTime,
    /// `duration`.
    Duration,
    /// `money`.
    Money,
    /// `phone`.
    Phone,
    /// `list` of something.
    List(Box<Type>),
    /// `object`; with the fields that are known. An `open` object may have others.
    Object {
        /// Known fields.
        fields: BTreeMap<String, Type>,
        /// Whether other fields may exist.
        open: bool,
    },
    /// A value that may also be `none`.
    Optional(Box<Type>),
    /// `secret`.
    Secret,
}

/// The language and the channel that a value is said for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locale {
    /// BCP 47, lower case primary subtag: `zh`, `en`.
    pub language: String,
    /// Whether the words are heard (`true`) or read (`false`).
    pub spoken: bool,
}

#[cfg(test)]
mod tests;
