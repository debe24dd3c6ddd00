//! The task of one webhook.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Uri};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rand::Rng as _;
use serde_json::Value as Json;
use tokio_util::sync::CancellationToken;

use super::address::Resolver;
use super::flight::{Answer, Flight, Told};
use super::payload::payload;
use super::sign::signature;
use crate::centre::Centre;
use crate::clock::Clock;
use crate::project::{TelemetrySection, Webhook};
use crate::replay::{Reasons, explainable, reasons};
use crate::store::{Delivery, EventRow, Store, StoreError};
use crate::telemetry::export;

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
/// How long a trace that cannot be handed over is tried again, in seconds: nobody looks at an old one.
const TRACES_FOR_S: u32 = 3_600;
/// Why events are given up whose webhook is gone.
const GONE: &str = "this webhook is configured no longer";
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

/// The name by which what is sent to a collector of traces is listed; no host is called so.
const TRACES: &str = "otlp";

/// What is sent.
enum Form {
    /// The event, signed with this key.
    Signed(Vec<u8>),
    /// The contact's trace, with the reasons that those who are served still have.
    Trace(Arc<Centre>),
}

impl Form {
    /// How long an event waits before it is told, in milliseconds: the last SIP messages of a call follow its end.
    fn after_ms(&self) -> u64 {
        match self {
            Form::Signed(_) => 0,
            Form::Trace(_) => 2_000,
        }
    }
}

/// Tells one webhook, or a collector of traces.
pub struct Courier {
    hook: Webhook,
    name: String,
    form: Form,
    uri: Uri,
    client: Client<HttpsConnector<HttpConnector<Resolver>>, Full<Bytes>>,
    store: Store,
    clock: Clock,
}

/// A courier for each webhook of a project, with the keys from the environment, and one for a collector of traces.
pub fn couriers(
    hooks: &[Webhook],
    telemetry: &TelemetrySection,
    store: &Store,
    centre: &Arc<Centre>,
) -> Result<Vec<Courier>, CourierError> {
    let mut couriers = Vec::new();
    for hook in hooks {
        couriers.push(Courier::signing(hook, store)?);
    }
    if let Some(url) = telemetry.traces_url() {
        let collector = Webhook {
            name: Some(TRACES.to_owned()),
            url,
            secret_env: String::new(),
            events: vec!["contact.ended".to_owned()],
            // A collector mostly runs beside us; what it is told has nobody's number in it.
            allow_private: true,
            at_once: 4,
            timeout_s: 10,
            retry_for_s: TRACES_FOR_S,
        };
        couriers.push(Courier::new(&collector, Form::Trace(centre.clone()), store));
    }
    Ok(couriers)
}

/// Gives up what was to be told to webhooks that are configured no longer, such as one whose name or host is another by now:
/// else nobody would hear of it, and its events would never go.
pub async fn give_up_others(couriers: &[Courier], store: &Store) -> Result<(), StoreError> {
    let names: Vec<String> = couriers
        .iter()
        .map(|courier| courier.name.clone())
        .collect();
    let others = store.give_up_others(&names, GONE).await?;
    for (hook, events) in others {
        tracing::warn!(
            hook = %hook,
            events,
            "given up: {GONE}; `strowger webhooks dead` lists them, `strowger webhooks retry` sends them again where the webhook has this name"
        );
    }
    Ok(())
}

impl Courier {
    fn signing(hook: &Webhook, store: &Store) -> Result<Courier, CourierError> {
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
        Ok(Courier::new(hook, Form::Signed(key.into_bytes()), store))
    }

    fn new(hook: &Webhook, form: Form, store: &Store) -> Courier {
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
        Courier {
            name: hook.title(),
            form,
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
        }
    }

