//! Serving: calls come in, each gets a contact; on a signal the calls are drained.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use strowger_contact::{Channel, Contact, Entry, EntryKind, Input};
use strowger_voice::sdp::{Direction, Session};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::centre::{Admitted, Centre, NotAdmitted};
use crate::media::{Media, MediaEvent};
use crate::project::Resume;
use crate::records::early;
use crate::runtime::{
    Again, Broken, Caller, ComesBack, Driver, Early, Engine, Ladders, Left, Line, Outgoing, Pace,
    Returns, VoiceLine,
};
use crate::sip::{CallEvent, Incoming, Sip};
use crate::store::CALLED_BACK;

/// Keys kept from before the ACK; nobody types more in a round trip.
const MAX_EARLY_KEYS: usize = 32;

/// Events of one call's audio that may wait for its task.
const MEDIA_EVENTS: usize = 64;
/// How long calls may go on after the first signal to stop, unless another signal comes.
pub const DRAIN: Duration = Duration::from_secs(30);

/// What has come in since the start.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Calls that are up.
    pub calls: AtomicUsize,
    /// Calls answered.
    pub answered: AtomicU64,
    /// Calls to numbers without a route: 404.
    pub unknown_number: AtomicU64,
    /// Calls to tenants that have nothing live: 480.
    pub nothing_live: AtomicU64,
    /// Calls to tenants that have as many contacts as they may, or journals that take too much of the store: 503.
    pub tenant_full: AtomicU64,
    /// Calls without a codec of ours, or with an unusable offer: 488 and 400.
    pub unusable_offer: AtomicU64,
    /// Calls refused because no audio port was free: 503.
    pub no_port: AtomicU64,
    /// Whether new calls are refused, because the engine is to stop.
    pub draining: AtomicBool,
}

impl Traffic {
    /// Counts a contact that does not begin; gives SIP's answer to it, and its disposition.
    fn refused(&self, refusal: &NotAdmitted) -> (u16, &'static str, &'static str) {
        let (count, code, reason, disposition) = match refusal {
            NotAdmitted::NoTenant(_) | NotAdmitted::NoRoute(_) => (
                &self.unknown_number,
                404,
                "No route for this number",
                early::NO_ROUTE,
            ),
            NotAdmitted::NothingLive(_) | NotAdmitted::NotServed(_) => (
                &self.nothing_live,
                480,
                "Nothing is live here",
                early::NOTHING_LIVE,
            ),
            NotAdmitted::Full(_) | NotAdmitted::Crowded(_) => {
                (&self.tenant_full, 503, "Too many calls", early::OVERLOADED)
            }
        };
        count.fetch_add(1, Ordering::Relaxed);
        (code, reason, disposition)
    }
}

/// Takes calls until told to stop.
pub struct Server {
    /// Who is served.
    pub centre: Arc<Centre>,
    /// The audio.
    pub media: Media,
    /// The SIP messages of contacts.
    pub ladders: Ladders,
    /// The calls that transfers place.
    pub outgoing: Arc<Outgoing>,
    /// The calls whose callers may come back.
    pub returns: Arc<Returns>,
    /// Counters.
    pub traffic: Arc<Traffic>,
}

impl Server {
    /// Serves until `drain` is cancelled and the calls are over, or `stop` ends them.
    pub async fn run(
        self,
        sip: Sip,
        mut incoming: mpsc::Receiver<Incoming>,
        drain: CancellationToken,
        stop: CancellationToken,
    ) {
        let server = Arc::new(self);
        let calls = TaskTracker::new();
        loop {
            tokio::select! {
                call = incoming.recv() => match call {
                    Some(call) => {
                        let (server, stop) = (server.clone(), stop.clone());
                        calls.spawn(async move { server.take(call, stop).await });
                    }
                    None => break,
                },
                () = drain.cancelled() => break,
            }
        }
        sip.drain().await;
        // Said when it is so: whoever reads it may count on the next call being refused.
        eprintln!("draining: no new calls; another signal ends those that are up");
        server.traffic.draining.store(true, Ordering::Relaxed);
        // Whoever got in before the door closed is served too.
        while let Ok(call) = incoming.try_recv() {
            let (server, stop) = (server.clone(), stop.clone());
            calls.spawn(async move { server.take(call, stop).await });
        }
        calls.close();
        if tokio::time::timeout(DRAIN, calls.wait()).await.is_err() {
            tracing::warn!(
                calls = calls.len(),
                "calls are ended: they lasted longer than the time to drain"
            );
            stop.cancel();
            calls.wait().await;
        }
        sip.shutdown().await;
    }

