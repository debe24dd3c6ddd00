//! `ETag`: a hash of what is shown of a single thing, so that nobody fetches it twice or writes over another's change.
//!
//! The tag is of the very bytes, so it is a strong one: RFC 9110 §13.1.1 has `If-Match` compare strongly, and a weak one
//! could never match.

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use sha2::Digest;

use super::Problem;
use crate::project::hex;

/// The answer to a `GET` of a single thing, and to a change that leaves it so: JSON with its `ETag`.
pub(crate) struct Tagged<T>(pub T);

impl<T: Serialize> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => {
                let headers = [
                    (CONTENT_TYPE, HeaderValue::from_static("application/json")),
                    (
                        ETAG,
                        HeaderValue::from_str(&tag(&body)).expect("hexadecimal digits in quotes"),
                    ),
                ];
                (headers, body).into_response()
            }
            Err(error) => Problem::internal(error.to_string()).into_response(),
        }
    }
}

/// The tag of a body.
pub(super) fn tag(body: &[u8]) -> String {
    format!("\"{}\"", hex(&sha2::Sha256::digest(body)[..16]))
}

/// Whether a condition names a tag; `None` when there is no such condition.
pub(super) fn holds(headers: &HeaderMap, condition: HeaderName, tag: &str) -> Option<bool> {
    let weakly = condition == IF_NONE_MATCH;
    let mut given = headers.get_all(condition).iter().peekable();
    given.peek()?;
    let named = given
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','));
    let mut named = named.map(str::trim);
    Some(named.any(|named| {
        // If-None-Match compares weakly (RFC 9110 §13.1.2).
        let named = if weakly {
            named.strip_prefix("W/").unwrap_or(named)
        } else {
            named
        };
        named == "*" || named == tag
    }))
}

/// 304 in place of a body that the client has already.
pub(super) fn unless_known(asked: &HeaderMap, response: Response) -> Response {
    let known = response
        .headers()
        .get(ETAG)
        .and_then(|tag| holds(asked, IF_NONE_MATCH, tag.to_str().ok()?));
    if response.status() != StatusCode::OK || known != Some(true) {
        return response;
    }
    let (mut parts, _) = response.into_parts();
    parts.status = StatusCode::NOT_MODIFIED;
    parts.headers.remove(CONTENT_TYPE);
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::empty())
}

#[cfg(test)]
mod tests {
    use super::{holds, tag};
    use axum::http::HeaderMap;
    use axum::http::header::{IF_MATCH, IF_NONE_MATCH};

    #[test]
    fn conditions_name_tags() {
        let tag = tag(b"{}");
        let weak = format!("W/{tag}");
        for (given, strongly, weakly) in [
            (tag.as_str(), true, true),
            (&weak, false, true),
            ("*", true, true),
            ("\"other\"", false, false),
            (&format!("\"other\", {tag}"), true, true),
            ("", false, false),
        ] {
            let mut headers = HeaderMap::new();
            assert_eq!(holds(&headers, IF_MATCH, &tag), None);
            headers.insert(IF_MATCH, given.parse().expect(given));
            headers.insert(IF_NONE_MATCH, given.parse().expect(given));
            assert_eq!(holds(&headers, IF_MATCH, &tag), Some(strongly), "{given}");
            assert_eq!(
                holds(&headers, IF_NONE_MATCH, &tag),
                Some(weakly),
                "{given}"
            );
        }
    }
}
