//! The service over HTTP.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{DefaultBodyLimit, MatchedPath, Path, Query, Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::input::{self, Change, IdempotencyKey, MAX_BODY_BYTES, MAX_CALLER_BYTES, Phone};
use crate::model::{Customer, Order};
use crate::problem::Problem;
use crate::stats::{Counts, Stats};
use crate::store::{Answer, Store, StoreError, order_not_found};

/// Longest time for one request in seconds, beyond the wanted delay: a caller is waiting on the line.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(5);

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Marks an answer that was given before.
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// What every request needs.
#[derive(Clone)]
struct Service {
    store: Store,
    stats: Arc<Stats>,
    delay: Duration,
}

/// The routes of the service on a store.
///
/// `delay` is added to every answer of the business routes, to try how a flow behaves on a slow
/// service; zero for none.
pub fn router(store: Store, delay: Duration) -> Router {
    let service = Service {
        store,
        stats: Arc::default(),
        delay,
    };
    Router::new()
        .route("/orders", post(place_order))
        .route("/orders/{no}", get(show_order))
        .route("/orders/{no}/cancel", post(cancel_order))
        .route("/customers", get(show_customer))
        .route("/customers/notes", post(add_note))
        .route("/callbacks", post(book_callback))
        .route_layer(middleware::from_fn_with_state(service.clone(), bounded))
        .route("/healthz", get(health))
        .route("/stats", get(stats))
        .route_layer(middleware::from_fn_with_state(service.clone(), counted))
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(no_such_route)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .with_state(service)
}

#[derive(Deserialize)]
struct OrderQuery {
    phone: Option<String>,
}

#[derive(Deserialize)]
struct CustomerQuery {
    phone: String,
    #[serde(default)]
    lang: Lang,
}

#[derive(Deserialize, Default, Clone, Copy, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Lang {
    #[default]
    En,
    Zh,
}

async fn health(State(service): State<Service>) -> Result<Json<serde_json::Value>, Problem> {
    service.store.ping().await?;
    Ok(Json(json!({ "status": "ok" })))
}

async fn stats(State(service): State<Service>) -> Json<Counts> {
    Json(service.stats.snapshot())
}

/// Whoever knows the number may ask: people ring from other phones than they ordered with. The
/// caller's own is logged, so that someone who tries numbers can be found.
async fn show_order(
    State(service): State<Service>,
    Path(no): Path<String>,
    query: Result<Query<OrderQuery>, QueryRejection>,
) -> Result<Json<Order>, Problem> {
    let Query(query) = query.map_err(|rejection| Problem::unreadable(rejection.body_text()))?;
    let phone = query.phone.as_deref().unwrap_or_default();
    if phone.len() > MAX_CALLER_BYTES {
        return Err(Problem::invalid(format!(
            "`phone` must be at most {MAX_CALLER_BYTES} bytes"
        )));
    }
    let order_no = input::order_no(&no).ok_or_else(|| order_not_found(&no))?;
    let order = service.store.order(order_no).await?;
    tracing::info!(order_no, phone, found = order.is_some(), "order looked up");
    order.map(Json).ok_or_else(|| order_not_found(&no))
}

async fn show_customer(
    State(service): State<Service>,
    query: Result<Query<CustomerQuery>, QueryRejection>,
) -> Result<Json<Customer>, Problem> {
    let Query(query) = query.map_err(|rejection| Problem::unreadable(rejection.body_text()))?;
    // A caller without a number, such as `anonymous`, is nobody we know rather than a mistake.
    let customer = match Phone::parse_query(&query.phone) {
        Some(phone) => {
            service
                .store
                .customer(&phone, query.lang == Lang::Zh)
                .await?
        }
        None => None,
    };
    customer.map(Json).ok_or_else(|| {
        let detail = "no customer rings from this number";
        Problem::new(StatusCode::NOT_FOUND, "customer-not-found", detail)
    })
}

