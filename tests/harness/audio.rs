//! What a caller hears, and what he should.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use strowger_server::prompts::{
    Loudness, Prompts as Pipeline, PromptsConfig, Segment, SynthConfig,
};
use strowger_voice::FRAME_SAMPLES;
use strowger_voice::clip::Clip;
use strowger_voice::g711::Codec;

/// Makes the clips that a project's prompts should sound like.
pub struct Prompts {
    pipeline: Pipeline,
    runtime: tokio::runtime::Runtime,
}

impl Prompts {
    /// For a project whose files are evened in loudness.
    pub fn new(project: &Path, cache: &Path) -> Result<Prompts> {
        let pipeline = Pipeline::new(PromptsConfig {
            project_dir: project.to_owned(),
            cache_dir: Some(cache.to_owned()),
            synth: SynthConfig::default(),
            loudness: Loudness::Even,
        });
        Ok(Prompts {
            pipeline,
            runtime: tokio::runtime::Runtime::new()?,
        })
    }

    /// A text, as it is spoken.
    pub fn text(&self, language: &str, text: &str) -> Result<Arc<Clip>> {
        let segment = Segment::Text {
            text: text.into(),
            language: language.into(),
            voice: None,
        };
        self.runtime
            .block_on(self.pipeline.clip(&segment, Codec::Pcmu))
            .with_context(|| text.to_owned())
    }

    /// An audio file.
    pub fn audio(&self, path: &str) -> Result<Arc<Clip>> {
        let segment = Segment::Audio { path: path.into() };
        self.runtime
            .block_on(self.pipeline.clip(&segment, Codec::Pcmu))
            .with_context(|| path.to_owned())
    }
}

/// Everything that came in, in order.
#[derive(Debug, Default)]
pub struct Ear {
    frames: Vec<Vec<u8>>,
    /// How many frames of it are accounted for.
    heard: usize,
}

impl Ear {
    /// Takes a packet's payload.
    pub fn take(&mut self, payload: &[u8]) {
        self.frames.push(payload.to_vec());
    }

    /// How many frames came in.
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether nothing came in.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Whether a clip has come in whole, byte for byte, after what was heard before; then it counts as heard.
    pub fn hears(&mut self, clip: &Clip) -> bool {
        let wanted = clip.len();
        let found = (self.heard..)
            .take_while(|start| start + wanted <= self.frames.len())
            .find(|start| {
                (0..wanted).all(|index| {
                    clip.frame(index)
                        .is_some_and(|frame| self.frames[start + index] == frame)
                })
            });
        match found {
            Some(start) => {
                self.heard = start + wanted;
                true
            }
            None => false,
        }
    }

    /// Whether the first that ever came in is this clip, whole.
    pub fn begins_with(&self, clip: &Clip) -> bool {
        let wanted = (0..clip.len()).filter_map(|index| clip.frame(index));
        self.frames.len() >= clip.len()
            && wanted
                .zip(&self.frames)
                .all(|(wanted, frame)| frame == wanted)
    }

    /// The longest beginning of a clip that has come in, in frames: for the message of a failed test.
    pub fn nearest(&self, clip: &Clip) -> usize {
        let matching = |start: usize| {
            (0..clip.len())
                .take_while(|index| {
                    let frame = self.frames.get(start + index);
                    frame.is_some_and(|frame| {
                        clip.frame(*index).is_some_and(|wanted| frame == wanted)
                    })
                })
                .count()
        };
        (self.heard..self.frames.len())
            .map(matching)
            .max()
            .unwrap_or(0)
    }

    /// Whether something other than whole frames came in.
    pub fn odd_frames(&self) -> usize {
        self.frames
            .iter()
            .filter(|frame| frame.len() != FRAME_SAMPLES)
            .count()
    }
}
