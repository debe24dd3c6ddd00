//! RTP packets (RFC 3550 §5.1): read without copying, written into the caller's buffer.

use thiserror::Error;

/// Bytes of a header without CSRCs and extension, the only kind this crate writes.
pub const HEADER_BYTES: usize = 12;

/// A packet as it lies in a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Packet<'a> {
    /// The marker bit: for audio the first packet after a silence (RFC 3551 §4.1).
    pub marker: bool,
    /// 0 to 127, given its meaning by SDP.
    pub payload_type: u8,
    /// Counts packets, modulo 2^16.
    pub sequence: u16,
    /// Sampling instant of the first sample, in samples, modulo 2^32.
    pub timestamp: u32,
    /// The synchronisation source.
    pub ssrc: u32,
    /// The payload, without extension and padding.
    pub payload: &'a [u8],
}

/// Why a datagram is not an RTP packet. Such a datagram is dropped and counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RtpError {
    /// Fewer bytes than the header says.
    #[error("the datagram ends inside its RTP header: the sender cut it, or it is not RTP")]
    TooShort,
    /// The first two bits are not 2 (RFC 3550 §5.1).
    #[error("RTP version {0} instead of 2: the datagram is not RTP (STUN and DTLS share the port)")]
    Version(u8),
    /// It is RTCP (RFC 5761 §4).
    #[error("packet type {0} is RTCP, not RTP: it is not media")]
    Rtcp(u8),
    /// The padding count is 0 or larger than the payload (RFC 3550 §5.1).
    #[error("the padding count {0} does not fit the payload: the sender miscounts")]
    Padding(u8),
}

impl<'a> Packet<'a> {
    /// Reads a datagram. Every length in it is checked; nothing in it can make this panic.
    pub fn parse(datagram: &'a [u8]) -> Result<Packet<'a>, RtpError> {
        let Some((header, rest)) = datagram.split_first_chunk::<HEADER_BYTES>() else {
            return Err(match datagram.first() {
                Some(first) if first >> 6 != 2 => RtpError::Version(first >> 6),
                _ => RtpError::TooShort,
            });
        };
        if header[0] >> 6 != 2 {
            return Err(RtpError::Version(header[0] >> 6));
        }
        if is_rtcp(datagram) {
            return Err(RtpError::Rtcp(header[1]));
        }
        let csrcs = usize::from(header[0] & 0x0f) * 4;
        let mut payload = rest.get(csrcs..).ok_or(RtpError::TooShort)?;
        if header[0] & 0x10 != 0 {
            payload = skip_extension(payload)?;
        }
        if header[0] & 0x20 != 0 {
            payload = strip_padding(payload)?;
        }
        Ok(Packet {
            marker: header[1] & 0x80 != 0,
            payload_type: header[1] & 0x7f,
            sequence: u16::from_be_bytes([header[2], header[3]]),
            timestamp: u32::from_be_bytes([header[4], header[5], header[6], header[7]]),
            ssrc: u32::from_be_bytes([header[8], header[9], header[10], header[11]]),
            payload,
        })
    }

    /// Writes the packet into `out` and says how many bytes it takes; none if `out` is too small.
    pub fn write(&self, out: &mut [u8]) -> Option<usize> {
        let length = HEADER_BYTES + self.payload.len();
        let (header, body) = out
            .get_mut(..length)?
            .split_first_chunk_mut::<HEADER_BYTES>()?;
        *header = self.header();
        body.copy_from_slice(self.payload);
        Some(length)
    }

    /// The header of this packet, 12 bytes: version 2, no padding, no extension, no CSRC.
    pub fn header(&self) -> [u8; HEADER_BYTES] {
        let mut header = [0; HEADER_BYTES];
        header[0] = 2 << 6;
        header[1] = (u8::from(self.marker) << 7) | (self.payload_type & 0x7f);
        header[2..4].copy_from_slice(&self.sequence.to_be_bytes());
        header[4..8].copy_from_slice(&self.timestamp.to_be_bytes());
        header[8..12].copy_from_slice(&self.ssrc.to_be_bytes());
        header
    }
}

/// Whether a datagram is RTCP on a port shared with RTP: packet types 192 to 223, which as RTP would be
/// payload types 64 to 95 with the marker bit (RFC 5761 §4).
pub fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(datagram, [first, 192..=223, ..] if first >> 6 == 2)
}

/// How far `later` is ahead of `earlier`, in packets, across the wrap; negative if it is behind.
pub fn sequence_distance(earlier: u16, later: u16) -> i32 {
    i32::from(later.wrapping_sub(earlier) as i16)
}

/// How far `later` is ahead of `earlier`, in samples, across the wrap; negative if it is behind.
pub fn timestamp_distance(earlier: u32, later: u32) -> i64 {
    i64::from(later.wrapping_sub(earlier) as i32)
}

