//! One SIP message of a call, as its ladder keeps it: enough to explain the call, and nothing that is a secret.
//!
//! Of the header fields there is a closed list; of addresses the user part, as the contact's record has it; of
//! credentials that they were there; of an SDP body where media goes, never a key (RFC 4568); of no other body anything,
//! but for the status line of a `message/sipfrag`. A key pressed by INFO may be a secret, and the journal has it where it
//! may be seen.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::config::{HEAD_BYTES, HEADER_FIELDS};
use super::examine::{escape, fields, head_end, shown};
use super::values::{NameAddr, media_type, user};

/// Longest value that is kept, in bytes; longer ones are cut at a character.
const VALUE: usize = 128;
/// Most of an SDP body that is looked at, in bytes.
const SDP: usize = 4_096;
/// Stands for a value that must not be seen.
const HIDDEN: &str = "•••";

/// Fields that are kept as they came.
const PLAIN: [&str; 15] = [
    "call-id",
    "user-agent",
    "server",
    "reason",
    "retry-after",
    "max-forwards",
    "content-type",
    "event",
    "subscription-state",
    "session-expires",
    "min-se",
    "require",
    "unsupported",
    "allow-events",
    "warning",
];
/// Fields that are addresses: their user part is kept.
const ADDRESSES: [&str; 5] = ["from", "to", "refer-to", "referred-by", "diversion"];
/// Fields that are kept as a mark that they were there (RFC 3261 §22).
const CREDENTIALS: [&str; 4] = [
    "authorization",
    "proxy-authorization",
    "www-authenticate",
    "proxy-authenticate",
];

/// Which way a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Way {
    /// To the engine.
    In,
    /// From the engine.
    Out,
}

/// One SIP message of a contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Signal {
    /// Its number within its leg, from 0.
    pub n: u32,
    /// Milliseconds since 1970: when it was taken from the socket, or given to it.
    pub at: u64,
    /// 0 is the caller's call; another number the call that the transfer of that effect placed.
    #[serde(default)]
    pub leg: u32,
    /// Which way it went.
    pub way: Way,
    /// `INVITE 4711` (user part of the Request-URI; other requests are their method alone) or `200 OK`.
    pub what: String,
    /// `CSeq`: number and method.
    pub cseq: String,
    /// Transport, address and port of the other end.
    pub peer: String,
    /// Header fields, names in lower case: a closed list, masked.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// What the body is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// How often the same bytes came or went again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub again: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Signal {
    /// The method of a request, or of the request that a response answers.
    pub fn method(&self) -> &str {
        self.cseq.split(' ').nth(1).unwrap_or_default()
    }

    /// The status of a response.
    pub fn status(&self) -> Option<u16> {
        let (status, _) = self.what.split_once(' ')?;
        status.parse().ok()
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status() {
            Some(_) => write!(formatter, "{} ({})", self.what, self.method()),
            None => formatter.write_str(&self.what),
        }
    }
}

/// A message's head in parts, whoever wrote it.
pub(super) struct Parts {
    /// `INVITE sip:…` without the version, or `200 OK`.
    start: String,
    fields: Vec<(String, String)>,
    body: Option<String>,
    pub(super) request: bool,
}

impl Parts {
    /// Of the bytes of a message; none where they are none.
    pub(super) fn of(bytes: &[u8]) -> Option<Parts> {
        let bytes = &bytes[..bytes.len().min(HEAD_BYTES)];
        let (end, body) = head_end(bytes).unwrap_or((bytes.len(), bytes.len()));
        let head = escape(&bytes[..end]);
        let start = head.split(['\r', '\n']).next()?.trim();
        let request = !start.starts_with("SIP/");
        let start = match start.strip_prefix("SIP/2.0 ") {
            Some(status) => status.to_owned(),
            None => start.rsplit_once(" SIP/")?.0.to_owned(),
        };
        let mut found = Vec::with_capacity(16);
        for (name, value) in fields(&head).take(HEADER_FIELDS) {
            let name = match name.to_ascii_lowercase().as_str() {
                "i" => "call-id".to_owned(),
                "f" => "from".to_owned(),
                "t" => "to".to_owned(),
                "c" => "content-type".to_owned(),
                "r" => "refer-to".to_owned(),
                "b" => "referred-by".to_owned(),
                "o" => "event".to_owned(),
                "x" => "session-expires".to_owned(),
                _ => name.to_ascii_lowercase(),
            };
            found.push((name, value.into_owned()));
        }
        let mut parts = Parts {
            start,
            fields: found,
            body: None,
            request,
        };
        parts.body = parts.about(&bytes[body..]);
        Some(parts)
    }

