//! Samples to frames of the wire.

use strowger_voice::clip::Clip;
use strowger_voice::g711::Codec;

/// Full-scale floats to 16-bit samples, rounded; an exact 16-bit value comes out as it went in.
pub fn quantise(samples: &[f32]) -> Vec<i16> {
    // `as` saturates, and turns what is not a number into 0.
    samples
        .iter()
        .map(|sample| (sample * 32_768.0).round() as i16)
        .collect()
}

/// 16-bit samples at 8 kHz as ready frames.
///
/// Rounded, not cut, to the 14 (µ-law) or 13 (A-law) bits that G.711 carries: half the error, and the
/// same bytes as `sox -D -e mu-law` and `-e a-law`.
pub fn encode(codec: Codec, samples: &[i16]) -> Clip {
    let unused_bits = match codec {
        Codec::Pcmu => 2,
        Codec::Pcma => 3,
    };
    let half = (1 << unused_bits) / 2;
    let bytes: Vec<u8> = samples
        .iter()
        .map(|sample| codec.encode(sample.saturating_add(half) >> unused_bits << unused_bits))
        .collect();
    Clip::new(codec, &bytes)
}

/// G.711 bytes of one law as ready frames of the same or the other.
pub fn transcode(from: Codec, to: Codec, bytes: &[u8]) -> Clip {
    let mut converted = vec![0; bytes.len()];
    from.convert_into(to, bytes, &mut converted);
    Clip::new(to, &converted)
}
