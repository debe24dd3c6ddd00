//! Refusals, in the form of RFC 9457.

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::access::PasswordError;
use crate::store::{AccessError, StoreError};

/// Most characters of a refusal that go into the audit log.
const MAX_WHY_CHARS: usize = 300;

/// A refusal. Its text says what is wrong and what to do, and nothing secret.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    detail: String,
    /// Seconds until it may be tried again.
    retry_after: Option<u64>,
    /// Members beside the standard ones (RFC 9457 §3.2).
    more: serde_json::Map<String, serde_json::Value>,
}

/// `application/problem+json`, RFC 9457.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemBody {
    /// The status in words.
    title: &'static str,
    /// The status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong, and what to do.
    detail: String,
    /// Where a push is refused: `findings`, what is wrong with it, and `text`, the same for people. Where a release is:
    /// `gains`, what it may touch and nobody has accepted, or `field`, the member of the request that cannot be so.
    #[serde(flatten)]
    more: serde_json::Map<String, serde_json::Value>,
}

impl Problem {
    pub fn of(status: StatusCode, detail: impl Into<String>) -> Problem {
        Problem {
            status,
            detail: detail.into(),
            retry_after: None,
            more: serde_json::Map::new(),
        }
    }

    pub fn bad_request(detail: impl Into<String>) -> Problem {
        Problem::of(StatusCode::BAD_REQUEST, detail)
    }

    /// Who asks is not known.
    pub fn unauthorized(detail: impl Into<String>) -> Problem {
        Problem::of(StatusCode::UNAUTHORIZED, detail)
    }

    /// Whether that is what is wrong.
    pub fn is_unauthorized(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED
    }

    /// Who asks is known, and may not.
    pub fn forbidden(detail: impl Into<String>) -> Problem {
        Problem::of(StatusCode::FORBIDDEN, detail)
    }

    pub fn not_found(detail: impl Into<String>) -> Problem {
        Problem::of(StatusCode::NOT_FOUND, detail)
    }

    pub fn conflict(detail: impl Into<String>) -> Problem {
        Problem::of(StatusCode::CONFLICT, detail)
    }

    /// What is asked can be read and cannot be done.
    pub fn unprocessable(detail: impl Into<String>) -> Problem {
        Problem::of(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// Too many requests; good again after so many seconds.
    pub fn too_many(detail: impl Into<String>, seconds: u64) -> Problem {
        Problem {
            retry_after: Some(seconds),
            ..Problem::of(StatusCode::TOO_MANY_REQUESTS, detail)
        }
    }

    /// The same with a member more.
    pub fn with(mut self, name: &str, value: serde_json::Value) -> Problem {
        self.more.insert(name.to_owned(), value);
        self
    }

    /// The same with more words at its end.
    pub fn adding(mut self, words: &str) -> Problem {
        self.detail.push_str(words);
        self
    }

    /// It may be possible later: the store is gone.
    pub fn unavailable(detail: impl Into<String>) -> Problem {
        Problem::of(StatusCode::SERVICE_UNAVAILABLE, detail)
    }

    /// The same, with the seconds after which it is worth another try.
    pub fn unavailable_for(detail: impl Into<String>, seconds: u64) -> Problem {
        Problem {
            retry_after: Some(seconds),
            ..Problem::unavailable(detail)
        }
    }

    /// A body that holds secrets and is not what it should be.
    pub fn of_secrets(rejection: &JsonRejection) -> Problem {
        let said = rejection.body_text();
        let detail = match rejection {
            JsonRejection::JsonDataError(_) | JsonRejection::JsonSyntaxError(_) => unsaid(&said),
            // Of the request's head, or of how the body came.
            _ => said,
        };
        Problem::of(rejection.status(), detail)
    }

    pub fn internal(detail: impl Into<String>) -> Problem {
        Problem::of(StatusCode::INTERNAL_SERVER_ERROR, detail)
    }
}

/// Why something was refused, beside the answer that says so: for the audit log.
#[derive(Debug, Clone)]
pub(super) struct Why(pub String);

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let why = Why(self.detail.chars().take(MAX_WHY_CHARS).collect());
        let body = ProblemBody {
            title: self.status.canonical_reason().unwrap_or("error"),
            status: self.status.as_u16(),
            detail: self.detail,
            more: self.more,
        };
        let body = serde_json::to_string(&body).expect("texts and a number");
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (self.status, kind, body).into_response();
        response.extensions_mut().insert(why);
        let headers = response.headers_mut();
        if self.status == StatusCode::UNAUTHORIZED {
            // RFC 9110 §15.5.2: a 401 names the way.
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        match error {
            // Told when it went.
            StoreError::Gone(_) => Problem::unavailable(error.to_string()),
            error if error.is_full() => {
                tracing::error!("{error}");
                Problem::of(
                    StatusCode::INSUFFICIENT_STORAGE,
                    format!(
                        "{error}: nothing of this is kept; make room on the disk that the store is on, raise store.max_mb of strowger.toml where that \
                         is the limit, or send less, and try again"
                    ),
                )
            }
            error if error.is_passing() => {
                tracing::error!("{error}");
                Problem::unavailable(format!(
                    "{error}; the engine's log says more, try again later"
                ))
            }
            error => {
                tracing::error!("{error}");
                Problem::internal(error.to_string())
            }
        }
    }
}

impl From<PasswordError> for Problem {
    fn from(error: PasswordError) -> Problem {
        match error {
            PasswordError::Short | PasswordError::Long => Problem::unprocessable(error.to_string()),
            PasswordError::Failed(why) => Problem::internal(why),
        }
    }
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Problem {
        match error {
            AccessError::Limit(why) => Problem::conflict(why),
            AccessError::Store(error) => error.into(),
        }
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Problem {
        Problem::of(rejection.status(), rejection.body_text())
    }
}

impl From<PathRejection> for Problem {
    fn from(rejection: PathRejection) -> Problem {
        Problem::of(rejection.status(), rejection.body_text())
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Problem {
        Problem::of(rejection.status(), plainly(&rejection.body_text()))
    }
}

/// What is wrong with a body, without the names of our types.
fn plainly(text: &str) -> String {
    let own = "Failed to deserialize the JSON body into the target type: ";
    let text = match text.strip_prefix(own) {
        Some(why) => format!("the body: {why}"),
        None => text.to_owned(),
    };
    let Some((before, expected)) = text.split_once(", expected ") else {
        return text;
    };
    let before = before.replace("invalid type: sequence", "this is a list");
    format!("{before}, expected {}", in_words(expected))
}

/// What is wrong with a body, without a word of what is in it: only what was expected is of our making, and where.
fn unsaid(text: &str) -> String {
    // The last one: what was sent may have these words in it, what is expected never has.
    if let Some((_, expected)) = text.rsplit_once(", expected ") {
        return format!("the body: expected {}", in_words(expected));
    }
    let why = text.split_once(": ").map_or("", |(_, why)| why);
    if ["missing field `", "duplicate field `"]
        .iter()
        .any(|own| why.starts_with(own))
    {
        return format!("the body: {why}");
    }
    match text.rsplit_once(" at line ") {
        Some((_, at)) => format!("the body is no JSON at line {at}"),
        None => "the body is no JSON".to_owned(),
    }
}

/// What serde expects, and where, in words that a client knows.
fn in_words(expected: &str) -> String {
    let (kind, at) = match expected.split_once(" at line ") {
        Some((kind, at)) => (kind, format!(" at line {at}")),
        None => (expected, String::new()),
    };
    let words = match kind {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number that is not negative",
        "i64" => "a whole number",
        kind if kind.starts_with("struct ") => "an object, `{…}`",
        kind if kind.starts_with("internally tagged enum") => "an object, `{…}`",
        kind => kind,
    };
    format!("{words}{at}")
}

#[cfg(test)]
mod tests {
    use super::{plainly, unsaid};

