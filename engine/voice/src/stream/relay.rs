//! What another call sends, sent on as this call's own: one source, one sequence, one time axis.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use super::{Stream, time_to_samples};
use crate::dtmf::{Event, KeyPress};
use crate::g711::Codec;
use crate::rtp::{HEADER_BYTES, Packet, sequence_distance, timestamp_distance};
use crate::{FRAME_SAMPLES, SAMPLE_RATE};

/// Bytes of a packet that tells of a key: header and one event.
pub const REPORT_BYTES: usize = HEADER_BYTES + Event::BYTES;

/// A source whose timestamp jumps by more than this, in samples, has begun anew: 2 s.
const MAX_JUMP: i64 = 2 * SAMPLE_RATE as i64;

/// The same for its sequence numbers: two seconds of packets.
const MAX_GAP: i32 = 100;

/// How far the audio of another call may run ahead of our clock before its place is measured anew, in samples: 1 s. A
/// sender's clock gains less in hours; one that claims more must not put off what we play afterwards.
const MAX_AHEAD: u64 = SAMPLE_RATE as u64;

/// How long a key is down that we press for somebody, in milliseconds: every receiver takes 40 for a press.
const PRESS_MS: u32 = 100;

/// Frames of silence between two such keys: 60 ms.
const FRAMES_BETWEEN: u8 = 3;

/// Keys that may wait to be pressed; nobody types so far ahead of 200 ms a key.
const MAX_WAITING: usize = 32;

/// A packet of another call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Relayed<'a> {
    /// As it came in.
    pub packet: Packet<'a>,
    /// What it carries.
    pub sound: Sound,
}

/// What a relayed packet carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sound {
    /// Audio in this law.
    Audio(Codec),
    /// A telephone event (RFC 4733).
    Event,
}

/// Where the source of relayed packets lies on our own axes: its latest packet, and what became of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Relaying {
    ssrc: u32,
    theirs: (u16, u32),
    ours: (u16, u64),
    /// How many sequence numbers before the latest are this source's too: an older packet has no place.
    behind: i32,
}

/// Keys that are pressed one after the other.
#[derive(Debug)]
pub(super) struct Pressing {
    press: KeyPress,
    position: u64,
    /// Frames of silence left before the press.
    pause: u8,
    waiting: VecDeque<char>,
}

impl Stream {
    /// Writes a packet of another call into `out` as one of ours; says how long it is, and where to.
    ///
    /// Order, losses and pauses stay as they came, for the receiver to make up for them. None where it must not be sent:
    /// something is being played or pressed, which covers it; the other side does not listen or does not know events;
    /// the packet is older than its source is to us, or longer than `out`.
    pub fn relay(
        &mut self,
        now: Duration,
        relayed: &Relayed<'_>,
        out: &mut [u8],
    ) -> Option<(usize, SocketAddr)> {
        if self.playing.is_some() || self.pressing.is_some() {
            self.relaying = None;
            return None;
        }
        let link = self
            .link
            .as_ref()
            .filter(|link| link.remote.direction.sends())?;
        let packet = &relayed.packet;
        let payload_type = match relayed.sound {
            Sound::Audio(_) => link.remote.payload_type,
            Sound::Event => link.remote.dtmf_pt?,
        };
        let length = HEADER_BYTES + packet.payload.len();
        let (header, payload) = out.get_mut(..length)?.split_at_mut(HEADER_BYTES);
        let clock = time_to_samples(now);
        let known = self
            .relaying
            .filter(|known| known.continues(packet, clock))
            .unwrap_or(Relaying {
                ssrc: packet.ssrc,
                theirs: (packet.sequence, packet.timestamp),
                ours: (self.sequence, self.position.max(clock)),
                behind: -1,
            });
        let fresh = known.behind < 0;
        let later = sequence_distance(known.theirs.0, packet.sequence);
        if -later > known.behind.max(0) {
            return None;
        }
        let sequence = known.ours.0.wrapping_add(later as u16);
        let position = known
            .ours
            .1
            .saturating_add_signed(timestamp_distance(known.theirs.1, packet.timestamp));
        match relayed.sound {
            Sound::Audio(codec) => {
                codec.convert_into(link.remote.codec, packet.payload, payload);
            }
            Sound::Event => payload.copy_from_slice(packet.payload),
        }
        header.copy_from_slice(
            &Packet {
                marker: packet.marker || fresh,
                payload_type,
                sequence,
                timestamp: self.base.wrapping_add(position as u32),
                ssrc: self.ssrc,
                payload: &[],
            }
            .header(),
        );
        if later >= 0 {
            self.relaying = Some(Relaying {
                ssrc: packet.ssrc,
                theirs: (packet.sequence, packet.timestamp),
                ours: (sequence, position),
                behind: (known.behind.max(0) + later).min(i32::from(i16::MAX)),
            });
            self.sequence = sequence.wrapping_add(1);
            let samples = match relayed.sound {
                Sound::Audio(_) => packet.payload.len() as u64,
                // All reports of an event stand at its beginning; what follows tells how long it was.
                Sound::Event => 0,
            };
            self.position = self.position.max(position + samples);
        }
        Some((length, link.latch.destination()))
    }

