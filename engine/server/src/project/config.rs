//! `strowger.toml`.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The whole of `strowger.toml`. Every key has a default but `project.name`; an unknown key is an error.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Who this project is.
    pub project: ProjectConfig,
    /// Where calls come in.
    #[serde(default)]
    pub sip: SipSection,
    /// Where the API and the health check are.
    #[serde(default)]
    pub http: HttpSection,
    /// Where audio flows.
    #[serde(default)]
    pub media: MediaSection,
    /// Which calls are recorded.
    #[serde(default)]
    pub recording: RecordingConfig,
    /// How prompts are made.
    #[serde(default)]
    pub prompts: PromptsSection,
    /// The project's own plugins, by name.
    #[serde(default)]
    pub plugins: BTreeMap<String, PluginConfig>,
    /// What the log looks like.
    #[serde(default)]
    pub log: LogSection,
}

/// `[project]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProjectConfig {
    /// Short name of the tenant: lower-case letters, digits and hyphens.
    pub name: String,
    /// A name for people.
    #[serde(default)]
    pub title: Option<String>,
}

/// `[sip]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SipSection {
    /// Address and port for UDP and TCP; default `127.0.0.1:5060`.
    pub listen: SocketAddr,
    /// The address that peers reach us at, when it is not the one we listen on.
    pub advertise: Option<IpAddr>,
}

impl Default for SipSection {
    fn default() -> Self {
        SipSection {
            listen: SocketAddr::from(([127, 0, 0, 1], 5060)),
            advertise: None,
        }
    }
}

/// `[http]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpSection {
    /// Address and port; default `127.0.0.1:8080`.
    pub listen: SocketAddr,
}

impl Default for HttpSection {
    fn default() -> Self {
        HttpSection {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
        }
    }
}

/// `[media]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MediaSection {
    /// First UDP port for audio, even; default 10000.
    pub first_port: u16,
    /// Last UDP port for audio; default 19998.
    pub last_port: u16,
    /// Threads that move audio; default 1. One moves some thousand calls.
    pub threads: usize,
    /// A caller who was heard, is not on hold and then sends no audio for so many seconds is gone: the call is ended.
    /// Default 60; 0 never ends it.
    pub vanished_after_s: u32,
}

impl Default for MediaSection {
    fn default() -> Self {
        MediaSection {
            first_port: 10_000,
            last_port: 19_998,
            threads: 1,
            vanished_after_s: 60,
        }
    }
}

/// `[recording]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RecordingConfig {
    /// Whether whole calls are recorded, caller left and engine right; default no.
    pub calls: bool,
}

/// `[prompts]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PromptsSection {
    /// `even` brings all audio to one loudness (the default); `keep` plays files as they are.
    pub loudness: Loudness,
}

/// What happens to the loudness of audio files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loudness {
    /// Brought to about -20 LUFS.
    #[default]
    Even,
    /// Left as it is.
    Keep,
}

/// `[plugins.NAME]`
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginConfig {
    /// The component, below the project's folder.
    pub component: PathBuf,
    /// What `env.config` answers; any TOML table.
    #[serde(default)]
    pub config: toml::Table,
    /// What it may touch.
    #[serde(default)]
    pub grants: Grants,
}

/// What a plugin may touch. Nothing unless it stands here.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grants {
    /// `host:port` pairs it may send HTTP requests to.
    pub http: Vec<String>,
    /// Whether it may keep data.
    pub kv: bool,
    /// Whether it may hand the contact to people.
    pub route: bool,
}

/// `[log]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSection {
    /// `text` (the default) or `json`.
    pub format: LogFormat,
}

/// What the log looks like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One object a line.
    Json,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("cannot read {path}: {source}; a project is a folder with a strowger.toml")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It does not say what it should.
    #[error("{path}: {message}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What and where.
        message: String,
    },
}

impl Config {
    /// Reads `strowger.toml` of a project's folder.
    pub fn read(folder: &Path) -> Result<Config, ConfigError> {
        let path = folder.join("strowger.toml");
        let text = std::fs::read_to_string(&path).map_err(|source| ConfigError::Unreadable {
            path: path.clone(),
            source,
        })?;
        let config: Config = toml::from_str(&text).map_err(|e| {
            let line = e
                .span()
                .map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            let at = line.map_or(String::new(), |line| format!("line {line}: "));
            ConfigError::Invalid {
                path: path.clone(),
                message: format!("{at}{}", e.message().trim()),
            }
        })?;
        config
            .check()
            .map_err(|message| ConfigError::Invalid { path, message })?;
        Ok(config)
    }

    fn check(&self) -> Result<(), String> {
        let is_name = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_lowercase())
                && name
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        };
        if !is_name(&self.project.name) {
            return Err(format!(
                "project.name `{}`: use lower-case letters, digits and hyphens, a letter first",
                self.project.name
            ));
        }
        if self.plugins.contains_key("std") {
            return Err(
                "plugins.std: `std` is the name of the standard steps; choose another".into(),
            );
        }
        if self.media.first_port < 1024 || self.media.first_port >= self.media.last_port {
            return Err("media.first_port must be at least 1024 and below media.last_port".into());
        }
        if self.media.threads == 0 || self.media.threads > 64 {
            return Err("media.threads is 1 to 64".into());
        }
        Ok(())
    }
}
