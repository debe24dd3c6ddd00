//! What a tenant's plugins may use of the world beyond the contact: every limit with unit, default and reason.

use std::ops::RangeInclusive;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::authorities::Authorities;
use crate::media::RECORDINGS_MB;
use crate::prompts::MEMORY_MIB as PROMPTS_MIB;
use crate::store::KvLimits;

/// `[limits.http]`: requests of plugins.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct HttpLimits {
    /// `host:port` pairs, as they are granted, that may be at private addresses: loopback, 10.0.0.0/8, link-local and the
    /// like. Default none.
    ///
    /// A plugin that reaches the inside of a network reaches what nobody guards: consoles, and the service in which a
    /// cloud tells a machine its credentials.
    pub private: Vec<String>,
    /// PEM files with certificates of authorities that are believed besides the usual web authorities, such as that of a company's
    /// own network; paths begin at the folder of `strowger.toml`. Default none.
    ///
    /// Whoever signs with such a key can pass for any host that is granted here, and for none of another tenant.
    pub authorities: Vec<String>,
    /// What stands in them, once they are read.
    #[serde(skip)]
    pub trusted: Authorities,
    /// Longest body of a request. Bytes; default 1 MiB, at most 16 MiB.
    pub request_bytes: usize,
    /// Longest body of a response, as it comes over the line: nothing is unpacked. Bytes; default 1 MiB, at most 16 MiB.
    pub response_bytes: usize,
    /// Header lines of a request, and of a response. Count; default 100, at most 1000.
    pub headers: usize,
    /// All header lines of a request, and of a response. Bytes; default 32 KiB, 8 KiB to 1 MiB.
    pub header_bytes: usize,
    /// Until a connection is there, its name's resolution included. Milliseconds; default 3000.
    pub connect_ms: u64,
    /// From the connect to the last byte, redirects included. Milliseconds; default 10000.
    ///
    /// It ends services that answer a byte at a time, too.
    pub total_ms: u64,
    /// Redirects that are followed; with 0, the default, the plugin gets the redirect itself. At most 10.
    ///
    /// Each goes to a granted host, under the same rules as the first; none from https to http.
    pub redirects: u8,
    /// Requests under way of the tenant. Count; default 64, at most 10000.
    ///
    /// One tenant's slow service must not take all that the process may open.
    pub at_once: usize,
    /// Requests of one step, its retries included. Count; default 50, at most 1000.
    pub per_step: u32,
}

impl HttpLimits {
    /// [`Self::connect_ms`].
    pub(super) fn connect(&self) -> Duration {
        Duration::from_millis(self.connect_ms)
    }

    /// [`Self::total_ms`].
    pub(super) fn total(&self) -> Duration {
        Duration::from_millis(self.total_ms)
    }
}

impl Default for HttpLimits {
    fn default() -> Self {
        HttpLimits {
            private: Vec::new(),
            authorities: Vec::new(),
            trusted: Authorities::default(),
            request_bytes: 1 << 20,
            response_bytes: 1 << 20,
            headers: 100,
            header_bytes: 32 << 10,
            connect_ms: 3_000,
            total_ms: 10_000,
            redirects: 0,
            at_once: 64,
            per_step: 50,
        }
    }
}

/// `[limits.log]`: lines that plugins write into the log. What is beyond is left out, counted, and told now and then.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LogLimits {
    /// Lines of one step. Count; default 100.
    pub lines_per_step: u32,
    /// Bytes of one step. Default 16 KiB.
    pub bytes_per_step: usize,
    /// Lines a second of the tenant, and as many at once after a rest. Count; default 200.
    ///
    /// The log is the operator's: a disk full of it is everybody's trouble.
    pub lines_per_second: u32,
}

impl Default for LogLimits {
    fn default() -> Self {
        LogLimits {
            lines_per_step: 100,
            bytes_per_step: 16 << 10,
            lines_per_second: 200,
        }
    }
}

/// Default of `limits.journal_mb_per_contact`.
pub(crate) const JOURNAL_MB: u32 = 16;
/// What it can be.
pub(crate) const JOURNAL_MB_RANGE: RangeInclusive<u32> = 1..=1 << 10;
/// Default of `limits.memory_mib`.
pub(crate) const MEMORY_MIB: u32 = 2_048;
/// What it can be; a step of the default size fits into the least.
pub(crate) const MEMORY_MIB_RANGE: RangeInclusive<u32> = 16..=1 << 20;

/// `[limits]` of a project that is served from its own folder; for what is pushed to a centre the operator's file
/// for the tenant holds instead.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ProjectLimits {
    /// Linear memory that its steps may hold together at once, with what those were told that can be built again, and with what the
    /// values of its contacts take beyond 16 KiB each. MiB, 16 to 1,048,576; default 2048. Beyond it those of them go that wait and
    /// can be built again, and then a step takes its `error` edge with `step-memory-limit`, and a contact whose values are too much
    /// ends as `error`.
    ///
    /// A thousand steps of 2 MiB.
    pub memory_mib: u32,
    /// Ready sound of its prompts in memory, each once for PCMU and once for PCMA. MiB, 32 to 65,536; default 128. Beyond it what was not played
    /// for longest goes, and is made again when it is said; what is being played stays, and a prompt for which nothing can go fails.
    ///
    /// About four hours.
    pub prompts_mib: u32,
    /// What one contact's journal may come to, as text before it is packed. MiB, 1 to 1024; default 16. Beyond it what a step
    /// is answered is refused with `limit`, and a contact that writes on ends with an error.
    ///
    /// A journal keeps every answer that a step gets: a flow that fetches and fetches must not fill the store.
    pub journal_mb_per_contact: u32,
    /// What its recordings may take together on the disk. MiB, 1 to 16,777,216; default 10240. Beyond it a recording ends early, and
    /// none begins.
    ///
    /// About ninety hours of whole calls.
    pub recordings_mb: u32,
    /// Requests of plugins.
    pub http: HttpLimits,
    /// Data of plugins.
    pub kv: KvLimits,
    /// Log lines of plugins.
    pub log: LogLimits,
}

