//! A telephone call: signalling on one side, audio on the other.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use strowger_contact::call::{CallError, RecordOptions};
use strowger_contact::{Input, Segment, TransferResult};
use strowger_voice::clip::Clip;
use strowger_voice::g711::Codec;
use strowger_voice::sdp::{Direction, Session};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::bridge::{Bridge, Key, Told, refusal, send_info};
use super::driver::CLOSING;
use super::engine::Engine;
use super::line::{Handover, Line};
use super::outgoing::Outgoing;
use crate::media::{MediaError, MediaEvent, RecordEnd, RecordSpec, Remote, Stream};
use crate::project::How;
use crate::prompts::PromptError;
use crate::sip::{Call, CallEvent};

/// Prompts being prepared for one call; a new one replaces the last, so this is never reached in practice.
const PREPARED: usize = 4;
/// Transfers that could not be asked for and are not told yet; the contact has one at a time.
const UNASKED: usize = 4;
/// After `ring` the far side may still need a moment to tell how it went.
const TRANSFER_GRACE: Duration = Duration::from_secs(2);
/// What the caller hears while it rings on the other side and the flow plays nothing: 425 Hz, 1 s on and 4 s off
/// (ITU-T E.180 §5), in dB below full scale.
const RINGBACK: (f32, u32, u32, f32) = (425.0, 1_000, 4_000, -18.0);
/// Number of the ringing tone among the plays; those of a contact begin at 1.
const RINGING: u32 = 0;

/// A telephone call that was answered.
pub struct VoiceLine {
    engine: Arc<Engine>,
    contact: String,
    call: Call,
    signals: Option<mpsc::Receiver<CallEvent>>,
    stream: Stream,
    media: mpsc::Receiver<MediaEvent>,
    session: Session,
    codec: Codec,
    /// Where the signalling of the call comes from.
    peer: IpAddr,
    wanted: Option<Wanted>,
    prepared: mpsc::Sender<Prepared>,
    preparing: mpsc::Receiver<Prepared>,
    transfer: Option<Transfer>,
    outgoing: Arc<Outgoing>,
    /// The transfer that the engine makes itself.
    bridge: Option<Bridge>,
    /// It rings there, and the caller shall hear it.
    rings: bool,
    /// What the contact asked to be played is not over.
    playing: bool,
    /// Whether the caller's side takes keys as events.
    events: bool,
    /// The order about a transfer that is on its way to the endpoint; the next waits for it.
    asking: Option<JoinHandle<()>>,
    unasked: (mpsc::Sender<u32>, mpsc::Receiver<u32>),
    recording: Option<u32>,
    inputs: VecDeque<Input>,
    gone: bool,
    /// The caller's telephone hung up to follow the transfer; the contact hears of it after the outcome.
    left: bool,
}

/// What shall be heard as soon as it is ready.
struct Wanted {
    play: u32,
    repeat: bool,
}

struct Prepared {
    play: u32,
    clips: Result<Vec<Arc<Clip>>, PromptError>,
}

struct Transfer {
    effect: u32,
    until: Instant,
    /// The last report that was not the end: 100 trying, 180 ringing.
    told: Option<u16>,
}

