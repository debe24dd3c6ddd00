//! G.711: one byte per sample, 8,000 samples a second.
//!
//! The tables are computed at compile time from the segments of ITU-T G.711 (table 1a/2a for
//! A-law, 1b/2b for µ-law). Linear samples are 16-bit; G.711 carries 14 (µ-law) and 13 (A-law) of them.

use serde::{Deserialize, Serialize};

/// A G.711 companding law, by its SDP name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Codec {
    /// µ-law, payload type 0.
    Pcmu,
    /// A-law, payload type 8.
    Pcma,
}

impl Codec {
    /// The static RTP payload type (RFC 3551 §6, table 4).
    pub const fn payload_type(self) -> u8 {
        match self {
            Codec::Pcmu => 0,
            Codec::Pcma => 8,
        }
    }

    /// The codec of a static payload type; none for any other number.
    pub const fn of_payload_type(payload_type: u8) -> Option<Codec> {
        match payload_type {
            0 => Some(Codec::Pcmu),
            8 => Some(Codec::Pcma),
            _ => None,
        }
    }

    /// The encoding name of `a=rtpmap` (RFC 3551 §4.5.14).
    pub const fn name(self) -> &'static str {
        match self {
            Codec::Pcmu => "PCMU",
            Codec::Pcma => "PCMA",
        }
    }

    /// The codec of an encoding name, without regard to case (RFC 8866 §6.6).
    pub fn of_name(name: &str) -> Option<Codec> {
        [Codec::Pcmu, Codec::Pcma]
            .into_iter()
            .find(|codec| codec.name().eq_ignore_ascii_case(name))
    }

    /// The byte that stands for no sound.
    pub const fn silence(self) -> u8 {
        match self {
            Codec::Pcmu => 0xff,
            Codec::Pcma => 0xd5,
        }
    }

    /// One byte to a linear 16-bit sample.
    #[inline]
    pub const fn decode(self, byte: u8) -> i16 {
        match self {
            Codec::Pcmu => PCMU_TO_LINEAR[byte as usize],
            Codec::Pcma => PCMA_TO_LINEAR[byte as usize],
        }
    }

    /// One linear 16-bit sample to its byte.
    #[inline]
    pub const fn encode(self, sample: i16) -> u8 {
        match self {
            Codec::Pcmu => pcmu(sample),
            Codec::Pcma => pcma(sample),
        }
    }

    /// One byte of this law as a byte of `target`.
    ///
    /// By way of the linear value, so a few codes differ by one step from the mapping of G.711 table 3.
    #[inline]
    pub const fn convert(self, target: Codec, byte: u8) -> u8 {
        match (self, target) {
            (Codec::Pcmu, Codec::Pcma) => PCMU_TO_PCMA[byte as usize],
            (Codec::Pcma, Codec::Pcmu) => PCMA_TO_PCMU[byte as usize],
            _ => byte,
        }
    }

    /// Copies `from` to `to` in the law `target`; as many bytes as the shorter of the two holds.
    pub fn convert_into(self, target: Codec, from: &[u8], to: &mut [u8]) {
        if self == target {
            let length = from.len().min(to.len());
            to[..length].copy_from_slice(&from[..length]);
            return;
        }
        for (to, from) in to.iter_mut().zip(from) {
            *to = self.convert(target, *from);
        }
    }
}

/// Added to a µ-law magnitude before its segment is found (G.711 table 2a: 33 at 14 bits).
const BIAS: i32 = 33 << 2;

/// Largest µ-law magnitude, so that the bias does not carry it past the top segment.
const CLIP: i32 = 32_767 - BIAS;

const PCMU_TO_LINEAR: [i16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = pcmu_linear(byte as u8);
        byte += 1;
    }
    table
};

const PCMA_TO_LINEAR: [i16; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = pcma_linear(byte as u8);
        byte += 1;
    }
    table
};

const PCMU_TO_PCMA: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = pcma(pcmu_linear(byte as u8));
        byte += 1;
    }
    table
};

const PCMA_TO_PCMU: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = pcmu(pcma_linear(byte as u8));
        byte += 1;
    }
    table
};

/// µ-law: all bits inverted; sign, three bits of segment, four of step.
const fn pcmu_linear(byte: u8) -> i16 {
    let code = !byte as i32;
    let segment = (code >> 4) & 0x07;
    let magnitude = ((((code & 0x0f) << 3) + BIAS) << segment) - BIAS;
    if code & 0x80 == 0 {
        magnitude as i16
    } else {
        -magnitude as i16
    }
}

