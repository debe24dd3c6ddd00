//! WAV with 16-bit linear samples: written for recordings, read back for checks and prompts.

use thiserror::Error;

use crate::SAMPLE_RATE;
use crate::g711::Codec;

/// Bytes before the first sample in files that this module writes.
pub const HEADER_BYTES: usize = 44;

/// Bytes of samples that fit into one file, so that its 32-bit sizes hold: 18 hours in stereo.
pub const MAX_DATA_BYTES: u32 = u32::MAX - 64;

/// A WAV file's samples.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wav {
    /// Channels, their samples in turn.
    pub channels: u16,
    /// Samples per second and channel.
    pub sample_rate: u32,
    /// All samples.
    pub samples: Vec<i16>,
}

/// Why bytes are not a WAV file of the kind read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WavError {
    /// No RIFF/WAVE at the beginning.
    #[error("not a WAV file: it does not begin with RIFF and WAVE")]
    NotWav,
    /// No `fmt ` chunk before the samples, or one that is too short.
    #[error("the WAV file has no whole fmt chunk before its samples: it is damaged")]
    NoFormat,
    /// Not 16-bit PCM.
    #[error("WAV format {format} with {bits} bits: convert it to 16-bit PCM")]
    Format {
        /// The format tag; 1 is PCM.
        format: u16,
        /// Bits per sample.
        bits: u16,
    },
    /// No `data` chunk.
    #[error("the WAV file has no samples: it is damaged")]
    NoData,
}

/// The header of a file with 8 kHz, 16-bit samples. Written again with the final size when it is known;
/// with 0 bytes it marks a file whose end was not reached, which [`Wav::parse`] reads to its end.
pub fn header(channels: u16, data_bytes: u32) -> [u8; HEADER_BYTES] {
    let block = channels * 2;
    let mut header = [0; HEADER_BYTES];
    header[0..4].copy_from_slice(b"RIFF");
    header[4..8].copy_from_slice(&data_bytes.saturating_add(36).to_le_bytes());
    header[8..16].copy_from_slice(b"WAVEfmt ");
    header[16..20].copy_from_slice(&16u32.to_le_bytes());
    header[20..22].copy_from_slice(&1u16.to_le_bytes());
    header[22..24].copy_from_slice(&channels.to_le_bytes());
    header[24..28].copy_from_slice(&SAMPLE_RATE.to_le_bytes());
    header[28..32].copy_from_slice(&(SAMPLE_RATE * u32::from(block)).to_le_bytes());
    header[32..34].copy_from_slice(&block.to_le_bytes());
    header[34..36].copy_from_slice(&16u16.to_le_bytes());
    header[36..40].copy_from_slice(b"data");
    header[40..44].copy_from_slice(&data_bytes.to_le_bytes());
    header
}

/// Appends G.711 bytes as 16-bit little-endian samples.
pub fn append(codec: Codec, bytes: &[u8], out: &mut Vec<u8>) {
    out.extend(
        bytes
            .iter()
            .flat_map(|byte| codec.decode(*byte).to_le_bytes()),
    );
}

impl Wav {
    /// Reads a file. A size that reaches past the end, or 0, means up to the end.
    pub fn parse(file: &[u8]) -> Result<Wav, WavError> {
        let riff = file
            .get(..12)
            .filter(|riff| riff.starts_with(b"RIFF") && riff.ends_with(b"WAVE"));
        riff.ok_or(WavError::NotWav)?;
        let mut rest = &file[12..];
        let mut format = None;
        while let Some((head, body)) = rest.split_first_chunk::<8>() {
            let size = u32::from_le_bytes([head[4], head[5], head[6], head[7]]) as usize;
            let chunk = &body[..size.min(body.len())];
            if head.starts_with(b"fmt ") {
                format = Some(Format::parse(chunk)?);
            }
            if head.starts_with(b"data") {
                let format = format.ok_or(WavError::NoFormat)?;
                let samples = if size == 0 { body } else { chunk };
                return Ok(format.wav(samples));
            }
            // Chunks begin at even places.
            rest = body
                .get(size.saturating_add(size % 2)..)
                .unwrap_or_default();
        }
        Err(if format.is_some() {
            WavError::NoData
        } else {
            WavError::NoFormat
        })
    }

