//! `[http]`: where the API listens, and how often it may be asked.

use std::net::SocketAddr;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use strowger_flow::diagnostic::{Text, text};

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

impl HttpSection {
    /// What is wrong, and the key at which that stands.
    pub(super) fn fault(&self) -> Option<(&'static str, Text)> {
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
