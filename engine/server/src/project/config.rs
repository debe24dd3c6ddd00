//! `strowger.toml`.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use strowger_flow::Level;
use strowger_flow::diagnostic::Text;

use super::finding::{Finding, Source};
use super::store::{StoreSection, without_passwords};

/// Ports below are the system's (RFC 6335 §6), and an engine that is not root cannot have them.
const LOWEST_PORT: u16 = 1024;

/// The whole of `strowger.toml`. Every key has a default but `project.name`; an unknown key is an error.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
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
    /// Where journals, records and plugins' data are kept.
    #[serde(default)]
    pub store: StoreSection,
    /// What the log looks like.
    #[serde(default)]
    pub log: LogSection,
}

/// `[project]`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProjectConfig {
    /// Short name of the tenant: lower-case letters, digits and hyphens.
    pub name: String,
    /// A name for people.
    #[serde(default)]
    pub title: Option<String>,
}

/// `[sip]`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MediaSection {
    /// First UDP port for audio, even: RTP takes even ports (RFC 3550 §11); default 10000.
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
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RecordingConfig {
    /// Whether whole calls are recorded, caller left and engine right; default no.
    pub calls: bool,
}

/// `[prompts]`
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PromptsSection {
    /// `even` brings all audio to one loudness (the default); `keep` plays files as they are.
    pub loudness: Loudness,
}

/// What happens to the loudness of audio files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Loudness {
    /// Brought to about -20 LUFS.
    #[default]
    Even,
    /// Left as it is.
    Keep,
}

/// `[plugins.NAME]`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PluginConfig {
    /// The component; its path begins at the project's folder and does not leave it.
    pub component: PathBuf,
    /// What is loaded in its place, from wherever it lies: for one run of a command, never in the file.
    #[serde(skip)]
    pub stand_in: Option<PathBuf>,
    /// What `env.config` answers; any TOML table.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub config: toml::Table,
    /// What it may touch.
    #[serde(default)]
    pub grants: Grants,
}

/// What a plugin may touch. Nothing unless it stands here.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
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
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogSection {
    /// `text` (the default) or `json`.
    pub format: LogFormat,
}

/// What the log looks like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
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
    #[error("{}: {}", .0.diagnostic.file, .0.diagnostic.message.english())]
    Invalid(Box<Finding>),
}

impl Config {
    /// The text of `strowger.toml` in a project's folder.
    pub fn source(folder: &Path) -> Result<Source, ConfigError> {
        let path = folder.join("strowger.toml");
        let unreadable = |source| ConfigError::Unreadable {
            path: path.clone(),
            source,
        };
        Ok(Source::new(
            &path,
            &std::fs::read_to_string(&path).map_err(unreadable)?,
        ))
    }

    /// Reads the text of `strowger.toml`.
    pub fn parse(source: &Source) -> Result<Config, ConfigError> {
        // A finding shows the line it is about, and that may be one with a password that should not be there.
        let shown = Source {
            file: source.file.clone(),
            text: without_passwords(&source.text).into(),
        };
        let invalid = |at: Range<usize>, message: String, help: &str| {
            let help = (!help.is_empty()).then(|| Text::new(help));
            let message = without_passwords(&message);
            ConfigError::Invalid(Box::new(shown.finding(Level::Error, at, message, help)))
        };
        let config: Config = toml::from_str(&source.text).map_err(|e| {
            let end = source.text.len();
            let at = e.span().unwrap_or(0..0);
            let help = "the README lists the tables and keys of strowger.toml";
            invalid(
                at.start.min(end)..at.end.min(end),
                e.message().trim().to_owned(),
                help,
            )
        })?;
        config.check().map_err(|wrong| {
            let path: Vec<&str> = wrong.path.iter().map(String::as_str).collect();
            invalid(key(&source.text, &path), wrong.message, wrong.help)
        })?;
        Ok(config)
    }