impl VoiceLine {
    /// Takes over an answered call.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a part of the call that somebody else made"
    )]
    pub fn new(
        engine: Arc<Engine>,
        contact: String,
        call: Call,
        signals: mpsc::Receiver<CallEvent>,
        stream: Stream,
        media: mpsc::Receiver<MediaEvent>,
        session: Session,
        remote: Remote,
        peer: IpAddr,
        outgoing: Arc<Outgoing>,
    ) -> VoiceLine {
        let (prepared, preparing) = mpsc::channel(PREPARED);
        VoiceLine {
            engine,
            contact,
            call,
            signals: Some(signals),
            stream,
            media,
            session,
            codec: remote.codec,
            peer,
            wanted: None,
            prepared,
            preparing,
            transfer: None,
            outgoing,
            bridge: None,
            rings: false,
            playing: false,
            events: remote.dtmf_pt.is_some(),
            asking: None,
            unasked: mpsc::channel(UNASKED),
            recording: None,
            inputs: VecDeque::new(),
            gone: false,
            left: false,
        }
    }

    /// Keys that were pressed before the call was up, in order.
    pub fn pressed(&mut self, keys: Vec<char>) {
        self.inputs.extend(keys.into_iter().map(Input::Key));
    }

    async fn signal(&mut self, event: Option<CallEvent>) -> Option<Input> {
        match event {
            None => {
                self.signals = None;
                self.caller_gone()
            }
            Some(CallEvent::Bye | CallEvent::Cancelled | CallEvent::Timeout) => self.caller_gone(),
            Some(CallEvent::Failed(why)) => {
                tracing::info!(contact = %self.contact, "the call broke: {why}");
                self.caller_gone()
            }
            Some(CallEvent::Key(key)) => self.pressed_now(Key {
                key,
                in_audio: false,
            }),
            Some(CallEvent::Reinvite { offer, reply }) => {
                self.renegotiate(offer, reply).await;
                None
            }
            Some(CallEvent::TransferProgress { status, last, .. }) => {
                self.transfer_progress(status, last)
            }
            Some(CallEvent::Left) => self.caller_left(),
            Some(CallEvent::TransferRefused { status }) => {
                tracing::info!(contact = %self.contact, status, "the caller's side refuses to be transferred");
                self.transferred(TransferResult::Failed)
            }
            Some(CallEvent::Acked { sdp: Some(answer) }) => {
                match self.session.accept(&answer) {
                    Ok(remote) => self.connect(remote),
                    Err(error) => {
                        tracing::warn!(contact = %self.contact, "the caller's answer: {error}")
                    }
                }
                None
            }
            // What only happens to calls that we place.
            Some(_) => None,
        }
    }

    fn caller_gone(&mut self) -> Option<Input> {
        if std::mem::replace(&mut self.gone, true) {
            return None;
        }
        self.hush();
        self.hung_up_in_transfer();
        Some(Input::HungUp)
    }

    /// The caller's telephone accepted the transfer and hung up. Whether it follows the transfer or its owner gave up,
    /// its reports tell: no hang-up is booked before the transfer is settled.
    fn caller_left(&mut self) -> Option<Input> {
        let Some(transfer) = &mut self.transfer else {
            self.give_up_transfer();
            return self.caller_gone();
        };
        if transfer.told.is_some_and(|status| status >= 180) {
            // It reports as it goes, so the end is on its way.
            transfer.until = transfer.until.min(Instant::now() + TRANSFER_GRACE);
        }
        self.gone = true;
        self.left = true;
        self.hush();
        None
    }

    /// Nobody is there to be heard or spoken to.
    fn hush(&mut self) {
        self.wanted = None;
        self.playing = false;
        self.rings = false;
        let done = self.stream.stop();
        self.told(done);
        if self.recording.is_some() {
            let done = self.stream.stop_record();
            self.told(done);
        }
    }

    async fn renegotiate(&mut self, offer: Option<Vec<u8>>, reply: crate::sip::Reply) {
        let done = match offer {
            Some(offer) => match self.session.answer(&offer) {
                Ok(answered) => {
                    self.connect(answered.remote);
                    reply.answer(answered.sdp.into_bytes()).await
                }
                Err(error) => {
                    tracing::info!(contact = %self.contact, "re-INVITE refused: {error}");
                    reply.reject(error.status()).await
                }
            },
            // RFC 3261 §14.2: asked to offer, we offer what we have; the answer comes with the ACK.
            None => {
                reply
                    .answer(self.session.offer(Direction::SendRecv).into_bytes())
                    .await
            }
        };
        if let Err(error) = done {
            tracing::debug!(contact = %self.contact, "re-INVITE: {error}");
        }
    }

    fn connect(&mut self, remote: Remote) {
        self.codec = remote.codec;
        self.events = remote.dtmf_pt.is_some();
        let done = self.stream.connect(remote, self.peer);
        self.told(done);
    }

    /// The media threads refuse only when they are swamped or the peer's address cannot be reached.
    fn told(&self, done: Result<(), MediaError>) {
        if let Err(error) = done {
            tracing::warn!(contact = %self.contact, "{error}");
        }
    }

    fn transfer_progress(&mut self, status: u16, last: bool) -> Option<Input> {
        let result = match status {
            200..=299 => TransferResult::Done,
            300.. => refusal(status),
            // A telephone that has gone and tells no more has followed the transfer.
            _ if last && self.left => TransferResult::Done,
            // The other side stopped telling before it knew.
            _ if last => TransferResult::Failed,
            _ => {
                if let Some(transfer) = &mut self.transfer {
                    transfer.told = Some(status);
                }
                return None;
            }
        };
        self.transferred(result)
    }

    /// Nobody waits for the transfer any more; the next one must not be taken for it.
    fn give_up_transfer(&mut self) {
        let call = self.call.clone();
        let asked = self.asking.take();
        self.asking = Some(tokio::spawn(async move {
            if let Some(asked) = asked {
                let _ = asked.await;
            }
            // Refused only when the call is over, and the transfer with it.
            let _ = call.give_up_transfer().await;
        }));
    }

    fn transferred(&mut self, result: TransferResult) -> Option<Input> {
        let transfer = self.transfer.take()?;
        let done = Input::EffectDone {
            effect: transfer.effect,
            result: result.to_json(),
        };
        if !std::mem::take(&mut self.left) {
            return Some(done);
        }
        // Nobody is there for what the flow does next: the contact knows before it walks on.
        self.inputs.push_back(done);
        Some(Input::HungUp)
    }

    /// The time of the transfer is over. A telephone that is still on the line has rung in vain. One that left without a
    /// report is taken at its word: it accepted the transfer. One that had begun to report and never told of an end
    /// belongs to a caller who gave up.
    fn transfer_overdue(&mut self) -> Option<Input> {
        self.give_up_transfer();
        let told = self.transfer.as_ref().and_then(|transfer| transfer.told);
        match (self.left, told) {
            (false, _) => self.transferred(TransferResult::NoAnswer),
            (true, None) => self.transferred(TransferResult::Done),
            (true, Some(_)) => {
                self.left = false;
                self.hung_up_in_transfer();
                Some(Input::HungUp)
            }
        }
    }

    /// The call goes, and the transfer with it: its subscription, or the second call.
    fn hung_up_in_transfer(&mut self) {
        if let Some(bridge) = self.bridge.take() {
            // Who has talked with the other side was handed over.
            let result = match bridge.joined {
                true => TransferResult::Done.to_json(),
                false => json!({ "err": CallError::Hangup }),
            };
            self.inputs.push_back(Input::EffectDone {
                effect: bridge.effect,
                result,
            });
        }
        if let Some(transfer) = self.transfer.take() {
            let result = json!({ "err": CallError::Hangup });
            self.inputs.push_back(Input::EffectDone {
                effect: transfer.effect,
                result,
            });
        }
    }

    fn heard(&mut self, event: Option<MediaEvent>) -> Option<Input> {
        match event? {
            MediaEvent::Digit { key, .. } => self.pressed_now(Key {
                key,
                in_audio: true,
            }),
            MediaEvent::PlayDone { play } => {
                self.playing = false;
                self.ring_back();
                Some(Input::PlayDone { play, error: None })
            }
            MediaEvent::Recorded {
                id,
                path,
                duration_ms,
                ended_by,
            } => {
                self.recording.take_if(|recording| *recording == id)?;
                let name = path
                    .file_name()
                    .map(|name| name.to_string_lossy().into_owned())
                    .unwrap_or_default();
                let ended_by = match ended_by {
                    _ if self.gone => "hangup",
                    RecordEnd::Stopped => "key",
                    RecordEnd::Silence => "silence",
                    RecordEnd::Max => "max",
                    RecordEnd::Hangup => "hangup",
                };
                let recording =
                    json!({ "id": name, "duration-ms": duration_ms, "ended-by": ended_by });
                Some(Input::EffectDone {
                    effect: id,
                    result: json!({ "ok": recording }),
                })
            }
            MediaEvent::RecordFailed {
                id: Some(id),
                reason,
                ..
            } => {
                self.recording.take_if(|recording| *recording == id)?;
                let result = json!({ "err": CallError::Unavailable(reason) });
                Some(Input::EffectDone { effect: id, result })
            }
            MediaEvent::RecordFailed {
                id: None, reason, ..
            } => {
                tracing::warn!(contact = %self.contact, "the call is not recorded: {reason}");
                None
            }
            // While the caller's telephone calls somebody else it need not send us anything.
            MediaEvent::Silent if self.transfer.is_some() => None,
            MediaEvent::Silent => self.caller_gone().map(|_| Input::Vanished),
            MediaEvent::FirstPacket | MediaEvent::Tapped { .. } | MediaEvent::Closed => None,
        }
    }

    fn start(&mut self, play: u32, clips: Vec<Arc<Clip>>, repeat: bool) -> Option<Input> {
        self.playing = true;
        let error = self.stream.play(play, clips, repeat).err()?;
        Some(Input::PlayDone {
            play,
            error: Some(error.to_string()),
        })
    }

    fn ready(&mut self, prepared: Prepared) -> Option<Input> {
        let wanted = self.wanted.take_if(|wanted| wanted.play == prepared.play)?;
        match prepared.clips {
            Ok(clips) => self.start(wanted.play, clips, wanted.repeat),
            Err(error) => {
                self.ring_back();
                Some(Input::PlayDone {
                    play: wanted.play,
                    error: Some(error.to_string()),
                })
            }
        }
    }

    /// The caller pressed a key: for whom he talks with, or for the flow.
    fn pressed_now(&mut self, key: Key) -> Option<Input> {
        match &self.bridge {
            Some(bridge) if bridge.joined => {
                bridge.press(key);
                None
            }
            _ => Some(Input::Key(key.key)),
        }
    }

    /// Calls the target and joins it with the caller.
    fn bridge(&mut self, effect: u32, handover: Handover) {
        let begun = Bridge::begin(
            &self.engine,
            &self.outgoing,
            &self.contact,
            effect,
            handover,
            &self.stream,
            self.codec,
        );
        match begun {
            Ok(bridge) => self.bridge = Some(bridge),
            Err(error) => {
                tracing::warn!(contact = %self.contact, "transfer: {error}");
                self.inputs.push_back(Input::EffectDone {
                    effect,
                    result: TransferResult::Failed.to_json(),
                });
            }
        }
    }

    /// What the second call tells.
    async fn bridged(&mut self, told: Told) -> Option<Input> {
        match told {
            Told::Rings => {
                // Some networks say it again and again; the tone goes on.
                if !std::mem::replace(&mut self.rings, true) {
                    self.ring_back();
                }
                None
            }
            Told::Sounds => {
                self.stop_ringing();
                None
            }
            Told::Joined => {
                self.stop_ringing();
                let bridge = self.bridge.as_mut()?;
                bridge.joined = true;
                Some(Input::Joined {
                    effect: bridge.effect,
                })
            }
            Told::Key(key) => {
                match (self.events, key.in_audio) {
                    // It has gone on as it came.
                    (true, true) => {}
                    (true, false) => {
                        let done = self.stream.press(key.key);
                        self.told(done);
                    }
                    (false, _) => send_info(&self.call, key.key).await,
                }
                None
            }
            Told::Over(result) => {
                self.stop_ringing();
                let bridge = self.bridge.take()?;
                Some(Input::EffectDone {
                    effect: bridge.effect,
                    result: result.to_json(),
                })
            }
        }
    }

    /// Lets the caller hear that it rings, unless the flow lets him hear something else.
    fn ring_back(&mut self) {
        if !self.rings || self.playing || self.wanted.is_some() || self.gone {
            return;
        }
        let (hertz, on_ms, off_ms, level_db) = RINGBACK;
        let clips = vec![
            Arc::new(Clip::tone(self.codec, hertz, on_ms, level_db)),
            Arc::new(Clip::silence(self.codec, off_ms)),
        ];
        let done = self.stream.play(RINGING, clips, true);
        self.told(done);
    }

    fn stop_ringing(&mut self) {
        if std::mem::take(&mut self.rings) && !self.playing && self.wanted.is_none() {
            let done = self.stream.stop();
            self.told(done);
        }
    }
}

