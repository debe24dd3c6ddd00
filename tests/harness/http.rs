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
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
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
    let mut text = String::new();
    // A body that is refused early is not read to its end, and the rest cannot be written then.
    let written = write!(stream, "{head}\r\n{}", body.unwrap_or_default());
    let read = stream.read_to_string(&mut text);
    if text.is_empty() {
        written?;
        read?;
    }
    let (head, body) = text.split_once("\r\n\r\n").context("an HTTP answer")?;
    let status = head.split(' ').nth(1).context("a status")?.parse()?;
    Ok(Response {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    })
}
