//! What is told of an event.

use serde_json::{Value as Json, json};

use crate::store::{EventRow, Store, StoreError};

/// The body of an event, for webhooks and the stream alike. None when its contact is gone: removed by retention, or
/// forgotten.
pub async fn payload(store: &Store, event: &EventRow) -> Result<Option<Json>, StoreError> {
    let Some(contact) = store.contact(&event.contact).await? else {
        return Ok(None);
    };
    let mut told = json!({
        "id": event.id.to_string(),
        "event": event.kind,
        "at": event.at,
        "tenant": contact.tenant,
        "contact": contact.id,
    });
    if event.kind == "contact.ended" {
        told["record"] = json!(store.record(&event.contact).await?);
    } else {
        told["flow"] = json!(contact.flow);
        told["channel"] = json!(contact.channel);
        told["from"] = json!(contact.from);
        told["to"] = json!(contact.to);
    }
    Ok(Some(told))
}
