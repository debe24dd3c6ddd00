//! Contacts: their records, journals and transcripts.

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Json, Response};
use serde::Deserialize;
use strowger_contact::{Entry, EntryKind};

use super::{Api, Problem};
use crate::runtime::{TraceEvent, trace as events, transcript as conversation};
use crate::store::{ContactFilter, ContactRow, Store, StoreError};

/// `GET /v1/contacts`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListQuery {
    call_id: Option<String>,
    limit: Option<u32>,
}

pub(crate) async fn list(
    State(api): State<Api>,
    query: Result<Query<ListQuery>, QueryRejection>,
) -> Result<Json<Vec<ContactRow>>, Problem> {
    let Query(query) = query?;
    let filter = ContactFilter {
        sip_call_id: query.call_id,
        limit: query.limit,
    };
    api.engine.durable().await.map_err(Problem::unavailable)?;
    Ok(Json(store(&api)?.contacts(&filter).await.map_err(broken)?))
}

pub(crate) async fn one(
    State(api): State<Api>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<ContactRow>, Problem> {
    let Path(id) = id?;
    api.engine.durable().await.map_err(Problem::unavailable)?;
    store(&api)?
        .contact(&id)
        .await
        .map_err(broken)?
        .map(Json)
        .ok_or_else(|| unknown(&id))
}

pub(crate) async fn journal(
    State(api): State<Api>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let Path(id) = id?;
    let entries = entries(&api, &id).await?;
    let mut lines = String::new();
    for entry in &entries {
        lines
            .push_str(&serde_json::to_string(entry).map_err(|e| Problem::internal(e.to_string()))?);
        lines.push('\n');
    }
    Ok(([("content-type", "application/x-ndjson")], lines).into_response())
}

pub(crate) async fn trace(
    State(api): State<Api>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<Vec<TraceEvent>>, Problem> {
    let Path(id) = id?;
    Ok(Json(events(&entries(&api, &id).await?)))
}

pub(crate) async fn transcript(
    State(api): State<Api>,
    id: Result<Path<String>, PathRejection>,
) -> Result<String, Problem> {
    let Path(id) = id?;
    Ok(conversation(&entries(&api, &id).await?))
}

async fn entries(api: &Api, id: &str) -> Result<Vec<Entry>, Problem> {
    api.engine.durable().await.map_err(Problem::unavailable)?;
    let mut entries = store(api)?.journal(id).await.map_err(broken)?;
    let over = entries
        .iter()
        .any(|entry| matches!(entry.kind, EntryKind::Ended(_)));
    for entry in &mut entries {
        // Who knows it can foretell what the contact's plugins will draw.
        if let EntryKind::Started { seed, .. } = &mut entry.kind
            && !over
        {
            *seed = None;
        }
    }
    if entries.is_empty() {
        Err(unknown(id))
    } else {
        Ok(entries)
    }
}

pub(super) fn store(api: &Api) -> Result<&Store, Problem> {
    api.engine
        .store
        .as_ref()
        .ok_or_else(|| Problem::internal("this engine keeps no journal"))
}

pub(super) fn unknown(id: &str) -> Problem {
    let shown: String = id.chars().take(64).collect();
    Problem::not_found(format!(
        "there is no contact `{shown}`; /v1/contacts lists them"
    ))
}

pub(super) fn broken(error: StoreError) -> Problem {
    tracing::error!("{error}");
    Problem::internal(error.to_string())
}
