//! `kv` of a test: a store that begins empty and ends with the contact, under the limits of the real one.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use strowger_contact::Millis;
use strowger_contact::call::{Bytes, CallError, KvCall};

use crate::store::{KvError, KvLimits, check_kv};

/// What holds where nobody says otherwise: a test has no operator.
const LIMITS: &KvLimits = &KvLimits::DEFAULT;

/// The spaces of all plugins.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    spaces: BTreeMap<String, BTreeMap<String, Kept>>,
}

#[derive(Debug)]
struct Kept {
    value: Vec<u8>,
    until: Option<Millis>,
}

impl Memory {
    /// Does a call; the answer is the JSON form of the function's WIT result.
    pub(crate) fn perform(&mut self, plugin: &str, call: KvCall, now: Millis) -> Json {
        let done = self.attempt(plugin, call, now);
        done.unwrap_or_else(|error| {
            let told = error.to_string();
            let error = match error {
                KvError::Key(_) => CallError::InvalidArgument(told),
                _ => CallError::Limit(told),
            };
            json!({ "err": error })
        })
    }

    fn attempt(&mut self, plugin: &str, call: KvCall, now: Millis) -> Result<Json, KvError> {
        let space = self.spaces.entry(plugin.to_owned()).or_default();
        space.retain(|_, kept| kept.until.is_none_or(|until| until > now));
        let held = |space: &BTreeMap<String, Kept>, key: &str| {
            space.get(key).map(|kept| Bytes(kept.value.clone()))
        };
        match call {
            KvCall::Get(key) => {
                check_kv(&key, None, LIMITS)?;
                Ok(json!({ "ok": held(space, &key) }))
            }
            KvCall::Set(key, value, ttl) => {
                let until = ttl.map(|ttl| now.saturating_add(ttl));
                put(space, key, value, until)?;
                Ok(json!({ "ok": null }))
            }
            KvCall::Delete(key) => {
                check_kv(&key, None, LIMITS)?;
                space.remove(&key);
                Ok(json!({ "ok": null }))
            }
            KvCall::CompareAndSet(key, expected, value) => {
                check_kv(&key, Some(&value.0), LIMITS)?;
                let as_expected =
                    held(space, &key).map(|held| held.0) == expected.map(|expected| expected.0);
                if as_expected {
                    put(space, key, value, None)?;
                }
                Ok(json!({ "ok": as_expected }))
            }
        }
    }
}

fn put(
    space: &mut BTreeMap<String, Kept>,
    key: String,
    value: Bytes,
    until: Option<Millis>,
) -> Result<(), KvError> {
    check_kv(&key, Some(&value.0), LIMITS)?;
    if !space.contains_key(&key) && space.len() as u64 >= LIMITS.keys {
        return Err(KvError::Limit {
            rule: "kv.keys",
            text: format!("a plugin keeps at most {} keys", LIMITS.keys),
        });
    }
    let value = value.0;
    space.insert(key, Kept { value, until });
    Ok(())
}
