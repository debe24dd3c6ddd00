//! Received and sent audio on one time axis, for recordings.
//!
//! Packets come late, twice, out of order or not at all; a recording has a sample for every moment. A
//! [`Timeline`] places packets by their RTP timestamp, waits a little for late ones and fills the rest with
//! silence. It lives beside the media path: what is sent and heard does not pass through it.

use std::time::Duration;

use crate::g711::Codec;
use crate::rtp::{Packet, timestamp_distance};
use crate::{FRAME_SAMPLES, SAMPLE_RATE};

/// Samples a side holds between arrival and [`Timeline::drain`]: 512 ms. Sound beyond that is dropped.
const RING: u64 = 4_096;

/// How long a moment waits for late packets: 120 ms, three times the jitter of a usable line.
const SETTLE: u64 = 960;

/// How far ahead of the clock a packet may lie: a burst of 200 ms.
const MAX_AHEAD: u64 = 1_600;

/// Packets in a row that fit nowhere before the place is measured anew: the sender's clock drifted.
const MISFITS_BEFORE_ANCHOR: u8 = 5;

/// A jump of the timestamp by more than this, in samples, is a new stream: 2 s.
const MAX_JUMP: i64 = 16_000;

/// A sent frame within so many samples of the end of the one before it follows it without a gap: 40 ms.
const SENT_SLACK: u64 = 320;

/// Collects what was heard, and what was said if wanted, and gives it out in order.
#[derive(Debug)]
pub struct Timeline {
    codec: Codec,
    start: Duration,
    heard: Side,
    said: Option<Side>,
    /// Samples given out.
    drained: u64,
    masked: bool,
}

/// Where the timestamps of a received stream lie on the axis.
#[derive(Debug, Clone, Copy)]
struct Anchor {
    ssrc: u32,
    timestamp: u32,
    at: u64,
    misfits: u8,
}

#[derive(Debug)]
struct Side {
    ring: Box<[u8]>,
    /// Where the packets lie that were placed by their timestamps.
    anchor: Option<Anchor>,
    /// End of what was written in order.
    end: u64,
    /// Nothing may be written before it: sound from a masked time that comes late.
    floor: u64,
}

impl Timeline {
    /// A recording that starts at `now`, in the law `codec`: one channel with what is heard, or
    /// (`with_said`) two with what is said as the second.
    pub fn new(now: Duration, codec: Codec, with_said: bool) -> Timeline {
        Timeline {
            codec,
            start: now,
            heard: Side::new(codec),
            said: with_said.then(|| Side::new(codec)),
            drained: 0,
            masked: false,
        }
    }

    /// The law of the bytes that [`Timeline::drain`] gives.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// How many channels the bytes have, in turn: 1 or 2.
    pub fn channels(&self) -> u16 {
        if self.said.is_some() { 2 } else { 1 }
    }

    /// Samples per channel given out so far.
    pub fn drained(&self) -> u64 {
        self.drained
    }

    /// A received packet. Whether it found its place; otherwise it came too late or too early.
    pub fn heard(&mut self, now: Duration, codec: Codec, packet: &Packet<'_>) -> bool {
        let clock = self.sample(now);
        if self.masked {
            return true;
        }
        self.heard
            .take_in(clock, self.drained, codec, self.codec, packet)
    }

    /// A packet that another call received and that was sent on to this one. Whether it found its place among what was
    /// said.
    pub fn relayed(&mut self, now: Duration, codec: Codec, packet: &Packet<'_>) -> bool {
        let clock = self.sample(now);
        match &mut self.said {
            Some(said) if !self.masked => {
                said.take_in(clock, self.drained, codec, self.codec, packet)
            }
            _ => true,
        }
    }

    /// A frame that was sent. Whether it found its place.
    pub fn said(&mut self, now: Duration, codec: Codec, frame: &[u8; FRAME_SAMPLES]) -> bool {
        let clock = self.sample(now);
        let Some(end) = self.said.as_ref().map(|side| side.end) else {
            return true;
        };
        if self.masked {
            return true;
        }
        let at = if end == 0 || clock > end + SENT_SLACK {
            clock
        } else {
            end
        };
        if !fits(self.drained, clock, at as i64, FRAME_SAMPLES as u64) {
            return false;
        }
        if let Some(side) = &mut self.said {
            side.write(at, codec, self.codec, frame);
        }
        true
    }

