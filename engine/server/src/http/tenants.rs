//! Tenants: what they pushed, and what is live.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Extension, FromRequestParts, Path, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use strowger_flow::unseen::{is_unseen, quoted};
use utoipa::{IntoParams, ToSchema};

use super::extract::{Asked, Body, IfMatch};
use super::guard::Gone;
use super::page::{Listed, Page, PageOfNames, PageOfNumbers};
use super::principal::Principal;
use super::problem::ProblemBody;
use super::routes::MAX_PUSH;
use super::tagged::Tagged;
use super::{Api, Problem};
use crate::access::Permission;
use crate::centre::archive::ArchiveError;
use crate::centre::signature::signature;
use crate::centre::{MAX_NOTE, Onto, Order, Pushed, Pusher, Refusal, Tenant};
use crate::store::{Audited, Change, PluginVersion, Release, Revision};

/// The header with the signature of a plugin: Ed25519, 64 bytes in base64.
pub(crate) const SIGNATURE: &str = "strowger-signature";

/// When a push is worth another try that the engine was too busy for, in seconds.
const BUSY_S: u64 = 60;

/// A tenant as the API shows it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Tenant)]
pub(crate) struct TenantView {
    /// Its name.
    name: String,
    /// A name for people.
    #[schema(required)]
    title: Option<String>,
    /// The numbers that are its own.
    numbers: Vec<String>,
    /// Whether its plugins must be signed.
    signed: bool,
    /// Contacts in progress.
    contacts: usize,
    /// Contacts that it may have at once.
    contacts_most: usize,
    /// Contacts refused since the start because there were too many, or because its journals took too much of the store.
    refused: u64,
    /// What new contacts walk; null before the first release, and where that cannot be served: `fault` says why.
    #[schema(required)]
    release: Option<Release>,
    /// Why what is released cannot be served, or what it needs and is not granted; null while all is well.
    #[schema(required)]
    fault: Option<String>,
}

impl TenantView {
    fn of(tenant: &Tenant) -> TenantView {
        let config = tenant.config();
        TenantView {
            name: tenant.name.clone(),
            title: config.title.clone(),
            numbers: config.numbers.clone(),
            signed: config.signed,
            contacts: tenant.contacts(),
            contacts_most: config.limits.contacts,
            refused: tenant.refused(),
            release: tenant.live().and_then(|live| live.release),
            fault: tenant.fault(),
        }
    }
}

/// The tenant in the path, if whoever asks may see it.
pub(crate) struct Named(pub String);

impl FromRequestParts<Api> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        #[derive(Deserialize)]
        struct InPath {
            tenant: String,
        }
        let Path(InPath { tenant }) = Path::from_request_parts(parts, api).await?;
        let principal = Principal::from_request_parts(parts, api).await?;
        match api
            .centre
            .tenant(&tenant)
            .filter(|_| principal.sees(&tenant))
        {
            Some(_) => Ok(Named(tenant)),
            None => Err(unknown(&tenant)),
        }
    }
}

/// The number in the path.
pub(crate) struct Number(u64);

impl FromRequestParts<Api> for Number {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        #[derive(Deserialize)]
        struct InPath {
            number: u64,
        }
        let Path(InPath { number }) = Path::from_request_parts(parts, api).await?;
        Ok(Number(number))
    }
}

/// What a push takes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Noted {
    /// What is new, for those who look at the revisions.
    #[serde(default)]
    #[param(max_length = 500)]
    note: String,
}

/// What a push of a plugin takes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Placed {
    /// What is new, for those who look at the revisions.
    #[serde(default)]
    #[param(max_length = 500)]
    note: String,
    /// Which revision it is put into.
    #[serde(default)]
    #[param(inline)]
    onto: Onto,
}

/// A note, which others are shown: no character of it may break a line or turn what stands around it.
fn shown(note: &str) -> Result<&str, Problem> {
    let wrong = if note.chars().count() > MAX_NOTE {
        format!("it has at most {MAX_NOTE} characters")
    } else if let Some(odd) = note.chars().find(|&c| is_unseen(c)) {
        format!(
            "it has the character U+{:04X}, which controls how text is shown: leave it out",
            u32::from(odd)
        )
    } else {
        return Ok(note);
    };
    Err(Problem::unprocessable(format!("the note: {wrong}")))
}

