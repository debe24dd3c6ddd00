use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use strowger_voice::g711::Codec;
use strowger_voice::rtp::Packet;
use strowger_voice::timeline::Timeline;
use strowger_voice::{FRAME_SAMPLES, SAMPLE_RATE};

use super::recorder::{Fault, RecorderQueue, Subject, Task};
use super::stats::Counters;
use super::{MediaEvent, RecordEnd, RecordSpec, Shelf};

/// Samples per channel of one piece for the recorder: 200 ms. Longer ones cost memory per call, shorter
/// ones more writes.
const PIECE: usize = 1_600;

/// Root mean square of a frame from which on it counts as speech: -42 dB of full scale. Speech on a
/// telephone lies at -15 to -30 dB, line noise below -50 dB.
const SPEECH_RMS: i64 = 260;

/// What is kept of the silence that ended a recording, so that the last word does not sound cut.
const KEPT_SILENCE: Duration = Duration::from_millis(300);

/// A file that is being recorded, as the media thread sees it.
pub struct Capture {
    timeline: Timeline,
    started: Duration,
    file: u64,
    recorder: Arc<RecorderQueue>,
}

/// A recording of what the caller says.
pub struct Recording {
    spec: RecordSpec,
    /// None while the tone is played.
    capture: Option<Capture>,
    spoke: Option<Duration>,
}

impl Capture {
    /// Starts a file with what is heard, and (`with_said`) with what is said as a second channel.
    pub fn begin(
        now: Duration,
        codec: Codec,
        place: (PathBuf, Arc<Shelf>),
        with_said: bool,
        recorder: &Arc<RecorderQueue>,
    ) -> Capture {
        let timeline = Timeline::new(now, codec, with_said);
        let file = recorder.begin(place, timeline.channels(), codec);
        Capture {
            timeline,
            started: now,
            file,
            recorder: recorder.clone(),
        }
    }

    pub fn heard(&mut self, now: Duration, codec: Codec, packet: &Packet<'_>, counters: &Counters) {
        if !self.timeline.heard(now, codec, packet) {
            counters.record_late.count();
        }
    }

    /// Said by somebody else, and sent on.
    pub fn relayed(
        &mut self,
        now: Duration,
        codec: Codec,
        packet: &Packet<'_>,
        counters: &Counters,
    ) {
        if !self.timeline.relayed(now, codec, packet) {
            counters.record_late.count();
        }
    }

    pub fn said(&mut self, now: Duration, codec: Codec, frame: &[u8; FRAME_SAMPLES]) {
        // A frame without a place has run ahead of a stalled recording; the stall is counted elsewhere.
        self.timeline.said(now, codec, frame);
    }

    pub fn mask(&mut self, now: Duration, masked: bool) {
        self.timeline.mask(now, masked);
    }

    /// Hands over what has settled, once it makes a piece. To be called every 20 ms.
    pub fn advance(&mut self, now: Duration, counters: &Counters) {
        if self.timeline.settled(now) >= PIECE {
            let at = self.timeline.drained();
            let mut bytes = Vec::new();
            self.timeline.drain(now, &mut bytes);
            self.hand_over(at, bytes, counters);
        }
    }

    /// Ends the file after `length`, or with what there is.
    fn end(
        mut self,
        now: Duration,
        length: Option<Duration>,
        subject: Subject,
        counters: &Counters,
    ) {
        let at = self.timeline.drained();
        let mut bytes = Vec::new();
        self.timeline.finish(now, &mut bytes);
        self.hand_over(at, bytes, counters);
        let recorded = self.timeline.drained();
        let samples = length.map_or(recorded, |length| {
            let wanted = length.as_millis() * u128::from(SAMPLE_RATE) / 1_000;
            recorded.min(wanted as u64)
        });
        self.recorder.send_always(Task::End {
            file: self.file,
            samples,
            subject,
        });
    }

    /// Ends a whole-call recording.
    pub fn end_tap(self, now: Duration, tell: super::leg::Tell, counters: &Counters) {
        self.end(now, None, Subject::Tap(tell), counters);
    }

    fn hand_over(&self, at: u64, bytes: Vec<u8>, counters: &Counters) {
        if !bytes.is_empty()
            && self
                .recorder
                .send(Task::Audio {
                    file: self.file,
                    at,
                    bytes,
                })
                .is_err()
        {
            counters.record_dropped.count();
        }
    }
}