const fn pcmu(sample: i16) -> u8 {
    let linear = sample as i32;
    let sign = if linear < 0 { 0x80 } else { 0x00 };
    let magnitude = linear.abs();
    let biased = if magnitude > CLIP { CLIP } else { magnitude } + BIAS;
    // The bias puts the highest set bit at 7 or above; each higher bit is one segment.
    let segment = 24 - biased.leading_zeros() as i32;
    let step = (biased >> (segment + 3)) & 0x0f;
    !((sign | (segment << 4) | step) as u8)
}

/// A-law: even bits inverted; sign (1 is positive), three bits of segment, four of step.
const fn pcma_linear(byte: u8) -> i16 {
    let code = (byte ^ 0x55) as i32;
    let segment = (code >> 4) & 0x07;
    let half_step = ((code & 0x0f) << 4) + 8;
    let magnitude = if segment == 0 {
        half_step
    } else {
        (half_step + 0x100) << (segment - 1)
    };
    if code & 0x80 == 0 {
        -magnitude as i16
    } else {
        magnitude as i16
    }
}

const fn pcma(sample: i16) -> u8 {
    // Negative values are coded as the one's complement, so that -1 is the mirror of 0.
    let (sign, magnitude) = if sample < 0 {
        (0x00, !(sample as i32))
    } else {
        (0x80, sample as i32)
    };
    let code = if magnitude < 0x100 {
        magnitude >> 4
    } else {
        let segment = 24 - magnitude.leading_zeros() as i32;
        (segment << 4) | ((magnitude >> (segment + 3)) & 0x0f)
    };
    (sign | code) as u8 ^ 0x55
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [Codec; 2] = [Codec::Pcmu, Codec::Pcma];

    #[test]
    fn known_codes_of_the_recommendation() {
        // G.711 table 1a and 2a: decision values at the ends of the scale and around zero.
        assert_eq!(Codec::Pcmu.decode(0xff), 0);
        assert_eq!(Codec::Pcmu.decode(0x7f), 0);
        assert_eq!(Codec::Pcmu.decode(0x80), 32_124);
        assert_eq!(Codec::Pcmu.decode(0x00), -32_124);
        assert_eq!(Codec::Pcma.decode(0xd5), 8);
        assert_eq!(Codec::Pcma.decode(0x55), -8);
        assert_eq!(Codec::Pcma.decode(0xaa), 32_256);
        assert_eq!(Codec::Pcma.decode(0x2a), -32_256);
        assert_eq!(Codec::Pcmu.encode(i16::MAX), 0x80);
        assert_eq!(Codec::Pcmu.encode(i16::MIN), 0x00);
        assert_eq!(Codec::Pcma.encode(i16::MAX), 0xaa);
        assert_eq!(Codec::Pcma.encode(i16::MIN), 0x2a);
    }

    #[test]
    fn every_code_survives_decode_and_encode() {
        for codec in BOTH {
            for byte in 0..=255u8 {
                // µ-law has two zeros; the negative one comes back as the positive one.
                let expected = if codec == Codec::Pcmu && byte == 0x7f {
                    0xff
                } else {
                    byte
                };
                assert_eq!(
                    codec.encode(codec.decode(byte)),
                    expected,
                    "{codec:?} {byte:#x}"
                );
            }
        }
    }

    #[test]
    fn encoding_is_monotonic_and_close() {
        for codec in BOTH {
            let mut last = i16::MIN;
            for sample in i16::MIN..=i16::MAX {
                let heard = codec.decode(codec.encode(sample));
                assert!(heard >= last, "{codec:?} {sample}");
                last = heard;
                // The widest step, in the top segment, is 1/32 of full scale.
                let error = (i32::from(heard) - i32::from(sample)).abs();
                assert!(
                    error <= 16 + i32::from(sample).abs() / 16,
                    "{codec:?} {sample} -> {heard}"
                );
            }
        }
    }

    #[test]
    fn conversion_stays_within_one_step() {
        for byte in 0..=255u8 {
            let linear = i32::from(Codec::Pcmu.decode(byte));
            let through = i32::from(Codec::Pcma.decode(Codec::Pcmu.convert(Codec::Pcma, byte)));
            assert!(
                (linear - through).abs() <= 16 + linear.abs() / 16,
                "{byte:#x}: {linear} {through}"
            );
        }
        let mut out = [0; 3];
        Codec::Pcma.convert_into(Codec::Pcmu, &[0xd5, 0x55], &mut out);
        assert_eq!(out, [0xfe, 0x7e, 0]);
    }
}
