//! `[media]`: where audio flows.

use schemars::JsonSchema;
use serde::Deserialize;
use strowger_flow::diagnostic::{Text, text};

/// Ports below are the system's (RFC 6335 §6), and an engine that is not root cannot have them.
const LOWEST_PORT: u16 = 1024;

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

impl MediaSection {
    /// What is wrong with the range of ports, and the key at which that stands.
    pub(super) fn ports_fault(&self) -> Option<(&'static str, Text)> {
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