    /// From now on (`true`) silence stands in for everything, until `false`: secrets are being entered.
    pub fn mask(&mut self, now: Duration, masked: bool) {
        let clock = self.sample(now);
        if self.masked && !masked {
            for side in std::iter::once(&mut self.heard).chain(&mut self.said) {
                side.floor = clock;
            }
        }
        self.masked = masked;
    }

    /// Samples per channel that [`Timeline::drain`] would give.
    pub fn settled(&self, now: Duration) -> usize {
        self.sample(now)
            .saturating_sub(SETTLE)
            .saturating_sub(self.drained) as usize
    }

    /// Appends everything that waited long enough to `out`; the channels in turn, a byte each.
    pub fn drain(&mut self, now: Duration, out: &mut Vec<u8>) {
        self.drain_to(self.sample(now).saturating_sub(SETTLE), out);
    }

    /// Appends everything up to now, or up to the end of what came in early: nothing more will come.
    pub fn finish(&mut self, now: Duration, out: &mut Vec<u8>) {
        let said = self.said.as_ref().map_or(0, |side| side.end);
        self.drain_to(self.sample(now).max(self.heard.end).max(said), out);
    }

    fn drain_to(&mut self, end: u64, out: &mut Vec<u8>) {
        let start = self.drained;
        out.reserve(end.saturating_sub(start) as usize * usize::from(self.channels()));
        let silence = self.codec.silence();
        for at in start..end {
            // After a stall longer than the ring, its bytes are given once; the rest is silence.
            let kept = at < start + RING;
            out.push(if kept {
                self.heard.take(at, silence)
            } else {
                silence
            });
            if let Some(said) = &mut self.said {
                out.push(if kept {
                    said.take(at, silence)
                } else {
                    silence
                });
            }
        }
        self.drained = self.drained.max(end);
    }

    fn sample(&self, now: Duration) -> u64 {
        (now.saturating_sub(self.start).as_micros() * u128::from(SAMPLE_RATE) / 1_000_000) as u64
    }
}

/// Whether sound has room: not given out yet, and not further ahead of the clock than a burst.
fn fits(drained: u64, clock: u64, at: i64, length: u64) -> bool {
    u64::try_from(at)
        .is_ok_and(|at| at >= drained && at <= clock + MAX_AHEAD && at + length <= drained + RING)
}

impl Side {
    fn new(codec: Codec) -> Side {
        Side {
            ring: vec![codec.silence(); RING as usize].into_boxed_slice(),
            anchor: None,
            end: 0,
            floor: 0,
        }
    }

    /// Puts a packet where its timestamp says. Whether there is room.
    fn take_in(
        &mut self,
        clock: u64,
        drained: u64,
        from: Codec,
        to: Codec,
        packet: &Packet<'_>,
    ) -> bool {
        let at = self.place(clock, packet);
        if !fits(drained, clock, at, packet.payload.len() as u64) {
            if let Some(anchor) = &mut self.anchor {
                anchor.misfits += 1;
            }
            return false;
        }
        if let Some(anchor) = &mut self.anchor {
            anchor.misfits = 0;
        }
        self.write(at as u64, from, to, packet.payload);
        true
    }

    /// Where a packet belongs, by its timestamp; negative if before the start.
    fn place(&mut self, clock: u64, packet: &Packet<'_>) -> i64 {
        let fresh = |anchor: &Anchor| {
            anchor.ssrc == packet.ssrc
                && anchor.misfits < MISFITS_BEFORE_ANCHOR
                && timestamp_distance(anchor.timestamp, packet.timestamp).abs() <= MAX_JUMP
        };
        let at = match self.anchor.filter(fresh) {
            Some(anchor) => {
                anchor.at as i64 + timestamp_distance(anchor.timestamp, packet.timestamp)
            }
            None => clock as i64,
        };
        let misfits = self.anchor.filter(fresh).map_or(0, |anchor| anchor.misfits);
        // The anchor moves along, so that hours of sending never look like a jump.
        if self
            .anchor
            .is_none_or(|anchor| !fresh(&anchor) || at >= anchor.at as i64)
        {
            self.anchor = Some(Anchor {
                ssrc: packet.ssrc,
                timestamp: packet.timestamp,
                at: at.max(0) as u64,
                misfits,
            });
        }
        at
    }