/// List tenants
///
/// By name.
#[utoipa::path(
    get, path = "/v1/tenants", operation_id = "list_tenants", tag = "tenants", params(PageOfNames),
    responses((status = 200, body = Page<TenantView>, headers(("Link" = String, description = "The next page; not on the last."))))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    principal: Principal,
    listed: Listed<String>,
) -> Result<Page<TenantView>, Problem> {
    let tenants = api.centre.tenants();
    let seen = tenants
        .iter()
        .filter(|tenant| principal.sees(&tenant.name) && listed.follows(&tenant.name));
    let seen = seen.map(|tenant| TenantView::of(tenant));
    Ok(listed.page(seen, |tenant| tenant.name.clone()))
}

/// Look at a tenant
///
/// Its numbers, what is live, how many contacts it has.
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}", operation_id = "get_tenant", tag = "tenants",
    params(("tenant" = String, Path, description = "The tenant's name.", max_length = 64)),
    responses(
        (status = 200, body = TenantView, headers(("ETag" = String))),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No such tenant, or not yours."),
    )
)]
pub(crate) async fn one(
    State(api): State<Api>,
    Named(name): Named,
) -> Result<Tagged<TenantView>, Problem> {
    let tenant = api.centre.tenant(&name).ok_or_else(|| unknown(&name))?;
    Ok(Tagged(TenantView::of(&tenant)))
}

/// Push a project
///
/// The project's folder, packed by tar and perhaps gzip. It is checked as `strowger check` does, and kept as a revision;
/// nothing is live of it before a release.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/revisions", operation_id = "push_project", tag = "tenants",
    params(("tenant" = String, Path, description = "The tenant's name.", max_length = 64), Noted),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "A tar archive, perhaps compressed by gzip."),
    responses(
        (status = 201, body = Pushed, description = "It is kept."),
        (status = 400, body = ProblemBody, content_type = "application/problem+json", description = "No archive that is whole."),
        (status = 403, body = ProblemBody, content_type = "application/problem+json", description = "Not for this tenant, or a plugin comes with it and you may not push plugins."),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No such tenant, or not yours."),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "It does not fit what is there, such as a plugin's version with other bytes."),
        (status = 413, body = ProblemBody, content_type = "application/problem+json", description = "Too large."),
        (status = 422, body = ProblemBody, content_type = "application/problem+json", description = "It has errors: all of them."),
        (status = 507, body = ProblemBody, content_type = "application/problem+json", description = "There is no room for it."),
    )
)]
pub(crate) async fn push_project(
    State(api): State<Api>,
    Named(tenant): Named,
    principal: Principal,
    Asked(query): Asked<Noted>,
    Extension(Gone(gone)): Extension<Gone>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = body.map_err(cut_off)?;
    let change = change(&api, &principal, &tenant, "revision.push");
    let with_plugins = principal.role.may(Permission::PluginsPush);
    let note = shown(&query.note)?;
    let by = Pusher { note, change, gone };
    let pushed = api
        .centre
        .push_project(&tenant, body.to_vec(), with_plugins, by);
    Ok(kept(pushed.await?))
}

/// Push a plugin
///
/// A component. A revision is made with it in place of the version that the newest one has, or the live one; every flow of the project is
/// checked with it.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/plugins", operation_id = "push_plugin", tag = "tenants",
    params(
        ("tenant" = String, Path, description = "The tenant's name.", max_length = 64),
        Placed,
        ("strowger-signature" = Option<String>, Header, description = "Ed25519, 64 bytes in base64, as `strowger plugin push --key` makes it."),
    ),
    request_body(content = Vec<u8>, content_type = "application/octet-stream", description = "A component."),
    responses(
        (status = 201, body = Pushed, description = "It is kept."),
        (status = 400, body = ProblemBody, content_type = "application/problem+json", description = "The signature cannot be read."),
        (status = 403, body = ProblemBody, content_type = "application/problem+json", description = "Not signed by one of the tenant's publishers."),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No such tenant, or not yours."),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "The version is there with other bytes, or is older than the live one."),
        (status = 413, body = ProblemBody, content_type = "application/problem+json", description = "Too large."),
        (status = 422, body = ProblemBody, content_type = "application/problem+json", description = "It has errors, or breaks a flow: all of them."),
        (status = 507, body = ProblemBody, content_type = "application/problem+json", description = "There is no room for it."),
    )
)]
pub(crate) async fn push_plugin(
    State(api): State<Api>,
    Named(tenant): Named,
    principal: Principal,
    Asked(query): Asked<Placed>,
    Extension(Gone(gone)): Extension<Gone>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let body = body.map_err(cut_off)?;
    let signed = match headers.get(SIGNATURE) {
        None => None,
        Some(value) => {
            let text = value.to_str().unwrap_or_default();
            let read = signature(text).ok_or_else(|| {
                Problem::bad_request(format!(
                    "the header {SIGNATURE} holds no signature: 64 bytes in base64"
                ))
            })?;
            Some(read)
        }
    };
    let change = change(&api, &principal, &tenant, "plugin.push");
    let note = shown(&query.note)?;
    let by = Pusher { note, change, gone };
    let pushed = api
        .centre
        .push_plugin(&tenant, query.onto, body.to_vec(), signed, by);
    Ok(kept(pushed.await?))
}

