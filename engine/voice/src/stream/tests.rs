use std::net::Ipv4Addr;

use proptest::prelude::*;

use super::*;
use crate::dtmf::KeyPress;
use crate::sdp::Direction;

const REMOTE: ([u8; 4], u16) = ([192, 0, 2, 9], 4_000);
/// Where the signalling comes from.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1));

fn remote(codec: Codec, direction: Direction) -> Remote {
    Remote {
        addr: REMOTE.into(),
        codec,
        payload_type: codec.payload_type(),
        dtmf_pt: Some(101),
        direction,
    }
}

fn connected() -> Stream {
    let mut stream = Stream::new(5, 65_534, u32::MAX - 100);
    stream.connect(remote(Codec::Pcmu, Direction::SendRecv), HERE);
    stream
}

fn clip(byte: u8, frames: usize) -> Arc<Clip> {
    Arc::new(Clip::new(Codec::Pcmu, &vec![byte; frames * FRAME_SAMPLES]))
}

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// Header fields and the first byte of the payload.
fn next(stream: &mut Stream, now: Duration) -> Result<(bool, u16, u32, u8), Outgoing> {
    let mut out = [0; PACKET_BYTES];
    match stream.next_packet(now, &mut out) {
        Outgoing::Packet(_) => {
            let packet = Packet::parse(&out).expect("our own packet");
            assert_eq!(packet.ssrc, 5);
            assert_eq!(packet.payload.len(), FRAME_SAMPLES);
            Ok((
                packet.marker,
                packet.sequence,
                packet.timestamp,
                packet.payload[0],
            ))
        }
        other => Err(other),
    }
}

#[test]
fn clips_are_played_in_order_to_the_end() {
    let mut stream = connected();
    let base = u32::MAX - 100;
    assert_eq!(
        stream.play(
            ms(0),
            Some(3),
            vec![clip(1, 2), clip(9, 0), clip(2, 1)],
            false
        ),
        ms(0)
    );
    assert_eq!(next(&mut stream, ms(0)), Ok((true, 65_534, base, 1)));
    assert_eq!(
        next(&mut stream, ms(20)),
        Ok((false, 65_535, base.wrapping_add(160), 1))
    );
    assert_eq!(
        next(&mut stream, ms(40)),
        Ok((false, 0, base.wrapping_add(320), 2))
    );
    assert_eq!(next(&mut stream, ms(60)), Err(Outgoing::Done(Some(3))));
    assert_eq!(next(&mut stream, ms(80)), Err(Outgoing::Idle));
}

#[test]
fn after_a_silence_the_timestamp_has_followed_the_clock_and_the_marker_is_set() {
    let mut stream = connected();
    let base = u32::MAX - 100;
    stream.play(ms(0), None, vec![clip(1, 1)], false);
    assert!(next(&mut stream, ms(0)).is_ok());
    assert_eq!(next(&mut stream, ms(20)), Err(Outgoing::Done(None)));
    stream.play(ms(1_000), None, vec![clip(2, 1)], false);
    assert_eq!(
        next(&mut stream, ms(1_000)),
        Ok((true, 65_535, base.wrapping_add(8_000), 2))
    );
}

#[test]
fn a_new_prompt_is_due_at_once_until_the_lead_is_used_up() {
    let mut stream = connected();
    let base = u32::MAX - 100;
    // A caller who presses a key every millisecond.
    let mut expected = base;
    for at in 0..9 {
        let due = stream.play(ms(at), None, vec![clip(1, 50)], false);
        assert_eq!(due, ms(at), "{at}");
        let sequence = 65_534u16.wrapping_add(at as u16);
        assert_eq!(next(&mut stream, due), Ok((true, sequence, expected, 1)));
        expected = expected.wrapping_add(160);
    }
    // 180 ms were sent by 9 ms: 11 ms more than may run ahead.
    assert_eq!(stream.play(ms(9), None, vec![clip(1, 50)], false), ms(20));
}

#[test]
fn repeating_goes_on_and_an_empty_prompt_ends_at_once() {
    let mut stream = connected();
    stream.play(ms(0), Some(1), vec![clip(1, 1), clip(2, 1)], true);
    let heard: Vec<u8> = (0..5)
        .map(|step| next(&mut stream, ms(step * 20)).expect("sound").3)
        .collect();
    assert_eq!(heard, [1, 2, 1, 2, 1]);
    assert!(stream.stop());
    assert!(!stream.stop());
    assert_eq!(next(&mut stream, ms(100)), Err(Outgoing::Idle));
    for clips in [vec![], vec![clip(0, 0)]] {
        stream.play(ms(100), Some(2), clips, true);
        assert_eq!(next(&mut stream, ms(100)), Err(Outgoing::Done(Some(2))));
    }
}

#[test]
fn on_hold_the_prompt_waits() {
    let mut stream = Stream::new(5, 0, 0);
    stream.play(ms(0), Some(1), vec![clip(1, 1), clip(2, 1)], false);
    assert_eq!(
        next(&mut stream, ms(0)),
        Err(Outgoing::Held),
        "not connected"
    );
    stream.connect(remote(Codec::Pcmu, Direction::SendRecv), HERE);
    assert_eq!(next(&mut stream, ms(20)), Ok((true, 0, 160, 1)));
    let mut hold = remote(Codec::Pcmu, Direction::RecvOnly);
    hold.addr = ([0, 0, 0, 0], 4_000).into();
    stream.connect(hold, HERE);
    assert_eq!(next(&mut stream, ms(40)), Err(Outgoing::Held));
    stream.connect(remote(Codec::Pcma, Direction::SendRecv), HERE);
    let expected = Codec::Pcmu.convert(Codec::Pcma, 2);
    assert_eq!(next(&mut stream, ms(1_000)), Ok((true, 1, 8_000, expected)));
}

