//! What endpoints take from a request, with refusals in our form.

use axum::extract::{FromRequest, FromRequestParts, Json, Path, Query, Request};
use axum::http::header::IF_MATCH;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Problem;
use super::tagged::{holds, tag};

/// The query. Its type has `deny_unknown_fields`: a slip in a name must not be passed over.
pub(crate) struct Asked<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(query) = Query::from_request_parts(parts, state).await?;
        Ok(Asked(query))
    }
}

/// The id in the path. No id has a control character, and PostgreSQL takes no NUL.
pub(crate) struct Id(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Path(id): Path<String> = Path::from_request_parts(parts, state).await?;
        if id.chars().any(char::is_control) {
            return Err(Problem::not_found(
                "there is nothing with this id: it has a control character",
            ));
        }
        Ok(Id(id))
    }
}

/// The body, JSON.
pub(crate) struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let Json(body) = Json::from_request(request, state).await?;
        Ok(Body(body))
    }
}

/// `If-Match`: a change is made only while the thing is as it was when its `ETag` was read.
pub(crate) struct IfMatch(HeaderMap);

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(IfMatch(parts.headers.clone()))
    }
}

impl IfMatch {
    /// Whether there is such a condition.
    pub fn is_given(&self) -> bool {
        self.0.contains_key(IF_MATCH)
    }

    /// 412 for a thing that is not there, if any tag is asked for (RFC 9110 section 13.1.1).
    pub fn check_absent(&self) -> Result<(), Problem> {
        match self.0.contains_key(IF_MATCH) {
            false => Ok(()),
            true => Err(Problem::of(
                StatusCode::PRECONDITION_FAILED,
                "it is not there, so it has no ETag: leave out If-Match to make it",
            )),
        }
    }

    /// 412 when the thing, as a `GET` would show it, is another one now.
    pub fn check<T: Serialize>(&self, current: &T) -> Result<(), Problem> {
        let body = serde_json::to_vec(current).map_err(|e| Problem::internal(e.to_string()))?;
        if holds(&self.0, IF_MATCH, &tag(&body)).unwrap_or(true) {
            return Ok(());
        }
        Err(Problem::of(
            StatusCode::PRECONDITION_FAILED,
            "it was changed since its ETag was read: get it again",
        ))
    }
}
