//! Session descriptions (RFC 8866) and the offer/answer exchange (RFC 3264), for one audio stream.
//!
//! [`Session`] is our side of one dialog: it answers offers, makes offers and keeps the version of `o=`.
//! The other side's wishes come out as a [`Remote`], which is all that the media path needs to know.

mod description;

use std::net::SocketAddr;

use sdp_types::{Attribute, Connection, Media, Origin};
use thiserror::Error;

use self::description::{Audio, Description};
use crate::FRAME_MS;
use crate::g711::Codec;

/// Payload type that our own offers give to telephone-event; what most equipment uses.
const OFFERED_DTMF: u8 = 101;

/// Our side of one dialog's offers and answers.
#[derive(Debug, Clone)]
pub struct Session {
    id: u64,
    version: u64,
    local: SocketAddr,
    /// What was last sent; none before the first offer or answer.
    sent: Option<sdp_types::Session>,
    /// What was last agreed on; none before the first answer.
    agreed: Option<Remote>,
}

/// Where the other side wants its media, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Remote {
    /// Address of `c=` and port of `m=`. Unspecified (0.0.0.0) in an old-style hold; then nothing is sent.
    pub addr: SocketAddr,
    /// The codec both sides have, the other side's first choice among ours.
    pub codec: Codec,
    /// Payload type of the codec: 0 or 8, unless the other side mapped another number to it.
    pub payload_type: u8,
    /// Payload type of telephone-event/8000; none when the other side does not have it.
    pub dtmf_pt: Option<u8>,
    /// What *we* may do, hold already taken into account.
    pub direction: Direction,
}

/// Who may send, seen from our side (RFC 3264 §5.1, §6.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Direction {
    /// Both sides send.
    #[default]
    SendRecv,
    /// We send, the other side listens.
    SendOnly,
    /// The other side sends, we listen: it has put us on hold.
    RecvOnly,
    /// Nobody sends.
    Inactive,
}

/// An answered offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The body of our answer, `application/sdp`.
    pub sdp: String,
    /// What the media path is to be connected to.
    pub remote: Remote,
    /// Packet length the other side would like, in milliseconds; information only, we send 20 ms
    /// (`ptime` is a wish, RFC 8866 §6.4).
    pub ptime_ms: Option<u32>,
}

/// Why a description cannot be used. [`SdpError::status`] is the SIP answer to it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SdpError {
    /// Larger than [`SdpError::MAX_BYTES`], or more `m=` lines than [`SdpError::MAX_MEDIA`].
    #[error(
        "the session description is too large: send at most {} bytes and {} m= lines",
        SdpError::MAX_BYTES,
        SdpError::MAX_MEDIA
    )]
    TooLarge,
    /// Not a session description.
    #[error("not a session description: {0}. Check it against RFC 8866 section 9")]
    Malformed(String),
    /// No `m=audio` over RTP/AVP with a port.
    #[error("no m=audio line with transport RTP/AVP and a port: offer plain RTP audio")]
    NoAudio,
    /// Audio, but neither PCMU nor PCMA.
    #[error("no common codec in \"{offered}\": offer PCMU (0) or PCMA (8) at 8000 Hz")]
    NoCommonCodec {
        /// The format list of the `m=audio` line.
        offered: String,
    },
    /// No usable `c=` line.
    #[error("no usable connection address ({0}): send c=IN IP4 or IP6 with a unicast IP address")]
    Address(String),
    /// The other side's address is of another IP version than ours.
    #[error(
        "the media address {remote} is of another IP version than ours ({local}): offer one of ours"
    )]
    AddressFamily {
        /// Theirs.
        remote: SocketAddr,
        /// Ours.
        local: SocketAddr,
    },
}

impl SdpError {
    /// Largest description that is read, in bytes: offers with WebRTC candidates reach 8 KiB.
    pub const MAX_BYTES: usize = 16 * 1024;

    /// Most `m=` lines that are answered: each costs a line in the answer; conferences offer up to 10.
    pub const MAX_MEDIA: usize = 16;

