use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use strowger_voice::FRAME_SAMPLES;
use strowger_voice::clip::Clip;
use strowger_voice::g711::Codec;
use strowger_voice::rtp::HEADER_BYTES;
use strowger_voice::sdp::{Direction, Remote};
use strowger_voice::stream::{
    Incoming, Outgoing, PACKET_BYTES, REPORT_BYTES, Relayed, Sound, Stream,
};
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

use super::capture::{Capture, Recording};
use super::ports::Lease;
use super::recorder::{RecorderQueue, Task};
use super::stats::Counters;
use super::{MediaEvent, RecordEnd, RecordSpec, Shelf};

/// Where a stream's events go.
pub type Tell = Sender<MediaEvent>;

/// Most events kept for a contact whose queue is full, digits not among them: a recording, a prompt and
/// what surrounds them. Beyond it they are dropped and counted.
const MAX_BACKLOG: usize = 32;

/// The tone before a recording: Hz, milliseconds, dB below full scale.
const BEEP: (f32, u32, f32) = (1_000.0, 200, -16.0);

/// Longest packet that is sent on to another call, in bytes: 100 ms of audio. Telephones send 20 to 60.
const MAX_RELAYED: usize = HEADER_BYTES + 5 * FRAME_SAMPLES;

/// What reading a socket gave.
#[derive(Debug, PartialEq, Eq)]
pub enum Read<'a> {
    /// There was no datagram.
    Nothing,
    /// One that stays here.
    Datagram,
    /// One that the stream of this number is to send on.
    ToSendOn(u64, Relayed<'a>),
}

/// One call on a media thread.
pub struct Leg {
    pub id: u64,
    /// The millisecond at whose phase the leg stands in the wheel; none if it is not in it.
    pub phase: Option<u64>,
    /// The first millisecond in which it is due there.
    pub due: u64,
    lease: Lease,
    voice: Stream,
    events: Tell,
    backlog: VecDeque<MediaEvent>,
    recording: Option<Box<Recording>>,
    tap: Option<Box<Capture>>,
    masked: bool,
    heard: bool,
    /// The stream that sends on what is heard here.
    sent_on_by: Option<u64>,
    /// Since when packets are expected; none on hold.
    listening: Option<Duration>,
}

/// What a leg needs of its thread.
pub struct Surroundings<'a> {
    pub now: Duration,
    pub counters: &'a Counters,
    pub recorder: &'a Arc<RecorderQueue>,
}

impl Leg {
    pub fn new(id: u64, lease: Lease, voice: Stream, events: Tell) -> Leg {
        Leg {
            id,
            phase: None,
            due: 0,
            lease,
            voice,
            events,
            backlog: VecDeque::new(),
            recording: None,
            tap: None,
            masked: false,
            heard: false,
            sent_on_by: None,
            listening: None,
        }
    }

    pub fn socket(&self) -> &std::net::UdpSocket {
        self.lease.socket()
    }

    pub fn connect(&mut self, around: &Surroundings<'_>, remote: Remote, signalling: IpAddr) {
        self.voice.connect(remote, signalling);
        // On hold, of whichever kind, many telephones send nothing.
        let expected =
            remote.direction == Direction::SendRecv && !remote.addr.ip().is_unspecified();
        self.listening = expected.then_some(around.now);
    }

    /// Starts a prompt; says when its first packet is due.
    pub fn play(
        &mut self,
        around: &Surroundings<'_>,
        id: u32,
        clips: Vec<Arc<Clip>>,
        repeat: bool,
    ) -> Duration {
        // A prompt cuts the tone short; the recording begins all the same.
        self.start_recording(around);
        self.voice.play(around.now, Some(id), clips, repeat)
    }

    pub fn stop(&mut self, around: &Surroundings<'_>) {
        self.voice.stop();
        self.start_recording(around);
    }

    /// Starts a recording; says when its tone is due, if it has one.
    pub fn record(&mut self, around: &Surroundings<'_>, spec: RecordSpec) -> Option<Duration> {
        self.end_recording(around, RecordEnd::Stopped);
        let beep = spec.beep;
        self.recording = Some(Box::new(Recording::new(spec)));
        if !beep {
            self.start_recording(around);
            return None;
        }
        let (hertz, duration_ms, level_db) = BEEP;
        let tone = Clip::tone(self.codec(), hertz, duration_ms, level_db);
        Some(
            self.voice
                .play(around.now, None, vec![Arc::new(tone)], false),
        )
    }

