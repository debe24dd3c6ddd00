//! A telephone: SIPp signals, we hear and press.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use strowger_voice::clip::Clip;
use strowger_voice::dtmf::KeyPress;
use strowger_voice::g711::Codec;
use strowger_voice::rtp::{HEADER_BYTES, Packet};
use strowger_voice::{FRAME_MS, FRAME_SAMPLES};
use tempfile::TempDir;

use crate::audio::Ear;
use crate::program::{Program, free_port, repository};

/// Who calls, unless a key `from` says otherwise.
pub const CALLER: &str = "+8613800138000";
/// How long a key is down, in milliseconds.
const PRESS_MS: u32 = 80;
/// Silence between two keys.
const BETWEEN: Duration = Duration::from_millis(60);
/// Payload type of telephone-event in the scenarios' offers.
const DTMF: u8 = 101;
/// A telephone sends every 20 ms, all through a call. One packet in so long is enough to be there, and leaves
/// the machine to the engine.
const SIGN_OF_LIFE: Duration = Duration::from_secs(2);
/// Longest time without a packet before the clock is looked at again.
const PATIENCE: Duration = Duration::from_millis(10);
/// Longest wait for a call's end.
const ENDING: Duration = Duration::from_secs(40);

/// SIPp as many callers of a number at once, `a_second` of them beginning each second, who do after so many milliseconds what
/// the scenario says: in `many` they hang up, in `many-press` they press 1. `ports` is SIPp's first audio port, where that matters.
pub fn many(
    sip: SocketAddr,
    number: &str,
    scenario: &str,
    (calls, a_second): (usize, u32),
    pause_ms: u32,
    ports: Option<u16>,
) -> Result<Command> {
    let calls = calls.to_string();
    let mut command = Command::new("sipp");
    command
        .arg(sip.to_string())
        .arg("-sf")
        .arg(scenarios().join(format!("{scenario}.xml")))
        .args(["-s", number, "-i", "127.0.0.1", "-mi", "127.0.0.1"])
        .args(["-p", &free_port()?.to_string(), "-m", &calls, "-l", &calls])
        .args(["-r", &a_second.to_string(), "-d", &pause_ms.to_string()])
        .args(["-nostdin", "-t", "u1", "-timeout_error"]);
    if let Some(first) = ports {
        command.args(["-mp", &first.to_string()]);
    }
    Ok(command)
}

/// One call, placed by SIPp, with its audio here.
pub struct Phone {
    /// SIP's name of the call.
    pub call_id: String,
    /// What came in.
    pub ear: Ear,
    sipp: Program,
    control: SocketAddr,
    socket: UdpSocket,
    engine: Option<SocketAddr>,
    /// Its source, and where its numbers begin: chance, as RFC 3550 §5.1 asks.
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    /// The timestamp of its beginning.
    base: u32,
    cues: u32,
    /// When audio was sent last; none once the phone has fallen silent.
    sent: Option<Instant>,
    /// The beginning of its time.
    started: Instant,
    _folder: TempDir,
}

impl Phone {
    /// Calls a number; `scenario` is a file of `calls/sipp`, `keys` are values for its `[name]` fields.
    ///
    /// `[from]` is [`CALLER`] unless a key says otherwise, `[rtp]` is this phone's audio port, and so is `[held_port]` unless a key says otherwise.
    pub fn dial(
        sip: SocketAddr,
        number: &str,
        scenario: &str,
        keys: &[(&str, &str)],
    ) -> Result<Phone> {
        let folder = TempDir::new()?;
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let rtp = socket.local_addr()?.port();
        let port = sipp_port()?;
        let call_id = format!("{port}-{rtp}-{}", std::process::id());
        let mut command = Command::new("sipp");
        command
            .current_dir(folder.path())
            .arg(sip.to_string())
            .arg("-sf")
            .arg(scenarios().join(format!("{scenario}.xml")))
            .args([
                "-s",
                number,
                "-i",
                "127.0.0.1",
                "-p",
                &port.to_string(),
                "-mi",
                "127.0.0.1",
            ])
            .args([
                "-mp",
                &sipp_port()?.to_string(),
                "-m",
                "1",
                "-nostdin",
                "-t",
                transport(keys),
            ])
            .args(["-cid_str", &call_id, "-key", "rtp", &rtp.to_string()])
            .args([
                "-timeout",
                "120",
                "-timeout_error",
                "-trace_err",
                "-error_file",
                "errors",
            ]);
        if keys.iter().all(|(name, _)| *name != "held_port") {
            command.args(["-key", "held_port", &rtp.to_string()]);
        }
        if keys.iter().all(|(name, _)| *name != "from") {
            command.args(["-key", "from", CALLER]);
        }
        for (name, value) in keys.iter().filter(|(name, _)| *name != "transport") {
            command.args(["-key", name, value]);
        }
        let sipp = Program::start(command, "sipp", folder.path().join("log"))?;
        let control = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let (ssrc, base) = (rand::random(), rand::random());
        Ok(Phone {
            call_id,
            ear: Ear::default(),
            sipp,
            control,
            socket,
            engine: None,
            ssrc,
            sequence: rand::random(),
            timestamp: base,
            base,
            cues: 0,
            sent: Some(Instant::now()),
            started: Instant::now(),
            _folder: folder,
        })
    }

