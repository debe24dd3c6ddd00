//! What all tenants of a process make prompts with: the speech program, and turns at it and at decoding.

use std::sync::Arc;

use super::synth::{SynthConfig, Synthesizer};
use crate::turns::Turns;

/// What all tenants of a process make prompts with.
pub struct Studio {
    pub(super) synth: Synthesizer,
    /// At reading and decoding files.
    pub(super) imports: Turns,
}

impl Studio {
    /// Starts nothing yet.
    pub fn new(synth: SynthConfig) -> Arc<Studio> {
        Arc::new(Studio {
            synth: Synthesizer::new(synth),
            imports: Turns::new(IMPORTS_AT_ONCE, IMPORTS_AT_ONCE),
        })
    }
}

/// Audio files decoded at once: one core stays free for the rest.
const IMPORTS_AT_ONCE: usize = 2;
