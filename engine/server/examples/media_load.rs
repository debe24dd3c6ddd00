//! What one media thread costs: calls that play and hear at once, and the time from a key to the next prompt.
//!
//! `cargo run --example media_load -- [CALLS] [SECONDS] [both|out|in]` prints one line of JSON. CPU is that of
//! the media threads alone; on the loopback it includes the kernel's delivery to the caller's socket.

use std::net::{Ipv4Addr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use strowger_server::media::{Direction, Media, MediaConfig, MediaEvent, Remote, Stream};
use strowger_voice::clip::Clip;
use strowger_voice::dtmf::KeyPress;
use strowger_voice::g711::Codec;
use strowger_voice::rtp::Packet;
use tokio::sync::mpsc;

struct Caller {
    socket: UdpSocket,
    sequence: u16,
    got: u64,
    stream: Stream,
    _events: mpsc::Receiver<MediaEvent>,
}

fn remote(socket: &UdpSocket) -> Remote {
    Remote {
        addr: socket.local_addr().expect("bound"),
        codec: Codec::Pcmu,
        payload_type: 0,
        dtmf_pt: Some(101),
        direction: Direction::SendRecv,
    }
}

fn caller(media: &Media) -> Caller {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket.set_nonblocking(true).expect("set");
    let (sender, events) = mpsc::channel(64);
    let stream = media.open(sender).expect("a stream");
    socket.connect(stream.local_addr()).expect("connected");
    stream
        .connect(remote(&socket), Ipv4Addr::LOCALHOST.into())
        .expect("queued");
    Caller {
        socket,
        sequence: 0,
        got: 0,
        stream,
        _events: events,
    }
}

impl Caller {
    fn send(&mut self, payload_type: u8, marker: bool, timestamp: u32, payload: &[u8]) {
        let packet = Packet {
            marker,
            payload_type,
            sequence: self.sequence,
            timestamp,
            ssrc: 7,
            payload,
        };
        let mut bytes = [0; 172];
        let length = packet.write(&mut bytes).expect("room");
        self.sequence = self.sequence.wrapping_add(1);
        let _ = self.socket.send(&bytes[..length]);
    }

    fn drain(&mut self) {
        let mut bytes = [0; 400];
        while self.socket.recv(&mut bytes).is_ok() {
            self.got += 1;
        }
    }
}

/// Nanoseconds on a processor of all threads whose name begins so.
fn cpu(name: &str) -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").expect("Linux");
    tasks
        .flatten()
        .filter(|task| {
            std::fs::read_to_string(task.path().join("comm"))
                .is_ok_and(|comm| comm.starts_with(name))
        })
        .filter_map(|task| std::fs::read_to_string(task.path().join("schedstat")).ok())
        .filter_map(|stat| stat.split(' ').next()?.parse::<u64>().ok())
        .sum()
}

