//! Chats: a contact that writes, from a web page or a program. The chat's own token is all that it needs.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::RequestExt as _;
use axum::body::{Body, Bytes};
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, RawPathParams, Request, State};
use axum::http::header::{self, HeaderMap, HeaderValue};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Json, Response};
use futures_util::stream;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use super::extract::Object;
use super::idempotency::{KEY, REPLAYED, TRUE, Visit, Visited};
use super::problem::ProblemBody;
use super::{Api, Peer, Problem};
use crate::access::random_secret;
use crate::centre::NotAdmitted;
use crate::runtime::{Begun, ChatError, ChatEvent, Chats, Listener};

/// Largest body of a request, in bytes: the longest text in four bytes a character, and what surrounds it.
const MAX_BODY: usize = 32 << 10;
/// Longest text of a message, in characters: as much as a contact takes in.
const MAX_TEXT: usize = 4_000;
/// Longest name of a message, in bytes.
const MAX_CLIENT_ID: usize = 64;
/// Longest address that is called or calls, in bytes.
const MAX_ADDRESS: usize = 128;
/// Longest wait for something to be shown, in seconds: proxies give up after a minute.
const MAX_WAIT_S: u64 = 50;
/// The same, when nobody says it.
const WAIT_S: u64 = 25;
/// How often a stream without news says that it is there.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// Seconds after which a refusal for want of room is worth another try.
const RETRY_S: HeaderValue = HeaderValue::from_static("10");
/// How long a browser may remember what a page may do, in seconds.
const PREFLIGHT_S: HeaderValue = HeaderValue::from_static("600");

/// What a chat begins with.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct New {
    /// What is called: a number or name of routes.yaml.
    #[schema(max_length = 128)]
    to: String,
    /// Who writes, as the flow sees it.
    #[serde(default)]
    #[schema(max_length = 128)]
    from: String,
    /// One of the flow's languages.
    language: Option<String>,
}

/// A chat that has begun.
#[derive(Serialize, ToSchema)]
pub(crate) struct BegunChat {
    /// Its id, which is its contact's.
    id: String,
    /// What opens it: it is shown once.
    token: String,
}

/// A message that is on the disk.
#[derive(Serialize, ToSchema)]
pub(crate) struct TakenMessage {
    /// As it was sent.
    client_id: String,
}

/// A message.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Message {
    /// What is written.
    #[schema(min_length = 1, max_length = 4000)]
    text: String,
    /// Made up for this message: sent again with the same, it is taken once.
    #[schema(min_length = 1, max_length = 64, pattern = "^[!-~]+$")]
    client_id: String,
}

/// What of a chat's events is wanted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// The number of the last one that is known.
    after: Option<u32>,
    /// How long to wait for one, in seconds.
    #[param(default = 25)]
    wait: Option<u64>,
}

