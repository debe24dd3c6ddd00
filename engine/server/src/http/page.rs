//! Lists, a page at a time: `?limit=…&after=…` gives `{"items": […], "next": …}`, and `Link` leads to the next page.

use axum::Json;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use super::Problem;

/// Items of a page unless another number is asked for.
const DEFAULT_LIMIT: u32 = 50;
/// Most items of a page.
pub(crate) const MAX_LIMIT: u32 = 200;
/// Longest cursor, in bytes: a time and an id.
const MAX_CURSOR_BYTES: usize = 256;

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// What is on it.
    items: Vec<T>,
    /// Give this as `after` for the next page; null on the last one.
    #[schema(required)]
    next: Option<String>,
    #[serde(skip)]
    #[schema(ignore)]
    link: Option<String>,
}

/// How many items a page shall have.
pub(crate) fn limit(asked: Option<u32>) -> Result<u32, Problem> {
    let limit = asked.unwrap_or(DEFAULT_LIMIT);
    if (1..=MAX_LIMIT).contains(&limit) {
        return Ok(limit);
    }
    Err(Problem::bad_request(format!(
        "`limit` is 1 to {MAX_LIMIT}, not {limit}"
    )))
}

/// Where a page shall begin, as a page before it said.
pub(crate) fn after(asked: Option<&str>) -> Result<Option<&str>, Problem> {
    match asked {
        Some(cursor)
            if !(1..=MAX_CURSOR_BYTES).contains(&cursor.len())
                || !cursor.bytes().all(|b| b.is_ascii_graphic()) =>
        {
            Err(wrong_cursor())
        }
        asked => Ok(asked),
    }
}

/// A cursor that no page has given.
pub(crate) fn wrong_cursor() -> Problem {
    Problem::bad_request(
        "`after` is what a page before had as `next`, unchanged; without it the list begins anew",
    )
}

impl<T> Page<T> {
    /// A page of items of which one more than the limit was looked for. `cursor` names the place of an item.
    pub fn of(
        uri: &Uri,
        mut items: Vec<T>,
        limit: u32,
        cursor: impl FnOnce(&T) -> String,
    ) -> Page<T> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let more = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| more).map(cursor);
        let link = next.as_deref().map(|next| link(uri, next));
        Page { items, next, link }
    }
}

/// The same address, another place (RFC 8288; a reference that begins with `?` keeps the path).
fn link(uri: &Uri, next: &str) -> String {
    let query = uri.query().unwrap_or_default().split('&');
    let kept = query.filter(|pair| !pair.is_empty() && !pair.starts_with("after="));
    let mut pairs: Vec<&str> = kept.collect();
    let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
    let after = format!("after={next}");
    pairs.push(&after);
    format!("<?{}>; rel=\"next\"", pairs.join("&"))
}

impl<T: Serialize> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        let link = self
            .link
            .as_deref()
            .and_then(|link| HeaderValue::from_str(link).ok());
        let mut response = Json(self).into_response();
        if let Some(link) = link {
            response.headers_mut().insert(header::LINK, link);
        }
        response
    }
}