/// A push or release by this one, whose number completes it where it is kept.
fn change(api: &Api, principal: &Principal, tenant: &str, action: &str) -> Change {
    let change = principal.change(api.now(), action, tenant);
    change.of_tenant(Some(tenant.to_owned()))
}

/// Tells a push that was kept and written down.
fn kept((pushed, audited): (Pushed, Audited)) -> Response {
    (StatusCode::CREATED, Extension(audited), Json(pushed)).into_response()
}

/// List plugins' versions
///
/// The newest first.
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/plugins", operation_id = "list_plugin_versions", tag = "tenants",
    params(("tenant" = String, Path, description = "The tenant's name.", max_length = 64), PageOfNumbers),
    responses(
        (status = 200, body = Page<PluginVersion>, headers(("Link" = String, description = "The next page; not on the last."))),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No such tenant, or not yours."),
    )
)]
pub(crate) async fn plugins(
    State(api): State<Api>,
    Named(tenant): Named,
    listed: Listed<u64>,
) -> Result<Page<PluginVersion>, Problem> {
    let store = api.gate.store()?;
    let versions = store
        .plugin_versions(&tenant, None, listed.after, listed.rows())
        .await?;
    Ok(listed.page(versions, |version| version.number))
}

/// List revisions
///
/// The newest first.
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/revisions", operation_id = "list_revisions", tag = "tenants",
    params(("tenant" = String, Path, description = "The tenant's name.", max_length = 64), PageOfNumbers),
    responses(
        (status = 200, body = Page<Revision>, headers(("Link" = String, description = "The next page; not on the last."))),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No such tenant, or not yours."),
    )
)]
pub(crate) async fn revisions(
    State(api): State<Api>,
    Named(tenant): Named,
    listed: Listed<u64>,
) -> Result<Page<Revision>, Problem> {
    let store = api.gate.store()?;
    let revisions = store
        .revisions(&tenant, listed.after, listed.rows())
        .await?;
    Ok(listed.page(revisions, |revision| revision.number))
}

/// Look at a revision
///
/// Its files with their hashes, and what its plugins may touch.
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/revisions/{number}", operation_id = "get_revision", tag = "tenants",
    params(
        ("tenant" = String, Path, description = "The tenant's name.", max_length = 64),
        ("number" = u64, Path, description = "The revision."),
    ),
    responses(
        (status = 200, body = Revision, headers(("ETag" = String))),
        (status = 400, body = ProblemBody, content_type = "application/problem+json", description = "No number."),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No such revision or tenant."),
    )
)]
pub(crate) async fn revision(
    State(api): State<Api>,
    Named(tenant): Named,
    number: Number,
) -> Result<Tagged<Revision>, Problem> {
    let Number(number) = number;
    let found = api.gate.store()?.revision(&tenant, number).await?;
    found
        .map(Tagged)
        .ok_or_else(|| Problem::not_found(format!("tenant {tenant} has no revision {number}")))
}

/// What to release.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReleaseOrder {
    /// The revision.
    revision: u64,
    /// How many of a hundred callers get it; 100, all, unless you say fewer.
    #[serde(default = "everybody")]
    #[schema(minimum = 1, maximum = 100, default = 100)]
    percent: u64,
    /// What of its gains you accept, as the push told them; `all` for all.
    #[serde(default)]
    accept: Vec<String>,
    /// The release that must still hold, 0 for none; whichever does unless you say one.
    expected: Option<u64>,
}

fn everybody() -> u64 {
    100
}

