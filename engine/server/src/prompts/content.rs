//! What decides how a prompt sounds: the same in all revisions of a tenant that have it.

use super::loudness::Loudness;

/// What decides how a prompt sounds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Content {
    /// A text as it is spoken.
    Text {
        text: String,
        language: String,
        voice: Option<String>,
    },
    /// The bytes of an audio file, and how they are read.
    File {
        /// Lower-case hexadecimal.
        sha256: String,
        /// In small letters: it tells raw sound, and helps to tell other formats.
        extension: Option<String>,
        loudness: Loudness,
    },
}

impl Content {
    /// Bytes of its name.
    pub fn name_bytes(&self) -> usize {
        match self {
            Content::Text { text, .. } => text.len(),
            Content::File { sha256, .. } => sha256.len(),
        }
    }
}
