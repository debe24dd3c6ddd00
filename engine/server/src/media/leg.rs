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
use strowger_voice::stream::{Incoming, Outgoing, PACKET_BYTES, Stream};
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;

use super::capture::{Capture, Recording};
use super::ports::Lease;
use super::recorder::{RecorderQueue, Task};
use super::stats::Counters;
use super::{MediaEvent, RecordEnd, RecordSpec};

/// Where a stream's events go.
pub type Tell = Sender<MediaEvent>;

/// Most events kept for a contact whose queue is full, digits not among them: a recording, a prompt and
/// what surrounds them. Beyond it they are dropped and counted.
const MAX_BACKLOG: usize = 32;

/// The tone before a recording: Hz, milliseconds, dB below full scale.
const BEEP: (f32, u32, f32) = (1_000.0, 200, -16.0);

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

    pub fn tap(&mut self, around: &Surroundings<'_>, path: PathBuf) {
        self.end_tap(around);
        let mut capture = Capture::begin(around.now, self.codec(), path, true, around.recorder);
        capture.mask(around.now, self.masked);
        self.tap = Some(Box::new(capture));
    }

    pub fn mask(&mut self, around: &Surroundings<'_>, masked: bool) {
        self.masked = masked;
        if let Some(tap) = &mut self.tap {
            tap.mask(around.now, masked);
        }
    }

    /// Whether it has to come round every 20 ms.
    pub fn is_active(&self) -> bool {
        self.voice.is_playing()
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
        let mut packet = [0; PACKET_BYTES];
        match self.voice.next_packet(around.now, &mut packet) {
            Outgoing::Packet(to) => {
                match self.socket().send_to(&packet, to) {
                    Ok(_) => around.counters.packets_out.count(),
                    Err(_) => around.counters.send_failed.count(),
                }
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

    /// Reads one datagram. Whether there was one.
    pub fn read(&mut self, around: &Surroundings<'_>, at: Instant, buffer: &mut [u8]) -> bool {
        match self.socket().recv_from(buffer) {
            Ok((length, source)) => {
                self.receive(around, at, source, &buffer[..length]);
                true
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => false,
            // An earlier packet met a closed port (ICMP); the next one may not.
            Err(_) => false,
        }
    }

    fn receive(
        &mut self,
        around: &Surroundings<'_>,
        at: Instant,
        source: SocketAddr,
        datagram: &[u8],
    ) {
        let counters = around.counters;
        counters.packets_in.count();
        match self.voice.receive(around.now, source, datagram) {
            Incoming::Audio { packet, codec } => {
                if let Some(recording) = &mut self.recording {
                    recording.heard(around.now, codec, &packet, counters);
                }
                if let Some(tap) = &mut self.tap {
                    tap.heard(around.now, codec, &packet, counters);
                }
            }
            Incoming::Key(key) => {
                counters.digits.count();
                self.tell(around, MediaEvent::Digit { key, at });
            }
            Incoming::Event => {}
            Incoming::Foreign => return counters.foreign.count(),
            Incoming::Early | Incoming::UnknownType(_) => return counters.unexpected.count(),
            Incoming::Rtcp => return counters.rtcp.count(),
            Incoming::Malformed => return counters.malformed.count(),
        }
        if !self.heard {
            self.heard = true;
            self.tell(around, MediaEvent::FirstPacket);
        }
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