    /// Listens until a clip was heard whole, byte for byte.
    pub fn hear(&mut self, clip: &Clip, limit: Duration) -> Result<()> {
        let end = Instant::now() + limit;
        while !self.ear.hears(clip) {
            if Instant::now() > end {
                bail!(
                    "heard {} frames; of the {} frames expected at most {} came in a row\n{}",
                    self.ear.len(),
                    clip.len(),
                    self.ear.nearest(clip),
                    self.sipp.log()
                );
            }
            self.receive();
        }
        Ok(())
    }

    /// Listens until something is heard at all.
    pub fn first_sound(&mut self, limit: Duration) -> Result<()> {
        self.more_than(0, limit)
    }

    /// Listens until more than so many frames were heard since the beginning.
    pub fn more_than(&mut self, frames: usize, limit: Duration) -> Result<()> {
        let end = Instant::now() + limit;
        while self.ear.len() <= frames {
            if Instant::now() > end {
                bail!(
                    "no more than {} frames were heard within {limit:?}\n{}",
                    self.ear.len(),
                    self.sipp.log()
                );
            }
            self.receive();
        }
        Ok(())
    }

    /// Listens for a time.
    pub fn listen(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.receive();
        }
    }

    /// Listens until nothing has come in for a time.
    pub fn until_quiet(&mut self, quiet: Duration, limit: Duration) -> Result<()> {
        let end = Instant::now() + limit;
        let mut last = Instant::now();
        while last.elapsed() < quiet {
            if self.receive() {
                last = Instant::now();
            }
            if Instant::now() > end {
                bail!("it was never quiet for {quiet:?}");
            }
        }
        Ok(())
    }

    /// Presses keys by RFC 4733.
    pub fn press(&mut self, keys: &str) -> Result<()> {
        let engine = self
            .engine
            .context("nothing was heard yet, so there is nowhere to press to")?;
        for key in keys.chars() {
            let press =
                KeyPress::new(key, PRESS_MS).with_context(|| format!("`{key}` is no key"))?;
            let samples = press.samples();
            // No other audio within a key.
            self.sent = self.sent.map(|_| Instant::now());
            for report in press {
                let body = report.event.to_bytes();
                let packet = Packet {
                    marker: report.marker,
                    payload_type: DTMF,
                    sequence: self.sequence,
                    timestamp: self.timestamp,
                    ssrc: self.ssrc,
                    payload: &body,
                };
                let mut datagram = [0; HEADER_BYTES + 4];
                packet.write(&mut datagram).context("an event fits")?;
                self.socket.send_to(&datagram, engine)?;
                self.sequence = self.sequence.wrapping_add(1);
                self.listen(Duration::from_millis(FRAME_MS.into()));
            }
            self.timestamp = self.timestamp.wrapping_add(samples + 800);
            self.listen(BETWEEN);
        }
        Ok(())
    }

    /// Says a clip, frame by frame in its time, while it listens.
    pub fn say(&mut self, clip: &Clip) -> Result<()> {
        let engine = self
            .engine
            .context("nothing was heard yet, so there is nowhere to speak to")?;
        let mut due = Instant::now();
        self.catch_up();
        for frame in (0..clip.len()).filter_map(|index| clip.frame(index)) {
            self.sent = self.sent.map(|_| Instant::now());
            self.send(engine, clip.codec(), frame)?;
            due += Duration::from_millis(FRAME_MS.into());
            while Instant::now() < due {
                self.receive();
            }
        }
        Ok(())
    }

    /// Sends nothing any more, as if the network had gone.
    pub fn fall_silent(&mut self) {
        self.sent = None;
    }

    fn sign_of_life(&mut self) -> Result<()> {
        let (Some(engine), Some(sent)) = (self.engine, self.sent) else {
            return Ok(());
        };
        if sent.elapsed() < SIGN_OF_LIFE {
            return Ok(());
        }
        self.sends_silence(engine)
    }

    fn sends_silence(&mut self, engine: SocketAddr) -> Result<()> {
        self.sent = Some(Instant::now());
        self.catch_up();
        self.send(engine, Codec::Pcmu, &[Codec::Pcmu.silence(); FRAME_SAMPLES])
    }

    /// Lets somebody else press a key in this call: from another port, as an own stream of sound and events.
    pub fn strangers_key(&self, key: char) -> Result<()> {
        let engine = self.engine.context("nothing was heard yet")?;
        let stranger = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        let ssrc = rand::random();
        let mut sequence: u16 = rand::random();
        let mut send = |marker, payload_type, timestamp, payload: &[u8]| -> Result<()> {
            let packet = Packet {
                marker,
                payload_type,
                sequence,
                timestamp,
                ssrc,
                payload,
            };
            let mut datagram = [0; HEADER_BYTES + FRAME_SAMPLES];
            let length = packet.write(&mut datagram).context("a frame fits")?;
            stranger.send_to(&datagram[..length], engine)?;
            sequence = sequence.wrapping_add(1);
            Ok(())
        };
        for frame in 0..10 {
            let silence = [Codec::Pcmu.silence(); FRAME_SAMPLES];
            send(false, 0, frame * FRAME_SAMPLES as u32, &silence)?;
        }
        let press = KeyPress::new(key, PRESS_MS).with_context(|| format!("`{key}` is no key"))?;
        for report in press {
            send(report.marker, DTMF, 4_000, &report.event.to_bytes())?;
        }
        Ok(())
    }

    fn send(
        &mut self,
        engine: SocketAddr,
        codec: Codec,
        payload: &[u8; FRAME_SAMPLES],
    ) -> Result<()> {
        let packet = Packet {
            marker: false,
            payload_type: codec.payload_type(),
            sequence: self.sequence,
            timestamp: self.timestamp,
            ssrc: self.ssrc,
            payload,
        };
        let mut datagram = [0; HEADER_BYTES + FRAME_SAMPLES];
        packet.write(&mut datagram).context("a frame fits")?;
        self.socket.send_to(&datagram, engine)?;
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(FRAME_SAMPLES as u32);
        Ok(())
    }

    /// A pause takes time on the axis of the timestamps too.
    fn catch_up(&mut self) {
        let passed = self.started.elapsed().as_millis() as u32 * 8;
        let sent = self.timestamp.wrapping_sub(self.base);
        self.timestamp = self.base.wrapping_add(sent.max(passed));
    }

    /// Sends a datagram to the engine's audio port, whatever it is.
    pub fn send_raw(&mut self, datagram: &[u8]) -> Result<()> {
        let engine = self.engine.context("nothing was heard yet")?;
        self.socket.send_to(datagram, engine)?;
        Ok(())
    }

    /// Lets the scenario go on: hang up, hold, or whatever it does next.
    pub fn cue(&mut self) -> Result<()> {
        // Two alike would count as one and its retransmission.
        self.cues += 1;
        let message = format!(
            "MESSAGE sip:cue@{0} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK-{1}\r\n\
             From: <sip:test@127.0.0.1>;tag=t\r\nTo: <sip:cue@{0}>\r\nCall-ID: {2}\r\nCSeq: {1} MESSAGE\r\n\
             Content-Length: 0\r\n\r\n",
            self.control, self.cues, self.call_id
        );
        UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.send_to(message.as_bytes(), self.control)?;
        Ok(())
    }

    /// Waits for the end of the call; an unexpected message or a missing one is an error.
    pub fn ended(&mut self) -> Result<()> {
        let end = Instant::now() + ENDING;
        loop {
            self.receive();
            match self.sipp.wait(Duration::ZERO) {
                Ok(0) => return Ok(()),
                Ok(code) => bail!("SIPp says {code}:\n{}", self.complaint()),
                Err(_) if Instant::now() > end => {
                    bail!("the call did not end:\n{}", self.complaint())
                }
                Err(_) => {}
            }
        }
    }

    fn complaint(&self) -> String {
        let errors =
            std::fs::read_to_string(self._folder.path().join("errors")).unwrap_or_default();
        let log = self.sipp.log();
        let tail: Vec<&str> = log.lines().rev().take(60).collect();
        format!(
            "{errors}\n{}",
            tail.into_iter().rev().collect::<Vec<_>>().join("\n")
        )
    }

    /// Takes one packet if there is one.
    fn receive(&mut self) -> bool {
        // A packet that cannot be sent now is one of many.
        let _ = self.sign_of_life();
        let mut buffer = [0; 2_048];
        let Ok((length, source)) = self.socket.recv_from(&mut buffer) else {
            return false;
        };
        let Ok(packet) = Packet::parse(&buffer[..length]) else {
            return false;
        };
        let first = self.engine.replace(source).is_none();
        self.ear.take(packet.payload);
        if first && self.sent.is_some() {
            // A telephone sends from the beginning.
            let _ = self.sends_silence(source);
        }
        true
    }
}

/// Where the scenarios lie.
pub fn scenarios() -> std::path::PathBuf {
    Path::new(repository()).join("tests/calls/sipp")
}

/// A port for SIPp, which takes numbers and not sockets. Of its audio port it also binds the one after the
/// next, and it gives up when one is taken. So the ports come from above those that the system hands out by
/// itself, nobody gets them in between, and no number is given twice by one process.
pub(crate) fn sipp_port() -> Result<u16> {
    const FIRST: u32 = 61_000;
    const STEP: u32 = 4;
    const COUNT: u32 = 1_100;
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    for _ in 0..COUNT {
        let place = std::process::id()
            .wrapping_mul(16)
            .wrapping_add(GIVEN.fetch_add(1, Ordering::Relaxed));
        let port = u16::try_from(FIRST + place % COUNT * STEP).context("below 65,536")?;
        let is_free = |port| {
            UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
                && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
        };
        if (port..port + 4).all(is_free) {
            return Ok(port);
        }
    }
    bail!("no port is free for SIPp")
}

fn transport<'k>(keys: &[(&str, &'k str)]) -> &'k str {
    keys.iter()
        .find(|(name, _)| *name == "transport")
        .map_or("u1", |(_, value)| value)
}