    fn write(&mut self, at: u64, from: Codec, to: Codec, bytes: &[u8]) {
        for (at, byte) in (at..).zip(bytes).filter(|(at, _)| *at >= self.floor) {
            self.ring[(at % RING) as usize] = from.convert(to, *byte);
        }
        self.end = self.end.max(at + bytes.len() as u64);
    }

    fn take(&mut self, at: u64, silence: u8) -> u8 {
        std::mem::replace(&mut self.ring[(at % RING) as usize], silence)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SILENCE: u8 = 0xff;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn packet(timestamp: u32, payload: &[u8]) -> Packet<'_> {
        Packet {
            marker: false,
            payload_type: 0,
            sequence: 0,
            timestamp,
            ssrc: 1,
            payload,
        }
    }

    fn hear(line: &mut Timeline, at: u64, timestamp: u32, byte: u8) -> bool {
        line.heard(
            ms(at),
            Codec::Pcmu,
            &packet(timestamp, &[byte; FRAME_SAMPLES]),
        )
    }

    /// The first byte of every 20 ms.
    fn frames(line: &mut Timeline, now: u64) -> Vec<u8> {
        let mut out = Vec::new();
        line.finish(ms(now), &mut out);
        out.iter()
            .step_by(FRAME_SAMPLES * usize::from(line.channels()))
            .copied()
            .collect()
    }

    #[test]
    fn what_is_relayed_stands_by_its_timestamp_among_what_was_said() {
        let mut line = Timeline::new(ms(0), Codec::Pcmu, true);
        let mut relay = |at, timestamp, byte| {
            let payload = [byte; FRAME_SAMPLES];
            line.relayed(ms(at), Codec::Pcmu, &packet(timestamp, &payload))
        };
        assert!(relay(0, 9_000, 1));
        assert!(relay(60, 9_480, 4));
        assert!(relay(61, 9_160, 2), "late, and in its place");
        let mut out = Vec::new();
        line.finish(ms(80), &mut out);
        let said: Vec<u8> = out
            .iter()
            .skip(1)
            .step_by(2 * FRAME_SAMPLES)
            .copied()
            .collect();
        assert_eq!(said, [1, 2, SILENCE, 4]);
        assert!(out.iter().step_by(2).all(|heard| *heard == SILENCE));
        let mut alone = Timeline::new(ms(0), Codec::Pcmu, false);
        assert!(alone.relayed(ms(0), Codec::Pcmu, &packet(0, &[1; FRAME_SAMPLES])));
        assert_eq!(frames(&mut alone, 20), [SILENCE]);
    }

    #[test]
    fn order_is_restored_and_holes_are_silent() {
        let mut line = Timeline::new(ms(1_000), Codec::Pcmu, false);
        assert!(hear(&mut line, 1_000, 0, 1));
        assert!(hear(&mut line, 1_040, 320, 3));
        assert!(hear(&mut line, 1_041, 160, 2));
        assert!(hear(&mut line, 1_041, 160, 2), "a double changes nothing");
        assert!(hear(&mut line, 1_080, 640, 5));
        assert_eq!(frames(&mut line, 1_120), [1, 2, 3, SILENCE, 5, SILENCE]);
        assert_eq!(line.drained(), 960);
    }

    #[test]
    fn drained_moments_are_closed_and_only_settled_ones_are_drained() {
        let mut line = Timeline::new(ms(0), Codec::Pcmu, false);
        assert!(hear(&mut line, 0, 0, 1));
        assert_eq!(line.settled(ms(140)), 160);
        let mut out = Vec::new();
        line.drain(ms(140), &mut out);
        assert_eq!(out, [1; 160]);
        assert!(!hear(&mut line, 140, 0, 9), "too late");
        assert!(hear(&mut line, 140, 160, 2), "just in time");
        line.finish(ms(160), &mut out);
        assert_eq!(out.len(), 160 * 8);
        assert_eq!(out[160], 2);
    }

