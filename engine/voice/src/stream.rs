//! The media of one call as a machine: what to send, where to, and what a datagram meant.

mod relay;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::clip::Clip;
use crate::dtmf;
use crate::g711::Codec;
use crate::latch::Latch;
use crate::rtp::{HEADER_BYTES, Packet, RtpError};
use crate::sdp::Remote;
use crate::{FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE};

use self::relay::{Pressing, Relaying};
pub use self::relay::{REPORT_BYTES, Relayed, Sound};

/// Bytes of every packet that is sent: header and one frame.
pub const PACKET_BYTES: usize = HEADER_BYTES + FRAME_SAMPLES;

/// Time between two packets.
pub const FRAME: Duration = Duration::from_millis(FRAME_MS as u64);

/// How far sent audio may run ahead of the clock because new prompts begin before the last frame of the old
/// one was over. Each barge-in gains up to 20 ms, any silence takes it all back; receivers buffer about so
/// much.
const MAX_LEAD: Duration = Duration::from_millis(160);

/// One call's media, without sockets and clocks.
///
/// `now` is a time since any start, the same for all calls of a stream. A prompt begins with
/// [`Stream::play`], which says when its first packet is due; from then on [`Stream::next_packet`] is called
/// every 20 ms until it says [`Outgoing::Done`] or [`Outgoing::Idle`].
#[derive(Debug)]
pub struct Stream {
    link: Option<Link>,
    playing: Option<Playing>,
    pressing: Option<Box<Pressing>>,
    relaying: Option<Relaying>,
    keys: dtmf::Receiver,
    ssrc: u32,
    sequence: u16,
    /// Timestamp of `now` = 0; random, so that streams do not look alike (RFC 3550 §5.1).
    base: u32,
    /// Samples from the base up to the end of what was sent.
    position: u64,
    heard_at: Option<Duration>,
}

/// What a received datagram was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incoming<'a> {
    /// Sound.
    Audio {
        /// The packet.
        packet: Packet<'a>,
        /// How its payload is coded.
        codec: Codec,
    },
    /// A key went down.
    Key {
        /// Which.
        key: char,
        /// The packet that told of it.
        packet: Packet<'a>,
    },
    /// Another report of a key that was told, or an event that is no key.
    Event(Packet<'a>),
    /// From a source that is not this call's, or a key from one that is not locked yet.
    Foreign,
    /// Before [`Stream::connect`].
    Early,
    /// A payload type that was not agreed on.
    UnknownType(u8),
    /// RTCP; not evaluated.
    Rtcp,
    /// Not RTP, or an event packet that is too short.
    Malformed,
}

/// What there is to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outgoing {
    /// The packet in the buffer, to this address; ask again in 20 ms.
    Packet(SocketAddr),
    /// On hold or not connected: the prompt waits; ask again in 20 ms.
    Held,
    /// The prompt was heard to its end; nothing more to send.
    Done(Option<u32>),
    /// Nothing is playing.
    Idle,
}

#[derive(Debug)]
struct Link {
    remote: Remote,
    latch: Latch,
}

#[derive(Debug)]
struct Playing {
    /// The caller's number for it; none for tones of our own.
    id: Option<u32>,
    clips: Vec<Arc<Clip>>,
    clip: usize,
    frame: usize,
    repeat: bool,
    /// The next packet is the first after a silence, or of this prompt.
    fresh: bool,
}

impl Stream {
    /// A stream that is not connected. The three numbers should be random (RFC 3550 §5.1, §8.1).
    pub fn new(ssrc: u32, sequence: u16, timestamp: u32) -> Stream {
        Stream {
            link: None,
            playing: None,
            pressing: None,
            relaying: None,
            keys: dtmf::Receiver::default(),
            ssrc,
            sequence,
            base: timestamp,
            position: 0,
            heard_at: None,
        }
    }

    /// Takes what signalling agreed on, and the address that the signalling itself comes from; again after every
    /// later offer and answer.
    pub fn connect(&mut self, remote: Remote, signalling: IpAddr) {
        match &mut self.link {
            Some(link) => {
                link.remote = remote;
                if !remote.addr.ip().is_unspecified() {
                    link.latch.signal(remote.addr, signalling);
                }
            }
            None => {
                self.link = Some(Link {
                    remote,
                    latch: Latch::new(remote.addr, signalling),
                })
            }
        }
    }

    /// What signalling agreed on last.
    pub fn remote(&self) -> Option<&Remote> {
        self.link.as_ref().map(|link| &link.remote)
    }

    /// When the last packet of this call came in, whatever its payload type.
    pub fn heard_at(&self) -> Option<Duration> {
        self.heard_at
    }

    /// Whether something is being played.
    pub fn is_playing(&self) -> bool {
        self.playing.is_some()
    }

