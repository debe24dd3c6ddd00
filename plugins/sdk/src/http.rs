//! `http`: requests to the hosts that the operator granted.

use std::fmt::Write;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use crate::bindings::strowger::http::client::{Header, Request, Response, SecretField};

use crate::{Error, Failure, host};

/// Sends a request and waits for the whole response, whatever its status. Redirects are not followed unless the
/// operator lets them be.
pub fn fetch(request: &Request) -> Result<Response, Error> {
    host::http::fetch(request)
}

impl Request {
    /// A request without headers and body, under the tenant's own time limit.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Request {
        Request {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            body: None,
            secrets: Vec::new(),
            timeout_ms: None,
        }
    }

    /// `GET`.
    pub fn get(url: impl Into<String>) -> Request {
        Request::new("GET", url).header("accept", "application/json")
    }

    /// `POST` without a body.
    pub fn post(url: impl Into<String>) -> Request {
        Request::new("POST", url).header("accept", "application/json")
    }

    /// With a header line.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Request {
        self.headers.push(Header {
            name: name.into(),
            value: value.into(),
        });
        self
    }

    /// With a JSON body. Fails with `bad-request` when the value cannot be written as JSON.
    pub fn json(mut self, body: &impl Serialize) -> Result<Request, Failure> {
        let body = serde_json::to_vec(body).map_err(|error| {
            Failure::new(
                "bad-request",
                format!("the body cannot be written as JSON: {error}"),
            )
        })?;
        self.body = Some(body);
        Ok(self.header("content-type", "application/json"))
    }

    /// With a secret in place of a text that stands once in the body: a secret entry, or `vault:NAME`, which may also stand
    /// in a header's value. Call it after [`Request::json`]; within a string of that the secret is escaped as JSON wants it.
    #[must_use]
    pub fn secret(mut self, placeholder: impl Into<String>, handle: impl Into<String>) -> Request {
        self.secrets.push(SecretField {
            placeholder: placeholder.into(),
            handle: handle.into(),
        });
        self
    }

    /// At most so many milliseconds from the first connect to the last byte.
    #[must_use]
    pub fn timeout(mut self, ms: u32) -> Request {
        self.timeout_ms = Some(ms);
        self
    }

    /// Sends it; see [`fetch`].
    pub fn send(&self) -> Result<Response, Error> {
        fetch(self)
    }
}

impl Response {
    /// Whether the status is 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body, read as JSON. Fails with `bad-response`, naming the field that does not fit.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Failure::new(
                "bad-response",
                format!("the service's answer with status {}: {error}", self.status),
            )
        })
    }

    /// The value of a header line; the name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|header| header.name == name)
            .map(|header| header.value.as_str())
    }

    /// The failure for a status that the step does not expect: 408, 429 and 5xx may be tried again.
    pub fn unexpected(&self, service: &str) -> Failure {
        let retryable = matches!(self.status, 408 | 429 | 500..);
        let message = format!("{service} answered with status {}", self.status);
        Failure {
            code: "unexpected-status".to_owned(),
            message,
            retryable,
        }
    }
}

/// A text as one part of a path or a query: everything but letters, digits and `-._~` is percent-encoded
/// (RFC 3986 §2.3).
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_phone_number_is_encoded_for_a_query() {
        assert_eq!(super::encode("+86 138/王"), "%2B86%20138%2F%E7%8E%8B");
    }
}