/// Look at the release
///
/// Which revision new contacts walk, and which one some of them get instead.
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/release", operation_id = "get_release", tag = "tenants",
    params(("tenant" = String, Path, description = "The tenant's name.", max_length = 64)),
    responses(
        (status = 200, body = Release, headers(("ETag" = String))),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No such tenant, or not yours, or nothing is released."),
    )
)]
pub(crate) async fn released_now(
    State(api): State<Api>,
    Named(tenant): Named,
) -> Result<Tagged<Release>, Problem> {
    let found = api.centre.tenant(&tenant).ok_or_else(|| unknown(&tenant))?;
    let release = found.live().and_then(|live| live.release);
    let nothing = || match found.fault() {
        Some(fault) => Problem::of(StatusCode::SERVICE_UNAVAILABLE, fault),
        None => Problem::not_found(format!("tenant {tenant} has released nothing yet")),
    };
    Ok(Tagged(release.ok_or_else(nothing)?))
}

/// List releases
///
/// The newest first; the first one holds. `restores` marks roll-backs.
#[utoipa::path(
    get, path = "/v1/tenants/{tenant}/releases", operation_id = "list_releases", tag = "tenants",
    params(("tenant" = String, Path, description = "The tenant's name.", max_length = 64), PageOfNumbers),
    responses(
        (status = 200, body = Page<Release>, headers(("Link" = String, description = "The next page; not on the last."))),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No such tenant, or not yours."),
    )
)]
pub(crate) async fn releases(
    State(api): State<Api>,
    Named(tenant): Named,
    listed: Listed<u64>,
) -> Result<Page<Release>, Problem> {
    let store = api.gate.store()?;
    let releases = store.releases(&tenant, listed.after, listed.rows()).await?;
    Ok(listed.page(releases, |release| release.number))
}

/// Release a revision
///
/// New contacts walk it from now on, all or some of them. Those in progress keep theirs.
#[utoipa::path(
    put, path = "/v1/tenants/{tenant}/release", operation_id = "make_release", tag = "tenants", request_body = ReleaseOrder,
    params(
        ("tenant" = String, Path, description = "The tenant's name.", max_length = 64),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that a GET of the release gave: change it only as it was then."),
    ),
    responses(
        (status = 200, body = Release, description = "It is live.", headers(("ETag" = String, description = "For the next `If-Match`."))),
        (status = 403, body = ProblemBody, content_type = "application/problem+json", description = "Nothing is published here."),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No such revision or tenant."),
        (status = 412, body = ProblemBody, content_type = "application/problem+json", description = "Another release holds since."),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "Overtaken by another where no `If-Match` names a tag, or its gains are not accepted."),
        (status = 422, body = ProblemBody, content_type = "application/problem+json", description = "`percent` is not 1 to 100 (`field` names it), or it cannot be served any more: why not."),
    )
)]
pub(crate) async fn release(
    State(api): State<Api>,
    Named(tenant): Named,
    principal: Principal,
    if_match: IfMatch,
    Body(order): Body<ReleaseOrder>,
) -> Result<Response, Problem> {
    let held = as_it_was(&api, &tenant, &if_match)?;
    let by_tag = order.expected.is_none();
    let order = Order {
        revision: order.revision,
        percent: order.percent,
        accept: order.accept,
        expected: order.expected.or(held),
    };
    let change = change(&api, &principal, &tenant, "release.make");
    let done = api.centre.release(&tenant, order, change).await;
    done.map(released)
        .map_err(|refusal| lost((&api, &tenant, &if_match), by_tag, refusal))
}

/// Roll back
///
/// What was live before is live again: a candidate is withdrawn, else the live revision. Again, it is what was live before that;
/// `restores` says which release came back.
#[utoipa::path(
    post, path = "/v1/tenants/{tenant}/release/rollback", operation_id = "roll_back", tag = "tenants",
    params(
        ("tenant" = String, Path, description = "The tenant's name.", max_length = 64),
        ("If-Match" = Option<String>, Header, description = "The `ETag` that a GET of the release gave: change it only as it was then."),
    ),
    responses(
        (status = 200, body = Release, description = "It is live.", headers(("ETag" = String, description = "For the next `If-Match`."))),
        (status = 403, body = ProblemBody, content_type = "application/problem+json", description = "Nothing is published here."),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No such tenant, or not yours."),
        (status = 412, body = ProblemBody, content_type = "application/problem+json", description = "Another release holds since."),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "Nothing was live before, or it is kept no longer."),
        (status = 422, body = ProblemBody, content_type = "application/problem+json", description = "It cannot be served any more: why not."),
    )
)]
pub(crate) async fn roll_back(
    State(api): State<Api>,
    Named(tenant): Named,
    principal: Principal,
    if_match: IfMatch,
) -> Result<Response, Problem> {
    let held = as_it_was(&api, &tenant, &if_match)?;
    let change = change(&api, &principal, &tenant, "release.rollback");
    let done = api.centre.roll_back(&tenant, held, change).await;
    done.map(released)
        .map_err(|refusal| lost((&api, &tenant, &if_match), true, refusal))
}

