//! Symmetric RTP: answer where the media really comes from, and believe nobody else.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::rtp::{Packet, sequence_distance};

/// Packets after which the source is locked. 100 ms of audio: long enough for a stray first packet to be
/// corrected by a better source, too short to steal a call that is up.
const PACKETS_TO_LOCK: u32 = 5;

/// A source that was quiet for so long may be replaced: a NAT that forgot its mapping gives the same
/// telephone a new port, and a telephone sends every 20 ms.
const QUIET_BEFORE_REPLACEMENT: Duration = Duration::from_secs(1);

/// How far the sequence number may have moved when a locked source turns up at another address: 20 s of
/// packets. A stranger has to guess the SSRC and this.
const MAX_SEQUENCE_STEP: i32 = 1_000;

/// Which source of packets belongs to the call, learned from the packets themselves.
///
/// The signalled address is believed at once. Behind a NAT it is wrong; then the source may be another port of
/// the signalled address, or the address that the signalling came from. Anybody else is only believed when the
/// signalled address is a private one that the signalling did not come from, so that nobody could know better.
///
/// A source is locked after five packets; until then a better one takes over. A locked source changes only when
/// the signalling says so, when the very address that was signalled is heard after all (whoever came before was
/// another source, RFC 3550 §8.2), or when it went quiet and the same SSRC goes on from another believable address.
/// When the signalling moves the call, the place it moved away from is not learned again.
#[derive(Debug, Clone)]
pub struct Latch {
    signalled: SocketAddr,
    signalling: IpAddr,
    learned: Option<Learned>,
    left: Option<Left>,
}

/// How far a source is to be believed, the best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trust {
    /// It is what was signalled.
    Signalled,
    /// The signalled address at another port, or where the signalling comes from.
    Related,
    /// A NAT of which nothing is known.
    Unknown,
}

/// Where the call was before the signalling moved it.
#[derive(Debug, Clone, Copy)]
struct Left {
    signalled: SocketAddr,
    source: SocketAddr,
}

#[derive(Debug, Clone, Copy)]
struct Learned {
    source: SocketAddr,
    trust: Trust,
    ssrc: u32,
    sequence: u16,
    packets: u32,
    at: Duration,
}

impl Latch {
    /// Expects packets from the signalled address, or from a NAT in front of it. `signalling` is the address that
    /// the signalling itself comes from.
    pub fn new(signalled: SocketAddr, signalling: IpAddr) -> Latch {
        Latch {
            signalled,
            signalling: signalling.to_canonical(),
            learned: None,
            left: None,
        }
    }

    /// Takes the address of a later offer or answer; a changed one starts the learning anew.
    pub fn signal(&mut self, signalled: SocketAddr, signalling: IpAddr) {
        self.signalling = signalling.to_canonical();
        if self.signalled == signalled {
            return;
        }
        let left = self.learned.take().map(|learned| Left {
            signalled: self.signalled,
            source: learned.source,
        });
        // A call that moves back may be heard from there again.
        self.left = left
            .or(self.left)
            .filter(|left| left.signalled != signalled);
        self.signalled = signalled;
    }

    /// Where to send: to the learned source, before that to the signalled address.
    pub fn destination(&self) -> SocketAddr {
        self.learned
            .map_or(self.signalled, |learned| learned.source)
    }

    /// Whether a packet belongs to the call. One that does not is dropped and counted.
    pub fn admits(&mut self, now: Duration, source: SocketAddr, packet: &Packet<'_>) -> bool {
        if let Some(learned) = &mut self.learned
            && learned.source == source
        {
            learned.ssrc = packet.ssrc;
            learned.sequence = packet.sequence;
            learned.packets = learned.packets.saturating_add(1);
            learned.at = now;
            return true;
        }
        let Some(trust) = self.trust(source) else {
            return false;
        };
        if let Some(learned) = &self.learned {
            let quiet = now.saturating_sub(learned.at) >= QUIET_BEFORE_REPLACEMENT;
            let goes_on = learned.ssrc == packet.ssrc
                && (1..=MAX_SEQUENCE_STEP)
                    .contains(&sequence_distance(learned.sequence, packet.sequence));
            // A private address behind a NAT may be anybody's in our own network.
            let itself = trust == Trust::Signalled && !self.vague();
            let replaces = match learned.packets >= PACKETS_TO_LOCK {
                true => itself || quiet && goes_on,
                false => trust < learned.trust || quiet && trust == learned.trust,
            };
            if !replaces {
                return false;
            }
        }
        let packets = match (trust, &self.learned) {
            (Trust::Signalled, _) => PACKETS_TO_LOCK,
            // It went on after a lock, and stays locked.
            (_, Some(learned)) if learned.packets >= PACKETS_TO_LOCK => PACKETS_TO_LOCK,
            _ => 1,
        };
        self.learned = Some(Learned {
            source,
            trust,
            ssrc: packet.ssrc,
            sequence: packet.sequence,
            packets,
            at: now,
        });
        true
    }

