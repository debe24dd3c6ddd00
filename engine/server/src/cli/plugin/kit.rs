//! A plugin's folder, and what its language needs.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::Deserialize;

use super::super::Failure;

include!(concat!(env!("OUT_DIR"), "/kits.rs"));

/// The file that makes a folder a plugin's.
pub(super) const FILE: &str = "plugin.toml";

/// The languages that have a kit. Any other needs only the WIT and `strowger plugin inspect`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(super) enum Language {
    /// Rust, with the SDK.
    Rust,
    /// JavaScript, on QuickJS.
    Js,
    /// TypeScript, on QuickJS.
    Ts,
    /// Python, on CPython.
    Python,
    /// C, without a library.
    C,
}

impl Language {
    /// The folder of its templates.
    fn folder(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Js => "js",
            Self::Ts => "ts",
            Self::Python => "python",
            Self::C => "c",
        }
    }

    /// The texts of its templates, and those of all kits, by path.
    pub(super) fn templates(self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let of = |folder: &'static str| {
            TEMPLATES
                .iter()
                .filter_map(move |(path, text)| Some((path.strip_prefix(folder)?, *text)))
                .filter_map(|(path, text)| Some((path.strip_prefix('/')?, text)))
        };
        // What a kit has itself takes the place of what all have.
        let own: Vec<_> = of(self.folder()).collect();
        let common: Vec<_> = of("common")
            .filter(|(path, _)| own.iter().all(|(own, _)| own != path))
            // The Rust compiler leaves out what the code does not use: it needs no world of its own.
            .filter(|(path, _)| *path != WORLD || self != Self::Rust)
            .collect();
        own.into_iter().chain(common)
    }
}

/// The template of a plugin's own world.
pub(super) const WORLD: &str = "world.wit";

/// The sources of the Rust SDK, by path.
pub(super) fn sdk() -> &'static [(&'static str, &'static str)] {
    SDK
}

/// A plugin's folder.
#[derive(Debug)]
pub(super) struct Kit {
    pub(super) folder: PathBuf,
    pub(super) name: String,
    pub(super) language: Language,
}

/// `plugin.toml`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KitFile {
    plugin: KitSection,
}

/// `[plugin]`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KitSection {
    name: String,
    language: Language,
}

impl Kit {
    /// Reads a plugin's folder.
    pub(super) fn open(folder: &Path) -> Result<Kit, Failure> {
        let path = folder.join(FILE);
        let text = std::fs::read_to_string(&path).map_err(|error| {
            Failure::cannot(format!(
                "cannot read {}: {error}; `strowger plugin new NAME --lang LANGUAGE` begins a plugin, --folder names one",
                path.display()
            ))
        })?;
        let KitFile { plugin } = toml::from_str(&text)
            .map_err(|error| Failure::cannot(format!("{}: {error}", path.display())))?;
        let KitSection { name, language } = plugin;
        if !is_name(&name) {
            return Err(Failure::cannot(format!(
                "{}: `{name}` is no name of a plugin",
                path.display()
            )));
        }
        Ok(Kit {
            folder: folder.to_owned(),
            name,
            language,
        })
    }

    /// Where its component lies.
    pub(super) fn component(&self) -> PathBuf {
        self.folder.join(format!("{}.wasm", self.name))
    }

    /// Where compiled code is kept: the folder that `strowger call` uses too.
    pub(super) fn data(&self) -> PathBuf {
        self.folder.join(".strowger")
    }
}

/// Whether a plugin may be called so (`description.schema.json`).
pub(super) fn is_name(name: &str) -> bool {
    const LONGEST: usize = 64;
    let word = |word: &str| {
        !word.is_empty()
            && word
                .bytes()
                .all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit())
    };
    name.len() <= LONGEST
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.split('-').all(word)
}