    /// The first field of this name.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        fields
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The tag of an address field; empty where it has none.
    pub(super) fn tag(&self, name: &str) -> &str {
        let address = self.value(name).and_then(NameAddr::parse);
        address
            .and_then(|address| address.tag())
            .unwrap_or_default()
    }

    /// The user part of an address field.
    pub(super) fn user(&self, name: &str) -> String {
        let address = self.value(name).and_then(NameAddr::parse);
        address.map_or_else(String::new, |address| shown(&user(address.uri)))
    }

    /// The method of a request.
    pub(super) fn method(&self) -> Option<&str> {
        self.request
            .then(|| self.start.split(' ').next().unwrap_or_default())
    }

    /// The user part of a request's URI.
    pub(super) fn target(&self) -> String {
        let uri = self.start.split_once(' ').map_or("", |(_, uri)| uri);
        shown(&user(uri.trim()))
    }

    /// The status of a response.
    pub(super) fn status(&self) -> Option<u16> {
        match self.request {
            true => None,
            false => self.start.split(' ').next()?.parse().ok(),
        }
    }

    /// What is kept of it.
    pub(super) fn signal(&self, n: u32, way: Way, peer: String) -> Signal {
        let mut headers = BTreeMap::new();
        for (name, value) in &self.fields {
            let name = name.as_str();
            let kept = if ADDRESSES.contains(&name) {
                self.user(name)
            } else if CREDENTIALS.contains(&name) {
                HIDDEN.to_owned()
            } else if PLAIN.contains(&name) {
                cut(value)
            } else {
                continue;
            };
            headers.entry(name.to_owned()).or_insert_with(|| cut(&kept));
        }
        let what = match self.method() {
            // In a dialog the Request-URI is the other side's Contact, which says nothing.
            Some("INVITE") if self.tag("to").is_empty() => format!("INVITE {}", self.target()),
            Some(method) => method.to_owned(),
            None => self.start.clone(),
        };
        Signal {
            n,
            at: 0,
            leg: 0,
            way,
            what: cut(what.trim()),
            cseq: cut(self.value("cseq").unwrap_or_default()),
            peer,
            headers,
            body: self.body.clone(),
            again: 0,
        }
    }

    fn about(&self, body: &[u8]) -> Option<String> {
        if body.is_empty() {
            return None;
        }
        let kind = media_type(self.value("content-type").unwrap_or_default());
        let told = match kind.as_str() {
            "application/sdp" => media(&body[..body.len().min(SDP)]),
            "message/sipfrag" => {
                let line = body.split(|byte| matches!(byte, b'\r' | b'\n')).next()?;
                let line = String::from_utf8_lossy(line);
                // A fragment may hold whole header fields (RFC 3420 §2); only a status line is shown.
                match line.starts_with("SIP/2.0 ") {
                    true => line.into_owned(),
                    false => format!("{} bytes", body.len()),
                }
            }
            _ => format!("{} bytes", body.len()),
        };
        Some(cut(&told))
    }
}

/// Where a description's media goes, and which way: never its attributes, which may be keys.
fn media(sdp: &[u8]) -> String {
    let text = String::from_utf8_lossy(sdp);
    let mut told = Vec::new();
    for line in text.lines() {
        let line = line.trim_end();
        match line.split_once('=') {
            Some(("c", address)) => {
                told.push(
                    address
                        .split(' ')
                        .next_back()
                        .unwrap_or_default()
                        .to_owned(),
                );
            }
            Some(("m", media)) => told.push(media.to_owned()),
            Some(("a", way @ ("sendrecv" | "sendonly" | "recvonly" | "inactive"))) => {
                told.push(way.to_owned());
            }
            _ => {}
        }
    }
    told.join(", ")
}

