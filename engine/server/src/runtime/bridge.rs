//! A bridged transfer: the engine's own call to the target, joined with the caller's (RFC 7092: a back-to-back user
//! agent).
//!
//! The second call has a task of its own, [`SecondCall`], which reads from top to bottom: admitted, placed, ringing,
//! whispered to, joined, over. The caller's line holds a [`Bridge`] on it; dropping that hangs the second call up, in
//! whatever state it is.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use strowger_contact::{Millis, TransferResult};
use strowger_voice::clip::Clip;
use strowger_voice::g711::Codec;
use strowger_voice::sdp::{Direction, Session};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::engine::Engine;
use super::line::Handover;
use super::outgoing::{Asker, Outgoing};
use crate::media::{Joint, MediaEvent, Stream};
use crate::prompts::PromptError;
use crate::sip::{Call, CallEvent, OutgoingCall, Reply, SipError};

/// Events of the second call's audio that may wait for its task, as for the caller's.
const MEDIA_EVENTS: usize = 64;
/// What the second call tells the caller's line, unread: it tells little, and the line reads at once.
const TOLD: usize = 16;
/// Keys of the caller on their way to the other side; nobody types more while two tasks pass them on.
const KEYS: usize = 32;
/// Longest time that somebody who answered is kept from the caller by a whisper.
const LONGEST_WHISPER: Duration = Duration::from_secs(30);
/// Number of the whisper among what the second stream plays, where it is alone.
const WHISPER: u32 = 1;
/// How long a key is down that goes on as INFO, in milliseconds.
const INFO_PRESS_MS: u32 = 160;

/// The caller's line's hold on the second call.
#[derive(Debug)]
pub(super) struct Bridge {
    /// The effect that it is.
    pub(super) effect: u32,
    /// Whether the two are joined.
    pub(super) joined: bool,
    told: mpsc::Receiver<Told>,
    keys: mpsc::Sender<Key>,
}

/// What the second call tells the caller's line.
#[derive(Debug)]
pub(super) enum Told {
    /// It rings there, or what is heard there is not the caller's: the caller shall hear ringing.
    Rings,
    /// The caller hears the other side's own tones from now on.
    Sounds,
    /// The two are joined.
    Joined,
    /// The other side pressed a key.
    Key(Key),
    /// It is over.
    Over(TransferResult),
}

/// A key of one side, for the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    /// Which.
    pub(super) key: char,
    /// It came as an event in the audio, and goes on as one where the other side knows events.
    pub(super) in_audio: bool,
}

/// The call that is handed over.
pub(super) struct Caller<'c> {
    /// The contact's identifier, for the log.
    pub(super) contact: &'c str,
    /// By how much the contact's clock is ahead of the machine's.
    pub(super) ahead: Millis,
    pub(super) stream: &'c Stream,
    pub(super) codec: Codec,
    /// How often its INVITE might still have been forwarded.
    pub(super) max_forwards: u8,
    /// Which of the calls that are placed for the contact this is to be, from 1.
    pub(super) nth: u32,
}

/// What becomes of a call before it is joined.
enum Failure {
    /// The transfer ended so.
    Ended(TransferResult),
    /// The caller's line gave it up.
    GivenUp,
}

/// What happens to a second call.
enum Event {
    Signal(Option<CallEvent>),
    Media(Option<MediaEvent>),
    Key(Key),
    /// The caller's line has gone.
    GivenUp,
    Time,
}

/// The second call, as its task sees it.
struct SecondCall {
    engine: Arc<Engine>,
    contact: String,
    /// By how much its clock is ahead of the machine's.
    ahead: Millis,
    effect: u32,
    outgoing: Arc<Outgoing>,
    /// Which of the contact's it is, from 1.
    nth: u32,
    handover: Handover,
    /// How often the caller's INVITE might still have been forwarded.
    max_forwards: u8,
    /// The caller's stream.
    caller: u64,
    stream: Stream,
    media: mpsc::Receiver<MediaEvent>,
    session: Session,
    /// Whether the other side takes keys as events.
    events: bool,
    whisper: Option<JoinHandle<Result<Vec<Arc<Clip>>, PromptError>>>,
    told: mpsc::Sender<Told>,
    keys: mpsc::Receiver<Key>,
}