    pub fn stop_record(&mut self, around: &Surroundings<'_>) {
        self.end_recording(around, RecordEnd::Stopped);
    }

    pub fn tap(&mut self, around: &Surroundings<'_>, path: PathBuf, shelf: Arc<Shelf>) {
        self.end_tap(around);
        let place = (path, shelf);
        let mut capture = Capture::begin(around.now, self.codec(), place, true, around.recorder);
        capture.mask(around.now, self.masked);
        self.tap = Some(Box::new(capture));
    }

    pub fn mask(&mut self, around: &Surroundings<'_>, masked: bool) {
        self.masked = masked;
        if let Some(tap) = &mut self.tap {
            tap.mask(around.now, masked);
        }
    }

    /// What is heard here is sent on by this stream from now on.
    pub fn send_on(&mut self, by: Option<u64>) {
        self.sent_on_by = by;
    }

    /// Sends what another call heard.
    pub fn relay(&mut self, around: &Surroundings<'_>, relayed: &Relayed<'_>) {
        let mut packet = [0; MAX_RELAYED];
        let Some((length, to)) = self.voice.relay(around.now, relayed, &mut packet) else {
            return;
        };
        self.send(around, &packet[..length], to);
        if let (Some(tap), Sound::Audio(codec)) = (&mut self.tap, relayed.sound) {
            tap.relayed(around.now, codec, &relayed.packet, around.counters);
        }
    }

    /// Presses a key for the other side to hear.
    pub fn press(&mut self, around: &Surroundings<'_>, key: char) {
        if !self.voice.press(around.now, key) {
            around.counters.events_dropped.count();
        }
    }

    fn send(&self, around: &Surroundings<'_>, packet: &[u8], to: SocketAddr) {
        match self.socket().send_to(packet, to) {
            Ok(_) => around.counters.packets_out.count(),
            Err(_) => around.counters.send_failed.count(),
        }
    }

    /// Whether it has to come round every 20 ms.
    pub fn is_active(&self) -> bool {
        self.voice.is_playing()
            || self.voice.is_pressing()
            || self.recording.is_some()
            || self.tap.is_some()
            || !self.backlog.is_empty()
    }

    /// Its turn in the wheel. Whether a packet was sent.
    pub fn turn(&mut self, around: &Surroundings<'_>) -> bool {
        let sent = self.send_next(around);
        if let Some(recording) = &mut self.recording
            && let Some(ended_by) = recording.advance(around.now, around.counters)
        {
            self.end_recording(around, ended_by);
        }
        if let Some(tap) = &mut self.tap {
            tap.advance(around.now, around.counters);
        }
        while let Some(event) = self.backlog.pop_front() {
            if let Err(TrySendError::Full(event)) = self.events.try_send(event) {
                self.backlog.push_front(event);
                break;
            }
        }
        sent
    }

    /// Sends the next packet of the prompt, if one is playing. Whether it did.
    pub fn send_next(&mut self, around: &Surroundings<'_>) -> bool {
        if self.voice.is_pressing() {
            let mut report = [0; REPORT_BYTES];
            let to = self.voice.next_report(&mut report);
            if let Some(to) = to {
                self.send(around, &report, to);
            }
            return to.is_some();
        }
        let mut packet = [0; PACKET_BYTES];
        match self.voice.next_packet(around.now, &mut packet) {
            Outgoing::Packet(to) => {
                self.send(around, &packet, to);
                let codec = self.codec();
                if let (Some(tap), Some(frame)) = (
                    &mut self.tap,
                    packet[HEADER_BYTES..].first_chunk::<FRAME_SAMPLES>(),
                ) {
                    tap.said(around.now, codec, frame);
                }
                true
            }
            Outgoing::Done(Some(play)) => {
                self.tell(around, MediaEvent::PlayDone { play });
                false
            }
            Outgoing::Done(None) => {
                self.start_recording(around);
                false
            }
            Outgoing::Held | Outgoing::Idle => false,
        }
    }

