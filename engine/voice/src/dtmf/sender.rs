use super::{Event, event_of_key};
use crate::{FRAME_MS, FRAME_SAMPLES};

/// How often the end of an event is sent (RFC 4733 §2.5.1.4).
const END_REPORTS: u8 = 3;

/// Power of a sent key in dBm0, sign dropped: what telephones send.
const VOLUME: u8 = 10;

/// One packet of a key press, to be sent 20 ms after the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventPacket {
    /// Set on the first packet.
    pub marker: bool,
    /// The payload.
    pub event: Event,
}

/// The packets of one key press, all under the RTP timestamp at which the key went down.
///
/// A report every 20 ms, the last one three times.
#[derive(Debug, Clone)]
pub struct KeyPress {
    code: u8,
    frames: u16,
    sent: u16,
    ends: u8,
}

impl KeyPress {
    /// Longest press in milliseconds: one segment of RFC 4733 (65,535 samples), in whole frames.
    pub const MAX_MS: u32 = (u16::MAX as u32 / FRAME_SAMPLES as u32) * FRAME_MS;

    /// A press of `key` for `duration_ms` (at least 20, at most [`KeyPress::MAX_MS`]); none if it is no key.
    pub fn new(key: char, duration_ms: u32) -> Option<KeyPress> {
        let frames = duration_ms
            .clamp(FRAME_MS, KeyPress::MAX_MS)
            .div_ceil(FRAME_MS) as u16;
        Some(KeyPress {
            code: event_of_key(key)?,
            frames,
            sent: 0,
            ends: 0,
        })
    }

    /// How far the RTP timestamp moves from the start of this press to the packet after it, in samples.
    pub fn samples(&self) -> u32 {
        (u32::from(self.frames) + u32::from(END_REPORTS) - 1) * FRAME_SAMPLES as u32
    }
}

impl Iterator for KeyPress {
    type Item = EventPacket;

    fn next(&mut self) -> Option<EventPacket> {
        if self.ends == END_REPORTS {
            return None;
        }
        let marker = self.sent == 0;
        self.sent = (self.sent + 1).min(self.frames);
        let end = self.sent == self.frames;
        self.ends += u8::from(end);
        let duration = self.sent * FRAME_SAMPLES as u16;
        Some(EventPacket {
            marker,
            event: Event {
                code: self.code,
                end,
                volume: VOLUME,
                duration,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_press_is_reports_and_three_ends() {
        let packets: Vec<EventPacket> = KeyPress::new('5', 80).expect("a key").collect();
        let durations: Vec<u16> = packets.iter().map(|packet| packet.event.duration).collect();
        assert_eq!(durations, [160, 320, 480, 640, 640, 640]);
        assert!(packets[0].marker && packets[1..].iter().all(|packet| !packet.marker));
        assert_eq!(packets.iter().filter(|packet| packet.event.end).count(), 3);
        assert_eq!(KeyPress::new('5', 80).expect("a key").samples(), 6 * 160);
    }

    #[test]
    fn shortest_longest_and_none() {
        assert_eq!(KeyPress::new('1', 0).expect("a key").count(), 3);
        let longest = KeyPress::new('1', u32::MAX).expect("a key");
        assert!(
            longest
                .last()
                .is_some_and(|packet| packet.event.duration > 65_000)
        );
        assert!(KeyPress::new('?', 80).is_none());
    }
}