    /// Plays clips one after the other, from now on and instead of what is playing.
    ///
    /// Answers when the first packet is due: now, unless earlier prompts already ran ahead too far.
    /// `id` comes back in [`Outgoing::Done`]. A prompt that is replaced or stopped is never `Done`.
    pub fn play(
        &mut self,
        now: Duration,
        id: Option<u32>,
        clips: Vec<Arc<Clip>>,
        repeat: bool,
    ) -> Duration {
        let repeat = repeat && clips.iter().any(|clip| !clip.is_empty());
        self.relaying = None;
        self.playing = Some(Playing {
            id,
            clips,
            clip: 0,
            frame: 0,
            repeat,
            fresh: true,
        });
        let lead = samples_to_time(self.position).saturating_sub(now);
        if lead > MAX_LEAD {
            now + (lead - MAX_LEAD)
        } else {
            now
        }
    }

    /// Stops what is playing; whether anything was.
    pub fn stop(&mut self) -> bool {
        self.playing.take().is_some()
    }

    /// Writes the next packet into `out`.
    pub fn next_packet(&mut self, now: Duration, out: &mut [u8; PACKET_BYTES]) -> Outgoing {
        let Some(playing) = &mut self.playing else {
            return Outgoing::Idle;
        };
        let Some(link) = self
            .link
            .as_ref()
            .filter(|link| link.remote.direction.sends())
        else {
            playing.fresh = true;
            return Outgoing::Held;
        };
        let Some((codec, frame)) = playing.advance() else {
            let id = playing.id;
            self.playing = None;
            return Outgoing::Done(id);
        };
        let (header, payload) = out.split_at_mut(HEADER_BYTES);
        codec.convert_into(link.remote.codec, frame, payload);
        if playing.fresh {
            // The timestamp follows the clock across a silence, but never runs back (RFC 3550 §5.1).
            self.position = self.position.max(time_to_samples(now));
        }
        let packet = Packet {
            marker: playing.fresh,
            payload_type: link.remote.payload_type,
            sequence: self.sequence,
            timestamp: self.base.wrapping_add(self.position as u32),
            ssrc: self.ssrc,
            payload: &[],
        };
        header.copy_from_slice(&packet.header());
        playing.fresh = false;
        self.sequence = self.sequence.wrapping_add(1);
        self.position += FRAME_SAMPLES as u64;
        Outgoing::Packet(link.latch.destination())
    }

    /// Says what a datagram from `source` is.
    pub fn receive<'a>(
        &mut self,
        now: Duration,
        source: SocketAddr,
        datagram: &'a [u8],
    ) -> Incoming<'a> {
        let packet = match Packet::parse(datagram) {
            Ok(packet) => packet,
            Err(RtpError::Rtcp(_)) => return Incoming::Rtcp,
            Err(_) => return Incoming::Malformed,
        };
        let Some(link) = &mut self.link else {
            return Incoming::Early;
        };
        let remote = &link.remote;
        let event = remote.dtmf_pt == Some(packet.payload_type);
        let codec = if packet.payload_type == remote.payload_type {
            Some(remote.codec)
        } else {
            // Some equipment switches between the two laws without asking; both are understood.
            Codec::of_payload_type(packet.payload_type)
        };
        if !event && codec.is_none() {
            // Comfort noise is no sound to us, but the caller is there.
            if source == link.latch.destination() {
                self.heard_at = Some(now);
            }
            return Incoming::UnknownType(packet.payload_type);
        }
        if !link.latch.admits(now, source, &packet) {
            return Incoming::Foreign;
        }
        self.heard_at = Some(now);
        // Whoever is locked in the midst of a key has pressed it then: any report of it tells.
        if event && !link.latch.locked() {
            return Incoming::Foreign;
        }
        match codec {
            Some(codec) if !event => Incoming::Audio { packet, codec },
            _ => match self.keys.receive(now, &packet) {
                dtmf::Received::Pressed(key) => Incoming::Key { key, packet },
                dtmf::Received::Repeated | dtmf::Received::NotAKey(_) => Incoming::Event(packet),
                dtmf::Received::Malformed => Incoming::Malformed,
            },
        }
    }
}

impl Playing {
    /// The next frame and its codec; none when everything was played.
    fn advance(&mut self) -> Option<(Codec, &[u8; FRAME_SAMPLES])> {
        loop {
            let Some(clip) = self.clips.get(self.clip) else {
                // `repeat` is only set when some clip has a frame, so this comes to one.
                if !self.repeat {
                    return None;
                }
                self.clip = 0;
                continue;
            };
            if self.frame < clip.len() {
                break;
            }
            self.clip += 1;
            self.frame = 0;
        }
        let clip = &self.clips[self.clip];
        let frame = clip.frame(self.frame)?;
        self.frame += 1;
        Some((clip.codec(), frame))
    }
}

fn time_to_samples(time: Duration) -> u64 {
    (time.as_micros() * u128::from(SAMPLE_RATE) / 1_000_000) as u64
}

fn samples_to_time(samples: u64) -> Duration {
    Duration::from_micros(samples * 1_000_000 / u64::from(SAMPLE_RATE))
}

#[cfg(test)]
mod tests;
