//! Records of contacts that are over.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use utoipa::IntoParams;

use super::contacts::{store, unknown};
use super::extract::Id;
use super::page::{Listed, Moment, Page, PageOfMoments};
use super::principal::Principal;
use super::problem::ProblemBody;
use super::tagged::Tagged;
use super::{Api, Problem};
use crate::clock::moment;
use crate::records::ContactRecord;
use crate::store::RecordFilter;

/// What the list takes beside its page.
#[derive(Debug, Default, Deserialize, IntoParams)]
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
    /// Only those that have a tag of this name, such as `callback`.
    tag: Option<String>,
}

/// List records
///
/// Of contacts that are over, the oldest end first.
#[utoipa::path(
    get, path = "/v1/records", operation_id = "list_records", tag = "contacts", params(ListRecords, PageOfMoments),
    responses((status = 200, body = Page<ContactRecord>, headers(("Link" = String, description = "The next page; not on the last."))))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    principal: Principal,
    mut listed: Listed<Moment, ListRecords>,
) -> Result<Response, Problem> {
    let query = std::mem::take(&mut listed.which);
    let time = |name: &str, text: Option<String>| {
        let at = text.as_deref().map(moment).transpose();
        at.map_err(|why| Problem::bad_request(format!("`{name}`: {why}")))
    };
    let after = listed.after.clone();
    // PostgreSQL takes no NUL, and no name has one.
    let name = |name: String| name.replace('\0', "\u{fffd}");
    let asked = query.tenant.map(name);
    let unseen = asked
        .as_deref()
        .is_some_and(|tenant| !principal.sees(tenant));
    let filter = RecordFilter {
        from: time("from", query.from)?.unwrap_or_default(),
        to: time("to", query.to)?,
        tenant: principal.tenant.clone().or(asked),
        flow: query.flow.map(name),
        tag: query.tag.map(name),
        after: after.map(|after| (after.at, after.id)),
        limit: Some(listed.rows()),
    };
    api.node.durable().await.map_err(Problem::unavailable)?;
    // All that may be on the page is in memory until it is made.
    let reading = api.readings.begin(&principal).await;
    let records = match unseen {
        true => Vec::new(),
        false => store(&api)?.records(&filter).await?.records,
    };
    let answer = reading.answered(move || {
        let page = listed.page(records, |record| Moment {
            at: record.ended_at,
            id: record.id.clone(),
        });
        Ok(page.into_response())
    });
    answer.await
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
