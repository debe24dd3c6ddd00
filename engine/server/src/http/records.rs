//! Records of contacts that are over.

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::Json;
use serde::{Deserialize, Serialize};

use super::contacts::{broken, store, unknown};
use super::{Api, Problem};
use crate::clock::moment;
use crate::records::ContactRecord;
use crate::store::RecordFilter;

/// `GET /v1/records`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RecordsQuery {
    from: Option<String>,
    to: Option<String>,
    tenant: Option<String>,
    flow: Option<String>,
    after: Option<String>,
    limit: Option<u32>,
}

/// A page of records.
#[derive(Debug, Serialize)]
pub(crate) struct Records {
    records: Vec<ContactRecord>,
    /// What `after` is for the next page; none on the last.
    next: Option<String>,
}

pub(crate) async fn list(
    State(api): State<Api>,
    query: Result<Query<RecordsQuery>, QueryRejection>,
) -> Result<Json<Records>, Problem> {
    let Query(query) = query.map_err(|rejection| {
        let detail = format!(
            "{}; the query takes `from`, `to`, `tenant`, `flow`, `after` and `limit`, a number from 0",
            rejection.body_text()
        );
        Problem::of(rejection.status(), detail)
    })?;
    let time = |name: &str, text: Option<String>| match text.as_deref().map(moment) {
        None => Ok(None),
        Some(Ok(at)) => Ok(Some(at)),
        Some(Err(why)) => Err(Problem::of(
            StatusCode::BAD_REQUEST,
            format!("`{name}`: {why}"),
        )),
    };
    let after = match &query.after {
        None => None,
        Some(after) => Some(place(after).ok_or_else(|| {
            let why = "`after` is no place in the list: it is `next` of the page before";
            Problem::of(StatusCode::BAD_REQUEST, why)
        })?),
    };
    let filter = RecordFilter {
        from: time("from", query.from)?.unwrap_or_default(),
        to: time("to", query.to)?,
        tenant: query.tenant,
        flow: query.flow,
        after,
        limit: query.limit,
    };
    api.engine.durable().await.map_err(Problem::unavailable)?;
    let page = store(&api)?.records(&filter).await.map_err(broken)?;
    Ok(Json(Records {
        records: page.records,
        next: page.next.map(|(at, contact)| format!("{at}.{contact}")),
    }))
}

pub(crate) async fn one(
    State(api): State<Api>,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<ContactRecord>, Problem> {
    let Path(id) = id?;
    api.engine.durable().await.map_err(Problem::unavailable)?;
    let store = store(&api)?;
    if let Some(record) = store.record(&id).await.map_err(broken)? {
        return Ok(Json(record));
    }
    Err(match store.contact(&id).await.map_err(broken)? {
        None => unknown(&id),
        Some(contact) if contact.ended_at.is_none() => Problem::of(
            StatusCode::CONFLICT,
            "the contact is not over: its record is written at its end",
        ),
        Some(_) => Problem::not_found("the contact has no record: it is older than records are"),
    })
}

fn place(after: &str) -> Option<(u64, String)> {
    let (at, contact) = after.split_once('.')?;
    Some((at.parse().ok()?, contact.to_owned()))
}