async fn place_order(
    State(service): State<Service>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    if !headers.contains_key(IDEMPOTENCY_KEY) {
        let detail =
            "an order needs an `Idempotency-Key`, so that a repeated request buys nothing twice";
        return Err(Problem::unreadable(detail));
    }
    let change = Change::PlaceOrder(document(&headers, body)?);
    service.apply(&headers, &change).await
}

async fn cancel_order(
    State(service): State<Service>,
    Path(no): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let order_no = input::order_no(&no).ok_or_else(|| order_not_found(&no))?;
    service
        .apply(&headers, &Change::CancelOrder(order_no))
        .await
}

async fn add_note(
    State(service): State<Service>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let change = Change::AddNote(document(&headers, body)?);
    service.apply(&headers, &change).await
}

async fn book_callback(
    State(service): State<Service>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Problem> {
    let change = Change::BookCallback(document(&headers, body)?);
    service.apply(&headers, &change).await
}

async fn no_such_route(State(service): State<Service>) -> Problem {
    service.stats.requested("other");
    Problem::new(
        StatusCode::NOT_FOUND,
        "no-such-route",
        "there is nothing at this path",
    )
}

async fn method_not_allowed() -> Problem {
    let detail = "this path does not take this method; see `Allow`";
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", detail)
}

async fn counted(
    State(service): State<Service>,
    route: MatchedPath,
    request: Request,
    next: Next,
) -> Response {
    service
        .stats
        .requested(&format!("{} {}", request.method(), route.as_str()));
    next.run(request).await
}

async fn bounded(State(service): State<Service>, request: Request, next: Next) -> Response {
    if !service.delay.is_zero() {
        tokio::time::sleep(service.delay).await;
    }
    match tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let detail = format!("the request took longer than {REQUEST_TIMEOUT:?}; try again");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too-slow", detail).into_response()
        }
    }
}

impl Service {
    async fn apply(&self, headers: &HeaderMap, change: &Change) -> Result<Response, Problem> {
        let key = headers
            .get(IDEMPOTENCY_KEY)
            .map(|value| IdempotencyKey::parse(value.as_bytes()))
            .transpose()?;
        change.check()?;
        let answer = self.store.apply(key.as_ref(), change).await?;
        if answer.replayed {
            self.stats.replayed();
        }
        Ok(answer.into_response())
    }
}

/// Reads a JSON body. A request that names no media type is taken to mean JSON.
fn document<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<T, Problem> {
    if let Some(media_type) = headers.get(header::CONTENT_TYPE) {
        let essence = media_type
            .to_str()
            .unwrap_or_default()
            .split(';')
            .next()
            .unwrap_or_default();
        if !essence.trim().eq_ignore_ascii_case("application/json") {
            let detail = "the body must be `application/json`";
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "not-json",
                detail,
            ));
        }
    }
    let body = body.map_err(|rejection| {
        let reason = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => "body-too-large",
            _ => "unreadable-request",
        };
        let detail = format!("the body could not be read (limit {MAX_BODY_BYTES} bytes)");
        Problem::new(rejection.status(), reason, detail)
    })?;
    serde_json::from_slice(&body).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => Problem::invalid(error.to_string()),
        _ => Problem::unreadable(format!("the body is not JSON: {error}")),
    })
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let content_type = [(header::CONTENT_TYPE, self.media_type)];
        let mut response = (self.status, content_type, self.body).into_response();
        if self.replayed {
            let yes = header::HeaderValue::from_static("true");
            response.headers_mut().insert(IDEMPOTENT_REPLAYED, yes);
        }
        response
    }
}

impl From<StoreError> for Problem {
    /// The cause goes to the log; the caller learns only that it was not their fault.
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "request failed");
        let busy = matches!(&error, StoreError::Statement(sqlx::Error::PoolTimedOut))
            || matches!(&error, StoreError::Statement(sqlx::Error::Database(cause)) if cause.code().as_deref() == Some("5"));
        if busy {
            let detail = "the database is busy; try again";
            return Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail);
        }
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "the service could not do it",
        )
    }
}
