//! `http`: requests of plugins to the hosts they were granted.

use std::time::Duration;

use bytes::Bytes as Body;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::header::{HeaderName, HeaderValue};
use hyper::{Method, Request, Uri};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use strowger_contact::call::{Bytes, CallError, Header, HttpRequest, HttpResponse};

/// Limits of one plugin's requests.
#[derive(Debug, Clone)]
pub struct HttpLimits {
    /// Longest request body, in bytes; default 1 MiB.
    pub request_bytes: usize,
    /// Longest response body, in bytes; default 1 MiB.
    pub response_bytes: usize,
    /// Longest request from connect to the last byte; default 10 s.
    pub timeout: Duration,
    /// Longest wait for a connection; default 3 s.
    pub connect_timeout: Duration,
    /// Most header lines of a request; default 32.
    pub headers: usize,
}

impl Default for HttpLimits {
    fn default() -> Self {
        HttpLimits {
            request_bytes: 1 << 20,
            response_bytes: 1 << 20,
            timeout: Duration::from_secs(10),
            connect_timeout: Duration::from_secs(3),
            headers: 32,
        }
    }
}

/// Headers that the engine sets itself.
const OWN_HEADERS: [&str; 5] = [
    "host",
    "content-length",
    "connection",
    "transfer-encoding",
    "idempotency-key",
];

/// The engine's HTTP client. Connections are kept; redirects are not followed.
#[derive(Debug, Clone)]
pub struct HttpClient {
    client: Client<HttpsConnector<HttpConnector>, Full<Body>>,
    limits: HttpLimits,
}

impl HttpClient {
    /// A client that trusts the usual web authorities.
    pub fn new(limits: HttpLimits) -> HttpClient {
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_connect_timeout(Some(limits.connect_timeout));
        let https = hyper_rustls::HttpsConnectorBuilder::new()
            .with_provider_and_webpki_roots(rustls::crypto::aws_lc_rs::default_provider())
            .expect("the provider has the protocol versions that rustls calls safe")
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(Duration::from_secs(30))
            .build(https);
        HttpClient { client, limits }
    }

    /// Sends a request to one of the granted `host:port` pairs. `secret` resolves handles of secret entries.
    pub async fn fetch(
        &self,
        request: HttpRequest,
        granted: &[String],
        idempotency_key: &str,
        secret: impl Fn(&str) -> Option<String>,
    ) -> Result<HttpResponse, CallError> {
        let limit = request
            .timeout_ms
            .map_or(self.limits.timeout, |ms| Duration::from_millis(ms.into()))
            .min(self.limits.timeout);
        let request = self.build(request, granted, idempotency_key, secret)?;
        let exchange = async {
            let response = self
                .client
                .request(request)
                .await
                .map_err(|e| unavailable(&e))?;
            let status = response.status().as_u16();
            let headers = response
                .headers()
                .iter()
                .filter_map(|(name, value)| {
                    Some(Header {
                        name: name.as_str().to_owned(),
                        value: value.to_str().ok()?.to_owned(),
                    })
                })
                .collect();
            let body = Limited::new(response.into_body(), self.limits.response_bytes)
                .collect()
                .await
                .map_err(|e| match e.downcast_ref::<LengthLimitError>() {
                    Some(_) => CallError::Limit(format!(
                        "a response has at most {} bytes",
                        self.limits.response_bytes
                    )),
                    None => CallError::Unavailable(format!("the response broke off: {e}")),
                })?;
            Ok(HttpResponse {
                status,
                headers,
                body: Bytes(body.to_bytes().to_vec()),
            })
        };
        tokio::time::timeout(limit, exchange)
            .await
            .unwrap_or(Err(CallError::Timeout))
    }

