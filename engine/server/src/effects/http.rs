//! `http`: requests of plugins to the hosts they were granted.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes as Body;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{HeaderMap, Method, Request, Uri};
use hyper_rustls::HttpsConnector;
use hyper_util::client::legacy::{Client, Error as ClientError};
use hyper_util::rt::TokioExecutor;
use rustls::ClientConfig;
use strowger_contact::call::{Bytes, CallError, Header, HttpRequest, HttpResponse};
use strowger_flow::unseen::quoted;

use super::connect::{Connector, NoConnection};
use super::limits::HttpLimits;
use super::secret::{BodyKind, put_in, take_out};
use super::{Refusal, Secret};

/// Headers that are the engine's: it sets them itself, or they are about its connection and not about the request (RFC 9110
/// §7.6.1 and §10.1.1).
const OWN_HEADERS: [&str; 13] = [
    "host",
    "content-length",
    "connection",
    "transfer-encoding",
    "idempotency-key",
    "expect",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
];
/// Headers that a request with a secret in it does not have: a response that is packed, or comes in pieces, could repeat the
/// secret unseen.
const NOT_WITH_SECRETS: [&str; 2] = ["accept-encoding", "range"];
/// How long a connection is kept that nobody uses.
const IDLE: Duration = Duration::from_secs(30);

/// A tenant's HTTP client. Its connections are its own: one that was opened by another tenant's rules is not among them.
/// Bodies are handed on as they come, and nothing is asked for in packed form: what is packed stays packed.
#[derive(Debug, Clone)]
pub(super) struct HttpClient {
    client: Client<HttpsConnector<Connector>, Full<Body>>,
    limits: HttpLimits,
}

/// Who asks.
pub(super) struct Asker<'a> {
    /// `host:port` pairs that it may send requests to.
    pub granted: &'a [String],
    /// Tells a request from its repetition.
    pub idempotency_key: &'a str,
    /// What its handles stand for.
    pub secrets: &'a [Secret],
}

/// A request that is made.
#[derive(Clone)]
pub(super) struct Hop {
    pub method: Method,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub body: Body,
}

impl HttpClient {
    /// A client that believes the usual web authorities, and those that its limits name.
    pub fn new(limits: HttpLimits) -> HttpClient {
        let private = limits.private.iter();
        let connector = Connector {
            private: Arc::new(private.map(|host| host.to_ascii_lowercase()).collect()),
            within: limits.connect(),
        };
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has the protocol versions that rustls calls safe")
            .with_root_certificates(limits.trusted.roots())
            .with_no_client_auth();
        let https = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        let client = Client::builder(TokioExecutor::new())
            .pool_idle_timeout(IDLE)
            .http1_max_headers(limits.headers)
            .http1_max_buf_size(limits.header_bytes)
            .build(https);
        HttpClient { client, limits }
    }

    /// The limits it was made with.
    pub fn limits(&self) -> &HttpLimits {
        &self.limits
    }

    /// Sends a request to one of the granted hosts, and follows redirects as far as that is allowed.
    pub async fn fetch(
        &self,
        request: HttpRequest,
        asker: &Asker<'_>,
    ) -> Result<HttpResponse, Refusal> {
        let limit = request
            .timeout_ms
            .map_or(self.limits.total(), |ms| Duration::from_millis(ms.into()))
            .min(self.limits.total());
        let hop = self.prepare(request, asker)?;
        let exchange = self.exchange(hop, asker);
        let timed_out = Refusal {
            rule: Some("http.total_ms"),
            error: CallError::Timeout,
        };
        tokio::time::timeout(limit, exchange)
            .await
            .unwrap_or(Err(timed_out))
    }

