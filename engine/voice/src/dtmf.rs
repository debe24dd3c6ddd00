//! Key presses: telephone events in RTP (RFC 4733) and SIP INFO bodies.
//!
//! A key is a `char`: `0` to `9`, `*`, `#`, `A` to `D`.

mod info;
mod receiver;
mod sender;

pub use info::{InfoError, key_of_info};
pub use receiver::{Received, Receiver};
pub use sender::{EventPacket, KeyPress};

/// The keys, at the index of their event code (RFC 4733 §3.2, table 3).
const KEYS: [char; 16] = [
    '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D',
];

/// The key of an event code; none for codes that are no keys (flash, fax tones, trunk signals).
pub fn key_of_event(event: u8) -> Option<char> {
    KEYS.get(usize::from(event)).copied()
}

/// The event code of a key, lower-case letters included; none for any other character.
pub fn event_of_key(key: char) -> Option<u8> {
    let key = key.to_ascii_uppercase();
    KEYS.iter()
        .position(|known| *known == key)
        .map(|index| index as u8)
}

/// A telephone-event payload (RFC 4733 §2.3): four bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Event {
    /// The event code; 0 to 15 are keys.
    pub code: u8,
    /// The last report of this event; senders repeat it three times.
    pub end: bool,
    /// Power below 0 dBm0, in dB, 0 to 63.
    pub volume: u8,
    /// Length so far, in samples.
    pub duration: u16,
}

impl Event {
    /// Bytes of one event.
    pub const BYTES: usize = 4;

    /// Reads the first event of a payload; none if it is shorter than four bytes.
    pub fn parse(payload: &[u8]) -> Option<Event> {
        let [code, flags, high, low] = *payload.first_chunk::<{ Event::BYTES }>()?;
        Some(Event {
            code,
            end: flags & 0x80 != 0,
            volume: flags & 0x3f,
            duration: u16::from_be_bytes([high, low]),
        })
    }

    /// The payload of this event.
    pub fn to_bytes(self) -> [u8; Event::BYTES] {
        let [high, low] = self.duration.to_be_bytes();
        [
            self.code,
            (u8::from(self.end) << 7) | (self.volume & 0x3f),
            high,
            low,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_codes_are_inverse() {
        for code in 0..=255u8 {
            match key_of_event(code) {
                Some(key) => assert_eq!(event_of_key(key), Some(code)),
                None => assert!(code > 15),
            }
        }
        assert_eq!(event_of_key('d'), Some(15));
        assert_eq!(event_of_key('x'), None);
    }

    #[test]
    fn an_event_is_four_bytes() {
        let event = Event {
            code: 11,
            end: true,
            volume: 10,
            duration: 1_280,
        };
        assert_eq!(event.to_bytes(), [11, 0x8a, 5, 0]);
        assert_eq!(Event::parse(&event.to_bytes()), Some(event));
        assert_eq!(Event::parse(&[1, 2, 3]), None);
    }
}
