//! `[chat]` of `strowger.toml`.

use schemars::JsonSchema;
use serde::Deserialize;
use strowger_flow::diagnostic::{Text, text};
use strowger_flow::unseen::quoted;

/// Most chats at once: a sleeping one takes less than 1 KiB, but each is built again from its journal at a start.
const MAX_AT_ONCE: u32 = 100_000;
/// Most chats and messages a minute that a setting allows.
const MAX_A_MINUTE: u32 = 60_000;
/// Longest time without a message, in seconds: a week.
const MAX_IDLE_S: u32 = 604_800;

/// `[chat]`
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ChatSection {
    /// Whether chats are taken at `/v1/chats`; default no. Whoever reaches the HTTP address may begin one.
    pub enabled: bool,
    /// Origins of web pages that may talk to it, such as `https://shop.example`; `*` for all. None by default.
    pub origins: Vec<String>,
    /// Chats at once, 1 to 100000; default 1000.
    pub at_once: u32,
    /// Chats begun a minute from one address, 1 to 60000; default 30. Behind a proxy all come from one address.
    pub new_per_minute: u32,
    /// Messages a minute of one chat, 1 to 60000; default 60.
    pub messages_per_minute: u32,
    /// Seconds without a message after which the contact counts as gone (`vanished`), 1 to 604800; default 3600. The
    /// flow's own times go on beside it.
    pub idle_s: u32,
}

impl Default for ChatSection {
    fn default() -> Self {
        ChatSection {
            enabled: false,
            origins: Vec::new(),
            at_once: 1_000,
            new_per_minute: 30,
            messages_per_minute: 60,
            idle_s: 3_600,
        }
    }
}

impl ChatSection {
    /// What is wrong, and the key at which that stands.
    pub(super) fn fault(&self) -> Option<(&'static str, Text)> {
        let ranges = [
            ("at_once", self.at_once, MAX_AT_ONCE),
            ("new_per_minute", self.new_per_minute, MAX_A_MINUTE),
            (
                "messages_per_minute",
                self.messages_per_minute,
                MAX_A_MINUTE,
            ),
            ("idle_s", self.idle_s, MAX_IDLE_S),
        ];
        for (key, value, most) in ranges {
            if !(1..=most).contains(&value) {
                let message = text!(
                    "chat.{key} is 1 to {most}, not {value}",
                    "`chat.{key}` 是 1 到 {most}，不能是 {value}"
                );
                return Some((key, message));
            }
        }
        let origin = self.origins.iter().find(|origin| !is_origin(origin))?;
        let shown = quoted(origin);
        let message = text!(
            "chat.origins `{shown}` is no origin",
            "`chat.origins` 的 `{shown}` 不是来源"
        );
        Some(("origins", message))
    }
}

/// Whether a browser would send it as `Origin` (RFC 6454 §7): scheme, host and port, in lower case, without a path.
fn is_origin(origin: &str) -> bool {
    if origin == "*" {
        return true;
    }
    url::Url::parse(origin).is_ok_and(|url| url.origin().ascii_serialization() == origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_a_browser_sends() {
        for (origin, is) in [
            ("https://shop.example", true),
            ("http://127.0.0.1:8000", true),
            ("*", true),
            ("https://shop.example/", false),
            ("https://Shop.example", false),
            ("https://shop.example:443", false),
            ("shop.example", false),
            ("null", false),
            ("", false),
        ] {
            assert_eq!(is_origin(origin), is, "{origin}");
        }
    }
}