/// Begin a chat
///
/// With a flow that routes.yaml names. The token in the answer opens the chat, and nothing else. Sent again with the same
/// `Idempotency-Key` and body within a day, it is the same chat that is answered, with its token; whoever has the key and knows
/// the body opens it, so the key is a random one that nobody else sees.
#[utoipa::path(
    post, path = "/v1/chats", operation_id = "begin_chat", tag = "chats", request_body = New,
    params(("Idempotency-Key" = Option<String>, Header, description = "Made up for this chat, at random: sent again with the same key, it is begun once. Kept for a day.", min_length = 16, max_length = 128, pattern = "^[!-~]+$")),
    responses(
        (status = 201, body = BegunChat, description = "It has begun, and is on the disk."),
        (status = 409, body = ProblemBody, content_type = "application/problem+json", description = "The same request is in progress."),
        (status = 422, body = ProblemBody, content_type = "application/problem+json", description = "Another request had this Idempotency-Key, or the body is not what is asked for."),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No flow answers there, or no chats are taken here."),
    )
)]
pub(crate) async fn begin(
    State(api): State<Api>,
    peer: Option<Extension<Peer>>,
    uri: Uri,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Response> {
    let chats = chats(&api).map_err(Problem::into_response)?;
    let asked = body.as_ref().ok().cloned().unwrap_or_default();
    let New { to, from, language } =
        read(body, "`to`, and perhaps `from` and `language`").map_err(Problem::into_response)?;
    for (name, address) in [("to", &to), ("from", &from)] {
        if address.len() > MAX_ADDRESS || address.chars().any(char::is_control) {
            let detail = format!(
                "`{name}` has at most {MAX_ADDRESS} bytes, none of them a control character"
            );
            return Err(unprocessable(detail).into_response());
        }
    }
    // Every connection has a peer; without one all would share a limit.
    let source = peer.map_or(IpAddr::from([0, 0, 0, 0]), |Extension(peer)| peer.network());
    let mut uncounted = Some(source);
    let mut visit = None;
    if headers.contains_key(KEY) {
        // Looking whether it was begun is work too.
        uncounted = None;
        chats.count_begun(source).map_err(refused)?;
        let claimed = Visit::of(&api, &headers, &uri, &asked).await;
        match claimed.map_err(Problem::into_response)? {
            Visited::New(new) => visit = Some(new),
            Visited::Done { id, secret } => {
                let body = Json(BegunChat { id, token: secret });
                return Ok((StatusCode::CREATED, [(REPLAYED, TRUE)], body).into_response());
            }
        }
    }
    let token = |id: &str| match &visit {
        None => random_secret(),
        Some(visit) => visit.secret(id),
    };
    let key = visit.as_ref().map(|visit| visit.key().to_owned());
    let begun = chats
        .begin(&to, &from, language, uncounted, token, key)
        .await;
    match (&begun, visit) {
        (Ok(begun), Some(visit)) => visit.keep(&begun.id).await,
        (Err(_), Some(visit)) => visit.forget().await,
        (_, None) => {}
    }
    let Begun { id, token } = begun.map_err(refused)?;
    Ok((StatusCode::CREATED, Json(BegunChat { id, token })).into_response())
}

/// Write in a chat
///
/// It is on the disk when the answer comes.
#[utoipa::path(
    post, path = "/v1/chats/{id}/messages", operation_id = "write_in_chat", tag = "chats", request_body = Message,
    params(("id" = String, Path, description = "The chat's id.")),
    responses(
        (status = 202, body = TakenMessage, description = "It is taken, once."),
        (status = 401, body = ProblemBody, content_type = "application/problem+json", description = "No token of a chat."),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No such chat, or another one's token; or no chats are taken here."),
        (status = 410, body = ProblemBody, content_type = "application/problem+json", description = "The chat is over."),
    )
)]
pub(crate) async fn write(
    State(api): State<Api>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Response> {
    let (chats, id, token) = opened(&api, id, &headers).map_err(Problem::into_response)?;
    let message: Message = read(body, "`text` and `client_id`").map_err(Problem::into_response)?;
    let length = message.text.chars().count();
    if length == 0 || length > MAX_TEXT {
        let detail = format!("`text` has 1 to {MAX_TEXT} characters, and this one has {length}");
        return Err(unprocessable(detail).into_response());
    }
    let named = &message.client_id;
    if named.is_empty()
        || named.len() > MAX_CLIENT_ID
        || !named.bytes().all(|byte| byte.is_ascii_graphic())
    {
        let detail = format!(
            "`client_id` has 1 to {MAX_CLIENT_ID} visible ASCII characters; choose a new one for each message"
        );
        return Err(unprocessable(detail).into_response());
    }
    chats
        .write(&id, &token, message.client_id.clone(), message.text)
        .await
        .map_err(refused)?;
    let body = Json(TakenMessage {
        client_id: message.client_id,
    });
    Ok((StatusCode::ACCEPTED, body).into_response())
}

/// Leave a chat
///
/// As hanging up does with a call.
#[utoipa::path(
    delete, path = "/v1/chats/{id}", operation_id = "leave_chat", tag = "chats", 
    params(("id" = String, Path, description = "The chat's id.")),
    responses(
        (status = 204, description = "It is over."),
        (status = 401, body = ProblemBody, content_type = "application/problem+json", description = "No token of a chat."),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No such chat, or another one's token; or no chats are taken here."),
        (status = 410, body = ProblemBody, content_type = "application/problem+json", description = "The chat is over."),
    )
)]
pub(crate) async fn leave(
    State(api): State<Api>,
    id: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<StatusCode, Response> {
    let (chats, id, token) = opened(&api, id, &headers).map_err(Problem::into_response)?;
    match chats.leave(&id, &token).await {
        // Whoever leaves twice is gone.
        Ok(()) | Err(ChatError::Over) => Ok(StatusCode::NO_CONTENT),
        Err(error) => Err(refused(error)),
    }
}

/// What is said in a chat
///
/// Numbered, from 1. Waits for the next when there is none. With `Accept: text/event-stream` it is a stream of server-sent events.
#[utoipa::path(
    get, path = "/v1/chats/{id}/events", operation_id = "get_chat_events", tag = "chats", 
    params(("id" = String, Path, description = "The chat's id."), Wanted),
    responses(
        (status = 200, body = Object, description = "`events`, and whether the chat is `over`."),
        (status = 401, body = ProblemBody, content_type = "application/problem+json", description = "No token of a chat."),
        (status = 404, body = ProblemBody, content_type = "application/problem+json", description = "No such chat, or another one's token; or no chats are taken here."),
        (status = 410, body = ProblemBody, content_type = "application/problem+json", description = "The chat is over."),
    )
)]
pub(crate) async fn events(
    State(api): State<Api>,
    id: Result<Path<String>, PathRejection>,
    wanted: Result<Query<Wanted>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let (chats, id, token) = opened(&api, id, &headers).map_err(Problem::into_response)?;
    let Query(Wanted { after, wait }) = wanted.map_err(|rejection| {
        let detail = format!(
            "{}; the query takes `after` and `wait`, numbers from 0",
            rejection.body_text()
        );
        Problem::of(rejection.status(), detail).into_response()
    })?;
    let listener = chats.listener(&id, &token).await.map_err(refused)?;
    let streamed = headers.get_all(header::ACCEPT).iter().any(|accept| {
        accept
            .as_bytes()
            .windows(17)
            .any(|part| part == b"text/event-stream")
    });
    if !streamed {
        let wait = Duration::from_secs(wait.unwrap_or(WAIT_S).min(MAX_WAIT_S));
        let (events, over) = chats
            .events(&id, &token, after.unwrap_or(0), wait)
            .await
            .map_err(refused)?;
        let body = Json(json!({ "events": events, "over": over }));
        return Ok(([(header::CACHE_CONTROL, "no-store")], body).into_response());
    }
    let last = headers
        .get("last-event-id")
        .and_then(|last| last.to_str().ok()?.trim().parse().ok());
    let after = last.or(after).unwrap_or(0);
    // A refusal is told as such, before the stream begins.
    let first = chats
        .events(&id, &token, after, Duration::ZERO)
        .await
        .map_err(refused)?;
    let stream = Stream {
        chats,
        id,
        token,
        after,
        first: Some(first),
        over: false,
        _listener: listener,
    };
    let body = Body::from_stream(stream::unfold(stream, Stream::next));
    let head = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    Ok((head, body).into_response())
}

