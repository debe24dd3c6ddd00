//! The task of one webhook.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, StatusCode, Uri};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rand::Rng as _;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::address::Resolver;
use super::payload::payload;
use super::sign::signature;
use crate::clock::Clock;
use crate::project::Webhook;
use crate::store::{Delivery, Store, StoreError};

/// Events noted at a time.
const NOTED: u32 = 256;
/// Longest time until something new, or sent again by `strowger webhooks retry`, is noticed.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Pause after the first failure; each further one doubles it.
const FIRST_PAUSE_MS: u64 = 1_000;
/// Longest pause.
const LONGEST_PAUSE_MS: u64 = 3_600_000;
/// Longest wait for a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Fewest characters of a key: fewer can be guessed.
const KEY_CHARACTERS: usize = 16;

/// Why webhooks cannot be told anything.
#[derive(Debug, thiserror::Error)]
pub enum CourierError {
    /// No key.
    #[error(
        "the webhook `{hook}` signs with the key in the variable {variable}, which is not set: set it to {KEY_CHARACTERS} characters or more, such as from `openssl rand -hex 32`"
    )]
    NoKey {
        /// The webhook.
        hook: String,
        /// The variable.
        variable: String,
    },
    /// A key that can be guessed.
    #[error(
        "the webhook `{hook}`: the key in {variable} has fewer than {KEY_CHARACTERS} characters"
    )]
    ShortKey {
        /// The webhook.
        hook: String,
        /// The variable.
        variable: String,
    },
}

/// Tells one webhook.
pub struct Courier {
    hook: Webhook,
    name: String,
    key: Vec<u8>,
    uri: Uri,
    client: Client<HttpsConnector<HttpConnector<Resolver>>, Full<Bytes>>,
    store: Store,
    clock: Clock,
}

/// A courier for each webhook of a project, with the keys from the environment.
pub fn couriers(hooks: &[Webhook], store: &Store) -> Result<Vec<Courier>, CourierError> {
    hooks.iter().map(|hook| Courier::new(hook, store)).collect()
}

