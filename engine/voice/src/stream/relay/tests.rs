use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::clip::Clip;
use crate::dtmf::{Received, Receiver};
use crate::sdp::{Direction, Remote};
use crate::stream::{Outgoing, PACKET_BYTES};

const SIZE: usize = 1_024;

fn remote(codec: Codec, dtmf_pt: Option<u8>, direction: Direction) -> Remote {
    Remote {
        addr: ([192, 0, 2, 9], 4_000).into(),
        codec,
        payload_type: codec.payload_type(),
        dtmf_pt,
        direction,
    }
}

fn stream(remote: Remote) -> Stream {
    let mut stream = Stream::new(5, 65_534, u32::MAX - 100);
    stream.connect(remote, IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1)));
    stream
}

fn usual() -> Stream {
    stream(remote(Codec::Pcmu, Some(101), Direction::SendRecv))
}

fn packet(sequence: u16, timestamp: u32, payload: &[u8]) -> Packet<'_> {
    Packet {
        marker: false,
        payload_type: 0,
        sequence,
        timestamp,
        ssrc: 77,
        payload,
    }
}

/// What leaves when this comes in: marker, sequence, timestamp, first byte.
fn sent(
    stream: &mut Stream,
    at_ms: u64,
    packet: Packet<'_>,
    sound: Sound,
) -> Option<(bool, u16, u32, u8)> {
    let mut out = [0; SIZE];
    let relayed = Relayed { packet, sound };
    let (length, _) = stream.relay(Duration::from_millis(at_ms), &relayed, &mut out)?;
    let packet = Packet::parse(&out[..length]).expect("our own packet");
    assert_eq!(packet.ssrc, 5);
    let first = packet.payload.first().copied().unwrap_or_default();
    Some((packet.marker, packet.sequence, packet.timestamp, first))
}

fn audio(stream: &mut Stream, at_ms: u64, packet: Packet<'_>) -> Option<(bool, u16, u32, u8)> {
    sent(stream, at_ms, packet, Sound::Audio(Codec::Pcmu))
}

#[test]
fn another_source_goes_on_as_ours_with_its_order_and_its_holes() {
    let mut stream = usual();
    let base = u32::MAX - 100;
    let at = |samples: u32| base.wrapping_add(8_000 + samples);
    let frame = [7; 160];
    let mut out = |at_ms, sequence, timestamp| {
        audio(&mut stream, at_ms, packet(sequence, timestamp, &frame))
            .map(|(marker, sequence, timestamp, _)| (marker, sequence, timestamp))
    };
    assert_eq!(out(1_000, 900, 5_000), Some((true, 65_534, at(0))));
    assert_eq!(out(1_020, 901, 5_160), Some((false, 65_535, at(160))));
    // One is lost, one comes too late but before its time is over.
    assert_eq!(out(1_060, 904, 5_640), Some((false, 2, at(640))));
    assert_eq!(out(1_061, 903, 5_480), Some((false, 1, at(480))));
    assert_eq!(out(1_061, 899, 4_840), None, "from before it was relayed");
    assert_eq!(out(1_080, 905, 5_800), Some((false, 3, at(800))));
}

#[test]
fn a_source_that_begins_anew_follows_without_a_hole() {
    let mut stream = usual();
    let frame = [7; 160];
    let first = audio(&mut stream, 0, packet(1, 0, &frame)).expect("sent");
    // Another sequence, another time axis: the telephone restarted its stream.
    let second = audio(&mut stream, 500, packet(40_000, 1 << 31, &frame)).expect("sent");
    assert!(second.0, "the first of a new spurt is marked");
    assert_eq!(second.1, first.1.wrapping_add(1));
    assert_eq!(second.2, first.2.wrapping_add(4_000));
}