/// Server-sent events (HTML Standard §9.2).
struct Stream {
    chats: Arc<Chats>,
    id: String,
    token: String,
    after: u32,
    first: Option<(Vec<ChatEvent>, bool)>,
    over: bool,
    _listener: Listener,
}

impl Stream {
    async fn next(mut self) -> Option<(Result<Bytes, std::convert::Infallible>, Stream)> {
        if self.over {
            return None;
        }
        let (events, over) = match self.first.take() {
            Some(first) => first,
            None => self
                .chats
                .events(&self.id, &self.token, self.after, KEEP_ALIVE)
                .await
                .ok()?,
        };
        self.over = over;
        let mut text = String::new();
        for event in &events {
            self.after = event.n;
            let data = serde_json::to_string(event).expect("an event is of JSON's types");
            text.push_str(&format!("id: {}\ndata: {data}\n\n", event.n));
        }
        if text.is_empty() {
            text.push_str(": still here\n\n");
        }
        Some((Ok(Bytes::from(text)), self))
    }
}

/// Lets web pages of the configured origins in (Fetch Standard §3.2), and says nothing to others.
pub(super) async fn cross_origin(State(api): State<Api>, request: Request, next: Next) -> Response {
    if !request.uri().path().starts_with("/v1/chats") {
        return next.run(request).await;
    }
    let origin = request.headers().get(header::ORIGIN).cloned();
    let mut response = match request.method() == Method::OPTIONS {
        true => chats(&api).map(|_| StatusCode::NO_CONTENT).into_response(),
        false => next.run(request).await,
    };
    let allowed = origin.filter(|origin| {
        let allows = |chats: &Arc<Chats>| {
            let origins = &chats.settings().origins;
            origins
                .iter()
                .any(|allowed| allowed == "*" || allowed.as_bytes() == origin.as_bytes())
        };
        api.chats.as_ref().is_some_and(allows)
    });
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if let Some(origin) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET, POST, DELETE"),
        );
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("authorization, content-type, idempotency-key, last-event-id"),
        );
        headers.insert(header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_S);
    }
    response
}

fn chats(api: &Api) -> Result<Arc<Chats>, Problem> {
    api.chats.clone().ok_or_else(|| {
        Problem::not_found(
            "this engine takes no chats: write `enabled = true` under `[chat]` in strowger.toml and start it again",
        )
    })
}

