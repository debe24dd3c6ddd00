//! Reading the audit log.

use axum::extract::State;

use super::page::{AuditId, Listed, Page, PageOfAudit};
use super::principal::Principal;
use super::{Api, Problem};
use crate::store::AuditRow;

/// Read the audit log
///
/// Every change, and every one that was refused; the newest first.
#[utoipa::path(
    get, path = "/v1/audit", operation_id = "list_audit", tag = "access", params(PageOfAudit),
    responses((status = 200, body = Page<AuditRow>, headers(("Link" = String, description = "The next page; not on the last."))))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    principal: Principal,
    listed: Listed<AuditId>,
) -> Result<Page<AuditRow>, Problem> {
    let after = listed.after.as_ref().map(|after| after.0.as_str());
    let tenant = principal.tenant.as_deref();
    let store = api.gate.store()?;
    let rows = store.audit_log(tenant, after, listed.rows()).await?;
    Ok(listed.page(rows, |row| AuditId(row.id.clone())))
}
