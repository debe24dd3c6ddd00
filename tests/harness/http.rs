//! Just enough HTTP to ask our own programs.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result};

/// An answer.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// Status line and header fields, as they came.
    pub head: String,
    /// The body.
    pub body: String,
}

impl Response {
    /// The body as JSON.
    pub fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_str(&self.body).with_context(|| format!("not JSON: {}", self.body))
    }
}

impl Response {
    /// A header field of the answer.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(':'));
        fields.find_map(|(field, value)| field.eq_ignore_ascii_case(name).then_some(value.trim()))
    }
}

/// `GET`, whole answer.
pub fn get(address: SocketAddr, path: &str) -> Result<Response> {
    request(address, "GET", path)
}

/// A request without a body, whole answer.
pub fn request(address: SocketAddr, method: &str, path: &str) -> Result<Response> {
    send(address, method, path, &[], None)
}

/// A request with header fields, and JSON as its body.
pub fn send(
    address: SocketAddr,
    method: &str,
    path: &str,
    fields: &[(&str, &str)],
    body: Option<&str>,
) -> Result<Response> {
    let mut stream = connect(address, Duration::from_secs(30))?;
    talk(
        &mut stream,
        &address.to_string(),
        method,
        path,
        fields,
        body,
    )
}

/// The same over a connection that is there already.
pub fn talk(
    stream: &mut (impl Read + Write),
    host: &str,
    method: &str,
    path: &str,
    fields: &[(&str, &str)],
    body: Option<&str>,
) -> Result<Response> {
    talk_raw(stream, host, method, path, fields, body.map(str::as_bytes))
}

fn talk_raw(
    stream: &mut (impl Read + Write),
    host: &str,
    method: &str,
    path: &str,
    fields: &[(&str, &str)],
    body: Option<&[u8]>,
) -> Result<Response> {
    // HTTP/1.0: the answer ends with the connection and is never chunked.
    let mut head = format!("{method} {path} HTTP/1.0\r\n");
    if !fields
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("host"))
    {
        head.push_str(&format!("Host: {host}\r\n"));
    }
    for (name, value) in fields {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(body) = body {
        if !fields
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case("content-type"))
        {
            head.push_str("Content-Type: application/json\r\n");
        }
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    let mut bytes = Vec::new();
    // A body that is refused early is not read to its end, and the rest cannot be written then.
    let written = stream
        .write_all(head.as_bytes())
        .and_then(|()| stream.write_all(body.unwrap_or_default()));
    let read = stream.read_to_end(&mut bytes);
    if bytes.is_empty() {
        written?;
        read?;
    }
    let text = String::from_utf8(bytes).context("an answer in UTF-8")?;
    let (head, body) = text.split_once("\r\n\r\n").context("an HTTP answer")?;
    let status = head.split(' ').nth(1).context("a status")?.parse()?;
    Ok(Response {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}

/// A request with a body of JSON and a bearer token, whole answer.
pub fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: Option<&serde_json::Value>,
) -> Result<Response> {
    let body = body.map(ToString::to_string).unwrap_or_default();
    send_raw(address, method, path, token, body.as_bytes(), &[])
}

/// The same with any bytes for a body, and further header fields.
pub fn send_raw(
    address: SocketAddr,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: &[u8],
    fields: &[(&str, &str)],
) -> Result<Response> {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let mut all = fields.to_vec();
    if let Some(bearer) = &bearer {
        all.push(("Authorization", bearer));
    }
    let mut stream = connect(address, Duration::from_secs(60))?;
    let host = address.to_string();
    talk_raw(&mut stream, &host, method, path, &all, Some(body))
}

fn connect(address: SocketAddr, patience: Duration) -> Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
    stream.set_read_timeout(Some(patience))?;
    Ok(stream)
}