    fn build(
        &self,
        request: HttpRequest,
        granted: &[String],
        idempotency_key: &str,
        secret: impl Fn(&str) -> Option<String>,
    ) -> Result<Request<Full<Body>>, CallError> {
        let invalid = |what: String| CallError::InvalidArgument(what);
        let method: Method = match request.method.as_str() {
            "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE" => request
                .method
                .parse()
                .map_err(|_| invalid("method".into()))?,
            _ => {
                return Err(invalid(
                    "method: use GET, HEAD, POST, PUT, PATCH or DELETE".into(),
                ));
            }
        };
        let uri: Uri = request
            .url
            .parse()
            .map_err(|e| invalid(format!("url: {e}")))?;
        let host = host(&uri)?;
        if !granted
            .iter()
            .any(|allowed| allowed.eq_ignore_ascii_case(&host))
        {
            return Err(CallError::Denied(format!(
                "http to {host}: not among the hosts granted to this plugin"
            )));
        }
        let mut body = request.body.map(|body| body.0).unwrap_or_default();
        for field in &request.secrets {
            let text = secret(&field.handle).ok_or_else(|| {
                invalid(format!(
                    "`{}` is no secret of this contact",
                    short(&field.handle)
                ))
            })?;
            body = replace_once(&body, field.placeholder.as_bytes(), text.as_bytes()).ok_or_else(
                || invalid("a secret's placeholder must stand exactly once in the body".into()),
            )?;
        }
        if body.len() > self.limits.request_bytes {
            return Err(CallError::Limit(format!(
                "a request body has at most {} bytes",
                self.limits.request_bytes
            )));
        }
        if request.headers.len() > self.limits.headers {
            return Err(CallError::Limit(format!(
                "a request has at most {} header lines",
                self.limits.headers
            )));
        }
        let safe = matches!(method, Method::GET | Method::HEAD);
        let mut built = Request::builder().method(method).uri(uri);
        for header in &request.headers {
            let name: HeaderName = header
                .name
                .parse()
                .map_err(|_| invalid(format!("header name `{}`", short(&header.name))))?;
            if OWN_HEADERS.contains(&name.as_str()) {
                return Err(CallError::Denied(format!(
                    "header {name} is set by the engine"
                )));
            }
            let value: HeaderValue = header
                .value
                .parse()
                .map_err(|_| invalid(format!("the value of header {name}")))?;
            built = built.header(name, value);
        }
        if !safe {
            built = built.header("idempotency-key", idempotency_key);
        }
        built
            .body(Full::new(Body::from(body)))
            .map_err(|e| invalid(e.to_string()))
    }
}

/// `host:port` of an absolute URL, the port filled in.
fn host(uri: &Uri) -> Result<String, CallError> {
    let invalid = |what: &str| CallError::InvalidArgument(format!("url: {what}"));
    let port = match uri.scheme_str() {
        Some("http") => 80,
        Some("https") => 443,
        _ => return Err(invalid("use http:// or https://")),
    };
    let authority = uri.authority().ok_or_else(|| invalid("no host"))?;
    if authority.as_str().contains('@') {
        return Err(invalid("no user name in a URL"));
    }
    Ok(format!(
        "{}:{}",
        authority.host(),
        authority.port_u16().unwrap_or(port)
    ))
}

fn unavailable(error: &hyper_util::client::legacy::Error) -> CallError {
    CallError::Unavailable(causes(error))
}

/// An error with its chain of causes, which says what matters: refused, no such host, certificate.
pub(crate) fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

fn replace_once(body: &[u8], placeholder: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    if placeholder.is_empty() {
        return None;
    }
    let mut places = body
        .windows(placeholder.len())
        .enumerate()
        .filter(|(_, window)| *window == placeholder);
    let (at, _) = places.next()?;
    if places.next().is_some() {
        return None;
    }
    Some([&body[..at], text, &body[at + placeholder.len()..]].concat())
}

fn short(text: &str) -> String {
    text.chars().take(32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(url: &str) -> HttpRequest {
        HttpRequest {
            method: "POST".into(),
            url: url.into(),
            headers: Vec::new(),
            body: None,
            secrets: Vec::new(),
            timeout_ms: None,
        }
    }

    fn build(request: HttpRequest) -> Result<Request<Full<Body>>, CallError> {
        let client = HttpClient::new(HttpLimits::default());
        client.build(request, &["api.example:443".into()], "c1:1:1", |_| None)
    }

    #[test]
    fn only_granted_hosts_are_reached() {
        assert!(build(request("https://api.example/orders")).is_ok());
        assert!(build(request("https://API.example:443/orders")).is_ok());
        for url in [
            "http://api.example/",
            "https://api.example.evil/",
            "https://api.example:444/",
            "https://127.0.0.1/",
        ] {
            assert!(
                matches!(build(request(url)), Err(CallError::Denied(_))),
                "{url}"
            );
        }
        for url in [
            "https://api.example@evil/",
            "file:///etc/passwd",
            "/orders",
            "https://u:p@api.example/",
        ] {
            assert!(
                matches!(build(request(url)), Err(CallError::InvalidArgument(_))),
                "{url}"
            );
        }
    }

    #[test]
    fn a_changing_request_can_be_told_from_its_repetition() {
        let built = build(request("https://api.example/orders")).expect("granted");
        assert_eq!(built.headers()["idempotency-key"], "c1:1:1");
        let forged = HttpRequest {
            headers: vec![Header {
                name: "Idempotency-Key".into(),
                value: "mine".into(),
            }],
            ..request("https://api.example/orders")
        };
        assert!(matches!(build(forged), Err(CallError::Denied(_))));
    }

    #[test]
    fn a_secret_is_put_in_exactly_once() {
        assert_eq!(
            replace_once(b"card=@1;", b"@1", b"4111").as_deref(),
            Some(&b"card=4111;"[..])
        );
        assert_eq!(replace_once(b"@1@1", b"@1", b"4111"), None);
        assert_eq!(replace_once(b"nothing", b"@1", b"4111"), None);
        assert_eq!(replace_once(b"nothing", b"", b"4111"), None);
    }
}
