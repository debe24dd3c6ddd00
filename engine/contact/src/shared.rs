//! JSON that several hold at once: the journal's entry, the guest that asked or is answered, and a replay of both.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value as Json;
use strowger_flow::value::map_bytes;

/// A JSON value that is shared instead of copied. It reads as a [`serde_json::Value`] does, and never changes.
///
/// What a guest asks is the same in the call and in its entry, and what a replay takes from a journal is the same in the
/// journal, in the contact's input and in the entry that comes of it: there the two are found equal without a look inside.
#[derive(Clone, Default)]
pub struct SharedJson(Arc<Json>);

impl SharedJson {
    /// The value itself; copied only where somebody else holds it too.
    pub fn into_json(self) -> Json {
        Arc::unwrap_or_clone(self.0)
    }

    /// At most how many bytes of memory it takes, but for what the allocator adds.
    pub(crate) fn memory_bytes(&self) -> usize {
        fn of(json: &Json) -> usize {
            let below: usize = match json {
                Json::Null | Json::Bool(_) | Json::Number(_) => 0,
                Json::String(text) => text.capacity(),
                Json::Array(items) => {
                    let left = items.capacity() - items.len();
                    left * size_of::<Json>() + items.iter().map(of).sum::<usize>()
                }
                Json::Object(fields) => {
                    let below = fields
                        .iter()
                        .map(|(name, field)| name.capacity() + of(field));
                    map_bytes::<String, Json>(fields.len()) + below.sum::<usize>()
                }
            };
            size_of::<Json>() + below
        }
        of(&self.0)
    }
}

impl From<Json> for SharedJson {
    fn from(json: Json) -> SharedJson {
        SharedJson(Arc::new(json))
    }
}

impl From<Vec<Json>> for SharedJson {
    fn from(values: Vec<Json>) -> SharedJson {
        SharedJson::from(Json::Array(values))
    }
}

impl Deref for SharedJson {
    type Target = Json;

    fn deref(&self) -> &Json {
        &self.0
    }
}

impl PartialEq for SharedJson {
    fn eq(&self, other: &SharedJson) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0 == other.0
    }
}

impl PartialEq<Json> for SharedJson {
    fn eq(&self, other: &Json) -> bool {
        *self.0 == *other
    }
}

impl fmt::Debug for SharedJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for SharedJson {
    /// Its text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for SharedJson {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SharedJson {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SharedJson, D::Error> {
        Json::deserialize(deserializer).map(SharedJson::from)
    }
}
