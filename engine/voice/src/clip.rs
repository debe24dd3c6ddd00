//! Audio that is ready to be sent: whole 20 ms frames in the codec of the wire.

use std::f32::consts::TAU;
use std::sync::Arc;

use crate::g711::Codec;
use crate::{FRAME_MS, FRAME_SAMPLES, SAMPLE_RATE};

/// A prompt, or part of one, as payloads: playing it is copying it.
///
/// The last frame is filled up with silence. Cloning shares the bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct Clip {
    codec: Codec,
    frames: Arc<[u8]>,
}

impl Clip {
    /// A clip of G.711 bytes; the last frame is filled up with silence.
    pub fn new(codec: Codec, bytes: &[u8]) -> Clip {
        let whole = bytes.len().next_multiple_of(FRAME_SAMPLES);
        let padding = std::iter::repeat_n(codec.silence(), whole - bytes.len());
        Clip {
            codec,
            frames: bytes.iter().copied().chain(padding).collect(),
        }
    }

    /// A clip of linear 16-bit samples at 8 kHz, one channel.
    pub fn of_samples(codec: Codec, samples: &[i16]) -> Clip {
        let bytes: Vec<u8> = samples.iter().map(|sample| codec.encode(*sample)).collect();
        Clip::new(codec, &bytes)
    }

    /// Silence of at least this length, in milliseconds.
    pub fn silence(codec: Codec, duration_ms: u32) -> Clip {
        let frames = duration_ms.div_ceil(FRAME_MS) as usize;
        Clip {
            codec,
            frames: std::iter::repeat_n(codec.silence(), frames * FRAME_SAMPLES).collect(),
        }
    }

    /// A sine of `hertz` at `level_db` below full scale (for instance -12), with 5 ms ramps against clicks.
    pub fn tone(codec: Codec, hertz: f32, duration_ms: u32, level_db: f32) -> Clip {
        let length = (SAMPLE_RATE / 1000 * duration_ms) as usize;
        let ramp = (SAMPLE_RATE / 200) as usize;
        let peak = f32::from(i16::MAX) * 10f32.powf(level_db.min(0.0) / 20.0);
        let samples: Vec<i16> = (0..length)
            .map(|at| {
                let gain = (at.min(length - 1 - at) as f32 / ramp as f32).min(1.0);
                (peak * gain * (TAU * hertz * at as f32 / SAMPLE_RATE as f32).sin()) as i16
            })
            .collect();
        Clip::of_samples(codec, &samples)
    }

    /// The codec of the frames.
    pub fn codec(&self) -> Codec {
        self.codec
    }

    /// All frames, one after the other: 160 bytes each.
    pub fn bytes(&self) -> &[u8] {
        &self.frames
    }

    /// How many frames of 20 ms.
    pub fn len(&self) -> usize {
        self.frames.len() / FRAME_SAMPLES
    }

    /// Whether there is nothing to play.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// The frame at `index`, counted from 0; none past the end.
    pub fn frame(&self, index: usize) -> Option<&[u8; FRAME_SAMPLES]> {
        let start = index.checked_mul(FRAME_SAMPLES)?;
        self.frames
            .get(start..start.checked_add(FRAME_SAMPLES)?)?
            .try_into()
            .ok()
    }

    /// Length in milliseconds, the silence that fills the last frame included.
    pub fn duration_ms(&self) -> u64 {
        self.len() as u64 * u64::from(FRAME_MS)
    }
}

impl std::fmt::Debug for Clip {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Clip({:?}, {} ms)", self.codec, self.duration_ms())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_frame_is_filled_with_silence() {
        let clip = Clip::new(Codec::Pcma, &[0x11; 161]);
        assert_eq!(clip.len(), 2);
        assert_eq!(clip.duration_ms(), 40);
        let last = clip.frame(1).expect("two frames");
        assert_eq!(last[0], 0x11);
        assert!(last[1..].iter().all(|byte| *byte == 0xd5));
        assert_eq!(clip.frame(2), None);
        assert_eq!(clip.frame(usize::MAX), None);
    }

    #[test]
    fn nothing_is_an_empty_clip() {
        let clip = Clip::new(Codec::Pcmu, &[]);
        assert!(clip.is_empty());
        assert_eq!(clip.duration_ms(), 0);
        assert_eq!(clip.frame(0), None);
    }

    #[test]
    fn a_tone_has_the_asked_length_and_level() {
        let tone = Clip::tone(Codec::Pcmu, 1_000.0, 200, -12.0);
        assert_eq!(tone.duration_ms(), 200);
        let peak = tone
            .bytes()
            .iter()
            .map(|byte| Codec::Pcmu.decode(*byte).unsigned_abs())
            .max();
        assert!((7_800..8_700).contains(&peak.unwrap_or(0)), "{peak:?}");
        assert_eq!(Clip::tone(Codec::Pcmu, 440.0, 0, 0.0).len(), 0);
        assert_eq!(Clip::silence(Codec::Pcmu, 30).duration_ms(), 40);
    }
}
