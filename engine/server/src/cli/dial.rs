//! `strowger dial`

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use strowger_voice::dtmf::KeyPress;
use strowger_voice::g711::Codec;
use strowger_voice::rtp::{HEADER_BYTES, Packet};
use strowger_voice::sdp::{Direction, Remote, Session};
use strowger_voice::{FRAME_MS, FRAME_SAMPLES, wav};
use tokio::net::UdpSocket;

use super::{FOUND, Failure, OK};
use crate::runtime::Act;
use crate::sip::{CallEvent, OutgoingCall, Sip, SipConfig, SipMeter};

/// A key is down for so long, in milliseconds: a short but common press.
const PRESS_MS: u32 = 100;
/// Sound is what is louder than this, of 32,768: above the noise floor, below any speech.
const LOUD: i16 = 400;
/// A SIP program answers an INVITE at once, if only with 100 Trying. In this time four copies of it have gone
/// unanswered (RFC 3261 §17.1.1.2).
const SIGN_OF_LIFE: Duration = Duration::from_secs(4);
/// Longest call, in seconds: a day. What is heard is kept in memory, 16 KB a second.
const MAX_CALL_S: u64 = 86_400;
/// Datagrams longer than this are not RTP audio.
const DATAGRAM: usize = 2_048;

/// Places a SIP call, presses keys like a person who waits for the prompt to end, and records what is heard.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strowger dial sip:100@127.0.0.1:5060
  strowger dial sip:100@127.0.0.1:5060 --keys \"2,1,20260302#,1\" --record heard.wav

In --keys, commas separate turns: keys to press, `silence` (or nothing) to let a turn pass, `hangup`. A turn
comes when the other side has spoken and then been silent for --patience.

Exit code: 0 the call was answered and ended, 1 it was refused or broke, 2 it could not be placed: a bad
argument, or nobody answers at that address within 4 seconds.")]
pub(super) struct Dial {
    /// Whom to call, such as sip:100@127.0.0.1:5060.
    target: String,
    /// What to do at each turn.
    #[arg(long, default_value = "")]
    keys: String,
    /// Silence that makes it the caller's turn, in milliseconds.
    #[arg(long, default_value_t = 1_300)]
    patience: u64,
    /// Our number.
    #[arg(long, default_value = "+8613800138000")]
    from: String,
    /// Our address: signalling and audio use free ports on it.
    #[arg(long, default_value = "127.0.0.1")]
    bind: IpAddr,
    /// Write what is heard into this WAV file.
    #[arg(long)]
    record: Option<PathBuf>,
    /// What becomes of a transfer that we are asked to make: the SIP status to report, such as 200 or 486.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(100..=699))]
    on_refer: u16,
    /// Longest call, in seconds, at most a day; then we hang up.
    #[arg(long, default_value_t = 180, value_parser = clap::value_parser!(u64).range(1..=MAX_CALL_S))]
    max: u64,
}

impl Dial {
    pub(super) async fn run(self) -> Result<u8, Failure> {
        let acts = Act::script(&self.keys).map_err(Failure::cannot)?;
        if self.from.is_empty() || self.from.contains(|c: char| !is_user(c)) {
            return Err(Failure::cannot(format!(
                "--from `{}` is no number: use digits, letters and + - . _",
                self.from.escape_debug()
            )));
        }
        // Before the call, which would be lost.
        if let Some(path) = &self.record {
            let file = std::fs::OpenOptions::new()
                .append(true)
                .create(true)
                .open(path);
            file.map_err(|e| unwritable(path, &e))?;
        }
        let unusable = |why: &str| {
            Failure::cannot(format!(
                "--bind {}: {why}; name one address of this machine that the other side can reach",
                self.bind
            ))
        };
        if self.bind.is_unspecified() {
            return Err(unusable("audio cannot be sent there"));
        }
        let socket = UdpSocket::bind((self.bind, 0))
            .await
            .map_err(|e| unusable(&e.to_string()))?;
        let local = socket.local_addr().map_err(Failure::cannot)?;
        let (sip, _incoming) = Sip::bind(SipConfig::new(SocketAddr::new(self.bind, 0)))
            .await
            .map_err(Failure::cannot)?;
        let mut session = Session::new(rand::random::<u32>().into(), local);
        let offer = session.offer(Direction::SendRecv).into_bytes();
        let from = format!("<sip:{}@{}>", self.from, sip.local_addr());
        let call = sip
            .call(&self.target, &from, offer)
            .await
            .map_err(Failure::cannot)?;
        tell!("call-id {}", call.call_id);
        let talk = Talk::new(
            socket,
            acts,
            Duration::from_millis(self.patience),
            self.record.is_some(),
        );
        let done = self.talk(talk, call, session, &sip.meter()).await;
        sip.shutdown().await;
        let (code, heard) = done?;
        if let Some(path) = &self.record {
            write_wav(path, &heard)?;
        }
        Ok(code)
    }

