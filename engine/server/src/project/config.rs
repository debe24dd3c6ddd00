//! `strowger.toml`.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use strowger_flow::Level;
use strowger_flow::diagnostic::{Text, text};

use super::chat::ChatSection;
use super::finding::{Finding, Source};
use super::http::HttpSection;
use super::media::MediaSection;
use super::plugin::{PluginConfig, is_service};
use super::retention::RetentionSection;
use super::store::{StoreSection, without_passwords};
use super::toml_fault::{key, told};
use super::transfer::TransferSection;
use super::vault::VaultSection;
use super::webhooks::{self, TelemetrySection, Webhook};
use crate::effects::{JOURNAL_MB_RANGE, MEMORY_MIB_RANGE, ProjectLimits, WrongLimit};
use crate::media::RECORDINGS_MB_RANGE;
use crate::prompts::MEMORY_MIB_RANGE as PROMPTS_MIB_RANGE;

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
    /// How contacts are handed over, and how many calls that may make.
    #[serde(default)]
    pub transfer: TransferSection,
    /// How prompts are made.
    #[serde(default)]
    pub prompts: PromptsSection,
    /// The project's own plugins, by name.
    #[serde(default)]
    pub plugins: BTreeMap<String, PluginConfig>,
    /// How steps are run.
    #[serde(default)]
    pub steps: StepsSection,
    /// What plugins may use, where this folder is served; a centre's operator says it in the tenant's file.
    #[serde(default)]
    pub limits: ProjectLimits,
    /// Where journals, records and plugins' data are kept.
    #[serde(default)]
    pub store: StoreSection,
    /// What the secrets in the store are sealed with.
    #[serde(default)]
    pub vault: VaultSection,
    /// Contacts that write.
    #[serde(default)]
    pub chat: ChatSection,
    /// How long what is kept of contacts is kept.
    #[serde(default)]
    pub retention: RetentionSection,
    /// Where events are told.
    #[serde(default)]
    pub webhooks: Vec<Webhook>,
    /// Where traces go.
    #[serde(default)]
    pub telemetry: TelemetrySection,
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

/// `[steps]`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StepsSection {
    /// How long a step may wait for the contact, a person or a clock before its instance is dropped, in milliseconds;
    /// 0 to 60000; default 3000. It is built anew when the answer is there, and does not notice. 0 drops it at once.
    ///
    /// An instance that waits takes a place of the pool, which others need.
    pub drop_waiting_after_ms: u64,
}

impl Default for StepsSection {
    fn default() -> Self {
        StepsSection {
            drop_waiting_after_ms: 3_000,
        }
    }
}

/// Longest that a step may keep its instance while it waits, in milliseconds.
const DROP_WAITING_AFTER_MOST_MS: u64 = 60_000;