impl Courier {
    fn new(hook: &Webhook, store: &Store) -> Result<Courier, CourierError> {
        let (name, variable) = (hook.title(), hook.secret_env.clone());
        let key = match std::env::var(&variable) {
            Ok(key) if key.chars().count() >= KEY_CHARACTERS => key,
            Ok(_) => {
                return Err(CourierError::ShortKey {
                    hook: name,
                    variable,
                });
            }
            Err(_) => {
                return Err(CourierError::NoKey {
                    hook: name,
                    variable,
                });
            }
        };
        let mut connector = HttpConnector::new_with_resolver(Resolver {
            allow_private: hook.allow_private,
        });
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(CONNECT_WITHIN));
        let https = hyper_rustls::HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::aws_lc_rs::default_provider())
            .expect("the provider has the protocol versions that rustls calls safe")
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        Ok(Courier {
            name,
            key: key.into_bytes(),
            uri: hook
                .url
                .parse()
                .expect("the URL was checked with the project"),
            hook: hook.clone(),
            client: Client::builder(TokioExecutor::new())
                .pool_idle_timeout(Duration::from_secs(30))
                .build(https),
            store: store.clone(),
            clock: Clock::start(),
        })
    }

    /// Tells what happens until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let mut news = self.store.news();
        loop {
            let wait = match self.turn().await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::debug!(hook = %self.name, "webhooks wait for the store: {error}");
                    LOOK_AGAIN
                }
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
                // A stopped writer has no news; the clock goes on.
                Ok(()) = news.changed() => {}
            }
        }
    }

    /// Notes what is new and tells what is due; how long to wait then.
    async fn turn(&self) -> Result<Duration, StoreError> {
        loop {
            let now = self.clock.now();
            let more = self
                .store
                .note_deliveries(&self.name, &self.hook.events, now, NOTED)
                .await?;
            let due = self.store.deliveries(&self.name, self.hook.at_once).await?;
            let next = due.first().map(|delivery| delivery.due);
            let now = i64::try_from(now).unwrap_or(i64::MAX);
            let due: Vec<Delivery> = due.into_iter().filter(|next| next.due <= now).collect();
            if due.is_empty() && !more {
                let until = next.map_or(LOOK_AGAIN, |due| {
                    Duration::from_millis(due.saturating_sub(now).unsigned_abs())
                });
                return Ok(until.min(LOOK_AGAIN));
            }
            let mut under_way = JoinSet::new();
            for delivery in due {
                let Some(event) = self.store.event(delivery.event).await? else {
                    self.store.delivered(&self.name, delivery.event).await?;
                    continue;
                };
                let Some(body) = payload(&self.store, &event).await? else {
                    self.store.delivered(&self.name, delivery.event).await?;
                    continue;
                };
                let request = self.request(&event.kind, delivery.event, body.to_string());
                let exchange = self.client.request(request);
                let limit = Duration::from_secs(self.hook.timeout_s.into());
                under_way.spawn(async move {
                    let told = match tokio::time::timeout(limit, exchange).await {
                        Err(_) => Err((false, format!("no answer within {} s", limit.as_secs()))),
                        Ok(Err(error)) => Err((false, cause(&error))),
                        Ok(Ok(answer)) if answer.status().is_success() => Ok(()),
                        Ok(Ok(answer)) => {
                            // 410 says that nobody is there any more, and never will be.
                            let gone = answer.status() == StatusCode::GONE;
                            Err((gone, format!("answered {}", answer.status())))
                        }
                    };
                    (delivery, told)
                });
            }
            while let Some(done) = under_way.join_next().await {
                // A panic there is a bug of ours; the row stays and is tried again.
                if let Ok((delivery, told)) = done {
                    self.note(&delivery, told).await?;
                }
            }
        }
    }

    fn request(&self, kind: &str, event: i64, body: String) -> Request<Full<Bytes>> {
        let seconds = self.clock.now() / 1_000;
        Request::post(self.uri.clone())
            .header("content-type", "application/json")
            .header(
                "user-agent",
                concat!("strowger/", env!("CARGO_PKG_VERSION")),
            )
            .header("strowger-event", kind)
            .header("strowger-delivery", event)
            .header(
                "strowger-signature",
                signature(&self.key, seconds, body.as_bytes()),
            )
            .body(Full::new(Bytes::from(body)))
            .expect("a checked URL and plain words make a request")
    }

    async fn note(
        &self,
        delivery: &Delivery,
        told: Result<(), (bool, String)>,
    ) -> Result<(), StoreError> {
        let (gone, why) = match told {
            Ok(()) => return self.store.delivered(&self.name, delivery.event).await,
            Err(failed) => failed,
        };
        let now = self.clock.now();
        let until = delivery.since.unsigned_abs() + u64::from(self.hook.retry_for_s) * 1_000;
        let due = now + pause_ms(delivery.attempts.unsigned_abs());
        let due = Some(due).filter(|due| !gone && *due <= until);
        match due {
            Some(_) => {
                tracing::debug!(hook = %self.name, event = delivery.event, "not told yet: {why}");
            }
            None => tracing::warn!(
                hook = %self.name,
                event = delivery.event,
                "given up: {why}; `strowger webhooks dead` lists it, `strowger webhooks retry` sends it again"
            ),
        }
        self.store
            .undelivered(&self.name, delivery.event, due, &why)
            .await
    }
}

/// The pause after so many failures before this one: half of it is chance, so that what failed together does not come
/// again together.
fn pause_ms(attempts: u64) -> u64 {
    let doubled = FIRST_PAUSE_MS.saturating_mul(1 << attempts.min(20));
    let whole = doubled.min(LONGEST_PAUSE_MS);
    whole / 2 + rand::rng().random_range(0..=whole / 2)
}

/// The innermost reason of a failed request; the outer ones say only that it failed.
fn cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::{LONGEST_PAUSE_MS, pause_ms};

    #[test]
    fn pauses_double_up_to_an_hour() {
        for (attempts, most) in [
            (0, 1_000),
            (3, 8_000),
            (12, LONGEST_PAUSE_MS),
            (u64::MAX, LONGEST_PAUSE_MS),
        ] {
            let pause = pause_ms(attempts);
            assert!((most / 2..=most).contains(&pause), "{attempts}: {pause}");
        }
    }
}