    async fn take(&self, incoming: Incoming, stop: CancellationToken) {
        let mut early = Early::of(&incoming);
        let Incoming {
            call,
            call_id,
            from_user,
            to_user,
            offer,
            mut events,
            source,
            max_forwards,
            leg,
            received_at,
            ..
        } = incoming;
        let admitted = match self.centre.admit(&to_user, &from_user) {
            Ok(admitted) => admitted,
            Err(refusal) => {
                let (code, reason, disposition) = self.traffic.refused(&refusal);
                tracing::warn!(number = %to_user, %source, "refused {code}: {refusal}");
                let _ = call.reject(code, reason).await;
                self.ladders.early(early.because(disposition)).await;
                return;
            }
        };
        // The seat is kept until the call is over.
        let Admitted {
            engine,
            flow,
            binding,
            resume,
            seat: _seat,
        } = admitted;
        early = early.taken(&engine, &flow);
        let (media_events, media) = mpsc::channel::<MediaEvent>(MEDIA_EVENTS);
        let stream = match self.media.open(media_events) {
            Ok(stream) => stream,
            Err(error) => {
                self.traffic.no_port.fetch_add(1, Ordering::Relaxed);
                tracing::error!(%source, "refused 503: {error}");
                let _ = call.reject(503, "No media port").await;
                self.ladders.early(early.because(early::OVERLOADED)).await;
                return;
            }
        };
        let mut session = Session::new(rand::random::<u32>().into(), stream.local_addr());
        let answered = match &offer {
            Some(offer) => session
                .answer(offer)
                .map(|answered| (answered.sdp, Some(answered.remote))),
            None => Ok((session.offer(Direction::SendRecv), None)),
        };
        let (sdp, mut remote) = match answered {
            Ok(answered) => answered,
            Err(error) => {
                self.traffic.unusable_offer.fetch_add(1, Ordering::Relaxed);
                tracing::warn!(%source, "refused {}: {error}", error.status());
                let _ = call.reject(error.status(), "").await;
                let disposition = early::of_status(error.status(), false);
                self.ladders.early(early.because(disposition)).await;
                return;
            }
        };
        if let Err(error) = call.answer(sdp.into_bytes()).await {
            tracing::info!(%source, "the caller was gone before the answer: {error}");
            self.ladders.early(early).await;
            return;
        }
        // Media may be counted on from the ACK on; what comes before is the caller giving up.
        let mut early_keys = Vec::new();
        let answer = loop {
            let event = tokio::select! {
                event = events.recv() => event,
                () = stop.cancelled() => {
                    tracing::info!(%source, %call_id, "the call is ended before its answer was acknowledged: the engine stops");
                    let _ = call.hang_up().await;
                    self.ladders.early(early.because("shutdown")).await;
                    return;
                }
            };
            match event {
                Some(CallEvent::Acked { sdp }) => break sdp,
                // An ACK can be lost or overtaken; keys by INFO are type-ahead all the same. There is no journal yet that they
                // could be in, and whoever waits for their answer before the ACK would wait for itself.
                Some(CallEvent::Key { key, reply }) if early_keys.len() < MAX_EARLY_KEYS => {
                    early_keys.push(key);
                    reply.heard().await;
                }
                Some(CallEvent::Key { reply, .. }) => reply.not_saved().await,
                Some(CallEvent::Message { .. }) => {}
                ended => {
                    tracing::info!(%source, %call_id, "the call ended before the answer was acknowledged");
                    // Whatever else ends it is the caller's: CANCEL, BYE, a connection that broke.
                    let early = match ended {
                        Some(CallEvent::Timeout) => early.because(early::NO_ACK),
                        _ => early,
                    };
                    self.ladders.early(early).await;
                    return;
                }
            }
        };
        if let Some(answer) = answer.filter(|_| remote.is_none()) {
            match session.accept(&answer) {
                Ok(accepted) => remote = Some(accepted),
                Err(error) => {
                    tracing::warn!(%source, "hung up: the answer in the ACK cannot be used: {error}");
                    let _ = call.hang_up().await;
                    self.ladders
                        .early(early.because(early::NOT_ACCEPTABLE))
                        .await;
                    return;
                }
            }
        }
        let Some(remote) = remote else {
            tracing::warn!(%source, "hung up: no session description in the INVITE nor in the ACK");
            let _ = call.hang_up().await;
            self.ladders
                .early(early.because(early::NOT_ACCEPTABLE))
                .await;
            return;
        };
        if let Err(error) = stream.connect(remote, source.ip()) {
            tracing::warn!(%source, "hung up: {error}");
            let _ = call.hang_up().await;
            self.ladders
                .early(early.because(early::NOT_ACCEPTABLE))
                .await;
            return;
        }
        self.traffic.answered.fetch_add(1, Ordering::Relaxed);
        self.traffic.calls.fetch_add(1, Ordering::Relaxed);
        let mut line = VoiceLine::new(
            engine.clone(),
            String::new(),
            call,
            events,
            stream,
            media,
            session,
            remote,
            source.ip(),
            self.outgoing.clone(),
            max_forwards,
        );
        line.pressed(early_keys);
        let received_at = engine.node.clock.at(received_at);
        let answered = Answered {
            engine,
            flow,
            from: from_user,
            to: to_user,
            call_id,
            leg,
            early,
            received_at,
            binding,
            resume,
        };
        self.walk(answered, line, stop).await;
        self.traffic.calls.fetch_sub(1, Ordering::Relaxed);
    }