    /// Whether the source is locked: a stray packet or two are nobody's keys.
    pub fn locked(&self) -> bool {
        self.learned
            .is_some_and(|learned| learned.packets >= PACKETS_TO_LOCK)
    }

    /// Whether the signalled address says nothing here: it is of a network that the signalling did not come from.
    fn vague(&self) -> bool {
        let signalled = self.signalled.ip().to_canonical();
        is_local(signalled) && signalled != self.signalling
    }

    /// How far a source is to be believed; none is not at all.
    fn trust(&self, source: SocketAddr) -> Option<Trust> {
        if source == self.signalled {
            return Some(Trust::Signalled);
        }
        if self.left.is_some_and(|left| left.source == source) {
            return None;
        }
        let signalled = self.signalled.ip().to_canonical();
        let ip = source.ip().to_canonical();
        if ip == signalled || ip == self.signalling {
            return Some(Trust::Related);
        }
        self.vague().then_some(Trust::Unknown)
    }
}

/// Whether an address says nothing outside its own network: private, unspecified, loopback, link-local, or shared
/// by the subscribers of one provider (RFC 6598).
fn is_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            ip.is_private()
                || ip.is_unspecified()
                || ip.is_loopback()
                || ip.is_link_local()
                || (a == 100 && b & 0b1100_0000 == 64)
        }
        IpAddr::V6(ip) => {
            ip.is_unspecified()
                || ip.is_loopback()
                || ip.is_unique_local()
                || ip.is_unicast_link_local()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the caller's SDP says.
    const SIGNALLED: &str = "192.0.2.1:4000";
    /// The same host, another port: its NAT keeps addresses and changes ports.
    const SAME_HOST: &str = "192.0.2.1:61000";
    /// Where the SIP comes from, at some port.
    const SIGNALLING: &str = "198.51.100.7:61000";
    /// Nobody that the call knows.
    const STRANGER: &str = "203.0.113.9:4000";
    const PRIVATE: &str = "192.168.1.20:4000";

    fn at(address: &str) -> SocketAddr {
        address.parse().expect("an address")
    }

    struct Line {
        latch: Latch,
        now: Duration,
        sequence: u16,
    }

    impl Line {
        fn new(signalled: &str) -> Line {
            Line {
                latch: Latch::new(at(signalled), at(SIGNALLING).ip()),
                now: Duration::ZERO,
                sequence: 65_530,
            }
        }

        fn packet(&mut self, source: &str, ssrc: u32, sequence: u16) -> bool {
            let packet = Packet {
                marker: false,
                payload_type: 0,
                sequence,
                timestamp: 0,
                ssrc,
                payload: &[],
            };
            self.latch.admits(self.now, at(source), &packet)
        }

        /// `count` packets 20 ms apart; whether all of them were admitted.
        fn packets(&mut self, source: &str, count: usize) -> bool {
            (0..count).all(|_| {
                self.now += Duration::from_millis(20);
                self.sequence = self.sequence.wrapping_add(1);
                self.packet(source, 7, self.sequence)
            })
        }

        fn signal(&mut self, signalled: &str) {
            self.latch.signal(at(signalled), at(SIGNALLING).ip());
        }

        fn sends_to(&self, destination: &str) -> bool {
            self.latch.destination() == at(destination)
        }
    }

    #[test]
    fn a_stranger_is_not_believed_before_the_first_packet_of_the_caller() {
        let mut line = Line::new(SIGNALLED);
        assert!(line.sends_to(SIGNALLED));
        assert!(!line.packet(STRANGER, 1, 1));
        assert!(line.sends_to(SIGNALLED));
        assert!(line.packets(SIGNALLED, 1));
        assert!(
            !line.packet(SAME_HOST, 7, line.sequence + 1),
            "what was signalled is locked at once"
        );
        assert!(
            line.packet(SIGNALLED, 99, 1),
            "a source may change its SSRC"
        );
    }

    #[test]
    fn a_nat_is_followed_where_signalling_or_media_lead() {
        for nat in [SAME_HOST, SIGNALLING] {
            let mut line = Line::new(SIGNALLED);
            assert!(line.packets(nat, 10), "{nat}");
            assert!(line.sends_to(nat));
            assert!(!line.packet(STRANGER, 7, line.sequence + 1));
            assert!(line.packet(SIGNALLED, 8, 1), "the peer itself");
            assert!(line.sends_to(SIGNALLED));
            assert!(!line.packet(nat, 7, line.sequence.wrapping_add(1)));
        }
    }

    #[test]
    fn a_private_address_takes_no_lock_from_the_nat_before_it() {
        let mut line = Line::new(PRIVATE);
        assert!(line.packets(SIGNALLING, 10));
        assert!(!line.packet(PRIVATE, 8, 1), "another host of our network");
        assert!(line.sends_to(SIGNALLING));
    }

    #[test]
    fn a_source_is_locked_after_five_packets_and_the_signalled_one_at_once() {
        let mut line = Line::new(SIGNALLED);
        assert!(!line.latch.locked());
        assert!(line.packets(SAME_HOST, 4) && !line.latch.locked());
        assert!(line.packets(SAME_HOST, 1) && line.latch.locked());
        let mut line = Line::new(SIGNALLED);
        assert!(line.packets(SIGNALLED, 1) && line.latch.locked());
    }

    #[test]
    fn before_the_lock_the_better_source_takes_over() {
        let mut line = Line::new(PRIVATE);
        assert!(
            line.packet(STRANGER, 1, 1),
            "a NAT of which nothing is known"
        );
        assert!(line.packets(SIGNALLING, 1));
        assert!(!line.packet(STRANGER, 1, 2));
        assert!(line.packets(PRIVATE, 1));
        assert!(!line.packet(SIGNALLING, 7, line.sequence + 1));
        assert!(line.sends_to(PRIVATE));
    }

    #[test]
    fn a_private_address_that_the_signalling_comes_from_too_is_no_nat() {
        let mut line = Line::new(PRIVATE);
        line.latch.signal(at(PRIVATE), at(PRIVATE).ip());
        assert!(!line.packet(STRANGER, 1, 1));
        assert!(line.packets("192.168.1.20:9", 1), "another port of it");
        for local in [
            "10.0.0.1",
            "127.0.0.1",
            "0.0.0.0",
            "169.254.1.1",
            "100.64.0.1",
            "100.127.255.1",
            "fd00::1",
            "fe80::1",
            "::1",
            "::",
        ] {
            assert!(is_local(local.parse().expect("an address")), "{local}");
        }
        for global in ["100.128.0.1", "192.0.2.1", "8.8.8.8", "2001:db8::1"] {
            assert!(!is_local(global.parse().expect("an address")), "{global}");
        }
    }

    #[test]
    fn a_new_nat_mapping_is_followed_only_after_a_pause_and_with_the_same_stream() {
        let mut line = Line::new(SIGNALLED);
        assert!(line.packets(SIGNALLING, 10));
        line.now += Duration::from_secs(2);
        let next = line.sequence.wrapping_add(1);
        assert!(!line.packet(STRANGER, 7, next), "from nowhere");
        assert!(!line.packet(SAME_HOST, 8, next), "another stream");
        assert!(!line.packet(SAME_HOST, 7, line.sequence.wrapping_sub(1)));
        assert!(line.packets(SAME_HOST, 3));
        assert!(line.sends_to(SAME_HOST));
    }

    #[test]
    fn a_call_that_was_moved_is_not_learned_back_from_late_packets() {
        let mut line = Line::new(SIGNALLED);
        assert!(line.packets(SIGNALLING, 10));
        line.signal(SIGNALLED);
        assert!(line.sends_to(SIGNALLING), "the same address keeps the lock");
        line.signal("192.0.2.1:4002");
        assert!(line.sends_to("192.0.2.1:4002"));
        assert!(
            !line.packets(SIGNALLING, 1),
            "a packet of the old stream that was under way"
        );
        line.now += Duration::from_secs(2);
        assert!(!line.packets(SIGNALLING, 1), "and later too");
        assert!(line.packets("198.51.100.7:61002", 3), "the new one");
        line.signal(SIGNALLED);
        assert!(line.packets(SIGNALLING, 1), "unless the call moves back");
    }
}
