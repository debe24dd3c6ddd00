use std::time::Duration;

use super::{Event, key_of_event};
use crate::rtp::Packet;

/// How many past events are remembered, so that a late repetition of one is not taken for a new press.
/// Senders repeat the end of an event for at most 60 ms; four events take longer than 200 ms.
const REMEMBERED: usize = 4;

/// Once an event has ended and been quiet for so long, a packet with its timestamp and the marker bit is a
/// new press: no finger presses the same key sooner, and the network seldom delays the first packet so far.
const QUIET_AFTER_END: Duration = Duration::from_millis(40);

/// The same when no end report came through: two packets of one event are at most 50 ms apart
/// (RFC 4733 §2.5.1.2), one of them may be lost.
const QUIET_WITHOUT_END: Duration = Duration::from_millis(100);

/// The same without the marker bit, which may be lost with the first packet. Longer, because a sender may
/// stall in the middle of a key; pressing takes a finger as long as this.
const QUIET_WITHOUT_MARKER: Duration = Duration::from_millis(1_000);

/// From this duration on, an event with a later timestamp is its next segment (RFC 4733 §2.5.1.3): the
/// duration field ends at 65,535 samples, and senders stop up to one report earlier.
const SEGMENT_FULL: u16 = u16::MAX - 3_200;

/// What one telephone-event packet meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// A key went down: the first packet of its event that came through, whichever it was.
    Pressed(char),
    /// Another report of a press that was already told.
    Repeated,
    /// An event that is no key.
    NotAKey(u8),
    /// Shorter than an event.
    Malformed,
}

/// Turns telephone-event packets into key presses, each told once and at its first packet.
///
/// Needs neither the marker bit nor the first packets of an event: an end report alone is a press. Events
/// are told apart by their RTP timestamp (RFC 4733 §2.5.1.2); a timestamp that is used again after a marker
/// counts as a new press, because senders that replay a recorded key do that.
#[derive(Debug, Clone, Default)]
pub struct Receiver {
    /// The latest first.
    seen: [Option<Seen>; REMEMBERED],
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    ssrc: u32,
    timestamp: u32,
    code: u8,
    duration: u16,
    ended: bool,
    at: Duration,
}

impl Receiver {
    /// Takes a packet whose payload type is telephone-event, received at `now`.
    pub fn receive(&mut self, now: Duration, packet: &Packet<'_>) -> Received {
        let Some(event) = Event::parse(packet.payload) else {
            return Received::Malformed;
        };
        let Some(key) = key_of_event(event.code) else {
            return Received::NotAKey(event.code);
        };
        let known = self.position(packet, event);
        let repeated = known.is_some_and(|index| {
            self.seen[index].is_some_and(|seen| !seen.starts_again(now, packet))
        });
        self.remember(
            known,
            Seen {
                ssrc: packet.ssrc,
                timestamp: packet.timestamp,
                code: event.code,
                duration: event.duration,
                ended: event.end,
                at: now,
            },
            repeated,
        );
        if repeated {
            Received::Repeated
        } else {
            Received::Pressed(key)
        }
    }

    /// Where the event of this packet is remembered.
    fn position(&self, packet: &Packet<'_>, event: Event) -> Option<usize> {
        let same = |seen: &Seen| {
            seen.ssrc == packet.ssrc
                && seen.code == event.code
                && (seen.timestamp == packet.timestamp || seen.goes_on_at(packet))
        };
        self.seen
            .iter()
            .position(|seen| seen.as_ref().is_some_and(same))
    }

    fn remember(&mut self, known: Option<usize>, mut new: Seen, repeated: bool) {
        match known {
            Some(index) => {
                if let Some(old) = self.seen[index].filter(|_| repeated) {
                    // Reports may arrive out of order: an ended event stays ended, a length only grows.
                    new.ended |= old.ended;
                    if old.timestamp == new.timestamp {
                        new.duration = new.duration.max(old.duration);
                    }
                }
                self.seen[index] = Some(new);
            }
            None => {
                self.seen.rotate_right(1);
                self.seen[0] = Some(new);
            }
        }
    }
}

impl Seen {
    /// Whether a packet that matches this event is nevertheless a new press.
    fn starts_again(&self, now: Duration, packet: &Packet<'_>) -> bool {
        let quiet = now.saturating_sub(self.at);
        match (
            packet.marker && packet.timestamp == self.timestamp,
            self.ended,
        ) {
            (true, true) => quiet >= QUIET_AFTER_END,
            (true, false) => quiet >= QUIET_WITHOUT_END,
            (false, true) => quiet >= QUIET_WITHOUT_MARKER,
            (false, false) => false,
        }
    }

    /// Whether the packet is the next segment of this very long event (RFC 4733 §2.5.1.3).
    fn goes_on_at(&self, packet: &Packet<'_>) -> bool {
        let ahead = packet.timestamp.wrapping_sub(self.timestamp);
        !self.ended
            && !packet.marker
            && self.duration >= SEGMENT_FULL
            && ahead >= u32::from(self.duration)
            && ahead <= u32::from(u16::MAX) + 1
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dtmf::KeyPress;

    /// Plays packets into a receiver: (at ms, marker, timestamp, code, end, duration) and what is expected.
    fn check(script: &[(u64, bool, u32, u8, bool, u16, Received)]) {
        let mut receiver = Receiver::default();
        for (index, (at, marker, timestamp, code, end, duration, expected)) in
            script.iter().enumerate()
        {
            let payload = Event {
                code: *code,
                end: *end,
                volume: 10,
                duration: *duration,
            }
            .to_bytes();
            let packet = packet(*marker, *timestamp, &payload);
            assert_eq!(
                receiver.receive(Duration::from_millis(*at), &packet),
                *expected,
                "packet {index}"
            );
        }
    }

    fn packet(marker: bool, timestamp: u32, payload: &[u8]) -> Packet<'_> {
        Packet {
            marker,
            payload_type: 101,
            sequence: 0,
            timestamp,
            ssrc: 1,
            payload,
        }
    }