impl Line for VoiceLine {
    fn play(&mut self, play: u32, segments: Vec<Segment>, repeat: bool) {
        if self.gone {
            return;
        }
        let engine = self.engine.clone();
        let ready: Option<Vec<_>> = segments
            .iter()
            .map(|segment| {
                engine
                    .prompts
                    .ready(&engine.prompt(segment.clone()), self.codec)
            })
            .collect();
        if let Some(clips) = ready {
            self.wanted = None;
            if let Some(input) = self.start(play, clips, repeat) {
                self.inputs.push_back(input);
            }
            return;
        }
        // What was said before is over, even if the new prompt takes a moment to make.
        let done = self.stream.stop();
        self.told(done);
        self.playing = false;
        self.wanted = Some(Wanted { play, repeat });
        let (codec, prepared) = (self.codec, self.prepared.clone());
        tokio::spawn(async move {
            let clips = engine.sounds(segments, codec).await;
            let _ = prepared.send(Prepared { play, clips }).await;
        });
    }

    fn stop(&mut self) {
        self.wanted = None;
        self.playing = false;
        let done = self.stream.stop();
        self.told(done);
        self.ring_back();
    }

    fn record(&mut self, effect: u32, options: RecordOptions) {
        self.recording = Some(effect);
        self.wanted = None;
        let path = self
            .engine
            .node
            .recordings()
            .join(format!("{}-{effect}.wav", self.contact));
        let spec = RecordSpec {
            id: effect,
            path,
            beep: options.beep,
            max_ms: options.max_ms,
            silence_ms: options.silence_ms,
            sensitive: options.sensitive,
        };
        if let Err(error) = self.stream.record(spec) {
            self.recording = None;
            let result = json!({ "err": CallError::Unavailable(error.to_string()) });
            self.inputs.push_back(Input::EffectDone { effect, result });
        }
    }