impl Default for ProjectLimits {
    fn default() -> Self {
        let EffectLimits {
            http,
            kv,
            log,
            journal_mb_per_contact,
            ..
        } = EffectLimits::default();
        ProjectLimits {
            memory_mib: MEMORY_MIB,
            prompts_mib: PROMPTS_MIB,
            journal_mb_per_contact,
            recordings_mb: RECORDINGS_MB,
            http,
            kv,
            log,
        }
    }
}

impl ProjectLimits {
    /// [`Self::memory_mib`] in bytes.
    pub(crate) fn memory_bytes(&self) -> u64 {
        u64::from(self.memory_mib) << 20
    }

    /// [`Self::prompts_mib`] in bytes.
    pub(crate) fn prompts_bytes(&self) -> usize {
        (self.prompts_mib as usize) << 20
    }

    /// Those of what plugins have of the world.
    pub(crate) fn effects(&self) -> EffectLimits {
        EffectLimits {
            http: self.http.clone(),
            kv: self.kv.clone(),
            log: self.log.clone(),
            journal_mb_per_contact: self.journal_mb_per_contact,
            transfers_percent: 100,
        }
    }
}

/// What a tenant's plugins may have of the world, and what its contacts may write and call of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectLimits {
    /// Requests of plugins.
    pub http: HttpLimits,
    /// Data of plugins.
    pub kv: KvLimits,
    /// Log lines of plugins.
    pub log: LogLimits,
    /// One contact's journal, in MiB.
    pub journal_mb_per_contact: u32,
    /// Its part of the calls that are placed for transfers, in percent.
    pub transfers_percent: u8,
}

impl Default for EffectLimits {
    fn default() -> Self {
        EffectLimits {
            http: HttpLimits::default(),
            kv: KvLimits::default(),
            log: LogLimits::default(),
            journal_mb_per_contact: JOURNAL_MB,
            transfers_percent: 100,
        }
    }
}

/// A limit that cannot be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WrongLimit {
    /// `http`, `kv` or `log`.
    pub table: &'static str,
    /// Its name.
    pub key: &'static str,
    /// The least it can be.
    pub least: u64,
    /// The most.
    pub most: u64,
}

impl std::fmt::Display for WrongLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let WrongLimit {
            table,
            key,
            least,
            most,
        } = self;
        write!(f, "limits.{table}.{key} is {least} to {most}")
    }
}

impl EffectLimits {
    /// The limits that are too low or too high.
    pub(crate) fn faults(&self) -> impl Iterator<Item = WrongLimit> + use<> {
        const MIB: u64 = 1 << 20;
        // The rest is no table of its own: whoever reads it looks at it.
        let EffectLimits { http, kv, log, .. } = self;
        let size = |value: usize| value as u64;
        let ranges = [
            (
                "http",
                "request_bytes",
                size(http.request_bytes),
                0,
                16 * MIB,
            ),
            (
                "http",
                "response_bytes",
                size(http.response_bytes),
                0,
                16 * MIB,
            ),
            ("http", "headers", size(http.headers), 1, 1_000),
            // The HTTP library has no smaller buffer.
            (
                "http",
                "header_bytes",
                size(http.header_bytes),
                8 << 10,
                MIB,
            ),
            ("http", "connect_ms", http.connect_ms, 1, 60_000),
            ("http", "total_ms", http.total_ms, 1, 600_000),
            ("http", "redirects", http.redirects.into(), 0, 10),
            ("http", "at_once", size(http.at_once), 0, 10_000),
            ("http", "per_step", http.per_step.into(), 0, 1_000),
            ("kv", "key_bytes", size(kv.key_bytes), 1, 512),
            ("kv", "value_bytes", size(kv.value_bytes), 0, MIB),
            ("kv", "keys", kv.keys, 0, 1_000_000),
            ("kv", "bytes", kv.bytes, 0, 16 << 30),
            ("kv", "tenant_keys", kv.tenant_keys, 0, 10_000_000),
            ("kv", "tenant_bytes", kv.tenant_bytes, 0, 64 << 30),
            (
                "kv",
                "operations_per_second",
                kv.operations_per_second.into(),
                0,
                100_000,
            ),
            ("log", "lines_per_step", log.lines_per_step.into(), 0, 1_000),
            (
                "log",
                "bytes_per_step",
                size(log.bytes_per_step),
                0,
                4 * MIB,
            ),
            (
                "log",
                "lines_per_second",
                log.lines_per_second.into(),
                0,
                100_000,
            ),
        ];
        let wrong = ranges
            .into_iter()
            .filter(|(_, _, value, least, most)| !(*least..=*most).contains(value));
        wrong.map(|(table, key, _, least, most)| WrongLimit {
            table,
            key,
            least,
            most,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::EffectLimits;

    #[test]
    fn defaults_are_within_their_own_bounds() {
        assert_eq!(EffectLimits::default().faults().next(), None);
    }
}