    /// The contacts of a call: one that broke before, if its caller wants to go on with it, else a new one.
    async fn walk(&self, call: Answered, line: VoiceLine, stop: CancellationToken) {
        let Answered { engine, resume, .. } = &call;
        let caller = resume
            .as_ref()
            .and_then(|_| Caller::known(&engine.tenant, &call.binding, &call.from));
        let Some((resume, caller)) = resume.as_ref().zip(caller) else {
            if let Some((contact, line)) = self.begin(&call, line, call.received_at).await {
                Driver::new(engine.clone(), contact, line, stop, Pace::Real, false)
                    .run()
                    .await;
            }
            return;
        };
        let comes_back = ComesBack {
            binding: call.binding.clone(),
            window_ms: resume.window_ms(),
        };
        let turn = self.returns.begin(caller);
        let (mut line, mut since) = (line, call.received_at);
        if let Some(broken) = turn.take()
            && let Some(again) = self.returns.again(&engine.tenant, &broken).await
        {
            let Again {
                engine,
                rebuilt,
                entries,
            } = again;
            let id = broken.id.clone();
            tracing::info!(contact = %id, from = %call.from, to = %call.to, call_id = %call.call_id, "the caller of a call that dropped is back");
            let ahead = broken.ahead;
            line.belongs_to(engine.clone(), id.clone(), ahead);
            let number = back_again(&entries);
            self.ladders.keep(call.leg, &id, number, ahead).await;
            let back = Input::CalledBack {
                sip_call_id: call.call_id.clone(),
                question: resume.say.get(rebuilt.contact.language()).cloned(),
            };
            let driver = Driver::again(engine, rebuilt, &entries, line, stop.clone(), Pace::Real)
                .first([Input::Dropped { vanished: false }, back])
                .was_dropped(broken.until)
                .ahead(ahead)
                .coming_back(comes_back.clone());
            match driver.run_call().await {
                Left::Over => return,
                Left::Dropped(until) => return turn.wait(Broken { until, ..broken }).await,
                Left::Declined(free, rest) => {
                    tracing::info!(contact = %id, "its caller begins anew");
                    self.returns.declined(*rest);
                    line = free;
                    since = call.engine.node.clock.now();
                }
            }
        }
        let Some((contact, line)) = self.begin(&call, line, since).await else {
            return;
        };
        let id = contact.facts().id.clone();
        let driver = Driver::new(engine.clone(), contact, line, stop, Pace::Real, false);
        if let Left::Dropped(until) = driver.coming_back(comes_back).run_call().await {
            let ahead = 0;
            turn.wait(Broken { id, until, ahead }).await;
        }
    }

