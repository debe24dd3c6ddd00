//! Somebody who is called: SIPp signals, a thread of ours hears, speaks and takes keys.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use strowger_voice::clip::Clip;
use strowger_voice::dtmf::{Received, Receiver};
use strowger_voice::g711::Codec;
use strowger_voice::rtp::{HEADER_BYTES, Packet};
use strowger_voice::{FRAME_MS, FRAME_SAMPLES};
use tempfile::TempDir;

use crate::audio::Ear;
use crate::phone::{scenarios, sipp_port};
use crate::program::Program;

/// Payload type of telephone-event in the engine's offers and the scenarios' answers.
const DTMF: u8 = 101;
/// The source of everything that a supplier sends.
const SSRC: u32 = 0x0b0e_ea15;
/// Longest time without a packet before the clock is looked at again.
const PATIENCE: Duration = Duration::from_millis(5);

/// A SIP address where one call is taken, with its audio here.
pub struct Supplier {
    /// Where it is called.
    pub address: SocketAddr,
    sipp: Program,
    talk: Arc<Mutex<Talk>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    cues: u32,
    folder: TempDir,
}

/// What was heard, and what is to be said.
#[derive(Default)]
struct Talk {
    ear: Ear,
    laws: Vec<u8>,
    keys: String,
    engine: Option<SocketAddr>,
    saying: VecDeque<Vec<u8>>,
    codec: Option<Codec>,
}

