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
use super::reading::reason;
use super::retention::RetentionSection;
use super::store::{StoreSection, without_passwords};
use super::vault::VaultSection;
use super::webhooks::{self, TelemetrySection, Webhook};
use crate::effects::{EffectLimits, WrongLimit};

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
    /// What plugins may have of the world, where this folder is served; a centre's operator says it in the tenant's file.
    #[serde(default)]
    pub limits: EffectLimits,
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

/// `[http]`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HttpSection {
    /// Address and port; default `127.0.0.1:8080`. Where others can reach it, a token must have been made.
    pub listen: SocketAddr,
    /// A PEM file with the certificate and those between it and the authority; with `tls_key` the API is HTTPS. Its path
    /// begins at the project's folder. SIGHUP reads both again.
    pub tls_certificate: Option<PathBuf>,
    /// A PEM file with the certificate's private key.
    pub tls_key: Option<PathBuf>,
    /// Requests a second of one token, user or, before it is known, source, 1 to 100000; default 100. More are answered
    /// 429.
    pub requests_per_second: u32,
    /// Requests that may come at once after a rest, 1 to 100000; default 200.
    pub burst: u32,
    /// Largest body of a request, in KiB, 1 to 65536; default 1024.
    pub body_kib: u32,
}

impl Default for HttpSection {
    fn default() -> Self {
        HttpSection {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            tls_certificate: None,
            tls_key: None,
            requests_per_second: 100,
            burst: 200,
            body_kib: 1_024,
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

/// `[transfer]`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TransferSection {
    /// `refer` asks the caller's telephone to call the target (the default); `bridge` lets the engine call it and join
    /// the two. A transfer with a `whisper` is always bridged.
    pub how: How,
    /// Where the numbers of bridged transfers go: the SIP URI of a trunk or proxy, such as `sip:192.0.2.1:5060`. The
    /// number becomes its user part. Without one, numbers cannot be bridged to.
    pub trunk: Option<String>,
    /// Calls at once that the engine places for transfers, 1 to 20000; default 100. More end as `failed`.
    pub calls: u32,
    /// Such calls begun within any minute, 1 to 6000; default 60, what is not used is not saved up. More end as `failed`: whoever
    /// finds a way to make a flow call expensive numbers cannot make it call many.
    pub calls_per_minute: u32,
    /// Longest conversation of a bridged transfer, in seconds, 1 to 86400; default 14400, four hours. Then the other side
    /// is hung up and the flow goes on with the caller.
    pub longest_s: u32,
}

impl Default for TransferSection {
    fn default() -> Self {
        TransferSection {
            how: How::Refer,
            trunk: None,
            calls: 100,
            calls_per_minute: 60,
            longest_s: 14_400,
        }
    }
}

/// Who calls the target of a transfer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// The caller's telephone: REFER (RFC 3515).
    #[default]
    Refer,
    /// The engine, which then joins the two calls.
    Bridge,
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
    /// Queues that it may put the contact into, by their names in `queues.yaml`; all of them unless they are named here.
    pub queues: Option<Vec<String>>,
    /// Addresses that it may hand the contact over to: SIP URIs and numbers, of which one `*` stands for a user part or digits
    /// (`sip:*@pbx.example`, `+4930*`); any unless they are named here. A supplier is held to its address in `queues.yaml`.
    pub transfers: Option<Vec<String>>,
    /// Entries of the tenant's vault that it may put into requests, each to the entry's own hosts.
    pub vault: Vec<String>,
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
        let wrong = |path: &[&str], message: Text, help| {
            Err(Wrong {
                path: path.iter().map(|part| (*part).to_owned()).collect(),
                message,
                help,
            })
        };
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
        if let Some(limit) = self.limits.fault() {
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
            if let Some(host) = settings.grants.http.iter().find(|host| !is_service(host)) {
                return wrong(
                    &["plugins", plugin, "grants", "http"],
                    text!(
                        "plugins.{plugin}.grants.http `{host}` is not a host and a port",
                        "`plugins.{plugin}.grants.http` 的 `{host}` 不是主机加端口"
                    ),
                    Text::fixed(
                        "write host:port, without `http://` and path, such as `api.example.com:443`",
                        "写 主机:端口，不带 `http://` 和路径，例如 `api.example.com:443`",
                    ),
                );
            }
            let grants = &settings.grants;
            for (key, named) in [("queues", &grants.queues), ("transfers", &grants.transfers)] {
                if named.is_some() && !grants.route {
                    return wrong(
                        &["plugins", plugin, "grants", key],
                        text!(
                            "plugins.{plugin}.grants.{key} stands without `route = true`",
                            "有 `plugins.{plugin}.grants.{key}` 而没有 `route = true`"
                        ),
                        text!(
                            "the {key} are those of `route`: grant it, or leave them out",
                            "`{key}` 属于 `route`：请授予 `route`，或去掉 `{key}`"
                        ),
                    );
                }
            }
            if let Some(odd) = grants.odd_transfer() {
                return wrong(
                    &["plugins", plugin, "grants", "transfers"],
                    text!(
                        "plugins.{plugin}.grants.transfers `{odd}` is no address",
                        "`plugins.{plugin}.grants.transfers` 的 `{odd}` 不是地址"
                    ),
                    Text::fixed(
                        "write a number or a SIP URI, with one `*` at most, before the host: `+4930*`, `sip:*@pbx.example`",
                        "写号码或 SIP URI，最多一个 `*`，在主机之前：`+4930*`、`sip:*@pbx.example`",
                    ),
                );
            }
            let mut path = vec!["plugins".to_owned(), plugin.clone(), "config".to_owned()];
            if let Some(why) = beyond_json(&settings.config, &mut path) {
                let written = path.join(".");
                return Err(Wrong {
                    path,
                    message: text!("{written} {why}", "`{written}` {why}"; why),
                    help: Text::fixed(
                        "a plugin reads its configuration as JSON, which has numbers, texts, true and false, lists and \
                         tables; a date is written as a text, in quotes",
                        "插件以 JSON 读取配置，其中有数字、文本、真假值、列表和表；日期写成加引号的文本",
                    ),
                });
            }
        }
        Ok(())
    }
}

