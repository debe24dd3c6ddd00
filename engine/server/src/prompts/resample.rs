//! Any sample rate to the telephone's 8 kHz.

use rubato::audioadapter_buffers::direct::InterleavedSlice;
use rubato::{Fft, FixedSync, Indexing, Resampler as _};

use strowger_voice::SAMPLE_RATE;

use super::fault::Fault;

/// Brings mono samples from one rate to 8 kHz, taking out what 8 kHz cannot carry.
///
/// The result begins where the input begins: the filter's delay is cut off. Samples at 8 kHz pass untouched.
pub struct Resampler {
    rate: u32,
    filter: Option<Fft<f32>>,
    waiting: Vec<f32>,
    block: Vec<f32>,
    output: Vec<f32>,
    taken: u64,
    /// Output samples of the filter's delay still to be dropped.
    delay: usize,
}

impl Resampler {
    /// From `rate` samples a second.
    pub fn new(rate: u32) -> Result<Resampler, Fault> {
        let filter = if rate == SAMPLE_RATE {
            None
        } else {
            let (from, to) = (rate as usize, SAMPLE_RATE as usize);
            let filter = Fft::new_custom(
                from,
                to,
                from / BLOCKS_PER_SECOND,
                1,
                1,
                WINDOW,
                FixedSync::Input,
            );
            Some(filter.map_err(|_| Fault::SampleRate(rate))?)
        };
        let delay = filter.as_ref().map_or(0, |filter| filter.output_delay());
        let block = vec![
            0.0;
            filter
                .as_ref()
                .map_or(0, |filter| filter.output_frames_max())
        ];
        Ok(Resampler {
            rate,
            filter,
            waiting: Vec::new(),
            block,
            output: Vec::new(),
            taken: 0,
            delay,
        })
    }

    /// Takes the next samples.
    pub fn push(&mut self, samples: &[f32]) -> Result<(), Fault> {
        self.taken += samples.len() as u64;
        let Some(filter) = &self.filter else {
            self.output.extend_from_slice(samples);
            return Ok(());
        };
        let need = filter.input_frames_next();
        self.waiting.extend_from_slice(samples);
        let mut start = 0;
        while self.waiting.len() - start >= need {
            let block = self.waiting[start..start + need].to_vec();
            self.run(&block)?;
            start += need;
        }
        self.waiting.drain(..start);
        Ok(())
    }

    /// The whole sound at 8 kHz.
    pub fn finish(mut self) -> Result<Vec<f32>, Fault> {
        let expected =
            (self.taken * u64::from(SAMPLE_RATE)).div_ceil(u64::from(self.rate)) as usize;
        if self.filter.is_some() {
            let last = std::mem::take(&mut self.waiting);
            self.run(&last)?;
            // Silence behind the sound pushes its end through the filter.
            while self.output.len() < expected {
                self.run(&[])?;
            }
        }
        self.output.truncate(expected);
        Ok(self.output)
    }

    /// Runs one block, filled up with silence, through the filter.
    fn run(&mut self, samples: &[f32]) -> Result<(), Fault> {
        let Some(filter) = &mut self.filter else {
            return Ok(());
        };
        let broken = |cause: &dyn std::fmt::Display| Fault::Corrupt {
            at_ms: 0,
            cause: format!("resampling: {cause}"),
        };
        let room = self.block.len();
        let input =
            InterleavedSlice::new(samples, 1, samples.len()).map_err(|error| broken(&error))?;
        let mut output =
            InterleavedSlice::new_mut(&mut self.block, 1, room).map_err(|error| broken(&error))?;
        let indexing = Indexing::new().partial_len(samples.len());
        let (_, made) = filter
            .process_into_buffer(&input, &mut output, Some(&indexing))
            .map_err(|error| broken(&error))?;
        let dropped = self.delay.min(made);
        self.delay -= dropped;
        self.output.extend_from_slice(&self.block[dropped..made]);
        Ok(())
    }
}

/// Filter blocks in a second of sound: 1,000 samples each at 8 kHz, steep enough to keep 3.4 kHz and stop 4 kHz.
const BLOCKS_PER_SECOND: usize = 8;

/// Window of the anti-alias filter: more than 90 dB of attenuation.
const WINDOW: rubato::WindowFunction = rubato::WindowFunction::BlackmanHarris2;