impl Bridge {
    /// Begins to call the target. The stream of the second call is opened beside the caller's.
    pub(super) fn begin(
        engine: &Arc<Engine>,
        outgoing: &Arc<Outgoing>,
        effect: u32,
        handover: Handover,
        caller: Caller<'_>,
    ) -> Result<Bridge, crate::media::MediaError> {
        let (media_events, media) = mpsc::channel(MEDIA_EVENTS);
        let stream = caller.stream.open_beside(media_events)?;
        let session = Session::new(rand::random::<u32>().into(), stream.local_addr());
        let (told, to_line) = mpsc::channel(TOLD);
        let (keys, from_line) = mpsc::channel(KEYS);
        // Made while it rings: whoever answers waits for nothing.
        let whisper = (!handover.whisper.is_empty()).then(|| {
            let (engine, segments) = (engine.clone(), handover.whisper.clone());
            let codec = caller.codec;
            tokio::spawn(async move { engine.sounds(segments, codec).await })
        });
        let call = SecondCall {
            engine: engine.clone(),
            contact: caller.contact.to_owned(),
            ahead: caller.ahead,
            effect,
            outgoing: outgoing.clone(),
            nth: caller.nth,
            handover,
            max_forwards: caller.max_forwards,
            caller: caller.stream.id(),
            stream,
            media,
            session,
            events: false,
            whisper,
            told,
            keys: from_line,
        };
        tokio::spawn(call.run());
        Ok(Bridge {
            effect,
            joined: false,
            told: to_line,
            keys,
        })
    }

    /// What it tells next. Cancel-safe.
    pub(super) async fn told(&mut self) -> Told {
        // A task that ended without a word has failed.
        self.told
            .recv()
            .await
            .unwrap_or(Told::Over(TransferResult::Failed))
    }

    /// Passes a key of the caller on; one too many is dropped.
    pub(super) fn press(&self, key: Key) {
        if self.keys.try_send(key).is_err() {
            tracing::debug!("a key was dropped: the second call does not take it");
        }
    }
}

impl SecondCall {
    async fn run(mut self) {
        let result = match self.hand_over().await {
            Ok(()) => TransferResult::Done,
            Err(Failure::Ended(result)) => result,
            Err(Failure::GivenUp) => return,
        };
        // The line may have gone meanwhile; then nobody needs to know.
        let _ = self.told.send(Told::Over(result)).await;
    }

    /// The whole of the transfer; done when people have talked and the other side has left.
    async fn hand_over(&mut self) -> Result<(), Failure> {
        let ring = Instant::now() + Duration::from_millis(self.handover.options.ring_ms.into());
        // The second call goes on from the first: flows that hand over to each other come to an end (RFC 3261 §16.6).
        let Some(max_forwards) = self.max_forwards.checked_sub(1) else {
            self.complain(
                &"the caller's call has been forwarded as often as it may be (Max-Forwards 0): 483 Too Many Hops",
            );
            return Err(Failure::Ended(TransferResult::Failed));
        };
        // Held for as long as the call lasts.
        let asker = Asker {
            tenant: &self.engine.tenant,
            percent: self.engine.transfers_percent(),
            nth: self.nth,
        };
        let admitted = self.outgoing.admit(asker, Instant::now());
        let _place = admitted.map_err(|full| {
            self.complain(&full);
            Failure::Ended(TransferResult::Failed)
        })?;
        let OutgoingCall {
            call,
            call_id,
            peer,
            leg,
            mut events,
        } = self.place(ring, max_forwards).await?;
        let number = self.effect.max(1);
        let ladders = &self.outgoing.ladders;
        ladders.keep(leg, &self.contact, number, self.ahead).await;
        tracing::info!(contact = %self.contact, to = %self.handover.uri, %call_id, "transfer: calling");
        let talked = async {
            self.ring(peer.ip(), ring, &mut events).await?;
            self.whisper(peer.ip(), &mut events).await?;
            self.talk(&call, peer.ip(), &mut events).await
        }
        .await;
        // Whatever the end was; a call that is over takes no such order.
        let _ = call.hang_up().await;
        talked
    }

    async fn place(&mut self, until: Instant, max_forwards: u8) -> Result<OutgoingCall, Failure> {
        let from = match &self.handover.options.caller_id {
            Some(number) => number.clone(),
            // It comes from outside; with a colon it would be an address.
            None => self.handover.caller.replace(':', ""),
        };
        let offer = self.session.offer(Direction::SendRecv).into_bytes();
        let dialer = self.outgoing.dialer.clone().onward(max_forwards);
        let uri = self.handover.uri.clone();
        let placed = tokio::select! {
            placed = dialer.call(&uri, &from, offer) => placed,
            () = given_up(&mut self.keys) => return Err(Failure::GivenUp),
            () = tokio::time::sleep_until(until) => Err(SipError::Resolve {
                host: uri.clone(),
                cause: "it took longer than the transfer may ring".to_owned(),
            }),
        };
        placed.map_err(|error| {
            self.complain(&error);
            Failure::Ended(TransferResult::Failed)
        })
    }

