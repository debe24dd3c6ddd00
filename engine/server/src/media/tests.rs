//! The media side against a telephone on the loopback: real sockets and real time, no fixed sleeps.

mod peer;
mod prompts;
mod recordings;

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::sync::mpsc::{self, Receiver};

use super::*;
use peer::Peer;

/// Longer than anything here takes on a loaded machine; only a hang reaches it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Where the signalling comes from.
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// A stream and the telephone it is connected to.
struct Call {
    media: Media,
    stream: Stream,
    events: Receiver<MediaEvent>,
    peer: Peer,
}

impl Call {
    fn new() -> Call {
        Call::with(config(), 64)
    }

    fn with(config: MediaConfig, queue: usize) -> Call {
        let media = Media::start(config).expect("media threads");
        let (sender, events) = mpsc::channel(queue);
        let stream = media.open(sender).expect("a port");
        let peer = Peer::new(stream.local_addr());
        stream
            .connect(peer.remote(Direction::SendRecv), HERE)
            .expect("connected");
        Call {
            media,
            stream,
            events,
            peer,
        }
    }

    async fn event(&mut self) -> MediaEvent {
        event(&mut self.events).await
    }

    /// The next event that is not `FirstPacket`.
    async fn event_after_first(&mut self) -> MediaEvent {
        match self.event().await {
            MediaEvent::FirstPacket => self.event().await,
            other => other,
        }
    }

    /// Waits until the counters satisfy a condition.
    fn counted(&self, condition: impl Fn(&MediaStats) -> bool) {
        let start = Instant::now();
        while !condition(&self.media.stats()) {
            assert!(start.elapsed() < PATIENCE, "{:?}", self.media.stats());
            std::thread::yield_now();
        }
    }
}

async fn event(events: &mut Receiver<MediaEvent>) -> MediaEvent {
    let event = tokio::time::timeout(PATIENCE, events.recv()).await;
    event.expect("an event in time").expect("an open channel")
}

fn config() -> MediaConfig {
    MediaConfig {
        bind: Ipv4Addr::LOCALHOST.into(),
        ports: 31_100..=31_998,
        nice: 0,
        ..MediaConfig::default()
    }
}

/// An odd port after which the next and the next but two are free, even when other runs of these tests take theirs.
fn free_ports() -> u16 {
    let first = 20_001 + (std::process::id() % 1_200) as u16 * 8;
    let is_free = |port| std::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
    (first..31_000)
        .step_by(8)
        .find(|base| is_free(base + 1) && is_free(base + 3))
        .expect("two free ports")
}

#[tokio::test]
async fn ports_are_refused_when_they_run_out_and_come_back() {
    let base = free_ports();
    let media = Media::start(MediaConfig {
        ports: base..=base + 4,
        ..config()
    })
    .expect("media threads");
    let open = || media.open(mpsc::channel(8).0);
    let (first, second) = (open().expect("a port"), open().expect("a port"));
    // Which of them comes first is drawn by lot.
    let mut ports = [first.local_addr().port(), second.local_addr().port()];
    ports.sort_unstable();
    assert_eq!(ports, [base + 1, base + 3]);
    let refusal = open().expect_err("no port is left");
    assert!(matches!(
        refusal,
        MediaError::PortsExhausted {
            first,
            last,
            count: 2
        } if (first, last) == (base, base + 4)
    ));
    assert_eq!(
        (media.stats().ports_in_use, media.stats().ports_refused),
        (2, 1)
    );
    let (sender, mut events) = mpsc::channel(8);
    drop(first);
    let start = Instant::now();
    let third = loop {
        match media.open(sender.clone()) {
            Ok(stream) => break stream,
            Err(_) => assert!(start.elapsed() < PATIENCE),
        }
    };
    assert!(ports.contains(&third.local_addr().port()));
    third.close();
    assert_eq!(event(&mut events).await, MediaEvent::Closed);
}

#[tokio::test]
async fn settings_that_cannot_be_are_refused() {
    let fault = |config: MediaConfig| Media::start(config).expect_err("refused").to_string();
    assert!(
        fault(MediaConfig {
            threads: 0,
            ..config()
        })
        .contains("set 1 to 64")
    );
    assert!(
        fault(MediaConfig {
            ports: 7..=7,
            ..config()
        })
        .contains("no even port in 7-7")
    );
    assert!(
        fault(MediaConfig {
            advertised: Ipv4Addr::UNSPECIFIED.into(),
            ..config()
        })
        .contains("0.0.0.0")
    );
    let six = std::net::Ipv6Addr::LOCALHOST.into();
    assert!(
        fault(MediaConfig {
            advertised: six,
            ..config()
        })
        .contains("one IP version")
    );
    let call = Call::new();
    let mut remote = call.peer.remote(Direction::SendRecv);
    remote.addr = SocketAddr::new(six, 9);
    let refusal = call
        .stream
        .connect(remote, HERE)
        .expect_err("another IP version");
    assert!(matches!(refusal, MediaError::AddressFamily { .. }));
}

