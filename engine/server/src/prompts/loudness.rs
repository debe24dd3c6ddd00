//! Prompts of one loudness, wherever they were recorded.

use ebur128::{EbuR128, Mode};

use strowger_voice::SAMPLE_RATE;

/// What to do with the level of audio files.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Deserialize, serde::Serialize,
)]
#[serde(rename_all = "lowercase")]
pub enum Loudness {
    /// Bring every file to about -20 LUFS with peaks of at most -3 dBTP. The default.
    #[default]
    Even,
    /// Leave files as they are: 8 kHz mono 16-bit samples reach the wire without any processing.
    Keep,
}

/// Brings 8 kHz mono samples to about [`TARGET_LUFS`], peaks at most [`PEAK_DBTP`] (EBU R 128, ITU-R BS.1770).
///
/// Near-silence stays as it is, and nothing is raised by more than [`BOOST_LIMIT_DB`], so that the hiss of
/// an empty recording does not become a prompt.
pub fn even(samples: &mut [f32]) {
    let Some((loudness, peak)) = measure(samples) else {
        return;
    };
    if peak < SILENCE {
        return;
    }
    let gain_db = (TARGET_LUFS - loudness)
        .min(BOOST_LIMIT_DB)
        .min(PEAK_DBTP - 20.0 * peak.log10());
    let gain = 10f64.powf(gain_db / 20.0) as f32;
    for sample in samples {
        *sample *= gain;
    }
}

/// Loudness in LUFS and true peak (1 is full scale) of 8 kHz mono samples; none when there is nothing to measure.
pub fn measure(samples: &[f32]) -> Option<(f64, f64)> {
    let mut meter = EbuR128::new(1, SAMPLE_RATE, Mode::I | Mode::TRUE_PEAK).ok()?;
    if samples.is_empty() {
        return None;
    }
    // A loudness block is 400 ms: a shorter sound is measured as if it went on.
    let mut fed = 0;
    while fed < samples.len().max(BLOCK) {
        meter.add_frames_f32(samples).ok()?;
        fed += samples.len();
    }
    let loudness = meter
        .loudness_global()
        .ok()
        .filter(|loudness| loudness.is_finite())?;
    Some((loudness, meter.true_peak(0).ok()?))
}

/// Loudness of a prompt, in LUFS: that of a person speaking normally on the telephone network.
pub const TARGET_LUFS: f64 = -20.0;

/// Highest true peak, in dB below full scale: room for codecs on the way.
pub const PEAK_DBTP: f64 = -3.0;

/// Most that a sound is raised, in dB.
pub const BOOST_LIMIT_DB: f64 = 20.0;

/// True peak below which a sound is silence: -60 dB.
const SILENCE: f64 = 0.001;

/// Samples in two loudness blocks of 400 ms, which overlap by 75 %.
const BLOCK: usize = SAMPLE_RATE as usize * 8 / 10;