    /// Presses a key by RFC 4733, after those that are being pressed; false where the other side has no such keys, or
    /// too many wait. [`Stream::next_report`] gives the packets.
    pub fn press(&mut self, now: Duration, key: char) -> bool {
        let able = self
            .link
            .as_ref()
            .is_some_and(|link| link.remote.dtmf_pt.is_some() && link.remote.direction.sends());
        if !able {
            return false;
        }
        match &mut self.pressing {
            Some(pressing) if pressing.waiting.len() >= MAX_WAITING => false,
            Some(pressing) => {
                pressing.waiting.push_back(key);
                true
            }
            None => {
                self.position = self.position.max(time_to_samples(now));
                let Some(press) = KeyPress::new(key, PRESS_MS) else {
                    return false;
                };
                self.relaying = None;
                self.pressing = Some(Box::new(Pressing {
                    press,
                    position: self.position,
                    pause: 0,
                    waiting: VecDeque::new(),
                }));
                true
            }
        }
    }

    /// Whether keys are being pressed: [`Stream::next_report`] is to be called every 20 ms.
    pub fn is_pressing(&self) -> bool {
        self.pressing.is_some()
    }

    /// Writes the next packet of the key that is being pressed into `out`; none in a pause, and after the last.
    pub fn next_report(&mut self, out: &mut [u8; REPORT_BYTES]) -> Option<SocketAddr> {
        let pressing = self.pressing.as_mut()?;
        if pressing.pause > 0 {
            pressing.pause -= 1;
            return None;
        }
        let link = self
            .link
            .as_ref()
            .filter(|link| link.remote.direction.sends());
        let (Some(link), Some(report)) = (link, pressing.press.next()) else {
            self.position = pressing.position + u64::from(pressing.press.samples());
            let next = pressing
                .waiting
                .pop_front()
                .and_then(|key| KeyPress::new(key, PRESS_MS));
            match next.filter(|_| link.is_some()) {
                Some(press) => {
                    self.position += u64::from(FRAMES_BETWEEN) * FRAME_SAMPLES as u64;
                    pressing.press = press;
                    pressing.position = self.position;
                    pressing.pause = FRAMES_BETWEEN;
                }
                None => self.pressing = None,
            }
            return None;
        };
        let body = report.event.to_bytes();
        Packet {
            marker: report.marker,
            payload_type: link.remote.dtmf_pt?,
            sequence: self.sequence,
            timestamp: self.base.wrapping_add(pressing.position as u32),
            ssrc: self.ssrc,
            payload: &body,
        }
        .write(out)?;
        self.sequence = self.sequence.wrapping_add(1);
        Some(link.latch.destination())
    }
}

impl Relaying {
    /// Whether the packet is one more of the same source, and stands where our clock allows.
    fn continues(&self, packet: &Packet<'_>, clock: u64) -> bool {
        let jump = timestamp_distance(self.theirs.1, packet.timestamp);
        self.ssrc == packet.ssrc
            && jump.abs() <= MAX_JUMP
            && sequence_distance(self.theirs.0, packet.sequence).abs() <= MAX_GAP
            && self.ours.1.saturating_add_signed(jump) <= clock + MAX_AHEAD
    }
}

#[cfg(test)]
mod tests;