    fn stop_recording(&mut self, effect: u32) {
        if self.recording == Some(effect) {
            let done = self.stream.stop_record();
            self.told(done);
        }
    }

    fn mask(&mut self, masked: bool) {
        let done = self.stream.mask(masked);
        self.told(done);
    }

    fn transfer(&mut self, effect: u32, handover: Handover) {
        if handover.how == How::Bridge {
            return self.bridge(effect, handover);
        }
        let Handover {
            uri: target,
            options,
            ..
        } = handover;
        let until = Instant::now() + Duration::from_millis(options.ring_ms.into()) + TRANSFER_GRACE;
        self.transfer = Some(Transfer {
            effect,
            until,
            told: None,
        });
        let call = self.call.clone();
        let contact = self.contact.clone();
        let unasked = self.unasked.0.clone();
        let before = self.asking.take();
        self.asking = Some(tokio::spawn(async move {
            if let Some(before) = before {
                let _ = before.await;
            }
            // A refusal by the other side comes as an event; this is our own side not being able to ask.
            if let Err(error) = call.refer(&target, options.caller_id.as_deref()).await {
                tracing::warn!(%contact, %target, "transfer: {error}");
                let _ = unasked.send(effect).await;
            }
        }));
    }

    fn cancel_transfer(&mut self, effect: u32) {
        if self
            .bridge
            .take_if(|bridge| bridge.effect == effect)
            .is_some()
        {
            self.stop_ringing();
        }
        if self
            .transfer
            .take_if(|transfer| transfer.effect == effect)
            .is_some()
        {
            self.give_up_transfer();
            if std::mem::take(&mut self.left) {
                self.inputs.push_back(Input::HungUp);
            }
        }
    }

