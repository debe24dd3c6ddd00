//! What endpoints take from a request, with refusals in our form.

use std::marker::PhantomData;

use axum::extract::{FromRequest, FromRequestParts, Json, Path, Query, Request};
use axum::http::header::{IF_MATCH, IF_NONE_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

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
        let Json(Object(body)) = Json::from_request(request, state).await?;
        Ok(Body(body))
    }
}

/// The body, JSON, of which some is secret: a refusal says where something is wrong and what belongs there, and nothing of
/// what is there. A client that mistakes one member for another, or a text for a number, has its secret in no answer and no
/// audit log.
pub(crate) struct SecretBody<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for SecretBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let body = Json::from_request(request, state).await;
        let Json(Object(body)) = body.map_err(|rejection| Problem::of_secrets(&rejection))?;
        Ok(SecretBody(body))
    }
}

/// JSON that is an object. Without it a list of its members' values in turn would be one too, which means something else as
/// soon as a member is added.
pub(super) struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
            type Value = T;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object, `{…}`")
            }

            fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(members))
            }
        }

        let members = deserializer.deserialize_map(Members(PhantomData))?;
        Ok(Object(members))
    }
}

/// `If-Match`: a change is made only while the thing is as it was when its `ETag` was read; `If-None-Match: *`: only if it is
/// not there yet.
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
        self.0.contains_key(IF_MATCH) || self.0.contains_key(IF_NONE_MATCH)
    }

    /// Whether there is an `If-Match` that not everything meets.
    pub fn names_a_tag(&self) -> bool {
        let mut given = self.0.get_all(IF_MATCH).iter();
        given.any(|tags| tags != "*")
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
        let tag = tag(&body);
        if !holds(&self.0, IF_MATCH, &tag).unwrap_or(true) {
            return Err(Problem::of(
                StatusCode::PRECONDITION_FAILED,
                "it was changed since its ETag was read: get it again",
            ));
        }
        // RFC 9110 section 13.1.2: `*` is whatever is there.
        match holds(&self.0, IF_NONE_MATCH, &tag) {
            Some(true) => Err(Problem::of(
                StatusCode::PRECONDITION_FAILED,
                "it is there already: leave out If-None-Match to put this in its place",
            )),
            _ => Ok(()),
        }
    }
}
