//! `[transfer]`: how contacts are handed over, and how many calls that may make.

use schemars::JsonSchema;
use serde::Deserialize;
use strowger_flow::diagnostic::{Text, text};
use strowger_flow::unseen::quoted;

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
    /// Such calls for one contact, 1 to 1000; default 30. More end as `failed`: a flow that tries again and again must not take the calls
    /// of others.
    pub calls_per_contact: u32,
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
            calls_per_contact: 30,
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

impl TransferSection {
    /// What is wrong, and the key at which that stands.
    pub(super) fn fault(&self) -> Option<(&'static str, Text)> {
        let ranges = [
            ("calls", self.calls, 20_000),
            ("calls_per_minute", self.calls_per_minute, 6_000),
            ("calls_per_contact", self.calls_per_contact, 1_000),
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
            let shown = quoted(trunk);
            let message = text!(
                "transfer.trunk `{shown}` is no SIP URI of a host",
                "`transfer.trunk` 的 `{shown}` 不是主机的 SIP URI"
            );
            ("trunk", message)
        })
    }
}