    /// The SIP status that refuses an offer with this fault: 488 when it is well-formed but unusable
    /// (RFC 3261 §21.4.26), 400 when it is not, 513 when it is too large.
    pub fn status(&self) -> u16 {
        match self {
            SdpError::Malformed(_) => 400,
            SdpError::TooLarge => 513,
            _ => 488,
        }
    }
}

impl Direction {
    /// Whether we may send.
    pub fn sends(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::SendOnly)
    }

    /// Whether the other side may send.
    pub fn receives(self) -> bool {
        matches!(self, Direction::SendRecv | Direction::RecvOnly)
    }

    /// The same agreement seen from the other side.
    pub fn reversed(self) -> Direction {
        Direction::of(self.receives(), self.sends())
    }

    /// The attribute name (RFC 8866 §6.7).
    pub fn name(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }

    fn of(sends: bool, receives: bool) -> Direction {
        match (sends, receives) {
            (true, true) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            (false, true) => Direction::RecvOnly,
            (false, false) => Direction::Inactive,
        }
    }

    fn of_name(name: &str) -> Option<Direction> {
        [
            Direction::SendRecv,
            Direction::SendOnly,
            Direction::RecvOnly,
            Direction::Inactive,
        ]
        .into_iter()
        .find(|direction| direction.name() == name)
    }
}

impl Session {
    /// Our side of a new dialog.
    ///
    /// `id` makes `o=` unique (RFC 8866 §5.2: a time stamp or a random number); `local` is the address and
    /// port we advertise for media.
    pub fn new(id: u64, local: SocketAddr) -> Session {
        Session {
            id,
            version: 0,
            local,
            sent: None,
            agreed: None,
        }
    }

    /// Answers an offer, the first one or a later one (hold, resume, new address).
    ///
    /// Takes the first audio line that can be used and refuses every other line with port 0
    /// (RFC 3264 §6). A later offer whose audio has port 0 takes the audio away and may bring it back
    /// (RFC 3264 §8.2): it is agreed to, and until then nobody sends. On an error nothing has changed: the session
    /// goes on as before (RFC 3264 §8).
    pub fn answer(&mut self, offer: &[u8]) -> Result<Answered, SdpError> {
        let offer = Description::parse(offer)?;
        let audio = match offer.audio() {
            Ok(audio) => audio,
            Err(error) => {
                let remote = self.without_audio(&offer).ok_or(error)?;
                let sdp = self.describe(offer.medias().iter().map(refused).collect());
                self.agreed = Some(remote);
                return Ok(Answered {
                    sdp,
                    remote,
                    ptime_ms: None,
                });
            }
        };
        let remote = self.remote(&audio)?;
        let medias = offer.medias().iter().enumerate().map(|(index, media)| {
            if index == audio.index {
                self.audio_line(&audio.formats(), audio.dtmf_pt, remote.direction)
            } else {
                refused(media)
            }
        });
        let sdp = self.describe(medias.collect());
        self.agreed = Some(remote);
        Ok(Answered {
            sdp,
            remote,
            ptime_ms: audio.ptime_ms,
        })
    }

    /// Makes an offer: PCMU, PCMA and telephone-event at first, later the agreed lines with `direction`. Audio that the
    /// other side took away is offered again.
    pub fn offer(&mut self, direction: Direction) -> String {
        let formats = [Codec::Pcmu, Codec::Pcma].map(|codec| (codec.payload_type(), codec));
        let new = self.audio_line(&formats, Some(OFFERED_DTMF), direction);
        let medias = match &self.sent {
            // The number of m= lines never shrinks within a session, and a line of port 0 may be used again
            // (RFC 3264 §8.1, §8.2).
            Some(sent) => {
                let mut medias = sent.medias.clone();
                let is_open = |media: &Media| media.port != 0;
                match medias.iter_mut().find(|media| media.media == "audio") {
                    Some(closed) if !sent.medias.iter().any(is_open) => *closed = new,
                    _ => medias
                        .iter_mut()
                        .for_each(|media| redirect(media, direction)),
                }
                medias
            }
            None => vec![new],
        };
        self.describe(medias)
    }

    /// Takes the answer to our offer.
    pub fn accept(&mut self, answer: &[u8]) -> Result<Remote, SdpError> {
        let answer = Description::parse(answer)?;
        let remote = match answer.audio() {
            Ok(audio) => self.remote(&audio)?,
            Err(error) => self.without_audio(&answer).ok_or(error)?,
        };
        self.agreed = Some(remote);
        Ok(remote)
    }

