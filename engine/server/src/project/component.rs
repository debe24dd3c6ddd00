//! A plugin's file: a project keeps its components below its own folder, so that it can be copied, packed and
//! served elsewhere as it is.

use std::fs::File;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use super::plugin::PluginConfig;
use crate::below::below;

/// Why a plugin's file cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ComponentFault {
    /// Its path is absolute, or climbs out of the project by `..` or by a link.
    #[error(
        "{path} lies outside the project; copy the component below the project's folder and name it from there, such \
         as `plugins/{name}`"
    )]
    Outside {
        /// As it stands in strowger.toml.
        path: String,
        /// The file's own name.
        name: String,
    },
    /// It is not there, or may not be read.
    #[error(
        "cannot read {path}: {why}; build it (`strowger plugin build`; in a clone of Strowger `make build`), or correct `component`"
    )]
    Unreadable {
        /// Where it was looked for.
        path: PathBuf,
        /// What is in the way.
        why: std::io::Error,
    },
    /// It is a folder, a pipe or a device.
    #[error("cannot read {path}: it is not a file; build it, or correct `component`")]
    NoFile {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// It is larger than a component may be.
    #[error(
        "{path} has {bytes} bytes, a component at most {most}; build it optimised and stripped of debug sections"
    )]
    TooLarge {
        /// Where it lies.
        path: PathBuf,
        /// Its size.
        bytes: u64,
        /// The limit.
        most: usize,
    },
}

impl PluginConfig {
    /// The file that is loaded, as it was written.
    pub fn file(&self) -> &Path {
        self.stand_in.as_deref().unwrap_or(&self.component)
    }
}

/// The bytes of a plugin's component.
pub(super) fn read(
    folder: &Path,
    config: &PluginConfig,
    most: usize,
) -> Result<Vec<u8>, ComponentFault> {
    let path = match &config.stand_in {
        Some(path) => path.clone(),
        None => inside(folder, &config.component)?,
    };
    let unreadable = |why| ComponentFault::Unreadable {
        path: path.clone(),
        why,
    };
    let kind = path.metadata().map_err(unreadable)?;
    // A pipe or a device could keep whoever reads it for ever.
    if !kind.is_file() {
        return Err(ComponentFault::NoFile { path });
    }
    if kind.len() > most as u64 {
        return Err(ComponentFault::TooLarge {
            bytes: kind.len(),
            path,
            most,
        });
    }
    let mut bytes = Vec::new();
    File::open(&path)
        .and_then(|file| file.take(most as u64 + 1).read_to_end(&mut bytes))
        .map_err(unreadable)?;
    Ok(bytes)
}

/// The path below the project's folder, when neither what is written nor a link on the way leaves it.
fn inside(folder: &Path, component: &Path) -> Result<PathBuf, ComponentFault> {
    let outside = || ComponentFault::Outside {
        path: component.display().to_string(),
        name: component
            .file_name()
            .map_or_else(|| "NAME.wasm".into(), |name| name.display().to_string()),
    };
    let mut depth = 0_usize;
    for part in component.components() {
        match part {
            Component::Normal(_) => depth += 1,
            Component::CurDir => {}
            Component::ParentDir => depth = depth.checked_sub(1).ok_or_else(outside)?,
            Component::RootDir | Component::Prefix(_) => return Err(outside()),
        }
    }
    match below(folder, component) {
        Ok(None) => Err(outside()),
        // What is not there cannot lead out; reading it tells.
        _ => Ok(folder.join(component)),
    }
}
