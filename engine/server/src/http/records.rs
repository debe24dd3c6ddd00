//! Records of contacts that are over.

use axum::extract::{OriginalUri, State};
use serde::Deserialize;
use utoipa::IntoParams;

use super::contacts::{store, unknown};
use super::extract::{Asked, Id};
use super::page::{self, Page};
use super::principal::Principal;
use super::problem::ProblemBody;
use super::tagged::Tagged;
use super::{Api, Problem};
use crate::clock::moment;
use crate::records::ContactRecord;
use crate::store::RecordFilter;

/// What the list takes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListRecords {
    /// Contacts that ended at this time or later: a day (its first moment, UTC), a time of RFC 3339, or milliseconds
    /// since 1970.
    #[param(
        max_length = 40,
        pattern = "^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$"
    )]
    from: Option<String>,
    /// Contacts that ended before this time, written in the same way.
    #[param(
        max_length = 40,
        pattern = "^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$"
    )]
    to: Option<String>,
    /// Only those of this tenant.
    tenant: Option<String>,
    /// Only those that began in this flow.
    flow: Option<String>,
    /// Items of the page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// The `next` of the page before.
    #[param(max_length = 256, pattern = "^[0-9]{1,15}[.][!-~]+$")]
    after: Option<String>,
}

/// List records
///
/// Of contacts that are over, the oldest end first.
#[utoipa::path(
    get, path = "/v1/records", operation_id = "list_records", tag = "contacts", params(ListRecords),
    responses((status = 200, body = Page<ContactRecord>, headers(("Link" = String, description = "The next page; not on the last."))))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    OriginalUri(uri): OriginalUri,
    principal: Principal,
    Asked(query): Asked<ListRecords>,
) -> Result<Page<ContactRecord>, Problem> {
    let limit = page::limit(query.limit)?;
    let time = |name: &str, text: Option<String>| {
        let at = text.as_deref().map(moment).transpose();
        at.map_err(|why| Problem::bad_request(format!("`{name}`: {why}")))
    };
    let after = page::after(query.after.as_deref())?.map(|after| {
        let (at, id) = after.split_once('.').filter(|(at, _)| at.len() <= 15)?;
        Some((at.parse().ok()?, id.to_owned()))
    });
    // PostgreSQL takes no NUL, and no name has one.
    let name = |name: String| name.replace('\0', "\u{fffd}");
    let asked = query.tenant.map(name);
    let unseen = asked
        .as_deref()
        .is_some_and(|tenant| !principal.sees(tenant));
    let filter = RecordFilter {
        from: time("from", query.from)?.unwrap_or_default(),
        to: time("to", query.to)?,
        tenant: principal.tenant.or(asked),
        flow: query.flow.map(name),
        after: after
            .map(|after| after.ok_or_else(page::wrong_cursor))
            .transpose()?,
        limit: Some(limit + 1),
    };
    api.node.durable().await.map_err(Problem::unavailable)?;
    let records = match unseen {
        true => Vec::new(),
        false => store(&api)?.records(&filter).await?.records,
    };
    Ok(Page::of(&uri, records, limit, |record| {
        format!("{}.{}", record.ended_at, record.id)
    }))
}

/// A contact's record
///
/// What is kept of it when it is over.
#[utoipa::path(
    get, path = "/v1/contacts/{id}/record", operation_id = "get_contact_record", tag = "contacts",
    params(("id" = String, Path, description = "The contact's id.", max_length = 64)),
    responses(
        (status = 200, body = ContactRecord, headers(("ETag" = String))),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No such contact, another tenant's, or one older than records are."),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "The contact is not over."),
    )
)]
pub(crate) async fn one(
    State(api): State<Api>,
    principal: Principal,
    Id(id): Id,
) -> Result<Tagged<ContactRecord>, Problem> {
    api.node.durable().await.map_err(Problem::unavailable)?;
    let store = store(&api)?;
    let row = store.contact(&id).await?;
    let row = row.filter(|row| principal.sees(&row.tenant));
    let row = row.ok_or_else(|| unknown(&id))?;
    if let Some(record) = store.record(&id).await? {
        return Ok(Tagged(record));
    }
    Err(match row.ended_at {
        None => Problem::conflict("the contact is not over: its record is written at its end"),
        Some(_) => Problem::not_found("the contact has no record: it is older than records are"),
    })
}
