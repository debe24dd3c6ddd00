use strowger_voice::g711::Codec;

use super::*;

fn clip(byte: u8, frames: usize) -> Vec<Arc<Clip>> {
    vec![Arc::new(Clip::new(Codec::Pcmu, &vec![byte; frames * 160]))]
}

#[tokio::test]
async fn a_prompt_is_heard_whole_and_its_end_is_told() {
    let mut call = Call::new();
    let two = [clip(0x10, 2), clip(0x20, 1)].concat();
    call.stream.play(5, two, false).expect("queued");
    let heard: Vec<_> = (0..3).map(|_| call.peer.hear()).collect();
    assert_eq!(call.event().await, MediaEvent::PlayDone { play: 5 });
    assert_eq!(
        heard.iter().map(|packet| packet.byte).collect::<Vec<_>>(),
        [0x10, 0x10, 0x20]
    );
    assert_eq!(
        heard.iter().map(|packet| packet.marker).collect::<Vec<_>>(),
        [true, false, false]
    );
    for pair in heard.windows(2) {
        assert_eq!(pair[1].sequence, pair[0].sequence.wrapping_add(1));
        assert_eq!(pair[1].timestamp, pair[0].timestamp.wrapping_add(160));
    }
    assert_eq!(call.peer.pending(), 0);
}

#[tokio::test]
async fn packets_keep_the_20_ms_clock() {
    let call = Call::new();
    // From before the first packet leaves: when it is heard says little on a loaded machine.
    let start = Instant::now();
    call.stream.play(1, clip(1, 50), false).expect("queued");
    for _ in 0..50 {
        call.peer.hear();
    }
    let took = start.elapsed();
    // Late by what a loaded machine does; early by no more than the phase within a millisecond.
    assert!(took >= Duration::from_millis(49 * 20 - 2), "{took:?}");
    call.counted(|stats| stats.lateness.iter().sum::<u64>() == 49);
}

#[tokio::test]
async fn a_key_is_told_at_its_first_packet_and_the_next_prompt_follows_at_once() {
    let mut call = Call::new();
    call.stream.play(1, clip(0x10, 500), false).expect("queued");
    call.peer.hear();
    let press = strowger_voice::dtmf::KeyPress::new('5', 80).expect("a key");
    let report = press.clone().next().expect("a first packet");
    call.peer.packet(101, true, 9_000, &report.event.to_bytes());
    assert!(matches!(
        call.event().await,
        MediaEvent::Digit { key: '5', .. }
    ));
    assert_eq!(call.event().await, MediaEvent::FirstPacket);
    call.stream.play(2, clip(0x20, 2), false).expect("queued");
    let next = call.peer.hear_past(0x10);
    assert!(next.marker);
    for report in press.skip(1) {
        call.peer
            .packet(101, report.marker, 9_000, &report.event.to_bytes());
    }
    // Neither the repetitions of the key nor the end of the replaced prompt are told.
    assert_eq!(call.event().await, MediaEvent::PlayDone { play: 2 });
}

#[tokio::test]
async fn a_stopped_prompt_is_silent_and_not_told() {
    let mut call = Call::new();
    call.stream.play(1, clip(1, 500), true).expect("queued");
    call.peer.hear();
    call.stream.stop().expect("queued");
    call.stream.play(2, clip(2, 1), false).expect("queued");
    assert_eq!(call.peer.hear_past(1).byte, 2);
    assert_eq!(call.event().await, MediaEvent::PlayDone { play: 2 });
    assert!(!call.peer.hears_within(Duration::from_millis(60)));
}

#[tokio::test]
async fn on_hold_nothing_is_sent_and_afterwards_the_prompt_goes_on() {
    let mut call = Call::new();
    call.stream
        .play(3, [clip(1, 10), clip(2, 10)].concat(), false)
        .expect("queued");
    call.peer.hear();
    call.stream
        .connect(call.peer.remote(Direction::RecvOnly), HERE)
        .expect("queued");
    while call.peer.hears_within(Duration::from_millis(100)) {}
    call.stream
        .connect(call.peer.remote(Direction::SendRecv), HERE)
        .expect("queued");
    let resumed = call.peer.hear();
    assert!(resumed.marker && resumed.byte == 1, "{resumed:?}");
    assert_eq!(call.peer.hear_past(1).byte, 2);
    assert_eq!(call.event().await, MediaEvent::PlayDone { play: 3 });
}

#[tokio::test]
async fn packets_follow_the_caller_behind_a_nat_and_a_new_address() {
    let mut call = Call::new();
    let mut behind_nat = Peer::new(call.stream.local_addr());
    behind_nat.voice(0x11, 1);
    assert_eq!(call.event().await, MediaEvent::FirstPacket);
    call.stream.play(1, clip(1, 500), false).expect("queued");
    behind_nat.hear();
    assert_eq!(call.peer.pending(), 0);
    let moved = Peer::new(call.stream.local_addr());
    call.stream
        .connect(moved.remote(Direction::SendRecv), HERE)
        .expect("queued");
    moved.hear();
}