    fn hang_up(&mut self) {
        let call = self.call.clone();
        self.gone = true;
        tokio::spawn(async move {
            let _ = call.hang_up().await;
        });
    }

    async fn event(&mut self) -> Input {
        loop {
            if let Some(input) = self.inputs.pop_front() {
                return input;
            }
            let until = self.transfer.as_ref().map(|transfer| transfer.until);
            let input = tokio::select! {
                event = self.media.recv() => {
                    if event.is_none() {
                        // The media threads are gone: the engine is going down.
                        std::future::pending::<()>().await;
                    }
                    self.heard(event)
                }
                event = async { self.signals.as_mut()?.recv().await }, if self.signals.is_some() => {
                    self.signal(event).await
                }
                Some(prepared) = self.preparing.recv() => self.ready(prepared),
                Some(told) = async { Some(self.bridge.as_mut()?.told().await) }, if self.bridge.is_some() => {
                    self.bridged(told).await
                }
                Some(effect) = self.unasked.1.recv() => {
                    let ours = self.transfer.as_ref().is_some_and(|transfer| transfer.effect == effect);
                    ours.then(|| self.transferred(TransferResult::Failed)).flatten()
                }
                () = async { tokio::time::sleep_until(until.unwrap_or_else(Instant::now)).await }, if until.is_some() => {
                    self.transfer_overdue()
                }
            };
            if let Some(input) = input {
                return input;
            }
        }
    }

    async fn close(self) {
        let VoiceLine {
            contact,
            stream,
            mut media,
            ..
        } = self;
        stream.close();
        // The recorder reports when its files are complete.
        let closed = async {
            while let Some(event) = media.recv().await {
                match event {
                    MediaEvent::RecordFailed {
                        id: None, reason, ..
                    } => tracing::warn!(%contact, "the call is not recorded whole: {reason}"),
                    MediaEvent::Closed => break,
                    _ => {}
                }
            }
        };
        if tokio::time::timeout(CLOSING, closed).await.is_err() {
            tracing::warn!(%contact, "the audio of an ended call was not closed in time");
        }
    }
}