    #[test]
    fn of_a_body_with_secrets_nothing_is_said_again() {
        let own = "Failed to deserialize the JSON body into the target type: ";
        let syntax = "Failed to parse the request body as JSON: ";
        for (said, told) in [
            (
                format!(
                    "{own}value: invalid type: integer `84726155`, expected a string at line 1 column 17"
                ),
                "the body: expected a string at line 1 column 17",
            ),
            (
                format!(
                    "{own}84726155: unknown field `84726155`, expected `value` or `hosts` at line 1 column 11"
                ),
                "the body: expected `value` or `hosts` at line 1 column 11",
            ),
            (
                format!(
                    "{own}a, expected 84726155: unknown field `a, expected 84726155`, expected `value` or `hosts` at line 1 column 9"
                ),
                "the body: expected `value` or `hosts` at line 1 column 9",
            ),
            (
                format!("{own}missing field `hosts` at line 1 column 20"),
                "the body: missing field `hosts` at line 1 column 20",
            ),
            (
                format!("{syntax}value: number out of range at line 1 column 40"),
                "the body is no JSON at line 1 column 40",
            ),
        ] {
            assert_eq!(unsaid(&said), told);
        }
    }

    #[test]
    fn a_body_is_refused_in_words_that_a_client_knows() {
        let own = "Failed to deserialize the JSON body into the target type: ";
        for (said, told) in [
            (
                "invalid type: sequence, expected an object, `{…}` at line 1 column 2",
                "the body: this is a list, expected an object, `{…}` at line 1 column 2",
            ),
            (
                "revision: invalid type: string \"a\", expected u64 at line 1 column 14",
                "the body: revision: invalid type: string \"a\", expected a whole number that is not negative at line 1 column 14",
            ),
            (
                "invalid type: integer `1`, expected struct ReleaseOrder at line 1 column 1",
                "the body: invalid type: integer `1`, expected an object, `{…}` at line 1 column 1",
            ),
            (
                "missing field `revision` at line 1 column 2",
                "the body: missing field `revision` at line 1 column 2",
            ),
        ] {
            assert_eq!(plainly(&format!("{own}{said}")), told);
        }
    }
}
