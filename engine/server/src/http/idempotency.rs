//! `Idempotency-Key`: a POST that is sent twice, since its answer was lost, is done once.
//!
//! The key counts for a day, for one token or user. The same request with it gets the answer that was given; another
//! request with it, 422; the same while it is in progress, 409. A signature is part of the request. An answer that failed, or
//! was refused before anything was done, frees the key: for a limit, or for who asked, by which token or signature.
//!
//! Visitors, who begin chats, have neither token nor user; theirs are keys of their own ([`Visit`]).

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

use super::principal::Principal;
use super::{Api, Problem, SIGNATURE, tagged};
use crate::project::hex;
use crate::store::{Answer, Claim, MAX_KEYS_A_DAY, Store, StoreError, VISITORS};

/// The header.
pub(super) const KEY: &str = "idempotency-key";
/// What an answer that was given before says of itself.
pub(super) const REPLAYED: &str = "idempotency-replayed";
pub(super) const TRUE: HeaderValue = HeaderValue::from_static("true");
/// Shortest key of a visitor, in characters: it must not be guessed.
const LEAST_OF_VISITORS: usize = 16;
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
    let key = key_of(&parts.headers, 1)?;
    let body = axum::body::to_bytes(body, body_bytes).await;
    let body = body.map_err(|error| {
        let too_large = std::error::Error::source(&error)
            .is_some_and(|cause| cause.is::<http_body_util::LengthLimitError>());
        match too_large {
            true => Problem::of(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the body has more than {body_bytes} bytes"),
            ),
            false => Problem::bad_request("the body broke off: send all of it"),
        }
    })?;
    let asked = Asked {
        method: &parts.method,
        uri: &parts.uri,
        signature: parts.headers.get(SIGNATURE),
        body: &body,
    };
    let store = api.gate.store()?;
    let most = Some(MAX_KEYS_A_DAY);
    let (key, done) = asked
        .claim(store, &principal.who, &key, api.now(), most)
        .await?;
    Ok(match done {
        Some(answer) => Err(answer),
        None => Ok((store, key, Request::from_parts(parts, Body::from(body)))),
    })
}

/// The key of a request, of at least so many characters.
fn key_of(headers: &HeaderMap, least: usize) -> Result<String, Problem> {
    if headers.get_all(KEY).iter().nth(1).is_some() {
        return Err(Problem::bad_request(
            "Idempotency-Key stands twice in this request: send one",
        ));
    }
    let key = headers
        .get(KEY)
        .and_then(|key| key.to_str().ok())
        .unwrap_or_default();
    let plain = key.bytes().all(|byte| byte.is_ascii_graphic());
    if !(least..=MAX_KEY_CHARS).contains(&key.len()) || !plain {
        return Err(Problem::bad_request(format!(
            "Idempotency-Key is {least} to {MAX_KEY_CHARS} characters of ASCII without blanks: make a random one for each request"
        )));
    }
    Ok(key.to_owned())
}

/// What is to be done once.
struct Asked<'a> {
    method: &'a Method,
    uri: &'a Uri,
    signature: Option<&'a HeaderValue>,
    body: &'a [u8],
}

impl Asked<'_> {
    /// Takes a key for it: the key as it is kept, and the answer that was given before, if there is one.
    async fn claim(
        &self,
        store: &Store,
        who: &str,
        key: &str,
        now: u64,
        most: Option<i64>,
    ) -> Result<(String, Option<Answer>), Problem> {
        // What is kept is under the key, which is not: who reads the store cannot try passwords and secrets against it.
        let mut digest = keyed(key);
        digest.update(self.method.as_str().as_bytes());
        digest.update(&[0]);
        digest.update(self.uri.to_string().as_bytes());
        if let Some(signature) = self.signature {
            // No address has a line's end in it.
            digest.update(b"\n");
            digest.update(signature.as_bytes());
        }
        digest.update(&[0]);
        digest.update(self.body);
        let digest = digest.finalize().into_bytes();
        let key = hex(&Sha256::digest(key.as_bytes()));
        let claim = store.claim_request(who, &key, &digest, now, most).await?;
        match claim {
            Claim::New => Ok((key, None)),
            Claim::Done(answer) => Ok((key, Some(answer))),
            Claim::InProgress => Err(Problem::conflict(
                "a request with this Idempotency-Key is in progress, or its engine ended before it was answered: try again, or \
                 look whether it was done and use another key",
            )),
            Claim::Another => Err(Problem::unprocessable(
                "another request had this Idempotency-Key: use a new one for each request",
            )),
            Claim::TooMany => Err(Problem::too_many(
                format!(
                    "{MAX_KEYS_A_DAY} requests with an Idempotency-Key were sent within a day, the most that are kept"
                ),
                3_600,
            )),
        }
    }
}

