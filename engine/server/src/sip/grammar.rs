//! The grammar of RFC 3261 §25: rsipstack's parser for messages and URIs, and what it leaves to us.
//!
//! No other file names the library.

use std::net::IpAddr;

use rsipstack::sip::{self, Header, Headers, Host, Param, Scheme, SipMessage, StatusCode};

pub(super) use rsipstack::sip::Method;

use super::error::SipError;
use super::values::split_outside_quotes;

/// A request or a response.
#[derive(Debug)]
pub(super) enum Message {
    /// A request of a known method.
    Request(Request),
    /// A response.
    Response(Response),
}

/// A request.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    /// Request-URI as received.
    pub(super) uri: String,
    pub(super) head: Head,
    pub(super) body: Vec<u8>,
}

/// A response.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) reason: String,
    pub(super) head: Head,
    pub(super) body: Vec<u8>,
}

/// The header fields of a message.
#[derive(Debug)]
pub(super) struct Head(Headers);

impl Head {
    /// Value of the first field called `name` (its long form).
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.fields()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// Values of all fields called `name`.
    pub(super) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.fields()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
    }

    /// The elements of all fields called `name` that hold comma-separated lists.
    pub(super) fn list<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.values(name)
            .flat_map(|value| split_outside_quotes(value, ','))
            .map(str::trim)
            .filter(|item| !item.is_empty())
    }

    /// Whether such a list holds `token`.
    pub(super) fn lists(&self, name: &str, token: &str) -> bool {
        self.list(name).any(|item| item.eq_ignore_ascii_case(token))
    }

    /// All fields in order, names in their usual spelling.
    pub(super) fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|header: &Header| (header.name(), header.value()))
    }
}

/// Parses the request whose head (with its empty line) this is; the error says what a 400 should.
pub(super) fn parse_request(head: &str, uri: &str, body: &[u8]) -> Result<Request, &'static str> {
    match SipMessage::try_from(head.as_bytes()) {
        Ok(SipMessage::Request(request)) => Ok(Request {
            method: request.method,
            uri: uri.to_owned(),
            head: Head(request.headers),
            body: body.to_vec(),
        }),
        _ => Err("Bad Request-URI Or Headers"),
    }
}

/// Parses the response whose head (with its empty line) this is.
pub(super) fn parse_response(head: &str, body: &[u8]) -> Option<Response> {
    let Ok(SipMessage::Response(response)) = SipMessage::try_from(head.as_bytes()) else {
        return None;
    };
    let status = response.status_code.code();
    let reason = response
        .wire_reason
        .unwrap_or_else(|| response.status_code.text().to_owned());
    (100..=699).contains(&status).then(|| Response {
        status,
        reason,
        head: Head(response.headers),
        body: body.to_vec(),
    })
}

/// Whether the parser knows this method; their names are case-sensitive (RFC 3261 §7.1).
pub(super) fn is_known_method(name: &str) -> bool {
    name.parse::<Method>()
        .is_ok_and(|method| method_name(method) == name)
}

/// The method as written on the wire.
pub(super) fn method_name(method: Method) -> &'static str {
    match method {
        Method::Ack => "ACK",
        Method::Bye => "BYE",
        Method::Cancel => "CANCEL",
        Method::Info => "INFO",
        Method::Invite => "INVITE",
        Method::Message => "MESSAGE",
        Method::Notify => "NOTIFY",
        Method::Options => "OPTIONS",
        Method::PRack => "PRACK",
        Method::Publish => "PUBLISH",
        Method::Refer => "REFER",
        Method::Register => "REGISTER",
        Method::Subscribe => "SUBSCRIBE",
        Method::Update => "UPDATE",
    }
}

/// The usual reason phrase of a status.
pub(super) fn reason_phrase(status: u16) -> String {
    StatusCode::from(status).text().to_owned()
}

/// What a URI says about where to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// Scheme in lower case.
    pub(super) scheme: String,
    /// Host without brackets.
    pub(super) host: String,
    pub(super) ip: Option<IpAddr>,
    pub(super) port: Option<u16>,
    /// `transport=tcp`.
    pub(super) tcp: bool,
}

/// Parses a SIP URI.
pub(super) fn target(uri: &str) -> Result<Target, String> {
    let parsed = sip::parse_uri(uri).map_err(|error| error.to_string())?;
    let scheme = match &parsed.scheme {
        Some(Scheme::Sip) => "sip".to_owned(),
        Some(Scheme::Sips) => "sips".to_owned(),
        Some(Scheme::Other(other)) => other.to_ascii_lowercase(),
        None => return Err("it has no scheme".to_owned()),
    };
    let (host, ip) = match parsed.host_with_port.host {
        Host::IpAddr(ip) => (ip.to_string(), Some(ip)),
        Host::Domain(domain) => (domain.0, None),
    };
    let tcp = parsed
        .params
        .iter()
        .any(|param| matches!(param, Param::Transport(sip::Transport::Tcp)));
    Ok(Target {
        scheme,
        host,
        ip,
        port: parsed.host_with_port.port.map(|port| port.0),
        tcp,
    })
}

/// A URI given by us, without brackets: sip, sips or tel, and nothing in it that could end a header.
pub(crate) fn checked_uri(text: &str) -> Result<String, SipError> {
    let refuse = |cause: &str| SipError::Uri {
        text: text.escape_debug().to_string(),
        cause: cause.to_owned(),
    };
    let uri = text.trim();
    let uri = uri
        .strip_prefix('<')
        .and_then(|rest| rest.strip_suffix('>'))
        .unwrap_or(uri);
    if uri
        .chars()
        .any(|character| character.is_control() || " <>\"".contains(character))
    {
        return Err(refuse(
            "it holds a space, quote, bracket or control character",
        ));
    }
    // What the reader says of it names its own parts.
    let target = target(uri).map_err(|_| refuse("its scheme, host or port cannot be read"))?;
    match target.scheme.as_str() {
        "sip" | "sips" | "tel" => Ok(uri.to_owned()),
        _ => Err(refuse("its scheme is not sip, sips or tel")),
    }
}