fn main() {
    let argument = |index: usize| std::env::args().nth(index);
    let calls: usize = argument(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(500);
    let seconds: u64 = argument(2).and_then(|text| text.parse().ok()).unwrap_or(5);
    let mode = argument(3).unwrap_or_else(|| "both".to_owned());
    let media = Media::start(MediaConfig {
        bind: Ipv4Addr::LOCALHOST.into(),
        ports: 20_000..=29_998,
        ..MediaConfig::default()
    })
    .expect("media");
    let long = Arc::new(Clip::new(Codec::Pcmu, &vec![0x55; 8_000 * 60]));
    let mut callers: Vec<Caller> = (0..calls).map(|_| caller(&media)).collect();
    if mode != "in" {
        for caller in &callers {
            caller
                .stream
                .play(1, vec![long.clone()], true)
                .expect("queued");
            std::thread::sleep(Duration::from_micros(20_000 / calls.max(1) as u64));
        }
    }
    let running = Arc::new(AtomicBool::new(true));
    let generator = {
        let (running, uplink) = (running.clone(), mode != "out");
        std::thread::Builder::new()
            .name("gen".into())
            .spawn(move || {
                let start = Instant::now();
                let mut tick = 0u64;
                while running.load(Ordering::Relaxed) {
                    let now = start.elapsed().as_millis() as u64;
                    while tick <= now {
                        for index in (tick as usize % 20..callers.len()).step_by(20) {
                            if uplink {
                                callers[index].send(0, false, (tick * 8) as u32, &[0x55; 160]);
                            }
                            callers[index].drain();
                        }
                        tick += 1;
                    }
                    let next = Duration::from_millis(tick);
                    std::thread::sleep(next.saturating_sub(start.elapsed()));
                }
                callers
            })
            .expect("a thread")
    };
    // One more call presses keys.
    let menu = vec![Arc::new(Clip::new(Codec::Pcmu, &vec![0x22; 160 * 3]))];
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    socket
        .set_read_timeout(Some(Duration::from_secs(1)))
        .expect("set");
    let (sender, mut events) = mpsc::channel(64);
    let stream = media.open(sender).expect("a stream");
    socket.connect(stream.local_addr()).expect("connected");
    stream
        .connect(remote(&socket), Ipv4Addr::LOCALHOST.into())
        .expect("queued");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .build()
        .expect("tokio");
    stream.play(0, menu.clone(), false).expect("queued");
    runtime.spawn(async move {
        while let Some(event) = events.recv().await {
            if let MediaEvent::Digit { .. } = event {
                stream.play(0, menu.clone(), false).expect("queued");
            }
        }
    });
    std::thread::sleep(Duration::from_millis(500));
    let (cpu0, before, start) = (cpu("media-"), media.stats(), Instant::now());
    let mut latencies = Vec::new();
    let (mut presses, mut sequence) = (0u32, 0u16);
    let mut buffer = [0; 400];
    while start.elapsed() < Duration::from_secs(seconds) {
        presses += 1;
        let report = KeyPress::new('5', 80)
            .expect("a key")
            .next()
            .expect("a report");
        let payload = report.event.to_bytes();
        let packet = Packet {
            marker: true,
            payload_type: 101,
            sequence,
            timestamp: presses * 1_600,
            ssrc: 3,
            payload: &payload,
        };
        sequence = sequence.wrapping_add(1);
        let length = packet.write(&mut buffer).expect("room");
        let bytes = buffer;
        let pressed = Instant::now();
        socket.send(&bytes[..length]).expect("sent");
        while let Ok(length) = socket.recv(&mut buffer) {
            if Packet::parse(&buffer[..length]).is_ok_and(|packet| packet.marker) {
                latencies.push(pressed.elapsed());
                break;
            }
        }
        // Not in step with the 20 ms clock.
        let until =
            Instant::now() + Duration::from_micros(70_000 + u64::from(presses * 7_919 % 20_000));
        while Instant::now() < until {
            let _ = socket.set_read_timeout(Some(
                until
                    .saturating_duration_since(Instant::now())
                    .max(Duration::from_micros(100)),
            ));
            let _ = socket.recv(&mut buffer);
        }
        let _ = socket.set_read_timeout(Some(Duration::from_secs(1)));
    }
    let took = start.elapsed();
    let (cpu1, after) = (cpu("media-"), media.stats());
    running.store(false, Ordering::Relaxed);
    let callers = generator.join().expect("joined");
    let got: u64 = callers.iter().map(|caller| caller.got).sum();
    latencies.sort();
    let at = |share: f64| {
        latencies
            .get(((latencies.len() as f64 * share) as usize).min(latencies.len().saturating_sub(1)))
            .map_or(0.0, |time| time.as_secs_f64() * 1e3)
    };
    println!(
        "{{\"mode\":\"{mode}\",\"calls\":{calls},\"cpu_ms_per_call_s\":{:.3},\"in\":{},\"out\":{},\"got\":{got},\"us_per_packet\":{:.2},\"late_p99_us\":{:?},\"late_p999_us\":{:?},\"skipped\":{},\"presses\":{},\"key_ms\":[{:.2},{:.2},{:.2}]}}",
        (cpu1 - cpu0) as f64 / 1e6 / took.as_secs_f64() / calls as f64,
        after.packets_in - before.packets_in,
        after.packets_out - before.packets_out,
        (cpu1 - cpu0) as f64
            / 1e3
            / (after.packets_in - before.packets_in + after.packets_out - before.packets_out)
                as f64,
        after.lateness_quantile(0.99).map(|time| time.as_micros()),
        after.lateness_quantile(0.999).map(|time| time.as_micros()),
        after.ticks_skipped,
        latencies.len(),
        at(0.5),
        at(0.99),
        at(1.0),
    );
}