    async fn exchange(&self, mut hop: Hop, asker: &Asker<'_>) -> Result<HttpResponse, Refusal> {
        let mut followed = 0;
        let response = loop {
            let sent = self.client.request(hop.request()?).await;
            let response = sent.map_err(|error| self.failed(&hop.uri, &error))?;
            if self.limits.redirects == 0 {
                break response;
            }
            let secret = !asker.secrets.is_empty();
            let next = hop.elsewhere(response.status(), response.headers(), secret)?;
            let Some(next) = next else {
                break response;
            };
            let to = service(&next.uri)?;
            granted(&to, asker.granted).map_err(|refusal| match secret {
                // The host is of the service's choosing, and may be what it was given.
                true => Refusal::denied(
                    "http.grants",
                    "http redirected to a host that is not among the hosts granted to this plugin; the request has a secret, so it is not told to which".to_owned(),
                ),
                false => refusal,
            })?;
            if followed == self.limits.redirects {
                let most = self.limits.redirects;
                let text = format!("at most {most} redirects are followed");
                return Err(Refusal::limit("http.redirects", text));
            }
            followed += 1;
            hop = next;
        };
        if !asker.secrets.is_empty() && packed(response.headers()) {
            let why = "the response to a request with a secret came packed, where an echo of it could not be seen";
            return Err(CallError::Failed(why.into()).into());
        }
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
        let most = self.limits.response_bytes;
        let body = Limited::new(response.into_body(), most).collect().await;
        let body = body.map_err(|e| match e.downcast_ref::<LengthLimitError>() {
            Some(_) => {
                let text = format!("a response has at most {most} bytes");
                Refusal::limit("http.response_bytes", text)
            }
            None => CallError::Unavailable(format!("the response broke off: {e}")).into(),
        })?;
        let mut response = HttpResponse {
            status,
            headers,
            body: Bytes(body.to_bytes().to_vec()),
        };
        take_out(asker.secrets, &mut response);
        Ok(response)
    }

    /// A request as it leaves, held against grants and limits.
    fn prepare(&self, request: HttpRequest, asker: &Asker<'_>) -> Result<Hop, Refusal> {
        let invalid = |what: String| Refusal::from(CallError::InvalidArgument(what));
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
        let service = service(&uri)?;
        granted(&service, asker.granted)?;
        if !request.secrets.is_empty() {
            self.sealed(&uri, &service)?;
        }
        if request.headers.len() > self.limits.headers {
            let text = format!("a request has at most {} header lines", self.limits.headers);
            return Err(Refusal::limit("http.headers", text));
        }
        let mut body = request.body.map(|body| body.0).unwrap_or_default();
        let mut names = Vec::with_capacity(request.headers.len());
        let mut values = Vec::with_capacity(request.headers.len());
        for header in request.headers {
            let name: HeaderName = header
                .name
                .parse()
                .map_err(|_| invalid(format!("header name `{}`", quoted(&header.name))))?;
            if OWN_HEADERS.contains(&name.as_str()) {
                let text = format!("header {name} is the engine's: leave it out");
                return Err(CallError::Denied(text).into());
            }
            if !request.secrets.is_empty() && NOT_WITH_SECRETS.contains(&name.as_str()) {
                let text = format!("header {name}: not in a request with a secret");
                return Err(CallError::Denied(text).into());
            }
            names.push(name);
            values.push(header.value.into_bytes());
        }
        let kinds = names.iter().zip(&values);
        let kinds = kinds.filter(|(name, _)| **name == CONTENT_TYPE);
        let kind = BodyKind::of(kinds.map(|(_, value)| value.as_slice()));
        let secret = put_in(
            &request.secrets,
            asker.secrets,
            &service,
            &mut values,
            (&mut body, kind),
        )?;
        if body.len() > self.limits.request_bytes {
            let most = self.limits.request_bytes;
            let text = format!("a request body has at most {most} bytes");
            return Err(Refusal::limit("http.request_bytes", text));
        }
        let mut headers = HeaderMap::new();
        let mut bytes = 0;
        for ((name, value), secret) in names.into_iter().zip(values).zip(secret) {
            // As a line: colon, blank, and the line's end.
            bytes += name.as_str().len() + value.len() + 4;
            let mut value = HeaderValue::from_bytes(&value)
                .map_err(|_| invalid(format!("the value of header {name}")))?;
            value.set_sensitive(secret);
            headers.append(name, value);
        }
        if bytes > self.limits.header_bytes {
            let most = self.limits.header_bytes;
            let text = format!("the header lines of a request have at most {most} bytes");
            return Err(Refusal::limit("http.header_bytes", text));
        }
        if !matches!(method, Method::GET | Method::HEAD) {
            let key = HeaderValue::from_str(asker.idempotency_key);
            let key = key.map_err(|_| invalid("the contact's id".into()))?;
            headers.insert("idempotency-key", key);
        }
        Ok(Hop {
            method,
            uri,
            headers,
            body: body.into(),
        })
    }