    /// Tells what happens until told to stop.
    pub async fn run(self, stop: CancellationToken) {
        let mut news = self.store.news();
        let mut flight = Flight::default();
        loop {
            let wait = match self.turn(&mut flight).await {
                Ok(wait) => wait,
                Err(error) => {
                    self.held_up(&error);
                    LOOK_AGAIN
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = tokio::time::sleep(wait) => {}
                // A stopped writer has no news; the clock goes on.
                Ok(()) = news.changed() => {}
                // The place of what is answered is the next one's, however long the others take.
                Some(answer) = flight.answered() => {
                    if let Err(error) = self.landed(answer).await {
                        self.held_up(&error);
                        tokio::time::sleep(LOOK_AGAIN).await;
                    }
                }
            }
        }
        // What was sent may have come: its answer is still noted.
        while let Some(answer) = flight.answered().await {
            if let Err(error) = self.landed(answer).await {
                self.held_up(&error);
            }
        }
    }

    fn held_up(&self, error: &StoreError) {
        tracing::debug!(hook = %self.name, "webhooks wait for the store: {error}");
    }

    /// Notes how a request ended.
    async fn landed(&self, answer: Option<Answer>) -> Result<(), StoreError> {
        match answer {
            Some((delivery, told)) => self.note(&delivery, told).await,
            // A panic there is a bug of ours; the row stays and is tried again.
            None => Ok(()),
        }
    }

    /// Notes what is new and begins to tell what is due, as far as there is room; how long to wait then.
    async fn turn(&self, flight: &mut Flight) -> Result<Duration, StoreError> {
        loop {
            let now = self.clock.now();
            let more = self
                .store
                .note_deliveries(
                    &self.name,
                    &self.hook.events,
                    now + self.form.after_ms(),
                    NOTED,
                )
                .await?;
            let now = i64::try_from(now).unwrap_or(i64::MAX);
            let (mut waiting, mut next) = (BTreeMap::new(), None);
            if flight.room(self.hook.at_once) > 0 {
                for tenant in self.store.to_be_told_of(&self.name).await? {
                    let due = self
                        .store
                        .deliveries(&self.name, &tenant, self.hook.at_once);
                    let mut due = VecDeque::from(due.await?);
                    // Those under way are among them until they are answered.
                    due.retain(|delivery| !flight.has(delivery.event));
                    next = due.iter().map(|delivery| delivery.due).chain(next).min();
                    due.retain(|next| is_due(next, now, self.form.after_ms()));
                    waiting.insert(tenant, due);
                }
            }
            let due = flight.in_turn(waiting, self.hook.at_once);
            if due.is_empty() && !more {
                let until = next.map_or(LOOK_AGAIN, |due: i64| {
                    Duration::from_millis(due.saturating_sub(now).unsigned_abs())
                });
                return Ok(until.min(LOOK_AGAIN));
            }
            for delivery in due {
                if let Some(request) = self.prepared(&delivery).await? {
                    let limit = Duration::from_secs(self.hook.timeout_s.into());
                    flight.begin(delivery, self.client.request(request), limit);
                }
            }
        }
    }

    /// The request that tells an event. None where there is nothing to tell, because its contact is gone, and where what there is
    /// cannot be read, now or later: then the event is given up, and the others are told.
    async fn prepared(
        &self,
        delivery: &Delivery,
    ) -> Result<Option<Request<Full<Bytes>>>, StoreError> {
        let told = match self.store.event(delivery.event).await? {
            Some(event) => match self.body(&event).await {
                Ok(body) => body.map(|body| (event.kind, body)),
                Err(error @ StoreError::DamagedRecord { .. }) => {
                    self.note(delivery, Err((true, error.to_string()))).await?;
                    return Ok(None);
                }
                Err(error) => return Err(error),
            },
            None => None,
        };
        let Some((kind, body)) = told else {
            self.store.delivered(&self.name, delivery.event).await?;
            return Ok(None);
        };
        Ok(Some(self.request(&kind, delivery.event, body.to_string())))
    }

    /// What is sent of an event; none when its contact is gone.
    async fn body(&self, event: &EventRow) -> Result<Option<Json>, StoreError> {
        match &self.form {
            Form::Signed(_) => payload(&self.store, event).await,
            Form::Trace(centre) => {
                let Some(contact) = self.store.contact(&event.contact).await? else {
                    return Ok(None);
                };
                let journal = self.store.journal(&event.contact).await?.entries;
                let ladder = self.store.ladder(&event.contact).await?;
                if journal.is_empty() {
                    return Ok(None);
                }
                let reasons = match explainable(&journal) {
                    Ok(begun) => match centre.at_hand(&contact.tenant, &begun) {
                        Some(engine) => reasons(engine.program.clone(), &journal, begun).await,
                        // Many traces may wait for their collector: nothing is compiled for them.
                        None => Reasons::none("another revision is live by now"),
                    },
                    Err(reasons) => reasons,
                };
                let (id, tenant) = (&contact.id, &contact.tenant);
                Ok(Some(export(id, tenant, &journal, &ladder, &reasons)))
            }
        }
    }

    fn request(&self, kind: &str, event: i64, body: String) -> Request<Full<Bytes>> {
        let seconds = self.clock.now() / 1_000;
        let mut request = Request::post(self.uri.clone())
            .header("content-type", "application/json")
            .header(
                "user-agent",
                concat!("strowger/", env!("CARGO_PKG_VERSION")),
            );
        if let Form::Signed(key) = &self.form {
            request = request
                .header("strowger-event", kind)
                .header("strowger-delivery", event)
                .header(
                    "strowger-signature",
                    signature(key, seconds, body.as_bytes()),
                );
        }
        request
            .body(Full::new(Bytes::from(body)))
            .expect("a checked URL and plain words make a request")
    }

    async fn note(&self, delivery: &Delivery, told: Told) -> Result<(), StoreError> {
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
    let whole = longest_pause_ms(attempts);
    whole / 2 + rand::rng().random_range(0..=whole / 2)
}

/// The longest pause after so many failures before the last one.
fn longest_pause_ms(attempts: u64) -> u64 {
    let doubled = FIRST_PAUSE_MS.saturating_mul(1 << attempts.min(20));
    doubled.min(LONGEST_PAUSE_MS)
}

/// Whether it is time for a delivery. One that is due later than any pause lasts was put off before the machine's clock went
/// back.
fn is_due(delivery: &Delivery, now: i64, after_ms: u64) -> bool {
    let pause = match delivery.attempts.unsigned_abs() {
        0 => after_ms,
        attempts => longest_pause_ms(attempts - 1),
    };
    let ahead = delivery.due.saturating_sub(now);
    ahead <= 0 || ahead.unsigned_abs() > pause
}

#[cfg(test)]
mod tests {
    use super::{Delivery, LONGEST_PAUSE_MS, is_due, pause_ms};

    #[test]
    fn what_was_put_off_before_the_clock_went_back_is_due() {
        let delivery = |due, attempts| Delivery {
            hook: "crm".to_owned(),
            event: 1,
            tenant: "aurora".to_owned(),
            since: 0,
            due,
            attempts,
            error: None,
        };
        const NOW: i64 = 1_000_000;
        for (ahead, attempts, due) in [
            (0, 0, true),
            (-1, 3, true),
            (900, 1, false),
            (1_001, 1, true),
            (7_999, 4, false),
            (3_600_000, 20, false),
            (3_600_001, 20, true),
            // It was never tried: nothing put it off.
            (1, 0, true),
        ] {
            let told = is_due(&delivery(NOW + ahead, attempts), NOW, 0);
            assert_eq!(told, due, "{ahead} after {attempts}");
        }
        // But for what waits for the end of a journal.
        assert!(!is_due(&delivery(NOW + 2_000, 0), NOW, 2_000));
    }

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
