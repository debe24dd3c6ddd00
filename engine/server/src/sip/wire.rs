//! Writing messages.

use std::borrow::Cow;
use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};

use bytes::Bytes;

use super::examine::restore;
use super::grammar::{Head, Request};
use super::values::{NameAddr, Via, params, split_outside_quotes};

/// What a response repeats of its request (RFC 3261 §8.2.6.2).
#[derive(Debug, Clone)]
pub(super) struct Echo {
    /// `Via` values, top first, as received.
    vias: Vec<String>,
    from: String,
    to: String,
    call_id: String,
    cseq: String,
}

impl Echo {
    /// From header fields in any spelling; none where a field that every response needs is missing.
    pub(super) fn of<'a>(fields: impl Iterator<Item = (&'a str, Cow<'a, str>)>) -> Option<Self> {
        let mut echo = Self {
            vias: Vec::new(),
            from: String::new(),
            to: String::new(),
            call_id: String::new(),
            cseq: String::new(),
        };
        for (name, value) in fields {
            let slot = match name.to_ascii_lowercase().as_str() {
                "via" | "v" => {
                    echo.vias.push(value.into_owned());
                    continue;
                }
                "from" | "f" => &mut echo.from,
                "to" | "t" => &mut echo.to,
                "call-id" | "i" => &mut echo.call_id,
                "cseq" => &mut echo.cseq,
                _ => continue,
            };
            if slot.is_empty() {
                *slot = value.into_owned();
            }
        }
        let complete = [&echo.from, &echo.to, &echo.call_id, &echo.cseq]
            .iter()
            .all(|value| !value.is_empty());
        (complete
            && echo
                .vias
                .first()
                .is_some_and(|via| Via::first(via).is_some()))
        .then_some(echo)
    }

    /// From a parsed request.
    pub(super) fn of_request(request: &Request) -> Option<Self> {
        Self::of(
            request
                .head
                .fields()
                .map(|(name, value)| (name, Cow::Borrowed(value))),
        )
    }

    /// Text that is the same in every repetition of the request.
    pub(super) fn identity(&self) -> String {
        format!(
            "{}\n{}\n{}\n{}",
            self.vias.first().map_or("", String::as_str),
            self.from,
            self.call_id,
            self.cseq
        )
    }

    /// Whether the request was in a dialog.
    pub(super) fn has_to_tag(&self) -> bool {
        NameAddr::parse(&self.to).is_some_and(|to| to.tag().is_some())
    }

    /// Where responses go: over a stream back on it; over UDP to the source port if asked (RFC 3581), else to the
    /// source address at the port of sent-by (RFC 3261 §18.2.2).
    pub(super) fn reply_to(&self, source: SocketAddr) -> SocketAddr {
        match self.vias.first().and_then(|via| Via::first(via)) {
            Some(via) if !via.wants_rport() => {
                SocketAddr::new(source.ip(), via.port.unwrap_or(5060))
            }
            _ => source,
        }
    }

    /// Notes in the top `Via` where the request came from (RFC 3261 §18.2.1, RFC 3581 §4).
    pub(super) fn note_source(&mut self, source: SocketAddr) {
        let Some(value) = self.vias.first_mut() else {
            return;
        };
        let Some(via) = Via::first(value) else { return };
        let rport = via.wants_rport();
        if !rport && via.is_from(source.ip()) {
            return;
        }
        let mut elements = split_outside_quotes(value, ',');
        let top = elements.next().unwrap_or_default();
        let rest: Vec<_> = elements.collect();
        let sent_by = top.split(';').next().unwrap_or_default().trim();
        let mut noted = sent_by.to_owned();
        for part in split_outside_quotes(top, ';').skip(1) {
            let name = params(part).next().map_or("", |(name, _)| name);
            if name.eq_ignore_ascii_case("rport") {
                let _ = write!(noted, ";rport={}", source.port());
            } else if !name.eq_ignore_ascii_case("received") && !name.is_empty() {
                let _ = write!(noted, ";{}", part.trim());
            }
        }
        let _ = write!(noted, ";received={}", source.ip());
        for other in rest {
            let _ = write!(noted, ",{other}");
        }
        *value = noted;
    }

    /// The response. `to_tag` is added to `To` unless it has one; `headers` are whole lines with their line ends.
    pub(super) fn response(
        &self,
        status: u16,
        reason: &str,
        to_tag: Option<&str>,
        headers: &str,
        body: &[u8],
    ) -> Bytes {
        let mut text = String::with_capacity(512 + headers.len());
        let _ = write!(text, "SIP/2.0 {status} {}\r\n", clean(reason));
        for via in &self.vias {
            let _ = write!(text, "Via: {via}\r\n");
        }
        let _ = write!(text, "From: {}\r\nTo: {}", self.from, self.to);
        if let Some(tag) = to_tag.filter(|_| !self.has_to_tag()) {
            let _ = write!(text, ";tag={tag}");
        }
        let _ = write!(
            text,
            "\r\nCall-ID: {}\r\nCSeq: {}\r\n{headers}",
            self.call_id, self.cseq
        );
        finish(text, body)
    }

    /// `To` with our tag, as our side of the dialog.
    pub(super) fn to_with_tag(&self, tag: &str) -> String {
        if self.has_to_tag() {
            self.to.clone()
        } else {
            format!("{};tag={tag}", self.to)
        }
    }

    /// `From` as received, the peer's side of the dialog.
    pub(super) fn from(&self) -> &str {
        &self.from
    }
}