    fn check(&self) -> Result<(), Wrong> {
        let is_name = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_lowercase())
                && name
                    .chars()
                    .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        };
        let wrong = |path: &[&str], message: String, help| {
            Err(Wrong {
                path: path.iter().map(|part| (*part).to_owned()).collect(),
                message,
                help,
            })
        };
        if !is_name(&self.project.name) {
            return wrong(
                &["project", "name"],
                format!("project.name `{}` is not a name", self.project.name),
                "use lower-case letters, digits and hyphens, a letter first",
            );
        }
        if self.plugins.contains_key("std") {
            return wrong(
                &["plugins", "std"],
                "plugins.std: `std` is the name of the standard steps".into(),
                "choose another name",
            );
        }
        if let Some((key, message)) = self.media.ports_fault() {
            return wrong(
                &["media", key],
                message,
                "RTP takes the even ports of the range, one a call (RFC 3550 §11); the default is 10000 to 19998",
            );
        }
        if self.media.threads == 0 || self.media.threads > 64 {
            return wrong(
                &["media", "threads"],
                "media.threads is 1 to 64".into(),
                "the default, 1, moves some thousand calls",
            );
        }
        if let Some((key, message, help)) = self.store.fault() {
            return wrong(&["store", key], message, help);
        }
        for (plugin, settings) in &self.plugins {
            let mut path = vec!["plugins".to_owned(), plugin.clone(), "config".to_owned()];
            if let Some(why) = beyond_json(&settings.config, &mut path) {
                let message = format!("{} {why}", path.join("."));
                return Err(Wrong {
                    path,
                    message,
                    help: "a plugin reads its configuration as JSON, which has numbers, texts, true and false, lists and \
                           tables; a date is written as a text, in quotes",
                });
            }
        }
        Ok(())
    }
}

impl MediaSection {
    /// What is wrong with the range of ports, and the key at which that stands.
    fn ports_fault(&self) -> Option<(&'static str, String)> {
        let (first, last) = (self.first_port, self.last_port);
        if first < LOWEST_PORT {
            let message = format!(
                "media.first_port {first} is below {LOWEST_PORT}: such ports belong to the system"
            );
            return Some(("first_port", message));
        }
        if first % 2 == 1 {
            let message = format!(
                "media.first_port {first} is odd, and audio takes even ports alone: the first would be {}",
                u32::from(first) + 1
            );
            return Some(("first_port", message));
        }
        if last < first {
            // Whoever left the last port out wrote the first.
            let key = match last == MediaSection::default().last_port {
                true => "first_port",
                false => "last_port",
            };
            let message = format!("media.last_port {last} is below media.first_port {first}");
            return Some((key, message));
        }
        (last - first < 2).then(|| {
            let message = format!(
                "media.first_port {first} to media.last_port {last} is one port for audio: room for one call alone"
            );
            ("last_port", message)
        })
    }
}

/// What JSON cannot say of a table, where `path` then leads.
fn beyond_json(table: &toml::Table, path: &mut Vec<String>) -> Option<&'static str> {
    for (key, value) in table {
        path.push(key.clone());
        let mut values = vec![value];
        while let Some(value) = values.pop() {
            let why = match value {
                toml::Value::Float(number) if !number.is_finite() => Some("is not a finite number"),
                toml::Value::Datetime(_) => Some("is a date without quotes"),
                toml::Value::Array(items) => {
                    values.extend(items);
                    None
                }
                toml::Value::Table(inner) => beyond_json(inner, path),
                _ => None,
            };
            if why.is_some() {
                return why;
            }
        }
        path.pop();
    }
    None
}

/// A value that TOML allows and the engine does not.
struct Wrong {
    path: Vec<String>,
    message: String,
    help: &'static str,
}

/// Where a key stands, or the longest part of its path that does; the first line when nothing of it does.
pub(super) fn key(text: &str, path: &[&str]) -> Range<usize> {
    use toml::de::{DeTable, DeValue};
    let Ok(root) = DeTable::parse(text) else {
        return 0..0;
    };
    let mut table = root.get_ref();
    let mut at = 0..0;
    for part in path {
        let Some((key, value)) = table.iter().find(|(key, _)| key.get_ref() == part) else {
            break;
        };
        at = key.span();
        match value.get_ref() {
            DeValue::Table(inner) => table = inner,
            _ => break,
        }
    }
    at
}