    /// A new contact for a line, since a time in milliseconds since 1970; none when the flow is not there.
    async fn begin(
        &self,
        call: &Answered,
        mut line: VoiceLine,
        since: u64,
    ) -> Option<(Contact, VoiceLine)> {
        let Answered {
            engine,
            flow,
            from,
            to,
            call_id,
            ..
        } = call;
        let contact = engine
            .contact_since(since, flow, Channel::Voice, from, to, Some(call_id))
            .await;
        let Some(contact) = contact else {
            // Routes were checked against the flows when the project was loaded.
            tracing::error!(%flow, "a route leads to a flow that is not there");
            line.hang_up();
            let early = call.early.clone();
            self.ladders.early(early.because(early::NO_ROUTE)).await;
            return None;
        };
        let id = contact.facts().id.clone();
        self.ladders.keep(call.leg, &id, 0, 0).await;
        tracing::info!(contact = %id, %from, %to, %flow, %call_id, "call answered");
        line.belongs_to(engine.clone(), id.clone(), 0);
        if let Some(path) = line.record_whole(&id) {
            // From now on, so that whoever looks after a crash finds what there is.
            engine.node.recorded(&id, Some(&path)).await;
        }
        Some((contact, line))
    }
}

/// Which of the calls of a contact's caller comes now: those before it are in the journal.
fn back_again(entries: &[Entry]) -> u32 {
    let before = entries
        .iter()
        .filter(|entry| matches!(entry.kind, EntryKind::CalledBack { .. }));
    CALLED_BACK.saturating_add(u32::try_from(before.count()).unwrap_or(u32::MAX))
}

/// A call that was answered.
struct Answered {
    engine: Arc<Engine>,
    flow: String,
    from: String,
    to: String,
    call_id: String,
    /// Its SIP messages; none where they are not kept.
    leg: Option<u64>,
    /// What it is written down as, if it ends before its flow begins.
    early: Early,
    /// When its INVITE came, in milliseconds since 1970.
    received_at: u64,
    /// The number of the route.
    binding: String,
    /// Whether a caller who was cut off may go on.
    resume: Option<Resume>,
}

/// The address that callers reach, when the operator gave none: the one we listen on, unless that is any.
pub fn advertised(listen: IpAddr, advertise: Option<IpAddr>) -> Result<IpAddr, String> {
    match advertise {
        Some(address) => Ok(address),
        None if listen.is_unspecified() => local_address().ok_or_else(|| {
            "this machine has no address to tell callers: set sip.advertise in strowger.toml"
                .to_owned()
        }),
        None => Ok(listen),
    }
}

/// The address that packets to the outside would come from. Nothing is sent.
fn local_address() -> Option<IpAddr> {
    let socket = std::net::UdpSocket::bind(("0.0.0.0", 0)).ok()?;
    // TEST-NET-1 (RFC 5737): connecting a UDP socket only asks the routing table.
    socket.connect(("192.0.2.1", 9)).ok()?;
    Some(socket.local_addr().ok()?.ip())
}