/// Whether a request brings the token of the open chat that it is about.
pub(super) async fn opens_one(api: &Api, request: &mut Request) -> bool {
    let Some(chats) = &api.chats else {
        return false;
    };
    let Ok(named) = request.extract_parts::<RawPathParams>().await else {
        return false;
    };
    let id = named.iter().next().map(|(_, id)| id.to_owned());
    id.zip(token_of(request.headers()))
        .is_some_and(|(id, token)| chats.opens(&id, token))
}

/// The token that a request brings.
fn token_of(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "))
        .map(str::trim)
        .filter(|token| !token.is_empty())
}

/// The chat that a request is about, and the token it brings.
fn opened(
    api: &Api,
    id: Result<Path<String>, PathRejection>,
    headers: &HeaderMap,
) -> Result<(Arc<Chats>, String, String), Problem> {
    let chats = chats(api)?;
    let Path(id) =
        id.map_err(|rejection| Problem::of(rejection.status(), rejection.body_text()))?;
    let token = token_of(headers).ok_or_else(|| {
        let detail = "the chat's token is missing: send the header `Authorization: Bearer TOKEN` with what POST /v1/chats gave";
        Problem::of(StatusCode::UNAUTHORIZED, detail)
    })?;
    Ok((chats, id, token.to_owned()))
}

/// Reads a body of JSON; `fields` says what it is to hold.
fn read<T: DeserializeOwned>(
    body: Result<Bytes, BytesRejection>,
    fields: &str,
) -> Result<T, Problem> {
    let body = body.map_err(|rejection| {
        let detail = format!(
            "{}; a request has at most {MAX_BODY} bytes",
            rejection.body_text()
        );
        Problem::of(rejection.status(), detail)
    })?;
    if body.len() > MAX_BODY {
        return Err(Problem::of(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!(
                "a request has at most {MAX_BODY} bytes, and this one has {}",
                body.len()
            ),
        ));
    }
    let read = serde_json::from_slice(&body);
    read.map(|Object(read)| read).map_err(|error| {
        let detail = format!("the body is not as it should be: {error}; it is JSON with {fields}");
        Problem::of(StatusCode::BAD_REQUEST, detail)
    })
}

fn unprocessable(detail: String) -> Problem {
    Problem::of(StatusCode::UNPROCESSABLE_ENTITY, detail)
}

fn refused(error: ChatError) -> Response {
    let status = match &error {
        ChatError::NotAdmitted(
            NotAdmitted::Full(_) | NotAdmitted::Crowded(_) | NotAdmitted::NotServed(_),
        ) => StatusCode::SERVICE_UNAVAILABLE,
        ChatError::NotAdmitted(_) | ChatError::Unknown => StatusCode::NOT_FOUND,
        ChatError::NoLanguage { .. } => StatusCode::UNPROCESSABLE_ENTITY,
        ChatError::Over => StatusCode::GONE,
        ChatError::TooManyBegun | ChatError::TooManyWait | ChatError::TooFast | ChatError::Busy => {
            StatusCode::TOO_MANY_REQUESTS
        }
        ChatError::Stopping
        | ChatError::TooMany
        | ChatError::TooManyOfTenant(_)
        | ChatError::TooManyWaitInAll
        | ChatError::Unsaved(_)
        | ChatError::Unread
        | ChatError::Newer(_) => StatusCode::SERVICE_UNAVAILABLE,
        ChatError::Store(error) => {
            tracing::error!("{error}");
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    let problem = Problem::of(status, to_a_visitor(&error));
    match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => again_later(problem),
        _ => problem.into_response(),
    }
}

/// What a visitor is told, who is a stranger: no tenant's name, and no limit of one. The log has them.
fn to_a_visitor(error: &ChatError) -> String {
    let told = match error {
        ChatError::NotAdmitted(NotAdmitted::NothingLive(_)) => "nobody takes chats at this address",
        ChatError::NotAdmitted(NotAdmitted::NotServed(_) | NotAdmitted::Crowded(_)) => {
            "no chats can be taken at this address now: try again later"
        }
        ChatError::NotAdmitted(NotAdmitted::Full(_))
        | ChatError::TooMany
        | ChatError::TooManyOfTenant(_) => "as many chats as can be are going on: try again later",
        // The log tells of a store that is gone once, with its own words.
        ChatError::Unsaved(_) => {
            return "it is not saved; send it again, a message with the same client_id: that is taken once".to_owned();
        }
        ChatError::Store(_) => {
            return "nothing can be kept at this address now: try again later".to_owned();
        }
        error => return error.to_string(),
    };
    tracing::info!("a chat is not begun: {error}");
    told.to_owned()
}

fn again_later(problem: Problem) -> Response {
    ([(header::RETRY_AFTER, RETRY_S)], problem).into_response()
}
