//! A telephone call: signalling on one side, audio on the other.

mod transfer;

use std::collections::VecDeque;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use strowger_contact::call::{CallError, RecordOptions};
use strowger_contact::{Entry, EntryKind, Input, Millis, Segment, TransferResult};
use strowger_voice::clip::Clip;
use strowger_voice::g711::Codec;
use strowger_voice::sdp::{Direction, Session};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use self::transfer::Transfer;
use super::bridge::{Bridge, Key};
use super::driver::CLOSING;
use super::engine::Engine;
use super::line::{Handover, Line};
use super::outgoing::Outgoing;
use crate::media::{MediaError, MediaEvent, RecordEnd, RecordSpec, Remote, Shelf, Stream};
use crate::prompts::PromptError;
use crate::sip::{Call, CallEvent, KeyReply};

/// Prompts being prepared for one call; a new one replaces the last, so this is never reached in practice.
const PREPARED: usize = 4;
/// Transfers that could not be asked for and are not told yet; the contact has one at a time.
const UNASKED: usize = 4;

/// Longest wait of a BYE for the answer to a key.
const KEYS_ANSWERED: Duration = Duration::from_millis(4_500);

/// A telephone call that was answered.
pub struct VoiceLine {
    engine: Arc<Engine>,
    contact: String,
    /// By how much the contact's clock is ahead of the machine's.
    ahead: Millis,
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
    /// How often the caller's INVITE might still have been forwarded.
    max_forwards: u8,
    /// Calls that were to be placed for the contact's transfers.
    placed: u32,
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
    /// Recordings of the whole call of which it is not written down yet what there is.
    cut: Vec<CutRecording>,
    inputs: VecDeque<Input>,
    /// Who pressed keys by INFO that the contact is told now waits for their answer.
    unsaved: Vec<KeyReply>,
    /// The answers to the last of them.
    answering: Option<JoinHandle<()>>,
    gone: bool,
    /// The caller's telephone hung up to follow the transfer; the contact hears of it after the outcome.
    left: bool,
}

/// What shall be heard as soon as it is ready.
struct Wanted {
    play: u32,
    repeat: bool,
}

/// A recording of the whole call that could not be written to its end.
struct CutRecording {
    /// The file that was to be.
    path: PathBuf,
    /// The file that is there.
    left: Option<PathBuf>,
}

