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

use super::content::Content;
use super::decode::{Decoder, Length, MINUTES_LIMIT};
use super::encode::{encode, quantise, transcode};
use super::error::PromptError;
use super::fault::Fault;
use super::loudness::{self, Loudness};
use super::resample::Resampler;
use super::segment;
use crate::digest;

/// The clip of an audio file below the project's folder.
pub fn file(
    project: &Path,
    path: &str,
    loudness: Loudness,
    codec: Codec,
) -> Result<Clip, PromptError> {
    let Opened {
        source,
        bytes,
        extension,
    } = open(project, path)?;
    let audio = |fault| PromptError::Audio {
        path: path.to_owned(),
        fault,
    };
    if let Some(law) = extension.as_deref().and_then(raw_law) {
        raw_ms(bytes).map_err(audio)?;
        let mut raw = Vec::with_capacity(bytes as usize);
        source
            .take(bytes)
            .read_to_end(&mut raw)
            .map_err(|cause| unreadable(path, &cause))?;
        return Ok(transcode(law, codec, &raw));
    }
    let mut samples =
        sound(Box::new(source), extension.as_deref(), Length::Declared).map_err(audio)?;
    if loudness == Loudness::Even {
        loudness::even(&mut samples);
    }
    Ok(encode(codec, &quantise(&samples)))
}

/// What an audio file below the project's folder has in it.
pub(super) fn content(
    project: &Path,
    path: &str,
    loudness: Loudness,
) -> Result<Content, PromptError> {
    let Opened {
        source, extension, ..
    } = open(project, path)?;
    let sha256 = digest::of(source).map_err(|cause| unreadable(path, &cause))?;
    Ok(Content::File {
        sha256,
        extension,
        loudness,
    })
}

/// How long an audio file below the project's folder plays, in milliseconds: whole 20 ms frames, as they are sent.
///
/// Reads headers and packets and decodes nothing, so damage inside a packet is not seen.
pub fn plays_ms(project: &Path, path: &str) -> Result<u64, PromptError> {
    let Opened {
        source,
        bytes,
        extension,
    } = open(project, path)?;
    let ms = match extension.as_deref().and_then(raw_law) {
        Some(_) => raw_ms(bytes),
        None => guarded(|| {
            Decoder::open(Box::new(source), extension.as_deref(), Length::Declared)?.plays_ms()
        }),
    };
    let frame = u64::from(strowger_voice::FRAME_MS);
    match ms {
        Ok(ms) => Ok(ms.next_multiple_of(frame)),
        Err(fault) => Err(PromptError::Audio {
            path: path.to_owned(),
            fault,
        }),
    }
}

/// An audio file that is not too large.
struct Opened {
    source: File,
    bytes: u64,
    /// In small letters, without the dot.
    extension: Option<String>,
}

fn open(project: &Path, path: &str) -> Result<Opened, PromptError> {
    let file = segment::locate(project, path)?;
    let source = File::open(&file).map_err(|cause| unreadable(path, &cause))?;
    let bytes = source
        .metadata()
        .map_err(|cause| unreadable(path, &cause))?
        .len();
    if bytes > FILE_LIMIT {
        return Err(PromptError::Audio {
            path: path.to_owned(),
            fault: Fault::TooLarge {
                bytes,
                limit: FILE_LIMIT,
            },
        });
    }
    let extension = file
        .extension()
        .and_then(|extension| extension.to_str())
        .map(str::to_ascii_lowercase);
    Ok(Opened {
        source,
        bytes,
        extension,
    })
}

fn unreadable(path: &str, cause: &std::io::Error) -> PromptError {
    PromptError::Unreadable {
        path: path.to_owned(),
        cause: cause.to_string(),
    }
}

/// How long raw G.711 of so many bytes plays, in milliseconds, rounded up.
fn raw_ms(bytes: u64) -> Result<u64, Fault> {
    let ms = (bytes * 1_000).div_ceil(u64::from(strowger_voice::SAMPLE_RATE));
    match ms {
        0 => Err(Fault::Empty),
        ms if ms > MINUTES_LIMIT * 60_000 => Err(Fault::TooLong {
            limit_minutes: MINUTES_LIMIT,
        }),
        ms => Ok(ms),
    }
}

/// Samples at 8 kHz of what a speech program wrote: any format that files may have, as a rule wav.
pub fn speech(bytes: Vec<u8>) -> Result<Vec<f32>, Fault> {
    sound(Box::new(Cursor::new(bytes)), None, Length::Open)
}

/// Samples at 8 kHz.
fn sound(
    source: Box<dyn MediaSource>,
    extension: Option<&str>,
    length: Length,
) -> Result<Vec<f32>, Fault> {
    guarded(|| decode(source, extension, length))
}

/// The decoders are not ours: one that panics on a damaged file has found it damaged.
fn guarded<T>(work: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    // Nothing of a decoder that panicked is used again.
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Fault::UnknownFormat("its decoder failed on it".to_owned())))
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
