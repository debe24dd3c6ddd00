//! The HTTP side: health, metrics, contacts.

mod contacts;
mod events;
mod listen;
mod metrics;
mod records;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::extract::State;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Json, Response};
use axum::routing::get;
use serde_json::json;

use crate::media::Media;
use crate::runtime::{Engine, Outgoing};
use crate::serve::Traffic;

pub use listen::listen;

/// What the HTTP side looks at.
#[derive(Clone)]
pub struct Api {
    /// The engine.
    pub engine: Arc<Engine>,
    /// The audio.
    pub media: Media,
    /// Counters of calls.
    pub traffic: Arc<Traffic>,
    /// The calls that transfers place, and their counters.
    pub outgoing: Arc<Outgoing>,
    /// Counters of SIP.
    pub sip: crate::sip::SipMeter,
}

/// All routes.
pub fn router(api: Api) -> Router {
    Router::new()
        .route("/healthz", get(health))
        .route("/metrics", get(metrics::metrics))
        .route("/v1/contacts", get(contacts::list))
        .route("/v1/contacts/{id}", get(contacts::one))
        .route("/v1/contacts/{id}/record", get(records::one))
        .route("/v1/events", get(events::stream))
        .route("/v1/records", get(records::list))
        .route("/v1/contacts/{id}/journal", get(contacts::journal))
        .route("/v1/contacts/{id}/trace", get(contacts::trace))
        .route("/v1/contacts/{id}/transcript", get(contacts::transcript))
        .fallback(async || Problem::not_found("there is nothing at this address; see /v1/contacts"))
        .method_not_allowed_fallback(async |method: Method| {
            Problem::of(
                StatusCode::METHOD_NOT_ALLOWED,
                format!("{method} is not possible here; `Allow` says what is"),
            )
        })
        .with_state(api)
}

/// 200 while calls are taken, with or without a store; 503 while draining, so that who spreads calls sends none here.
async fn health(State(api): State<Api>) -> Response {
    let calls = api.traffic.calls.load(Ordering::Relaxed);
    let (code, status) = match api.traffic.draining.load(Ordering::Relaxed) {
        false => (StatusCode::OK, "ok"),
        true => (StatusCode::SERVICE_UNAVAILABLE, "draining"),
    };
    let gone = api
        .engine
        .store
        .as_ref()
        .is_some_and(|store| store.health().gone().is_some());
    let body = json!({
        "status": status,
        "version": env!("CARGO_PKG_VERSION"),
        "calls": calls,
        "store": if gone { "gone" } else { "ok" },
    });
    (code, Json(body)).into_response()
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Problem {
        let detail = format!(
            "{}; the query takes `limit`, a number from 0, and `call_id`",
            rejection.body_text()
        );
        Problem::of(rejection.status(), detail)
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Problem {
        let detail = format!("{}; /v1/contacts lists the contacts", rejection.body_text());
        Problem::of(rejection.status(), detail)
    }
}

/// A refusal in the form of RFC 9457.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    detail: String,
}

impl Problem {
    pub fn of(status: StatusCode, detail: impl Into<String>) -> Problem {
        let detail = detail.into();
        Problem { status, detail }
    }

    pub fn not_found(detail: impl Into<String>) -> Problem {
        Problem {
            status: StatusCode::NOT_FOUND,
            detail: detail.into(),
        }
    }

    /// It may be possible later: the store is gone.
    pub fn unavailable(detail: impl Into<String>) -> Problem {
        Problem::of(StatusCode::SERVICE_UNAVAILABLE, detail)
    }

    pub fn internal(detail: impl Into<String>) -> Problem {
        Problem {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            detail: detail.into(),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({
            "title": self.status.canonical_reason().unwrap_or("error"),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        (
            self.status,
            [("content-type", "application/problem+json")],
            body.to_string(),
        )
            .into_response()
    }
}