#[tokio::test]
async fn hostile_datagrams_are_counted_and_harm_nobody() {
    let mut call = Call::new();
    call.peer.datagram(b"");
    call.peer.datagram(b"hello");
    call.peer.datagram(&[0xbf; 60_000]);
    call.peer
        .datagram(&[0x80, 200, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0]);
    call.peer.packet(77, false, 0, &[0; 10]);
    // A packet is counted as such first, and as what it is afterwards.
    call.counted(|stats| {
        let kinds = (stats.malformed, stats.rtcp, stats.unexpected);
        stats.packets_in == 5 && kinds == (3, 1, 1)
    });
    call.peer.voice(0x11, 1);
    assert_eq!(call.event().await, MediaEvent::FirstPacket);
    Peer::new(call.stream.local_addr()).voice(0x11, 1);
    call.peer.voice(0x11, 1);
    call.counted(|stats| stats.packets_in == 8 && stats.foreign == 1);
}

#[tokio::test]
async fn silence_of_a_caller_who_was_heard_is_told_and_not_on_hold() {
    let silent_after = Some(Duration::from_millis(300));
    let config = MediaConfig {
        silent_after,
        ..config()
    };
    let never_heard = Call::with(config.clone(), 64);
    let mut call = Call::with(config, 64);
    call.peer.voice(0x11, 1);
    assert_eq!(call.event().await, MediaEvent::FirstPacket);
    assert_eq!(call.event().await, MediaEvent::Silent);
    assert_eq!(call.event().await, MediaEvent::Silent, "it goes on");
    for hold in [Direction::Inactive, Direction::RecvOnly] {
        call.stream
            .connect(call.peer.remote(hold), HERE)
            .expect("connected");
        // What was told before the hold.
        while call.events.try_recv().is_ok() {}
        let told = tokio::time::timeout(Duration::from_millis(2_500), call.events.recv()).await;
        assert!(told.is_err(), "on hold: {told:?}");
    }
    call.stream
        .connect(call.peer.remote(Direction::SendRecv), HERE)
        .expect("connected");
    assert_eq!(call.event().await, MediaEvent::Silent);
    let Call { mut events, .. } = never_heard;
    let mut told = std::iter::from_fn(|| events.try_recv().ok());
    assert!(!told.any(|event| event == MediaEvent::Silent));
}

#[tokio::test]
async fn a_reader_that_lags_loses_digits_but_no_ends() {
    let mut call = Call::with(config(), 1);
    call.peer.voice(0x11, 1);
    call.counted(|stats| stats.packets_in == 1);
    call.peer.press('1');
    call.counted(|stats| stats.events_dropped == 1);
    call.stream
        .connect(call.peer.remote(Direction::SendRecv), HERE)
        .expect("connected");
    call.stream.play(7, vec![], false).expect("queued");
    assert_eq!(call.event().await, MediaEvent::FirstPacket);
    assert_eq!(call.event().await, MediaEvent::PlayDone { play: 7 });
}

#[tokio::test]
async fn a_thread_serves_many_calls_on_several_threads() {
    let media = Media::start(MediaConfig {
        threads: 2,
        ..config()
    })
    .expect("media threads");
    let clip = Arc::new(Clip::silence(strowger_voice::g711::Codec::Pcmu, 200));
    let mut calls = Vec::new();
    for play in 0..20 {
        let (sender, events) = mpsc::channel(64);
        let stream = media.open(sender).expect("a port");
        let peer = Peer::new(stream.local_addr());
        stream
            .connect(peer.remote(Direction::SendRecv), HERE)
            .expect("connected");
        stream
            .play(play, vec![clip.clone()], false)
            .expect("queued");
        calls.push((play, stream, events, peer));
    }
    for (play, _, events, peer) in &mut calls {
        assert_eq!(event(events).await, MediaEvent::PlayDone { play: *play });
        assert_eq!(peer.pending(), 10);
    }
    assert_eq!(media.stats().streams, 20);
    assert_eq!(media.stats().packets_out, 200);
    for (left, (_, stream, mut events, _)) in (0..20).rev().zip(calls) {
        stream.close();
        assert_eq!(event(&mut events).await, MediaEvent::Closed);
        let stats = media.stats();
        assert_eq!((stats.streams, stats.ports_in_use), (left, left));
    }
}