/// 412 when the release that holds is not what an `If-Match` names; which release that is, so that it still is when its turn
/// comes.
fn as_it_was(api: &Api, tenant: &str, if_match: &IfMatch) -> Result<Option<u64>, Problem> {
    let found = api.centre.tenant(tenant).ok_or_else(|| unknown(tenant))?;
    match found.live().and_then(|live| live.release) {
        Some(release) => {
            if_match.check(&release)?;
            Ok(if_match.is_given().then_some(release.number))
        }
        None => if_match.check_absent().map(|()| None),
    }
}

/// Why a release was refused: 412 where what its `If-Match` names was changed while it was being made, by whoever came with the same.
/// `by_tag` is whether nothing else says which release must still hold.
fn lost(
    (api, tenant, if_match): (&Api, &str, &IfMatch),
    by_tag: bool,
    refusal: Refusal,
) -> Problem {
    // Of two engines on one store this one may not know yet.
    match (&refusal, as_it_was(api, tenant, if_match)) {
        (Refusal::Overtaken(_), _) if by_tag && if_match.names_a_tag() => {
            Problem::of(StatusCode::PRECONDITION_FAILED, refusal.to_string())
        }
        (_, Err(changed)) => changed,
        (_, Ok(_)) => refusal.into(),
    }
}

/// Tells a release that was kept and written down.
fn released((release, audited): (Release, Audited)) -> Response {
    (Extension(audited), Tagged(release)).into_response()
}

pub(super) fn unknown(tenant: &str) -> Problem {
    let shown = quoted(tenant);
    Problem::not_found(format!(
        "there is no tenant `{shown}`; /v1/tenants lists them"
    ))
}

fn cut_off(rejection: BytesRejection) -> Problem {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::of(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("a push has at most {MAX_PUSH} bytes"),
        ),
        status => Problem::of(
            status,
            format!(
                "the push broke off and nothing of it is kept: {}",
                rejection.body_text()
            ),
        ),
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Problem {
        let detail = refusal.to_string();
        match refusal {
            Refusal::Unknown(_) => Problem::not_found(detail),
            Refusal::Archive(ArchiveError::Bytes(_) | ArchiveError::Files(_)) => {
                Problem::of(StatusCode::PAYLOAD_TOO_LARGE, detail)
            }
            Refusal::Archive(_) => Problem::of(StatusCode::BAD_REQUEST, detail),
            Refusal::Errors { told, text, .. } => {
                Problem::of(StatusCode::UNPROCESSABLE_ENTITY, detail)
                    .with("findings", json!(told))
                    .with("text", json!(text))
            }
            Refusal::Invalid { field, .. } => {
                Problem::unprocessable(detail).with("field", json!(field))
            }
            Refusal::Conflict(_) | Refusal::Overtaken(_) => {
                Problem::of(StatusCode::CONFLICT, detail)
            }
            Refusal::Denied(_) => Problem::of(StatusCode::FORBIDDEN, detail),
            Refusal::NotAccepted(gains) => {
                Problem::of(StatusCode::CONFLICT, detail).with("gains", json!(gains))
            }
            Refusal::Limit(_) => Problem::too_many(detail, 3_600),
            Refusal::Busy(_) => Problem::unavailable_for(detail, BUSY_S),
            Refusal::Unable(_) => Problem::of(StatusCode::INSUFFICIENT_STORAGE, detail),
            Refusal::Store(error) => error.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Problem;
    use crate::centre::Refusal;
    use axum::http::{StatusCode, header};
    use axum::response::IntoResponse;

    #[test]
    fn a_busy_engine_blames_nobody() {
        let refusal = Refusal::Busy("no instance became free within 2000 ms".to_owned());
        let answer = Problem::from(refusal).into_response();
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(answer.headers()[header::RETRY_AFTER], "60");
    }
}