impl HttpSection {
    /// What is wrong, and the key at which that stands.
    fn fault(&self) -> Option<(&'static str, Text)> {
        let alone = |key, other: &str| {
            let message = text!(
                "http.{key} stands without http.{other}",
                "有 `http.{key}` 而没有 `http.{other}`"
            );
            Some((key, message))
        };
        match (&self.tls_certificate, &self.tls_key) {
            (Some(_), None) => return alone("tls_certificate", "tls_key"),
            (None, Some(_)) => return alone("tls_key", "tls_certificate"),
            _ => {}
        }
        let ranges = [
            ("requests_per_second", self.requests_per_second, 100_000),
            ("burst", self.burst, 100_000),
            ("body_kib", self.body_kib, 65_536),
        ];
        let (key, value, most) = ranges
            .into_iter()
            .find(|(_, value, most)| !(1..=*most).contains(value))?;
        let message = text!(
            "http.{key} is 1 to {most}, not {value}",
            "`http.{key}` 是 1 到 {most}，不能是 {value}"
        );
        Some((key, message))
    }
}

impl TransferSection {
    /// What is wrong, and the key at which that stands.
    fn fault(&self) -> Option<(&'static str, Text)> {
        let ranges = [
            ("calls", self.calls, 20_000),
            ("calls_per_minute", self.calls_per_minute, 6_000),
            ("longest_s", self.longest_s, 86_400),
        ];
        for (key, value, most) in ranges {
            if !(1..=most).contains(&value) {
                let message = text!(
                    "transfer.{key} is 1 to {most}, not {value}",
                    "`transfer.{key}` 是 1 到 {most}，不能是 {value}"
                );
                return Some((key, message));
            }
        }
        let trunk = self.trunk.as_deref()?;
        let usable = trunk.starts_with("sip:")
            && !trunk.contains('@')
            && crate::sip::checked_uri(trunk).is_ok();
        (!usable).then(|| {
            let shown: String = trunk.chars().take(64).collect();
            let shown = shown.escape_debug();
            let message = text!(
                "transfer.trunk `{shown}` is no SIP URI of a host",
                "`transfer.trunk` 的 `{shown}` 不是主机的 SIP URI"
            );
            ("trunk", message)
        })
    }
}

impl MediaSection {
    /// What is wrong with the range of ports, and the key at which that stands.
    fn ports_fault(&self) -> Option<(&'static str, Text)> {
        let (first, last) = (self.first_port, self.last_port);
        if first < LOWEST_PORT {
            let message = text!(
                "media.first_port {first} is below {LOWEST_PORT}: such ports belong to the system",
                "`media.first_port` 的 {first} 小于 {LOWEST_PORT}：那些端口属于系统"
            );
            return Some(("first_port", message));
        }
        if first % 2 == 1 {
            let even = u32::from(first) + 1;
            let message = text!(
                "media.first_port {first} is odd, and audio takes even ports alone: the first would be {even}",
                "`media.first_port` 的 {first} 是奇数，音频只用偶数端口：第一个会是 {even}"
            );
            return Some(("first_port", message));
        }
        if last < first {
            // Whoever left the last port out wrote the first.
            let key = match last == MediaSection::default().last_port {
                true => "first_port",
                false => "last_port",
            };
            let message = text!(
                "media.last_port {last} is below media.first_port {first}",
                "`media.last_port` 的 {last} 小于 `media.first_port` 的 {first}"
            );
            return Some((key, message));
        }
        (last - first < 2).then(|| {
            let message = text!(
                "media.first_port {first} to media.last_port {last} is one port for audio: room for one call alone",
                "`media.first_port` 的 {first} 到 `media.last_port` 的 {last} 只有一个音频端口：只够一个呼叫"
            );
            ("last_port", message)
        })
    }
}