    /// A secret goes out under TLS, or to a service of the operator's own network.
    fn sealed(&self, uri: &Uri, service: &str) -> Result<(), Refusal> {
        let own = || {
            let mut private = self.limits.private.iter();
            private.any(|host| host.eq_ignore_ascii_case(service))
        };
        if uri.scheme_str() == Some("https") || own() {
            return Ok(());
        }
        Err(Refusal::denied(
            "http.clear",
            format!(
                "a secret to {service} by http:// would go in clear: use https://; in a network of their own the operator names `{service}` in limits.http.private"
            ),
        ))
    }

    /// Why there is no response.
    fn failed(&self, uri: &Uri, error: &ClientError) -> Refusal {
        let service = service(uri).unwrap_or_default();
        let mut cause: Option<&dyn std::error::Error> = Some(error);
        while let Some(inner) = cause {
            if let Some(refused @ NoConnection::Private { .. }) = inner.downcast_ref() {
                let text = format!("http to {service}: {refused}");
                return Refusal::denied("http.private", text);
            }
            if let Some(NoConnection::Slow(_)) = inner.downcast_ref() {
                let error = CallError::Unavailable(format!("http to {service}: {inner}"));
                let rule = Some("http.connect_ms");
                return Refusal { rule, error };
            }
            if inner
                .downcast_ref::<hyper::Error>()
                .is_some_and(hyper::Error::is_parse_too_large)
            {
                let HttpLimits {
                    headers,
                    header_bytes,
                    ..
                } = self.limits;
                return Refusal::limit(
                    "http.header_bytes",
                    format!(
                        "a response has at most {headers} header lines of {header_bytes} bytes together"
                    ),
                );
            }
            cause = inner.source();
        }
        CallError::Unavailable(causes(error)).into()
    }
}

impl Hop {
    fn request(&self) -> Result<Request<Full<Body>>, Refusal> {
        let built = Request::builder()
            .method(self.method.clone())
            .uri(self.uri.clone())
            .body(Full::new(self.body.clone()));
        let mut request =
            built.map_err(|e| Refusal::from(CallError::InvalidArgument(e.to_string())))?;
        *request.headers_mut() = self.headers.clone();
        Ok(request)
    }
}

/// Whether a plugin that is granted these hosts may send a request to an address. One that is none is told as such when the
/// request is made.
pub(crate) fn may_send(url: &str, hosts: &[String]) -> Result<(), Refusal> {
    match url.parse().map(|uri| service(&uri)) {
        Ok(Ok(service)) => granted(&service, hosts),
        _ => Ok(()),
    }
}

/// Refuses services inside of a network that the operator names no more. Whether a name still leads there is not looked up.
pub(crate) fn may_reach(url: &str, closed: &[String]) -> Result<(), Refusal> {
    let Ok(Ok(service)) = url.parse().map(|uri| service(&uri)) else {
        return Ok(());
    };
    match closed.iter().any(|one| one.eq_ignore_ascii_case(&service)) {
        false => Ok(()),
        true => Err(Refusal::denied(
            "http.private",
            format!(
                "http to {service}: only public addresses are reached unless the operator names `{service}` in limits.http.private"
            ),
        )),
    }
}

fn granted(service: &str, granted: &[String]) -> Result<(), Refusal> {
    let known = granted
        .iter()
        .any(|known| known.eq_ignore_ascii_case(service));
    if known {
        return Ok(());
    }
    let text = format!("http to {service}: not among the hosts granted to this plugin");
    Err(Refusal::denied("http.grants", text))
}

/// Whether a response comes in packed form (RFC 9110 §8.4).
fn packed(headers: &HeaderMap) -> bool {
    let mut codings = headers.get_all(CONTENT_ENCODING).iter();
    codings.any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity"))
}

/// `host:port` of an absolute URL, in lower case and the port filled in.
pub(super) fn service(uri: &Uri) -> Result<String, CallError> {
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
        authority.host().to_ascii_lowercase(),
        authority.port_u16().unwrap_or(port)
    ))
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

#[cfg(test)]
mod tests {
    use strowger_contact::call::SecretField;

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

