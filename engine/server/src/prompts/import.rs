//! An audio file of the project, or what a speech program wrote, to 8 kHz samples.
//!
//! Everything here blocks and belongs on a blocking thread.

use std::fs::File;
use std::io::{Cursor, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use strowger_voice::clip::Clip;
use strowger_voice::g711::Codec;
use symphonia::core::io::MediaSource;

use super::decode::{Decoder, Length, MINUTES_LIMIT};
use super::encode::{encode, quantise, transcode};
use super::error::PromptError;
use super::fault::Fault;
use super::loudness::{self, Loudness};
use super::resample::Resampler;
use super::segment;

/// The clip of an audio file below the project's folder.
pub fn file(
    project: &Path,
    path: &str,
    loudness: Loudness,
    codec: Codec,
) -> Result<Clip, PromptError> {
    let file = segment::locate(project, path)?;
    let unreadable = |cause: std::io::Error| PromptError::Unreadable {
        path: path.to_owned(),
        cause: cause.to_string(),
    };
    let audio = |fault| PromptError::Audio {
        path: path.to_owned(),
        fault,
    };
    let source = File::open(&file).map_err(unreadable)?;
    let bytes = source.metadata().map_err(unreadable)?.len();
    if bytes > FILE_LIMIT {
        return Err(audio(Fault::TooLarge {
            bytes,
            limit: FILE_LIMIT,
        }));
    }
    let extension = file
        .extension()
        .and_then(|extension| extension.to_str())
        .map(str::to_ascii_lowercase);
    if let Some(law) = extension.as_deref().and_then(raw_law) {
        let mut raw = Vec::with_capacity(bytes as usize);
        source
            .take(FILE_LIMIT)
            .read_to_end(&mut raw)
            .map_err(unreadable)?;
        if raw.is_empty() {
            return Err(audio(Fault::Empty));
        }
        if raw.len() as u64 > MINUTES_LIMIT * 60 * u64::from(strowger_voice::SAMPLE_RATE) {
            return Err(audio(Fault::TooLong {
                limit_minutes: MINUTES_LIMIT,
            }));
        }
        return Ok(transcode(law, codec, &raw));
    }
    let mut samples =
        sound(Box::new(source), extension.as_deref(), Length::Declared).map_err(audio)?;
    if loudness == Loudness::Even {
        loudness::even(&mut samples);
    }
    Ok(encode(codec, &quantise(&samples)))
}

/// Samples at 8 kHz of what a speech program wrote: any format that files may have, as a rule wav.
pub fn speech(bytes: Vec<u8>) -> Result<Vec<f32>, Fault> {
    sound(Box::new(Cursor::new(bytes)), None, Length::Open)
}

/// Samples at 8 kHz. The decoders are not ours: one that panics on a damaged file has found it damaged.
fn sound(
    source: Box<dyn MediaSource>,
    extension: Option<&str>,
    length: Length,
) -> Result<Vec<f32>, Fault> {
    // Nothing of a decoder that panicked is used again.
    let decoded = catch_unwind(AssertUnwindSafe(|| decode(source, extension, length)));
    decoded.unwrap_or_else(|_| Err(Fault::UnknownFormat("its decoder failed on it".to_owned())))
}

fn decode(
    source: Box<dyn MediaSource>,
    extension: Option<&str>,
    length: Length,
) -> Result<Vec<f32>, Fault> {
    let mut decoder = Decoder::open(source, extension, length)?;
    let mut resampler = Resampler::new(decoder.rate())?;
    let mut mono = Vec::new();
    while decoder.next(&mut mono)? {
        resampler.push(&mono)?;
    }
    resampler.finish()
}

/// The law of a raw G.711 file, by the usual extensions.
fn raw_law(extension: &str) -> Option<Codec> {
    match extension {
        "ulaw" | "ul" | "mulaw" | "pcmu" => Some(Codec::Pcmu),
        "alaw" | "al" | "pcma" => Some(Codec::Pcma),
        _ => None,
    }
}

/// Largest audio file, in bytes: 30 minutes of 16-bit mono at 18 kHz, or of anything compressed.
pub const FILE_LIMIT: u64 = 64 * 1024 * 1024;