/// Text for people, bounded.
fn cut(text: &str) -> String {
    let mut text: String = shown(text).chars().filter(|c| !c.is_control()).collect();
    text.truncate(text.floor_char_boundary(VALUE));
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn signal(text: &str) -> Signal {
        let parts = Parts::of(text.replace('\n', "\r\n").as_bytes()).expect("a message");
        parts.signal(0, Way::In, "udp 192.0.2.1:5060".to_owned())
    }

    #[test]
    fn what_is_secret_in_a_message_is_not_kept() {
        let kept = signal(
            "INVITE sip:4711:geheim@192.0.2.9;x=1?Authorization=Digest%20abc SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1\n\
             From: \"Ann\" <sip:13800138000:password@192.0.2.1>;tag=a\nTo: <sip:4711@192.0.2.9>\nCall-ID: c\nCSeq: 1 INVITE\n\
             Authorization: Digest username=\"ann\", response=\"0123456789abcdef\"\n\
             Proxy-Authorization: Basic c2VjcmV0\nX-Card: 4111111111111111\nContent-Type: application/sdp\nContent-Length: 9\n\n\
             v=0\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/SAVP 0\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7\n\
             k=clear:geheim\na=sendonly\n",
        );
        let told = serde_json::to_string(&kept).expect("JSON");
        for secret in [
            "geheim",
            "password",
            "0123456789",
            "c2VjcmV0",
            "4111",
            "WVNf",
            "crypto",
            "Digest",
            "Ann",
        ] {
            assert!(!told.contains(secret), "{secret}: {told}");
        }
        assert_eq!(kept.what, "INVITE 4711");
        assert_eq!(kept.headers["from"], "13800138000");
        assert_eq!(kept.headers["authorization"], "•••");
        assert_eq!(
            kept.body.as_deref(),
            Some("192.0.2.1, audio 4000 RTP/SAVP 0, sendonly")
        );
    }

    #[test]
    fn no_key_and_no_message_is_kept() {
        for (method, kind, body) in [
            ("INFO", "application/dtmf-relay", "Signal=5\nDuration=160\n"),
            ("MESSAGE", "text/plain", "my card is 4111"),
            ("NOTIFY", "message/sipfrag", "Authorization: Digest 4111\n"),
        ] {
            let kept = signal(&format!(
                "{method} sip:a@b SIP/2.0\nFrom: <sip:a@b>;tag=1\nTo: <sip:c@d>;tag=2\nCall-ID: c\nCSeq: 2 {method}\n\
                 Content-Type: {kind}\n\n{body}"
            ));
            let told = kept.body.expect("a body");
            assert!(told.ends_with(" bytes"), "{method}: {told}");
        }
        let kept = signal(
            "NOTIFY sip:a@b SIP/2.0\nFrom: <sip:a@b>;tag=1\nTo: <sip:c@d>;tag=2\nCall-ID: c\nCSeq: 2 NOTIFY\n\
             Content-Type: message/sipfrag\n\nSIP/2.0 180 Ringing\n",
        );
        assert_eq!(kept.body.as_deref(), Some("SIP/2.0 180 Ringing"));
    }

    #[test]
    fn compact_and_folded_fields_are_read() {
        let kept = signal(
            "SIP/2.0 486 Busy Here\nf: <sip:1@b>;tag=1\nt: <sip:2@d>\n ;tag=9\ni: call\nCSeq: 7 INVITE\n\n",
        );
        assert_eq!(kept.to_string(), "486 Busy Here (INVITE)");
        assert_eq!((kept.status(), kept.method()), (Some(486), "INVITE"));
        assert_eq!(kept.headers["call-id"], "call");
        assert_eq!(kept.headers["to"], "2");
    }

    proptest! {
        #[test]
        fn any_bytes_are_no_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            if let Some(parts) = Parts::of(&bytes) {
                let kept = parts.signal(0, Way::In, String::new());
                prop_assert!(kept.what.len() <= VALUE);
            }
        }

        #[test]
        fn any_fields_are_bounded(value in ".{0,400}") {
            let text = format!(
                "INVITE sip:{value} SIP/2.0\r\nFrom: {value}\r\nTo: {value}\r\nUser-Agent: {value}\r\n\r\n{value}"
            );
            if let Some(parts) = Parts::of(text.as_bytes()) {
                let kept = parts.signal(0, Way::In, String::new());
                prop_assert!(kept.headers.values().all(|value| value.len() <= VALUE));
            }
        }
    }
}