    /// Until somebody answers.
    async fn ring(
        &mut self,
        peer: IpAddr,
        until: Instant,
        events: &mut mpsc::Receiver<CallEvent>,
    ) -> Result<(), Failure> {
        let mut sounds = false;
        loop {
            match self.event(events, until).await {
                Event::Signal(Some(CallEvent::Ringing { sdp, .. })) => {
                    let early = sdp.is_some_and(|sdp| self.connect(&sdp, peer).is_ok());
                    if early && !sounds {
                        sounds = true;
                        self.join(Joint::Heard);
                        self.tell(Told::Sounds).await;
                    } else if !sounds {
                        self.tell(Told::Rings).await;
                    }
                }
                Event::Signal(Some(CallEvent::Answered { sdp })) => {
                    if let Err(error) = self.connect(&sdp, peer) {
                        self.complain(&error);
                        return Err(Failure::Ended(TransferResult::Failed));
                    }
                    return Ok(());
                }
                Event::Signal(Some(CallEvent::Refused { status, reason })) => {
                    tracing::info!(contact = %self.contact, to = %self.handover.uri, status, "transfer: refused: {reason}");
                    return Err(Failure::Ended(refusal(status)));
                }
                Event::Signal(Some(event)) => self.signalled(peer, event).await,
                Event::Signal(None) => return Err(Failure::Ended(TransferResult::Failed)),
                Event::Media(None) | Event::GivenUp => return Err(Failure::GivenUp),
                Event::Time => return Err(Failure::Ended(TransferResult::NoAnswer)),
                Event::Media(Some(_)) | Event::Key(_) => {}
            }
        }
    }

    /// Says the whisper to whoever answered. A caller is not lost for a prompt that cannot be played: then there is none.
    async fn whisper(
        &mut self,
        peer: IpAddr,
        events: &mut mpsc::Receiver<CallEvent>,
    ) -> Result<(), Failure> {
        let Some(mut whisper) = self.whisper.take() else {
            return Ok(());
        };
        self.join(Joint::Apart);
        self.tell(Told::Rings).await;
        let until = Instant::now() + LONGEST_WHISPER;
        let mut made = false;
        loop {
            let event = tokio::select! {
                clips = &mut whisper, if !made => {
                    made = true;
                    let clips = clips.map_err(|error| error.to_string()).and_then(|clips| clips.map_err(|error| error.to_string()));
                    let played = clips.and_then(|clips| self.stream.play(WHISPER, clips, false).map_err(|error| error.to_string()));
                    if let Err(error) = played {
                        tracing::warn!(contact = %self.contact, "transfer: joined without the whisper, which cannot be played: {error}");
                        return Ok(());
                    }
                    continue;
                }
                event = self.event(events, until) => event,
            };
            match event {
                Event::Media(Some(MediaEvent::PlayDone { .. })) => return Ok(()),
                Event::Time => {
                    tracing::warn!(contact = %self.contact, "transfer: joined before the end of the whisper, which lasts longer than {LONGEST_WHISPER:?}");
                    return self.stream.stop().map_err(|error| {
                        self.complain(&error);
                        Failure::Ended(TransferResult::Failed)
                    });
                }
                // Who hears who calls, and hangs up, does not want the call.
                Event::Signal(Some(CallEvent::Bye)) => {
                    return Err(Failure::Ended(TransferResult::Declined));
                }
                Event::Signal(None | Some(CallEvent::Failed(_) | CallEvent::Timeout)) => {
                    return Err(Failure::Ended(TransferResult::Failed));
                }
                Event::Signal(Some(event)) => self.signalled(peer, event).await,
                Event::Media(None) | Event::GivenUp => return Err(Failure::GivenUp),
                Event::Media(Some(_)) | Event::Key(_) => {}
            }
        }
    }

    /// Joins the two until the other side leaves.
    async fn talk(
        &mut self,
        call: &Call,
        peer: IpAddr,
        events: &mut mpsc::Receiver<CallEvent>,
    ) -> Result<(), Failure> {
        self.join(Joint::Both);
        self.tell(Told::Joined).await;
        let until = Instant::now() + self.outgoing.longest;
        loop {
            match self.event(events, until).await {
                Event::Signal(None | Some(CallEvent::Bye | CallEvent::Timeout)) => return Ok(()),
                Event::Signal(Some(CallEvent::Failed(why))) => {
                    tracing::info!(contact = %self.contact, "transfer: the other call broke: {why}");
                    return Ok(());
                }
                Event::Signal(Some(event)) => self.signalled(peer, event).await,
                Event::Media(Some(MediaEvent::Silent)) => {
                    tracing::info!(contact = %self.contact, "transfer: nothing more is heard of the other side; it is hung up");
                    return Ok(());
                }
                Event::Media(Some(MediaEvent::Digit { key, .. })) => {
                    self.tell(Told::Key(Key {
                        key,
                        in_audio: true,
                    }))
                    .await;
                }
                Event::Key(key) => self.press(call, key).await,
                Event::Time => {
                    tracing::warn!(contact = %self.contact, longest = ?self.outgoing.longest, "transfer: the other side is hung up, the conversation lasted longer than transfer.longest_s");
                    return Ok(());
                }
                Event::Media(None) | Event::GivenUp => return Err(Failure::GivenUp),
                Event::Media(Some(_)) => {}
            }
        }
    }

