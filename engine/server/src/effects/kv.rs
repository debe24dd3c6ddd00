//! `kv`: the plugin's own space in the store.

use serde_json::{Value as Json, json};
use strowger_contact::call::{Bytes, CallError, KvCall};

use super::Refusal;
use crate::store::{KvError, KvLimits, Space, Store};

/// Does a key-value call; the answer is the JSON form of the function's WIT result.
pub(super) async fn perform(
    store: &Store,
    tenant: &str,
    plugin: &str,
    limits: &KvLimits,
    call: KvCall,
    now: u64,
) -> Result<Json, Refusal> {
    let space = Space {
        tenant,
        plugin,
        limits,
    };
    let done = match call {
        KvCall::Get(key) => store
            .kv_get(space, &key, now)
            .await
            .map(|value| json!({ "ok": value.map(Bytes) })),
        KvCall::Set(key, value, ttl) => {
            let expires_at = ttl.map(|ttl| now.saturating_add(ttl));
            store
                .kv_set(space, &key, &value.0, expires_at, now)
                .await
                .map(|()| json!({ "ok": null }))
        }
        KvCall::Delete(key) => store
            .kv_delete(space, &key)
            .await
            .map(|()| json!({ "ok": null })),
        KvCall::CompareAndSet(key, expected, value) => {
            let expected = expected.as_ref().map(|expected| expected.0.as_slice());
            store
                .kv_compare_and_set(space, &key, expected, &value.0, now)
                .await
                .map(|set| json!({ "ok": set }))
        }
    };
    done.map_err(|error| match error {
        KvError::Limit { rule, text } => Refusal::limit(rule, text),
        KvError::Key(why) => CallError::InvalidArgument(why.to_owned()).into(),
        KvError::Store(error) => CallError::Unavailable(error.to_string()).into(),
    })
}
