//! What follows a response that says that something is elsewhere.

use hyper::header::{AUTHORIZATION, COOKIE, LOCATION, PROXY_AUTHORIZATION};
use hyper::{HeaderMap, Method, StatusCode, Uri};
use strowger_flow::unseen::quoted;
use url::Url;

use super::Refusal;
use super::http::{Hop, service};

/// Stands for where a redirect leads that nobody is told.
const UNTOLD: &str = "where it is not told, as the request has a secret";

impl Hop {
    /// The request that a response asks for instead; none where it asks for none (RFC 9110 §15.4). Whatever belongs to a host
    /// does not go to another. Where a service was given a secret, `secret`, it can write that in its location in any form and of any
    /// length: such a request goes to no other host, and a refusal says nothing of what stands there.
    pub(super) fn elsewhere(
        &self,
        status: StatusCode,
        headers: &HeaderMap,
        secret: bool,
    ) -> Result<Option<Hop>, Refusal> {
        let Some(location) = headers.get(LOCATION) else {
            return Ok(None);
        };
        let to_get = match status.as_u16() {
            // What every client does with a POST, and what is not done with anything else.
            301 | 302 => self.method == Method::POST,
            303 => self.method != Method::HEAD,
            307 | 308 => false,
            _ => return Ok(None),
        };
        let from = service(&self.uri)?;
        let denied = |why: String| Refusal::denied("http.redirects", why);
        let location = location.to_str().unwrap_or_default();
        let shown = match secret {
            true => UNTOLD.to_owned(),
            false => format!("`{}`", quoted(location)),
        };
        let unusable = || {
            denied(format!(
                "http redirected by {from} to {shown}: that is no address"
            ))
        };
        let here = Url::parse(&self.uri.to_string()).map_err(|_| unusable())?;
        let mut there = here.join(location).map_err(|_| unusable())?;
        there.set_fragment(None);
        let uri: Uri = there.as_str().parse().map_err(|_| unusable())?;
        let to = service(&uri)?;
        let shown = if secret { UNTOLD } else { to.as_str() };
        if here.scheme() == "https" && there.scheme() != "https" {
            return Err(denied(format!(
                "http redirected by {from} to {shown}: from https to http"
            )));
        }
        let mut hop = Hop {
            uri,
            ..self.clone()
        };
        if to_get {
            hop.method = Method::GET;
            hop.body = Default::default();
            hop.headers.remove(hyper::header::CONTENT_TYPE);
            hop.headers.remove("idempotency-key");
        }
        if to != from || here.scheme() != there.scheme() {
            // Whatever is left out of the request: the service that was given the secret wrote the location, and may have put it there.
            if secret {
                return Err(denied(format!(
                    "http redirected by {from} to {shown}: the request has a secret in it, and is followed to no other host"
                )));
            }
            for name in [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION] {
                hop.headers.remove(name);
            }
        }
        Ok(Some(hop))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(method: Method, url: &str) -> Hop {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("authorization", "Bearer x"),
            ("x-key", "no secret"),
            ("accept", "a/b"),
            ("idempotency-key", "c:1:1"),
        ] {
            headers.insert(name, value.parse().expect("visible"));
        }
        Hop {
            method,
            uri: url.parse().expect("a URL"),
            headers,
            body: "body".into(),
        }
    }

    fn follow(hop: &Hop, status: u16, to: &str) -> Result<Option<Hop>, Refusal> {
        follow_with(false, hop, status, to)
    }

    fn follow_with(secret: bool, hop: &Hop, status: u16, to: &str) -> Result<Option<Hop>, Refusal> {
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, to.parse().expect("visible"));
        let status = StatusCode::from_u16(status).expect("a status");
        hop.elsewhere(status, &headers, secret)
    }

    #[test]
    fn where_a_redirect_leads_is_not_told_of_a_request_with_a_secret() {
        let sent = hop(Method::POST, "https://a.example/x");
        for to in [
            "http://b.example@/paid?pin=4711",
            "http://4711.example:99999/",
            "x4711://x/",
            "http://4711.example/",
            "https://4711.example/",
            "https://4711@b.example/",
        ] {
            let refused = follow_with(true, &sent, 307, to);
            let told = format!("{:?}", refused.err().expect("refused").error);
            assert!(
                !told.contains("4711") && !told.contains("b.example"),
                "{told}"
            );
        }
        // Without one it is quoted, so that its author can mend it.
        let refused = follow(&sent, 307, "http://4711.example:99999/").err();
        let told = format!("{:?}", refused.expect("refused").error);
        assert!(told.contains("4711.example"), "{told}");
    }

    #[test]
    fn methods_and_what_belongs_to_a_host_are_kept_or_left() {
        let post = hop(Method::POST, "https://a.example/x?y=1");
        for (status, method) in [
            (301, "GET"),
            (302, "GET"),
            (303, "GET"),
            (307, "POST"),
            (308, "POST"),
        ] {
            let next = follow(&post, status, "/z").expect("fine").expect("one");
            assert_eq!(next.uri, "https://a.example/z", "{status}");
            assert_eq!(next.method, method, "{status}");
            assert_eq!(next.body.is_empty(), method == "GET", "{status}");
            assert!(next.headers.contains_key("x-key"), "{status}");
            let next = follow(&post, status, "https://b.example/z")
                .expect("fine")
                .expect("one");
            let kept: Vec<&str> = next.headers.keys().map(|name| name.as_str()).collect();
            assert!(
                kept.contains(&"x-key") && !kept.contains(&"authorization"),
                "{kept:?}"
            );
            assert!(kept.contains(&"accept"), "{kept:?}");
        }
        // Another port is another host, and a user name leads nowhere.
        let next = follow(&post, 307, "https://a.example:444/")
            .expect("fine")
            .expect("one");
        assert!(!next.headers.contains_key("authorization"));
        assert!(follow(&post, 307, "https://u:p@a.example/").is_err());
        assert!(follow(&post, 307, "http://a.example/").is_err());
        assert!(follow(&post, 307, "ftp://a.example/").is_err());
        assert!(follow_with(true, &post, 307, "https://b.example/").is_err());
        assert!(follow_with(true, &post, 307, "/other").is_ok());
        assert!(follow_with(true, &post, 303, "https://b.example/").is_err());
        for status in [200, 300, 304, 404] {
            assert!(follow(&post, status, "/z").expect("fine").is_none());
        }
    }
}