    async fn talk(
        &self,
        mut talk: Talk,
        mut call: OutgoingCall,
        mut session: Session,
        meter: &SipMeter,
    ) -> Result<(u8, Vec<u8>), Failure> {
        let somebody = || meter.read().responses > 0;
        let patience = tokio::time::Instant::now() + SIGN_OF_LIFE;
        let mut waiting = true;
        let end = tokio::time::Instant::now() + Duration::from_secs(self.max);
        let mut buffer = [0; DATAGRAM];
        let mut tick = tokio::time::interval(Duration::from_millis(FRAME_MS.into()));
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
        let code = loop {
            tokio::select! {
                event = call.events.recv() => match event {
                    Some(CallEvent::Answered { sdp }) => {
                        let remote = session.accept(&sdp).map_err(|e| Failure { code: FOUND, message: e.to_string() })?;
                        talk.remote = Some(remote);
                        talk.say("answered");
                        if remote.dtmf_pt.is_none() && talk.presses() {
                            talk.say("the answer has no telephone-event (RFC 4733): the other side hears no keys of ours");
                        }
                    }
                    Some(CallEvent::Ringing { .. }) => talk.say("rings"),
                    Some(CallEvent::Refused { .. }) if !somebody() => return Err(self.nobody()),
                    Some(CallEvent::Refused { status, reason }) => {
                        return Err(Failure { code: FOUND, message: format!("refused: {status} {reason}") });
                    }
                    Some(CallEvent::Reinvite { offer: Some(offer), reply }) => match session.answer(&offer) {
                        Ok(answered) => {
                            talk.remote = Some(answered.remote);
                            let _ = reply.answer(answered.sdp.into_bytes()).await;
                        }
                        Err(error) => {
                            let _ = reply.reject(error.status()).await;
                        }
                    },
                    Some(CallEvent::Refer { target, mut reply, .. }) => {
                        talk.say(&format!("is asked to call {target}: reports {}", self.on_refer));
                        let _ = reply.accept().await;
                        let _ = reply.notify(self.on_refer, "").await;
                    }
                    Some(CallEvent::Bye) => {
                        talk.say("the other side hung up");
                        break OK;
                    }
                    Some(CallEvent::Failed(why)) => return Err(Failure { code: FOUND, message: why }),
                    Some(_) => {}
                    None => break OK,
                },
                received = talk.socket.recv_from(&mut buffer) => {
                    // An ICMP refusal of an earlier packet is no reason to stop.
                    if let Ok((length, _)) = received {
                        talk.hear(&buffer[..length]);
                    }
                }
                _ = tick.tick(), if talk.remote.is_some() => {
                    if talk.tick().await == Turn::HangUp {
                        talk.say("hangs up");
                        let _ = call.call.hang_up().await;
                        break OK;
                    }
                }
                () = tokio::time::sleep_until(patience), if waiting => {
                    if !somebody() {
                        return Err(self.nobody());
                    }
                    waiting = false;
                }
                () = tokio::time::sleep_until(end) => {
                    talk.say("has had enough: --max is over");
                    let _ = call.call.hang_up().await;
                    break OK;
                }
            }
        };
        Ok((code, talk.heard))
    }

    fn nobody(&self) -> Failure {
        Failure::cannot(format!(
            "nobody answers at {}: is `strowger serve` running there, with this address and port in its line \
             `serving … on sip:…`? A firewall between may drop SIP too",
            self.target
        ))
    }
}

/// Whether the call goes on.
#[derive(Debug, PartialEq, Eq)]
enum Turn {
    Go,
    HangUp,
}

/// The caller's ear and fingers.
struct Talk {
    socket: UdpSocket,
    remote: Option<Remote>,
    acts: VecDeque<Act>,
    keys: VecDeque<char>,
    press: Option<(KeyPress, u32)>,
    patience: Duration,
    started: Instant,
    /// When the other side was last heard to speak; none until it does after our last turn.
    spoke: Option<Instant>,
    sequence: u16,
    timestamp: u32,
    ssrc: u32,
    keep: bool,
    heard: Vec<u8>,
    /// RTP timestamp of the first sample in `heard`.
    origin: Option<u32>,
}

