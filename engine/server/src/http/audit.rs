//! Reading the audit log.

use axum::extract::{OriginalUri, State};
use serde::Deserialize;
use utoipa::IntoParams;

use super::extract::Asked;
use super::page::{self, Page};
use super::principal::Principal;
use super::{Api, Problem};
use crate::store::AuditRow;

/// What the list takes.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListAudit {
    /// Items of the page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// The `next` of the page before.
    #[param(max_length = 256, pattern = "^[!-~]+$")]
    after: Option<String>,
}

/// Read the audit log
///
/// Every change, and every one that was refused; the newest first.
#[utoipa::path(
    get, path = "/v1/audit", operation_id = "list_audit", tag = "access", params(ListAudit),
    responses((status = 200, body = Page<AuditRow>, headers(("Link" = String, description = "The next page; not on the last."))))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    OriginalUri(uri): OriginalUri,
    principal: Principal,
    Asked(query): Asked<ListAudit>,
) -> Result<Page<AuditRow>, Problem> {
    let limit = page::limit(query.limit)?;
    let after = page::after(query.after.as_deref())?;
    let store = api.gate.store()?;
    let rows = store
        .audit_log(principal.tenant.as_deref(), after, limit + 1)
        .await?;
    Ok(Page::of(&uri, rows, limit, |row| row.id.clone()))
}