/// The head of a request of ours.
#[derive(Debug)]
pub(super) struct RequestHead<'a> {
    pub(super) method: &'a str,
    pub(super) uri: &'a str,
    pub(super) tcp: bool,
    pub(super) sent_by: &'a str,
    pub(super) branch: u64,
    pub(super) routes: &'a [String],
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) call_id: &'a str,
    pub(super) cseq: u32,
    /// How often it may be forwarded.
    pub(super) max_forwards: u8,
}

impl RequestHead<'_> {
    /// The request. `headers` are whole lines with their line ends.
    pub(super) fn request(&self, headers: &str, body: &[u8]) -> Bytes {
        let mut text = String::with_capacity(512 + headers.len());
        let transport = if self.tcp { "TCP" } else { "UDP" };
        let _ = write!(text, "{} {} SIP/2.0\r\n", self.method, self.uri);
        let _ = write!(
            text,
            "Via: SIP/2.0/{transport} {};branch={}",
            self.sent_by,
            branch_text(self.branch)
        );
        let _ = write!(text, ";rport\r\nMax-Forwards: {}\r\n", self.max_forwards);
        for route in self.routes {
            let _ = write!(text, "Route: {route}\r\n");
        }
        let _ = write!(
            text,
            "From: {}\r\nTo: {}\r\nCall-ID: {}\r\n",
            self.from, self.to, self.call_id
        );
        let _ = write!(text, "CSeq: {} {}\r\n{headers}", self.cseq, self.method);
        finish(text, body)
    }
}

/// A branch of ours on the wire: the cookie of RFC 3261 and our number.
pub(super) fn branch_text(branch: u64) -> String {
    format!("z9hG4bK{branch:016x}")
}

/// The number in a branch of ours.
pub(super) fn branch_number(text: &str) -> Option<u64> {
    hex_number(text.strip_prefix("z9hG4bK")?)
}

/// A tag of ours on the wire.
pub(super) fn tag_text(tag: u64) -> String {
    format!("{tag:016x}")
}

/// The number in a tag of ours.
pub(super) fn hex_number(text: &str) -> Option<u64> {
    if text.len() != 16 {
        None
    } else {
        u64::from_str_radix(text, 16).ok()
    }
}

/// An address as a URI's host and port.
pub(super) fn host_port(ip: IpAddr, port: u16) -> String {
    SocketAddr::new(ip, port).to_string()
}

/// Text of ours without what could end a header line.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    if text.chars().any(char::is_control) {
        Cow::Owned(
            text.chars()
                .filter(|character| !character.is_control())
                .collect(),
        )
    } else {
        Cow::Borrowed(text)
    }
}

/// `Record-Route` lines of a request, for its responses (RFC 3261 §12.1.1).
pub(super) fn record_route_lines(head: &Head) -> String {
    let mut lines = String::new();
    for route in head.values("Record-Route") {
        let _ = write!(lines, "Record-Route: {route}\r\n");
    }
    lines
}

fn finish(mut text: String, body: &[u8]) -> Bytes {
    let _ = write!(text, "Content-Length: {}\r\n\r\n", body.len());
    let mut bytes = restore(text);
    bytes.extend_from_slice(body);
    bytes.into()
}