fn keyed(key: &str) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes keys of every length")
}

/// Something that a visitor begins with a key. What is opened by it opens by a secret that is made of the key, so that it can
/// be told again and stands nowhere; the key is as secret as that.
pub(super) struct Visit<'a> {
    store: &'a Store,
    raw: String,
    key: String,
}

/// What a visitor's key says.
pub(super) enum Visited<'a> {
    /// It is new: carry it out, then [keep](Visit::keep) what it is, or [forget](Visit::forget) it.
    New(Visit<'a>),
    /// This was begun, and its secret.
    Done { id: String, secret: String },
}

impl<'a> Visit<'a> {
    /// Takes the key of a request. There is no most of a day: whoever begins is counted by where it comes from.
    pub async fn of(
        api: &'a Api,
        headers: &HeaderMap,
        uri: &Uri,
        body: &[u8],
    ) -> Result<Visited<'a>, Problem> {
        let raw = key_of(headers, LEAST_OF_VISITORS)?;
        let asked = Asked {
            method: &Method::POST,
            uri,
            signature: None,
            body,
        };
        let store = api.gate.store()?;
        let claimed = asked.claim(store, VISITORS, &raw, api.now(), None).await?;
        let (key, done) = claimed;
        let visit = Visit { store, raw, key };
        Ok(match done.and_then(|answer| answer.body) {
            None => Visited::New(visit),
            Some(id) => {
                let id = String::from_utf8(id)
                    .map_err(|_| Problem::internal("what is kept of a key is no id"))?;
                let secret = visit.secret(&id);
                Visited::Done { id, secret }
            }
        })
    }

    /// The secret of what has this id.
    pub fn secret(&self, id: &str) -> String {
        let mut secret = keyed(&self.raw);
        secret.update(b"strowger visit\0");
        secret.update(id.as_bytes());
        hex(&secret.finalize().into_bytes())
    }

    /// The key as it is kept.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// It is begun.
    pub async fn keep(self, id: &str) {
        let answer = Answer::begun(id);
        noted(
            self.store
                .finish_request(VISITORS, &self.key, &answer)
                .await,
        );
    }

    /// It is not begun.
    pub async fn forget(self) {
        noted(self.store.forget_request(VISITORS, &self.key).await);
    }
}

fn noted(result: Result<(), StoreError>) {
    if let Err(error) = result {
        // The key stays in progress, which is on the safe side.
        tracing::warn!("an answer is not kept for its Idempotency-Key: {error}");
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
            StatusCode::UNAUTHORIZED
                | StatusCode::FORBIDDEN
                | StatusCode::TOO_MANY_REQUESTS
                | StatusCode::PAYLOAD_TOO_LARGE
        );
    let written = if free {
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
    noted(written);
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
    // A change that leaves a single thing answers with it and its tag, which is of the body.
    let tag = (status == StatusCode::OK).then(|| tagged::tag(&body));
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    for (name, value) in [
        (header::CONTENT_TYPE, answer.content_type),
        (header::LOCATION, answer.location),
        (header::ETAG, tag),
    ] {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(name, value);
        }
    }
    headers.insert(REPLAYED, TRUE);
    response.extensions_mut().insert(Again);
    response
}