struct Prepared {
    play: u32,
    clips: Result<Vec<Arc<Clip>>, PromptError>,
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
        max_forwards: u8,
    ) -> VoiceLine {
        let (prepared, preparing) = mpsc::channel(PREPARED);
        VoiceLine {
            engine,
            contact,
            ahead: 0,
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
            max_forwards,
            placed: 0,
            bridge: None,
            rings: false,
            playing: false,
            events: remote.dtmf_pt.is_some(),
            asking: None,
            unasked: mpsc::channel(UNASKED),
            recording: None,
            cut: Vec::new(),
            inputs: VecDeque::new(),
            unsaved: Vec::new(),
            answering: None,
            gone: false,
            left: false,
        }
    }

    /// From now on the line is another contact's, whose clock is so many milliseconds ahead of the machine's.
    pub(crate) fn belongs_to(&mut self, engine: Arc<Engine>, contact: String, ahead: Millis) {
        self.engine = engine;
        self.contact = contact;
        self.ahead = ahead;
        self.placed = 0;
        self.wanted = None;
        // What was being prepared for the other one is not heard.
        (self.prepared, self.preparing) = mpsc::channel(PREPARED);
        self.inputs
            .retain(|input| matches!(input, Input::Key(_) | Input::HungUp | Input::Vanished));
    }

    /// Records the call from now on, if the project wants that; the file, once it is begun.
    pub(crate) fn record_whole(&self, name: &str) -> Option<PathBuf> {
        if !self.engine.records_calls() {
            return None;
        }
        let path = self.engine.node.recordings().join(format!("{name}.wav"));
        let shelf = self.engine.shelf();
        match self.recorded(&shelf, |stream| stream.tap(path.clone(), shelf.clone())) {
            Ok(()) => Some(path),
            Err(why) => {
                tracing::warn!(contact = %self.contact, "the call is not recorded: {why}");
                None
            }
        }
    }

    /// Begins a recording, or says why there is none.
    fn recorded(
        &self,
        shelf: &Shelf,
        begin: impl FnOnce(&Stream) -> Result<(), MediaError>,
    ) -> Result<(), String> {
        match shelf.refusal() {
            Some(why) => Err(why),
            None => begin(&self.stream).map_err(|error| error.to_string()),
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
            Some(CallEvent::Key { key, reply }) => {
                let pressed = self.pressed_now(Key {
                    key,
                    in_audio: false,
                });
                match pressed {
                    Some(_) => self.unsaved.push(reply),
                    // No journal has what goes on to the other side.
                    None => reply.heard().await,
                }
                pressed
            }
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

    /// Answers keys by INFO, which are written down, when they are on the disk; the contact itself does not wait for that.
    fn answer_keys(&mut self) {
        let unsaved = std::mem::take(&mut self.unsaved);
        if unsaved.is_empty() {
            return;
        }
        let node = self.engine.node.clone();
        self.answering = Some(tokio::spawn(async move {
            let saved = node.kept().await.is_ok();
            for reply in unsaved {
                match saved {
                    true => reply.heard().await,
                    false => reply.not_saved().await,
                }
            }
        }));
    }

    fn caller_gone(&mut self) -> Option<Input> {
        if std::mem::replace(&mut self.gone, true) {
            return None;
        }
        self.hush();
        self.hung_up_in_transfer();
        Some(Input::HungUp)
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
                    result: json!({ "ok": recording }).into(),
                })
            }
            MediaEvent::RecordFailed {
                id: Some(id),
                reason,
                ..
            } => {
                self.recording.take_if(|recording| *recording == id)?;
                let result = json!({ "err": CallError::Unavailable(reason) }).into();
                Some(Input::EffectDone { effect: id, result })
            }
            MediaEvent::RecordFailed {
                id: None,
                path,
                left,
                reason,
            } => {
                tracing::warn!(contact = %self.contact, "the call is not recorded whole: {reason}");
                self.cut.push(CutRecording { path, left });
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
            shelf: self.engine.shelf(),
            beep: options.beep,
            max_ms: options.max_ms,
            silence_ms: options.silence_ms,
            sensitive: options.sensitive,
        };
        // Nobody is to speak where it is known that nothing is kept.
        let shelf = spec.shelf.clone();
        if let Err(why) = self.recorded(&shelf, |stream| stream.record(spec)) {
            self.recording = None;
            let result = json!({ "err": CallError::Unavailable(why) }).into();
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
        self.hand_over(effect, handover);
    }

    fn hand_over_waits(&mut self) {
        self.rings = true;
        self.ring_back();
    }

    fn cancel_transfer(&mut self, effect: u32) {
        self.take_back(effect);
    }

    fn hang_up(&mut self) {
        let call = self.call.clone();
        self.gone = true;
        // The key that ends a call is answered before its BYE.
        self.answer_keys();
        let answering = self.answering.take();
        tokio::spawn(async move {
            if let Some(answering) = answering {
                let _ = tokio::time::timeout(KEYS_ANSWERED, answering).await;
            }
            let _ = call.hang_up().await;
        });
    }

    fn wrote(&mut self, entry: &Entry) {
        // The recording of the call that dropped is complete: this one has a file of its own.
        if entry.kind == EntryKind::Resumed {
            self.record_whole(&format!("{}-leg{}", self.contact, entry.seq));
        }
    }

    fn handled(&mut self) {
        self.answer_keys();
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
            engine,
            contact,
            stream,
            mut media,
            mut cut,
            ..
        } = self;
        stream.close();
        // The recorder reports when its files are complete.
        let closed = async {
            while let Some(event) = media.recv().await {
                match event {
                    MediaEvent::RecordFailed {
                        id: None,
                        path,
                        left,
                        reason,
                    } => {
                        tracing::warn!(%contact, "the call is not recorded whole: {reason}");
                        cut.push(CutRecording { path, left });
                    }
                    MediaEvent::Closed => break,
                    _ => {}
                }
            }
        };
        if tokio::time::timeout(CLOSING, closed).await.is_err() {
            tracing::warn!(%contact, "the audio of an ended call was not closed in time");
        }
        // The contact names the recording of its first line; those of others are found by its id.
        let named = format!("{contact}.wav");
        for CutRecording { path, left } in cut {
            if path.file_name().is_some_and(|name| name == &*named) {
                engine.node.recorded(&contact, left.as_deref()).await;
            }
        }
    }
}
