//! `GET /v1/events`: what happens, as it happens (server-sent events, WHATWG HTML §9.2).

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::LazyLock;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use hyper::body::Frame;
use tokio::sync::mpsc;

use super::contacts::store;
use super::principal::Principal;
use super::problem::ProblemBody;
use super::{Api, Problem};
use crate::access::Permission;
use crate::places::{NoPlace, Place, Places};
use crate::store::{Store, StoreError};
use crate::webhooks::payload;

/// Streams of all tenants at a time: each asks the store when something happens.
const MAX_STREAMS: usize = 64;
/// The last of them are for tenants that have none.
const STREAMS_KEPT: usize = 32;
/// Streams of one tenant's tokens and users at a time; as many have those of the whole centre, beside all tenants'.
const MAX_STREAMS_OF_EACH: usize = 8;
/// When a stream for which there was no place is worth another try, in seconds.
const AGAIN_S: u64 = 10;
/// Events that wait for a slow reader; beyond, the stream waits for it.
const WAITING: usize = 64;
/// Events read at a time.
const PAGE: u32 = 64;
/// A comment is sent after so long without an event, so that nobody in between closes the connection.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// By tenant.
type Streams = LazyLock<Places<Option<String>>>;

static OF_TENANTS: Streams =
    Streams::new(|| Places::new(MAX_STREAMS, MAX_STREAMS_OF_EACH, STREAMS_KEPT));
static OF_THE_CENTRE: Streams =
    Streams::new(|| Places::new(MAX_STREAMS_OF_EACH, MAX_STREAMS_OF_EACH, 0));

/// A place among the streams.
fn place(principal: &Principal) -> Result<Place<Option<String>>, Problem> {
    let streams = match principal.tenant {
        Some(_) => &OF_TENANTS,
        None => &OF_THE_CENTRE,
    };
    streams.take(principal.tenant.clone()).map_err(|none| match none {
        NoPlace::OfThis => Problem::too_many(
            format!(
                "there are {MAX_STREAMS_OF_EACH} streams of events of {} already, the most at once: end one of them",
                match &principal.tenant {
                    Some(tenant) => format!("tenant {tenant}"),
                    None => "the whole centre".to_owned(),
                }
            ),
            AGAIN_S,
        ),
        NoPlace::AtAll => Problem::unavailable_for(
            format!("there are {MAX_STREAMS} streams of tenants' events already: try again later"),
            AGAIN_S,
        ),
    })
}

/// Streams that were refused because there were too many.
pub(super) fn refused() -> u64 {
    OF_TENANTS.refused() + OF_THE_CENTRE.refused()
}

/// Events as they happen
///
/// Server-sent events without an end; `data` is what a webhook gets. The stream ends when whoever reads it may no longer.
#[utoipa::path(
    get, path = "/v1/events", operation_id = "stream_events", tag = "contacts",
    params(("Last-Event-ID" = Option<String>, Header, description = "Begin after this event, with the oldest where it is `0` or kept no longer; without it, with what happens now.", max_length = 200)),
    responses(
        (status = 200, body = String, content_type = "text/event-stream", description = "The events."),
        (status = 400, body = ProblemBody, content_type = "application/problem+json", description = "Last-Event-ID is no event's."),
    )
)]
pub(crate) async fn stream(
    State(api): State<Api>,
    principal: Principal,
    asked: Parts,
) -> Result<Response, Problem> {
    let store = store(&api)?.clone();
    let place = place(&principal)?;
    let after = match asked.headers.get("last-event-id") {
        Some(id) => {
            let named = id.to_str().ok().and_then(Named::read);
            match named.ok_or_else(|| {
                Problem::bad_request(
                    "Last-Event-ID is no event's: leave it out to begin with what happens now, or write 0 to begin with the oldest",
                )
            })? {
                Named::Oldest => 0,
                Named::Event { contact, kind } => {
                    let tenant = principal.tenant.as_deref();
                    let known = store.event_of(contact, kind, tenant).await?;
                    known.unwrap_or_default()
                }
            }
        }
        None => {
            api.node.durable().await.map_err(Problem::unavailable)?;
            store.last_event().await?
        }
    };
    let (lines, body) = mpsc::channel(WAITING);
    let reader = Reader {
        api,
        asked,
        principal,
    };
    tokio::spawn(async move {
        if let Err(error) = tell(&store, &reader, after, &lines).await {
            tracing::warn!("a stream of events ends: {error}");
        }
        drop(place);
    });
    let headers = [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-store"),
    ];
    Ok((headers, Body::new(Lines(body))).into_response())
}

/// An event as a stream names it: by its contact and what it is, which are its alone. Its number would tell how much happens
/// to others.
enum Named<'a> {
    /// All that are kept.
    Oldest,
    Event {
        contact: &'a str,
        kind: &'a str,
    },
}

impl<'a> Named<'a> {
    fn read(text: &'a str) -> Option<Named<'a>> {
        if text == "0" {
            return Some(Named::Oldest);
        }
        let (contact, kind) = text.split_once('/')?;
        Some(Named::Event { contact, kind })
    }
}

/// Who reads a stream.
struct Reader {
    api: Api,
    /// What the stream was asked for with.
    asked: Parts,
    principal: Principal,
}

impl Reader {
    /// Whether the reader may still: a token may be revoked meanwhile, a session be over.
    async fn may_still(&self) -> bool {
        let now = self.api.now();
        let known = self.api.gate.principal(&self.asked, None, now).await;
        known.is_ok_and(|known| {
            known.is_some_and(|principal| {
                self.api.served(&principal).is_ok()
                    && principal.may(Permission::RecordsRead)
                    && principal.tenant == self.principal.tenant
            })
        })
    }
}

/// Writes events into a stream until nobody reads it.
async fn tell(
    store: &Store,
    reader: &Reader,
    mut after: i64,
    lines: &mpsc::Sender<Bytes>,
) -> Result<(), StoreError> {
    let mut news = store.news();
    // The head of the answer goes out at once.
    let mut line = ": strowger\n\n".to_owned();
    loop {
        if lines
            .send(Bytes::from(std::mem::take(&mut line)))
            .await
            .is_err()
        {
            return Ok(());
        }
        let events = loop {
            let events = store.events_after(after, PAGE).await?;
            if !events.is_empty() {
                break events;
            }
            tokio::select! {
                changed = tokio::time::timeout(KEEP_ALIVE, news.changed()) => match changed {
                    Ok(Ok(())) => {}
                    Ok(Err(_)) => return Ok(()),
                    Err(_) => break events,
                },
                () = lines.closed() => return Ok(()),
            }
        };
        if !reader.may_still().await {
            return Ok(());
        }
        for event in &events {
            after = event.id;
            let told = match payload(store, event).await {
                // The log names it; the others are told.
                Err(StoreError::DamagedRecord { .. }) => None,
                told => told?,
            };
            // One whose contact is gone has nothing to tell; its number is passed over.
            if let Some(mut told) = told
                && told["tenant"]
                    .as_str()
                    .is_some_and(|tenant| reader.principal.sees(tenant))
            {
                let kind = &event.kind;
                let id = format!("{}/{kind}", event.contact);
                told["id"] = id.as_str().into();
                line.push_str(&format!("id: {id}\nevent: {kind}\ndata: {told}\n\n"));
            }
        }
        if events.is_empty() {
            line.push_str(":\n\n");
        }
    }
}

/// A body of what comes through a channel.
struct Lines(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Lines {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0
            .poll_recv(cx)
            .map(|line| line.map(|line| Ok(Frame::data(line))))
    }
}
