//! `[[webhooks]]` and `[telemetry]` of `strowger.toml`.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::Deserialize;
use strowger_flow::diagnostic::{Text, text};
use strowger_flow::unseen::quoted;

use crate::webhooks::is_private;

/// What can be told.
pub const KINDS: [&str; 2] = ["contact.began", "contact.ended"];
/// Most webhooks of a project.
const MOST: usize = 16;
/// Most requests of one at a time.
const MOST_AT_ONCE: u32 = 32;

/// `[[webhooks]]`: where events are told, by signed requests.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Short name, by which dead letters are listed; the URL's host by default.
    #[serde(default)]
    pub name: Option<String>,
    /// Where: `https://HOST/PATH`. `http://` only with `allow_private`.
    pub url: String,
    /// The variable of the environment that holds the key of signatures, 16 characters or more.
    pub secret_env: String,
    /// What is told: `contact.began`, `contact.ended`; default both.
    #[serde(default = "all_kinds")]
    pub events: Vec<String>,
    /// Whether its address may be a private one, of this machine or of a local network; default no.
    #[serde(default)]
    pub allow_private: bool,
    /// Requests at a time, 1 to 32; default 4.
    #[serde(default = "at_once")]
    pub at_once: u32,
    /// Longest request, in seconds, 1 to 60; default 10.
    #[serde(default = "timeout_s")]
    pub timeout_s: u32,
    /// How long a failed one is tried again, in seconds, 1 to 604800; default 86400, a day.
    #[serde(default = "retry_for_s")]
    pub retry_for_s: u32,
}

fn all_kinds() -> Vec<String> {
    KINDS.map(str::to_owned).to_vec()
}

fn at_once() -> u32 {
    4
}

fn timeout_s() -> u32 {
    10
}

fn retry_for_s() -> u32 {
    86_400
}

impl Webhook {
    /// Its name, or its host.
    pub fn title(&self) -> String {
        let host = || {
            let url = url::Url::parse(&self.url).ok()?;
            Some(url.host_str()?.to_owned())
        };
        self.name.clone().or_else(host).unwrap_or_default()
    }
}

/// `[telemetry]`: where traces go.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct TelemetrySection {
    /// A collector's address for OTLP over HTTP, such as `http://127.0.0.1:4318`; `/v1/traces` is added. Default none.
    pub otlp_endpoint: Option<String>,
}

impl TelemetrySection {
    /// What is wrong, and what to do.
    pub(super) fn fault(&self) -> Option<(Text, Text)> {
        let endpoint = self.otlp_endpoint.as_deref()?;
        let usable = url::Url::parse(endpoint).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https")
                && url.host_str().is_some_and(|host| !host.is_empty())
                && url.username().is_empty()
                && url.password().is_none()
                && url.query().is_none()
        });
        (!usable).then(|| {
            (
                Text::fixed(
                    "telemetry.otlp_endpoint is no address of a collector",
                    "`telemetry.otlp_endpoint` 不是收集器的地址",
                ),
                Text::fixed(
                    "write such as `http://127.0.0.1:4318`, without a user and a query",
                    "例如 `http://127.0.0.1:4318`，不带用户和查询",
                ),
            )
        })
    }

    /// Where traces are sent to.
    pub fn traces_url(&self) -> Option<String> {
        let endpoint = self.otlp_endpoint.as_deref()?;
        Some(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
    }
}

/// What is wrong with some webhooks, the key at which that stands, and what to do.
pub(super) fn fault(hooks: &[Webhook]) -> Option<(Text, Text)> {
    if hooks.len() > MOST {
        return Some((
            text!(
                "there are more than {MOST} webhooks",
                "webhook 多于 {MOST} 个"
            ),
            Text::fixed(
                "let one service pass events on to the others",
                "请让一个服务把事件转发给其他服务",
            ),
        ));
    }
    let mut names = std::collections::BTreeSet::new();
    for hook in hooks {
        let name = hook.title();
        if name == "otlp" {
            return Some((
                Text::fixed(
                    "a webhook is called `otlp`, as the collector of traces is",
                    "有 webhook 叫 `otlp`，而这是追踪收集器的名字",
                ),
                Text::fixed("choose another `name`", "请换一个 `name`"),
            ));
        }
        if !names.insert(name.clone()) {
            return Some((
                text!(
                    "two webhooks are called `{name}`",
                    "有两个 webhook 都叫 `{name}`"
                ),
                Text::fixed("give each a `name` of its own", "给每个写不同的 `name`"),
            ));
        }
        if let Some(why) = url_fault(hook) {
            return Some((
                text!("the webhook `{name}`: {why}", "webhook `{name}`：{why}"; why),
                Text::fixed(
                    "write `https://HOST/PATH`; for a service of your own network also set `allow_private = true`",
                    "请写 `https://主机/路径`；自己网络里的服务还要写 `allow_private = true`",
                ),
            ));
        }
        if let Some(event) = hook
            .events
            .iter()
            .find(|kind| !KINDS.contains(&kind.as_str()))
        {
            let shown = quoted(event);
            return Some((
                text!(
                    "the webhook `{name}`: there is no event `{shown}`",
                    "webhook `{name}`：没有事件 `{shown}`"
                ),
                Text::fixed(
                    "events are contact.began and contact.ended",
                    "事件有 contact.began 和 contact.ended",
                ),
            ));
        }
        for (key, value, most) in [
            ("at_once", hook.at_once, MOST_AT_ONCE),
            ("timeout_s", hook.timeout_s, 60),
            ("retry_for_s", hook.retry_for_s, 604_800),
        ] {
            if !(1..=most).contains(&value) {
                return Some((
                    text!(
                        "the webhook `{name}`: {key} is 1 to {most}, not {value}",
                        "webhook `{name}`：`{key}` 是 1 到 {most}，不能是 {value}"
                    ),
                    Text::fixed("leave it out for the default", "不写就用默认值"),
                ));
            }
        }
    }
    None
}

fn url_fault(hook: &Webhook) -> Option<Text> {
    let Ok(url) = url::Url::parse(&hook.url) else {
        return Some(Text::fixed("its url is none", "它的 url 不是 URL"));
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Some(Text::fixed(
            "its url has a user or a password: requests are signed instead",
            "它的 url 里有用户或密码：请求已有签名",
        ));
    }
    match url.scheme() {
        "https" => {}
        "http" if hook.allow_private => {}
        _ => {
            return Some(Text::fixed(
                "records have callers' numbers, and its url is not https",
                "记录里有主叫号码，而它的 url 不是 https",
            ));
        }
    }
    let address = url.host_str().and_then(|host| {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host.parse::<IpAddr>().ok()
    });
    match address {
        Some(address) if is_private(address) && !hook.allow_private => Some(Text::fixed(
            "its address is a private one",
            "它的地址是私有地址",
        )),
        _ if url.host_str().is_none_or(str::is_empty) => {
            Some(Text::fixed("its url has no host", "它的 url 没有主机"))
        }
        _ => None,
    }
}
