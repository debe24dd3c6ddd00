//! Reading the audit log.

use axum::extract::State;

use super::page::{Listed, Page, PageOfNames};
use super::principal::Principal;
use super::{Api, Problem};
use crate::store::AuditRow;

/// Read the audit log
///
/// Every change, and every one that was refused; the newest first.
#[utoipa::path(
    get, path = "/v1/audit", operation_id = "list_audit", tag = "access", params(PageOfNames),
    responses((status = 200, body = Page<AuditRow>, headers(("Link" = String, description = "The next page; not on the last."))))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    principal: Principal,
    listed: Listed<String>,
) -> Result<Page<AuditRow>, Problem> {
    let (tenant, after) = (principal.tenant.as_deref(), listed.after.as_deref());
    let store = api.gate.store()?;
    let rows = store.audit_log(tenant, after, listed.rows()).await?;
    Ok(listed.page(rows, |row| row.id.clone()))
}