impl Supplier {
    /// Waits for a call; `scenario` is a file of `calls/sipp`, `keys` are values for its `[name]` fields.
    pub fn wait(scenario: &str, keys: &[(&str, &str)]) -> Result<Supplier> {
        let folder = TempDir::new()?;
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.set_read_timeout(Some(PATIENCE))?;
        let rtp = socket.local_addr()?.port().to_string();
        let port = sipp_port()?;
        // SIPp takes no keys in a status line and in a pause, so they are put in before.
        let mut text = std::fs::read_to_string(scenarios().join(format!("{scenario}.xml")))
            .context("a scenario")?;
        let usual = [
            ("ringing", "300"),
            ("laws", "0 8 101"),
            ("rtp", rtp.as_str()),
        ];
        for (name, value) in keys.iter().chain(&usual) {
            text = text.replace(&format!("[{name}]"), value);
        }
        let file = folder.path().join("scenario.xml");
        std::fs::write(&file, text)?;
        let mut command = Command::new("sipp");
        command
            .current_dir(folder.path())
            .arg("-sf")
            .arg(&file)
            .args(["-i", "127.0.0.1", "-p", &port.to_string()])
            .args(["-mi", "127.0.0.1", "-mp", &sipp_port()?.to_string()])
            .args(["-m", "1", "-nostdin", "-t", "u1"])
            .args(["-timeout", "120", "-timeout_error"])
            .args(["-trace_err", "-error_file", "errors"])
            .args(["-trace_msg", "-message_file", "messages"]);
        let mut sipp = Program::start(command, "sipp", folder.path().join("log"))?;
        let listening = || UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_err();
        sipp.wait_until("socket", Duration::from_secs(10), listening)?;
        let talk = Arc::new(Mutex::new(Talk::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let thread = {
            let (talk, stop) = (talk.clone(), stop.clone());
            std::thread::spawn(move || run(&socket, &talk, &stop))
        };
        Ok(Supplier {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            sipp,
            talk,
            stop,
            thread: Some(thread),
            cues: 0,
            folder,
        })
    }

    /// Waits until a clip was heard whole, byte for byte; `meanwhile` is done again and again.
    pub fn hear(&self, clip: &Clip, limit: Duration, mut meanwhile: impl FnMut()) -> Result<()> {
        let end = Instant::now() + limit;
        while !self.talk().ear.hears(clip) {
            if Instant::now() > end {
                let talk = self.talk();
                bail!(
                    "the supplier heard {} frames; of the {} expected at most {} came in a row\n{}",
                    talk.ear.len(),
                    clip.len(),
                    talk.ear.nearest(clip),
                    self.complaint()
                );
            }
            meanwhile();
        }
        Ok(())
    }

    /// Whether the first that was ever heard is this clip, whole.
    pub fn heard_first(&self, clip: &Clip) -> bool {
        self.talk().ear.begins_with(clip)
    }

    /// How many packets came in.
    pub fn packets(&self) -> usize {
        self.talk().ear.len()
    }

    /// Payload types of the audio that came in, each once.
    pub fn laws(&self) -> Vec<u8> {
        self.talk().laws.clone()
    }

    /// The keys that came in as telephone events.
    pub fn keys(&self) -> String {
        self.talk().keys.clone()
    }

    /// Says a clip, to where the engine's offer wants its audio.
    pub fn say(&self, clip: &Clip) -> Result<()> {
        let messages = self.messages();
        let port = messages
            .lines()
            .find_map(|line| line.strip_prefix("m=audio "))
            .and_then(|rest| rest.split(' ').next()?.parse::<u16>().ok())
            .context("no offer yet")?;
        let frames = (0..clip.len()).filter_map(|index| clip.frame(index));
        let mut talk = self.talk();
        talk.engine = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
        talk.codec = Some(clip.codec());
        talk.saying.extend(frames.map(|frame| frame.to_vec()));
        Ok(())
    }

    /// Every SIP message of the call so far.
    pub fn messages(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("messages")).unwrap_or_default()
    }

    /// Waits until a SIP message holds this text; `meanwhile` is done again and again.
    pub fn until(&self, text: &str, limit: Duration, mut meanwhile: impl FnMut()) -> Result<()> {
        let end = Instant::now() + limit;
        while !self.messages().contains(text) {
            if Instant::now() > end {
                bail!(
                    "no `{text}` came:\n{}\n{}",
                    self.messages(),
                    self.complaint()
                );
            }
            meanwhile();
        }
        Ok(())
    }

    /// Lets the scenario go on: answer, hold, hang up, or whatever it does next.
    pub fn cue(&mut self) -> Result<()> {
        self.cues += 1;
        let messages = self.messages();
        let call_id = messages
            .lines()
            .find_map(|line| line.strip_prefix("Call-ID: "))
            .context("no call yet")?;
        let message = format!(
            "MESSAGE sip:cue@{0} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK-{1}\r\n\
             From: <sip:test@127.0.0.1>;tag=t\r\nTo: <sip:cue@{0}>\r\nCall-ID: {2}\r\nCSeq: {1} MESSAGE\r\n\
             Content-Length: 0\r\n\r\n",
            self.address,
            self.cues,
            call_id.trim()
        );
        UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.send_to(message.as_bytes(), self.address)?;
        Ok(())
    }

    /// Waits for the end of the call; an unexpected message or a missing one is an error.
    pub fn ended(&mut self) -> Result<()> {
        match self.sipp.wait(Duration::from_secs(40))? {
            0 => Ok(()),
            code => bail!(
                "SIPp says {code}:\n{}\n{}",
                self.complaint(),
                self.messages()
            ),
        }
    }

    fn complaint(&self) -> String {
        let errors = std::fs::read_to_string(self.folder.path().join("errors"));
        errors.unwrap_or_default()
    }

    fn talk(&self) -> std::sync::MutexGuard<'_, Talk> {
        self.talk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Supplier {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Hears and speaks until told to stop.
fn run(socket: &UdpSocket, talk: &Mutex<Talk>, stop: &AtomicBool) {
    let started = Instant::now();
    let mut receiver = Receiver::default();
    let mut buffer = [0; 2_048];
    let (mut sequence, mut timestamp) = (7_000u16, 90_000u32);
    let mut due = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        let received = socket.recv_from(&mut buffer);
        let mut talk = talk.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok((length, source)) = received
            && let Ok(packet) = Packet::parse(&buffer[..length])
        {
            talk.engine = Some(source);
            if packet.payload_type == DTMF {
                if let Received::Pressed(key) = receiver.receive(started.elapsed(), &packet) {
                    talk.keys.push(key);
                }
            } else {
                if !talk.laws.contains(&packet.payload_type) {
                    talk.laws.push(packet.payload_type);
                }
                talk.ear.take(packet.payload);
            }
        }
        let now = Instant::now();
        if now < due {
            continue;
        }
        let (Some(engine), Some(codec), Some(frame)) =
            (talk.engine, talk.codec, talk.saying.pop_front())
        else {
            due = now;
            // A pause takes time too.
            timestamp = timestamp.max(90_000 + started.elapsed().as_millis() as u32 * 8);
            continue;
        };
        let packet = Packet {
            marker: false,
            payload_type: codec.payload_type(),
            sequence,
            timestamp,
            ssrc: SSRC,
            payload: &frame,
        };
        let mut datagram = [0; HEADER_BYTES + FRAME_SAMPLES];
        if packet.write(&mut datagram).is_some() {
            let _ = socket.send_to(&datagram, engine);
        }
        sequence = sequence.wrapping_add(1);
        timestamp = timestamp.wrapping_add(FRAME_SAMPLES as u32);
        due += Duration::from_millis(FRAME_MS.into());
    }
}
