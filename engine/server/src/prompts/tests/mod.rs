//! The prompt pipeline at its boundary: files and texts in, frames out.

use std::f64::consts::TAU;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use strowger_voice::clip::Clip;

mod files;
mod pace;
mod serving;
mod speech;

/// A folder that goes away with its value.
pub(super) struct Folder {
    pub path: PathBuf,
}

impl Folder {
    /// An empty one.
    pub fn new() -> Folder {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("strowger-prompts-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("the folder for temporary files is writable");
        Folder { path }
    }

    /// Puts a file into it.
    pub fn put(&self, name: &str, bytes: &[u8]) {
        let path = self.path.join(name);
        std::fs::create_dir_all(path.parent().expect("below the folder")).expect("writable");
        std::fs::write(path, bytes).expect("writable");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// What a telephone would play.
fn heard(clip: &Clip) -> Vec<f64> {
    clip.bytes()
        .iter()
        .map(|byte| f64::from(clip.codec().decode(*byte)) / 32_768.0)
        .collect()
}

/// Amplitude of one frequency (Goertzel), 1 for a full-scale sine.
fn tone(samples: &[f64], hertz: f64) -> f64 {
    let turn = 2.0 * (TAU * hertz / 8_000.0).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in samples {
        (last, before) = (sample + turn * last - before, last);
    }
    let power = last * last + before * before - turn * last * before;
    2.0 * power.max(0.0).sqrt() / samples.len() as f64
}

/// A level in dB below full scale.
fn db(amplitude: f64) -> f64 {
    20.0 * amplitude.max(1e-9).log10()
}

/// Root of the mean square.
fn level(samples: &[f64]) -> f64 {
    (samples.iter().map(|sample| sample * sample).sum::<f64>() / samples.len().max(1) as f64).sqrt()
}

/// A wav file of 16-bit samples, frame by frame.
fn wav(rate: u32, channels: u16, samples: &[i16]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let length = samples.len() as u32 * 2;
    bytes.extend(b"RIFF");
    bytes.extend((36 + length).to_le_bytes());
    bytes.extend(b"WAVEfmt ");
    bytes.extend(16u32.to_le_bytes());
    bytes.extend(1u16.to_le_bytes());
    bytes.extend(channels.to_le_bytes());
    bytes.extend(rate.to_le_bytes());
    bytes.extend((rate * u32::from(channels) * 2).to_le_bytes());
    bytes.extend((channels * 2).to_le_bytes());
    bytes.extend(16u16.to_le_bytes());
    bytes.extend(b"data");
    bytes.extend(length.to_le_bytes());
    bytes.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
    bytes
}

/// A sine of `amplitude` (1 is full scale) as 16-bit samples.
fn sine(rate: u32, hertz: f64, amplitude: f64, ms: u32) -> Vec<i16> {
    (0..u64::from(rate) * u64::from(ms) / 1_000)
        .map(|at| {
            (amplitude * 32_767.0 * (TAU * hertz * at as f64 / f64::from(rate)).sin()).round()
                as i16
        })
        .collect()
}