    async fn event(&mut self, events: &mut mpsc::Receiver<CallEvent>, until: Instant) -> Event {
        tokio::select! {
            biased;
            key = self.keys.recv() => key.map_or(Event::GivenUp, Event::Key),
            event = events.recv() => Event::Signal(event),
            event = self.media.recv() => Event::Media(event),
            () = tokio::time::sleep_until(until) => Event::Time,
        }
    }

    /// What the other side does in its call, whatever its state.
    async fn signalled(&mut self, peer: IpAddr, event: CallEvent) {
        match event {
            CallEvent::Reinvite { offer, reply } => self.renegotiate(peer, offer, reply).await,
            CallEvent::Acked { sdp: Some(answer) } => {
                if let Err(error) = self.connect(&answer, peer) {
                    self.complain(&error);
                }
            }
            CallEvent::Key { key, reply } => {
                self.tell(Told::Key(Key {
                    key,
                    in_audio: false,
                }))
                .await;
                reply.heard().await;
            }
            // Being transferred on is refused 603 by dropping the request; texts have no reader here.
            _ => {}
        }
    }

    async fn renegotiate(&mut self, peer: IpAddr, offer: Option<Vec<u8>>, reply: Reply) {
        let done = match offer {
            Some(offer) => match self.session.answer(&offer) {
                Ok(answered) => {
                    self.events = answered.remote.dtmf_pt.is_some();
                    self.order(self.stream.connect(answered.remote, peer));
                    reply.answer(answered.sdp.into_bytes()).await
                }
                Err(error) => {
                    tracing::info!(contact = %self.contact, "transfer: re-INVITE refused: {error}");
                    reply.reject(error.status()).await
                }
            },
            // RFC 3261 §14.2: asked to offer, we offer what we have; the answer comes with the ACK.
            None => {
                let offer = self.session.offer(Direction::SendRecv);
                reply.answer(offer.into_bytes()).await
            }
        };
        if let Err(error) = done {
            tracing::debug!(contact = %self.contact, "transfer: re-INVITE: {error}");
        }
    }

    /// Takes the other side's answer to our offer.
    fn connect(&mut self, answer: &[u8], peer: IpAddr) -> Result<(), String> {
        let remote = self
            .session
            .accept(answer)
            .map_err(|error| error.to_string())?;
        self.events = remote.dtmf_pt.is_some();
        self.stream
            .connect(remote, peer)
            .map_err(|error| error.to_string())
    }

    /// Lets the other side hear a key.
    async fn press(&self, call: &Call, key: Key) {
        match (self.events, key.in_audio) {
            // It has gone on as it came.
            (true, true) => {}
            (true, false) => self.order(self.stream.press(key.key)),
            (false, _) => send_info(call, key.key).await,
        }
    }

    fn join(&self, joint: Joint) {
        self.order(self.stream.join(self.caller, joint));
    }

    fn order(&self, done: Result<(), crate::media::MediaError>) {
        if let Err(error) = done {
            self.complain(&error);
        }
    }

    async fn tell(&self, what: Told) {
        // A line that has gone is noticed by its keys.
        let _ = self.told.send(what).await;
    }

    fn complain(&self, why: &dyn std::fmt::Display) {
        tracing::warn!(contact = %self.contact, to = %self.handover.uri, "transfer: {why}");
    }
}

/// What a final status that refuses a call means to whoever transfers.
pub(super) fn refusal(status: u16) -> TransferResult {
    match status {
        486 | 600 => TransferResult::Busy,
        408 | 480 | 487 => TransferResult::NoAnswer,
        403 | 603 => TransferResult::Declined,
        _ => TransferResult::Failed,
    }
}

/// Lets the other side of a call have a key by INFO, the common form that has no RFC.
pub(super) async fn send_info(call: &Call, key: char) {
    let body = format!("Signal={key}\r\nDuration={INFO_PRESS_MS}\r\n");
    if let Err(error) = call.info("application/dtmf-relay", body.into_bytes()).await {
        tracing::debug!("a key was not passed on: {error}");
    }
}

/// Returns when the caller's line has dropped its hold; keys before the call are nobody's.
async fn given_up(keys: &mut mpsc::Receiver<Key>) {
    while keys.recv().await.is_some() {}
}
