//! One part of what is said, and where its audio file lies.

use std::path::{Component, Path, PathBuf};

use super::error::PromptError;
use crate::below::below;

/// One part of what is said.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Segment {
    /// Text to be spoken as it stands; markup in it is not obeyed.
    Text {
        /// At most [`TEXT_LIMIT`](super::TEXT_LIMIT) characters.
        text: String,
        /// BCP 47, such as `en`, `zh-CN`.
        language: String,
        /// A voice of the speech program; the language's when none is given.
        voice: Option<String>,
    },
    /// An audio file of the project.
    Audio {
        /// Below the project's folder, with `/` between names.
        path: String,
    },
}

/// The file of an audio path, which must be a regular file below the project's folder.
///
/// Symbolic links are followed and must end below the folder, too.
pub(super) fn locate(project: &Path, path: &str) -> Result<PathBuf, PromptError> {
    let outside = || PromptError::OutsideProject {
        path: path.to_owned(),
    };
    let missing = || PromptError::Missing {
        path: path.to_owned(),
    };
    let relative = Path::new(path);
    let normal = relative
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    // `\` is a separator on other systems: refused, so that a project means the same everywhere.
    if path.is_empty() || !normal || path.contains(['\\', '\0']) {
        return Err(outside());
    }
    let unreadable = |cause: std::io::Error| match cause.kind() {
        std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => missing(),
        _ => PromptError::Unreadable {
            path: path.to_owned(),
            cause: cause.to_string(),
        },
    };
    let file = below(project, relative)
        .map_err(unreadable)?
        .ok_or_else(outside)?;
    if file.metadata().map_err(unreadable)?.is_file() {
        Ok(file)
    } else {
        Err(missing())
    }
}