#[test]
fn laws_are_converted_and_lengths_are_kept() {
    let mut stream = stream(remote(Codec::Pcma, None, Direction::SendRecv));
    for length in [80, 160, 480] {
        let bytes = vec![0x21; length];
        let mut out = [0; SIZE];
        let relayed = Relayed {
            packet: packet(1, 0, &bytes),
            sound: Sound::Audio(Codec::Pcmu),
        };
        let (written, _) = stream
            .relay(Duration::ZERO, &relayed, &mut out)
            .expect("sent");
        let parsed = Packet::parse(&out[..written]).expect("our own packet");
        assert_eq!(parsed.payload_type, 8);
        let expected = vec![Codec::Pcmu.convert(Codec::Pcma, 0x21); length];
        assert_eq!(parsed.payload, expected);
    }
}

#[test]
fn what_may_not_be_sent_is_not() {
    let frame = [7; 160];
    let mut held = stream(remote(Codec::Pcmu, Some(101), Direction::RecvOnly));
    assert_eq!(audio(&mut held, 0, packet(1, 0, &frame)), None);
    let mut deaf = stream(remote(Codec::Pcmu, None, Direction::SendRecv));
    assert_eq!(
        sent(&mut deaf, 0, packet(1, 0, &[1, 0, 0, 160]), Sound::Event),
        None
    );
    let mut unconnected = Stream::new(5, 0, 0);
    assert_eq!(audio(&mut unconnected, 0, packet(1, 0, &frame)), None);
    let long = [7; SIZE];
    assert_eq!(audio(&mut usual(), 0, packet(1, 0, &long)), None);
}

#[test]
fn what_is_played_covers_what_is_relayed_and_sequence_goes_on_across_both() {
    let mut stream = usual();
    let frame = [7; 160];
    let first = audio(&mut stream, 0, packet(1, 0, &frame)).expect("sent");
    let clip = Arc::new(Clip::new(Codec::Pcmu, &[1; 320]));
    stream.play(Duration::from_millis(20), Some(1), vec![clip], false);
    assert_eq!(audio(&mut stream, 20, packet(2, 160, &frame)), None);
    let mut out = [0; PACKET_BYTES];
    for step in 1..=2u16 {
        let now = Duration::from_millis(20 * u64::from(step));
        assert!(matches!(
            stream.next_packet(now, &mut out),
            Outgoing::Packet(_)
        ));
        let played = Packet::parse(&out).expect("our own packet");
        assert_eq!(played.sequence, first.1.wrapping_add(step));
    }
    let now = Duration::from_millis(60);
    assert_eq!(stream.next_packet(now, &mut out), Outgoing::Done(Some(1)));
    let (marker, sequence, timestamp, byte) =
        audio(&mut stream, 60, packet(4, 480, &frame)).expect("sent again");
    assert_eq!((marker, sequence, byte), (true, first.1.wrapping_add(3), 7));
    assert_eq!(timestamp, first.2.wrapping_add(480));
}

#[test]
fn a_sender_whose_clock_races_does_not_take_the_time_axis_along() {
    let mut stream = usual();
    let frame = [7; 160];
    let mut last = 0;
    for step in 0..200u16 {
        // Nineteen frames' time in each frame.
        let packet = packet(step, u32::from(step) * 3_000, &frame);
        let (_, _, timestamp, _) = audio(&mut stream, u64::from(step) * 20, packet).expect("sent");
        last = timestamp.wrapping_sub(u32::MAX - 100);
    }
    // Four seconds have passed: at most one more, and a jump, was taken on trust.
    assert!(last <= 5 * 8_000 + 3_000, "{last}");
}

