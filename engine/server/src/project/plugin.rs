//! `[plugins.NAME]`: a plugin of the project's own, and what it may touch.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use strowger_flow::diagnostic::{Text, text};

use super::config::Wrong;

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

impl PluginConfig {
    /// What is wrong with the settings of a plugin of this name.
    pub(super) fn fault(&self, plugin: &str) -> Option<Wrong> {
        let wrong = |path: &[&str], message: Text, help| {
            let path = [&["plugins", plugin], path].concat();
            Some(Wrong::at(&path, message, help))
        };
        if let Some(host) = self.grants.http.iter().find(|host| !is_service(host)) {
            return wrong(
                &["grants", "http"],
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
        let grants = &self.grants;
        for (key, named) in [("queues", &grants.queues), ("transfers", &grants.transfers)] {
            if named.is_some() && !grants.route {
                return wrong(
                    &["grants", key],
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
                &["grants", "transfers"],
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
        let mut path = ["plugins", plugin, "config"].map(str::to_owned).to_vec();
        if let Some(why) = beyond_json(&self.config, &mut path) {
            let written = path.join(".");
            return Some(Wrong {
                path,
                message: text!("{written} {why}", "`{written}` {why}"; why),
                help: Text::fixed(
                    "a plugin reads its configuration as JSON, which has numbers, texts, true and false, lists and \
                         tables; a date is written as a text, in quotes",
                    "插件以 JSON 读取配置，其中有数字、文本、真假值、列表和表；日期写成加引号的文本",
                ),
            });
        }
        None
    }
}

/// Whether this is `host:port`, as requests are held against it.
pub(crate) fn is_service(text: &str) -> bool {
    text.parse::<hyper::http::uri::Authority>()
        .is_ok_and(|service| {
            let port = service.port_u16().is_some_and(|port| port > 0);
            port && !service.host().is_empty() && !text.contains(['@', '*'])
        })
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
