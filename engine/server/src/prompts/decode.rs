//! Any audio file to mono samples, packet by packet.
//!
//! Streamed, so that a long file at a high rate never stands in memory whole before it is resampled.

use symphonia::core::codecs::audio::{AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatReader, TrackType};
use symphonia::core::io::{MediaSource, MediaSourceStream};

use super::fault::Fault;

/// Whether the header's length is to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// A file: less than promised means that it was cut off.
    Declared,
    /// A pipe: who wrote the header did not know the length.
    Open,
}

/// Reads one audio stream as mono samples at its own rate.
///
/// Several channels become one by their average.
pub struct Decoder {
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track: u32,
    rate: u32,
    /// How many, as the header says; 1 where it does not.
    channels: u64,
    /// The unit of a packet's duration, as a part of a second: numerator and denominator.
    tick: (u32, u32),
    /// Frames that the header promises, where that is exact.
    promised: Option<u64>,
    length: Length,
    frames: u64,
    /// Decoded so far, of all channels.
    samples: u64,
    damaged: u32,
    interleaved: Vec<f32>,
}

impl Decoder {
    /// Finds out the format by content; `extension` (without the dot) only helps.
    pub fn open(
        source: Box<dyn MediaSource>,
        extension: Option<&str>,
        length: Length,
    ) -> Result<Decoder, Fault> {
        let stream = MediaSourceStream::new(source, Default::default());
        let mut hint = Hint::new();
        if let Some(extension) = extension {
            hint.with_extension(extension);
        }
        let format = symphonia::default::get_probe()
            .probe(&hint, stream, Default::default(), Default::default())
            .map_err(|error| Fault::UnknownFormat(told(&error)))?;
        let track = format
            .default_track(TrackType::Audio)
            .or_else(|| format.first_track(TrackType::Audio))
            .ok_or_else(|| Fault::UnknownFormat("no audio track".to_owned()))?;
        let Some(parameters) = track
            .codec_params
            .as_ref()
            .and_then(|parameters| parameters.audio())
        else {
            return Err(Fault::UnknownCodec("unknown".to_owned()));
        };
        // Verification compares FLAC's checksum of the whole sound.
        let decoder = symphonia::default::get_codecs()
            .make_audio_decoder(parameters, &AudioDecoderOptions::default().verify(true))
            .map_err(|error| Fault::UnknownCodec(told(&error)))?;
        let rate = parameters
            .sample_rate
            .ok_or_else(|| Fault::UnknownFormat("no sample rate".to_owned()))?;
        if !RATES.contains(&rate) {
            return Err(Fault::SampleRate(rate));
        }
        // Without an encoder's tag the length of an mp3 is an estimate.
        let exact = format.format_info().short_name != "mp3" || track.delay.is_some();
        // A program that writes wav to a pipe promises hours, because it does not know.
        let credible = PROMISE_LIMIT_MINUTES * 60 * u64::from(rate);
        let said = track.num_frames.filter(|_| exact);
        let promised = said.filter(|frames| *frames <= credible);
        let channels = parameters.channels.as_ref();
        let channels = channels.map_or(1, |channels| channels.count().max(1)) as u64;
        let tick = track
            .time_base
            .map_or((1, rate), |base| (base.numer.get(), base.denom.get()));
        let track = track.id;
        // Told by the header, before anything is decoded: a small file may unpack to hours of work. That of wav is believed as
        // far as it is credible.
        let wave = format.format_info().short_name == "wave";
        if length == Length::Declared
            && let Some(frames) = if wave { promised } else { said }
        {
            fits(frames, rate, channels)?;
        }
        Ok(Decoder {
            format,
            decoder,
            track,
            rate,
            channels,
            tick,
            promised,
            length,
            frames: 0,
            samples: 0,
            damaged: 0,
            interleaved: Vec::new(),
        })
    }

    /// Samples a second.
    pub fn rate(&self) -> u32 {
        self.rate
    }

