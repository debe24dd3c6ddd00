//! Symmetric RTP: answer where the media really comes from, and believe nobody else.

use std::net::SocketAddr;
use std::time::Duration;

use crate::rtp::{Packet, sequence_distance};

/// Packets after which the source is locked. 100 ms of audio: long enough for a stray first packet to be
/// corrected by the source that was signalled, too short to steal a call that is up.
const PACKETS_TO_LOCK: u32 = 5;

/// A source that was quiet for so long may be replaced: a NAT that forgot its mapping gives the same
/// telephone a new port, and a telephone sends every 20 ms.
const QUIET_BEFORE_REPLACEMENT: Duration = Duration::from_secs(1);

/// How far the sequence number may have moved when a locked source turns up at another address: 20 s of
/// packets. A stranger has to guess the SSRC and this.
const MAX_SEQUENCE_STEP: i32 = 1_000;

/// Which source of packets belongs to the call, learned from the packets themselves.
///
/// Signalled addresses are wrong behind a NAT. The first source is taken; it is locked after five packets;
/// until then the signalled address may still take over. A locked source changes only when the signalling
/// says so, or when it went quiet and the same SSRC goes on from another address.
#[derive(Debug, Clone)]
pub struct Latch {
    signalled: SocketAddr,
    learned: Option<Learned>,
}

#[derive(Debug, Clone, Copy)]
struct Learned {
    source: SocketAddr,
    ssrc: u32,
    sequence: u16,
    packets: u32,
    at: Duration,
}

impl Latch {
    /// Expects packets from the signalled address, or from a NAT in front of it.
    pub fn new(signalled: SocketAddr) -> Latch {
        Latch {
            signalled,
            learned: None,
        }
    }

    /// Takes the address of a later offer or answer; a changed one starts the learning anew.
    pub fn signal(&mut self, signalled: SocketAddr) {
        if self.signalled != signalled {
            *self = Latch::new(signalled);
        }
    }

    /// Where to send: to the learned source, before that to the signalled address.
    pub fn destination(&self) -> SocketAddr {
        self.learned
            .map_or(self.signalled, |learned| learned.source)
    }

    /// Whether a packet belongs to the call. One that does not is dropped and counted.
    pub fn admits(&mut self, now: Duration, source: SocketAddr, packet: &Packet<'_>) -> bool {
        let Some(learned) = &mut self.learned else {
            self.learned = Some(Learned::new(now, source, packet, 1));
            return true;
        };
        if learned.source == source {
            learned.ssrc = packet.ssrc;
            learned.sequence = packet.sequence;
            learned.packets = learned.packets.saturating_add(1);
            learned.at = now;
            return true;
        }
        let locked = learned.packets >= PACKETS_TO_LOCK;
        let quiet = now.saturating_sub(learned.at) >= QUIET_BEFORE_REPLACEMENT;
        let goes_on = learned.ssrc == packet.ssrc
            && (1..=MAX_SEQUENCE_STEP)
                .contains(&sequence_distance(learned.sequence, packet.sequence));
        let packets = match (locked, source == self.signalled) {
            (false, true) => PACKETS_TO_LOCK,
            (false, false) if quiet => 1,
            (true, _) if quiet && goes_on => PACKETS_TO_LOCK,
            _ => return false,
        };
        self.learned = Some(Learned::new(now, source, packet, packets));
        true
    }
}

impl Learned {
    fn new(at: Duration, source: SocketAddr, packet: &Packet<'_>, packets: u32) -> Learned {
        Learned {
            source,
            ssrc: packet.ssrc,
            sequence: packet.sequence,
            packets,
            at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNALLED: u16 = 1;
    const NAT: u16 = 2;
    const STRANGER: u16 = 3;

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    struct Line {
        latch: Latch,
        now: Duration,
        sequence: u16,
    }

    impl Line {
        fn new() -> Line {
            Line {
                latch: Latch::new(address(SIGNALLED)),
                now: Duration::ZERO,
                sequence: 65_530,
            }
        }

        fn packet(&mut self, port: u16, ssrc: u32, sequence: u16) -> bool {
            let packet = Packet {
                marker: false,
                payload_type: 0,
                sequence,
                timestamp: 0,
                ssrc,
                payload: &[],
            };
            self.latch.admits(self.now, address(port), &packet)
        }

        /// `count` packets 20 ms apart; whether all of them were admitted.
        fn packets(&mut self, port: u16, count: usize) -> bool {
            (0..count).all(|_| {
                self.now += Duration::from_millis(20);
                self.sequence = self.sequence.wrapping_add(1);
                self.packet(port, 7, self.sequence)
            })
        }
    }

    #[test]
    fn the_first_source_is_answered_and_strangers_are_not() {
        let mut line = Line::new();
        assert_eq!(line.latch.destination(), address(SIGNALLED));
        assert!(line.packets(NAT, 10));
        assert_eq!(line.latch.destination(), address(NAT));
        assert!(
            !line.packet(STRANGER, 7, line.sequence + 1),
            "even with the right SSRC"
        );
        assert!(
            !line.packet(SIGNALLED, 8, 1),
            "the lock holds against the signalled address too"
        );
        assert!(line.packet(NAT, 99, 1), "a source may change its SSRC");
        assert_eq!(line.latch.destination(), address(NAT));
    }

    #[test]
    fn the_signalled_source_corrects_a_stray_first_packet() {
        let mut line = Line::new();
        assert!(line.packet(STRANGER, 1, 1));
        assert!(line.packets(SIGNALLED, 1));
        assert!(!line.packet(STRANGER, 1, 2));
        assert_eq!(line.latch.destination(), address(SIGNALLED));
    }

    #[test]
    fn a_new_nat_mapping_is_followed_only_after_a_pause_and_with_the_same_stream() {
        let mut line = Line::new();
        assert!(line.packets(NAT, 10));
        line.now += Duration::from_secs(2);
        assert!(!line.packet(STRANGER, 8, line.sequence.wrapping_add(1)));
        assert!(!line.packet(STRANGER, 7, line.sequence.wrapping_sub(1)));
        assert!(line.packets(STRANGER, 3));
        assert_eq!(line.latch.destination(), address(STRANGER));
    }

    #[test]
    fn a_changed_address_in_the_signalling_starts_anew() {
        let mut line = Line::new();
        assert!(line.packets(NAT, 10));
        line.latch.signal(address(SIGNALLED));
        assert_eq!(
            line.latch.destination(),
            address(NAT),
            "the same address keeps the lock"
        );
        line.latch.signal(address(9));
        assert_eq!(line.latch.destination(), address(9));
        assert!(line.packets(STRANGER, 1));
    }
}