    fn prepare(request: HttpRequest) -> Result<Hop, CallError> {
        let asker = Asker {
            granted: &["api.example:443".into()],
            idempotency_key: "c1:1:1",
            secrets: &[],
        };
        let client = HttpClient::new(HttpLimits::default());
        client
            .prepare(request, &asker)
            .map_err(|refusal| refusal.error)
    }

    #[test]
    fn only_granted_hosts_are_reached() {
        assert!(prepare(request("https://api.example/orders")).is_ok());
        assert!(prepare(request("https://API.example:443/orders")).is_ok());
        for url in [
            "http://api.example/",
            "https://api.example.evil/",
            "https://api.example:444/",
            "https://127.0.0.1/",
        ] {
            assert!(
                matches!(prepare(request(url)), Err(CallError::Denied(_))),
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
                matches!(prepare(request(url)), Err(CallError::InvalidArgument(_))),
                "{url}"
            );
        }
    }

    #[test]
    fn a_secret_does_not_go_out_in_clear() {
        let secrets = [Secret {
            handle: "vault:key".into(),
            text: "t0ps3cret".into(),
            hosts: Some(vec!["api.example:443".into(), "10.1.2.3:8090".into()]),
        }];
        let sent = |url: &str, with: bool| {
            let asker = Asker {
                granted: &["api.example:443".into(), "10.1.2.3:8090".into()],
                idempotency_key: "c1:1:1",
                secrets: &secrets,
            };
            let client = HttpClient::new(HttpLimits {
                private: vec!["10.1.2.3:8090".into()],
                ..HttpLimits::default()
            });
            let mut request = request(url);
            if with {
                request.body = Some(Bytes(b"@k".to_vec()));
                request.secrets = vec![SecretField {
                    placeholder: "@k".into(),
                    handle: "vault:key".into(),
                }];
            }
            let hop = client.prepare(request, &asker);
            hop.map(|hop| hop.body.ends_with(b"t0ps3cret"))
                .map_err(|refusal| refusal.rule)
        };
        assert_eq!(sent("https://api.example/", true), Ok(true));
        assert_eq!(sent("http://10.1.2.3:8090/", true), Ok(true));
        assert_eq!(sent("http://api.example:443/", false), Ok(false));
        assert_eq!(
            sent("http://api.example:443/", true),
            Err(Some("http.clear"))
        );
    }

    #[test]
    fn a_changing_request_can_be_told_from_its_repetition() {
        let hop = prepare(request("https://api.example/orders")).expect("granted");
        assert_eq!(hop.headers["idempotency-key"], "c1:1:1");
        let forged = HttpRequest {
            headers: vec![Header {
                name: "Idempotency-Key".into(),
                value: "mine".into(),
            }],
            ..request("https://api.example/orders")
        };
        assert!(matches!(prepare(forged), Err(CallError::Denied(_))));
    }

    #[test]
    fn what_is_about_the_connection_is_no_guest_s() {
        for (name, denied) in [
            ("Upgrade", true),
            ("te", true),
            ("Expect", true),
            ("Proxy-Authorization", true),
            ("Keep-Alive", true),
            ("Accept", false),
        ] {
            let asked = HttpRequest {
                headers: vec![Header {
                    name: name.into(),
                    value: "100-continue".into(),
                }],
                ..request("https://api.example/orders")
            };
            let refused = matches!(prepare(asked), Err(CallError::Denied(_)));
            assert_eq!(refused, denied, "{name}");
        }
    }

    #[test]
    fn header_lines_are_bounded_in_number_and_size() {
        let with = |count: usize, bytes: usize| {
            let header = Header {
                name: "x-flood".into(),
                value: "x".repeat(bytes),
            };
            let headers = vec![header; count];
            prepare(HttpRequest {
                headers,
                ..request("https://api.example/orders")
            })
        };
        assert!(with(100, 10).is_ok());
        for (count, bytes, name) in [
            (101, 1, "(limits.http.headers)"),
            (90, 1_000, "(limits.http.header_bytes)"),
        ] {
            let refused = with(count, bytes).map(|_| ());
            assert!(
                matches!(&refused, Err(CallError::Limit(told)) if told.contains(name)),
                "{refused:?}"
            );
        }
    }
}