    /// Reads one datagram.
    pub fn read<'b>(
        &mut self,
        around: &Surroundings<'_>,
        at: Instant,
        buffer: &'b mut [u8],
    ) -> Read<'b> {
        match self.socket().recv_from(buffer) {
            Ok((length, source)) => {
                let relayed = self.receive(around, at, source, &buffer[..length]);
                match (relayed, self.sent_on_by) {
                    (Some(relayed), Some(by)) => Read::ToSendOn(by, relayed),
                    _ => Read::Datagram,
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Read::Nothing,
            // An earlier packet met a closed port (ICMP); the next one may not.
            Err(_) => Read::Nothing,
        }
    }

    /// Takes a datagram; gives what somebody else could hear of it.
    fn receive<'b>(
        &mut self,
        around: &Surroundings<'_>,
        at: Instant,
        source: SocketAddr,
        datagram: &'b [u8],
    ) -> Option<Relayed<'b>> {
        let counters = around.counters;
        counters.packets_in.count();
        let relayed = match self.voice.receive(around.now, source, datagram) {
            Incoming::Audio { packet, codec } => {
                if let Some(recording) = &mut self.recording {
                    recording.heard(around.now, codec, &packet, counters);
                }
                if let Some(tap) = &mut self.tap {
                    tap.heard(around.now, codec, &packet, counters);
                }
                let sound = Sound::Audio(codec);
                Relayed { packet, sound }
            }
            Incoming::Key { key, packet } => {
                counters.digits.count();
                self.tell(around, MediaEvent::Digit { key, at });
                let sound = Sound::Event;
                Relayed { packet, sound }
            }
            Incoming::Event(packet) => {
                let sound = Sound::Event;
                Relayed { packet, sound }
            }
            unheard => {
                match unheard {
                    Incoming::Foreign => counters.foreign.count(),
                    Incoming::Rtcp => counters.rtcp.count(),
                    Incoming::Malformed => counters.malformed.count(),
                    _ => counters.unexpected.count(),
                }
                return None;
            }
        };
        if !self.heard {
            self.heard = true;
            self.tell(around, MediaEvent::FirstPacket);
        }
        Some(relayed)
    }

    /// Tells when nothing came for `limit` from a caller who had been heard, and again after as long.
    pub fn check_silence(&mut self, around: &Surroundings<'_>, limit: Duration) {
        let Some(listening) = self.listening.filter(|_| self.heard) else {
            return;
        };
        let since = self
            .voice
            .heard_at()
            .map_or(listening, |heard| heard.max(listening));
        if around.now.saturating_sub(since) >= limit {
            self.listening = Some(around.now);
            self.tell(around, MediaEvent::Silent);
        }
    }

    /// Ends everything; the recorder tells what is left, `Closed` last.
    pub fn close(mut self, around: &Surroundings<'_>) {
        for event in std::mem::take(&mut self.backlog) {
            around
                .recorder
                .send_always(Task::Tell(self.events.clone(), event));
        }
        self.end_recording(around, RecordEnd::Hangup);
        self.end_tap(around);
        let Leg { lease, events, .. } = self;
        // Whoever is told may count on the port.
        drop(lease);
        // After the files, which the recorder has to finish first.
        around
            .recorder
            .send_always(Task::Tell(events, MediaEvent::Closed));
    }

    fn tell(&mut self, around: &Surroundings<'_>, event: MediaEvent) {
        let event = if self.backlog.is_empty() {
            match self.events.try_send(event) {
                Ok(()) | Err(TrySendError::Closed(_)) => return,
                Err(TrySendError::Full(event)) => event,
            }
        } else {
            event
        };
        // A digit that comes late answers another question.
        if self.backlog.len() < MAX_BACKLOG && !matches!(event, MediaEvent::Digit { .. }) {
            self.backlog.push_back(event);
        } else {
            around.counters.events_dropped.count();
        }
    }

    fn start_recording(&mut self, around: &Surroundings<'_>) {
        let codec = self.codec();
        if let Some(recording) = self
            .recording
            .as_mut()
            .filter(|recording| !recording.has_started())
        {
            recording.start(around.now, codec, around.recorder);
        }
    }

    fn end_recording(&mut self, around: &Surroundings<'_>, ended_by: RecordEnd) {
        if let Some(recording) = self.recording.take() {
            if !recording.has_started() {
                // Its tone is playing, and nothing else.
                self.voice.stop();
            }
            let (tell, codec) = (self.events.clone(), self.codec());
            recording.end(
                around.now,
                ended_by,
                codec,
                around.recorder,
                tell,
                around.counters,
            );
        }
    }

    fn end_tap(&mut self, around: &Surroundings<'_>) {
        if let Some(tap) = self.tap.take() {
            tap.end_tap(around.now, self.events.clone(), around.counters);
        }
    }

    fn codec(&self) -> Codec {
        self.voice
            .remote()
            .map_or(Codec::Pcmu, |remote| remote.codec)
    }
}