    /// What is agreed on when a later description takes the audio away: nobody sends. None before there was any, and
    /// when the description has no audio line of port 0.
    fn without_audio(&self, description: &Description) -> Option<Remote> {
        let taken_away = |media: &Media| media.media == "audio" && media.port == 0;
        let all = description
            .medias()
            .iter()
            .filter(|media| media.media == "audio")
            .all(taken_away);
        let agreed = self.agreed?;
        (all && description.medias().iter().any(taken_away)).then_some(Remote {
            direction: Direction::Inactive,
            ..agreed
        })
    }

    fn remote(&self, audio: &Audio) -> Result<Remote, SdpError> {
        let held = audio.addr.ip().is_unspecified();
        if !held && audio.addr.is_ipv4() != self.local.is_ipv4() {
            return Err(SdpError::AddressFamily {
                remote: audio.addr,
                local: self.local,
            });
        }
        let direction = audio.direction.reversed();
        Ok(Remote {
            addr: audio.addr,
            codec: audio.codec,
            payload_type: audio.payload_type,
            dtmf_pt: audio.dtmf_pt,
            // The hold of RFC 2543, still met (RFC 3264 §8.4): there is nowhere to send to.
            direction: Direction::of(direction.sends() && !held, direction.receives()),
        })
    }

    fn audio_line(
        &self,
        formats: &[(u8, Codec)],
        dtmf_pt: Option<u8>,
        direction: Direction,
    ) -> Media {
        let numbers: Vec<String> = formats
            .iter()
            .map(|(number, _)| *number)
            .chain(dtmf_pt)
            .map(|number| number.to_string())
            .collect();
        let mut attributes: Vec<Attribute> = formats
            .iter()
            .map(|(number, codec)| {
                Attribute::with_value("rtpmap", format!("{number} {}/8000", codec.name()))
            })
            .collect();
        if let Some(dtmf_pt) = dtmf_pt {
            attributes.push(Attribute::with_value(
                "rtpmap",
                format!("{dtmf_pt} telephone-event/8000"),
            ));
            attributes.push(Attribute::with_value("fmtp", format!("{dtmf_pt} 0-15")));
        }
        attributes.push(Attribute::with_value("ptime", FRAME_MS));
        attributes.push(Attribute::new(direction.name()));
        Media {
            attributes,
            ..line("audio", self.local.port(), "RTP/AVP", &numbers.join(" "))
        }
    }

    /// Writes our description; its version grows when it differs from the one before (RFC 3264 §8).
    fn describe(&mut self, medias: Vec<Media>) -> String {
        let mut new = sdp_types::Session::new(
            Origin::with_ip_addr(self.id, self.version, self.local.ip()),
            "-",
        );
        new.connection = Some(Connection::from_ip_addr(self.local.ip()));
        new.times = vec![sdp_types::Time::new(0, 0)];
        new.medias = medias;
        if self.sent.as_ref() != Some(&new) {
            self.version += 1;
            new.origin.sess_version = self.version;
        }
        let mut bytes = Vec::with_capacity(512);
        new.write(&mut bytes).expect("a Vec takes all bytes");
        self.sent = Some(new);
        String::from_utf8(bytes).expect("every part was a String")
    }
}

fn line(media: &str, port: u16, proto: &str, formats: &str) -> Media {
    Media {
        media: media.to_owned(),
        port,
        num_ports: None,
        proto: proto.to_owned(),
        fmt: formats.to_owned(),
        media_title: None,
        connections: Vec::new(),
        bandwidths: Vec::new(),
        key: None,
        attributes: Vec::new(),
    }
}

fn refused(media: &Media) -> Media {
    line(&media.media, 0, &media.proto, &media.fmt)
}

/// Gives a line another direction; refused lines have none.
fn redirect(media: &mut Media, direction: Direction) {
    for attribute in &mut media.attributes {
        if Direction::of_name(&attribute.attribute).is_some() {
            *attribute = Attribute::new(direction.name());
        }
    }
}

#[cfg(test)]
mod tests;
