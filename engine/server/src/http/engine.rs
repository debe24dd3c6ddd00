//! How the engine is, and what its API is.

use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::OpenApi;

use super::Api;

/// How the engine is.
#[derive(Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`, or `draining`.
    status: &'static str,
    /// The program's version.
    version: &'static str,
    /// Calls that are up.
    calls: usize,
    /// `ok`; `full` where the last thing that was to be kept found no room; `gone`.
    store: &'static str,
    /// Tenants of which something that is released, or their file, cannot be as it is: their `fault` says what.
    tenants_at_fault: usize,
    /// Tenants that take no new contacts because what is kept of them takes as much of the store as it may.
    tenants_crowded: usize,
}

/// Health
///
/// 200 while calls are taken, with or without a store; 503 while draining, so that who spreads calls sends none here.
#[utoipa::path(
    get, path = "/healthz", operation_id = "health", tag = "engine",
    responses(
        (status = 200, body = Health),
        (status = 503, body = Health, description = "It is told to stop and takes no calls."),
    )
)]
pub(crate) async fn health(State(api): State<Api>) -> (StatusCode, Json<Health>) {
    let (code, status) = match api.traffic.draining.load(Ordering::Relaxed) {
        false => (StatusCode::OK, "ok"),
        true => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
    };
    let store = match &api.node.store {
        Some(store) if store.gone().is_some() => "gone",
        Some(store) if store.health().is_full() => "full",
        _ => "ok",
    };
    let tenants = api.centre.tenants();
    let health = Health {
        status,
        version: env!("CARGO_PKG_VERSION"),
        calls: api.traffic.calls.load(Ordering::Relaxed),
        store,
        tenants_at_fault: tenants
            .iter()
            .filter(|tenant| tenant.fault().is_some())
            .count(),
        tenants_crowded: tenants
            .iter()
            .filter(|tenant| api.centre.crowded(&tenant.name))
            .count(),
    };
    (code, Json(health))
}

/// This description
///
/// OpenAPI 3.1, as `strowger openapi` prints it.
#[utoipa::path(
    get, path = "/v1/openapi.json", operation_id = "describe_api", tag = "engine",
    responses((status = 200, body = Object, description = "The description."))
)]
pub(crate) async fn openapi() -> Json<OpenApi> {
    Json(super::openapi())
}