    #[test]
    fn both_sides_stand_side_by_side() {
        let mut line = Timeline::new(ms(0), Codec::Pcma, true);
        assert!(hear(&mut line, 0, 50, 0xff));
        assert!(line.said(ms(20), Codec::Pcma, &[7; FRAME_SAMPLES]));
        assert!(line.said(ms(41), Codec::Pcma, &[8; FRAME_SAMPLES]));
        let mut out = Vec::new();
        line.finish(ms(60), &mut out);
        assert_eq!(out.len(), 2 * 480);
        let heard = Codec::Pcmu.convert(Codec::Pcma, 0xff);
        assert_eq!(out[..2], [heard, 0xd5]);
        // The second frame follows the first without a gap, although the clock was 1 ms late.
        assert_eq!(out[2 * 160..2 * 160 + 2], [0xd5, 7]);
        assert_eq!(out[2 * 320..2 * 320 + 2], [0xd5, 8]);
    }

    #[test]
    fn a_masked_time_is_silent_even_for_late_packets() {
        let mut line = Timeline::new(ms(0), Codec::Pcmu, true);
        assert!(hear(&mut line, 0, 0, 1));
        line.mask(ms(20), true);
        assert!(hear(&mut line, 20, 160, 2));
        assert!(line.said(ms(20), Codec::Pcmu, &[2; FRAME_SAMPLES]));
        line.mask(ms(60), false);
        assert!(hear(&mut line, 60, 320, 3), "spoken at 40 ms");
        assert!(hear(&mut line, 61, 480, 4));
        let mut out = Vec::new();
        line.finish(ms(80), &mut out);
        let heard: Vec<u8> = out.iter().step_by(320).copied().collect();
        assert_eq!(heard, [1, SILENCE, SILENCE, 4]);
        assert!(out.iter().all(|byte| [1, 4, SILENCE].contains(byte)));
    }

    #[test]
    fn a_new_stream_and_a_drifted_clock_find_their_place_again() {
        let mut line = Timeline::new(ms(0), Codec::Pcmu, false);
        assert!(hear(&mut line, 0, 0, 1));
        assert!(hear(&mut line, 20, 3_000_000, 2), "a jump");
        let other = Packet {
            ssrc: 2,
            ..packet(77, &[3; FRAME_SAMPLES])
        };
        assert!(line.heard(ms(40), Codec::Pcmu, &other), "another SSRC");
        assert_eq!(frames(&mut line, 60), [1, 2, 3]);
        // Far ahead of the clock, but by less than a jump.
        let fits: Vec<bool> = (0..6)
            .map(|step| hear(&mut line, 60 + step * 20, 5_000_000, 4))
            .collect();
        assert!(fits[0]);
        let ahead: Vec<bool> = (0..7)
            .map(|step| hear(&mut line, 180 + step * 20, 5_008_000 + step as u32 * 160, 5))
            .collect();
        assert_eq!(ahead, [false, false, false, false, false, true, true]);
    }

    proptest! {
        #[test]
        fn nothing_panics_and_no_moment_is_lost(packets in prop::collection::vec(
            (0u64..400, any::<u32>(), 0usize..1_500, any::<bool>()), 0..60)) {
            let mut line = Timeline::new(ms(0), Codec::Pcmu, true);
            let (mut now, mut out) = (0, Vec::new());
            for (pause, timestamp, length, near) in packets {
                now += pause;
                let payload = vec![1; length];
                let timestamp = if near { now as u32 * 8 } else { timestamp };
                line.heard(ms(now), Codec::Pcmu, &packet(timestamp, &payload));
                line.said(ms(now), Codec::Pcma, &[2; FRAME_SAMPLES]);
                line.drain(ms(now), &mut out);
            }
            line.finish(ms(now), &mut out);
            prop_assert_eq!(out.len() as u64, 2 * line.drained());
            prop_assert!(line.drained() >= now * 8);
        }
    }
}