    /// One channel's samples, counted from 0.
    pub fn channel(&self, index: u16) -> Vec<i16> {
        self.samples
            .iter()
            .skip(index.into())
            .step_by(self.channels.max(1).into())
            .copied()
            .collect()
    }
}

#[derive(Clone, Copy)]
struct Format {
    channels: u16,
    sample_rate: u32,
}

impl Format {
    fn parse(chunk: &[u8]) -> Result<Format, WavError> {
        let chunk = chunk.first_chunk::<16>().ok_or(WavError::NoFormat)?;
        let word = |at: usize| u16::from_le_bytes([chunk[at], chunk[at + 1]]);
        let (format, bits) = (word(0), word(14));
        if (format, bits) != (1, 16) || word(2) == 0 {
            return Err(WavError::Format { format, bits });
        }
        let sample_rate = u32::from_le_bytes([chunk[4], chunk[5], chunk[6], chunk[7]]);
        Ok(Format {
            channels: word(2),
            sample_rate,
        })
    }

    fn wav(self, samples: &[u8]) -> Wav {
        let samples = samples
            .chunks_exact(2)
            .map(|pair| i16::from_le_bytes([pair[0], pair[1]]));
        Wav {
            channels: self.channels,
            sample_rate: self.sample_rate,
            samples: samples.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(channels: u16, data_bytes: u32, samples: &[i16]) -> Vec<u8> {
        let mut file = header(channels, data_bytes).to_vec();
        file.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
        file
    }

    #[test]
    fn what_is_written_is_read() {
        let wav = Wav::parse(&file(2, 8, &[1, -1, 2, -2])).expect("a WAV file");
        assert_eq!((wav.channels, wav.sample_rate), (2, 8_000));
        assert_eq!(wav.channel(0), [1, 2]);
        assert_eq!(wav.channel(1), [-1, -2]);
    }

    #[test]
    fn an_unfinished_file_is_read_to_its_end() {
        let wav = Wav::parse(&file(1, 0, &[5, 6])).expect("a WAV file");
        assert_eq!(wav.samples, [5, 6]);
        assert_eq!(
            Wav::parse(&file(1, 999, &[5])).expect("a WAV file").samples,
            [5]
        );
    }

    #[test]
    fn other_chunks_are_skipped_and_damage_is_told() {
        let mut with_list = file(1, 2, &[])[..36].to_vec();
        with_list.extend(b"LIST\x03\0\0\0abc\0data\x02\0\0\0\x07\0");
        assert_eq!(Wav::parse(&with_list).expect("a WAV file").samples, [7]);
        assert_eq!(Wav::parse(b"RIFF"), Err(WavError::NotWav));
        assert_eq!(Wav::parse(&file(1, 2, &[])[..20]), Err(WavError::NoFormat));
        assert_eq!(Wav::parse(&file(1, 2, &[])[..36]), Err(WavError::NoData));
        let mut float = file(1, 2, &[1]);
        float[20] = 3;
        assert_eq!(
            Wav::parse(&float),
            Err(WavError::Format {
                format: 3,
                bits: 16
            })
        );
    }

    #[test]
    fn companded_bytes_become_samples() {
        let mut out = Vec::new();
        append(Codec::Pcmu, &[0xff, 0x80], &mut out);
        assert_eq!(out, [0, 0, 0x7c, 0x7d]);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(at in 0usize..44, bytes in prop::collection::vec(any::<u8>(), 0..24)) {
            let mut file = file(2, 8, &[1, 2, 3, 4]);
            for (at, byte) in (at..).zip(bytes) {
                if let Some(place) = file.get_mut(at) {
                    *place = byte;
                }
            }
            let _ = Wav::parse(&file);
        }
    }
}