/// Whether this is `host:port`, as requests are held against it.
pub(crate) fn is_service(text: &str) -> bool {
    text.parse::<hyper::http::uri::Authority>()
        .is_ok_and(|service| {
            let port = service.port_u16().is_some_and(|port| port > 0);
            port && !service.host().is_empty() && !text.contains('@')
        })
}

/// What is wrong with a TOML text, with the path to the value that it is about, and what to do.
pub(crate) fn told(text: &str, error: &toml::de::Error) -> (Text, Text) {
    let (message, help) = in_words(error.message().trim());
    let path = error.span().and_then(|span| path_at(text, span.start));
    let message = match path {
        Some(path) => Text::both(
            format!("{path}: {}", message.english()),
            format!("`{path}`：{}", message.chinese()),
        ),
        None => message,
    };
    (message, help)
}

/// The dotted path to the value that begins at a byte; none at a key, which names itself, and in a text that is no TOML.
fn path_at(text: &str, at: usize) -> Option<String> {
    use toml::de::{DeTable, DeValue};
    let root = DeTable::parse(text).ok()?;
    let top = root.get_ref().iter();
    let mut left: Vec<_> = top
        .map(|(key, value)| (key.get_ref().to_string(), value))
        .collect();
    while let Some((path, value)) = left.pop() {
        match value.get_ref() {
            DeValue::Table(table) => left.extend(
                table
                    .iter()
                    .map(|(key, value)| (format!("{path}.{}", key.get_ref()), value)),
            ),
            DeValue::Array(items) => {
                left.extend(items.iter().map(|item| (path.clone(), item)));
            }
            _ => {}
        }
        if value.span().start == at && !matches!(value.get_ref(), DeValue::Table(_)) {
            return Some(path);
        }
    }
    None
}

/// The parser's message without the names of the parser's types, and what to write instead.
fn in_words(message: &str) -> (Text, Text) {
    if message.ends_with("socket address syntax") || message.ends_with("expected socket address") {
        return (
            Text::fixed("this is not an address with a port", "这不是带端口的地址"),
            Text::fixed(
                "write an IP address and a port, such as \"127.0.0.1:5060\"; names are not looked up",
                "写 IP 地址和端口，例如 \"127.0.0.1:5060\"；不解析域名",
            ),
        );
    }
    if message.ends_with("IP address syntax") || message.ends_with("expected IP address") {
        return (
            Text::fixed("this is not an IP address", "这不是 IP 地址"),
            Text::fixed(
                "write an IP address, such as \"203.0.113.5\"; names are not looked up",
                "写 IP 地址，例如 \"203.0.113.5\"；不解析域名",
            ),
        );
    }
    let help = Text::fixed(
        "the README lists the tables and keys of strowger.toml",
        "README 里列出了 `strowger.toml` 的各个表和键",
    );
    let numbers = [
        ("u8", "a whole number from 0 to 255"),
        ("u64", "a whole number that is not negative"),
        ("u16", "a whole number from 0 to 65535"),
        ("u32", "a whole number from 0 to 4294967295"),
        ("usize", "a whole number that is not negative"),
    ];
    let number = numbers.iter().find_map(|(kind, words)| {
        let before = message.strip_suffix(kind)?.strip_suffix("expected ")?;
        Some(format!("{before}expected {words}"))
    });
    // Where a table belongs the parser names the type that reads it.
    let table = message
        .split_once("expected struct ")
        .map(|(before, _)| format!("{before}expected a map"));
    let plain = number.or(table);
    (reason(plain.as_deref().unwrap_or(message)), help)
}

/// Whether a text may be `project.name`: a lower-case letter, then lower-case letters, digits and hyphens.
pub fn is_project_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
}

/// What JSON cannot say of a table, where `path` then leads.
fn beyond_json(table: &toml::Table, path: &mut Vec<String>) -> Option<Text> {
    for (key, value) in table {
        path.push(key.clone());
        let mut values = vec![value];
        while let Some(value) = values.pop() {
            let why = match value {
                toml::Value::Float(number) if !number.is_finite() => {
                    Some(Text::fixed("is not a finite number", "不是有限的数字"))
                }
                toml::Value::Datetime(_) => {
                    Some(Text::fixed("is a date without quotes", "是没有引号的日期"))
                }
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
    message: Text,
    help: Text,
}

/// Where a key stands, or the longest part of its path that does; the first line when nothing of it does.
pub(crate) fn key(text: &str, path: &[&str]) -> Range<usize> {
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