    /// Puts the next samples, between -1 and 1 as a rule, into `mono`; false at the end.
    pub fn next(&mut self, mono: &mut Vec<f32>) -> Result<bool, Fault> {
        mono.clear();
        loop {
            let packet = match self.format.next_packet() {
                Ok(Some(packet)) => packet,
                Ok(None) => return self.end(),
                Err(Error::IoError(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                    return self.end();
                }
                Err(error) => return Err(self.corrupt(told(&error))),
            };
            if packet.track_id != self.track {
                continue;
            }
            match self.decoder.decode(&packet) {
                Ok(sound) => {
                    let channels = sound.spec().channels().count();
                    if sound.spec().rate() != self.rate || channels == 0 {
                        return Err(self.corrupt("the sample rate changes".to_owned()));
                    }
                    self.interleaved.clear();
                    sound.copy_to_vec_interleaved(&mut self.interleaved);
                    average(&self.interleaved, channels, mono);
                }
                // An mp3 cut out of a longer one begins with frames that lean on what is missing.
                Err(Error::DecodeError(_)) if self.frames == 0 && self.damaged < LEADING_DAMAGE => {
                    self.damaged += 1;
                    continue;
                }
                Err(error) => return Err(self.corrupt(told(&error))),
            }
            self.frames += mono.len() as u64;
            self.samples += self.interleaved.len() as u64;
            fits(self.frames, self.rate, 1)?;
            if self.samples > SAMPLES_LIMIT {
                return Err(too_many_samples(self.rate, self.channels));
            }
            if !mono.is_empty() {
                return Ok(true);
            }
        }
    }

    /// How long it plays, in milliseconds, rounded up: of wav by its header, of all else by its packets, which are read
    /// and not decoded. Never less than what [`next`](Self::next) gives.
    pub fn plays_ms(mut self) -> Result<u64, Fault> {
        if let (Some(frames), "wave") = (self.promised, self.format.format_info().short_name) {
            self.frames = frames;
        } else {
            self.count()?;
        }
        if self.frames == 0 {
            return Err(Fault::Empty);
        }
        fits(self.frames, self.rate, self.channels)?;
        Ok((self.frames * 1_000).div_ceil(u64::from(self.rate)))
    }

    /// Counts the frames of all packets.
    fn count(&mut self) -> Result<(), Fault> {
        loop {
            let packet = match self.format.next_packet() {
                Ok(Some(packet)) => packet,
                Ok(None) => return Ok(()),
                Err(Error::IoError(error)) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                    return Ok(());
                }
                Err(error) => return Err(self.corrupt(told(&error))),
            };
            if packet.track_id != self.track {
                continue;
            }
            // Without what an encoder added: decoding cuts that off.
            let (numer, denom) = self.tick;
            let frames = u128::from(packet.dur.get()) * u128::from(numer) * u128::from(self.rate);
            let frames = frames.div_ceil(u128::from(denom));
            self.frames = u64::try_from(frames)
                .ok()
                .and_then(|frames| self.frames.checked_add(frames))
                .ok_or(TOO_LONG)?;
            fits(self.frames, self.rate, self.channels)?;
        }
    }

    fn end(&mut self) -> Result<bool, Fault> {
        if self.length == Length::Declared
            && let Some(promised) = self.promised
            && self.frames + u64::from(self.rate) / 100 < promised
        {
            let promised_ms = promised.saturating_mul(1_000) / u64::from(self.rate);
            return Err(Fault::Truncated {
                have_ms: self.milliseconds(),
                promised_ms,
            });
        }
        if self.decoder.finalize().verify_ok == Some(false) {
            return Err(self.corrupt("checksum differs".to_owned()));
        }
        if self.frames == 0 {
            Err(Fault::Empty)
        } else {
            Ok(false)
        }
    }

    fn corrupt(&self, cause: String) -> Fault {
        Fault::Corrupt {
            at_ms: self.milliseconds(),
            cause,
        }
    }

    fn milliseconds(&self) -> u64 {
        self.frames * 1_000 / u64::from(self.rate)
    }
}

/// Longest prompt, in minutes: half an hour of hold music, 14 MB in memory per codec.
pub const MINUTES_LIMIT: u64 = 30;

/// Most samples of a prompt before they are resampled, all channels counted: half an hour in stereo at 48 kHz. Decoding takes
/// its time by these: without the limit half an hour at 384 kHz in eight channels would take as long as 32 of them.
pub const SAMPLES_LIMIT: u64 = MINUTES_LIMIT * 60 * 48_000 * 2;

/// Whether so many frames are few enough for a prompt.
fn fits(frames: u64, rate: u32, channels: u64) -> Result<(), Fault> {
    if frames > MINUTES_LIMIT * 60 * u64::from(rate) {
        return Err(TOO_LONG);
    }
    match frames.saturating_mul(channels) > SAMPLES_LIMIT {
        true => Err(too_many_samples(rate, channels)),
        false => Ok(()),
    }
}

fn too_many_samples(rate: u32, channels: u64) -> Fault {
    Fault::TooManySamples {
        limit: SAMPLES_LIMIT,
        rate,
        channels,
    }
}

const TOO_LONG: Fault = Fault::TooLong {
    limit_minutes: MINUTES_LIMIT,
};

/// Longest length that is believed of a header, in minutes; a whole file of this length is refused anyway.
const PROMISE_LIMIT_MINUTES: u64 = 2 * MINUTES_LIMIT;

/// Sample rates that are taken, in hertz: from bad telephones to the highest of studio equipment.
const RATES: std::ops::RangeInclusive<u32> = 4_000..=384_000;

/// How many undecodable packets an mp3 may begin with: its bit reservoir reaches back at most this far.
const LEADING_DAMAGE: u32 = 4;

/// Averages the channels; what is not a number is silence.
fn average(interleaved: &[f32], channels: usize, mono: &mut Vec<f32>) {
    mono.extend(interleaved.chunks_exact(channels).map(|frame| {
        let sample = frame.iter().sum::<f32>() / channels as f32;
        if sample.is_finite() { sample } else { 0.0 }
    }));
}

fn told(error: &Error) -> String {
    match error {
        Error::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            "it ends too early".to_owned()
        }
        error => error.to_string(),
    }
}