impl Talk {
    fn new(socket: UdpSocket, acts: VecDeque<Act>, patience: Duration, keep: bool) -> Talk {
        Talk {
            socket,
            remote: None,
            acts,
            keys: VecDeque::new(),
            press: None,
            patience,
            started: Instant::now(),
            spoke: None,
            sequence: rand::random(),
            timestamp: rand::random(),
            ssrc: rand::random(),
            keep,
            heard: Vec::new(),
            origin: None,
        }
    }

    /// Whether keys are to be pressed.
    fn presses(&self) -> bool {
        self.acts.iter().any(|act| matches!(act, Act::Keys(_)))
    }

    fn say(&self, what: &str) {
        tell!("{:>6.2}s {what}", self.started.elapsed().as_secs_f64());
    }

    fn hear(&mut self, datagram: &[u8]) {
        let Some(remote) = &self.remote else { return };
        let Ok(packet) = Packet::parse(datagram) else {
            return;
        };
        if packet.payload_type != remote.payload_type {
            return;
        }
        let codec = remote.codec;
        if packet
            .payload
            .iter()
            .any(|byte| codec.decode(*byte).saturating_abs() > LOUD)
        {
            self.spoke = Some(Instant::now());
        }
        if self.keep {
            self.write(codec, &packet);
        }
    }

    /// Puts a packet's samples where its timestamp says; gaps are silence.
    fn write(&mut self, codec: Codec, packet: &Packet<'_>) {
        let origin = *self.origin.get_or_insert(packet.timestamp);
        let at = packet.timestamp.wrapping_sub(origin) as usize * 2;
        let longest = self.started.elapsed().as_secs() as usize * 16_000 + 160_000;
        if at > longest {
            return;
        }
        let mut samples = Vec::with_capacity(packet.payload.len() * 2);
        wav::append(codec, packet.payload, &mut samples);
        if self.heard.len() < at + samples.len() {
            self.heard.resize(at + samples.len(), 0);
        }
        self.heard[at..at + samples.len()].copy_from_slice(&samples);
    }

    /// Every 20 ms: one packet goes out, and when it is our turn something is done.
    async fn tick(&mut self) -> Turn {
        if self.press.is_none() {
            if let Some(key) = self.keys.pop_front() {
                self.press = KeyPress::new(key, PRESS_MS).map(|press| (press, self.timestamp));
            } else if self.spoke.is_some_and(|at| at.elapsed() >= self.patience) {
                self.spoke = None;
                match self.acts.pop_front() {
                    Some(Act::Keys(keys)) => {
                        self.say(&format!("presses {keys}"));
                        self.keys.extend(keys.chars());
                    }
                    Some(Act::Silence) => self.say("is silent"),
                    Some(Act::HangUp) => return Turn::HangUp,
                    None => {}
                }
            }
        }
        self.send().await;
        Turn::Go
    }

    async fn send(&mut self) {
        let Some(remote) = self.remote else { return };
        let silence = [remote.codec.silence(); FRAME_SAMPLES];
        let report = self
            .press
            .as_mut()
            .and_then(|(press, at)| Some((press.next()?, *at)));
        if self.press.is_some() && report.is_none() {
            self.press = None;
        }
        let body;
        let (payload_type, marker, timestamp, payload): (u8, bool, u32, &[u8]) =
            match (report, remote.dtmf_pt) {
                (Some((report, at)), Some(payload_type)) => {
                    body = report.event.to_bytes();
                    (payload_type, report.marker, at, &body)
                }
                _ => (remote.payload_type, false, self.timestamp, &silence),
            };
        let packet = Packet {
            marker,
            payload_type,
            sequence: self.sequence,
            timestamp,
            ssrc: self.ssrc,
            payload,
        };
        let mut datagram = [0; HEADER_BYTES + FRAME_SAMPLES];
        if remote.direction.sends()
            && let Some(length) = packet.write(&mut datagram)
        {
            let _ = self.socket.send_to(&datagram[..length], remote.addr).await;
        }
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(FRAME_SAMPLES as u32);
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::cannot(format!(
        "cannot write {}: {error}; name another file with --record",
        path.display()
    ))
}

/// What may stand in the user part of a SIP URI as it is (RFC 3261 §25.1, `unreserved` and `+`).
fn is_user(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "+-._~!*'()".contains(letter)
}

fn write_wav(path: &Path, samples: &[u8]) -> Result<(), Failure> {
    let size = u32::try_from(samples.len()).unwrap_or(u32::MAX);
    let file = [&wav::header(1, size)[..], samples].concat();
    std::fs::write(path, file).map_err(|e| unwritable(path, &e))?;
    tell!(
        "heard {:.1} s, written to {}",
        samples.len() as f64 / 16_000.0,
        path.display()
    );
    Ok(())
}