#[test]
fn packets_go_to_where_packets_come_from() {
    let mut stream = connected();
    let mut out = [0; PACKET_BYTES];
    let nat: SocketAddr = ([198, 51, 100, 1], 999).into();
    stream.play(ms(0), None, vec![clip(1, 9)], false);
    assert_eq!(
        stream.next_packet(ms(0), &mut out),
        Outgoing::Packet(REMOTE.into())
    );
    let datagram = datagram(0, false, &[0; 160]);
    assert!(matches!(
        stream.receive(ms(1), nat, &datagram),
        Incoming::Audio {
            codec: Codec::Pcmu,
            ..
        }
    ));
    assert_eq!(stream.next_packet(ms(20), &mut out), Outgoing::Packet(nat));
    assert_eq!(stream.heard_at(), Some(ms(1)));
}

#[test]
fn a_key_of_a_source_that_is_not_locked_is_nobody_s() {
    let mut stream = connected();
    let nat: SocketAddr = ([198, 51, 100, 1], 999).into();
    let mut keys = |source: SocketAddr, key| {
        let press = KeyPress::new(key, 80).expect("a key");
        let told = press.map(|report| {
            let datagram = datagram(101, report.marker, &report.event.to_bytes());
            let told = stream.receive(ms(0), source, &datagram);
            matches!(told, Incoming::Key { .. })
        });
        let told: Vec<bool> = told.collect();
        told
    };
    // Heard for 100 ms first, or long enough a key: behind a NAT none is lost.
    let told = keys(nat, '1');
    assert!(told.len() > 5, "{told:?}");
    assert_eq!(told.iter().position(|told| *told), Some(4), "{told:?}");
    // The peer itself is there after all, and is locked at once.
    assert!(keys(REMOTE.into(), '2')[0]);
    assert!(!keys(nat, '3').contains(&true));
}

#[test]
fn every_datagram_is_told_apart() {
    let mut stream = connected();
    let mut receive = |bytes: &[u8]| match stream.receive(ms(0), REMOTE.into(), bytes) {
        Incoming::Audio { codec, .. } => format!("audio {codec:?}"),
        Incoming::Key { key, .. } => format!("key {key}"),
        Incoming::Event(_) => "event".to_owned(),
        other => format!("{other:?}"),
    };
    assert_eq!(receive(&datagram(0, false, &[0; 160])), "audio Pcmu");
    assert_eq!(receive(&datagram(8, false, &[0; 160])), "audio Pcma");
    assert_eq!(receive(&datagram(18, false, &[0; 20])), "UnknownType(18)");
    assert_eq!(receive(&datagram(101, false, &[0; 3])), "Malformed");
    assert_eq!(receive(&datagram(101, false, &[70, 0, 0, 0])), "event");
    assert_eq!(receive(&[0x80, 200, 0, 6, 0, 0, 0, 0]), "Malformed");
    assert_eq!(
        receive(&[[0x80, 200, 0, 6].as_slice(), &[0; 24]].concat()),
        "Rtcp"
    );
    assert_eq!(
        receive(b"\x00\x01\x00\x00\x21\x12\xa4\x42stun........"),
        "Malformed"
    );
    let press = KeyPress::new('9', 60).expect("a key");
    let told: Vec<String> = press
        .map(|report| receive(&datagram(101, report.marker, &report.event.to_bytes())))
        .collect();
    assert_eq!(told, ["key 9", "event", "event", "event", "event"]);
    assert_eq!(
        Stream::new(1, 1, 1).receive(ms(0), REMOTE.into(), &datagram(0, false, &[])),
        Incoming::Early
    );
}

fn datagram(payload_type: u8, marker: bool, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Packet {
        marker,
        payload_type,
        sequence: 1,
        timestamp: 1,
        ssrc: 9,
        payload: &[],
    }
    .header()
    .to_vec();
    bytes.extend_from_slice(payload);
    bytes
}

proptest! {
    #[test]
    fn no_datagram_panics(datagrams in prop::collection::vec(
        (any::<u64>(), any::<u16>(), prop::collection::vec(any::<u8>(), 0..40)), 0..20)) {
        let mut stream = connected();
        for (at, port, mut bytes) in datagrams {
            if let Some(first) = bytes.first_mut() {
                *first = 0x80 | (*first & 0x3f);
            }
            stream.receive(Duration::from_micros(at), ([192, 0, 2, 1], port).into(), &bytes);
        }
    }

    /// Whatever is played and stopped when: sequence numbers have no hole, timestamps never run back and
    /// never run ahead of the clock by more than the allowed lead and one frame.
    #[test]
    fn sequence_and_timestamp_hold(steps in prop::collection::vec((0u64..200, 0usize..4, any::<bool>()), 1..60)) {
        let mut stream = Stream::new(5, 0, 0);
        stream.connect(remote(Codec::Pcmu, Direction::SendRecv), HERE);
        let (mut now, mut sequence, mut end) = (ms(0), 0u16, 0u64);
        for (pause, frames, stop) in steps {
            now += ms(pause);
            now = stream.play(now, None, vec![clip(1, frames)], false);
            for _ in 0..=frames {
                if let Ok((_, number, timestamp, _)) = next(&mut stream, now) {
                    prop_assert_eq!(number, sequence);
                    sequence = sequence.wrapping_add(1);
                    prop_assert!(u64::from(timestamp) >= end);
                    end = u64::from(timestamp) + FRAME_SAMPLES as u64;
                    prop_assert!(samples_to_time(end) <= now + MAX_LEAD + FRAME);
                    now += FRAME;
                }
                if stop {
                    stream.stop();
                }
            }
        }
    }
}
