//! `kv`: a small store of the plugin's own that outlives the contact.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Error, Failure, host};

/// The value of a key, if there is one.
pub fn get(key: &str) -> Result<Option<Vec<u8>>, Error> {
    host::kv::get(key)
}

/// Sets a key; it is gone `ttl_ms` milliseconds later, or stays when that is `None`.
pub fn set(key: &str, value: &[u8], ttl_ms: Option<u64>) -> Result<(), Error> {
    host::kv::set(key, value, ttl_ms)
}

/// Removes a key; a missing one is no error.
pub fn delete(key: &str) -> Result<(), Error> {
    host::kv::delete(key)
}

/// Sets a key only if its value still is `expected` (`None`: only if it is not there). True when it was set.
pub fn compare_and_set(key: &str, expected: Option<&[u8]>, value: &[u8]) -> Result<bool, Error> {
    host::kv::compare_and_set(key, expected, value)
}

/// The value of a key, read as JSON. Fails with `bad-value` when something else lies there.
pub fn get_json<T: DeserializeOwned>(key: &str) -> Result<Option<T>, Failure> {
    let Some(bytes) = get(key)? else {
        return Ok(None);
    };
    let value = serde_json::from_slice(&bytes);
    value
        .map(Some)
        .map_err(|error| Failure::new("bad-value", format!("the value of `{key}`: {error}")))
}

/// Sets a key to a value written as JSON.
pub fn set_json(key: &str, value: &impl Serialize, ttl_ms: Option<u64>) -> Result<(), Failure> {
    let bytes = serde_json::to_vec(value)
        .map_err(|error| Failure::new("bad-value", format!("the value for `{key}`: {error}")))?;
    Ok(set(key, &bytes, ttl_ms)?)
}