    use Received::{Malformed, NotAKey, Pressed, Repeated};

    #[test]
    fn the_first_packet_presses_and_the_rest_repeat() {
        check(&[
            (0, true, 1_000, 1, false, 160, Pressed('1')),
            (20, false, 1_000, 1, false, 320, Repeated),
            (40, false, 1_000, 1, true, 480, Repeated),
            (40, false, 1_000, 1, true, 480, Repeated),
            (200, true, 3_000, 1, false, 160, Pressed('1')),
        ]);
    }

    #[test]
    fn no_marker_is_needed_and_an_end_alone_is_a_press() {
        check(&[
            (0, false, 1_000, 11, false, 320, Pressed('#')),
            (900, false, 9_000, 10, true, 800, Pressed('*')),
            (900, false, 9_000, 10, true, 800, Repeated),
        ]);
    }

    #[test]
    fn a_late_repetition_of_the_previous_key_is_no_press() {
        check(&[
            (0, true, 1_000, 1, false, 160, Pressed('1')),
            (60, false, 1_000, 1, true, 480, Repeated),
            (100, true, 2_000, 2, false, 160, Pressed('2')),
            (101, false, 1_000, 1, true, 480, Repeated),
            (120, false, 2_000, 2, false, 320, Repeated),
        ]);
    }

    #[test]
    fn a_replayed_recording_presses_again() {
        // The very same packets, timestamps included, some hundred milliseconds later.
        check(&[
            (0, true, 1_000, 5, false, 160, Pressed('5')),
            (40, false, 1_000, 5, true, 480, Repeated),
            (400, true, 1_000, 5, false, 160, Pressed('5')),
            (440, false, 1_000, 5, true, 480, Repeated),
            // End reports lost: the marker and the pause tell.
            (800, true, 1_000, 5, false, 160, Pressed('5')),
            (820, false, 1_000, 5, false, 320, Repeated),
            (1_200, true, 1_000, 5, false, 160, Pressed('5')),
            // The network doubles the first packet.
            (1_201, true, 1_000, 5, false, 160, Repeated),
            // The marker packet of the next one is lost.
            (1_260, false, 1_000, 5, true, 480, Repeated),
            (3_000, false, 1_000, 5, false, 320, Pressed('5')),
        ]);
    }

    #[test]
    fn a_new_key_under_the_old_timestamp_is_a_press() {
        check(&[
            (0, true, 1_000, 5, false, 160, Pressed('5')),
            (40, false, 1_000, 5, true, 480, Repeated),
            (100, false, 1_000, 6, false, 160, Pressed('6')),
        ]);
    }

    #[test]
    fn a_key_held_for_long_is_one_press() {
        check(&[
            (0, true, 1_000, 7, false, 160, Pressed('7')),
            (8_180, false, 1_000, 7, false, 65_440, Repeated),
            (8_200, false, 66_535, 7, false, 160, Repeated),
            (16_380, false, 66_535, 7, false, 65_535, Repeated),
            (16_400, false, 132_070, 7, true, 160, Repeated),
            (16_500, true, 140_000, 7, false, 160, Pressed('7')),
        ]);
    }

    #[test]
    fn other_events_and_short_payloads_are_told() {
        check(&[
            (0, true, 1_000, 16, false, 160, NotAKey(16)),
            (0, true, 1_000, 255, false, 160, NotAKey(255)),
        ]);
        assert_eq!(
            Receiver::default().receive(Duration::ZERO, &packet(true, 1, &[1, 2])),
            Malformed
        );
    }

    proptest! {
        /// Any loss and doubling of packets tells each key at most once, and once if anything came through.
        #[test]
        fn lost_and_doubled_packets_change_no_key(
            keys in prop::collection::vec(0u8..16, 1..6),
            fate in prop::collection::vec(0u8..3, 80),
        ) {
            let mut receiver = Receiver::default();
            let (mut heard, mut expected) = (String::new(), String::new());
            let mut fate = fate.into_iter().cycle();
            for (index, code) in keys.into_iter().enumerate() {
                let start = Duration::from_millis(index as u64 * 200);
                let timestamp = (index as u32).wrapping_mul(1_600).wrapping_sub(2_000);
                let key = key_of_event(code).expect("a key");
                let mut arrived = false;
                for (step, report) in KeyPress::new(key, 100).expect("a key").enumerate() {
                    let now = start + Duration::from_millis(step as u64 * 20);
                    let payload = report.event.to_bytes();
                    for _ in 0..fate.next().unwrap_or(1) {
                        arrived = true;
                        if let Received::Pressed(key) = receiver.receive(now, &packet(report.marker, timestamp, &payload)) {
                            heard.push(key);
                        }
                    }
                }
                if arrived {
                    expected.push(key);
                }
            }
            prop_assert_eq!(heard, expected);
        }

        #[test]
        fn no_packet_panics(packets in prop::collection::vec(any::<(bool, u32, [u8; 4], u64)>(), 0..40)) {
            let mut receiver = Receiver::default();
            for (marker, timestamp, payload, at) in packets {
                receiver.receive(Duration::from_micros(at), &packet(marker, timestamp, &payload));
            }
        }
    }
}