fn skip_extension(payload: &[u8]) -> Result<&[u8], RtpError> {
    let (head, rest) = payload.split_first_chunk::<4>().ok_or(RtpError::TooShort)?;
    let words = usize::from(u16::from_be_bytes([head[2], head[3]]));
    rest.get(words * 4..).ok_or(RtpError::TooShort)
}

fn strip_padding(payload: &[u8]) -> Result<&[u8], RtpError> {
    let count = *payload.last().ok_or(RtpError::TooShort)?;
    match payload.len().checked_sub(usize::from(count)) {
        Some(length) if count > 0 => Ok(&payload[..length]),
        _ => Err(RtpError::Padding(count)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packet(payload: &[u8]) -> Packet<'_> {
        Packet {
            marker: true,
            payload_type: 101,
            sequence: 65_535,
            timestamp: 7,
            ssrc: 0xdead_beef,
            payload,
        }
    }

    #[test]
    fn csrcs_extension_and_padding_are_skipped() {
        let mut bytes = packet(&[]).header().to_vec();
        bytes[0] |= 0x20 | 0x10 | 2;
        bytes.extend([1; 8]); // two CSRCs
        bytes.extend([0xbe, 0xde, 0, 1, 9, 9, 9, 9]); // one word of extension
        bytes.extend([42, 43, 0, 0, 3]); // two bytes of payload, three of padding
        assert_eq!(Packet::parse(&bytes), Ok(packet(&[42, 43])));
    }

    #[test]
    fn lies_about_lengths_are_errors() {
        let good = packet(&[1, 2]).header().to_vec();
        assert_eq!(Packet::parse(&[]), Err(RtpError::TooShort));
        assert_eq!(Packet::parse(&good[..11]), Err(RtpError::TooShort));
        assert_eq!(Packet::parse(&[0; 20]), Err(RtpError::Version(0)));
        let with = |first: u8, tail: &[u8]| {
            let mut bytes = good.clone();
            bytes[0] = first;
            bytes.extend_from_slice(tail);
            bytes
        };
        assert_eq!(Packet::parse(&with(0x8f, &[0; 4])), Err(RtpError::TooShort));
        assert_eq!(
            Packet::parse(&with(0x90, &[0, 0, 0xff, 0xff])),
            Err(RtpError::TooShort)
        );
        assert_eq!(Packet::parse(&with(0xa0, &[])), Err(RtpError::TooShort));
        assert_eq!(
            Packet::parse(&with(0xa0, &[0, 0])),
            Err(RtpError::Padding(0))
        );
        assert_eq!(
            Packet::parse(&with(0xa0, &[0, 3])),
            Err(RtpError::Padding(3))
        );
    }

    #[test]
    fn rtcp_is_told_apart() {
        let mut report = [0u8; 28];
        report[0] = 0x80;
        for (kind, rtcp) in [
            (200, true),
            (201, true),
            (192, true),
            (223, true),
            (191, false),
            (224, false),
        ] {
            report[1] = kind;
            assert_eq!(is_rtcp(&report), rtcp, "{kind}");
        }
        report[1] = 201;
        assert_eq!(Packet::parse(&report), Err(RtpError::Rtcp(201)));
    }

    #[test]
    fn distances_cross_the_wrap() {
        assert_eq!(sequence_distance(65_535, 1), 2);
        assert_eq!(sequence_distance(1, 65_535), -2);
        assert_eq!(timestamp_distance(u32::MAX, 159), 160);
        assert_eq!(timestamp_distance(159, u32::MAX), -160);
    }

    proptest! {
        #[test]
        fn no_datagram_panics(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = Packet::parse(&bytes);
        }

        #[test]
        fn nearly_rtp_never_panics(first in 0x80u8..=0xbf, rest in prop::collection::vec(any::<u8>(), 0..64)) {
            let bytes: Vec<u8> = std::iter::once(first).chain(rest).collect();
            if let Ok(packet) = Packet::parse(&bytes) {
                prop_assert!(packet.payload.len() + HEADER_BYTES <= bytes.len());
            }
        }

        #[test]
        fn what_is_written_is_read(
            payload in prop::collection::vec(any::<u8>(), 0..200),
            (marker, payload_type) in (any::<bool>(), 0u8..64),
            (sequence, timestamp, ssrc) in any::<(u16, u32, u32)>(),
        ) {
            let packet = Packet { marker, payload_type, sequence, timestamp, ssrc, payload: &payload };
            let mut out = [0; 256];
            let length = packet.write(&mut out).expect("fits");
            prop_assert_eq!(Packet::parse(&out[..length]), Ok(packet));
            prop_assert_eq!(packet.write(&mut out[..length - 1]), None);
        }
    }
}
