//! Tenants: what they pushed, and what is live.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, JsonRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Api, Problem};
use crate::centre::signature::signature;
use crate::centre::{Order, Pushed, Refusal, Tenant};
use crate::store::{PluginVersion, Release, Revision, Store};

/// Most bytes of a push as it comes over the line. A tenant's own limit is for what is unpacked.
pub(crate) const MAX_PUSH: usize = 256 << 20;
/// The header with the signature of a plugin: Ed25519, 64 bytes in base64.
pub(crate) const SIGNATURE: &str = "strowger-signature";

/// A tenant as the API shows it.
#[derive(Debug, Serialize)]
pub(crate) struct TenantView {
    name: String,
    title: Option<String>,
    numbers: Vec<String>,
    /// Whether plugins must be signed.
    signed: bool,
    /// Contacts in progress.
    contacts: usize,
    /// Contacts that it may have at once.
    contacts_most: usize,
    /// Contacts refused since the start because there were too many.
    refused: u64,
    /// What new contacts walk; none before the first release.
    release: Option<Release>,
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
        }
    }
}

/// `GET /v1/tenants`
pub(crate) async fn list(State(api): State<Api>) -> Json<Vec<TenantView>> {
    let tenants = api.centre.tenants();
    Json(
        tenants
            .iter()
            .map(|tenant| TenantView::of(tenant))
            .collect(),
    )
}

/// `GET /v1/tenants/{tenant}`
pub(crate) async fn one(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Json<TenantView>, Problem> {
    let Path(name) = path?;
    let tenant = api.centre.tenant(&name).ok_or_else(|| unknown(&name))?;
    Ok(Json(TenantView::of(&tenant)))
}

/// `?note=`
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoteQuery {
    #[serde(default)]
    note: String,
}

/// `POST /v1/tenants/{tenant}/revisions`: the project's folder, packed.
pub(crate) async fn push_project(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    query: Result<Query<NoteQuery>, QueryRejection>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Pushed>), Problem> {
    let (Path(tenant), Query(query), body) = (path?, query?, body.map_err(cut_off)?);
    let pushed = api
        .centre
        .push_project(&tenant, body.to_vec(), &query.note, WHO)
        .await?;
    Ok((StatusCode::CREATED, Json(pushed)))
}

/// `POST /v1/tenants/{tenant}/plugins`: a component.
pub(crate) async fn push_plugin(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    query: Result<Query<NoteQuery>, QueryRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Pushed>), Problem> {
    let (Path(tenant), Query(query), body) = (path?, query?, body.map_err(cut_off)?);
    let signed = match headers.get(SIGNATURE) {
        None => None,
        Some(value) => {
            let text = value.to_str().unwrap_or_default();
            let read = signature(text).ok_or_else(|| {
                Problem::of(
                    StatusCode::BAD_REQUEST,
                    format!("the header {SIGNATURE} holds no signature: 64 bytes in base64"),
                )
            })?;
            Some(read)
        }
    };
    let pushed = api
        .centre
        .push_plugin(&tenant, body.to_vec(), signed, &query.note, WHO)
        .await?;
    Ok((StatusCode::CREATED, Json(pushed)))
}

/// `GET /v1/tenants/{tenant}/plugins`
pub(crate) async fn plugins(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Json<Vec<PluginVersion>>, Problem> {
    let Path(tenant) = path?;
    let store = published(&api, &tenant)?;
    let versions = store.plugin_versions(&tenant, None, MAX_LISTED).await;
    Ok(Json(versions.map_err(Refusal::from)?))
}

/// `GET /v1/tenants/{tenant}/revisions`
pub(crate) async fn revisions(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Json<Vec<Revision>>, Problem> {
    let Path(tenant) = path?;
    let store = published(&api, &tenant)?;
    let revisions = store.revisions(&tenant, None, MAX_LISTED).await;
    Ok(Json(revisions.map_err(Refusal::from)?))
}

/// `GET /v1/tenants/{tenant}/revisions/{number}`
pub(crate) async fn revision(
    State(api): State<Api>,
    path: Result<Path<(String, u64)>, PathRejection>,
) -> Result<Json<Revision>, Problem> {
    let Path((tenant, number)) = path?;
    let store = published(&api, &tenant)?;
    let found = store.revision(&tenant, number).await;
    found
        .map_err(Refusal::from)?
        .map(Json)
        .ok_or_else(|| Problem::not_found(format!("tenant {tenant} has no revision {number}")))
}

/// What to release.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReleaseOrder {
    revision: u64,
    #[serde(default = "everybody")]
    percent: u8,
    #[serde(default)]
    accept: Vec<String>,
    /// The release that must still hold; 0 for none.
    expected: Option<u64>,
}

fn everybody() -> u8 {
    100
}

/// `PUT /v1/tenants/{tenant}/release`
pub(crate) async fn release(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    order: Result<Json<ReleaseOrder>, JsonRejection>,
) -> Result<Json<Release>, Problem> {
    let Path(tenant) = path?;
    let Json(order) = order.map_err(|rejection| {
        Problem::of(
            rejection.status(),
            format!(
                "{}; send {{\"revision\": 3, \"percent\": 100, \"accept\": []}}",
                rejection.body_text()
            ),
        )
    })?;
    let order = Order {
        revision: order.revision,
        percent: order.percent,
        accept: order.accept,
        expected: order.expected,
    };
    Ok(Json(api.centre.release(&tenant, order, WHO).await?))
}

/// `POST /v1/tenants/{tenant}/release/rollback`
pub(crate) async fn roll_back(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Json<Release>, Problem> {
    let Path(tenant) = path?;
    Ok(Json(api.centre.roll_back(&tenant, WHO).await?))
}

/// Who asks, as long as nobody signs in.
const WHO: &str = "local";
/// Most rows of a list.
const MAX_LISTED: u32 = 200;

fn published<'a>(api: &'a Api, tenant: &str) -> Result<&'a Store, Problem> {
    api.centre.tenant(tenant).ok_or_else(|| unknown(tenant))?;
    api.node
        .store
        .as_ref()
        .ok_or_else(|| Problem::internal("this engine keeps nothing"))
}

fn unknown(tenant: &str) -> Problem {
    let shown: String = tenant.chars().take(64).collect();
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
            Refusal::Archive(_) => Problem::of(StatusCode::BAD_REQUEST, detail),
            Refusal::Errors { told, text } => Problem::of(StatusCode::UNPROCESSABLE_ENTITY, detail)
                .with("findings", json!(told))
                .with("text", json!(text)),
            Refusal::Conflict(_) => Problem::of(StatusCode::CONFLICT, detail),
            Refusal::Denied(_) => Problem::of(StatusCode::FORBIDDEN, detail),
            Refusal::NotAccepted(gains) => {
                Problem::of(StatusCode::CONFLICT, detail).with("gains", json!(gains))
            }
            Refusal::Limit(_) => Problem::of(StatusCode::TOO_MANY_REQUESTS, detail),
            Refusal::Unable(_) => Problem::of(StatusCode::INSUFFICIENT_STORAGE, detail),
            Refusal::Store(error) => {
                tracing::error!("{error}");
                Problem::unavailable(detail)
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        Problem::from(self).into_response()
    }
}