impl StepsSection {
    /// What is wrong, and the key at which that stands.
    fn fault(&self) -> Option<(&'static str, Text)> {
        let (after, most) = (self.drop_waiting_after_ms, DROP_WAITING_AFTER_MOST_MS);
        (after > most).then(|| {
            let message = text!(
                "steps.drop_waiting_after_ms is 0 to {most}, not {after}",
                "`steps.drop_waiting_after_ms` 是 0 到 {most}，而不是 {after}"
            );
            ("drop_waiting_after_ms", message)
        })
    }
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
    /// It is no text.
    #[error("{path} is not UTF-8 text: save it as UTF-8")]
    NotText {
        /// The file.
        path: PathBuf,
    },
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
        match super::bytes::read_text(&path) {
            Ok(text) => Ok(Source::new(&path, &text)),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => {
                Err(ConfigError::NotText { path })
            }
            Err(source) => Err(ConfigError::Unreadable { path, source }),
        }
    }

    /// Reads the text of `strowger.toml`.
    pub fn parse(source: &Source) -> Result<Config, ConfigError> {
        // A finding shows the line it is about, and that may be one with a password that should not be there.
        let shown = Source {
            file: source.file.clone(),
            text: without_passwords(&source.text).into(),
        };
        let invalid = |at: Range<usize>, message: Text, help: Text| {
            let message = Text::both(
                without_passwords(message.english()),
                without_passwords(message.chinese()),
            );
            let found = shown.finding(Level::Error, at, message, Some(help));
            ConfigError::Invalid(Box::new(found))
        };
        let config: Config = toml::from_str(&source.text).map_err(|e| {
            let end = source.text.len();
            let at = e.span().unwrap_or(0..0);
            let (message, help) = told(&source.text, &e);
            invalid(at.start.min(end)..at.end.min(end), message, help)
        })?;
        config.check().map_err(|wrong| {
            let path: Vec<&str> = wrong.path.iter().map(String::as_str).collect();
            invalid(key(&source.text, &path), wrong.message, wrong.help)
        })?;
        Ok(config)
    }

    fn check(&self) -> Result<(), Wrong> {
        let wrong = |path: &[&str], message: Text, help| Err(Wrong::at(path, message, help));
        let name = &self.project.name;
        if !is_project_name(name) {
            return wrong(
                &["project", "name"],
                text!(
                    "project.name `{name}` is not a name",
                    "`project.name` 的 `{name}` 不是名字"
                ),
                Text::fixed(
                    "use lower-case letters, digits and hyphens, a letter first",
                    "请用小写字母、数字和连字符，以字母开头",
                ),
            );
        }
        if self.plugins.contains_key("std") {
            return wrong(
                &["plugins", "std"],
                Text::fixed(
                    "plugins.std: `std` is the name of the standard steps",
                    "`plugins.std`：`std` 是标准步骤的名字",
                ),
                Text::fixed("choose another name", "请换一个名字"),
            );
        }
        if let Some((key, message)) = self.media.ports_fault() {
            return wrong(
                &["media", key],
                message,
                Text::fixed(
                    "RTP takes the even ports of the range, one a call (RFC 3550 §11); the default is 10000 to 19998; set first_port and last_port together",
                    "RTP 使用范围内的偶数端口，每个呼叫一个（RFC 3550 §11）；默认是 10000 到 19998；请把 first_port 和 last_port 一起写",
                ),
            );
        }
        if self.media.threads == 0 || self.media.threads > 64 {
            return wrong(
                &["media", "threads"],
                Text::fixed("media.threads is 1 to 64", "`media.threads` 是 1 到 64"),
                Text::fixed(
                    "the default, 1, moves some thousand calls",
                    "默认的 1 个线程可以承载几千个呼叫",
                ),
            );
        }
        if let Some(address) = self.sip.advertise.filter(|ip| ip.is_unspecified()) {
            return wrong(
                &["sip", "advertise"],
                text!(
                    "sip.advertise {address} is no address that callers could reach",
                    "`sip.advertise` 的 {address} 不是主叫能到达的地址"
                ),
                Text::fixed(
                    "name the address that callers reach, or leave the key out",
                    "写主叫能到达的地址，或去掉这个键",
                ),
            );
        }
        if let Some((key, message)) = self.http.fault() {
            let help = Text::fixed(
                "a certificate and its key go together; the defaults are 100 requests a second, 200 at once and bodies of 1024 KiB",
                "证书和密钥要一起写；默认每秒 100 个请求、一次最多 200 个、请求体 1024 KiB",
            );
            return wrong(&["http", key], message, help);
        }
        if let Some((key, message, help)) = self.store.fault() {
            return wrong(&["store", key], message, help);
        }
        if let Some((key, message)) = self.chat.fault() {
            let help = Text::fixed(
                "the defaults are 1000 chats at once, 30 begun and 60 messages a minute and 3600 seconds; an origin is a scheme, a host and a port in lower case, without a path, such as `https://shop.example`",
                "默认同时 1000 个聊天、每分钟新开 30 个、60 条消息、3600 秒；来源是小写的协议、主机和端口，不带路径，例如 `https://shop.example`",
            );
            return wrong(&["chat", key], message, help);
        }
        if let Some((message, help)) = webhooks::fault(&self.webhooks) {
            return wrong(&["webhooks"], message, help);
        }
        if let Some((message, help)) = self.telemetry.fault() {
            return wrong(&["telemetry", "otlp_endpoint"], message, help);
        }
        if let Some((kind, key, message, help)) = self.retention.fault() {
            return wrong(&["retention", kind, key], message, help);
        }
        if let Some((key, message)) = self.steps.fault() {
            let help = Text::fixed(
                "the default is 3000, three seconds: a step that waits for longer gives its instance to others and does not notice",
                "默认是 3000，即三秒：等得更久的步骤把实例让给别人，而它自己不会察觉",
            );
            return wrong(&["steps", key], message, help);
        }
        if let Some((key, message)) = self.transfer.fault() {
            let help = Text::fixed(
                "the defaults are 100 calls at once, 60 a minute and 14400 seconds; a trunk is a SIP URI without a user",
                "默认同时 100 个呼叫、每分钟 60 个、最长 14400 秒；中继是不带用户的 SIP URI",
            );
            return wrong(&["transfer", key], message, help);
        }
        let memory = self.limits.memory_mib;
        if !MEMORY_MIB_RANGE.contains(&memory) {
            let (least, most) = MEMORY_MIB_RANGE.into_inner();
            return wrong(
                &["limits", "memory_mib"],
                text!(
                    "limits.memory_mib is {least} to {most}, not {memory}",
                    "`limits.memory_mib` 是 {least} 到 {most}，而不是 {memory}"
                ),
                Text::fixed("leave it out for the default, 2048", "不写则用默认值 2048"),
            );
        }
        let prompts = self.limits.prompts_mib;
        if !PROMPTS_MIB_RANGE.contains(&prompts) {
            let (least, most) = PROMPTS_MIB_RANGE.into_inner();
            return wrong(
                &["limits", "prompts_mib"],
                text!(
                    "limits.prompts_mib is {least} to {most}, not {prompts}",
                    "`limits.prompts_mib` 是 {least} 到 {most}，而不是 {prompts}"
                ),
                Text::fixed("leave it out for the default, 128", "不写则用默认值 128"),
            );
        }
        let journal = self.limits.journal_mb_per_contact;
        if !JOURNAL_MB_RANGE.contains(&journal) {
            let (least, most) = JOURNAL_MB_RANGE.into_inner();
            return wrong(
                &["limits", "journal_mb_per_contact"],
                text!(
                    "limits.journal_mb_per_contact is {least} to {most}, not {journal}",
                    "`limits.journal_mb_per_contact` 是 {least} 到 {most}，而不是 {journal}"
                ),
                Text::fixed("leave it out for the default, 16", "不写则用默认值 16"),
            );
        }
        let recordings = self.limits.recordings_mb;
        if !RECORDINGS_MB_RANGE.contains(&recordings) {
            let (least, most) = RECORDINGS_MB_RANGE.into_inner();
            return wrong(
                &["limits", "recordings_mb"],
                text!(
                    "limits.recordings_mb is {least} to {most}, not {recordings}",
                    "`limits.recordings_mb` 是 {least} 到 {most}，而不是 {recordings}"
                ),
                Text::fixed(
                    "leave it out for the default, 10240",
                    "不写则用默认值 10240",
                ),
            );
        }
        if let Some(limit) = self.limits.effects().faults().next() {
            let WrongLimit {
                table,
                key,
                least,
                most,
            } = limit;
            return wrong(
                &["limits", table, key],
                text!(
                    "limits.{table}.{key} is {least} to {most}",
                    "`limits.{table}.{key}` 是 {least} 到 {most}"
                ),
                Text::fixed(
                    "leave it out for the default; docs/operations.md has all of them",
                    "不写则用默认值；全部见 docs/operations.md",
                ),
            );
        }
        let private = &self.limits.http.private;
        if let Some(host) = private.iter().find(|host| !is_service(host)) {
            return wrong(
                &["limits", "http", "private"],
                text!(
                    "limits.http.private `{host}` is not a host and a port",
                    "`limits.http.private` 的 `{host}` 不是主机加端口"
                ),
                Text::fixed(
                    "write host:port as in grants.http, such as `127.0.0.1:8090`",
                    "和 `grants.http` 里一样写 主机:端口，例如 `127.0.0.1:8090`",
                ),
            );
        }
        for (plugin, settings) in &self.plugins {
            if let Some(wrong) = settings.fault(plugin) {
                return Err(wrong);
            }
        }
        Ok(())
    }
}

