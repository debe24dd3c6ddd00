//! A revision that shadows what a tenant has live.

use axum::extract::{Extension, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::extract::{Body, IfMatch};
use super::principal::Principal;
use super::problem::ProblemBody;
use super::tagged::Tagged;
use super::tenants::Named;
use super::{Api, Problem};
use crate::centre::extent;
use crate::shadow::Report;

/// Which revision shadows, and how much.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ShadowOrder {
    /// The revision.
    #[schema(minimum = 1)]
    revision: u64,
    /// Of a hundred contacts that end, how many it follows; 100 unless you say fewer.
    #[serde(default = "all")]
    #[schema(minimum = 1, maximum = 100, default = 100)]
    percent: u64,
    /// Milliseconds of processor time in a second that it may use; 50 unless you say otherwise.
    #[serde(default = "little")]
    #[schema(minimum = 1, maximum = 1000, default = 50)]
    cpu_ms_per_s: u64,
}

fn all() -> u64 {
    100
}

fn little() -> u64 {
    50
}

/// Start a shadow
///
/// From now on the tenant's contacts that end are walked again on this revision, from their journals: nothing of it leaves the house,
/// and it runs when nobody else wants the processor. It ends with the engine.
#[utoipa::path(
    put, path = "/v1/tenants/{tenant}/shadow", operation_id = "start_shadow", tag = "tenants", request_body = ShadowOrder,
    params(
        ("tenant" = String, Path, description = "The tenant's name.", max_length = 64),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that a GET gave: start it only as the last one was then."),
    ),
    responses(
        (status = 200, body = Report, description = "It runs.", headers(("ETag" = String))),
        (status = 403, body = ProblemBody, content_type = "application/problem+json", description = "Nothing is published here."),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No such revision or tenant, or not yours."),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "Another one runs, or the revision is live."),
        (status = 422, body = ProblemBody, content_type = "application/problem+json", description = "`percent` or `cpu_ms_per_s` is none (`field` names it), or it cannot be served: why not."),
    )
)]
pub(crate) async fn start(
    State(api): State<Api>,
    Named(tenant): Named,
    principal: Principal,
    if_match: IfMatch,
    Body(order): Body<ShadowOrder>,
) -> Result<Response, Problem> {
    if if_match.is_given() {
        match api.node.shadows.report(&tenant) {
            Some(report) => if_match.check(&report)?,
            None => if_match.check_absent()?,
        }
    }
    let extent = extent(order.percent, order.cpu_ms_per_s)?;
    let report = api.centre.shadow(&tenant, order.revision, extent).await?;
    let detail = json!({ "percent": extent.percent, "cpu_ms_per_s": extent.cpu_ms_per_s });
    done(&api, &principal, &tenant, "shadow.start", report, detail).await
}

/// Stop a shadow
///
/// What it has found comes back, and can be looked at until the next one starts.
#[utoipa::path(
    delete, path = "/v1/tenants/{tenant}/shadow", operation_id = "stop_shadow", tag = "tenants",
    params(
        ("tenant" = String, Path, description = "The tenant's name.", max_length = 64),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that a GET gave: stop it only as it was then."),
    ),
    responses(
        (status = 200, body = Report, description = "It is stopped.", headers(("ETag" = String))),
        (status = 412, body = ProblemBody, content_type = "application/problem+json", description = "It was changed since."),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No shadow or tenant, or not yours."),
    )
)]
pub(crate) async fn stop(
    State(api): State<Api>,
    Named(tenant): Named,
    principal: Principal,
    if_match: IfMatch,
) -> Result<Response, Problem> {
    if if_match.is_given() {
        let there = api.node.shadows.report(&tenant);
        if_match.check(&there.ok_or_else(|| none(&tenant))?)?;
    }
    let report = api.node.shadows.stop(&tenant, api.now());
    let report = report.ok_or_else(|| none(&tenant))?;
    let detail = json!({ "compared": report.compared, "different": report.different });
    done(&api, &principal, &tenant, "shadow.stop", report, detail).await
}

/// Look at a shadow
///
/// What it has found so far, or had when it was stopped.
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/shadow", operation_id = "get_shadow", tag = "tenants",
    params(("tenant" = String, Path, description = "The tenant's name.", max_length = 64)),
    responses(
        (status = 200, body = Report, headers(("ETag" = String))),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No shadow or tenant, or not yours."),
    )
)]
pub(crate) async fn report(
    State(api): State<Api>,
    Named(tenant): Named,
) -> Result<Tagged<Report>, Problem> {
    let report = api.node.shadows.report(&tenant);
    Ok(Tagged(report.ok_or_else(|| none(&tenant))?))
}

async fn done(
    api: &Api,
    principal: &Principal,
    tenant: &str,
    action: &str,
    report: Report,
    detail: serde_json::Value,
) -> Result<Response, Problem> {
    let change = principal
        .change(api.now(), action, format!("{tenant}/{}", report.revision))
        .of_tenant(Some(tenant.to_owned()))
        .with(detail);
    let audited = api.audit(&change).await?;
    Ok((Extension(audited), Tagged(report)).into_response())
}

fn none(tenant: &str) -> Problem {
    Problem::not_found(format!(
        "nothing shadows {tenant}, and nothing has since the engine started"
    ))
}