#[test]
fn events_keep_their_timestamp_and_are_heard_as_one_key_each() {
    let mut stream = usual();
    let frame = [7; 160];
    let mut receiver = Receiver::default();
    let (before, ..) = audio(&mut stream, 0, packet(0, 0, &frame)).expect("sent");
    assert!(before);
    let mut keys = Vec::new();
    let (mut sequence, mut timestamp) = (1, 160);
    for key in ['4', '2'] {
        let press = KeyPress::new(key, 80).expect("a key");
        let samples = press.samples();
        for report in press {
            let body = report.event.to_bytes();
            let relayed = Relayed {
                packet: Packet {
                    marker: report.marker,
                    ..packet(sequence, timestamp, &body)
                },
                sound: Sound::Event,
            };
            let now = Duration::from_millis(u64::from(sequence) * 20);
            let mut out = [0; SIZE];
            let (length, _) = stream.relay(now, &relayed, &mut out).expect("sent");
            let sent = Packet::parse(&out[..length]).expect("our own packet");
            assert_eq!(sent.payload_type, 101);
            if let Received::Pressed(key) = receiver.receive(now, &sent) {
                keys.push(key);
            }
            sequence += 1;
        }
        timestamp += samples + 800;
    }
    assert_eq!(keys, ['4', '2']);
}

#[test]
fn keys_pressed_for_somebody_come_one_after_the_other() {
    let mut pressing = usual();
    assert!(pressing.press(Duration::ZERO, '1') && pressing.press(Duration::ZERO, '#'));
    assert_eq!(audio(&mut pressing, 0, packet(1, 0, &[7; 160])), None);
    let mut receiver = Receiver::default();
    let (mut keys, mut out, mut at) = (Vec::new(), [0; REPORT_BYTES], 0);
    let mut sequence = 65_534u16;
    while pressing.is_pressing() {
        if pressing.next_report(&mut out).is_some() {
            let packet = Packet::parse(&out).expect("our own packet");
            assert_eq!(packet.sequence, sequence);
            sequence = sequence.wrapping_add(1);
            if let Received::Pressed(key) = receiver.receive(Duration::from_millis(at), &packet) {
                keys.push(key);
            }
        }
        at += 20;
        assert!(at < 1_000, "it ends");
    }
    assert_eq!(keys, ['1', '#']);
    let mut deaf = stream(remote(Codec::Pcmu, None, Direction::SendRecv));
    assert!(!deaf.press(Duration::ZERO, '1'));
    assert!(!usual().press(Duration::ZERO, 'x'));
    let mut busy = usual();
    let taken = (0..100).filter(|_| busy.press(Duration::ZERO, '5')).count();
    assert_eq!(taken, 1 + MAX_WAITING);
}

proptest! {
    /// Whatever comes in and is played: nothing panics, and what is new has a new sequence number.
    #[test]
    fn no_source_breaks_the_sequence(
        steps in prop::collection::vec((0u64..3_000, any::<u16>(), any::<u32>(), 0usize..400, 0u8..5), 1..80),
    ) {
        let mut stream = usual();
        let mut now = Duration::ZERO;
        let mut seen = std::collections::BTreeSet::new();
        let mut jump = 0u16;
        for (pause, sequence, timestamp, length, what) in steps {
            now += Duration::from_millis(pause);
            jump = jump.wrapping_add(if what == 0 { sequence } else { 1 });
            let bytes = vec![7; length];
            let mut out = [0; SIZE];
            let relayed = Relayed {
                packet: packet(jump, timestamp, &bytes),
                sound: if what == 1 { Sound::Event } else { Sound::Audio(Codec::Pcma) },
            };
            if let Some((length, _)) = stream.relay(now, &relayed, &mut out) {
                let sent = Packet::parse(&out[..length]).expect("our own packet");
                prop_assert!(seen.insert(sent.sequence));
            }
            if what == 2 {
                stream.play(now, None, vec![Arc::new(Clip::silence(Codec::Pcmu, 20))], false);
                let mut out = [0; PACKET_BYTES];
                while let Outgoing::Packet(_) = stream.next_packet(now, &mut out) {
                    let sent = Packet::parse(&out).expect("our own packet");
                    prop_assert!(seen.insert(sent.sequence));
                }
            }
        }
    }
}