/// Whether a text may be `project.name`: a lower-case letter, then lower-case letters, digits and hyphens.
pub fn is_project_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// A value that TOML allows and the engine does not.
pub(super) struct Wrong {
    /// The keys that lead to it.
    pub path: Vec<String>,
    pub message: Text,
    pub help: Text,
}

impl Wrong {
    pub fn at(path: &[&str], message: Text, help: Text) -> Wrong {
        Wrong {
            path: path.iter().map(|part| (*part).to_owned()).collect(),
            message,
            help,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Config, ConfigError, Source};

    #[test]
    fn a_bad_value_is_named_with_its_path_at_its_place() {
        for (rest, line, words) in [
            (
                "[limits.http]\nredirects = -1",
                4,
                "limits.http.redirects: invalid value: integer `-1`, expected a whole number from 0 to 255",
            ),
            (
                "[limits]\nhttp = { redirects = \"x\" }",
                4,
                "limits.http.redirects: invalid type: string \"x\", expected a whole number from 0 to 255",
            ),
            (
                "[limits]\nhttp = 3",
                4,
                "limits.http: invalid type: integer `3`, expected a map",
            ),
            (
                "[plugins.a]\ncomponent = \"a.wasm\"\n[plugins.a.grants]\nhttp = \"x\"",
                6,
                "plugins.a.grants.http: invalid type: string \"x\", expected a sequence",
            ),
            (
                "[plugins.a]\ncomponent = \"a.wasm\"\n[plugins.a.grants]\nhttp = [\"a:1\", 2]",
                6,
                "plugins.a.grants.http: invalid type: integer `2`",
            ),
            (
                "[[webhooks]]\nurl = 3",
                4,
                "webhooks.url: invalid type: integer `3`",
            ),
            (
                "[sip]\nlisten = \"here\"",
                4,
                "sip.listen: this is not an address with a port",
            ),
            (
                "[limits]\nmemory_mib = 8",
                4,
                "limits.memory_mib is 16 to 1048576, not 8",
            ),
            (
                "[limits]\nprompts_mib = 8",
                4,
                "limits.prompts_mib is 32 to 65536, not 8",
            ),
            (
                "[limits]\njournal_mb_per_contact = 0",
                4,
                "limits.journal_mb_per_contact is 1 to 1024, not 0",
            ),
            (
                "[limits]\nrecordings_mb = 0",
                4,
                "limits.recordings_mb is 1 to 16777216, not 0",
            ),
            ("[voice]\nx = 1", 3, "unknown field `voice`"),
        ] {
            let text = format!("[project]\nname = \"x\"\n{rest}\n");
            let source = Source::new(Path::new("strowger.toml"), &text);
            let Err(ConfigError::Invalid(found)) = Config::parse(&source) else {
                panic!("{rest}: it was taken");
            };
            let told = &found.diagnostic;
            let said = told.message.english();
            assert!(said.starts_with(words), "{rest}: {said}");
            assert_eq!(told.primary.place.line, line, "{rest}");
            assert!(told.help.is_some(), "{rest}");
        }
    }
}
