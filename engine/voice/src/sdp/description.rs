use std::net::{IpAddr, SocketAddr};

use sdp_types::{Attribute, Connection, Media};

use super::{Direction, SdpError};
use crate::SAMPLE_RATE;
use crate::g711::Codec;

/// A parsed description of the other side.
pub(super) struct Description {
    session: sdp_types::Session,
}

/// The audio line of a description that we can use.
pub(super) struct Audio {
    /// Which `m=` line, from 0.
    pub index: usize,
    pub addr: SocketAddr,
    pub codec: Codec,
    pub payload_type: u8,
    pub dtmf_pt: Option<u8>,
    /// Seen from the other side.
    pub direction: Direction,
    pub ptime_ms: Option<u32>,
}

impl Description {
    pub fn parse(text: &[u8]) -> Result<Description, SdpError> {
        if text.len() > SdpError::MAX_BYTES {
            return Err(SdpError::TooLarge);
        }
        let session = sdp_types::Session::parse(text)
            .map_err(|error| SdpError::Malformed(error.to_string()))?;
        if session.medias.len() > SdpError::MAX_MEDIA {
            return Err(SdpError::TooLarge);
        }
        Ok(Description { session })
    }

    pub fn medias(&self) -> &[Media] {
        &self.session.medias
    }

    /// The first audio line with a codec of ours.
    pub fn audio(&self) -> Result<Audio, SdpError> {
        let mut without_codec = None;
        for (index, media) in self.session.medias.iter().enumerate() {
            if media.media != "audio" || media.proto != "RTP/AVP" || media.port == 0 {
                continue;
            }
            let Some((payload_type, codec)) = first_codec(media) else {
                without_codec.get_or_insert(media);
                continue;
            };
            return Ok(Audio {
                index,
                addr: SocketAddr::new(self.address(media)?, media.port),
                codec,
                payload_type,
                dtmf_pt: telephone_event(media),
                direction: self.direction(media),
                ptime_ms: value(&media.attributes, "ptime")
                    .and_then(|ptime| ptime.trim().parse().ok()),
            });
        }
        match without_codec {
            Some(media) => Err(SdpError::NoCommonCodec {
                offered: media.fmt.clone(),
            }),
            None => Err(SdpError::NoAudio),
        }
    }

    /// `c=` of the line, or else of the session (RFC 8866 §5.7).
    fn address(&self, media: &Media) -> Result<IpAddr, SdpError> {
        let connection = media
            .connections
            .first()
            .or(self.session.connection.as_ref());
        let Connection {
            connection_address: text,
            ..
        } = connection.ok_or_else(|| SdpError::Address("there is no c= line".to_owned()))?;
        match text.trim().parse::<IpAddr>() {
            Ok(address) if is_one_host(address) => Ok(address),
            _ => Err(SdpError::Address(text.clone())),
        }
    }

    /// The attribute of the line, or else of the session, or else sendrecv (RFC 8866 §6.7).
    fn direction(&self, media: &Media) -> Direction {
        [&media.attributes, &self.session.attributes]
            .into_iter()
            .find_map(|attributes| {
                attributes
                    .iter()
                    .find_map(|attribute| Direction::of_name(&attribute.attribute))
            })
            .unwrap_or_default()
    }
}

/// Whether packets to the address reach one host at most. A call is for one: an offer of a group or of everybody in
/// this network would make of us an amplifier, and RFC 3264 §6.2 leaves multicast to sessions that are set up so.
fn is_one_host(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => !address.is_multicast() && !address.is_broadcast(),
        IpAddr::V6(address) => !address.is_multicast(),
    }
}

impl Audio {
    /// What our answer lists: the one codec that was chosen, so that neither side switches in mid-call.
    pub fn formats(&self) -> [(u8, Codec); 1] {
        [(self.payload_type, self.codec)]
    }
}

/// The first format of the line, in its order of preference (RFC 3264 §6.1), that is PCMU or PCMA.
fn first_codec(media: &Media) -> Option<(u8, Codec)> {
    formats(media).find_map(|number| {
        let codec = match mapping(media, number) {
            Some((name, SAMPLE_RATE)) => Codec::of_name(name),
            Some(_) => None,
            // Static payload types need no rtpmap (RFC 3551 §6).
            None => Codec::of_payload_type(number),
        };
        Some((number, codec?))
    })
}

fn telephone_event(media: &Media) -> Option<u8> {
    formats(media).find(|number| {
        mapping(media, *number).is_some_and(|(name, rate)| {
            name.eq_ignore_ascii_case("telephone-event") && rate == SAMPLE_RATE
        })
    })
}

/// The payload types of the line; RTP has 7 bits for them.
fn formats(media: &Media) -> impl Iterator<Item = u8> {
    media
        .fmt
        .split_ascii_whitespace()
        .filter_map(|format| format.parse().ok())
        .filter(|number| *number < 128)
}

/// Name and clock rate that `a=rtpmap` gives to a payload type (RFC 8866 §6.6).
fn mapping(media: &Media, number: u8) -> Option<(&str, u32)> {
    let maps = media
        .attributes
        .iter()
        .filter(|attribute| attribute.attribute == "rtpmap");
    maps.filter_map(|attribute| attribute.value.as_deref())
        .find_map(|map| {
            let (mapped, encoding) = map.trim().split_once(char::is_whitespace)?;
            if mapped.parse() != Ok(number) {
                return None;
            }
            let mut parts = encoding.trim().split('/');
            Some((parts.next()?, parts.next()?.trim().parse().ok()?))
        })
}

fn value<'a>(attributes: &'a [Attribute], name: &str) -> Option<&'a str> {
    attributes
        .iter()
        .find(|attribute| attribute.attribute == name)?
        .value
        .as_deref()
}
