//! `Idempotency-Key`: a POST that is sent twice, since its answer was lost, is done once.
//!
//! The key counts for a day, for one token or user. The same request with it gets the answer that was given; another
//! request with it, 422; the same while it is in progress, 409. An answer that failed, or was refused before anything was
//! done, frees the key.

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

use super::principal::Principal;
use super::{Api, Problem};
use crate::project::hex;
use crate::store::{Answer, Claim, Store};

/// The header.
pub(super) const KEY: &str = "idempotency-key";
/// Longest key, in characters: room for any id.
const MAX_KEY_CHARS: usize = 128;
/// Largest answer that is kept, in bytes.
const MAX_KEPT_BYTES: usize = 64 << 10;

/// What is kept in place of an answer's body, where that holds a secret which is shown once.
#[derive(Debug, Clone)]
pub(super) struct KeptInstead(pub Vec<u8>);

/// An answer that was given before: its change is in the audit log since then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Again;

/// Carries a request out unless it was before.
pub(super) async fn once(
    api: &Api,
    principal: &Principal,
    body_bytes: usize,
    request: Request,
    next: Next,
) -> Response {
    match claim(api, principal, body_bytes, request).await {
        Ok(Ok((store, key, request))) => {
            let answer = next.run(request).await;
            keep(store, &principal.who, &key, answer).await
        }
        Ok(Err(answer)) => again(answer),
        Err(problem) => problem.into_response(),
    }
}

type New<'a> = (&'a Store, String, Request);

async fn claim<'a>(
    api: &'a Api,
    principal: &Principal,
    body_bytes: usize,
    request: Request,
) -> Result<Result<New<'a>, Answer>, Problem> {
    let (parts, body) = request.into_parts();
    if parts.headers.get_all(KEY).iter().nth(1).is_some() {
        return Err(Problem::bad_request(
            "Idempotency-Key stands twice in this request: send one",
        ));
    }
    let key = parts
        .headers
        .get(KEY)
        .and_then(|key| key.to_str().ok())
        .unwrap_or_default();
    let plain = key.bytes().all(|byte| byte.is_ascii_graphic());
    if !(1..=MAX_KEY_CHARS).contains(&key.len()) || !plain {
        return Err(Problem::bad_request(format!(
            "Idempotency-Key is 1 to {MAX_KEY_CHARS} characters of ASCII without blanks: make a random one for each request"
        )));
    }
    let key = key.to_owned();
    let body = axum::body::to_bytes(body, body_bytes).await.map_err(|_| {
        Problem::of(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the body has more than {body_bytes} bytes, or broke off"),
        )
    })?;
    // What is kept is under the key, which is not: who reads the store cannot try passwords and secrets against it.
    let mut digest = Hmac::<Sha256>::new_from_slice(key.as_bytes())
        .map_err(|error| Problem::internal(error.to_string()))?;
    for part in [parts.method.as_str(), &parts.uri.to_string()] {
        digest.update(part.as_bytes());
        digest.update(&[0]);
    }
    digest.update(&body);
    let key = hex(&Sha256::digest(key.as_bytes()));
    let store = api.gate.store()?;
    let claim = store
        .claim_request(
            &principal.who,
            &key,
            &digest.finalize().into_bytes(),
            api.now(),
        )
        .await?;
    match claim {
        Claim::New => Ok(Ok((
            store,
            key,
            Request::from_parts(parts, Body::from(body)),
        ))),
        Claim::Done(answer) => Ok(Err(answer)),
        Claim::InProgress => Err(Problem::conflict(
            "a request with this Idempotency-Key is in progress, or its engine ended before it was answered: try again, or \
             look whether it was done and use another key",
        )),
        Claim::Another => Err(Problem::unprocessable(
            "another request had this Idempotency-Key: use a new one for each request",
        )),
        Claim::TooMany => Err(Problem::too_many(
            format!(
                "{} requests with an Idempotency-Key were sent within a day, the most that are kept",
                crate::store::MAX_KEYS_A_DAY
            ),
            3_600,
        )),
    }
}

/// Keeps an answer, and gives it.
async fn keep(store: &Store, who: &str, key: &str, answer: Response) -> Response {
    let status = answer.status();
    let (parts, body) = answer.into_parts();
    // Whole in memory already: an endpoint that streams takes no POST.
    let body = axum::body::to_bytes(body, usize::MAX)
        .await
        .unwrap_or_else(|error| {
            tracing::error!("the body of an answer broke: {error}");
            Bytes::new()
        });
    // Nothing was done that must not be done again.
    let free = status.is_server_error()
        || matches!(
            status,
            StatusCode::TOO_MANY_REQUESTS | StatusCode::PAYLOAD_TOO_LARGE
        );
    let noted = if free {
        store.forget_request(who, key).await
    } else {
        let text = |name| {
            let value: &HeaderValue = parts.headers.get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        let kept = match parts.extensions.get::<KeptInstead>() {
            Some(KeptInstead(body)) => body.clone(),
            None => body.to_vec(),
        };
        let answer = Answer {
            status: status.as_u16(),
            content_type: text(header::CONTENT_TYPE),
            location: text(header::LOCATION),
            body: Some(kept).filter(|body| body.len() <= MAX_KEPT_BYTES),
        };
        store.finish_request(who, key, &answer).await
    };
    if let Err(error) = noted {
        // The key stays in progress, which is on the safe side.
        tracing::warn!("an answer is not kept for its Idempotency-Key: {error}");
    }
    Response::from_parts(parts, Body::from(body))
}

fn again(answer: Answer) -> Response {
    let Some(body) = answer.body else {
        return Problem::conflict(format!(
            "this was done before with status {}, and the answer was too large to keep",
            answer.status
        ))
        .into_response();
    };
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    for (name, value) in [
        (header::CONTENT_TYPE, answer.content_type),
        (header::LOCATION, answer.location),
    ] {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(name, value);
        }
    }
    headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
    response.extensions_mut().insert(Again);
    response
}