impl Recording {
    /// A recording that waits for its tone to end, or for [`Recording::start`].
    pub fn new(spec: RecordSpec) -> Recording {
        Recording {
            spec,
            capture: None,
            spoke: None,
        }
    }

    pub fn has_started(&self) -> bool {
        self.capture.is_some()
    }

    pub fn start(&mut self, now: Duration, codec: Codec, recorder: &Arc<RecorderQueue>) {
        if self.capture.is_none() {
            self.capture = Some(Capture::begin(
                now,
                codec,
                self.spec.place(),
                false,
                recorder,
            ));
        }
    }

    pub fn heard(&mut self, now: Duration, codec: Codec, packet: &Packet<'_>, counters: &Counters) {
        if let Some(capture) = &mut self.capture {
            capture.heard(now, codec, packet, counters);
            if is_speech(codec, packet.payload) {
                self.spoke = Some(now);
            }
        }
    }

    /// Hands over samples; says whether the recording is to be ended, and why.
    pub fn advance(&mut self, now: Duration, counters: &Counters) -> Option<RecordEnd> {
        let capture = self.capture.as_mut()?;
        capture.advance(now, counters);
        if now.saturating_sub(capture.started) >= millis(self.spec.max_ms.min(RecordSpec::MAX_MS)) {
            return Some(RecordEnd::Max);
        }
        let silence = now.saturating_sub(self.spoke.unwrap_or(capture.started));
        let ends = self.spec.silence_ms > 0 && silence >= millis(self.spec.silence_ms);
        ends.then_some(RecordEnd::Silence)
    }

    /// Ends the recording; the recorder tells [`MediaEvent::Recorded`].
    pub fn end(
        self,
        now: Duration,
        ended_by: RecordEnd,
        codec: Codec,
        recorder: &Arc<RecorderQueue>,
        tell: super::leg::Tell,
        counters: &Counters,
    ) {
        // Ended during the tone: an empty file is still a file.
        let capture = self
            .capture
            .unwrap_or_else(|| Capture::begin(now, codec, self.spec.place(), false, recorder));
        let length = match (ended_by, self.spoke) {
            (RecordEnd::Silence, Some(spoke)) => {
                Some(spoke.saturating_sub(capture.started) + KEPT_SILENCE)
            }
            (RecordEnd::Max, _) => Some(millis(self.spec.max_ms)),
            _ => None,
        };
        let subject = Subject::Recording {
            id: self.spec.id,
            ended_by,
            spoken: self.spoke.is_some(),
            sensitive: self.spec.sensitive,
            tell,
        };
        capture.end(now, length, subject, counters);
    }
}

impl Subject {
    /// What may be told of its file's path: of a secret message the folder.
    pub fn shown<'p>(&self, path: &'p Path) -> &'p Path {
        match (self, path.parent()) {
            (
                Subject::Recording {
                    sensitive: true, ..
                },
                Some(folder),
            ) => folder,
            _ => path,
        }
    }

    /// The event for a file of this length that was written, or why it was not and what there is of it.
    pub fn event(&self, path: PathBuf, samples: u64, fault: Option<Fault>) -> MediaEvent {
        let duration_ms = samples * 1_000 / u64::from(SAMPLE_RATE);
        match (self, fault) {
            (Subject::Recording { id, .. }, Some(Fault { reason, left })) => {
                MediaEvent::RecordFailed {
                    id: Some(*id),
                    path,
                    left,
                    reason,
                }
            }
            (Subject::Tap(_), Some(Fault { reason, left })) => MediaEvent::RecordFailed {
                id: None,
                path,
                left,
                reason,
            },
            (
                Subject::Recording {
                    id,
                    ended_by,
                    spoken,
                    ..
                },
                None,
            ) => MediaEvent::Recorded {
                id: *id,
                path,
                duration_ms: if *spoken { duration_ms } else { 0 },
                ended_by: *ended_by,
            },
            (Subject::Tap(_), None) => MediaEvent::Tapped { path, duration_ms },
        }
    }
}

fn is_speech(codec: Codec, payload: &[u8]) -> bool {
    let energy: i64 = payload
        .iter()
        .map(|byte| i64::from(codec.decode(*byte)).pow(2))
        .sum();
    energy > SPEECH_RMS * SPEECH_RMS * payload.len() as i64
}

fn millis(millis: u32) -> Duration {
    Duration::from_millis(millis.into())
}
